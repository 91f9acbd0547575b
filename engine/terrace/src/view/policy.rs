//! What policies say, and how their tests ended.

use serde_json::{Value, json};
use terrace_gate::{PolicyEffect, PolicyFinding, PolicyResult, PolicyResults};
use terrace_policy::{Finding, Severity, TestOutcome, TestResult, Verdict};

use super::View;
use super::style::Role;

/// A verdict: what refuses first, then what warns, then the counts.
pub(crate) fn verdict(verdict: &Verdict, view: &View) -> String {
    let mut lines = Vec::new();
    let of = |refuses: bool| {
        verdict
            .findings
            .iter()
            .filter(move |finding| finding.severity.refuses() == refuses)
    };
    lines.extend(of(true).map(|found| finding(found, view)));
    lines.extend(of(false).map(|found| finding(found, view)));
    for excepted in &verdict.excepted {
        let text = view.style.paint(Role::Faint, "excepted");
        lines.push(format!(
            "{text}  {}  ({})",
            excepted.message,
            name(excepted)
        ));
    }
    for print in &verdict.prints {
        lines.push(view.style.paint(Role::Faint, format!("printed   {print}")));
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(counts(verdict));
    lines.join("\n")
}

/// `3 rules: 1 denied, 2 warned, 0 passed.`
pub(crate) fn counts(verdict: &Verdict) -> String {
    let refusals = verdict
        .findings
        .iter()
        .filter(|finding| finding.severity.refuses())
        .count();
    format!(
        "Policies: {} denied, {} warned, {} excepted; {} of {} rules found nothing.",
        refusals,
        verdict.findings.len() - refusals,
        verdict.excepted.len(),
        verdict.n_passed,
        verdict.n_rules
    )
}

fn finding(finding: &Finding, view: &View) -> String {
    let (role, word) = match finding.severity {
        Severity::Deny => (Role::Remove, "deny     "),
        Severity::Violation => (Role::Remove, "violation"),
        Severity::Warn => (Role::Change, "warn     "),
    };
    format!(
        "{} {}  ({})",
        view.style.paint(role, word),
        finding.message,
        name(finding)
    )
}

fn name(finding: &Finding) -> String {
    format!("{}.{}", finding.namespace, finding.rule)
}

/// How tests ended: what failed, all of them where `verbose`, and the counts.
pub(crate) fn outcomes(outcomes: &[TestOutcome], verbose: bool, view: &View) -> String {
    let mut lines = Vec::new();
    for outcome in outcomes {
        let (role, word) = match outcome.result {
            TestResult::Passed => (Role::Add, "pass "),
            TestResult::Failed => (Role::Remove, "FAIL "),
            TestResult::Skipped => (Role::Faint, "skip "),
            TestResult::Error(_) => (Role::Remove, "ERROR"),
        };
        let told = verbose || !matches!(outcome.result, TestResult::Passed);
        if told {
            lines.push(format!("{} {}", view.style.paint(role, word), outcome.name));
        }
        if let TestResult::Error(error) = &outcome.result {
            lines.extend(error.trim().lines().map(|line| format!("        {line}")));
        }
        if told {
            lines.extend(
                outcome
                    .prints
                    .iter()
                    .map(|print| format!("        {print}")),
            );
        }
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    let count = |wanted: fn(&TestResult) -> bool| {
        outcomes
            .iter()
            .filter(|outcome| wanted(&outcome.result))
            .count()
    };
    lines.push(format!(
        "Tests of policies: {} passed, {} failed, {} with errors, {} skipped.",
        count(|result| matches!(result, TestResult::Passed)),
        count(|result| matches!(result, TestResult::Failed)),
        count(|result| matches!(result, TestResult::Error(_))),
        count(|result| matches!(result, TestResult::Skipped)),
    ));
    lines.join("\n")
}

/// What the policies of an environment say of a plan: what is denied first, and the counts last.
pub(crate) fn results(results: &PolicyResults, environment: &str, view: &View) -> String {
    let title = if environment.is_empty() {
        "Policies:".to_owned()
    } else {
        format!("Policies of environment {environment:?}:")
    };
    let mut lines = vec![title];
    for effect in [
        PolicyEffect::Denied,
        PolicyEffect::Overridden,
        PolicyEffect::Advised,
        PolicyEffect::Warned,
        PolicyEffect::Excepted,
    ] {
        let (role, word) = match effect {
            PolicyEffect::Denied => (Role::Remove, "denied    "),
            PolicyEffect::Overridden => (Role::Remove, "overridden"),
            PolicyEffect::Advised | PolicyEffect::Warned => (Role::Change, "warned    "),
            PolicyEffect::Excepted => (Role::Faint, "excepted  "),
        };
        for (policy, finding) in results.of(effect) {
            lines.push(format!(
                "  {} {}",
                view.style.paint(role, word),
                found(policy, finding)
            ));
        }
    }
    lines.push(format!("  {}", result_counts(results)));
    lines.join("\n")
}

/// One result: what is said, by which rule of which policy.
pub(crate) fn found(policy: &PolicyResult, finding: &PolicyFinding) -> String {
    let Some(rule) = &finding.rule else {
        return format!("{}: cannot be evaluated: {}", policy.name, finding.message);
    };
    let files = if finding.files.is_empty() {
        String::new()
    } else {
        format!(" of {}", finding.files.join(", "))
    };
    format!("{}: {}  ({rule}{files})", policy.name, finding.message)
}

/// `1 denied, 2 warned; 3 of 5 rules found nothing.`
pub(crate) fn result_counts(results: &PolicyResults) -> String {
    let mut parts = vec![format!("{} denied", results.count(PolicyEffect::Denied))];
    let overridden = results.count(PolicyEffect::Overridden);
    if overridden > 0 {
        let change = results.change.name();
        parts.push(format!("{overridden} overridden by the {change} change"));
    }
    let warned = results.count(PolicyEffect::Warned) + results.count(PolicyEffect::Advised);
    parts.push(format!("{warned} warned"));
    let excepted = results.count(PolicyEffect::Excepted);
    if excepted > 0 {
        parts.push(format!("{excepted} excepted"));
    }
    let sum = |count: fn(&PolicyResult) -> u64| results.policies.iter().map(count).sum::<u64>();
    format!(
        "{}; {} of {} rules found nothing.",
        parts.join(", "),
        sum(|policy| policy.n_passed),
        sum(|policy| policy.n_rules)
    )
}

/// As [`results`], for programs.
pub(crate) fn results_json(results: &PolicyResults) -> Value {
    let policies: Vec<Value> = results
        .policies
        .iter()
        .map(|policy| {
            let findings: Vec<Value> = policy.findings.iter().map(finding_json).collect();
            json!({
                "name": policy.name, "level": policy.level.name(), "rules": policy.n_rules,
                "passed": policy.n_passed, "findings": findings,
            })
        })
        .collect();
    json!({
        "refused": results.refuses(), "time": results.time, "actor": results.actor,
        "change": results.change.name(), "policies": policies,
    })
}

fn finding_json(finding: &PolicyFinding) -> Value {
    json!({
        "effect": finding.effect.name(), "rule": finding.rule, "msg": finding.message,
        "address": finding.address, "files": finding.files,
    })
}
