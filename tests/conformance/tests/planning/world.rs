//! A configuration text, a strict provider and a state: what a planning test is made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::executor::block_on;
use terrace_addr::{AbsProviderConfig, AbsResourceInstance, ModulePath, ProviderAddr};
use terrace_config::{Snapshot, SnapshotFile, load_snapshot};
use terrace_diag::Diagnostics;
use terrace_eval::{Evaluator, Inputs, Paths};
use terrace_functions::{Context, FileError, FunctionTable};
use terrace_plan::{Action, ActionReason, Plan, PlanInputs, ResourceChange};
use terrace_planner::{PlanOptions, PlanRequest, ValidateRequest};
use terrace_port::{Observer, OperationEvent, Provider, ProviderError, ProviderSource};
use terrace_provider_testkit::StrictProvider;
use terrace_state::{Object, ObjectStatus, State};
use terrace_value::Value;

const HEADER: &str =
    "terraform {\n  required_providers {\n    test = { source = \"terrace/test\" }\n  }\n}\n";

fn provider() -> ProviderAddr {
    ProviderAddr::new("registry.terraform.io", "terrace", "test")
}

/// What is planned, and over what.
pub(crate) struct Case {
    pub(crate) text: String,
    pub(crate) strict: Arc<StrictProvider>,
    pub(crate) state: State,
    pub(crate) options: PlanOptions,
}

impl Case {
    pub(crate) fn new(text: &str) -> Self {
        Self::over(text, StrictProvider::new())
    }

    pub(crate) fn over(text: &str, strict: StrictProvider) -> Self {
        Self {
            text: format!("{HEADER}{text}"),
            strict: Arc::new(strict),
            state: State::default(),
            options: PlanOptions::default(),
        }
    }

    /// With an object that is in the state and, as `outside` says, in the world.
    pub(crate) fn with_object(
        mut self,
        address: &str,
        stored: &[(&'static str, Value)],
        outside: Option<&[(&'static str, Value)]>,
    ) -> Self {
        let stored = self.strict.object(stored.iter().cloned());
        if let Some(outside) = outside {
            let outside = self.strict.object(outside.iter().cloned());
            let id = outside
                .get("id")
                .and_then(Value::as_str)
                .expect("planted objects have an id");
            self.strict
                .world()
                .plant("test_object", id, outside.clone())
                .expect("it can be planted");
        }
        let schema = &self.strict.provider_schema().resources["test_object"];
        let text = terrace_value::json::encode(&stored, &schema.block.implied_type())
            .expect("it can be encoded");
        let object = Object {
            schema_version: schema.version,
            attributes: text.into_bytes().into(),
            sensitive_paths: Vec::new(),
            private: [].into(),
            dependencies: [].into(),
            status: ObjectStatus::Ready,
            create_before_destroy: false,
            skip_destroy: false,
            identity: None,
        };
        let address: AbsResourceInstance = address.parse().expect("a test's address parses");
        let config = AbsProviderConfig {
            module: ModulePath::root(),
            provider: provider(),
            alias: None,
            key: None,
        };
        self.state
            .set_object(&address, None, &config, Some(Arc::new(object)));
        self
    }

    fn evaluator(&self) -> (Arc<Evaluator>, Arc<Snapshot>) {
        let snapshot = Snapshot {
            modules: [(String::new(), ".".to_owned())].into(),
            files: vec![SnapshotFile {
                path: "main.tf".into(),
                bytes: self.text.as_bytes().into(),
            }],
        };
        let (config, problems) = load_snapshot(&snapshot);
        assert!(!problems.has_errors(), "{problems:#?}");
        let evaluator = Evaluator::new(Inputs {
            config: Arc::new(config),
            functions: Arc::new(FunctionTable::standard()),
            context: Arc::new(Nowhere),
            schemas: Arc::new([(provider(), self.strict.provider_schema().clone())].into()),
            variables: BTreeMap::new(),
            workspace: "default".into(),
            paths: Paths {
                cwd: "/".into(),
                root: ".".into(),
            },
            applying: false,
        });
        (Arc::new(evaluator), Arc::new(snapshot))
    }

    pub(crate) fn plan(&self) -> Planned {
        let (evaluator, snapshot) = self.evaluator();
        let request = PlanRequest {
            evaluator,
            state: Arc::new(self.state.clone()),
            providers: &Source(Arc::clone(&self.strict)),
            options: self.options.clone(),
            inputs: PlanInputs {
                configuration: snapshot,
                ..PlanInputs::default()
            },
            clock: Arc::new(Unwatched),
            observer: Arc::new(Unwatched),
        };
        let (plan, diagnostics) = block_on(terrace_planner::plan(request));
        assert_eq!(plan.errored, diagnostics.has_errors());
        Planned { plan, diagnostics }
    }

    pub(crate) fn validate(&self) -> Diagnostics {
        let providers = &Source(Arc::clone(&self.strict));
        let request = ValidateRequest {
            evaluator: self.evaluator().0,
            providers,
            parallelism: 4,
        };
        block_on(terrace_planner::validate(request))
    }
}

/// What came out.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) diagnostics: Diagnostics,
}

impl Planned {
    /// The plan, which must have no errors.
    pub(crate) fn good(self) -> Plan {
        assert!(!self.diagnostics.has_errors(), "{:#?}", self.diagnostics);
        self.plan
    }

    pub(crate) fn summaries(&self) -> Vec<&str> {
        self.diagnostics
            .iter()
            .map(|found| &*found.summary)
            .collect()
    }
}

pub(crate) fn change<'a>(plan: &'a Plan, address: &str) -> &'a ResourceChange {
    let address = address.parse().expect("a test's address parses");
    plan.change(&address)
        .unwrap_or_else(|| panic!("no change of {address}"))
}

/// Actions with their reasons, by address.
pub(crate) fn actions(plan: &Plan) -> Vec<(String, Action, ActionReason)> {
    plan.changes
        .iter()
        .map(|change| {
            (
                change.address.to_string(),
                change.action,
                change.action_reason,
            )
        })
        .collect()
}

struct Source(Arc<StrictProvider>);

#[async_trait]
impl ProviderSource for Source {
    async fn open(&self, _: &ProviderAddr) -> Result<Arc<dyn Provider>, ProviderError> {
        Ok(self.0.clone())
    }

    fn call_function(
        &self,
        _: &ProviderAddr,
        name: &str,
        _: &[Value],
    ) -> Result<Value, (Option<usize>, String)> {
        Err((None, format!("no test calls {name}")))
    }
}

struct Unwatched;

impl terrace_port::Clock for Unwatched {
    fn now(&self) -> (i64, u32) {
        (0, 0)
    }
}

impl Observer for Unwatched {
    fn on_event(&self, _: OperationEvent) {}
}

struct Nowhere;

impl Context for Nowhere {
    fn read_file(&self, _: &str) -> Result<Arc<[u8]>, FileError> {
        Err(FileError::NotFound)
    }

    fn list_files(&self, _: &str) -> Result<Vec<String>, FileError> {
        Err(FileError::NotFound)
    }

    fn file_exists(&self, _: &str) -> Result<bool, FileError> {
        Ok(false)
    }

    fn absolute_path(&self, path: &str) -> String {
        path.to_owned()
    }

    fn home_directory(&self) -> Option<String> {
        None
    }

    fn timestamp(&self) -> Option<String> {
        None
    }

    fn plan_timestamp(&self) -> Option<String> {
        None
    }

    fn entropy(&self) -> Option<[u8; 16]> {
        None
    }
}
