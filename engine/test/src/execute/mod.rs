//! Carrying out a test file.

mod assertions;
mod cancel;
mod cleanup;
mod expectations;
mod prepare;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use terrace_addr::Name;
use terrace_config::{Config, references};
use terrace_diag::{Diagnostics, SourceMap};
use terrace_eval::Schemas;
use terrace_functions::Context;
use terrace_plan::{FileRead, PlannedProvider};
use terrace_port::{Clock, Entropy, Files, Process, ProviderSource, Remote};
use terrace_state::State;
use terrace_syntax::{Step, Traversal};
use terrace_value::Value;

pub use cancel::Cancel;

use crate::configuration::Cast;
use crate::coverage::Coverage;
use crate::memory::MemoryStore;
use crate::suite::{RunBlock, TestFile};
use crate::verdict::{Cleanup, FileVerdict, RunVerdict, Status};
pub(crate) use prepare::Prepared;

/// Why a run could not begin, with the texts that it speaks of.
#[derive(Debug, Default)]
pub struct Failed {
    /// What is wrong.
    pub diagnostics: Diagnostics,
    /// The texts.
    pub sources: SourceMap,
}

/// What functions may ask, and what they have asked.
pub trait Reading: Context {
    /// Every file that was read or looked for.
    fn reads(&self) -> Vec<FileRead>;
}

/// What a run works with.
pub struct Equipment {
    /// Schemas of the providers that configuration and state use.
    pub schemas: Schemas,
    /// The providers, those that are made up among them.
    pub providers: Arc<dyn ProviderSource>,
    /// What a plan records of them.
    pub planned: Vec<PlannedProvider>,
    /// By which the workshop knows it again.
    pub ticket: u64,
}

/// All that tests need of the outside.
#[async_trait]
pub trait Workshop: Send + Sync {
    /// Files, for what mocks have their answers from.
    fn files(&self) -> &dyn Files;
    /// The module that a run tests, sound as far as loading tells. The run's places are of `sources`.
    fn configuration(
        &self,
        file: &TestFile,
        run: &RunBlock,
        sources: &SourceMap,
    ) -> Result<Arc<Config>, Failed>;
    /// Values of variables that were given from outside to a file's tests.
    fn variables(&self, file: &TestFile) -> &BTreeMap<Name, Value>;
    /// Providers for a configuration and what a state holds.
    async fn equip(
        &self,
        config: &Arc<Config>,
        state: &State,
        cast: &Cast,
    ) -> Result<Equipment, Diagnostics>;
    /// Ends providers that nobody has asked for.
    async fn put_away(&self, equipment: Equipment);
    /// What functions may ask, for one run.
    fn context(&self) -> Arc<dyn Reading>;
    /// Runs the commands of provisioners.
    fn process(&self) -> &dyn Process;
    /// Reaches the machines of provisioners.
    fn remote(&self) -> &dyn Remote;
    /// The time.
    fn clock(&self) -> Arc<dyn Clock>;
    /// Randomness.
    fn entropy(&self) -> Arc<dyn Entropy>;
    /// Now, in RFC 3339, to the second.
    fn timestamp(&self) -> String;
    /// `path.cwd`
    fn working_directory(&self) -> String;
    /// How many provider calls run at once; at least 1.
    fn parallelism(&self) -> usize;
}

/// Is told how tests go on. Calls must return quickly.
pub trait Report: Send + Sync {
    /// A file is begun.
    fn file_begins(&self, path: &str);
    /// A run is begun.
    fn run_begins(&self, path: &str, run: &str);
    /// A run has ended, or will not be carried out.
    fn run_ended(&self, path: &str, verdict: &RunVerdict);
    /// What the runs of a file made is about to be destroyed.
    fn teardown_begins(&self, path: &str);
    /// What was made up to this run is about to be destroyed.
    fn cleanup_begins(&self, path: &str, run: &str);
    /// It has been, as far as it could.
    fn cleanup_ended(&self, path: &str, cleanup: &Cleanup);
    /// A file has ended.
    fn file_ended(&self, verdict: &FileVerdict);
}

/// Carries out the runs of a file, and destroys what they made.
///
/// `text` is what `file` was read from. Once an end is asked for, no other run begins; what was made is destroyed still,
/// until the end is asked for again.
pub async fn execute(
    workshop: &dyn Workshop,
    (file, text): (&TestFile, &Arc<str>),
    cancel: &Cancel,
    report: &dyn Report,
    coverage: &Mutex<Coverage>,
) -> FileVerdict {
    report.file_begins(&file.path);
    let execution = Execution {
        workshop,
        file,
        text,
        cancel,
        report,
        coverage,
        mocks: prepare::mocks(workshop.files(), file),
        outputs: Mutex::default(),
        states: Mutex::default(),
    };
    let runs = execution.runs().await;
    let mut verdict = FileVerdict {
        path: file.path.clone(),
        status: runs
            .iter()
            .map(|run| run.status)
            .fold(Status::Pass, Status::and),
        runs,
        cleanups: Vec::new(),
    };
    report.teardown_begins(&file.path);
    verdict.cleanups = execution.clean_up().await;
    let is_clean = verdict
        .cleanups
        .iter()
        .all(|cleanup| cleanup.left.is_empty() && !cleanup.diagnostics.has_errors());
    if !is_clean {
        verdict.status = Status::Error;
    }
    report.file_ended(&verdict);
    verdict
}

/// A file that is being carried out.
struct Execution<'a> {
    workshop: &'a dyn Workshop,
    file: &'a TestFile,
    text: &'a Arc<str>,
    cancel: &'a Cancel,
    report: &'a dyn Report,
    coverage: &'a Mutex<Coverage>,
    mocks: prepare::Mocks,
    /// Outputs of runs that were carried out, as objects.
    outputs: Mutex<BTreeMap<Name, Value>>,
    /// States by their keys, in the order in which runs worked on them last.
    states: Mutex<Vec<Kept>>,
}

/// A state that runs work on.
#[derive(Clone)]
struct Kept {
    key: String,
    store: MemoryStore,
    /// The last run that worked on it, and what it worked with.
    last: Option<(Name, Arc<Prepared>)>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Execution<'_> {
    async fn runs(&self) -> Vec<RunVerdict> {
        let mut verdicts: Vec<RunVerdict> = Vec::new();
        let mut rest = &self.file.runs[..];
        while !rest.is_empty() {
            let is_over = self.cancel.is_requested()
                || verdicts
                    .iter()
                    .any(|verdict| verdict.status == Status::Error);
            let (group, later) = rest.split_at(if is_over { 1 } else { self.together(rest) });
            rest = later;
            if is_over {
                let skipped = RunVerdict {
                    name: group[0].name.clone(),
                    status: Status::Skip,
                    ..RunVerdict::default()
                };
                self.report.run_ended(&self.file.path, &skipped);
                verdicts.push(skipped);
                continue;
            }
            let running = group.iter().map(|run| self.run(run));
            verdicts.extend(futures::future::join_all(running).await);
        }
        verdicts
    }

    /// How many of the next runs may go on at the same time: those that say so, one after the other, which neither work on
    /// the same state nor read each other's outputs.
    fn together(&self, rest: &[RunBlock]) -> usize {
        let mut keys = BTreeSet::new();
        let mut names = BTreeSet::new();
        let free = rest.iter().take_while(|run| {
            let reads = runs_read_by(run);
            let is_free = self.file.is_parallel(run)
                && keys.insert(state_key(run))
                && names.is_disjoint(&reads);
            names.insert(run.name.clone());
            is_free
        });
        free.count().max(1)
    }

    async fn run(&self, run: &RunBlock) -> RunVerdict {
        let path = &self.file.path;
        self.report.run_begins(path, &run.name);
        let clock = self.workshop.clock();
        let began = clock.now();
        let mut verdict = match Box::pin(self.carry_out(run)).await {
            Ok(verdict) => verdict,
            Err(failed) => RunVerdict {
                status: Status::Error,
                diagnostics: failed.diagnostics,
                sources: failed.sources,
                ..RunVerdict::default()
            },
        };
        verdict.name = run.name.clone();
        verdict.assertions = run.assertions.len();
        verdict.began = Some(began.0);
        verdict.took = Some(between(began, clock.now()));
        self.report.run_ended(path, &verdict);
        verdict
    }

    /// The state that a run works on.
    fn state_of(&self, run: &RunBlock) -> MemoryStore {
        let key = state_key(run);
        let mut states = lock(self.states());
        if let Some(kept) = states.iter().find(|kept| kept.key == key) {
            return kept.store.clone();
        }
        let store = MemoryStore::default();
        states.push(Kept {
            key,
            store: store.clone(),
            last: None,
        });
        store
    }

    const fn states(&self) -> &Mutex<Vec<Kept>> {
        &self.states
    }

    /// Remembers that a run worked on its state, which is therefore the first to be destroyed.
    fn worked_on(&self, run: &RunBlock, prepared: &Arc<Prepared>) {
        let key = state_key(run);
        let mut states = lock(self.states());
        if let Some(place) = states.iter().position(|kept| kept.key == key) {
            let mut kept = states.remove(place);
            kept.last = Some((run.name.clone(), Arc::clone(prepared)));
            states.push(kept);
        }
    }
}

/// The name of the state that a run works on.
fn state_key(run: &RunBlock) -> String {
    match (&run.state_key, &run.module) {
        (Some(key), _) => format!("key:{key}"),
        (None, Some(module)) => format!("module:{}", module.source),
        (None, None) => String::new(),
    }
}

/// The runs whose outputs a run reads.
fn runs_read_by(run: &RunBlock) -> BTreeSet<Name> {
    let variables = run.variables.iter().map(|assigned| &assigned.value);
    let rules = run
        .assertions
        .iter()
        .flat_map(|rule| [&rule.condition, &rule.error_message]);
    variables
        .chain(rules)
        .flat_map(references)
        .filter_map(|traversal| named(traversal, "run"))
        .collect()
}

/// The name that a reference to something of a kind names, such as `x` of `run.x.y`.
fn named(traversal: &Traversal, root: &str) -> Option<Name> {
    match traversal.steps.first() {
        Some(Step::Attribute(name)) if &*traversal.root.name == root => Some(name.name.clone()),
        _ => None,
    }
}

fn between(began: (i64, u32), ended: (i64, u32)) -> Duration {
    let whole = |(seconds, nanoseconds): (i64, u32)| {
        Duration::new(u64::try_from(seconds).unwrap_or(0), nanoseconds)
    };
    whole(ended).saturating_sub(whole(began))
}
