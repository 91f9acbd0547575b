//! Plans in Markdown: the sticky comment and the job's summary.
#![expect(
    clippy::format_push_string,
    reason = "the texts are short, and read better so"
)]

use crate::limit::{cut, cut_lines, shares};
use crate::markdown::{as_diff, code, fenced, inert};
use crate::{Outcome, PlanReport, Verdict};

/// Where the whole of it can be found, and what it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// The project's name, or another that keeps comments of several projects apart.
    pub project: String,
    /// The commit that was planned.
    pub commit: Option<String>,
    /// The address of the workflow's run, which holds the artefacts.
    pub run_url: Option<String>,
    /// The name of the artefact with plans and pages.
    pub artefact: String,
}

/// How many rows a table has, and how many points a list.
const MOST_ROWS: usize = 200;
const MOST_POINTS: usize = 40;
/// How long one remark of others may be.
const LONGEST: usize = 400;

/// The first line of a comment of this kind, by which it is found again; `kind` is such as `plan`.
pub fn marker(kind: &str, project: &str) -> String {
    let name: String = project
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .collect();
    format!("<!-- terrace:{kind}:{name} -->")
}

impl Whereabouts {
    /// Says where the whole is, in a line of Markdown.
    pub(crate) fn pointer(&self) -> String {
        match &self.run_url {
            Some(url) => format!(
                "*Cut to what fits here. The full plans and their pages are in the artefact {} of [this run]({}).*",
                code(&self.artefact),
                address(url)
            ),
            None => format!(
                "*Cut to what fits here. The full plans and their pages are in {}.*",
                code(&self.artefact)
            ),
        }
    }

    fn origin(&self) -> String {
        let mut parts = Vec::new();
        if let Some(commit) = &self.commit {
            let short: String = commit.chars().take(10).collect();
            parts.push(format!("Commit {}", code(&short)));
        }
        if let Some(url) = &self.run_url {
            parts.push(format!(
                "full plans and pages: artefact {} of [this run]({})",
                code(&self.artefact),
                address(url)
            ));
        }
        parts.join(" · ")
    }

    /// The comment about plans, with its marker, within `limit` bytes.
    pub fn comment(&self, reports: &[PlanReport], limit: usize) -> String {
        let marker = marker("plan", &self.project);
        let body = self.summary(reports, limit.saturating_sub(marker.len() + 1));
        format!("{marker}\n{body}")
    }

    /// What is to be said about plans, within `limit` bytes.
    pub fn summary(&self, reports: &[PlanReport], limit: usize) -> String {
        let mut head = format!(
            "### Terrace plan: {}\n\n{}\n{}\n\n",
            inert(&self.project),
            if reports.is_empty() {
                "Nothing that is changed here belongs to a stack.\n".to_owned()
            } else {
                table(reports)
            },
            self.origin()
        );
        head.push_str(&gates(reports));
        head.push_str(&policies(reports));
        let room = limit.saturating_sub(head.len());
        let whole = format!("{head}{}", diffs(reports, room, self));
        cut(&whole, limit, &self.pointer())
    }
}

/// An address that ends no link.
pub(crate) fn address(url: &str) -> String {
    url.replace(['(', ')', '<', '>', ' ', '\n', '\r'], "")
}

/// A remark of others, in a line.
pub(crate) fn remark(text: &str) -> String {
    let text = text.trim();
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let more = if end < text.len() { "…" } else { "" };
    format!("{}{more}", inert(&text[..end]))
}

/// The table over all plans.
pub(crate) fn table(reports: &[PlanReport]) -> String {
    let has_stacks = reports.iter().any(|report| report.stack.is_some());
    let mut text = String::from("| Environment |");
    if has_stacks {
        text.push_str(" Stack |");
    }
    text.push_str(" Result | Add | Change | Destroy | Policies | Gate | Run |\n| --- |");
    if has_stacks {
        text.push_str(" --- |");
    }
    text.push_str(" --- | --: | --: | --: | --- | --- | --- |\n");
    for report in reports.iter().take(MOST_ROWS) {
        let mut cells = vec![inert(report.environment.as_deref().unwrap_or("-"))];
        if has_stacks {
            cells.push(inert(report.stack.as_deref().unwrap_or("-")));
        }
        cells.push(result(report));
        let counts = report.counts;
        let number = |count: u64| match (&report.outcome, count) {
            (Outcome::Failed | Outcome::Waiting(_), _) => String::new(),
            (_, count) => count.to_string(),
        };
        cells.extend([counts.add, counts.change, counts.destroy].map(number));
        cells.push(policy_cell(report));
        cells.push(gate_cell(report));
        cells.push(report.run.as_deref().map(code).unwrap_or_default());
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    if reports.len() > MOST_ROWS {
        text.push_str(&format!("\n…and {} more.\n", reports.len() - MOST_ROWS));
    }
    text
}

fn result(report: &PlanReport) -> String {
    match &report.outcome {
        Outcome::Changes if report.counts.import > 0 => {
            format!("changes, {} to import", report.counts.import)
        }
        Outcome::Changes => "changes".to_owned(),
        Outcome::Unchanged => "no changes".to_owned(),
        Outcome::Failed => "**failed**".to_owned(),
        Outcome::Waiting(stacks) => format!("waits for {}", remark(&stacks.join(", "))),
    }
}

fn policy_cell(report: &PlanReport) -> String {
    let count = |verdict: Verdict| {
        report
            .policies
            .iter()
            .filter(|policy| policy.verdict == verdict)
            .count()
    };
    let told: Vec<String> = [
        (Verdict::Denied, "denied"),
        (Verdict::Overridden, "overridden"),
        (Verdict::Warned, "warned"),
    ]
    .into_iter()
    .filter_map(|(verdict, name)| match count(verdict) {
        0 => None,
        count if verdict == Verdict::Denied => Some(format!("**{count} {name}**")),
        count => Some(format!("{count} {name}")),
    })
    .collect();
    match (told.is_empty(), report.policies.is_empty()) {
        (false, _) => told.join(", "),
        (true, false) => "passed".to_owned(),
        (true, true) => "-".to_owned(),
    }
}

fn gate_cell(report: &PlanReport) -> String {
    match &report.gate {
        None => "-".to_owned(),
        Some(gate) if gate.missing.is_empty() => "open".to_owned(),
        Some(gate) => format!("{} missing", gate.missing.len()),
    }
}

/// What gates ask for, who has approved, and what is missing.
pub(crate) fn gates(reports: &[PlanReport]) -> String {
    let mut text = String::new();
    for report in reports {
        let Some(gate) = &report.gate else { continue };
        if gate.asks.is_empty() && gate.missing.is_empty() {
            continue;
        }
        text.push_str(&format!("- **{}**", inert(&report.name())));
        if let Some(run) = &report.run {
            text.push_str(&format!(" run {}", code(run)));
        }
        if !gate.kind.is_empty() && gate.kind != "normal" {
            text.push_str(&format!(", a change of type {}", inert(&gate.kind)));
        }
        if !gate.asks.is_empty() {
            let asks: Vec<String> = gate.asks.iter().map(|ask| remark(ask)).collect();
            text.push_str(&format!(" asks for: {}", asks.join("; ")));
        }
        text.push('\n');
        if !gate.approved_by.is_empty() {
            let people: Vec<String> = gate.approved_by.iter().map(|name| inert(name)).collect();
            text.push_str(&format!("  - approved by {}\n", people.join(", ")));
        }
        for missing in gate.missing.iter().take(MOST_POINTS) {
            text.push_str(&format!("  - missing: {}", remark(&missing.reason)));
            if let Some(remedy) = &missing.remedy {
                text.push_str(&format!(" ({})", remark(remedy)));
            }
            text.push('\n');
        }
    }
    if text.is_empty() {
        return text;
    }
    format!("#### Approvals\n{text}\n")
}

/// What policies say that is more than that they have passed.
pub(crate) fn policies(reports: &[PlanReport]) -> String {
    let mut points = Vec::new();
    for report in reports {
        let told = report
            .policies
            .iter()
            .filter(|policy| policy.verdict != Verdict::Passed);
        for policy in told {
            points.push(format!(
                "- **{}** {} by {}: {}\n",
                inert(&report.name()),
                policy.verdict.name(),
                code(&policy.policy),
                remark(&policy.message)
            ));
        }
    }
    if points.is_empty() {
        return String::new();
    }
    let more = points.len().saturating_sub(MOST_POINTS);
    let mut text = format!(
        "#### Policies\n{}",
        points.into_iter().take(MOST_POINTS).collect::<String>()
    );
    if more > 0 {
        text.push_str(&format!("- …and {more} more\n"));
    }
    text.push('\n');
    text
}

/// All plans, folded, within `room` bytes.
pub(crate) fn diffs(reports: &[PlanReport], room: usize, whereabouts: &Whereabouts) -> String {
    let shown: Vec<&PlanReport> = reports
        .iter()
        .filter(|report| matches!(report.outcome, Outcome::Changes | Outcome::Failed))
        .collect();
    // What cannot be shown anyway is not made ready for it.
    let (texts, beyond): (Vec<String>, Vec<usize>) = shown
        .iter()
        .map(|report| {
            let (kept, left) = cut_lines(&report.text, room);
            (as_diff(kept), left)
        })
        .unzip();
    let pointer = whereabouts.pointer();
    let frames: Vec<(String, String)> = shown.iter().map(|report| frame(report)).collect();
    let cost = |frame: &(String, String)| frame.0.len() + frame.1.len() + pointer.len() + 80;
    let framed: usize = frames.iter().map(cost).sum();
    // A fence may have to be longer than the usual one, twice.
    let needs: Vec<usize> = texts.iter().map(String::len).collect();
    let given = shares(&needs, room.saturating_sub(framed));
    let mut out = String::new();
    for (index, (begin, end)) in frames.iter().enumerate() {
        let (kept, left) = cut_lines(&texts[index], given[index]);
        let left = left + beyond[index];
        let mut block = format!("{begin}{}", fenced(kept, "diff"));
        if left > 0 {
            block.push_str(&format!("\n{left} more lines. {pointer}\n"));
        }
        block.push_str(end);
        if out.len() + block.len() > room {
            // What remains is in the table; a block that began would have to end.
            break;
        }
        out.push_str(&block);
    }
    out
}

/// What is around the plan of a stack.
fn frame(report: &PlanReport) -> (String, String) {
    let open = if report.outcome == Outcome::Failed {
        " open"
    } else {
        ""
    };
    (
        format!(
            "<details{open}><summary><b>{}</b>: {}</summary>\n\n",
            inert(&report.name()),
            inert(&report.told())
        ),
        "\n</details>\n\n".to_owned(),
    )
}
