//! The pages held to an installed `terraform`.
#![allow(
    clippy::disallowed_methods,
    reason = "the oracle is a program that is started"
)]

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::{
    Case, CommandLine, Page, Said, Step, StepKind, command_entries, console_entries, matches, pick,
    told,
};

/// What came of asking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Expectations that are the reference's answers too.
    pub alike: usize,
    /// Expectations that a note says to differ; they are not asked.
    pub noted: usize,
    /// What differs without a note: the place, what is expected, what the reference says.
    pub differing: Vec<String>,
}

impl Verdict {
    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.alike += other.alike;
        self.noted += other.noted;
        self.differing.extend(other.differing);
        self
    }

    fn take(&mut self, place: &str, difference: Option<String>) {
        match difference {
            None => self.alike += 1,
            Some(difference) => self.differing.push(format!("{place}\n{difference}")),
        }
    }
}

/// Asks `terraform` for everything that a case expects. An error is a problem of this machine.
pub fn ask(page: &Page, case: &Case) -> io::Result<Verdict> {
    let directory = tempfile::tempdir()?;
    let asked = Asked {
        page,
        case,
        directory: directory.path(),
    };
    let mut verdict = Verdict::default();
    for step in &case.steps {
        asked.step(step, &mut verdict)?;
    }
    Ok(verdict)
}

struct Asked<'a> {
    page: &'a Page,
    case: &'a Case,
    directory: &'a Path,
}

struct Answer {
    code: i32,
    stdout: String,
    all: String,
}

impl Asked<'_> {
    fn step(&self, step: &Step, verdict: &mut Verdict) -> io::Result<()> {
        let content = self.page.content(step);
        if let StepKind::File(path) = &step.kind {
            let path = self.directory.join(path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            return std::fs::write(path, content);
        }
        let console = step.kind == StepKind::Console;
        let commands = step.kind == StepKind::Commands;
        if step.differs.is_some() {
            verdict.noted += match &step.kind {
                StepKind::Console => console_entries(&content).len(),
                StepKind::Commands => command_entries(&content).len(),
                _ => 1,
            };
            return Ok(());
        }
        let place = format!(
            "{}.md:{} {}",
            self.page.name,
            step.lines.start + 1,
            self.case.title
        );
        if console {
            self.run(&["init", "-input=false"], "")?;
            for entry in console_entries(&content) {
                let found = self.console(&entry.expression, &entry.expected)?;
                verdict.take(&format!("{place}\n> {}", entry.expression), found);
            }
        } else if commands {
            self.run(&["init", "-input=false"], "")?;
            for entry in command_entries(&content) {
                let found = self.command(&entry.line, &entry.expected)?;
                verdict.take(&format!("{place}\n$ {}", entry.line), found);
            }
        } else if step.kind == StepKind::Plan {
            verdict.take(&place, self.plan(&content)?);
        } else {
            verdict.take(&place, self.diagnostics(&content)?);
        }
        Ok(())
    }

    fn run(&self, arguments: &[&str], input: &str) -> io::Result<Answer> {
        self.run_with(arguments, input, &[])
    }

    fn run_with(
        &self,
        arguments: &[&str],
        input: &str,
        set: &[(String, String)],
    ) -> io::Result<Answer> {
        let mut child = Command::new("terraform")
            .args(arguments)
            .current_dir(self.directory)
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_CLI_ARGS", "-no-color")
            .env("TF_CLI_CONFIG_FILE", "/dev/null")
            .envs(set.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read is free not to.
            stdin.write_all(input.as_bytes()).ok();
        }
        let output = child.wait_with_output()?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let all = format!("{stdout}{}", String::from_utf8_lossy(&output.stderr));
        Ok(Answer {
            code: output.status.code().unwrap_or(-1),
            stdout,
            all,
        })
    }

    fn console(&self, expression: &str, expected: &str) -> io::Result<Option<String>> {
        // Its console reads an expression from one line.
        let line = expression.replace('\n', " ");
        let answer = self.run(&["console"], &format!("{line}\n"))?;
        let wanted = told(expected);
        if wanted.is_empty() {
            let alike = answer.code == 0 && matches(expected, &answer.stdout);
            return Ok((!alike).then(|| differs(expected, &answer.all)));
        }
        let said = flat(&product(&answer.all));
        let alike = answer.code != 0
            && wanted
                .iter()
                .all(|one| said.contains(&flat(&one.summary)) && said.contains(&flat(&one.detail)));
        Ok((!alike).then(|| differs(expected, &answer.all)))
    }

    /// Exit codes, and the lines that say how much is done.
    fn command(&self, line: &str, expected: &str) -> io::Result<Option<String>> {
        const TOLD: [&str; 4] = [
            "Plan: ",
            "Apply complete!",
            "Destroy complete!",
            "No changes.",
        ];
        let command = CommandLine::parse(line);
        if command.program == "rm" {
            for file in &command.arguments {
                std::fs::remove_file(self.directory.join(file))?;
            }
            return Ok(None);
        }
        if command.program != "terrace" {
            return Ok(None);
        }
        let arguments: Vec<&str> = command.arguments.iter().map(String::as_str).collect();
        let answer = self.run_with(&arguments, "", &command.set)?;
        if let Some(file) = &command.file {
            std::fs::write(self.directory.join(file), &answer.stdout)?;
        }
        if let Some(path) = &command.filter {
            let given = serde_json::from_str(&answer.stdout).unwrap_or(Json::Null);
            let mut given = pick(&given, path);
            if answer.code != 0 {
                given = format!("{given}\n[exit {}]", answer.code);
            }
            return Ok((!matches(expected, &given)).then(|| differs(expected, &given)));
        }
        let code = expected
            .lines()
            .find_map(|line| line.strip_prefix("[exit ")?.strip_suffix(']'))
            .unwrap_or("0");
        let said = flat(&answer.all);
        let mut tellers = expected
            .lines()
            .filter(|line| TOLD.iter().any(|told| line.starts_with(told)));
        // How the sentence goes on may differ.
        let first = |line: &str| flat(line.split(". ").next().unwrap_or(line));
        let alike =
            code == answer.code.to_string() && tellers.all(|line| said.contains(&first(line)));
        Ok((!alike).then(|| differs(expected, &format!("{}\nexit {}", answer.all, answer.code))))
    }

    /// Which instances are planned for what.
    fn plan(&self, expected: &str) -> io::Result<Option<String>> {
        self.run(&["init", "-input=false"], "")?;
        let planned = self.run(&["plan", "-input=false", "-out=planned"], "")?;
        if planned.code != 0 {
            return Ok(Some(differs(expected, &planned.all)));
        }
        let shown = self.run(&["show", "-json", "planned"], "")?;
        let shown: Json = serde_json::from_str(&shown.stdout)?;
        let changes = shown["resource_changes"].as_array().cloned();
        let given: BTreeSet<String> = changes
            .unwrap_or_default()
            .iter()
            .map(|change| {
                let actions = change["change"]["actions"].to_string();
                let symbol = match actions.as_str() {
                    "[\"create\"]" => "+",
                    "[\"read\"]" => "<=",
                    other => other,
                };
                format!(
                    "{symbol} {}",
                    change["address"].as_str().unwrap_or_default()
                )
            })
            .collect();
        let wanted: BTreeSet<String> = expected
            .lines()
            .filter(|line| ["+ ", "<= "].iter().any(|symbol| line.starts_with(symbol)))
            .map(str::to_owned)
            .collect();
        Ok((given != wanted).then(|| differs(expected, &format!("{given:#?}"))))
    }

    /// Severity, summary, detail and line of all that `init`, `validate` and `plan` say.
    fn diagnostics(&self, expected: &str) -> io::Result<Option<String>> {
        let mut given = BTreeSet::new();
        for arguments in [
            &["init", "-input=false", "-json"][..],
            &["validate", "-json"],
            &["plan", "-input=false", "-json"],
        ] {
            let answer = self.run(arguments, "")?;
            given.extend(found(&answer.stdout));
            if answer.code != 0 {
                break;
            }
        }
        let wanted: BTreeSet<Said> = told(&product(expected))
            .into_iter()
            .map(|said| Said { id: None, ..said })
            .collect();
        Ok((given != wanted).then(|| differs(expected, &format!("{given:#?}"))))
    }
}

/// The diagnostics in what a command printed as JSON, in lines or as one document.
fn found(text: &str) -> Vec<Said> {
    let document: Option<Json> = serde_json::from_str(text).ok();
    let whole = document.and_then(|document| document["diagnostics"].as_array().cloned());
    let list = whole.unwrap_or_else(|| {
        let lines = text.lines();
        let events = lines.filter_map(|line| serde_json::from_str::<Json>(line).ok());
        events
            .map(|event| event["diagnostic"].clone())
            .filter(Json::is_object)
            .collect()
    });
    // `init` has a heading of its own above what is wrong with a configuration.
    let heading = |said: &Said| said.summary.contains("problems during initialisation");
    list.iter()
        .map(said)
        .filter(|said| !heading(said))
        .collect()
}

fn said(diagnostic: &Json) -> Said {
    let text = |value: &Json| product(value.as_str().unwrap_or_default());
    let range = &diagnostic["range"];
    let place = range["filename"]
        .as_str()
        .map(|file| format!("{file}:{}", range["start"]["line"]));
    Said {
        severity: if diagnostic["severity"] == "error" {
            "Error".to_owned()
        } else {
            "Warning".to_owned()
        },
        summary: text(&diagnostic["summary"]),
        place,
        detail: flat(&text(&diagnostic["detail"])),
        ..Said::default()
    }
}

/// With this product's name.
fn product(text: &str) -> String {
    text.replace("Terraform", "Terrace")
        .replace("terraform init", "terrace init")
        .replace("terraform plan", "terrace plan")
        .replace("terraform apply", "terrace apply")
}

fn flat(text: &str) -> String {
    let blank = |c: char| c.is_whitespace() || "│╷╵".contains(c);
    let words = text.split(blank).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn differs(expected: &str, given: &str) -> String {
    format!("  expected:\n{expected}\n  terraform:\n{given}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diagnostics_are_found_in_documents_and_in_lines() {
        let one = r#"{"severity": "error", "summary": "Bad", "detail": "Terraform\n says.", "range": {"filename": "a.tf", "start": {"line": 3}}}"#;
        let wanted = [Said {
            severity: "Error".into(),
            summary: "Bad".into(),
            place: Some("a.tf:3".into()),
            detail: "Terrace says.".into(),
            ..Said::default()
        }];
        assert_eq!(found(&format!("{{\"diagnostics\": [{one}]}}")), wanted);
        let line = format!("{{\"type\": \"diagnostic\", \"diagnostic\": {one}}}");
        assert_eq!(found(&format!("{{\"type\": \"log\"}}\n{line}\n")), wanted);
    }
}
