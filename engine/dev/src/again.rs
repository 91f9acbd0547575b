//! A second, quiet chance for tests that failed among others, so that a defect of a test's timing is told from one of
//! the product. Both are reported; only what holds alone does not fail the whole.

use crate::test::{self, Outcome};
use crate::{Failure, workspace};

/// Packages whose tests draw what they try: another draw would hide what the first has found.
const DRAWN: [&str; 3] = ["terrace-worlds", "terrace-differential", "terrace-fuzz"];

/// More failures than these are no accident of timing.
const MOST: usize = 5;

/// Runs what failed once more, one test at a time, and gives the names of those that held then.
pub(crate) fn unsteady(outcome: &Outcome) -> Result<Vec<String>, Failure> {
    let mut held = Vec::new();
    if outcome.failed.is_empty() || outcome.failed.len() > MOST {
        return Ok(held);
    }
    for program in outcome.programs.iter().filter(|program| !is_drawn(program)) {
        for name in &outcome.failed {
            println!("\n==> alone: {name}");
            let mut command = workspace::cargo();
            command.arg("test").args(built(program)).args([
                "--color",
                "never",
                "--",
                "--show-output",
                "--exact",
                name,
            ]);
            let again = test::tests(&mut command)?;
            if again.succeeded && again.counts.passed > 0 && !held.contains(name) {
                held.push(name.clone());
            }
        }
    }
    Ok(held)
}

/// The arguments for a program that is there already: the package alone would be made of other features, and so of libraries that
/// are compiled anew. Programs of the same name in other packages have no test of the name that is asked for.
fn built(program: &[String]) -> Vec<String> {
    let target = program.iter().skip(2).cloned();
    std::iter::once("--workspace".to_owned())
        .chain(target)
        .collect()
}

fn is_drawn(program: &[String]) -> bool {
    program
        .iter()
        .any(|argument| DRAWN.contains(&argument.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_gets_no_second_chance() {
        let program = |package: &str| ["-p", package, "--test", "all"].map(str::to_owned).to_vec();
        assert!(is_drawn(&program("terrace-worlds")));
        assert!(!is_drawn(&program("terrace-cli-tests")));
    }

    #[test]
    fn what_failed_is_run_from_what_is_built() {
        let program = ["-p", "terrace-cli-tests", "--test", "commands"].map(str::to_owned);
        assert_eq!(built(&program), ["--workspace", "--test", "commands"]);
    }

    #[test]
    fn many_failures_are_not_tried_again() {
        let outcome = Outcome {
            failed: (0..=MOST).map(|n| n.to_string()).collect(),
            programs: vec![vec!["-p".into(), "no-such-package".into()]],
            ..Outcome::default()
        };
        assert!(unsteady(&outcome).unwrap().is_empty());
    }
}
