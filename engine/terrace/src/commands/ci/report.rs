//! The report of a plan: what it changes and where that is described, and what is wrong.

use std::path::{Path, PathBuf};

use terrace_ci::{ChangedObject, Counts, Outcome, PlanReport, Problem};
use terrace_config::Config;
use terrace_diag::{Diagnostics, SourceMap, Span};
use terrace_gate::RunCounts;
use terrace_plan::{Action, Plan};
use terrace_port::Files as _;

use super::context::Context;
use crate::command_error::CommandError;
use crate::outside::Disk;
use crate::session::Session;
use crate::view::View;
use crate::view::diagnostics as diagnostics_view;
use crate::view::plan as plan_view;
use crate::wiring::config_of_snapshot;

/// A report without anything in it yet.
pub(super) fn empty(
    environment: Option<&str>,
    stack: Option<&str>,
    outcome: Outcome,
) -> PlanReport {
    PlanReport {
        environment: environment.map(str::to_owned),
        stack: stack.map(str::to_owned),
        outcome,
        counts: Counts::default(),
        run: None,
        text: String::new(),
        policies: Vec::new(),
        gate: None,
        objects: Vec::new(),
        problems: Vec::new(),
    }
}

/// Counts as reports have them.
pub(super) const fn counts(counts: RunCounts) -> Counts {
    Counts {
        import: counts.import,
        add: counts.add,
        change: counts.change,
        destroy: counts.remove,
    }
}

/// The plan as people read it elsewhere.
pub(super) fn text(plan: &Plan) -> String {
    plan_view::render(plan, &View::plain()).trim().to_owned()
}

/// The objects that a plan changes. Files are found from the working directory.
pub(super) fn objects(context: &Context, plan: &Plan) -> Vec<ChangedObject> {
    let config = config_of_snapshot(&plan.inputs.configuration);
    let here = PathBuf::from(Disk.absolute("."));
    plan.changes
        .iter()
        .filter_map(|change| {
            let action = match change.action {
                Action::NoOp | Action::Read => return None,
                Action::Create => "create",
                Action::Update => "update",
                Action::Delete => "delete",
                Action::DeleteThenCreate | Action::CreateThenDelete => "replace",
                Action::Forget => "forget",
                Action::ForgetThenCreate => "forget and create",
            };
            let address = change.address.resource.config();
            let (file, lines) = match block(&config, &address) {
                Some(span) => place(context, &here, &config.sources, span),
                None => (None, (1, 1)),
            };
            Some(ChangedObject {
                address: change.address.to_string(),
                action: action.to_owned(),
                file,
                lines,
            })
        })
        .collect()
}

/// The block of a resource, from its header to the end of its content.
fn block(config: &Config, address: &terrace_addr::ConfigResource) -> Option<Span> {
    let node = config.module(&address.module)?;
    let resource = node.module.resources.get(&address.resource)?;
    let body = resource.body.span;
    Some(if body.source == resource.span.source {
        resource.span.to(body)
    } else {
        resource.span
    })
}

fn place(
    context: &Context,
    here: &Path,
    sources: &SourceMap,
    span: Span,
) -> (Option<String>, (u32, u32)) {
    let Some(file) = sources.get(span.source) else {
        return (None, (1, 1));
    };
    let (first, last) = (file.position(span.start), file.position(span.end));
    let path = context.in_repository(&here.join(file.name()));
    (path, (first.line, last.line))
}

/// What keeps a stack from being planned: shown in the job, and as reports tell it.
pub(super) fn failure(
    session: &Session,
    context: &Context,
    error: CommandError,
) -> (String, Vec<Problem>) {
    let text = told(&error.diagnostics, &error.sources);
    let problems = problems(context, &error.diagnostics, &error.sources);
    session.view.diagnostics(error.diagnostics, &error.sources);
    (text, problems)
}

fn told(diagnostics: &Diagnostics, sources: &SourceMap) -> String {
    let view = View::plain();
    let texts: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| diagnostics_view::render(diagnostic, sources, &view))
        .collect();
    texts.join("\n").trim().to_owned()
}

fn problems(context: &Context, diagnostics: &Diagnostics, sources: &SourceMap) -> Vec<Problem> {
    let here = PathBuf::from(Disk.absolute("."));
    diagnostics
        .iter()
        .map(|diagnostic| {
            let (file, (line, _)) = match diagnostic.subject {
                Some(span) => place(context, &here, sources, span),
                None => (None, (1, 1)),
            };
            Problem {
                is_error: diagnostic.is_error(),
                title: diagnostic.summary.clone(),
                message: diagnostic.detail.clone(),
                file,
                line,
            }
        })
        .collect()
}
