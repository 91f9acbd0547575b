//! One stack of what was merged: the run that is applied, and whether it is what was reviewed.

use terrace_ci::{ApplyOutcome, ApplyReport};
use terrace_diag::Diagnostic;
use terrace_gate::{
    Approval, Demand, ForgeReference, Reviewed, Run, RunStatus, find_run, load_reviewed, load_run,
    load_run_plan, run_approvals, save_forge_reference,
};
use terrace_plan::{Differences, Plan, PlanDigest, differences};

use super::apply::Job;
use super::{gate as asking, plan as planning, report as reporting};
use crate::args::{ApplyArgs, LockArgs, OutputStyle, PlanArgs, PlanOptions, StacksArgs, Where};
use crate::command_error::{CommandError, REFUSED, SUCCESS};
use crate::commands::apply::{self, Account};
use crate::commands::{gate, many, plan, runs, view};
use crate::session::{Place, Session};
use crate::wiring::load_config_for_backend;

/// How often what has moved while the lock was waited for is planned anew.
const ATTEMPTS: u32 = 3;

/// A run with its plan.
struct Known {
    run: Run,
    plan: Plan,
    digest: PlanDigest,
}

/// What people have seen of a stack in the pull request.
enum Seen {
    /// Nobody has seen anything.
    Nothing,
    /// There was nothing to do.
    NoChanges,
    /// This plan.
    Plan(Box<Known>),
    /// A plan that is not there any more.
    Lost(String),
}

/// One stack in one environment.
pub(super) struct Work<'a> {
    job: &'a Job<'a>,
    own: &'a Session,
    place: Place,
}

impl<'a> Work<'a> {
    /// Applies the stack in the working directory, as far as it was reviewed and the gate is open.
    pub(super) async fn apply(
        job: &'a Job<'a>,
        own: &'a Session,
        report: &mut ApplyReport,
    ) -> Result<(), CommandError> {
        let config = load_config_for_backend(own);
        let place = own.place(Some(&report.environment), config.as_deref())?;
        drop(config);
        own.sign_with(many::absolute_file(job.args.key.as_ref()).as_deref());
        let work = Self { job, own, place };
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let done = Box::pin(work.once(report)).await;
            match done {
                Err(error) if left > 0 && is_stale(&error) => {
                    let why = "Something was applied here meanwhile, and what was planned has moved: it is planned again.";
                    own.view.line(why);
                }
                done => return done,
            }
        }
    }

    async fn once(&self, report: &mut ApplyReport) -> Result<(), CommandError> {
        if let Some(named) = &self.job.args.run {
            let store = self.place.store.runs(&self.place.workspace);
            let run = match find_run(&*store, named).await? {
                Ok(run) => run,
                // It is one of another stack, or of none, which is seen at the end.
                Err(_) if self.job.targets.has_stacks => return Ok(()),
                Err(why) => return Err(unknown_run(&why)),
            };
            let known = self.known(&run.id).await?;
            if known.run.status == RunStatus::Planned && !self.holds(&known).await? {
                return Err(other_run(&run.id));
            }
            self.refer(&known).await?;
            return self.judge_and_apply(report, &known).await;
        }
        let seen = self.seen().await?;
        if let Seen::Plan(known) = &seen {
            report.reviewed = Some(known.run.id.clone());
            if self.holds(known).await? {
                let is_open = self.is_let_through(known).await?;
                if is_open {
                    self.own.view.line(format!(
                        "Run {} is the plan that was reviewed, and nothing has moved since: it is applied as it is.",
                        known.run.id
                    ));
                }
                // One that somebody has approved waits for the rest; another would need all of it anew.
                if is_open || self.is_signed(known).await? {
                    return self.judge_and_apply(report, known).await;
                }
            }
        }
        self.apply_present(report, &seen).await
    }

    /// Applies what would be done now, where that is what was reviewed.
    async fn apply_present(
        &self,
        report: &mut ApplyReport,
        seen: &Seen,
    ) -> Result<(), CommandError> {
        let Some(known) = self.present(report).await? else {
            report.outcome = ApplyOutcome::Unchanged;
            return Ok(());
        };
        report.run = Some(known.run.id.clone());
        report.counts = reporting::counts(known.run.counts);
        self.refer(&known).await?;
        if let Some(outcome) = self.unseen(seen, &known).await? {
            report.outcome = outcome;
            self.keep_page(report, &known).await?;
            return Ok(());
        }
        self.judge_and_apply(report, &known).await
    }

    /// What people have seen in the pull request.
    async fn seen(&self) -> Result<Seen, CommandError> {
        let store = self.place.store.runs(&self.place.workspace);
        let note = match self.job.change {
            Some(number) => load_reviewed(&*store, number).await?,
            None => None,
        };
        let digest = match note {
            None => return Ok(Seen::Nothing),
            Some(Reviewed { plan: None, .. }) => return Ok(Seen::NoChanges),
            Some(Reviewed {
                plan: Some(digest), ..
            }) => digest,
        };
        let id = digest.short();
        let plan = load_run_plan(&*store, &id).await?;
        let run = load_run(&*store, &id).await?;
        Ok(match (plan, run) {
            (Some((_, plan, found)), Some(run)) if found == digest => {
                Seen::Plan(Box::new(Known { run, plan, digest }))
            }
            _ => Seen::Lost(id),
        })
    }

    /// Whether the plan that was reviewed can be applied as it is: it is of the files that are here, and nothing has moved.
    async fn holds(&self, known: &Known) -> Result<bool, CommandError> {
        let args = self.apply_args(None);
        let wanted = many::Wanted::of(self.own, &self.place, &args).await?;
        Ok(wanted.is_some_and(|wanted| wanted.is_met_by(&self.place, &known.run, &known.plan)))
    }

    async fn is_let_through(&self, known: &Known) -> Result<bool, CommandError> {
        let answer = gate::answer(self.own, &self.place, &known.run.id).await?;
        Ok(answer.refusal.is_none())
    }

    /// What would be done now: a run that waits already, or a new one. `None` where there is nothing to do.
    async fn present(&self, report: &ApplyReport) -> Result<Option<Known>, CommandError> {
        let args = self.apply_args(None);
        if let Some(run) = many::pending(self.own, &self.place, &args).await? {
            // GitHub's approvals are of this commit; a run of another could not have them.
            let is_of_this = run.commit == self.job.context.head;
            if is_of_this || self.workflow_run().await?.is_none() {
                self.own.view.line(format!(
                    "Run {} was planned at {}, and nothing has moved since: it goes on.",
                    run.id, run.created
                ));
                return self.known(&run.id).await.map(Some);
            }
        }
        let plan_args = self.plan_args(&report.environment);
        let (planned, _, made) = plan::run_whole(self.own, &plan_args).await?;
        std::mem::forget(made);
        match planned.run {
            Some(run) => self.known(&run).await.map(Some),
            None => Ok(None),
        }
    }

    async fn known(&self, id: &str) -> Result<Known, CommandError> {
        let run = runs::named(&self.place, id).await?;
        let (plan, digest) = gate::plan_of(&self.place, &run.id).await?;
        Ok(Known { run, plan, digest })
    }

    /// Why a run is none that people have seen; `None` where they have.
    async fn unseen(
        &self,
        seen: &Seen,
        known: &Known,
    ) -> Result<Option<ApplyOutcome>, CommandError> {
        let reviewed = match seen {
            // Where nothing happens, there is nothing to look at.
            Seen::Nothing => {
                Some(differences(None, &known.plan)).filter(|all| all.other.is_empty())
            }
            Seen::NoChanges => Some(differences(None, &known.plan)),
            Seen::Plan(reviewed) => Some(differences(Some(&reviewed.plan), &known.plan)),
            Seen::Lost(run) => Some(Differences {
                other: vec![format!(
                    "run {run}, which was reviewed, is not there any more, or was changed"
                )],
                ..Differences::default()
            }),
        };
        if let Some(reviewed) = &reviewed
            && reviewed.other.is_empty()
        {
            if !reviewed.less.is_empty() {
                self.own.view.line(format!(
                    "A part of what was reviewed is to be done; the rest was done meanwhile:\n  - {}",
                    reviewed.less.join("\n  - ")
                ));
            }
            return Ok(None);
        }
        let reviewed = reviewed.map(Differences::lines);
        let outcome = reviewed.map_or(ApplyOutcome::Unreviewed, ApplyOutcome::Moved);
        if self.is_signed(known).await? {
            self.own.view.line(
                "It is not what was reviewed, and somebody has approved this very plan since.",
            );
            return Ok(None);
        }
        if self.job.args.unreviewed {
            self.own.view.line(format!(
                "It was not reviewed, and goes on by -unreviewed ({}).",
                outcome.told()
            ));
            return Ok(None);
        }
        Ok(Some(outcome))
    }

    /// Whether somebody listed has signed an approval of this very plan. An approval of a deployment is none: it is given before
    /// the plan is made.
    async fn is_signed(&self, known: &Known) -> Result<bool, CommandError> {
        let Some(rules) = gate::rules(&self.place).await? else {
            return Ok(false);
        };
        let store = self.place.store.runs(&self.place.workspace);
        let envelopes = run_approvals(&*store, &known.run.id).await?;
        Ok(envelopes
            .iter()
            .filter_map(|envelope| Approval::open(envelope).ok())
            .any(|approval| {
                approval.statement.plan == known.digest
                    && rules.person_of(&approval.fingerprint).is_some()
            }))
    }

    /// The workflow's run, where its approval at the forge may count.
    async fn workflow_run(&self) -> Result<Option<u64>, CommandError> {
        let rules = gate::rules(&self.place).await?;
        let counts = rules.is_some_and(|rules| rules.github.is_some() && rules.is_gated());
        let id = self.own.environment.get("GITHUB_RUN_ID");
        Ok(id.filter(|_| counts).and_then(|id| id.parse().ok()))
    }

    /// Lets the approval of this workflow's deployment count, where the gate asks for approvals.
    async fn refer(&self, known: &Known) -> Result<(), CommandError> {
        let Some(id) = self.workflow_run().await? else {
            return Ok(());
        };
        let Some(rules) = gate::rules(&self.place).await? else {
            return Ok(());
        };
        if Demand::of(&rules, &known.plan).approvals == 0 {
            return Ok(());
        }
        let store = self.place.store.runs(&self.place.workspace);
        let reference = ForgeReference::WorkflowRun(id);
        save_forge_reference(&*store, &known.run.id, reference).await?;
        let details = [("reviews", format!("workflow run {id}"))];
        let run = Some(known.run.id.as_str());
        self.own.audit(&self.place, "evidence", run, &details).await
    }

    /// Asks the gate, and applies what it lets through.
    async fn judge_and_apply(
        &self,
        report: &mut ApplyReport,
        known: &Known,
    ) -> Result<(), CommandError> {
        report.run = Some(known.run.id.clone());
        report.counts = reporting::counts(known.run.counts);
        if known.run.status == RunStatus::Applied {
            report.outcome = ApplyOutcome::Unchanged;
            self.own
                .view
                .line(format!("Run {} was applied before.", known.run.id));
            return Ok(());
        }
        if !self.is_let_through(known).await? {
            return self.wait(report, known).await;
        }
        self.carry_out(report, known).await
    }

    /// Notes what the gate waits for.
    async fn wait(&self, report: &mut ApplyReport, known: &Known) -> Result<(), CommandError> {
        let subject = (&known.plan, known.digest);
        report.gate = asking::ask(self.own, &self.place, subject, asking::nothing).await?;
        report.outcome = ApplyOutcome::Gated;
        self.keep_page(report, known).await
    }

    async fn carry_out(&self, report: &mut ApplyReport, known: &Known) -> Result<(), CommandError> {
        let args = self.apply_args(Some(known.run.id.clone()));
        let mut account = Account::default();
        match Box::pin(apply::run_here(self.own, &args, &mut account)).await {
            Ok(SUCCESS) => report.outcome = ApplyOutcome::Applied,
            Ok(_) => {
                report.outcome = ApplyOutcome::Failed;
                let run = runs::named(&self.place, &known.run.id).await?;
                report.text = run
                    .message
                    .unwrap_or_else(|| "The log says why.".to_owned());
            }
            // What was open a moment ago may be shut: a window, an approval that has expired.
            Err(error) if error.code == REFUSED => {
                self.own.view.diagnostics(error.diagnostics, &error.sources);
                return self.wait(report, known).await;
            }
            Err(error) => return Err(error),
        }
        self.keep_page(report, known).await
    }

    /// Writes the run's page, without secrets.
    async fn keep_page(&self, report: &ApplyReport, known: &Known) -> Result<(), CommandError> {
        let name = planning::file_name(&report.name());
        let file = self.job.directory.join("public").join(name);
        let subject = (&known.plan, known.digest);
        let page = view::page_of(self.own, &self.place, Some(&known.run.id), subject).await?;
        planning::write(&file.join("page.html"), &page)
    }

    fn lock(&self) -> LockArgs {
        LockArgs {
            lock: Some(true),
            lock_timeout: self.job.args.lock_timeout.clone(),
            input: false,
        }
    }

    fn apply_args(&self, run: Option<String>) -> ApplyArgs {
        let args = self.job.args;
        ApplyArgs {
            style: OutputStyle::default(),
            place: Where {
                env: self.place.environment.clone(),
            },
            stacks: StacksArgs::default(),
            lock: self.lock(),
            options: PlanOptions {
                refresh: true,
                parallelism: args.parallelism,
                ..PlanOptions::default()
            },
            auto_approve: true,
            key: many::absolute_file(args.key.as_ref()),
            request: many::absolute_request(&args.request),
            plan: run,
            destroys: false,
        }
    }

    fn plan_args(&self, environment: &str) -> PlanArgs {
        let args = self.job.args;
        PlanArgs {
            style: OutputStyle::default(),
            place: Where {
                env: Some(environment.to_owned()),
            },
            stacks: StacksArgs::default(),
            lock: self.lock(),
            options: PlanOptions {
                refresh: true,
                parallelism: args.parallelism,
                ..PlanOptions::default()
            },
            out: None,
            generate_config_out: None,
            detailed_exitcode: false,
            key: many::absolute_file(args.key.as_ref()),
            request: many::absolute_request(&args.request),
        }
    }
}

/// A run that is not of what was merged.
fn other_run(run: &str) -> CommandError {
    let detail = format!(
        "Run {run} cannot be applied here: it was planned from other files or values than those of this branch, or not for all of it, or what it touches has moved since."
    );
    let mut error: CommandError =
        Diagnostic::error("ci-not-merged", "Run is not of what was merged", detail)
            .hint("run this job without -run: it names the run that holds now")
            .into();
    error.code = REFUSED;
    error
}

/// There is no such run.
pub(super) fn unknown_run(why: &str) -> CommandError {
    CommandError::one("unknown-run", "No such run", why)
}

/// Whether a plan could not be applied because of what was applied meanwhile.
fn is_stale(error: &CommandError) -> bool {
    let mut told = error.diagnostics.iter();
    told.any(|diagnostic| diagnostic.id == "stale-plan")
}
