//! `terrace state push`

use std::io::Read as _;

use terrace_config::Config;

use super::history;
use crate::args::PushArgs;
use crate::command_error::CommandError;
use crate::commands::plan;
use crate::encryption::read_saved;
use crate::session::Session;

pub(super) async fn run(
    session: &Session,
    args: &PushArgs,
    config: Option<&Config>,
) -> Result<(), CommandError> {
    let place = session.place(args.place.env.as_deref(), config)?;
    session.guard(&place, "state-push").await?;
    let bytes = if args.file == "-" {
        standard_input()?
    } else {
        read_saved(session, &args.file).await?
    };
    let state = terrace_state::read(&bytes)?;
    let mut locked = session
        .lock_as_asked(&place, "state-push", &args.lock)
        .await?;
    let written = async {
        if !args.force {
            plan::check_interrupted(&place).await?;
        }
        // A state that cannot be read is no reason to keep it when another is forced upon it.
        let before = match terrace_state::load_locked(&*locked).await {
            Err(_) if args.force => terrace_state::State::default(),
            before => before?,
        };
        if args.force {
            terrace_state::replace(&mut *locked, &state).await?;
        } else {
            terrace_state::store(&mut *locked, &state).await?;
        }
        history::keep(session, &place, (&before, &state), "state-push", None).await;
        Ok::<_, CommandError>(())
    }
    .await;
    let unlocked = locked.unlock().await;
    written?;
    unlocked?;
    session
        .audit(
            &place,
            "state-write",
            None,
            &[
                ("operation", "state-push".to_owned()),
                ("force", args.force.to_string()),
            ],
        )
        .await
}

fn standard_input() -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|error| {
            CommandError::one(
                "unreadable-file",
                "Standard input cannot be read",
                error.to_string(),
            )
        })?;
    Ok(bytes)
}
