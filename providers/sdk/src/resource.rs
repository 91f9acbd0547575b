//! Managed resource types.

use async_trait::async_trait;
use terrace_schema::IdentitySchema;

use crate::{Call, Data, Diagnostic, Diagnostics, Object, Outcome, Plan, Schema};

/// A managed resource type.
///
/// Only [`type_name`](Self::type_name), [`schema`](Self::schema) and [`create`](Self::create) must be written. The rest is that of
/// an object which lives in the state alone: it is read as it was, changes into what is planned, and goes without effort.
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    /// What the provider is configured to.
    type Client: Send + Sync + 'static;
    /// The state: a struct with `#[derive(Data)]`, or [`Object`].
    type State: Data + Send + Sync + 'static;

    /// The type's name, the provider's included: `notes_note`.
    fn type_name(&self) -> String;

    /// What there is to configure, and how it is planned.
    fn schema(&self) -> Schema;

    /// What identifies an object as long as it lives, if something does.
    fn identity(&self) -> Option<IdentitySchema> {
        None
    }

    /// Checks a configuration beyond what the schema's validators do. It may hold unknowns.
    fn validate(&self, _config: &Object, _diagnostics: &mut Diagnostics) {}

    /// Completes a plan beyond what the schema's modifiers do.
    async fn plan(&self, _plan: &mut Plan<Self::Client>) -> Outcome<()> {
        Ok(())
    }

    /// Makes an object.
    async fn create(
        &self,
        call: &mut Call<Self::Client>,
        planned: Self::State,
    ) -> Outcome<Self::State>;

    /// The object as it is; `None` when it is gone.
    async fn read(
        &self,
        _call: &mut Call<Self::Client>,
        state: Self::State,
    ) -> Outcome<Option<Self::State>> {
        Ok(Some(state))
    }

    /// Changes an object in place.
    async fn update(
        &self,
        _call: &mut Call<Self::Client>,
        _prior: Self::State,
        planned: Self::State,
    ) -> Outcome<Self::State> {
        Ok(planned)
    }

    /// Ends an object. One that is gone already is no error.
    async fn delete(&self, _call: &mut Call<Self::Client>, _state: Self::State) -> Outcome<()> {
        Ok(())
    }

    /// The object of an id, or of an identity. What it leaves out is for a read to find.
    async fn import(&self, _call: &mut Call<Self::Client>, _from: ImportFrom) -> Outcome<Object> {
        let detail = format!(
            "A {} cannot be imported: its provider does not support it.",
            self.type_name()
        );
        Err(Diagnostic::error("Resource Import Not Implemented", detail).into())
    }

    /// The id by which [`import`](Self::import) finds an object that is planned so, where it is known before the object is made.
    /// What was to be made when a run was killed is looked for by it.
    async fn id_before_creation(
        &self,
        _call: &mut Call<Self::Client>,
        _planned: Self::State,
    ) -> Option<String> {
        None
    }

    /// Brings a state of schema version `version` to the present one. What it holds is what the state held, by the attributes'
    /// names of then.
    async fn upgrade(&self, _version: i64, state: Object) -> Outcome<Object> {
        Ok(state)
    }

    /// Brings an identity of version `version` of its schema to the present one.
    async fn upgrade_identity(&self, _version: i64, identity: Object) -> Outcome<Object> {
        Ok(identity)
    }

    /// Takes over an object of another type; `None` for one that it does not know.
    async fn take_over(&self, _from: MoveFrom) -> Outcome<Option<Object>> {
        Ok(None)
    }

    /// Whether [`take_over`](Self::take_over) knows objects of other types.
    fn takes_over(&self) -> bool {
        false
    }
}

/// What an import names an object by.
#[derive(Clone, Debug, PartialEq)]
pub enum ImportFrom {
    /// Its id.
    Id(String),
    /// Its identity.
    Identity(Object),
}

impl ImportFrom {
    /// The id; the attribute `name` of an identity.
    pub fn key(&self, name: &str) -> Option<&str> {
        match self {
            Self::Id(id) => Some(id),
            Self::Identity(identity) => identity.text(name),
        }
    }
}

/// An object of another type, perhaps of another provider.
#[derive(Clone, Debug, PartialEq)]
pub struct MoveFrom {
    /// The provider that managed it, in full.
    pub provider: String,
    /// Its type.
    pub type_name: String,
    /// The version of the schema that its state was stored with.
    pub schema_version: i64,
    /// Its state.
    pub state: Object,
}
