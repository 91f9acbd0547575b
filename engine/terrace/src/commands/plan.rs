//! `terrace plan`, and the planning half of `apply`.

use std::sync::{Arc, OnceLock};

use terrace_addr::{AbsResourceInstance, ParseError, Target};
use terrace_diag::SourceMap;
use terrace_gate::{
    Run, RunCounts, RunStatus, Statement, configuration_digest, save_authorship, save_run,
    save_run_plan, sign_authorship,
};
use terrace_plan::{Plan, PlanDigest, PlanMode, write_plan_file};
use terrace_planner::{PlanOptions as PlannerOptions, PlanRequest};
use terrace_port::{Clock as _, Files as _};
use terrace_state::State;

use super::version::VERSION;
use crate::args::{PlanArgs, PlanOptions};
use crate::command_error::{CHANGES, CommandError, Outcome, SUCCESS};
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

pub(crate) async fn run(session: &Session, args: &PlanArgs) -> Outcome {
    let config = load_config_for_backend(session);
    let place = session.place(args.place.env.as_deref(), config.as_deref())?;
    drop(config);
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
    let made = make(session, &place, &args.options).await;
    if let Some(lock) = lock {
        lock.unlock().await?;
    }
    let made = made?;
    record(session, &place, &made, args.key.as_deref()).await?;
    show(session, &made.plan);
    if let Some(out) = &args.out {
        write_file(out, made.file()).map_err(|error| {
            CommandError::one(
                "unwritable-file",
                "Plan cannot be saved",
                format!("{out} cannot be written: {error}."),
            )
        })?;
    }
    ending(session, &place, &made, args);
    let code = if args.detailed_exitcode && made.plan.has_changes() {
        CHANGES
    } else {
        SUCCESS
    };
    // The process ends now; to take a large plan apart piece by piece would only cost time.
    std::mem::forget(made);
    Ok(code)
}

fn ending(session: &Session, place: &Place, made: &Made, args: &PlanArgs) {
    let view = &session.view;
    if view.json || !made.plan.has_changes() && args.out.is_none() {
        return;
    }
    view.line(format!("\n{}\n", "─".repeat(view.width.min(77))));
    if let Some(environment) = &place.environment {
        let id = made.digest().short();
        view.line(format!("Run {id} of environment {environment:?}. To perform exactly these actions:\n    terrace apply -env={environment} {id}"));
        let approvals = place
            .rules
            .as_ref()
            .and_then(|rules| rules.gate.as_ref())
            .map_or(0, |gate| gate.approvals);
        if approvals > 0 {
            view.line(format!("\nIts gate asks for {approvals} approval(s) by people other than you:\n    terrace approve -env={environment} -key=FILE {id}"));
        }
    } else if let Some(out) = &args.out {
        view.line(format!("Saved the plan to: {out}\n\nTo perform exactly these actions, run the following command to apply:\n    terrace apply {out:?}"));
    } else {
        view.line("Note: You didn't use the -out option to save this plan, so Terrace can't\nguarantee to take exactly these actions if you run \"terrace apply\" now.");
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
            .line(plan_view::render(plan, session.view.style).trim_end());
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
        parallelism: options.parallelism.max(1),
    })
}

/// Refuses to go on over an apply that was interrupted.
pub(crate) async fn check_journal(place: &Place) -> Result<(), CommandError> {
    let frames = place.store.journal(&place.workspace).read().await?;
    if frames.is_empty() {
        return Ok(());
    }
    let state = terrace_state::load(&*place.store, &place.workspace).await?;
    let recovery = terrace_state::journal::recover(&state, &frames)?;
    if recovery.is_clean() {
        return Ok(());
    }
    let environment = place
        .environment
        .as_ref()
        .map(|name| format!(" -env={name}"))
        .unwrap_or_default();
    let detail = format!(
        "An apply was interrupted (run {}). Its journal holds {} result(s) that are not in the state yet, and {} change(s) whose end nobody recorded.",
        recovery.runs.join(", "),
        recovery.n_results,
        recovery.uncertain.len()
    );
    Err(terrace_diag::Diagnostic::error(
        "recovery-needed",
        "Interrupted apply must be recovered first",
        detail,
    )
    .hint(format!("run `terrace recover{environment}`"))
    .into())
}

/// Makes a plan for `place`; warnings are shown, errors returned.
pub(crate) async fn make(
    session: &Session,
    place: &Place,
    options: &PlanOptions,
) -> Result<Made, CommandError> {
    let planner_options = planner_options(options)?;
    if planner_options.mode != PlanMode::Destroy && !super::init::has_configuration() {
        let detail = "Plan requires configuration to be present. Planning without a configuration would mark everything for destruction, which is normally not what is desired. If you would like to destroy everything, run plan with the -destroy option. Otherwise, create a Terrace configuration file (.tf file) and try again.";
        return Err(CommandError::one(
            "no-configuration",
            "No configuration files",
            detail,
        ));
    }
    check_journal(place).await?;
    let state = terrace_state::load(&*place.store, &place.workspace).await?;
    let work = Work::prepare(session, place, &state).await?;
    let made = plan_over(session, state, &work, planner_options).await;
    work.providers.close().await;
    let (plan, sources) = made?;
    session
        .view
        .diagnostics(terrace_diag::Diagnostics::new(), &sources);
    Ok(Made {
        plan,
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
) -> Result<(Plan, SourceMap), CommandError> {
    let secrets = Secrets::of_values(
        work.inputs
            .variables
            .values()
            .filter_map(|variable| variable.value.as_ref()),
    );
    let observer = Progress::new(session.view, secrets, None);
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
    let sources = work.sources.clone();
    if diagnostics.has_errors() || plan.errored {
        if !session.view.json {
            session.view.line(
                "\nPlanning failed. Terrace encountered an error while generating this plan.",
            );
        }
        return Err(CommandError::new(diagnostics, sources));
    }
    session.view.diagnostics(diagnostics, &sources);
    Ok((plan, sources))
}

/// Keeps a plan that was made for an environment as a run, signed by its author where there is a key.
pub(crate) async fn record(
    session: &Session,
    place: &Place,
    made: &Made,
    key: Option<&str>,
) -> Result<(), CommandError> {
    let Some(environment) = &place.environment else {
        return Ok(());
    };
    let store = place.store.runs(&place.workspace);
    let file = made.file();
    let run = run_record(session, place, made);
    save_run_plan(&*store, &run.id, file).await?;
    if let Some(path) = key {
        let key = super::approve::read_key(Some(path))?;
        let statement = Statement {
            plan: made.digest(),
            environment: environment.clone(),
            change: "normal".to_owned(),
            signed_at: SystemClock.now().0,
            expires_at: None,
            comment: String::new(),
        };
        let envelope = sign_authorship(&key, &statement).map_err(|error| {
            CommandError::one("invalid-key", "SSH key cannot be used", error.to_string())
        })?;
        save_authorship(&*store, &run.id, &envelope).await?;
    } else if place
        .rules
        .as_ref()
        .is_some_and(|rules| rules.gate.is_some())
    {
        session.view.line(format!(
            "\nNote: the gate of {environment:?} needs to know who made this plan, and it is not signed. Plan with -key=FILE or TERRACE_SSH_KEY."
        ));
    }
    save_run(&*store, &run).await?;
    session
        .audit(
            place,
            "plan",
            Some(&run.id),
            &[("plan", made.digest().to_string())],
        )
        .await
}

/// The record of a plan that was just made.
pub(crate) fn run_record(session: &Session, place: &Place, made: &Made) -> Run {
    let mode = match made.plan.mode {
        PlanMode::Normal => "normal",
        PlanMode::Destroy => "destroy",
        PlanMode::RefreshOnly => "refresh-only",
    };
    Run {
        id: made.digest().short(),
        plan: made.digest(),
        configuration: configuration_digest(&made.plan.inputs.configuration),
        environment: place.environment.clone(),
        workspace: place.workspace.clone(),
        mode: mode.to_owned(),
        status: RunStatus::Planned,
        actor: session.actor(),
        commit: commit(session),
        version: VERSION.to_owned(),
        created: made.plan.inputs.timestamp.clone(),
        finished: None,
        counts: RunCounts::of(&made.plan),
        message: None,
    }
}

/// The commit that the working tree is at, as far as files tell.
fn commit(session: &Session) -> Option<String> {
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
        Some(reference) => read(reference),
        None => Some(head),
    }
}
