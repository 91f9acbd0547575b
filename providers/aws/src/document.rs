//! Documents in JSON that are compared by what they mean, and kept as they were written.

use serde_json::Value as Json;
use terrace_provider_sdk::{Attribute, validate};

use crate::policy::normal;

/// A comparison of two documents.
pub(crate) type Same = fn(&str, &str) -> bool;

/// Whether two documents say the same; a number and its text do.
pub(crate) fn same(a: &str, b: &str) -> bool {
    match (serde_json::from_str(a), serde_json::from_str(b)) {
        (Ok(a), Ok(b)) => alike(&a, &b),
        _ => a == b,
    }
}

fn alike(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| alike(a, b)))
        }
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        (Json::Number(number), Json::String(text)) | (Json::String(text), Json::Number(number)) => {
            number.to_string() == *text
        }
        _ => a == b,
    }
}

/// What a state says of a document: as before where it still means that, else what was told, in order.
pub(crate) fn kept(before: Option<&str>, told: &str, same: Same) -> String {
    match before {
        Some(before) if same(before, told) => before.to_owned(),
        _ if told.is_empty() => String::new(),
        _ => normal(told),
    }
}

/// A document that stays as it is while configuration means the same. `ordered`: states have its keys in order.
pub(crate) fn by_meaning(attribute: Attribute, same: Same, ordered: bool) -> Attribute {
    attribute
        .validate(validate::custom(|checked, diagnostics| {
            let Some(text) = checked.value.as_str().filter(|text| !text.is_empty()) else {
                return;
            };
            if let Err(error) = serde_json::from_str::<Json>(text) {
                diagnostics.error_at(
                    checked.path.clone(),
                    "Invalid JSON",
                    format!(
                        "{} is no document in JSON: {error}. jsonencode makes one of a value.",
                        checked.name()
                    ),
                );
            }
        }))
        .modify(move |change| {
            let Some(planned) = change.planned.as_str() else {
                return;
            };
            match change.prior.as_str() {
                Some(prior) if same(prior, planned) => change.planned = change.prior.clone(),
                _ if ordered => {
                    change.planned = terrace_provider_sdk::Value::string(normal(planned));
                }
                _ => {}
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_compared_by_meaning() {
        assert!(same(r#"{"a": 1, "b": [2]}"#, r#"{"b":[2],"a":"1"}"#));
        assert!(!same(r#"{"a": 1}"#, r#"{"a": 2}"#));
        assert!(!same(r#"{"a": [1, 2]}"#, r#"{"a": [2, 1]}"#));
        assert!(!same(r#"{"a": 1}"#, ""));
        assert_eq!(
            kept(Some(r#"{ "a": 1 }"#), r#"{"a":1}"#, same),
            r#"{ "a": 1 }"#
        );
        assert_eq!(
            kept(Some("{}"), r#"{"b":1,"a":1}"#, same),
            r#"{"a":1,"b":1}"#
        );
        assert_eq!(kept(None, "", same), "");
    }
}
