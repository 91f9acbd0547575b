//! What became of the plan of one stack in one environment.

/// How many objects a plan touches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Taken over.
    pub import: u64,
    /// Created, replacements included.
    pub add: u64,
    /// Changed in place.
    pub change: u64,
    /// Destroyed, replacements included.
    pub destroy: u64,
}

impl Counts {
    /// `2 to add, 0 to change, 1 to destroy`, as plans say it.
    pub fn told(self) -> String {
        let imported = match self.import {
            0 => String::new(),
            count => format!("{count} to import, "),
        };
        format!(
            "{imported}{} to add, {} to change, {} to destroy",
            self.add, self.change, self.destroy
        )
    }

    /// The sum of two.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            import: self.import + other.import,
            add: self.add + other.add,
            change: self.change + other.change,
            destroy: self.destroy + other.destroy,
        }
    }
}

/// What planning has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is something to do.
    Changes,
    /// There is nothing to do.
    Unchanged,
    /// No plan could be made.
    Failed,
    /// It can be planned once these stacks have been applied.
    Waiting(Vec<String>),
}

/// How a policy judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It denies the plan.
    Denied,
    /// It denied the plan, and the change type passes by it.
    Overridden,
    /// It warns, and stops nothing.
    Warned,
    /// It has nothing against the plan.
    Passed,
}

impl Verdict {
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Overridden => "overridden",
            Self::Warned => "warned",
            Self::Passed => "passed",
        }
    }

    /// The verdict of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Denied, Self::Overridden, Self::Warned, Self::Passed]
            .into_iter()
            .find(|verdict| verdict.name() == name)
    }
}

/// What one policy says of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyReport {
    /// The policy, and the rule in it where one is known.
    pub policy: String,
    /// How it judged.
    pub verdict: Verdict,
    /// What it says; empty where it has nothing to say.
    pub message: String,
}

/// Something that keeps a plan from being let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingPiece {
    /// What.
    pub reason: String,
    /// Who gives it, and how.
    pub remedy: Option<String>,
}

/// What the gate of the environment says of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GateReport {
    /// The type of change that it is judged as.
    pub kind: String,
    /// What is asked for.
    pub asks: Vec<String>,
    /// Who has approved, and counts.
    pub approved_by: Vec<String>,
    /// What is missing; nothing where the plan is let through.
    pub missing: Vec<MissingPiece>,
}

/// One object that a plan changes, and the block that describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedObject {
    /// Its address.
    pub address: String,
    /// What happens to it, such as `create` or `replace`.
    pub action: String,
    /// The file of its block, relative to the repository; `None` where it has none.
    pub file: Option<String>,
    /// The lines of the block, from 1.
    pub lines: (u32, u32),
}

/// Something wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether nothing could be planned because of it.
    pub is_error: bool,
    /// What, in short.
    pub title: String,
    /// What, and what to do.
    pub message: String,
    /// The file, relative to the repository.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: u32,
}

/// The plan of one stack in one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanReport {
    /// The environment; `None` without a project file.
    pub environment: Option<String>,
    /// The stack; `None` where there is only one.
    pub stack: Option<String>,
    /// What planning has come to.
    pub outcome: Outcome,
    /// What the plan touches.
    pub counts: Counts,
    /// The run that keeps it.
    pub run: Option<String>,
    /// The plan as people read it, or why there is none.
    pub text: String,
    /// What policies say: what stops it first.
    pub policies: Vec<PolicyReport>,
    /// What the gate says; `None` where there is none.
    pub gate: Option<GateReport>,
    /// The objects that it changes.
    pub objects: Vec<ChangedObject>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl PlanReport {
    /// `prd / network`, or whatever of it there is.
    pub fn name(&self) -> String {
        match (&self.environment, &self.stack) {
            (Some(environment), Some(stack)) => format!("{environment} / {stack}"),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => "plan".to_owned(),
        }
    }

    /// Whether a mandatory policy stops it.
    pub fn is_denied(&self) -> bool {
        self.policies
            .iter()
            .any(|policy| policy.verdict == Verdict::Denied)
    }

    /// Whether it cannot be applied as it is, however many approve it.
    pub fn is_broken(&self) -> bool {
        self.outcome == Outcome::Failed || self.is_denied()
    }

    /// In a few words.
    pub fn told(&self) -> String {
        match &self.outcome {
            Outcome::Changes => self.counts.told(),
            Outcome::Unchanged => "no changes".to_owned(),
            Outcome::Failed => "failed".to_owned(),
            Outcome::Waiting(stacks) => format!("waits for {}", stacks.join(", ")),
        }
    }
}
