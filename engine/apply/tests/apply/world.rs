//! A world in memory: a provider with its objects, a store, a journal, and a fuse that kills a run at any moment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use futures::{FutureExt as _, StreamExt as _};
use terrace_addr::{AbsResourceInstance, ProviderAddr};
use terrace_apply::recover::{Answer, Resolve, finish, resolve};
use terrace_apply::{Applied, Stop};
use terrace_config::{Snapshot, SnapshotFile};
use terrace_diag::Diagnostics;
use terrace_eval::{Evaluator, Inputs, Paths};
use terrace_functions::{Context, FileError, FunctionTable};
use terrace_plan::{Plan, PlanInputs, PlanMode};
use terrace_planner::PlanOptions;
use terrace_port::{
    ApplyRequest, ApplyResponse, Attempt, Clock, Connection, Content, DeferralReason, Entropy,
    ImportedResource, JournalStore, LockedState, NoRuns, Observer, OperationEvent, PlanRequest,
    PlanResponse, Process, ProcessOutput, ProcessRequest, Provider, ProviderDiagnostic,
    ProviderError, ProviderSource, ReadRequest, ReadResponse, Remote, RemoteError, RemoteTask,
    Reply, ResourceState, StateVersion, StoreError, StoredState,
};
use terrace_schema::{Attribute, Block, ProviderSchema, ResourceSchema};
use terrace_state::State;
use terrace_value::{Path, Type, Value};

/// How many effects happen until the process dies; `None` for never.
#[derive(Default)]
pub(crate) struct Fuse(Mutex<Option<usize>>);

impl Fuse {
    pub(crate) fn set(&self, effects: Option<usize>) {
        *self.0.lock().unwrap() = effects;
    }

    /// One effect is about to happen: from the last one on, nothing ever answers.
    async fn burn(&self) {
        let dead = {
            let mut left = self.0.lock().unwrap();
            match &mut *left {
                Some(0) => true,
                Some(left) => {
                    *left -= 1;
                    false
                }
                None => false,
            }
        };
        if dead {
            futures::future::pending::<()>().await;
        }
    }
}

/// What the provider does with an object of this name.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    /// Refuses to create or change it.
    Fail,
    /// Makes it, and says that something went wrong.
    FailAfter,
    /// Makes it, and dies.
    LostAfter,
    /// Answers with another size than planned.
    WrongSize,
    /// Plans another size than before, the second time it is asked.
    Fickle,
    /// Leaves the size unknown.
    Unknown,
    /// Never answers.
    Stuck,
    /// Puts off to read it.
    PutOff,
}

#[derive(Default)]
pub(crate) struct WorldState {
    pub(crate) objects: BTreeMap<String, Value>,
    pub(crate) created: BTreeMap<String, usize>,
    pub(crate) calls: Vec<String>,
    pub(crate) manners: BTreeMap<String, Manner>,
    next: usize,
    plans: BTreeMap<String, usize>,
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) state: Mutex<WorldState>,
    pub(crate) fuse: Arc<Fuse>,
    pub(crate) events: Arc<Mutex<Vec<String>>>,
    pub(crate) stored: Arc<Mutex<Option<Arc<[u8]>>>>,
    pub(crate) frames: Arc<Mutex<Vec<Vec<u8>>>>,
    pub(crate) appends: Arc<Mutex<usize>>,
    pub(crate) commands: Arc<Mutex<Vec<String>>>,
    pub(crate) refuse_writes: Arc<Mutex<bool>>,
    /// Where reading takes a while: what was begun and what was answered, in order.
    pub(crate) reading: Arc<Mutex<Option<Vec<&'static str>>>>,
    /// Whether names tell ids before objects are made.
    pub(crate) foretells: Arc<Mutex<bool>>,
    /// Whether the journal keeps what is staged when its process dies.
    pub(crate) stages: Arc<Mutex<bool>>,
}

fn schema() -> ResourceSchema {
    let attributes = [
        ("id", Attribute::computed(Type::String)),
        ("name", Attribute::required(Type::String)),
        ("size", Attribute::optional_computed(Type::Number)),
        ("kind", Attribute::optional(Type::String)),
        ("secret", Attribute::optional(Type::String).sensitive()),
    ];
    let attributes = attributes
        .into_iter()
        .map(|(name, attribute)| (name.into(), attribute))
        .collect();
    ResourceSchema {
        version: 1,
        block: Block {
            attributes,
            ..Block::default()
        },
    }
}

pub(crate) fn provider_schema() -> ProviderSchema {
    let thing = Arc::new(schema());
    ProviderSchema {
        resources: [("fake_thing".into(), thing.clone())].into(),
        data_sources: [("fake_thing".into(), thing)].into(),
        plan_destroy: true,
        ..ProviderSchema::default()
    }
}

fn text(value: &Value, name: &str) -> String {
    value
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn with(value: &Value, name: &str, part: Value) -> Value {
    let mut entries = value.as_entries().cloned().unwrap_or_default();
    entries.insert(name.into(), part);
    Value::object(entries)
}

struct Fake(Arc<World>);

impl Fake {
    fn state(&self) -> MutexGuard<'_, WorldState> {
        self.0.state.lock().unwrap()
    }

    fn change(&self, request: &ApplyRequest) -> Attempt<ApplyResponse> {
        let mut state = self.state();
        let answer = |state| ApplyResponse {
            state,
            private: (*b"applied").into(),
            legacy_type_system: false,
            identity: None,
        };
        if request.planned.is_null() {
            let id = text(&request.prior, "id");
            state
                .calls
                .push(format!("delete {}", text(&request.prior, "name")));
            if matches!(
                state.manners.get(&text(&request.prior, "name")),
                Some(Manner::Fail)
            ) {
                let error =
                    ProviderDiagnostic::error("It resists", "The object cannot be deleted.");
                return Ok(Reply {
                    value: answer(request.prior.clone()),
                    diagnostics: vec![error],
                    deferred: None,
                });
            }
            state.objects.remove(&id);
            return Ok(Reply::of(answer(request.planned.clone())));
        }
        let name = text(&request.planned, "name");
        let manner = state.manners.get(&name).cloned();
        state.calls.push(format!(
            "{} {name}",
            if request.prior.is_null() {
                "create"
            } else {
                "update"
            }
        ));
        if matches!(manner, Some(Manner::Fail)) {
            let error = ProviderDiagnostic::error("It failed", "The object could not be made.");
            return Ok(Reply {
                value: answer(Value::null(schema().block.implied_type())),
                diagnostics: vec![error],
                deferred: None,
            });
        }
        let id = if request.prior.is_null() {
            state.next += 1;
            *state.created.entry(name.clone()).or_default() += 1;
            format!("object-{}", state.next)
        } else {
            text(&request.prior, "id")
        };
        let mut object = with(&request.planned, "id", Value::string(id.clone()));
        if object.get("size").is_some_and(|size| !size.is_known()) {
            object = with(&object, "size", Value::int(7));
        }
        if matches!(manner, Some(Manner::WrongSize)) {
            object = with(&object, "size", Value::int(99));
        }
        state.objects.insert(id, object.clone());
        match manner {
            Some(Manner::LostAfter) => Err(ProviderError {
                message: "the plugin died".into(),
            }),
            Some(Manner::FailAfter) => {
                let error =
                    ProviderDiagnostic::error("It is not whole", "Half of the object was made.");
                Ok(Reply {
                    value: answer(object),
                    diagnostics: vec![error],
                    deferred: None,
                })
            }
            Some(Manner::Unknown) => Ok(Reply::of(answer(with(
                &object,
                "size",
                Value::unknown(Type::Number),
            )))),
            _ => Ok(Reply::of(answer(object))),
        }
    }
}

#[async_trait]
impl Provider for Fake {
    async fn schema(&self) -> Result<Arc<ProviderSchema>, ProviderError> {
        Ok(Arc::new(provider_schema()))
    }
    async fn validate_provider_config(&self, config: Value) -> Attempt<Value> {
        Ok(Reply::of(config))
    }
    async fn configure(&self, _: Value) -> Attempt<()> {
        Ok(Reply::of(()))
    }
    async fn validate_resource_config(&self, _: &str, _: Value) -> Attempt<()> {
        Ok(Reply::of(()))
    }
    async fn validate_data_config(&self, _: &str, _: Value) -> Attempt<()> {
        Ok(Reply::of(()))
    }
    async fn upgrade_state(&self, state: ResourceState) -> Attempt<Value> {
        let text = std::str::from_utf8(&state.json).unwrap();
        Ok(Reply::of(
            terrace_value::json::decode(text, &schema().block.implied_type()).unwrap(),
        ))
    }
    async fn read(&self, request: ReadRequest) -> Attempt<ReadResponse> {
        let found = self
            .state()
            .objects
            .get(&text(&request.current, "id"))
            .cloned();
        let state = found.unwrap_or_else(|| Value::null(schema().block.implied_type()));
        let name = text(&request.current, "name");
        let puts_off = matches!(self.state().manners.get(&name), Some(Manner::PutOff));
        Ok(Reply {
            deferred: puts_off.then_some(DeferralReason::AbsentPrerequisite),
            ..Reply::of(ReadResponse {
                state,
                private: request.private,
                identity: None,
            })
        })
    }
    async fn plan(&self, request: PlanRequest) -> Attempt<PlanResponse> {
        let (mut planned, mut requires_replace) = (request.proposed.clone(), Vec::new());
        if !planned.is_null() {
            let name = text(&planned, "name");
            if request.prior.is_null() {
                planned = with(&planned, "id", Value::unknown(Type::String));
                if planned.get("size").is_none_or(Value::is_null) {
                    planned = with(&planned, "size", Value::unknown(Type::Number));
                }
            } else if request.prior.get("kind") != planned.get("kind") {
                requires_replace.push(Path::root().attribute("kind"));
            }
            let mut state = self.state();
            let count = state.plans.entry(name.clone()).or_default();
            *count += 1;
            if *count > 1 && matches!(state.manners.get(&name), Some(Manner::Fickle)) {
                planned = with(&planned, "size", Value::int(1000));
            }
        }
        Ok(Reply::of(PlanResponse {
            planned,
            requires_replace,
            private: (*b"planned").into(),
            legacy_type_system: false,
            identity: None,
        }))
    }
    async fn apply(&self, request: ApplyRequest) -> Attempt<ApplyResponse> {
        self.0.fuse.burn().await;
        let name = text(
            if request.planned.is_null() {
                &request.prior
            } else {
                &request.planned
            },
            "name",
        );
        let stuck = matches!(self.state().manners.get(&name), Some(Manner::Stuck));
        if stuck {
            futures::future::pending::<()>().await;
        }
        let done = self.change(&request);
        self.0.fuse.burn().await;
        done
    }
    async fn import(&self, type_name: &str, id: &str) -> Attempt<Vec<ImportedResource>> {
        let state = self.state().objects.get(id).cloned();
        let Some(state) = state else {
            let error = ProviderDiagnostic::error("Not found", "There is no such object.");
            return Ok(Reply {
                value: Vec::new(),
                diagnostics: vec![error],
                deferred: None,
            });
        };
        Ok(Reply::of(vec![ImportedResource {
            type_name: type_name.into(),
            state,
            private: [].into(),
            identity: None,
        }]))
    }
    async fn id_before_creation(&self, _: &str, planned: &Value) -> Option<String> {
        let foretells = *self.0.foretells.lock().unwrap();
        foretells.then(|| format!("named-{}", text(planned, "name")))
    }
    async fn read_data(&self, _: &str, config: Value) -> Attempt<Value> {
        let name = text(&config, "name");
        let found = self
            .state()
            .objects
            .values()
            .find(|object| text(object, "name") == name)
            .cloned();
        let error = ProviderDiagnostic::error("Not found", "There is no such object.");
        Ok(match found {
            Some(found) => Reply::of(found),
            None => Reply {
                value: Value::NULL,
                diagnostics: vec![error],
                deferred: None,
            },
        })
    }
    async fn call_function(
        &self,
        _: &str,
        _: Vec<Value>,
    ) -> Result<Result<Value, (Option<usize>, String)>, ProviderError> {
        Err(ProviderError {
            message: "it has no functions".into(),
        })
    }
    async fn stop(&self) -> Result<(), ProviderError> {
        self.state().calls.push("stop".into());
        Ok(())
    }
    async fn close(&self) {}
}

pub(crate) struct Source(pub(crate) Arc<World>);

#[async_trait]
impl ProviderSource for Source {
    async fn open(&self, _: &ProviderAddr) -> Result<Arc<dyn Provider>, ProviderError> {
        Ok(Arc::new(Fake(self.0.clone())))
    }
    fn call_function(
        &self,
        _: &ProviderAddr,
        _: &str,
        _: &[Value],
    ) -> Result<Value, (Option<usize>, String)> {
        Err((None, "there is none".into()))
    }
}

struct Locked(Arc<World>);

#[async_trait]
impl LockedState for Locked {
    fn epoch(&self) -> u64 {
        1
    }
    async fn read(&self) -> Result<Option<StoredState>, StoreError> {
        self.0.reads(["state", "state is there"]).await;
        Ok(self
            .0
            .stored
            .lock()
            .unwrap()
            .clone()
            .map(|bytes| StoredState { bytes }))
    }
    async fn write(&mut self, bytes: Arc<[u8]>, _: StateVersion) -> Result<(), StoreError> {
        self.0.fuse.burn().await;
        if *self.0.refuse_writes.lock().unwrap() {
            return Err(StoreError::LockLost("someone took it".into()));
        }
        *self.0.stored.lock().unwrap() = Some(bytes);
        self.0.fuse.burn().await;
        Ok(())
    }
    async fn overwrite(&mut self, _: Arc<[u8]>) -> Result<(), StoreError> {
        Err(StoreError::Refused("not here".into()))
    }
    async fn unlock(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

struct Journal(Arc<World>);

#[async_trait]
impl JournalStore for Journal {
    async fn append(&self, frames: &[Vec<u8>]) -> Result<(), StoreError> {
        self.0.fuse.burn().await;
        *self.0.appends.lock().unwrap() += 1;
        self.0.frames.lock().unwrap().extend_from_slice(frames);
        self.0.fuse.burn().await;
        Ok(())
    }
    async fn stage(&self, frames: &[Vec<u8>]) -> Result<(), StoreError> {
        self.append(frames).await
    }
    fn witness(&self) -> Option<String> {
        self.0.witness()
    }
    async fn read(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        self.0.reads(["journal", "journal is there"]).await;
        Ok(self.0.frames.lock().unwrap().clone())
    }
    async fn clear(&self) -> Result<(), StoreError> {
        self.0.fuse.burn().await;
        self.0.frames.lock().unwrap().clear();
        Ok(())
    }
}

struct Commands(Arc<World>);

#[async_trait]
impl Process for Commands {
    async fn run(
        &self,
        request: ProcessRequest,
        on_line: &(dyn for<'a> Fn(&'a str) + Send + Sync),
    ) -> std::io::Result<ProcessOutput> {
        let command = request.argv.last().cloned().unwrap_or_default();
        self.0.commands.lock().unwrap().push(command.clone());
        on_line(&format!("out of {command}"));
        let code = if command.starts_with("fail") { 3 } else { 0 };
        Ok(ProcessOutput {
            code: Some(code),
            output: command.into_bytes(),
        })
    }
}

struct Machines(Arc<World>);

#[async_trait]
impl Remote for Machines {
    async fn carry_out(
        &self,
        connection: &Connection,
        task: &RemoteTask,
        on_output: &(dyn for<'a> Fn(&'a str) + Send + Sync),
    ) -> Result<(), RemoteError> {
        let text = |content: &Content| match content {
            Content::Text(text) => text.clone(),
            Content::Path(path) => format!("path {path}"),
        };
        let what = match task {
            RemoteTask::Run(scripts) => scripts.iter().map(text).collect(),
            RemoteTask::Copy {
                content,
                destination,
            } => format!("{} > {destination}", text(content)),
        };
        let target = &connection.target;
        let command = format!("{}@{} {}", target.user, target.host, what.trim());
        self.0.commands.lock().unwrap().push(command);
        on_output("Connecting...\n  Host: h");
        if what.contains("hang") {
            futures::future::pending::<()>().await;
        }
        if what.contains("fail") {
            Err(RemoteError("error executing: status 3".to_owned()))
        } else {
            Ok(())
        }
    }
}

struct Events(Arc<Mutex<Vec<String>>>);

impl Observer for Events {
    fn on_event(&self, event: OperationEvent) {
        let line = match event {
            OperationEvent::ApplyStart {
                address, action, ..
            } => format!("start {address} {action}"),
            OperationEvent::ApplyDone {
                address, action, ..
            } => format!("done {address} {action}"),
            OperationEvent::ApplyFailed {
                address, action, ..
            } => format!("failed {address} {action}"),
            OperationEvent::ApplyProgress {
                address,
                elapsed_seconds,
                ..
            } => format!("still {address} {elapsed_seconds}"),
            OperationEvent::ProvisionOutput { address, line, .. } => {
                format!("output {address} {line}")
            }
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

#[derive(Default)]
pub(crate) struct Ticking(Mutex<i64>);

impl Clock for Ticking {
    fn now(&self) -> (i64, u32) {
        let mut now = self.0.lock().unwrap();
        *now += 1;
        (1_800_000_000 + *now, 0)
    }
}

#[derive(Default)]
struct Counting(Mutex<u8>);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let mut last = self.0.lock().unwrap();
        for byte in bytes {
            *last = last.wrapping_add(1);
            *byte = *last;
        }
    }
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

fn snapshot(text: &str) -> Snapshot {
    Snapshot {
        modules: [(String::new(), ".".to_owned())].into(),
        files: vec![SnapshotFile {
            path: "main.tf".into(),
            bytes: text.as_bytes().into(),
        }],
    }
}

pub(crate) fn messages(diagnostics: &Diagnostics) -> Vec<String> {
    diagnostics
        .iter()
        .map(|diagnostic| format!("{}: {}", diagnostic.summary, diagnostic.detail))
        .collect()
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// One whose journal keeps what is staged.
    pub(crate) fn staging() -> Arc<Self> {
        let world = Self::new();
        *world.stages.lock().unwrap() = true;
        world
    }

    pub(crate) fn witness(&self) -> Option<String> {
        self.stages.lock().unwrap().then(|| "this boot".to_owned())
    }

    /// A request that takes a while, where any does.
    async fn reads(&self, what: [&'static str; 2]) {
        let note = |what| {
            let mut reading = self.reading.lock().unwrap();
            reading.as_mut().is_some_and(|all| {
                all.push(what);
                true
            })
        };
        if note(what[0]) {
            let mut waited = false;
            std::future::poll_fn(|context| {
                context.waker().wake_by_ref();
                if std::mem::replace(&mut waited, true) {
                    std::task::Poll::Ready(())
                } else {
                    std::task::Poll::Pending
                }
            })
            .await;
            note(what[1]);
        }
    }

    /// What the journal and the stored state give together.
    pub(crate) fn recovery(&self) -> terrace_state::journal::Recovery {
        let frames = self.frames.lock().unwrap();
        let witness = self.witness();
        terrace_state::journal::recover_by(&self.stored(), &frames, witness.as_deref()).unwrap()
    }

    pub(crate) fn manner(&self, name: &str, manner: Manner) {
        self.state
            .lock()
            .unwrap()
            .manners
            .insert(name.to_owned(), manner);
    }

    pub(crate) fn calm(&self) {
        self.state.lock().unwrap().manners.clear();
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().calls)
    }

    pub(crate) fn events(&self) -> Vec<String> {
        std::mem::take(&mut *self.events.lock().unwrap())
    }

    pub(crate) fn stored(&self) -> State {
        self.stored
            .lock()
            .unwrap()
            .as_ref()
            .map(|bytes| terrace_state::read(bytes).unwrap())
            .unwrap_or_default()
    }

    pub(crate) fn evaluator(text: &str) -> Arc<Evaluator> {
        let (config, diagnostics) = terrace_config::load_snapshot(&snapshot(text));
        assert!(!diagnostics.has_errors(), "{:?}", messages(&diagnostics));
        Arc::new(Evaluator::new(Inputs {
            config: Arc::new(config),
            functions: Arc::new(FunctionTable::standard()),
            context: Arc::new(Nowhere),
            schemas: Arc::new(
                [(
                    ProviderAddr::default_for("fake"),
                    Arc::new(provider_schema()),
                )]
                .into(),
            ),
            variables: BTreeMap::new(),
            workspace: "default".into(),
            paths: Paths {
                cwd: "/".into(),
                root: ".".into(),
            },
            applying: false,
        }))
    }

    pub(crate) async fn plan(self: &Arc<Self>, text: &str, mode: PlanMode) -> Plan {
        let evaluator = Self::evaluator(text);
        let source = Source(self.clone());
        let request = terrace_planner::PlanRequest {
            inputs: PlanInputs {
                configuration: evaluator.config().snapshot.clone(),
                workspace: "default".into(),
                timestamp: "2026-01-02T03:04:05Z".into(),
                ..PlanInputs::default()
            },
            evaluator,
            state: Arc::new(self.stored()),
            providers: &source,
            options: PlanOptions {
                mode,
                ..PlanOptions::default()
            },
            clock: Arc::new(Ticking::default()),
            observer: Arc::new(Events(Arc::default())),
        };
        let (plan, diagnostics) = terrace_planner::plan(request).await;
        assert!(!diagnostics.has_errors(), "{:?}", messages(&diagnostics));
        plan
    }

    pub(crate) async fn run(self: &Arc<Self>, plan: Plan, stop: &Stop) -> Applied {
        let digest = plan.digest();
        let evidence = terrace_gate::gather(&NoRuns, &plan, digest, None, &[], 0)
            .await
            .unwrap();
        let approved = terrace_gate::approve(plan, evidence).unwrap();
        let source = Source(self.clone());
        let mut locked = Locked(self.clone());
        let request = terrace_apply::ApplyRequest {
            run: "run".into(),
            providers: &source,
            locked: &mut locked,
            journal: &Journal(self.clone()),
            process: &Commands(self.clone()),
            remote: &Machines(self.clone()),
            clock: Arc::new(Ticking::default()),
            entropy: Arc::new(Counting::default()),
            observer: Arc::new(Events(self.events.clone())),
            ephemeral_variables: BTreeMap::new(),
            working_directory: "/".into(),
            parallelism: 4,
            stop,
            ticks: futures::stream::pending().boxed(),
        };
        terrace_apply::run(&approved, request).await
    }

    /// Plans and applies.
    pub(crate) fn apply(self: &Arc<Self>, text: &str) -> Applied {
        self.apply_in(text, PlanMode::Normal)
    }

    pub(crate) fn apply_in(self: &Arc<Self>, text: &str, mode: PlanMode) -> Applied {
        let work = async {
            let plan = self.plan(text, mode).await;
            self.run(plan, &Stop::default()).await
        };
        work.now_or_never().expect("nothing here ever waits")
    }

    /// Plans and applies until the fuse burns down. `None` when the run died.
    pub(crate) fn apply_until(self: &Arc<Self>, text: &str, effects: usize) -> Option<Applied> {
        let plan = self
            .plan(text, PlanMode::Normal)
            .now_or_never()
            .expect("planning never waits");
        self.fuse.set(Some(effects));
        let applied = self.run(plan, &Stop::default()).now_or_never();
        self.fuse.set(None);
        applied
    }

    /// Recovers; a person looks for objects whose id is not known by their name, which is their address's.
    pub(crate) fn recover(
        self: &Arc<Self>,
        text: &str,
        answering: bool,
    ) -> terrace_apply::recover::Resolved {
        let stored = self.stored();
        let recovery = self.recovery();
        let answers: BTreeMap<AbsResourceInstance, Answer> = recovery
            .uncertain
            .iter()
            .filter(|_| answering)
            .map(|uncertain| {
                let address = &uncertain.intent.address;
                (
                    address.clone(),
                    self.look_for(&address.to_string(), &recovery.state),
                )
            })
            .collect();
        let source = Source(self.clone());
        let work = async {
            let request = Resolve {
                recovery,
                evaluator: Self::evaluator(text),
                providers: &source,
                answers,
                clock: Arc::new(Ticking::default()),
            };
            let resolved = resolve(request).await;
            let (mut locked, journal) = (Locked(self.clone()), Journal(self.clone()));
            finish(
                &resolved,
                &stored,
                &mut locked,
                &journal,
                &Counting::default(),
            )
            .await
            .unwrap();
            resolved
        };
        work.now_or_never().expect("nothing here ever waits")
    }

    /// The object that is there for an address and that the state does not know.
    fn look_for(&self, address: &str, state: &State) -> Answer {
        let known: Vec<String> = state
            .instances()
            .flat_map(|(_, _, instance)| {
                instance
                    .current
                    .iter()
                    .chain(instance.deposed.values())
                    .cloned()
                    .collect::<Vec<_>>()
            })
            .filter_map(|object| object.text_attribute("id"))
            .collect();
        let world = self.state.lock().unwrap();
        let found = world
            .objects
            .iter()
            .find(|(id, object)| text(object, "name") == address && !known.contains(id));
        found.map_or(Answer::NotCreated, |(id, _)| Answer::Id(id.clone()))
    }
}
