//! What tests have come to: for people, for machines, and for servers that read reports of `JUnit`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use terrace_diag::{Diagnostic, Diagnostics, SourceMap};
use terrace_state::State;
use terrace_test::{Cleanup, Coverage, FileVerdict, Report, RunVerdict, Status, Summary, TestFile};

use super::style::Role;
use super::{View, diagnostics, plan, stream};

/// Shows how tests go on.
pub(crate) struct Shown {
    view: View,
    verbose: bool,
}

impl Shown {
    pub(crate) const fn new(view: View, verbose: bool) -> Self {
        Self { view, verbose }
    }

    fn status(&self, status: Status) -> String {
        let role = match status {
            Status::Pass => Role::Add,
            Status::Fail | Status::Error => Role::Remove,
            Status::Skip | Status::Pending => Role::Faint,
        };
        self.view.style.paint(role, status.shown())
    }

    /// Diagnostics, which machines are told with the run that they are of.
    fn told(&self, found: &Diagnostics, sources: &SourceMap, place: (&str, Option<&str>)) {
        if !self.view.json {
            self.view.diagnostics(found.clone(), sources);
            return;
        }
        for diagnostic in found.clone().sorted() {
            let line = stream::diagnostic_line(&diagnostic, sources);
            self.view.output(placed(&line, place.0, place.1));
        }
    }

    fn line(&self, level: &str, message: &str, (field, content): (&str, Json), place: Place<'_>) {
        let line = stream::line(level, message, field, field, content);
        self.view.output(placed(&line, place.0, place.1));
    }

    fn details(&self, path: &str, verdict: &RunVerdict) {
        let run = Some(&*verdict.name);
        if let Some(planned) = &verdict.plan {
            if self.view.json {
                for line in stream::saved_plan_lines(planned) {
                    self.view.output(placed(&line, path, run));
                }
            } else {
                self.view.output(plan::render(planned, &self.view));
            }
        }
        if let Some(state) = &verdict.state {
            if self.view.json {
                let text = terrace_plan::state_json(state, &|_: &terrace_addr::ProviderAddr| None);
                let content: Json = serde_json::from_str(&text).unwrap_or_default();
                let message = "-verbose flag enabled, printing state";
                self.line("info", message, ("test_state", content), (path, run));
            } else {
                self.view.output(state_text(state));
            }
        }
    }
}

/// A file and perhaps one of its runs.
type Place<'a> = (&'a str, Option<&'a str>);

/// A line of the stream with the file and the run that it is of.
fn placed(line: &str, path: &str, run: Option<&str>) -> String {
    let Ok(Json::Object(mut object)) = serde_json::from_str(line) else {
        return line.to_owned();
    };
    object.insert("@testfile".to_owned(), json!(path));
    if let Some(run) = run {
        object.insert("@testrun".to_owned(), json!(run));
    }
    Json::Object(object).to_string()
}

fn state_text(state: &State) -> String {
    let mut text = String::new();
    for (address, _, instance) in state.instances() {
        if let Some(object) = &instance.current {
            let shown = crate::commands::show::object_text(&address, object, None);
            write!(text, "\n# {address}:\n{shown}\n").expect("strings take all");
        }
    }
    if !state.outputs.is_empty() {
        let outputs = crate::commands::show::outputs_text(state);
        write!(text, "\nOutputs:\n\n{outputs}\n").expect("strings take all");
    }
    text
}

impl Report for Shown {
    fn file_begins(&self, path: &str) {
        let message = format!("{path}... in progress");
        if self.view.json {
            let content = json!({"path": path, "progress": "starting"});
            self.line("info", &message, ("test_file", content), (path, None));
        } else {
            self.view.output(message);
        }
    }

    fn run_begins(&self, path: &str, run: &str) {
        if self.view.json {
            let message = format!("  {run:?}... in progress");
            let content = json!({"path": path, "run": run, "progress": "starting", "elapsed": 0});
            self.line("info", &message, ("test_run", content), (path, Some(run)));
        }
    }

    fn run_ended(&self, path: &str, verdict: &RunVerdict) {
        let run = &*verdict.name;
        if self.view.json {
            let message = format!("  {run:?}... {}", verdict.status.shown());
            let mut content = json!({"path": path, "run": run, "progress": "complete", "status": verdict.status.word()});
            if let (Some(took), Some(content)) = (verdict.took, content.as_object_mut()) {
                let elapsed = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
                content.insert("elapsed".to_owned(), json!(elapsed));
            }
            self.line("info", &message, ("test_run", content), (path, Some(run)));
        } else {
            let status = self.status(verdict.status);
            self.view.output(format!("  run {run:?}... {status}"));
        }
        if self.verbose {
            self.details(path, verdict);
        }
        self.told(&verdict.diagnostics, &verdict.sources, (path, Some(run)));
    }

    fn teardown_begins(&self, path: &str) {
        let message = format!("{path}... tearing down");
        if self.view.json {
            let content = json!({"path": path, "progress": "teardown"});
            self.line("info", &message, ("test_file", content), (path, None));
        } else {
            self.view.output(message);
        }
    }

    fn cleanup_begins(&self, path: &str, run: &str) {
        if self.view.json {
            let message = format!("  {run:?}... tearing down");
            let content = json!({"path": path, "run": run, "progress": "teardown", "elapsed": 0});
            self.line("info", &message, ("test_run", content), (path, Some(run)));
        }
    }

    fn cleanup_ended(&self, path: &str, cleanup: &Cleanup) {
        let run = &*cleanup.run;
        let place = (path, Some(run));
        if self.view.json {
            if !cleanup.left.is_empty() {
                let message = format!(
                    "Terrace left some resources in state after executing {path}/{run}, they need to be cleaned up manually."
                );
                let left: Vec<Json> = cleanup
                    .left
                    .iter()
                    .map(|instance| json!({"instance": instance}))
                    .collect();
                let content = json!({"failed_resources": left});
                self.line("error", &message, ("test_cleanup", content), place);
            }
            self.told(&cleanup.diagnostics, &cleanup.sources, place);
            return;
        }
        if cleanup.diagnostics.has_errors() {
            self.view.aside(format!(
                "Terrace encountered an error destroying resources created while executing\n{path}/{run}."
            ));
        }
        self.told(&cleanup.diagnostics, &cleanup.sources, place);
        if cleanup.left.is_empty() {
            return;
        }
        let why = if cleanup.is_abandoned {
            format!(
                "Terrace was interrupted while executing {path}, and did not destroy what {run} left:"
            )
        } else {
            format!(
                "Terrace left the following resources in state after executing {path}/{run}, and they need to be cleaned up manually:"
            )
        };
        let mut text = format!(
            "\n{}\n",
            diagnostics::wrap(&why, self.view.width).join("\n")
        );
        for left in &cleanup.left {
            writeln!(text, "  - {left}").expect("strings take all");
        }
        self.view.aside(text.trim_end());
    }

    fn file_ended(&self, verdict: &FileVerdict) {
        let path = &*verdict.path;
        if self.view.json {
            let message = format!("{path}... {}", verdict.status.shown());
            let content =
                json!({"path": path, "progress": "complete", "status": verdict.status.word()});
            self.line("info", &message, ("test_file", content), (path, None));
        } else {
            self.view
                .output(format!("{path}... {}", self.status(verdict.status)));
        }
    }
}

impl View {
    /// How many runs stand how.
    pub(crate) fn output_summary(&self, summary: &Summary) {
        if self.json {
            let content = json!({
                "status": summary.status.word(),
                "passed": summary.passed,
                "failed": summary.failed,
                "errored": summary.errored,
                "skipped": summary.skipped,
            });
            self.output(stream::line(
                "info",
                &summary.text(),
                "test_summary",
                "test_summary",
                content,
            ));
            return;
        }
        let text = summary.text();
        let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
        let role = if summary.status > Status::Pass {
            Role::Remove
        } else {
            Role::Add
        };
        self.output(format!("\n{} {rest}", self.style.paint(role, word)));
    }
}

/// The line that says which runs there are.
pub(crate) fn abstract_line<'a>(files: impl Iterator<Item = &'a TestFile>) -> String {
    let names: BTreeMap<&str, Vec<&str>> = files
        .map(|file| {
            (
                &*file.path,
                file.runs.iter().map(|run| &*run.name).collect(),
            )
        })
        .collect();
    let runs: usize = names.values().map(Vec::len).sum();
    let counted = |count: usize, what: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {what}{plural}")
    };
    let message = format!(
        "Found {} and {}",
        counted(names.len(), "file"),
        counted(runs, "run block")
    );
    stream::line(
        "info",
        &message,
        "test_abstract",
        "test_abstract",
        json!(names),
    )
}

/// A report in the format of `JUnit`.
pub(crate) fn junit(files: &[FileVerdict]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?><testsuites>\n");
    for file in files {
        let count = |status: Status| file.runs.iter().filter(|run| run.status == status).count();
        writeln!(
            text,
            "  <testsuite name=\"{}\" tests=\"{}\" skipped=\"{}\" failures=\"{}\" errors=\"{}\">",
            escaped(&file.path),
            file.runs.len(),
            count(Status::Skip),
            count(Status::Fail),
            count(Status::Error)
        )
        .expect("strings take all");
        for run in &file.runs {
            testcase(&mut text, file, run);
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn testcase(text: &mut String, file: &FileVerdict, run: &RunVerdict) {
    let mut time = run.took.map_or_else(String::new, |took| {
        format!(" time=\"{:.9}\"", took.as_secs_f64())
    });
    if let Some(began) = run.began {
        write!(time, " timestamp=\"{}\"", crate::outside::rfc3339(began))
            .expect("strings take all");
    }
    let head = format!(
        "    <testcase name=\"{}\" classname=\"{}\"{time}>",
        escaped(&run.name),
        escaped(&file.path)
    );
    let (errors, warnings): (Vec<_>, Vec<_>) =
        run.diagnostics.iter().partition(|found| found.is_error());
    let problems = || plain_text(&errors, &run.sources);
    let inner = match run.status {
        Status::Pass | Status::Pending => String::new(),
        Status::Skip => {
            let culprit = file.runs.iter().find(|run| run.status == Status::Error);
            let why = culprit.map_or_else(
                || "The tests were interrupted".to_owned(),
                |culprit| format!("Previous testcase {:?} ended in error, which caused the remaining tests in the file to be skipped", &*culprit.name),
            );
            let message = if culprit.is_some() {
                "Testcase skipped due to a previous testcase error"
            } else {
                "Testcase skipped due to an interrupt"
            };
            format!(
                "\n      <skipped message=\"{message}\">{}</skipped>",
                cdata(&why)
            )
        }
        Status::Fail => format!(
            "\n      <failure message=\"{}\">{}</failure>",
            escaped(&failure(run)),
            cdata(&problems())
        ),
        Status::Error => format!(
            "\n      <error message=\"Encountered an error\">{}</error>",
            cdata(&problems())
        ),
    };
    text.push_str(&head);
    text.push_str(&inner);
    if !warnings.is_empty() {
        let told = cdata(&plain_text(&warnings, &run.sources));
        write!(text, "\n      <system-err>{told}</system-err>").expect("strings take all");
    }
    if !inner.is_empty() || !warnings.is_empty() {
        text.push_str("\n    ");
    }
    text.push_str("</testcase>\n");
}

/// How many assertions of a run do not hold, with what the first of them says.
fn failure(run: &RunVerdict) -> String {
    let failed: Vec<&str> = run
        .diagnostics
        .iter()
        .filter(|found| found.id == "failed-check")
        .map(|found| found.detail.trim())
        .collect();
    let including = if failed.len() > 1 { ", including" } else { "" };
    format!(
        "{} of {} assertions failed{including}: {}",
        failed.len(),
        run.assertions,
        failed.first().copied().unwrap_or_default()
    )
}

fn plain_text(found: &[&Diagnostic], sources: &SourceMap) -> String {
    let view = View::plain();
    found
        .iter()
        .map(|diagnostic| diagnostics::render(diagnostic, sources, &view))
        .collect()
}

/// A text that is no markup, without what XML cannot hold.
fn cdata(text: &str) -> String {
    let allowed: String = text
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    format!("<![CDATA[{}]]>", allowed.replace("]]>", "]]]]><![CDATA[>"))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// What no run exercised.
pub(crate) fn coverage(coverage: &Coverage, view: &View) -> String {
    let kinds = [
        ("variables", coverage.variables()),
        ("outputs", coverage.outputs()),
        ("resources", coverage.resources()),
        ("branches", coverage.branches()),
    ];
    if view.json {
        let mut content = serde_json::Map::new();
        for (name, covered) in kinds {
            let missed: Vec<Json> = covered
                .missed
                .iter()
                .map(|missed| json!({"place": missed.place, "what": missed.what}))
                .collect();
            content.insert(
                name.to_owned(),
                json!({"exercised": covered.hit, "total": covered.total, "missed": missed}),
            );
        }
        let content = Json::Object(content);
        return stream::line(
            "info",
            "Coverage",
            "test_coverage",
            "test_coverage",
            content,
        );
    }
    let mut text = String::from("\nCoverage:\n");
    for (name, covered) in kinds {
        writeln!(text, "  {name}: {} of {}", covered.hit, covered.total).expect("strings take all");
        for missed in &covered.missed {
            writeln!(text, "    {}: {}", missed.place, missed.what).expect("strings take all");
        }
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_report_holds_every_run_and_no_stray_markup() {
        let mut diagnostics = Diagnostics::new();
        diagnostics.push(Diagnostic::error("x", "Bad <thing>", "with ]]> in it"));
        diagnostics.push(Diagnostic::warning("y", "Beware", ""));
        let file = FileVerdict {
            path: "a&b.tftest.hcl".to_owned(),
            status: Status::Error,
            runs: vec![
                RunVerdict {
                    name: "one".into(),
                    status: Status::Error,
                    diagnostics,
                    took: Some(Duration::from_millis(5)),
                    began: Some(1),
                    ..RunVerdict::default()
                },
                RunVerdict {
                    name: "two".into(),
                    status: Status::Skip,
                    ..RunVerdict::default()
                },
            ],
            cleanups: Vec::new(),
        };
        let text = junit(&[file]);
        assert!(text.contains("<testsuite name=\"a&amp;b.tftest.hcl\" tests=\"2\" skipped=\"1\" failures=\"0\" errors=\"1\">"));
        assert!(text.contains("]]]]><![CDATA[>"));
        assert!(text.contains("Previous testcase \"one\" ended in error"));
        assert!(text.contains("time=\"0.005000000\" timestamp=\"1970-01-01T00:00:01Z\""));
        assert!(text.contains("<system-err>"));
    }

    #[test]
    fn lines_of_the_stream_say_which_run_they_are_of() {
        let line = placed("{\"a\":1}", "f.tftest.hcl", Some("one"));
        let object: Json = serde_json::from_str(&line).unwrap();
        assert_eq!(object["@testfile"], "f.tftest.hcl");
        assert_eq!(object["@testrun"], "one");
    }
}
