//! OPA's own cases of Rego v1, fetched with its module, against [`terrace_policy`].
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use regorus::Value as RegoValue;
use serde_json::Value;
use terrace_diag::SourceMap;
use terrace_policy::{DataFile, Policies, PolicyFile};
use terrace_test_support::available;

/// How many of the cases agreed when this was last counted. It may only go up.
const FLOOR: usize = 2_330;

/// One case.
struct Case {
    note: String,
    case: Value,
}

fn yaml_files(directory: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            yaml_files(&entry, found);
        } else if entry
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            found.push(entry);
        }
    }
}

fn cases(module: &Path) -> Vec<Case> {
    let mut files = Vec::new();
    yaml_files(&module.join("v1/test/cases/testdata/v1"), &mut files);
    let mut cases = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let Ok(document) = RegoValue::from_yaml_str(&text) else {
            cases.push(Case {
                note: format!("{}: not YAML that can be read", file.display()),
                case: Value::Null,
            });
            continue;
        };
        let document: Value = serde_json::from_str(&document.to_json_str().unwrap()).unwrap();
        for case in document["cases"].as_array().into_iter().flatten() {
            cases.push(Case {
                note: case["note"].as_str().unwrap_or_default().to_owned(),
                case: case.clone(),
            });
        }
    }
    cases
}

fn policies(case: &Value) -> Result<Policies, String> {
    let files: Vec<PolicyFile> = case["modules"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(index, module)| PolicyFile {
            path: format!("module-{index}.rego"),
            text: module.as_str().unwrap_or_default().to_owned(),
        })
        .collect();
    let data: Vec<DataFile> = case
        .get("data")
        .filter(|data| !data.is_null())
        .map(|data| DataFile {
            path: "data.json".to_owned(),
            text: data.to_string(),
        })
        .into_iter()
        .collect();
    let (policies, diagnostics) = Policies::parse(&files, &data, &mut SourceMap::new());
    if let Some(problem) = diagnostics.iter().find(|problem| problem.is_error()) {
        return Err(format!("{}: {}", problem.summary, problem.detail));
    }
    let is_strict = case["strict_error"].as_bool() == Some(true);
    Ok(if is_strict {
        policies.with_strict_functions()
    } else {
        policies
    })
}

/// The document that a case gives, as JSON or as a term of Rego.
fn document(case: &Value) -> Result<Option<Value>, String> {
    if let Some(term) = case.get("input_term").and_then(Value::as_str) {
        let (empty, _) = Policies::parse(&[], &[], &mut SourceMap::new());
        let answers = empty.query(None, term).map_err(|error| error.detail)?;
        return Ok(answers
            .into_iter()
            .next()
            .and_then(|answer| answer.values.into_iter().next()));
    }
    Ok(case.get("input").cloned())
}

/// A value with lists sorted where the case says that their order says nothing.
fn normal(value: &Value, sorted: bool) -> RegoValue {
    let mut value = value.clone();
    if sorted && let Value::Object(bindings) = &mut value {
        for binding in bindings.values_mut() {
            if let Value::Array(items) = binding {
                let mut texts: Vec<RegoValue> = items
                    .iter()
                    .map(|item| RegoValue::from_json_str(&item.to_string()).unwrap())
                    .collect();
                texts.sort();
                *items = texts
                    .iter()
                    .map(|item| serde_json::from_str(&item.to_json_str().unwrap()).unwrap())
                    .collect();
            }
        }
    }
    RegoValue::from_json_str(&value.to_string()).unwrap()
}

/// What is wrong with a case's outcome, if anything.
fn judged(case: &Value) -> Result<(), String> {
    let wants_error = case.get("want_error").is_some() || case.get("want_error_code").is_some();
    let outcome = policies(case).and_then(|policies| {
        let document = document(case)?;
        let query = case["query"].as_str().unwrap_or_default();
        policies
            .query(document.as_ref(), query)
            .map_err(|error| error.detail)
    });
    let answers = match outcome {
        Ok(_) if wants_error => return Err(format!("no error, wanted {}", case["want_error"])),
        Err(_) if wants_error => return Ok(()),
        Err(error) => return Err(error),
        Ok(answers) => answers,
    };
    let Some(wanted) = case.get("want_result").and_then(Value::as_array) else {
        return if answers.is_empty() || case["want_defined"].as_bool() == Some(true) {
            Ok(())
        } else {
            Err("defined".to_owned())
        };
    };
    let sorted = case["sort_bindings"].as_bool() == Some(true);
    let mut got: Vec<RegoValue> = answers
        .iter()
        .map(|answer| {
            let bindings = answer.bindings.clone().into_iter().collect();
            normal(&Value::Object(bindings), sorted)
        })
        .collect();
    let mut wanted: Vec<RegoValue> = wanted.iter().map(|row| normal(row, sorted)).collect();
    got.sort();
    wanted.sort();
    if got == wanted {
        Ok(())
    } else {
        Err(format!("got {got:?}, wanted {wanted:?}"))
    }
}

#[test]
fn cases_of_opa() {
    let module = terrace_test_services::go_module("github.com/open-policy-agent/opa@v1.22.0");
    let Some(module) = available("OPA's cases", module) else {
        return;
    };
    let cases = cases(&module);
    let mut differing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut n_agreeing = 0;
    for Case { note, case } in &cases {
        let result = catch_unwind(AssertUnwindSafe(|| judged(case)))
            .unwrap_or_else(|_| Err("a panic".to_owned()));
        match result {
            Ok(()) => n_agreeing += 1,
            Err(why) => {
                let family = note.split('/').next().unwrap_or_default();
                let why: String = why.chars().take(300).collect();
                differing
                    .entry(family)
                    .or_default()
                    .push(format!("{note}: {}", why.replace('\n', " ")));
            }
        }
    }
    for (family, notes) in &differing {
        println!("{family}: {}", notes.len());
        for note in notes {
            println!("    {note}");
        }
    }
    println!("OPA's cases: {n_agreeing} of {}", cases.len());
    assert!(
        cases.len() > 2_000,
        "the module holds {} cases",
        cases.len()
    );
    assert!(
        n_agreeing * 100 >= cases.len() * 95,
        "{n_agreeing} of {} are fewer than 95 of 100",
        cases.len()
    );
    assert!(
        n_agreeing >= FLOOR,
        "{n_agreeing} of {}, and it were {FLOOR}",
        cases.len()
    );
}
