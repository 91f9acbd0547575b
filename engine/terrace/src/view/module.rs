//! What `terrace module` shows.

use std::fmt::Write as _;

use terrace_addr::version::Version;
use terrace_module::{Changes, Finding, Step};

use super::table::table;
use crate::commands::module::Verdict;

/// A check and what came of it.
pub(crate) fn verdict_line(check: &str, verdict: &Verdict) -> String {
    let (word, detail) = match verdict {
        Verdict::Passed(detail) => ("ok", detail),
        Verdict::Failed(detail) => ("FAILED", detail),
        Verdict::Skipped(detail) => ("skipped", detail),
    };
    let head = format!("{check:<12}{word}");
    match (detail.is_empty(), detail.contains('\n')) {
        (true, _) => head,
        (false, false) => format!("{head}: {detail}"),
        (false, true) => {
            let lines: Vec<String> = detail.lines().map(|line| format!("    {line}")).collect();
            format!("{head}\n{}", lines.join("\n"))
        }
    }
}

/// What changed, the gravest first, and which version follows.
pub(crate) fn changes_text(
    with: &str,
    changes: &Changes,
    version: Option<&Version>,
    next: Option<&Version>,
) -> String {
    let mut text = format!("\nCompared with {with}: ");
    if changes.findings.is_empty() {
        text.push_str("nothing that callers could notice has changed.");
        return text;
    }
    let rows: Vec<Vec<String>> = changes.findings.iter().map(row).collect();
    let _written = write!(
        text,
        "{} change{}{}.\n\n{}",
        rows.len(),
        if rows.len() == 1 { "" } else { "s" },
        if changes.findings.iter().any(|finding| finding.now.is_none()) {
            " (places in brackets are of that version)"
        } else {
            ""
        },
        table(&["Step", "Place", "What", "Change"], &rows)
    );
    let step = changes.step();
    match (version, next) {
        (Some(version), Some(next)) => {
            let _written = write!(
                text,
                "\n\nThe next version after {version} is {next} ({step})."
            );
        }
        _ => {
            let _written = write!(text, "\n\nThe next version is a {step} one.");
        }
    }
    if step == Step::Major {
        text.push_str(
            "\nTo release it: terrace module check -release=VERSION, with a line for callers in the list of changes.",
        );
    }
    text
}

fn row(finding: &Finding) -> Vec<String> {
    let place = match (&finding.now, &finding.before) {
        (Some(now), _) => now.to_string(),
        (None, Some(before)) => format!("({before})"),
        (None, None) => String::new(),
    };
    vec![
        finding.kind.step().to_string(),
        place,
        finding.subject.clone(),
        finding.kind.id().replace('-', " "),
    ]
}
