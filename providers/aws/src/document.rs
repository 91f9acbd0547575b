//! Documents in JSON that are compared by what they mean, and kept as they were written.

use serde_json::Value as Json;
use terrace_provider_sdk::{Attribute, Change, Value, validate};

/// A comparison of two documents.
pub(crate) type Same = fn(&str, &str) -> bool;

/// Whether two documents say the same; a number and its text do, and lists in another order do not.
pub(crate) fn same(a: &str, b: &str) -> bool {
    match (parsed(a), parsed(b)) {
        (Some(a), Some(b)) => alike(&a, &b),
        _ => a == b,
    }
}

/// Whether two texts are the same JSON, lists in order.
pub(crate) fn same_json(a: &str, b: &str) -> bool {
    match (parsed(a), parsed(b)) {
        (Some(a), Some(b)) => a == b,
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
        _ => normal(told),
    }
}

/// A document that stays as it is while configuration means the same, and is written in one way where it does not.
pub(crate) fn by_meaning(attribute: Attribute, same: Same) -> Attribute {
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
            if !stays(change, same)
                && let Some(planned) = change.planned.as_str()
            {
                change.planned = Value::string(normal(planned));
            }
        })
}

/// A document that means the same as that of before is no change.
pub(crate) fn compared(attribute: Attribute, same: Same) -> Attribute {
    attribute.modify(move |change| {
        stays(change, same);
    })
}

/// Keeps the text of before where the planned one means the same; whether it does.
fn stays(change: &mut Change<'_>, same: Same) -> bool {
    let texts = change.prior.as_str().zip(change.planned.as_str());
    let is_same = texts.is_some_and(|(before, after)| same(before, after));
    if is_same {
        change.planned = Value::clone(change.prior);
    }
    is_same
}

/// JSON without blanks, with sorted keys; as it is where it is none.
pub(crate) fn normal(text: &str) -> String {
    parsed(text).map_or_else(|| text.to_owned(), |json| written(&json))
}

/// The same with every letter as it is.
pub(crate) fn plain(text: &str) -> String {
    parsed(text).map_or_else(|| text.to_owned(), |json| json.to_string())
}

/// JSON as AWS's tools write it: `<`, `>` and `&` are escaped, so that no page takes them for its own.
pub(crate) fn written(json: &Json) -> String {
    escaped(&json.to_string())
}

/// The letters of written JSON that are escaped nevertheless. They only ever stand within texts.
pub(crate) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    out
}

pub(crate) fn parsed(text: &str) -> Option<Json> {
    serde_json::from_str(text).ok()
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

    #[test]
    fn the_order_of_lists_counts_in_json_that_is_no_policy() {
        assert!(same_json(
            r#"{"a":[1,2],"b":1}"#,
            r#"{ "b": 1, "a": [1, 2] }"#
        ));
        assert!(!same_json(r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#));
        assert!(same_json("text", "text"));
        assert!(!same_json("text", "{}"));
    }
}
