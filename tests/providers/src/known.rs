//! What `terrace` says otherwise than the reference, and why; the rest must be the same.

/// A difference that is known: in which case (`*` for all), where, and why.
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
        case: "*",
        place: "].events",
        why: "the event stream does not tell the changes of a saved plan again, nor the outputs of a plan; ephemeral operations have no messages of their own",
    },
    Known {
        case: "blocks",
        place: ".relevant_attributes",
        why: "iterators of dynamic blocks are taken for resources",
    },
    Known {
        case: "*",
        place: ".dependencies",
        why: "ephemeral resources are not kept among the dependencies in the state",
    },
    Known {
        case: "ephemeral",
        place: ".world",
        why: "an ephemeral resource that nothing needs while applying is not opened then",
    },
    Known {
        case: "functions",
        place: "[7].diagnostics[0].detail",
        why: "a function that the provider does not have is told as one that is not there",
    },
    Known {
        case: "functions-dynamic",
        place: ".outputs.known.value[1]",
        why: "outputs are evaluated again while applying, even where the plan knew them",
    },
    Known {
        case: "meta",
        place: "[2].",
        why: "provider meta that its schema does not have is told even where no resource would be sent it",
    },
    Known {
        case: "nested-wrong",
        place: ".diagnostics",
        why: "a provider is not asked about one resource where the configuration of another is wrong",
    },
    Known {
        case: "*",
        place: ".sensitive_values",
        why: "Terraform leaves out of the planned values what is sensitive where the object is replaced",
    },
    Known {
        case: "plan",
        place: ".after_sensitive.note",
        why: "Terraform forgets that an unknown value is sensitive where a provider planned it",
    },
    Known {
        case: "upgrade",
        place: "[2].diagnostics[0].detail",
        why: "the provider is named with its namespace",
    },
    Known {
        case: "upgrade",
        place: "values.colour",
        why: "a state is read as it is stored where its schema version is the present one",
    },
    Known {
        case: "write-only-ephemeral",
        place: "sensitive",
        why: "write-only arguments are listed among the sensitive ones",
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
            .find(|known| (known.case == "*" || known.case == case) && path.contains(known.place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_known_by_its_case_and_its_place() {
        assert!(Known::of("meta", "[2].exit: expected 0, got 1").is_some());
        assert!(Known::of("plan", "[2].exit: expected 0, got 1").is_none());
        assert!(Known::of("meta", "[1].exit: expected 0, got [2].").is_none());
        assert!(Known::of("plan", "[0].events[2].type: expected 1, got 2").is_some());
    }
}
