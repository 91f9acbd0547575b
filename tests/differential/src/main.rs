//! `terrace-differential`: lets Terrace and Terraform evaluate the same random expressions and plan and apply the same
//! random configurations, and prints where they disagree, as small as it can be had.
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
mod configuration;
mod engine;
mod expression;
mod expressions;
mod known;
mod node;
mod outcome;
mod random;
mod report;
mod scaffold;

use std::process::ExitCode;

use arguments::Arguments;
use engine::Engine;
use expressions::Comparison;

/// Why nothing could be compared, for a person.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match Arguments::parse(&arguments).and_then(|arguments| run(&arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the engines agree but for what is meant.
fn run(arguments: &Arguments) -> Result<bool, Failure> {
    let Some(reference) = Engine::find("terraform", &arguments.reference) else {
        println!("SKIPPED: there is no terraform on this machine");
        return Ok(true);
    };
    let ours = Engine::find("terrace", &arguments.terrace)
        .ok_or_else(|| format!("{} cannot be run", arguments.terrace.display()))?;
    let comparison = Comparison {
        reference: &reference,
        ours: &ours,
    };
    let found = expressions::run(
        &comparison,
        arguments.seed,
        arguments.first,
        arguments.n_expressions,
    )?;
    report::expressions(&found, arguments.seed);
    let followed = configuration::run(
        &comparison,
        arguments.seed,
        arguments.first,
        arguments.n_configurations,
    )?;
    report::configurations(&followed);
    if let Some(path) = &arguments.facts {
        std::fs::write(
            path,
            report::facts(&comparison, arguments, &found, &followed),
        )?;
    }
    Ok(found.disagreements.is_empty() && followed.n_same == followed.n_configurations)
}
