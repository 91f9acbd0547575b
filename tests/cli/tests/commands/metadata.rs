//! Signatures of functions, as other tools read them.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;
use terrace_test_support::Project;

/// The signatures of the reference's functions, which were taken from it.
const REFERENCE: &str = include_str!("../../../conformance/functions.jsonl");

fn signatures(json: &str) -> BTreeMap<String, Value> {
    let mut document: Value = serde_json::from_str(json).unwrap();
    assert_eq!(document["format_version"], "1.0");
    let signatures = document["function_signatures"].take();
    serde_json::from_value(signatures).unwrap()
}

fn ours() -> BTreeMap<String, Value> {
    let answer = Project::with("")
        .terrace(&["metadata", "functions", "-json"])
        .success();
    signatures(&answer.stdout)
}

/// A signature without the texts that describe it.
fn undescribed(signature: &Value) -> Value {
    let mut signature = signature.clone();
    let fields = signature.as_object_mut().unwrap();
    fields.remove("description");
    fields.remove("name");
    let parameters = fields
        .get_mut("parameters")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten();
    for parameter in parameters {
        parameter.as_object_mut().unwrap().remove("description");
    }
    if let Some(parameter) = fields.get_mut("variadic_parameter") {
        parameter.as_object_mut().unwrap().remove("description");
    }
    signature
}

#[test]
fn functions_have_the_references_signatures() {
    let ours = ours();
    let mut compared = 0;
    for line in REFERENCE.lines() {
        let reference: Value = serde_json::from_str(line).unwrap();
        let name = reference["name"].as_str().unwrap();
        let signature = ours
            .get(name)
            .unwrap_or_else(|| panic!("there is no {name}"));
        assert_eq!(undescribed(signature), undescribed(&reference), "{name}");
        assert_eq!(
            ours.get(&format!("core::{name}")),
            Some(signature),
            "{name}"
        );
        compared += 1;
    }
    assert_eq!(compared, 118);
    let more: Vec<&String> = ours.keys().filter(|name| !name.contains("::")).collect();
    assert_eq!(more.len(), 118 + 16);
    for signature in ours.values() {
        assert!(!signature["description"].as_str().unwrap().is_empty());
    }
}

#[test]
fn an_installed_reference_says_the_same() {
    let Ok(answer) = Command::new("terraform")
        .args(["metadata", "functions", "-json"])
        .env("CHECKPOINT_DISABLE", "1")
        .output()
    else {
        eprintln!("SKIPPED: terraform is not installed");
        return;
    };
    let ours = ours();
    let theirs = signatures(&String::from_utf8(answer.stdout).unwrap());
    for (name, signature) in &theirs {
        // Later versions of the reference have functions that this one does not know.
        if let Some(own) = ours.get(name) {
            assert_eq!(undescribed(own), undescribed(signature), "{name}");
        }
    }
    assert!(theirs.len() >= 236);
}

#[test]
fn json_is_the_only_form() {
    Project::with("")
        .terrace(&["metadata", "functions"])
        .fails(1)
        .says("requires the `-json` flag");
}
