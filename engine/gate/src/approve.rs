//! The one way to an approved plan.

use std::collections::BTreeSet;
use std::fmt;

use terrace_plan::{Plan, PlanDigest};

use crate::{Approval, Evidence, Rules};

/// A plan that its environment's gate has let through.
///
/// Only [`approve`] builds one, so holding it proves that the evidence named this very plan. Nothing else can:
///
/// ```compile_fail,E0451
/// # fn forge(plan: terrace_plan::Plan, digest: terrace_plan::PlanDigest) -> terrace_gate::ApprovedPlan {
/// terrace_gate::ApprovedPlan { plan, digest, approvers: Vec::new() }
/// # }
/// ```
///
/// nor can evidence be made up instead of gathered:
///
/// ```compile_fail,E0451
/// # fn forge(digest: terrace_plan::PlanDigest) -> terrace_gate::Evidence {
/// terrace_gate::Evidence {
///     rules: None,
///     bootstrap: false,
///     authorship: None,
///     approvals: Vec::new(),
///     rejected: Vec::new(),
///     missing_upstream: Vec::new(),
///     digest,
///     now: 0,
/// }
/// # }
/// ```
#[derive(Debug)]
#[must_use = "an approved plan changes nothing until it is applied"]
pub struct ApprovedPlan {
    plan: Plan,
    digest: PlanDigest,
    approvers: Vec<String>,
}

impl ApprovedPlan {
    /// The plan.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its digest.
    pub const fn digest(&self) -> PlanDigest {
        self.digest
    }

    /// The people whose approvals counted.
    pub fn approvers(&self) -> &[String] {
        &self.approvers
    }
}

/// Why a plan was not let through: everything that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The environment.
    pub environment: String,
    /// The plan; `None` where there is none.
    pub digest: Option<PlanDigest>,
    /// What is missing.
    pub reasons: Vec<RefusalReason>,
}

/// One thing that keeps a plan from being let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// The evidence was gathered for another plan.
    OtherPlan,
    /// The state belongs to an environment that the plan was not made for.
    OtherEnvironment {
        /// The environment that the plan was made for.
        planned_for: Option<String>,
    },
    /// Nobody listed has signed as the plan's author.
    UnknownAuthor,
    /// Too few approvals count.
    Approvals {
        /// How many are asked for.
        needed: u32,
        /// Who has given one that counts.
        granted: Vec<String>,
    },
    /// Nobody of a role has approved.
    Role {
        /// The role.
        role: String,
        /// Its members, less the author.
        members: Vec<String>,
    },
    /// An environment that comes before has not applied this configuration.
    Upstream {
        /// The environment.
        environment: String,
    },
    /// A statement was found that does not count, and why.
    NotCounted(String),
    /// The state may be written only by applying an approved plan.
    ManualWrite,
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherPlan => f.write_str("The evidence was gathered for another plan."),
            Self::OtherEnvironment { planned_for: Some(name) } => {
                write!(f, "The plan was made for environment {name:?}.")
            }
            Self::OtherEnvironment { planned_for: None } => {
                f.write_str("The plan was made without choosing the environment that this state belongs to.")
            }
            Self::UnknownAuthor => f.write_str(
                "The plan's author is unknown: it carries no signature by a key that the project file lists.",
            ),
            Self::Approvals { needed, granted } if granted.is_empty() => {
                write!(f, "It needs {needed} approval{} by people other than its author, and has none.", plural(*needed))
            }
            Self::Approvals { needed, granted } => write!(
                f,
                "It needs {needed} approval{} by people other than its author, and has {}: by {}.",
                plural(*needed),
                granted.len(),
                granted.join(", ")
            ),
            Self::Role { role, members } if members.is_empty() => {
                write!(f, "Someone of role {role:?} must approve it, and nobody but the author has that role.")
            }
            Self::Role { role, members } => {
                write!(f, "Someone of role {role:?} must approve it: {}.", members.join(" or "))
            }
            Self::Upstream { environment } => {
                write!(f, "Environment {environment:?} comes before, and has not applied this configuration.")
            }
            Self::NotCounted(why) => write!(f, "Not counted: {why}."),
            Self::ManualWrite => {
                f.write_str("Its state is changed only by applying a plan that its gate has let through.")
            }
        }
    }
}

const fn plural(count: u32) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Lets `plan` through the gate that `evidence` holds, or says everything that is missing.
///
/// An author's own approval does not count, by whichever of the author's keys; nor does one person's second, an
/// expired one, one by a key that the rules do not list, or one for another plan, environment or kind of change.
#[expect(
    clippy::needless_pass_by_value,
    reason = "evidence serves one judgement"
)]
pub fn approve(plan: Plan, evidence: Evidence) -> Result<ApprovedPlan, Box<Refusal>> {
    let digest = evidence.digest;
    let Some(rules) = &evidence.rules else {
        return verified(plan, digest, Vec::new(), String::new());
    };
    let mut reasons = Vec::new();
    if plan.inputs.environment.as_deref() != Some(&rules.environment) && rules.is_gated() {
        reasons.push(RefusalReason::OtherEnvironment {
            planned_for: plan.inputs.environment.clone(),
        });
    }
    reasons.extend(
        evidence
            .missing_upstream
            .iter()
            .map(|environment| RefusalReason::Upstream {
                environment: environment.clone(),
            }),
    );
    let mut approvers = Vec::new();
    if rules.gate.is_some() {
        approvers = judge_approvals(rules, &evidence, &mut reasons);
    }
    if reasons.is_empty() {
        verified(plan, digest, approvers, rules.environment.clone())
    } else {
        Err(Box::new(Refusal {
            environment: rules.environment.clone(),
            digest: Some(digest),
            reasons,
        }))
    }
}

/// The digest is computed from the plan itself at the last moment: evidence of another plan opens nothing.
fn verified(
    plan: Plan,
    digest: PlanDigest,
    approvers: Vec<String>,
    environment: String,
) -> Result<ApprovedPlan, Box<Refusal>> {
    if plan.digest() != digest {
        let reasons = vec![RefusalReason::OtherPlan];
        return Err(Box::new(Refusal {
            environment,
            digest: Some(digest),
            reasons,
        }));
    }
    Ok(ApprovedPlan {
        plan,
        digest,
        approvers,
    })
}

fn judge_approvals(
    rules: &Rules,
    evidence: &Evidence,
    reasons: &mut Vec<RefusalReason>,
) -> Vec<String> {
    let Some(gate) = &rules.gate else {
        return Vec::new();
    };
    reasons.extend(
        evidence
            .rejected
            .iter()
            .cloned()
            .map(RefusalReason::NotCounted),
    );
    let author = evidence
        .authorship
        .as_ref()
        .filter(|author| {
            author.statement.plan == evidence.digest
                && author.statement.environment == rules.environment
        })
        .and_then(|author| rules.person_of(&author.fingerprint));
    let Some(author) = author else {
        reasons.push(RefusalReason::UnknownAuthor);
        return Vec::new();
    };
    let mut granted: BTreeSet<&str> = BTreeSet::new();
    for approval in &evidence.approvals {
        match count(approval, rules, evidence, author) {
            Ok(person) => {
                granted.insert(person);
            }
            Err(why) => reasons.push(RefusalReason::NotCounted(why)),
        }
    }
    let mut missing = Vec::new();
    if granted.len() < gate.approvals as usize {
        let granted = granted.iter().map(|name| (*name).to_owned()).collect();
        missing.push(RefusalReason::Approvals {
            needed: gate.approvals,
            granted,
        });
    }
    for role in &gate.roles {
        let members = rules.roles.get(role).cloned().unwrap_or_default();
        if !members
            .iter()
            .any(|member| granted.contains(member.as_str()))
        {
            let members = members
                .into_iter()
                .filter(|member| member != author)
                .collect();
            missing.push(RefusalReason::Role {
                role: role.clone(),
                members,
            });
        }
    }
    // What did not count is told only where something is missing: a surplus bad approval takes nothing away.
    if missing.is_empty() {
        reasons.retain(|reason| !matches!(reason, RefusalReason::NotCounted(_)));
    } else {
        reasons.splice(0..0, missing);
    }
    granted.into_iter().map(str::to_owned).collect()
}

/// Whose approval it is, if it counts.
fn count<'a>(
    approval: &Approval,
    rules: &'a Rules,
    evidence: &Evidence,
    author: &str,
) -> Result<&'a str, String> {
    let statement = &approval.statement;
    let Some(person) = rules.person_of(&approval.fingerprint) else {
        return Err(format!(
            "the key {} is not listed in the rules in force",
            approval.fingerprint
        ));
    };
    if statement.plan != evidence.digest {
        return Err(format!(
            "{person} approved another plan, {}",
            statement.plan.short()
        ));
    }
    if statement.environment != rules.environment {
        return Err(format!(
            "{person} approved for environment {:?}",
            statement.environment
        ));
    }
    if statement.change != "normal" {
        return Err(format!(
            "{person} approved a change of kind {:?}",
            statement.change
        ));
    }
    if statement
        .expires_at
        .is_some_and(|expiry| expiry <= evidence.now)
    {
        return Err(format!("the approval by {person} has expired"));
    }
    if person == author {
        return Err(format!("{person} is the author of the plan"));
    }
    Ok(person)
}
