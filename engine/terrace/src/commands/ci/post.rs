//! Telling the job and the forge.

use std::path::Path;

use terrace_ci::{
    APPLIED, Annotation, COMMENT, Check, JOB_SUMMARY, Level, PlanReport, carry_applied, commands,
    marker, read_reports,
};
use terrace_diag::{Diagnostic, Diagnostics, SourceMap};
use terrace_port::{CommitCheck, Entropy as _, Files as _, Remark};

use super::context::Context;
use super::targets::Lines;
use crate::args::{CiOutput, CiReportArgs};
use crate::command_error::{CommandError, Outcome};
use crate::outside::{Disk, SystemEntropy, append_file};
use crate::session::Session;

/// `terrace ci report`: tells what several jobs have planned.
pub(super) async fn run(session: &Session, args: &CiReportArgs) -> Outcome {
    let context = Context::read(session)?;
    context.refuse_strangers()?;
    let mut reports = Vec::new();
    for path in report_files(&args.output.dir) {
        let unreadable = |why: String| {
            CommandError::one(
                "ci-report-unreadable",
                "Report cannot be read",
                format!("{path} is no report of `terrace ci plan`: {why}."),
            )
        };
        let bytes = Disk
            .read(&path)
            .map_err(|error| unreadable(error.to_string()))?;
        reports.extend(read_reports(&bytes).map_err(unreadable)?);
    }
    let found = session.find_project()?;
    order(&mut reports, found.as_ref());
    let project = found.map_or_else(|| "terrace".to_owned(), |found| found.project.name);
    let lines = match (&context.desk, context.pull_request()) {
        (Some(desk), Some(number)) => {
            let files = desk.changed_files(number).await;
            let files = files.map_err(|why| untold(&why))?;
            files
                .into_iter()
                .map(|file| (file.path, terrace_ci::changed_lines(&file.patch)))
                .collect()
        }
        _ => Lines::new(),
    };
    tell(
        session,
        &context,
        &args.output,
        (&project, &lines),
        &reports,
    )
    .await?;
    Ok(super::plan::code(&reports))
}

/// The environments in the order of the project file, whichever job ended first.
fn order(reports: &mut [PlanReport], found: Option<&crate::session::FoundProject>) {
    let place = |report: &PlanReport| {
        let environments = found.map(|found| &found.project.environments);
        environments.and_then(|environments| {
            environments
                .iter()
                .position(|one| Some(&one.name) == report.environment.as_ref())
        })
    };
    reports.sort_by_key(place);
}

/// The reports below a directory, in the order of their paths.
fn report_files(directory: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in Disk.list(&directory).unwrap_or_default() {
            let path = format!("{directory}/{}", entry.name);
            let is_report = Path::new(&entry.name)
                .extension()
                .is_some_and(|ending| ending == "json")
                && entry.name.starts_with("report-");
            if entry.is_directory {
                waiting.push(path);
            } else if is_report {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Tells what was planned: the job's summary, annotations, a file that is asked for, and the forge.
pub(super) async fn tell(
    session: &Session,
    context: &Context,
    output: &CiOutput,
    (project, lines): (&str, &Lines),
    reports: &[PlanReport],
) -> Result<(), CommandError> {
    let whereabouts = context.whereabouts(project);
    add_summary(session, &whereabouts.summary(reports, JOB_SUMMARY))?;
    // A part is kept free for what becomes of it after the merge.
    let comment = whereabouts.comment(reports, COMMENT - APPLIED);
    if let Some(file) = &output.markdown {
        super::plan::write(Path::new(file), comment.as_bytes())?;
    }
    let checks = Check::of(reports, lines, &whereabouts);
    let desk = context.desk.as_ref().filter(|_| output.post);
    // Where checks are made, changed lines have their annotations from them.
    let annotations: Vec<Annotation> = checks
        .iter()
        .flat_map(|check| check.annotations.clone())
        .filter(|annotation| desk.is_none() || annotation.level == Level::Error)
        .collect();
    if is_workflow(session) {
        for line in commands(&annotations) {
            session.view.output(line);
        }
    }
    let Some(desk) = desk else {
        if output.post && context.event.is_some() {
            session.view.line(
                "Nobody is told of this: GITHUB_TOKEN and GITHUB_REPOSITORY say neither where nor by whose right.",
            );
        }
        return Ok(());
    };
    let mut problems = Diagnostics::new();
    let mut note = |done: Result<(), String>| {
        if let Err(why) = done {
            problems.append(untold(&why).diagnostics);
        }
    };
    if let Some(number) = context.pull_request() {
        let marker = marker("plan", project);
        note(keep_comment(&**desk, (number, &marker), &comment, reports.is_empty()).await);
    }
    if let Some(commit) = &context.head {
        for check in checks {
            note(desk.keep_check(&commit_check(check, commit, context)).await);
        }
    }
    if problems.has_errors() {
        return Err(CommandError::new(problems, SourceMap::new()));
    }
    Ok(())
}

/// Keeps the comment up to date. Where there is nothing to tell, none is begun.
async fn keep_comment(
    desk: &dyn terrace_port::Desk,
    (number, marker): (u64, &str),
    comment: &str,
    is_empty: bool,
) -> Result<(), String> {
    let old = desk.comment(number, marker).await?;
    if is_empty && old.is_none() {
        return Ok(());
    }
    let comment = carry_applied(&old.unwrap_or_default(), comment);
    desk.keep_comment(number, marker, &comment).await
}

fn commit_check(check: Check, commit: &str, context: &Context) -> CommitCheck {
    let remark = |annotation: Annotation| Remark {
        path: annotation.file,
        lines: annotation.lines,
        level: match annotation.level {
            Level::Error => "failure",
            Level::Warning => "warning",
            Level::Notice => "notice",
        }
        .to_owned(),
        title: annotation.title.chars().take(255).collect(),
        message: annotation.message.chars().take(16_000).collect(),
    };
    CommitCheck {
        commit: commit.to_owned(),
        name: check.name,
        conclusion: check.conclusion.name().to_owned(),
        title: check.title,
        summary: check.summary,
        text: check.text,
        remarks: check.annotations.into_iter().map(remark).collect(),
        details: context.run_url.clone(),
    }
}

/// What the forge could not be told.
pub(super) fn untold(why: &str) -> CommandError {
    Diagnostic::error(
        "forge-failed",
        "Forge cannot be asked or told",
        format!(
            "{why}. Everything else of this command was done; plans and pages are in its directory."
        ),
    )
    .hint(
        "the job needs `permissions:` for it: contents: read, pull-requests: write, checks: write",
    )
    .into()
}

/// Whether GitHub's runner reads what is printed.
pub(super) fn is_workflow(session: &Session) -> bool {
    session.environment.get("GITHUB_ACTIONS") == Some("true")
}

/// Adds to the summary of the job, where there is one.
pub(super) fn add_summary(session: &Session, text: &str) -> Result<(), CommandError> {
    add_to_file(session, "GITHUB_STEP_SUMMARY", text)
}

/// Sets outputs of the step, where it can have any. Values are of one line.
pub(super) fn set_outputs(
    session: &Session,
    outputs: &[(&str, String)],
) -> Result<(), CommandError> {
    add_variables(session, "GITHUB_OUTPUT", outputs)
}

/// Adds lines `NAME=VALUE` to a file of the runner.
pub(super) fn add_variables(
    session: &Session,
    variable: &str,
    values: &[(&str, String)],
) -> Result<(), CommandError> {
    let lines: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("{name}={}", value.replace(['\n', '\r'], " ")))
        .collect();
    add_to_file(session, variable, &lines.join("\n"))
}

fn add_to_file(session: &Session, variable: &str, text: &str) -> Result<(), CommandError> {
    let Some(file) = session.environment.get(variable) else {
        return Ok(());
    };
    append_file(file, format!("{text}\n").as_bytes()).map_err(|error| {
        CommandError::one(
            "unwritable-file",
            "Runner's file cannot be written",
            format!("{file} ({variable}) cannot be written: {error}."),
        )
    })
}

/// Output in which the runner finds no commands, whatever plans print, folded under a heading.
pub(super) struct Quiet<'a> {
    session: &'a Session,
    token: Option<String>,
}

impl<'a> Quiet<'a> {
    /// Begins it.
    pub(super) fn begin(session: &'a Session, heading: &str) -> Self {
        if !is_workflow(session) {
            session.view.line(crate::view::stacks::heading(
                heading,
                heading,
                session.view.width,
            ));
            return Self {
                session,
                token: None,
            };
        }
        let mut bytes = [0; 16];
        SystemEntropy.fill(&mut bytes);
        let token = uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .simple()
            .to_string();
        let heading: String = heading.chars().filter(|c| !c.is_control()).collect();
        session.view.output(format!("::group::{heading}"));
        session.view.output(format!("::stop-commands::{token}"));
        Self {
            session,
            token: Some(token),
        }
    }

    /// Ends it.
    pub(super) fn end(self) {
        if let Some(token) = &self.token {
            self.session.view.output(format!("::{token}::"));
            self.session.view.output("::endgroup::");
        }
    }
}
