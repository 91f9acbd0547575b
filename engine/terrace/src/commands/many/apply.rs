//! Applies of many stacks: each a run of its own, with its own gate.

use terrace_gate::{RefusalReason, Stack};

use super::course::{Course, Ending, Passed};
use super::pending::pending;
use super::{Chosen, absolute_file, absolute_statements, session_of};
use crate::args::ApplyArgs;
use crate::command_error::{CommandError, Outcome, REFUSED, SUCCESS};
use crate::commands::apply::{self, Account};
use crate::session::{Place, Session};
use crate::visit::Visit;
use crate::wiring::load_config_for_backend;

/// Applies the chosen stacks in their order; backwards where they are destroyed. What fails, or waits for an approval, keeps
/// back what depends on it, and nothing else. The same command again goes on from there.
pub(crate) async fn apply(session: &Session, args: &ApplyArgs, chosen: &Chosen) -> Outcome {
    let mut own = args.clone();
    own.key = absolute_file(args.key.as_ref());
    own.request.statement = absolute_statements(&args.request.statement);
    let mut course = Course::new(session, chosen, args.options.destroy);
    for stack in course.stacks.clone() {
        let undone = course.undone_before(stack);
        if !undone.is_empty() {
            course.wait(stack, undone);
            continue;
        }
        course.begin(stack);
        let mut account = Account::default();
        match apply_one(session, &own, chosen, (stack, &mut account)).await {
            Ok(ending) => course.pass(stack, ending, account.counts, account.run),
            Err(error) => course.fail(stack, error, account.run),
        }
    }
    let code = course.finish(false);
    tell_waiting(session, args, &course.passed);
    Ok(code)
}

async fn apply_one(
    session: &Session,
    args: &ApplyArgs,
    chosen: &Chosen,
    (stack, account): (&Stack, &mut Account),
) -> Result<Ending, CommandError> {
    let own = session_of(session, chosen, stack);
    let _visit = Visit::to(&chosen.directory(stack))?;
    let config = load_config_for_backend(&own);
    let place = own.place(args.place.env.as_deref(), config.as_deref())?;
    drop(config);
    let mut args = args.clone();
    if args.plan.is_none()
        && let Some(run) = pending(&own, &place, &args).await?
    {
        own.view.line(format!(
            "Run {} was planned at {}, and nothing has moved since: it goes on.",
            run.id, run.created
        ));
        args.plan = Some(run.id);
        args.options.destroy = false;
        args.options.refresh_only = false;
    }
    match Box::pin(apply::run_here(&own, &args, account)).await {
        Ok(_) if account.is_cancelled => Ok(Ending::Cancelled),
        Ok(SUCCESS) if account.has_changes => Ok(Ending::Applied),
        Ok(SUCCESS) => Ok(Ending::Unchanged),
        Ok(_) => Ok(Ending::Failed),
        Err(error) if error.code == REFUSED => {
            own.view.diagnostics(error.diagnostics, &error.sources);
            refused(&own, &place, account).await
        }
        Err(error) => Err(error),
    }
}

/// Whether a plan that was not let through needs approvals alone.
async fn refused(
    session: &Session,
    place: &Place,
    account: &Account,
) -> Result<Ending, CommandError> {
    let Some(run) = &account.run else {
        return Ok(Ending::Refused);
    };
    let missing = crate::commands::gate::answer(session, place, run)
        .await?
        .refusal;
    let is_approval = |reason: &RefusalReason| {
        matches!(
            reason,
            RefusalReason::Approvals { .. } | RefusalReason::Role { .. }
        )
    };
    Ok(match missing {
        Some(refusal) if refusal.reasons.iter().all(is_approval) => Ending::Unapproved,
        _ => Ending::Refused,
    })
}

/// Says who has to do what before the same command goes on.
fn tell_waiting(session: &Session, args: &ApplyArgs, passed: &[Passed]) {
    let environment = args.place.env.as_deref().unwrap_or_default();
    let mut lines = Vec::new();
    for stack in passed {
        let Some(run) = &stack.run else { continue };
        let command = match stack.ending {
            Ending::Unapproved => format!(
                "    terrace -chdir={} approve -env={environment} -key=FILE {run}",
                stack.path
            ),
            Ending::Refused => format!(
                "    terrace -chdir={} gate explain -env={environment} {run}",
                stack.path
            ),
            _ => continue,
        };
        lines.push(command);
    }
    if !lines.is_empty() {
        session.view.line(format!(
            "\nBefore the rest can be applied, people other than the author look at these and approve them:\n{}\n\nThen the same command goes on from there.",
            lines.join("\n")
        ));
    }
}
