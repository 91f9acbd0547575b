//! `cargo dev differential`: Terrace and Terraform beside each other on random expressions and configurations.

use crate::{Failure, evidence, program, workspace};

/// Runs the tool in `tests/differential` and writes the evidence; whether the engines agree but for what is meant.
pub(crate) fn run(arguments: &[String]) -> Result<bool, Failure> {
    if program::first_line("terraform", &["version"]).is_none() {
        println!("SKIPPED: there is no terraform on this machine");
        return Ok(true);
    }
    let packages = ["--package", "terrace", "--package", "terrace-differential"];
    if !program::succeeds(workspace::cargo().args(["build", "--quiet"]).args(packages))? {
        return Err("terrace does not build".into());
    }
    let built = workspace::target_directory()?.join("debug");
    let facts = tempfile::NamedTempFile::new()?;
    let agree = program::succeeds(
        std::process::Command::new(built.join("terrace-differential"))
            .arg("--terrace")
            .arg(built.join("terrace"))
            .arg("--facts")
            .arg(facts.path())
            .args(arguments),
    )?;
    let facts = std::fs::read_to_string(facts.path())?;
    if facts.is_empty() {
        return Ok(agree);
    }
    let about = "Random expressions, most of them well typed, evaluated by both in the same configuration: value, type, unknown and\n\
                 sensitive parts, or summary and detail of each error. Random configurations planned, applied, changed and planned\n\
                 again by both: errors, exit codes, plan as JSON, state. What differs is printed as small as it can be had.";
    evidence::write(
        "differential",
        "Terrace and Terraform beside each other",
        about,
        &facts,
    )?;
    Ok(agree)
}
