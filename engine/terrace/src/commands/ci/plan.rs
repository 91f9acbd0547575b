//! `terrace ci plan`: plans what a pull request touches.

use std::collections::BTreeSet;
use std::path::PathBuf;

use terrace_ci::{Outcome, PlanReport, write_report};
use terrace_gate::{RefusalReason, Reviewed, Stack, forget_reviewed, record_reviewed};
use terrace_plan::PlanDigest;
use terrace_port::Files as _;

use super::context::Context;
use super::targets::{self, Target, Targets};
use super::{gate, login, post, report};
use crate::args::{CiPlanArgs, LockArgs, OutputStyle, PlanArgs, PlanOptions, StacksArgs, Where};
use crate::command_error::{CommandError, FAILURE, Outcome as Ending, REFUSED, SUCCESS};
use crate::commands::plan::{self, Made, Planned};
use crate::commands::{many, view};
use crate::outside::{Disk, write_file};
use crate::session::{Place, Session};
use crate::stacks;
use crate::visit::Visit;
use crate::wiring::load_config_for_backend;

pub(super) async fn run(session: &Session, args: &CiPlanArgs) -> Ending {
    let context = Context::read(session)?;
    context.refuse_strangers()?;
    let targets = targets::find(session, &context, &args.targets, None).await?;
    if let Some(note) = &targets.note {
        session.view.line(note);
    }
    let job = Job {
        session,
        context: &context,
        targets: &targets,
        args,
        directory: PathBuf::from(Disk.absolute(&args.output.dir)),
    };
    let mut reports = Vec::new();
    for target in &targets.list {
        reports.extend(Box::pin(job.environment(target)).await?);
    }
    let document = job.directory.join("public").join(report_name(args));
    write(&document, &write_report(&reports))?;
    post::tell(
        session,
        &context,
        &args.output,
        (&targets.project, &targets.lines),
        &reports,
    )
    .await?;
    Ok(code(&reports))
}

/// The name of the report of a job, which is another for each job of a matrix.
fn report_name(args: &CiPlanArgs) -> String {
    let parts: Vec<&str> = args
        .targets
        .env
        .iter()
        .chain(&args.targets.stack)
        .map(String::as_str)
        .collect();
    let name = if parts.is_empty() {
        "all".to_owned()
    } else {
        file_name(&parts.join("-"))
    };
    format!("report-{name}.json")
}

/// The exit code: whether something could not be planned, or may not be applied by any approval.
pub(super) fn code(reports: &[PlanReport]) -> u8 {
    if reports
        .iter()
        .any(|report| report.outcome == Outcome::Failed)
    {
        FAILURE
    } else if reports.iter().any(PlanReport::is_denied) {
        REFUSED
    } else {
        SUCCESS
    }
}

/// A name that is one of a file, whatever it was.
pub(super) fn file_name(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_alphanumeric() || c == '-' || c == '_' {
                c
            } else {
                '-'
            }
        })
        .collect()
}

pub(super) fn write(path: &std::path::Path, bytes: &[u8]) -> Result<(), CommandError> {
    write_file(&path.to_string_lossy(), bytes).map_err(|error| {
        CommandError::one(
            "unwritable-file",
            "Report cannot be written",
            format!("{} cannot be written: {error}.", path.display()),
        )
    })
}

/// What only a merge can bring is not missing of a plan before it.
const fn comes_with_merging(reason: &RefusalReason) -> bool {
    matches!(
        reason,
        RefusalReason::Branch { .. } | RefusalReason::UnknownAuthor { by_workflow: true }
    )
}

struct Job<'a> {
    session: &'a Session,
    context: &'a Context,
    targets: &'a Targets,
    args: &'a CiPlanArgs,
    /// Where plans, pages and reports go.
    directory: PathBuf,
}

impl Job<'_> {
    /// Plans the stacks of an environment in their order. One that fails keeps back those that take something from it.
    async fn environment(&self, target: &Target) -> Result<Vec<PlanReport>, CommandError> {
        let mut reports: Vec<PlanReport> = Vec::new();
        let mut open: BTreeSet<String> = BTreeSet::new();
        for stack in &target.stacks {
            let kept = self.kept(target, stack, &reports, &open).await?;
            if !kept.is_empty() {
                let waiting = Outcome::Waiting(kept);
                reports.push(self.blank(target, stack, waiting));
                continue;
            }
            let report = Box::pin(self.stack(target, stack)).await?;
            if report.outcome == Outcome::Changes {
                open.insert(stack.path.clone());
            }
            reports.push(report);
        }
        Ok(reports)
    }

    fn blank(&self, target: &Target, stack: &Stack, outcome: Outcome) -> PlanReport {
        let name = self.targets.has_stacks.then_some(stack.name.as_str());
        report::empty(target.environment.as_deref(), name, outcome)
    }

    /// The stacks without which this one cannot be planned: those that could not be planned themselves, and those whose outputs it
    /// takes and that have never been applied.
    async fn kept(
        &self,
        target: &Target,
        stack: &Stack,
        reports: &[PlanReport],
        open: &BTreeSet<String>,
    ) -> Result<Vec<String>, CommandError> {
        let mut kept: Vec<String> = target
            .stacks
            .iter()
            .zip(reports)
            .filter(|(before, report)| {
                let has_no_plan = matches!(report.outcome, Outcome::Failed | Outcome::Waiting(_));
                stack.after.contains(&before.path) && has_no_plan
            })
            .map(|(before, _)| before.name.clone())
            .collect();
        let (Some(found), Some(environment)) = (&self.targets.found, &target.environment) else {
            return Ok(kept);
        };
        for input in &stack.inputs {
            // Another job may plan it, or none has to.
            let is_elsewhere = !target.stacks.iter().any(|other| other.path == input.path);
            if (open.contains(&input.path) || is_elsewhere)
                && !kept.contains(&input.stack)
                && !stacks::has_published(self.session, found, &input.path, environment).await?
            {
                kept.push(input.stack.clone());
            }
        }
        Ok(kept)
    }

    async fn stack(&self, target: &Target, stack: &Stack) -> Result<PlanReport, CommandError> {
        let directory = self.targets.directory().join(&stack.path);
        let own = many::session_in(self.session, &directory);
        let mut blank = self.blank(target, stack, Outcome::Unchanged);
        let name = blank.name();
        let quiet = post::Quiet::begin(self.session, &name);
        login::renew(self.session).await?;
        let _visit = Visit::to(&directory)?;
        let planned = plan::run_whole(&own, &self.plan_args(target)).await;
        quiet.end();
        let (planned, place, made) = match planned {
            Ok(planned) => planned,
            Err(error) => {
                self.forget(&own, target).await;
                let (text, problems) = report::failure(&own, self.context, error);
                return Ok(PlanReport {
                    outcome: Outcome::Failed,
                    text,
                    problems,
                    ..blank
                });
            }
        };
        self.remember(&place, planned.run.is_some().then(|| made.digest()))
            .await?;
        blank.run.clone_from(&planned.run);
        self.keep_artefacts(&own, &name, (&planned, &place, &made))
            .await?;
        let filled = self.fill(&own, blank, (&planned, &place, &made)).await;
        // The process ends soon; to take a large plan apart piece by piece would only cost time.
        std::mem::forget(made);
        filled
    }

    /// Keeps in mind which plan people see in the pull request: that one alone is applied after the merge.
    async fn remember(&self, place: &Place, plan: Option<PlanDigest>) -> Result<(), CommandError> {
        let (Some(change), Some(_)) = (self.context.pull_request(), &place.environment) else {
            return Ok(());
        };
        let store = place.store.runs(&place.workspace);
        let reviewed = Reviewed {
            change,
            commit: self.context.head.clone(),
            plan,
        };
        Ok(record_reviewed(&*store, &reviewed).await?)
    }

    /// What people saw of earlier commits does not stand for those that cannot be planned.
    async fn forget(&self, own: &Session, target: &Target) {
        let config = load_config_for_backend(own);
        let place = own.place(target.environment.as_deref(), config.as_deref());
        if let (Some(change), Ok(place)) = (self.context.pull_request(), place) {
            let store = place.store.runs(&place.workspace);
            // Where the store fails, it has failed before, which is told.
            forget_reviewed(&*store, change).await.ok();
        }
    }

    fn plan_args(&self, target: &Target) -> PlanArgs {
        PlanArgs {
            style: OutputStyle::default(),
            place: Where {
                env: target.environment.clone(),
            },
            stacks: StacksArgs::default(),
            lock: LockArgs {
                lock: None,
                lock_timeout: "0s".to_owned(),
                input: false,
            },
            options: PlanOptions {
                refresh: true,
                parallelism: self.args.parallelism,
                ..PlanOptions::default()
            },
            out: None,
            generate_config_out: None,
            detailed_exitcode: false,
            key: many::absolute_file(self.args.key.as_ref()),
            request: many::absolute_request(&self.args.request),
        }
    }

    async fn fill(
        &self,
        own: &Session,
        blank: PlanReport,
        (planned, place, made): (&Planned, &Place, &Made),
    ) -> Result<PlanReport, CommandError> {
        let mut filled = PlanReport {
            counts: report::counts(planned.counts),
            text: report::text(&made.plan),
            objects: report::objects(self.context, &made.plan),
            ..blank
        };
        if planned.has_changes {
            filled.outcome = Outcome::Changes;
        }
        if let Some(run) = &planned.run {
            filled.policies = gate::policies(place, run).await?;
            let is_proposed = self.context.pull_request().is_some();
            let overlooks = if is_proposed {
                comes_with_merging
            } else {
                gate::nothing
            };
            let subject = (&made.plan, made.digest());
            filled.gate = gate::ask(own, place, subject, overlooks).await?;
        }
        Ok(filled)
    }

    /// Writes the plan for people to `public`, and what holds values as they are to `private`, which no artefact should hold.
    async fn keep_artefacts(
        &self,
        own: &Session,
        name: &str,
        (planned, place, made): (&Planned, &Place, &Made),
    ) -> Result<(), CommandError> {
        let name = file_name(name);
        let public = self.directory.join("public").join(&name);
        write(
            &public.join("plan.txt"),
            report::text(&made.plan).as_bytes(),
        )?;
        let page = view::page_of(
            own,
            place,
            planned.run.as_deref(),
            (&made.plan, made.digest()),
        );
        write(&public.join("page.html"), &page.await?)?;
        let private = self.directory.join("private").join(&name);
        let file = crate::encryption::seal_plan(own, made.file()).await?;
        write(&private.join("plan.tfplan"), &file)?;
        let (config, _) = terrace_config::load_snapshot(&made.plan.inputs.configuration);
        let json = terrace_plan::plan_json(&made.plan, &config);
        write(&private.join("plan.json"), json.as_bytes())
    }
}
