//! Pages of measured facts in `docs/evidence`.

use std::fmt::Write as _;

use crate::{Failure, program, workspace};

/// Writes `docs/evidence/NAME.md`: what it shows, where and of which commit, and the facts.
pub(crate) fn write(name: &str, title: &str, about: &str, facts: &str) -> Result<(), Failure> {
    let path = workspace::root()
        .join("docs/evidence")
        .join(format!("{name}.md"));
    let mut text = format!("# {title}\n\n{about}\n\n");
    let _infallible = writeln!(text, "- commit: {}", workspace::commit());
    let _infallible = writeln!(text, "- machine: {}", machine());
    let _infallible = write!(text, "- written by: `cargo dev {name}`\n\n{facts}");
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("docs/evidence/{name}.md is written.");
    Ok(())
}

/// What this machine is, as far as figures depend on it.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let rust =
        program::first_line("rustc", &["--version"]).unwrap_or_else(|| "unknown Rust".to_owned());
    format!(
        "{cores} cores, {} {}, {rust}",
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}
