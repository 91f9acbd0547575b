//! Changes between two versions of a module, planted in `tests/changes/*.txt`: breaking ones, each of which must be found
//! and named, and harmless ones, none of which may be taken for breaking.
//!
//! A case is `### name`, the old version (`--- old/path`), the new version (`--- new/path`; a file that is not given again
//! is the old one), and after `===` the findings of the step that decides: a line `step major`, then
//! `kind file:line subject` (`-` for a place that is in the old version alone, which stands in brackets behind). With
//! `UPDATE_CASES` in the environment the files are written anew with what is found; read the difference. Both tests print
//! how many cases they hold (`cargo test -p terrace-module --test changes -- --nocapture`).

#![expect(clippy::unwrap_used, reason = "tests may unwrap")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use terrace_config::{Config, ModuleRequest, ModuleResolver};
use terrace_diag::Diagnostic;
use terrace_module::{Changes, Interface, NoTypes, Step, compare, concerns_roots_only};
use terrace_port::{FileEntry, Files};

#[test]
fn planted_breaking_changes_are_found_with_their_step() {
    let cases = hold("breaking.txt");
    println!("{cases} planted breaking changes: all found and named, each with the step major");
    assert!(cases >= 20, "only {cases} breaking changes are planted");
}

#[test]
fn harmless_changes_pass() {
    let cases = hold("harmless.txt");
    println!("{cases} planted harmless changes: none taken for breaking");
    assert!(cases >= 20, "only {cases} harmless changes are planted");
}

/// Holds the cases of a file to what is found, and gives how many there are.
fn hold(file: &str) -> usize {
    let path = format!("{}/tests/changes/{file}", env!("CARGO_MANIFEST_DIR"));
    #[expect(clippy::disallowed_methods, reason = "a test reads its own cases")]
    let text = std::fs::read_to_string(&path).unwrap();
    let mut failures = String::new();
    let mut renewed = text.clone();
    let cases = Case::read(&text);
    for case in &cases {
        let found = case.found();
        if found != case.expected {
            writeln!(failures, "### {}", case.name).unwrap();
            for line in case.expected.iter().filter(|line| !found.contains(line)) {
                writeln!(failures, "-{line}").unwrap();
            }
            for line in found.iter().filter(|line| !case.expected.contains(line)) {
                writeln!(failures, "+{line}").unwrap();
            }
            renewed = renewed.replacen(
                &case.text,
                &format!("{}===\n{}\n", case.before_findings(), found.join("\n")),
                1,
            );
        }
        let breaking = found[0] == "step major";
        if breaking != (file == "breaking.txt") {
            writeln!(failures, "### {}\n+{} in {file}", case.name, found[0]).unwrap();
        }
    }
    #[expect(clippy::disallowed_methods, reason = "a test renews its own cases")]
    if renewed != text && std::env::var_os("UPDATE_CASES").is_some() {
        std::fs::write(&path, renewed).unwrap();
    }
    assert!(failures.is_empty(), "{failures}");
    cases.len()
}

/// A change that was planted.
struct Case {
    name: String,
    text: String,
    old: BTreeMap<String, String>,
    new: BTreeMap<String, String>,
    expected: Vec<String>,
}

impl Case {
    fn read(text: &str) -> Vec<Self> {
        text.split("### ").skip(1).map(Self::one).collect()
    }

    fn one(text: &str) -> Self {
        let (name, rest) = text.split_once('\n').unwrap();
        let (files, expected) = rest.split_once("===\n").unwrap();
        let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
        for file in files.split("--- ").skip(1) {
            let (path, content) = file.split_once('\n').unwrap();
            match path.split_once('/').unwrap() {
                ("old", path) => old.insert(path.to_owned(), content.to_owned()),
                ("new", path) => new.insert(path.to_owned(), content.to_owned()),
                (other, _) => panic!("{name}: {other} is no version"),
            };
        }
        for (path, content) in &old {
            new.entry(path.clone()).or_insert_with(|| content.clone());
        }
        Self {
            name: name.to_owned(),
            text: text.to_owned(),
            old,
            new,
            expected: expected
                .lines()
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }

    fn before_findings(&self) -> &str {
        self.text.split_once("===\n").unwrap().0
    }

    fn found(&self) -> Vec<String> {
        let old = interface(&self.name, &self.old);
        let new = interface(&self.name, &self.new);
        render(&compare(&old, &new))
    }
}

fn render(changes: &Changes) -> Vec<String> {
    let step = changes.step();
    let mut lines = vec![format!("step {step}")];
    let deciding = changes
        .findings
        .iter()
        .filter(|finding| finding.kind.step() == step && step > Step::None);
    lines.extend(deciding.map(|finding| {
        let place = match (&finding.now, &finding.before) {
            (Some(now), _) => now.to_string(),
            (None, Some(before)) => format!("- [{before}]"),
            (None, None) => "-".to_owned(),
        };
        format!("{} {place} {}", finding.kind.id(), finding.subject)
    }));
    lines
}

fn interface(name: &str, files: &BTreeMap<String, String>) -> Interface {
    let (config, diagnostics) = terrace_config::load(".", &Memory(files), &Local(files));
    let problems: Vec<&Diagnostic> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error() && diagnostic.id != "module-not-installed")
        .collect();
    assert!(problems.is_empty(), "{name}: {problems:?}");
    sound(name, &config);
    Interface::of(&config, &NoTypes)
}

/// A case must be a module that could be published.
fn sound(name: &str, config: &Config) {
    let problems: Vec<_> = terrace_config::check(config)
        .into_iter()
        .filter(Diagnostic::is_error)
        .filter(|problem| !concerns_roots_only(problem.id, &config.root.module))
        .collect();
    assert!(problems.is_empty(), "{name}: {problems:?}");
}

/// The files of one version.
struct Memory<'a>(&'a BTreeMap<String, String>);

impl Files for Memory<'_> {
    fn read(&self, path: &str) -> std::io::Result<Arc<[u8]>> {
        self.0
            .get(path)
            .map(|text| text.as_bytes().into())
            .ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }

    fn list(&self, path: &str) -> std::io::Result<Vec<FileEntry>> {
        let prefix = match path {
            "." => String::new(),
            path => format!("{path}/"),
        };
        Ok(self
            .0
            .keys()
            .filter_map(|known| known.strip_prefix(prefix.as_str()))
            .filter(|name| !name.contains('/'))
            .map(|name| FileEntry {
                name: name.to_owned(),
                is_directory: false,
            })
            .collect())
    }

    fn exists(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    fn absolute(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// Finds local modules; those of others are not installed.
struct Local<'a>(&'a BTreeMap<String, String>);

impl ModuleResolver for Local<'_> {
    fn resolve(&self, request: &ModuleRequest<'_>) -> Result<String, Diagnostic> {
        let directory = terrace_config::join_path(request.calling_directory, request.source);
        let known = self
            .0
            .keys()
            .any(|path| path.starts_with(&format!("{directory}/")));
        if known && request.source.starts_with('.') {
            Ok(directory)
        } else {
            Err(Diagnostic::error(
                "module-not-installed",
                "Module not installed",
                "It is of others.",
            ))
        }
    }
}
