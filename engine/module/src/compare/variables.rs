//! Variables: what callers may, must and must not give.

use std::collections::BTreeSet;

use terrace_addr::Name;
use terrace_diag::nearest;
use terrace_value::Type;

use crate::conditions::narrowed;
use crate::type_text::value_text;
use crate::{Finding, Input, Interface, Kind, TypeChange, type_changes, type_text};

pub(super) fn compare(old: &Interface, new: &Interface) -> Vec<Finding> {
    let names: BTreeSet<&Name> = old.variables.keys().chain(new.variables.keys()).collect();
    let mut found = Vec::new();
    for name in names {
        match (old.variables.get(name), new.variables.get(name)) {
            (Some(was), None) => found.push(removed(name, was, old, new)),
            (None, Some(is)) => found.push(added(name, is)),
            (Some(was), Some(is)) => Pair { name, was, is }.compare(&mut found),
            (None, None) => {}
        }
    }
    found
}

fn subject(name: &Name) -> String {
    format!("variable {name:?}")
}

fn removed(name: &Name, was: &Input, old: &Interface, new: &Interface) -> Finding {
    let detail = format!(
        "The variable {name:?} is gone. Callers that set it get the error \"Unsupported argument\"."
    );
    let fresh = new
        .variables
        .iter()
        .filter(|(other, input)| !old.variables.contains_key(*other) && input.ty == was.ty)
        .map(|(other, _)| &**other);
    let renamed = nearest(name, fresh);
    let advice = match renamed {
        Some(other) => format!(
            "If it is called {other:?} now, keep {name:?} beside it with `deprecated` and `default = null`, and use `coalesce(var.{other}, var.{name})` until the next major version."
        ),
        None => format!(
            "Keep it with `deprecated = \"…\"` and a default until the next major version, so that callers are told first. Give {name:?} a default if it has none."
        ),
    };
    Finding::new(Kind::VariableRemoved, subject(name), detail)
        .before(&was.place)
        .advice(advice)
}

fn added(name: &Name, is: &Input) -> Finding {
    let (kind, detail) = if is.default.is_some() {
        (
            Kind::VariableAdded,
            format!("The variable {name:?} is new and has a default."),
        )
    } else {
        (
            Kind::RequiredVariableAdded,
            format!(
                "The variable {name:?} is new and has no default: every caller that does not set it gets the error \"Missing required argument\"."
            ),
        )
    };
    let finding = Finding::new(kind, subject(name), detail).now(&is.place);
    if is.default.is_some() {
        finding
    } else {
        finding.advice("Give it a default that keeps what was done before; `default = null` with `nullable` where there is none.")
    }
}

/// A variable in both versions.
struct Pair<'a> {
    name: &'a Name,
    was: &'a Input,
    is: &'a Input,
}

impl Pair<'_> {
    fn compare(&self, found: &mut Vec<Finding>) {
        self.types(found);
        self.default(found);
        self.nullable(found);
        self.flags(found);
        self.validations(found);
        self.words(found);
    }

    fn finding(&self, kind: Kind, detail: impl Into<String>) -> Finding {
        Finding::new(kind, subject(self.name), detail)
            .now(&self.is.place)
            .before(&self.was.place)
    }

    fn types(&self, found: &mut Vec<Finding>) {
        let changes = type_changes(&self.was.ty, &self.is.ty);
        let (narrow, wide): (Vec<&TypeChange>, Vec<&TypeChange>) =
            changes.iter().partition(|change| change.kind.narrows());
        let sentences = |changes: &[&TypeChange]| {
            let sentences: Vec<String> = changes.iter().map(|change| change.sentence()).collect();
            sentences.join(" ")
        };
        let types = format!(
            "Its type was {} and is {}.",
            one_line(&self.was.ty),
            one_line(&self.is.ty)
        );
        if !narrow.is_empty() {
            let detail = format!(
                "The type of the variable {:?} takes less than before. {} {types}",
                self.name,
                sentences(&narrow)
            );
            found.push(
                self.finding(Kind::TypeNarrowed, detail).advice(
                    "Take what was taken before: keep attributes, make new ones `optional(…)`, or add another variable and deprecate this one.",
                ),
            );
        } else if !wide.is_empty() {
            let detail = format!(
                "The type of the variable {:?} takes more than before. {} {types}",
                self.name,
                sentences(&wide)
            );
            found.push(self.finding(Kind::TypeWidened, detail));
        } else if self.was.type_defaults != self.is.type_defaults {
            let detail = format!(
                "Defaults of optional attributes of the variable {:?} have changed: callers that leave these out get something else.",
                self.name
            );
            found.push(self.finding(Kind::DefaultChanged, detail));
        }
    }

    fn default(&self, found: &mut Vec<Finding>) {
        let name = self.name;
        match (&self.was.default, &self.is.default) {
            (Some(was), None) => found.push(
                self.finding(
                    Kind::DefaultRemoved,
                    format!(
                        "The variable {name:?} had the default {} and has none now: every caller that left it out gets the error \"Missing required argument\".",
                        self.shown(was)
                    ),
                )
                .advice("Keep the default, or refuse it with a validation whose message says what to give."),
            ),
            (None, Some(is)) => found.push(self.finding(
                Kind::DefaultAdded,
                format!("The variable {name:?} has got the default {}.", self.shown(is)),
            )),
            (Some(was), Some(is)) if value_text(was) != value_text(is) => {
                found.push(self.finding(
                    Kind::DefaultChanged,
                    format!(
                        "The default of the variable {name:?} was {} and is {}: callers that leave it out get something else, which may change or replace objects.",
                        self.shown(was),
                        self.shown(is)
                    ),
                ));
            }
            _ => {}
        }
    }

    fn shown(&self, value: &terrace_value::Value) -> String {
        if self.was.sensitive || self.is.sensitive {
            "(sensitive value)".to_owned()
        } else {
            value_text(value)
        }
    }

    fn nullable(&self, found: &mut Vec<Finding>) {
        let name = self.name;
        let has_default = self
            .is
            .default
            .as_ref()
            .is_some_and(|default| !default.is_null());
        match (self.was.nullable, self.is.nullable, has_default) {
            (true, false, false) => found.push(self.finding(
                Kind::NullRefused,
                format!("The variable {name:?} is no longer nullable: callers that give null get the error \"Invalid value for input variable\"."),
            )),
            (true, false, true) => found.push(self.finding(
                Kind::NullRefused,
                format!("The variable {name:?} is no longer nullable: null from a caller, which reached the module before, means the default now."),
            )),
            (false, true, true) => found.push(
                self.finding(
                    Kind::NullKept,
                    format!("The variable {name:?} is nullable now: null from a caller, which meant the default before, reaches the module as null."),
                )
                .advice("Keep `nullable = false`, or replace null by the default in a local value."),
            ),
            (false, true, false) => found.push(self.finding(
                Kind::NullTaken,
                format!("The variable {name:?} takes null now."),
            )),
            _ => {}
        }
    }

    fn flags(&self, found: &mut Vec<Finding>) {
        let name = self.name;
        match (self.was.sensitive, self.is.sensitive) {
            (true, false) => found.push(self.finding(
                Kind::VariableShown,
                format!("The variable {name:?} is no longer sensitive: what callers gave to be hidden is shown in plans and logs, unless they marked it themselves."),
            )),
            (false, true) => found.push(self.finding(
                Kind::VariableHidden,
                format!("The variable {name:?} is sensitive now: plans no longer show what comes of it."),
            )),
            _ => {}
        }
        match (self.was.ephemeral, self.is.ephemeral) {
            (true, false) => found.push(self.finding(
                Kind::VariableStored,
                format!("The variable {name:?} no longer takes ephemeral values: callers that give one get an error, and other values are stored."),
            )),
            (false, true) => found.push(self.finding(
                Kind::VariableEphemeral,
                format!("The variable {name:?} takes ephemeral values now."),
            )),
            _ => {}
        }
        match (self.was.constant, self.is.constant) {
            (false, true) => found.push(self.finding(
                Kind::VariableConstant,
                format!("The value of the variable {name:?} must be known before state and providers now: callers that compute it from resources get an error."),
            )),
            (true, false) => found.push(self.finding(
                Kind::VariableNotConstant,
                format!("The value of the variable {name:?} may be computed from resources now."),
            )),
            _ => {}
        }
    }

    fn validations(&self, found: &mut Vec<Finding>) {
        let (was, is) = (&self.was.validations, &self.is.validations);
        let narrow = narrowed(was, is);
        for condition in &narrow {
            let detail = format!(
                "The variable {:?} must satisfy `{}` now, which does not follow from what it had to satisfy before{}. Callers whose value passed may be refused.",
                self.name,
                condition.written,
                earlier(was)
            );
            found.push(
                self.finding(Kind::ValidationNarrowed, detail)
                    .now(&condition.place)
                    .advice("Let the old values pass, with a `check` block that warns of them, until the next major version."),
            );
        }
        if narrow.is_empty() {
            for condition in narrowed(is, was) {
                let detail = format!(
                    "The variable {:?} need no longer satisfy `{}`.",
                    self.name, condition.written
                );
                found.push(
                    self.finding(Kind::ValidationWidened, detail)
                        .before(&condition.place),
                );
            }
        }
    }

    fn words(&self, found: &mut Vec<Finding>) {
        let name = self.name;
        if let (None, Some(reason)) = (&self.was.deprecated, &self.is.deprecated) {
            found.push(self.finding(
                Kind::VariableDeprecated,
                format!("The variable {name:?} is deprecated: {reason}"),
            ));
        }
        if self.was.description != self.is.description {
            found.push(self.finding(
                Kind::DescriptionChanged,
                format!("The description of the variable {name:?} has changed."),
            ));
        }
    }
}

/// What was asked before, as the end of a part of a sentence.
fn earlier(conditions: &[crate::Condition]) -> String {
    if conditions.is_empty() {
        return ", which was nothing".to_owned();
    }
    let written: Vec<String> = conditions
        .iter()
        .map(|condition| format!("`{}`", condition.written))
        .collect();
    format!(" ({})", written.join(", "))
}

fn one_line(ty: &Type) -> String {
    let text = type_text(ty, None);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
