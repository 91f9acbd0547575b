//! The evaluator.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{AbsNamed, ModuleInstance, Name, ProviderAddr};
use terrace_config::{Config, ModuleNode};
use terrace_diag::Diagnostic;
use terrace_functions::{Context, FunctionTable};
use terrace_schema::ProviderSchema;
use terrace_syntax::Expr;
use terrace_value::convert::convert;
use terrace_value::{Marks, Type, Value};

use crate::expression::Run;
use crate::index::Index;
use crate::memo::{Memo, NamedKind};
use crate::{Evaluated, Scope, Values};

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

/// What a plan knows of the outputs of called modules. It stays so while applying, even where it would come out otherwise
/// with what becomes known then: a string that is compared with an object differs from it, until it turns out to be null.
#[derive(Clone, Default)]
pub struct KnownOutputs {
    outputs: Vec<(AbsNamed, Arc<Evaluated>)>,
}

/// Evaluates expressions and bodies of one configuration.
///
/// The variables, locals and outputs of module instances are evaluated once and remembered: whoever drives must see to
/// it that what they read is known by then (the order of [`Evaluator::config_graph`]), or start again with
/// [`Evaluator::invalidate`]. While applying, only what is wholly known is remembered. What such a named value has to say is in the answer to [`Evaluator::variable`],
/// [`Evaluator::local`] and [`Evaluator::output`] alone: who only reads it, reads an unknown value where it failed.
pub struct Evaluator {
    pub(crate) inputs: Inputs,
    pub(crate) index: Index,
    pub(crate) memo: Memo,
    /// Whether variables are unknown whatever they are given, because the configuration itself is judged.
    pub(crate) validating: bool,
}

impl Evaluator {
    /// An evaluator that remembers nothing yet.
    pub fn new(inputs: Inputs) -> Self {
        let index = Index::of(&inputs.config);
        Self {
            inputs,
            index,
            memo: Memo::default(),
            validating: false,
        }
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

    /// Forgets all values but these: they are what they were, whatever has been learned since.
    pub fn start_again_with(&self, known: &KnownOutputs) {
        self.memo.clear();
        for (address, evaluated) in &known.outputs {
            self.memo
                .remember(NamedKind::Output, address, Arc::clone(evaluated));
        }
    }

    /// The outputs of called modules that are wholly known by `values`, which are those that a plan leads to.
    pub fn known_outputs(&self, values: &dyn Values) -> KnownOutputs {
        let mut known = KnownOutputs::default();
        for node in self.inputs.config.root.walk() {
            if node.path.is_root() || node.module.outputs.is_empty() {
                continue;
            }
            for module in self
                .module_instances(&node.path, values)
                .unwrap_or_default()
            {
                for name in node.module.outputs.keys() {
                    let address = AbsNamed::new(module.clone(), name.clone());
                    let evaluated = self.named(NamedKind::Output, &address, values);
                    if evaluated.value.is_wholly_known()
                        && !evaluated.value.has_marks_deep(Marks::EPHEMERAL)
                        && !evaluated.diagnostics.has_errors()
                    {
                        known.outputs.push((address, evaluated));
                    }
                }
            }
        }
        known
    }

    /// The module that an instance is of.
    pub fn node(&self, module: &ModuleInstance) -> Option<&ModuleNode> {
        module
            .steps()
            .iter()
            .try_fold(&self.inputs.config.root, |node, step| {
                node.children.get(&step.name)
            })
    }

    /// Evaluates an expression.
    pub fn expression(&self, expression: &Expr, scope: &Scope, values: &dyn Values) -> Evaluated {
        let mut run = Run::new(self, scope, values);
        let value = run.whole(expression);
        run.finish(value)
    }

    /// Evaluates an expression and converts it to a type.
    pub fn expression_as(
        &self,
        expression: &Expr,
        ty: &Type,
        scope: &Scope,
        values: &dyn Values,
    ) -> Evaluated {
        let mut evaluated = self.expression(expression, scope, values);
        if evaluated.diagnostics.has_errors() {
            evaluated.value = Value::unknown(ty.without_optional());
            return evaluated;
        }
        match convert(&evaluated.value, ty) {
            Ok(value) => evaluated.value = value,
            Err(error) => {
                let detail = format!("Invalid expression value: {error}.");
                let diagnostic =
                    Diagnostic::error("incorrect-type", "Incorrect value type", detail);
                evaluated.diagnostics.push(diagnostic.at(expression.span));
                evaluated.value = Value::unknown(ty.without_optional());
            }
        }
        evaluated
    }
}
