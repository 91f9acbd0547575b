//! `external`.

use serde_json::json;
use terrace_value::Type;

use crate::support::{Driver, text};

fn read(config: &serde_json::Value) -> Result<terrace_value::Value, Vec<String>> {
    Driver::new("external").read_data("external", &config.to_string())
}

/// The well-known provider's page of this data source (2.3) says the same of each attribute, and its provider has nothing
/// else: no settings, resource types, ephemeral resource types or functions.
#[test]
fn the_schema_is_the_documented_one() {
    let schema = Driver::new("external").schema();
    assert!(schema.provider.block.attributes.is_empty() && schema.provider.block.blocks.is_empty());
    assert_eq!(schema.resources.len() + schema.ephemeral_resources.len(), 0);
    assert!(schema.functions.is_empty());
    assert_eq!(schema.data_sources.len(), 1);
    let external = &schema.data_sources["external"];
    assert_eq!(external.version, 0);
    assert!(external.block.blocks.is_empty());
    let texts = Type::List(Type::String.into());
    let by_name = Type::Map(Type::String.into());
    let attributes = external.block.attributes.iter().map(|(name, attribute)| {
        assert!(!attribute.sensitive && !attribute.deprecated && !attribute.write_only);
        let said = match (attribute.required, attribute.optional, attribute.computed) {
            (true, false, false) => "required",
            (false, true, false) => "optional",
            (false, false, true) => "read-only",
            other => panic!("{name}: {other:?}"),
        };
        (name.to_string(), said, attribute.value_type())
    });
    let mut attributes: Vec<_> = attributes.collect();
    attributes.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let expected = [
        ("id", "read-only", Type::String),
        ("program", "required", texts),
        ("query", "optional", by_name.clone()),
        ("result", "read-only", by_name),
        ("working_dir", "optional", Type::String),
    ];
    assert_eq!(
        attributes,
        expected.map(|(name, said, ty)| (name.to_owned(), said, ty))
    );
}

#[test]
fn a_program_answers_in_json() {
    let config = json!({
        "program": ["sh", "-c", "query=$(cat); printf '{\"got\": \"%s\"}' \"$(printf %s \"$query\" | tr -d '\"')\""],
        "query": {"a": "1"},
    });
    let object = read(&config).unwrap();
    let result = object.get("result").unwrap();
    assert_eq!(text(result, "got"), "{a:1}");
    assert_eq!(text(&object, "id"), "-");
}

#[test]
fn what_goes_wrong_is_told() {
    let told = read(&json!({"program": ["sh", "-c", "echo oops >&2; exit 2"]})).unwrap_err();
    assert_eq!(
        told,
        [
            "External Program Execution Failed: The data source received an unexpected error while attempting to execute the program.\n\nProgram: sh -c echo oops >&2; exit 2\nError Message: oops\n\nState: exit status 2"
        ]
    );
    let told = read(&json!({"program": ["echo", "[1]"]})).unwrap_err();
    assert!(
        told[0].starts_with("Unexpected External Program Results: "),
        "{told:?}"
    );
    let told = read(&json!({"program": ["no-such-program"]})).unwrap_err();
    assert!(
        told[0].starts_with("External Program Lookup Failed: "),
        "{told:?}"
    );
    let told = read(&json!({"program": [""]})).unwrap_err();
    assert!(
        told[0].starts_with("External Program Missing: "),
        "{told:?}"
    );
}
