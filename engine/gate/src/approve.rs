//! The one way to an approved plan.

use std::collections::BTreeSet;

use terrace_plan::{Plan, PlanDigest};

use crate::calendar::length;
use crate::evidence::UpstreamFound;
use crate::{
    Approval, ChangeKind, Demand, Evidence, Identified, Obstacle, PolicyEffect, PolicyResults,
    Refusal, RefusalReason, Review, Rules,
};

/// How far clocks of two machines may be apart, in seconds.
pub(crate) const CLOCKS_APART: i64 = 60;

/// A plan that its environment's gate has let through.
///
/// Only [`approve`] builds one, so holding it proves that the evidence named this very plan. Nothing else can:
///
/// ```compile_fail,E0451
/// # fn forge(plan: terrace_plan::Plan) -> terrace_gate::ApprovedPlan {
/// terrace_gate::ApprovedPlan { plan, ..unimplemented!() }
/// # }
/// ```
///
/// nor can evidence be made up instead of gathered:
///
/// ```compile_fail,E0451
/// # fn forge() -> terrace_gate::Evidence {
/// terrace_gate::Evidence { rules: None, ..unimplemented!() }
/// # }
/// ```
#[derive(Debug)]
#[must_use = "an approved plan changes nothing until it is applied"]
pub struct ApprovedPlan {
    plan: Plan,
    digest: PlanDigest,
    author: Option<String>,
    authors: Vec<String>,
    identity: Option<Identified>,
    approvers: Vec<String>,
    kind: ChangeKind,
    review: Option<Review>,
    policies: PolicyResults,
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

    /// The listed person who signed it as its author, or whom a workflow's identity names so, where that was asked for.
    pub fn author(&self) -> Option<&str> {
        self.author.as_deref()
    }

    /// Everybody who counts as an author, in the order of their names: who signed it, who started the workflow that made
    /// it, and who made the commit.
    pub fn authors(&self) -> &[String] {
        &self.authors
    }

    /// The workflow's identity that was relied on, where there was one.
    pub const fn identity(&self) -> Option<&Identified> {
        self.identity.as_ref()
    }

    /// The people whose approvals counted.
    pub fn approvers(&self) -> &[String] {
        &self.approvers
    }

    /// The type of change that it was let through as.
    pub const fn kind(&self) -> ChangeKind {
        self.kind
    }

    /// What the policies in force say of it.
    pub const fn policies(&self) -> &PolicyResults {
        &self.policies
    }

    /// The review that is owed once it has begun to be applied.
    pub const fn owes(&self) -> Option<&Review> {
        self.review.as_ref()
    }
}

/// Lets `plan` through the gate that `evidence` holds, or says everything that is missing.
///
/// An author's own approval does not count, by whichever of the author's keys; of a plan that a workflow made, those who
/// started it and who made the commit are authors. Nor does one person's second, an
/// expired or revoked one, one by a key that the rules do not list, or one for another plan, environment or kind of
/// change.
#[expect(
    clippy::needless_pass_by_value,
    reason = "evidence serves one judgement"
)]
pub fn approve(plan: Plan, evidence: Evidence) -> Result<ApprovedPlan, Box<Refusal>> {
    let digest = evidence.digest;
    let Some(rules) = &evidence.rules else {
        return verified(plan, &evidence, Granted::default(), ChangeKind::Normal);
    };
    let demand = Demand::of(rules, &plan);
    let mut reasons = Vec::new();
    let is_other = plan.inputs.environment.as_deref() != Some(&rules.environment);
    if is_other && (rules.is_gated() || rules.has_mandatory_policies() || demand.asks) {
        reasons.push(RefusalReason::OtherEnvironment {
            planned_for: plan.inputs.environment.clone(),
        });
    }
    let now = judge_clock(rules, &demand, &evidence, &mut reasons);
    judge_rules(rules, &demand, &evidence, &mut reasons);
    judge_request(rules, &demand, &plan, &mut reasons);
    judge_upstream(&demand, &evidence, now, &mut reasons);
    judge_branch(rules, &demand, &plan, &evidence, &mut reasons);
    judge_times(rules, &demand, now, &mut reasons);
    judge_reviews(&demand, &evidence, now, &mut reasons);
    let policies = evidence.judge_policies(&plan, now);
    reasons.extend(denials(&policies));
    let mut granted = Granted::default();
    if demand.asks {
        granted = judge_approvals(&plan, rules, &demand, &evidence, now, &mut reasons);
    }
    granted.policies = policies;
    if reasons.is_empty() {
        return verified(plan, &evidence, granted, demand.kind);
    }
    // Why more is asked for than its author thought belongs to what is missing.
    let asked = plan.inputs.request.kind.clone();
    let misfits = demand.misfits.iter().map(|why| RefusalReason::Misfit {
        kind: asked.clone(),
        why: why.clone(),
    });
    reasons.splice(0..0, misfits);
    Err(Box::new(Refusal {
        environment: rules.environment.clone(),
        digest: Some(digest),
        kind: demand.kind,
        reasons,
        policies: granted.policies,
    }))
}

/// The people whose approvals of `plan` count, in the order of their names. Whether they are enough is for [`approve`] to
/// say.
pub fn approvers_counted(plan: &Plan, evidence: &Evidence) -> Vec<String> {
    let Some(rules) = &evidence.rules else {
        return Vec::new();
    };
    let demand = Demand::of(rules, plan);
    let now = evidence.now.max(evidence.recorded.unwrap_or(i64::MIN));
    judge_approvals(plan, rules, &demand, evidence, now, &mut Vec::new()).approvers
}

/// What mandatory policies refuse.
fn denials(policies: &PolicyResults) -> impl Iterator<Item = RefusalReason> {
    policies
        .of(PolicyEffect::Denied)
        .map(|(policy, finding)| RefusalReason::Policy {
            policy: policy.name.clone(),
            rule: finding.rule.clone(),
            message: finding.message.clone(),
            files: finding.files.clone(),
        })
}

/// Who made a plan, who let it through, and what policies say of it.
#[derive(Default)]
struct Granted {
    author: Option<String>,
    approvers: Vec<String>,
    policies: PolicyResults,
}

/// The digest is computed from the plan itself at the last moment: evidence of another plan opens nothing.
fn verified(
    plan: Plan,
    evidence: &Evidence,
    granted: Granted,
    kind: ChangeKind,
) -> Result<ApprovedPlan, Box<Refusal>> {
    let digest = evidence.digest;
    let rules = evidence.rules.as_ref();
    if plan.digest() != digest {
        return Err(Box::new(Refusal {
            environment: rules
                .map(|rules| rules.environment.clone())
                .unwrap_or_default(),
            digest: Some(digest),
            kind,
            reasons: vec![RefusalReason::OtherPlan],
            policies: granted.policies,
        }));
    }
    let review = rules
        .and_then(|rules| rules.changes.get(&kind))
        .and_then(|rule| rule.review.clone());
    Ok(ApprovedPlan {
        plan,
        digest,
        author: granted.author,
        authors: evidence.authors().into_iter().map(str::to_owned).collect(),
        identity: evidence.identified().cloned(),
        approvers: granted.approvers,
        kind,
        review,
        policies: granted.policies,
    })
}

/// The time by which everything else is judged: never one that is over by the audit log.
fn judge_clock(
    rules: &Rules,
    demand: &Demand,
    evidence: &Evidence,
    reasons: &mut Vec<RefusalReason>,
) -> i64 {
    let recorded = evidence.recorded.unwrap_or(i64::MIN);
    let matters = rules.is_gated()
        || demand.asks
        || !rules.freezes.is_empty()
        || rules.has_mandatory_policies();
    if matters && evidence.now.saturating_add(CLOCKS_APART) < recorded {
        reasons.push(RefusalReason::ClockBack {
            now: evidence.now,
            recorded,
        });
    }
    evidence.now.max(recorded)
}

/// Applying brings the project file's rules into force. Others than those that the plan holds are approved by nobody.
fn judge_rules(
    rules: &Rules,
    demand: &Demand,
    evidence: &Evidence,
    reasons: &mut Vec<RefusalReason>,
) {
    let matters = rules.is_gated() || demand.asks || rules.has_mandatory_policies();
    if matters && evidence.other_rules {
        reasons.push(RefusalReason::OtherRules);
    }
}

fn judge_request(rules: &Rules, demand: &Demand, plan: &Plan, reasons: &mut Vec<RefusalReason>) {
    if !demand.asks {
        return;
    }
    let request = &plan.inputs.request;
    let is_blank = |text: Option<&String>| text.is_none_or(|text| text.trim().is_empty());
    if demand.kind == ChangeKind::Emergency && is_blank(request.reason.as_ref()) {
        reasons.push(RefusalReason::NoReason);
    }
    for name in &rules.required_statements {
        if is_blank(request.statements.get(name)) {
            reasons.push(RefusalReason::Statement { name: name.clone() });
        }
    }
}

fn judge_upstream(
    demand: &Demand,
    evidence: &Evidence,
    now: i64,
    reasons: &mut Vec<RefusalReason>,
) {
    if !demand.holds(Obstacle::After) {
        return;
    }
    for found in &evidence.upstream {
        if !found.has_applied {
            reasons.push(RefusalReason::Upstream {
                environment: found.environment.clone(),
            });
        } else if let Some(soak) = demand.soak
            && demand.holds(Obstacle::Soak)
        {
            reasons.extend(judge_soak(found, soak, now));
        }
    }
}

/// Whether an environment has run what it applied for so long, and a drift check made after that shows it.
pub(crate) fn judge_soak(found: &UpstreamFound, soak: u64, now: i64) -> Option<RefusalReason> {
    let environment = found.environment.clone();
    let soak = i64::try_from(soak).unwrap_or(i64::MAX);
    let check = found.drift.as_ref();
    if let Some(check) = check
        && !check.drifted.is_empty()
    {
        return Some(RefusalReason::Drifted {
            environment,
            lines: check.drifted.clone(),
        });
    }
    // What was disturbed in between has to begin anew.
    let since = check
        .and_then(|check| check.disturbed)
        .unwrap_or(i64::MIN)
        .max(found.applied_at.unwrap_or(i64::MAX));
    let until = since.saturating_add(soak);
    if now < until {
        return Some(RefusalReason::Soak {
            environment,
            until,
            unchecked: false,
        });
    }
    let shown = check.is_some_and(|check| check.checked >= until && check.checked <= now);
    (!shown).then_some(RefusalReason::Soak {
        environment,
        until,
        unchecked: true,
    })
}

fn judge_branch(
    rules: &Rules,
    demand: &Demand,
    plan: &Plan,
    evidence: &Evidence,
    reasons: &mut Vec<RefusalReason>,
) {
    let Some(branch) = &rules.branch else { return };
    if !demand.holds(Obstacle::Branch) {
        return;
    }
    let refuse = |why: String| RefusalReason::Branch {
        branch: branch.clone(),
        why,
    };
    let Some(commit) = &plan.inputs.request.commit else {
        reasons.push(refuse(
            "the plan does not say of which commit it is".to_owned(),
        ));
        return;
    };
    match &evidence.source {
        Some(source) if source.commit == *commit && source.branch == *branch => {
            reasons.extend(source.problems.iter().cloned().map(refuse));
        }
        _ => reasons.push(refuse(format!(
            "there is no repository here in which to look for {commit}"
        ))),
    }
}

fn judge_times(rules: &Rules, demand: &Demand, now: i64, reasons: &mut Vec<RefusalReason>) {
    if demand.holds(Obstacle::Window) {
        for windows in &demand.windows {
            if !windows.iter().any(|window| window.is_open(now)) {
                reasons.push(RefusalReason::Window {
                    opens: windows
                        .iter()
                        .filter_map(|window| window.next_opening(now))
                        .min(),
                    windows: windows.clone(),
                });
            }
        }
    }
    if demand.holds(Obstacle::Freeze) {
        for freeze in &rules.freezes {
            if let Some(until) = freeze.holds(now) {
                reasons.push(RefusalReason::Frozen {
                    reason: freeze.reason.clone(),
                    until,
                    zone: freeze.zone.clone(),
                });
            }
        }
    }
}

/// An overdue review stops everything but the next emergency.
fn judge_reviews(demand: &Demand, evidence: &Evidence, now: i64, reasons: &mut Vec<RefusalReason>) {
    if demand.kind == ChangeKind::Emergency {
        return;
    }
    for open in &evidence.open_reviews {
        if open.owed.due <= now {
            reasons.push(RefusalReason::ReviewOverdue {
                run: open.owed.run.clone(),
                due: open.owed.due,
                needed: open.owed.approvals,
                reviewers: open.reviewers.clone(),
            });
        }
    }
}

/// What an approval is judged by.
struct Judge<'a> {
    rules: &'a Rules,
    demand: &'a Demand,
    evidence: &'a Evidence,
    authors: &'a BTreeSet<&'a str>,
    now: i64,
}

fn judge_approvals(
    plan: &Plan,
    rules: &Rules,
    demand: &Demand,
    evidence: &Evidence,
    now: i64,
    reasons: &mut Vec<RefusalReason>,
) -> Granted {
    let rejected = evidence.rejected.iter().cloned();
    let mut not_counted: Vec<RefusalReason> = rejected.map(RefusalReason::NotCounted).collect();
    let Some(author) = evidence.author() else {
        reasons.extend(not_counted);
        reasons.push(RefusalReason::UnknownAuthor {
            by_workflow: !rules.identities.is_empty(),
        });
        return Granted::default();
    };
    let authors = evidence.authors();
    let judge = Judge {
        rules,
        demand,
        evidence,
        authors: &authors,
        now,
    };
    let mut granted: BTreeSet<&str> = BTreeSet::new();
    let signed = evidence
        .approvals
        .iter()
        .map(|approval| judge.count(approval));
    let reviewed = evidence
        .forge
        .iter()
        .map(|review| judge.count_review(review, plan));
    for found in signed.chain(reviewed) {
        match found {
            Ok(person) => {
                granted.insert(person);
            }
            Err(why) => not_counted.push(RefusalReason::NotCounted(why)),
        }
    }
    let missing = judge.missing(&granted);
    // What did not count is told only where something is missing: a surplus bad approval takes nothing away.
    if !missing.is_empty() {
        reasons.extend(missing);
        reasons.extend(not_counted);
    }
    Granted {
        author: Some(author.to_owned()),
        approvers: granted.into_iter().map(str::to_owned).collect(),
        policies: PolicyResults::default(),
    }
}

impl<'a> Judge<'a> {
    /// Which approvals are missing still.
    fn missing(&self, granted: &BTreeSet<&str>) -> Vec<RefusalReason> {
        let mut missing = Vec::new();
        if granted.len() < self.demand.approvals as usize {
            missing.push(RefusalReason::Approvals {
                needed: self.demand.approvals,
                granted: granted.iter().map(|name| (*name).to_owned()).collect(),
            });
        }
        for (role, needed) in &self.demand.roles {
            let members = self.rules.roles.get(role);
            let members = members.into_iter().flatten();
            let (have, others): (Vec<&String>, Vec<&String>) =
                members.partition(|member| granted.contains(member.as_str()));
            if have.len() >= *needed as usize {
                continue;
            }
            missing.push(RefusalReason::Role {
                role: role.clone(),
                needed: *needed,
                members: others
                    .into_iter()
                    .filter(|member| !self.authors.contains(member.as_str()))
                    .cloned()
                    .collect(),
                risk: self.risk_asking(role, *needed),
            });
        }
        missing
    }

    /// The risk that asks for a role, where the gate alone would not.
    fn risk_asking(&self, role: &str, needed: u32) -> Option<String> {
        let gate = match self.demand.kind {
            ChangeKind::Normal => self.rules.gate.as_ref(),
            kind => self.rules.changes.get(&kind).map(|rule| &rule.gate),
        };
        let asked = gate.and_then(|gate| gate.roles.get(role)).copied();
        if asked.unwrap_or_default() >= needed {
            return None;
        }
        let found = self.demand.risks.iter().find(|(name, _)| {
            self.rules
                .risks
                .iter()
                .any(|risk| risk.name == *name && risk.gate.roles.contains_key(role))
        });
        found.map(|(name, _)| name.clone())
    }

    /// Whose approval it is, if it counts.
    fn count(&self, approval: &Approval) -> Result<&'a str, String> {
        let statement = &approval.statement;
        let Some(person) = self.rules.person_of(&approval.fingerprint) else {
            return Err(format!(
                "the key {} is not listed in the rules in force",
                approval.fingerprint
            ));
        };
        if statement.plan != self.evidence.digest {
            return Err(format!(
                "{person} approved another plan, {}",
                statement.plan.short()
            ));
        }
        if statement.environment != self.rules.environment {
            return Err(format!(
                "{person} approved for environment {:?}",
                statement.environment
            ));
        }
        if statement.change != self.demand.kind.name() {
            return Err(format!(
                "{person} approved a change of kind {:?}",
                statement.change
            ));
        }
        if statement.signed_at > self.now.saturating_add(CLOCKS_APART) {
            return Err(format!(
                "the approval by {person} is of a time that has not come yet"
            ));
        }
        if statement
            .expires_at
            .is_some_and(|expiry| expiry <= self.now)
        {
            return Err(format!("the approval by {person} has expired"));
        }
        self.check_age(person, statement.signed_at)?;
        if self.is_revoked(person, statement.signed_at) {
            return Err(format!("{person} has taken the approval back"));
        }
        if self.authors.contains(person) {
            return Err(format!("{person} is the author of the plan"));
        }
        Ok(person)
    }

    fn check_age(&self, person: &str, signed_at: i64) -> Result<(), String> {
        let Some(expires) = self.demand.expires else {
            return Ok(());
        };
        let expires = i64::try_from(expires).unwrap_or(i64::MAX);
        if signed_at.saturating_add(expires) <= self.now {
            return Err(format!(
                "the approval by {person} is older than {}",
                length(expires)
            ));
        }
        Ok(())
    }

    fn is_revoked(&self, person: &str, signed_at: i64) -> bool {
        self.evidence.revocations.iter().any(|revocation| {
            let statement = &revocation.statement;
            statement.plan == self.evidence.digest
                && statement.environment == self.rules.environment
                && statement.signed_at >= signed_at
                && self.rules.person_of(&revocation.fingerprint) == Some(person)
        })
    }

    /// Whose review at the forge it is, if it counts as an approval of this plan.
    fn count_review(&self, review: &crate::ForgeReview, plan: &Plan) -> Result<&'a str, String> {
        let login = &review.login;
        if self.demand.kind != ChangeKind::Normal {
            return Err(format!(
                "the review by {login} at GitHub is of a commit, and no approval of a change of kind {:?}",
                self.demand.kind.name()
            ));
        }
        let Some(person) = self.rules.person_of_login(login) else {
            return Err(format!(
                "the login {login:?} at GitHub is not listed in the rules in force"
            ));
        };
        if plan.inputs.request.commit.as_deref() != Some(&review.commit) {
            return Err(format!(
                "{person} reviewed commit {}, and the plan is of {}",
                review.commit,
                plan.inputs.request.commit.as_deref().unwrap_or("none")
            ));
        }
        if let Some(environment) = &review.environment
            && *environment != self.rules.environment
        {
            return Err(format!(
                "{person} approved a deployment to environment {environment:?}"
            ));
        }
        self.check_age(person, review.at)?;
        if self.authors.contains(person) || review.is_own {
            return Err(format!("{person} is the author of the change"));
        }
        Ok(person)
    }
}
