//! `cargo dev real-providers`: rounds of providers that nobody here wrote, beside Terraform.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::{Failure, evidence, program, workspace};

/// How the tests begin a line that belongs into the evidence. Its columns: provider, version, step, what changes, and what
/// came of comparing.
const MARK: &str = "EVIDENCE | ";

const ABOUT: &str = "\
Each provider creates, changes, replaces, imports and destroys. Terrace and Terraform plan every step over the same\n\
configuration and the same state, and `show -json` of both plans is compared: all of it but the time, the engine's version and\n\
the order of `relevant_attributes`, which Terraform draws. Objects of local, tls and http cannot be imported.\n\
After every apply of Terrace, Terraform plans over the state that it left and finds nothing to do. AWS is moto 5.2.5.\n\
Rows of the version `native` exchange states between the provider in process and the plugin.\n\
\n\
Two differences are meant, and checked to be no more than this: `planned_values` of objects that are replaced say what their\n\
schema calls sensitive, where Terraform forgets it; and objects imported by command keep what they depend on, where\n\
Terraform notes nothing.";

/// Runs both suites at full size and writes what they found; whether all held.
pub(crate) fn run() -> Result<bool, Failure> {
    let mut command = workspace::cargo();
    command
        .args(["test", "--package", "terrace-cli-tests", "--test", "aws"])
        .args(["--test", "real_providers", "--no-fail-fast"])
        .args(["--color", "never", "--", "--nocapture", "--test-threads=2"])
        .env("TERRACE_FULL", "1")
        .stdout(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let output = child.stdout.take().ok_or("the tests have no output")?;
    let mut rows = Vec::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        // The name of a test may stand before what it says.
        if let Some((_, row)) = line.split_once(MARK) {
            rows.push(Row::of(row).ok_or_else(|| format!("no row of evidence: {row}"))?);
        }
    }
    if !child.wait()?.success() {
        println!("Something did not hold; no evidence is written.");
        return Ok(false);
    }
    rows.sort_by(|one, other| one.provider.cmp(&other.provider));
    evidence::write(
        "real-providers",
        "Providers that nobody here wrote",
        ABOUT,
        &facts(&rows),
    )?;
    Ok(true)
}

/// A step of a round.
struct Row {
    /// The provider with its version.
    provider: String,
    step: String,
    changes: String,
    compared: String,
}

impl Row {
    fn of(line: &str) -> Option<Self> {
        let mut columns = line.split('|').map(|column| column.trim().to_owned());
        let mut next = || columns.next();
        Some(Self {
            provider: format!("{} {}", next()?, next()?),
            step: next()?,
            changes: next()?,
            compared: next()?,
        })
    }
}

fn facts(rows: &[Row]) -> String {
    let count = |what: &str| rows.iter().filter(|row| row.compared == what).count();
    let terraform = program::first_line("terraform", &["version"]);
    let mut text = format!(
        "- terraform: {}\n- plans whose documents are equal: {}\n- plans that were not compared: {}\n- states taken over without a change: {}\n- imports by command whose state is the same: {}\n\n",
        terraform.as_deref().unwrap_or("not on this machine"),
        count("equal"),
        count("not compared"),
        count("no changes"),
        count("states equal"),
    );
    text.push_str("| provider | step | changes | beside Terraform |\n| --- | --- | --- | --- |\n");
    for row in rows {
        let _infallible = writeln!(
            text,
            "| {} | {} | {} | {} |",
            row.provider, row.step, row.changes, row.compared
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_by_what_came_of_them() {
        let rows: Vec<Row> = [
            "hashicorp/tls | 4.99.0 | create | 4 create | equal |",
            "hashicorp/tls | native | the plugin takes over | none | no changes |",
        ]
        .iter()
        .map(|line| Row::of(line).unwrap())
        .collect();
        let text = facts(&rows);
        assert!(text.contains("are equal: 1\n"), "{text}");
        assert!(text.contains("without a change: 1\n"), "{text}");
        assert!(
            text.ends_with(
                "| hashicorp/tls native | the plugin takes over | none | no changes |\n"
            )
        );
        assert!(Row::of("a | b").is_none());
    }
}
