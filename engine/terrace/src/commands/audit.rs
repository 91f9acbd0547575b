//! `terrace audit`

use terrace_config::Config;
use terrace_gate::{AuditEntry, Tail, audit_entries, verify_with_state};

use crate::args::AuditCommand;
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::outside::write_file;
use crate::session::{Place, Session};
use crate::view::table::table;

pub(crate) async fn run(
    session: &Session,
    command: &AuditCommand,
    config: Option<&Config>,
) -> Outcome {
    match command {
        AuditCommand::Verify { style, place } => {
            let place = session.place(place.env.as_deref(), config)?;
            let state = terrace_state::load(&*place.store, &place.workspace).await?;
            let tail = Tail {
                lineage: state.lineage,
                serial: state.serial,
            };
            let store = place.store.runs(&place.workspace);
            let (count, problems) = verify_with_state(&*store, Some(&tail)).await?;
            let entries = audit_entries(&*store).await?;
            let signed = entries
                .iter()
                .filter(|entry| entry.signer.is_some())
                .count();
            if style.json {
                let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                session.view.output(format!("{:#}", serde_json::json!({"entries": count, "signed": signed, "valid": problems.is_empty(), "problems": problems})));
                return Ok(u8::from(!problems.is_empty()));
            }
            if problems.is_empty() {
                session.view.output(format!(
                    "The audit log is whole: {count} entries, each following from the one before; {signed} of them are signed."
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
        AuditCommand::Export { place, since, out } => {
            let place = session.place(place.env.as_deref(), config)?;
            export(session, &place, since.as_deref(), out.as_deref()).await
        }
        AuditCommand::List { style, place } => {
            let place = session.place(place.env.as_deref(), config)?;
            let entries = audit_entries(&*place.store.runs(&place.workspace)).await?;
            if style.json {
                for entry in &entries {
                    session.view.output(json_of(entry));
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

fn json_of(entry: &AuditEntry) -> String {
    let event = &entry.event;
    serde_json::json!({
        "sequence": entry.sequence, "time": event.time, "actor": event.actor, "event": event.event,
        "run": event.run, "details": event.details, "hash": entry.hash, "signer": entry.signer,
    })
    .to_string()
}

/// Writes the entries since a moment, one a line.
async fn export(
    session: &Session,
    place: &Place,
    since: Option<&str>,
    out: Option<&str>,
) -> Outcome {
    let since = since.map(super::runs::moment).transpose()?;
    let entries = audit_entries(&*place.store.runs(&place.workspace)).await?;
    let lines = entries
        .iter()
        .filter(|entry| {
            let time = entry.event.time.parse::<jiff::Timestamp>();
            since.is_none_or(|since| time.is_ok_and(|time| time.as_second() >= since))
        })
        .map(json_of);
    match out {
        None => lines.for_each(|line| session.view.output(line)),
        Some(path) => {
            let text = lines.fold(String::new(), |text, line| text + &line + "\n");
            write_file(path, text.as_bytes()).map_err(|error| {
                CommandError::one(
                    "unwritable-file",
                    "File cannot be written",
                    format!("{path} cannot be written: {error}."),
                )
            })?;
        }
    }
    Ok(SUCCESS)
}
