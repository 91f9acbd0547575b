//! `terrace audit`

use terrace_config::Config;
use terrace_gate::{audit_entries, verify_audit};

use crate::args::AuditCommand;
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::session::Session;
use crate::view::table::table;

pub(crate) async fn run(
    session: &Session,
    command: &AuditCommand,
    config: Option<&Config>,
) -> Outcome {
    match command {
        AuditCommand::Verify { style, place } => {
            let place = session.place(place.env.as_deref(), config)?;
            let (count, problems) = verify_audit(&*place.store.runs(&place.workspace)).await?;
            if style.json {
                let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                session.view.output(format!("{:#}", serde_json::json!({"entries": count, "valid": problems.is_empty(), "problems": problems})));
                return Ok(u8::from(!problems.is_empty()));
            }
            if problems.is_empty() {
                session.view.output(format!(
                    "The audit log is whole: {count} entries, each following from the one before."
                ));
                return Ok(SUCCESS);
            }
            let lines: Vec<String> = problems
                .iter()
                .map(|problem| format!("  - {problem}"))
                .collect();
            let detail = format!(
                "The audit log is not what Terrace wrote:\n{}",
                lines.join("\n")
            );
            Err(CommandError::one(
                "audit-broken",
                "Audit log was tampered with",
                detail,
            ))
        }
        AuditCommand::List { style, place } => {
            let place = session.place(place.env.as_deref(), config)?;
            let entries = audit_entries(&*place.store.runs(&place.workspace)).await?;
            if style.json {
                for entry in &entries {
                    let event = &entry.event;
                    let line = serde_json::json!({
                        "sequence": entry.sequence, "time": event.time, "actor": event.actor, "event": event.event,
                        "run": event.run, "details": event.details, "hash": entry.hash,
                    });
                    session.view.output(line.to_string());
                }
                return Ok(SUCCESS);
            }
            let rows: Vec<Vec<String>> = entries
                .iter()
                .map(|entry| {
                    let event = &entry.event;
                    let details: Vec<String> = event
                        .details
                        .iter()
                        .map(|(name, value)| format!("{name}={value}"))
                        .collect();
                    vec![
                        entry.sequence.to_string(),
                        event.time.clone(),
                        event.actor.clone(),
                        event.event.clone(),
                        event.run.clone().unwrap_or_else(|| "-".to_owned()),
                        details.join(" "),
                    ]
                })
                .collect();
            session.view.output(table(
                &["#", "TIME", "BY", "EVENT", "RUN", "DETAILS"],
                &rows,
            ));
            Ok(SUCCESS)
        }
    }
}
