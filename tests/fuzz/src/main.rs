//! `cargo dev fuzz [TARGET..] [--seconds N] [--seed N] [--case N] [--facts FILE]`
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    clippy::disallowed_methods,
    reason = "a tool of the repository speaks to who runs it, and ends when an input hangs"
)]

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use terrace_fuzz::{Failure, Options, Report, Target, all, case, find, run};

const USAGE: &str =
    "usage: cargo dev fuzz [TARGET..] [--seconds N] [--seed N] [--case N] [--facts FILE]";

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(what) => {
            eprintln!("{what}\n{USAGE}");
            return ExitCode::FAILURE;
        }
    };
    if let Some(number) = arguments.case {
        for target in &arguments.targets {
            let input = case(target, arguments.seed, number);
            print!("{}", String::from_utf8_lossy(&input));
        }
        return ExitCode::SUCCESS;
    }
    match arguments.run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(what) => {
            eprintln!("{what}");
            ExitCode::FAILURE
        }
    }
}

/// What to feed, and for how long.
struct Arguments {
    targets: Vec<&'static Target>,
    seconds: u64,
    seed: u64,
    case: Option<u64>,
    facts: Option<String>,
}

impl Arguments {
    fn parse(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self {
            targets: Vec::new(),
            seconds: 600,
            seed: rand::random(),
            case: None,
            facts: None,
        };
        while let Some(argument) = given.next() {
            let mut number = || -> Result<u64, String> {
                let given = given.next().and_then(|text| text.parse().ok());
                given.ok_or_else(|| format!("{argument} needs a number"))
            };
            match &*argument {
                "--seconds" => arguments.seconds = number()?,
                "--seed" => arguments.seed = number()?,
                "--case" => arguments.case = Some(number()?),
                "--facts" => arguments.facts = Some(given.next().ok_or("--facts needs a file")?),
                name => arguments.targets.push(find(name).ok_or_else(|| {
                    let names: Vec<&str> = all().iter().map(|target| target.name).collect();
                    format!(
                        "there is no target {name:?}; there are {}",
                        names.join(", ")
                    )
                })?),
            }
        }
        if arguments.targets.is_empty() {
            arguments.targets = all().iter().collect();
        }
        Ok(arguments)
    }

    /// Feeds one target after the other; whether nothing was found.
    fn run(&self) -> Result<bool, String> {
        // A panic is told below, with the input.
        std::panic::set_hook(Box::new(|_| ()));
        let mut facts = String::from(
            "| target | seconds | seed | inputs | accepted | found |\n| --- | ---: | ---: | ---: | ---: | --- |\n",
        );
        let mut sound = true;
        for target in &self.targets {
            let report = self.feed(target);
            let found = report
                .failure
                .as_ref()
                .map_or("nothing", |failure| &failure.what);
            let _infallible = writeln!(
                facts,
                "| {} | {} | {} | {} | {} | {found} |",
                target.name, self.seconds, self.seed, report.inputs, report.accepted
            );
            sound &= report.failure.is_none();
        }
        if let Some(path) = &self.facts {
            std::fs::write(path, facts).map_err(|error| format!("{path}: {error}"))?;
        }
        Ok(sound)
    }

    fn feed(&self, target: &'static Target) -> Report {
        println!("{}: seed {}, {} s", target.name, self.seed, self.seconds);
        let options = Options {
            seed: self.seed,
            time: Duration::from_secs(self.seconds),
            first: 0,
            growth: true,
        };
        let report = run(target, options, |target, failure| {
            tell(target, failure);
            std::process::exit(1);
        });
        println!(
            "{}: {} inputs, {} accepted",
            target.name, report.inputs, report.accepted
        );
        if let Some(failure) = &report.failure {
            tell(target, failure);
        }
        report
    }
}

fn tell(target: &Target, failure: &Failure) {
    let input = &failure.input;
    let shown = &input[..input.len().min(4000)];
    println!(
        "{} fails on case {} ({} bytes): {}\n{}\n{:?}",
        target.name,
        failure.number,
        input.len(),
        failure.what,
        String::from_utf8_lossy(shown),
        String::from_utf8_lossy(shown),
    );
}
