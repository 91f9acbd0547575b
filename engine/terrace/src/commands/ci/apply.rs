//! `terrace ci apply`: applies what was merged to one environment, as it was reviewed.

use std::path::PathBuf;

use terrace_ci::{
    AppliedEntry, ApplyOutcome, ApplyReport, Counts, EventKind, JOB_SUMMARY, deployment_state,
    has_applied, marker, with_applied,
};
use terrace_diag::{Diagnostic, Diagnostics, SourceMap};
use terrace_gate::Stack;
use terrace_port::{DeploymentState, Desk, Files as _};

use super::context::Context;
use super::stack::{Work, unknown_run};
use super::targets::{self, Target, Targets};
use super::{login, post, report};
use crate::args::CiApplyArgs;
use crate::command_error::{CommandError, FAILURE, Outcome as Ending, REFUSED, SUCCESS};
use crate::commands::many;
use crate::outside::Disk;
use crate::session::Session;
use crate::visit::Visit;

pub(super) async fn run(session: &Session, args: &CiApplyArgs) -> Ending {
    let context = Context::read(session)?;
    context.refuse_strangers()?;
    refuse_unmerged(&context, args)?;
    check_choice(session, args)?;
    let change = change(&context, args).await?;
    let targets = targets::find(session, &context, &args.targets, change).await?;
    if let Some(note) = &targets.note {
        session.view.line(note);
    }
    let job = Job {
        session,
        context: &context,
        targets: &targets,
        args,
        change,
        directory: PathBuf::from(Disk.absolute(&args.output.dir)),
    };
    match change {
        Some(number) => session.view.line(format!(
            "What was merged came by pull request {number}: it is applied as it was reviewed there."
        )),
        None => session
            .view
            .line("No pull request is known by which this commit was merged."),
    }
    let Some(target) = targets.list.first() else {
        session
            .view
            .line("Nothing that was changed belongs to this environment.");
        job.tell(&[]).await?;
        return Ok(SUCCESS);
    };
    let deployment = job.begin(target).await?;
    let mut reports = job.environment(target).await;
    if let Some(named) = &args.run {
        // The other stacks were not asked for.
        reports.retain(|report| report.run.is_some() || !report.outcome.is_done());
        if reports.is_empty() {
            let why = format!("No stack has a run {named:?} in this environment.");
            job.end(deployment, &reports).await?;
            return Err(unknown_run(&why));
        }
    }
    job.tell_problems(&reports);
    let told = job.tell(&reports).await;
    job.end(deployment, &reports).await?;
    told?;
    Ok(code(&reports))
}

/// The exit code: whether something failed, or was not let through.
fn code(reports: &[ApplyReport]) -> u8 {
    let any = |is: fn(&ApplyOutcome) -> bool| reports.iter().any(|report| is(&report.outcome));
    if any(|outcome| matches!(outcome, ApplyOutcome::Failed)) {
        FAILURE
    } else if any(|outcome| !outcome.is_done()) {
        REFUSED
    } else {
        SUCCESS
    }
}

/// What is not merged is not applied, whoever has proposed it.
fn refuse_unmerged(context: &Context, args: &CiApplyArgs) -> Result<(), CommandError> {
    let Some(event) = &context.event else {
        return Ok(());
    };
    let wanted = args.branch.as_ref().or(event.default_branch.as_ref());
    let detail = match (&event.kind, &event.branch, wanted) {
        (EventKind::PullRequest { number, .. }, ..) => {
            format!("Pull request {number} is not merged, and only what is merged is applied.")
        }
        (_, Some(branch), Some(wanted)) if branch != wanted => {
            format!("The workflow runs for the branch {branch:?}, and only {wanted:?} is applied.")
        }
        (EventKind::Push { .. }, None, Some(wanted)) => {
            format!("What was pushed is no branch, and only {wanted:?} is applied.")
        }
        _ => return Ok(()),
    };
    let mut error: CommandError = Diagnostic::error("ci-not-merged", "Not merged", detail)
        .hint("let the workflow start by `push` to that branch, or name another with -branch=NAME")
        .into();
    error.code = REFUSED;
    Err(error)
}

/// One environment a job: its lock, its deployment and its gate are its own.
fn check_choice(session: &Session, args: &CiApplyArgs) -> Result<(), CommandError> {
    let found = session.find_project()?;
    let names: Vec<String> = found
        .iter()
        .flat_map(|found| &found.project.environments)
        .map(|environment| environment.name.clone())
        .collect();
    let detail = if names.is_empty() {
        "There is no project file with environments here: only these remember what was reviewed."
            .to_owned()
    } else if args.targets.env.len() == 1 {
        return Ok(());
    } else {
        format!(
            "Each job applies one environment. The project file has {}.",
            names.join(", ")
        )
    };
    Err(
        Diagnostic::error("no-environment", "No environment chosen", detail)
            .hint("choose one with -env=NAME")
            .into(),
    )
}

/// The pull request by which the commit came to its branch.
async fn change(context: &Context, args: &CiApplyArgs) -> Result<Option<u64>, CommandError> {
    if args.pull_request.is_some() {
        return Ok(args.pull_request);
    }
    let (Some(desk), Some(commit)) = (&context.desk, &context.head) else {
        return Ok(None);
    };
    let found = desk.merged_change(commit).await;
    let found = found.map_err(|why| post::untold(&why))?;
    Ok(found.map(|change| change.number))
}

/// A job that applies one environment.
pub(super) struct Job<'a> {
    pub(super) session: &'a Session,
    pub(super) context: &'a Context,
    pub(super) targets: &'a Targets,
    pub(super) args: &'a CiApplyArgs,
    /// The pull request.
    pub(super) change: Option<u64>,
    /// Where pages go.
    pub(super) directory: PathBuf,
}

impl Job<'_> {
    /// Applies the stacks in their order. One that is not applied keeps back those that come after it.
    async fn environment(&self, target: &Target) -> Vec<ApplyReport> {
        let mut reports: Vec<ApplyReport> = Vec::new();
        for stack in &target.stacks {
            let undone: Vec<String> = target
                .stacks
                .iter()
                .zip(&reports)
                .filter(|(before, report)| {
                    stack.after.contains(&before.path) && !report.outcome.is_done()
                })
                .map(|(before, _)| before.name.clone())
                .collect();
            let mut report = self.blank(target, stack);
            if undone.is_empty() {
                report = Box::pin(self.stack(report, stack)).await;
            } else {
                report.outcome = ApplyOutcome::Waiting(undone);
            }
            reports.push(report);
        }
        reports
    }

    fn blank(&self, target: &Target, stack: &Stack) -> ApplyReport {
        ApplyReport {
            environment: target.environment.clone().unwrap_or_default(),
            stack: self.targets.has_stacks.then(|| stack.name.clone()),
            outcome: ApplyOutcome::Unchanged,
            counts: Counts::default(),
            run: None,
            reviewed: None,
            gate: None,
            text: String::new(),
        }
    }

    async fn stack(&self, blank: ApplyReport, stack: &Stack) -> ApplyReport {
        let directory = self.targets.directory().join(&stack.path);
        let own = many::session_in(self.session, &directory);
        let name = blank.name();
        let failed = ApplyReport {
            outcome: ApplyOutcome::Failed,
            ..blank.clone()
        };
        let quiet = post::Quiet::begin(self.session, &name);
        let done = async {
            login::renew(self.session).await?;
            let _visit = Visit::to(&directory)?;
            let mut report = blank;
            let worked = Work::apply(self, &own, &mut report).await;
            match worked {
                Ok(()) => Ok(report),
                Err(error) => {
                    let (text, _) = report::failure(&own, self.context, error);
                    report.outcome = ApplyOutcome::Failed;
                    report.text = text;
                    Ok(report)
                }
            }
        };
        let done: Result<ApplyReport, CommandError> = done.await;
        quiet.end();
        done.unwrap_or_else(|error| {
            let (text, _) = report::failure(&own, self.context, error);
            ApplyReport { text, ..failed }
        })
    }

    /// Says what was not applied, why, and who can do what about it.
    fn tell_problems(&self, reports: &[ApplyReport]) {
        let mut told = Diagnostics::new();
        for report in reports {
            told.extend(problem(report));
        }
        self.session.view.diagnostics(told, &SourceMap::new());
    }

    /// Tells the job and the pull request.
    async fn tell(&self, reports: &[ApplyReport]) -> Result<(), CommandError> {
        let whereabouts = self.context.whereabouts(&self.targets.project);
        let summary = whereabouts.apply_summary(reports, JOB_SUMMARY);
        post::add_summary(self.session, &summary)?;
        if let Some(file) = &self.args.output.markdown {
            super::plan::write(std::path::Path::new(file), summary.as_bytes())?;
        }
        let desk = self.context.desk.as_ref().filter(|_| self.args.output.post);
        let (Some(desk), Some(number), false) = (desk, self.change, reports.is_empty()) else {
            return Ok(());
        };
        let entries: Vec<AppliedEntry> = reports
            .iter()
            .map(|report| AppliedEntry::of(report, &whereabouts))
            .collect();
        let marker = marker("plan", &self.targets.project);
        keep_entries(&**desk, (number, &marker), &entries)
            .await
            .map_err(|why| untold(&why))
    }

    /// Says that a deployment begins. Gives its number.
    async fn begin(&self, target: &Target) -> Result<Option<u64>, CommandError> {
        let desk = self.context.desk.as_ref().filter(|_| self.args.output.post);
        let (Some(desk), Some(commit), Some(environment)) =
            (desk, &self.context.head, &target.environment)
        else {
            return Ok(None);
        };
        let told = async {
            let deployment = desk.keep_deployment(commit, environment).await?;
            let state = self.state("in_progress", "terrace applies");
            desk.keep_state(deployment, &state).await?;
            Ok(deployment)
        };
        told.await.map(Some).map_err(|why: String| {
            let detail =
                format!("{why}. Nothing was applied: -post=false applies without telling.");
            Diagnostic::error("forge-failed", "Forge cannot be asked or told", detail)
                .hint(PERMISSIONS)
                .into()
        })
    }

    /// Says how it has ended.
    async fn end(
        &self,
        deployment: Option<u64>,
        reports: &[ApplyReport],
    ) -> Result<(), CommandError> {
        let (Some(desk), Some(deployment)) = (&self.context.desk, deployment) else {
            return Ok(());
        };
        let (state, why) = deployment_state(reports);
        let state = self.state(state, &why);
        let told = desk.keep_state(deployment, &state).await;
        told.map_err(|why| untold(&why))
    }

    fn state(&self, state: &str, description: &str) -> DeploymentState {
        DeploymentState {
            state: state.to_owned(),
            description: description.to_owned(),
            details: self.context.run_url.clone(),
        }
    }
}

/// How often a comment is written that other jobs write at the same time.
const WRITES: u32 = 4;

/// Adds entries to the comment of a change. Another job that writes at the same moment may undo it: it is looked for afterwards.
async fn keep_entries(
    desk: &dyn Desk,
    (number, marker): (u64, &str),
    entries: &[AppliedEntry],
) -> Result<(), String> {
    for _ in 0..WRITES {
        let old = desk.comment(number, marker).await?;
        let old = old.unwrap_or_else(|| marker.to_owned());
        if has_applied(&old, entries) {
            return Ok(());
        }
        desk.keep_comment(number, marker, &with_applied(&old, entries))
            .await?;
    }
    Ok(())
}

const PERMISSIONS: &str =
    "the job needs `permissions:` for it: contents: read, pull-requests: write, deployments: write";

fn untold(why: &str) -> CommandError {
    let detail =
        format!("{why}. What was to be applied was applied; the log and the run say what.");
    Diagnostic::error("forge-failed", "Forge cannot be asked or told", detail)
        .hint(PERMISSIONS)
        .into()
}

/// What keeps a stack from being applied, and the way on.
fn problem(report: &ApplyReport) -> Option<Diagnostic> {
    let name = report.name();
    let run = report.run.as_deref().unwrap_or_default();
    let environment = &report.environment;
    match &report.outcome {
        ApplyOutcome::Gated => {
            let missing = report.gate.iter().flat_map(|gate| &gate.missing);
            let lines: Vec<String> = missing
                .map(|piece| match &piece.remedy {
                    Some(remedy) => format!("  - {} ({remedy})", piece.reason),
                    None => format!("  - {}", piece.reason),
                })
                .collect();
            let detail = format!(
                "Nothing of {name} was applied: run {run} waits for\n{}",
                lines.join("\n")
            );
            Some(
                Diagnostic::error("ci-gate-waits", "Gate is not open yet", detail)
                    .hint("once that is given, run this job again: it goes on with the same run"),
            )
        }
        ApplyOutcome::Moved(lines) => {
            let lines: Vec<String> = lines.iter().map(|line| format!("  - {line}")).collect();
            let reviewed = match &report.reviewed {
                Some(run) => format!("the plan of run {run}"),
                None => "no change at all".to_owned(),
            };
            let detail = format!(
                "Nothing of {name} was applied: reviewed was {reviewed}, and what would be done now (run {run}) differs:\n{}",
                lines.join("\n")
            );
            Some(
                Diagnostic::error("ci-plan-moved", "Plan is not the reviewed one", detail)
                    .hint(seen(environment, run)),
            )
        }
        ApplyOutcome::Unreviewed => {
            let detail = format!(
                "Nothing of {name} was applied: nobody has reviewed a plan of it. Run {run} is what would be done."
            );
            Some(
                Diagnostic::error("ci-unreviewed", "Nobody has reviewed it", detail)
                    .hint(seen(environment, run)),
            )
        }
        _ => None,
    }
}

/// How a run becomes one that somebody has seen.
fn seen(environment: &str, run: &str) -> String {
    format!(
        "look at it with `terrace view -env={environment} {run}`; then start the workflow with -run={run}, or approve it with `terrace approve -env={environment} -key=FILE {run}` where its gate asks for approvals and run this job again"
    )
}
