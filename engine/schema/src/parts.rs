//! Parts of values that conform to a schema but may be null or unknown as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_value::{Kind, Number, Text, Type, Value};

use crate::{Attribute, Block, BlockNesting, NestedBlock};

/// Attribute `name` of an object; null or unknown if the object is, of the type that `ty` gives.
pub(crate) fn attribute(object: &Value, name: &str, ty: impl FnOnce() -> Type) -> Value {
    match object.kind() {
        Kind::Object(entries) | Kind::Map(_, entries) => entries
            .get(name)
            .cloned()
            .unwrap_or_else(|| Value::null(ty())),
        Kind::Unknown(_) => Value::unknown(ty()),
        _ => Value::null(ty()),
    }
}

/// A key of a list or tuple, a map or object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Key {
    Place(usize),
    Name(Text),
}

impl Key {
    /// The key as a value, for paths.
    pub(crate) fn value(&self) -> Value {
        match self {
            Self::Place(place) => Value::number(Number::from(*place)),
            Self::Name(name) => Value::from_kind(Kind::String(name.clone())),
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Place(place) => write!(f, "{place}"),
            Self::Name(name) => write!(f, "{name:?}"),
        }
    }
}

/// Elements of a known list, tuple, map or object by key. Sets have no keys; null and unknown values no elements.
pub(crate) fn keyed(value: &Value) -> Vec<(Key, &Value)> {
    match value.kind() {
        Kind::List(_, items) | Kind::Tuple(items) => items
            .iter()
            .enumerate()
            .map(|(place, item)| (Key::Place(place), item))
            .collect(),
        Kind::Map(_, entries) | Kind::Object(entries) => entries
            .iter()
            .map(|(name, item)| (Key::Name(name.clone()), item))
            .collect(),
        _ => Vec::new(),
    }
}

/// The element at `key`.
pub(crate) fn element<'v>(value: &'v Value, key: &Key) -> Option<&'v Value> {
    match key {
        Key::Place(place) => value.as_sequence().and_then(|items| items.get(*place)),
        Key::Name(name) => value.get(name),
    }
}

/// A collection or structure of the kind of `like` with its elements replaced in order; their type may have become
/// more precise where it was open.
pub(crate) fn with_elements(like: &Value, items: Vec<Value>) -> Value {
    let element_type = |own: &Type| match items.first() {
        Some(first) if own.has_dynamic() => first.ty(),
        _ => own.clone(),
    };
    let named = |entries: &BTreeMap<Text, Value>, items: Vec<Value>| {
        Arc::new(entries.keys().cloned().zip(items).collect())
    };
    match like.kind() {
        Kind::List(own, _) => Value::list(element_type(own), items),
        Kind::Set(own, _) => Value::set(element_type(own), items),
        Kind::Tuple(_) => Value::tuple(items),
        Kind::Map(own, entries) => {
            Value::from_kind(Kind::Map(element_type(own), named(entries, items)))
        }
        Kind::Object(entries) => Value::from_kind(Kind::Object(named(entries, items))),
        _ => return like.clone(),
    }
    .with_marks(like.marks())
}

/// Whether two values are the same, whatever is known of their unknown parts, and whatever their marks.
pub(crate) fn same_unrefined(left: &Value, right: &Value) -> bool {
    match (left.kind(), right.kind()) {
        (Kind::Unknown(one), Kind::Unknown(two)) => one.0 == two.0,
        (Kind::List(own, one), Kind::List(other, two))
        | (Kind::Set(own, one), Kind::Set(other, two)) => own == other && same_sequence(one, two),
        (Kind::Tuple(one), Kind::Tuple(two)) => same_sequence(one, two),
        (Kind::Map(own, one), Kind::Map(other, two)) => own == other && same_entries(one, two),
        (Kind::Object(one), Kind::Object(two)) => same_entries(one, two),
        (one, two) => one == two,
    }
}

fn same_sequence(one: &Arc<[Value]>, two: &Arc<[Value]>) -> bool {
    Arc::ptr_eq(one, two)
        || (one.len() == two.len()
            && one
                .iter()
                .zip(two.iter())
                .all(|(one, two)| same_unrefined(one, two)))
}

fn same_entries(one: &Arc<BTreeMap<Text, Value>>, two: &Arc<BTreeMap<Text, Value>>) -> bool {
    Arc::ptr_eq(one, two)
        || (one.len() == two.len()
            && one
                .iter()
                .zip(two.iter())
                .all(|((key, one), (name, two))| key == name && same_unrefined(one, two)))
}

impl Block {
    /// What the block is when it is there but empty: every attribute null, every nested block absent.
    pub fn empty_value(&self) -> Value {
        let attributes = self
            .attributes
            .iter()
            .map(|(name, attribute)| (name.clone(), attribute.empty_value()));
        let blocks = self
            .blocks
            .iter()
            .map(|(name, nested)| (name.clone(), nested.empty_value()));
        Value::object(attributes.chain(blocks))
    }
}

impl Attribute {
    /// What the attribute is when it is not set.
    pub fn empty_value(&self) -> Value {
        Value::null(self.value_type())
    }
}

impl NestedBlock {
    /// What the parent holds when there is no such block.
    pub fn empty_value(&self) -> Value {
        let object = || self.block.implied_type();
        match self.nesting {
            BlockNesting::Single => Value::null(object()),
            BlockNesting::Group => self.block.empty_value(),
            BlockNesting::List => match object() {
                object if object.has_dynamic() => Value::tuple([]),
                object => Value::list(object, []),
            },
            BlockNesting::Map => match object() {
                object if object.has_dynamic() => Value::empty_object(),
                object => Value::map::<Text>(object, []),
            },
            BlockNesting::Set => Value::set(object(), []),
        }
    }
}
