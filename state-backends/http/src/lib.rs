//! States on an HTTP server: `GET`, `POST` (or what it is told to use) and `DELETE` of one address, `LOCK` and `UNLOCK` of another.
//!
//! Such a server holds one state and one lock, and nothing else. What only Terrace keeps (runs, audit, journal, epochs) lies on this
//! machine, in `.terrace/http/` below the root module, by the address: other machines do not see it. There is no lease either,
//! since the protocol cannot renew a lock; a dead holder's lock is released by force.
//!
//! The protocol has no request that only asks who holds the lock. Where that must be known, it is asked by trying to take it: a
//! server that refuses names the holder, and one that does not is given the lock back at once.

mod client;
mod locks;
mod objects;
mod settings;

use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use terrace_backend_remote::{
    Arguments, FileObjects, Layout, Problem, RemoteOptions, RemoteStore, Surroundings,
};
use terrace_port::StateStore;

pub use settings::arguments;

/// The name of the state among objects.
const STATE: &str = "state";

struct OneState {
    address: String,
}

impl Layout for OneState {
    fn state(&self, _: &str) -> String {
        STATE.into()
    }

    fn prefix(&self) -> Option<String> {
        None
    }

    fn workspace(&self, _: &str) -> Option<String> {
        None
    }

    fn own(&self, _: &str) -> String {
        "own/".into()
    }

    fn lock_path(&self, _: &str) -> String {
        // The reference leaves it empty; the address helps who reads it, and its password does not.
        self.address.clone()
    }

    /// The server itself refuses writes under a lock that is no longer held.
    fn no_state(&self) -> Option<&'static [u8]> {
        None
    }
}

/// Opens the store that settings name.
#[expect(
    clippy::unused_async,
    reason = "the contract of backends, of which some sign in"
)]
pub async fn open(
    arguments: &Arguments,
    surroundings: &Surroundings<'_>,
) -> Result<Arc<dyn StateStore>, Vec<Problem>> {
    let settings = settings::Settings::read(arguments)?;
    let digest = Sha256::digest(settings.address.as_str().as_bytes());
    let mut name = String::new();
    for byte in &digest[..8] {
        write!(name, "{byte:02x}").expect("a string takes everything");
    }
    let own = surroundings
        .directory
        .join(".terrace")
        .join("http")
        .join(name);
    let options = RemoteOptions {
        retries: settings.retries,
        pauses: settings.pauses,
        patience: settings.pauses.1 * settings.retries.saturating_add(1),
        // The journal is on this machine already.
        aside: None,
        ..RemoteOptions::within("http", surroundings)
    };
    let layout = OneState {
        address: settings::shown(&settings.address),
    };
    let client = Arc::new(client::Client::new(settings, surroundings.user_agent)?);
    Ok(Arc::new(RemoteStore::new(
        options,
        Arc::new(objects::HttpObjects {
            client: Arc::clone(&client),
            own: FileObjects::new(own),
        }),
        Arc::new(locks::HttpLocks { client }),
        Arc::new(layout),
    )))
}
