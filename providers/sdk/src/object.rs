//! Objects whose attributes are read and set by name.

use std::collections::BTreeMap;

use terrace_value::{Number, Path, Text, Type, Value};

use crate::{Data, Diagnostic, Mismatch};

/// An object as values by name: a configuration, a planned or a present state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object(BTreeMap<Text, Value>);

impl Object {
    /// One without attributes. What a handler leaves out of its answer is null.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The object that a value is; none for null, unknown and everything else.
    pub fn of(value: &Value) -> Option<Self> {
        value.as_entries().map(|entries| Self(entries.clone()))
    }

    /// An attribute as a value; null where there is none.
    pub fn value(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or(&Value::NULL)
    }

    /// The part of it that `path` leads to.
    pub fn at(&self, path: &Path) -> Option<Value> {
        self.clone().into_value().at_path(path)
    }

    /// An attribute as a Rust type.
    pub fn get<T: Data>(&self, name: &str) -> Result<T, Diagnostic> {
        T::from_value(self.value(name)).map_err(|mismatch| mismatch.within(name).into())
    }

    /// An attribute that is known text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name).as_str()
    }

    /// An attribute that is a known whole number.
    pub fn whole(&self, name: &str) -> Option<i64> {
        self.value(name).as_number().and_then(Number::to_i64)
    }

    /// An attribute that is a known bool.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.value(name).as_bool()
    }

    /// The elements of an attribute that is a known list or set; none for one that is null or unknown.
    pub fn items(&self, name: &str) -> &[Value] {
        self.value(name).as_sequence().unwrap_or_default()
    }

    /// Known texts of a list or set.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        self.items(name).iter().filter_map(Value::as_str).collect()
    }

    /// Whether an attribute is set, be it to something that is not known yet.
    pub fn is_set(&self, name: &str) -> bool {
        !self.value(name).is_null()
    }

    /// Whether an attribute is known: set, or known not to be.
    pub fn is_known(&self, name: &str) -> bool {
        self.value(name).is_known()
    }

    /// Sets an attribute.
    pub fn set(&mut self, name: &str, value: impl Data) {
        self.0.insert(Text::from(name), value.into_value());
    }

    /// Makes an attribute unknown.
    pub fn forget(&mut self, name: &str, ty: Type) {
        self.0.insert(Text::from(name), Value::unknown(ty));
    }

    /// Its attributes.
    pub const fn entries(&self) -> &BTreeMap<Text, Value> {
        &self.0
    }

    /// Sets all attributes of another.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

impl FromIterator<(Text, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (Text, Value)>>(attributes: I) -> Self {
        Self(attributes.into_iter().collect())
    }
}

impl Data for Object {
    fn ty() -> Type {
        Type::Dynamic
    }

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        Self::of(value).ok_or_else(|| Mismatch::new("an object is wanted"))
    }

    fn into_value(self) -> Value {
        Value::object(self.0)
    }
}
