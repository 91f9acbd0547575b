//! Preparing the directories of many stacks.

use std::sync::Arc;

use terrace_gate::{RunCounts, Stack};

use super::course::{Course, Ending};
use super::{Chosen, session_of};
use crate::args::InitArgs;
use crate::command_error::{CommandError, Outcome};
use crate::session::Session;
use crate::visit::Visit;

/// Prepares the directories of the chosen stacks.
pub(crate) async fn init(session: &Session, args: &InitArgs, chosen: &Chosen) -> Outcome {
    let mut course = Course::new(session, chosen, false);
    for stack in course.stacks.clone() {
        course.begin(stack);
        match init_one(session, args, chosen, stack).await {
            Ok(()) => course.pass(stack, Ending::Prepared, RunCounts::default(), None),
            Err(error) => course.fail(stack, error, None),
        }
    }
    Ok(course.finish(false))
}

async fn init_one(
    session: &Session,
    args: &InitArgs,
    chosen: &Chosen,
    stack: &Stack,
) -> Result<(), CommandError> {
    let own = Arc::new(session_of(session, chosen, stack));
    let _visit = Visit::to(&chosen.directory(stack))?;
    crate::commands::init::run_here(&own, args).await.map(drop)
}
