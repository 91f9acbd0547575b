//! What providers and programs have in their environment: one set of credentials to plan with, another to apply with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use terrace_diag::Diagnostic;
use terrace_gate::{ApprovedPlan, CredentialSet, CredentialSource, Credentials};
use terrace_port::Surroundings;

use crate::command_error::CommandError;
use crate::outside::{Environment, ask_program};
use crate::session::{Place, Session};

/// What plans are made with at a place.
pub(crate) async fn for_planning(
    session: &Session,
    place: &Place,
) -> Result<Surroundings, CommandError> {
    gather(session, place, "plan", |credentials| {
        (&credentials.plan, &credentials.apply)
    })
    .await
}

/// What a plan is carried out with. That takes a plan that was let through: nobody asks for these credentials before.
pub(crate) async fn for_applying(
    session: &Session,
    place: &Place,
    _approved: &ApprovedPlan,
) -> Result<Surroundings, CommandError> {
    gather(session, place, "apply", |credentials| {
        (&credentials.apply, &credentials.plan)
    })
    .await
}

/// What nobody is given: variables in which credentials are handed to Terrace.
fn hidden(place: &Place) -> BTreeSet<String> {
    let project = place.project.as_ref();
    project
        .map(|found| found.project.credential_sources())
        .unwrap_or_default()
        .into_iter()
        .map(str::to_owned)
        .collect()
}

async fn gather(
    session: &Session,
    place: &Place,
    phase: &str,
    choose: fn(&Credentials) -> (&CredentialSet, &CredentialSet),
) -> Result<Surroundings, CommandError> {
    let mut surroundings = Surroundings {
        removed: hidden(place),
        set: BTreeMap::new(),
    };
    let (Some(found), Some(environment)) = (&place.project, &place.environment) else {
        return Ok(surroundings);
    };
    let chosen = found.project.environment(environment);
    let Some(credentials) = chosen.and_then(|chosen| chosen.credentials.as_ref()) else {
        return Ok(surroundings);
    };
    let (own, other) = choose(credentials);
    surroundings.removed.extend(other.variables.keys().cloned());
    let subject = Subject { environment, phase };
    surroundings.set = subject.variables(&session.environment, own)?;
    if !own.command.is_empty() {
        let printed = subject.ask(&own.command, &found.directory).await?;
        surroundings.set.extend(printed);
    }
    Ok(surroundings)
}

/// Whose credentials they are.
struct Subject<'a> {
    environment: &'a str,
    phase: &'a str,
}

impl Subject<'_> {
    fn variables(
        &self,
        environment: &Environment,
        set: &CredentialSet,
    ) -> Result<BTreeMap<String, String>, CommandError> {
        let mut values = BTreeMap::new();
        let mut missing = Vec::new();
        for (name, source) in &set.variables {
            match source {
                CredentialSource::Literal(text) => {
                    values.insert(name.clone(), text.clone());
                }
                CredentialSource::Environment(from) => match environment.get(from) {
                    Some(value) => {
                        values.insert(name.clone(), value.to_owned());
                    }
                    None => missing.push(format!("  - {name}, from {from}")),
                },
            }
        }
        if missing.is_empty() {
            return Ok(values);
        }
        let detail = format!(
            "To {} in environment {:?}, the project file takes these from variables that are not set here, or empty:\n{}",
            self.phase,
            self.environment,
            missing.join("\n")
        );
        Err(
            Diagnostic::error("missing-credentials", "Credentials are missing", detail)
                .hint("set them for the job that may have them, and for no other")
                .into(),
        )
    }

    async fn ask(
        &self,
        command: &[String],
        directory: &Path,
    ) -> Result<BTreeMap<String, String>, CommandError> {
        // What it printed may hold secrets, and is told nowhere.
        let failed = |why: String| {
            let detail = format!(
                "The program {:?} was to give the credentials to {} in environment {:?}, and {why}.",
                command[0], self.phase, self.environment
            );
            CommandError::one("credentials-program", "Credentials cannot be had", detail)
        };
        let (code, printed) = ask_program(command, directory)
            .await
            .map_err(|error| failed(format!("it could not be run: {error}")))?;
        match code {
            Some(0) => {}
            Some(code) => return Err(failed(format!("it ended with exit code {code}"))),
            None => return Err(failed("a signal ended it".to_owned())),
        }
        read_printed(&printed).ok_or_else(|| {
            failed(
                "what it printed is neither a JSON object of strings nor lines NAME=VALUE".into(),
            )
        })
    }
}

/// Variables as a program prints them: an object of strings in JSON, or lines such as `NAME=VALUE`, with or without `export`
/// before and quotes around the value.
fn read_printed(printed: &[u8]) -> Option<BTreeMap<String, String>> {
    let text = std::str::from_utf8(printed).ok()?;
    if text.trim_start().starts_with('{') {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
        let entries = object.into_iter().map(|(name, value)| match value {
            serde_json::Value::String(text) => Some((name, text)),
            _ => None,
        });
        return entries.collect();
    }
    let line = |line: &str| {
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=')?;
        let is_name =
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let unquoted = ['"', '\''].iter().find_map(|quote| {
            let inner = value.strip_prefix(*quote)?;
            inner.strip_suffix(*quote)
        });
        is_name.then(|| (name.to_owned(), unquoted.unwrap_or(value).to_owned()))
    };
    text.lines()
        .map(str::trim)
        .filter(|text| !text.is_empty() && !text.starts_with('#'))
        .map(line)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_print_json_or_lines() {
        let expected = BTreeMap::from([
            ("A".to_owned(), "1".to_owned()),
            ("B_2".to_owned(), "x = y".to_owned()),
        ]);
        for text in [
            "{\"A\": \"1\", \"B_2\": \"x = y\"}",
            "A=1\nB_2=x = y\n",
            "# of today\nexport A=\"1\"\n\nexport B_2='x = y'",
        ] {
            assert_eq!(
                read_printed(text.as_bytes()).as_ref(),
                Some(&expected),
                "{text}"
            );
        }
        for text in ["{\"A\": 1}", "{", "nothing", "=1", "A B=1", "\u{1b}[1m=2"] {
            assert_eq!(read_printed(text.as_bytes()), None, "{text}");
        }
        assert_eq!(read_printed(b""), Some(BTreeMap::new()));
    }
}
