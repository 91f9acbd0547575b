//! State files: those that the reference wrote come back as the same bytes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use terrace_state::{StateError, read, write};

fn file(path: &Path) -> Vec<u8> {
    #[expect(clippy::disallowed_methods, reason = "tests read their fixtures")]
    std::fs::read(path).unwrap()
}

fn fixture(name: &str) -> Vec<u8> {
    file(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name),
    )
}

fn scenario_states() -> Vec<PathBuf> {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance/scenarios");
    let directories = |path: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .collect()
    };
    let mut states: Vec<PathBuf> = directories(&scenarios)
        .iter()
        .flat_map(|scenario| directories(scenario))
        .map(|step| step.join("state.json"))
        .filter(|path| path.exists())
        .collect();
    states.sort();
    states
}

#[test]
fn files_of_the_reference_come_back_as_the_same_bytes() {
    for name in ["values.tfstate", "objects.tfstate"] {
        let bytes = fixture(name);
        let state = read(&bytes).unwrap();
        assert_eq!(
            String::from_utf8(write(&state)).unwrap(),
            String::from_utf8(bytes).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn states_of_all_scenarios_come_back_with_the_same_content() {
    let states = scenario_states();
    assert!(states.len() >= 88, "only {} states", states.len());
    for path in states {
        let bytes = file(&path);
        let written = write(&read(&bytes).unwrap());
        let expected: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let found: serde_json::Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(found, expected, "{}", path.display());
        assert_eq!(
            write(&read(&written).unwrap()),
            written,
            "{}",
            path.display()
        );
    }
}

#[test]
fn reading_gives_equal_states_whatever_the_layout() {
    let bytes = fixture("values.tfstate");
    let compact = terrace_state::compact(std::str::from_utf8(&bytes).unwrap());
    assert!(compact.len() < bytes.len());
    assert_eq!(read(&compact).unwrap(), read(&bytes).unwrap());
}

fn refusal(text: &str) -> StateError {
    read(text.as_bytes()).unwrap_err()
}

#[test]
fn damaged_files_are_refused_with_their_place() {
    let error = refusal("{\"version\":4,\n \"serial\": 7,");
    assert_eq!(error.position, Some((2, 13)));
    assert!(error.hint.unwrap().contains("backup"));
    let error = refusal("{\"version\":4,\n \"lineage\": 5}");
    assert_eq!(error.summary, "Invalid state file format");
    assert_eq!(error.position.unwrap().0, 2);
    assert!(
        refusal("garbage")
            .detail
            .contains("could not be parsed as JSON")
    );
    assert!(refusal("").detail.contains("empty"));
    assert!(
        refusal("{}")
            .detail
            .contains("does not have a \"version\" attribute")
    );
    assert!(
        read(b"{\"version\":4,\"lineage\":\"\xff\"}")
            .unwrap_err()
            .detail
            .contains("UTF-8")
    );
}

#[test]
fn other_versions_are_refused_clearly() {
    let newer = refusal(r#"{"version":5,"terraform_version":"9.9.9"}"#);
    assert_eq!(newer.summary, "Unsupported state file format");
    assert!(
        newer.detail.contains("format version 5") && newer.detail.contains("9.9.9"),
        "{}",
        newer.detail
    );
    assert!(
        refusal(r#"{"version":3}"#)
            .hint
            .unwrap()
            .contains("upgrade")
    );
}

#[test]
fn content_that_makes_no_sense_is_refused() {
    let with = |instances: &str| {
        let provider = r#"provider[\"registry.terraform.io/hashicorp/null\"]"#;
        format!(
            r#"{{"version":4,"resources":[{{"mode":"managed","type":"t","name":"a","provider":"{provider}","instances":[{instances}]}}]}}"#
        )
    };
    for (instances, what) in [
        (r#"{"attributes":{}},{"attributes":{}}"#, "appears twice"),
        (r#"{"attributes":{},"status":"odd"}"#, "unknown status"),
        (
            r#"{"attributes":{},"index_key":-1}"#,
            "neither a whole number",
        ),
        (r#"{"attributes":{},"private":"%%"}"#, "base64"),
        (r#"{"attributes":{},"dependencies":["a..b"]}"#, "dependency"),
        (r#"{"attributes_flat":{"a":"b"}}"#, "0.11"),
        (
            r#"{"attributes":{},"sensitive_attributes":[[{"type":"odd","value":1}]]}"#,
            "unknown type",
        ),
    ] {
        let error = refusal(&with(instances));
        assert!(error.detail.contains(what), "{what}: {}", error.detail);
    }
    assert!(read(with("").as_bytes()).is_ok());
}

#[test]
fn conditions_of_no_instances_stay_without_objects() {
    let text = r#"{
  "version": 4,
  "terraform_version": "1.11.4",
  "serial": 1,
  "lineage": "5671918c-c22a-8cc3-1b0b-f240d8a787e7",
  "outputs": {},
  "resources": [],
  "check_results": [
    {
      "object_kind": "resource",
      "config_addr": "terraform_data.a",
      "status": "pass",
      "objects": null
    }
  ]
}
"#;
    assert_eq!(
        String::from_utf8(write(&read(text.as_bytes()).unwrap())).unwrap(),
        text
    );
}
