//! The starter pack and twenty policies as users of conftest write them, judged by Terrace, `conftest` and `opa` in one run.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use terrace_diag::SourceMap;
use terrace_policy::{DataFile, Policies, PolicyFile, Severity, TestResult, starter_pack};
use terrace_test_support::{available, in_full_size};

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    entries
}

fn plans() -> Vec<(PathBuf, Value)> {
    let plans = entries(&here("plans")).into_iter();
    plans
        .map(|path| {
            let document = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            (path, document)
        })
        .collect()
}

/// One policy with its data: a directory of `conftest/`.
struct Bundle {
    name: String,
    directory: PathBuf,
    files: Vec<PolicyFile>,
    data: Vec<DataFile>,
}

impl Bundle {
    fn read(directory: PathBuf) -> Self {
        let mut bundle = Self {
            name: directory
                .file_name()
                .unwrap()
                .to_string_lossy()
                .into_owned(),
            files: Vec::new(),
            data: Vec::new(),
            directory,
        };
        for path in entries(&bundle.directory) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).unwrap();
            if path
                .extension()
                .is_some_and(|extension| extension == "rego")
            {
                bundle.files.push(PolicyFile { path: name, text });
            } else {
                bundle.data.push(DataFile { path: name, text });
            }
        }
        bundle
    }

    fn policies(&self) -> Policies {
        let (policies, diagnostics) =
            Policies::parse(&self.files, &self.data, &mut SourceMap::new());
        let problems: Vec<String> = diagnostics
            .iter()
            .map(|problem| format!("{}: {}", problem.summary, problem.detail))
            .collect();
        assert!(problems.is_empty(), "{}: {problems:?}", self.name);
        policies
    }
}

fn bundles() -> Vec<Bundle> {
    entries(&here("conftest"))
        .into_iter()
        .map(Bundle::read)
        .collect()
}

/// The starter pack in a directory, as `terrace policy new` writes it.
fn starter(directory: &Path) -> Bundle {
    for file in starter_pack() {
        fs::write(directory.join(file.name), file.text).unwrap();
    }
    let mut bundle = Bundle::read(directory.to_owned());
    "starter pack".clone_into(&mut bundle.name);
    bundle
}

/// What was found in one plan: package, `failure`, `warning` or `exception`, and the message; sorted.
type Found = Vec<(String, &'static str, String)>;

fn found_by_terrace(bundle: &Bundle, plan: &Value) -> Found {
    let (verdict, diagnostics) = bundle.policies().judge(plan, &[]);
    assert!(
        !diagnostics.has_errors(),
        "{}: {diagnostics:?}",
        bundle.name
    );
    let mut found: Found = verdict
        .findings
        .into_iter()
        .map(|finding| {
            let kind = match finding.severity {
                Severity::Deny | Severity::Violation => "failure",
                Severity::Warn => "warning",
            };
            (finding.namespace, kind, finding.message)
        })
        .collect();
    found.sort();
    found
}

fn found_by_conftest(conftest: &Path, bundle: &Bundle, plan: &Path) -> Found {
    let mut command = Command::new(conftest);
    command
        .args(["test", "--all-namespaces", "--output", "json", "--policy"])
        .arg(&bundle.directory);
    for data in &bundle.data {
        command.arg("--data").arg(bundle.directory.join(&data.path));
    }
    let output = command.arg(plan).output().unwrap();
    let results: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "{}: {error}: {}{}",
            bundle.name,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    });
    let mut found = Found::new();
    for result in results.as_array().into_iter().flatten() {
        let namespace = result["namespace"].as_str().unwrap();
        for (member, kind) in [("failures", "failure"), ("warnings", "warning")] {
            for finding in result[member].as_array().into_iter().flatten() {
                found.push((
                    namespace.to_owned(),
                    kind,
                    finding["msg"].as_str().unwrap().to_owned(),
                ));
            }
        }
    }
    found.sort();
    found
}

/// Every rule that judges, as `opa eval` has its value, beside what Terrace makes of it.
fn values_by_opa(opa: &Path, bundle: &Bundle, plan: &Path) -> Value {
    let output = Command::new(opa)
        .args(["eval", "--format", "json", "--data"])
        .arg(&bundle.directory)
        .arg("--input")
        .arg(plan)
        .arg("data")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}: {}{}",
        bundle.name,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    answer["result"][0]["expressions"][0]["value"].clone()
}

/// The messages of every `deny`, `violation` and `warn` rule below a document of packages.
fn messages(value: &Value, into: &mut Vec<String>) {
    let Value::Object(members) = value else {
        return;
    };
    for (name, member) in members {
        let judges = ["deny", "violation", "warn"]
            .iter()
            .any(|prefix| name == prefix || name.starts_with(&format!("{prefix}_")));
        match member {
            Value::Array(results) if judges => into.extend(results.iter().map(|result| {
                let text = result.as_str().or_else(|| result["msg"].as_str());
                text.unwrap().to_owned()
            })),
            _ => messages(member, into),
        }
    }
}

#[test]
fn the_same_is_found_as_by_conftest_and_opa() {
    if !in_full_size("conftest and opa") {
        return;
    }
    let Some(conftest) = available("conftest", terrace_test_services::conftest()) else {
        return;
    };
    let Some(opa) = available("opa", terrace_test_services::opa()) else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let mut bundles = bundles();
    bundles.push(starter(directory.path()));
    let plans = plans();
    let (mut n_alike, mut n_findings) = (0, 0);
    let mut differing = Vec::new();
    for bundle in &bundles {
        for (path, plan) in &plans {
            let ours = found_by_terrace(bundle, plan);
            let theirs = found_by_conftest(&conftest, bundle, path);
            n_findings += theirs.len();
            if ours == theirs {
                n_alike += 1;
            } else {
                differing.push(format!(
                    "{} {}: {ours:#?} beside {theirs:#?}",
                    bundle.name,
                    path.display()
                ));
            }
            let (verdict, _) = bundle.policies().judge(plan, &[]);
            let mut ours: Vec<String> = verdict
                .findings
                .into_iter()
                .chain(verdict.excepted)
                .map(|finding| finding.message)
                .collect();
            let mut theirs = Vec::new();
            messages(&values_by_opa(&opa, bundle, path), &mut theirs);
            ours.sort();
            theirs.sort();
            if ours != theirs {
                differing.push(format!(
                    "{} {} (opa): {ours:#?} beside {theirs:#?}",
                    bundle.name,
                    path.display()
                ));
            }
        }
    }
    println!(
        "policies beside conftest and opa: {n_alike} of {} verdicts alike, with {n_findings} findings",
        bundles.len() * plans.len()
    );
    assert!(n_findings > 50, "{n_findings}");
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn findings_are_those_that_were_read_over() {
    let found: Vec<String> = bundles()
        .iter()
        .flat_map(|bundle| {
            plans().into_iter().flat_map(move |(path, plan)| {
                let plan_name = path.file_stem().unwrap().to_string_lossy().into_owned();
                found_by_terrace(bundle, &plan)
                    .into_iter()
                    .map(move |(package, kind, message)| {
                        format!("{} {plan_name} {package} {kind}: {message}", bundle.name)
                    })
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let recorded = here("findings.txt");
    let text = found.join("\n") + "\n";
    if std::env::var_os("TERRACE_RECORD").is_some() {
        fs::write(&recorded, &text).unwrap();
    }
    assert_eq!(
        text,
        fs::read_to_string(recorded).unwrap_or_default(),
        "TERRACE_RECORD=1 writes it anew"
    );
}

#[test]
fn the_starter_pack_passes_its_own_tests() {
    let directory = tempfile::tempdir().unwrap();
    let outcomes = starter(directory.path()).policies().run_tests("");
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|outcome| outcome.result != TestResult::Passed)
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    println!("tests of the starter pack: {}", outcomes.len());
    assert!(outcomes.len() >= 27);
}
