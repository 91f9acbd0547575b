//! One instance: what is done with it, from its inputs alone.
//!
//! These functions own what they need and talk to one provider. They know nothing of graphs, scopes or other
//! instances, so that many of them can run at once.

pub(crate) mod change;
pub(crate) mod data;
pub(crate) mod ephemeral;
mod moved;
pub(crate) mod prior;
pub(crate) mod verify;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use terrace_addr::{
    AbsProviderConfig, AbsResourceInstance, ConfigResource, DeposedKey, ProviderAddr,
};
use terrace_config::{IgnoreChanges, ResourceConfig};
use terrace_diag::{Diagnostics, Span};
use terrace_eval::Evaluator;
use terrace_plan::{ActionReason, ResourceChange};
use terrace_port::{Observer, Provider};
use terrace_schema::{IdentitySchema, ResourceSchema};
use terrace_state::Object;
use terrace_value::Value;

/// What every kind of instance needs.
#[derive(Clone)]
pub(crate) struct Subject {
    /// The instance.
    pub(crate) address: AbsResourceInstance,
    /// What it was called before a move.
    pub(crate) previous_address: Option<AbsResourceInstance>,
    /// Set for an object that is not the present one.
    pub(crate) deposed: Option<DeposedKey>,
    /// The provider configuration.
    pub(crate) provider_config: AbsProviderConfig,
    /// The started provider.
    pub(crate) provider: Arc<dyn Provider>,
    /// The type's schema.
    pub(crate) schema: Arc<ResourceSchema>,
    /// Null of the schema's type.
    pub(crate) null: Value,
    /// The block, for places of diagnostics.
    pub(crate) block: Option<Arc<ResourceConfig>>,
    /// Knows where attributes are written.
    pub(crate) evaluator: Arc<Evaluator>,
    /// Who watches.
    pub(crate) observer: Arc<dyn Observer>,
}

impl Subject {
    /// What identifies objects of the type, where its provider says so.
    pub(crate) fn identity_schema(&self) -> Option<&IdentitySchema> {
        let provider = self
            .evaluator
            .schemas()
            .get(&self.provider_config.provider)?;
        let schema = provider.identities.get(self.address.type_name())?;
        Some(schema)
    }

    /// The block's header.
    pub(crate) fn span(&self) -> Option<Span> {
        self.block.as_ref().map(|block| block.span)
    }
}

/// What is wanted of an instance.
#[derive(Clone)]
pub(crate) enum Wish {
    /// That it be as configured.
    Configured(Box<Desired>),
    /// That it be gone, and why.
    Gone(ActionReason),
    /// That it no longer be managed, and why.
    Forgotten(ActionReason),
    /// Nothing but to know it, and on what its configuration depends.
    Known(Arc<[ConfigResource]>),
}

/// The configuration of an instance.
#[derive(Clone)]
pub(crate) struct Desired {
    /// Its evaluated body, with marks and unknowns.
    pub(crate) config: Value,
    /// `ignore_changes`
    pub(crate) ignore_changes: Arc<IgnoreChanges>,
    /// Whether `-replace` names it.
    pub(crate) replace_requested: bool,
    /// Whether a change elsewhere asks for its replacement (`replace_triggered_by`).
    pub(crate) replace_triggered: bool,
    /// Whether a replacement is created before the old object is destroyed.
    pub(crate) create_before_destroy: bool,
    /// Whether its object is only forgotten when it is to go.
    pub(crate) skip_destroy: bool,
    /// Resources that it depends on.
    pub(crate) dependencies: Arc<[ConfigResource]>,
}

/// A managed instance to plan.
pub(crate) struct ManagedInput {
    /// What it is.
    pub(crate) subject: Subject,
    /// The object as stored.
    pub(crate) stored: Option<Arc<Object>>,
    /// The provider that manages the stored object, where that is another.
    pub(crate) stored_provider: Option<ProviderAddr>,
    /// An id to import it by, where there is no stored object.
    pub(crate) import: Option<Import>,
    /// Whether to read the object.
    pub(crate) refresh: bool,
    /// What is wanted.
    pub(crate) wish: Wish,
    /// The header of the block, where `prevent_destroy` is set.
    pub(crate) prevent_destroy: Option<Span>,
}

/// An import to begin with.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    /// The id, or the identity.
    pub(crate) by: ImportBy,
    /// The block; `None` where the command line asks for it.
    pub(crate) span: Option<Span>,
}

/// How an object to import is found.
#[derive(Clone, Debug)]
pub(crate) enum ImportBy {
    /// By the provider's id.
    Id(String),
    /// By its identity, an object of the type that the schema says.
    Identity(Value),
}

/// An object as decoded.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Its attributes with marks.
    pub(crate) value: Value,
    /// It as it is to be stored.
    pub(crate) object: Arc<Object>,
    /// What identifies it.
    pub(crate) identity: Option<Value>,
}

/// What came out for a managed instance.
#[derive(Default)]
pub(crate) struct ManagedOutcome {
    /// Version of the schema of all values here.
    pub(crate) schema_version: i64,
    /// The stored object, decoded: what the last run left.
    pub(crate) stored: Option<Value>,
    /// The object now; `None` when there is none.
    pub(crate) prior: Option<Known>,
    /// What happens to it.
    pub(crate) change: Option<ResourceChange>,
    /// What there is to say.
    pub(crate) diagnostics: Diagnostics,
}

/// Plans one managed instance.
pub(crate) async fn plan_managed(input: ManagedInput) -> ManagedOutcome {
    let mut outcome = ManagedOutcome {
        schema_version: input.subject.schema.version,
        ..ManagedOutcome::default()
    };
    if prior::find(&input, &mut outcome).await.is_none() || outcome.diagnostics.has_errors() {
        return outcome;
    }
    change::plan(&input, &mut outcome).await;
    outcome
}

/// Imports an object, and plans it with the configuration that `make` makes of its state: that is told by the change, even
/// where it is not what the provider takes.
pub(crate) async fn plan_generated(
    mut input: ManagedInput,
    make: impl FnOnce(&Value) -> (Desired, String),
) -> ManagedOutcome {
    let mut outcome = ManagedOutcome {
        schema_version: input.subject.schema.version,
        ..ManagedOutcome::default()
    };
    let found = prior::find(&input, &mut outcome).await;
    let (Some(()), Some(prior)) = (found, &outcome.prior) else {
        return outcome;
    };
    let (desired, text) = make(&prior.value);
    input.wish = Wish::Configured(Box::new(desired));
    change::plan(&input, &mut outcome).await;
    let change = outcome
        .change
        .get_or_insert_with(|| change::import_alone(&input));
    change.generated_config = Some(text);
    outcome
}
