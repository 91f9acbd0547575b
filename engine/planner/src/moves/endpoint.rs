//! The two ends of a `moved` block.

use std::fmt;

use terrace_addr::{
    AbsResource, AbsResourceInstance, InstanceKey, ModuleInstance, ModulePath, Name, Resource,
    Target,
};

/// One end of a statement, relative to the module that holds it. Both ends of a statement are of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// A module call with all its instances.
    Call {
        /// The instance that calls.
        parent: ModuleInstance,
        /// Name of the call.
        name: Name,
    },
    /// One instance of a module call.
    Module(ModuleInstance),
    /// A resource with all its instances.
    Resource(ModuleInstance, Resource),
    /// One instance of a resource.
    Instance(ModuleInstance, Resource, Option<InstanceKey>),
}

/// Reads both ends together: a key at one of them makes both of them instances. `None` where one names a module and the other a resource.
pub(super) fn unify(from: &Target, to: &Target) -> Option<(Subject, Subject)> {
    match (from, to) {
        (Target::Module(from), Target::Module(to)) => {
            let ((from_parent, from_step), (to_parent, to_step)) = (from.parent()?, to.parent()?);
            if from_step.key.is_none() && to_step.key.is_none() {
                return Some((
                    Subject::Call {
                        parent: from_parent,
                        name: from_step.name.clone(),
                    },
                    Subject::Call {
                        parent: to_parent,
                        name: to_step.name.clone(),
                    },
                ));
            }
            Some((Subject::Module(from.clone()), Subject::Module(to.clone())))
        }
        (Target::Resource(from), Target::Resource(to)) => Some((whole(from), whole(to))),
        (Target::Module(_), _) | (_, Target::Module(_)) => None,
        (from, to) => Some((instance(from)?, instance(to)?)),
    }
}

fn whole(resource: &AbsResource) -> Subject {
    Subject::Resource(resource.module.clone(), (*resource.resource).clone())
}

fn instance(target: &Target) -> Option<Subject> {
    let (resource, key) = match target {
        Target::Resource(resource) => (resource, None),
        Target::Instance(instance) => (&instance.resource, instance.key.clone()),
        Target::Module(_) => return None,
    };
    Some(Subject::Instance(
        resource.module.clone(),
        (*resource.resource).clone(),
        key,
    ))
}

/// The part of `module` below an instance of `base`, with that instance; `None` where it does not lie below.
fn below(base: &ModulePath, module: &ModuleInstance) -> Option<(ModuleInstance, ModuleInstance)> {
    let length = base.steps().len();
    let steps = module.steps();
    let inside = steps.len() >= length
        && steps
            .iter()
            .zip(base.steps())
            .all(|(step, name)| step.name == *name);
    inside.then(|| {
        (
            steps[..length].iter().cloned().collect(),
            steps[length..].iter().cloned().collect(),
        )
    })
}

fn join(base: &ModuleInstance, relative: &ModuleInstance) -> ModuleInstance {
    base.steps()
        .iter()
        .chain(relative.steps())
        .cloned()
        .collect()
}

impl Subject {
    /// Where the statement from `self` to `to` takes the module `module`: the roots of what moves, before and after.
    pub(super) fn module_roots(
        &self,
        to: &Self,
        base: &ModulePath,
        module: &ModuleInstance,
    ) -> Option<(ModuleInstance, ModuleInstance)> {
        let (prefix, relative) = below(base, module)?;
        match (self, to) {
            (
                Self::Call { parent, name },
                Self::Call {
                    parent: to_parent,
                    name: to_name,
                },
            ) => {
                let depth = parent.steps().len();
                let step = relative.steps().get(depth)?;
                if !relative.steps().starts_with(parent.steps()) || step.name != *name {
                    return None;
                }
                Some((
                    join(&prefix, &parent.child(name.clone(), step.key.clone())),
                    join(&prefix, &to_parent.child(to_name.clone(), step.key.clone())),
                ))
            }
            (Self::Module(from), Self::Module(to)) => relative
                .steps()
                .starts_with(from.steps())
                .then(|| (join(&prefix, from), join(&prefix, to))),
            _ => None,
        }
    }

    /// Where the statement from `self` to `to` takes all of `resource`.
    pub(super) fn resource_moved(
        &self,
        to: &Self,
        base: &ModulePath,
        resource: &AbsResource,
    ) -> Option<AbsResource> {
        let (Self::Resource(module, from), Self::Resource(to_module, to)) = (self, to) else {
            return None;
        };
        let (prefix, relative) = below(base, &resource.module)?;
        (relative == *module && *resource.resource == *from)
            .then(|| to.in_module(join(&prefix, to_module)))
    }

    /// Which instance of `resource` the statement from `self` to `to` takes, and where.
    pub(super) fn instance_moved(
        &self,
        to: &Self,
        base: &ModulePath,
        resource: &AbsResource,
    ) -> Option<(Option<InstanceKey>, AbsResourceInstance)> {
        let (Self::Instance(module, from, key), Self::Instance(to_module, to, to_key)) = (self, to)
        else {
            return None;
        };
        let (prefix, relative) = below(base, &resource.module)?;
        (relative == *module && *resource.resource == *from).then(|| {
            (
                key.clone(),
                to.in_module(join(&prefix, to_module))
                    .instance(to_key.clone()),
            )
        })
    }

    /// Whether this end names `resource`, one of its instances, or a module that contains it.
    pub(super) fn selects(&self, base: &ModulePath, resource: &AbsResource) -> bool {
        let Some((_, relative)) = below(base, &resource.module) else {
            return false;
        };
        match self {
            Self::Call { .. } | Self::Module(_) => false,
            Self::Resource(module, subject) | Self::Instance(module, subject, _) => {
                relative == *module && *resource.resource == *subject
            }
        }
    }

    /// The module instance below the statement's module that this end lies in or names.
    pub(super) fn module(&self) -> ModuleInstance {
        match self {
            Self::Call { parent, name } => parent.child(name.clone(), None),
            Self::Module(module) | Self::Resource(module, _) | Self::Instance(module, ..) => {
                module.clone()
            }
        }
    }

    /// What kind of thing this is, in words.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Call { .. } => "module call",
            Self::Module(_) => "module instance",
            Self::Resource(..) => "resource",
            Self::Instance(..) => "resource instance",
        }
    }

    /// The word that messages use for it where the kind has been named before.
    pub(super) const fn short_kind(&self) -> &'static str {
        match self {
            Self::Call { .. } => "call",
            Self::Module(_) | Self::Instance(..) => "instance",
            Self::Resource(..) => "resource",
        }
    }

    /// All addresses that this end of a statement in `base` can stand for.
    pub(super) fn pattern(&self, base: &ModulePath) -> Pattern {
        let outer = base.steps().iter().map(|name| StepPattern {
            name: name.clone(),
            key: KeyPattern::Any,
        });
        let module = self.module();
        let mut modules: Vec<StepPattern> = outer
            .chain(module.steps().iter().map(|step| StepPattern {
                name: step.name.clone(),
                key: KeyPattern::Exactly(step.key.clone()),
            }))
            .collect();
        if let (Self::Call { .. }, Some(last)) = (self, modules.last_mut()) {
            last.key = KeyPattern::Any;
        }
        let resource = match self {
            Self::Call { .. } | Self::Module(_) => None,
            Self::Resource(_, resource) => Some((resource.clone(), KeyPattern::Any)),
            Self::Instance(_, resource, key) => {
                Some((resource.clone(), KeyPattern::Exactly(key.clone())))
            }
        };
        Pattern { modules, resource }
    }

    /// As cycles show it: with `[*]` where any key is meant.
    pub(super) fn starred<'a>(&'a self, base: &'a ModulePath) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| {
            for name in base.steps() {
                write!(f, "module.{name}[*].")?;
            }
            write!(f, "{self}")?;
            if matches!(self, Self::Call { .. } | Self::Resource(..)) {
                f.write_str("[*]")?;
            }
            Ok(())
        })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { .. } | Self::Module(_) => write!(f, "{}", self.module()),
            Self::Resource(module, resource) => write!(f, "{}", resource.in_module(module.clone())),
            Self::Instance(module, resource, key) => {
                write!(
                    f,
                    "{}",
                    resource.in_module(module.clone()).instance(key.clone())
                )
            }
        }
    }
}

/// All addresses that one end of a statement can stand for.
pub(super) struct Pattern {
    modules: Vec<StepPattern>,
    resource: Option<(Resource, KeyPattern)>,
}

impl Pattern {
    /// Whether an object that arrived here can be what `next` names, or lie in it, or contain it.
    pub(super) fn meets(&self, next: &Self) -> bool {
        let common = self.modules.len().min(next.modules.len());
        let agree = self.modules[..common]
            .iter()
            .zip(&next.modules[..common])
            .all(|(a, b)| a.meets(b));
        agree
            && match (&self.resource, &next.resource) {
                (Some(a), Some(b)) => {
                    self.modules.len() == next.modules.len() && a.0 == b.0 && a.1.meets(&b.1)
                }
                (None, None) => true,
                (None, Some(_)) => self.modules.len() <= next.modules.len(),
                (Some(_), None) => next.modules.len() <= self.modules.len(),
            }
    }
}

struct StepPattern {
    name: Name,
    key: KeyPattern,
}

enum KeyPattern {
    Any,
    Exactly(Option<InstanceKey>),
}

impl StepPattern {
    fn meets(&self, other: &Self) -> bool {
        self.name == other.name && self.key.meets(&other.key)
    }
}

impl KeyPattern {
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exactly(a), Self::Exactly(b)) => a == b,
            _ => true,
        }
    }
}
