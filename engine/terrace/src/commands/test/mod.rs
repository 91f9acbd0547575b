//! `terrace test`

mod workshop;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use terrace_diag::{Diagnostic, Diagnostics, SourceFile, SourceId, SourceMap};
use terrace_port::Files as _;
use terrace_test::{Cancel, Coverage, FileVerdict, Status, Summary, TestFile, discover, execute};

use crate::args::TestArgs;
use crate::command_error::{CommandError, FAILURE, Outcome, SUCCESS};
use crate::outside::{Disk, write_file};
use crate::session::Session;
use crate::signals::Signals;
use crate::view::test::{self as test_view, Shown};
use workshop::Bench;

pub(crate) async fn run(session: &Arc<Session>, args: &TestArgs) -> Outcome {
    if !args.watch {
        return Box::pin(once(session, args)).await;
    }
    loop {
        let seen = fingerprint(".");
        let outcome = Box::pin(once(session, args)).await;
        if let Err(error) = outcome {
            session.view.diagnostics(error.diagnostics, &error.sources);
        }
        session.carrying_out.store(false, Ordering::SeqCst);
        session
            .view
            .line("\nWaiting for changes. Control-C ends it.\n");
        while fingerprint(".") == seen {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// Checks the test files of the working directory and of `directory`, as far as that is possible without carrying them out.
pub(super) fn check(directory: &str, sources: &mut SourceMap) -> Diagnostics {
    let found = discover(&Disk, directory);
    let mut diagnostics = found.diagnostics;
    for path in found.paths {
        match add(&path, sources) {
            Ok(id) => diagnostics.append(terrace_test::parse(id, sources).1),
            Err(problem) => diagnostics.push(problem),
        }
    }
    diagnostics
}

fn add(path: &str, sources: &mut SourceMap) -> Result<SourceId, Diagnostic> {
    let bytes = Disk.read(path).map_err(|error| {
        let detail = format!("{path} cannot be read: {error}.");
        Diagnostic::error("unreadable-file", "Failed to read file", detail)
    })?;
    Ok(sources.add(SourceFile::new(path, String::from_utf8_lossy(&bytes))))
}

/// A test file with its text.
type Read = (TestFile, Arc<str>);

/// Reads all test files. What is wrong with one of them keeps all from being carried out.
fn read_files(session: &Session, args: &TestArgs) -> Result<Vec<Read>, CommandError> {
    let mut sources = SourceMap::new();
    let found = discover(&Disk, &args.test_directory);
    let mut diagnostics = found.diagnostics;
    let mut files = Vec::new();
    for path in found.paths {
        match add(&path, &mut sources) {
            Ok(id) => {
                let (file, problems) = terrace_test::parse(id, &sources);
                diagnostics.append(problems);
                let text = sources.get(id).map(|source| source.text().clone());
                files.extend(text.map(|text| (file, text)));
            }
            Err(problem) => diagnostics.push(problem),
        }
    }
    if diagnostics.has_errors() {
        return Err(CommandError::new(diagnostics, sources));
    }
    for filter in &args.filter {
        if !files.iter().any(|(file, _)| file.path == *filter) {
            let detail = format!(
                "The command line asks for the test file {filter}, and there is no such file in the working directory or in {}.",
                args.test_directory
            );
            diagnostics.push(Diagnostic::warning(
                "unknown-test-file",
                "Unknown test file",
                detail,
            ));
        }
    }
    session.view.diagnostics(diagnostics, &sources);
    if !args.filter.is_empty() {
        files.retain(|(file, _)| args.filter.contains(&file.path));
    }
    Ok(files)
}

async fn once(session: &Arc<Session>, args: &TestArgs) -> Outcome {
    let view = &session.view;
    if view.json {
        view.output(crate::view::stream::version_line());
    }
    let bench = Bench::new(session, args)?;
    let files = read_files(session, args)?;
    if view.json {
        let listed = files.iter().map(|(file, _)| file);
        view.output(test_view::abstract_line(listed));
    }
    let shown = Shown::new(*view, args.verbose);
    let cancel = Arc::new(Cancel::default());
    let listening = listen(session, Arc::clone(&cancel));
    let coverage = Mutex::new(Coverage::new(bench.config()));
    let mut verdicts: Vec<FileVerdict> = Vec::new();
    for (file, text) in &files {
        let verdict = Box::pin(execute(&bench, (file, text), &cancel, &shown, &coverage)).await;
        keep_left(session, &verdict);
        verdicts.push(verdict);
    }
    listening.abort();
    if let Some(path) = &args.junit_xml {
        let text = test_view::junit(&verdicts);
        write_file(path, text.as_bytes()).map_err(|error| {
            let detail = format!("{path} cannot be written: {error}.");
            CommandError::one("unwritable-file", "Report cannot be written", detail)
        })?;
    }
    let summary = Summary::of(&verdicts);
    view.output_summary(&summary);
    if args.coverage {
        let coverage = coverage
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        view.output(test_view::coverage(&coverage, view));
    }
    Ok(if summary.status > Status::Pass {
        FAILURE
    } else {
        SUCCESS
    })
}

/// Keeps the states of what could not be destroyed as files, so that it can be destroyed later.
fn keep_left(session: &Session, verdict: &FileVerdict) {
    for cleanup in &verdict.cleanups {
        let Some(state) = &cleanup.state else {
            continue;
        };
        let name: String = format!("{}.{}", verdict.path, cleanup.run)
            .chars()
            .map(|c| {
                if c.is_alphanumeric() || c == '.' {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        let path = format!("left-by-{name}.tfstate");
        match write_file(&path, &terrace_state::write(state)) {
            Ok(()) => session.view.aside(format!(
                "The state of what is left is kept in {path}: `terrace apply -destroy -state={path}` destroys it once that is possible.\n"
            )),
            Err(error) => session
                .view
                .aside(format!("The state of what is left cannot be kept in {path}: {error}.\n")),
        }
    }
}

/// Ctrl-C and SIGTERM: once to end after what was made is destroyed, twice to end at once.
fn listen(session: &Session, cancel: Arc<Cancel>) -> tokio::task::JoinHandle<()> {
    let view = session.view;
    session.carrying_out.store(true, Ordering::SeqCst);
    let signals = Signals::new();
    tokio::spawn(async move {
        let Ok(mut signals) = signals else { return };
        while signals.next().await.is_some() {
            if cancel.request() == 1 {
                view.aside("\nInterrupt received.\nPlease wait for Terrace to finish what runs and to destroy what the tests made. A second interrupt leaves it\nas it is, and says what is left.\n");
            } else {
                view.aside("\nTwo interrupts received. Nothing more is destroyed.\n");
            }
        }
    })
}

/// Sizes and times of change of the files that a module and its tests are made of.
fn fingerprint(directory: &str) -> BTreeMap<String, (u64, Option<SystemTime>)> {
    let mut found = BTreeMap::new();
    for entry in Disk.list(directory).unwrap_or_default() {
        if entry.name.starts_with('.') {
            continue;
        }
        let path = terrace_config::join_path(directory, &entry.name);
        if entry.is_directory {
            found.extend(fingerprint(&path));
            continue;
        }
        let is_source = [".tf", ".hcl", ".json", ".tfvars", ".tftpl"]
            .iter()
            .any(|ending| path.ends_with(ending));
        if let (true, Ok(metadata)) = (is_source, std::fs::metadata(&path)) {
            found.insert(path, (metadata.len(), metadata.modified().ok()));
        }
    }
    found
}
