//! How far a command over many stacks has come, and what it tells at its end.

use std::collections::{BTreeMap, BTreeSet};

use terrace_gate::{RunCounts, Stack};

use super::Chosen;
use crate::command_error::{CHANGES, CommandError, FAILURE, REFUSED, SUCCESS};
use crate::session::Session;
use crate::view::stacks as view;
use crate::view::stream;

/// What became of one stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// There is nothing to do.
    Unchanged,
    /// It was planned, and there is something to do.
    Planned,
    /// It was applied.
    Applied,
    /// It was prepared.
    Prepared,
    /// It is not what was applied there.
    Drifted,
    /// Its plan waits for approvals.
    Unapproved,
    /// The gate let its plan not through, for what more than an approval is missing.
    Refused,
    /// Somebody said no.
    Cancelled,
    /// It could not be done.
    Failed,
    /// It waits for these stacks.
    Waiting(Vec<String>),
}

impl Ending {
    /// In a word, for programs.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Planned => "planned",
            Self::Applied => "applied",
            Self::Prepared => "prepared",
            Self::Drifted => "drifted",
            Self::Unapproved => "unapproved",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Waiting(_) => "waiting",
        }
    }

    fn told(&self) -> String {
        match self {
            Self::Unchanged => "no changes".to_owned(),
            Self::Unapproved => "waits for approval".to_owned(),
            Self::Waiting(stacks) => format!("waits for {}", stacks.join(", ")),
            other => other.name().to_owned(),
        }
    }

    /// Whether what comes after it may be applied.
    const fn is_done(&self) -> bool {
        matches!(self, Self::Unchanged | Self::Applied)
    }
}

/// A stack that the command has come past.
pub(super) struct Passed {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) ending: Ending,
    pub(super) counts: RunCounts,
    pub(super) run: Option<String>,
}

/// The way of a command through the stacks.
pub(super) struct Course<'a> {
    session: &'a Session,
    /// The stacks in the order in which the command takes them.
    pub(super) stacks: Vec<&'a Stack>,
    /// What must be done before each stack, by folder: folders of chosen stacks.
    before: BTreeMap<&'a str, BTreeSet<&'a str>>,
    pub(super) passed: Vec<Passed>,
}

impl<'a> Course<'a> {
    /// The way through the chosen stacks: that of their references, or back where everything is destroyed.
    pub(super) fn new(session: &'a Session, chosen: &'a Chosen, is_back: bool) -> Self {
        let mut stacks: Vec<&Stack> = chosen.stacks.iter().collect();
        let mut before: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for stack in &stacks {
            for other in &stacks {
                if stack.after.contains(&other.path) {
                    let (first, then) = if is_back {
                        (stack, other)
                    } else {
                        (other, stack)
                    };
                    before.entry(&then.path).or_default().insert(&first.path);
                }
            }
        }
        if is_back {
            stacks.reverse();
        }
        Self {
            session,
            stacks,
            before,
            passed: Vec::new(),
        }
    }

    /// What became of a stack that the command has come past.
    pub(super) fn ending(&self, path: &str) -> Option<&Ending> {
        let passed = self.passed.iter().find(|passed| passed.path == path);
        passed.map(|passed| &passed.ending)
    }

    /// The names of those before a stack of which `keeps` says that they keep it back.
    pub(super) fn kept_by(&self, stack: &Stack, keeps: impl Fn(&Ending) -> bool) -> Vec<String> {
        let before = self.before.get(stack.path.as_str());
        let is_before = |path: &str| before.is_some_and(|before| before.contains(path));
        self.passed
            .iter()
            .filter(|passed| is_before(&passed.path) && keeps(&passed.ending))
            .map(|passed| passed.name.clone())
            .collect()
    }

    /// The names of those before a stack that are not as they are to be yet.
    pub(super) fn undone_before(&self, stack: &Stack) -> Vec<String> {
        self.kept_by(stack, |ending| !ending.is_done())
    }

    /// Says whose turn it is.
    pub(super) fn begin(&self, stack: &Stack) {
        if self.session.view.json {
            let line = stream::stack_line(&stack.name, &stack.path);
            self.session.view.output(line);
        } else {
            let heading = view::heading(&stack.name, &stack.path, self.session.view.width);
            self.session.view.line(heading);
        }
    }

    /// Notes what became of a stack.
    pub(super) fn pass(
        &mut self,
        stack: &Stack,
        ending: Ending,
        counts: RunCounts,
        run: Option<String>,
    ) {
        self.passed.push(Passed {
            name: stack.name.clone(),
            path: stack.path.clone(),
            ending,
            counts,
            run,
        });
    }

    /// Tells why a stack could not be done, and notes it.
    pub(super) fn fail(&mut self, stack: &Stack, error: CommandError, run: Option<String>) {
        self.session
            .view
            .diagnostics(error.diagnostics, &error.sources);
        self.pass(stack, Ending::Failed, RunCounts::default(), run);
    }

    /// Notes that a stack waits for others.
    pub(super) fn wait(&mut self, stack: &Stack, others: Vec<String>) {
        self.begin(stack);
        self.session.view.paragraph(&format!(
            "Not now: {} before it.",
            match others.as_slice() {
                [one] => format!("stack {one:?} comes"),
                several => format!("the stacks {} come", several.join(", ")),
            }
        ));
        self.pass(stack, Ending::Waiting(others), RunCounts::default(), None);
    }

    /// Tells what became of all stacks. Gives the exit code; `is_detailed` where changes have one of their own.
    pub(super) fn finish(&self, is_detailed: bool) -> u8 {
        if self.session.view.json {
            let stacks = self.passed.iter().map(as_json).collect();
            self.session.view.output(stream::stacks_line(stacks));
        } else {
            let rows: Vec<Vec<String>> = self.passed.iter().map(row).collect();
            let width = self.session.view.width;
            self.session.view.line(view::summary(&rows, width));
        }
        self.code(is_detailed)
    }

    fn code(&self, is_detailed: bool) -> u8 {
        let any = |is: fn(&Ending) -> bool| self.passed.iter().any(|passed| is(&passed.ending));
        if any(|ending| matches!(ending, Ending::Failed | Ending::Cancelled)) {
            FAILURE
        } else if any(|ending| matches!(ending, Ending::Unapproved | Ending::Refused)) {
            REFUSED
        } else if any(|ending| matches!(ending, Ending::Drifted))
            || is_detailed && any(|ending| matches!(ending, Ending::Planned))
        {
            CHANGES
        } else {
            SUCCESS
        }
    }
}

fn row(passed: &Passed) -> Vec<String> {
    let counts = passed.counts;
    let changes = if counts == RunCounts::default() {
        "-".to_owned()
    } else {
        let imported = match counts.import {
            0 => String::new(),
            count => format!("{count} import, "),
        };
        format!(
            "{imported}{} add, {} change, {} destroy",
            counts.add, counts.change, counts.remove
        )
    };
    vec![
        passed.name.clone(),
        passed.ending.told(),
        changes,
        passed.run.clone().unwrap_or_else(|| "-".to_owned()),
    ]
}

fn as_json(passed: &Passed) -> serde_json::Value {
    let waits_for = match &passed.ending {
        Ending::Waiting(stacks) => stacks.clone(),
        _ => Vec::new(),
    };
    serde_json::json!({
        "stack": passed.name,
        "path": passed.path,
        "result": passed.ending.name(),
        "waits_for": waits_for,
        "changes": {
            "import": passed.counts.import,
            "add": passed.counts.add,
            "change": passed.counts.change,
            "remove": passed.counts.remove,
        },
        "run": passed.run,
    })
}
