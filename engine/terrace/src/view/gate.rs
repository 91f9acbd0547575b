//! What a gate asks, in words, and environments side by side.

use terrace_gate::{ChangeKind, Demand, Judged, Report, told_length};
use terrace_plan::ChangeRequest;

use super::table::table;
use crate::outside::rfc3339;

/// What the author says of a change; nothing where nothing is said.
pub(crate) fn request(request: &ChangeRequest) -> String {
    let mut lines = Vec::new();
    let mut line = |name: &str, text: &str| {
        // Everything that people wrote is told as it is, but for what would steer a terminal.
        let text: String = text
            .chars()
            .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
            .collect();
        let text = text.replace('\n', "\n    ");
        lines.push(format!("  {name}: {text}"));
    };
    if !request.kind.is_empty() {
        line("change", &request.kind);
    }
    if let Some(reason) = &request.reason {
        line("reason", reason);
    }
    for (name, text) in &request.statements {
        line(name, text);
    }
    if lines.is_empty() {
        return String::new();
    }
    format!("\nWhat its author states:\n{}", lines.join("\n"))
}

/// What is asked of a plan.
pub(crate) fn demand(demand: &Demand) -> String {
    let kind = match demand.kind {
        ChangeKind::Normal => "a normal change",
        ChangeKind::Standard => "a standard change",
        ChangeKind::Emergency => "an emergency",
    };
    let lines = demand_lines(demand);
    if lines.is_empty() {
        return format!("It is judged as {kind}, and nobody has to approve it.");
    }
    format!(
        "It is judged as {kind}. The gate asks for:\n  - {}",
        lines.join("\n  - ")
    )
}

/// What is asked of a plan, a line each.
pub(crate) fn demand_lines(demand: &Demand) -> Vec<String> {
    let mut lines = Vec::new();
    if demand.asks {
        lines.push(format!(
            "{} by people other than the author",
            counted(demand.approvals, "approval")
        ));
    }
    for (role, least) in &demand.roles {
        lines.push(format!("of role {role:?} at least {least}"));
    }
    if let Some(expires) = demand.expires {
        lines.push(format!("none older than {}", told_length(expires)));
    }
    if let Some(soak) = demand.soak {
        lines.push(format!(
            "the environment before has run the same without drift for {}",
            told_length(soak)
        ));
    }
    for windows in &demand.windows {
        let windows: Vec<String> = windows.iter().map(ToString::to_string).collect();
        lines.push(format!("applied within {}", windows.join(" or ")));
    }
    for (risk, risky) in &demand.risks {
        lines.push(format!("for the risk {risk:?} of {}", listed(risky)));
    }
    if !demand.passes.is_empty() {
        let passes: Vec<&str> = demand.passes.iter().map(|passed| passed.name()).collect();
        lines.push(format!("and lets past: {}", passes.join(", ")));
    }
    lines
}

/// The first few of many.
fn listed(names: &[String]) -> String {
    const FEW: usize = 5;
    if names.len() <= FEW + 1 {
        return names.join(", ");
    }
    let more = names.len() - FEW;
    format!("{} and {more} more", names[..FEW].join(", "))
}

/// Where a run brings rules into force that are not at hand.
pub(crate) const UNSEEN_RULES: &str = "The run was made with other rules than those in force and those of the project file here. What differs cannot be shown: look at it with the project file that it was made with.";

/// How the project file's rules differ from those in force.
pub(crate) fn differences(differences: &[String]) -> String {
    let lines: Vec<String> = differences
        .iter()
        .map(|line| format!("  - {line}"))
        .collect();
    format!(
        "It is judged by the rules of the last applied run. The project file's are others, and hold once a run of them is applied:\n{}",
        lines.join("\n")
    )
}

fn counted(count: u32, noun: &str) -> String {
    match count {
        0 => format!("no {noun}"),
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

/// Waiting times, owed reviews and overrides of environments.
pub(crate) fn report(reports: &[(Option<String>, Report)]) -> String {
    let mut parts = Vec::new();
    let name = |environment: &Option<String>| environment.clone().unwrap_or_else(|| "-".to_owned());
    let mut rows = Vec::new();
    let mut overrides = Vec::new();
    let mut owed = Vec::new();
    let mut judged = Vec::new();
    for (environment, report) in reports {
        judged.extend(
            report
                .judged
                .iter()
                .map(|said| judged_row(said, name(environment))),
        );
        for run in &report.waiting {
            let waited = |until: Option<i64>| {
                until.map_or_else(
                    || "-".to_owned(),
                    |until| told_length(u64::try_from(until - run.planned).unwrap_or_default()),
                )
            };
            rows.push(vec![
                run.run.clone(),
                name(environment),
                rfc3339(run.planned),
                waited(run.approved),
                waited(run.applied),
                run.refusals.to_string(),
                run.approvers.join(", "),
            ]);
        }
        for entry in &report.overrides {
            overrides.push(vec![
                entry.time.clone(),
                name(environment),
                entry.event.clone(),
                entry.run.clone().unwrap_or_else(|| "-".to_owned()),
                entry.actor.clone(),
                entry.reason.clone().unwrap_or_default(),
            ]);
        }
        for open in &report.owed {
            owed.push(vec![
                open.owed.run.clone(),
                name(environment),
                rfc3339(open.owed.due),
                if open.overdue { "overdue" } else { "open" }.to_owned(),
                format!("{} of {}", open.reviewers.len(), open.owed.approvals),
                open.owed.reason.clone(),
            ]);
        }
    }
    let mut part = |title: &str, headings: &[&str], rows: &[Vec<String>], none: &str| {
        parts.push(if rows.is_empty() {
            format!("{title}: {none}")
        } else {
            format!("{title}:\n{}", table(headings, rows))
        });
    };
    part(
        "Waiting times",
        &[
            "RUN",
            "ENVIRONMENT",
            "PLANNED",
            "APPROVED AFTER",
            "APPLIED AFTER",
            "REFUSED",
            "APPROVED BY",
        ],
        &rows,
        "no runs",
    );
    part(
        "Owed reviews",
        &["RUN", "ENVIRONMENT", "DUE", "STATUS", "REVIEWED", "REASON"],
        &owed,
        "none",
    );
    part(
        "Overrides",
        &["TIME", "ENVIRONMENT", "WHAT", "RUN", "BY", "REASON"],
        &overrides,
        "none",
    );
    if !judged.is_empty() {
        part(
            "Policies",
            &[
                "RUN",
                "ENVIRONMENT",
                "ASKED",
                "DENIED",
                "OVERRIDDEN",
                "WARNED",
            ],
            &judged,
            "none",
        );
    }
    parts.join("\n\n")
}

fn judged_row(said: &Judged, environment: String) -> Vec<String> {
    vec![
        said.run.clone(),
        environment,
        said.time.clone(),
        said.denied.to_string(),
        said.overridden.to_string(),
        said.warned.to_string(),
    ]
}

/// Two environments beside each other, in what differs.
pub(crate) fn side_by_side(from: &str, to: &str, rows: &[[String; 3]]) -> String {
    if rows.is_empty() {
        return format!("{from:?} and {to:?} have the same variables, versions and resources.");
    }
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.to_vec()).collect();
    table(&["", &from.to_uppercase(), &to.to_uppercase()], &rows)
}
