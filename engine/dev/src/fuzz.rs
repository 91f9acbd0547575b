//! `cargo dev fuzz`: damaged and oversized inputs for whatever reads what people and other programs write.

use crate::{Failure, program, workspace};

/// Runs `tests/fuzz`, optimized and with all assertions; whether nothing was found.
pub(crate) fn run(arguments: &[String]) -> Result<bool, Failure> {
    let mut command = workspace::cargo();
    command
        .args(["run", "--quiet", "--profile", "fuzz"])
        .args(["--package", "terrace-fuzz", "--"])
        .args(arguments);
    program::succeeds(&mut command)
}
