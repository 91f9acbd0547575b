//! Rust types as values, and back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use terrace_value::{Kind, Number, Path, Text, Type, Value};

use crate::Diagnostic;

/// A Rust type whose values are values of attributes.
///
/// Strings, bools, numbers, `Option`, `Vec` (a list), `BTreeSet` (a set), `BTreeMap<String, _>` (a map), [`Field`] and
/// [`Value`] have it; `#[derive(Data)]` gives it to structs with named fields, as objects.
pub trait Data: Sized {
    /// The type of its values.
    fn ty() -> Type;
    /// Reads a value.
    fn from_value(value: &Value) -> Result<Self, Mismatch>;
    /// The value.
    fn into_value(self) -> Value;
}

/// A value that is not of the Rust type that it was read as.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// The part of the value.
    pub path: Path,
    /// What is wrong with it.
    pub message: String,
}

impl Mismatch {
    /// A problem with the value itself.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            path: Path::root(),
            message: message.into(),
        }
    }

    /// The same problem, seen from the object whose attribute `name` the value is.
    #[must_use]
    pub fn within(mut self, name: &str) -> Self {
        self.path.0.splice(0..0, Path::root().attribute(name).0);
        self
    }

    /// The same problem, seen from the collection whose element `key` the value is.
    #[must_use]
    pub fn within_element(mut self, key: Value) -> Self {
        self.path.0.splice(0..0, Path::root().index(key).0);
        self
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_root() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", crate::shown(&self.path), self.message)
        }
    }
}

impl std::error::Error for Mismatch {}

impl From<Mismatch> for Diagnostic {
    fn from(mismatch: Mismatch) -> Self {
        let detail = format!(
            "The provider read this value as another type than it is of: {}. This is a bug in the provider, which should be reported in the provider's own issue tracker.",
            mismatch.message
        );
        Self::error("Value Conversion Error", detail).at(mismatch.path)
    }
}

impl From<Mismatch> for crate::Diagnostics {
    fn from(mismatch: Mismatch) -> Self {
        Diagnostic::from(mismatch).into()
    }
}

/// An attribute that may be null, and unknown while a change is planned.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field<T> {
    /// Not set.
    #[default]
    Null,
    /// Not known yet.
    Unknown,
    /// This.
    Known(T),
}

impl<T> Field<T> {
    /// What is known of it.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Null | Self::Unknown => None,
        }
    }

    /// What is known of it, by reference.
    pub const fn as_known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Null | Self::Unknown => None,
        }
    }

    /// Whether it is not known yet.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Whether it is not set.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

fn wrong<T>(want: &str, value: &Value) -> Result<T, Mismatch> {
    let what = match value.kind() {
        Kind::Null(_) => "it is null".to_owned(),
        Kind::Unknown(_) => "it is not known yet".to_owned(),
        _ => format!("it is {}", value.ty().friendly_name()),
    };
    Err(Mismatch::new(format!("{want} is wanted, and {what}")))
}

impl Data for Value {
    fn ty() -> Type {
        Type::Dynamic
    }

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        Ok(value.clone())
    }

    fn into_value(self) -> Value {
        self
    }
}

impl Data for String {
    fn ty() -> Type {
        Type::String
    }

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        value
            .as_str()
            .map_or_else(|| wrong("a string", value), |text| Ok(text.to_owned()))
    }

    fn into_value(self) -> Value {
        Value::string(self)
    }
}

impl Data for &str {
    fn ty() -> Type {
        Type::String
    }

    /// Never succeeds: a reference has no owner there. Read a `String`.
    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        wrong("an owned string", value)
    }

    fn into_value(self) -> Value {
        Value::string(self)
    }
}

impl Data for bool {
    fn ty() -> Type {
        Type::Bool
    }

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        value.as_bool().map_or_else(|| wrong("a bool", value), Ok)
    }

    fn into_value(self) -> Value {
        Value::bool(self)
    }
}

impl Data for Number {
    fn ty() -> Type {
        Type::Number
    }

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        value
            .as_number()
            .map_or_else(|| wrong("a number", value), |number| Ok(number.clone()))
    }

    fn into_value(self) -> Value {
        Value::number(self)
    }
}

impl Data for f64 {
    fn ty() -> Type {
        Type::Number
    }

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        Number::from_value(value).map(|number| number.to_f64())
    }

    /// A number; null for what is none.
    fn into_value(self) -> Value {
        Number::from_f64(self).map_or_else(|| Value::null(Type::Number), Value::number)
    }
}

macro_rules! whole_numbers {
    ($($ty:ty),*) => {$(
        impl Data for $ty {
            fn ty() -> Type {
                Type::Number
            }

            fn from_value(value: &Value) -> Result<Self, Mismatch> {
                let number = Number::from_value(value)?;
                number
                    .to_i64()
                    .and_then(|whole| Self::try_from(whole).ok())
                    .map_or_else(|| wrong(concat!("a whole number that fits ", stringify!($ty)), value), Ok)
            }

            fn into_value(self) -> Value {
                Value::number(i64::try_from(self).map_or_else(|_| Number::from(u64::MAX), Number::from))
            }
        }
    )*};
}
whole_numbers!(i64, i32, u32, u16, u8, usize);

impl Data for u64 {
    fn ty() -> Type {
        Type::Number
    }

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        let number = Number::from_value(value)?;
        number
            .to_u64()
            .map_or_else(|| wrong("a whole number of at most 64 bits", value), Ok)
    }

    fn into_value(self) -> Value {
        Value::number(Number::from(self))
    }
}

impl<T: Data> Data for Option<T> {
    fn ty() -> Type {
        T::ty()
    }

    /// `None` for null, and for what is not known yet; [`Field`] tells the two apart.
    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        if value.is_null() || !value.is_known() {
            return Ok(None);
        }
        T::from_value(value).map(Some)
    }

    fn into_value(self) -> Value {
        self.map_or_else(|| Value::null(T::ty()), T::into_value)
    }
}

impl<T: Data> Data for Field<T> {
    fn ty() -> Type {
        T::ty()
    }

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        match value.kind() {
            Kind::Null(_) => Ok(Self::Null),
            Kind::Unknown(_) => Ok(Self::Unknown),
            _ => T::from_value(value).map(Self::Known),
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Null => Value::null(T::ty()),
            Self::Unknown => Value::unknown(T::ty()),
            Self::Known(value) => value.into_value(),
        }
    }
}

fn elements<T: Data>(value: &Value, want: &str) -> Result<Vec<T>, Mismatch> {
    let Some(items) = value.as_sequence() else {
        return wrong(want, value);
    };
    items
        .iter()
        .enumerate()
        .map(|(place, item)| {
            T::from_value(item)
                .map_err(|mismatch| mismatch.within_element(Value::number(place.into())))
        })
        .collect()
}

impl<T: Data> Data for Vec<T> {
    fn ty() -> Type {
        Type::list(T::ty())
    }

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        elements(value, "a list")
    }

    fn into_value(self) -> Value {
        Value::list(T::ty(), self.into_iter().map(T::into_value))
    }
}

impl<T: Data + Ord> Data for BTreeSet<T> {
    fn ty() -> Type {
        Type::set(T::ty())
    }

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        Ok(elements(value, "a set")?.into_iter().collect())
    }

    fn into_value(self) -> Value {
        Value::set(T::ty(), self.into_iter().map(T::into_value))
    }
}

impl<T: Data> Data for BTreeMap<String, T> {
    fn ty() -> Type {
        Type::map(T::ty())
    }

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        let Some(entries) = value.as_entries() else {
            return wrong("a map", value);
        };
        entries
            .iter()
            .map(|(key, item)| {
                T::from_value(item)
                    .map(|item| (key.to_string(), item))
                    .map_err(|mismatch| mismatch.within_element(Value::string(key.clone())))
            })
            .collect()
    }

    fn into_value(self) -> Value {
        let entries = self
            .into_iter()
            .map(|(key, item)| (Text::from(key), item.into_value()));
        Value::map(T::ty(), entries)
    }
}
