//! `terrace-bench`: generates configurations, runs Terrace over them (and Terraform, where it is installed), and tells
//! how long each command took and how much memory it held at most. Asserts nothing.
#![allow(
    clippy::disallowed_methods,
    reason = "a tool of the repository writes files, starts programs and looks at the environment"
)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool of the repository speaks to who runs it"
)]

mod arguments;
mod clock;
mod configuration;
mod engine;
mod machine;
mod measure;
mod report;
mod share;
mod state;

use std::process::ExitCode;

use arguments::Arguments;
use configuration::{Kind, Project};
use engine::{Engine, Step};
use measure::Measured;
use report::{Report, Row};

/// Why nothing could be measured, for a person.
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    if let Some(code) = clock::stand_in() {
        return code;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((first, rest)) = arguments.split_first()
        && first == measure::SUBCOMMAND
    {
        return measure::in_between(rest);
    }
    match Arguments::parse(&arguments).and_then(|arguments| run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.state {
        return state::run(arguments);
    }
    if arguments.provider_share {
        let out = arguments
            .out
            .as_ref()
            .map(|path| path.with_file_name("provider-share.md"));
        return share::run(arguments.build, out.as_deref());
    }
    let binaries = machine::Binaries::prepare(arguments.build)?;
    let terrace = Engine::terrace(&binaries);
    let terraform = if arguments.reference {
        Engine::terraform(&binaries)
    } else {
        None
    };
    let mut report = Report::new(machine::facts(&terrace, terraform.as_ref()));
    println!("{}", report.head());
    for (kind, size) in arguments.cases() {
        let rows = case(kind, size, &terrace, terraform.as_ref(), arguments)?;
        for row in rows {
            println!("{}", row.line());
            report.push(row);
        }
    }
    if let Some(path) = &arguments.out {
        report.write(path)?;
        println!("\nWritten to {}", path.display());
    }
    Ok(())
}

/// One configuration through all commands.
fn case(
    kind: Kind,
    size: usize,
    terrace: &Engine,
    terraform: Option<&Engine>,
    arguments: &Arguments,
) -> Result<Vec<Row>, Failure> {
    let ours = through(
        terrace,
        &Project::new(kind, size)?,
        Step::of(kind),
        arguments,
    );
    let theirs = match terraform {
        Some(engine) => {
            let steps = engine::reference_steps(kind, size);
            if steps.is_empty() {
                Vec::new()
            } else {
                through(engine, &Project::new(kind, size)?, steps, arguments)
            }
        }
        None => Vec::new(),
    };
    let found = |measured: &[(Step, Measured)], step| {
        measured
            .iter()
            .find(|(other, _)| *other == step)
            .map(|(_, measured)| measured.clone())
    };
    Ok(Step::of(kind)
        .iter()
        .map(|step| Row {
            kind,
            size,
            step: *step,
            terrace: found(&ours, *step),
            terraform: found(&theirs, *step),
        })
        .collect())
}

/// Runs `steps` one after the other; one that fails ends the row of them, as the next would measure something else.
fn through(
    engine: &Engine,
    project: &Project,
    steps: &[Step],
    arguments: &Arguments,
) -> Vec<(Step, Measured)> {
    let mut all = Vec::new();
    if let Err(failure) = engine.initialise(project) {
        eprintln!("{}: {failure}", engine.name());
        return all;
    }
    for step in steps {
        let measured = engine.run(project, *step, arguments.patience);
        if let Measured::Failed { message } = &measured {
            eprintln!("{} {}: {message}", engine.name(), step.name());
        }
        let ends = !measured.is_done() && *step != Step::Plan;
        all.push((*step, measured));
        if ends {
            break;
        }
    }
    all
}
