//! `null_resource` and `null_data_source`.

use terrace_value::Value;

use crate::support::{Driver, names, text};

#[test]
fn a_null_resource_has_a_number_for_an_id_and_keeps_it() {
    let driver = Driver::new("null");
    let object = driver.create("null_resource", r#"{"triggers": {"a": "1"}}"#);
    let id = text(&object, "id");
    assert!(id.parse::<i64>().is_ok_and(|id| id >= 0), "{id}");
    assert_eq!(driver.read("null_resource", &object), object);
    let (planned, replace) = driver.plan("null_resource", &object, r#"{"triggers": {"a": "1"}}"#);
    assert_eq!((planned, replace), (object.clone(), Vec::new()));
    let (_, replace) = driver.plan("null_resource", &object, r#"{"triggers": {"a": "2"}}"#);
    assert_eq!(names(&replace), ["triggers"]);
    assert!(driver.delete("null_resource", &object).unwrap().is_null());
    let other = driver.create("null_resource", "{}");
    assert_ne!(text(&other, "id"), id);
    assert!(driver.import("null_resource", "1").is_err());
}

#[test]
fn the_data_source_passes_its_inputs_on() {
    let driver = Driver::new("null");
    let read = driver
        .read_data("null_data_source", r#"{"inputs": {"a": "1"}}"#)
        .unwrap();
    assert_eq!(read.get("outputs"), read.get("inputs"));
    assert_eq!(text(&read, "has_computed_default"), "default");
    assert_eq!(text(&read, "id"), "static");
    let read = driver
        .read_data("null_data_source", r#"{"has_computed_default": "x"}"#)
        .unwrap();
    assert_eq!(text(&read, "has_computed_default"), "x");
    assert!(read.get("outputs").is_some_and(Value::is_null));
}
