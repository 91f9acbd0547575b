//! The one owner: hands out operations, keeps state and values, writes the journal.

mod begin;
mod conditions;
mod ephemeral;
mod pipeline;
mod produce;
mod remove;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::task::Poll;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, FuturesUnordered};
use terrace_addr::{AbsProviderConfig, AbsResourceInstance, DeposedKey};
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_eval::Evaluator;
use terrace_graph::{Dag, NodeId, ReadyQueue};
use terrace_plan::{OpKind, Plan, ResourceChange};
use terrace_port::{
    Clock, Entropy, Observer, OperationEvent, Process, Provider, ProviderSource, Remote, StoreError,
};
use terrace_state::State;
use terrace_state::journal::Frame;

use crate::check::Checks;
use crate::journal::Journal;
use crate::op::{Counted, Ended, Progress, Step};
use crate::provision::Hands;
use crate::stop::Urgency;
use crate::values::Table;
use crate::{Counts, Stop};

/// What lies outside.
pub(crate) struct Outside<'r> {
    pub(crate) source: &'r dyn ProviderSource,
    pub(crate) process: &'r dyn Process,
    pub(crate) remote: &'r dyn Remote,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) stop: &'r Stop,
    pub(crate) parallelism: usize,
}

impl<'r> Outside<'r> {
    /// What provisioners work with.
    fn hands(&self) -> Hands<'r> {
        Hands {
            process: self.process,
            remote: self.remote,
            stop: self.stop,
        }
    }
}

/// What a run leaves.
pub(crate) struct Finished<'r> {
    pub(crate) state: State,
    pub(crate) journal: Journal<'r>,
    pub(crate) counts: Counts,
    pub(crate) diagnostics: Diagnostics,
}

/// How an operation began.
pub(super) enum Begun<'r> {
    /// It is on its way.
    Running(Progress<'r>),
    /// It has ended at once.
    Ended(Box<Ended>),
}

/// Reported progress of an operation.
struct Watched {
    address: AbsResourceInstance,
    action: &'static str,
    since: i64,
    reported: u64,
}

pub(crate) struct Coordinator<'r> {
    plan: &'r Plan,
    evaluator: Arc<Evaluator>,
    table: &'r Table<'r>,
    outside: Outside<'r>,
    journal: Journal<'r>,
    ids: Vec<NodeId>,
    queue: ReadyQueue,
    running: FuturesUnordered<BoxFuture<'r, (u32, Step<'r>)>>,
    /// Operations that wait for the journal or for a place.
    pipeline: pipeline::Pipeline<'r>,
    /// Calls that nobody waits for, such as requests to stop; and ephemeral resources that are open.
    aside: FuturesUnordered<BoxFuture<'r, ()>>,
    watched: BTreeMap<u32, Watched>,
    providers: BTreeMap<AbsProviderConfig, Arc<dyn Provider>>,
    opened: BTreeMap<AbsResourceInstance, ephemeral::Opened>,
    state: State,
    /// By change: the key under which its creation deposed the object before.
    deposed: HashMap<u32, DeposedKey>,
    checks: Checks,
    counts: Counts,
    diagnostics: Diagnostics,
    urgency: Urgency,
    /// Set when nothing new may begin any more.
    halted: bool,
    /// Set when it has been told that the journal cannot be written.
    journal_failed: bool,
}

/// What woke the coordinator.
enum Event<'r> {
    Steps(Vec<(u32, Step<'r>)>),
    Written(Result<(), StoreError>),
    Stop(Urgency),
    Tick,
}

impl<'r> Coordinator<'r> {
    pub(crate) fn new(
        plan: &'r Plan,
        evaluator: Arc<Evaluator>,
        table: &'r Table<'r>,
        outside: Outside<'r>,
        journal: Journal<'r>,
        state: State,
    ) -> Self {
        let mut dag = Dag::new();
        let ids: Vec<NodeId> = plan.exec.ops.iter().map(|_| dag.add_node(())).collect();
        for (op, id) in plan.exec.ops.iter().zip(&ids) {
            for after in &op.after {
                if let Some(after) = ids.get(*after as usize) {
                    dag.add_edge(*id, *after);
                }
            }
        }
        Self {
            plan,
            evaluator,
            table,
            outside,
            journal,
            queue: ReadyQueue::new(&dag),
            ids,
            running: FuturesUnordered::new(),
            pipeline: pipeline::Pipeline::new(),
            aside: FuturesUnordered::new(),
            watched: BTreeMap::new(),
            providers: BTreeMap::new(),
            opened: BTreeMap::new(),
            state,
            deposed: HashMap::new(),
            checks: Checks::new(plan.checks.clone()),
            counts: Counts::default(),
            diagnostics: Diagnostics::new(),
            urgency: Urgency::None,
            halted: false,
            journal_failed: false,
        }
    }

    /// Does everything, or as much as errors and requests to stop allow.
    pub(crate) async fn drive(
        &mut self,
        mut ticks: BoxStream<'r, ()>,
        progress: &mut crate::progress::Progress<'_>,
    ) {
        let mut ticking = true;
        loop {
            if !self.pipeline.is_writing() {
                progress
                    .save(
                        &self.state,
                        &mut self.journal,
                        &*self.outside.clock,
                        &*self.outside.entropy,
                    )
                    .await;
            }
            self.cancel().await;
            self.begin_ready();
            // The results of some and the intents of others cost one write.
            let steps = self.at_once();
            if !steps.is_empty() {
                self.note(steps).await;
                continue;
            }
            self.write();
            if self.running.is_empty() && self.pipeline.is_empty() {
                break;
            }
            match self.next_event(&mut ticks, &mut ticking).await {
                Event::Steps(steps) => self.note(steps).await,
                Event::Written(written) => self.written(&written),
                Event::Stop(urgency) => {
                    if self.stop(urgency) {
                        break;
                    }
                }
                Event::Tick => self.report_progress(),
            }
        }
        self.cancel().await;
        self.write_all().await;
        if self.urgency < Urgency::Now {
            self.close_ephemerals().await;
            for provider in std::mem::take(&mut self.providers).into_values() {
                provider.close().await;
            }
        }
        self.outputs_after_failure();
    }

    /// What the run leaves.
    pub(crate) fn finish(self) -> Finished<'r> {
        let mut state = self.state;
        state.check_results = self.checks.results();
        Finished {
            state,
            journal: self.journal,
            counts: self.counts,
            diagnostics: self.diagnostics,
        }
    }

    async fn next_event(&mut self, ticks: &mut BoxStream<'r, ()>, ticking: &mut bool) -> Event<'r> {
        let Self {
            running,
            pipeline,
            aside,
            outside,
            urgency,
            ..
        } = self;
        std::future::poll_fn(|context| {
            outside.stop.register(context.waker());
            if outside.stop.urgency() > *urgency {
                return Poll::Ready(Event::Stop(outside.stop.urgency()));
            }
            while let Poll::Ready(Some(())) = aside.poll_next_unpin(context) {}
            let mut steps = Vec::new();
            while let Poll::Ready(Some(step)) = running.poll_next_unpin(context) {
                steps.push(step);
            }
            if !steps.is_empty() {
                return Poll::Ready(Event::Steps(steps));
            }
            if let Some(written) = pipeline.poll_written(context) {
                return Poll::Ready(Event::Written(written));
            }
            while *ticking {
                match ticks.poll_next_unpin(context) {
                    Poll::Ready(Some(())) => return Poll::Ready(Event::Tick),
                    Poll::Ready(None) => *ticking = false,
                    Poll::Pending => break,
                }
            }
            Poll::Pending
        })
        .await
    }

    fn begin_one(&mut self, op: u32) {
        match self.begin(op) {
            Begun::Running(progress) => self.push(op, progress),
            Begun::Ended(ended) => self.end(op, *ended),
        }
    }

    fn push(&mut self, op: u32, progress: Progress<'r>) {
        self.running
            .push(Box::pin(async move { (op, progress.await) }));
    }

    /// Goes on with an operation whose frames are durable.
    fn go_on(&mut self, op: u32, frames: &[Frame], next: Progress<'r>) {
        for frame in frames {
            match frame {
                Frame::Result(result) => result
                    .changes
                    .iter()
                    .for_each(|change| change.apply_to(&mut self.state)),
                Frame::Intent(intent) => {
                    let action = match intent.action {
                        terrace_state::journal::IntentAction::Create => "create",
                        terrace_state::journal::IntentAction::Update => "update",
                        terrace_state::journal::IntentAction::Delete => "delete",
                    };
                    let since = self.outside.clock.now().0;
                    self.watched.insert(
                        op,
                        Watched {
                            address: intent.address.clone(),
                            action,
                            since,
                            reported: 0,
                        },
                    );
                }
                _ => {}
            }
        }
        self.push(op, next);
    }

    fn end(&mut self, op: u32, ended: Ended) {
        self.watched.remove(&op);
        for change in &ended.changes {
            change.apply_to(&mut self.state);
        }
        let mut failed = ended.error.is_some();
        self.diagnostics.append(ended.diagnostics);
        let kind = self.plan.exec.ops.get(op as usize).map(|op| &op.kind);
        if let (Some(provider), Some(OpKind::OpenProvider(address))) = (ended.provider, kind) {
            self.providers.insert(address.clone(), provider);
        }
        if let (Some(lifetime), Some(value), Some(OpKind::OpenEphemeral { address, provider })) =
            (ended.lifetime, &ended.value, kind)
        {
            failed |= !self.keep_open((address, provider), value, lifetime);
        }
        let change = kind
            .and_then(|kind| self.change_of(kind))
            .map(|(_, change)| change);
        if let (Some(value), Some(change)) = (ended.value, change) {
            self.table.set(&change.address, value.clone());
            if !failed {
                failed = !self.postconditions(change, &value);
            }
        }
        if ended.error.is_none() {
            match ended.counted {
                Some(Counted::Added) => self.counts.added += 1,
                Some(Counted::Changed) => self.counts.changed += 1,
                Some(Counted::Destroyed) => self.counts.destroyed += 1,
                Some(Counted::Forgotten) => self.counts.forgotten += 1,
                None => {}
            }
            let produces = matches!(
                kind,
                Some(OpKind::Create { .. } | OpKind::Update { .. } | OpKind::Record { .. })
            );
            if produces && change.is_some_and(|change| change.importing.is_some()) {
                self.counts.imported += 1;
            }
        }
        if failed {
            self.fail(op);
        } else if let Some(id) = self.ids.get(op as usize) {
            self.queue.complete(*id);
        }
    }

    fn fail(&mut self, op: u32) {
        self.watched.remove(&op);
        if let Some(id) = self.ids.get(op as usize) {
            self.queue.fail(*id);
        }
    }

    /// The change that an operation belongs to.
    fn change_of(&self, kind: &OpKind) -> Option<(u32, &'r ResourceChange)> {
        let index = match kind {
            OpKind::Read { change }
            | OpKind::Create { change }
            | OpKind::Update { change }
            | OpKind::Delete { change }
            | OpKind::Forget { change }
            | OpKind::Record { change } => *change,
            _ => return None,
        };
        self.plan
            .changes
            .get(index as usize)
            .map(|change| (index, change))
    }

    /// Takes a request to stop. Whether everything is to be abandoned.
    fn stop(&mut self, urgency: Urgency) -> bool {
        if self.urgency == Urgency::None {
            self.halted = true;
            self.diagnostics.push(Diagnostic::error(
                "interrupted",
                "Operation interrupted",
                "Terrace was asked to stop. Nothing new was begun; what had been completed by then is in the state.",
            ));
            for provider in self.providers.values() {
                let provider = Arc::clone(provider);
                // A provider that cannot be asked has ended, or will be ended with the run.
                self.aside
                    .push(Box::pin(async move { drop(provider.stop().await) }));
            }
        }
        self.urgency = urgency;
        if urgency < Urgency::Now {
            return false;
        }
        for watched in self.watched.values() {
            self.diagnostics.push(
                Diagnostic::error(
                    "abandoned",
                    "Operation abandoned",
                    format!(
                        "Terrace stopped waiting for the {} of {}, which may still come through. The journal holds what was asked for.",
                        watched.action, watched.address
                    ),
                )
                .address(&watched.address)
                .hint("Run `terrace recover` to find out what became of it."),
            );
        }
        true
    }

    fn report_progress(&mut self) {
        let now = self.outside.clock.now().0;
        for watched in self.watched.values_mut() {
            let elapsed_seconds = u64::try_from(now - watched.since).unwrap_or(0);
            if elapsed_seconds / 10 > watched.reported / 10 {
                watched.reported = elapsed_seconds;
                self.outside
                    .observer
                    .on_event(OperationEvent::ApplyProgress {
                        address: watched.address.clone(),
                        action: watched.action,
                        elapsed_seconds,
                    });
            }
        }
    }
}
