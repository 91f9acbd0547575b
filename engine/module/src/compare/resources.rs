//! Resources and called modules: what an upgrade does to the objects that states hold.

use std::collections::BTreeSet;

use terrace_addr::{ConfigResource, InstanceKey, ModulePath, ResourceMode};

use super::moves::{Course, follow_call, follow_resource};
use super::outputs::preconditions;
use super::{listed, moved_block};
use crate::type_text::value_text;
use crate::{Call, Finding, Interface, Kind, Place, Removal, Repetition, ResourceBlock, immutable};

pub(super) fn compare(old: &Interface, new: &Interface) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut reached_calls = BTreeSet::new();
    for (path, was) in &old.calls {
        let (now, course) = follow_call(path, new);
        reached_calls.insert(now.clone());
        call(path, was, &now, &course, new, &mut found);
    }
    for (path, is) in &new.calls {
        if !reached_calls.contains(path) {
            found.push(
                Finding::new(
                    Kind::CallAdded,
                    path.to_string(),
                    format!("The module call {path} is new."),
                )
                .now(&is.place),
            );
        }
    }
    let mut reached = BTreeSet::new();
    for (address, was) in managed(old) {
        let (now, course) = follow_resource(address, new);
        reached.insert(now.clone());
        match new.resources.get(&now) {
            Some(is) => Pair {
                address,
                was,
                now: &now,
                is,
                course: &course,
            }
            .compare(&mut found),
            None if new.hides(&now.module) => {}
            None => found.push(lost(address, was, new)),
        }
    }
    for (address, is) in managed(new) {
        if !reached.contains(address) && !old.hides(&address.module) {
            found.push(
                Finding::new(
                    Kind::ResourceAdded,
                    address.to_string(),
                    format!("The resource {address} is new: an upgrade creates its objects."),
                )
                .now(&is.place),
            );
        }
    }
    found
}

fn managed(interface: &Interface) -> impl Iterator<Item = (&ConfigResource, &ResourceBlock)> {
    interface
        .resources
        .iter()
        .filter(|(address, _)| address.resource.mode == ResourceMode::Managed)
}

/// A resource that is nowhere any more.
fn lost(address: &ConfigResource, was: &ResourceBlock, new: &Interface) -> Finding {
    let covers = |removal: &&Removal| match &removal.resource {
        Some(resource) => removal.module == address.module && *resource == address.resource,
        None => address.module.steps().starts_with(removal.module.steps()),
    };
    if let Some(removal) = new.removals.iter().find(covers) {
        let (kind, what) = if removal.destroy {
            (
                Kind::ResourceLost,
                "destroys its objects, as its `removed` block says",
            )
        } else {
            (
                Kind::ResourceForgotten,
                "forgets its objects, as its `removed` block says: they live on, and nobody manages them",
            )
        };
        return Finding::new(
            kind,
            address.to_string(),
            format!("The resource {address} is gone. An upgrade {what}."),
        )
        .now(&removal.place)
        .before(&was.place);
    }
    let same_type = new
        .resources
        .keys()
        .find(|other| {
            other.resource.mode == ResourceMode::Managed
                && other.resource.type_name == address.resource.type_name
                && other.module == address.module
        })
        .map(ToString::to_string);
    let to = same_type.unwrap_or_else(|| "its new address".to_owned());
    Finding::new(
        Kind::ResourceLost,
        address.to_string(),
        format!("The resource {address} is gone, and no `moved` block says where to: an upgrade destroys its objects."),
    )
    .before(&was.place)
    .advice(format!(
        "If it only has another name, add\n{}\nIf it is to live on without this module, add a `removed` block with `destroy = false`.",
        moved_block(&address.to_string(), &to)
    ))
}

/// A call of the old version, which is at `now` in the new one, if anywhere.
fn call(
    path: &ModulePath,
    was: &Call,
    now: &ModulePath,
    course: &Course<'_>,
    new: &Interface,
    found: &mut Vec<Finding>,
) {
    let Some(is) = new.calls.get(now) else {
        let removed = new.removals.iter().find(|removal| {
            removal.resource.is_none() && path.steps().starts_with(removal.module.steps())
        });
        // Of a call that could be read, each resource is told by itself.
        if was.opaque {
            let detail = match removed {
                Some(removal) if !removal.destroy => format!(
                    "The module call {path} is gone. An upgrade forgets what it manages, as a `removed` block says."
                ),
                _ => format!(
                    "The module call {path} is gone, and no `moved` block says where to: an upgrade destroys all that it manages."
                ),
            };
            let mut finding = Finding::new(Kind::CallLost, path.to_string(), detail)
                .before(&was.place)
                .advice(format!(
                    "If it only has another name, add\n{}",
                    moved_block(&path.to_string(), "module.NEW_NAME")
                ));
            finding.now = removed.map(|removal| removal.place.clone());
            found.push(finding);
        }
        return;
    };
    if path != now {
        found.push(moved(
            &path.to_string(),
            &now.to_string(),
            course,
            &was.place,
        ));
    }
    instances(
        &path.to_string(),
        (&was.repetition, &was.place),
        (&is.repetition, &is.place),
        course,
        found,
    );
    if was.source != is.source || was.version != is.version || was.inputs != is.inputs {
        let named = |call: &Call| match &call.version {
            Some(version) => format!("{:?} {version}", call.source),
            None => format!("{:?}", call.source),
        };
        found.push(
            Finding::new(
                Kind::CallChanged,
                now.to_string(),
                if named(was) == named(is) {
                    format!("The module call {now} gives other inputs.")
                } else {
                    format!(
                        "The module call {now} was of {} and is of {}: what that changes is not judged here.",
                        named(was),
                        named(is)
                    )
                },
            )
            .now(&is.place)
            .before(&was.place),
        );
    }
}

fn moved(from: &str, to: &str, course: &Course<'_>, before: &Place) -> Finding {
    let mut finding = Finding::new(
        Kind::ResourceMoved,
        from,
        format!("{from} is {to} now, and states follow by the `moved` block."),
    )
    .before(before);
    finding.now = course.moves.first().map(|step| step.place.clone());
    finding
}

/// A resource that is there in both versions, perhaps at another address.
struct Pair<'a> {
    address: &'a ConfigResource,
    was: &'a ResourceBlock,
    now: &'a ConfigResource,
    is: &'a ResourceBlock,
    course: &'a Course<'a>,
}

impl Pair<'_> {
    fn compare(&self, found: &mut Vec<Finding>) {
        let Self {
            address,
            was,
            now,
            is,
            course,
        } = *self;
        let by_own_move = course.moves.iter().any(|step| step.from.resource.is_some());
        if address != now && by_own_move {
            found.push(moved(
                &address.to_string(),
                &now.to_string(),
                course,
                &was.place,
            ));
        }
        if address.resource.type_name != now.resource.type_name {
            // What becomes of objects of another type is the provider's word: it may move them.
            return;
        }
        instances(
            &address.to_string(),
            (&was.repetition, &was.place),
            (&is.repetition, &is.place),
            course,
            found,
        );
        if was.provider != is.provider {
            found.push(
                self.finding(
                    Kind::ProviderChanged,
                    format!(
                        "The resource {now} belonged to the provider {} and belongs to {} now. States must be brought over with `terrace state replace-provider`.",
                        was.provider.for_display(),
                        is.provider.for_display()
                    ),
                ),
            );
        }
        self.arguments(found);
        if was.prevent_destroy && !is.prevent_destroy {
            found.push(self.finding(
                Kind::ProtectionRemoved,
                format!(
                    "`prevent_destroy` of {now} is gone: a later plan may destroy its objects."
                ),
            ));
        }
        preconditions(
            &now.to_string(),
            (&was.preconditions, &was.place),
            (&is.preconditions, &is.place),
            found,
        );
    }

    fn finding(&self, kind: Kind, detail: impl Into<String>) -> Finding {
        Finding::new(kind, self.now.to_string(), detail)
            .now(&self.is.place)
            .before(&self.was.place)
    }

    fn arguments(&self, found: &mut Vec<Finding>) {
        let Self { was, is, now, .. } = *self;
        let new_triggers: Vec<&str> = is
            .replace_triggered_by
            .difference(&was.replace_triggered_by)
            .map(String::as_str)
            .collect();
        let names: BTreeSet<&String> = was.arguments.keys().chain(is.arguments.keys()).collect();
        let changed: Vec<&str> = names
            .into_iter()
            .filter(|name| was.arguments.get(*name) != is.arguments.get(*name))
            .map(String::as_str)
            .collect();
        let fixed: Vec<&str> = changed
            .iter()
            .copied()
            .filter(|name| self.replaces(name))
            .collect();
        for name in &fixed {
            found.push(
                self.finding(
                    Kind::ResourceReplaced,
                    format!(
                        "The argument `{name}` of {now} cannot be changed in place, and it {}: an upgrade replaces its objects.",
                        self.change_of(name)
                    ),
                )
                .advice("Keep the old value as the default of a variable, so that callers choose when; or add the argument to `ignore_changes`."),
            );
        }
        let others: Vec<&str> = changed
            .into_iter()
            .filter(|name| !fixed.contains(name))
            .collect();
        if !others.is_empty() {
            found.push(self.finding(
                Kind::ResourceChanged,
                format!("Arguments of {now} have changed: {}.", listed(others)),
            ));
        }
        if !new_triggers.is_empty() {
            found.push(self.finding(
                Kind::ResourceChanged,
                format!(
                    "{now} is replaced also when something else changes now: {}.",
                    listed(new_triggers)
                ),
            ));
        }
    }

    /// Whether a change of the argument replaces objects that are there already.
    fn replaces(&self, argument: &str) -> bool {
        let attribute = argument.split('.').next().unwrap_or(argument);
        let ignored = self.is.ignores_all || self.is.ignored.contains(attribute);
        if ignored || !immutable::replaces(&self.now.resource.type_name, argument) {
            return false;
        }
        // From a constant to a variable whose default may be that constant nothing can be said: that is how values are
        // handed to callers.
        let constants = (
            self.was.constants.get(argument),
            self.is.constants.get(argument),
        );
        match constants {
            (Some(was), Some(is)) => was != is,
            (None, Some(_)) => true,
            _ => false,
        }
    }

    fn change_of(&self, argument: &str) -> String {
        let now = self.is.constants.get(argument).map(value_text);
        match (self.was.constants.get(argument), now) {
            (Some(was), Some(is)) => format!("was {} and is {is}", value_text(was)),
            (None, Some(is)) if !self.was.arguments.contains_key(argument) => {
                format!("was not set and is {is}")
            }
            (None, Some(is)) => format!("was computed and is {is} for everyone"),
            _ => "has changed".to_owned(),
        }
    }
}

/// What becomes of the instances of something.
fn instances(
    subject: &str,
    (was, before): (&Repetition, &Place),
    (is, now): (&Repetition, &Place),
    course: &Course<'_>,
    found: &mut Vec<Finding>,
) {
    let lost = |what: String, advice: String| {
        Finding::new(Kind::InstancesLost, subject, what)
            .now(now)
            .before(before)
            .advice(advice)
    };
    match (was, is) {
        (Repetition::Single, Repetition::Single) => {}
        (Repetition::Single, Repetition::Count { most, .. }) => {
            if *most == Some(0) {
                found.push(lost(
                    format!("{subject} has `count = 0` now: an upgrade destroys its object."),
                    "Leave it to a variable of the callers.".to_owned(),
                ));
            }
        }
        (Repetition::Count { most, .. }, Repetition::Single) => {
            let more = most.is_none_or(|most| most > 1);
            if more && !course.names_instances() {
                found.push(lost(
                    format!("{subject} had `count` and is there once now: an upgrade keeps instance 0 and destroys all others."),
                    format!("Keep `count`, or add `moved` blocks for `{subject}[1]` and those behind it."),
                ));
            }
        }
        (Repetition::Count { canonical: a, most: m }, Repetition::Count { canonical: b, most: n }) => {
            match (m, n) {
                (Some(m), Some(n)) if n < m => found.push(lost(
                    format!("{subject} could have {m} instances and can have {n} now: an upgrade destroys those behind."),
                    "Keep the number, or leave it to a variable of the callers.".to_owned(),
                )),
                _ if a != b => found.push(not_judged(subject, before, now)),
                _ => {}
            }
        }
        (Repetition::ForEach { canonical: a, keys: k }, Repetition::ForEach { canonical: b, keys: l }) => {
            match (k, l) {
                (Some(k), Some(l)) => {
                    let gone: Vec<&str> = k
                        .difference(l)
                        .filter(|key| {
                            let key = InstanceKey::String(key.as_str().into());
                            !course.from_keys.contains(&key)
                        })
                        .map(String::as_str)
                        .collect();
                    if !gone.is_empty() {
                        let first = InstanceKey::String(gone[0].into());
                        found.push(lost(
                            format!("{subject} no longer has the instances {}: an upgrade destroys them.", listed(gone)),
                            format!(
                                "If a key only has another name, add\n{}",
                                moved_block(&format!("{subject}{first}"), &format!("{subject}[\"NEW\"]"))
                            ),
                        ));
                    }
                }
                _ if a != b => found.push(not_judged(subject, before, now)),
                _ => {}
            }
        }
        (was, is) => {
            if !course.names_instances() {
                found.push(lost(
                    format!(
                        "{subject} {} and {} now, so that its instances have other keys: an upgrade destroys all and creates new ones.",
                        had(was),
                        has(is)
                    ),
                    format!(
                        "Add a `moved` block for each instance, such as\n{}",
                        moved_block(
                            &format!("{subject}{}", example_key(was)),
                            &format!("{subject}{}", example_key(is))
                        )
                    ),
                ));
            }
        }
    }
}

fn not_judged(subject: &str, before: &Place, now: &Place) -> Finding {
    Finding::new(
        Kind::InstancesUnknown,
        subject,
        format!("Which instances {subject} has is decided by another expression: whether it comes to the same only values can tell. Plan an example."),
    )
    .now(now)
    .before(before)
}

const fn had(repetition: &Repetition) -> &'static str {
    match repetition {
        Repetition::Single => "was there once",
        Repetition::Count { .. } => "had `count`",
        Repetition::ForEach { .. } => "had `for_each`",
    }
}

const fn has(repetition: &Repetition) -> &'static str {
    match repetition {
        Repetition::Single => "is there once",
        Repetition::Count { .. } => "has `count`",
        Repetition::ForEach { .. } => "has `for_each`",
    }
}

fn example_key(repetition: &Repetition) -> String {
    match repetition {
        Repetition::Single => String::new(),
        Repetition::Count { .. } => "[0]".to_owned(),
        Repetition::ForEach { keys, .. } => {
            let key = keys.as_ref().and_then(|keys| keys.first());
            InstanceKey::String(key.map_or("KEY", String::as_str).into()).to_string()
        }
    }
}
