//! Differences that are meant, with their reasons.

use crate::outcome::{Class, Outcome};

/// A difference that is meant.
pub(crate) struct Known {
    /// In a few words.
    pub(crate) name: &'static str,
    /// Why Terrace differs.
    pub(crate) reason: &'static str,
    fits: fn(&str, &Outcome, &Outcome, Class) -> bool,
}

/// All of them.
pub(crate) const KNOWN: [Known; 1] = [Known {
    name: "a crash of Terraform",
    reason: "Terraform panics; Terrace gives a value or an error.",
    fits: |_, _, _, class| class == Class::ReferenceFailed,
}];

/// The one that explains why these outcomes of an expression differ.
pub(crate) fn known(
    expression: &str,
    reference: &Outcome,
    ours: &Outcome,
    class: Class,
) -> Option<&'static Known> {
    KNOWN
        .iter()
        .find(|known| (known.fits)(expression, reference, ours, class))
}
