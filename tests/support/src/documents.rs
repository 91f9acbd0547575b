//! Comparing documents.

use serde_json::Value;

/// Where two documents differ: lines of a path, what was expected and what was got.
pub fn differences(path: &str, expected: &Value, got: &Value, found: &mut Vec<String>) {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            for (name, value) in expected {
                let other = got.get(name).unwrap_or(&Value::Null);
                if !got.contains_key(name) {
                    found.push(format!("{path}.{name}: expected {value}, got nothing"));
                } else {
                    differences(&format!("{path}.{name}"), value, other, found);
                }
            }
            for (name, value) in got {
                if !expected.contains_key(name) {
                    found.push(format!("{path}.{name}: expected nothing, got {value}"));
                }
            }
        }
        (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
            for (index, (expected, got)) in expected.iter().zip(got).enumerate() {
                differences(&format!("{path}[{index}]"), expected, got, found);
            }
        }
        (expected, got) if expected == got => {}
        (expected, got) => found.push(format!("{path}: expected {expected}, got {got}")),
    }
}
