//! Compares what the engines make of scenarios.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::follow::{Stage, follow};
use super::known::known;
use super::{Scenario, make};
use crate::Failure;
use crate::engine::Told;
use crate::expressions::Comparison;

/// How many smaller scenarios are tried for one disagreement.
const TRIES: usize = 20;
/// How many disagreements are made small.
const MINIMISED: usize = 25;

/// What came of a run.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) n_configurations: usize,
    pub(crate) n_same: usize,
    /// How many of those planned at least one step without an error.
    pub(crate) n_planned: usize,
    pub(crate) counts: BTreeMap<String, usize>,
    /// How often the engines were meant to differ, by the name of the difference.
    pub(crate) n_known: BTreeMap<&'static str, usize>,
    pub(crate) disagreements: Vec<Disagreement>,
}

/// A scenario of which the engines make different things.
pub(crate) struct Disagreement {
    pub(crate) index: u64,
    pub(crate) scenario: Scenario,
    pub(crate) difference: Difference,
}

/// The first thing in which the engines differ.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    /// At which command, and in what.
    pub(crate) what: String,
    /// The place in the document, without keys and indexes.
    pub(crate) place: String,
    pub(crate) reference: String,
    pub(crate) ours: String,
}

/// Runs `n` scenarios, beginning with number `first`.
pub(crate) fn run(
    comparison: &Comparison<'_>,
    seed: u64,
    first: u64,
    n: usize,
) -> Result<Found, Failure> {
    let mut found = Found::default();
    for index in (first..).take(n) {
        let scenario = make::scenario(seed, index);
        found.n_configurations += 1;
        let (difference, planned) = comparison.scenario(&scenario)?;
        found.n_planned += usize::from(planned);
        match difference {
            None => found.n_same += 1,
            Some(difference) => {
                if let Some(known) = known(&scenario, &difference) {
                    *found.n_known.entry(known.name).or_default() += 1;
                    continue;
                }
                *found.counts.entry(difference.sort()).or_default() += 1;
                let n_of_sort = found.counts[&difference.sort()];
                if n_of_sort <= 2 && found.disagreements.len() < MINIMISED {
                    let disagreement = comparison.smallest(index, scenario, difference)?;
                    println!("{disagreement}");
                    found.disagreements.push(disagreement);
                }
            }
        }
        if found.n_configurations.is_multiple_of(25) {
            println!(
                "{} configurations, {} the same",
                found.n_configurations, found.n_same
            );
        }
    }
    Ok(found)
}

impl Comparison<'_> {
    /// The first difference, and whether any step could be planned.
    fn scenario(&self, scenario: &Scenario) -> Result<(Option<Difference>, bool), Failure> {
        let stages = |engine| {
            let directory = tempfile::tempdir()?;
            follow(engine, directory.path(), scenario)
        };
        let (reference, ours) = (stages(self.reference)?, stages(self.ours)?);
        let planned = reference.iter().any(|stage| !stage.document.is_null());
        Ok((first_difference(&reference, &ours), planned))
    }

    fn smallest(
        &self,
        index: u64,
        mut scenario: Scenario,
        mut difference: Difference,
    ) -> Result<Disagreement, Failure> {
        let mut tries = TRIES;
        let mut candidates = scenario.smaller();
        candidates.reverse();
        while let Some(candidate) = candidates.pop() {
            if tries == 0 {
                break;
            }
            tries -= 1;
            let (found, _) = self.scenario(&candidate)?;
            if let Some(found) = found
                && found.sort() == difference.sort()
            {
                scenario = candidate;
                difference = found;
                let n_left = candidates.len();
                candidates = scenario.smaller();
                // What was tried before is tried last.
                let tried = candidates.len().saturating_sub(n_left);
                candidates.rotate_left(tried);
                candidates.reverse();
            }
        }
        Ok(Disagreement {
            index,
            scenario,
            difference,
        })
    }
}

impl Difference {
    /// What differences of the same cause have in common.
    fn sort(&self) -> String {
        let what = self.what.split(" of step").next().unwrap_or_default();
        format!("{what}: {}", self.place)
    }
}

fn first_difference(reference: &[Stage], ours: &[Stage]) -> Option<Difference> {
    for (reference, ours) in reference.iter().zip(ours) {
        let difference = |place: String, first: String, second: String| Difference {
            what: reference.what.clone(),
            place,
            reference: first,
            ours: second,
        };
        if reference.errors != ours.errors {
            let summaries = |stage: &Stage| {
                stage
                    .errors
                    .iter()
                    .map(|told| told.summary.clone())
                    .collect::<Vec<_>>()
            };
            let place = if summaries(reference) == summaries(ours) {
                "details of errors"
            } else {
                "errors"
            };
            let first = reference.errors.first().or(ours.errors.first());
            let place = format!(
                "{place} ({})",
                first.map_or("", |told| told.summary.as_str())
            );
            return Some(difference(place, told(reference), told(ours)));
        }
        if reference.code != ours.code {
            let text = |stage: &Stage| format!("{:?}\n{}", stage.code, stage.said);
            return Some(difference("exit code".into(), text(reference), text(ours)));
        }
        if let Some((place, first, second)) = unlike("", &reference.document, &ours.document) {
            return Some(difference(place, first, second));
        }
        if reference.what != ours.what {
            return Some(difference(
                "order of commands".into(),
                reference.what.clone(),
                ours.what.clone(),
            ));
        }
    }
    (reference.len() != ours.len()).then(|| Difference {
        what: "the whole".into(),
        place: "number of commands".into(),
        reference: reference.len().to_string(),
        ours: ours.len().to_string(),
    })
}

fn told(stage: &Stage) -> String {
    if stage.errors.is_empty() {
        return format!("no error, exit code {:?}", stage.code);
    }
    let line = |told: &Told| {
        let file = told.file.as_deref().unwrap_or("-");
        format!("{}: {} ({file})", told.summary, told.detail)
    };
    stage
        .errors
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n    ")
}

/// The first place in which two documents differ, and what is there.
fn unlike(place: &str, reference: &Value, ours: &Value) -> Option<(String, String, String)> {
    match (reference, ours) {
        (Value::Object(first), Value::Object(second)) => {
            let mut names: Vec<&String> = first.keys().chain(second.keys()).collect();
            names.sort();
            names.dedup();
            names.into_iter().find_map(|name| {
                let none = Value::Null;
                let place = format!("{place}.{}", general(name));
                match (first.get(name), second.get(name)) {
                    (Some(first), Some(second)) => unlike(&place, first, second),
                    (first, second) => {
                        let text = |value: Option<&Value>| {
                            value.map_or_else(|| "(absent)".to_owned(), Value::to_string)
                        };
                        let _present = (first.unwrap_or(&none), second.unwrap_or(&none));
                        Some((place, text(first), text(second)))
                    }
                }
            })
        }
        (Value::Array(first), Value::Array(second)) if first.len() == second.len() => first
            .iter()
            .zip(second)
            .find_map(|(first, second)| unlike(&format!("{place}[]"), first, second)),
        _ => {
            (reference != ours).then(|| (place.to_owned(), reference.to_string(), ours.to_string()))
        }
    }
}

/// A member's name without the numbers that generated names have.
fn general(name: &str) -> String {
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == 'x');
    if plain.len() == 1 {
        "*".to_owned()
    } else {
        name.to_owned()
    }
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference {
            what,
            place,
            reference,
            ours,
        } = &self.difference;
        writeln!(f, "\nconfiguration {}, {what}: {place}", self.index)?;
        for (number, step) in self.scenario.steps.iter().enumerate() {
            writeln!(f, "  step {} {}", number + 1, step.options.join(" "))?;
            for (path, text) in step.files() {
                if !text.is_empty() {
                    writeln!(
                        f,
                        "  --- {path}\n  {}",
                        text.trim_end().replace('\n', "\n  ")
                    )?;
                }
            }
        }
        write!(f, "  terraform: {reference}\n  terrace:   {ours}")
    }
}
