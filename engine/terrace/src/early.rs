//! Evaluation of what must be known before state and providers, wired to the command line and the environment.

use std::sync::{Arc, OnceLock};

use terrace_config::variables::{self, VariableInputs};
use terrace_config::{Config, EarlyEvaluator, EarlyPlace};
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_eval::{EarlyInputs, Paths};
use terrace_functions::FunctionTable;
use terrace_port::Files as _;
use terrace_syntax::Expr;
use terrace_value::{Marks, Value};

use crate::outside::{Disk, PlanningContext};
use crate::session::Session;
use crate::wiring::variable_option;

/// Evaluates what must be known before state and providers, over the variables that the command line, the environment
/// and the working directory's variables files give.
pub(crate) struct Early {
    variables: VariableInputs,
    workspace: String,
    home: Option<String>,
    timestamp: String,
    root: String,
    /// Found when they are first needed, which is seldom.
    inputs: OnceLock<EarlyInputs>,
}

impl Early {
    pub(crate) fn new(session: &Session) -> Self {
        Self {
            variables: VariableInputs {
                options: session.variables.iter().map(variable_option).collect(),
                environment: session.environment.with_prefix("TF_VAR_"),
            },
            workspace: session.workspace(),
            home: session.environment.get("HOME").map(str::to_owned),
            timestamp: session.now(),
            root: session.root.clone(),
            inputs: OnceLock::new(),
        }
    }

    /// The value of an argument of the root module's backend.
    pub(crate) fn backend_argument(
        &self,
        config: &Config,
        name: &str,
        expression: &Expr,
    ) -> Result<Value, Diagnostics> {
        if expression.traversals().is_empty() && expression.calls().is_empty() {
            let mut diagnostics = Diagnostics::new();
            let value = terrace_config::evaluate_constant(expression, &mut diagnostics);
            return if diagnostics.has_errors() {
                Err(diagnostics)
            } else {
                Ok(value)
            };
        }
        let modules = [Arc::clone(&config.root.module)];
        let place = EarlyPlace {
            modules: &modules,
            path: &config.root.path,
            sources: &config.sources,
            what: "the backend",
        };
        let value = self.evaluate(&place, expression)?;
        if value.has_marks_deep(Marks::SENSITIVE | Marks::EPHEMERAL) {
            return Err(Diagnostic::error(
                "secret-in-backend",
                "Backend config contains sensitive values",
                format!("The argument {name:?} is derived from a sensitive or ephemeral value, but backend arguments are recorded in files. Give secrets by the environment variables that the backend reads."),
            )
            .at(expression.span)
            .into());
        }
        Ok(value)
    }

    fn inputs(&self, place: &EarlyPlace<'_>) -> &EarlyInputs {
        self.inputs.get_or_init(|| {
            // What is wrong with values is told when all of them are collected.
            let (raw, _) = variables::collect(
                &place.modules[0],
                &self.variables,
                &Disk,
                &mut place.sources.clone(),
            );
            EarlyInputs {
                functions: Arc::new(FunctionTable::standard()),
                context: Arc::new(PlanningContext::new(
                    self.timestamp.clone(),
                    self.home.clone(),
                )),
                variables: raw
                    .into_iter()
                    .map(|(name, raw)| (name, raw.value))
                    .collect(),
                workspace: self.workspace.clone(),
                paths: Paths {
                    cwd: Disk.absolute("."),
                    root: self.root.clone(),
                },
            }
        })
    }
}

impl EarlyEvaluator for Early {
    fn evaluate(&self, place: &EarlyPlace<'_>, expression: &Expr) -> Result<Value, Diagnostics> {
        terrace_eval::evaluate_early(self.inputs(place), place, expression)
    }
}
