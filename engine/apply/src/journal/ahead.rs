//! Frames that are written while the run goes on.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use terrace_port::StoreError;
use terrace_state::journal::Frame;

use super::Journal;

impl<'a> Journal<'a> {
    /// Whether what is noted outlives this process at once, so that intents may be written before there is a place for
    /// their changes.
    pub(crate) fn stages(&self) -> bool {
        self.stages
    }

    /// Notes frames, which the next [`write`](Self::write) makes durable. After a failure no intent among them may be
    /// acted on; the rest, and what came before, is written with the next frames.
    pub(crate) async fn note(&mut self, frames: &[Frame]) -> Result<(), StoreError> {
        if frames.is_empty() {
            return Ok(());
        }
        // What has been done is written even where there is no room for more.
        let full = self.reserve(frames).await.err();
        let wanted = |frame: &&Frame| full.is_none() || !matches!(frame, Frame::Intent(_));
        let mut all = std::mem::take(&mut self.pending);
        all.extend(frames.iter().filter(wanted).cloned());
        if self.stages && !all.is_empty() {
            let encoded = self.encode(&all);
            let staged = self.store.stage(&encoded).await;
            if staged.is_err() {
                self.take_note(all, &staged);
                return staged;
            }
            self.begin = None;
        }
        self.noted.append(&mut all);
        full.map_or(Ok(()), Err)
    }

    /// Makes durable what was noted; to be told of by [`written`](Self::written) before anything else is.
    pub(crate) fn write(&mut self) -> BoxFuture<'a, Result<(), StoreError>> {
        let store = self.store;
        self.under_way = std::mem::take(&mut self.noted);
        let encoded = if self.stages || self.under_way.is_empty() {
            Vec::new()
        } else {
            let frames = std::mem::take(&mut self.under_way);
            let encoded = self.encode(&frames);
            self.under_way = frames;
            encoded
        };
        async move { store.append(&encoded).await }.boxed()
    }

    /// What came of a [`write`](Self::write).
    pub(crate) fn written(&mut self, written: &Result<(), StoreError>) {
        let frames = std::mem::take(&mut self.under_way);
        // What has failed since is not among what was written.
        let pending = std::mem::take(&mut self.pending);
        self.take_note(frames, written);
        self.pending.extend(pending);
    }

    /// How many intents are noted and not yet durable.
    pub(super) fn noted_intents(&self) -> usize {
        let frames = self.noted.iter().chain(&self.under_way);
        frames
            .filter(|frame| matches!(frame, Frame::Intent(_)))
            .count()
    }
}
