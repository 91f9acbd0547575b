//! What a test makes the strict provider do.

use std::time::Duration;

use terrace_port::ProviderDiagnostic;
use terrace_value::Value;

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// The schema is asked for.
    Schema,
    /// The provider's configuration is checked.
    ValidateProvider,
    /// The provider is set up.
    Configure,
    /// A resource's configuration is checked.
    ValidateResource,
    /// A data source's configuration is checked.
    ValidateData,
    /// A stored state is upgraded.
    Upgrade,
    /// An object is read.
    Read,
    /// A change is planned.
    Plan,
    /// An object is made.
    Create,
    /// An object is changed.
    Update,
    /// An object is deleted.
    Delete,
    /// An object is imported.
    Import,
    /// A data source is read.
    ReadData,
    /// A function is called.
    Function,
    /// An ephemeral resource's configuration is checked.
    ValidateEphemeral,
    /// An ephemeral resource is opened.
    OpenEphemeral,
    /// An ephemeral resource is renewed.
    RenewEphemeral,
    /// An ephemeral resource is closed.
    CloseEphemeral,
    /// An object is imported by its identity.
    ImportIdentity,
    /// A stored identity is upgraded.
    UpgradeIdentity,
    /// An object of another type is taken over.
    Move,
}

impl Operation {
    /// The name that scripts use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::ValidateProvider => "validate-provider",
            Self::Configure => "configure",
            Self::ValidateResource => "validate-resource",
            Self::ValidateData => "validate-data",
            Self::Upgrade => "upgrade",
            Self::Read => "read",
            Self::Plan => "plan",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Import => "import",
            Self::ReadData => "read-data",
            Self::Function => "function",
            Self::ValidateEphemeral => "validate-ephemeral",
            Self::OpenEphemeral => "open-ephemeral",
            Self::RenewEphemeral => "renew-ephemeral",
            Self::CloseEphemeral => "close-ephemeral",
            Self::ImportIdentity => "import-identity",
            Self::UpgradeIdentity => "upgrade-identity",
            Self::Move => "move",
        }
    }
}

/// One call that the provider got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its kind.
    pub operation: Operation,
    /// The resource type, data source or function; empty for calls about the provider.
    pub type_name: String,
    /// What tells objects of a test apart: the object's `string`, a data source's `input`, an import's id; empty if it has none.
    pub key: String,
    /// The how manieth call of its kind it is, from 1.
    pub number: u64,
}

/// What happens to a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Outcome {
    /// What it asks for.
    #[default]
    Proceed,
    /// What it asks for, with a remark.
    Warn(ProviderDiagnostic),
    /// What it asks for, after a while.
    Delay(Duration),
    /// What it asks for at once, and the answer after a while. Only changes know it; elsewhere it is [`Self::Proceed`].
    DelayAfter(Duration),
    /// Nothing; the provider says this.
    Fail(ProviderDiagnostic),
    /// What it asks for, and yet the provider says this: an object that was made and is not whole.
    FailAfter(ProviderDiagnostic),
    /// Nothing, and no answer comes: the provider died.
    Lost,
    /// What it asks for, but no answer comes: the provider died.
    LostAfter,
    /// Nothing until the provider is asked to stop, then an error.
    Hang,
    /// Nothing, ever.
    Stuck,
    /// Another value than the right one is answered, for a plan, an apply, a read or a data source.
    Answer(Value),
}
