//! Where `moved` blocks lead what was managed at an address.

use std::collections::BTreeSet;

use terrace_addr::{ConfigResource, InstanceKey, ModulePath};

use crate::{Interface, Move, MovedEnd};

/// Where something went.
#[derive(Clone, Debug, Default)]
pub(super) struct Course<'a> {
    /// The moves on the way.
    pub(super) moves: Vec<&'a Move>,
    /// Keys of instances that moves name as where they begin.
    pub(super) from_keys: BTreeSet<InstanceKey>,
    /// Keys of instances that moves name as where they end.
    pub(super) to_keys: BTreeSet<InstanceKey>,
}

impl<'a> Course<'a> {
    fn note(&mut self, step: &'a Move) {
        self.moves.push(step);
        self.from_keys.extend(step.from.key.clone());
        self.to_keys.extend(step.to.key.clone());
    }

    /// Whether any move speaks of single instances.
    pub(super) fn names_instances(&self) -> bool {
        !self.from_keys.is_empty() || !self.to_keys.is_empty()
    }
}

/// Where the objects of a resource are in `new` after all moves, and by which.
pub(super) fn follow_resource<'a>(
    address: &ConfigResource,
    new: &'a Interface,
) -> (ConfigResource, Course<'a>) {
    let mut at = address.clone();
    let mut course = Course::default();
    let mut used = BTreeSet::new();
    while let Some((index, step)) = next(new, &used, |end| {
        if end.resource.is_some() {
            end.module == at.module && end.resource.as_ref() == Some(&at.resource)
        } else {
            begins_with(&at.module, &end.module)
        }
    }) {
        used.insert(index);
        course.note(step);
        // A move of one instance within the same resource leads nowhere else.
        at.module = replaced(&at.module, &step.from, &step.to);
        if let Some(resource) = &step.to.resource {
            at.resource = resource.clone();
        }
    }
    (at, course)
}

/// Where the instances of a module call are in `new` after all moves, and by which.
pub(super) fn follow_call<'a>(path: &ModulePath, new: &'a Interface) -> (ModulePath, Course<'a>) {
    let mut at = path.clone();
    let mut course = Course::default();
    let mut used = BTreeSet::new();
    while let Some((index, step)) = next(new, &used, |end| {
        end.resource.is_none() && begins_with(&at, &end.module)
    }) {
        used.insert(index);
        course.note(step);
        at = replaced(&at, &step.from, &step.to);
    }
    (at, course)
}

/// The next move that was not used yet and begins where `begins` says.
fn next<'a>(
    new: &'a Interface,
    used: &BTreeSet<usize>,
    begins: impl Fn(&MovedEnd) -> bool,
) -> Option<(usize, &'a Move)> {
    new.moves
        .iter()
        .enumerate()
        .find(|(index, step)| !used.contains(index) && begins(&step.from))
}

fn begins_with(path: &ModulePath, beginning: &ModulePath) -> bool {
    !beginning.is_root() && path.steps().starts_with(beginning.steps())
}

fn replaced(path: &ModulePath, from: &MovedEnd, to: &MovedEnd) -> ModulePath {
    let rest = path.steps().get(from.module.steps().len()..);
    to.module
        .steps()
        .iter()
        .chain(rest.unwrap_or_default())
        .cloned()
        .collect()
}
