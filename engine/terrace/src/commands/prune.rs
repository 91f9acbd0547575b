//! `terrace runs prune`

use terrace_diag::Diagnostic;
use terrace_gate::{Prunable, Retention, forget_run, prunable};
use terrace_port::Clock as _;

use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::outside::SystemClock;
use crate::session::{Place, Session, parse_duration};
use crate::view::table::table;

/// How long runs are kept: as the command line says, or else as the project file does.
pub(crate) fn asked(
    session: &Session,
    keep: Option<u32>,
    older_than: Option<&str>,
) -> Result<Retention, CommandError> {
    if keep.is_some() || older_than.is_some() {
        let seconds = older_than.map(seconds_of).transpose()?;
        return Ok(Retention {
            runs: keep,
            seconds,
        });
    }
    let stated = session
        .find_project()?
        .and_then(|found| found.project.retention);
    stated.ok_or_else(|| {
        Diagnostic::error(
            "no-retention",
            "Nothing says how long runs are kept",
            "Neither the command line nor the project file says which runs may be forgotten, so that none are.",
        )
        .hint("use -keep=N, -older-than=DURATION or both, or a retention block in the project file")
        .into()
    })
}

/// Days are said of runs more often than hours.
fn seconds_of(text: &str) -> Result<u64, CommandError> {
    let days = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<u64>().ok());
    match days.and_then(|days| days.checked_mul(86_400)) {
        Some(seconds) => Ok(seconds),
        None => Ok(parse_duration(text)?.as_secs()),
    }
}

pub(crate) async fn run(
    session: &Session,
    places: &[Place],
    retention: Retention,
    (is_dry, json): (bool, bool),
) -> Outcome {
    let mut told = Vec::new();
    let mut rows = Vec::new();
    for place in places {
        let store = place.store.runs(&place.workspace);
        let found = prunable(&*store, retention, SystemClock.now().0).await?;
        if !is_dry {
            carry_out(session, place, &found).await?;
        }
        rows.extend(found.runs.iter().map(|run| {
            row(
                run,
                if is_dry {
                    "would be forgotten"
                } else {
                    "forgotten"
                },
            )
        }));
        rows.extend(
            found
                .needed
                .iter()
                .map(|(run, why)| row(run, &format!("kept: {why}"))),
        );
        let ids = |runs: &[terrace_gate::Run]| -> Vec<String> {
            runs.iter().map(|run| run.id.clone()).collect()
        };
        let needed: Vec<_> = found
            .needed
            .iter()
            .map(|(run, why)| serde_json::json!({"run": run.id, "needed": why}))
            .collect();
        told.push(serde_json::json!({
            "environment": place.environment, "dry_run": is_dry, "forgotten": ids(&found.runs), "kept": needed,
        }));
    }
    if json {
        let list = serde_json::Value::Array(told);
        session.view.output(format!("{list:#}"));
    } else if rows.is_empty() {
        session.view.output("No run is old enough to be forgotten.");
    } else {
        let heads = ["RUN", "ENVIRONMENT", "STATUS", "CREATED", ""];
        session.view.output(table(&heads, &rows));
    }
    Ok(SUCCESS)
}

fn row(run: &terrace_gate::Run, what: &str) -> Vec<String> {
    vec![
        run.id.clone(),
        run.environment.clone().unwrap_or_else(|| "-".to_owned()),
        run.status.name().to_owned(),
        run.created.clone(),
        what.to_owned(),
    ]
}

/// Says in the audit log what is forgotten, and forgets it: what is gone has been told of.
async fn carry_out(session: &Session, place: &Place, found: &Prunable) -> Result<(), CommandError> {
    if found.runs.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = found.runs.iter().map(|run| run.id.as_str()).collect();
    let details = [("runs", ids.join(","))];
    session.audit(place, "prune", None, &details).await?;
    let store = place.store.runs(&place.workspace);
    for run in &found.runs {
        forget_run(&*store, run).await?;
    }
    Ok(())
}
