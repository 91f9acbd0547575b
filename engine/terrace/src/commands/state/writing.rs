//! Changing a state under its lock: the one way for all commands that change no objects.

use terrace_state::State;

use super::history;
use crate::args::LockArgs;
use crate::command_error::CommandError;
use crate::commands::plan;
use crate::outside::SystemEntropy;
use crate::session::{Place, Session};

/// A state as it is to be, and what to say once it is stored.
pub(super) struct Changed {
    pub(super) state: State,
    pub(super) text: String,
}

/// How a state is changed.
pub(super) struct Manner<'a> {
    pub(super) lock: &'a LockArgs,
    /// As the lock and the audit log call it: `state-mv`.
    pub(super) operation: &'a str,
    /// Whether only to say what would be done.
    pub(super) dry_run: bool,
}

/// Reads the state under its lock, changes it and stores it; only says what would be done where that is asked for.
pub(super) async fn change(
    session: &Session,
    place: &Place,
    manner: Manner<'_>,
    apply: impl FnOnce(&State) -> Result<Changed, CommandError>,
) -> Result<(), CommandError> {
    if manner.dry_run {
        let state = terrace_state::load(&*place.store, &place.workspace).await?;
        session.view.line(apply(&state)?.text);
        return Ok(());
    }
    let operation = manner.operation;
    session.guard(place, operation).await?;
    let mut locked = session.lock_as_asked(place, operation, manner.lock).await?;
    let changed = async {
        plan::check_journal(session, place).await?;
        let state = terrace_state::load_locked(&*locked).await?;
        let changed = apply(&state)?;
        let stored =
            terrace_state::commit(&mut *locked, &state, &changed.state, &SystemEntropy).await?;
        history::keep(session, place, (&state, &stored), operation, None).await;
        Ok::<_, CommandError>(changed.text)
    }
    .await;
    let unlocked = locked.unlock().await;
    let text = changed?;
    unlocked?;
    session
        .audit(
            place,
            "state-write",
            None,
            &[("operation", operation.to_owned())],
        )
        .await?;
    if !text.is_empty() {
        session.view.line(text);
    }
    Ok(())
}
