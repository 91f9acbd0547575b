//! `cargo dev consumers`: programs of others that read what `terrace` writes, or call it, each the real one.

use std::process::Stdio;

use crate::{Failure, evidence, workspace};

/// Runs the tests at full size, which installs what they need, and writes the evidence; whether all held.
pub(crate) fn run() -> Result<bool, Failure> {
    let output = workspace::cargo()
        .args([
            "test",
            "--package",
            "terrace-cli-tests",
            "--test",
            "consumers",
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
    let mut rows: Vec<String> = said.lines().filter_map(row).collect();
    rows.sort();
    if rows.is_empty() {
        return Err("no program told what it was asked".into());
    }
    let about = "Programs that know nothing of Terrace read its plan JSON or call it as they call Terraform: `tests/cli/tests/consumers.rs`\n\
                 installs and runs each. Where a Terraform is installed, what a program says is compared with what it says of\n\
                 Terraform 1.11.4 on the same configuration and state.";
    let facts = format!(
        "| program | called as | right | what |\n| --- | --- | ---: | --- |\n{}\n",
        rows.join("\n")
    );
    if output.status.success() {
        evidence::write("consumers", "Programs that use Terrace", about, &facts)?;
    }
    Ok(output.status.success())
}

/// A row of the table for `consumer | PROGRAM | CALLS | N of M | WHAT`.
fn row(line: &str) -> Option<String> {
    line.strip_prefix("consumer ")
        .map(|cells| format!("{} |", cells.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_tells_becomes_a_row() {
        assert_eq!(
            row("consumer | opa 1.22.0 | `opa eval` | 7 of 7 | rules").unwrap(),
            "| opa 1.22.0 | `opa eval` | 7 of 7 | rules |"
        );
        assert_eq!(row("test opa_judges_a_plan ... ok"), None);
    }
}
