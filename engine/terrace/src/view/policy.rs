//! What policies say, and how their tests ended.

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
