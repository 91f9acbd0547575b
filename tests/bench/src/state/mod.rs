//! What keeping states costs: the journal beside the changes of an apply, and what is written where a large state changes
//! a little.

mod costs;
mod engine;
mod overhead;
mod servers;
mod trace;

use std::fmt::Write as _;
use std::path::Path;

use crate::machine::{self, Binaries};
use crate::{Arguments, Failure};

/// Measures both, and writes them to a page beside that of the commands. Says `SKIPPED` where what it needs is not there.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let binaries = Binaries::prepare(arguments.build)?;
    let mut facts = String::new();
    for fact in machine::facts_of_machine() {
        writeln!(facts, "- {fact}")?;
    }
    println!("{facts}");
    let overhead = overhead::measure()?;
    println!("{overhead}");
    let costs = costs::measure(&binaries, arguments)?;
    println!("{costs}");
    if let Some(path) = &arguments.out {
        write(
            &path.with_file_name("state-costs.md"),
            &facts,
            &overhead,
            &costs,
        )?;
    }
    Ok(())
}

fn write(path: &Path, facts: &str, overhead: &str, costs: &str) -> Result<(), Failure> {
    let text = format!(
        "# What keeping states costs\n\nWritten by `cargo dev bench --state`, which asserts nothing.\n\n{facts}\n{overhead}\n{costs}"
    );
    std::fs::write(path, text)?;
    println!("Written to {}", path.display());
    Ok(())
}
