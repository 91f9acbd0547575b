//! States in a PostgreSQL database: the reference's table and its advisory locks, so that each sees the other's.
//!
//! | what | where |
//! | --- | --- |
//! | states | the table `states` of the schema: `id`, `name` of the workspace, `data` |
//! | the lock of a state | the advisory lock of the row's `id`, of the session that holds it |
//! | the lock while there is no row | the advisory lock `-1`, which the reference takes alone and Terrace shared |
//! | what only Terrace keeps | the tables `terrace_objects` and `terrace_locks` of the same schema |
//!
//! A lock ends with its session, so there is no lease: a dead holder's lock is free as soon as the server notices. States are
//! written by the session that holds their lock, in a transaction, so that nobody writes who has it no longer. A holder whose
//! connection was lost takes its lock again, unless someone else has had it in the meantime.

mod database;
mod deadline;
mod failure;
mod locks;
mod objects;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use terrace_backend_remote::{
    Arguments, Layout, Objects, Problem, RemoteOptions, RemoteStore, Surroundings,
};
use terrace_port::StateStore;

pub use settings::arguments;

use database::Database;
use deadline::Timely;

struct Rows;

const STATES: &str = "states/";

impl Layout for Rows {
    fn state(&self, workspace: &str) -> String {
        format!("{STATES}{workspace}")
    }

    fn prefix(&self) -> Option<String> {
        Some(STATES.into())
    }

    fn workspace(&self, name: &str) -> Option<String> {
        name.strip_prefix(STATES).map(str::to_owned)
    }

    fn own(&self, workspace: &str) -> String {
        format!("terrace/{workspace}/")
    }

    fn lock_path(&self, workspace: &str) -> String {
        workspace.to_owned()
    }

    /// Only the session that holds the lock writes.
    fn no_state(&self) -> Option<&'static [u8]> {
        None
    }
}

/// The objects of the database that settings name, for what is no state. Connects when it is first used.
#[expect(
    clippy::unused_async,
    reason = "the contract of backends, of which some sign in"
)]
pub async fn objects(
    arguments: &Arguments,
    surroundings: &Surroundings<'_>,
) -> Result<Arc<dyn Objects>, Vec<Problem>> {
    let settings = settings::Settings::read(arguments, surroundings)?;
    Ok(Arc::new(Timely(Arc::new(Database::new(settings)))))
}

/// Opens the store that settings name. Connects when it is first used.
#[expect(
    clippy::unused_async,
    reason = "the contract of backends, of which some sign in"
)]
pub async fn open(
    arguments: &Arguments,
    surroundings: &Surroundings<'_>,
) -> Result<Arc<dyn StateStore>, Vec<Problem>> {
    let settings = settings::Settings::read(arguments, surroundings)?;
    let database = Timely(Arc::new(Database::new(settings)));
    let options = RemoteOptions {
        patience: Duration::from_secs(15),
        heartbeat: Duration::from_secs(10),
        ..RemoteOptions::within("pg", surroundings)
    };
    Ok(Arc::new(RemoteStore::new(
        options,
        Arc::new(database.clone()),
        Arc::new(database),
        Arc::new(Rows),
    )))
}
