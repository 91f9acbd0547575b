//! Types.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::Text;

/// The type of a value, or a type constraint.
///
/// `Dynamic` is the type of a value whose type is not known, and "any" in a constraint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Type {
    /// Not known, or any.
    Dynamic,
    /// `true` or `false`.
    Bool,
    /// An arbitrary-precision number.
    Number,
    /// A Unicode string in NFC.
    String,
    /// A sequence of values of one type.
    List(Arc<Self>),
    /// Distinct values of one type.
    Set(Arc<Self>),
    /// Values of one type by string keys.
    Map(Arc<Self>),
    /// A sequence with a type for each place.
    Tuple(Arc<[Self]>),
    /// Named attributes, each with its type.
    Object(Arc<ObjectType>),
}

/// The attributes of an object type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectType {
    /// Type of each attribute.
    pub attributes: BTreeMap<Text, Type>,
    /// Attributes that a value converted to this type may leave out. Only in type constraints; never in the type of a value.
    pub optional: BTreeSet<Text>,
}

impl Type {
    /// `list(element)`
    pub fn list(element: Self) -> Self {
        Self::List(Arc::new(element))
    }

    /// `set(element)`
    pub fn set(element: Self) -> Self {
        Self::Set(Arc::new(element))
    }

    /// `map(element)`
    pub fn map(element: Self) -> Self {
        Self::Map(Arc::new(element))
    }

    /// `tuple([...])`
    pub fn tuple(elements: impl IntoIterator<Item = Self>) -> Self {
        Self::Tuple(elements.into_iter().collect())
    }

    /// `object({...})` without optional attributes.
    pub fn object<N: Into<Text>>(attributes: impl IntoIterator<Item = (N, Self)>) -> Self {
        Self::Object(Arc::new(ObjectType {
            attributes: attributes
                .into_iter()
                .map(|(name, ty)| (name.into(), ty))
                .collect(),
            optional: BTreeSet::new(),
        }))
    }

    /// Bool, number or string.
    pub const fn is_primitive(&self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::String)
    }

    /// List, set or map.
    pub const fn is_collection(&self) -> bool {
        matches!(self, Self::List(_) | Self::Set(_) | Self::Map(_))
    }

    /// The element type of a list, set or map.
    pub fn element(&self) -> Option<&Self> {
        match self {
            Self::List(element) | Self::Set(element) | Self::Map(element) => Some(element),
            _ => None,
        }
    }

    /// Whether `Dynamic` stands anywhere in it.
    pub fn has_dynamic(&self) -> bool {
        match self {
            Self::Dynamic => true,
            Self::Bool | Self::Number | Self::String => false,
            Self::List(element) | Self::Set(element) | Self::Map(element) => element.has_dynamic(),
            Self::Tuple(elements) => elements.iter().any(Self::has_dynamic),
            Self::Object(object) => object.attributes.values().any(Self::has_dynamic),
        }
    }

    /// Whether any attribute anywhere in it is optional.
    pub fn has_optional(&self) -> bool {
        match self {
            Self::Dynamic | Self::Bool | Self::Number | Self::String => false,
            Self::List(element) | Self::Set(element) | Self::Map(element) => element.has_optional(),
            Self::Tuple(elements) => elements.iter().any(Self::has_optional),
            Self::Object(object) => {
                !object.optional.is_empty() || object.attributes.values().any(Self::has_optional)
            }
        }
    }

    /// The same type without optional-attribute flags at any depth: the type of the values that a constraint produces.
    #[must_use]
    pub fn without_optional(&self) -> Self {
        if !self.has_optional() {
            return self.clone();
        }
        match self {
            Self::Dynamic | Self::Bool | Self::Number | Self::String => self.clone(),
            Self::List(element) => Self::list(element.without_optional()),
            Self::Set(element) => Self::set(element.without_optional()),
            Self::Map(element) => Self::map(element.without_optional()),
            Self::Tuple(elements) => Self::tuple(elements.iter().map(Self::without_optional)),
            Self::Object(object) => Self::object(
                object
                    .attributes
                    .iter()
                    .map(|(name, ty)| (name.clone(), ty.without_optional())),
            ),
        }
    }

    /// As messages name it: `string`, `list of number`, `object`, `tuple`, `map of string`, `dynamic`.
    pub fn friendly_name(&self) -> String {
        self.name_with("dynamic", "dynamic")
    }

    /// As messages name what is required: `any type`, `list of any single type`, else as [`Self::friendly_name`].
    pub fn friendly_name_for_constraint(&self) -> String {
        self.name_with("any type", "any single type")
    }

    fn name_with(&self, any: &str, any_element: &str) -> String {
        let of = |kind: &str, element: &Self| match element {
            Self::Dynamic => format!("{kind} of {any_element}"),
            element => format!("{kind} of {}", element.name_with(any, any_element)),
        };
        match self {
            Self::Dynamic => any.into(),
            Self::Bool => "bool".into(),
            Self::Number => "number".into(),
            Self::String => "string".into(),
            Self::List(element) => of("list", element),
            Self::Set(element) => of("set", element),
            Self::Map(element) => of("map", element),
            Self::Tuple(_) => "tuple".into(),
            Self::Object(_) => "object".into(),
        }
    }
}

impl fmt::Display for Type {
    /// As a type constraint is written: `list(object({ a = string }))`, `any`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dynamic => f.write_str("any"),
            Self::Bool => f.write_str("bool"),
            Self::Number => f.write_str("number"),
            Self::String => f.write_str("string"),
            Self::List(element) => write!(f, "list({element})"),
            Self::Set(element) => write!(f, "set({element})"),
            Self::Map(element) => write!(f, "map({element})"),
            Self::Tuple(elements) => {
                f.write_str("tuple([")?;
                for (index, element) in elements.iter().enumerate() {
                    write!(f, "{}{element}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("])")
            }
            Self::Object(object) => {
                f.write_str("object({")?;
                for (index, (name, ty)) in object.attributes.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    if object.optional.contains(name) {
                        write!(f, "{comma}{name}=optional({ty})")?;
                    } else {
                        write!(f, "{comma}{name}={ty}")?;
                    }
                }
                f.write_str("})")
            }
        }
    }
}
