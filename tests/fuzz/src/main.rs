//! `cargo dev fuzz [TARGET..] [--seconds N] [--seed N] [--case N]`
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    clippy::disallowed_methods,
    reason = "a tool of the repository speaks to who runs it, and ends when an input hangs"
)]

use std::process::ExitCode;
use std::time::Duration;

use terrace_fuzz::{Failure, Options, Target, all, case, find, run};

const USAGE: &str = "usage: cargo dev fuzz [TARGET..] [--seconds N] [--seed N] [--case N]";

fn main() -> ExitCode {
    match attempt() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(what) => {
            eprintln!("{what}\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn attempt() -> Result<bool, String> {
    let mut targets: Vec<&Target> = Vec::new();
    let (mut seconds, mut seed, mut one) = (600, rand::random(), None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || -> Result<u64, String> {
            let given = arguments.next().and_then(|text| text.parse().ok());
            given.ok_or_else(|| format!("{argument} needs a number"))
        };
        match &*argument {
            "--seconds" => seconds = number()?,
            "--seed" => seed = number()?,
            "--case" => one = Some(number()?),
            name => targets.push(find(name).ok_or_else(|| {
                let names: Vec<&str> = all().iter().map(|target| target.name).collect();
                format!(
                    "there is no target {name:?}; there are {}",
                    names.join(", ")
                )
            })?),
        }
    }
    if targets.is_empty() {
        targets = all().iter().collect();
    }
    // A panic is told below, with the input.
    std::panic::set_hook(Box::new(|_| ()));
    let mut sound = true;
    for target in targets {
        if let Some(number) = one {
            print!("{}", String::from_utf8_lossy(&case(target, seed, number)));
            continue;
        }
        println!("{}: seed {seed}, {seconds} s", target.name);
        let options = Options {
            seed,
            time: Duration::from_secs(seconds),
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
        if let Some(failure) = report.failure {
            tell(target, &failure);
            sound = false;
        }
    }
    Ok(sound)
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
