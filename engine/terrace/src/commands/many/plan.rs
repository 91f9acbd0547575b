//! Plans of many stacks.

use std::collections::{BTreeMap, BTreeSet};

use terrace_diag::{Diagnostic, Diagnostics, SourceMap};
use terrace_gate::Stack;
use terrace_port::Files as _;

use super::course::{Course, Ending};
use super::{Chosen, absolute_file, absolute_statements, session_of};
use crate::args::PlanArgs;
use crate::command_error::{CommandError, Outcome};
use crate::commands::plan::{self, Planned};
use crate::outside::Disk;
use crate::session::Session;
use crate::stacks;
use crate::visit::Visit;

/// Plans the chosen stacks in their order. One that fails keeps back those that depend on it.
pub(crate) async fn plan(session: &Session, args: &PlanArgs, chosen: &Chosen) -> Outcome {
    let mut own = args.clone();
    own.key = absolute_file(args.key.as_ref());
    own.out = args.out.as_ref().map(|path| Disk.absolute(path));
    own.generate_config_out = args
        .generate_config_out
        .as_ref()
        .map(|path| Disk.absolute(path));
    own.request.statement = absolute_statements(&args.request.statement);
    let mut course = Course::new(session, chosen, args.options.destroy);
    let mut moved: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for stack in course.stacks.clone() {
        let mut kept = course.kept_by(stack, |ending| *ending == Ending::Failed);
        kept.extend(unpublished(session, args, chosen, (&course, stack)).await?);
        if !kept.is_empty() {
            kept.dedup();
            course.wait(stack, kept);
            continue;
        }
        course.begin(stack);
        if !args.options.destroy {
            tell_pending(session, stack, &moved);
        }
        match plan_one(session, &own, chosen, stack).await {
            Ok(planned) => {
                let ending = if planned.has_changes {
                    Ending::Planned
                } else {
                    Ending::Unchanged
                };
                if planned.has_changes {
                    moved.insert(stack.path.clone(), planned.moved_outputs);
                }
                course.pass(stack, ending, planned.counts, planned.run);
            }
            Err(error) => course.fail(stack, error, None),
        }
    }
    let code = course.finish(args.detailed_exitcode);
    let has_plans = course
        .passed
        .iter()
        .any(|passed| passed.ending == Ending::Planned);
    if let (true, Some(environment)) = (has_plans, &args.place.env) {
        session.view.line(format!(
            "\nTo apply them in this order:\n    terrace {} -env={environment}",
            if args.options.destroy {
                "destroy"
            } else {
                "apply"
            }
        ));
    }
    Ok(code)
}

async fn plan_one(
    session: &Session,
    args: &PlanArgs,
    chosen: &Chosen,
    stack: &Stack,
) -> Result<Planned, CommandError> {
    let own = session_of(session, chosen, stack);
    let _visit = Visit::to(&chosen.directory(stack))?;
    plan::run_here(&own, args).await
}

/// The stacks from which `stack` takes something, which have never been applied and are planned by this very command: nothing is wrong,
/// and nothing can be planned yet.
async fn unpublished(
    session: &Session,
    args: &PlanArgs,
    chosen: &Chosen,
    (course, stack): (&Course<'_>, &Stack),
) -> Result<Vec<String>, CommandError> {
    let Some(environment) = &args.place.env else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for input in &stack.inputs {
        let is_coming = matches!(
            course.ending(&input.path),
            Some(Ending::Planned | Ending::Waiting(_))
        );
        if !is_coming || found.contains(&input.stack) {
            continue;
        }
        if !stacks::has_published(session, &chosen.found, &input.path, environment).await? {
            found.push(input.stack.clone());
        }
    }
    Ok(found)
}

/// Says which outputs that a stack takes are about to change.
fn tell_pending(session: &Session, stack: &Stack, moved: &BTreeMap<String, BTreeSet<String>>) {
    let mut told = Diagnostics::new();
    for input in &stack.inputs {
        let moves = moved
            .get(&input.path)
            .is_some_and(|outputs| outputs.contains(&input.output));
        if moves {
            let detail = format!(
                "The stack {:?} plans to change its output {:?}, from which var.{} has its value. This plan is made with the value that was applied last.",
                input.stack, input.output, input.variable
            );
            told.push(
                Diagnostic::warning("upstream-pending", "Value is about to change", detail)
                    .hint(format!("apply {:?} first, and plan again", input.stack)),
            );
        }
    }
    session.view.diagnostics(told, &SourceMap::new());
}
