//! What tests need of the outside, wired.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use terrace_addr::{ModulePath, Name};
use terrace_config::variables::{self, VariableInputs};
use terrace_config::{Config, ModuleRequest, ModuleResolver as _};
use terrace_diag::{Diagnostic, Diagnostics, SourceMap};
use terrace_module_source::{Installed, Manifest};
use terrace_plan::FileRead;
use terrace_port::{Clock, Entropy, Files, Process, Remote, Surroundings};
use terrace_provider_mock::Staged;
use terrace_state::State;
use terrace_test::{Cast, Equipment, Failed, Reading, RunBlock, TestFile, Workshop};
use terrace_value::Value;
use tokio::sync::Mutex;

use crate::args::TestArgs;
use crate::command_error::CommandError;
use crate::early::Early;
use crate::outside::{Disk, PlanningContext, SystemClock, SystemEntropy, SystemProcess, machines};
use crate::session::Session;
use crate::wiring::{ProviderSet, Wiring, load_sound_config, needed_providers, variable_option};

/// The outside, as tests need it.
pub(super) struct Bench {
    session: Arc<Session>,
    config: Arc<Config>,
    variables: BTreeMap<Name, Value>,
    process: SystemProcess,
    remote: Box<dyn Remote>,
    parallelism: usize,
    /// The providers of the runs that go on, by ticket.
    sets: Mutex<BTreeMap<u64, Arc<ProviderSet>>>,
}

impl Bench {
    pub(super) fn new(session: &Arc<Session>, args: &TestArgs) -> Result<Self, CommandError> {
        let (config, warnings) = load_sound_config(session)?;
        session.view.diagnostics(warnings, &config.sources);
        Ok(Self {
            variables: given(session, &config)?,
            config,
            session: Arc::clone(session),
            process: SystemProcess {
                surroundings: Surroundings::default(),
            },
            remote: Box::new(machines(&session.environment)),
            parallelism: args.parallelism.max(1),
            sets: Mutex::default(),
        })
    }

    /// The module of the working directory.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// Another module than that of the working directory.
    fn other(
        &self,
        module: &terrace_test::ModuleUnderTest,
        sources: &SourceMap,
    ) -> Result<Config, Failed> {
        let failed = |problem: Diagnostic| Failed {
            diagnostics: problem.into(),
            sources: sources.clone(),
        };
        let is_local = module.source.starts_with("./") || module.source.starts_with("../");
        if !is_local {
            let detail = format!(
                "The source {} of a module under test is not supported yet: only modules of this machine (./ or ../) are. A local module that calls it can be tested instead.",
                module.source
            );
            return Err(failed(Diagnostic::error(
                "unsupported-test-module",
                "Unsupported module source",
                detail,
            )));
        }
        let manifest = Manifest::read(&Disk, &self.session.data_directory()).map_err(|error| {
            failed(Diagnostic::error(
                "invalid-manifest",
                "Manifest of modules cannot be read",
                error.0,
            ))
        })?;
        let resolver = Installed::new(&Disk, manifest);
        let path = ModulePath::root().child("test");
        let directory = resolver
            .resolve(&ModuleRequest {
                path: &path,
                calling_directory: &self.session.root,
                source: &module.source,
                version: module.version.as_deref(),
                span: module.span,
            })
            .map_err(|mut problem| {
                // Its place is one of the test file's.
                problem.subject = None;
                failed(problem)
            })?;
        let early = Early::new(&self.session);
        let (config, problems) = terrace_config::load_with(&directory, &Disk, &resolver, &early);
        if problems.has_errors() {
            return Err(Failed {
                diagnostics: problems,
                sources: config.sources,
            });
        }
        Ok(config)
    }
}

/// The values that the command line, the environment and variables files give, those of variables that are missing aside:
/// tests may give them.
fn given(session: &Session, config: &Config) -> Result<BTreeMap<Name, Value>, CommandError> {
    let inputs = VariableInputs {
        options: session.variables.iter().map(variable_option).collect(),
        environment: session.environment.with_prefix("TF_VAR_"),
    };
    let root = &config.root.module;
    let mut sources = config.sources.clone();
    let (raw, found) = variables::collect(root, &inputs, &Disk, &mut sources);
    let mut diagnostics = Diagnostics::new();
    diagnostics.extend(
        found
            .into_iter()
            .filter(|found| found.id != "missing-variable"),
    );
    if diagnostics.has_errors() {
        return Err(CommandError::new(diagnostics, sources));
    }
    session.view.diagnostics(diagnostics, &sources);
    let given = raw
        .into_iter()
        .filter(|(_, raw)| raw.origin != variables::VariableOrigin::Default);
    Ok(given.map(|(name, raw)| (name, raw.value)).collect())
}

impl Reading for PlanningContext {
    fn reads(&self) -> Vec<FileRead> {
        Self::reads(self)
    }
}

#[async_trait]
impl Workshop for Bench {
    fn files(&self) -> &dyn Files {
        &Disk
    }

    fn configuration(&self, _: &TestFile, run: &RunBlock) -> Result<Arc<Config>, Failed> {
        match &run.module {
            None => Ok(Arc::clone(&self.config)),
            Some(module) => self.other(module, &self.config.sources).map(Arc::new),
        }
    }

    fn variables(&self) -> &BTreeMap<Name, Value> {
        &self.variables
    }

    async fn equip(
        &self,
        config: &Arc<Config>,
        state: &State,
        cast: &Cast,
    ) -> Result<Equipment, Diagnostics> {
        let told = |error: CommandError| error.diagnostics;
        let wiring = Wiring::new(&self.session).map_err(told)?;
        let providers = ProviderSet::new(wiring, Some(config));
        let schemas = providers
            .schemas(&needed_providers(config, state))
            .await
            .map_err(told)?;
        let planned = providers.planned().await;
        let mut sets = self.sets.lock().await;
        let ticket = sets.last_key_value().map_or(0, |(last, _)| last + 1);
        sets.insert(ticket, Arc::clone(&providers));
        drop(sets);
        let staged = Staged::new(providers, schemas, cast.clone());
        Ok(Equipment {
            ticket,
            schemas: staged.schemas(),
            providers: Arc::new(staged),
            planned,
        })
    }

    async fn put_away(&self, equipment: Equipment) {
        let set = self.sets.lock().await.remove(&equipment.ticket);
        if let Some(set) = set {
            set.close().await;
        }
    }

    fn context(&self) -> Arc<dyn Reading> {
        let home = self.session.environment.get("HOME").map(str::to_owned);
        Arc::new(PlanningContext::new(self.session.now(), home))
    }

    fn process(&self) -> &dyn Process {
        &self.process
    }

    fn remote(&self) -> &dyn Remote {
        &*self.remote
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    fn entropy(&self) -> Arc<dyn Entropy> {
        Arc::new(SystemEntropy)
    }

    fn timestamp(&self) -> String {
        self.session.now()
    }

    fn working_directory(&self) -> String {
        Disk.absolute(".")
    }

    fn parallelism(&self) -> usize {
        self.parallelism
    }
}
