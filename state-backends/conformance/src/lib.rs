//! The one suite that every state backend passes: exclusion, lineage and serial, lost updates, crashes, runs, journal.
//!
//! A backend implements [`Backend`] for its tests and calls [`suite`]. A check that fails panics with what it expected. One
//! with leases is a [`Remote`]; [`takes_turns`] lets it take turns with the reference.

mod journal;
mod lease;
mod lock;
mod reference;
mod remote;
mod runs;
mod state;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use terrace_port::{LockInfo, StateStore, StateVersion};

pub use reference::{Theirs, is_there, takes_turns};
pub use remote::{LEASE, Now, Remote, blocking, open_with, texts};

/// One store as the suite sees it.
pub trait Backend {
    /// A new handle on the same store, as another process would have one.
    fn open(&self) -> Arc<dyn StateStore>;
    /// Leaves behind what a process that died in the middle of writing a workspace's state leaves.
    fn interrupt_write(&self, workspace: &str);
    /// The journal of a workspace as raw bytes, where a crash can tear it.
    fn journal_bytes(&self, workspace: &str) -> Option<Vec<u8>>;
    /// Replaces them.
    fn set_journal_bytes(&self, workspace: &str, bytes: &[u8]);
    /// Whether there are other workspaces than `default`.
    fn has_workspaces(&self) -> bool {
        true
    }
    /// A name of a workspace, before "b" in order, as odd as the store takes them.
    fn odd_name(&self) -> &'static str {
        "a.x_1"
    }
    /// How long the leases of its locks last, which should be about a second; `None` where a lock ends with its process.
    fn lease(&self) -> Option<Duration> {
        None
    }
    /// Takes the lock of `default` as a process that dies without releasing it. Asked for where there is a lease.
    fn abandon(&self, _id: &str) -> Answer<'_, ()> {
        Box::pin(std::future::ready(()))
    }
    /// Takes the lock of `default` as the reference takes it. The id that the lock is known by; `None` where that cannot be
    /// played.
    fn lock_as_the_reference<'a>(&'a self, _id: &'a str) -> Answer<'a, Option<String>> {
        Box::pin(std::future::ready(None))
    }
    /// Waits, without keeping the store from what it does in the background.
    fn sleep(&self, duration: Duration) -> Answer<'_, ()> {
        std::thread::sleep(duration);
        Box::pin(std::future::ready(()))
    }
}

/// What comes later.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

type Check = for<'a> fn(&'a dyn Backend) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

macro_rules! checks {
    ($($module:ident :: $name:ident),* $(,)?) => {
        [$((concat!(stringify!($module), "::", stringify!($name)), (|backend| Box::pin($module::$name(backend))) as Check)),*]
    };
}

/// Runs every check, each on a store of its own. Returns their names.
pub async fn suite(make: &dyn Fn() -> Box<dyn Backend>) -> Vec<&'static str> {
    let checks = checks![
        state::nothing_is_there_at_first,
        state::what_is_written_is_read,
        state::another_lineage_is_refused,
        state::a_serial_that_does_not_grow_is_refused,
        state::the_same_bytes_may_be_written_again,
        state::overwriting_ignores_lineage_and_serial,
        state::workspaces_are_apart,
        state::bad_workspace_names_are_refused,
        state::a_write_that_died_is_not_seen,
        lock::two_handles_exclude_each_other,
        lock::the_holder_is_shown,
        lock::a_run_that_takes_no_lock_keeps_nobody_out,
        lock::a_dropped_lock_is_free,
        lock::epochs_grow,
        lock::a_holder_that_was_unlocked_by_force_cannot_write,
        lock::force_unlock_asks_for_the_right_id,
        lock::an_update_is_not_lost,
        lock::a_locked_workspace_is_not_deleted,
        lease::a_living_holders_lock_is_kept,
        lease::a_dead_holders_lock_is_taken_over,
        lease::a_lock_of_the_reference_is_seen_and_never_taken_over,
        runs::names_hold_bytes,
        runs::comparing_puts_refuse_what_changed,
        runs::only_one_of_many_comparing_puts_wins,
        runs::workspaces_have_their_own,
        runs::bad_names_are_refused,
        journal::frames_come_back_in_order,
        journal::a_holder_empties_the_journal_and_goes_on,
        journal::a_torn_tail_is_dropped_at_every_byte,
        journal::damage_before_the_tail_is_detected,
        journal::another_handle_appends_behind_a_torn_tail,
    ];
    let mut names = Vec::new();
    for (name, check) in checks {
        let backend = make();
        check(&*backend).await;
        names.push(name);
    }
    names
}

fn info(id: &str) -> LockInfo {
    LockInfo {
        id: id.into(),
        operation: "OperationTypeApply".into(),
        info: "why".into(),
        who: "someone@somewhere".into(),
        version: "1.11.4".into(),
        created: "2026-01-02T03:04:05.000000006Z".into(),
        path: "terraform.tfstate".into(),
        lease: None,
    }
}

fn version(lineage: &str, serial: u64) -> StateVersion {
    StateVersion {
        lineage: lineage.into(),
        serial,
    }
}

/// A small state file.
fn state(lineage: &str, serial: u64, mark: &str) -> Arc<[u8]> {
    format!(
        "{{\n  \"version\": 4,\n  \"terraform_version\": \"1.11.4\",\n  \"serial\": {serial},\n  \"lineage\": \"{lineage}\",\n  \
         \"outputs\": {{\n    \"mark\": {{\n      \"value\": \"{mark}\",\n      \"type\": \"string\"\n    }}\n  }},\n  \
         \"resources\": [],\n  \"check_results\": null\n}}\n"
    )
    .into_bytes()
    .into()
}
