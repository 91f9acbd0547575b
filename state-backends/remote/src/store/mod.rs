//! The store over objects and locks.

use std::sync::Arc;
use std::time::Duration;

use terrace_port::Clock;

use crate::{Layout, Locks, Objects};

/// How a store behaves.
#[derive(Clone)]
pub struct RemoteOptions {
    /// The backend's type, such as `s3`.
    pub kind: &'static str,
    /// How long a lock lives without being renewed.
    pub lease: Duration,
    /// How often it is renewed.
    pub heartbeat: Duration,
    /// The time, for what is written into locks and told to people.
    pub clock: Arc<dyn Clock>,
}

impl RemoteOptions {
    /// The usual: a lease of a minute, renewed every fifteen seconds.
    pub fn new(kind: &'static str, clock: Arc<dyn Clock>) -> Self {
        Self {
            kind,
            lease: Duration::from_mins(1),
            heartbeat: Duration::from_secs(15),
            clock,
        }
    }
}

/// States, runs and journals over [`Objects`] and [`Locks`]: the [`StateStore`](terrace_port::StateStore) of every remote backend.
#[derive(Clone)]
pub struct RemoteStore {
    pub(crate) parts: Arc<Parts>,
}

/// What a store and everything that it hands out share.
pub(crate) struct Parts {
    pub(crate) options: RemoteOptions,
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) locks: Arc<dyn Locks>,
    pub(crate) layout: Arc<dyn Layout>,
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
            }),
        }
    }
}
