//! A configuration in memory with Terrace's own provider, in this process.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use futures::executor::block_on;
use terrace_addr::{ModuleInstance, Name, ProviderAddr};
use terrace_config::variables::{self, VariableInputs};
use terrace_config::{Config, load};
use terrace_diag::{Diagnostics, SourceFile, SourceMap};
use terrace_eval::{Evaluator, Inputs, NoValues, Paths, Schemas, Scope};
use terrace_functions::FunctionTable;
use terrace_module_source::{Installed, Manifest};
use terrace_plan::{Action, Plan, PlanInputs};
use terrace_planner::{PlanOptions, PlanRequest, ValidateRequest};
use terrace_port::{
    Clock, Entropy, Observer, OperationEvent, Provider, ProviderError, ProviderSource,
};
use terrace_provider_builtin::{Builtin, RemoteOutputs, RemoteStates};
use terrace_state::State;
use terrace_value::{Value, literal};

use crate::place::Place;
use crate::speech;

/// An example's configuration.
pub(crate) struct World {
    place: Place,
    config: Arc<Config>,
    found: Diagnostics,
}

impl World {
    pub(crate) fn new(files: &BTreeMap<String, String>) -> Self {
        let place = Place::new(files);
        let (config, found) = load(".", &place, &Installed::new(&place, Manifest::default()));
        Self {
            place,
            config: Arc::new(config),
            found,
        }
    }

    fn evaluator(&self, variables: BTreeMap<Name, Value>) -> Arc<Evaluator> {
        Self::evaluator_of(Arc::clone(&self.config), self.place.clone(), variables)
    }

    fn evaluator_of(
        config: Arc<Config>,
        place: Place,
        variables: BTreeMap<Name, Value>,
    ) -> Arc<Evaluator> {
        let schemas = [(ProviderAddr::builtin(), Arc::new(Builtin::static_schema()))];
        Arc::new(Evaluator::new(Inputs {
            config,
            functions: Arc::new(FunctionTable::standard()),
            context: Arc::new(place),
            schemas: Arc::new(Schemas::from(schemas)),
            variables,
            workspace: "default".into(),
            paths: Paths {
                cwd: "/project".into(),
                root: ".".into(),
            },
            applying: false,
        }))
    }

    fn variables(&self, sources: &mut SourceMap) -> (BTreeMap<Name, Value>, Diagnostics) {
        let root = &self.config.root.module;
        let (raw, mut diagnostics) =
            variables::collect(root, &VariableInputs::default(), &self.place, sources);
        let mut values = BTreeMap::new();
        for (name, raw) in raw {
            if let Some(variable) = root.variables.get(&name)
                && let Err(problem) = variables::convert_raw(variable, &raw, sources)
            {
                diagnostics.push(problem);
            }
            values.insert(name, raw.value);
        }
        (values, diagnostics)
    }

    /// The value of an expression in the root module, or what is wrong with it.
    pub(crate) fn answer(&self, expression: &str) -> String {
        let mut sources = self.config.sources.clone();
        if self.found.has_errors() {
            return speech::all(self.found.clone(), &sources);
        }
        let (variables, problems) = self.variables(&mut sources);
        if problems.has_errors() {
            return speech::all(problems, &sources);
        }
        let id = sources.add(SourceFile::new("<console-input>", expression));
        let (parsed, problems) = terrace_syntax::parse_expression(id, expression);
        if problems.has_errors() {
            return told(&problems);
        }
        let mut config = Config::clone(&self.config);
        config.sources = sources;
        let evaluator = Self::evaluator_of(Arc::new(config), self.place.clone(), variables);
        let scope = Scope::module(ModuleInstance::root());
        let evaluated = evaluator.expression(&parsed, &scope, &NoValues);
        if evaluated.diagnostics.has_errors() {
            return told(&evaluated.diagnostics);
        }
        literal::shown(&evaluated.value, 0)
    }

    /// What validation says, and then, where it found no error, a plan.
    pub(crate) fn diagnostics(&self) -> String {
        let (_, diagnostics, sources) = self.planned();
        speech::all(diagnostics, &sources)
    }

    /// What a plan would do.
    pub(crate) fn plan(&self) -> String {
        let (plan, diagnostics, sources) = self.planned();
        match plan {
            Some(plan) if !diagnostics.has_errors() => summary(&plan),
            _ => speech::all(diagnostics, &sources),
        }
    }

    fn planned(&self) -> (Option<Plan>, Diagnostics, SourceMap) {
        let mut sources = self.config.sources.clone();
        let mut diagnostics = self.found.clone();
        if diagnostics.has_errors() {
            return (None, diagnostics, sources);
        }
        diagnostics.append(block_on(terrace_planner::validate(ValidateRequest {
            evaluator: self.evaluator(BTreeMap::new()),
            providers: &OwnProvider,
            parallelism: 1,
        })));
        if diagnostics.has_errors() {
            return (None, diagnostics, sources);
        }
        let (variables, problems) = self.variables(&mut sources);
        let refused = problems.has_errors();
        diagnostics.append(problems);
        if refused {
            return (None, diagnostics, sources);
        }
        let (plan, problems) = block_on(terrace_planner::plan(PlanRequest {
            evaluator: self.evaluator(variables),
            state: Arc::new(State::default()),
            providers: &OwnProvider,
            options: PlanOptions::default(),
            inputs: PlanInputs {
                configuration: self.config.snapshot.clone(),
                ..PlanInputs::default()
            },
            clock: Arc::new(Still),
            observer: Arc::new(Unwatched),
        }));
        // Planning finds again what validation warned of.
        let known: Vec<_> = diagnostics.iter().cloned().collect();
        for problem in problems.sorted() {
            if !known.contains(&problem) {
                diagnostics.push(problem);
            }
        }
        (Some(plan), diagnostics, sources)
    }
}

fn told(diagnostics: &Diagnostics) -> String {
    let errors = diagnostics.iter().filter(|problem| problem.is_error());
    let told: Vec<String> = errors.map(|problem| speech::one(problem, None)).collect();
    told.join("\n")
}

/// One line for each change, and the outputs.
fn summary(plan: &Plan) -> String {
    let mut text = String::new();
    for change in &plan.changes {
        // Nothing exists before, so nothing else can be planned.
        let symbol = match change.action {
            Action::NoOp => continue,
            Action::Read => "<=",
            _ => "+",
        };
        writeln!(text, "{symbol} {}", change.address).expect("strings take all");
    }
    for (name, output) in &plan.outputs {
        let value = if output.sensitive {
            "(sensitive value)".to_owned()
        } else {
            literal::shown(&output.after, 0)
        };
        writeln!(text, "{name} = {value}").expect("strings take all");
    }
    if text.is_empty() {
        text.push_str("No changes.\n");
    }
    text
}

struct OwnProvider;

#[async_trait]
impl ProviderSource for OwnProvider {
    async fn open(&self, provider: &ProviderAddr) -> Result<Arc<dyn Provider>, ProviderError> {
        if provider.is_builtin() {
            Ok(Arc::new(Builtin::new(Arc::new(Still), Arc::new(NoStates))))
        } else {
            Err(ProviderError {
                message: format!("pages know no provider {provider}"),
            })
        }
    }

    fn call_function(
        &self,
        _: &ProviderAddr,
        name: &str,
        arguments: &[Value],
    ) -> Result<Value, (Option<usize>, String)> {
        terrace_provider_builtin::call_function(name, arguments)
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> (i64, u32) {
        (0, 0)
    }
}

impl Entropy for Still {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

struct NoStates;

#[async_trait]
impl RemoteStates for NoStates {
    async fn outputs(&self, _: &str, _: &Value, _: &str) -> Result<Option<RemoteOutputs>, String> {
        Ok(None)
    }
}

struct Unwatched;

impl Observer for Unwatched {
    fn on_event(&self, _: OperationEvent) {}
}
