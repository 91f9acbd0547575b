//! The rules that keep the repository in its shape, each a function from facts to violations.

mod descriptions;
mod determinism;
pub(crate) mod diagnostics;
mod directions;
pub(crate) mod explanations;
pub(crate) mod language;
mod libraries;
mod owners;
mod printing;
mod pure;
mod sizes;
mod texts;
mod wire;

use std::fmt;

use crate::facts::Facts;
use crate::{Failure, workspace};

/// A place where a rule is broken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// A file, a file with a line, or a package.
    pub(crate) place: String,
    /// What is wrong, and what to do.
    pub(crate) what: String,
}

impl Violation {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            what: what.into(),
        }
    }

    fn at(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self::new(format!("{path}:{line}"), what)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

type Rule = fn(&Facts) -> Vec<Violation>;

/// What each rule says, and who checks it.
const RULES: [(&str, Rule); 12] = [
    ("1: the engine depends on no adapter", directions::check),
    ("2: the core is pure", pure::check),
    ("3: libraries stay in their rooms", libraries::check),
    (
        "4: one crate applies, one commits, one approves",
        owners::check,
    ),
    ("5: wire types stay in wire modules", wire::check),
    (
        "6: planning is deterministic, and a test shows it",
        determinism::check,
    ),
    ("7: only the view prints", printing::check),
    (
        "8: files and functions have a reasonable size",
        sizes::check,
    ),
    (
        "every diagnostic is explained on a page of its own",
        explanations::check,
    ),
    (
        "the language reference is what its pages say",
        language::check,
    ),
    ("texts name no machine and no registry", texts::check),
    ("every crate says what it is", descriptions::check),
];

/// Checks all rules; whether all hold.
pub(crate) fn run() -> Result<bool, Failure> {
    let facts = workspace::facts()?;
    let mut n_violations = 0;
    for (name, rule) in RULES {
        let mut violations = rule(&facts);
        violations.sort();
        violations.dedup();
        println!(
            "{} {name}",
            if violations.is_empty() {
                "ok  "
            } else {
                "FAIL"
            }
        );
        for violation in &violations {
            println!("       {violation}");
        }
        n_violations += violations.len();
    }
    if n_violations > 0 {
        println!("\n{n_violations} violations. The rules are explained in ARCHITECTURE.md.");
    }
    Ok(n_violations == 0)
}
