//! The journal of one run: one append for all frames that are ready.

mod ahead;

use std::collections::{BTreeMap, BTreeSet};

use terrace_diag::Diagnostic;
use terrace_port::{JournalStore, StoreError};
use terrace_state::journal::{Begin, Frame, Intent, OpResult};

/// Room that is reserved for the result of a change before it is asked for, at least.
const ROOM: u64 = 64 << 10;

/// Writes the frames of a run.
pub(crate) struct Journal<'a> {
    store: &'a dyn JournalStore,
    /// Written before the first other frame.
    begin: Option<Begin>,
    /// Intents without a result, by op.
    open: BTreeMap<u32, Intent>,
    /// Frames that could not be written. They are written before all others.
    pending: Vec<Frame>,
    /// Frames that are to be written next.
    noted: Vec<Frame>,
    /// Frames that are being written.
    under_way: Vec<Frame>,
    /// Whether the store keeps frames that are noted even if this process dies.
    stages: bool,
    /// The longest frame so far.
    longest: u64,
    /// The file of this machine that holds the journal, where it could not be written to the store.
    aside: Option<String>,
}

impl<'a> Journal<'a> {
    pub(crate) fn new(store: &'a dyn JournalStore, begin: Begin) -> Self {
        Self {
            store,
            begin: Some(begin),
            open: BTreeMap::new(),
            pending: Vec::new(),
            noted: Vec::new(),
            under_way: Vec::new(),
            stages: store.witness().is_some(),
            longest: 0,
            aside: None,
        }
    }

    /// Makes frames durable, all in one. After a failure no intent among them may be acted on; their results, and those that
    /// came before, are written with the next frames.
    pub(crate) async fn append(&mut self, frames: &[Frame]) -> Result<(), StoreError> {
        if frames.is_empty() {
            return Ok(());
        }
        // What has been done is written even where there is no room for more.
        let full = self.reserve(frames).await.err();
        let wanted = |frame: &&Frame| full.is_none() || !matches!(frame, Frame::Intent(_));
        let frames: Vec<Frame> = self
            .pending
            .iter()
            .chain(frames.iter().filter(wanted))
            .cloned()
            .collect();
        let written = if frames.is_empty() {
            Ok(())
        } else {
            let encoded = self.encode(&frames);
            self.store.append(&encoded).await
        };
        self.take_note(frames, &written);
        written?;
        full.map_or(Ok(()), Err)
    }

    /// Frames as they are stored, with the run's beginning before the first.
    fn encode(&mut self, frames: &[Frame]) -> Vec<Vec<u8>> {
        let begin = self.begin.clone().map(Frame::Begin);
        let encoded: Vec<Vec<u8>> = begin.iter().chain(frames).map(Frame::encode).collect();
        let longest = encoded.iter().map(Vec::len).max().unwrap_or_default();
        self.longest = self.longest.max(longest as u64);
        encoded
    }

    /// Remembers what is durable now and what is not.
    fn take_note(&mut self, frames: Vec<Frame>, written: &Result<(), StoreError>) {
        let durable = match written {
            Ok(()) => true,
            Err(StoreError::KeptAside { path, .. }) => {
                self.aside = Some(path.clone());
                true
            }
            Err(_) => false,
        };
        if durable {
            self.begin = None;
            self.pending.clear();
        } else {
            self.pending.clone_from(&frames);
            self.pending
                .retain(|frame| !matches!(frame, Frame::Intent(_)));
        }
        for frame in frames {
            match frame {
                // The store may hold it all the same.
                Frame::Intent(intent) if written.is_err() => {
                    self.pending.push(Frame::Result(OpResult {
                        op: intent.op,
                        changes: Vec::new(),
                        error: Some(
                            "it was not asked for, since the journal could not be written".into(),
                        ),
                    }));
                }
                Frame::Intent(intent) => {
                    self.open.insert(intent.op, intent);
                }
                Frame::Result(result) => {
                    self.open.remove(&result.op);
                }
                _ => {}
            }
        }
    }

    /// Has room for the results of what is under way and of what is about to be asked for.
    async fn reserve(&self, frames: &[Frame]) -> Result<(), StoreError> {
        let asked = frames
            .iter()
            .filter(|frame| matches!(frame, Frame::Intent(_)))
            .count();
        if asked == 0 {
            return Ok(());
        }
        let results = (self.open.len() + self.noted_intents() + asked) as u64;
        let lengths: u64 = frames.iter().map(|frame| frame.encode().len() as u64).sum();
        let room = ROOM.max(self.longest.saturating_mul(2));
        self.store
            .reserve(results.saturating_mul(room).saturating_add(lengths))
            .await
    }

    /// Whether anything was written.
    pub(crate) const fn is_begun(&self) -> bool {
        self.begin.is_none()
    }

    /// Whether there is anything that the store's journal may hold or should.
    pub(crate) const fn is_used(&self) -> bool {
        self.begin.is_none() || !self.pending.is_empty()
    }

    /// Where everything is that the run has done, for people; `None` where something of it is recorded nowhere.
    pub(crate) fn whereabouts(&self) -> Option<String> {
        if !self.unrecorded().is_empty() || !self.is_begun() {
            return None;
        }
        Some(match &self.aside {
            Some(path) => format!("in the file {path} of this machine"),
            None => "in the journal".to_owned(),
        })
    }

    /// The objects whose changes are recorded nowhere.
    pub(crate) fn unrecorded(&self) -> Vec<String> {
        let mut found = BTreeSet::new();
        for frame in &self.pending {
            if let Frame::Result(result) = frame {
                found.extend(
                    result
                        .changes
                        .iter()
                        .map(|change| change.address.to_string()),
                );
            }
        }
        found.into_iter().collect()
    }

    /// Writes what could not be written before.
    pub(crate) async fn flush(&mut self) -> Result<(), StoreError> {
        let pending = std::mem::take(&mut self.pending);
        self.append(&pending).await
    }

    /// Intents without a result.
    pub(crate) fn open_intents(&self) -> Vec<Intent> {
        self.open.values().cloned().collect()
    }

    /// Empties the journal, all of which is in the stored state.
    pub(crate) async fn clear(&mut self) -> Result<(), StoreError> {
        self.pending.clear();
        self.store.clear().await
    }
}

/// Says that the journal could not be read, written or emptied.
pub(crate) fn failed(what: &str, error: &StoreError) -> Diagnostic {
    Diagnostic::error(
        "journal-failed",
        "Journal failed",
        format!("The journal could not be {what}: {}.", error.told()),
    )
}

/// Says that nothing new is begun, since the journal could not be written.
pub(crate) fn halted(error: &StoreError) -> Diagnostic {
    let mut diagnostic = failed("written", error);
    diagnostic
        .detail
        .push_str(" Nothing new is begun without it.");
    match error {
        StoreError::KeptAside { path, .. } => {
            diagnostic
                .detail
                .push_str(" What this run has done is kept in the file ");
            diagnostic.detail.push_str(path);
            diagnostic.detail.push_str(" of this machine instead.");
            diagnostic.hint(
                "Once the store can be written again, run `terrace recover` in this directory: it brings what is in that file into the state.",
            )
        }
        error if error.is_disk_full() => {
            diagnostic.detail.push_str(
                " The disk is full. What was under way is still recorded, in room that was reserved for it.",
            );
            diagnostic.hint(
                "Free some space on the disk of that file. Then run `terrace recover`, which brings what was done into the state, and apply again.",
            )
        }
        _ => diagnostic
            .hint("Once the store can be written again, run `terrace recover`, then apply again."),
    }
}
