//! `terrace ci matrix`: which jobs a workflow needs for what a change touches.

use terrace_ci::{MATRIX_JOBS, matrix, matrix_json};

use super::context::Context;
use super::{post, targets};
use crate::args::{CiMatrixArgs, MatrixBy};
use crate::command_error::{Outcome, SUCCESS};
use crate::session::Session;

pub(super) async fn run(session: &Session, args: &CiMatrixArgs) -> Outcome {
    let context = Context::read(session)?;
    context.refuse_strangers()?;
    let targets = targets::find(session, &context, &args.targets, None).await?;
    if let Some(note) = &targets.note {
        session.view.aside(note);
    }
    let is_by_stack = targets.has_stacks && args.by == MatrixBy::Stack;
    let wanted: Vec<(Option<String>, Vec<String>)> = targets
        .list
        .iter()
        .map(|target| {
            let stacks = target.stacks.iter().filter(|_| is_by_stack);
            let stacks = stacks.map(|stack| stack.name.clone()).collect();
            (target.environment.clone(), stacks)
        })
        .collect();
    let jobs = matrix(&wanted, MATRIX_JOBS);
    let json = matrix_json(&jobs).to_string();
    let names: Vec<&str> = wanted
        .iter()
        .filter_map(|(environment, _)| environment.as_deref())
        .collect();
    post::set_outputs(
        session,
        &[
            ("matrix", json.clone()),
            ("environments", serde_json::json!(names).to_string()),
            ("count", jobs.len().to_string()),
        ],
    )?;
    session.view.output(json);
    Ok(SUCCESS)
}
