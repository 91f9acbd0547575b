//! One module definition: what the files of a directory say.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{LocalProviderConfig, ModuleInstance, ModulePath, Name, ProviderAddr, Resource};
use terrace_diag::Span;
use terrace_syntax::{Body, Expr, Traversal};
use terrace_value::{Type, Value};

use crate::merge_body::join_bodies;

/// A module definition. Maps are by name; several files have been merged and overrides applied.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// The directory, relative to the working directory; `.` for the root.
    pub directory: String,
    /// `required_version` constraints with their places.
    pub required_versions: Vec<(String, Span)>,
    /// `required_providers`, and the providers implied by resources, by local name.
    pub providers: BTreeMap<Name, ProviderRequirement>,
    /// `provider` blocks.
    pub provider_configs: BTreeMap<LocalProviderConfig, ProviderConfigBlock>,
    /// `variable` blocks.
    pub variables: BTreeMap<Name, Variable>,
    /// `locals`.
    pub locals: BTreeMap<Name, Local>,
    /// `output` blocks.
    pub outputs: BTreeMap<Name, Output>,
    /// `resource`, `data` and `ephemeral` blocks, those inside `check` included.
    pub resources: BTreeMap<Resource, Arc<ResourceConfig>>,
    /// `module` blocks.
    pub calls: BTreeMap<Name, ModuleCall>,
    /// `moved` blocks.
    pub moved: Vec<Moved>,
    /// `removed` blocks.
    pub removed: Vec<Removed>,
    /// `import` blocks.
    pub imports: Vec<ImportBlock>,
    /// `check` blocks.
    pub checks: BTreeMap<Name, Check>,
    /// `backend` or `cloud` block.
    pub backend: Option<Backend>,
    /// `encryption` block: how state and plans are encrypted.
    pub encryption: Option<Encryption>,
    /// `provider_meta` blocks by the provider's local name.
    pub provider_metas: BTreeMap<Name, Body>,
    /// Paths of the files that make the module; empty for a directory without configuration.
    pub files: Vec<String>,
}

/// One entry of `required_providers`, or a provider implied by use.
#[derive(Clone, Debug)]
pub struct ProviderRequirement {
    /// The provider.
    pub provider: ProviderAddr,
    /// Version constraints as written.
    pub versions: Vec<(String, Span)>,
    /// `configuration_aliases`.
    pub aliases: Vec<LocalProviderConfig>,
    /// Where it is declared; `None` when implied.
    pub span: Option<Span>,
}

/// A `provider` block.
#[derive(Clone, Debug)]
pub struct ProviderConfigBlock {
    /// How this module names it.
    pub local: LocalProviderConfig,
    /// The provider.
    pub provider: ProviderAddr,
    /// Its arguments, to be read by the provider's schema.
    pub body: Body,
    /// `for_each`: one configuration for each key, all under one alias. Evaluated before state and providers.
    pub for_each: Option<Expr>,
    /// The block's header.
    pub span: Span,
}

/// A `variable` block.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: Name,
    /// Its description.
    pub description: Option<Arc<str>>,
    /// The type constraint; `Dynamic` when none is given. May hold optional attributes.
    pub ty: Type,
    /// Defaults of optional attributes, for [`terrace_value`]'s conversion; shaped like the type.
    pub type_defaults: Option<Arc<TypeDefaults>>,
    /// The default, already converted.
    pub default: Option<Value>,
    /// Never shown.
    pub sensitive: bool,
    /// Never stored.
    pub ephemeral: bool,
    /// Whether `null` may be its value; otherwise null means the default.
    pub nullable: bool,
    /// What its users are told, because it is to be used no longer.
    pub deprecated: Option<Arc<str>>,
    /// `const`: whether its value must be known before state and providers (`true`), or may not be used there (`false`).
    pub constant: Option<bool>,
    /// `validation` blocks.
    pub validations: Vec<CheckRule>,
    /// Whether values given as text (command line, environment) are read as expressions: its type is not primitive.
    pub complex: bool,
    /// The block's header.
    pub span: Span,
}

/// Defaults of optional attributes at their places in a type constraint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TypeDefaults {
    /// Defaults of attributes of the object here.
    pub values: BTreeMap<Name, Value>,
    /// What lies deeper: by attribute of an object, by index of a tuple (as decimal text), or `""` for elements of a collection.
    pub children: BTreeMap<Name, Self>,
}

/// One local value.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its name.
    pub name: Name,
    /// Its value.
    pub value: Expr,
    /// Where its name stands.
    pub span: Span,
}

/// An `output` block.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its name.
    pub name: Name,
    /// Its description.
    pub description: Option<Arc<str>>,
    /// Its value.
    pub value: Expr,
    /// Never shown.
    pub sensitive: bool,
    /// Never stored.
    pub ephemeral: bool,
    /// What its readers are told, because it is to be used no longer.
    pub deprecated: Option<Arc<str>>,
    /// `depends_on`.
    pub depends_on: Vec<Traversal>,
    /// `precondition` blocks.
    pub preconditions: Vec<CheckRule>,
    /// The block's header.
    pub span: Span,
}

/// How something repeats.
#[derive(Clone, Debug, Default)]
pub enum ForEachOrCount {
    /// Once.
    #[default]
    Single,
    /// `count`
    Count(Expr),
    /// `for_each`
    ForEach(Expr),
    /// `enabled` of the `lifecycle` block: once without a key where it is true, otherwise not at all.
    Enabled(Expr),
}

/// Whether a value lives beyond a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ephemerality {
    /// It may be stored.
    #[default]
    Stored,
    /// It is never stored.
    Ephemeral,
}

/// A `resource`, `data` or `ephemeral` block.
#[derive(Clone, Debug)]
pub struct ResourceConfig {
    /// Mode, type and name.
    pub resource: Resource,
    /// Arguments that the provider's schema reads: what the language itself knows is taken out.
    pub body: Body,
    /// `count` or `for_each`.
    pub repetition: ForEachOrCount,
    /// Which configuration of which provider, as this module names it.
    pub provider_config: LocalProviderConfig,
    /// Whether the block names it (`provider = …`); otherwise the type's prefix does.
    pub provider_explicit: Option<Span>,
    /// The key in `provider = aws.by_region[KEY]`, evaluated for each instance of the resource.
    pub provider_key: Option<Expr>,
    /// The provider.
    pub provider: ProviderAddr,
    /// `depends_on`.
    pub depends_on: Vec<Traversal>,
    /// `lifecycle`.
    pub lifecycle: Lifecycle,
    /// `connection`, the default of the provisioners'.
    pub connection: Option<Body>,
    /// `provisioner` blocks in order.
    pub provisioners: Vec<Provisioner>,
    /// The `check` block that a scoped data resource stands in.
    pub in_check: Option<Name>,
    /// The block's header.
    pub span: Span,
}

/// A `lifecycle` block.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    /// `create_before_destroy`
    pub create_before_destroy: Option<bool>,
    /// `prevent_destroy`, where it is a constant.
    pub prevent_destroy: bool,
    /// `prevent_destroy`, where it is to be evaluated; then [`Self::prevent_destroy`] is false.
    pub prevent_destroy_if: Option<Expr>,
    /// Where `prevent_destroy` stands.
    pub prevent_destroy_span: Option<Span>,
    /// `destroy`: where it is `false`, an object that is to go is only forgotten.
    pub destroy: Option<bool>,
    /// `ignore_changes`
    pub ignore_changes: IgnoreChanges,
    /// `replace_triggered_by`: expressions of references, with `count.index`, `each.key` in keys.
    pub replace_triggered_by: Vec<Expr>,
    /// `precondition` blocks.
    pub preconditions: Vec<CheckRule>,
    /// `postcondition` blocks.
    pub postconditions: Vec<CheckRule>,
}

/// `ignore_changes`
#[derive(Clone, Debug, Default)]
pub enum IgnoreChanges {
    /// Nothing.
    #[default]
    None,
    /// Everything: `all`.
    All,
    /// These: relative traversals, whose root is an attribute.
    These(Vec<Traversal>),
}

/// A condition with its message: `validation`, `precondition`, `postcondition`, `assert`.
#[derive(Clone, Debug)]
pub struct CheckRule {
    /// Must be true.
    pub condition: Expr,
    /// Said when it is not.
    pub error_message: Expr,
    /// The block's header.
    pub span: Span,
}

/// A `provisioner` block.
#[derive(Clone, Debug)]
pub struct Provisioner {
    /// `local-exec`, `remote-exec`, `file`.
    pub type_name: Name,
    /// Its arguments.
    pub body: Body,
    /// When it runs.
    pub when: ProvisionerWhen,
    /// What its failure means.
    pub on_failure: ProvisionerFailure,
    /// Its own `connection`.
    pub connection: Option<Body>,
    /// The block's header.
    pub span: Span,
}

impl Provisioner {
    /// Its connection: what its own block says, over what `base`, that of its resource, says.
    pub fn connection_over(&self, base: Option<&Body>) -> Option<Body> {
        match (base, &self.connection) {
            (Some(base), Some(own)) => Some(join_bodies(base, own)),
            (base, own) => own.as_ref().or(base).cloned(),
        }
    }
}

/// When a provisioner runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProvisionerWhen {
    /// After creation.
    #[default]
    Create,
    /// Before destruction.
    Destroy,
}

/// What a provisioner's failure means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProvisionerFailure {
    /// The resource's change has failed (and a created object is tainted).
    #[default]
    Fail,
    /// Nothing.
    Continue,
}

/// A `module` block.
#[derive(Clone, Debug)]
pub struct ModuleCall {
    /// Its name.
    pub name: Name,
    /// The source as written; empty where [`Self::source_expression`] gives it.
    pub source: Arc<str>,
    /// The source where it is no constant: evaluated before state and providers, for each place in the tree. What it
    /// came to stands in [`crate::ModuleNode::source`].
    pub source_expression: Option<Expr>,
    /// Where the source stands.
    pub source_span: Span,
    /// Version constraint as written.
    pub version: Option<(String, Span)>,
    /// Version constraint where it is no constant, evaluated as the source is.
    pub version_expression: Option<Expr>,
    /// Input variables.
    pub inputs: BTreeMap<Name, Expr>,
    /// Where the names of the input variables stand.
    pub input_spans: BTreeMap<Name, Span>,
    /// Where a missing input is reported.
    pub missing_span: Span,
    /// `count` or `for_each`.
    pub repetition: ForEachOrCount,
    /// `depends_on`.
    pub depends_on: Vec<Traversal>,
    /// `providers`; `None` when not given, then default configurations are inherited.
    pub providers: Option<Vec<ProviderPassed>>,
    /// Whether an override file changed it: then inputs that its module does not have are left out.
    pub overridden: bool,
    /// The block's header.
    pub span: Span,
}

/// One entry of a call's `providers`.
#[derive(Clone, Debug)]
pub struct ProviderPassed {
    /// As the child names it.
    pub in_child: LocalProviderConfig,
    /// As the caller names it.
    pub in_parent: LocalProviderConfig,
    /// The key in `aws.by_region[KEY]`, evaluated in the caller for each instance of the call.
    pub parent_key: Option<Expr>,
    /// Where it stands.
    pub span: Span,
    /// Where the child's name for it stands.
    pub child_span: Span,
    /// Where the caller's name for it stands.
    pub parent_span: Span,
}

/// A `moved` block. Addresses are relative to the module that holds it.
#[derive(Clone, Debug)]
pub struct Moved {
    /// What it was called.
    pub from: MovedEndpoint,
    /// What it is called now.
    pub to: MovedEndpoint,
    /// The block.
    pub span: Span,
}

/// One end of a `moved` block: a module call (instance), or a resource (instance) in a module.
pub type MovedEndpoint = (terrace_addr::Target, Span);

/// A `removed` block.
#[derive(Clone, Debug)]
pub struct Removed {
    /// What was removed.
    pub from: RemovedFrom,
    /// Whether its objects are destroyed, or only forgotten.
    pub destroy: bool,
    /// `provisioner` blocks with `when = destroy`.
    pub provisioners: Vec<Provisioner>,
    /// `connection` of the provisioners.
    pub connection: Option<Body>,
    /// The block.
    pub span: Span,
}

/// What a `removed` block names: a module or a resource, never an instance. Relative to the module that holds the block.
#[derive(Clone, Debug, PartialEq)]
pub enum RemovedFrom {
    /// A module and all in it.
    Module(ModulePath),
    /// A resource.
    Resource(ModulePath, Resource),
}

/// An `import` block.
#[derive(Clone, Debug)]
pub struct ImportBlock {
    /// The expression of `to`, for instance keys that are evaluated.
    pub to: Expr,
    /// The module call path and resource that `to` names.
    pub resource: (ModuleInstance, Resource),
    /// The id.
    pub id: Option<Expr>,
    /// The identity (an object) instead of the id.
    pub identity: Option<Expr>,
    /// `for_each`
    pub for_each: Option<Expr>,
    /// `provider`
    pub provider_config: Option<LocalProviderConfig>,
    /// The block.
    pub span: Span,
}

/// A `check` block. Its data resource stands among the module's resources.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its name.
    pub name: Name,
    /// The scoped data resource.
    pub data: Option<Resource>,
    /// `assert` blocks.
    pub asserts: Vec<CheckRule>,
    /// The block's header.
    pub span: Span,
}

/// An `encryption` block.
#[derive(Clone, Debug)]
pub struct Encryption {
    /// Its blocks: `key_provider`, `method`, `state`, `plan`, `remote_state_data_sources`.
    pub body: Body,
    /// The block's header.
    pub span: Span,
}

/// A `backend` block, or a `cloud` block with type `cloud`.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Its type, such as `s3`.
    pub type_name: Name,
    /// Its arguments.
    pub body: Body,
    /// The block's header.
    pub span: Span,
}
