//! Plans and applies a scenario with one engine, and keeps what it said.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::Scenario;
use crate::Failure;
use crate::engine::{Engine, Told};

/// What came of a command, in words that are the same for the same outcome.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stage {
    /// Which one.
    pub(super) what: String,
    pub(super) code: Option<i32>,
    pub(super) errors: Vec<Told>,
    /// The plan, or the state after it was applied.
    pub(super) document: Value,
    /// What it printed, where nothing else tells what went wrong.
    pub(super) said: String,
}

/// Runs all steps in `directory`, which is empty.
pub(super) fn follow(
    engine: &Engine,
    directory: &Path,
    scenario: &Scenario,
) -> Result<Vec<Stage>, Failure> {
    let mut follower = Follower {
        engine,
        directory,
        stages: Vec::new(),
        identities: BTreeMap::new(),
    };
    let mut called = Vec::new();
    for (number, step) in scenario.steps.iter().enumerate() {
        step.write(directory)?;
        if step.calls() != called || (number == 0 && !step.calls().is_empty()) {
            follower.command(number, &["init", "-input=false"])?;
            called = step.calls();
        }
        let file = format!("{number}.plan");
        let out = format!("-out={file}");
        let mut arguments = vec!["plan", "-json", "-input=false", "-detailed-exitcode", &out];
        arguments.extend(step.options.iter().map(String::as_str));
        let planned = follower.command(number, &arguments)?;
        if planned == Some(1) || planned.is_none() {
            continue;
        }
        let shown = engine.run(directory, &["show", "-json", &file])?;
        let document = serde_json::from_str(&shown.stdout).unwrap_or(Value::Null);
        follower.document(document);
        follower.command(number, &["apply", "-json", "-input=false", &file])?;
        let state = std::fs::read(directory.join("terraform.tfstate")).unwrap_or_default();
        follower.document(serde_json::from_slice(&state).unwrap_or(Value::Null));
    }
    Ok(follower.stages)
}

struct Follower<'a> {
    engine: &'a Engine,
    directory: &'a Path,
    stages: Vec<Stage>,
    /// A name for each identity that was made up.
    identities: BTreeMap<String, usize>,
}

impl Follower<'_> {
    fn command(&mut self, step: usize, arguments: &[&str]) -> Result<Option<i32>, Failure> {
        let ran = self.engine.run(self.directory, arguments)?;
        let mut errors = ran.errors();
        errors.sort();
        // Terraform repeats an error about the same text for each instance.
        errors.dedup();
        let said = format!("{}{}", ran.stdout, ran.stderr);
        self.stages.push(Stage {
            what: format!("{} of step {}", arguments[0], step + 1),
            code: ran.code,
            errors,
            document: Value::Null,
            said: said
                .chars()
                .rev()
                .take(2000)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect(),
        });
        Ok(ran.code)
    }

    /// Adds a document to the last stage.
    fn document(&mut self, document: Value) {
        let document = self.plain(document);
        if let Some(stage) = self.stages.last_mut() {
            stage.document = document;
        }
    }

    /// Without what differs from run to run.
    fn plain(&mut self, document: Value) -> Value {
        match document {
            Value::Object(members) => Value::Object(
                members
                    .into_iter()
                    .filter(|(name, _)| !PASSING.contains(&name.as_str()))
                    .map(|(name, value)| {
                        let mut value = self.plain(value);
                        if UNORDERED.contains(&name.as_str())
                            && let Some(items) = value.as_array_mut()
                        {
                            items.sort_by_key(Value::to_string);
                        }
                        (name, value)
                    })
                    .collect(),
            ),
            Value::Array(items) => {
                Value::Array(items.into_iter().map(|item| self.plain(item)).collect())
            }
            Value::String(text) => Value::String(self.identified(&text)),
            other => other,
        }
    }

    fn identified(&mut self, text: &str) -> String {
        static IDENTITY: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
                .expect("the pattern is one")
        });
        let mut name = |found: &regex::Captures<'_>| {
            let next = self.identities.len() + 1;
            let number = self.identities.entry(found[0].to_owned()).or_insert(next);
            format!("<identity {number}>")
        };
        IDENTITY.replace_all(text, &mut name).into_owned()
    }
}

/// Members that differ from run to run or between engines.
const PASSING: [&str; 5] = [
    "timestamp",
    "terraform_version",
    "terrace_version",
    "lineage",
    "serial",
];

/// Members whose order means nothing.
const UNORDERED: [&str; 7] = [
    "objects",
    "sensitive_attributes",
    "relevant_attributes",
    "checks",
    "check_results",
    "dependencies",
    "resource_drift",
];
