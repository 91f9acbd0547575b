//! Data sources and ephemeral resources.

use async_trait::async_trait;

use crate::{Call, Data, Diagnostics, Object, Outcome, Schema};

/// A data source.
#[async_trait]
pub trait DataSource: Send + Sync + 'static {
    /// What the provider is configured to.
    type Client: Send + Sync + 'static;
    /// The state: a struct with `#[derive(Data)]`, or [`Object`].
    type State: Data + Send + Sync + 'static;

    /// The type's name, the provider's included.
    fn type_name(&self) -> String;

    /// What there is to configure.
    fn schema(&self) -> Schema;

    /// Checks a configuration beyond what the schema's validators do. It may hold unknowns.
    fn validate(&self, _config: &Object, _diagnostics: &mut Diagnostics) {}

    /// Reads it. What is configured is known, and comes with the defaults of the schema.
    async fn read(
        &self,
        call: &mut Call<Self::Client>,
        config: Self::State,
    ) -> Outcome<Self::State>;
}

/// An ephemeral resource type: something that is opened for a run, kept alive while it lasts, and closed, and that no plan or
/// state ever holds.
#[async_trait]
pub trait EphemeralResource: Send + Sync + 'static {
    /// What the provider is configured to.
    type Client: Send + Sync + 'static;
    /// The state: a struct with `#[derive(Data)]`, or [`Object`].
    type State: Data + Send + Sync + 'static;

    /// The type's name, the provider's included.
    fn type_name(&self) -> String;

    /// What there is to configure.
    fn schema(&self) -> Schema;

    /// Checks a configuration beyond what the schema's validators do. It may hold unknowns.
    fn validate(&self, _config: &Object, _diagnostics: &mut Diagnostics) {}

    /// Opens it.
    async fn open(
        &self,
        call: &mut Call<Self::Client>,
        config: Self::State,
    ) -> Outcome<Opened<Self::State>>;

    /// Keeps it alive. Gives when it must be renewed again, in seconds and nanoseconds since 1970-01-01 UTC; `None` for never. `call.private`
    /// has what opening put there.
    async fn renew(&self, _call: &mut Call<Self::Client>) -> Outcome<Option<(i64, u32)>> {
        Ok(None)
    }

    /// Closes it.
    async fn close(&self, _call: &mut Call<Self::Client>) -> Outcome<()> {
        Ok(())
    }
}

/// An ephemeral resource that was opened.
#[derive(Clone, Debug)]
pub struct Opened<S> {
    /// Its attributes.
    pub state: S,
    /// When it must be renewed, in seconds and nanoseconds since 1970-01-01 UTC; `None` for never.
    pub renew_at: Option<(i64, u32)>,
}

impl<S> Opened<S> {
    /// One that need not be renewed.
    pub const fn lasting(state: S) -> Self {
        Self {
            state,
            renew_at: None,
        }
    }
}
