//! Whether many stacks still are what was applied.

use terrace_gate::{RunCounts, Stack};

use super::course::{Course, Ending};
use super::{Chosen, session_of};
use crate::args::DriftArgs;
use crate::command_error::{CommandError, Outcome};
use crate::commands::drift::{self, Found};
use crate::session::Session;
use crate::visit::Visit;

/// Looks at the chosen stacks, each in the environment that is asked for, or in all. One that cannot be looked at keeps back none.
pub(crate) async fn drift(session: &Session, args: &DriftArgs, chosen: &Chosen) -> Outcome {
    let mut course = Course::new(session, chosen, false);
    let mut lines = Vec::new();
    for stack in course.stacks.clone() {
        course.begin(stack);
        match drift_one(session, args, chosen, stack).await {
            Ok(found) => {
                let has_drifted = found.iter().any(Found::has_drifted);
                lines.extend(drift::environments(&found).into_iter().map(|mut line| {
                    line["stack"] = stack.name.clone().into();
                    line
                }));
                let ending = if has_drifted {
                    Ending::Drifted
                } else {
                    Ending::Unchanged
                };
                course.pass(stack, ending, RunCounts::default(), None);
            }
            Err(error) => course.fail(stack, error, None),
        }
    }
    let code = course.finish(false);
    if session.view.json {
        session.view.output(crate::view::stream::drift_line(lines));
    }
    Ok(code)
}

async fn drift_one(
    session: &Session,
    args: &DriftArgs,
    chosen: &Chosen,
    stack: &Stack,
) -> Result<Vec<Found>, CommandError> {
    let own = session_of(session, chosen, stack);
    let _visit = Visit::to(&chosen.directory(stack))?;
    let found = drift::look(&own, args).await?;
    if !own.view.json {
        for found in &found {
            drift::tell(&own, found);
        }
    }
    Ok(found)
}
