//! What an `encryption` block says, before anything is evaluated.

use std::collections::BTreeMap;

use terrace_diag::Span;
use terrace_syntax::Expr;

/// Type and name: `key_provider.pbkdf2.main`, `method.aes_gcm.main`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The type, such as `pbkdf2`.
    pub type_name: String,
    /// The name that the configuration gives.
    pub name: String,
}

/// A `key_provider` or a `method` block.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its type and name.
    pub reference: Reference,
    /// Its arguments, not evaluated yet; arguments of the block `endpoints` stand under `endpoints.NAME`.
    pub arguments: BTreeMap<String, Expr>,
    /// The key provider that `keys` or `chain` names, with the place of that name.
    pub keys: Option<(Reference, Span)>,
    /// The block's header.
    pub span: Span,
}

/// How one kind of data is encrypted: a `state`, `plan`, `default` or `remote_state_data_source` block.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// What new data is encrypted by, with the place where it says so.
    pub method: Option<(Reference, Span)>,
    /// Whether plain data is refused whatever else is said.
    pub enforced: bool,
    /// What is tried on old data that the method cannot read.
    pub fallback: Option<Box<Self>>,
    /// The block's header.
    pub span: Option<Span>,
}

/// An `encryption` block.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `key_provider` blocks.
    pub key_providers: Vec<Definition>,
    /// `method` blocks.
    pub methods: Vec<Definition>,
    /// The `state` block.
    pub state: Option<Target>,
    /// The `plan` block.
    pub plan: Option<Target>,
    /// `remote_state_data_sources { default { … } }`
    pub remote_default: Option<Target>,
    /// `remote_state_data_sources { remote_state_data_source "name" { … } }`
    pub remotes: BTreeMap<String, Target>,
}

impl Settings {
    /// These settings, with what `other` says put over them: blocks of the same type and name argument by argument,
    /// targets method by method. What either enforces is enforced.
    #[must_use]
    pub fn overridden_by(mut self, other: Self) -> Self {
        put_over(&mut self.key_providers, other.key_providers);
        put_over(&mut self.methods, other.methods);
        self.state = merged(self.state, other.state);
        self.plan = merged(self.plan, other.plan);
        self.remote_default = merged(self.remote_default, other.remote_default);
        for (name, target) in other.remotes {
            let before = self.remotes.remove(&name);
            self.remotes
                .extend(merged(before, Some(target)).map(|target| (name, target)));
        }
        self
    }
}

fn put_over(definitions: &mut Vec<Definition>, over: Vec<Definition>) {
    for definition in over {
        match definitions
            .iter_mut()
            .find(|known| known.reference == definition.reference)
        {
            Some(known) => {
                known.arguments.extend(definition.arguments);
                known.keys = definition.keys.or(known.keys.take());
            }
            None => definitions.push(definition),
        }
    }
}

fn merged(target: Option<Target>, over: Option<Target>) -> Option<Target> {
    match (target, over) {
        (Some(target), Some(over)) => Some(Target {
            method: over.method.or(target.method),
            enforced: target.enforced || over.enforced,
            fallback: over.fallback.or(target.fallback),
            span: over.span.or(target.span),
        }),
        (target, over) => over.or(target),
    }
}
