//! What bodies of requests may hold. Whatever they hold beside it is refused, as is what has another type.

use serde_json::{Map, Value};

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Text,
    Flag,
    Whole,
    /// One of these texts.
    Name(&'static [&'static str]),
    /// Some of these texts, with commas between them.
    Names(&'static [&'static str]),
    List(&'static Self),
    /// Values by names that are not known before; a value may be null where that takes it away.
    Map(&'static Self),
    Object(&'static [Field]),
}

/// A member of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) required: bool,
}

/// One that may be left out.
pub(super) const fn may(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        required: false,
    }
}

/// One that must be there.
pub(super) const fn must(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        required: true,
    }
}

impl Shape {
    /// Why a value is none of these; `path` is where it is.
    pub(super) fn check(self, value: &Value, path: &str) -> Result<(), String> {
        let wrong = |wanted: &str| {
            Err(format!(
                "Path '{path}': {wanted} is wanted, and there is {value}."
            ))
        };
        match self {
            Self::Text if value.is_string() => Ok(()),
            Self::Text => wrong("a string"),
            Self::Flag if value.is_boolean() => Ok(()),
            Self::Flag => wrong("a boolean"),
            Self::Whole if value.as_i64().is_some() => Ok(()),
            Self::Whole => wrong("an integer"),
            Self::Name(names) if value.as_str().is_some_and(|text| names.contains(&text)) => Ok(()),
            Self::Name(names) => wrong(&format!("one of {names:?}")),
            Self::Names(names) => {
                let known = |text: &str| text.split(',').all(|part| names.contains(&part.trim()));
                if value.as_str().is_some_and(known) {
                    return Ok(());
                }
                wrong(&format!("some of {names:?}"))
            }
            Self::List(inner) => match value {
                Value::Array(items) => items
                    .iter()
                    .enumerate()
                    .try_for_each(|(place, item)| inner.check(item, &format!("{path}[{place}]"))),
                _ => wrong("an array"),
            },
            Self::Map(inner) => match value {
                Value::Object(members) => members
                    .iter()
                    .filter(|(_, member)| !member.is_null())
                    .try_for_each(|(name, member)| inner.check(member, &format!("{path}.{name}"))),
                _ => wrong("an object"),
            },
            Self::Object(fields) => match value {
                Value::Object(members) => check_object(fields, members, path),
                _ => wrong("an object"),
            },
        }
    }
}

fn check_object(fields: &[Field], members: &Map<String, Value>, path: &str) -> Result<(), String> {
    for (name, member) in members {
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            return Err(format!(
                "Could not find member '{name}' on object of type 'Object'. Path '{path}.{name}'."
            ));
        };
        field.shape.check(member, &format!("{path}.{name}"))?;
    }
    match fields
        .iter()
        .find(|field| field.required && !members.contains_key(field.name))
    {
        Some(field) => Err(format!(
            "Required property '{}' not found in JSON. Path '{path}'.",
            field.name
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::bodies;

    #[test]
    fn what_is_unknown_missing_or_of_another_type_is_refused() {
        let told = |body: serde_json::Value| bodies::GROUP.check(&body, "").unwrap_err();
        assert!(
            told(json!({"location": "x", "colour": "red"}))
                .contains("Could not find member 'colour'")
        );
        assert!(told(json!({})).contains("Required property 'location'"));
        assert!(told(json!({"location": 5})).contains("a string is wanted"));
        assert!(told(json!({"location": "x", "tags": {"a": 1}})).contains(".tags.a"));
        let body = json!({"properties": {"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "x", "why": ""}]}}});
        let told = bodies::ACCOUNT_PATCH.check(&body, "").unwrap_err();
        assert!(
            told.contains(".properties.networkAcls.ipRules[0].why"),
            "{told}"
        );
        let once = json!({"properties": {"isHnsEnabled": true}});
        bodies::ACCOUNT_PATCH.check(&once, "").unwrap_err();
    }
}
