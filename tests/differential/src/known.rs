//! Differences that are meant, with their reasons.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::engine::Told;
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
pub(crate) const KNOWN: [Known; 16] = [
    Known {
        name: "a crash of Terraform",
        reason: "Terraform panics, as `element` does for tuples and negative indexes; Terrace gives the value that the \
                 documentation tells, or an error.",
        fits: |expression, reference, _, class| {
            class == Class::ReferenceFailed
                || details(reference).any(|detail| detail.contains("panic in function"))
                || (expression.contains("element(")
                    && ["can(", "try("]
                        .iter()
                        .any(|call| expression.contains(call)))
        },
    },
    Known {
        name: "places inside of details",
        reason: "Terraform names the file and columns in the detail of unfinished templates. Terrace names the line and \
                 column; the file is with the diagnostic itself.",
        fits: |_, reference, ours, class| {
            class == Class::Detail
                && details(reference)
                    .map(without_place)
                    .eq(details(ours).map(without_place))
        },
    },
    Known {
        name: "errors that follow from others",
        reason: "After an error of syntax Terraform goes on reading and reports more errors about the same text; Terrace \
                 reports those of which it can say something.",
        fits: |_, reference, ours, class| {
            class == Class::Summary
                && first_summary(reference) == first_summary(ours)
                && is_of_syntax(reference)
        },
    },
    Known {
        name: "the same error more than once",
        reason: "Terraform repeats an error about the same text for each element or instance; Terrace reports it once.",
        fits: |_, reference, ours, class| {
            class == Class::Summary && {
                let unlike = |outcome| details(outcome).collect::<BTreeSet<_>>();
                unlike(reference) == unlike(ours)
            }
        },
    },
    Known {
        name: "networks of negative numbers",
        reason: "Given negative numbers `cidrsubnet` of Terraform gives networks outside of the prefix; Terrace refuses them.",
        fits: |expression, _, ours, class| {
            class == Class::Refused
                && expression.contains("cidrsubnet")
                && details(ours).any(|detail| detail.contains("does not accommodate"))
        },
    },
    Known {
        name: "patterns of fileset with an error of syntax",
        reason: "Terraform sees the error only where it compares the broken part with a file; Terrace refuses the pattern always.",
        fits: |_, _, ours, class| {
            class == Class::Refused
                && details(ours).any(|detail| detail.contains("syntax error in pattern"))
        },
    },
    Known {
        name: "years beyond 9999",
        reason: "RFC 3339 has four digits for a year: Terrace refuses what Terraform writes with five.",
        fits: |_, _, ours, class| {
            class == Class::Refused
                && details(ours).any(|detail| detail.contains("year is out of range"))
        },
    },
    Known {
        name: "networks in the whole address space",
        reason: "Terraform's `cidrsubnets` takes `0.0.0.0/0` and `::/0` for full; Terrace divides them.",
        fits: |expression, reference, _, class| {
            class == Class::Accepted
                && expression.contains("cidrsubnets")
                && details(reference)
                    .any(|detail| detail.contains("not enough remaining address space"))
        },
    },
    Known {
        name: "negative indexes over sequences with a fraction",
        reason: "For an index that is both negative and no whole number Terrace names the first, Terraform the second.",
        fits: |_, reference, ours, class| {
            class == Class::Detail
                && details(reference).any(|detail| detail.contains("has a fractional part"))
                && details(ours).any(|detail| detail.contains("negative number"))
        },
    },
    Known {
        name: "null elements among structures",
        reason: "A null takes the type that the other elements have in common; Terraform refuses it beside tuples of \
                 different lengths.",
        fits: |_, reference, _, class| {
            class == Class::Accepted
                && details(reference).any(|detail| {
                    detail.contains("of any single type")
                        || detail.contains("element types must all match")
                })
        },
    },
    Known {
        name: "errors that follow from a key of a `for` expression",
        reason: "Where a key of a `for` expression is refused, Terraform also reports what follows from going on without it \
                 (keys that are then the same, indexes into what is left); Terrace reports the cause alone.",
        fits: |expression, reference, ours, class| {
            class == Class::Summary && expression.contains("for ") && {
                let reported: BTreeSet<_> = details(reference).collect();
                details(ours).next().is_some()
                    && details(ours).all(|detail| reported.contains(detail))
            }
        },
    },
    Known {
        name: "arguments of provider functions",
        reason: "Terrace says \"Invalid function argument\" and names the parameter, as for every other function.",
        fits: |expression, reference, ours, class| {
            class == Class::Summary
                && expression.contains("provider::")
                && first_summary(reference) == Some("Error in function call")
                && first_summary(ours) == Some("Invalid function argument")
        },
    },
    Known {
        name: "a slip in the words",
        reason: "\"the given value is has an invalid base64 symbol\" is said without the \"is\".",
        fits: |_, reference, ours, class| {
            class == Class::Detail
                && details(reference)
                    .map(|detail| detail.replace("value is has", "value has"))
                    .eq(details(ours).map(str::to_owned))
        },
    },
    Known {
        name: "secrets in the texts of errors",
        reason: "Terraform repeats a sensitive argument in the error about it; Terrace says `(sensitive value)`.",
        fits: |_, reference, ours, class| {
            class == Class::Detail
                && details(reference)
                    .chain(details(ours))
                    .any(|detail| detail.contains("(sensitive value)"))
        },
    },
    Known {
        name: "arguments that are errors themselves",
        reason: "Where a part of an argument is refused, Terraform may say instead that the argument as a whole cannot be \
                 converted, or read; Terrace reports what is wrong with the part.",
        fits: |expression, reference, ours, class| {
            class == Class::Summary
                && expression.contains('(')
                && told(ours).len() == 1
                && details(reference).all(|detail| detail.contains("cannot convert "))
                && first_summary(ours) != Some("Invalid function argument")
        },
    },
    Known {
        name: "marks of what is not known",
        reason: "What an unknown secret decides over, such as the keys of an object, is unknown and no longer a secret in \
                 Terraform; in Terrace it stays one.",
        fits: |_, reference, ours, class| {
            class == Class::Sensitive
                && matches!((reference, ours), (Outcome::Value(theirs), Outcome::Value(ours))
                    if theirs.unknown == Value::Bool(true)
                        && theirs.sensitive != Value::Bool(true)
                        && ours.sensitive == Value::Bool(true))
        },
    },
];

fn told(outcome: &Outcome) -> &[Told] {
    match outcome {
        Outcome::Refused(told) => told,
        Outcome::Value(_) | Outcome::Failed(_) => &[],
    }
}

fn details(outcome: &Outcome) -> impl Iterator<Item = &str> {
    told(outcome).iter().map(|told| told.detail.as_str())
}

fn first_summary(outcome: &Outcome) -> Option<&str> {
    told(outcome).first().map(|told| told.summary.as_str())
}

/// Whether some of the errors are about text that cannot be read at all.
fn is_of_syntax(outcome: &Outcome) -> bool {
    const SUMMARIES: [&str; 5] = [
        "Missing newline",
        "Unexpected",
        "Invalid expression",
        "Unterminated",
        "Extra characters",
    ];
    told(outcome).iter().any(|told| {
        SUMMARIES
            .iter()
            .any(|summary| told.summary.starts_with(summary))
    })
}

/// The detail without places in files.
fn without_place(detail: &str) -> String {
    static PLACE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\S+\.tf:\d+,\d+-(\d+,)?\d+|line \d+, column \d+").expect("the pattern is one")
    });
    PLACE.replace_all(detail, "<place>").into_owned()
}

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
