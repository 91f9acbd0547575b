//! The order of a set's elements.

use std::cmp::Ordering;
use std::fmt::Write as _;

use crate::{Kind, Value};

/// Sorts a set's elements into the reference's order and drops duplicates. Elements that are unknown in part stay:
/// whether they equal another is not known.
///
/// Primitive values have their natural order, null and then unknown ones follow. Compound values are ordered by a text
/// made of their parts, as the reference does.
pub(crate) fn sort_set(elements: &mut Vec<Value>) {
    if elements.len() < 2 {
        return;
    }
    let primitive = |value: &Value| {
        matches!(
            value.kind(),
            Kind::Bool(_) | Kind::Number(_) | Kind::String(_) | Kind::Null(_) | Kind::Unknown(_)
        )
    };
    if elements.iter().all(primitive) {
        elements.sort_by(|left, right| {
            class(left)
                .cmp(&class(right))
                .then_with(|| natural(left, right))
        });
    } else {
        elements.sort_by_cached_key(|value| {
            let mut text = String::new();
            append_key(value, &mut text);
            (class(value), text, value.clone())
        });
    }
    elements.dedup_by(|later, earlier| later == earlier && later.is_wholly_known());
}

/// Known values come first, then null, then unknown.
const fn class(value: &Value) -> u8 {
    match value.kind() {
        Kind::Null(_) => 1,
        Kind::Unknown(_) => 2,
        _ => 0,
    }
}

fn natural(left: &Value, right: &Value) -> Ordering {
    match (left.kind(), right.kind()) {
        (Kind::String(left), Kind::String(right)) => left.cmp(right),
        (Kind::Number(left), Kind::Number(right)) => left.cmp(right),
        _ => left.cmp(right),
    }
}

fn append_key(value: &Value, text: &mut String) {
    let mut append_all =
        |open: char, close: char, items: &mut dyn Iterator<Item = (Option<&str>, &Value)>| {
            text.push(open);
            for (key, item) in items {
                if let Some(key) = key {
                    append_quoted(key, text);
                    text.push(':');
                }
                append_key(item, text);
                text.push(';');
            }
            text.push(close);
        };
    match value.kind() {
        Kind::Unknown(_) => text.push('?'),
        Kind::Null(_) => text.push('~'),
        Kind::Bool(value) => text.push(if *value { 'T' } else { 'F' }),
        Kind::Number(number) => text.push_str(&number.short_text()),
        Kind::String(string) => append_quoted(string, text),
        Kind::List(_, items) | Kind::Set(_, items) => {
            append_all('[', ']', &mut items.iter().map(|item| (None, item)));
        }
        Kind::Tuple(items) => {
            append_all('<', '>', &mut items.iter().map(|item| (None, item)));
        }
        Kind::Object(entries) => {
            append_all('<', '>', &mut entries.values().map(|item| (None, item)));
        }
        Kind::Map(_, entries) => {
            append_all(
                '{',
                '}',
                &mut entries.iter().map(|(key, item)| (Some(&**key), item)),
            );
        }
    }
}

/// As a quoted literal whose unprintable characters are escaped.
fn append_quoted(string: &str, text: &mut String) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{7}' => text.push_str("\\a"),
            '\u{8}' => text.push_str("\\b"),
            '\u{b}' => text.push_str("\\v"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='~' => text.push(character),
            _ => append_wide(character, text),
        }
    }
    text.push('"');
}

fn append_wide(character: char, text: &mut String) {
    let code = u32::from(character);
    // Writing to a string does not fail.
    let written =
        if character.is_alphanumeric() || (code > 0x7f && character.escape_debug().len() == 1) {
            text.push(character);
            Ok(())
        } else if code < 0x80 {
            write!(text, "\\x{code:02x}")
        } else if code < 0x1_0000 {
            write!(text, "\\u{code:04x}")
        } else {
            write!(text, "\\U{code:08x}")
        };
    debug_assert!(written.is_ok());
}
