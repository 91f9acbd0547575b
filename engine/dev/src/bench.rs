//! `cargo dev bench`: the harness in tests/bench, with optimised binaries.

use crate::{Failure, program, workspace};

/// Builds the harness and runs it with `arguments`.
pub(crate) fn run(arguments: &[String]) -> Result<bool, Failure> {
    let built =
        program::succeeds(workspace::cargo().args(["build", "--release", "--package", "terrace"]))?;
    Ok(built
        && program::succeeds(
            workspace::cargo()
                .args(["run", "--release", "--package", "terrace-bench", "--"])
                .args(arguments),
        )?)
}
