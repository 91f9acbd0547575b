//! `terrace ci drift`: whether environments still are what was applied, and an issue for each stack of them that is not.

use terrace_ci::{DRIFT_LABEL, DriftOutcome, DriftReport, JOB_SUMMARY, Whereabouts};
use terrace_diag::{Diagnostic, Diagnostics, SourceMap};
use terrace_gate::Stack;
use terrace_port::{Desk, KeptIssue};

use super::context::Context;
use super::targets::{self, Target, Targets};
use super::{login, post, report};
use crate::args::{CiDriftArgs, CiTargets, DriftPlan, PlanOptions};
use crate::command_error::{CHANGES, CommandError, FAILURE, Outcome as Ending, SUCCESS};
use crate::commands::drift::{self, Found};
use crate::commands::many;
use crate::session::Session;
use crate::visit::Visit;
use crate::wiring::load_config_for_backend;

pub(super) async fn run(session: &Session, args: &CiDriftArgs) -> Ending {
    let context = Context::read(session)?;
    context.refuse_strangers()?;
    let wanted = CiTargets {
        env: args.env.clone(),
        stack: args.stack.clone(),
        base: None,
        all: true,
    };
    let targets = targets::find(session, &context, &wanted, None).await?;
    let job = Job {
        session,
        context: &context,
        targets: &targets,
        args,
    };
    let mut reports = Vec::new();
    for target in &targets.list {
        for stack in &target.stacks {
            reports.push(Box::pin(job.look(target, stack)).await);
        }
    }
    let whereabouts = context.whereabouts(&targets.project);
    post::add_summary(session, &whereabouts.drift_summary(&reports, JOB_SUMMARY))?;
    job.keep_issues(&reports, &whereabouts).await?;
    let any = |outcome: &DriftOutcome| reports.iter().any(|report| report.outcome == *outcome);
    Ok(if any(&DriftOutcome::Failed) {
        FAILURE
    } else if any(&DriftOutcome::Drifted) {
        CHANGES
    } else {
        SUCCESS
    })
}

struct Job<'a> {
    session: &'a Session,
    context: &'a Context,
    targets: &'a Targets,
    args: &'a CiDriftArgs,
}

impl Job<'_> {
    /// Looks at one stack in one environment. One that cannot be looked at keeps back none.
    async fn look(&self, target: &Target, stack: &Stack) -> DriftReport {
        let mut report = DriftReport {
            environment: target.environment.clone(),
            stack: self.targets.has_stacks.then(|| stack.name.clone()),
            outcome: DriftOutcome::Clean,
            drifted: Vec::new(),
            pending: Vec::new(),
            run: None,
            text: String::new(),
        };
        let own = many::session_in(self.session, &self.targets.directory().join(&stack.path));
        let quiet = post::Quiet::begin(self.session, &report.name());
        let found = self.examine(&own, target, stack).await;
        match found {
            Ok(found) => fill(&mut report, found),
            Err(error) => {
                report.outcome = DriftOutcome::Failed;
                (report.text, _) = report::failure(&own, self.context, error);
            }
        }
        self.session.view.line(if report.text.is_empty() {
            "Nothing has changed outside."
        } else {
            &report.text
        });
        quiet.end();
        report
    }

    async fn examine(
        &self,
        own: &Session,
        target: &Target,
        stack: &Stack,
    ) -> Result<Found, CommandError> {
        login::renew(self.session).await?;
        let _visit = Visit::to(&self.targets.directory().join(&stack.path))?;
        let config = load_config_for_backend(own);
        let place = own.place(target.environment.as_deref(), config.as_deref())?;
        drop(config);
        let options = PlanOptions {
            refresh: true,
            refresh_only: self.args.plan == DriftPlan::RefreshOnly,
            parallelism: self.args.parallelism,
            ..PlanOptions::default()
        };
        drift::examine(own, &options, &place).await
    }

    /// Opens an issue for each that has drifted, keeps it up to date, and closes it once nothing is left. What could not be looked
    /// at changes none.
    async fn keep_issues(
        &self,
        reports: &[DriftReport],
        whereabouts: &Whereabouts,
    ) -> Result<(), CommandError> {
        let Some(desk) = self.context.desk.as_ref().filter(|_| self.args.post) else {
            return Ok(());
        };
        let mut problems = Diagnostics::new();
        for report in reports {
            if let Err(why) = keep_issue(&**desk, report, whereabouts).await {
                let detail = format!("{why}. The job's summary says what was found.");
                problems.push(
                    Diagnostic::error("forge-failed", "Forge cannot be asked or told", detail)
                        .hint("the job needs `permissions:` for it: contents: read, issues: write"),
                );
            }
        }
        if problems.has_errors() {
            return Err(CommandError::new(problems, SourceMap::new()));
        }
        Ok(())
    }
}

fn fill(report: &mut DriftReport, found: Found) {
    let lines = found.lines.iter();
    report.drifted = lines
        .map(|(address, what)| format!("{address} was {what}"))
        .collect();
    report.pending = found.pending;
    report.run = found.run;
    report.text = found.plain;
    if !report.drifted.is_empty() || !report.pending.is_empty() {
        report.outcome = DriftOutcome::Drifted;
    }
}

async fn keep_issue(
    desk: &dyn Desk,
    report: &DriftReport,
    whereabouts: &Whereabouts,
) -> Result<(), String> {
    let Some(is_open) = report.is_drifted() else {
        return Ok(());
    };
    let issue = KeptIssue {
        marker: report.marker(&whereabouts.project),
        label: DRIFT_LABEL.to_owned(),
        title: report.title(&whereabouts.project),
        body: report.issue(whereabouts),
        is_open,
    };
    desk.keep_issue(&issue).await.map(drop)
}
