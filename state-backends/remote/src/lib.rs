//! What every backend shares whose states are not on this machine's files.
//!
//! A backend's crate is thin. It implements three traits for its store:
//! - [`Objects`]: bytes under names, with conditional writes;
//! - [`Locks`]: the lock in the form that other tools see and make for this store;
//! - [`Layout`]: under which names things lie, and which names are workspaces;
//!
//! and exports `arguments()` and `open(..)` (see [`Arguments`]), which hands them to [`RemoteStore::new`]. All that needs
//! thought is here, once: leases with heartbeat, expiry and takeover; epochs and fencing; retries and lost answers; lineage
//! and serial; the journal; runs.

mod arguments;
mod beside;
mod failure;
mod layout;
mod lease;
mod locks;
mod objects;
mod reader;
mod record;
mod store;
mod wire;

pub use arguments::{Argument, Arguments, Kind, Problem, Surroundings, object_type};
pub use beside::{FileObjects, content_version};
pub use failure::{Failure, chain};
pub use layout::Layout;
pub use lease::asked_lease;
pub use locks::{Acquired, Forced, Held, Liveness, Locks, Replaced, Token};
pub use objects::{Deleted, Object, Objects, Put, Version, When, Write};
pub use reader::Reader;
pub use record::LockRecord;
pub use store::{RemoteOptions, RemoteStore, Waiting, Watcher};
pub use terrace_port::LockLease;
