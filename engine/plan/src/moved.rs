//! What a plan would do otherwise than another that people have seen.

use std::collections::{BTreeMap, BTreeSet};

use terrace_addr::{AbsResourceInstance, DeposedKey};
use terrace_value::Value;

use crate::{Action, OutputChange, Plan, ResourceChange};

/// How many names of attributes are told of one object.
const MOST_NAMES: usize = 8;

/// What a plan would do otherwise than another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// What it would do more, or in another way: a line for each object, output and provider.
    pub other: Vec<String>,
    /// What it would not do any more.
    pub less: Vec<String>,
}

impl Differences {
    /// All of it, what it would do first.
    pub fn lines(self) -> Vec<String> {
        let mut lines = self.other;
        lines.extend(self.less);
        lines
    }
}

/// What `now` would do otherwise than `reviewed`; nothing where it does the same to the same objects. Where `reviewed` is nothing,
/// nothing was to be done. Values are not told, only where they differ.
///
/// When and from which commit they were made, and by whom, makes no difference; neither does what nothing happens to, nor which
/// value an output had before.
pub fn differences(reviewed: Option<&Plan>, now: &Plan) -> Differences {
    let mut found = Differences::default();
    if let Some(reviewed) = reviewed {
        if reviewed.mode != now.mode || is_narrow(reviewed) != is_narrow(now) {
            found.other.push("the plans were asked for in another way (-destroy, -refresh-only, -target, -replace)".to_owned());
        }
        found.other.extend(providers(reviewed, now));
    }
    let before = reviewed.map(changes).unwrap_or_default();
    let after = changes(now);
    let keys: BTreeSet<&Key<'_>> = before.keys().chain(after.keys()).collect();
    for key in keys {
        match (before.get(key), after.get(key)) {
            (Some(reviewed), None) => {
                let line = format!("{}, and now nothing happens to it", reviewed.title());
                found.less.push(line);
            }
            (reviewed, Some(now)) => found.other.extend(otherwise(reviewed.copied(), now)),
            (None, None) => {}
        }
    }
    let before = reviewed.map(outputs).unwrap_or_default();
    let after = outputs(now);
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        match (before.get(name), after.get(name)) {
            (Some(one), Some(other)) if one.after == other.after => {}
            (_, Some(_)) => found
                .other
                .push(format!("output {name} would have another value")),
            (_, None) => found.less.push(format!("output {name} stays as it is")),
        }
    }
    found
}

fn is_narrow(plan: &Plan) -> bool {
    !plan.inputs.targets.is_empty() || !plan.inputs.replace.is_empty()
}

type Key<'a> = (&'a AbsResourceInstance, &'a Option<DeposedKey>);

/// What something happens to.
fn changes(plan: &Plan) -> BTreeMap<Key<'_>, &ResourceChange> {
    plan.changes
        .iter()
        .filter(|change| {
            change.action != Action::NoOp
                || change.previous_address.is_some()
                || change.importing.is_some()
        })
        .map(|change| ((&change.address, &change.deposed), change))
        .collect()
}

fn outputs(plan: &Plan) -> BTreeMap<String, &OutputChange> {
    plan.outputs
        .iter()
        .filter(|(_, output)| output.action != Action::NoOp)
        .map(|(name, output)| (name.to_string(), output))
        .collect()
}

/// How what happens to an object differs from what was reviewed.
fn otherwise(reviewed: Option<&ResourceChange>, now: &ResourceChange) -> Option<String> {
    let Some(reviewed) = reviewed else {
        return Some(format!(
            "{}, which the reviewed plan does not hold",
            now.title()
        ));
    };
    let is_alike = reviewed.action == now.action
        && reviewed.previous_address == now.previous_address
        && reviewed.importing == now.importing
        && reviewed.create_before_destroy == now.create_before_destroy;
    if !is_alike {
        return Some(format!(
            "{}; reviewed was: {}",
            now.title(),
            reviewed.title()
        ));
    }
    let names = names(reviewed, now);
    (!names.is_empty())
        .then(|| format!("{}, with other values of {}", now.title(), names.join(", ")))
}

/// The attributes that differ, before or after.
fn names(reviewed: &ResourceChange, now: &ResourceChange) -> Vec<String> {
    let mut names = BTreeSet::new();
    for (one, other) in [
        (&reviewed.before, &now.before),
        (&reviewed.after, &now.after),
    ] {
        if one == other {
            continue;
        }
        match (one.as_entries(), other.as_entries()) {
            (Some(ours), Some(theirs)) => {
                let all: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
                let differing = all.into_iter().filter(|name| {
                    let name: &str = name.as_ref();
                    one.get(name).map(Value::unmark_deep) != other.get(name).map(Value::unmark_deep)
                });
                let found = differing.map(|name| AsRef::<str>::as_ref(name).to_owned());
                names.extend(found);
            }
            _ => {
                names.insert("the whole object".to_owned());
            }
        }
    }
    let mut names: Vec<String> = names.into_iter().collect();
    if names.len() > MOST_NAMES {
        let more = names.len() - MOST_NAMES;
        names.truncate(MOST_NAMES);
        names.push(format!("{more} more"));
    }
    names
}

/// Providers that are others now.
fn providers(reviewed: &Plan, now: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for provider in &now.inputs.providers {
        let before = reviewed
            .inputs
            .providers
            .iter()
            .find(|before| before.provider == provider.provider);
        if let Some(before) = before
            && (before.version != provider.version || before.hash != provider.hash)
        {
            lines.push(format!(
                "provider {}: {} now, and {} when it was reviewed",
                provider.provider.for_display(),
                provider.version,
                before.version
            ));
        }
    }
    lines
}
