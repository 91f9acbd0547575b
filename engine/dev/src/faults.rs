//! `cargo dev faults`: networks that fail, many processes at one state, and full disks, at full size.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Instant;

use crate::{Failure, evidence, workspace};

/// The test programs, and what each of them shows.
const PROGRAMS: [(&str, &str, &str); 3] = [
    (
        "network",
        "A network that fails between Terrace and its store",
        "A proxy before the store delays, cuts connections before, in and behind requests, answers 500, 502, 503 and 429 in the store's place, holds everything back, and ends for good. After it, what is left is recovered and applied, and held to the provider's world and to every version that was written of the state.",
    ),
    (
        "contention",
        "Many processes that apply to one state at once",
        "Each notes, while it holds the lock, that it comes, which serial it finds, and that it goes. Where the store's versions are recorded, they tell the same.",
    ),
    (
        "full_disk",
        "A disk that becomes full in an apply",
        "State, journal, lock, plan file and caches lie on a small file system, with every amount of room at the beginning, and full after every object. With room again, the next commands go on.",
    ),
];

/// Marks the lines in which tests say what they have counted.
const FIGURE: &str = "FIGURE ";

/// What a test program said.
#[derive(Default)]
struct Said {
    figures: Vec<String>,
    skipped: Vec<String>,
    held: bool,
}

/// Runs them and writes the evidence; whether all held.
pub(crate) fn run() -> Result<bool, Failure> {
    let mut facts = String::new();
    let mut all_held = true;
    for (program, title, about) in PROGRAMS {
        println!("\n==> {title}");
        let begun = Instant::now();
        let said = listen(program)?;
        all_held &= said.held;
        let outcome = if said.held { "held" } else { "FAILED" };
        let _infallible = writeln!(
            facts,
            "## {title}\n\n{about}\n\n- all of it: {outcome}, in {} s",
            begun.elapsed().as_secs()
        );
        for figure in said.figures {
            let _infallible = writeln!(facts, "- {figure}");
        }
        for skipped in said.skipped {
            let _infallible = writeln!(facts, "- {skipped}");
        }
        facts.push('\n');
    }
    evidence::write(
        "faults",
        "Failing networks, contention and full disks",
        "Applies of thirty objects by real processes, over real servers where a store is one. Seeds are drawn at random and told, so that each can be repeated.",
        facts.trim_end(),
    )?;
    Ok(all_held)
}

/// Runs a test program at full size.
fn listen(program: &str) -> Result<Said, Failure> {
    let mut child = workspace::cargo()
        .args(["test", "--package", "terrace-worlds", "--test", program])
        .args(["--no-fail-fast", "--color", "never", "--"])
        .args(["--nocapture", "--test-threads", "2"])
        .env("TERRACE_FULL", "1")
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().ok_or("the output cannot be read")?;
    let mut said = Said::default();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        // The harness may have begun the line.
        if let Some((_, figure)) = line.split_once(FIGURE) {
            said.figures.push(figure.to_owned());
        } else if let Some((_, why)) = line.split_once("SKIPPED ") {
            said.skipped.push(format!("SKIPPED {why}"));
        }
    }
    said.figures.sort();
    said.held = child.wait()?.success();
    Ok(said)
}
