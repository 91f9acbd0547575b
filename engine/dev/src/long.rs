//! `cargo dev long`: suites at full size (random worlds, crashes), and every crate of the engine built and tested alone.

use std::fmt::Write as _;
use std::time::Instant;

use crate::facts::is_under;
use crate::test::{self, Counts, Outcome};
use crate::{Failure, evidence, workspace};

/// Members of `tests/` that hold no suites.
const HELPERS: [&str; 3] = ["tests/services", "tests/support", "tests/bench"];

/// Runs them and writes the evidence; whether all held.
pub(crate) fn run() -> Result<bool, Failure> {
    let facts = workspace::facts()?;
    let suites = facts.packages_under("tests").filter(|(_, package)| {
        !HELPERS
            .iter()
            .any(|helper| is_under(&package.directory, helper))
    });
    let alone = facts.packages_under("engine");
    let packages: Vec<(&String, bool)> = suites
        .map(|(name, _)| (name, true))
        .chain(alone.map(|(name, _)| (name, false)))
        .collect();
    let mut table = String::from(
        "| suite | passed | failed | skipped | seconds |\n| --- | ---: | ---: | ---: | ---: |\n",
    );
    let mut all_held = true;
    let mut all_figures = Vec::new();
    for (name, full) in packages {
        println!(
            "\n==> {name}{}",
            if full { " at full size" } else { " alone" }
        );
        let mut command = workspace::cargo();
        command.args([
            "test",
            "--package",
            name,
            "--no-fail-fast",
            "--color",
            "never",
            "--",
            "--show-output",
        ]);
        if full {
            command.env("TERRACE_FULL", "1");
        }
        let begun = Instant::now();
        let Outcome {
            counts:
                Counts {
                    passed,
                    failed,
                    skipped,
                },
            figures,
            succeeded: held,
            ..
        } = test::tests(&mut command)?;
        all_figures.extend(figures.into_iter().filter(|_| full));
        all_held &= held && failed == 0;
        let broken = if held || failed > 0 {
            ""
        } else {
            " (does not build)"
        };
        let size = if full { "full size" } else { "alone" };
        let _infallible = writeln!(
            table,
            "| {name}, {size}{broken} | {passed} | {failed} | {skipped} | {} |",
            begun.elapsed().as_secs()
        );
    }
    if !all_figures.is_empty() {
        let _infallible = write!(table, "\n- {}\n", all_figures.join("\n- "));
    }
    evidence::write(
        "long",
        "Suites at full size",
        "Random worlds, crashes and whole runs with `TERRACE_FULL=1`; then every crate of the engine by itself.",
        &table,
    )?;
    Ok(all_held)
}
