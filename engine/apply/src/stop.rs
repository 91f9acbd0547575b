//! Asking a run to end.

use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Waker;

use futures::task::AtomicWaker;

/// Asks a run to end: first gently, then at once.
#[derive(Debug, Default)]
pub struct Stop {
    level: AtomicU8,
    waker: AtomicWaker,
}

/// How urgently a run is to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// Not at all.
    #[default]
    None,
    /// Nothing new begins; providers are asked to stop; what runs is awaited.
    Soon,
    /// What runs is abandoned. The journal holds what was asked for.
    Now,
}

impl Stop {
    /// Asks for the end: the first time gently, from the second time on at once.
    pub fn request(&self) {
        let next = |level: u8| Some(level.saturating_add(1).min(2));
        // The closure never refuses.
        self.level
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, next)
            .ok();
        self.waker.wake();
    }

    pub(crate) fn urgency(&self) -> Urgency {
        match self.level.load(Ordering::SeqCst) {
            0 => Urgency::None,
            1 => Urgency::Soon,
            _ => Urgency::Now,
        }
    }

    /// Wakes `waker` at the next request.
    pub(crate) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }
}
