//! What `terrace` says otherwise than the reference, and why; the rest must be the same.

/// A difference that is known: in which case, where, and why.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    case: &'static str,
    /// A part of the path to what differs.
    place: &'static str,
    /// Why it differs, or what is wrong with it.
    pub why: &'static str,
}

/// All of them. An entry goes when its reason does.
pub const KNOWN: &[Known] = &[
    Known {
        case: "functions",
        place: "].events",
        why: "functions of providers are called when planning comes to them, not while validating, so that what was planned is told before their errors",
    },
    Known {
        case: "move",
        place: "].events",
        why: "states are moved when planning comes to them, so that what was planned else is told before the errors",
    },
    Known {
        case: "nested-wrong",
        place: "[0].diagnostics[1].line",
        why: "the place is the attribute's within a nested one, not that of the outermost",
    },
    Known {
        case: "plan",
        place: ".sensitive_values.",
        why: "Terraform leaves out of the planned values what is sensitive where the object is replaced",
    },
    Known {
        case: "plan-lifecycle",
        place: ".sensitive_values.",
        why: "Terraform leaves out of the planned values what is sensitive where the object is replaced",
    },
    Known {
        case: "plan",
        place: ".after_sensitive.note",
        why: "Terraform forgets that an unknown value is sensitive where a provider planned it",
    },
    Known {
        case: "upgrade",
        place: "[3].plan.prior_state.values.root_module.resources[0].values.colour",
        why: "a state is read as it is stored where its schema version is the present one",
    },
    Known {
        case: "write-only-ephemeral",
        place: ".relevant_attributes",
        why: "attributes of ephemeral resources are not relevant to a plan",
    },
];

impl Known {
    /// The entry that a difference of a case falls under: a line that begins with its path.
    pub fn of(case: &str, difference: &str) -> Option<&'static Self> {
        let path = difference.split(": ").next().unwrap_or(difference);
        KNOWN
            .iter()
            .find(|known| known.case == case && path.contains(known.place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_known_by_its_case_and_its_place() {
        assert!(Known::of("move", "[2].events: expected 0, got 1").is_some());
        assert!(Known::of("plan", "[2].events: expected 0, got 1").is_none());
        assert!(Known::of("move", "[1].exit: expected 0, got ].events").is_none());
    }
}
