//! `terrace force-unlock`

use terrace_config::Config;

use crate::args::ForceUnlockArgs;
use crate::command_error::{Outcome, SUCCESS, lock_lines};
use crate::session::Session;

pub(crate) async fn force_unlock(
    session: &Session,
    args: &ForceUnlockArgs,
    config: Option<&Config>,
) -> Outcome {
    let place = session.place(args.place.env.as_deref(), config)?;
    if !args.force {
        if let Some(holder) = place.store.holder(&place.workspace).await? {
            session
                .view
                .line(format!("The lock is held:\n{}\n", lock_lines(&holder)));
        }
        let question = "Do you really want to force-unlock?\n  This will release the lock whoever holds it. A process that still works with the state can no longer write it.\n  Only 'yes' will be accepted to confirm.\n";
        if !session.view.confirm(question) {
            session.view.line("force-unlock cancelled.");
            return Ok(crate::command_error::FAILURE);
        }
    }
    place.store.force_unlock(&place.workspace, &args.id).await?;
    session
        .audit(&place, "force-unlock", None, &[("lock", args.id.clone())])
        .await?;
    session.view.line("The state has been unlocked.");
    Ok(SUCCESS)
}
