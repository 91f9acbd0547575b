//! The evaluator.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{ModuleInstance, Name, ProviderAddr};
use terrace_config::{Config, ModuleNode};
use terrace_functions::{Context, FunctionTable};
use terrace_schema::ProviderSchema;
use terrace_value::Value;

use crate::memo::Memo;

/// The schemas of the providers that a configuration uses. Without a provider's schema, its blocks' attributes are not
/// checked and its objects are of unknown type.
pub type Schemas = BTreeMap<ProviderAddr, Arc<ProviderSchema>>;

/// What an [`Evaluator`] works with.
#[derive(Clone)]
pub struct Inputs {
    /// The configuration.
    pub config: Arc<Config>,
    /// The functions.
    pub functions: Arc<FunctionTable>,
    /// What functions may ask of the outside.
    pub context: Arc<dyn Context>,
    /// The schemas of providers.
    pub schemas: Arc<Schemas>,
    /// Values given to the root module's variables. They are converted, defaulted and marked as the variables say.
    pub variables: BTreeMap<Name, Value>,
    /// `terraform.workspace`
    pub workspace: String,
    /// `path.cwd` and `path.root`
    pub paths: Paths,
    /// `terraform.applying`
    pub applying: bool,
}

/// The directories that expressions can ask for. `path.module` is the module's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// `path.cwd`: absolute.
    pub cwd: String,
    /// `path.root`: `.`, or as `-chdir` makes it.
    pub root: String,
}

/// Evaluates expressions and bodies of one configuration.
///
/// The variables, locals and outputs of module instances are evaluated once and remembered: whoever drives must see to
/// it that what they read is known by then (the order of [`Evaluator::config_graph`]), or start again with
/// [`Evaluator::invalidate`]. What such a named value has to say is in the answer to [`Evaluator::variable`],
/// [`Evaluator::local`] and [`Evaluator::output`] alone: who only reads it, reads an unknown value where it failed.
pub struct Evaluator {
    pub(crate) inputs: Inputs,
    pub(crate) memo: Memo,
}

impl Evaluator {
    /// An evaluator that remembers nothing yet.
    pub fn new(inputs: Inputs) -> Self {
        Self { inputs, memo: Memo::default() }
    }

    /// The configuration.
    pub fn config(&self) -> &Arc<Config> {
        &self.inputs.config
    }

    /// The schemas of providers.
    pub fn schemas(&self) -> &Arc<Schemas> {
        &self.inputs.schemas
    }

    /// Forgets all values.
    pub fn invalidate(&self) {
        self.memo.clear();
    }

    /// The module that an instance is of.
    pub fn node(&self, module: &ModuleInstance) -> Option<&ModuleNode> {
        module.steps().iter().try_fold(&self.inputs.config.root, |node, step| node.children.get(&step.name))
    }
}
