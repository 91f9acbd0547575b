//! `cargo dev providers`: the conformance provider in each language in which it is written, under each engine.

use std::process::Stdio;

use crate::{Failure, evidence, program, workspace};

/// Runs the suite at full size, the oracle included, and writes the evidence; whether all held.
pub(crate) fn run() -> Result<bool, Failure> {
    let output = workspace::cargo()
        .args([
            "test",
            "--package",
            "terrace-providers-tests",
            "--no-fail-fast",
            "--color",
            "never",
            "--",
            "--show-output",
            "--test-threads",
            "1",
        ])
        .env("TERRACE_FULL", "1")
        .stderr(Stdio::inherit())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let lines = said
        .lines()
        .filter(|line| !line.starts_with("test ") && !line.is_empty());
    for line in lines {
        println!("{line}");
    }
    let mut rows: Vec<String> = said.lines().filter_map(row).collect();
    rows.sort();
    if rows.is_empty() {
        return Err("no implementation told what it was asked".into());
    }
    let tool = |name: &str, arguments: &[&str]| {
        program::first_line(name, arguments).unwrap_or_else(|| format!("no {name}"))
    };
    let facts = format!(
        "- terraform: {}\n- go: {}\n- python: {}\n\n| implementation | engine | cases that held |\n| --- | --- | ---: |\n{}\n",
        tool("terraform", &["version"]),
        tool("go", &["version"]),
        tool("python3", &["--version"]),
        rows.join("\n")
    );
    let about = "`tests/providers` defines one provider, which is written with terraform-plugin-framework 1.19.0 over the protocols 6 and 5,\n\
                 terraform-plugin-sdk 2.40.1, both behind terraform-plugin-mux 0.23.1, the package `tf` 1.2.0 in Python, and this project's\n\
                 SDK over both protocols. Each case is a series of plans and applications, whose diagnostics, event stream, plan JSON and\n\
                 state must be those that were recorded from Terraform. What differs on purpose is listed with its reason in\n\
                 `tests/providers/src/known.rs`.";
    if output.status.success() {
        evidence::write(
            "providers",
            "One provider in several languages",
            about,
            &facts,
        )?;
    }
    Ok(output.status.success())
}

/// A row of the table for `conformance provider, NAME under ENGINE: N of M`.
fn row(line: &str) -> Option<String> {
    let (implementation, rest) = line
        .strip_prefix("conformance provider, ")?
        .split_once(" under ")?;
    let (engine, counts) = rest.split_once(": ")?;
    Some(format!(
        "| {implementation} | {engine} | {} |",
        counts.trim_end()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_suite_counts_becomes_a_row() {
        assert_eq!(
            row("conformance provider, rust6 under Terraform: 38 of 38").unwrap(),
            "| rust6 | Terraform | 38 of 38 |"
        );
        assert_eq!(row("test rust_over_protocol_6 ... ok"), None);
    }
}
