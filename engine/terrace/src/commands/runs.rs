//! `terrace runs`

use terrace_config::Config;
use terrace_gate::{Run, find_run, list_runs, load_run_plan};

use crate::args::{RunsArgs, RunsCommand};
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::session::{Place, Session};
use crate::view::{plan as plan_view, table::table};

pub(crate) async fn run(session: &Session, args: &RunsArgs, config: Option<&Config>) -> Outcome {
    if let Some(RunsCommand::Show { run, style, place }) = &args.command {
        let environment = place.env.as_deref().or(args.place.env.as_deref());
        let place = session.place(environment, config)?;
        return show(session, &place, run, style.json).await;
    }
    let places = places(session, args.place.env.as_deref(), config)?;
    let mut runs = Vec::new();
    for place in &places {
        runs.extend(list_runs(&*place.store.runs(&place.workspace)).await?);
    }
    runs.retain(|run| {
        args.status
            .as_deref()
            .is_none_or(|status| run.status.name() == status)
    });
    runs.sort_by(|a, b| (&a.created, &a.id).cmp(&(&b.created, &b.id)));
    if args.style.json {
        let list: Vec<_> = runs.iter().map(run_json).collect();
        session
            .view
            .output(format!("{:#}", serde_json::Value::Array(list)));
    } else if runs.is_empty() {
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

/// The chosen environment, or every one that the project file defines, or the working directory's own state.
fn places(
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
    let environment = run.environment.clone().unwrap_or_else(|| "-".to_owned());
    vec![
        run.id.clone(),
        environment,
        run.status.name().to_owned(),
        changes,
        run.actor.clone(),
        run.created.clone(),
    ]
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
    if json {
        session.view.output(format!("{:#}", run_json(&run)));
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
        ("Created", run.created.clone()),
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
        session.view.output(format!(
            "\n{}",
            plan_view::render(&plan, session.view.style)
        ));
    }
    Ok(SUCCESS)
}
