//! The value type.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::{Marks, Number, ObjectType, Path, PathStep, Refinements, Text, Type};

/// What a value is, without its own marks. Elements are whole values with marks of their own.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Not known yet: its type (`Dynamic` when that is not known either) and what is known of it.
    Unknown(Arc<(Type, Refinements)>),
    /// Absent, of a type (`Dynamic` for the bare `null`).
    Null(Type),
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string in NFC.
    String(Text),
    /// A list: element type and elements.
    List(Type, Arc<[Value]>),
    /// A set: element type and distinct elements in the reference's order. No element carries marks: they are moved to the set.
    Set(Type, Arc<[Value]>),
    /// A map: element type and elements by key.
    Map(Type, Arc<BTreeMap<Text, Value>>),
    /// A tuple.
    Tuple(Arc<[Value]>),
    /// An object.
    Object(Arc<BTreeMap<Text, Value>>),
}

/// An immutable value with its marks.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value {
    kind: Kind,
    marks: Marks,
}

impl Value {
    /// `true`
    pub const TRUE: Self = Self {
        kind: Kind::Bool(true),
        marks: Marks::NONE,
    };
    /// `false`
    pub const FALSE: Self = Self {
        kind: Kind::Bool(false),
        marks: Marks::NONE,
    };
    /// `null` of no particular type.
    pub const NULL: Self = Self {
        kind: Kind::Null(Type::Dynamic),
        marks: Marks::NONE,
    };

    /// A value of this kind without marks. Lists, sets and maps must hold elements of the element type; use the constructors.
    pub const fn from_kind(kind: Kind) -> Self {
        Self {
            kind,
            marks: Marks::NONE,
        }
    }

    /// `null` of a type.
    pub const fn null(ty: Type) -> Self {
        Self::from_kind(Kind::Null(ty))
    }

    /// Unknown, of a type.
    pub fn unknown(ty: Type) -> Self {
        Self::from_kind(Kind::Unknown(Arc::new((ty, Refinements::default()))))
    }

    /// Unknown, of a type, with what is known of it.
    pub fn unknown_refined(ty: Type, refinements: Refinements) -> Self {
        Self::from_kind(Kind::Unknown(Arc::new((ty, refinements))))
    }

    /// Unknown, and its type too.
    pub fn dynamic() -> Self {
        Self::unknown(Type::Dynamic)
    }

    /// A bool.
    pub const fn bool(value: bool) -> Self {
        Self::from_kind(Kind::Bool(value))
    }

    /// A whole number, with the precision of one.
    pub fn int(value: i64) -> Self {
        Self::from_kind(Kind::Number(Number::from(value)))
    }

    /// A number.
    pub const fn number(value: Number) -> Self {
        Self::from_kind(Kind::Number(value))
    }

    /// A string; brought into NFC.
    pub fn string(text: impl AsRef<str> + Into<Text>) -> Self {
        let normal =
            text.as_ref().is_ascii() || is_nfc_quick(text.as_ref().chars()) == IsNormalized::Yes;
        let text = if normal {
            text.into()
        } else {
            text.as_ref().nfc().collect::<String>().into()
        };
        Self::from_kind(Kind::String(text))
    }

    /// A list whose elements are all of type `element` (which is what makes an empty list's type).
    pub fn list(element: Type, items: impl IntoIterator<Item = Self>) -> Self {
        Self::from_kind(Kind::List(element, items.into_iter().collect()))
    }

    /// A set: duplicates are dropped, elements put in the reference's order, their marks moved to the set.
    /// An unknown element makes the set unknown in length but it stays an element.
    pub fn set(element: Type, items: impl IntoIterator<Item = Self>) -> Self {
        let mut marks = Marks::NONE;
        let mut elements: Vec<Self> = items
            .into_iter()
            .map(|item| {
                let (plain, found) = item.unmark_deep();
                marks |= found;
                plain
            })
            .collect();
        crate::ops::sort_set(&mut elements);
        Self {
            kind: Kind::Set(element, elements.into()),
            marks,
        }
    }

    /// A map whose elements are all of type `element`. Keys are brought into NFC.
    pub fn map<K: AsRef<str> + Into<Text>>(
        element: Type,
        entries: impl IntoIterator<Item = (K, Self)>,
    ) -> Self {
        let entries = entries
            .into_iter()
            .map(|(key, value)| (key.into(), value))
            .collect();
        Self::from_kind(Kind::Map(element, Arc::new(entries)))
    }

    /// A tuple.
    pub fn tuple(items: impl IntoIterator<Item = Self>) -> Self {
        Self::from_kind(Kind::Tuple(items.into_iter().collect()))
    }

    /// An object.
    pub fn object<K: Into<Text>>(attributes: impl IntoIterator<Item = (K, Self)>) -> Self {
        let attributes = attributes
            .into_iter()
            .map(|(key, value)| (key.into(), value))
            .collect();
        Self::from_kind(Kind::Object(Arc::new(attributes)))
    }

    /// The object without attributes.
    pub fn empty_object() -> Self {
        Self::object::<Text>([])
    }

    /// What it is. Deeper marks are still on the elements.
    pub const fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Marks of the value itself, not of its parts.
    pub const fn marks(&self) -> Marks {
        self.marks
    }

    /// With more marks.
    #[must_use]
    pub fn with_marks(mut self, marks: Marks) -> Self {
        self.marks |= marks;
        self
    }

    /// Marked sensitive.
    #[must_use]
    pub fn sensitive(self) -> Self {
        self.with_marks(Marks::SENSITIVE)
    }

    /// Whether the value itself (not only a part) is sensitive.
    pub const fn is_sensitive(&self) -> bool {
        self.marks.contains(Marks::SENSITIVE)
    }

    /// Without its own marks, which are returned.
    #[must_use]
    pub fn unmark(mut self) -> (Self, Marks) {
        let marks = std::mem::take(&mut self.marks);
        (self, marks)
    }

    /// Its type. An object's or tuple's is computed.
    pub fn ty(&self) -> Type {
        match &self.kind {
            Kind::Unknown(unknown) => unknown.0.clone(),
            Kind::Null(ty) => ty.clone(),
            Kind::Bool(_) => Type::Bool,
            Kind::Number(_) => Type::Number,
            Kind::String(_) => Type::String,
            Kind::List(element, _) => Type::list(element.clone()),
            Kind::Set(element, _) => Type::set(element.clone()),
            Kind::Map(element, _) => Type::map(element.clone()),
            Kind::Tuple(items) => Type::tuple(items.iter().map(Self::ty)),
            Kind::Object(attributes) => Type::Object(Arc::new(ObjectType {
                attributes: attributes
                    .iter()
                    .map(|(name, value)| (name.clone(), value.ty()))
                    .collect(),
                optional: std::collections::BTreeSet::new(),
            })),
        }
    }

    /// Whether it is null.
    pub const fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null(_))
    }

    /// Whether the value itself is known; its parts may not be.
    pub const fn is_known(&self) -> bool {
        !matches!(self.kind, Kind::Unknown(_))
    }

    /// Whether it and all its parts are known.
    pub fn is_wholly_known(&self) -> bool {
        match &self.kind {
            Kind::Unknown(_) => false,
            Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
                items.iter().all(Self::is_wholly_known)
            }
            Kind::Map(_, entries) | Kind::Object(entries) => {
                entries.values().all(Self::is_wholly_known)
            }
            _ => true,
        }
    }

    /// What is known of an unknown value.
    pub fn refinements(&self) -> Option<&Refinements> {
        match &self.kind {
            Kind::Unknown(unknown) => Some(&unknown.1),
            _ => None,
        }
    }

    /// Whether it is certain not to be null: known and not null, or refined so.
    pub fn is_definitely_not_null(&self) -> bool {
        match &self.kind {
            Kind::Unknown(unknown) => unknown.1.not_null,
            Kind::Null(_) => false,
            _ => true,
        }
    }

    /// The bool, if it is a known one.
    pub const fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The string, if it is a known one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is a known one.
    pub const fn as_number(&self) -> Option<&Number> {
        match &self.kind {
            Kind::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The elements of a known list, set or tuple.
    pub fn as_sequence(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a known map or object.
    pub fn as_entries(&self) -> Option<&BTreeMap<Text, Self>> {
        match &self.kind {
            Kind::Map(_, entries) | Kind::Object(entries) => Some(entries),
            _ => None,
        }
    }

    /// Attribute or key `name` of a known object or map, without the marks of the whole.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_entries().and_then(|entries| entries.get(name))
    }

    /// Whether any part carries any of `marks`.
    pub fn has_marks_deep(&self, marks: Marks) -> bool {
        self.marks.intersects(marks)
            || match &self.kind {
                Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
                    items.iter().any(|item| item.has_marks_deep(marks))
                }
                Kind::Map(_, entries) | Kind::Object(entries) => {
                    entries.values().any(|item| item.has_marks_deep(marks))
                }
                _ => false,
            }
    }

    /// The marks of the value and of all its parts.
    pub fn marks_deep(&self) -> Marks {
        self.marks
            | match &self.kind {
                Kind::List(_, items) | Kind::Tuple(items) => union_of_marks(items.iter()),
                Kind::Map(_, entries) | Kind::Object(entries) => union_of_marks(entries.values()),
                _ => Marks::NONE,
            }
    }

    /// Whether any part of it is unknown in type too.
    pub fn has_unknown_type(&self) -> bool {
        match &self.kind {
            Kind::Unknown(unknown) => unknown.0.has_dynamic(),
            Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
                items.iter().any(Self::has_unknown_type)
            }
            Kind::Map(_, entries) | Kind::Object(entries) => {
                entries.values().any(Self::has_unknown_type)
            }
            _ => false,
        }
    }

    /// Whether its type is `ty`, optional-attribute flags left aside. Cheaper than comparing [`Self::ty`].
    pub fn has_type(&self, ty: &Type) -> bool {
        match (&self.kind, ty) {
            (Kind::Unknown(unknown), _) => same_type(&unknown.0, ty),
            (Kind::Null(own), _) => same_type(own, ty),
            (Kind::Bool(_), Type::Bool)
            | (Kind::Number(_), Type::Number)
            | (Kind::String(_), Type::String) => true,
            (Kind::List(own, _), Type::List(element))
            | (Kind::Set(own, _), Type::Set(element))
            | (Kind::Map(own, _), Type::Map(element)) => same_type(own, element),
            (Kind::Tuple(items), Type::Tuple(elements)) => {
                items.len() == elements.len()
                    && items
                        .iter()
                        .zip(elements.iter())
                        .all(|(item, ty)| item.has_type(ty))
            }
            (Kind::Object(entries), Type::Object(object)) => {
                entries.len() == object.attributes.len()
                    && entries
                        .iter()
                        .zip(&object.attributes)
                        .all(|((key, item), (name, ty))| key == name && item.has_type(ty))
            }
            _ => false,
        }
    }

    /// Whether both are of the same type.
    pub fn has_same_type(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Unknown(unknown), _) => other.has_type(&unknown.0),
            (_, Kind::Unknown(unknown)) => self.has_type(&unknown.0),
            (Kind::Null(ty), _) => other.has_type(ty),
            (_, Kind::Null(ty)) => self.has_type(ty),
            (Kind::List(own, _), Kind::List(element, _))
            | (Kind::Set(own, _), Kind::Set(element, _))
            | (Kind::Map(own, _), Kind::Map(element, _)) => same_type(own, element),
            (Kind::Tuple(one), Kind::Tuple(two)) => {
                one.len() == two.len()
                    && one
                        .iter()
                        .zip(two.iter())
                        .all(|(one, two)| one.has_same_type(two))
            }
            (Kind::Object(one), Kind::Object(two)) => {
                one.len() == two.len()
                    && one
                        .iter()
                        .zip(two.iter())
                        .all(|((key, one), (name, two))| key == name && one.has_same_type(two))
            }
            (one, two) => std::mem::discriminant(one) == std::mem::discriminant(two),
        }
    }

    /// Without marks at any depth; also all marks that were found.
    #[must_use]
    pub fn unmark_deep(&self) -> (Self, Marks) {
        if !self.has_marks_deep(Marks::SENSITIVE | Marks::EPHEMERAL) {
            return (self.clone(), Marks::NONE);
        }
        let mut found = self.marks;
        let mut strip = |item: &Self| {
            let (plain, marks) = item.unmark_deep();
            found |= marks;
            plain
        };
        let kind = match &self.kind {
            Kind::List(ty, items) => Kind::List(ty.clone(), items.iter().map(&mut strip).collect()),
            Kind::Set(ty, items) => Kind::Set(ty.clone(), items.iter().map(&mut strip).collect()),
            Kind::Tuple(items) => Kind::Tuple(items.iter().map(&mut strip).collect()),
            Kind::Map(ty, entries) => Kind::Map(
                ty.clone(),
                Arc::new(
                    entries
                        .iter()
                        .map(|(key, item)| (key.clone(), strip(item)))
                        .collect(),
                ),
            ),
            Kind::Object(entries) => Kind::Object(Arc::new(
                entries
                    .iter()
                    .map(|(key, item)| (key.clone(), strip(item)))
                    .collect(),
            )),
            kind => kind.clone(),
        };
        (Self::from_kind(kind), found)
    }

    /// Without marks at any depth, with the paths that carried some.
    #[must_use]
    pub fn unmark_deep_with_paths(&self) -> (Self, Vec<(Path, Marks)>) {
        let mut paths = Vec::new();
        collect_marks(self, &mut Path::root(), &mut paths);
        (self.unmark_deep().0, paths)
    }

    /// With marks put on the parts that `paths` lead to; paths that lead nowhere mark the nearest part that contains them.
    #[must_use]
    pub fn mark_with_paths(&self, paths: &[(Path, Marks)]) -> Self {
        paths.iter().fold(self.clone(), |value, (path, marks)| {
            mark_at(&value, &path.0, *marks)
        })
    }

    /// The part that `path` leads to, with the marks met on the way; `None` where it leads nowhere (through null or unknown too).
    pub fn at_path(&self, path: &Path) -> Option<Self> {
        let mut value = self.clone();
        for step in &path.0 {
            let marks = value.marks;
            let next = match (&value.kind, step) {
                (Kind::Object(entries) | Kind::Map(_, entries), PathStep::Attribute(name)) => {
                    entries.get(name).cloned()
                }
                (Kind::Object(entries) | Kind::Map(_, entries), PathStep::Index(key)) => {
                    key.as_str().and_then(|key| entries.get(key)).cloned()
                }
                (Kind::List(_, items) | Kind::Tuple(items), PathStep::Index(key)) => key
                    .as_number()
                    .and_then(Number::to_usize)
                    .and_then(|index| items.get(index))
                    .cloned(),
                (Kind::Set(_, items), PathStep::Index(key)) => {
                    items.iter().find(|item| *item == key).cloned()
                }
                _ => None,
            };
            value = next?.with_marks(marks);
        }
        Some(value)
    }
}

fn union_of_marks<'a>(values: impl Iterator<Item = &'a Value>) -> Marks {
    values.fold(Marks::NONE, |marks, value| marks | value.marks_deep())
}

/// Whether two types are the same but for optional-attribute flags.
fn same_type(one: &Type, two: &Type) -> bool {
    match (one, two) {
        (Type::List(one), Type::List(two))
        | (Type::Set(one), Type::Set(two))
        | (Type::Map(one), Type::Map(two)) => Arc::ptr_eq(one, two) || same_type(one, two),
        (Type::Tuple(one), Type::Tuple(two)) => {
            one.len() == two.len()
                && one
                    .iter()
                    .zip(two.iter())
                    .all(|(one, two)| same_type(one, two))
        }
        (Type::Object(one), Type::Object(two)) => {
            Arc::ptr_eq(one, two)
                || (one.attributes.len() == two.attributes.len()
                    && one
                        .attributes
                        .iter()
                        .zip(&two.attributes)
                        .all(|((key, one), (name, two))| key == name && same_type(one, two)))
        }
        _ => one == two,
    }
}

fn collect_marks(value: &Value, path: &mut Path, out: &mut Vec<(Path, Marks)>) {
    if !value.marks.is_empty() {
        out.push((path.clone(), value.marks));
    }
    let mut visit = |step: PathStep, item: &Value| {
        path.0.push(step);
        collect_marks(item, path, out);
        path.0.pop();
    };
    match &value.kind {
        Kind::List(_, items) | Kind::Tuple(items) => {
            for (index, item) in (0_i64..).zip(items.iter()) {
                visit(PathStep::Index(Value::int(index)), item);
            }
        }
        Kind::Map(_, entries) => {
            for (key, item) in entries.iter() {
                visit(
                    PathStep::Index(Value::from_kind(Kind::String(key.clone()))),
                    item,
                );
            }
        }
        Kind::Object(entries) => {
            for (key, item) in entries.iter() {
                visit(PathStep::Attribute(key.clone()), item);
            }
        }
        _ => {}
    }
}

fn mark_at(value: &Value, steps: &[PathStep], marks: Marks) -> Value {
    let Some((step, rest)) = steps.split_first() else {
        return value.clone().with_marks(marks);
    };
    let key = match step {
        PathStep::Attribute(name) => Some(name.clone()),
        PathStep::Index(key) => key.as_str().map(Text::from),
    };
    let index = match step {
        PathStep::Index(key) => key.as_number().and_then(Number::to_usize),
        PathStep::Attribute(_) => None,
    };
    let kind = match (&value.kind, key, index) {
        (Kind::Object(entries), Some(key), _) if entries.contains_key(&key) => {
            let mut entries = (**entries).clone();
            entries
                .entry(key)
                .and_modify(|item| *item = mark_at(item, rest, marks));
            Kind::Object(Arc::new(entries))
        }
        (Kind::Map(ty, entries), Some(key), _) if entries.contains_key(&key) => {
            let mut entries = (**entries).clone();
            entries
                .entry(key)
                .and_modify(|item| *item = mark_at(item, rest, marks));
            Kind::Map(ty.clone(), Arc::new(entries))
        }
        (Kind::List(ty, items), _, Some(index)) if index < items.len() => {
            let mut items = items.to_vec();
            items[index] = mark_at(&items[index], rest, marks);
            Kind::List(ty.clone(), items.into())
        }
        (Kind::Tuple(items), _, Some(index)) if index < items.len() => {
            let mut items = items.to_vec();
            items[index] = mark_at(&items[index], rest, marks);
            Kind::Tuple(items.into())
        }
        _ => return value.clone().with_marks(marks),
    };
    Value {
        kind,
        marks: value.marks,
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_sensitive() {
            return f.write_str("(sensitive value)");
        }
        match &self.kind {
            Kind::Unknown(unknown) if unknown.1.is_empty() => write!(f, "unknown({})", unknown.0),
            Kind::Unknown(unknown) => write!(f, "unknown({}, {:?})", unknown.0, unknown.1),
            Kind::Null(ty) => write!(f, "null({ty})"),
            Kind::Bool(value) => write!(f, "{value}"),
            Kind::Number(number) => write!(f, "{number}"),
            Kind::String(text) => write!(f, "{text:?}"),
            Kind::List(_, items) => f.debug_list().entries(items.iter()).finish(),
            Kind::Set(_, items) => f.debug_set().entries(items.iter()).finish(),
            Kind::Tuple(items) => {
                f.write_str("tuple")?;
                f.debug_list().entries(items.iter()).finish()
            }
            Kind::Map(_, entries) => {
                f.write_str("map")?;
                f.debug_map().entries(entries.iter()).finish()
            }
            Kind::Object(entries) => f.debug_map().entries(entries.iter()).finish(),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::int(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::string(text)
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::string(text)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::number(number)
    }
}
