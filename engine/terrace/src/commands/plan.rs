//! `terrace plan`, and the planning half of `apply`.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use terrace_addr::{AbsResourceInstance, ParseError, Target};
use terrace_gate::{
    AUTHOR_NAMESPACE, Demand, Rules, Run, RunCounts, RunStatus, Statement, configuration_digest,
    fingerprint_of, last_applied, save_authorship, save_run, save_run_plan, sign_statement,
};
use terrace_plan::{Action, ChangeRequest, Plan, PlanDigest, PlanMode, write_plan_file};
use terrace_planner::{PlanOptions as PlannerOptions, PlanRequest};
use terrace_port::{Clock as _, Files as _};
use terrace_state::State;

use super::many;
use super::version::VERSION;
use crate::args::{PlanArgs, PlanOptions};
use crate::command_error::{CHANGES, CommandError, Outcome, SUCCESS};
use crate::encryption::seal_plan;
use crate::outside::{Disk, SystemClock, write_file};
use crate::session::{Place, Session};
use crate::view::plan::{self as plan_view, Secrets};
use crate::view::{progress::Progress, stream};
use crate::wiring::{Work, load_config_for_backend};

/// A plan that was made here and now.
pub(crate) struct Made {
    pub(crate) plan: Plan,
    pub(crate) work: Work,
    digest: OnceLock<PlanDigest>,
    file: OnceLock<(Vec<u8>, PlanDigest)>,
}

impl Made {
    /// The plan's digest, found out when it is first asked for.
    pub(crate) fn digest(&self) -> PlanDigest {
        match self.file.get() {
            Some((_, digest)) => *digest,
            None => *self.digest.get_or_init(|| self.plan.digest()),
        }
    }

    /// The bytes of the plan file, made when they are first asked for.
    pub(crate) fn file(&self) -> &[u8] {
        &self.file.get_or_init(|| write_plan_file(&self.plan)).0
    }
}

/// What a plan has come to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Planned {
    /// The exit code.
    pub(crate) code: u8,
    /// The run that keeps it.
    pub(crate) run: Option<String>,
    /// What it touches.
    pub(crate) counts: RunCounts,
    /// Whether it would change anything.
    pub(crate) has_changes: bool,
    /// The outputs that it would change.
    pub(crate) moved_outputs: BTreeSet<String>,
}

pub(crate) async fn run(session: &Session, args: &PlanArgs) -> Outcome {
    if let Some(chosen) = many::choose(session, &many::Asked::of_plan(args))? {
        return many::plan(session, args, &chosen).await;
    }
    run_here(session, args).await.map(|planned| planned.code)
}

/// Plans in the working directory.
pub(crate) async fn run_here(session: &Session, args: &PlanArgs) -> Result<Planned, CommandError> {
    let (planned, _, made) = run_whole(session, args).await?;
    // The process ends soon; to take a large plan apart piece by piece would only cost time.
    std::mem::forget(made);
    Ok(planned)
}

/// As [`run_here`]; gives the plan itself too, and where it was made for.
pub(crate) async fn run_whole(
    session: &Session,
    args: &PlanArgs,
) -> Result<(Planned, Place, Made), CommandError> {
    let config = load_config_for_backend(session);
    let place = session.place(args.place.env.as_deref(), config.as_deref())?;
    drop(config);
    session.sign_with(args.key.as_deref());
    let request = super::gate::request(session, &place, &args.request)?;
    let lock = match args.lock.lock {
        Some(true) => Some(
            session
                .lock(&place, "OperationTypePlan", &args.lock.lock_timeout)
                .await?,
        ),
        _ => None,
    };
    if session.view.json {
        session.view.output(stream::version_line());
    }
    let made = match &lock {
        Some(_) => check_journal(session, &place).await,
        None => super::running::check_snapshot(session, &place).await,
    };
    let generates = args.generate_config_out.as_deref();
    let made = match made {
        Ok(()) => make_generating(session, &place, &args.options, generates, &request).await,
        Err(error) => Err(error),
    };
    if let Some(lock) = lock {
        lock.unlock().await?;
    }
    let made = made?;
    let rules = super::gate::rules(&place).await?;
    let run = if is_worth_a_run(&place, &made, rules.as_ref()).await? {
        Some(record(session, &place, &made, args.key.as_deref()).await?)
    } else {
        None
    };
    let recorded = run.is_some();
    show(session, &made.plan);
    tell_taken(session, &made.plan);
    let run = run.filter(|_| place.environment.is_some());
    let said = super::judging::judge_made(session, &place, &made, rules.as_ref(), run.as_ref());
    let policies = said.await?;
    if let Some(out) = &args.out {
        let file = seal_plan(session, made.file()).await?;
        write_file(out, &file).map_err(|error| unwritable(out, &error))?;
    }
    super::gate::tell_owed(session, &place).await?;
    let demand = rules.as_ref().map(|rules| Demand::of(rules, &made.plan));
    if let (Some(rules), Some(demand), true) = (&rules, &demand, recorded) {
        super::gate::tell_demand(session, rules, demand, &made.plan);
    }
    let approvals = demand.map_or(0, |demand| demand.approvals);
    let asked = if policies.refuses() {
        None
    } else {
        Some(approvals)
    };
    ending(session, &place, &made, args, (recorded, asked));
    let code = if args.detailed_exitcode && made.plan.has_changes() {
        CHANGES
    } else {
        SUCCESS
    };
    let moved = made
        .plan
        .outputs
        .iter()
        .filter(|(_, output)| output.action != Action::NoOp);
    let planned = Planned {
        code,
        run: run.map(|run| run.id),
        counts: RunCounts::of(&made.plan),
        has_changes: made.plan.has_changes(),
        moved_outputs: moved.map(|(name, _)| name.to_string()).collect(),
    };
    Ok((planned, place, made))
}

/// Whether a plan is kept as a run of its environment: where it changes something, or where a gate's environment has
/// not applied this configuration yet, so that others which come after can wait for it, or has other rules in force.
async fn is_worth_a_run(
    place: &Place,
    made: &Made,
    in_force: Option<&Rules>,
) -> Result<bool, CommandError> {
    if made.plan.has_changes() {
        return Ok(true);
    }
    if !place.rules.as_ref().is_some_and(Rules::is_gated) {
        return Ok(false);
    }
    let store = place.store.runs(&place.workspace);
    let Some(applied) = last_applied(&*store).await? else {
        return Ok(false);
    };
    if in_force != place.rules.as_ref() {
        return Ok(true);
    }
    Ok(applied.configuration != configuration_digest(&made.plan.inputs.configuration))
}

fn ending(
    session: &Session,
    place: &Place,
    made: &Made,
    args: &PlanArgs,
    (recorded, approvals): (bool, Option<u32>),
) {
    let view = &session.view;
    let has_changes = made.plan.has_changes();
    let told = recorded && place.environment.is_some();
    if view.json || !has_changes && args.out.is_none() && !told {
        return;
    }
    view.line(format!("\n{}\n", "─".repeat(view.width.min(77))));
    if let (Some(environment), true) = (&place.environment, recorded) {
        let id = made.digest().short();
        let Some(approvals) = approvals else {
            view.paragraph(&format!("Run {id} of environment {environment:?}. Mandatory policies deny it, so that it can be neither approved nor applied. Change what they deny, and plan again."));
            return;
        };
        if has_changes {
            view.line(format!("Run {id} of environment {environment:?}. To perform exactly these actions:\n    terrace apply -env={environment} {id}"));
        } else {
            view.paragraph(&format!("Environment {environment:?} has not applied this configuration under these rules yet. To record that nothing has to change for it, so that environments which come after may follow, apply run {id}:\n    terrace apply -env={environment} {id}"));
        }
        if approvals > 0 {
            let asked = if approvals == 1 {
                "an approval by someone other than you".to_owned()
            } else {
                format!("{approvals} approvals by people other than you")
            };
            view.line(format!("\nIts gate asks for {asked}:\n    terrace approve -env={environment} -key=FILE {id}"));
        }
    } else if let Some(out) = &args.out {
        view.line(format!("Saved the plan to: {out}\n\nTo perform exactly these actions, run the following command to apply:\n    terrace apply {out:?}"));
    } else {
        view.line("Note: You didn't use the -out option to save this plan, so Terrace can't\nguarantee to take exactly these actions if you run \"terrace apply\" now.");
    }
}

/// Says which values are outputs of other stacks, and which runs have left these.
fn tell_taken(session: &Session, plan: &Plan) {
    if !plan.inputs.upstream.is_empty() {
        let taken = crate::view::stacks::taken(&plan.inputs.upstream);
        session.view.line(format!("\n{taken}"));
    }
}

/// The plan, as text or as lines of the stream.
pub(crate) fn show(session: &Session, plan: &Plan) {
    if session.view.json {
        for line in stream::plan_lines(plan) {
            session.view.output(line);
        }
    } else {
        session.view.line("");
        session
            .view
            .line(plan_view::render(plan, &session.view).trim_end());
    }
}

fn targets(options: &PlanOptions) -> Result<(Vec<Target>, Vec<AbsResourceInstance>), CommandError> {
    let bad = |error: ParseError| {
        CommandError::one("invalid-address", "Invalid address", error.to_string())
    };
    let targets = options
        .target
        .iter()
        .map(|text| text.parse().map_err(bad))
        .collect::<Result<_, _>>()?;
    let replace = options
        .replace
        .iter()
        .map(|text| text.parse().map_err(bad))
        .collect::<Result<_, _>>()?;
    Ok((targets, replace))
}

fn planner_options(options: &PlanOptions) -> Result<PlannerOptions, CommandError> {
    if options.destroy && options.refresh_only {
        let detail = "-destroy and -refresh-only ask for different things; use one of them.";
        return Err(CommandError::one(
            "incompatible-options",
            "Incompatible plan mode options",
            detail,
        ));
    }
    let (targets, replace) = targets(options)?;
    let mode = match (options.destroy, options.refresh_only) {
        (true, _) => PlanMode::Destroy,
        (_, true) => PlanMode::RefreshOnly,
        _ => PlanMode::Normal,
    };
    if !options.refresh && mode == PlanMode::RefreshOnly {
        let detail = "-refresh-only takes over what a refresh finds, and -refresh=false leaves the refresh out.";
        return Err(CommandError::one(
            "incompatible-options",
            "Incompatible refresh options",
            detail,
        ));
    }
    Ok(PlannerOptions {
        mode,
        targets,
        replace,
        refresh: options.refresh,
        generate_config: None,
        imports: Vec::new(),
        parallelism: options.parallelism.max(1),
    })
}

/// Refuses to go on over what was interrupted, and tells of a state that another tool left behind.
pub(crate) async fn check_journal(session: &Session, place: &Place) -> Result<(), CommandError> {
    let stored = check_interrupted(place).await?;
    if Disk.exists("errored.tfstate") {
        let stored = match stored {
            Some(stored) => stored,
            None => terrace_state::load(&*place.store, &place.workspace).await?,
        };
        super::state::mention_errored(session, place, &stored);
    }
    Ok(())
}

/// Refuses to go on over what was interrupted. Returns the stored state where it was read.
pub(crate) async fn check_interrupted(place: &Place) -> Result<Option<State>, CommandError> {
    let journal = place.store.journal(&place.workspace);
    let frames = journal.read().await?;
    if frames.is_empty() {
        return Ok(None);
    }
    let state = terrace_state::load(&*place.store, &place.workspace).await?;
    let witness = journal.witness();
    let recovery = terrace_state::journal::recover_by(&state, &frames, witness.as_deref())?;
    if recovery.is_clean() {
        return Ok(Some(state));
    }
    Err(super::recover::needed(place, &state, &recovery))
}

/// Says why a plan file could not be written, and what to do.
fn unwritable(path: &str, error: &std::io::Error) -> CommandError {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    let is_full = matches!(error.kind(), StorageFull | QuotaExceeded);
    let full = if is_full { " The disk is full." } else { "" };
    let detail = format!("{path} cannot be written: {error}.{full} The plan was not kept.");
    let diagnostic =
        terrace_diag::Diagnostic::error("unwritable-file", "Plan cannot be saved", detail);
    if is_full {
        let hint = "free some space on the disk of that file, or name another file, and plan again";
        return diagnostic.hint(hint).into();
    }
    diagnostic.into()
}

/// Makes a plan for `place`; warnings are shown, errors returned.
pub(crate) async fn make(
    session: &Session,
    place: &Place,
    options: &PlanOptions,
) -> Result<Made, CommandError> {
    make_for(session, place, options, &ChangeRequest::default()).await
}

/// As [`make`], with what the author says of the change.
pub(crate) async fn make_for(
    session: &Session,
    place: &Place,
    options: &PlanOptions,
    request: &ChangeRequest,
) -> Result<Made, CommandError> {
    check_journal(session, place).await?;
    make_generating(session, place, options, None, request).await
}

/// As [`make`]; configuration for imports that have none is written to a new file.
async fn make_generating(
    session: &Session,
    place: &Place,
    options: &PlanOptions,
    generates: Option<&str>,
    request: &ChangeRequest,
) -> Result<Made, CommandError> {
    let mut planner_options = planner_options(options)?;
    planner_options.generate_config = generates.map(str::to_owned);
    if generates.is_some_and(|path| Disk.exists(path)) {
        let detail = "Terrace can only write generated config into a new file. Either choose a different target location or move all existing configuration out of the target file, delete it and try again.";
        return Err(CommandError::one(
            "generated-file-exists",
            "Target generated file already exists",
            detail,
        ));
    }
    if planner_options.mode != PlanMode::Destroy && !super::init::has_configuration() {
        let detail = "Plan requires configuration to be present. Planning without a configuration would mark everything for destruction, which is normally not what is desired. If you would like to destroy everything, run plan with the -destroy option. Otherwise, create a Terrace configuration file (.tf file) and try again.";
        return Err(CommandError::one(
            "no-configuration",
            "No configuration files",
            detail,
        ));
    }
    let state = terrace_state::load(&*place.store, &place.workspace).await?;
    over(session, place, state, planner_options, request).await
}

/// Makes a plan that does nothing but to take over objects by their ids.
pub(crate) async fn make_import(
    session: &Session,
    place: &Place,
    state: State,
    imports: Vec<(AbsResourceInstance, String)>,
    parallelism: usize,
) -> Result<Made, CommandError> {
    let options = PlannerOptions {
        mode: PlanMode::RefreshOnly,
        refresh: false,
        imports,
        parallelism: parallelism.max(1),
        ..PlannerOptions::default()
    };
    let request = ChangeRequest {
        commit: place
            .environment
            .is_some()
            .then(|| commit(session))
            .flatten(),
        ..ChangeRequest::default()
    };
    over(session, place, state, options, &request).await
}

/// Makes a plan over a state that is not stored, without reading any object.
pub(crate) async fn make_without_reading(
    session: &Session,
    place: &Place,
    state: State,
) -> Result<Made, CommandError> {
    let options = PlannerOptions {
        refresh: false,
        parallelism: 10,
        ..PlannerOptions::default()
    };
    over(session, place, state, options, &ChangeRequest::default()).await
}

async fn over(
    session: &Session,
    place: &Place,
    state: State,
    options: PlannerOptions,
    request: &ChangeRequest,
) -> Result<Made, CommandError> {
    let mut work = Work::prepare(session, place, &state).await?;
    work.inputs.request.clone_from(request);
    let rules = place.rules.as_ref();
    work.inputs.request.rules = rules.map(|rules| rules.digest().to_string());
    let made = plan_over(session, state, &work, options).await;
    work.providers.close().await;
    Ok(Made {
        plan: made?,
        work,
        digest: OnceLock::new(),
        file: OnceLock::new(),
    })
}

async fn plan_over(
    session: &Session,
    state: State,
    work: &Work,
    options: PlannerOptions,
) -> Result<Plan, CommandError> {
    let secrets = Secrets::of_values(
        work.inputs
            .variables
            .values()
            .filter_map(|variable| variable.value.as_ref()),
    );
    let imports = !options.imports.is_empty();
    let observer = if imports {
        Progress::of_import(session.view, secrets)
    } else {
        Progress::new(session.view, secrets, None)
    };
    let generates = options.generate_config.clone();
    let request = PlanRequest {
        evaluator: work.evaluator.clone(),
        state: Arc::new(state),
        providers: &*work.providers,
        options,
        inputs: work.inputs.clone(),
        clock: Arc::new(SystemClock),
        observer,
    };
    let (mut plan, diagnostics) = terrace_planner::plan(request).await;
    plan.inputs.files = work.context.reads();
    if diagnostics.has_errors()
        && !imports
        && let Some(problems) = invalid(work, &plan).await
    {
        return Err(CommandError::new(problems, work.sources.clone()));
    }
    if let Some(path) = generates {
        write_generated(session, &plan, &path)?;
    }
    if diagnostics.has_errors() || plan.errored {
        if session.view.json && plan.is_begun() {
            show(session, &plan);
        }
        if !session.view.json && !imports {
            session.view.line(
                "\nPlanning failed. Terrace encountered an error while generating this plan.",
            );
        }
        return Err(CommandError::new(diagnostics, work.sources.clone()));
    }
    session.view.diagnostics(diagnostics, &work.sources);
    Ok(plan)
}

/// What is wrong with the configuration whatever the state and the objects are, where planning has failed. It is told
/// alone and in full: planning asks a provider about an instance only when it comes to it, and stops at what is wrong
/// before.
async fn invalid(work: &Work, plan: &Plan) -> Option<terrace_diag::Diagnostics> {
    if !plan.is_begun() {
        return None;
    }
    let mut problems = terrace_planner::validate(terrace_planner::ValidateRequest {
        evaluator: work.evaluator.clone(),
        providers: &*work.providers,
        parallelism: 10,
    })
    .await;
    problems.append(work.evaluator.provider_meta_problems());
    problems.has_errors().then_some(problems)
}

/// Writes the configuration that was generated for imports.
fn write_generated(session: &Session, plan: &Plan, path: &str) -> Result<(), CommandError> {
    let Some(text) = terrace_planner::generated_file(plan) else {
        return Ok(());
    };
    write_file(path, text.as_bytes()).map_err(|error| {
        CommandError::one(
            "unwritable-file",
            "Generated configuration cannot be written",
            format!("{path} cannot be written: {error}."),
        )
    })?;
    if !session.view.json {
        session.view.paragraph(&format!(
            "Terrace has generated configuration and written it to {path}. Please review the configuration and edit it as necessary before adding it to version control."
        ));
    }
    Ok(())
}

/// Keeps a plan that was made for an environment as a run, signed by its author where there is a key. Returns the
/// record, which is kept nowhere where there is no environment.
pub(crate) async fn record(
    session: &Session,
    place: &Place,
    made: &Made,
    key: Option<&str>,
) -> Result<Run, CommandError> {
    let mut run = run_record(session, place, made);
    let Some(environment) = &place.environment else {
        return Ok(run);
    };
    let store = place.store.runs(&place.workspace);
    let file = made.file();
    let mut told = vec![("plan", made.digest().to_string())];
    if !run.change.is_empty() {
        told.push(("change", run.change.clone()));
    }
    if let Some(reason) = &run.reason {
        told.push(("reason", reason.clone()));
    }
    save_run_plan(&*store, &run.id, file).await?;
    if let Some(path) = key {
        let signer = session.signer(Some(path))?;
        let statement = Statement {
            plan: made.digest(),
            environment: environment.clone(),
            change: match made.plan.inputs.request.kind.as_str() {
                "" => "normal".to_owned(),
                kind => kind.to_owned(),
            },
            signed_at: SystemClock.now().0,
            expires_at: None,
            comment: String::new(),
        };
        let envelope = sign_statement(&*signer, AUTHOR_NAMESPACE, &statement)
            .map_err(crate::signing::unusable)?;
        save_authorship(&*store, &run.id, &envelope).await?;
        if let Some(person) = person_of(place, &signer.public_key()) {
            person.clone_into(&mut run.actor);
            told.push(("person", person.to_owned()));
        }
    }
    let identity = super::identity::keep(session, place, &made.plan, made.digest()).await?;
    if let Some(identity) = &identity {
        if key.is_none() {
            identity.actor.clone_into(&mut run.actor);
        }
        told.extend(identity.details());
    } else if key.is_none()
        && place
            .rules
            .as_ref()
            .is_some_and(|rules| rules.gate.is_some())
    {
        session.view.paragraph(&format!(
            "\nNote: the gate of {environment:?} needs to know who made this plan, and it is not signed. Plan with -key=FILE or TERRACE_SSH_KEY."
        ));
    }
    save_run(&*store, &run).await?;
    session.audit(place, "plan", Some(&run.id), &told).await?;
    Ok(run)
}

/// The listed person that a key belongs to.
fn person_of<'a>(place: &'a Place, key: &str) -> Option<&'a str> {
    let fingerprint = fingerprint_of(key).ok()?;
    place.rules.as_ref()?.person_of(&fingerprint)
}

/// The record of a plan that was just made.
pub(crate) fn run_record(session: &Session, place: &Place, made: &Made) -> Run {
    let mut run = record_of(session, place, &made.plan, made.digest());
    run.commit = run.commit.or_else(|| commit(session));
    run.created = now_precisely();
    run
}

/// The record of a plan that may have been made elsewhere, at another time.
pub(crate) fn record_of(session: &Session, place: &Place, plan: &Plan, digest: PlanDigest) -> Run {
    let request = &plan.inputs.request;
    let imports = plan.changes.iter().any(|change| change.importing.is_some());
    let mode = match plan.mode {
        PlanMode::Normal => "normal",
        PlanMode::Destroy => "destroy",
        PlanMode::RefreshOnly if imports => "import",
        PlanMode::RefreshOnly => "refresh-only",
    };
    Run {
        id: digest.short(),
        plan: digest,
        configuration: configuration_digest(&plan.inputs.configuration),
        environment: place.environment.clone(),
        workspace: place.workspace.clone(),
        mode: mode.to_owned(),
        status: RunStatus::Planned,
        actor: session.actor(),
        commit: request.commit.clone(),
        version: VERSION.to_owned(),
        created: plan.inputs.timestamp.clone(),
        finished: None,
        counts: RunCounts::of(plan),
        message: None,
        change: request.kind.clone(),
        reason: request.reason.clone(),
        statements: request.statements.clone(),
    }
}

/// Now, in RFC 3339, to the nanosecond.
fn now_precisely() -> String {
    let (seconds, nanoseconds) = SystemClock.now();
    let nanoseconds = i32::try_from(nanoseconds).unwrap_or_default();
    jiff::Timestamp::new(seconds, nanoseconds)
        .unwrap_or_default()
        .to_string()
}

/// The commit that the working tree is at, as far as files tell.
pub(crate) fn commit(session: &Session) -> Option<String> {
    if let Some(commit) = session.environment.get("GITHUB_SHA") {
        return Some(commit.to_owned());
    }
    let here = std::path::PathBuf::from(Disk.absolute("."));
    let git = here
        .ancestors()
        .map(|directory| directory.join(".git"))
        .find(|path| path.is_dir())?;
    let read = |name: &str| {
        Disk.read(&git.join(name).to_string_lossy())
            .ok()
            .map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    let head = read("HEAD")?;
    match head.strip_prefix("ref: ") {
        Some(reference) => read(reference).or_else(|| {
            // References that did not change lately lie together in one file.
            let packed = read("packed-refs")?;
            packed
                .lines()
                .filter_map(|line| line.split_once(' '))
                .find(|(_, name)| *name == reference)
                .map(|(commit, _)| commit.to_owned())
        }),
        None => Some(head),
    }
}
