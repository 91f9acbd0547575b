//! A configuration, a world of objects and a state.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::StreamExt as _;
use terrace_addr::{Name, ProviderAddr};
use terrace_apply::{Applied, Stop};
use terrace_config::{Snapshot, SnapshotFile};
use terrace_diag::Diagnostics;
use terrace_eval::{Evaluator, Inputs, Paths};
use terrace_functions::FunctionTable;
use terrace_plan::{Plan, PlanInputs, PlanMode, VariableInput, read_plan_file, write_plan_file};
use terrace_planner::PlanOptions;
use terrace_port::{Clock as _, NoRuns, Provider, ProviderError, ProviderSource};
use terrace_provider_testkit::{Call, MemoryWorld, Operation, Outcome, StrictProvider, World as _};
use terrace_state::State;
use terrace_value::Value;

use crate::outside::{Constant, Locked, Store, Turned};

type Script = Arc<dyn Fn(&Call) -> Outcome + Send + Sync>;

/// The world of one test.
pub(crate) struct World {
    pub(crate) objects: Arc<MemoryWorld>,
    pub(crate) store: Arc<Store>,
    pub(crate) providers: Mutex<Vec<Arc<StrictProvider>>>,
    pub(crate) options: PlanOptions,
    script: Script,
    variables: BTreeMap<Name, Value>,
    clock: Arc<Turned>,
}

struct Source<'a>(&'a World);

#[async_trait]
impl ProviderSource for Source<'_> {
    async fn open(&self, _: &ProviderAddr) -> Result<Arc<dyn Provider>, ProviderError> {
        let provider = Arc::new(self.0.provider());
        self.0.providers.lock().unwrap().push(provider.clone());
        Ok(provider)
    }

    fn call_function(
        &self,
        _: &ProviderAddr,
        name: &str,
        arguments: &[Value],
    ) -> Result<Value, (Option<usize>, String)> {
        let provider = self.0.provider();
        let answer = provider.call_function(name, arguments.to_vec());
        futures::executor::block_on(answer).map_err(|error| (None, error.message))?
    }
}

/// A plan, or why there is none; and what was said.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) diagnostics: Diagnostics,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            objects: Arc::default(),
            store: Arc::default(),
            providers: Mutex::default(),
            options: PlanOptions::default(),
            script: Arc::new(|_| Outcome::Proceed),
            variables: BTreeMap::new(),
            clock: Arc::new(Turned::new()),
        }
    }

    pub(crate) fn script(&mut self, script: impl Fn(&Call) -> Outcome + Send + Sync + 'static) {
        self.script = Arc::new(script);
    }

    pub(crate) fn set(&mut self, name: &str, value: Value) {
        self.variables.insert(name.into(), value);
    }

    pub(crate) fn provider(&self) -> StrictProvider {
        let (script, clock) = (self.script.clone(), self.clock.clone());
        StrictProvider::in_world(self.objects.clone())
            .with_script(move |call| script(call))
            .with_clock(move || clock.now().0)
    }

    /// The kinds of the calls since the last question, of those kinds.
    pub(crate) fn calls(&self, kinds: &[Operation]) -> Vec<String> {
        let providers = self.providers.lock().unwrap();
        let calls = providers.iter().flat_map(|provider| provider.calls());
        calls
            .filter(|call| kinds.contains(&call.operation))
            .map(|call| format!("{} {}", call.operation.name(), call.key))
            .map(|call| call.trim_end().to_owned())
            .collect()
    }

    /// Forgets the providers so far; none of them holds anything open.
    #[track_caller]
    pub(crate) fn calm(&self) {
        for provider in std::mem::take(&mut *self.providers.lock().unwrap()) {
            assert_eq!(provider.open_ephemerals(), 0, "something is still open");
            assert!(provider.is_closed(), "a provider is still open");
        }
        self.store.events.lock().unwrap().clear();
    }

    pub(crate) fn events(&self) -> Vec<String> {
        std::mem::take(&mut *self.store.events.lock().unwrap())
    }

    pub(crate) fn state_text(&self) -> String {
        let state = self.store.state.lock().unwrap().clone();
        state.map_or_else(String::new, |bytes| {
            String::from_utf8(bytes.to_vec()).unwrap()
        })
    }

    pub(crate) fn state(&self) -> State {
        let state = self.store.state.lock().unwrap().clone();
        state
            .map(|bytes| terrace_state::read(&bytes).unwrap())
            .unwrap_or_default()
    }

    /// The attributes of an object of the state.
    #[track_caller]
    pub(crate) fn attributes(&self, address: &str) -> serde_json::Value {
        let state = self.state();
        let object = state.object(&address.parse().unwrap());
        let object = object.unwrap_or_else(|| panic!("{address} is not in the state"));
        serde_json::from_slice(&object.attributes).unwrap()
    }

    /// Puts an object into the world that no state knows.
    pub(crate) fn plant(
        &self,
        id: &str,
        attributes: impl IntoIterator<Item = (&'static str, Value)>,
    ) {
        let attributes = attributes.into_iter().chain([("id", Value::string(id))]);
        let object = self.provider().object(attributes);
        self.objects.plant("test_object", id, object).unwrap();
    }

    pub(crate) fn evaluator(&self, modules: &[(&str, &str)]) -> (Arc<Evaluator>, Diagnostics) {
        let path = |module: &str| match module {
            "" => "main.tf".to_owned(),
            file if file.contains('.') => file.to_owned(),
            module => format!("{module}/main.tf"),
        };
        let mut files: Vec<SnapshotFile> = modules
            .iter()
            .map(|(module, text)| SnapshotFile {
                path: path(module),
                bytes: text.as_bytes().into(),
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let snapshot = Snapshot {
            modules: modules
                .iter()
                .filter(|(module, _)| !module.contains('.'))
                .map(|(module, _)| match *module {
                    "" => (String::new(), ".".to_owned()),
                    module => (format!("module.{module}"), module.to_owned()),
                })
                .collect(),
            files,
        };
        let (config, diagnostics) = terrace_config::load_snapshot(&snapshot);
        let schema = self.provider().provider_schema().clone();
        let evaluator = Evaluator::new(Inputs {
            config: Arc::new(config),
            functions: Arc::new(FunctionTable::standard()),
            context: Arc::new(Constant),
            schemas: Arc::new([(ProviderAddr::default_for("test"), schema)].into()),
            variables: self.variables.clone(),
            workspace: "default".into(),
            paths: Paths {
                cwd: "/".into(),
                root: ".".into(),
            },
            applying: false,
        });
        (Arc::new(evaluator), diagnostics)
    }

    /// Plans a configuration of several modules, by key; the root's is empty. A key with a dot is a file beside `main.tf`.
    pub(crate) async fn plan_modules(&self, modules: &[(&str, &str)]) -> Planned {
        let (evaluator, mut diagnostics) = self.evaluator(modules);
        let variables = self.variables.iter().map(|(name, value)| {
            let declared = &evaluator.config().root.module.variables[name];
            let input = VariableInput {
                value: (!declared.ephemeral).then(|| value.clone()),
                set: true,
            };
            (name.clone(), input)
        });
        let request = terrace_planner::PlanRequest {
            inputs: PlanInputs {
                configuration: evaluator.config().snapshot.clone(),
                variables: variables.collect(),
                workspace: "default".into(),
                timestamp: "2026-01-02T03:04:05Z".into(),
                ..PlanInputs::default()
            },
            evaluator,
            state: Arc::new(self.state()),
            providers: &Source(self),
            options: self.options.clone(),
            clock: self.clock.clone(),
            observer: self.store.clone(),
        };
        let (plan, problems) = terrace_planner::plan(request).await;
        diagnostics.append(problems);
        Planned { plan, diagnostics }
    }

    pub(crate) async fn plan(&self, text: &str) -> Planned {
        self.plan_modules(&[("", text)]).await
    }

    /// Plans without an error.
    pub(crate) async fn planned(&self, text: &str) -> Plan {
        self.plan(text).await.good()
    }

    /// Applies a plan that has been to a file and back.
    pub(crate) async fn run(&self, plan: Plan) -> Applied {
        let (plan, _) = read_plan_file(&write_plan_file(&plan).0).unwrap();
        let digest = plan.digest();
        let evidence = terrace_gate::gather(&NoRuns, &plan, digest, None, &[], 0)
            .await
            .unwrap();
        let ephemeral = plan
            .inputs
            .variables
            .iter()
            .filter(|(_, input)| input.value.is_none())
            .filter_map(|(name, _)| Some((name.clone(), self.variables.get(name)?.clone())))
            .collect();
        let approved = terrace_gate::approve(plan, evidence).unwrap();
        let mut locked = Locked(self.store.clone());
        let request = terrace_apply::ApplyRequest {
            run: "run".into(),
            providers: &Source(self),
            locked: &mut locked,
            journal: &*self.store,
            process: &*self.store,
            remote: &*self.store,
            clock: self.clock.clone(),
            entropy: Arc::new(Constant),
            observer: self.store.clone(),
            ephemeral_variables: ephemeral,
            working_directory: "/".into(),
            parallelism: 4,
            stop: &Stop::default(),
            ticks: futures::stream::pending().boxed(),
        };
        terrace_apply::run(&approved, request).await
    }

    /// Plans and applies without an error.
    pub(crate) async fn apply(&self, text: &str) -> Applied {
        let plan = self.planned(text).await;
        self.calm();
        let applied = self.run(plan).await;
        assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
        applied
    }

    /// Finds out what became of uncertain changes.
    pub(crate) async fn resolve(
        &self,
        text: &str,
        recovery: terrace_state::journal::Recovery,
    ) -> terrace_apply::recover::Resolved {
        let request = terrace_apply::recover::Resolve {
            recovery,
            evaluator: self.evaluator(&[("", text)]).0,
            providers: &Source(self),
            answers: BTreeMap::new(),
            clock: self.clock.clone(),
        };
        terrace_apply::recover::resolve(request).await
    }

    /// Destroys everything.
    pub(crate) async fn destroy(&mut self, text: &str) -> Applied {
        self.options.mode = PlanMode::Destroy;
        let plan = self.planned(text).await;
        self.options.mode = PlanMode::Normal;
        self.run(plan).await
    }
}

impl Planned {
    #[track_caller]
    pub(crate) fn good(self) -> Plan {
        let errors: Vec<String> = told(&self.diagnostics);
        assert!(!self.diagnostics.has_errors(), "{errors:#?}");
        self.plan
    }

    /// Summary and detail of each error.
    #[track_caller]
    pub(crate) fn errors(&self) -> Vec<String> {
        assert!(self.diagnostics.has_errors(), "nothing is wrong");
        told(&self.diagnostics)
    }
}

/// Summary and detail of each diagnostic.
pub(crate) fn told(diagnostics: &Diagnostics) -> Vec<String> {
    diagnostics
        .iter()
        .map(|found| format!("{}: {}", found.summary, found.detail))
        .collect()
}

/// `address action` of each change that does something.
pub(crate) fn changes(plan: &Plan) -> Vec<String> {
    plan.changes
        .iter()
        .filter(|change| change.action != terrace_plan::Action::NoOp)
        .map(|change| format!("{} {:?}", change.address, change.action))
        .collect()
}

/// Everything that a plan is kept or shown as.
pub(crate) fn texts(world: &World, plan: &Plan) -> String {
    let (config, _) = terrace_config::load_snapshot(&plan.inputs.configuration);
    let shown = terrace_plan::plan_json(plan, &config);
    let kept = plan.canonical_bytes();
    format!(
        "{shown}{}{}",
        String::from_utf8_lossy(&kept),
        world.state_text()
    )
}
