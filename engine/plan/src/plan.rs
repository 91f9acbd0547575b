//! The domain types.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{
    AbsProviderConfig, AbsResource, AbsResourceInstance, DeposedKey, Name, ProviderAddr, Target,
};
use terrace_config::Snapshot;
use terrace_schema::ProviderSchema;
use terrace_state::{CheckResult, State};
use terrace_value::{Path, Value};

/// What is asked of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlanMode {
    /// Bring objects to what the configuration says.
    #[default]
    Normal,
    /// Destroy everything.
    Destroy,
    /// Only take over what has changed outside.
    RefreshOnly,
}

/// A plan: everything that `apply` needs, as data.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What was asked.
    pub mode: PlanMode,
    /// What it was made from.
    pub inputs: PlanInputs,
    /// The state before refresh, as it was stored, with lineage and serial.
    pub previous_state: Arc<State>,
    /// The state after refresh and after moves: what the changes start from.
    pub prior_state: Arc<State>,
    /// Changes of resource instances, no-ops and reads included, by address, deposed objects after the present one.
    pub changes: Vec<ResourceChange>,
    /// What changed outside since the last run.
    pub drift: Vec<ResourceChange>,
    /// Changes of root outputs, no-ops included.
    pub outputs: BTreeMap<Name, OutputChange>,
    /// What to do, in which order.
    pub exec: ExecGraph,
    /// Results of checks so far.
    pub checks: Vec<CheckResult>,
    /// Attributes that the changes' values come from.
    pub relevant_attributes: Vec<RelevantAttribute>,
    /// Schemas of the providers that are used, by provider.
    pub schemas: BTreeMap<ProviderAddr, Arc<ProviderSchema>>,
    /// Whether planning ended early with errors; such a plan cannot be applied.
    pub errored: bool,
}

/// What a plan was made from, by content.
#[derive(Clone, Debug, Default)]
pub struct PlanInputs {
    /// The configuration.
    pub configuration: Arc<Snapshot>,
    /// Root variables.
    pub variables: BTreeMap<Name, VariableInput>,
    /// Files that functions read: path as given, and content.
    pub files: Vec<FileRead>,
    /// The providers, with the hash of each package.
    pub providers: Vec<PlannedProvider>,
    /// The workspace.
    pub workspace: String,
    /// The environment of the project file, if one was chosen.
    pub environment: Option<String>,
    /// `-target`
    pub targets: Vec<Target>,
    /// `-replace`
    pub replace: Vec<AbsResourceInstance>,
    /// RFC 3339 time of planning, UTC, seconds.
    pub timestamp: String,
    /// Absolute path of the working directory is never part of a plan; `path.cwd` is this when it was read.
    pub working_directory: Option<String>,
    /// What its author says of the change, for whom the gate asks.
    pub request: ChangeRequest,
    /// What it takes from other stacks, by variable.
    pub upstream: Vec<UsedOutput>,
}

/// An output of another stack that a root variable has its value from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedOutput {
    /// The variable.
    pub variable: String,
    /// The stack's folder, relative to the project file.
    pub stack: String,
    /// The output.
    pub output: String,
    /// The run that left the outputs document.
    pub run: String,
    /// The document's digest.
    pub document: String,
}

/// What the author of a plan says of the change. It is part of what is approved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeRequest {
    /// The type of change that was asked for; empty for a normal one.
    pub kind: String,
    /// Why it is one of that type.
    pub reason: Option<String>,
    /// Statements by name: purpose, impact, rollback …
    pub statements: BTreeMap<String, String>,
    /// The commit that the configuration comes from, as its author says.
    pub commit: Option<String>,
    /// The digest of the rules that the project file states for the environment. Applying the plan brings them into force.
    pub rules: Option<String>,
}

/// A root variable's value.
#[derive(Clone, Debug)]
pub struct VariableInput {
    /// Its value as given (converted, before defaults of null), with marks; ephemeral ones are not stored: `None`.
    pub value: Option<Value>,
    /// Whether someone set it, or its default holds.
    pub set: bool,
}

/// A file that a function read while planning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRead {
    /// Path as given to the function, relative to the root module.
    pub path: String,
    /// Its content; `None` when it was looked for and not there.
    pub content: Option<Arc<[u8]>>,
}

/// A provider that the plan uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedProvider {
    /// The provider.
    pub provider: ProviderAddr,
    /// Its version; empty for one that is built in.
    pub version: String,
    /// `h1:` hash of its package; empty for one that is built in.
    pub hash: String,
}

/// What happens to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Nothing.
    NoOp,
    /// It comes into being.
    Create,
    /// A data resource is read during apply.
    Read,
    /// It changes in place.
    Update,
    /// It is destroyed, then created anew.
    DeleteThenCreate,
    /// It is no longer managed and stays, then another is created.
    ForgetThenCreate,
    /// A new one is created, then it is destroyed.
    CreateThenDelete,
    /// It is destroyed.
    Delete,
    /// It is no longer managed, and stays.
    Forget,
}

impl Action {
    /// Whether it is a replacement.
    pub const fn is_replace(self) -> bool {
        matches!(
            self,
            Self::DeleteThenCreate | Self::CreateThenDelete | Self::ForgetThenCreate
        )
    }

    /// Whether an object is destroyed.
    pub const fn destroys(self) -> bool {
        matches!(
            self,
            Self::Delete | Self::DeleteThenCreate | Self::CreateThenDelete
        )
    }
}

/// Why an action was chosen, where it is not plain; names are those of plan JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ActionReason {
    /// Nothing special.
    #[default]
    None,
    /// `replace_because_tainted`
    ReplaceBecauseTainted,
    /// `replace_by_request`
    ReplaceByRequest,
    /// `replace_by_triggers`
    ReplaceByTriggers,
    /// `replace_because_cannot_update`
    ReplaceBecauseCannotUpdate,
    /// `delete_because_no_resource_config`
    DeleteBecauseNoResourceConfig,
    /// `delete_because_wrong_repetition`
    DeleteBecauseWrongRepetition,
    /// `delete_because_count_index`
    DeleteBecauseCountIndex,
    /// `delete_because_each_key`
    DeleteBecauseEachKey,
    /// `delete_because_enabled_false`
    DeleteBecauseEnabledFalse,
    /// `delete_because_no_module`
    DeleteBecauseNoModule,
    /// `delete_because_no_move_target`
    DeleteBecauseNoMoveTarget,
    /// `read_because_config_unknown`
    ReadBecauseConfigUnknown,
    /// `read_because_dependency_pending`
    ReadBecauseDependencyPending,
    /// `read_because_check_nested`
    ReadBecauseCheckNested,
}

/// One edge of why: what changed here, and what it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The attribute that changes, as displayed behind an address; empty for the object as a whole.
    pub attribute: String,
    /// File and line of the expression, as `net.tf:4`; empty when it comes from elsewhere.
    pub place: String,
    /// In words: `aws_vpc.main.id becomes unknown`, `changed outside`.
    pub cause: String,
}

/// A change of one object.
#[derive(Clone, Debug)]
pub struct ResourceChange {
    /// The instance.
    pub address: AbsResourceInstance,
    /// What it was called before a move.
    pub previous_address: Option<AbsResourceInstance>,
    /// Set for an object that is not the present one.
    pub deposed: Option<DeposedKey>,
    /// The provider configuration.
    pub provider: AbsProviderConfig,
    /// What happens.
    pub action: Action,
    /// Why.
    pub action_reason: ActionReason,
    /// The object before, with marks; null when there is none.
    pub before: Value,
    /// The object after, with marks and unknowns; null when there is none.
    pub after: Value,
    /// Attributes that ask for a replacement.
    pub replace_paths: Vec<Path>,
    /// The provider's private bytes of the plan.
    pub private: Arc<[u8]>,
    /// What identifies the object afterwards, where the provider says so; unknown where only apply can tell.
    pub identity: Option<Value>,
    /// Set when the object is taken over by an `import` block.
    pub importing: Option<Importing>,
    /// Configuration that was generated for it.
    pub generated_config: Option<String>,
    /// Version of the schema of `before` and `after`.
    pub schema_version: i64,
    /// Whether the replacement comes before the destruction, whatever the action.
    pub create_before_destroy: bool,
    /// Resources that it depends on, for the state.
    pub dependencies: Arc<[terrace_addr::ConfigResource]>,
    /// Why, in full.
    pub reasons: Vec<Reason>,
}

/// An import that a change begins with.
#[derive(Clone, Debug, PartialEq)]
pub struct Importing {
    /// The id; `None` while unknown, and where the identity says which object it is.
    pub id: Option<String>,
    /// The identity, an object.
    pub identity: Option<Value>,
}

/// A change of a root output.
#[derive(Clone, Debug)]
pub struct OutputChange {
    /// Create, update, delete or nothing.
    pub action: Action,
    /// Before; null when there was none.
    pub before: Value,
    /// After, with unknowns; null when it goes.
    pub after: Value,
    /// Whether it is sensitive, before or after.
    pub sensitive: bool,
}

/// An attribute that a planned value comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct RelevantAttribute {
    /// The resource or instance, as displayed.
    pub resource: String,
    /// Where in it.
    pub attribute: Path,
}

/// What to do, in which order. Ops name their predecessors by index; the graph has no cycle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecGraph {
    /// The ops.
    pub ops: Vec<Op>,
}

/// One op and what must have ended before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// What to do.
    pub kind: OpKind,
    /// Indices of ops that must have succeeded.
    pub after: Vec<u32>,
}

/// What an op does. `change` is an index into [`Plan::changes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpKind {
    /// Opens an ephemeral resource, which is renewed for as long as it is open.
    OpenEphemeral {
        /// The instance.
        address: AbsResourceInstance,
        /// The provider configuration.
        provider: AbsProviderConfig,
    },
    /// Closes an ephemeral resource, once all its users have ended.
    CloseEphemeral {
        /// The instance.
        address: AbsResourceInstance,
    },
    /// Starts and configures a provider.
    OpenProvider(AbsProviderConfig),
    /// Ends it, once all its users have.
    CloseProvider(AbsProviderConfig),
    /// Reads a data resource.
    Read {
        /// The change.
        change: u32,
    },
    /// Creates an object: evaluates what was unknown, plans again, checks against the approved change, applies.
    /// Where the change is [`Action::CreateThenDelete`] the present object is deposed first.
    Create {
        /// The change.
        change: u32,
    },
    /// Changes an object in place, likewise.
    Update {
        /// The change.
        change: u32,
    },
    /// Destroys an object: the present one, the deposed one, or the one that this change's creation deposed.
    Delete {
        /// The change.
        change: u32,
    },
    /// Stops managing an object.
    Forget {
        /// The change.
        change: u32,
    },
    /// Writes an object to the state as it is planned, without asking the provider: an import or a move that changes nothing else.
    Record {
        /// The change.
        change: u32,
    },
    /// Nothing: gathers many predecessors into one, so that edges stay linear (all instances of a resource, a named value).
    Join,
    /// Evaluates the conditions of a resource's instances, `check` blocks and outputs that could not be decided while planning.
    Check {
        /// The object's address in the configuration.
        address: String,
    },
    /// Evaluates the root outputs.
    Outputs,
}

impl Plan {
    /// Whether planning came so far as to look at objects. A plan that could not be begun holds nothing.
    pub fn is_begun(&self) -> bool {
        !self.errored || !self.schemas.is_empty()
    }

    /// Whether applying it would do anything at all: to objects, outputs or the state.
    pub fn has_changes(&self) -> bool {
        if self.mode == PlanMode::RefreshOnly {
            // Outputs that are not known yet cannot be stored.
            return !self.drift.is_empty()
                || self.prior_state.outputs != self.previous_state.outputs
                || !self.prior_state.same_managed_content(&self.previous_state);
        }
        self.changes.iter().any(|change| {
            change.action != Action::NoOp
                || change.importing.is_some()
                || change.previous_address.is_some()
        }) || self
            .outputs
            .values()
            .any(|output| output.action != Action::NoOp)
    }

    /// The change of an instance's present object.
    pub fn change(&self, address: &AbsResourceInstance) -> Option<&ResourceChange> {
        let index = self
            .changes
            .binary_search_by(|change| (&change.address, &change.deposed).cmp(&(address, &None)));
        index.ok().and_then(|index| self.changes.get(index))
    }

    /// Changes of one resource.
    pub fn changes_of<'a>(
        &'a self,
        resource: &'a AbsResource,
    ) -> impl Iterator<Item = &'a ResourceChange> {
        let start = self
            .changes
            .partition_point(|change| change.address.resource < *resource);
        self.changes[start..]
            .iter()
            .take_while(move |change| change.address.resource == *resource)
    }
}
