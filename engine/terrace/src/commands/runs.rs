//! `terrace runs`

use terrace_config::Config;
use terrace_gate::{
    APPROVAL_NAMESPACE, Approval, Finding, Line, Pattern, Report, Run, ShapeAction, find_run,
    list_runs, load_run_plan, load_run_policies, report, run_approvals, verify_run,
};
use terrace_port::{Clock as _, RunStore};

use crate::args::{RunsArgs, RunsCommand, RunsFilter, Where};
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::outside::{SystemClock, rfc3339, write_file};
use crate::session::{Place, Session, parse_duration};
use crate::view::{gate as gate_view, plan as plan_view, policy as policy_view, table::table};

pub(crate) async fn run(session: &Session, args: &RunsArgs, config: Option<&Config>) -> Outcome {
    let own = args.place.env.as_deref();
    let chosen = |place: &Where| session.place(place.env.as_deref().or(own), config);
    let all = |place: &Where| places(session, place.env.as_deref().or(own), config);
    match &args.command {
        None => list(session, args, &places(session, own, config)?).await,
        Some(RunsCommand::Show { run, style, place }) => {
            show(session, &chosen(place)?, run, style.json).await
        }
        Some(RunsCommand::Approvals { run, dir, place }) => {
            approvals(session, &chosen(place)?, run, dir.as_deref()).await
        }
        Some(RunsCommand::Export {
            run,
            file,
            key,
            place,
        }) => super::bundle::export(session, &chosen(place)?, run, (file, key.as_deref())).await,
        Some(RunsCommand::Verify {
            run, style, place, ..
        }) => verify(session, &chosen(place)?, run, style.json).await,
        Some(RunsCommand::Prune {
            keep,
            older_than,
            dry_run,
            style,
            place,
        }) => {
            let places = all(place)?;
            let asked = super::prune::asked(session, *keep, older_than.as_deref())?;
            super::prune::run(session, &places, asked, (*dry_run, style.json)).await
        }
        Some(RunsCommand::Report {
            since,
            style,
            place,
        }) => tell_report(session, &all(place)?, since.as_deref(), style.json).await,
    }
}

/// Lists the runs of places that a filter leaves.
async fn list(session: &Session, args: &RunsArgs, places: &[Place]) -> Outcome {
    let mut runs = Vec::new();
    for place in places {
        runs.extend(filtered(place, &args.filter).await?);
    }
    runs.sort_by(Run::by_creation);
    if args.style.json {
        let list: Vec<_> = runs.iter().map(run_json).collect();
        session
            .view
            .output(format!("{:#}", serde_json::Value::Array(list)));
        return Ok(SUCCESS);
    }
    for place in places {
        super::gate::tell_owed(session, place).await?;
    }
    if runs.is_empty() {
        session
            .view
            .output("There are no runs yet. `terrace plan` makes one.");
    } else {
        let rows: Vec<Vec<String>> = runs.iter().map(row).collect();
        session.view.output(table(
            &["RUN", "ENVIRONMENT", "STATUS", "CHANGES", "BY", "CREATED"],
            &rows,
        ));
    }
    Ok(SUCCESS)
}

/// The runs of a place that a filter leaves.
async fn filtered(place: &Place, filter: &RunsFilter) -> Result<Vec<Run>, CommandError> {
    let store = place.store.runs(&place.workspace);
    let since = filter.since.as_deref().map(moment).transpose()?;
    let action = match filter.action.as_deref() {
        None => None,
        Some(name) => Some(ShapeAction::parse(name).ok_or_else(|| {
            let names = ShapeAction::names().join(", ");
            CommandError::one(
                "invalid-option",
                "Invalid action",
                format!("There is no action {name:?}. Actions are {names}."),
            )
        })?),
    };
    let resource = filter.resource.clone().map(Pattern::new);
    let mut runs = Vec::new();
    for run in list_runs(&*store).await? {
        let created = run.created.parse::<jiff::Timestamp>().ok();
        let fits = filter
            .status
            .as_deref()
            .is_none_or(|status| run.status.name() == status)
            && filter
                .change
                .as_deref()
                .is_none_or(|change| kind(&run) == change)
            && filter.actor.as_deref().is_none_or(|actor| {
                run.actor == actor || run.actor.split('@').next() == Some(actor)
            })
            && filter.commit.as_deref().is_none_or(|commit| {
                run.commit
                    .as_deref()
                    .is_some_and(|own| own.starts_with(commit))
            })
            && since.is_none_or(|since| created.is_some_and(|made| made.as_second() >= since));
        if fits && touches(&*store, &run, resource.as_ref(), action).await? {
            runs.push(run);
        }
    }
    Ok(runs)
}

/// Whether a run changes what is asked for, as is asked for. Its plan is read only where something is.
async fn touches(
    store: &dyn RunStore,
    run: &Run,
    resource: Option<&Pattern>,
    action: Option<ShapeAction>,
) -> Result<bool, CommandError> {
    if resource.is_none() && action.is_none() {
        return Ok(true);
    }
    let Some((_, plan, _)) = load_run_plan(store, &run.id).await? else {
        return Ok(false);
    };
    Ok(Line::of(&plan).iter().any(|line| {
        resource.is_none_or(|resource| resource.matches(&line.address))
            && action.is_none_or(|action| line.actions.contains(&action))
    }))
}

/// A moment that someone names, in seconds since 1970 UTC: a time, a date, or how long ago.
pub(crate) fn moment(text: &str) -> Result<i64, CommandError> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok(time.as_second());
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>()
        && let Ok(zoned) = date.to_zoned(jiff::tz::TimeZone::UTC)
    {
        return Ok(zoned.timestamp().as_second());
    }
    let ago = parse_duration(text)?;
    let ago = i64::try_from(ago.as_secs()).unwrap_or(i64::MAX);
    Ok(SystemClock.now().0.saturating_sub(ago))
}

/// Proves one run.
async fn verify(session: &Session, place: &Place, prefix: &str, json: bool) -> Outcome {
    let run = named(place, prefix).await?;
    let store = place.store.runs(&place.workspace);
    let findings = verify_run(&*store, &run).await?;
    tell_findings(session, &run.id, &findings, json)
}

/// Says what was found of a run, and whether all of it holds.
pub(crate) fn tell_findings(
    session: &Session,
    run: &str,
    findings: &[Finding],
    json: bool,
) -> Outcome {
    let holds = findings.iter().all(|finding| finding.holds);
    if json {
        let findings: Vec<_> = findings
            .iter()
            .map(|finding| serde_json::json!({"holds": finding.holds, "what": finding.what}))
            .collect();
        let told = serde_json::json!({"run": run, "valid": holds, "findings": findings});
        session.view.output(format!("{told:#}"));
        return Ok(u8::from(!holds));
    }
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| {
            let mark = if finding.holds { "ok  " } else { "BAD " };
            format!("  {mark} {}", finding.what)
        })
        .collect();
    if holds {
        session
            .view
            .output(format!("Run {run} is what it says:\n{}", lines.join("\n")));
        return Ok(SUCCESS);
    }
    Err(CommandError::one(
        "run-not-proven",
        "Run cannot be proven",
        format!("Run {run} is not what it says:\n{}", lines.join("\n")),
    ))
}

/// Waiting times, owed reviews, overrides.
async fn tell_report(
    session: &Session,
    places: &[Place],
    since: Option<&str>,
    json: bool,
) -> Outcome {
    let since = since.map(moment).transpose()?.unwrap_or(i64::MIN);
    let (now, _) = SystemClock.now();
    let mut reports = Vec::new();
    for place in places {
        let rules = super::gate::rules(place).await?;
        let store = place.store.runs(&place.workspace);
        let report = report(&*store, rules.as_ref(), since, now).await?;
        reports.push((place.environment.clone(), report));
    }
    if json {
        let list: Vec<_> = reports
            .iter()
            .map(|(environment, report)| report_json(environment.as_deref(), report))
            .collect();
        session
            .view
            .output(format!("{:#}", serde_json::Value::Array(list)));
    } else {
        session.view.output(gate_view::report(&reports));
    }
    Ok(SUCCESS)
}

fn report_json(environment: Option<&str>, report: &Report) -> serde_json::Value {
    let waiting: Vec<_> = report
        .waiting
        .iter()
        .map(|run| {
            serde_json::json!({
                "run": run.run, "planned": rfc3339(run.planned), "approved": run.approved.map(rfc3339),
                "applied": run.applied.map(rfc3339), "approvers": run.approvers, "refusals": run.refusals,
                "seconds_to_approval": run.approved.map(|at| at - run.planned),
            })
        })
        .collect();
    let owed: Vec<_> = report
        .owed
        .iter()
        .map(|open| {
            serde_json::json!({
                "run": open.owed.run, "due": rfc3339(open.owed.due), "overdue": open.overdue,
                "approvals": open.owed.approvals, "reviewers": open.reviewers, "reason": open.owed.reason,
            })
        })
        .collect();
    let overrides: Vec<_> = report
        .overrides
        .iter()
        .map(|entry| {
            serde_json::json!({
                "time": entry.time, "actor": entry.actor, "event": entry.event, "run": entry.run, "reason": entry.reason,
            })
        })
        .collect();
    let judged: Vec<_> = report
        .judged
        .iter()
        .map(|said| {
            serde_json::json!({
                "run": said.run, "time": said.time, "denied": said.denied, "overridden": said.overridden,
                "warned": said.warned,
            })
        })
        .collect();
    serde_json::json!({
        "environment": environment, "waiting": waiting, "owed_reviews": owed, "overrides": overrides,
        "policies": judged,
    })
}

/// The chosen environment, or every one that the project file defines, or the working directory's own state.
pub(crate) fn places(
    session: &Session,
    environment: Option<&str>,
    config: Option<&Config>,
) -> Result<Vec<Place>, CommandError> {
    if environment.is_some() {
        return Ok(vec![session.place(environment, config)?]);
    }
    match session.find_project()? {
        Some(found) if !found.project.environments.is_empty() => found
            .project
            .environments
            .iter()
            .map(|environment| session.environment_place(&found, environment, config))
            .collect(),
        _ => Ok(vec![session.place(None, config)?]),
    }
}

fn row(run: &Run) -> Vec<String> {
    let counts = run.counts;
    let mut changes = format!("+{} ~{} -{}", counts.add, counts.change, counts.remove);
    if run.mode != "normal" {
        changes = format!("{changes} ({})", run.mode);
    }
    if !run.change.is_empty() {
        changes = format!("{changes} [{}]", run.change);
    }
    let environment = run.environment.clone().unwrap_or_else(|| "-".to_owned());
    vec![
        run.id.clone(),
        environment,
        run.status.name().to_owned(),
        changes,
        run.actor.clone(),
        seconds(&run.created),
    ]
}

/// A time without fractions of a second, which order runs and say nothing to people.
fn seconds(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => time.to_owned(),
    }
}

/// What kind of change a run is.
fn kind(run: &Run) -> &str {
    match run.change.as_str() {
        "" => "normal",
        kind => kind,
    }
}

fn run_json(run: &Run) -> serde_json::Value {
    serde_json::json!({
        "id": run.id,
        "plan_digest": run.plan.to_string(),
        "configuration_digest": run.configuration,
        "environment": run.environment,
        "workspace": run.workspace,
        "mode": run.mode,
        "status": run.status.name(),
        "actor": run.actor,
        "commit": run.commit,
        "terrace_version": run.version,
        "created": run.created,
        "finished": run.finished,
        "changes": {"add": run.counts.add, "change": run.counts.change, "remove": run.counts.remove, "import": run.counts.import},
        "message": run.message,
        "change": kind(run),
        "reason": run.reason,
        "statements": run.statements,
    })
}

/// The run that someone names.
pub(crate) async fn named(place: &Place, prefix: &str) -> Result<Run, CommandError> {
    let store = place.store.runs(&place.workspace);
    find_run(&*store, prefix)
        .await?
        .map_err(|message| CommandError::one("unknown-run", "No such run", message))
}

async fn show(session: &Session, place: &Place, prefix: &str, json: bool) -> Outcome {
    let run = named(place, prefix).await?;
    let store = place.store.runs(&place.workspace);
    let policies = load_run_policies(&*store, &run.id).await?;
    if json {
        let mut told = run_json(&run);
        if let Some((stage, results)) = &policies {
            told["policies"] = policy_view::results_json(results);
            told["policies"]["stage"] = stage.name().into();
        }
        session.view.output(format!("{told:#}"));
        return Ok(SUCCESS);
    }
    let fields = [
        ("Run", run.id.clone()),
        ("Plan digest", run.plan.to_string()),
        ("Configuration", run.configuration.clone()),
        (
            "Environment",
            run.environment.clone().unwrap_or_else(|| "-".to_owned()),
        ),
        ("Status", run.status.name().to_owned()),
        ("By", run.actor.clone()),
        (
            "Commit",
            run.commit.clone().unwrap_or_else(|| "-".to_owned()),
        ),
        ("Created", seconds(&run.created)),
        (
            "Finished",
            run.finished.clone().unwrap_or_else(|| "-".to_owned()),
        ),
        ("Message", run.message.clone().unwrap_or_default()),
    ];
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        session
            .view
            .output(format!("{:<14} {value}", format!("{name}:")));
    }
    if let Some((_, plan, _)) = load_run_plan(&*store, &run.id).await? {
        let stated = gate_view::request(&plan.inputs.request);
        if !stated.is_empty() {
            session.view.output(stated);
        }
        session
            .view
            .output(format!("\n{}", plan_view::render(&plan, &session.view)));
    }
    if let Some((stage, results)) = &policies {
        let environment = run.environment.as_deref().unwrap_or_default();
        let told = policy_view::results(results, environment, &session.view);
        session.view.output(format!(
            "\n{told}\n  Asked at {} ({}).",
            results.time,
            stage.name()
        ));
    }
    Ok(SUCCESS)
}

/// Lists who has approved a run, and writes the approvals to `directory` as `ssh-keygen -Y verify` takes them.
async fn approvals(
    session: &Session,
    place: &Place,
    prefix: &str,
    directory: Option<&str>,
) -> Outcome {
    let run = named(place, prefix).await?;
    let store = place.store.runs(&place.workspace);
    let mut rows = Vec::new();
    let mut signers = String::new();
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for envelope in run_approvals(&*store, &run.id).await? {
        let (approval, parts) = match (Approval::open(&envelope), Approval::parts(&envelope)) {
            (Ok(approval), Ok(parts)) => (approval, parts),
            (Err(error), _) | (_, Err(error)) => {
                rows.push(vec![
                    "-".to_owned(),
                    "-".to_owned(),
                    "-".to_owned(),
                    error.to_string(),
                ]);
                continue;
            }
        };
        let person = place
            .rules
            .as_ref()
            .and_then(|rules| rules.person_of(&approval.fingerprint));
        let expires = approval
            .statement
            .expires_at
            .map_or_else(|| "never".to_owned(), rfc3339);
        rows.push(vec![
            person.unwrap_or("nobody").to_owned(),
            approval.fingerprint.clone(),
            expires,
            approval.statement.comment.clone(),
        ]);
        let Some(person) = person else { continue };
        let earlier = files
            .iter()
            .filter(|(name, _)| {
                name.strip_suffix(".sig")
                    .is_some_and(|name| name.split('~').next() == Some(person))
            })
            .count();
        let name = if earlier == 0 {
            person.to_owned()
        } else {
            format!("{person}~{}", earlier + 1)
        };
        signers = format!(
            "{signers}{person} namespaces=\"{APPROVAL_NAMESPACE}\" {}\n",
            parts.public_key
        );
        files.push((name.clone(), parts.message));
        files.push((format!("{name}.sig"), parts.signature.into_bytes()));
    }
    if rows.is_empty() {
        session
            .view
            .output(format!("Nobody has approved run {}.", run.id));
        return Ok(SUCCESS);
    }
    session
        .view
        .output(table(&["BY", "KEY", "EXPIRES", "COMMENT"], &rows));
    if let Some(directory) = directory {
        files.push(("allowed_signers".to_owned(), signers.into_bytes()));
        export(session, directory, &files)?;
    }
    Ok(SUCCESS)
}

fn export(
    session: &Session,
    directory: &str,
    files: &[(String, Vec<u8>)],
) -> Result<(), CommandError> {
    for (name, bytes) in files {
        // A person's name may hold anything; a file's may not.
        let safe: String = name
            .chars()
            .map(|c| {
                if c.is_alphanumeric() || "-_.~@".contains(c) {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        let path = format!("{directory}/{safe}");
        write_file(&path, bytes).map_err(|error| {
            CommandError::one(
                "unwritable-file",
                "File cannot be written",
                format!("{path} cannot be written: {error}."),
            )
        })?;
    }
    session.view.output(format!(
        "\nVerify one without Terrace, after comparing the keys in {directory}/allowed_signers with those that you know:\n    ssh-keygen -Y verify -f {directory}/allowed_signers -n {APPROVAL_NAMESPACE} \\\n        -I NAME -s {directory}/NAME.sig < {directory}/NAME"
    ));
    Ok(())
}
