//! `terrace state restore`

use terrace_port::LockedState;
use terrace_state::State;
use terrace_state::history::counts;

use super::history;
use crate::args::LockArgs;
use crate::command_error::{CommandError, FAILURE, Outcome, SUCCESS};
use crate::commands::plan;
use crate::outside::SystemEntropy;
use crate::session::{Place, Session};

const OPERATION: &str = "state-restore";

pub(super) async fn run(
    session: &Session,
    place: &Place,
    lock: &LockArgs,
    auto_approve: bool,
    serial: u64,
) -> Outcome {
    session.guard(place, OPERATION).await?;
    if !auto_approve && !lock.input {
        return Err(terrace_diag::Diagnostic::error(
            "no-approval",
            "Restore not approved",
            "Nobody can be asked whether to go on (-input=false).",
        )
        .hint("use -auto-approve")
        .into());
    }
    let mut locked = session.lock_as_asked(place, OPERATION, lock).await?;
    let done = under_lock(session, place, &mut *locked, auto_approve, serial).await;
    let unlocked = locked.unlock().await;
    let Some(stored) = done? else {
        return Ok(FAILURE);
    };
    unlocked?;
    let details = [
        ("operation", OPERATION.to_owned()),
        ("restored", serial.to_string()),
        ("serial", stored.serial.to_string()),
    ];
    session.audit(place, "state-write", None, &details).await?;
    if stored.serial != serial {
        session.view.line(format!(
            "\nSerial {serial} is restored as serial {}. Run \"terrace plan\" to see how it differs from what there is.",
            stored.serial
        ));
    }
    Ok(SUCCESS)
}

/// Returns the state that is stored then; `None` where the answer was no.
async fn under_lock(
    session: &Session,
    place: &Place,
    locked: &mut dyn LockedState,
    auto_approve: bool,
    serial: u64,
) -> Result<Option<State>, CommandError> {
    plan::check_journal(session, place).await?;
    let stored = terrace_state::load_locked(locked).await?;
    let wanted = history::version(place, &stored, serial).await?;
    let view = &session.view;
    if wanted.same_content(&stored) {
        view.line(format!(
            "The state holds what it held with serial {serial} already; nothing was changed."
        ));
        return Ok(Some(State { serial, ..stored }));
    }
    view.line(format!(
        "The state with serial {} is to hold again what it held with serial {serial}: {}\n",
        stored.serial,
        history::counts_text(counts(&stored, &wanted))
    ));
    for address in history::differences(&stored, &wanted).into_keys() {
        let sign = match (stored.object(&address), wanted.object(&address)) {
            (None, Some(_)) => "+",
            (Some(_), None) => "-",
            _ => "~",
        };
        view.line(format!("  {sign} {address}"));
    }
    let question = format!(
        "\nDo you want to restore this version of the state?\n  No object is changed: those with + are managed again, whether or not they still exist,\n  and those with - are forgotten. `terrace state diff {serial}` shows attributes.\n  Only 'yes' will be accepted to confirm.\n"
    );
    if !auto_approve && !view.confirm(&question) {
        view.line("Restore cancelled.");
        return Ok(None);
    }
    let next = terrace_state::commit(locked, &stored, &wanted, &SystemEntropy).await?;
    history::keep(session, place, (&stored, &next), OPERATION, None).await;
    Ok(Some(next))
}
