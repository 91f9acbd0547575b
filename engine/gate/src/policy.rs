//! Policies among the rules of a gate, and what they say of a plan.

use std::collections::BTreeSet;

use serde_json::Value;
use terrace_diag::SourceMap;
use terrace_plan::Plan;
use terrace_policy::{Circumstances, DataFile, Finding, Policies, PolicyFile, Verdict};

use crate::calendar::utc;
use crate::{ChangeKind, Demand, Rules};

/// What a refusal by a policy means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyLevel {
    /// The plan is not applied.
    #[default]
    Mandatory,
    /// Somebody should know.
    Advisory,
}

impl PolicyLevel {
    /// Its name in a project file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mandatory => "mandatory",
            Self::Advisory => "advisory",
        }
    }

    /// The level of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Mandatory, Self::Advisory]
            .into_iter()
            .find(|level| level.name() == name)
    }
}

/// A `policy` block with the texts of its rules and data: rules are what they say, not where they lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// What a refusal means.
    pub level: PolicyLevel,
    /// The packages that judge; all of them where none is named.
    pub namespaces: Vec<String>,
    /// Whether a function that gets what it is not made for is an error.
    pub is_strict: bool,
    /// Change types of which a refusal is overridden: told and recorded, and no obstacle.
    pub except: BTreeSet<ChangeKind>,
    /// The rules, by paths relative to the project file.
    pub rules: Vec<PolicyFile>,
    /// The data, by paths relative to the project file.
    pub data: Vec<DataFile>,
}

/// What became of one result of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyEffect {
    /// The plan is not applied.
    Denied,
    /// A mandatory policy refuses, and the change type passes by it.
    Overridden,
    /// An advisory policy refuses.
    Advised,
    /// The rule only warns.
    Warned,
    /// An `exception` of the policy's own took it back.
    Excepted,
}

impl PolicyEffect {
    const ALL: [Self; 5] = [
        Self::Denied,
        Self::Overridden,
        Self::Advised,
        Self::Warned,
        Self::Excepted,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Overridden => "overridden",
            Self::Advised => "advised",
            Self::Warned => "warned",
            Self::Excepted => "excepted",
        }
    }

    /// The effect of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effect| effect.name() == name)
    }
}

/// One result of one rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyFinding {
    /// What became of it.
    pub effect: PolicyEffect,
    /// The rule with its package, such as `acme.tags.deny`; `None` where the policy could not be evaluated.
    pub rule: Option<String>,
    /// What it says.
    pub message: String,
    /// The object that it is about, where the rule names one.
    pub address: Option<String>,
    /// The files in which the rule lies.
    pub files: Vec<String>,
}

/// What one policy says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyResult {
    /// The policy's name.
    pub name: String,
    /// Its level.
    pub level: PolicyLevel,
    /// How many rules were asked.
    pub n_rules: u64,
    /// How many of them found nothing.
    pub n_passed: u64,
    /// What they found: by effect, rule and message.
    pub findings: Vec<PolicyFinding>,
}

/// What policies say of a plan, and under which circumstances they were asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyResults {
    /// When, in RFC 3339, UTC.
    pub time: String,
    /// Who made the plan, as the policies were told.
    pub actor: String,
    /// The stack that they were told.
    pub stack: Option<String>,
    /// The type that the change was judged as.
    pub change: ChangeKind,
    /// What each policy says, in the order of the project file.
    pub policies: Vec<PolicyResult>,
}

impl PolicyResults {
    /// Whether there were no policies to ask.
    pub const fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// How many results have this effect.
    pub fn count(&self, effect: PolicyEffect) -> usize {
        self.of(effect).count()
    }

    /// The results of this effect, each with its policy.
    pub fn of(
        &self,
        effect: PolicyEffect,
    ) -> impl Iterator<Item = (&PolicyResult, &PolicyFinding)> {
        self.policies.iter().flat_map(move |policy| {
            let findings = policy.findings.iter();
            findings
                .filter(move |finding| finding.effect == effect)
                .map(move |finding| (policy, finding))
        })
    }

    /// Whether a mandatory policy refuses the plan.
    pub fn refuses(&self) -> bool {
        self.count(PolicyEffect::Denied) > 0
    }

    /// The same with every text that a rule has made as `change` gives it back, such as without secrets.
    #[must_use]
    pub fn with_texts(mut self, change: impl Fn(&str) -> String) -> Self {
        for policy in &mut self.policies {
            for finding in &mut policy.findings {
                finding.message = change(&finding.message);
                finding.address = finding.address.as_deref().map(&change);
            }
        }
        self
    }
}

/// What policies are told that no plan says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    /// The stack's folder below the project file.
    pub stack: Option<String>,
    /// Who made the plan: a listed person's name where that is proven, else whom the machine calls so.
    pub actor: String,
    /// Now, in seconds since 1970 UTC.
    pub now: i64,
}

/// What the policies of `rules` say of `plan`. They are told the environment of the rules, not the one that the plan
/// claims, and the type that the change is judged as.
pub fn judge_policies(rules: &Rules, plan: &Plan, asker: &Asker) -> PolicyResults {
    let mut results = PolicyResults {
        time: utc(asker.now),
        actor: asker.actor.clone(),
        stack: asker.stack.clone(),
        ..PolicyResults::default()
    };
    if rules.policies.is_empty() {
        return results;
    }
    results.change = Demand::of(rules, plan).kind;
    let request = &plan.inputs.request;
    let circumstances = Circumstances {
        environment: Some(rules.environment.clone()),
        stack: asker.stack.clone(),
        workspace: plan.inputs.workspace.clone(),
        actor: asker.actor.clone(),
        change: results.change.name().to_owned(),
        commit: request.commit.clone(),
        time: results.time.clone(),
        statements: request.statements.clone(),
    };
    let (config, _) = terrace_config::load_snapshot(&plan.inputs.configuration);
    let text = terrace_plan::plan_json(plan, &config);
    let value = serde_json::from_str(&text).expect("the plan's JSON is JSON");
    let document = terrace_policy::input(value, &circumstances);
    results.policies = judge_document(&rules.policies, results.change, &document);
    results
}

/// What policies say of a document, for a change of this type.
pub fn judge_document(
    policies: &[Policy],
    change: ChangeKind,
    document: &Value,
) -> Vec<PolicyResult> {
    policies
        .iter()
        .map(|policy| policy.judge(change, document))
        .collect()
}

impl Policy {
    /// Whether nothing is applied that it refuses, a change of this type included.
    pub fn binds(&self, change: ChangeKind) -> bool {
        self.level == PolicyLevel::Mandatory && !self.except.contains(&change)
    }

    fn judge(&self, change: ChangeKind, document: &Value) -> PolicyResult {
        let mut result = PolicyResult {
            name: self.name.clone(),
            level: self.level,
            ..PolicyResult::default()
        };
        let refusal = match self.level {
            PolicyLevel::Advisory => PolicyEffect::Advised,
            PolicyLevel::Mandatory if self.binds(change) => PolicyEffect::Denied,
            PolicyLevel::Mandatory => PolicyEffect::Overridden,
        };
        let (policies, verdict) = match self.evaluate(document) {
            Ok(found) => found,
            Err(problems) => {
                // Nobody knows what it would have said.
                result.findings = problems
                    .into_iter()
                    .map(|why| PolicyFinding {
                        effect: refusal,
                        rule: None,
                        message: tame(&why),
                        address: None,
                        files: Vec::new(),
                    })
                    .collect();
                return result;
            }
        };
        result.n_rules = verdict.n_rules as u64;
        result.n_passed = verdict.n_passed as u64;
        let found = verdict.findings.iter().map(|found| {
            let effect = if found.severity.refuses() {
                refusal
            } else {
                PolicyEffect::Warned
            };
            finding(&policies, effect, found)
        });
        let excepted = verdict
            .excepted
            .iter()
            .map(|found| finding(&policies, PolicyEffect::Excepted, found));
        result.findings = found.chain(excepted).collect();
        result.findings.sort();
        result
    }

    fn evaluate(&self, document: &Value) -> Result<(Policies, Verdict), Vec<String>> {
        let mut sources = SourceMap::new();
        let (policies, diagnostics) = Policies::parse(&self.rules, &self.data, &mut sources);
        let told = |diagnostics: terrace_diag::Diagnostics, sources: &SourceMap| -> Vec<String> {
            let errors = diagnostics.sorted().into_iter();
            errors
                .filter(terrace_diag::Diagnostic::is_error)
                .map(|problem| match problem.subject {
                    Some(span) => format!("{} ({})", problem.detail, sources.place(span)),
                    None => problem.detail,
                })
                .collect()
        };
        if diagnostics.has_errors() {
            return Err(told(diagnostics, &sources));
        }
        let policies = if self.is_strict {
            policies.with_strict_functions()
        } else {
            policies
        };
        let (verdict, diagnostics) = policies.judge(document, &self.namespaces);
        if diagnostics.has_errors() {
            return Err(told(diagnostics, &sources));
        }
        Ok((policies, verdict))
    }
}

fn finding(policies: &Policies, effect: PolicyEffect, found: &Finding) -> PolicyFinding {
    let files = policies.files_of(&found.namespace, &found.rule);
    PolicyFinding {
        effect,
        rule: Some(format!("{}.{}", found.namespace, found.rule)),
        message: tame(&found.message),
        address: found.address().map(tame),
        files: files.into_iter().map(str::to_owned).collect(),
    }
}

/// In one line, without what would steer a terminal: policies quote what plans say.
fn tame(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.trim().to_owned()
}

impl Rules {
    /// Whether a policy may keep a plan from being applied.
    pub fn has_mandatory_policies(&self) -> bool {
        self.mandatory_policies().next().is_some()
    }

    /// The names of the policies that may keep a plan from being applied.
    pub fn mandatory_policies(&self) -> impl Iterator<Item = &str> {
        self.policies
            .iter()
            .filter(|policy| policy.level == PolicyLevel::Mandatory)
            .map(|policy| policy.name.as_str())
    }
}
