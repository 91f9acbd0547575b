//! Values, and maps of what is unknown or sensitive in them.

use terrace_state::StoredIdentity;
use terrace_value::{Kind, Type, Value};

use super::writer::Writer;

/// A value without its marks; unknown attributes are left out, unknown elements are null.
pub(super) fn value(out: &mut Writer, value: &Value) {
    match value.kind() {
        Kind::Unknown(_) | Kind::Null(_) => out.raw("null"),
        Kind::Bool(value) => out.raw(if *value { "true" } else { "false" }),
        Kind::Number(number) => out.raw(&number.to_string()),
        Kind::String(text) => out.text(text),
        Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
            out.items(|out| items.iter().for_each(|item| self::value(out, item)));
        }
        Kind::Map(_, entries) | Kind::Object(entries) => out.object(|out| {
            for (name, item) in entries.iter().filter(|(_, item)| item.is_known()) {
                out.key(name);
                self::value(out, item);
            }
        }),
    }
}

/// Whether an object has an attribute to write at all.
pub(super) fn is_any_known(object: &Value) -> bool {
    let mut entries = object.as_entries().into_iter().flatten();
    entries.any(|(_, item)| item.is_known())
}

/// A stored identity as a value, its parts with the types that their JSON has.
pub(super) fn stored_identity(identity: &StoredIdentity) -> Option<Value> {
    let text = std::str::from_utf8(&identity.attributes).ok()?;
    terrace_value::json::decode_implied(text).ok()
}

/// A tree of bools; known, insensitive primitives are left out of objects.
enum Flags {
    Bool(bool),
    Items(Vec<Self>),
    Entries(Vec<(terrace_value::Text, Self)>),
}

impl Flags {
    fn write(&self, out: &mut Writer) {
        match self {
            Self::Bool(value) => out.raw(if *value { "true" } else { "false" }),
            Self::Items(items) => out.items(|out| items.iter().for_each(|item| item.write(out))),
            Self::Entries(entries) => out.object(|out| {
                for (name, item) in entries {
                    out.key(name);
                    item.write(out);
                }
            }),
        }
    }

    fn of(value: &Value, leaf: &dyn Fn(&Value) -> Option<Self>) -> Self {
        if let Some(flags) = leaf(value) {
            return flags;
        }
        match value.kind() {
            Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
                Self::Items(items.iter().map(|item| Self::of(item, leaf)).collect())
            }
            Kind::Map(_, entries) | Kind::Object(entries) => Self::Entries(
                entries
                    .iter()
                    .map(|(name, item)| (name.clone(), Self::of(item, leaf)))
                    .filter(|(_, flags)| !matches!(flags, Self::Bool(false)))
                    .collect(),
            ),
            _ => Self::Bool(false),
        }
    }
}

/// What is unknown in a value.
pub(super) fn unknown(out: &mut Writer, value: &Value) {
    Flags::of(value, &|value| {
        (!value.is_known()).then_some(Flags::Bool(true))
    })
    .write(out);
}

/// What is sensitive in a value.
pub(super) fn sensitive(out: &mut Writer, value: &Value) {
    let leaf = |value: &Value| {
        if value.is_sensitive() {
            return Some(Flags::Bool(true));
        }
        // An unknown value shows the shape that its type has, and nothing of what will be in it.
        match value.kind() {
            Kind::Unknown(unknown) => Some(match &unknown.0 {
                Type::List(_) | Type::Set(_) | Type::Tuple(_) => Flags::Items(Vec::new()),
                Type::Map(_) | Type::Object(_) => Flags::Entries(Vec::new()),
                Type::Bool | Type::Number | Type::String | Type::Dynamic => Flags::Bool(false),
            }),
            _ => None,
        }
    };
    Flags::of(value, &leaf).write(out);
}

/// A type as JSON.
pub(super) fn ty(out: &mut Writer, ty: &Type) {
    out.raw(&terrace_value::json::encode_type(ty));
}
