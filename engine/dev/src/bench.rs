//! `cargo dev bench`: the harness in tests/bench, which builds what it measures.

use crate::{Failure, program, workspace};

/// Runs it with `arguments`.
pub(crate) fn run(arguments: &[String]) -> Result<bool, Failure> {
    let mut command = workspace::cargo();
    command
        .args([
            "run",
            "--release",
            "--quiet",
            "--package",
            "terrace-bench",
            "--",
        ])
        .args(arguments);
    program::succeeds(&mut command)
}
