//! `cargo dev test`: everything that must hold, ending with one line of counts.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::{Failure, again, example, program, rules, workspace};

/// A part of the whole, and whether it held.
type Step = fn() -> Result<bool, Failure>;

/// Runs it all; whether all held.
pub(crate) fn run() -> Result<bool, Failure> {
    let mut failed_steps = Vec::new();
    let steps: [(&str, Step); 5] = [
        ("format", format),
        ("lints", lints),
        ("rules", rules::run),
        ("documentation", documentation),
        ("example", walk_through),
    ];
    for (name, step) in steps {
        heading(name);
        let begun = Instant::now();
        let held = step().unwrap_or_else(|failure| {
            println!("{failure}");
            false
        });
        println!(
            "{name}: {} ({} s)",
            if held { "ok" } else { "FAILED" },
            begun.elapsed().as_secs()
        );
        if !held {
            failed_steps.push(name);
        }
    }
    heading("tests");
    let mut command = workspace::cargo();
    command.args([
        "test",
        "--workspace",
        "--no-fail-fast",
        "--color",
        "never",
        "--",
        "--show-output",
    ]);
    let outcome = tests(&mut command)?;
    if !outcome.succeeded && outcome.counts.failed == 0 {
        failed_steps.push("tests");
    }
    let unsteady = again::unsteady(&outcome)?;
    let mut counts = outcome.counts;
    counts.passed += unsteady.len();
    counts.failed -= unsteady.len();
    println!();
    if !unsteady.is_empty() {
        println!(
            "UNSTEADY, a defect of the test or of what it tests; failed among others and held alone: {}.",
            unsteady.join(", ")
        );
    }
    if !failed_steps.is_empty() {
        println!("These steps failed: {}.", failed_steps.join(", "));
    }
    counts.failed += failed_steps.len();
    println!(
        "{} passed, {} failed, {} skipped",
        counts.passed, counts.failed, counts.skipped
    );
    Ok(counts.failed == 0)
}

fn heading(name: &str) {
    println!("\n==> {name}");
}

fn format() -> Result<bool, Failure> {
    program::succeeds(workspace::cargo().args(["fmt", "--all", "--check"]))
}

fn lints() -> Result<bool, Failure> {
    program::succeeds(workspace::cargo().args([
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

fn documentation() -> Result<bool, Failure> {
    program::succeeds(
        workspace::cargo()
            .args(["doc", "--quiet", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

fn walk_through() -> Result<bool, Failure> {
    example::run(example::Options {
        release: false,
        quiet: true,
    })
}

/// How tests ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Held.
    pub(crate) passed: usize,
    /// Did not hold.
    pub(crate) failed: usize,
    /// Said that they could not run here.
    pub(crate) skipped: usize,
}

/// What came of `cargo test`.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// How the tests ended.
    pub(crate) counts: Counts,
    /// What they counted, such as `syntax corpus: 200 of 200`.
    pub(crate) figures: Vec<String>,
    /// The names of the tests that did not hold.
    pub(crate) failed: Vec<String>,
    /// Arguments of `cargo test` that run each program in which a test did not hold.
    pub(crate) programs: Vec<Vec<String>>,
    /// Whether all was built and all tests held.
    pub(crate) succeeded: bool,
}

/// Runs `cargo test`, shows what matters of its output, and keeps all of it in `target/test.log`.
pub(crate) fn tests(command: &mut Command) -> Result<Outcome, Failure> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let output = child
        .stdout
        .take()
        .ok_or("the output of cargo test cannot be read")?;
    let errors = child
        .stderr
        .take()
        .ok_or("what cargo test says cannot be read")?;
    let programs = thread::spawn(move || programs_that_failed(errors));
    let log = workspace::target_directory()?.join("test.log");
    let mut log = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let mut reader = Reader::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        log.write_all(&line)?;
        log.write_all(b"\n")?;
        if let Some(shown) = reader.line(&String::from_utf8_lossy(&line)) {
            println!("{shown}");
        }
    }
    Ok(Outcome {
        counts: reader.counts,
        figures: reader.figures,
        failed: reader.failed,
        programs: programs
            .join()
            .map_err(|_| "what cargo test says was not read")?,
        succeeded: child.wait()?.success(),
    })
}

/// Shows what cargo says beside the tests' own output, and gives the arguments of the programs that it lists as failed.
fn programs_that_failed(said: impl Read) -> Vec<Vec<String>> {
    let mut programs = Vec::new();
    for line in BufReader::new(said).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        eprintln!("{line}");
        programs.extend(arguments_of(&line));
    }
    programs
}

/// The arguments in a line such as "    `-p terrace-worlds --test crash`".
fn arguments_of(line: &str) -> Option<Vec<String>> {
    let arguments = line.trim().strip_prefix('`')?.strip_suffix('`')?;
    arguments
        .starts_with("-p ")
        .then(|| arguments.split(' ').map(str::to_owned).collect())
}

/// Reads the output of `cargo test -- --show-output` line by line.
#[derive(Debug, Default)]
struct Reader {
    counts: Counts,
    /// Whether what follows was said by tests that held.
    in_successes: bool,
    /// Whether the test that speaks has said that it was skipped.
    skipped: bool,
    /// How many tests of this binary have said so; they count as passed in its result.
    n_skipped: usize,
    /// What the tests counted.
    figures: Vec<String>,
    /// The names of those that did not hold.
    failed: Vec<String>,
}

impl Reader {
    /// Takes a line in, and gives it back where someone should see it.
    fn line(&mut self, line: &str) -> Option<String> {
        if let Some(result) = line.strip_prefix("test result: ") {
            let number = |what: &str| {
                let before = result.split(what).next().unwrap_or_default().trim_end();
                before
                    .rsplit([' ', '.'])
                    .next()
                    .and_then(|digits| digits.parse::<usize>().ok())
                    .unwrap_or_default()
            };
            self.counts.passed += number(" passed").saturating_sub(self.n_skipped);
            self.n_skipped = 0;
            self.counts.failed += number(" failed");
            self.counts.skipped += number(" ignored");
            self.in_successes = false;
            return (number(" passed") + number(" failed") + number(" ignored") > 0)
                .then(|| line.to_owned());
        }
        let verdict = line.strip_prefix("test ");
        self.failed.extend(
            verdict
                .and_then(|rest| rest.strip_suffix(" ... FAILED"))
                .map(str::to_owned),
        );
        match line {
            "successes:" => self.in_successes = true,
            "failures:" => self.in_successes = false,
            _ => {}
        }
        if !self.in_successes {
            let is_noise = line.is_empty()
                || line.starts_with("running ")
                || line.starts_with("test ") && line.ends_with(" ok");
            return (!is_noise).then(|| line.to_owned());
        }
        if line.starts_with("---- ") {
            self.skipped = false;
        }
        if line.starts_with("SKIPPED") {
            if !self.skipped {
                self.counts.skipped += 1;
                self.n_skipped += 1;
            }
            self.skipped = true;
            return Some(line.to_owned());
        }
        if !is_count(line) {
            return None;
        }
        self.figures.push(line.to_owned());
        Some(line.to_owned())
    }
}

/// Whether a line tells how many cases of a corpus are met, such as `syntax corpus: 200 of 200`.
fn is_count(line: &str) -> bool {
    let Some((before, after)) = line.split_once(" of ") else {
        return false;
    };
    let ends = |text: &str, digit: fn(&str) -> Option<char>| {
        digit(text).is_some_and(|c| c.is_ascii_digit())
    };
    line.len() < 120
        && before.contains(": ")
        && ends(before, |text| text.chars().next_back())
        && ends(after, |text| text.chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
running 3 tests
test a ... ok
test b ... ok
test c ... FAILED

successes:

---- a stdout ----
SKIPPED: there is no terraform on this machine
SKIPPED: and no time either
---- b stdout ----
chatter
syntax corpus: 199 of 200

successes:
    a
    b

failures:

---- c stdout ----
it broke

failures:
    c

test result: FAILED. 2 passed; 1 failed; 4 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: ok. 40 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.05s
";

    #[test]
    fn what_cargo_lists_as_failed_can_be_run_again() {
        let said = "\
error: test failed, to rerun pass `-p terrace-worlds --test crash`
error: 2 targets failed:
    `-p terrace-worlds --test crash`
    `-p terrace --bin terrace`
";
        assert_eq!(
            programs_that_failed(said.as_bytes()),
            [
                vec!["-p", "terrace-worlds", "--test", "crash"],
                vec!["-p", "terrace", "--bin", "terrace"]
            ]
        );
    }

    #[test]
    fn results_are_summed_and_skipped_tests_have_not_passed() {
        let mut reader = Reader::default();
        let shown: Vec<String> = OUTPUT
            .lines()
            .filter_map(|line| reader.line(line))
            .collect();
        assert_eq!(
            reader.counts,
            Counts {
                passed: 41,
                failed: 1,
                skipped: 5
            }
        );
        assert_eq!(reader.failed, ["c"]);
        for wanted in [
            "test c ... FAILED",
            "it broke",
            "syntax corpus: 199 of 200",
            "SKIPPED: there is no terraform on this machine",
        ] {
            assert!(
                shown.iter().any(|line| line == wanted),
                "{wanted}: {shown:#?}"
            );
        }
        assert!(
            !shown
                .iter()
                .any(|line| line.contains("chatter") || line.contains("test a")),
            "{shown:#?}"
        );
    }
}
