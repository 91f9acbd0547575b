//! What others see of a long apply: the state is stored while it goes on.

use terrace_port::{Clock, Entropy, LockedState};
use terrace_state::journal::{Frame, difference};
use terrace_state::{State, successor};

use crate::journal::Journal;

/// Seconds between two states that are stored while an apply goes on.
const INTERVAL: i64 = 20;

/// Storing a state takes at most one part in so many of the time of an apply.
const SHARE: i64 = 20;

/// A state of more instances than these is large.
const LARGE: usize = 2_000;

/// A large state is stored once one of so many instances has changed: the journal keeps the results, and a write of all for
/// the sake of a few would cost more than they do.
const PART: usize = 64;

/// Whether enough has changed for a state to be stored before the run ends.
fn is_worth_storing(stored: &State, state: &State) -> bool {
    let instances = |state: &State| -> usize {
        state
            .resources
            .values()
            .map(|resource| resource.instances.len())
            .sum()
    };
    let size = instances(state);
    size <= LARGE || difference(stored, state).len() * PART >= size
}

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
        if !is_worth_storing(&self.stored, state) {
            return;
        }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use terrace_state::{Object, ObjectStatus};

    use super::*;

    fn state(instances: usize, changed: usize) -> State {
        let mut state = State::default();
        let provider = "provider[\"registry.terraform.io/hashicorp/test\"]"
            .parse()
            .unwrap();
        for index in 0..instances {
            let text = if index < changed { "{\"n\":2}" } else { "{}" };
            let object = Object {
                schema_version: 0,
                attributes: text.as_bytes().into(),
                sensitive_paths: Vec::new(),
                private: [].into(),
                dependencies: [].into(),
                status: ObjectStatus::Ready,
                create_before_destroy: false,
                skip_destroy: false,
                identity: None,
            };
            let address = format!("t.a[{index}]").parse().unwrap();
            state.set_object(&address, None, &provider, Some(Arc::new(object)));
        }
        state
    }

    #[test]
    fn a_large_state_is_not_stored_for_a_few_changes() {
        assert!(is_worth_storing(&state(100, 0), &state(100, 1)));
        assert!(!is_worth_storing(&state(3_200, 0), &state(3_200, 49)));
        assert!(is_worth_storing(&state(3_200, 0), &state(3_200, 50)));
    }
}
