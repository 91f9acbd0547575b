//! The store over objects and locks.

mod aside;
mod asking;
mod holding;
mod journal;
mod locked;
mod runs;
mod staged;
mod states;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use terrace_port::{Clock, StoreError};
use tokio::time::Instant;

use crate::{Layout, Locks, Objects, Surroundings, Token};
use holding::Holding;

/// How a store behaves.
#[derive(Clone)]
pub struct RemoteOptions {
    /// The backend's type, such as `s3`.
    pub kind: &'static str,
    /// How long a lock lives without being renewed.
    pub lease: Duration,
    /// How often it is renewed.
    pub heartbeat: Duration,
    /// How long a request is made again that fails in a way that may pass.
    pub patience: Duration,
    /// How often at most it is made again.
    pub retries: u32,
    /// The first and the longest pause between attempts.
    pub pauses: (Duration, Duration),
    /// The time, for what is written into locks and told to people.
    pub clock: Arc<dyn Clock>,
    /// Who is told that the store does not answer and is asked again.
    pub watcher: Option<Watcher>,
    /// A directory of this machine where a journal is kept that the store could not take; `None` where that would be no other
    /// place.
    pub aside: Option<PathBuf>,
}

/// A store that does not answer.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'a> {
    /// What is being done, and why it has not been done yet.
    pub why: &'a str,
    /// How long it has been tried.
    pub since: Duration,
    /// How long it is tried before it fails.
    pub patience: Duration,
}

/// Who is told of a store that does not answer.
pub type Watcher = Arc<dyn Fn(&Waiting<'_>) + Send + Sync>;

impl RemoteOptions {
    /// The usual: a lease of a minute, renewed every fifteen seconds, and half a minute of patience.
    pub fn new(kind: &'static str, clock: Arc<dyn Clock>) -> Self {
        Self {
            kind,
            lease: Duration::from_mins(1),
            heartbeat: Duration::from_secs(15),
            patience: Duration::from_secs(30),
            retries: u32::MAX,
            pauses: (Duration::from_millis(100), Duration::from_secs(5)),
            clock,
            watcher: None,
            aside: None,
        }
    }

    /// The usual, for a store that commands use in a working directory, with the lease that the environment asks for; who
    /// opens a store has checked that by [`asked_lease`](crate::asked_lease).
    pub fn within(kind: &'static str, surroundings: &Surroundings<'_>) -> Self {
        let usual = Self::new(kind, Arc::clone(&surroundings.clock));
        let asked = crate::asked_lease(surroundings.environment);
        let lease = asked.ok().flatten().unwrap_or(usual.lease);
        Self {
            watcher: surroundings.watcher.clone(),
            aside: Some(surroundings.directory.join(".terrace").join("aside")),
            lease,
            heartbeat: lease / 4,
            ..usual
        }
    }
}

/// States, runs and journals over [`Objects`] and [`Locks`]: the [`StateStore`](terrace_port::StateStore) of every remote backend.
///
/// Locking needs a tokio runtime, in which the lock is renewed.
///
/// What holds, whatever fails and whoever is paused for how long:
/// - Every write of a state under a lock is conditional on the version that was read or written under that lock, and is made
///   only after the lock was proven to be held (by renewing it, in one compare-and-set).
/// - A lock is taken over only when its record has not changed for a whole lease by the clock of who takes it over. Nothing is
///   decided by comparing clocks of different machines.
/// - Who takes a lock over (or releases one by force) changes the version of the state's object without changing the state, so
///   that a write of the former holder that is still under way is refused by the store.
/// - Epochs grow with every lock, and with every release by force.
#[derive(Clone)]
pub struct RemoteStore {
    parts: Arc<Parts>,
}

/// What a store and everything that it hands out share.
struct Parts {
    options: RemoteOptions,
    objects: Arc<dyn Objects>,
    locks: Arc<dyn Locks>,
    layout: Arc<dyn Layout>,
    /// Locks that this store holds, by workspace.
    held: Mutex<BTreeMap<String, Arc<Holding>>>,
    /// Locks of others that were in the way, and since when they look as they do.
    watched: Mutex<BTreeMap<String, Watched>>,
    /// Set once a request was given up, until one is answered: nobody waits for long again in the meantime.
    is_down: AtomicBool,
    /// The journals that this store writes.
    journals: tokio::sync::Mutex<BTreeMap<String, journal::Written>>,
    /// What is written down on this machine of journals that this store writes.
    staging: Mutex<BTreeMap<String, staged::Staging>>,
}

/// Somebody's lock, as it was first seen.
struct Watched {
    token: Token,
    id: String,
    since: Instant,
}

impl RemoteStore {
    /// A store.
    pub fn new(
        options: RemoteOptions,
        objects: Arc<dyn Objects>,
        locks: Arc<dyn Locks>,
        layout: Arc<dyn Layout>,
    ) -> Self {
        Self {
            parts: Arc::new(Parts {
                options,
                objects,
                locks,
                layout,
                held: Mutex::default(),
                watched: Mutex::default(),
                is_down: AtomicBool::new(false),
                journals: tokio::sync::Mutex::default(),
                staging: Mutex::default(),
            }),
        }
    }
}

impl Parts {
    /// Refuses workspaces that cannot be.
    fn check(&self, workspace: &str) -> Result<(), StoreError> {
        terrace_backend_local::check_workspace_name(workspace)?;
        if workspace != "default" && self.layout.prefix().is_none() {
            return Err(StoreError::Refused("workspaces not supported".into()));
        }
        Ok(())
    }

    /// The name of one of Terrace's own things.
    fn own(&self, workspace: &str, name: &str) -> String {
        format!("{}{name}", self.layout.own(workspace))
    }

    /// The lock that this store holds of a workspace.
    fn holding(&self, workspace: &str) -> Option<Arc<Holding>> {
        locked(&self.held).get(workspace).cloned()
    }

    /// RFC 3339, to the second.
    fn time(&self, later: Duration) -> String {
        let (seconds, _) = self.options.clock.now();
        let seconds = seconds.saturating_add(i64::try_from(later.as_secs()).unwrap_or(0));
        jiff::Timestamp::from_second(seconds)
            .map_or_else(|_| String::new(), |time| time.to_string())
    }
}

/// The content of a mutex, which is sound even where a thread that had it panicked: each change is one assignment.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Different at each call.
fn random() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    RandomState::new().build_hasher().finish()
}
