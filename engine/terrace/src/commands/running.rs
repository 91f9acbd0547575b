//! Whether an apply that is in a journal is still going on.

use std::time::Duration;

use terrace_diag::{Diagnostic, Diagnostics, SourceMap};
use terrace_port::{LockInfo, StateStore, StoreError};

use crate::command_error::CommandError;
use crate::session::{Place, Session};

/// How often a lock is looked at.
const PAUSE: Duration = Duration::from_millis(500);

/// As [`check_journal`](super::plan::check_journal), for a command that reads what is stored and holds no lock: an apply
/// that is going on is none that was interrupted. What is stored is from before it, which is told.
pub(crate) async fn check_snapshot(session: &Session, place: &Place) -> Result<(), CommandError> {
    let Some(holder) = holder_of_journal(session, place).await? else {
        return Ok(());
    };
    let detail = format!(
        "{} holds the lock of this state since {} ({}) and is changing what it describes. The plan is made from the state that was stored before, and what the other run has done since may be missing from it.",
        holder.who, holder.created, holder.operation
    );
    let mut warnings = Diagnostics::new();
    warnings.push(
        Diagnostic::warning("apply-is-running", "An apply is going on", detail)
            .hint("plan again once it has ended; an apply of this plan checks the state again under the lock"),
    );
    session.view.diagnostics(warnings, &SourceMap::new());
    Ok(())
}

/// As [`check_journal`](super::plan::check_journal), for a command that is about to ask for the lock, which tells of whoever
/// is at it.
pub(crate) async fn check_before_lock(
    session: &Session,
    place: &Place,
) -> Result<(), CommandError> {
    holder_of_journal(session, place).await.map(drop)
}

/// Refuses to go on over what was interrupted; gives who is at it, where it was not.
async fn holder_of_journal(
    session: &Session,
    place: &Place,
) -> Result<Option<LockInfo>, CommandError> {
    let Err(interrupted) = super::plan::check_journal(session, place).await else {
        return Ok(None);
    };
    let mut told = interrupted.diagnostics.iter();
    if told.any(|one| one.id != "recovery-needed") {
        return Err(interrupted);
    }
    let holder = live_holder(session, &*place.store, &place.workspace).await?;
    if holder.is_none() {
        // It may have ended meanwhile, and left nothing to recover.
        super::plan::check_journal(session, place).await?;
    }
    Ok(holder)
}

/// Who holds the lock, if it is somebody who lives: one who holds it by a lease renews it before half of that is over.
async fn live_holder(
    session: &Session,
    store: &dyn StateStore,
    workspace: &str,
) -> Result<Option<LockInfo>, StoreError> {
    let Some(first) = store.holder(workspace).await? else {
        return Ok(None);
    };
    let Some(lease) = &first.lease else {
        return Ok(Some(first));
    };
    session.view.aside(format!(
        "{} holds the lock of this state; looking whether that run is still alive (at most {} s)...",
        first.who,
        lease.lasts.as_secs().div_ceil(2)
    ));
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < lease.lasts / 2 {
        tokio::time::sleep(PAUSE.min(lease.lasts / 8)).await;
        match store.holder(workspace).await? {
            None => return Ok(None),
            Some(now) if now.id != first.id => return Ok(Some(now)),
            Some(now) => {
                let renewed = now.lease.as_ref().map(|lease| &lease.renewed);
                if renewed != Some(&lease.renewed) {
                    return Ok(Some(now));
                }
            }
        }
    }
    Ok(None)
}
