//! What became of tests, as data.

use std::time::Duration;

use terrace_addr::Name;
use terrace_diag::{Diagnostics, SourceMap};
use terrace_plan::Plan;
use terrace_state::State;

/// How a run or a file stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Nothing has been found out.
    #[default]
    Pending,
    /// Not carried out, because something before went wrong.
    Skip,
    /// Everything held.
    Pass,
    /// Something did not hold.
    Fail,
    /// It could not be found out.
    Error,
}

impl Status {
    /// How machines are told.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Skip => "skip",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }

    /// How people are told, for whom an error is a failure too.
    pub const fn shown(self) -> &'static str {
        match self {
            Self::Error => "fail",
            other => other.word(),
        }
    }

    /// The worse of two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }
}

/// What became of a run.
#[derive(Debug, Default)]
pub struct RunVerdict {
    /// Its name.
    pub name: Name,
    /// How it stands.
    pub status: Status,
    /// How many assertions it has.
    pub assertions: usize,
    /// What there is to say.
    pub diagnostics: Diagnostics,
    /// The texts that the diagnostics point into.
    pub sources: SourceMap,
    /// The plan, where the run only plans.
    pub plan: Option<Box<Plan>>,
    /// The state that it left, where it applies.
    pub state: Option<Box<State>>,
    /// When it began, in seconds since 1970; `None` where it was not carried out.
    pub began: Option<i64>,
    /// How long it took; `None` where it was not carried out.
    pub took: Option<Duration>,
}

/// A state that runs left, and what came of destroying what it holds.
#[derive(Debug, Default)]
pub struct Cleanup {
    /// The last run that worked on it.
    pub run: Name,
    /// What there is to say.
    pub diagnostics: Diagnostics,
    /// The texts that the diagnostics point into.
    pub sources: SourceMap,
    /// Addresses of what is left, deposed objects with their keys in parentheses.
    pub left: Vec<String>,
    /// The state that holds what is left.
    pub state: Option<Box<State>>,
    /// Whether nobody waited for it, because an early end was asked for twice.
    pub is_abandoned: bool,
}

/// What became of a file.
#[derive(Debug, Default)]
pub struct FileVerdict {
    /// Its path.
    pub path: String,
    /// How it stands: as the worst of its runs, and in error where something could not be destroyed.
    pub status: Status,
    /// What became of each run, in order.
    pub runs: Vec<RunVerdict>,
    /// What became of what they made, what was made last first.
    pub cleanups: Vec<Cleanup>,
}

/// How many runs stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How all of it stands.
    pub status: Status,
    /// Runs in which everything held.
    pub passed: usize,
    /// Runs in which something did not.
    pub failed: usize,
    /// Runs that could not be carried out to their end.
    pub errored: usize,
    /// Runs that were not carried out.
    pub skipped: usize,
}

impl Summary {
    /// Over files.
    pub fn of<'a>(files: impl IntoIterator<Item = &'a FileVerdict>) -> Self {
        let mut summary = Self {
            status: Status::Pass,
            ..Self::default()
        };
        for file in files {
            summary.status = summary.status.and(file.status);
            for run in &file.runs {
                *match run.status {
                    Status::Pass => &mut summary.passed,
                    Status::Fail => &mut summary.failed,
                    Status::Error => &mut summary.errored,
                    Status::Skip | Status::Pending => &mut summary.skipped,
                } += 1;
            }
        }
        summary
    }

    /// In a sentence.
    pub fn text(&self) -> String {
        let word = if self.status > Status::Pass {
            "Failure!"
        } else {
            "Success!"
        };
        let skipped = match self.skipped {
            0 => String::new(),
            skipped => format!(", {skipped} skipped"),
        };
        format!(
            "{word} {} passed, {} failed{skipped}.",
            self.passed,
            self.failed + self.errored
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(runs: &[Status]) -> FileVerdict {
        let run = |status: &Status| RunVerdict {
            status: *status,
            ..RunVerdict::default()
        };
        FileVerdict {
            status: runs.iter().copied().fold(Status::Pass, Status::and),
            runs: runs.iter().map(run).collect(),
            ..FileVerdict::default()
        }
    }

    #[test]
    fn runs_are_counted_and_the_worst_decides() {
        let files = [
            file(&[Status::Pass, Status::Fail]),
            file(&[Status::Error, Status::Skip]),
        ];
        let summary = Summary::of(&files);
        assert_eq!(summary.status, Status::Error);
        assert_eq!(summary.text(), "Failure! 1 passed, 2 failed, 1 skipped.");
        assert_eq!(Summary::of(&[]).text(), "Success! 0 passed, 0 failed.");
    }
}
