//! Outputs: what callers read.

use std::collections::BTreeSet;

use terrace_addr::Name;

use super::listed;
use crate::conditions::narrowed;
use crate::shape::{OutputChange, output_change};
use crate::{Condition, Finding, Interface, Kind, OutputValue, Place};

pub(super) fn compare(old: &Interface, new: &Interface) -> Vec<Finding> {
    let names: BTreeSet<&Name> = old.outputs.keys().chain(new.outputs.keys()).collect();
    let mut found = Vec::new();
    for name in names {
        let subject = format!("output {name:?}");
        match (old.outputs.get(name), new.outputs.get(name)) {
            (Some(was), None) => found.push(
                Finding::new(
                    Kind::OutputRemoved,
                    subject,
                    format!("The output {name:?} is gone. Callers that read it get the error \"Unsupported attribute\"."),
                )
                .before(&was.place)
                .advice("Keep it until the next major version, and say in its description what to read instead."),
            ),
            (None, Some(is)) => found.push(
                Finding::new(Kind::OutputAdded, subject, format!("The output {name:?} is new."))
                    .now(&is.place),
            ),
            (Some(was), Some(is)) => pair(name, was, is, &mut found),
            (None, None) => {}
        }
    }
    found
}

fn pair(name: &Name, was: &OutputValue, is: &OutputValue, found: &mut Vec<Finding>) {
    let finding = |kind: Kind, detail: String| {
        Finding::new(kind, format!("output {name:?}"), detail)
            .now(&is.place)
            .before(&was.place)
    };
    match output_change(&was.ty, &is.ty) {
        OutputChange::Retyped(places) => found.push(
            finding(
                Kind::OutputRetyped,
                format!(
                    "What the output {name:?} gives has another type: {}. Expressions of callers that read it may fail. It was `{}` and is `{}`.",
                    places.join(", "),
                    was.written,
                    is.written
                ),
            )
            .advice("Add the new form as another output, and deprecate this one."),
        ),
        OutputChange::Extended(places) => found.push(finding(
            Kind::OutputExtended,
            format!("The output {name:?} has more to read: {}.", places.join(", ")),
        )),
        OutputChange::None if was.canonical != is.canonical => found.push(finding(
            Kind::OutputChanged,
            format!(
                "The output {name:?} was `{}` and is `{}`: of the same type as far as can be said without values, but perhaps of another meaning.",
                was.written, is.written
            ),
        )),
        OutputChange::None => {}
    }
    match (was.sensitive, is.sensitive) {
        (false, true) => found.push(finding(
            Kind::OutputHidden,
            format!("The output {name:?} is sensitive now: callers that give it on as an output of their own get the error \"Output refers to sensitive values\", and cannot use it in `for_each`."),
        )),
        (true, false) => found.push(finding(
            Kind::OutputShown,
            format!("The output {name:?} is no longer sensitive: plans of callers show it."),
        )),
        _ => {}
    }
    match (was.ephemeral, is.ephemeral) {
        (false, true) => found.push(finding(
            Kind::OutputEphemeral,
            format!("The output {name:?} is ephemeral now: callers that store it, in an argument of a resource or an output of theirs, get an error."),
        )),
        (true, false) => found.push(finding(
            Kind::OutputStored,
            format!("The output {name:?} is no longer ephemeral."),
        )),
        _ => {}
    }
    if let (None, Some(reason)) = (&was.deprecated, &is.deprecated) {
        found.push(finding(
            Kind::OutputDeprecated,
            format!("The output {name:?} is deprecated: {reason}"),
        ));
    }
    if was.description != is.description {
        found.push(finding(
            Kind::DescriptionChanged,
            format!("The description of the output {name:?} has changed."),
        ));
    }
    preconditions(
        &format!("output {name:?}"),
        (&was.preconditions, &was.place),
        (&is.preconditions, &is.place),
        found,
    );
}

/// What changed in the preconditions of something that is there in both versions.
pub(super) fn preconditions(
    subject: &str,
    (was, before): (&[Condition], &Place),
    (is, _now): (&[Condition], &Place),
    found: &mut Vec<Finding>,
) {
    let narrow = narrowed(was, is);
    if !narrow.is_empty() {
        let texts = listed(narrow.iter().map(|condition| condition.written.as_str()));
        let place = &narrow[0].place;
        found.push(
            Finding::new(
                Kind::PreconditionAdded,
                subject,
                format!("A precondition asks for more than before: {texts}. What was planned before may be refused."),
            )
            .now(place)
            .before(before)
            .advice("A `check` block warns without refusing."),
        );
        return;
    }
    for condition in narrowed(is, was) {
        found.push(
            Finding::new(
                Kind::PreconditionRemoved,
                subject,
                format!("A precondition is gone: `{}`.", condition.written),
            )
            .before(&condition.place),
        );
    }
}
