//! `terrace state rm`

use terrace_addr::AbsResourceInstance;
use terrace_config::Config;
use terrace_state::operations;

use super::selectors;
use super::writing::{Changed, Manner, change};
use crate::args::RmArgs;
use crate::command_error::CommandError;
use crate::session::Session;

pub(super) async fn run(
    session: &Session,
    args: &RmArgs,
    config: Option<&Config>,
) -> Result<(), CommandError> {
    let environment = args.place.env.as_deref();
    let place = session.place_or_files(environment, &args.files, config)?;
    let selectors = selectors(&args.addresses)?;
    let manner = Manner {
        lock: &args.lock,
        operation: "state-rm",
        dry_run: args.dry_run,
    };
    change(session, &place, manner, |state| {
        let named = state
            .instances()
            .any(|(address, _, _)| selectors.iter().any(|one| one.contains(&address)));
        if args.dry_run && !named {
            return Ok(Changed {
                state: state.clone(),
                text: "Would have removed nothing.".to_owned(),
            });
        }
        let (next, removed) = operations::remove(state, &selectors)?;
        Ok(Changed {
            state: next,
            text: told(&removed, args.dry_run),
        })
    })
    .await
}

fn told(removed: &[AbsResourceInstance], dry_run: bool) -> String {
    let word = if dry_run { "Would remove" } else { "Removed" };
    let mut lines: Vec<String> = removed
        .iter()
        .map(|address| format!("{word} {address}"))
        .collect();
    if !dry_run {
        lines.push(format!(
            "Successfully removed {} resource instance(s).",
            removed.len()
        ));
    }
    lines.join("\n")
}
