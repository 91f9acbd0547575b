//! Whole scenarios over the command line, step by step with the state carried along, against what the reference did:
//! exit codes, diagnostics, plan JSON 1.2 and state v4.
#![expect(
    clippy::disallowed_methods,
    reason = "tests read the corpus from disk and start processes"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Map, Value as Json};

/// How many scenarios must agree in all their steps. Only ever raised.
const FLOOR: usize = 83;

/// Where Terrace chooses to differ, and why.
const DIFFERENCES: [(&str, &str); 1] = [(
    "ephemeral_variable",
    "a plan never holds the value of an ephemeral variable, and the reference's plan JSON shows it",
)];

/// What differs from run to run, or names the product.
const IGNORED: [&str; 4] = ["timestamp", "terraform_version", "lineage", "serial"];

/// What a step leaves for the next one.
const KEPT: [&str; 4] = [
    "terraform.tfstate",
    "terraform.tfstate.backup",
    ".terraform",
    ".terrace",
];

#[test]
fn scenarios_agree_with_the_reference() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let names: BTreeSet<PathBuf> = entries(&root).collect();
    assert_eq!(names.len(), 84, "scenarios are missing");
    let terrace = terrace_test_support::terrace();
    let mut agreeing = 0;
    let mut report = String::new();
    for scenario in &names {
        let name = scenario
            .file_name()
            .expect("it has a name")
            .to_string_lossy()
            .into_owned();
        let found = differences(&terrace, scenario);
        if found.is_empty() {
            agreeing += 1;
        } else if !DIFFERENCES.iter().any(|(known, _)| *known == name) {
            for difference in found {
                writeln!(report, "{name}: {difference}").expect("strings take all");
            }
        }
    }
    println!(
        "scenario corpus over the command line: {agreeing} of {}",
        names.len()
    );
    assert!(
        agreeing >= FLOOR && report.is_empty(),
        "{agreeing} of {} agree, the floor is {FLOOR}:\n{report}",
        names.len()
    );
}

fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(directory)
        .expect("the corpus is there")
        .map(|entry| entry.expect("it reads").path())
}

fn read_json(path: &Path) -> Option<Json> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).expect("the corpus is JSON"))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("directories can be made");
    for source in entries(from) {
        let target = to.join(source.file_name().expect("it has a name"));
        if source.is_dir() {
            copy(&source, &target);
        } else {
            std::fs::write(&target, std::fs::read(&source).expect("the corpus reads"))
                .expect("files can be written");
        }
    }
}

struct Step<'a> {
    terrace: &'a Path,
    directory: &'a Path,
    environment: Vec<(String, String)>,
}

impl Step<'_> {
    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(self.terrace)
            .args(arguments)
            .current_dir(self.directory)
            .env_remove("TF_CLI_CONFIG_FILE")
            .envs(self.environment.iter().cloned())
            .output()
            .expect("terrace starts")
    }
}

fn differences(terrace: &Path, scenario: &Path) -> Vec<String> {
    let work = tempfile::tempdir().expect("temporary directories can be made");
    let mut found = Vec::new();
    let steps: BTreeSet<PathBuf> = entries(scenario).collect();
    for step in steps {
        for old in entries(work.path()) {
            let name = old
                .file_name()
                .expect("it has a name")
                .to_string_lossy()
                .into_owned();
            if KEPT.contains(&name.as_str()) {
                continue;
            }
            if old.is_dir() {
                std::fs::remove_dir_all(&old).expect("old configurations go");
            } else {
                std::fs::remove_file(&old).expect("old configurations go");
            }
        }
        copy(&step.join("config"), work.path());
        let label = step
            .file_name()
            .expect("it has a name")
            .to_string_lossy()
            .into_owned();
        found.extend(
            step_differences(terrace, &step, work.path())
                .into_iter()
                .map(|text| format!("{label} {text}")),
        );
    }
    found
}

fn step_differences(terrace: &Path, step: &Path, directory: &Path) -> Vec<String> {
    let expected =
        read_json(&step.join("expected.json")).expect("every step says what is expected");
    let environment = expected["env"].as_object().cloned().unwrap_or_default();
    let environment = environment
        .into_iter()
        .map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned()));
    let step_run = Step {
        terrace,
        directory,
        environment: environment.collect(),
    };
    let mut found = Vec::new();
    let init = step_run.run(&["init", "-no-color"]);
    compare_code("init", &init, &expected["init_exit"], &mut found);
    if expected["init_exit"] != 0 {
        return found;
    }
    let mut arguments = vec!["plan", "-json", "-detailed-exitcode", "-out=p.bin"];
    arguments.extend(
        expected["args"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_str),
    );
    let plan = step_run.run(&arguments);
    compare_code("plan", &plan, &expected["plan_exit"], &mut found);
    compare_diagnostics("plan", &plan, &expected["plan_diagnostics"], &mut found);
    if let Some(wanted) = read_json(&step.join("plan.json"))
        && directory.join("p.bin").exists()
    {
        let shown = step_run.run(&["show", "-json", "p.bin"]);
        let given = serde_json::from_slice(&shown.stdout).unwrap_or(Json::Null);
        compare("plan.json", &normal(&wanted), &normal(&given), &mut found);
    }
    if expected["apply_exit"].is_null() {
        return found;
    }
    let apply = step_run.run(&["apply", "-json", "p.bin"]);
    compare_code("apply", &apply, &expected["apply_exit"], &mut found);
    compare_diagnostics("apply", &apply, &expected["apply_diagnostics"], &mut found);
    if let Some(wanted) = read_json(&step.join("state.json")) {
        let given = read_json(&directory.join("terraform.tfstate")).unwrap_or(Json::Null);
        compare("state.json", &normal(&wanted), &normal(&given), &mut found);
    }
    found
}

fn compare_code(what: &str, output: &Output, expected: &Json, found: &mut Vec<String>) {
    let code = output.status.code().map(i64::from);
    if code != expected.as_i64() {
        let said = String::from_utf8_lossy(&output.stderr);
        found.push(format!(
            "{what} exits with {code:?}, expected {expected}: {said}"
        ));
    }
}

/// Diagnostics by severity, summary, detail and line; each once, in any order.
fn compare_diagnostics(what: &str, output: &Output, expected: &Json, found: &mut Vec<String>) {
    let product = |text: &Json| {
        text.as_str()
            .unwrap_or_default()
            .replace("Terraform", "Terrace")
            .replace("terraform plan", "terrace plan")
    };
    let key = |object: &Json, line: &Json| {
        (
            product(&object["severity"]),
            product(&object["summary"]),
            product(&object["detail"]),
            line.as_i64(),
        )
    };
    let wanted: BTreeSet<_> = expected
        .as_array()
        .into_iter()
        .flatten()
        .map(|object| key(object, &object["start"][0]))
        .collect();
    let text = String::from_utf8_lossy(&output.stdout);
    let events = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let given: BTreeSet<_> = events
        .filter(|event| event["type"] == "diagnostic")
        .map(|event| {
            key(
                &event["diagnostic"],
                &event["diagnostic"]["range"]["start"]["line"],
            )
        })
        .collect();
    for missing in wanted.difference(&given) {
        found.push(format!("{what} does not say {missing:?}"));
    }
    for extra in given.difference(&wanted) {
        found.push(format!("{what} says {extra:?}"));
    }
}

/// Without what differs from run to run; ids that a provider made up are all the same.
fn normal(value: &Json) -> Json {
    match value {
        Json::Object(entries) => {
            let kept = entries
                .iter()
                .filter(|(name, _)| !IGNORED.contains(&name.as_str()));
            Json::Object(
                kept.map(|(name, value)| (name.clone(), normal(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        Json::Array(items) => Json::Array(items.iter().map(normal).collect()),
        Json::String(text) => Json::String(without_ids(text)),
        other => other.clone(),
    }
}

fn without_ids(text: &str) -> String {
    const LENGTH: usize = 36;
    let is_id = |window: &[u8]| {
        window.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if at + LENGTH <= bytes.len() && is_id(&bytes[at..at + LENGTH]) {
            out.extend_from_slice(b"<id>");
            at += LENGTH;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn compare(path: &str, wanted: &Json, given: &Json, found: &mut Vec<String>) {
    match (wanted, given) {
        (Json::Object(wanted), Json::Object(given)) => {
            let names: BTreeSet<&String> = wanted.keys().chain(given.keys()).collect();
            for name in names {
                let path = format!("{path}.{name}");
                match (wanted.get(name), given.get(name)) {
                    (Some(wanted), Some(given)) => compare(&path, wanted, given, found),
                    (Some(wanted), None) => found.push(format!("{path} is missing: {wanted}")),
                    (None, given) => found.push(format!(
                        "{path} is too much: {}",
                        given.unwrap_or(&Json::Null)
                    )),
                }
            }
        }
        (Json::Array(wanted), Json::Array(given)) if wanted.len() == given.len() => {
            for (index, (wanted, given)) in wanted.iter().zip(given).enumerate() {
                compare(&format!("{path}[{index}]"), wanted, given, found);
            }
        }
        (wanted, given) if wanted == given => {}
        (wanted, given) => found.push(format!("{path} is {given}, expected {wanted}")),
    }
}
