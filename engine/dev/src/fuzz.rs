//! `cargo dev fuzz`: damaged and oversized inputs for whatever reads what people and other programs write.

use crate::{Failure, evidence, program, workspace};

/// Runs `tests/fuzz`, optimized and with all assertions, and writes the evidence; whether nothing was found.
pub(crate) fn run(arguments: &[String]) -> Result<bool, Failure> {
    let facts = tempfile::NamedTempFile::new()?;
    let mut command = workspace::cargo();
    command
        .args(["run", "--quiet", "--profile", "fuzz"])
        .args(["--package", "terrace-fuzz", "--", "--facts"])
        .arg(facts.path())
        .args(arguments);
    let sound = program::succeeds(&mut command)?;
    let facts = std::fs::read_to_string(facts.path())?;
    if !facts.is_empty() {
        let about = "What reads bytes that people and other programs write, fed with damaged and grown inputs: no panic, no hang, and no\n\
                     time that grows faster than the input.";
        evidence::write("fuzz", "Fuzzing", about, &facts)?;
    }
    Ok(sound)
}
