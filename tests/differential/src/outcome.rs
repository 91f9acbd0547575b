//! What an engine makes of an expression, and how two outcomes differ.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde_json::Value;

use crate::Failure;
use crate::engine::{Engine, Ran, Told};
use crate::scaffold;

/// What an engine makes of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It has a value.
    Value(Box<Evaluated>),
    /// It is refused.
    Refused(Vec<Told>),
    /// The engine crashed, hung, or failed without a word about the expression.
    Failed(String),
}

/// A value as the plan shows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Evaluated {
    pub(crate) value: Value,
    /// Its type; `null` where it is not known.
    pub(crate) kind: Value,
    pub(crate) unknown: Value,
    pub(crate) sensitive: Value,
}

/// In what two outcomes differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Terrace crashes, hangs or loses the expression.
    Failed,
    /// Terrace accepts what Terraform refuses.
    Accepted,
    /// Terrace refuses what Terraform accepts.
    Refused,
    Value,
    Type,
    Unknown,
    Sensitive,
    Summary,
    Detail,
    /// Terraform itself crashes.
    ReferenceFailed,
}

impl Class {
    /// All, the gravest first.
    pub(crate) const ALL: [Self; 10] = [
        Self::Failed,
        Self::Accepted,
        Self::Refused,
        Self::Value,
        Self::Type,
        Self::Unknown,
        Self::Sensitive,
        Self::Summary,
        Self::Detail,
        Self::ReferenceFailed,
    ];
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Failed => "Terrace fails",
            Self::Accepted => "accepted by Terrace alone",
            Self::Refused => "refused by Terrace alone",
            Self::Value => "another value",
            Self::Type => "another type",
            Self::Unknown => "other parts are unknown",
            Self::Sensitive => "other parts are sensitive",
            Self::Summary => "another summary of the error",
            Self::Detail => "another detail of the error",
            Self::ReferenceFailed => "Terraform fails",
        })
    }
}

/// In what the outcomes differ most; `None` where they are alike.
pub(crate) fn difference(reference: &Outcome, ours: &Outcome) -> Option<Class> {
    match (reference, ours) {
        (Outcome::Failed(_), _) => Some(Class::ReferenceFailed),
        (_, Outcome::Failed(_)) => Some(Class::Failed),
        (Outcome::Refused(_), Outcome::Value(_)) => Some(Class::Accepted),
        (Outcome::Value(_), Outcome::Refused(_)) => Some(Class::Refused),
        (Outcome::Value(reference), Outcome::Value(ours)) => [
            (reference.value != ours.value, Class::Value),
            (reference.unknown != ours.unknown, Class::Unknown),
            (reference.kind != ours.kind, Class::Type),
            (reference.sensitive != ours.sensitive, Class::Sensitive),
        ]
        .into_iter()
        .find_map(|(differs, class)| differs.then_some(class)),
        (Outcome::Refused(reference), Outcome::Refused(ours)) => {
            let summaries = |all: &[Told]| {
                all.iter()
                    .map(|told| told.summary.clone())
                    .collect::<Vec<_>>()
            };
            if summaries(reference) != summaries(ours) {
                Some(Class::Summary)
            } else {
                (reference != ours).then_some(Class::Detail)
            }
        }
    }
}

/// Evaluates expressions in one go; the outcomes are in their order.
pub(crate) fn evaluate(
    engine: &Engine,
    directory: &Path,
    expressions: &[String],
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = BTreeMap::new();
    let numbers: Vec<usize> = (0..expressions.len()).collect();
    let mut groups = vec![numbers];
    while let Some(mut remaining) = groups.pop() {
        while !remaining.is_empty() {
            let ran = plan(engine, directory, expressions, &remaining)?;
            let found = match ran {
                Planned::Values(values) => values,
                Planned::Errors(errors) => errors
                    .into_iter()
                    .map(|(number, told)| (number, Outcome::Refused(told)))
                    .collect(),
                Planned::Nothing(said) => {
                    if let [number] = remaining[..] {
                        outcomes.insert(number, Outcome::Failed(said));
                    } else {
                        groups.push(remaining.split_off(remaining.len() / 2));
                        groups.push(std::mem::take(&mut remaining));
                    }
                    break;
                }
            };
            remaining.retain(|number| !found.contains_key(number));
            outcomes.extend(found);
        }
    }
    Ok(outcomes.into_values().collect())
}

/// What came of planning some expressions together.
enum Planned {
    Values(BTreeMap<usize, Outcome>),
    Errors(BTreeMap<usize, Vec<Told>>),
    Nothing(String),
}

fn plan(
    engine: &Engine,
    directory: &Path,
    expressions: &[String],
    numbers: &[usize],
) -> Result<Planned, Failure> {
    scaffold::write(directory)?;
    for number in numbers {
        let path = directory.join(format!("e{number}.tf"));
        std::fs::write(path, scaffold::around(*number, &expressions[*number]))?;
    }
    let file = format!("{}.plan", engine.name);
    let out = format!("-out={file}");
    let planned = engine.run(
        directory,
        &["plan", "-json", "-input=false", "-lock=false", out.as_str()],
    )?;
    if planned.code != Some(0) {
        return Ok(errors(&planned, numbers));
    }
    let shown = engine.run(directory, &["show", "-json", file.as_str()])?;
    if shown.code != Some(0) {
        return Ok(Planned::Nothing(said(&shown)));
    }
    match serde_json::from_str::<Value>(&shown.stdout) {
        Ok(plan) => Ok(values(&plan, numbers)),
        Err(error) => Ok(Planned::Nothing(error.to_string())),
    }
}

fn errors(ran: &Ran, numbers: &[usize]) -> Planned {
    let mut found: BTreeMap<usize, Vec<Told>> = BTreeMap::new();
    for mut told in ran.errors() {
        let number = told
            .file
            .take()
            .and_then(|file| file.strip_prefix('e')?.strip_suffix(".tf")?.parse().ok());
        if let Some(number) = number
            && numbers.contains(&number)
        {
            found.entry(number).or_default().push(told);
        }
    }
    if found.is_empty() {
        return Planned::Nothing(said(ran));
    }
    for told in found.values_mut() {
        told.sort();
    }
    Planned::Errors(found)
}

fn values(plan: &Value, numbers: &[usize]) -> Planned {
    let resources: BTreeMap<&str, &Value> = plan["resource_changes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|change| Some((change["name"].as_str()?, &change["change"])))
        .collect();
    let mut found = BTreeMap::new();
    for number in numbers {
        let name = format!("e{number}");
        let Some(change) = resources.get(name.as_str()) else {
            return Planned::Nothing(format!("the plan has no {name}"));
        };
        let part = |of: &str| change[of]["input"].clone();
        let evaluated = Evaluated {
            value: part("after"),
            kind: plan["planned_values"]["outputs"][&name]["type"].clone(),
            unknown: part("after_unknown"),
            sensitive: part("after_sensitive"),
        };
        found.insert(*number, Outcome::Value(Box::new(evaluated)));
    }
    Planned::Values(found)
}

fn said(ran: &Ran) -> String {
    let all = format!("{}{}", ran.stdout, ran.stderr);
    let start = all
        .char_indices()
        .rev()
        .nth(3000)
        .map_or(0, |(index, _)| index);
    format!("exit code {:?}\n{}", ran.code, &all[start..])
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(evaluated) => {
                write!(f, "{} : {}", evaluated.value, evaluated.kind)?;
                for (name, part) in [
                    ("unknown", &evaluated.unknown),
                    ("sensitive", &evaluated.sensitive),
                ] {
                    if !part.is_null() && *part != Value::Bool(false) {
                        write!(f, "; {name} {part}")?;
                    }
                }
                Ok(())
            }
            Self::Refused(all) => all.iter().enumerate().try_for_each(|(index, told)| {
                let again = if index > 0 { "\n    " } else { "" };
                write!(f, "{again}{}: {}", told.summary, told.detail)
            }),
            Self::Failed(said) => write!(f, "failed: {said}"),
        }
    }
}
