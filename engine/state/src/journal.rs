//! The journal of an apply: what is about to be asked of providers, and what came of it.
//!
//! An intent is durable before a provider is called, a result before anything depends on it. Whatever happens to the
//! process, [`recover`] brings the stored state and the journal together again.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{AbsProviderConfig, AbsResourceInstance, DeposedKey, Name};

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
    /// Root outputs and check results as they are now.
    Outputs(RunOutputs),
    /// The state is about to be stored with this serial.
    Commit {
        /// The serial.
        serial: u64,
    },
    /// The run ended; nothing is in flight.
    End,
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

    fn present<'a>(&self, state: &'a State) -> Option<&'a Arc<Object>> {
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
    /// Whether the state differs from the stored one.
    pub changed: bool,
    /// Whether someone else has stored a state since the run began.
    pub foreign: bool,
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
        !self.changed && self.uncertain.is_empty()
    }
}

/// Brings the stored state and the frames of its journal together.
///
/// Results are replayed; an intent without a result is uncertain. Replaying what is stored already changes nothing. When
/// someone else has stored a state since, only results whose objects are still as the run left or found them are replayed.
pub fn recover(stored: &State, frames: &[Vec<u8>]) -> Result<Recovery, StateError> {
    let mut replay = Replay {
        recovery: Recovery {
            state: stored.clone(),
            ..Recovery::default()
        },
    };
    let frames = frames
        .iter()
        .map(|bytes| Frame::decode(bytes))
        .collect::<Result<Vec<_>, _>>()?;
    let starts: Vec<usize> = frames
        .iter()
        .enumerate()
        .filter(|(_, frame)| matches!(frame, Frame::Begin(_)))
        .map(|(index, _)| index)
        .collect();
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

struct Replay {
    recovery: Recovery,
}

impl Replay {
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
        let mut open: BTreeMap<u32, &Intent> = BTreeMap::new();
        for frame in frames {
            match frame {
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
                Frame::Begin(_) | Frame::Outputs(_) | Frame::Commit { .. } | Frame::End => {}
            }
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
