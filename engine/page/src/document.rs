//! What a page shows.

use terrace_gate::Run;
use terrace_plan::{Plan, PlanDigest};

/// A plan, and what is known of the run that it belongs to.
#[derive(Clone, Debug)]
pub struct RunPage<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its digest.
    pub digest: PlanDigest,
    /// The run's record; `None` for a plan file alone.
    pub run: Option<&'a Run>,
    /// The project and the stack in it, where there is a project file.
    pub stack: Option<String>,
    /// What the gate says; `None` where no gate is asked.
    pub gate: Option<GateState>,
    /// What policies say, in the order in which they are to be read.
    pub policies: Vec<PolicyOutcome>,
    /// Version of Terrace that makes the page.
    pub version: &'a str,
}

/// What the gate of an environment asks of a plan, and where that stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GateState {
    /// The environment.
    pub environment: String,
    /// The type of change that the plan is judged as.
    pub kind: String,
    /// Whether it was asked already, and let the plan through.
    pub is_over: bool,
    /// What is asked for, a sentence each.
    pub asks: Vec<String>,
    /// Everybody who counts as the plan's author, each with what says so.
    pub authors: Vec<String>,
    /// What is missing; nothing when the plan is let through.
    pub missing: Vec<Missing>,
    /// Who has approved.
    pub approvals: Vec<Approval>,
    /// The risks that were found: the name, and the addresses of the changes that are risky, each as [`terrace_gate::Demand`]
    /// tells it.
    pub risks: Vec<(String, Vec<String>)>,
}

/// Something that keeps a plan from being let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What.
    pub reason: String,
    /// Who gives it, and how.
    pub remedy: Option<String>,
}

/// An approval that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Who signed it; the key where nobody listed has it.
    pub person: String,
    /// The key.
    pub fingerprint: String,
    /// RFC 3339 time of the signature.
    pub signed: String,
    /// RFC 3339 time from which it is none.
    pub expires: Option<String>,
    /// What the signer says.
    pub comment: String,
    /// Whether it counts now.
    pub counts: bool,
}

/// How a policy judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyVerdict {
    /// It has nothing against the plan.
    Passed,
    /// It warns, and stops nothing.
    Warned,
    /// It denies the plan.
    Denied,
    /// It denied the plan, and somebody let it pass nevertheless.
    Overridden,
}

/// What one policy says of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyOutcome {
    /// The policy, and the rule in it where one is known.
    pub policy: String,
    /// How binding it is, such as `mandatory`; empty where that is not told.
    pub level: String,
    /// How it judged.
    pub verdict: PolicyVerdict,
    /// What it says; empty where it has nothing to say.
    pub message: String,
}
