//! The journal of one run: one append for all frames that are ready.

use std::collections::BTreeMap;

use terrace_port::{JournalStore, StoreError};
use terrace_state::journal::{Begin, Frame, Intent};

/// Writes the frames of a run.
pub(crate) struct Journal<'a> {
    store: &'a dyn JournalStore,
    /// Written before the first other frame.
    begin: Option<Begin>,
    /// Intents without a result, by op.
    open: BTreeMap<u32, Intent>,
}

impl<'a> Journal<'a> {
    pub(crate) fn new(store: &'a dyn JournalStore, begin: Begin) -> Self {
        Self {
            store,
            begin: Some(begin),
            open: BTreeMap::new(),
        }
    }

    /// Makes frames durable, all in one.
    pub(crate) async fn append(&mut self, frames: &[Frame]) -> Result<(), StoreError> {
        if frames.is_empty() {
            return Ok(());
        }
        let begin = self.begin.clone().map(Frame::Begin);
        let encoded: Vec<Vec<u8>> = begin.iter().chain(frames).map(Frame::encode).collect();
        self.store.append(&encoded).await?;
        self.begin = None;
        for frame in frames {
            match frame {
                Frame::Intent(intent) => {
                    self.open.insert(intent.op, intent.clone());
                }
                Frame::Result(result) => {
                    self.open.remove(&result.op);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether anything was written.
    pub(crate) const fn is_begun(&self) -> bool {
        self.begin.is_none()
    }

    /// Intents without a result.
    pub(crate) fn open_intents(&self) -> Vec<Intent> {
        self.open.values().cloned().collect()
    }

    /// Empties the journal, all of which is in the stored state.
    pub(crate) async fn clear(&self) -> Result<(), StoreError> {
        self.store.clear().await
    }
}
