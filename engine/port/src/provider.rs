//! The provider port: one trait, whatever the protocol version or whether the provider is in process.

use std::sync::Arc;

use async_trait::async_trait;
use terrace_addr::{AbsProviderConfig, AbsResourceInstance, ProviderAddr};
use terrace_schema::ProviderSchema;
use terrace_value::{Path, Value};

/// What a provider says of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderDiagnostic {
    /// An error, or else a warning.
    pub error: bool,
    /// One line.
    pub summary: String,
    /// More.
    pub detail: String,
    /// The attribute concerned.
    pub attribute: Option<Path>,
}

impl ProviderDiagnostic {
    /// An error about the whole.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            error: true,
            summary: summary.into(),
            detail: detail.into(),
            attribute: None,
        }
    }

    /// A warning about the whole.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            error: false,
            summary: summary.into(),
            detail: detail.into(),
            attribute: None,
        }
    }

    /// About one attribute.
    #[must_use]
    pub fn at(mut self, attribute: Path) -> Self {
        self.attribute = Some(attribute);
        self
    }
}

/// The call itself did not come through: the provider's process died, hung, or spoke nonsense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ProviderError {
    /// What happened, for a person, with the provider's own last words where there are any.
    pub message: String,
}

/// Why a provider cannot do yet what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeferralReason {
    /// It does not say, or in a way that nobody knows.
    Unspecified,
    /// Something of the resource's configuration is unknown.
    ResourceConfigUnknown,
    /// Something of the provider's configuration is unknown.
    ProviderConfigUnknown,
    /// Something that must be there first is not.
    AbsentPrerequisite,
}

impl DeferralReason {
    /// How plans name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unknown",
            Self::ResourceConfigUnknown => "resource_config_unknown",
            Self::ProviderConfigUnknown => "provider_config_unknown",
            Self::AbsentPrerequisite => "absent_prereq",
        }
    }
}

/// A provider's answer with what it said beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply<T> {
    /// The answer. With errors among the diagnostics it may be only part of one, and is still to be kept after an apply.
    pub value: T,
    /// What the provider said.
    pub diagnostics: Vec<ProviderDiagnostic>,
    /// Why the provider put it off, which it may do for `read`, `plan`, imports, `read_data` and `open_ephemeral` where it
    /// was told that it may. Nobody tells it so yet.
    pub deferred: Option<DeferralReason>,
}

impl<T> Reply<T> {
    /// An answer without remarks.
    pub const fn of(value: T) -> Self {
        Self::new(value, Vec::new())
    }

    /// An answer with remarks.
    pub const fn new(value: T, diagnostics: Vec<ProviderDiagnostic>) -> Self {
        Self {
            value,
            diagnostics,
            deferred: None,
        }
    }

    /// Whether the provider reported an error.
    pub fn failed(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.error)
    }
}

/// What a call returns.
pub type Attempt<T> = Result<Reply<T>, ProviderError>;

/// A state as it was stored, to be brought to the current schema version.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceState {
    /// The resource type.
    pub type_name: Arc<str>,
    /// The schema version it was stored with.
    pub schema_version: i64,
    /// The attributes as JSON.
    pub json: Arc<[u8]>,
}

/// Asks for the present state of an object.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// The resource type.
    pub type_name: Arc<str>,
    /// The state as known.
    pub current: Value,
    /// The provider's private bytes.
    pub private: Arc<[u8]>,
    /// Its identity, where it is known, as the type's identity schema says; `None` where there is none.
    pub identity: Option<Value>,
}

/// The present state of an object.
#[derive(Clone, Debug)]
pub struct ReadResponse {
    /// The state; null when the object is gone.
    pub state: Value,
    /// The provider's private bytes.
    pub private: Arc<[u8]>,
    /// What identifies it, as the type's identity schema says; `None` where there is none.
    pub identity: Option<Value>,
}

/// Asks what a change would give.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// The resource type.
    pub type_name: Arc<str>,
    /// The state now; null to create.
    pub prior: Value,
    /// Prior and configuration merged; null to destroy.
    pub proposed: Value,
    /// The configuration; null to destroy.
    pub config: Value,
    /// The provider's private bytes of the state.
    pub prior_private: Arc<[u8]>,
    /// The identity of the object now, as the type's identity schema says; `None` where there is none.
    pub identity: Option<Value>,
}

/// What a change would give.
#[derive(Clone, Debug)]
pub struct PlanResponse {
    /// The state after it, unknown where only apply can tell.
    pub planned: Value,
    /// Attributes whose change asks for a replacement.
    pub requires_replace: Vec<Path>,
    /// The provider's private bytes for apply.
    pub private: Arc<[u8]>,
    /// The provider is built on the old SDK, whose imprecisions are tolerated.
    pub legacy_type_system: bool,
    /// The identity of the planned object, unknown where only apply can tell, as the type's identity schema says; `None` where there is none.
    pub identity: Option<Value>,
}

/// Asks for a change.
#[derive(Clone, Debug)]
pub struct ApplyRequest {
    /// The resource type.
    pub type_name: Arc<str>,
    /// The state now; null to create.
    pub prior: Value,
    /// The planned state; null to destroy.
    pub planned: Value,
    /// The configuration; null to destroy.
    pub config: Value,
    /// The private bytes of the plan.
    pub planned_private: Arc<[u8]>,
    /// The planned identity, as the type's identity schema says; `None` where there is none.
    pub identity: Option<Value>,
}

/// The state after a change, or after the part of it that came through.
#[derive(Clone, Debug)]
pub struct ApplyResponse {
    /// The state; null when the object is gone.
    pub state: Value,
    /// The provider's private bytes.
    pub private: Arc<[u8]>,
    /// The provider is built on the old SDK, whose imprecisions are tolerated.
    pub legacy_type_system: bool,
    /// What identifies the object, as the type's identity schema says; `None` where there is none.
    pub identity: Option<Value>,
}

/// One object that an import found.
#[derive(Clone, Debug)]
pub struct ImportedResource {
    /// Its type.
    pub type_name: Arc<str>,
    /// Its state, to be completed by a read.
    pub state: Value,
    /// The provider's private bytes.
    pub private: Arc<[u8]>,
    /// What identifies it, as the type's identity schema says; `None` where there is none.
    pub identity: Option<Value>,
}

/// An ephemeral resource that has been opened.
#[derive(Clone, Debug)]
pub struct OpenedEphemeral {
    /// Its attributes.
    pub value: Value,
    /// The provider's private bytes, for its renewal and its end.
    pub private: Arc<[u8]>,
    /// When it must be renewed, in seconds and nanoseconds since 1970-01-01 UTC; `None` for never.
    pub renew_at: Option<(i64, u32)>,
}

/// An ephemeral resource that goes on.
#[derive(Clone, Debug)]
pub struct RenewedEphemeral {
    /// The provider's private bytes, for its next renewal and its end.
    pub private: Arc<[u8]>,
    /// When it must be renewed again, in seconds and nanoseconds since 1970-01-01 UTC; `None` for never.
    pub renew_at: Option<(i64, u32)>,
}

/// Asks for an object of another type, perhaps of another provider, as one of this provider's own.
#[derive(Clone, Debug)]
pub struct MoveRequest {
    /// The provider that managed it, as displayed in full.
    pub source_provider: Arc<str>,
    /// Its type there, with its state as stored.
    pub source: ResourceState,
    /// The private bytes of that provider.
    pub source_private: Arc<[u8]>,
    /// The type that it is to be of.
    pub target_type_name: Arc<str>,
    /// Its identity there, with the version of its schema, as stored.
    pub source_identity: Option<ResourceState>,
}

/// An object that moved.
#[derive(Clone, Debug)]
pub struct MoveResponse {
    /// Its state as of the new type.
    pub state: Value,
    /// The provider's private bytes.
    pub private: Arc<[u8]>,
    /// What identifies it now, as the type's identity schema says; `None` where there is none.
    pub identity: Option<Value>,
}

/// What a provider answers to a call that it does not know.
fn unsupported<T>(what: &str) -> Attempt<T> {
    Err(ProviderError {
        message: format!("it does not support {what}"),
    })
}

/// A provider that has been started. Values are without marks.
///
/// Calls may be made at the same time. A dropped call may still have its effect.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Its schema.
    async fn schema(&self) -> Result<Arc<ProviderSchema>, ProviderError>;
    /// Checks the provider's configuration, which may hold unknowns, and completes it.
    async fn validate_provider_config(&self, config: Value) -> Attempt<Value>;
    /// Sets the provider up. Before any call below the line.
    async fn configure(&self, config: Value) -> Attempt<()>;
    /// Checks a managed resource's configuration, which may hold unknowns.
    async fn validate_resource_config(&self, type_name: &str, config: Value) -> Attempt<()>;
    /// Checks a data resource's configuration, which may hold unknowns.
    async fn validate_data_config(&self, type_name: &str, config: Value) -> Attempt<()>;
    /// Checks an ephemeral resource's configuration, which may hold unknowns.
    async fn validate_ephemeral_config(&self, _type_name: &str, _config: Value) -> Attempt<()> {
        unsupported("ephemeral resources")
    }
    /// Brings a stored state to the current schema version.
    async fn upgrade_state(&self, state: ResourceState) -> Attempt<Value>;
    /// Brings a stored identity to the current version of its schema.
    async fn upgrade_identity(&self, _identity: ResourceState) -> Attempt<Value> {
        unsupported("identities")
    }
    /// Takes over an object of another type.
    async fn move_state(&self, _request: MoveRequest) -> Attempt<MoveResponse> {
        unsupported("moves from other resource types")
    }
    // ---- configured only
    /// Reads an object.
    async fn read(&self, request: ReadRequest) -> Attempt<ReadResponse>;
    /// Plans a change.
    async fn plan(&self, request: PlanRequest) -> Attempt<PlanResponse>;
    /// Makes a change. Only `apply` calls this.
    async fn apply(&self, request: ApplyRequest) -> Attempt<ApplyResponse>;
    /// Finds the objects of an id.
    async fn import(&self, type_name: &str, id: &str) -> Attempt<Vec<ImportedResource>>;
    /// The id by which [`Self::import`] finds an object of these attributes, where they tell it before the object is made. It is
    /// looked for by it where nobody knows whether it was made, since the answer was lost.
    async fn id_before_creation(&self, _type_name: &str, _planned: &Value) -> Option<String> {
        None
    }
    /// Finds the object of an identity: an object of the type that the schema's identity says.
    async fn import_identity(
        &self,
        _type_name: &str,
        _identity: Value,
    ) -> Attempt<Vec<ImportedResource>> {
        unsupported("imports by identity")
    }
    /// Opens an ephemeral resource, whose configuration is known.
    async fn open_ephemeral(&self, _type_name: &str, _config: Value) -> Attempt<OpenedEphemeral> {
        unsupported("ephemeral resources")
    }
    /// Keeps an ephemeral resource alive.
    async fn renew_ephemeral(
        &self,
        _type_name: &str,
        _private: Arc<[u8]>,
    ) -> Attempt<RenewedEphemeral> {
        unsupported("ephemeral resources")
    }
    /// Ends an ephemeral resource.
    async fn close_ephemeral(&self, _type_name: &str, _private: Arc<[u8]>) -> Attempt<()> {
        unsupported("ephemeral resources")
    }
    /// Reads a data source.
    async fn read_data(&self, type_name: &str, config: Value) -> Attempt<Value>;
    /// Calls a function. The error names the argument (from 0) that is to blame, if one is.
    async fn call_function(
        &self,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<Result<Value, (Option<usize>, String)>, ProviderError>;
    /// The same provider, which is told with each of `read`, `plan`, `apply` and `read_data` what a module says to it in its
    /// `provider_meta` block. `None` where it does not listen.
    fn with_meta(self: Arc<Self>, _meta: Value) -> Option<Arc<dyn Provider>> {
        None
    }
    /// The same provider for what one instance asks of it, where that is answered otherwise than for others: by a test that
    /// says what the object is like. `None` where it makes no difference.
    fn for_instance(self: Arc<Self>, _address: &AbsResourceInstance) -> Option<Arc<dyn Provider>> {
        None
    }
    /// Whether its process is known to have ended, so that nothing that it is asked for from now on can have an effect.
    fn has_ended(&self) -> bool {
        false
    }
    /// Asks running calls to end soon.
    async fn stop(&self) -> Result<(), ProviderError>;
    /// Ends the provider.
    async fn close(&self);
}

/// Where providers come from.
#[async_trait]
pub trait ProviderSource: Send + Sync {
    /// Starts a provider. Who asked configures what it is given, and closes it at the end.
    async fn open(&self, provider: &ProviderAddr) -> Result<Arc<dyn Provider>, ProviderError>;

    /// Starts the provider of one of its configurations, which tests may have replaced by one that is no more than made up.
    async fn open_for(
        &self,
        configuration: &AbsProviderConfig,
    ) -> Result<Arc<dyn Provider>, ProviderError> {
        self.open(&configuration.provider).await
    }

    /// Calls a function of a provider, which need not be configured. The error names the argument (from 0) that is to
    /// blame, if one is.
    fn call_function(
        &self,
        provider: &ProviderAddr,
        name: &str,
        arguments: &[Value],
    ) -> Result<Value, (Option<usize>, String)>;
}
