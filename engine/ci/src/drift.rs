//! What was found to have changed outside: one issue for each stack in each environment, and the job's summary.
#![expect(
    clippy::format_push_string,
    reason = "the texts are short, and read better so"
)]

use crate::Whereabouts;
use crate::applied::points;
use crate::comment::{address, remark};
use crate::limit::{COMMENT, cut, cut_lines};
use crate::markdown::{as_diff, code, fenced, inert};

/// The label of issues about drift.
pub const DRIFT_LABEL: &str = "terrace-drift";

/// What looking for drift has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriftOutcome {
    /// Everything is as it was applied.
    Clean,
    /// Something is not.
    Drifted,
    /// It could not be looked at.
    Failed,
}

/// One stack in one environment, as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftReport {
    /// The environment; `None` without a project file.
    pub environment: Option<String>,
    /// The stack; `None` where there is only one.
    pub stack: Option<String>,
    /// What looking has come to.
    pub outcome: DriftOutcome,
    /// What has changed outside, a line for each object.
    pub drifted: Vec<String>,
    /// What the configuration asks for and was not applied, where that was looked for.
    pub pending: Vec<String>,
    /// The run that was applied last.
    pub run: Option<String>,
    /// All of it as people read it, or why it could not be looked at.
    pub text: String,
}

impl DriftReport {
    /// `prd / network`, or whatever of it there is.
    pub fn name(&self) -> String {
        let parts = [&self.environment, &self.stack];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        if parts.is_empty() {
            return "the state".to_owned();
        }
        parts.join(" / ")
    }

    /// The first line of its issue, by which it is found again.
    pub fn marker(&self, project: &str) -> String {
        let part = |text: &str| -> String {
            text.chars()
                .map(|c| match c {
                    c if c.is_alphanumeric() => c.to_string(),
                    // No two names have one mark.
                    c => format!("_{:x}_", u32::from(c)),
                })
                .collect()
        };
        format!(
            "<!-- terrace:drift:{}:{}:{} -->",
            part(project),
            part(self.environment.as_deref().unwrap_or_default()),
            part(self.stack.as_deref().unwrap_or_default())
        )
    }

    /// The title of its issue.
    pub fn title(&self, project: &str) -> String {
        format!("Drift in {} of {project}", self.name())
    }

    /// Whether somebody has to do something about it; `None` where nobody knows.
    pub const fn is_drifted(&self) -> Option<bool> {
        match self.outcome {
            DriftOutcome::Clean => Some(false),
            DriftOutcome::Drifted => Some(true),
            DriftOutcome::Failed => None,
        }
    }

    /// The text of its issue, with its marker.
    pub fn issue(&self, whereabouts: &Whereabouts) -> String {
        let marker = self.marker(&whereabouts.project);
        let origin = origin(whereabouts);
        if self.outcome == DriftOutcome::Clean {
            return format!(
                "{marker}\n{} is what was applied: nothing has changed outside any more.\n\n{origin}\n",
                inert(&self.name())
            );
        }
        let mut text = format!("{marker}\n");
        if !self.drifted.is_empty() {
            text.push_str(&format!(
                "{} is not what was applied. Changed outside:\n\n{}\n",
                inert(&self.name()),
                points(&self.drifted)
            ));
        }
        if !self.pending.is_empty() {
            text.push_str(&format!(
                "The configuration asks for what was not applied:\n\n{}\n",
                points(&self.pending)
            ));
        }
        text.push_str(
            "To take objects back to what the configuration says, apply it; to keep what they have become, change the configuration, or take it into the state with `terrace apply -refresh-only`. This issue is closed once nothing of it is left.\n\n",
        );
        if let Some(run) = &self.run {
            text.push_str(&format!("Applied last: run {}\n\n", code(run)));
        }
        text.push_str(&format!("{origin}\n\n"));
        let frame = "<details><summary>What has changed</summary>\n\n\n</details>\n";
        let room = COMMENT.saturating_sub(text.len() + frame.len() + 64);
        let shown = as_diff(&self.text);
        let (kept, left) = cut_lines(&shown, room);
        text.push_str(&format!(
            "<details><summary>What has changed</summary>\n\n{}",
            fenced(kept, "diff")
        ));
        if left > 0 {
            text.push_str(&format!("\n{left} more lines.\n"));
        }
        text.push_str("\n</details>\n");
        cut(&text, COMMENT, "*Cut to what fits here.*")
    }
}

fn origin(whereabouts: &Whereabouts) -> String {
    let mut parts = Vec::new();
    if let Some(commit) = &whereabouts.commit {
        let short: String = commit.chars().take(10).collect();
        parts.push(format!("Commit {}", code(&short)));
    }
    if let Some(url) = &whereabouts.run_url {
        parts.push(format!("found by [this run]({})", address(url)));
    }
    parts.join(" · ")
}

impl Whereabouts {
    /// The summary of a job that looks for drift, within `limit` bytes.
    pub fn drift_summary(&self, reports: &[DriftReport], limit: usize) -> String {
        let mut text = format!("### Terrace drift: {}\n\n", inert(&self.project));
        text.push_str("| Environment | Stack | Result | Changed outside | Not applied |\n| --- | --- | --- | --: | --: |\n");
        for report in reports {
            let result = match report.outcome {
                DriftOutcome::Clean => "as applied",
                DriftOutcome::Drifted => "**drifted**",
                DriftOutcome::Failed => "**failed**",
            };
            text.push_str(&format!(
                "| {} | {} | {result} | {} | {} |\n",
                inert(report.environment.as_deref().unwrap_or("-")),
                inert(report.stack.as_deref().unwrap_or("-")),
                report.drifted.len(),
                report.pending.len()
            ));
        }
        text.push('\n');
        for report in reports {
            if report.outcome == DriftOutcome::Clean {
                continue;
            }
            text.push_str(&format!("#### {}\n", inert(&report.name())));
            if report.outcome == DriftOutcome::Failed {
                let why = report.text.lines().next().unwrap_or_default();
                text.push_str(&format!("{}\n", remark(why)));
            }
            text.push_str(&points(&report.drifted));
            text.push_str(&points(&report.pending));
            text.push('\n');
        }
        cut(
            &text,
            limit,
            "*Cut to what fits here; the log has all of it.*",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(environment: &str, stack: &str) -> DriftReport {
        DriftReport {
            environment: Some(environment.to_owned()),
            stack: Some(stack.to_owned()),
            outcome: DriftOutcome::Drifted,
            drifted: vec!["aws_s3_bucket.logs was deleted".to_owned()],
            pending: Vec::new(),
            run: Some("3f9c01ab77de".to_owned()),
            text: "  ~ x\n".repeat(20_000),
        }
    }

    #[test]
    fn no_two_stacks_share_an_issue() {
        let marks = [("a-b", "c"), ("a", "b-c"), ("a_b", "c"), ("a", "b_2d_c")]
            .map(|(environment, stack)| report(environment, stack).marker("shop"));
        for (at, one) in marks.iter().enumerate() {
            assert!(
                marks.iter().skip(at + 1).all(|other| other != one),
                "{marks:?}"
            );
            assert!(
                one.starts_with("<!-- ") && one.matches("--").count() == 2,
                "{one}"
            );
        }
    }

    #[test]
    fn an_issue_fits_and_says_what_to_do() {
        let whereabouts = Whereabouts {
            project: "shop".to_owned(),
            ..Whereabouts::default()
        };
        let text = report("prd", "app").issue(&whereabouts);
        assert!(text.len() <= COMMENT && text.trim_end().ends_with("</details>"));
        assert!(text.contains("was deleted") && text.contains("more lines."));
        let clean = DriftReport {
            outcome: DriftOutcome::Clean,
            ..report("prd", "app")
        };
        assert_eq!(
            clean.issue(&whereabouts).lines().next(),
            text.lines().next()
        );
        assert!(
            clean
                .issue(&whereabouts)
                .contains("nothing has changed outside")
        );
    }
}
