//! `terrace state`, `taint`, `untaint`, `force-unlock`, `output`: looking at the state, and changing it without
//! changing objects.

mod errored;
pub(crate) mod history;
mod looking;
mod moving;
mod proof;
mod pushing;
mod removing;
mod replacing;
mod restoring;
mod tainting;
pub(crate) mod transfer;
mod unlocking;
mod writing;

use terrace_addr::AbsResourceInstance;
use terrace_config::Config;
use terrace_state::operations::Selector;

use crate::args::StateCommand;
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::session::Session;

pub(crate) use errored::mention_errored;
pub(crate) use looking::output;
pub(crate) use tainting::taint;
pub(crate) use unlocking::force_unlock;

fn instance(text: &str) -> Result<AbsResourceInstance, CommandError> {
    text.parse().map_err(|error: terrace_addr::ParseError| {
        CommandError::one("invalid-address", "Invalid address", error.to_string())
    })
}

fn selector(text: &str) -> Result<Selector, CommandError> {
    text.parse()
        .map_err(|error: terrace_state::operations::OperationError| {
            CommandError::one("invalid-address", error.summary, error.detail)
        })
}

fn selectors(texts: &[String]) -> Result<Vec<Selector>, CommandError> {
    texts.iter().map(|text| selector(text)).collect()
}

pub(crate) async fn run(
    session: &Session,
    command: &StateCommand,
    config: Option<&Config>,
) -> Outcome {
    match command {
        StateCommand::List {
            place,
            files,
            id,
            addresses,
        } => {
            let environment = place.env.as_deref();
            let place = session.place_or_files(environment, &files.as_files(), config)?;
            looking::list(session, &place, id.as_deref(), addresses).await?;
        }
        StateCommand::Show {
            place,
            files,
            style: _,
            address,
        } => {
            let environment = place.env.as_deref();
            let place = session.place_or_files(environment, &files.as_files(), config)?;
            let state = terrace_state::load(&*place.store, &place.workspace).await?;
            looking::show(session, &state, &instance(address)?, config).await?;
        }
        StateCommand::Pull { place, .. } => {
            let place = session.place(place.env.as_deref(), config)?;
            if let Some(stored) = place.store.read(&place.workspace).await? {
                session.view.raw(&stored.bytes);
            }
        }
        StateCommand::Push(args) => pushing::run(session, args, config).await?,
        StateCommand::Mv(args) => return moving::run(session, args, config).await,
        StateCommand::Rm(args) => removing::run(session, args, config).await?,
        StateCommand::ReplaceProvider(args) => replacing::run(session, args, config).await?,
        StateCommand::History { place, style } => {
            let place = session.place(place.env.as_deref(), config)?;
            history::list(session, &place, style.json).await?;
        }
        StateCommand::Diff {
            place,
            style,
            from,
            to,
        } => {
            let place = session.place(place.env.as_deref(), config)?;
            history::diff(session, &place, (*from, *to), style.json, config).await?;
        }
        StateCommand::Restore {
            place,
            style: _,
            lock,
            auto_approve,
            serial,
        } => {
            let place = session.place(place.env.as_deref(), config)?;
            return restoring::run(session, &place, lock, *auto_approve, *serial).await;
        }
    }
    Ok(SUCCESS)
}
