//! `cargo dev policies`: policies beside conftest and opa, and OPA's own cases.

use std::process::Stdio;

use crate::{Failure, evidence, workspace};

/// Runs the tests at full size, which installs what they need, and writes the evidence; whether all held.
pub(crate) fn run() -> Result<bool, Failure> {
    let output = workspace::cargo()
        .args([
            "test",
            "--package",
            "terrace-policy-tests",
            "--no-fail-fast",
            "--color",
            "never",
            "--",
            "--show-output",
        ])
        .env("TERRACE_FULL", "1")
        .stderr(Stdio::inherit())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    let counts: Vec<String> = said.lines().filter_map(count).collect();
    if counts.len() < 3 {
        return Err("not every test told its counts".into());
    }
    let differing: Vec<&str> = said.lines().filter_map(differing).collect();
    let about = "Policies of the starter pack, and twenty that are written as users of conftest write them, judged by Terrace, conftest\n\
                 0.71.1 and opa 1.22.0 over the same plans in one run, with every message compared; and OPA's own cases of Rego v1, from\n\
                 its module: `tests/policy`.";
    let facts = format!(
        "{}\n\nCases of OPA that differ:\n\n{}\n",
        counts.join("\n"),
        differing
            .iter()
            .map(|case| format!("- {case}"))
            .collect::<Vec<_>>()
            .join("\n")
    );
    if output.status.success() {
        evidence::write("policies", "Policies", about, &facts)?;
    }
    Ok(output.status.success())
}

/// A count, as a line of a list.
fn count(line: &str) -> Option<String> {
    let known = [
        "OPA's cases: ",
        "policies beside conftest and opa: ",
        "tests of the starter pack: ",
    ];
    known
        .iter()
        .any(|start| line.starts_with(start))
        .then(|| format!("- {line}"))
}

/// The name of a case that differs: `    FAMILY/NAME: WHY`.
fn differing(line: &str) -> Option<&str> {
    let case = line.strip_prefix("    ")?;
    let (name, _) = case.split_once(": ")?;
    name.contains('/').then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_differing_cases_are_read() {
        assert_eq!(
            count("OPA's cases: 2 of 3").unwrap(),
            "- OPA's cases: 2 of 3"
        );
        assert_eq!(count("running 3 tests"), None);
        assert_eq!(differing("    time/parse: got 1"), Some("time/parse"));
        assert_eq!(differing("time: 3"), None);
    }
}
