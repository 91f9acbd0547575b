//! An early end.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use terrace_apply::Stop;

use super::lock;

/// Asks tests to end: first so that what they made is destroyed still, then at once.
#[derive(Debug, Default)]
pub struct Cancel {
    level: AtomicU8,
    /// The applies that run now.
    stops: Mutex<Vec<Arc<Stop>>>,
}

impl Cancel {
    /// Asks for the end. Returns how often that has been done.
    pub fn request(&self) -> u8 {
        let level = self.level.load(Ordering::SeqCst).saturating_add(1).min(2);
        self.level.store(level, Ordering::SeqCst);
        for stop in lock(&self.stops).iter() {
            stop.request();
            if level > 1 {
                stop.request();
            }
        }
        level
    }

    /// Whether the end has been asked for.
    pub fn is_requested(&self) -> bool {
        self.level.load(Ordering::SeqCst) > 0
    }

    /// Whether not even what was made is to be destroyed.
    pub fn is_urgent(&self) -> bool {
        self.level.load(Ordering::SeqCst) > 1
    }

    /// By which an apply is asked to end, from now on.
    pub(super) fn stop(&self) -> Arc<Stop> {
        let stop = Arc::new(Stop::default());
        lock(&self.stops).push(Arc::clone(&stop));
        if self.is_urgent() {
            stop.request();
            stop.request();
        }
        stop
    }

    /// An apply has ended.
    pub(super) fn done(&self, stop: &Arc<Stop>) {
        lock(&self.stops).retain(|other| !Arc::ptr_eq(other, stop));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_request_is_urgent() {
        let cancel = Cancel::default();
        assert!(!cancel.is_requested());
        assert_eq!(cancel.request(), 1);
        assert!(cancel.is_requested() && !cancel.is_urgent());
        assert_eq!(cancel.request(), 2);
        assert!(cancel.is_urgent());
        assert_eq!(cancel.request(), 2);
    }
}
