//! Configurations in JSON as values of a schema.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use terrace_schema::{Block, BlockNesting};
use terrace_value::{Value, convert::convert, json};

/// A configuration as a value; an argument that the schema does not have is a mistake in the case.
pub(crate) fn configured(block: &Block, config: &Json) -> Value {
    let empty = Map::new();
    let config = config.as_object().unwrap_or(&empty);
    for name in config.keys() {
        assert!(
            block.attributes.contains_key(name.as_str())
                || block.blocks.contains_key(name.as_str()),
            "the schema has no {name}"
        );
    }
    let mut parts = BTreeMap::new();
    for (name, attribute) in &block.attributes {
        let ty = attribute.value_type();
        let value = match config.get(&**name) {
            None | Some(Json::Null) => Value::null(ty),
            Some(given) => {
                let implied = json::decode_implied(&given.to_string()).unwrap();
                convert(&implied, &ty).unwrap_or_else(|error| panic!("{name}: {error:?}"))
            }
        };
        parts.insert(name.clone(), value);
    }
    for (name, nested) in &block.blocks {
        let given = config.get(&**name);
        let items: Vec<Value> = match given {
            None | Some(Json::Null) => Vec::new(),
            Some(Json::Array(items)) => items
                .iter()
                .map(|item| configured(&nested.block, item))
                .collect(),
            Some(item) => vec![configured(&nested.block, item)],
        };
        let ty = nested.block.implied_type();
        let value = match nested.nesting {
            BlockNesting::List => Value::list(ty, items),
            BlockNesting::Set => Value::set(ty, items),
            BlockNesting::Single | BlockNesting::Group => {
                items.into_iter().next().unwrap_or_else(|| Value::null(ty))
            }
            BlockNesting::Map => panic!("no type here has labelled blocks"),
        };
        parts.insert(name.clone(), value);
    }
    Value::object(parts)
}

/// Puts a change over a configuration. Null takes out.
pub(crate) fn merged(config: &Json, change: &Json) -> Json {
    let mut merged = config.clone();
    let (Json::Object(parts), Json::Object(changes)) = (&mut merged, change) else {
        panic!("configurations and changes are objects");
    };
    for (name, value) in changes {
        if value.is_null() {
            parts.remove(name);
        } else {
            parts.insert(name.clone(), value.clone());
        }
    }
    merged
}

/// Fills in `$name` and `${object.attribute}`.
pub(crate) fn filled(config: &Json, fill: &dyn Fn(&str) -> Json) -> Json {
    match config {
        Json::String(text) => filled_text(text, fill),
        Json::Array(items) => items.iter().map(|item| filled(item, fill)).collect(),
        Json::Object(parts) => Json::Object(
            parts
                .iter()
                .map(|(name, part)| (name.clone(), filled(part, fill)))
                .collect(),
        ),
        _ => config.clone(),
    }
}

/// A text with what its references stand for; a text that is one reference is what that stands for.
pub(crate) fn filled_text(text: &str, fill: &dyn Fn(&str) -> Json) -> Json {
    let whole = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .filter(|inner| !inner.contains('}'));
    if let Some(reference) = whole {
        return fill(reference);
    }
    let as_text = |value: Json| match value {
        Json::String(text) => text,
        other => other.to_string(),
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (reference, behind) = after.split_once('}').expect("a reference ends");
        out.push_str(before);
        out.push_str(&as_text(fill(reference)));
        rest = behind;
    }
    out.push_str(rest);
    Json::String(out.replace("$name", &as_text(fill("name"))))
}
