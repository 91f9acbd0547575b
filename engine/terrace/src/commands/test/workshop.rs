//! What tests need of the outside, wired.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use terrace_addr::Name;
use terrace_config::Config;
use terrace_config::variables::{self, VariableInputs};
use terrace_diag::{Diagnostic, Diagnostics, SourceMap};
use terrace_module_source::{Installed, Manifest};
use terrace_plan::FileRead;
use terrace_port::{Clock, Entropy, Files, Process, Remote, Surroundings};
use terrace_provider_mock::Staged;
use terrace_state::State;
use terrace_test::{
    Cast, Equipment, Failed, ModuleUnderTest, Reading, RunBlock, TestFile, Workshop,
};
use terrace_value::Value;
use tokio::sync::Mutex;

use crate::args::TestArgs;
use crate::command_error::CommandError;
use crate::outside::{Disk, PlanningContext, SystemClock, SystemEntropy, SystemProcess, machines};
use crate::session::Session;
use crate::test_modules;
use crate::wiring::{ProviderSet, Wiring, load_sound_config, needed_providers, variable_option};

/// The outside, as tests need it.
pub(super) struct Bench {
    session: Arc<Session>,
    wiring: Arc<Wiring>,
    config: Arc<Config>,
    variables: BTreeMap<Name, Value>,
    /// The same with what the variables files in the folder of tests say, which holds for the test files in it.
    variables_there: BTreeMap<Name, Value>,
    folder: String,
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
        let folder = args.test_directory.trim_end_matches('/').to_owned();
        let variables = given(session, &config)?;
        let mut variables_there = variables.clone();
        variables_there.extend(given_there(session, &config, &folder)?);
        Ok(Self {
            variables,
            variables_there,
            folder,
            config,
            wiring: Wiring::new(session)?.into(),
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
        file: &TestFile,
        run: &RunBlock,
        module: &ModuleUnderTest,
        sources: &SourceMap,
    ) -> Result<Config, Failed> {
        let failed = |(diagnostics, sources): (Diagnostics, SourceMap)| Failed {
            diagnostics,
            sources,
        };
        let manifest = Manifest::read(&Disk, &self.session.data_directory()).map_err(|error| {
            let problem = Diagnostic::error(
                "invalid-manifest",
                "Manifest of modules cannot be read",
                error.0,
            );
            failed((problem.into(), sources.clone()))
        })?;
        let resolver = Installed::new(&Disk, manifest);
        let place = (&*file.path, &*run.name);
        test_modules::load(&self.session, &resolver, place, module, sources).map_err(failed)
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

/// The values that variables files in the folder of tests give.
fn given_there(
    session: &Session,
    config: &Config,
    folder: &str,
) -> Result<BTreeMap<Name, Value>, CommandError> {
    let mut sources = config.sources.clone();
    let root = &config.root.module;
    let (values, diagnostics) = variables::of_directory(root, folder, &Disk, &mut sources);
    if diagnostics.has_errors() {
        return Err(CommandError::new(diagnostics, sources));
    }
    session.view.diagnostics(diagnostics, &sources);
    Ok(values)
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

    fn configuration(
        &self,
        file: &TestFile,
        run: &RunBlock,
        sources: &SourceMap,
    ) -> Result<Arc<Config>, Failed> {
        match &run.module {
            None => Ok(Arc::clone(&self.config)),
            Some(module) => self.other(file, run, module, sources).map(Arc::new),
        }
    }

    fn variables(&self, file: &TestFile) -> &BTreeMap<Name, Value> {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if folder == self.folder {
            &self.variables_there
        } else {
            &self.variables
        }
    }

    async fn equip(
        &self,
        config: &Arc<Config>,
        state: &State,
        cast: &Cast,
    ) -> Result<Equipment, Diagnostics> {
        let told = |error: CommandError| error.diagnostics;
        let providers = ProviderSet::new(Arc::clone(&self.wiring), Some(config));
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
