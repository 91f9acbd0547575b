//! The tests of a module, as `terrace test` runs them.
//!
//! They run in a process of their own, which is asked for its exit code alone: what `terrace test` prints and how it
//! counts is its own business, and a test that is killed takes nothing with it.

use std::path::Path;

use terrace_port::Files as _;

use super::check::Verdict;
use super::counted;
use crate::command_error::CommandError;
use crate::outside::{Disk, own_program, run_aside};

/// How names of test files end.
const ENDINGS: [&str; 4] = [
    ".tftest.hcl",
    ".tftest.json",
    ".tofutest.hcl",
    ".tofutest.json",
];

/// Runs the tests. A module without any fails.
pub(super) async fn run() -> Result<Verdict, CommandError> {
    let files = ["tests", "."]
        .into_iter()
        .flat_map(|directory| Disk.list(directory).unwrap_or_default())
        .filter(|entry| {
            !entry.is_directory && ENDINGS.iter().any(|ending| entry.name.ends_with(ending))
        })
        .count();
    if files == 0 {
        return Ok(Verdict::Failed(
            "There are no tests. Put some into tests/*.tftest.hcl; `terrace module new` shows how they look.".to_owned(),
        ));
    }
    let ran = run_aside(&own(&["test", "-no-color"])?, Path::new("."), &[])
        .await
        .map_err(|error| not_started(&error))?;
    Ok(if ran.succeeded() {
        Verdict::Passed(counted(files, "file"))
    } else {
        Verdict::Failed(ran.text().trim().to_owned())
    })
}

/// A command line of this program.
pub(super) fn own(arguments: &[&str]) -> Result<Vec<String>, CommandError> {
    let program = own_program().ok_or_else(|| {
        CommandError::one(
            "internal",
            "Terrace cannot start itself",
            "The path of this program could not be found out. This is a bug in Terrace.",
        )
    })?;
    Ok(std::iter::once(program.to_string_lossy().into_owned())
        .chain(arguments.iter().map(|argument| (*argument).to_owned()))
        .collect())
}

pub(super) fn not_started(error: &std::io::Error) -> CommandError {
    CommandError::one(
        "internal",
        "Terrace cannot start itself",
        format!("A command of Terrace could not be started: {error}."),
    )
}
