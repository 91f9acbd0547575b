//! The command line.

use std::path::PathBuf;

use crate::Failure;

const USAGE: &str = "\
usage: cargo dev differential [OPTION..]

  --expressions N      how many random expressions (10000)
  --configurations N   how many random configurations (500)
  --seed S             which ones; the same seed makes the same (1)
  --first N            begin with number N, to see one again (0)
  --terrace PATH       the program to compare
  --reference PATH     the program to compare with (terraform)
  --facts FILE         write the counts there";

/// What to run.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) n_expressions: usize,
    pub(crate) n_configurations: usize,
    pub(crate) seed: u64,
    pub(crate) first: u64,
    pub(crate) terrace: PathBuf,
    pub(crate) reference: PathBuf,
    pub(crate) facts: Option<PathBuf>,
}

impl Arguments {
    /// Reads the arguments; an error is the text to show.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut parsed = Self {
            n_expressions: 10_000,
            n_configurations: 500,
            seed: 1,
            first: 0,
            terrace: "terrace".into(),
            reference: "terraform".into(),
            facts: None,
        };
        let mut rest = arguments.iter();
        while let Some(option) = rest.next() {
            let value = rest.next().ok_or(USAGE)?;
            match option.as_str() {
                "--expressions" => parsed.n_expressions = value.parse()?,
                "--configurations" => parsed.n_configurations = value.parse()?,
                "--seed" => parsed.seed = value.parse()?,
                "--first" => parsed.first = value.parse()?,
                "--terrace" => parsed.terrace = value.into(),
                "--reference" => parsed.reference = value.into(),
                "--facts" => parsed.facts = Some(value.into()),
                _ => return Err(USAGE.into()),
            }
        }
        Ok(parsed)
    }
}
