//! Differences between configurations that are meant, with their reasons.

use super::Scenario;
use super::compare::Difference;

/// A difference that is meant.
pub(crate) struct Known {
    /// In a few words.
    pub(crate) name: &'static str,
    /// Why Terrace differs.
    pub(crate) reason: &'static str,
    fits: fn(&Scenario, &Difference) -> bool,
}

/// All of them.
pub(crate) const KNOWN: [Known; 4] = [
    Known {
        name: "replace_triggered_by of a resource without instances",
        reason: "Terraform ends with \"no change found\". Nothing that is not there changes, so that Terrace goes on.",
        fits: |_, difference| difference.place.contains("no change found for"),
    },
    Known {
        name: "-refresh-only where an element of a list is secret",
        reason: "Terraform holds the stored place of the element for another one than that which it has just found, and \
                 tells of a change where there is none.",
        fits: |scenario, difference| {
            difference.place == "exit code"
                && difference.reference.starts_with("Some(2)")
                && difference.ours.starts_with("Some(0)")
                && scenario.mentions("sensitive(")
                && scenario.has_option("-refresh-only")
        },
    },
    Known {
        name: "applying a plan of nothing",
        reason: "Terraform refuses to apply a saved -refresh-only plan that leaves the state as it is; Terrace has nothing to \
                 do then, and says so.",
        fits: |scenario, difference| {
            difference.place.contains("Cannot apply non-applyable plan")
                && scenario.has_option("-refresh-only")
        },
    },
    Known {
        name: "create_before_destroy in the state",
        reason: "Terraform stores it for those instances to which something that is created first refers; Terrace for all \
                 of the resource, as both of them plan it.",
        fits: |_, difference| difference.place.ends_with(".create_before_destroy"),
    },
];

/// Why the engines are meant to differ there, if they are.
pub(crate) fn known(scenario: &Scenario, difference: &Difference) -> Option<&'static Known> {
    KNOWN
        .iter()
        .find(|known| (known.fits)(scenario, difference))
}
