//! What a test file says.

use std::sync::Arc;

use terrace_addr::{AbsResourceInstance, LocalProviderConfig, Name, Target};
use terrace_config::CheckRule;
use terrace_diag::Span;
use terrace_plan::PlanMode;
use terrace_syntax::{Body, Expr};
use terrace_value::Value;

/// A test file.
#[derive(Clone, Debug, Default)]
pub struct TestFile {
    /// Its path, relative to the working directory.
    pub path: String,
    /// Whether its runs may go on at the same time unless they say otherwise (`test { parallel = true }`).
    pub parallel: bool,
    /// Values of variables for all runs.
    pub variables: Vec<Assigned>,
    /// Configurations of providers, made up or real.
    pub providers: Vec<FileProvider>,
    /// What objects are like in all runs.
    pub overrides: Vec<Override>,
    /// The runs, in order.
    pub runs: Vec<RunBlock>,
}

/// A variable that is given a value.
#[derive(Clone, Debug)]
pub struct Assigned {
    /// The variable.
    pub name: Name,
    /// The value.
    pub value: Expr,
    /// From the name to the value's end.
    pub span: Span,
}

/// A `provider` or `mock_provider` block.
#[derive(Clone, Debug)]
pub struct FileProvider {
    /// How tests name it.
    pub local: LocalProviderConfig,
    /// Its arguments, where it is a real one.
    pub body: Body,
    /// Where its alias is given.
    pub alias_span: Option<Span>,
    /// What it answers, where it is made up.
    pub mock: Option<MockBlock>,
    /// The block's header.
    pub span: Span,
}

/// What a made up provider answers.
#[derive(Clone, Debug, Default)]
pub struct MockBlock {
    /// Whether its values are there while planning, unless a block says otherwise.
    pub during_plan: bool,
    /// What computed attributes of managed resources are, by type.
    pub resources: Vec<MockDefaults>,
    /// What computed attributes of data sources are, by type.
    pub data_sources: Vec<MockDefaults>,
    /// What objects are like.
    pub overrides: Vec<Override>,
    /// The directory that holds more of this, with the place that names it.
    pub source: Option<(String, Span)>,
}

/// A `mock_resource` or `mock_data` block.
#[derive(Clone, Debug)]
pub struct MockDefaults {
    /// The type.
    pub type_name: Name,
    /// Values of computed attributes, an object.
    pub values: Value,
    /// Whether they are there while planning.
    pub during_plan: bool,
    /// The block's header.
    pub span: Span,
}

/// An `override_resource`, `override_data` or `override_module` block.
#[derive(Clone, Debug)]
pub struct Override {
    /// Of what it is.
    pub kind: OverrideKind,
    /// What is overridden; a module or resource without a key stands for all its instances.
    pub target: Target,
    /// Values of attributes or outputs, an object.
    pub values: Value,
    /// Whether they are there while planning, for resources; `None` leaves it to what is around.
    pub during_plan: Option<bool>,
    /// The block's header.
    pub span: Span,
}

/// What is overridden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverrideKind {
    /// A managed resource.
    Resource,
    /// A data source.
    Data,
    /// The outputs of a module, of which nothing else is carried out.
    Module,
}

impl OverrideKind {
    /// The type of its block.
    pub const fn block(self) -> &'static str {
        match self {
            Self::Resource => "override_resource",
            Self::Data => "override_data",
            Self::Module => "override_module",
        }
    }

    /// What it may target.
    pub const fn targets(self) -> &'static str {
        match self {
            Self::Resource => "resources",
            Self::Data => "data sources",
            Self::Module => "modules",
        }
    }

    /// The argument that holds its values.
    pub const fn argument(self) -> &'static str {
        match self {
            Self::Resource | Self::Data => "values",
            Self::Module => "outputs",
        }
    }
}

/// What a run does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunCommand {
    /// Only plans.
    Plan,
    /// Plans and applies.
    #[default]
    Apply,
}

/// A `run` block.
#[derive(Clone, Debug)]
pub struct RunBlock {
    /// Its name.
    pub name: Name,
    /// What it does.
    pub command: RunCommand,
    /// How it plans.
    pub plan: PlanSettings,
    /// Values of variables.
    pub variables: Vec<Assigned>,
    /// Which provider of the file each provider of the module is. Nothing said: by their names.
    pub providers: Vec<ProviderPassed>,
    /// The module that is tested; `None` for the one in the working directory.
    pub module: Option<ModuleUnderTest>,
    /// What must hold.
    pub assertions: Vec<CheckRule>,
    /// What must not.
    pub expected: Vec<Expected>,
    /// What objects are like.
    pub overrides: Vec<Override>,
    /// The state that it works on, by name; `None` for that of its module.
    pub state_key: Option<String>,
    /// Whether it may go on at the same time as its neighbours; `None` leaves it to the file.
    pub parallel: Option<bool>,
    /// The block's header.
    pub span: Span,
}

/// How a run plans.
#[derive(Clone, Debug)]
pub struct PlanSettings {
    /// `mode`
    pub mode: PlanMode,
    /// `refresh`
    pub refresh: bool,
    /// `replace`
    pub replace: Vec<AbsResourceInstance>,
    /// `target`
    pub targets: Vec<Target>,
}

impl Default for PlanSettings {
    fn default() -> Self {
        Self {
            mode: PlanMode::Normal,
            refresh: true,
            replace: Vec::new(),
            targets: Vec::new(),
        }
    }
}

/// One entry of `providers`.
#[derive(Clone, Debug)]
pub struct ProviderPassed {
    /// How the module names it.
    pub inner: LocalProviderConfig,
    /// How the file names it.
    pub outer: LocalProviderConfig,
    /// Where it is named.
    pub span: Span,
}

/// Another module than that of the working directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleUnderTest {
    /// Its source.
    pub source: Arc<str>,
    /// Its version constraint.
    pub version: Option<Arc<str>>,
    /// Where the source stands.
    pub span: Span,
}

/// An object whose conditions must fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// `var`, `output`, `check` or `resource`, as results of conditions call it.
    pub kind: &'static str,
    /// Its address: in the configuration, or of one instance.
    pub address: String,
    /// Where it is named.
    pub span: Span,
}

impl TestFile {
    /// The run of a name.
    pub fn run(&self, name: &str) -> Option<&RunBlock> {
        self.runs.iter().find(|run| &*run.name == name)
    }

    /// Whether a run may go on at the same time as others.
    pub fn is_parallel(&self, run: &RunBlock) -> bool {
        run.parallel.unwrap_or(self.parallel)
    }
}
