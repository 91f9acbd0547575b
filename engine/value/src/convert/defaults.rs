//! Default values of optional attributes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Kind, Text, Type, Value};

/// Default values of the optional attributes of a type constraint, at any depth.
///
/// They are applied to a value before it is converted to the constraint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defaults {
    /// Default of each attribute of an object that has one, already converted to the attribute's type.
    pub values: BTreeMap<Text, Value>,
    /// Defaults further inside: by attribute name, by place in a tuple (in decimal), or under `""` for the elements of a
    /// collection.
    pub children: BTreeMap<Text, Self>,
}

impl Defaults {
    /// Whether there are none at any depth.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.children.values().all(Self::is_empty)
    }

    /// Fills in defaults for attributes of `value` that are absent or null, where `ty` is the constraint that these
    /// defaults were written in. Marks are kept. What does not look like `ty` is left for the conversion to complain about.
    #[must_use]
    pub fn apply(&self, value: &Value, ty: &Type) -> Value {
        if self.is_empty() || value.is_null() || !value.is_known() {
            return value.clone();
        }
        let applied = match (ty, value.kind()) {
            (Type::Object(object), Kind::Object(entries) | Kind::Map(_, entries)) => {
                self.apply_object(entries, &object.attributes)
            }
            (Type::Map(element), Kind::Object(entries) | Kind::Map(_, entries)) => {
                let Some(child) = self.children.get("") else {
                    return value.clone();
                };
                let entries = entries
                    .iter()
                    .map(|(key, item)| (key.clone(), child.apply(item, element)))
                    .collect();
                Kind::Object(Arc::new(entries))
            }
            (
                Type::List(element) | Type::Set(element),
                Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items),
            ) => {
                let Some(child) = self.children.get("") else {
                    return value.clone();
                };
                Kind::Tuple(
                    items
                        .iter()
                        .map(|item| child.apply(item, element))
                        .collect(),
                )
            }
            (Type::Tuple(elements), Kind::Tuple(items)) => {
                let apply = |(place, item): (usize, &Value)| match (
                    self.children.get(place.to_string().as_str()),
                    elements.get(place),
                ) {
                    (Some(child), Some(ty)) => child.apply(item, ty),
                    _ => item.clone(),
                };
                Kind::Tuple(items.iter().enumerate().map(apply).collect())
            }
            _ => return value.clone(),
        };
        let is_empty_collection = match (&applied, value.kind()) {
            (Kind::Tuple(items), Kind::List(..) | Kind::Set(..)) => items.is_empty(),
            (Kind::Object(entries), Kind::Map(..)) => entries.is_empty(),
            _ => false,
        };
        if is_empty_collection {
            value.clone()
        } else {
            Value::from_kind(applied).with_marks(value.marks())
        }
    }

    fn apply_object(&self, entries: &BTreeMap<Text, Value>, types: &BTreeMap<Text, Type>) -> Kind {
        let mut entries = entries.clone();
        for (name, default) in &self.values {
            let present = entries.get(name).is_some_and(|item| !item.is_null());
            if !present {
                entries.insert(name.clone(), default.clone());
            }
        }
        for (name, child) in &self.children {
            if let (Some(item), Some(ty)) = (entries.get(name), types.get(name)) {
                let applied = child.apply(item, ty);
                entries.insert(name.clone(), applied);
            }
        }
        Kind::Object(Arc::new(entries))
    }
}
