//! Reading bodies by schemas.

mod support;

use std::sync::Arc;

use support::{evaluator, evaluator_with, thing, thing_schema, told};
use terrace_addr::{ModuleInstance, Resource};
use terrace_config::ResourceConfig;
use terrace_eval::{Evaluated, Evaluator, NoValues, RepetitionData, Scope};
use terrace_value::convert::convert;
use terrace_value::{Path, Type, Value};

fn resource(evaluator: &Evaluator) -> Arc<ResourceConfig> {
    Arc::clone(&evaluator.config().root.module.resources[&Resource::managed("thing", "a")])
}

fn read(evaluator: &Evaluator) -> Evaluated {
    let repetition = RepetitionData {
        each_key: Some(Value::string("k")),
        ..RepetitionData::default()
    };
    let scope = Scope::instance(ModuleInstance::root(), repetition);
    let address = thing("a").instance(None);
    evaluator.resource_body(&address, &resource(evaluator), &scope, &NoValues)
}

fn value(body: &str) -> Value {
    let evaluator = evaluator(&format!("resource \"thing\" \"a\" {{\n{body}\n}}\n"));
    let evaluated = read(&evaluator);
    assert!(
        evaluated.diagnostics.is_empty(),
        "{:#?}",
        evaluated.diagnostics
    );
    evaluated.value
}

fn errors(body: &str) -> Vec<String> {
    let evaluator = evaluator(&format!("resource \"thing\" \"a\" {{\n{body}\n}}\n"));
    told(&evaluator, &read(&evaluator).diagnostics)
}

fn ports(value: &Value) -> Vec<String> {
    let rules = value
        .get("rule")
        .and_then(Value::as_sequence)
        .unwrap_or_default();
    rules
        .iter()
        .map(|rule| {
            rule.get("port")
                .and_then(Value::as_number)
                .map_or("?".into(), ToString::to_string)
        })
        .collect()
}

#[test]
fn arguments_are_converted_and_the_rest_is_null() {
    let value = value("count_of = \"7\"\ninput = [each.key]");
    assert_eq!(value.get("count_of"), Some(&Value::int(7)));
    assert_eq!(
        value.get("input"),
        Some(&Value::tuple([Value::string("k")]))
    );
    assert_eq!(value.get("id"), Some(&Value::null(Type::String)));
    assert!(value.get("one").is_some_and(Value::is_null));
    assert_eq!(
        value
            .get("rule")
            .and_then(Value::as_sequence)
            .map(<[Value]>::len),
        Some(0)
    );
    assert_eq!(convert(&value, &thing_schema().implied_type()), Ok(value));
}

#[test]
fn dynamic_blocks_stand_beside_written_ones() {
    let value = value(
        "rule {\n  port = 1\n}\ndynamic \"rule\" {\n  for_each = [2, 3]\n  content {\n    port = rule.value\n    name = rule.key\n  }\n}",
    );
    assert_eq!(ports(&value), ["1", "2", "3"]);
}

#[test]
fn dynamic_blocks_name_their_iterator_and_labels() {
    let value = value(
        "dynamic \"by_key\" {\n  for_each = { x = 1 }\n  iterator = it\n  labels = [\"l-${it.key}\"]\n  content {\n    port = it.value\n  }\n}",
    );
    let entries = value
        .get("by_key")
        .and_then(Value::as_entries)
        .map(|entries| entries.keys().cloned().collect::<Vec<_>>());
    assert_eq!(entries, Some(vec!["l-x".into()]));
}

#[test]
fn an_unknown_for_each_makes_the_blocks_unknown() {
    let rest = "}\nresource \"thing\" \"b\" {\n";
    let value = value(&format!(
        "dynamic \"rule\" {{\n  for_each = thing.b.input\n  content {{\n    port = rule.value\n  }}\n}}\n{rest}"
    ));
    assert!(value.get("rule").is_some_and(|rule| !rule.is_known()));
}

#[test]
fn json_bodies_read_alike() {
    let json = r#"{"resource": {"thing": {"a": {"count_of": "${3 + 4}", "rule": [{"port": 1}, {"port": 2, "name": "${each.key}"}]}}}}"#;
    let evaluator = evaluator_with(&[("main.tf.json", json)], &[], &[]);
    let evaluated = read(&evaluator);
    assert!(
        evaluated.diagnostics.is_empty(),
        "{:#?}",
        evaluated.diagnostics
    );
    assert_eq!(ports(&evaluated.value), ["1", "2"]);
    assert_eq!(evaluated.value.get("count_of"), Some(&Value::int(7)));
}

#[test]
fn what_does_not_fit_is_told() {
    assert_eq!(
        errors("nope = 1"),
        ["Unsupported argument | An argument named \"nope\" is not expected here. | 2:1-5"]
    );
    assert_eq!(
        errors("rules {\n}"),
        [
            "Unsupported block type | Blocks of type \"rules\" are not expected here. Did you mean \"rule\"? | 2:1-6"
        ]
    );
    assert_eq!(
        errors("rule {\n}"),
        [
            "Missing required argument | The argument \"port\" is required, but no definition was found. | 2:6-7"
        ]
    );
    assert_eq!(
        errors("count_of = []"),
        [
            "Incorrect attribute value type | Inappropriate value for attribute \"count_of\": number required. | 2:12-14"
        ]
    );
    let four = "rule {\n  port = 1\n}\n".repeat(4);
    assert!(
        errors(&four)[0]
            .starts_with("Too many rule blocks | No more than 3 \"rule\" blocks are allowed")
    );
    let two = "one {\n  port = 1\n}\n".repeat(2);
    assert!(
        errors(&two)[0]
            .starts_with("Duplicate one block | Only one block of type \"one\" is allowed.")
    );
    assert!(
        errors("dynamic \"rule\" {\n  for_each = 1\n  content {}\n}")[0]
            .starts_with("Invalid dynamic for_each value | Cannot use a number value in for_each.")
    );
}

#[test]
fn paths_lead_back_to_the_source() {
    let body =
        "  input = { a = [1, 2] }\n  rule {\n    port = 1\n  }\n  rule {\n    port = 22\n  }\n";
    let evaluator = evaluator(&format!("resource \"thing\" \"a\" {{\n{body}}}\n"));
    let config = resource(&evaluator);
    let text = |path: &Path| {
        let span = evaluator.span_of(&config.body, &thing_schema(), path);
        evaluator.config().sources.text(span).to_owned()
    };
    let root = Path::root();
    assert_eq!(
        text(
            &root
                .attribute("rule")
                .index(Value::int(1))
                .attribute("port")
        ),
        "22"
    );
    assert_eq!(text(&root.attribute("rule").index(Value::int(0))), "rule");
    assert_eq!(
        text(&root.attribute("input").attribute("a").index(Value::int(1))),
        "2"
    );
    assert_eq!(
        text(&root.attribute("input").attribute("zz")),
        "{ a = [1, 2] }"
    );
}

#[test]
fn ephemeral_values_are_not_stored() {
    let main = "variable \"t\" {\n  ephemeral = true\n  default = \"x\"\n}\nresource \"thing\" \"a\" {\n  input = var.t\n}\n";
    let evaluator = evaluator(main);
    let evaluated = read(&evaluator);
    assert_eq!(
        told(&evaluator, &evaluated.diagnostics),
        [
            "Invalid use of ephemeral value | Ephemeral values are not valid for \"input\", because it is not a write-only attribute and must be persisted to state. | 6:11-16"
        ]
    );
}
