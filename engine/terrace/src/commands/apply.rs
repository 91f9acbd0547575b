//! `terrace apply`, `destroy` and `refresh`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt as _;
use terrace_addr::Name;
use terrace_apply::{Applied, ApplyRequest, Counts, Stop};
use terrace_gate::{
    ApprovedPlan, ChangeKind, Demand, OwedReview, Run, RunCounts, RunStatus, Tail, anchor_audit,
    load_run_plan, record_applied, record_applying, record_owed, rules_change, save_run,
    save_run_rules,
};
use terrace_plan::{OpKind, Plan, PlanDigest, PlanMode, is_plan_file, read_plan_file};
use terrace_port::{Clock as _, Files as _, LockedState, Surroundings};
use terrace_value::Value;

use super::judging::{self, Judged};
use super::many;
use super::plan::{self, Made};
use super::state::history;
use crate::args::{ApplyArgs, ImportArgs, LockArgs, PlanOptions};
use crate::command_error::{CommandError, FAILURE, Outcome, SUCCESS};
use crate::credentials;
use crate::encryption::read_saved;
use crate::outside::{Disk, SystemClock, SystemEntropy, SystemProcess, machines, rfc3339};
use crate::session::{Place, Session};
use crate::signals::Signals;
use crate::stacks;
use crate::view::plan::Secrets;
use crate::view::{progress::Progress, stream};
use crate::wiring::{
    ProviderSet, Wiring, config_of_snapshot, load_config_for_backend, needed_providers,
    variable_values,
};

/// What is to be applied.
struct Subject {
    plan: Plan,
    digest: PlanDigest,
    run: Run,
    ephemeral: BTreeMap<Name, Value>,
}

/// What is known of a run while it is made and carried out, whatever becomes of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    /// Its id, once there is a plan that changes something.
    pub(crate) run: Option<String>,
    /// What it touches.
    pub(crate) counts: RunCounts,
    /// Whether there is anything to do.
    pub(crate) has_changes: bool,
    /// Whether somebody was asked, and said no.
    pub(crate) is_cancelled: bool,
}

/// What an apply is asked for as, which is told at its end.
#[derive(Clone, Copy, PartialEq)]
enum Request {
    Apply,
    Destroy,
    Import,
}

impl Request {
    const fn of(args: &ApplyArgs) -> Self {
        if args.destroys {
            Self::Destroy
        } else {
            Self::Apply
        }
    }

    /// What the history of the state calls it.
    const fn operation(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Destroy => "destroy",
            Self::Import => "import",
        }
    }
}

/// How to carry out a plan.
struct Manner<'a> {
    request: Request,
    lock: &'a LockArgs,
    parallelism: usize,
}

impl<'a> Manner<'a> {
    fn of(args: &'a ApplyArgs) -> Self {
        Self {
            request: Request::of(args),
            lock: &args.lock,
            parallelism: args.options.parallelism.max(1),
        }
    }
}

/// Carries out the plan of an import.
pub(crate) async fn import(
    session: &Session,
    place: &Place,
    args: &ImportArgs,
    made: Made,
) -> Outcome {
    let run = plan::record(session, place, &made, None).await?;
    let digest = made.digest();
    let Made { plan, work, .. } = made;
    let subject = Subject {
        plan,
        digest,
        run,
        ephemeral: work.ephemeral,
    };
    let manner = Manner {
        request: Request::Import,
        lock: &args.lock,
        parallelism: args.parallelism.max(1),
    };
    carry_out(session, place, &manner, subject, None).await
}

pub(crate) async fn run(session: &Session, args: ApplyArgs) -> Outcome {
    let asked = many::Asked::of_apply(&args);
    if let Some(chosen) = many::choose(session, &asked)? {
        return many::apply(session, &args, &chosen).await;
    }
    Box::pin(run_here(session, &args, &mut Account::default())).await
}

/// Applies in the working directory.
pub(crate) async fn run_here(
    session: &Session,
    args: &ApplyArgs,
    account: &mut Account,
) -> Outcome {
    let config = load_config_for_backend(session);
    if let Some(saved) = &args.plan {
        return saved_plan(session, args, saved, account).await;
    }
    let place = session.place(args.place.env.as_deref(), config.as_deref())?;
    drop(config);
    session.sign_with(args.key.as_deref());
    let request = super::gate::request(session, &place, &args.request)?;
    if session.view.json {
        session.view.output(stream::version_line());
    }
    // Nobody changes between planning and carrying out what was planned with.
    let mut locked = session
        .lock_as_asked(&place, "OperationTypeApply", &args.lock)
        .await?;
    let made = plan::make_for(session, &place, &args.options, &request).await?;
    plan::show(session, &made.plan);
    let has_changes = made.plan.has_changes();
    account.has_changes = has_changes;
    let rules = super::gate::rules(&place).await?;
    // Objects that are gone or have changed leave the state even where nothing has to be done about them, unless a gate
    // stands before it: it is shut for no reason that anybody planned.
    let is_stored = has_changes || rules.is_none() && has_read_changes(&made.plan);
    if !is_stored {
        let in_force = rules.as_ref();
        Box::pin(judging::judge_made(session, &place, &made, in_force, None)).await?;
        let encrypted = encrypt_as_configured(session, &mut *locked).await;
        locked.unlock().await?;
        encrypted?;
        finish_without_changes(session, &place, &made, Request::of(args)).await?;
        return Ok(SUCCESS);
    }
    let run = plan::record(session, &place, &made, args.key.as_deref()).await?;
    account.run = Some(run.id.clone());
    account.counts = run.counts;
    let kept = place.environment.as_ref().map(|_| &run);
    let said = judging::judge_made(session, &place, &made, rules.as_ref(), kept);
    let is_denied = Box::pin(said).await?.refuses();
    let demand = rules.as_ref().map(|rules| Demand::of(rules, &made.plan));
    if let (Some(rules), Some(demand)) = (&rules, &demand) {
        super::gate::tell_demand(session, rules, demand, &made.plan);
    }
    // What is refused anyway is refused without a question.
    let gated = demand.is_some_and(|demand| demand.approvals > 0) || is_denied;
    let asks = has_changes && !args.auto_approve && !gated;
    if asks && !confirm(session, args, &made.plan)? {
        locked.unlock().await?;
        session.view.line("Apply cancelled.");
        account.is_cancelled = true;
        return Ok(FAILURE);
    }
    let digest = made.digest();
    let Made { plan, work, .. } = made;
    let subject = Subject {
        plan,
        digest,
        run,
        ephemeral: work.ephemeral,
    };
    let held = Some(locked);
    carry_out(session, &place, &Manner::of(args), subject, held).await
}

/// Whether reading the objects has shown that the state is not what they are.
fn has_read_changes(plan: &Plan) -> bool {
    !plan.prior_state.same_managed_content(&plan.previous_state)
}

/// Writes the state again where it is still plain, or encrypted with what the configuration calls a fallback.
async fn encrypt_as_configured(
    session: &Session,
    locked: &mut dyn LockedState,
) -> Result<(), CommandError> {
    let encryption = session.encryption.get();
    if encryption.is_some_and(|known| known.state().is_some()) {
        terrace_state::store_again(locked).await?;
    }
    Ok(())
}

/// A plan without changes may still hold new check results and a refreshed state; the gate records that it was applied.
async fn finish_without_changes(
    session: &Session,
    place: &Place,
    made: &Made,
    request: Request,
) -> Result<(), CommandError> {
    if place.environment.is_some() {
        let mut run = plan::run_record(session, place, made);
        run.status = RunStatus::Applied;
        run.finished = Some(session.now());
        // Only what the gate lets through counts as applied.
        let judged = judge(session, place, made.plan.clone(), made.digest()).await;
        if let Ok(judged) = judged {
            Box::pin(judging::keep_judged(session, place, &judged)).await?;
            let state = terrace_state::load(&*place.store, &place.workspace).await?;
            record_end(session, place, &run, &state).await?;
        }
    }
    let state = terrace_state::load(&*place.store, &place.workspace).await?;
    tell_done(session, request, Counts::default(), &state);
    Ok(())
}

fn confirm(session: &Session, args: &ApplyArgs, plan: &Plan) -> Result<bool, CommandError> {
    if !args.lock.input || session.view.json {
        let detail = "Nobody can be asked whether to go on (-input=false or -json).";
        return Err(
            terrace_diag::Diagnostic::error("no-approval", "Apply not approved", detail)
                .hint("use -auto-approve, or apply a saved plan")
                .into(),
        );
    }
    let question = match plan.mode {
        PlanMode::Destroy => {
            "\nDo you really want to destroy all resources?\n  Terrace will destroy all your managed infrastructure, as shown above.\n  There is no undo. Only 'yes' will be accepted to confirm.\n"
        }
        PlanMode::RefreshOnly => {
            "\nWould you like to update the Terrace state to reflect these detected changes?\n  Terrace will write these changes to the state without modifying any real infrastructure.\n  There is no undo. Only 'yes' will be accepted to confirm.\n"
        }
        PlanMode::Normal => {
            "\nDo you want to perform these actions?\n  Terrace will perform the actions described above.\n  Only 'yes' will be accepted to approve.\n"
        }
    };
    Ok(session.view.confirm(question))
}

/// Applies a plan file, or the plan of a run.
async fn saved_plan(
    session: &Session,
    args: &ApplyArgs,
    saved: &str,
    account: &mut Account,
) -> Outcome {
    refuse_plan_options(&args.options)?;
    session.sign_with(args.key.as_deref());
    if session.view.json {
        session.view.output(stream::version_line());
    }
    let (plan, digest, place) = if Disk.exists(saved) {
        let bytes = read_saved(session, saved).await?;
        if !is_plan_file(&bytes) {
            let detail = format!(
                "{saved} is not a plan file of Terrace. `terrace plan -out={saved}` would write one."
            );
            return Err(CommandError::one(
                "invalid-plan",
                "Plan file cannot be used",
                detail,
            ));
        }
        let (plan, digest) = read_plan_file(&bytes).map_err(|error| {
            CommandError::one(
                "invalid-plan",
                "Plan file cannot be used",
                error.to_string(),
            )
        })?;
        let environment = args
            .place
            .env
            .clone()
            .or_else(|| plan.inputs.environment.clone());
        let config = config_of_snapshot(&plan.inputs.configuration);
        let place = session.place(environment.as_deref(), Some(&config))?;
        (plan, digest, place)
    } else {
        let config = load_config_for_backend(session);
        let place = session.place(args.place.env.as_deref(), config.as_deref())?;
        let run = super::runs::named(&place, saved).await.map_err(|error| {
            let detail = format!("There is no plan file {saved}, and no run of that name either.");
            if error.code == FAILURE {
                CommandError::one("unknown-plan", "No such plan", detail)
            } else {
                error
            }
        })?;
        let store = place.store.runs(&place.workspace);
        let Some((_, plan, digest)) = load_run_plan(&*store, &run.id).await? else {
            return Err(CommandError::one(
                "no-plan",
                "Run has no plan",
                format!("The plan of run {} is not there any more.", run.id),
            ));
        };
        (plan, digest, place)
    };
    super::running::check_before_lock(session, &place).await?;
    let store = place.store.runs(&place.workspace);
    let known = terrace_gate::load_run(&*store, &digest.short()).await?;
    let run = known.unwrap_or_else(|| plan::record_of(session, &place, &plan, digest));
    account.run = Some(run.id.clone());
    account.counts = run.counts;
    account.has_changes = plan.has_changes();
    let ephemeral = ephemeral_variables(session, &place, &plan).await?;
    if session.view.json {
        for line in stream::saved_plan_lines(&plan) {
            session.view.output(line);
        }
    }
    let subject = Subject {
        plan,
        digest,
        run,
        ephemeral,
    };
    carry_out(session, &place, &Manner::of(args), subject, None).await
}

/// The values of ephemeral variables, which no plan holds, from where variables come from.
async fn ephemeral_variables(
    session: &Session,
    place: &Place,
    plan: &Plan,
) -> Result<BTreeMap<Name, Value>, CommandError> {
    let missing: Vec<&Name> = plan
        .inputs
        .variables
        .iter()
        .filter(|(_, variable)| variable.value.is_none())
        .map(|(name, _)| name)
        .collect();
    if missing.is_empty() {
        return Ok(BTreeMap::new());
    }
    let config = config_of_snapshot(&plan.inputs.configuration);
    let mut sources = config.sources.clone();
    let mut taken = stacks::take(session, place, &config).await?;
    let values = variable_values(session, place, &config, &mut sources, &mut taken)?;
    Ok(values
        .into_iter()
        .filter(|(name, _)| missing.contains(&name))
        .map(|(name, (value, _))| (name, value))
        .collect())
}

fn refuse_plan_options(options: &PlanOptions) -> Result<(), CommandError> {
    let given = options.destroy
        || options.refresh_only
        || !options.refresh
        || !options.target.is_empty()
        || !options.replace.is_empty();
    if given {
        let detail = "A saved plan is applied as it is. Planning options (-destroy, -refresh-only, -refresh, -target, -replace) belong to `terrace plan`.";
        return Err(CommandError::one(
            "incompatible-options",
            "Can't set planning options with a saved plan",
            detail,
        ));
    }
    Ok(())
}

/// Asks the gate.
async fn judge(
    session: &Session,
    place: &Place,
    plan: Plan,
    digest: PlanDigest,
) -> Result<Judged, CommandError> {
    super::gate::tell_owed(session, place).await?;
    let evidence = super::gate::evidence(session, place, &plan, digest).await?;
    let bootstrap =
        evidence.is_bootstrap() && evidence.rules().is_some_and(terrace_gate::Rules::is_gated);
    match judging::ask(plan, evidence) {
        Ok(judged) => {
            if bootstrap {
                session
                    .audit(place, "bootstrap", Some(&digest.short()), &[])
                    .await?;
            }
            Ok(judged)
        }
        Err(refusal) => {
            let reasons: Vec<String> = refusal.reasons.iter().map(ToString::to_string).collect();
            session
                .audit(
                    place,
                    "refuse",
                    Some(&digest.short()),
                    &[("reasons", reasons.join(" "))],
                )
                .await?;
            Err(refusal.into())
        }
    }
}

/// Carries out a plan under the lock: the one that is held already, where it was made under that.
async fn carry_out(
    session: &Session,
    place: &Place,
    manner: &Manner<'_>,
    subject: Subject,
    held: Option<Box<dyn LockedState>>,
) -> Outcome {
    let Subject {
        plan,
        digest,
        mut run,
        ephemeral,
    } = subject;
    if plan.errored {
        let detail = "Planning ended with errors; such a plan cannot be applied.";
        return Err(CommandError::one("errored-plan", "Plan has errors", detail));
    }
    let was_told = held.is_some();
    let mut locked = match held {
        Some(locked) => locked,
        None => {
            let locked = session
                .lock_as_asked(place, "OperationTypeApply", manner.lock)
                .await?;
            // While the lock was waited for, who held it may have died.
            if let Err(error) = plan::check_interrupted(place).await {
                locked.unlock().await?;
                return Err(error);
            }
            locked
        }
    };
    // Judged once the lock is held: while waiting for it, approvals expire and windows close.
    let judged = match Box::pin(judge(session, place, plan, digest)).await {
        Ok(judged) => judged,
        Err(error) => {
            locked.unlock().await?;
            return Err(error);
        }
    };
    if !was_told {
        judging::tell_judged(session, place, &judged);
    }
    let done = Box::pin(under_lock(
        session,
        place,
        manner,
        judged,
        (&mut *locked, &mut run, ephemeral),
    ))
    .await;
    let unlocked = locked.unlock().await;
    let code = done?;
    unlocked?;
    Ok(code)
}

async fn under_lock(
    session: &Session,
    place: &Place,
    manner: &Manner<'_>,
    judged: Judged,
    (locked, run, ephemeral): (&mut dyn LockedState, &mut Run, BTreeMap<Name, Value>),
) -> Outcome {
    let approved = &judged.approved;
    let plan = approved.plan();
    let before = check_fresh(locked, plan).await?;
    stacks::check_taken(session, place, plan).await?;
    let surroundings = credentials::for_applying(session, place, approved).await?;
    let wiring = Wiring::new(session)?.within(surroundings.clone());
    let providers = ProviderSet::new(wiring, None);
    let config = config_of_snapshot(&plan.inputs.configuration);
    providers
        .locate(&needed_providers(&config, &plan.prior_state))
        .await?;
    check_providers(&providers, plan).await?;
    let environment = place.environment.is_some();
    if environment {
        record_start(session, place, run, (&judged, &surroundings)).await?;
    }
    let is_targeted = !plan.inputs.targets.is_empty();
    let total = plan.exec.ops.iter().filter(|op| is_work(&op.kind)).count() as u64;
    let progress = Progress::new(session.view, Secrets::of_plan(plan), Some(total));
    let stop = Arc::new(Stop::default());
    let signals = listen(session, stop.clone());
    let mut applied = terrace_apply::run(
        approved,
        ApplyRequest {
            run: run.id.clone(),
            providers: &*providers,
            locked,
            journal: &*place.store.journal(&place.workspace),
            process: &SystemProcess { surroundings },
            remote: &machines(&session.environment),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            observer: progress.clone(),
            ephemeral_variables: ephemeral,
            working_directory: Disk.absolute("."),
            parallelism: manner.parallelism,
            stop: &stop,
            ticks: futures::stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Some(((), ()))
            })
            .boxed(),
        },
    )
    .await;
    if is_targeted {
        applied.diagnostics.push(incomplete());
    }
    signals.abort();
    progress.finish();
    providers.close().await;
    if !applied.is_unstored && applied.state.serial > before.serial {
        let states = (&before, &applied.state);
        let operation = manner.request.operation();
        history::keep(session, place, states, operation, Some(&run.id)).await;
    }
    let failed = applied.diagnostics.has_errors();
    run.status = if failed {
        RunStatus::Failed
    } else {
        RunStatus::Applied
    };
    run.finished = Some(session.now());
    run.message = applied
        .diagnostics
        .iter()
        .find(|diagnostic| diagnostic.is_error())
        .map(|diagnostic| diagnostic.summary.clone());
    let recorded = if environment {
        record_end(session, place, run, &applied.state).await
    } else {
        Ok(())
    };
    // What was done is told, whether or not it could be recorded.
    let code = report(session, applied, manner.request);
    recorded?;
    Ok(code)
}

/// Records that a run begins, by which rules it was let through, and what it owes afterwards.
async fn record_start(
    session: &Session,
    place: &Place,
    run: &mut Run,
    (judged, surroundings): (&Judged, &Surroundings),
) -> Result<(), CommandError> {
    let store = place.store.runs(&place.workspace);
    let id = run.id.clone();
    run.status = RunStatus::Applying;
    let mut judged_by = String::new();
    if let Some(rules) = super::gate::rules(place).await? {
        save_run_rules(&*store, &id, &rules).await?;
        judged_by = rules.digest().to_string();
    }
    announce_rules(session, place, &id, true).await?;
    record_applying(&*store, run, place.rules.as_ref()).await?;
    Box::pin(judging::keep_judged(session, place, judged)).await?;
    let approved = &judged.approved;
    let plan = approved.digest().to_string();
    let reason = approved.plan().inputs.request.reason.clone();
    let reason = reason.unwrap_or_default();
    if approved.kind() == ChangeKind::Emergency {
        let details = [("plan", plan.clone()), ("reason", reason.clone())];
        session
            .audit(place, "emergency", Some(&id), &details)
            .await?;
    }
    if let Some(review) = approved.owes() {
        let (now, _) = SystemClock.now();
        let within = i64::try_from(review.within).unwrap_or(i64::MAX);
        let owed = OwedReview {
            run: id.clone(),
            plan: approved.digest(),
            environment: place.environment.clone().unwrap_or_default(),
            author: approved.author().unwrap_or_default().to_owned(),
            other_authors: other_authors(approved),
            reason,
            applied: now,
            due: now.saturating_add(within),
            approvals: review.approvals,
            roles: review.roles.clone(),
        };
        record_owed(&*store, &owed).await?;
        let details = [("due", rfc3339(owed.due)), ("plan", plan.clone())];
        session
            .audit(place, "review-owed", Some(&id), &details)
            .await?;
    }
    let mut details = vec![
        ("plan", plan),
        ("approvers", approved.approvers().join(",")),
        ("change", approved.kind().name().to_owned()),
        ("rules", judged_by),
    ];
    details.extend(super::identity::relied_on(approved));
    if !surroundings.set.is_empty() {
        let names: Vec<&str> = surroundings.set.keys().map(String::as_str).collect();
        details.push(("credentials", names.join(",")));
    }
    session
        .audit(place, "apply-start", Some(&id), &details)
        .await
}

/// Who counts as an author besides the first.
fn other_authors(approved: &ApprovedPlan) -> BTreeSet<String> {
    let authors = approved.authors().iter();
    authors
        .filter(|person| Some(person.as_str()) != approved.author())
        .cloned()
        .collect()
}

/// Records which rules are about to come into force, before they do: where there are none yet, or others.
async fn announce_rules(
    session: &Session,
    place: &Place,
    run: &str,
    only_first: bool,
) -> Result<(), CommandError> {
    let Some(proposed) = &place.rules else {
        return Ok(());
    };
    let store = place.store.runs(&place.workspace);
    let Some(change) = rules_change(&*store, proposed).await? else {
        return Ok(());
    };
    if only_first && change.before.is_some() {
        return Ok(());
    }
    let mut details = vec![("rules", proposed.digest().to_string())];
    if let Some(before) = change.before {
        details.push(("before", before));
        details.push(("changes", change.differences.join("; ")));
    }
    session
        .audit(place, "rules-change", Some(run), &details)
        .await
}

/// Records how a run ended, and keeps the end of the audit log with the state that it left.
async fn record_end(
    session: &Session,
    place: &Place,
    run: &Run,
    state: &terrace_state::State,
) -> Result<(), CommandError> {
    let failed = run.status != RunStatus::Applied;
    let store = place.store.runs(&place.workspace);
    if failed {
        save_run(&*store, run).await?;
    } else {
        announce_rules(session, place, &run.id, false).await?;
        record_applied(&*store, run, place.rules.as_ref()).await?;
    }
    let tail = Tail {
        lineage: state.lineage.clone(),
        serial: state.serial,
    };
    let published = if failed {
        stacks::unpublished(place).await?
    } else {
        stacks::publish(session, place, run, state).await?
    };
    let mut details = vec![
        ("status", run.status.name().to_owned()),
        ("lineage", tail.lineage.clone()),
        ("serial", tail.serial.to_string()),
    ];
    details.extend(published);
    let head = session
        .audit_to(place, "apply-end", Some(&run.id), &details)
        .await?;
    anchor_audit(&*store, &head, &tail).await?;
    Ok(())
}

/// `-target` leaves things out.
fn incomplete() -> terrace_diag::Diagnostic {
    terrace_diag::Diagnostic::warning(
        "targeted-apply",
        "Applied changes may be incomplete",
        "The plan was created with the -target option in effect, so some changes requested in the configuration may have been ignored and the output values may not be fully updated. Run the following command to verify that no other changes are pending:\n    terrace plan\n\nNote that the -target option is not suitable for routine use, and is provided only for exceptional situations such as recovering from errors or mistakes, or when Terrace specifically suggests to use it as part of an error message.",
    )
}

const fn is_work(kind: &OpKind) -> bool {
    matches!(
        kind,
        OpKind::Read { .. } | OpKind::Create { .. } | OpKind::Update { .. } | OpKind::Delete { .. }
    )
}

/// Tells what has become of an apply. Returns the exit code.
fn report(session: &Session, applied: Applied, request: Request) -> u8 {
    let failed = applied.diagnostics.has_errors();
    session
        .view
        .diagnostics(applied.diagnostics, &applied.sources);
    let counts = applied.counts;
    if !failed {
        tell_done(session, request, counts, &applied.state);
        return SUCCESS;
    }
    if !session.view.json && request != Request::Import {
        session.view.line(format!(
            "Apply failed. Done before: {} added, {} changed, {} destroyed. {}",
            counts.added,
            counts.changed,
            counts.destroyed,
            if applied.is_unstored {
                "The state does not hold it yet."
            } else {
                "The state holds all of it."
            }
        ));
    }
    FAILURE
}

/// Says what was done, and the outputs.
fn tell_done(session: &Session, request: Request, counts: Counts, state: &terrace_state::State) {
    let view = &session.view;
    if view.json {
        let as_u64 = |count: usize| count as u64;
        let counts = RunCounts {
            add: as_u64(counts.added),
            change: as_u64(counts.changed),
            remove: as_u64(counts.destroyed),
            import: as_u64(counts.imported),
        };
        let operation = match request {
            Request::Destroy => stream::Operation::Destroy,
            Request::Apply | Request::Import => stream::Operation::Apply,
        };
        view.output(stream::summary_line(counts, operation));
        view.output(stream::outputs_line(&state.outputs));
        return;
    }
    let summary = match request {
        Request::Import => {
            view.line("\nImport successful!\n\nThe resources that were imported are shown above. These resources are now in\nyour Terrace state and will henceforth be managed by Terrace.\n");
            return;
        }
        Request::Destroy => format!(
            "Destroy complete! Resources: {} destroyed.",
            counts.destroyed
        ),
        Request::Apply => {
            let imported = match counts.imported {
                0 => String::new(),
                imported => format!("{imported} imported, "),
            };
            let forgotten = match counts.forgotten {
                0 => String::new(),
                forgotten => format!(", {forgotten} forgotten"),
            };
            format!(
                "Apply complete! Resources: {imported}{} added, {} changed, {} destroyed{forgotten}.",
                counts.added, counts.changed, counts.destroyed
            )
        }
    };
    let summary = view.style.paint(crate::view::style::Role::Add, summary);
    view.line(format!("\n{summary}"));
    print_outputs(session, state);
}

fn print_outputs(session: &Session, state: &terrace_state::State) {
    if !state.outputs.is_empty() {
        session.view.line(format!(
            "\nOutputs:\n\n{}",
            super::show::outputs_text(state)
        ));
    }
}

/// The plan starts from what is stored, or nothing that it touches has moved since. Returns what is stored.
async fn check_fresh(
    locked: &dyn LockedState,
    plan: &Plan,
) -> Result<terrace_state::State, CommandError> {
    let state = terrace_state::load_locked(locked).await?;
    let planned = &plan.previous_state;
    // A plan that was made before there was a state is stale, not of another state.
    if state.lineage != planned.lineage
        && !planned.lineage.is_empty()
        && !(state.resources.is_empty() && planned.resources.is_empty())
    {
        let detail = "The plan was made for another state: the lineages differ. Plan again.";
        return Err(CommandError::one(
            "stale-plan",
            "Saved plan does not match the given state",
            detail,
        ));
    }
    if state.serial == planned.serial {
        return Ok(state);
    }
    let moved: Vec<String> = terrace_apply::moved(plan, &state)
        .into_iter()
        .map(|address| format!("  - {address}"))
        .collect();
    if moved.is_empty() {
        return Ok(state);
    }
    let detail = format!(
        "The state has changed since the plan was made (serial {} instead of {}), and with it what the plan read or touches:\n{}\n\nPlan again.",
        state.serial,
        planned.serial,
        moved.join("\n")
    );
    Err(CommandError::one(
        "stale-plan",
        "Saved plan is stale",
        detail,
    ))
}

/// The providers are those that the plan was made with.
async fn check_providers(providers: &ProviderSet, plan: &Plan) -> Result<(), CommandError> {
    let here = providers.planned().await;
    for planned in &plan.inputs.providers {
        let found = here
            .iter()
            .find(|candidate| candidate.provider == planned.provider);
        if let Some(found) = found
            && (found.hash != planned.hash || found.version != planned.version)
        {
            let detail = format!(
                "The plan was made with {} {} ({}), and installed is {} ({}). Plan again, or install what the plan was made with.",
                planned.provider.for_display(),
                planned.version,
                planned.hash,
                found.version,
                found.hash
            );
            return Err(CommandError::one(
                "other-provider",
                "Provider is another than planned with",
                detail,
            ));
        }
    }
    Ok(())
}

/// Ctrl-C and SIGTERM: once to stop gently, twice to give up waiting.
fn listen(session: &Session, stop: Arc<Stop>) -> tokio::task::JoinHandle<()> {
    let view = session.view;
    session.carrying_out.store(true, Ordering::SeqCst);
    let signals = Signals::new();
    tokio::spawn(async move {
        let Ok(mut signals) = signals else { return };
        let mut count = 0;
        while signals.next().await.is_some() {
            count += 1;
            stop.request();
            if count == 1 {
                view.aside("\nInterrupt received.\nPlease wait for Terrace to finish what runs and to store the state. A second interrupt gives up waiting;\nthe journal then holds what was under way, and `terrace recover` brings it in.\n");
            } else {
                view.aside(
                    "\nTwo interrupts received. Giving up waiting. Run `terrace recover` next.\n",
                );
            }
        }
    })
}
