//! An engine in this process: a configuration of objects of the test provider, planned and applied.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt as _;
use terrace_addr::ProviderAddr;
use terrace_apply::{ApplyRequest, Stop};
use terrace_config::{Snapshot, SnapshotFile};
use terrace_diag::Diagnostics;
use terrace_eval::{Evaluator, Inputs, Paths};
use terrace_functions::{Context, FileError, FunctionTable};
use terrace_plan::{Plan, PlanInputs};
use terrace_planner::{PlanOptions, PlanRequest};
use terrace_port::{
    Connection, Entropy, JournalStore, LockedState, NoRuns, Observer, OperationEvent, Process,
    ProcessOutput, ProcessRequest, Provider, ProviderError, ProviderSource, Remote, RemoteError,
    RemoteTask,
};
use terrace_provider_testkit::{MemoryWorld, Operation, Outcome, StrictProvider};
use terrace_state::State;
use terrace_value::Value;

use super::servers::Now;
use crate::Failure;

/// Nothing outside of the engine but its provider.
struct Nothing;

impl Entropy for Nothing {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

impl Context for Nothing {
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

impl Observer for Nothing {
    fn on_event(&self, _: OperationEvent) {}
}

#[async_trait]
impl Process for Nothing {
    async fn run(
        &self,
        _: ProcessRequest,
        _: &(dyn for<'a> Fn(&'a str) + Send + Sync),
    ) -> std::io::Result<ProcessOutput> {
        Err(std::io::Error::other("nothing is run"))
    }
}

#[async_trait]
impl Remote for Nothing {
    async fn carry_out(
        &self,
        _: &Connection,
        _: &RemoteTask,
        _: &(dyn for<'a> Fn(&'a str) + Send + Sync),
    ) -> Result<(), RemoteError> {
        Err(RemoteError("nothing is reached".into()))
    }
}

/// Objects of the test provider whose creation takes a while.
struct Source {
    world: Arc<MemoryWorld>,
    takes: Duration,
}

impl Source {
    fn provider(&self) -> StrictProvider {
        let takes = self.takes;
        StrictProvider::in_world(self.world.clone()).with_script(move |call| {
            if call.operation == Operation::Create {
                Outcome::Delay(takes)
            } else {
                Outcome::Proceed
            }
        })
    }
}

#[async_trait]
impl ProviderSource for Source {
    async fn open(&self, _: &ProviderAddr) -> Result<Arc<dyn Provider>, ProviderError> {
        Ok(Arc::new(self.provider()))
    }

    fn call_function(
        &self,
        _: &ProviderAddr,
        _: &str,
        _: &[Value],
    ) -> Result<Value, (Option<usize>, String)> {
        Err((None, "no functions".to_owned()))
    }
}

/// What is applied, and how.
pub(super) struct Work {
    pub(super) objects: usize,
    pub(super) takes: Duration,
    pub(super) parallelism: usize,
}

fn refuse(diagnostics: &Diagnostics) -> Result<(), Failure> {
    match diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
        Some(error) => Err(format!("{}: {}", error.summary, error.detail).into()),
        None => Ok(()),
    }
}

impl Work {
    fn source(&self) -> Source {
        Source {
            world: Arc::default(),
            takes: self.takes,
        }
    }

    async fn plan(&self, source: &Source) -> Result<Plan, Failure> {
        let text = format!(
            "resource \"test_object\" \"many\" {{\n  count  = {}\n  string = \"object ${{count.index}}\"\n  list   = [\"a\", \"b\"]\n}}\n",
            self.objects
        );
        let snapshot = Snapshot {
            modules: [(String::new(), ".".to_owned())].into(),
            files: vec![SnapshotFile {
                path: "main.tf".to_owned(),
                bytes: text.as_bytes().into(),
            }],
        };
        let (config, diagnostics) = terrace_config::load_snapshot(&snapshot);
        refuse(&diagnostics)?;
        let schema = source.provider().provider_schema().clone();
        let evaluator = Arc::new(Evaluator::new(Inputs {
            config: Arc::new(config),
            functions: Arc::new(FunctionTable::standard()),
            context: Arc::new(Nothing),
            schemas: Arc::new([(ProviderAddr::default_for("test"), schema)].into()),
            variables: [].into(),
            workspace: "default".into(),
            paths: Paths {
                cwd: "/".into(),
                root: ".".into(),
            },
            applying: false,
        }));
        let request = PlanRequest {
            inputs: PlanInputs {
                configuration: evaluator.config().snapshot.clone(),
                workspace: "default".into(),
                timestamp: "2026-01-02T03:04:05Z".into(),
                ..PlanInputs::default()
            },
            evaluator,
            state: Arc::new(State::default()),
            providers: source,
            options: PlanOptions::default(),
            clock: Arc::new(Now),
            observer: Arc::new(Nothing),
        };
        let (plan, diagnostics) = terrace_planner::plan(request).await;
        refuse(&diagnostics)?;
        Ok(plan)
    }

    /// Plans and applies; how long the apply took, from its beginning to the stored state.
    pub(super) async fn apply(
        &self,
        locked: &mut dyn LockedState,
        journal: &dyn JournalStore,
    ) -> Result<Duration, Failure> {
        let source = self.source();
        let plan = self.plan(&source).await?;
        let digest = plan.digest();
        let evidence = terrace_gate::gather(&NoRuns, &plan, digest, None, &[], 0).await?;
        let approved =
            terrace_gate::approve(plan, evidence).map_err(|refusal| format!("{refusal:?}"))?;
        let began = Instant::now();
        let applied = terrace_apply::run(
            &approved,
            ApplyRequest {
                run: "run".into(),
                providers: &source,
                locked,
                journal,
                process: &Nothing,
                remote: &Nothing,
                clock: Arc::new(Now),
                entropy: Arc::new(Nothing),
                observer: Arc::new(Nothing),
                ephemeral_variables: [].into(),
                working_directory: "/".into(),
                parallelism: self.parallelism,
                stop: &Stop::default(),
                ticks: futures::stream::pending().boxed(),
            },
        )
        .await;
        let took = began.elapsed();
        refuse(&applied.diagnostics)?;
        if applied.counts.added != self.objects {
            return Err(format!("{} objects were created", applied.counts.added).into());
        }
        Ok(took)
    }
}
