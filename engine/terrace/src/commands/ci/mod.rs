//! `terrace ci`: plans, applies and drift checks in workflows, and what the forge is told of them.

mod apply;
mod context;
mod drift;
mod gate;
mod login;
mod matrix;
mod plan;
mod post;
mod report;
mod stack;
mod targets;

use crate::args::CiCommand;
use crate::command_error::{Outcome, SUCCESS};
use crate::session::Session;

pub(crate) async fn run(session: &Session, command: &CiCommand) -> Outcome {
    match command {
        CiCommand::Guard => {
            context::Context::read(session)?.refuse_strangers()?;
            Ok(SUCCESS)
        }
        CiCommand::Matrix(args) => matrix::run(session, args).await,
        CiCommand::Plan(args) => Box::pin(plan::run(session, args)).await,
        CiCommand::Report(args) => post::run(session, args).await,
        CiCommand::Apply(args) => Box::pin(apply::run(session, args)).await,
        CiCommand::Drift(args) => Box::pin(drift::run(session, args)).await,
        CiCommand::Login(command) => login::run(session, command).await,
    }
}
