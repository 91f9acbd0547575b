//! What all types share: locations, tags, timeouts, ids.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::de::value::{Error, StrDeserializer};
use serde_json::Value as Json;
use terrace_provider_sdk::{
    Attribute, Block, Call, Change, Diagnostic, ImportFrom, Kind, Object, Outcome, Schema, Text,
    Type, Value, attribute, validate,
};

use crate::arm::Session;
use crate::configuration::Client;

/// How long the actions of a type may take, in minutes, where a block `timeouts` does not say otherwise.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) change: u64,
    pub(crate) read: u64,
}

impl Limits {
    /// The service for an action on an object.
    pub(crate) fn session(
        self,
        call: &Call<Client>,
        action: &str,
        object: &Object,
    ) -> Outcome<Session> {
        let usual = match action {
            "read" => self.read,
            _ => self.change,
        };
        let given = object.timeout(action);
        let within = given.unwrap_or(Duration::from_mins(usual));
        call.client.session(call.stop.clone(), within)
    }
}

/// The block `timeouts` of a type with these actions.
pub(crate) fn timeouts(actions: &[&'static str]) -> Block {
    let schema = actions
        .iter()
        .fold(Schema::new().plain(), |schema, action| {
            let text = Attribute::string().optional();
            schema.attribute(action, text.validate(validate::duration()))
        });
    Block::single(schema)
}

/// The block `timeouts` of a type whose objects can be changed.
pub(crate) fn all_timeouts() -> Block {
    timeouts(&["create", "read", "update", "delete"])
}

/// The attribute `id`.
pub(crate) fn id() -> Attribute {
    Attribute::string().optional().computed()
}

/// A string that is not empty.
pub(crate) fn filled() -> validate::Validator {
    validate::length(1..=usize::MAX)
}

/// The name of a location as Azure keeps it: `West Europe` is `westeurope`.
pub(crate) fn location(name: &str) -> String {
    name.replace(' ', "").to_lowercase()
}

/// The attribute `location`.
pub(crate) fn location_attribute() -> Attribute {
    Attribute::string()
        .required()
        .validate(filled())
        .modify(normalized(location))
        .replace()
}

/// A modifier that keeps a text in the form that the service keeps it in.
pub(crate) fn normalized(
    form: fn(&str) -> String,
) -> impl Fn(&mut Change<'_>) + Send + Sync + 'static {
    move |change| {
        if let Some(text) = change.planned.as_str() {
            change.planned = Value::string(form(text));
        }
    }
}

/// The attribute `resource_group_name`.
pub(crate) fn group_name() -> Attribute {
    Attribute::string()
        .required()
        .validate(validate::length(1..=90))
        .validate(validate::matches(
            r"^[-\w._()]*[-\w_()]$",
            "may hold letters, digits, underscores, hyphens, periods and parentheses, and must not end with a period",
        ))
        .replace()
}

/// The attribute `tags`: at most so many.
pub(crate) fn tags_attribute(most: usize) -> Attribute {
    Attribute::map(Type::String)
        .optional()
        .validate(validate::size(0..=most))
        .validate(validate::custom(|checked, diagnostics| {
            let Some(entries) = checked.value.as_entries() else {
                return;
            };
            for (key, value) in entries {
                let long = value.as_str().is_some_and(|value| value.chars().count() > 256);
                if key.chars().count() > 512 || long {
                    diagnostics.error_at(
                        checked.path.index(Value::string(key.clone())),
                        "Invalid tag",
                        format!("The tag {key:?} is too long: a name has at most 512 characters, and a value 256."),
                    );
                }
            }
        }))
}

/// Strings by name, as the models have them.
pub(crate) fn text_map(value: &Value) -> Json {
    let entries = value.as_entries().into_iter().flatten();
    entries
        .filter_map(|(key, value)| Some((key.to_string(), Json::from(value.as_str()?))))
        .collect()
}

/// Strings by name, of a model.
pub(crate) fn of_text_map(json: Option<&Json>) -> Value {
    let entries: BTreeMap<String, String> = json
        .and_then(Json::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect();
    terrace_provider_sdk::Data::into_value(entries)
}

/// What was read, in the words of what was known before: nothing and an empty collection are the same.
pub(crate) fn like(before: &Object, after: &Object) -> Object {
    after
        .entries()
        .iter()
        .map(|(name, value)| (Text::clone(name), like_value(before.value(name), value)))
        .collect()
}

fn like_value(before: &Value, after: &Value) -> Value {
    let is_empty = match after.kind() {
        Kind::List(_, items) | Kind::Set(_, items) => items.is_empty(),
        Kind::Map(_, entries) => entries.is_empty(),
        _ => false,
    };
    if before.is_null() && is_empty {
        return Value::null(after.ty());
    }
    match (before.as_sequence(), after.kind()) {
        (Some(befores), Kind::List(ty, items)) if befores.len() == items.len() => Value::list(
            ty.clone(),
            befores
                .iter()
                .zip(items.iter())
                .map(|(before, after)| like_value(before, after)),
        ),
        (None, Kind::Object(entries)) => Value::object(
            entries
                .iter()
                .map(|(name, after)| {
                    let before = before.get(name).unwrap_or(&Value::NULL);
                    (Text::clone(name), like_value(before, after))
                })
                .collect::<Vec<_>>(),
        ),
        _ => after.clone(),
    }
}

/// A name of the models' for a value. They take unknown ones where their service may know more than they do.
pub(crate) fn named<T: DeserializeOwned>(text: &str) -> Option<T> {
    T::deserialize(StrDeserializer::<Error>::new(text)).ok()
}

/// The same, where there must be one: what is wrong is told of the attribute `name`.
pub(crate) fn named_in<T: DeserializeOwned>(object: &Object, name: &str) -> Outcome<T> {
    let text = object.text(name).unwrap_or_default();
    named(text).ok_or_else(|| unknown_name(name, text))
}

/// A value that the service's interface has no name for.
pub(crate) fn unknown_name(name: &str, text: &str) -> terrace_provider_sdk::Diagnostics {
    Diagnostic::error(
        "Unknown value",
        format!(
            "The version of Azure's interface that Terrace speaks does not know {text:?} here."
        ),
    )
    .at(attribute(name))
    .into()
}

/// The value that a name of the models' stands for.
pub(crate) fn name_of(name: &impl Serialize) -> String {
    match serde_json::to_value(name) {
        Ok(Json::String(text)) => text,
        _ => String::new(),
    }
}

/// The same for one that may be absent, which is an empty text then.
pub(crate) fn name_or_empty(name: Option<&impl Serialize>) -> String {
    name.map(name_of).unwrap_or_default()
}

/// An object whose unknowns are nothing: what there is when something fails half-way.
pub(crate) fn known(object: &Object) -> Object {
    let part = |value: &Value| -> Value {
        if value.is_wholly_known() {
            value.clone()
        } else {
            Value::null(Type::Dynamic)
        }
    };
    object
        .entries()
        .iter()
        .map(|(name, value)| (Text::clone(name), part(value)))
        .collect()
}

/// What an import names: an id of this kind.
pub(crate) fn imported<T>(
    from: &ImportFrom,
    parse: impl FnOnce(&str) -> Option<T>,
    form: &str,
) -> Outcome<T> {
    let id = from.key("id").unwrap_or_default();
    parse(id).ok_or_else(|| {
        Diagnostic::error(
            "Invalid import id",
            format!("{id:?} is no id of this kind of object. It looks like {form}."),
        )
        .into()
    })
}

/// The id in a state.
pub(crate) fn stored<T>(
    state: &Object,
    parse: impl FnOnce(&str) -> Option<T>,
    form: &str,
) -> Outcome<T> {
    let id = state.text("id").unwrap_or_default();
    parse(id).ok_or_else(|| {
        Diagnostic::error(
            "Invalid id in the state",
            format!("The state says that the object's id is {id:?}, which is none of its kind. It looks like {form}."),
        )
        .into()
    })
}

/// There is an object already where one is to be made.
pub(crate) fn exists(type_name: &str, id: &impl std::fmt::Display) -> Diagnostic {
    Diagnostic::error(
        "The object exists already",
        format!(
            "There is an object with the id {id} already, and it is not in this state. Import it, by a block `import` or by \
             `terrace import {type_name}.NAME {id}`, or choose another name."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_have_one_form() {
        assert_eq!(location("West Europe"), "westeurope");
        assert_eq!(location("westeurope"), "westeurope");
    }
}
