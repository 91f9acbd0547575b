//! `terrace ci`: plans, applies and drift checks in workflows, and what the forge is told of them.

mod context;
mod gate;
mod plan;
mod post;
mod report;
mod targets;

use crate::args::CiCommand;
use crate::command_error::Outcome;
use crate::session::Session;

pub(crate) async fn run(session: &Session, command: &CiCommand) -> Outcome {
    match command {
        CiCommand::Plan(args) => Box::pin(plan::run(session, args)).await,
        CiCommand::Report(args) => post::run(session, args).await,
    }
}
