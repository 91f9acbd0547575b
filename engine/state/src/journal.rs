//! The journal of an apply: what is about to be asked of providers, and what came of it.
//!
//! An intent is durable before a provider is called, a result before anything depends on it. Whatever happens to the
//! process, [`recover`] brings the stored state and the journal together again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrace_addr::{AbsProviderConfig, AbsResourceInstance, DeposedKey, Name};

use crate::transfer::Transfer;
use crate::{CheckResult, Object, OutputState, State, StateError};

/// One frame of a journal.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// A run began.
    Begin(Begin),
    /// A provider is about to be asked for a change.
    Intent(Intent),
    /// What came of an op. Ops that ask no provider have no intent.
    Result(OpResult),
    /// The provider was lost while it was asked for an op: nobody knows what came of that, and the run goes on.
    Lost {
        /// Index of the op in the plan.
        op: u32,
    },
    /// Root outputs and check results as they are now.
    Outputs(RunOutputs),
    /// The state is about to be stored with this serial.
    Commit {
        /// The serial.
        serial: u64,
    },
    /// The run ended; nothing is in flight.
    End,
    /// Objects are about to go from one state to another. Such a frame is alone in its journal.
    Transfer(Box<Transfer>),
}

/// The beginning of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Begin {
    /// Id of the run.
    pub run: String,
    /// Digest of its plan.
    pub plan_digest: String,
    /// Lineage of the state that the run writes.
    pub lineage: String,
    /// Serial of the stored state that it began with; 0 when there was none.
    pub serial: u64,
    /// Epoch of its lock.
    pub epoch: u64,
    /// How the state that the run starts from (refreshed, moved) differs from the stored one.
    pub changes: Vec<StateChange>,
    /// How many changes at most are asked for at a time, in the order of their intents; 0 where that is not said.
    pub parallelism: u32,
    /// The [witness](terrace_port::JournalStore::witness) of the journal's store, where it has one.
    pub witness: Option<String>,
}

/// What a provider is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntentAction {
    /// A new object.
    Create,
    /// Another form of an object.
    Update,
    /// The end of an object.
    Delete,
}

/// A change that a provider is about to be asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    /// Index of the op in the plan.
    pub op: u32,
    /// The instance.
    pub address: AbsResourceInstance,
    /// Set when it is about an object that is not the present one.
    pub deposed: Option<DeposedKey>,
    /// What is asked for.
    pub action: IntentAction,
    /// Which provider is asked.
    pub provider: AbsProviderConfig,
    /// The object before; `None` to create.
    pub prior: Option<Arc<Object>>,
    /// The private bytes of the plan.
    pub planned_private: Arc<[u8]>,
    /// What the object can be imported by, if that is known already.
    pub import_id: Option<String>,
}

/// One object put in place or taken out.
#[derive(Clone, Debug, PartialEq)]
pub struct StateChange {
    /// The instance.
    pub address: AbsResourceInstance,
    /// Set when it is about an object that is not the present one.
    pub deposed: Option<DeposedKey>,
    /// The provider configuration that manages it.
    pub provider: AbsProviderConfig,
    /// The object; `None` when it is gone.
    pub object: Option<Arc<Object>>,
}

/// What came of an op.
#[derive(Clone, Debug, PartialEq)]
pub struct OpResult {
    /// Index of the op in the plan.
    pub op: u32,
    /// What it did to the state.
    pub changes: Vec<StateChange>,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// Root outputs and check results.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunOutputs {
    /// Root outputs.
    pub outputs: BTreeMap<Name, OutputState>,
    /// Check results.
    pub checks: Option<Vec<CheckResult>>,
}

impl StateChange {
    /// Does it.
    pub fn apply_to(&self, state: &mut State) {
        state.set_object(
            &self.address,
            self.deposed.as_ref(),
            &self.provider,
            self.object.clone(),
        );
    }

    /// The object that a state holds where this change puts one.
    pub fn present<'a>(&self, state: &'a State) -> Option<&'a Arc<Object>> {
        let instance = state
            .resources
            .get(&self.address.resource)?
            .instances
            .get(&self.address.key)?;
        match &self.deposed {
            None => instance.current.as_ref(),
            Some(key) => instance.deposed.get(key),
        }
    }
}

impl Frame {
    /// The frame's stored form: one line of JSON, without a line end.
    pub fn encode(&self) -> Vec<u8> {
        crate::wire::frames::encode(self)
    }

    /// Reads a stored form.
    pub fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        crate::wire::frames::decode(bytes)
    }
}

/// The changes that make `to` of `from`.
pub fn difference(from: &State, to: &State) -> Vec<StateChange> {
    let mut changes = Vec::new();
    let each = |state: &State, visit: &mut dyn FnMut(StateChange)| {
        for (address, resource, instance) in state.instances() {
            let objects = instance.current.iter().map(|object| (None, object));
            let deposed = instance
                .deposed
                .iter()
                .map(|(key, object)| (Some(key.clone()), object));
            for (deposed, object) in objects.chain(deposed) {
                visit(StateChange {
                    address: address.clone(),
                    deposed,
                    provider: resource.provider.instance(instance.provider_key.clone()),
                    object: Some(object.clone()),
                });
            }
        }
    };
    each(from, &mut |change| {
        if change.present(to).is_none() {
            changes.push(StateChange {
                object: None,
                ..change
            });
        }
    });
    each(to, &mut |change| {
        let moved_provider = from
            .resources
            .get(&change.address.resource)
            .is_none_or(|resource| {
                resource.provider_of(change.address.key.as_ref()) != change.provider
            });
        if moved_provider || change.present(from) != change.object.as_ref() {
            changes.push(change);
        }
    });
    changes
}

/// What a journal and the stored state give together.
#[derive(Clone, Debug, Default)]
pub struct Recovery {
    /// The state with everything that is known.
    pub state: State,
    /// What nobody recorded the end of.
    pub uncertain: Vec<Uncertain>,
    /// The runs found, oldest first.
    pub runs: Vec<String>,
    /// How many results were replayed.
    pub n_results: usize,
    /// What the journal is to be told of changes that never began: that nothing came of them.
    pub not_begun: Vec<OpResult>,
    /// Whether the state differs from the stored one.
    pub changed: bool,
    /// Whether someone else has stored a state since the run began.
    pub foreign: bool,
    /// The move of objects between two states that was interrupted, where it was not a run.
    pub transfer: Option<Transfer>,
}

/// Why it is uncertain what became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UncertainCause {
    /// The provider was asked (or was about to be), and its answer was not recorded.
    InFlight,
    /// The answer was recorded, and the stored state was changed by someone else since.
    StateChangedSince,
}

/// A change of which it is not known what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Uncertain {
    /// The change.
    pub intent: Intent,
    /// Why it is uncertain.
    pub cause: UncertainCause,
    /// The recorded answer, where there is one.
    pub recorded: Vec<StateChange>,
}

impl Recovery {
    /// Whether there is nothing to do but to clear the journal: all is stored already.
    pub fn is_clean(&self) -> bool {
        !self.changed && self.uncertain.is_empty() && self.transfer.is_none()
    }
}

/// Brings the stored state and the frames of its journal together.
///
/// Results are replayed; an intent without a result is uncertain. Replaying what is stored already changes nothing. When
/// someone else has stored a state since, only results whose objects are still as the run left or found them are replayed.
pub fn recover(stored: &State, frames: &[Vec<u8>]) -> Result<Recovery, StateError> {
    recover_by(stored, frames, None)
}

/// As [`recover`], with the present [witness](terrace_port::JournalStore::witness) of the journal's store: where it is that
/// of the run, nothing that the run wrote down is missing, so intents that it had written ahead and not come to are not
/// uncertain.
pub fn recover_by(
    stored: &State,
    frames: &[Vec<u8>],
    witness: Option<&str>,
) -> Result<Recovery, StateError> {
    if let Some(transfer) = Transfer::in_journal(frames)? {
        return Ok(Recovery {
            state: stored.clone(),
            transfer: Some(transfer),
            ..Recovery::default()
        });
    }
    let mut replay = Replay {
        recovery: Recovery {
            state: stored.clone(),
            ..Recovery::default()
        },
        witness,
    };
    let frames = frames
        .iter()
        .map(|bytes| Frame::decode(bytes))
        .collect::<Result<Vec<_>, _>>()?;
    let mut starts: Vec<usize> = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        let Frame::Begin(begin) = frame else { continue };
        // A run that does not know whether its beginning was written writes it again.
        let again = starts.last().is_some_and(
            |start| matches!(&frames[*start], Frame::Begin(before) if before == begin),
        );
        if !again {
            starts.push(index);
        }
    }
    if !frames.is_empty() && starts.first() != Some(&0) {
        return Err(StateError::invalid(
            "The journal does not begin with the beginning of a run.",
        ));
    }
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(frames.len());
        replay.run(stored, &frames[*start..end])?;
    }
    let mut recovery = replay.recovery;
    recovery.changed = !recovery.state.same_content(stored);
    Ok(recovery)
}

struct Replay<'a> {
    recovery: Recovery,
    witness: Option<&'a str>,
}

/// The ops of a run that was at most so far as to have written their intents: it asks for no more than `parallelism`
/// changes at a time, in the order of their intents, and writes results down before it asks for the next.
fn not_begun(begin: &Begin, frames: &[Frame], witness: Option<&str>) -> BTreeSet<u32> {
    let is_whole = begin.witness.is_some() && begin.witness.as_deref() == witness;
    if !is_whole || begin.parallelism == 0 {
        return BTreeSet::new();
    }
    let mut open: Vec<u32> = Vec::new();
    for frame in frames {
        match frame {
            Frame::Intent(intent) if !open.contains(&intent.op) => open.push(intent.op),
            Frame::Result(OpResult { op, .. }) | Frame::Lost { op } => {
                open.retain(|other| other != op);
            }
            _ => {}
        }
    }
    open.into_iter().skip(begin.parallelism as usize).collect()
}

impl Replay<'_> {
    fn run(&mut self, stored: &State, frames: &[Frame]) -> Result<(), StateError> {
        let Some(Frame::Begin(begin)) = frames.first() else {
            return Ok(());
        };
        let state = &mut self.recovery.state;
        if !stored.lineage.is_empty() && stored.lineage != begin.lineage {
            return Err(StateError {
                summary: "Journal of another state".into(),
                detail: format!(
                    "The journal was written for the state of lineage {:?}, and the stored state has lineage {:?}.",
                    begin.lineage, stored.lineage
                ),
                hint: Some(
                    "Put the state that the journal belongs to back in its place, then recover."
                        .into(),
                ),
                position: None,
            });
        }
        if state.lineage.is_empty() {
            state.lineage.clone_from(&begin.lineage);
        }
        let ours = stored.serial == begin.serial
            || frames
                .iter()
                .any(|frame| matches!(frame, Frame::Commit { serial } if *serial == stored.serial));
        self.recovery.runs.push(begin.run.clone());
        self.recovery.foreign |= !ours;
        if ours {
            for change in &begin.changes {
                change.apply_to(&mut self.recovery.state);
            }
        }
        let not_begun = not_begun(begin, frames, self.witness);
        let mut open: BTreeMap<u32, &Intent> = BTreeMap::new();
        for frame in frames {
            match frame {
                Frame::Intent(Intent { op, .. }) | Frame::Result(OpResult { op, .. })
                    if not_begun.contains(op) => {}
                Frame::Intent(intent) => {
                    open.insert(intent.op, intent);
                }
                Frame::Result(result) => {
                    let intent = open.remove(&result.op);
                    self.result(ours, intent, result);
                }
                Frame::Outputs(outputs) if ours => {
                    self.recovery.state.outputs.clone_from(&outputs.outputs);
                    self.recovery
                        .state
                        .check_results
                        .clone_from(&outputs.checks);
                }
                Frame::Begin(_)
                | Frame::Outputs(_)
                | Frame::Lost { .. }
                | Frame::Commit { .. }
                | Frame::End
                | Frame::Transfer(_) => {}
            }
        }
        for op in not_begun {
            let own = frames.iter().filter_map(|frame| match frame {
                Frame::Result(result) if result.op == op => Some(&result.changes),
                _ => None,
            });
            // What was to go before the change did not happen either.
            let changes = own.flatten().map(|change| StateChange {
                object: change.present(&self.recovery.state).cloned(),
                ..change.clone()
            });
            let changes = changes.collect();
            self.recovery.not_begun.push(OpResult {
                op,
                changes,
                error: Some("it was not asked for".into()),
            });
        }
        self.recovery
            .uncertain
            .extend(open.into_values().map(|intent| Uncertain {
                intent: intent.clone(),
                cause: UncertainCause::InFlight,
                recorded: Vec::new(),
            }));
        Ok(())
    }

    fn result(&mut self, ours: bool, intent: Option<&Intent>, result: &OpResult) {
        let state = &mut self.recovery.state;
        let known = |change: &StateChange, state: &State| {
            let present = change.present(state);
            present == change.object.as_ref()
                || intent.is_some_and(|intent| present == intent.prior.as_ref())
        };
        if ours || result.changes.iter().all(|change| known(change, state)) {
            for change in &result.changes {
                change.apply_to(state);
            }
            self.recovery.n_results += 1;
        } else if let Some(intent) = intent {
            self.recovery.uncertain.push(Uncertain {
                intent: intent.clone(),
                cause: UncertainCause::StateChangedSince,
                recorded: result.changes.clone(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::{object, provider, sample};
    use crate::{CheckStatus, ObjectStatus};

    fn change(address: &str, content: Option<&str>) -> StateChange {
        StateChange {
            address: address.parse().unwrap(),
            deposed: None,
            provider: provider(),
            object: content.map(object),
        }
    }

    fn intent(op: u32, address: &str, prior: Option<&str>) -> Frame {
        Frame::Intent(Intent {
            op,
            address: address.parse().unwrap(),
            deposed: None,
            action: if prior.is_some() {
                IntentAction::Update
            } else {
                IntentAction::Create
            },
            provider: provider(),
            prior: prior.map(object),
            planned_private: b"\x00\xffp".as_slice().into(),
            import_id: Some("i-1".into()),
        })
    }

    fn result(op: u32, changes: Vec<StateChange>) -> Frame {
        Frame::Result(OpResult {
            op,
            changes,
            error: None,
        })
    }

    fn begin() -> Frame {
        Frame::Begin(Begin {
            run: "r1".into(),
            lineage: "line".into(),
            serial: 3,
            epoch: 7,
            ..Begin::default()
        })
    }

    fn encoded(frames: &[Frame]) -> Vec<Vec<u8>> {
        frames.iter().map(Frame::encode).collect()
    }

    #[test]
    fn intents_that_a_run_had_not_come_to_are_not_uncertain() {
        let begin = Frame::Begin(Begin {
            run: "r1".into(),
            lineage: "line".into(),
            serial: 3,
            parallelism: 2,
            witness: Some("boot".into()),
            ..Begin::default()
        });
        let deposed = StateChange {
            deposed: Some(DeposedKey("00000001".into())),
            ..change("t.a[0]", Some("{\"id\":\"zero\"}"))
        };
        let frames = encoded(&[
            begin.clone(),
            intent(1, "t.new[1]", None),
            intent(2, "t.new[2]", None),
            intent(3, "t.new[3]", None),
            // The first of a journal that begins twice counts.
            begin,
            Frame::Lost { op: 1 },
            intent(4, "t.new[4]", None),
            result(3, vec![change("t.new[3]", Some("{\"id\":\"three\"}"))]),
            intent(5, "t.new[5]", None),
            result(6, vec![deposed, change("t.a[0]", None)]),
            intent(6, "t.a[0]", None),
        ]);
        let uncertain = |witness| -> Vec<u32> {
            let recovery = recover_by(&sample(), &frames, witness).unwrap();
            let mut ops: Vec<u32> = recovery
                .uncertain
                .iter()
                .map(|uncertain| uncertain.intent.op)
                .collect();
            ops.sort_unstable();
            ops
        };
        assert_eq!(uncertain(None), [1, 2, 4, 5, 6]);
        assert_eq!(uncertain(Some("another")), [1, 2, 4, 5, 6]);
        assert_eq!(uncertain(Some("boot")), [1, 2, 4]);
        let conservative = recover(&sample(), &frames).unwrap();
        assert!(
            conservative
                .state
                .object(&"t.a[0]".parse().unwrap())
                .is_none()
        );
        // Recovery tells the journal, so that they stay what they are once the others are settled.
        let recovery = recover_by(&sample(), &frames, Some("boot")).unwrap();
        let told = recovery.not_begun.into_iter().map(Frame::Result);
        let told: Vec<Frame> = told.chain([result(2, Vec::new())]).collect();
        let frames = [frames.clone(), encoded(&told)].concat();
        let again = recover_by(&sample(), &frames, Some("boot")).unwrap();
        assert_eq!((again.uncertain.len(), again.not_begun.len()), (2, 0));
        let kept = again.state.object(&"t.a[0]".parse().unwrap()).unwrap();
        assert_eq!(kept.text_attribute("id").as_deref(), Some("zero"));
        // What goes before a change that never began did not happen either.
        let recovery = recover_by(&sample(), &frames, Some("boot")).unwrap();
        assert!(
            recovery
                .state
                .object(&"t.a[0]".parse().unwrap())
                .is_some_and(|object| object.text_attribute("id").as_deref() == Some("zero"))
        );
    }

    #[test]
    fn frames_come_back() {
        let mut full = (*object(r#"{"id":"x","n":0.10,"s":"<\"é"}"#)).clone();
        full.status = ObjectStatus::Tainted;
        full.private = b"pp".as_slice().into();
        full.create_before_destroy = true;
        full.sensitive_paths = vec![terrace_value::Path::root().attribute("s")];
        full.dependencies = [sample().resources.keys().next().unwrap().config()].into();
        let deposed = StateChange {
            deposed: Some(DeposedKey("00000001".into())),
            object: Some(Arc::new(full)),
            ..change("t.a[0]", None)
        };
        let output = OutputState {
            value: terrace_value::Value::string("v"),
            sensitive: true,
        };
        let checks = CheckResult {
            kind: "check".into(),
            config_address: "check.c".into(),
            status: CheckStatus::Pass,
            objects: vec![],
        };
        let outputs = RunOutputs {
            outputs: [("o".into(), output)].into(),
            checks: Some(vec![checks]),
        };
        for frame in [
            Frame::Begin(Begin {
                changes: vec![deposed.clone()],
                plan_digest: "d".into(),
                ..Begin::default()
            }),
            intent(4, "module.m[\"k\"].t.a[\"x\\\"\"]", Some("{}")),
            Frame::Result(OpResult {
                op: 1,
                changes: vec![deposed, change("t.a[0]", None)],
                error: Some("e".into()),
            }),
            Frame::Outputs(outputs),
            Frame::Begin(Begin {
                parallelism: 10,
                witness: Some("w".into()),
                ..Begin::default()
            }),
            Frame::Lost { op: 3 },
            Frame::Commit { serial: 9 },
            Frame::End,
        ] {
            let bytes = frame.encode();
            assert!(!bytes.contains(&b'\n'));
            assert_eq!(Frame::decode(&bytes).unwrap(), frame);
        }
        assert!(
            Frame::decode(b"{\"v\":2,\"end\":true}")
                .unwrap_err()
                .detail
                .contains("version 2")
        );
        assert!(Frame::decode(b"{\"v\":1}").is_err());
        assert!(Frame::decode(b"{").is_err());
    }

    #[test]
    fn results_are_replayed_and_intents_without_result_are_uncertain() {
        let frames = encoded(&[
            begin(),
            intent(0, "t.new", None),
            intent(1, "t.a[0]", Some(r#"{"id":"zero"}"#)),
            result(0, vec![change("t.new", Some(r#"{"id":"n"}"#))]),
        ]);
        let recovery = recover(&sample(), &frames).unwrap();
        assert!(recovery.state.object(&"t.new".parse().unwrap()).is_some());
        assert_eq!(recovery.uncertain.len(), 1);
        assert_eq!(recovery.uncertain[0].intent.address.to_string(), "t.a[0]");
        assert_eq!((recovery.n_results, recovery.changed), (1, true));
    }

    #[test]
    fn what_is_stored_already_needs_nothing() {
        let mut committed = sample();
        change("t.new", Some("{}")).apply_to(&mut committed);
        committed.serial = 4;
        let frames = [
            begin(),
            intent(0, "t.new", None),
            result(0, vec![change("t.new", Some("{}"))]),
            Frame::Commit { serial: 4 },
        ];
        for n_frames in 0..=frames.len() {
            let stored = if n_frames == frames.len() {
                &committed
            } else {
                &sample()
            };
            let recovery = recover(stored, &encoded(&frames[..n_frames])).unwrap();
            assert_eq!(
                recovery.is_clean(),
                n_frames < 2 || n_frames == 4,
                "{n_frames} frames"
            );
        }
    }

    #[test]
    fn a_state_that_someone_else_changed_keeps_their_work() {
        let mut stored = sample();
        stored.serial = 20;
        change("t.a[0]", Some(r#"{"id":"theirs"}"#)).apply_to(&mut stored);
        let frames = encoded(&[
            begin(),
            intent(0, "t.a[0]", Some(r#"{"id":"zero"}"#)),
            intent(1, "t.a[1]", Some(r#"{"id":"one"}"#)),
            result(0, vec![change("t.a[0]", Some(r#"{"id":"ours"}"#))]),
            result(1, vec![change("t.a[1]", Some(r#"{"id":"ours"}"#))]),
        ]);
        let recovery = recover(&stored, &frames).unwrap();
        let id = |address: &str| {
            recovery
                .state
                .object(&address.parse().unwrap())
                .unwrap()
                .text_attribute("id")
                .unwrap()
        };
        assert_eq!(
            (id("t.a[0]"), id("t.a[1]")),
            ("theirs".into(), "ours".into())
        );
        assert_eq!(
            recovery.uncertain[0].cause,
            UncertainCause::StateChangedSince
        );
        assert_eq!(recovery.uncertain[0].recorded.len(), 1);
    }

    #[test]
    fn a_journal_of_another_lineage_is_refused() {
        let stored = State {
            lineage: "other".into(),
            ..sample()
        };
        assert_eq!(
            recover(&stored, &encoded(&[begin()])).unwrap_err().summary,
            "Journal of another state"
        );
        assert!(recover(&sample(), &encoded(&[Frame::End])).is_err());
        assert_eq!(
            recover(&State::default(), &encoded(&[begin()]))
                .unwrap()
                .state
                .lineage,
            "line"
        );
    }

    #[test]
    fn a_difference_makes_one_state_of_another() {
        let from = sample();
        let mut to = sample();
        change("t.a[0]", None).apply_to(&mut to);
        change("t.a[2]", Some("{}")).apply_to(&mut to);
        change("t.a[1]", Some("{}")).apply_to(&mut to);
        let deposed = StateChange {
            deposed: Some(DeposedKey("0000000a".into())),
            ..change("t.a[1]", Some("{}"))
        };
        deposed.apply_to(&mut to);
        let changes = difference(&from, &to);
        assert_eq!(changes.len(), 4);
        let mut made = from;
        for change in &changes {
            change.apply_to(&mut made);
        }
        assert!(made.same_content(&to));
        assert!(difference(&to, &to).is_empty());
    }
}
