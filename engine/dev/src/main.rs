//! `cargo dev`: checks the repository's rules, writes what is generated, runs all tests, gathers evidence, and shows
//! the example.
#![allow(
    clippy::disallowed_methods,
    reason = "a tool of the repository reads files, starts programs and looks at the environment"
)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool of the repository speaks to who runs it"
)]

mod again;
mod bench;
mod conformance;
mod consumers;
mod differential;
mod evidence;
mod example;
mod facts;
mod faults;
mod fuzz;
mod generate;
mod interchange;
mod keys;
mod long;
mod policies;
mod program;
mod providers;
mod public;
mod real_providers;
mod rules;
mod source;
mod spec;
mod test;
mod workspace;
mod worlds;

use std::process::ExitCode;

/// Why a command did not succeed, for a person.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "\
usage: cargo dev COMMAND

  check         hold the repository to its rules (ARCHITECTURE.md)
  generate      write generated code and reference pages anew
  test          format, lints, rules, documentation, example, and all tests
  example       run examples/three-environments through all its environments
  keys DIR N..  make an SSH key for each name N in DIR, and print its fingerprint
  interchange   let terraform and terrace work on the same states; writes docs/evidence/interchange.md
  spec WORDS    hold the examples of the language reference to an installed terraform
  conformance   count the answers that are the reference's; writes docs/evidence/conformance.md
  consumers     let checkov, opa, conftest, tflint, terragrunt and cdktf use terrace; writes docs/evidence/consumers.md
  policies      judge plans beside conftest and opa, and count OPA's own cases; writes docs/evidence/policies.md
  differential  evaluate random expressions and configurations beside terraform ([--expressions N] [--configurations N]
                [--seed S]); writes docs/evidence/differential.md
  providers     run one provider, written in three languages, under terrace and terraform; writes docs/evidence/providers.md
  public DIR    hold public modules, checked out in DIR, to what the reference says of them
  real-providers  run providers that nobody here wrote beside terraform; writes docs/evidence/real-providers.md
  long          run the suites that take long at full size; writes docs/evidence/long.md
  worlds        kill, interrupt and fail applies in a thousand worlds, beside terraform ([--seed N]); writes
                docs/evidence/worlds.md and the table of docs/crash-safety.md
  faults        fail networks and disks under applies, and let fifty processes contend; writes docs/evidence/faults.md
  fuzz TARGET.. feed damaged inputs to what reads them, ten minutes each (--seconds N, --seed N, --case N)
  bench ARGS    run tests/bench with ARGS";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", [].as_slice()),
    };
    let outcome = match command {
        "check" => rules::run(),
        "generate" => generate::run(),
        "test" => test::run(),
        "example" => example::run(example::Options::of(rest)),
        "keys" => keys::run(rest),
        "interchange" => interchange::run(),
        "long" => long::run(),
        "spec" => spec::run(rest),
        "conformance" => conformance::run(),
        "consumers" => consumers::run(),
        "policies" => policies::run(),
        "providers" => providers::run(),
        "real-providers" => real_providers::run(),
        "public" => public::run(rest),
        "bench" => bench::run(rest),
        "faults" => faults::run(),
        "fuzz" => fuzz::run(rest),
        "differential" => differential::run(rest),
        "worlds" => worlds::run(rest),
        "help" | "-h" | "--help" => {
            println!("{USAGE}");
            Ok(true)
        }
        other => Err(format!("there is no command {other:?}\n\n{USAGE}").into()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("cargo dev {command}: {failure}");
            ExitCode::FAILURE
        }
    }
}
