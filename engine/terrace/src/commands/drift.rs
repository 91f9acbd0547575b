//! `terrace drift`: whether environments still are what was applied there.

use terrace_gate::{DriftCheck, last_applied, record_drift};
use terrace_plan::{Action, Plan};
use terrace_port::Clock as _;

use super::many;
use crate::args::{DriftArgs, PlanOptions};
use crate::command_error::{CHANGES, CommandError, Outcome, SUCCESS};
use crate::outside::SystemClock;
use crate::session::{Place, Session};
use crate::view::View;
use crate::view::plan as plan_view;
use crate::wiring::load_config_for_backend;

/// One environment as it was found.
pub(crate) struct Found {
    environment: Option<String>,
    /// What has changed outside: addresses with what became of them.
    pub(crate) lines: Vec<(String, &'static str)>,
    /// What the configuration asks for and was not applied, where that was looked for: what would happen, as titles.
    pub(crate) pending: Vec<String>,
    /// The run that was applied last.
    pub(crate) run: Option<String>,
    /// All of it as people read it elsewhere.
    pub(crate) plain: String,
    shown: String,
}

impl Found {
    /// Whether it is not what was applied.
    pub(super) const fn has_drifted(&self) -> bool {
        !self.lines.is_empty()
    }
}

pub(crate) async fn run(session: &Session, args: &DriftArgs) -> Outcome {
    if let Some(chosen) = many::choose(session, &many::Asked::of_drift(args))? {
        return many::drift(session, args, &chosen).await;
    }
    let found = look(session, args).await?;
    let has_drifted = found.iter().any(Found::has_drifted);
    if args.style.json {
        session
            .view
            .output(crate::view::stream::drift_line(environments(&found)));
    } else {
        for found in &found {
            tell(session, found);
        }
    }
    Ok(if has_drifted { CHANGES } else { SUCCESS })
}

/// The stack of the working directory in the environments that are asked for.
pub(super) async fn look(session: &Session, args: &DriftArgs) -> Result<Vec<Found>, CommandError> {
    let config = load_config_for_backend(session);
    let places = match args.env.as_deref() {
        Some("all") => {
            let Some(found) = session.find_project()? else {
                return Err(CommandError::one(
                    "no-project",
                    "No project file",
                    "All environments were asked for, and there is no terrace.hcl in this directory or above it.",
                ));
            };
            let environments = found.project.environments.iter();
            environments
                .map(|environment| {
                    session.environment_place(&found, environment, config.as_deref())
                })
                .collect::<Result<Vec<_>, _>>()?
        }
        chosen => vec![session.place(chosen, config.as_deref())?],
    };
    drop(config);
    let mut found = Vec::new();
    for place in &places {
        found.push(check(session, args, place).await?);
    }
    Ok(found)
}

async fn check(session: &Session, args: &DriftArgs, place: &Place) -> Result<Found, CommandError> {
    let options = PlanOptions {
        destroy: false,
        refresh_only: true,
        refresh: true,
        replace: Vec::new(),
        target: Vec::new(),
        var: args.var.clone(),
        var_file: args.var_file.clone(),
        parallelism: args.parallelism,
        compact_warnings: false,
    };
    examine(session, &options, place).await
}

/// Looks at one place, and records what was found. Where the options ask for more than a refresh, what was not applied is found
/// too; that is no drift, and is not recorded.
pub(crate) async fn examine(
    session: &Session,
    options: &PlanOptions,
    place: &Place,
) -> Result<Found, CommandError> {
    let made = super::plan::make(session, place, options).await?;
    let lines = lines(&made.plan);
    let now = SystemClock.now().0;
    let store = place.store.runs(&place.workspace);
    let run = last_applied(&*store).await?.map(|run| run.id);
    if let Some(environment) = &place.environment {
        let drifted = lines
            .iter()
            .map(|(address, action)| format!("{address} ({action})"));
        let check = DriftCheck {
            environment: environment.clone(),
            run: run.clone(),
            checked: now,
            disturbed: None,
            drifted: drifted.collect(),
            actor: session.actor(),
        };
        record_drift(&*store, check.clone()).await?;
        let details = [
            ("drifted", lines.len().to_string()),
            ("lines", check.drifted.join(", ")),
        ];
        session
            .audit(place, "drift", run.as_deref(), &details)
            .await?;
    }
    let pending = if options.refresh_only {
        Vec::new()
    } else {
        pending(&made.plan)
    };
    let plain = if lines.is_empty() && pending.is_empty() {
        String::new()
    } else {
        let text = plan_view::render(&made.plan, &View::plain());
        text.trim().to_owned()
    };
    Ok(Found {
        environment: place.environment.clone(),
        pending,
        run,
        plain,
        shown: if lines.is_empty() {
            String::new()
        } else {
            plan_view::render(&made.plan, &session.view)
        },
        lines,
    })
}

/// What the configuration asks for and was not applied.
fn pending(plan: &Plan) -> Vec<String> {
    plan.changes
        .iter()
        .filter(|change| !matches!(change.action, Action::NoOp | Action::Read))
        .map(terrace_plan::ResourceChange::title)
        .collect()
}

/// What has changed outside.
fn lines(plan: &Plan) -> Vec<(String, &'static str)> {
    plan.drift
        .iter()
        .filter_map(|change| {
            let what = match change.action {
                Action::NoOp | Action::Read => return None,
                Action::Delete => "deleted",
                Action::Create => "created",
                _ => "changed",
            };
            Some((change.address.to_string(), what))
        })
        .collect()
}

pub(super) fn tell(session: &Session, found: &Found) {
    let name = match &found.environment {
        Some(environment) => format!("Environment {environment:?}"),
        None => "The state".to_owned(),
    };
    if found.lines.is_empty() {
        session.view.line(format!(
            "{name} is what was applied: nothing has changed outside."
        ));
        return;
    }
    let count = found.lines.len();
    let plural = if count == 1 {
        "object has"
    } else {
        "objects have"
    };
    session.view.line(format!(
        "{name} has drifted: {count} {plural} changed outside.\n"
    ));
    session.view.line(found.shown.trim_end());
}

/// The environments for programs.
pub(super) fn environments(found: &[Found]) -> Vec<serde_json::Value> {
    found
        .iter()
        .map(|found| {
            let lines: Vec<_> = found
                .lines
                .iter()
                .map(|(address, action)| serde_json::json!({"address": address, "action": action}))
                .collect();
            serde_json::json!({
                "environment": found.environment,
                "drifted": !found.lines.is_empty(),
                "changes": lines,
            })
        })
        .collect()
}
