//! What others see of a long apply: the state is stored while it goes on.

use terrace_port::{Clock, Entropy, LockedState};
use terrace_state::journal::Frame;
use terrace_state::{State, successor};

use crate::journal::Journal;

/// Seconds between two states that are stored while an apply goes on.
const INTERVAL: i64 = 20;

/// Storing a state takes at most one part in so many of the time of an apply.
const SHARE: i64 = 20;

/// The stored state of a run that goes on.
pub(crate) struct Progress<'a> {
    /// The store.
    pub(crate) locked: &'a mut dyn LockedState,
    /// What is stored.
    pub(crate) stored: State,
    /// When it is to be stored again, in seconds; `None` before the first question.
    next: Option<i64>,
    /// Set when the store has refused a state: the end of the run tells of it, and the journal holds everything.
    refused: bool,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(locked: &'a mut dyn LockedState, stored: State) -> Self {
        Self {
            locked,
            stored,
            next: None,
            refused: false,
        }
    }

    /// Stores `state` if it is time and something has changed. The journal stays the truth: it says first which state is
    /// about to be stored, so that recovery knows it for one of this run's.
    pub(crate) async fn save(
        &mut self,
        state: &State,
        journal: &mut Journal<'_>,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) {
        let now = clock.now().0;
        let due = *self.next.get_or_insert(now + INTERVAL);
        if now < due || self.refused || !journal.is_begun() {
            return;
        }
        self.next = Some(now + INTERVAL);
        let Some(next) = successor(&self.stored, state, entropy) else {
            return;
        };
        let frame = Frame::Commit {
            serial: next.serial,
        };
        if journal.append(&[frame]).await.is_err() {
            self.refused = true;
            return;
        }
        match terrace_state::store(self.locked, &next).await {
            Ok(()) => self.stored = next,
            Err(_) => self.refused = true,
        }
        let now_again = clock.now().0;
        self.next = Some(now_again + INTERVAL.max((now_again - now) * SHARE));
    }
}
