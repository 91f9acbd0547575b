//! What became of merged changes: the job's summary, and the part of the sticky comment that says what was applied.
#![expect(
    clippy::format_push_string,
    reason = "the texts are short, and read better so"
)]

use crate::comment::{address, remark};
use crate::limit::{COMMENT, cut, cut_lines};
use crate::markdown::{code, fenced, inert};
use crate::{Counts, GateReport, Whereabouts, wire};

/// How many bytes of a comment are kept for what was applied.
pub const APPLIED: usize = 16 * 1024;

const BEGIN: &str = "<!-- terrace:applied ";
const END: &str = "<!-- terrace:applied-end -->";
/// How many lines of one list are told.
const MOST_LINES: usize = 60;

/// What applying has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplyOutcome {
    /// It was applied.
    Applied,
    /// There was nothing to do.
    Unchanged,
    /// What would be done is not what was reviewed: what has moved.
    Moved(Vec<String>),
    /// Nobody has reviewed a plan of it.
    Unreviewed,
    /// The gate is not open.
    Gated,
    /// It failed.
    Failed,
    /// It comes after these stacks, which are not applied.
    Waiting(Vec<String>),
}

impl ApplyOutcome {
    /// In a few words.
    pub const fn told(&self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unchanged => "no changes",
            Self::Moved(_) => "not applied: other than reviewed",
            Self::Unreviewed => "not applied: nobody has reviewed it",
            Self::Gated => "waits for its gate",
            Self::Failed => "failed",
            Self::Waiting(_) => "waits for other stacks",
        }
    }

    /// Whether what comes after it may be applied.
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Applied | Self::Unchanged)
    }
}

/// What became of one stack in one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplyReport {
    /// The environment.
    pub environment: String,
    /// The stack; `None` where there is only one.
    pub stack: Option<String>,
    /// What applying has come to.
    pub outcome: ApplyOutcome,
    /// What the plan touches.
    pub counts: Counts,
    /// The run.
    pub run: Option<String>,
    /// The run that was reviewed, where there was one.
    pub reviewed: Option<String>,
    /// What the gate says.
    pub gate: Option<GateReport>,
    /// Why it failed.
    pub text: String,
}

impl ApplyReport {
    /// `prd / network`, or `prd`.
    pub fn name(&self) -> String {
        match &self.stack {
            Some(stack) => format!("{} / {stack}", self.environment),
            None => self.environment.clone(),
        }
    }
}

/// The state of a deployment by what became of its stacks, and why, in a line.
pub fn deployment_state(reports: &[ApplyReport]) -> (&'static str, String) {
    let count = |is: fn(&ApplyOutcome) -> bool| {
        let found = reports.iter().filter(|report| is(&report.outcome));
        found.count()
    };
    let failed = count(|outcome| matches!(outcome, ApplyOutcome::Failed));
    let moved =
        count(|outcome| matches!(outcome, ApplyOutcome::Moved(_) | ApplyOutcome::Unreviewed));
    let gated = count(|outcome| matches!(outcome, ApplyOutcome::Gated));
    if reports.is_empty() {
        return ("failure", "nothing was found to apply".to_owned());
    }
    if failed > 0 {
        return ("failure", format!("{failed} of {} failed", reports.len()));
    }
    if moved > 0 {
        let told = "what would be done is not what was reviewed";
        return ("failure", told.to_owned());
    }
    if gated > 0 {
        return ("pending", "the gate is not open yet".to_owned());
    }
    let sum = reports
        .iter()
        .fold(Counts::default(), |sum, report| sum.plus(report.counts));
    ("success", sum.told())
}

/// What is kept of it in the comment, one entry for each stack in each environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedEntry {
    /// The environment.
    pub environment: String,
    /// The stack.
    pub stack: Option<String>,
    /// What became of it.
    pub result: String,
    /// What it touches.
    pub changes: String,
    /// The run.
    pub run: Option<String>,
    /// The commit that it was applied from.
    pub commit: Option<String>,
    /// The workflow's run.
    pub url: Option<String>,
}

impl AppliedEntry {
    /// The entry for a report.
    pub fn of(report: &ApplyReport, whereabouts: &Whereabouts) -> Self {
        Self {
            environment: report.environment.clone(),
            stack: report.stack.clone(),
            result: report.outcome.told().to_owned(),
            changes: if report.counts == Counts::default() {
                String::new()
            } else {
                report.counts.told()
            },
            run: report.run.clone(),
            commit: whereabouts.commit.clone(),
            url: whereabouts.run_url.clone(),
        }
    }

    fn is_of(&self, other: &Self) -> bool {
        self.environment == other.environment && self.stack == other.stack
    }
}

/// A comment, which begins with its marker, with what was applied: what it says already of others stays. Where the whole is longer than
/// a comment may be, the rest is cut at a line.
pub fn with_applied(comment: &str, entries: &[AppliedEntry]) -> String {
    let (marker, mut all, rest) = taken_apart(comment);
    for entry in entries {
        match all.iter_mut().find(|old| old.is_of(entry)) {
            Some(old) => old.clone_from(entry),
            None => all.push(entry.clone()),
        }
    }
    put_together(&marker, all, &rest)
}

/// Whether a comment says all of this already.
pub fn has_applied(comment: &str, entries: &[AppliedEntry]) -> bool {
    let (_, found, _) = taken_apart(comment);
    entries.iter().all(|entry| found.contains(entry))
}

/// A new text of a comment, with what the old one says of what was applied.
pub fn carry_applied(old: &str, new: &str) -> String {
    let (_, entries, _) = taken_apart(old);
    if entries.is_empty() {
        return new.to_owned();
    }
    with_applied(new, &entries)
}

/// The marker of a comment, what was applied, and the rest.
fn taken_apart(comment: &str) -> (String, Vec<AppliedEntry>, String) {
    let mut lines = comment.lines().peekable();
    let marker = lines.next().unwrap_or_default().trim_end().to_owned();
    let mut entries = Vec::new();
    if let Some(data) = lines.peek().and_then(|line| line.strip_prefix(BEGIN)) {
        let data = data.trim_end().trim_end_matches("-->");
        // What somebody has damaged is begun anew.
        entries = wire::read_applied(data.trim()).unwrap_or_default();
        for line in lines.by_ref() {
            if line.trim_end() == END {
                break;
            }
        }
    }
    let rest: Vec<&str> = lines.collect();
    (marker, entries, rest.join("\n"))
}

fn put_together(marker: &str, mut entries: Vec<AppliedEntry>, rest: &str) -> String {
    loop {
        let section = section(&entries);
        if section.len() <= APPLIED || entries.is_empty() {
            let room = COMMENT.saturating_sub(marker.len() + 1 + section.len());
            let (rest, _) = cut_lines(rest, room);
            return format!("{marker}\n{section}{rest}");
        }
        // The oldest go first.
        entries.remove(0);
    }
}

fn section(entries: &[AppliedEntry]) -> String {
    let has_stacks = entries.iter().any(|entry| entry.stack.is_some());
    let data = wire::write_applied(entries)
        .replace('-', "\\u002d")
        .replace('@', "\\u0040")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e");
    let mut text = format!("{BEGIN}{data} -->\n### Applied\n\n| Environment |");
    if has_stacks {
        text.push_str(" Stack |");
    }
    text.push_str(" Result | Changes | Run | Commit | Workflow |\n| --- |");
    if has_stacks {
        text.push_str(" --- |");
    }
    text.push_str(" --- | --- | --- | --- | --- |\n");
    for entry in entries {
        let mut cells = vec![inert(&entry.environment)];
        if has_stacks {
            cells.push(inert(entry.stack.as_deref().unwrap_or("-")));
        }
        cells.push(remark(&entry.result));
        cells.push(inert(&entry.changes));
        cells.push(entry.run.as_deref().map(code).unwrap_or_default());
        cells.push(entry.commit.as_deref().map(short).unwrap_or_default());
        let link = entry.url.as_deref();
        let link = link.map(|url| format!("[log]({})", address(url)));
        cells.push(link.unwrap_or_default());
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text.push_str(&format!("\n{END}\n"));
    text
}

fn short(commit: &str) -> String {
    let short: String = commit.chars().take(10).collect();
    code(&short)
}

impl Whereabouts {
    /// The summary of a job that applies, within `limit` bytes.
    pub fn apply_summary(&self, reports: &[ApplyReport], limit: usize) -> String {
        let mut text = format!("### Terrace apply: {}\n\n", inert(&self.project));
        if reports.is_empty() {
            text.push_str("Nothing that was changed belongs to a stack.\n");
        }
        let entries: Vec<AppliedEntry> = reports
            .iter()
            .map(|report| AppliedEntry::of(report, self))
            .collect();
        text.push_str(
            "| Environment | Stack | Result | Changes | Run |\n| --- | --- | --- | --- | --- |\n",
        );
        for entry in entries {
            text.push_str(&format!(
                "| {} | {} | {} | {} | {} |\n",
                inert(&entry.environment),
                inert(entry.stack.as_deref().unwrap_or("-")),
                remark(&entry.result),
                inert(&entry.changes),
                entry.run.as_deref().map(code).unwrap_or_default()
            ));
        }
        text.push('\n');
        for report in reports {
            text.push_str(&told(report));
        }
        if let Some(commit) = &self.commit {
            text.push_str(&format!("Commit {}\n", short(commit)));
        }
        cut(
            &text,
            limit,
            "*Cut to what fits here; the log has all of it.*",
        )
    }
}

/// What is to be said of a stack that was not applied.
fn told(report: &ApplyReport) -> String {
    let name = inert(&report.name());
    let mut text = String::new();
    match &report.outcome {
        ApplyOutcome::Applied | ApplyOutcome::Unchanged => {}
        ApplyOutcome::Moved(lines) => {
            text.push_str(&format!(
                "#### {name}: other than reviewed\n{}\n",
                points(lines)
            ));
        }
        ApplyOutcome::Unreviewed => {
            text.push_str(&format!("#### {name}: nobody has reviewed it\n\n"));
        }
        ApplyOutcome::Gated => {
            text.push_str(&format!("#### {name}: its gate is not open\n"));
            for missing in report.gate.iter().flat_map(|gate| &gate.missing) {
                let remedy = missing.remedy.as_deref().map(remark);
                let remedy = remedy.map(|remedy| format!(" ({remedy})"));
                text.push_str(&format!(
                    "- missing: {}{}\n",
                    remark(&missing.reason),
                    remedy.unwrap_or_default()
                ));
            }
            text.push('\n');
        }
        ApplyOutcome::Failed => {
            text.push_str(&format!(
                "#### {name}: failed\n{}\n",
                fenced(&report.text, "")
            ));
        }
        ApplyOutcome::Waiting(stacks) => {
            text.push_str(&format!(
                "#### {name} waits for {}\n\n",
                remark(&stacks.join(", "))
            ));
        }
    }
    text
}

/// Lines as a list, cut where they are many.
pub(crate) fn points(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines.iter().take(MOST_LINES) {
        text.push_str(&format!("- {}\n", remark(line)));
    }
    if lines.len() > MOST_LINES {
        text.push_str(&format!("- …and {} more\n", lines.len() - MOST_LINES));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(environment: &str, result: &str) -> AppliedEntry {
        AppliedEntry {
            environment: environment.to_owned(),
            stack: None,
            result: result.to_owned(),
            changes: "1 to add, 0 to change, 0 to destroy".to_owned(),
            run: Some("3f9c01ab77de".to_owned()),
            commit: Some("0123456789abcdef".to_owned()),
            url: Some("https://github.com/acme/shop/actions/runs/7".to_owned()),
        }
    }

    const TEXT: &str = "<!-- terrace:plan:shop -->\n### Terrace plan: shop\n\nthe plan\n";

    #[test]
    fn environments_follow_each_other_and_replace_themselves() {
        let one = with_applied(TEXT, &[entry("dev", "failed")]);
        let two = with_applied(&one, &[entry("stg", "applied")]);
        let three = with_applied(&two.replace('\n', "\r\n"), &[entry("dev", "applied")]);
        assert!(three.starts_with("<!-- terrace:plan:shop -->\n"));
        assert!(three.contains("| dev | applied |") && three.contains("| stg | applied |"));
        assert!(!three.contains("failed"));
        assert_eq!(three.matches("### Applied").count(), 1);
        assert!(
            three.ends_with("### Terrace plan: shop\n\nthe plan"),
            "{three}"
        );
    }

    #[test]
    fn a_new_plan_keeps_what_was_applied() {
        let old = with_applied(TEXT, &[entry("dev", "applied")]);
        let new = carry_applied(&old, "<!-- terrace:plan:shop -->\nanother\n");
        assert!(new.contains("| dev | applied |") && new.ends_with("another"));
        assert_eq!(carry_applied(TEXT, "x\ny\n"), "x\ny\n");
    }

    #[test]
    fn nothing_in_an_entry_ends_the_hidden_line_and_damage_is_no_harm() {
        let text = with_applied(TEXT, &[entry("dev --> <b>@all</b>", "applied")]);
        let hidden = text.lines().nth(1).unwrap();
        assert!(
            hidden.ends_with(" -->") && hidden.matches("--").count() == 2,
            "{hidden}"
        );
        assert!(!text.contains("<b>") && !text.contains("@all"));
        let damaged = text.replace("\"result\"", "\"resu\"");
        let mended = with_applied(&damaged, &[entry("prd", "applied")]);
        assert!(mended.contains("| prd | applied |") && !mended.contains("all"));
    }

    #[test]
    fn however_many_there_are_they_keep_to_their_room() {
        let many: Vec<AppliedEntry> = (0..400)
            .map(|n| entry(&format!("e{n}"), "applied"))
            .collect();
        let text = with_applied(TEXT, &many);
        assert!(text.len() <= APPLIED + TEXT.len() + 8, "{}", text.len());
        assert!(text.contains("| e399 |"));
        assert!(has_applied(&text, &many[399..]) && !has_applied(&text, &many[..1]));
    }

    #[test]
    fn again_and_again_the_rest_stays_and_the_whole_fits() {
        let long = format!("{TEXT}{}", "a line of the plan\n".repeat(4_000));
        let mut text = with_applied(&long, &[entry("dev", "applied")]);
        let first = text.len();
        assert!(first <= crate::COMMENT && first > 60_000, "{first}");
        for _ in 0..3 {
            text = with_applied(&text, &[entry("dev", "applied")]);
        }
        assert!(first - text.len() < 40, "{first} {}", text.len());
    }
}
