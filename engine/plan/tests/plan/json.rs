//! `show -json` of plans and states. The scenarios of tests/conformance hold whole documents to the reference's.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use terrace_config::load_snapshot;
use terrace_plan::{plan_json, state_json};
use terrace_state::{Object, State, StoredIdentity};
use terrace_value::{Type, Value};

use crate::sample;

fn shown() -> Json {
    let plan = sample::plan();
    let (config, _) = load_snapshot(&plan.inputs.configuration);
    serde_json::from_str(&plan_json(&plan, &config)).expect("JSON")
}

#[test]
fn the_document_tells_what_it_is() {
    let shown = shown();
    assert_eq!(shown["format_version"], "1.2");
    assert_eq!(shown["timestamp"], "2026-01-02T03:04:05Z");
    // Some are left out by -target.
    assert_eq!(
        (&shown["applyable"], &shown["complete"], &shown["errored"]),
        (&json!(true), &json!(false), &json!(false))
    );
    assert_eq!(shown["prior_state"]["format_version"], "1.0");
    // A sensitive variable stands in clear, as the format has it; one that is ephemeral stands nowhere.
    assert_eq!(shown["variables"], json!({"name": {"value": "new"}}));
    assert_eq!(
        shown["relevant_attributes"],
        json!([{"resource": "test_object.a", "attribute": ["list", 0]}])
    );
}

#[test]
fn a_replacement_is_shown_with_unknowns_secrets_and_reasons() {
    let shown = shown();
    // Data resources stand before the managed ones of their module.
    let change = &shown["resource_changes"][1];
    assert_eq!(change["address"], "test_object.a");
    assert_eq!(
        change["previous_address"],
        "module.m[\"k\"].test_object.b[3]"
    );
    assert_eq!(change["action_reason"], "replace_because_cannot_update");
    let change = &change["change"];
    assert_eq!(change["actions"], json!(["create", "delete"]));
    assert_eq!(change["before"], json!({"id": "i", "name": "old"}));
    assert_eq!(change["after_unknown"]["id"], true);
    assert_eq!(change["after_unknown"]["list"], json!([false, true]));
    assert_eq!(change["after"]["list"], json!(["a", null]));
    assert!(change["after"].get("id").is_none());
    assert_eq!(change["after_sensitive"]["secret"], true);
    assert_eq!(change["after_sensitive"]["list"], json!([true, false]));
    assert_eq!(change["after_sensitive"]["map"], json!({"k.e\"y": true}));
    assert_eq!(change["replace_paths"][0], json!(["name"]));
    assert_eq!(change["replace_paths"][2], json!(["list", 0]));
    assert_eq!(change["replace_paths"][3], json!(["map", "k.e\"y"]));
}

#[test]
fn imports_deposed_objects_and_reads_are_marked() {
    let shown = shown();
    let change = |fits: &dyn Fn(&Json) -> bool| {
        let mut changes = shown["resource_changes"].as_array().unwrap().iter();
        changes.find(|change| fits(change)).unwrap()
    };
    let deposed = change(&|change| change["deposed"] == "0a1b2c3d");
    assert_eq!(deposed["change"]["actions"], json!(["delete"]));
    assert_eq!(deposed["change"]["after"], Json::Null);
    let imported = change(&|change| change["change"]["importing"]["id"] == "i-1");
    assert_eq!(imported["module_address"], "module.m[\"k\"]");
    assert_eq!(imported["index"], 0);
    assert_eq!(
        imported["change"]["generated_config"],
        "resource \"x\" \"y\" {}\n"
    );
    // Data resources stand before the managed ones of their module.
    let first = &shown["resource_changes"][0];
    assert_eq!(first["mode"], "data");
    assert_eq!(first["action_reason"], "read_because_config_unknown");
    assert_eq!(shown["output_changes"]["url"]["after_sensitive"], true);
    assert_eq!(shown["output_changes"]["url"]["after_unknown"], true);
    assert_eq!(shown["resource_drift"][0]["address"], "test_object.a");
    assert_eq!(shown["checks"][0]["status"], "fail");
}

/// The sample's state with an identity and an attribute that no schema has.
fn state_with_identity() -> State {
    let mut state = sample::state(4);
    let address = "test_object.a".parse().unwrap();
    let object = state.object(&address).unwrap().clone();
    let resource = state.resources.get_mut(&address.resource).unwrap();
    let instance = resource.instances.get_mut(&None).unwrap();
    instance.current = Some(Arc::new(Object {
        identity: Some(StoredIdentity {
            schema_version: 2,
            attributes: b"{\"region\":\"eu\"}"[..].into(),
        }),
        attributes: b"{\"id\":\"i\",\"name\":\"old\",\"gone\":1}"[..].into(),
        ..(*object).clone()
    }));
    state
}

#[test]
fn identities_before_and_after_are_shown() {
    let mut plan = sample::plan();
    plan.prior_state = Arc::new(state_with_identity());
    plan.changes[0].identity = Some(Value::object([
        ("region", Value::string("us")),
        ("number", Value::unknown(Type::Number)),
    ]));
    let (config, _) = load_snapshot(&plan.inputs.configuration);
    let shown: Json = serde_json::from_str(&plan_json(&plan, &config)).expect("JSON");
    let changes = shown["resource_changes"].as_array().unwrap();
    let change = |deposed: bool| {
        let mut found = changes.iter().filter(|change| {
            change["address"] == "test_object.a" && change.get("deposed").is_some() == deposed
        });
        &found.next().unwrap()["change"]
    };
    assert_eq!(change(false)["before_identity"], json!({"region": "eu"}));
    assert_eq!(change(false)["after_identity"], json!({"region": "us"}));
    assert!(change(true).get("before_identity").is_none());
    let object = &shown["prior_state"]["values"]["root_module"]["resources"][0];
    assert_eq!(object["identity_schema_version"], 2);
    assert_eq!(object["identity"], json!({"region": "eu"}));
}

#[test]
fn what_the_schema_lacks_is_not_shown() {
    let schemas = sample::plan().schemas;
    let lookup = |provider: &terrace_addr::ProviderAddr| schemas.get(provider).cloned();
    let shown: Json =
        serde_json::from_str(&state_json(&state_with_identity(), &lookup)).expect("JSON");
    let values = &shown["values"]["root_module"]["resources"][0]["values"];
    assert_eq!(values["name"], "old");
    assert!(values.get("gone").is_none(), "{values}");
}

#[test]
fn an_ephemeral_variable_stands_with_its_default_alone() {
    let mut plan = sample::plan();
    let mut configuration = (*plan.inputs.configuration).clone();
    for file in &mut configuration.files {
        if &*file.path == "main.tf" {
            file.bytes = b"variable \"name\" {}\nvariable \"session\" {\n  ephemeral = true\n  default = \"none\"\n}\n"[..].into();
        }
    }
    plan.inputs.configuration = Arc::new(configuration);
    let (config, _) = load_snapshot(&plan.inputs.configuration);
    let shown: Json = serde_json::from_str(&plan_json(&plan, &config)).expect("JSON");
    assert_eq!(
        shown["variables"],
        json!({"name": {"value": "new"}, "session": {"value": "none"}})
    );
}

#[test]
fn a_state_is_shown_with_and_without_schemas() {
    let state = sample::state(1);
    let without: Json = serde_json::from_str(&state_json(&state, &|_| None)).expect("JSON");
    let resource = &without["values"]["root_module"]["resources"][0];
    assert_eq!(resource["address"], "test_object.a");
    assert_eq!(resource["values"], json!({"id": "i", "name": "old"}));
    assert_eq!(without["values"]["outputs"]["url"]["value"], "http://a");
    let schemas = sample::plan().schemas;
    let lookup = |provider: &terrace_addr::ProviderAddr| schemas.get(provider).cloned();
    let with: Json = serde_json::from_str(&state_json(&state, &lookup)).expect("JSON");
    assert_eq!(
        with["values"]["root_module"]["resources"][0]["values"]["name"],
        "old"
    );
    let empty = state_json(&terrace_state::State::default(), &|_| None);
    assert_eq!(empty, "{\"format_version\":\"1.0\"}");
}
