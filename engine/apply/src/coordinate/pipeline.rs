//! Between operations and the journal: what some have come to is made durable while others go on.
//!
//! An operation whose intent is durable asks for its change as soon as there is a place, in the order of the intents. Where
//! the journal is slow beside the changes, and keeps what this process noted even if it dies, intents are written before
//! there is a place for their changes, so that no place waits for the journal. Recovery knows those that no place was
//! found for: no more changes are asked for at a time than there are places, in that order, and their results are noted
//! before the next is asked for.
//!
//! Where the journal keeps what was noted, it rests between two writes, so that it takes little of the time that the changes
//! have, and of the store's: unless an operation or a place waits for what is noted.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use terrace_addr::AbsProviderConfig;
use terrace_port::StoreError;
use terrace_state::journal::{Frame, OpResult, StateChange};

use super::Coordinator;
use crate::op::{Progress, Step};

/// Operations that wait for the journal or for a place.
pub(super) struct Pipeline<'r> {
    /// Noted, and not being made durable yet.
    noted: Vec<(u32, Step<'r>)>,
    /// Being made durable.
    writing: Option<Writing<'r>>,
    /// Those that may ask for their changes, in the order of their intents.
    granted: VecDeque<Granted<'r>>,
    /// When the changes were asked for that have not been answered.
    asked: BTreeMap<u32, Option<Moment>>,
    /// Providers that were lost while they were asked.
    lost: BTreeSet<AbsProviderConfig>,
    /// Whether an operation waits for something that is noted.
    waited_for: bool,
    /// When the last write ended.
    rests_since: Option<Moment>,
    pace: Pace,
}

/// Seconds and nanoseconds.
type Moment = (i64, u32);

/// One write of the journal.
struct Writing<'r> {
    append: BoxFuture<'r, Result<(), StoreError>>,
    steps: Vec<(u32, Step<'r>)>,
    since: Option<Moment>,
}

/// An operation whose intent is durable.
struct Granted<'r> {
    op: u32,
    frames: Vec<Frame>,
    next: Progress<'r>,
}

/// How long changes and writes of the journal take lately, in nanoseconds.
#[derive(Default)]
struct Pace {
    change: u64,
    write: u64,
}

impl Pace {
    /// How many intents to write before there is a place for their changes: as many as places come free while the journal
    /// rests, and is written twice, since a write that is under way must end first. None, where that is next to nothing.
    fn ahead(&self, places: usize) -> usize {
        if self.change == 0 || self.write.saturating_mul(200) < self.change {
            return 0;
        }
        self.places_within(REST + 2, places).min(4 * places)
    }

    /// How many of the intents that are durable are needed while the journal is written.
    fn reserve(&self, places: usize) -> usize {
        self.places_within(2, places)
    }

    /// How many of `places` come free while the journal is written `writes` times, rounded up.
    fn places_within(&self, writes: u64, places: usize) -> usize {
        let time = self.write.saturating_mul(writes);
        let free = time
            .saturating_mul(places as u64)
            .div_ceil(self.change.max(1));
        usize::try_from(free).unwrap_or(usize::MAX)
    }

    /// Whether the journal has rested long enough.
    fn has_rested(&self, since: Moment, now: Moment) -> bool {
        elapsed(since, now) >= self.write.saturating_mul(REST)
    }
}

/// How many times as long as a write takes the journal rests between two of them, where nothing waits for it.
const REST: u64 = 12;

/// Nanoseconds between two moments; none, where the clock was set back.
fn elapsed(since: Moment, now: Moment) -> u64 {
    let nanoseconds =
        |(seconds, rest): Moment| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    u64::try_from(nanoseconds(now) - nanoseconds(since)).unwrap_or_default()
}

/// The mean of lately, with one more.
fn with(mean: u64, since: Moment, now: Moment) -> u64 {
    let took = elapsed(since, now);
    if mean == 0 {
        took
    } else {
        (mean / 4).saturating_mul(3).saturating_add(took / 4)
    }
}

/// Whether what goes on after these frames is a request for a change.
fn asks(frames: &[Frame]) -> bool {
    frames.iter().any(|frame| matches!(frame, Frame::Intent(_)))
}

impl Pipeline<'_> {
    pub(super) fn new() -> Self {
        Self {
            noted: Vec::new(),
            writing: None,
            granted: VecDeque::new(),
            asked: BTreeMap::new(),
            lost: BTreeSet::new(),
            waited_for: false,
            rests_since: None,
            pace: Pace::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.noted.is_empty() && self.writing.is_none() && self.granted.is_empty()
    }

    pub(super) const fn is_writing(&self) -> bool {
        self.writing.is_some()
    }

    /// How many keep their places while they wait for the journal, and how many have none yet.
    fn n_waiting(&self) -> (usize, usize) {
        let being = self.writing.iter().flat_map(|writing| &writing.steps);
        let (mut held, mut ahead) = (0, self.granted.len());
        for (_, step) in self.noted.iter().chain(being) {
            match step {
                Step::Durable { frames, .. } if asks(frames) => ahead += 1,
                Step::Durable { .. } => held += 1,
                Step::Ended(_) => {}
            }
        }
        (held, ahead)
    }

    /// What came of the write that is under way, once it has ended.
    pub(super) fn poll_written(
        &mut self,
        context: &mut std::task::Context<'_>,
    ) -> Option<Result<(), StoreError>> {
        match self.writing.as_mut()?.append.poll_unpin(context) {
            std::task::Poll::Ready(written) => Some(written),
            std::task::Poll::Pending => None,
        }
    }
}

impl<'r> Coordinator<'r> {
    /// Begins as many operations as may run, and as may have their intents written before.
    pub(super) fn begin_ready(&mut self) {
        while !self.halted {
            let places = self.outside.parallelism;
            let (held, ahead) = self.pipeline.n_waiting();
            let taken = self.running.len() + held;
            if taken >= places {
                return;
            }
            let more = if self.journal.stages() {
                self.pipeline.pace.ahead(places)
            } else {
                0
            };
            let next = (taken + ahead < places + more).then(|| self.queue.pop());
            if let Some(id) = next.flatten() {
                self.begin_one(u32::try_from(id.index()).unwrap_or(u32::MAX));
            } else if let Some(granted) = self.pipeline.granted.pop_front() {
                let Granted { op, frames, next } = granted;
                let now = self.moment();
                self.pipeline.asked.insert(op, now);
                self.go_on(op, &frames, next);
            } else {
                return;
            }
        }
    }

    /// The time, where the pace matters.
    fn moment(&self) -> Option<Moment> {
        self.journal.stages().then(|| self.outside.clock.now())
    }

    /// What operations have come to at once, which have just begun.
    pub(super) fn at_once(&mut self) -> Vec<(u32, Step<'r>)> {
        use futures::StreamExt as _;
        let mut steps = Vec::new();
        while let Some(Some(step)) = self.running.next().now_or_never() {
            steps.push(step);
        }
        steps
    }

    /// Notes what operations have come to. What needs no journal ends.
    pub(super) async fn note(&mut self, steps: Vec<(u32, Step<'r>)>) {
        let mut frames = Vec::new();
        let mut kept = Vec::new();
        for (op, step) in steps {
            match step {
                // Nothing was asked for yet, and nothing new may begin.
                Step::Durable { frames, .. } if self.halted && asks(&frames) => self.fail(op),
                Step::Durable { frames: own, next } => {
                    frames.extend(own.iter().cloned());
                    kept.push((op, Step::Durable { frames: own, next }));
                }
                Step::Ended(ended) => {
                    let asked = self.pipeline.asked.remove(&op);
                    if let (Some(Some(since)), Some(now)) = (asked, self.moment()) {
                        let pace = &mut self.pipeline.pace;
                        pace.change = with(pace.change, since, now);
                    }
                    if ended.record {
                        frames.push(Frame::Result(OpResult {
                            op,
                            changes: ended.changes.clone(),
                            error: ended.error.clone(),
                        }));
                    } else if asked.is_some() {
                        let kind = self.plan.exec.ops.get(op as usize).map(|op| &op.kind);
                        if let Some((_, change)) = kind.and_then(|kind| self.change_of(kind)) {
                            self.pipeline.lost.insert(change.provider.clone());
                        }
                        frames.push(Frame::Lost { op });
                    } else {
                        self.end(op, *ended);
                        continue;
                    }
                    kept.push((op, Step::Ended(ended)));
                }
            }
        }
        match self.journal.note(&frames).await {
            Ok(()) => {
                self.pipeline.noted.extend(kept);
                self.pipeline.waited_for |= self.is_noted_waited_for();
            }
            Err(error) => {
                self.halt(&error);
                self.let_go(kept, false);
            }
        }
    }

    /// Whether an operation that has its place, or one that has not begun, waits for something that is noted.
    fn is_noted_waited_for(&self) -> bool {
        let noted = &self.pipeline.noted;
        let being = self.pipeline.writing.iter().map(|write| write.steps.len());
        let others = noted.len() + being.sum::<usize>();
        noted.iter().any(|(op, step)| match step {
            Step::Durable { frames, .. } => !asks(frames),
            Step::Ended(_) => {
                let id = self.ids.get(*op as usize);
                id.is_some_and(|id| self.queue.is_waited_for(*id, others))
            }
        })
    }

    /// Begins to make durable what was noted, unless something is being made durable or the journal rests.
    pub(super) fn write(&mut self) {
        if self.pipeline.writing.is_none() && self.is_due() {
            self.write_noted();
        }
    }

    /// Whether what is noted is to be made durable now.
    fn is_due(&self) -> bool {
        let pipeline = &self.pipeline;
        let places = self.outside.parallelism;
        let is_waited_for =
            pipeline.waited_for || self.running.is_empty() || self.halted || !self.journal.stages();
        if is_waited_for || pipeline.granted.len() <= pipeline.pace.reserve(places) {
            return true;
        }
        match (pipeline.rests_since, self.moment()) {
            (Some(since), Some(now)) => pipeline.pace.has_rested(since, now),
            _ => true,
        }
    }

    /// Begins to make durable what was noted.
    fn write_noted(&mut self) {
        if !self.pipeline.noted.is_empty() {
            self.pipeline.waited_for = false;
            self.pipeline.writing = Some(Writing {
                append: self.journal.write(),
                steps: std::mem::take(&mut self.pipeline.noted),
                since: self.moment(),
            });
        }
    }

    /// Takes what came of a write, and lets operations go on.
    pub(super) fn written(&mut self, written: &Result<(), StoreError>) {
        let Some(writing) = self.pipeline.writing.take() else {
            return;
        };
        let now = self.moment();
        if let (Some(since), Some(now)) = (writing.since, now) {
            let pace = &mut self.pipeline.pace;
            pace.write = with(pace.write, since, now);
        }
        self.pipeline.rests_since = now;
        self.journal.written(written);
        if let Err(error) = written {
            self.halt(error);
        }
        self.let_go(writing.steps, written.is_ok());
    }

    /// Makes everything durable that was noted.
    pub(super) async fn write_all(&mut self) {
        loop {
            if self.pipeline.writing.is_none() {
                self.write_noted();
            }
            let Some(writing) = &mut self.pipeline.writing else {
                return;
            };
            let written = (&mut writing.append).await;
            self.written(&written);
        }
    }

    /// Where nothing new may begin, or a provider was lost, those that have not asked for their changes never will.
    pub(super) async fn cancel(&mut self) {
        let (halted, lost) = (self.halted, &self.pipeline.lost);
        let is_vain = |granted: &Granted<'_>| {
            let asks_lost = |frame: &Frame| matches!(frame, Frame::Intent(intent) if lost.contains(&intent.provider));
            halted || granted.frames.iter().any(asks_lost)
        };
        if !self.pipeline.granted.iter().any(is_vain) {
            return;
        }
        let granted = std::mem::take(&mut self.pipeline.granted);
        let (vain, granted): (Vec<_>, Vec<_>) = granted.into_iter().partition(is_vain);
        self.pipeline.granted = granted.into();
        let mut frames = Vec::new();
        for Granted {
            op, frames: own, ..
        } in vain
        {
            let done = own.iter().filter_map(|frame| match frame {
                Frame::Result(result) => Some(&result.changes),
                _ => None,
            });
            // What was to go before the change did not happen either.
            let changes = done.flatten().map(|change| StateChange {
                object: change.present(&self.state).cloned(),
                ..change.clone()
            });
            frames.push(Frame::Result(OpResult {
                op,
                changes: changes.collect(),
                error: Some(
                    "it was not asked for: the run was to end, or the provider was lost".into(),
                ),
            }));
            self.fail(op);
        }
        if let Err(error) = self.journal.note(&frames).await {
            self.halt(&error);
        }
    }

    /// Lets operations go on whose frames are durable, or could not be made so.
    fn let_go(&mut self, steps: Vec<(u32, Step<'r>)>, durable: bool) {
        for (op, step) in steps {
            match step {
                Step::Durable { frames, next } if !asks(&frames) => {
                    self.go_on(op, &frames, next);
                }
                Step::Durable { frames, next } if durable => {
                    self.pipeline
                        .granted
                        .push_back(Granted { op, frames, next });
                }
                Step::Durable { .. } => self.fail(op),
                Step::Ended(ended) => self.end(op, *ended),
            }
        }
    }

    /// Says that the journal cannot be written, once, and lets nothing new begin.
    fn halt(&mut self, error: &StoreError) {
        self.halted = true;
        if !std::mem::replace(&mut self.journal_failed, true) {
            self.diagnostics.push(crate::journal::halted(error));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_written_ahead_the_slower_the_journal_is() {
        let pace = |change, write| Pace { change, write }.ahead(10);
        assert_eq!(pace(0, 3), 0, "nothing is known yet");
        assert_eq!(pace(1_000, 3), 0, "the journal is next to nothing");
        assert_eq!(pace(1_000, 50), 7);
        assert_eq!(pace(10, 2), 28);
        assert_eq!(pace(10, 300), 40, "never more than four times the places");
        let pace = |change, write| Pace { change, write };
        assert_eq!(pace(10, 3).reserve(10), 6, "for two writes");
        assert_eq!(pace(0, 3).reserve(1), 6, "nothing is known yet");
        assert!(!pace(10, 3).has_rested((1, 999_999_999), (2, 34)));
        assert!(pace(10, 3).has_rested((1, 999_999_999), (2, 35)));
        assert_eq!(with(0, (1, 999_999_999), (2, 9)), 10);
        assert_eq!(with(100, (2, 0), (2, 20)), 80);
        assert_eq!(with(100, (2, 0), (1, 0)), 75, "clocks may be set back");
    }
}
