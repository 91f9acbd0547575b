//! Asking a run to end.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Poll, Waker};

use futures::task::AtomicWaker;

/// Asks a run to end: first gently, then at once.
#[derive(Debug, Default)]
pub struct Stop {
    level: AtomicU8,
    waker: AtomicWaker,
    /// Who else waits for a request.
    others: Mutex<Vec<Waker>>,
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
        if let Ok(mut others) = self.others.lock() {
            others.drain(..).for_each(Waker::wake);
        }
    }

    pub(crate) fn is_requested(&self) -> bool {
        self.urgency() > Urgency::None
    }

    /// Completes when the end is asked for.
    pub(crate) async fn requested(&self) {
        std::future::poll_fn(|context| {
            if let Ok(mut others) = self.others.lock() {
                if !others.iter().any(|waker| waker.will_wake(context.waker())) {
                    others.push(context.waker().clone());
                }
            }
            // Looked at after the waker is there, so that no request falls in between.
            if self.is_requested() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
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
