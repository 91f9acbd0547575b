//! Checks of a commit: one for each environment, with what its gate says.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::comment::{Whereabouts, diffs, gates, policies, table};
use crate::limit::{CHECK_OUTPUT, cut};
use crate::{Annotation, Counts, PlanReport};

/// What a check has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// It can be applied, or nothing has to be.
    Success,
    /// It can be applied once people or time have given what is missing.
    Neutral,
    /// It could not be planned, or a policy denies it.
    Failure,
}

impl Conclusion {
    /// As GitHub names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Neutral => "neutral",
            Self::Failure => "failure",
        }
    }
}

/// A check of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name, which is the same for every commit.
    pub name: String,
    /// What it has come to.
    pub conclusion: Conclusion,
    /// In a line.
    pub title: String,
    /// What the gate says, in Markdown.
    pub summary: String,
    /// The plans, in Markdown.
    pub text: String,
    /// Remarks at changed lines.
    pub annotations: Vec<Annotation>,
}

impl Check {
    /// The checks of plans, one for each environment in the order of the plans.
    pub fn of(
        reports: &[PlanReport],
        lines: &BTreeMap<String, Vec<RangeInclusive<u32>>>,
        whereabouts: &Whereabouts,
    ) -> Vec<Self> {
        let mut names: Vec<Option<String>> = Vec::new();
        for report in reports {
            if !names.contains(&report.environment) {
                names.push(report.environment.clone());
            }
        }
        names
            .into_iter()
            .map(|name| {
                let own: Vec<PlanReport> = reports
                    .iter()
                    .filter(|report| report.environment == name)
                    .cloned()
                    .collect();
                one(name.as_deref(), &own, lines, whereabouts)
            })
            .collect()
    }
}

fn one(
    name: Option<&str>,
    reports: &[PlanReport],
    lines: &BTreeMap<String, Vec<RangeInclusive<u32>>>,
    whereabouts: &Whereabouts,
) -> Check {
    let missing: usize = reports
        .iter()
        .filter_map(|report| report.gate.as_ref())
        .map(|gate| gate.missing.len())
        .sum();
    let broken: Vec<String> = reports
        .iter()
        .filter(|report| report.is_broken())
        .map(PlanReport::name)
        .collect();
    let counts = reports
        .iter()
        .fold(Counts::default(), |sum, report| sum.plus(report.counts));
    let (conclusion, state) = if !broken.is_empty() {
        (
            Conclusion::Failure,
            format!("{} cannot be applied", broken.join(", ")),
        )
    } else if missing > 0 {
        (Conclusion::Neutral, "its gate waits".to_owned())
    } else if reports.iter().all(|report| report.gate.is_none()) {
        (Conclusion::Success, "no gate".to_owned())
    } else {
        (Conclusion::Success, "its gate is open".to_owned())
    };
    let pointer = whereabouts.pointer();
    let summary = format!(
        "{}\n{}{}",
        table(reports),
        gates(reports),
        policies(reports)
    );
    let room = CHECK_OUTPUT.saturating_sub(pointer.len() + 16);
    Check {
        name: name.map_or_else(|| "terrace".to_owned(), |name| format!("terrace / {name}")),
        conclusion,
        title: format!("{}; {state}", counts.told()),
        summary: cut(&summary, CHECK_OUTPUT, &pointer),
        text: cut(&diffs(reports, room, whereabouts), CHECK_OUTPUT, &pointer),
        annotations: reports
            .iter()
            .flat_map(|report| Annotation::of(report, lines))
            .collect(),
    }
}
