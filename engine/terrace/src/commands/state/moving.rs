//! `terrace state mv`

use std::collections::BTreeSet;

use terrace_config::Config;
use terrace_state::State;
use terrace_state::operations::{self, Move, Selector};

use super::proof::{self, Side};
use super::writing::{Changed, Manner, change};
use super::{selector, transfer};
use crate::args::MvArgs;
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::session::Session;
use crate::view::table::table;

pub(super) async fn run(session: &Session, args: &MvArgs, config: Option<&Config>) -> Outcome {
    if args.is_elsewhere() {
        return transfer::run(session, args).await;
    }
    let Some(destination) = &args.destination else {
        return Err(CommandError::one(
            "invalid-argument",
            "Destination is missing",
            "Exactly two arguments expected: what the object is called, and what it is to be called. The second may be left out only where objects go to another state, with -to-dir, -to-env or -to-workspace.",
        ));
    };
    let environment = args.place.env.as_deref();
    let place = session.place_or_files(environment, &args.files, config)?;
    let (from, to) = (selector(&args.source)?, selector(destination)?);
    if args.prove == Some(true) {
        let state = terrace_state::load(&*place.store, &place.workspace).await?;
        let moves = operations::moves(&state, &from, &to)?;
        let next = operations::rearrange(&state, &moves)?;
        let moved: BTreeSet<_> = moves
            .into_iter()
            .flat_map(|one| [one.from, one.to])
            .collect();
        let side = Side::here(session, args)?;
        let found = proof::prove(&side, next, &moved).await?;
        proof::tell(session, &[(&side, found)], args.force || args.dry_run)?;
    }
    let manner = Manner {
        lock: &args.lock,
        operation: "state-mv",
        dry_run: args.dry_run,
    };
    change(session, &place, manner, |state| {
        moved(state, &from, &to, args.dry_run)
    })
    .await?;
    Ok(SUCCESS)
}

/// Two addresses are moved as the reference moves them; with patterns, everything moves together or nothing does.
fn moved(
    state: &State,
    from: &Selector,
    to: &Selector,
    dry_run: bool,
) -> Result<Changed, CommandError> {
    if let (Selector::Target(from), Selector::Target(to)) = (from, to) {
        let next = operations::rename(state, from, to)?;
        let text = if dry_run {
            format!("Would move \"{from}\" to \"{to}\"")
        } else {
            format!("Move \"{from}\" to \"{to}\"\nSuccessfully moved 1 object(s).")
        };
        return Ok(Changed { state: next, text });
    }
    let moves = operations::moves(state, from, to)?;
    let next = operations::rearrange(state, &moves)?;
    Ok(Changed {
        state: next,
        text: told(&moves, dry_run),
    })
}

/// A table of what moves, and how many.
pub(super) fn told(moves: &[Move], dry_run: bool) -> String {
    if moves.is_empty() {
        return "Everything is called that already; there is nothing to move.".to_owned();
    }
    let rows: Vec<Vec<String>> = moves
        .iter()
        .map(|one| vec![one.from.to_string(), one.to.to_string()])
        .collect();
    let end = if dry_run {
        format!("Would move {} object(s).", moves.len())
    } else {
        format!("Successfully moved {} object(s).", moves.len())
    };
    format!("{}\n\n{end}", table(&["From", "To"], &rows))
}
