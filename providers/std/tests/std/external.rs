//! `external`.

use serde_json::json;

use crate::support::{Driver, text};

fn read(config: &serde_json::Value) -> Result<terrace_value::Value, Vec<String>> {
    Driver::new("external").read_data("external", &config.to_string())
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
