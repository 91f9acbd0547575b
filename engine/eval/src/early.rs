//! Evaluation of what must be known before state and providers: sources of modules, backends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrace_addr::{ModuleInstance, ModulePath, Name};
use terrace_config::{Config, EarlyPlace, ModuleNode, Snapshot};
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_functions::{Context, FunctionTable};
use terrace_syntax::{Expr, Traversal};
use terrace_value::Value;

use crate::expression::traversal_span;
use crate::reference::{Reference, Subject};
use crate::{Evaluator, Inputs, NoValues, Paths, Scope};

/// What early evaluation works with.
#[derive(Clone)]
pub struct EarlyInputs {
    /// The functions.
    pub functions: Arc<FunctionTable>,
    /// What functions may ask of the outside.
    pub context: Arc<dyn Context>,
    /// Values given to the root module's variables, not converted yet.
    pub variables: BTreeMap<Name, Value>,
    /// `terraform.workspace`
    pub workspace: String,
    /// `path.cwd` and `path.root`
    pub paths: Paths,
}

/// Evaluates an expression over input variables, local values, `path` and `terraform.workspace` alone; any other
/// reference, and any value that comes from one, is an error. The value is wholly known, and keeps its marks.
pub fn evaluate_early(
    inputs: &EarlyInputs,
    place: &EarlyPlace<'_>,
    expression: &Expr,
) -> Result<Value, Diagnostics> {
    let problems = trace(Some(inputs), place, expression);
    if problems.has_errors() {
        return Err(problems);
    }
    let config = Config {
        root: chain(place, 0, &ModulePath::root()),
        sources: place.sources.clone(),
        snapshot: Arc::new(Snapshot::default()),
        unmet_versions: Diagnostics::new(),
    };
    let evaluator = Evaluator::new(Inputs {
        config: Arc::new(config),
        functions: Arc::clone(&inputs.functions),
        context: Arc::clone(&inputs.context),
        schemas: Arc::default(),
        variables: inputs.variables.clone(),
        workspace: inputs.workspace.clone(),
        paths: inputs.paths.clone(),
        applying: false,
    });
    let module = place
        .path
        .steps()
        .iter()
        .fold(ModuleInstance::root(), |module, step| {
            module.child(step.clone(), None)
        });
    let evaluated = evaluator.expression(expression, &Scope::module(module.clone()), &NoValues);
    let mut diagnostics = evaluated.diagnostics;
    for dependency in &evaluated.dependencies {
        if let crate::Dependency::Variable(address) = dependency {
            diagnostics.append(evaluator.variable(address, &NoValues).diagnostics);
        } else if let crate::Dependency::Local(address) = dependency {
            diagnostics.append(evaluator.local(address, &NoValues).diagnostics);
        }
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    if !evaluated.value.is_wholly_known() {
        return Err(Diagnostic::error(
            "dynamic-early-value",
            "Value not known early enough",
            format!(
                "The value of this expression is not known before the configuration is carried out, but {} needs it.",
                place.what
            ),
        )
        .at(expression.span)
        .into());
    }
    Ok(evaluated.value)
}

impl Evaluator {
    /// What keeps an expression of the module `path` from being known before state and providers, whatever values
    /// variables have.
    pub(crate) fn early_problems(
        &self,
        path: &ModulePath,
        expression: &Expr,
        what: &str,
    ) -> Diagnostics {
        let config = &self.inputs.config;
        let mut node = &config.root;
        let mut modules = vec![Arc::clone(&node.module)];
        for step in path.steps() {
            match node.children.get(step) {
                Some(child) => node = child,
                None => return Diagnostics::new(),
            }
            modules.push(Arc::clone(&node.module));
        }
        let place = EarlyPlace {
            modules: &modules,
            path,
            sources: &config.sources,
            what,
        };
        trace(None, &place, expression)
    }
}

/// Which references keep an expression from being known early.
fn trace(inputs: Option<&EarlyInputs>, place: &EarlyPlace<'_>, expression: &Expr) -> Diagnostics {
    let mut tracer = Tracer {
        inputs,
        place,
        seen: BTreeSet::new(),
        path: Vec::new(),
        diagnostics: Diagnostics::new(),
    };
    tracer.expression(place.modules.len() - 1, expression);
    tracer.diagnostics
}

/// The modules as a tree of one branch.
fn chain(place: &EarlyPlace<'_>, depth: usize, path: &ModulePath) -> ModuleNode {
    let children = place
        .path
        .steps()
        .get(depth)
        .map(|step| {
            (
                step.clone(),
                chain(place, depth + 1, &path.child(step.clone())),
            )
        })
        .into_iter()
        .collect();
    ModuleNode {
        path: path.clone(),
        module: Arc::clone(&place.modules[depth]),
        source: "".into(),
        children,
    }
}

/// Follows references until they end in what is known early, or do not.
struct Tracer<'a> {
    /// What is given, where that is to be judged too.
    inputs: Option<&'a EarlyInputs>,
    place: &'a EarlyPlace<'a>,
    seen: BTreeSet<(usize, &'static str, Name)>,
    /// What was followed so far, for messages.
    path: Vec<String>,
    diagnostics: Diagnostics,
}

impl Tracer<'_> {
    fn expression(&mut self, depth: usize, expression: &Expr) {
        for traversal in expression.traversals() {
            self.reference(depth, traversal);
        }
    }

    fn reference(&mut self, depth: usize, traversal: &Traversal) {
        match Reference::of(traversal).map(|reference| reference.subject) {
            Ok(Subject::Variable(ident)) => self.variable(depth, &ident.name, traversal),
            Ok(Subject::Local(ident)) => {
                if let Some(local) = self.place.modules[depth].locals.get(&ident.name)
                    && self.seen.insert((depth, "local", ident.name.clone()))
                {
                    let value = local.value.clone();
                    self.follow(format!("local.{}", ident.name), depth, &value);
                }
            }
            Ok(Subject::Path(_) | Subject::Terraform(_)) => {}
            // Names that `for` binds are no references; other mistakes are told when the value is evaluated.
            Err(_) => {}
            Ok(_) => self.refuse(traversal, "It can use input variables, local values, path and terraform.workspace, where those are given by the same."),
        }
    }

    fn variable(&mut self, depth: usize, name: &Name, traversal: &Traversal) {
        let Some(variable) = self.place.modules[depth].variables.get(name) else {
            return;
        };
        if variable.constant == Some(false) {
            self.refuse(
                traversal,
                &format!("The variable \"{name}\" is declared with const = false."),
            );
            return;
        }
        if !self.seen.insert((depth, "var", name.clone())) {
            return;
        }
        if depth == 0 {
            let is_given = |inputs: &EarlyInputs| inputs.variables.contains_key(name);
            if variable.default.is_none() && !self.inputs.is_none_or(is_given) {
                let detail = format!(
                    "The variable \"{name}\" is needed early, for {}, but is not set and has no default value. Use a -var or -var-file command line argument to provide a value for this variable.",
                    self.place.what
                );
                self.diagnostics.push(
                    Diagnostic::error("missing-variable", "No value for required variable", detail)
                        .at(variable.span),
                );
            }
            return;
        }
        let step = &self.place.path.steps()[depth - 1];
        let input = self.place.modules[depth - 1]
            .calls
            .get(step)
            .and_then(|call| call.inputs.get(name))
            .cloned();
        if let Some(input) = input {
            self.follow(format!("var.{name} of module.{step}"), depth - 1, &input);
        }
    }

    fn follow(&mut self, name: String, depth: usize, expression: &Expr) {
        self.path.push(name);
        self.expression(depth, expression);
        self.path.pop();
    }

    fn refuse(&mut self, traversal: &Traversal, why: &str) {
        let way = if self.path.is_empty() {
            String::new()
        } else {
            format!(" It is reached through {}.", self.path.join(", then "))
        };
        self.diagnostics.push(
            Diagnostic::error(
                "dynamic-early-value",
                "Value not known early enough",
                format!(
                    "This value cannot be used for {}, which must be known before any state or provider is read.{way} {why}",
                    self.place.what
                ),
            )
            .at(traversal_span(traversal, traversal.steps.len())),
        );
    }
}
