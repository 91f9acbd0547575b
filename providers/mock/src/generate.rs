//! Values in the place of what a provider would compute.

use std::sync::Arc;

use terrace_port::ProviderDiagnostic;
use terrace_schema::{Attribute, AttributeType, Block, BlockNesting, Nesting};
use terrace_value::convert::convert;
use terrace_value::{Kind, Path, Text, Type, Value};

/// Which computed attributes are given a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Those that configuration leaves null.
    Null,
    /// Those that are not known yet.
    Unknown,
}

impl Wanted {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Null => value.is_null(),
            Self::Unknown => !value.is_known(),
        }
    }
}

/// Fills in what an object lacks.
pub(crate) struct Filling<'a> {
    pub(crate) wanted: Wanted,
    /// Whether values stay unknown for now.
    pub(crate) later: bool,
    /// From what texts are made: the object's address and the like.
    pub(crate) seed: &'a str,
    pub(crate) problems: Vec<ProviderDiagnostic>,
}

impl<'a> Filling<'a> {
    /// One whose values are known at once.
    pub(crate) const fn now(wanted: Wanted, seed: &'a str) -> Self {
        Self {
            wanted,
            later: false,
            seed,
            problems: Vec::new(),
        }
    }

    /// `value` with a value for each computed attribute that lacks one, from `with` where that has it.
    pub(crate) fn block(
        &mut self,
        block: &Block,
        value: &Value,
        with: &Value,
        path: &Path,
    ) -> Value {
        let Kind::Object(entries) = value.kind() else {
            return value.clone();
        };
        let mut parts = (**entries).clone();
        for (name, attribute) in &block.attributes {
            let place = path.attribute(name.clone());
            if let Some(part) = parts.get_mut(name) {
                *part = self.attribute(attribute, part, with.get(name), &place);
            }
        }
        for (name, nested) in &block.blocks {
            let place = path.attribute(name.clone());
            let Some(part) = parts.get_mut(name) else {
                continue;
            };
            let none = Value::empty_object();
            let with = with.get(name).unwrap_or(&none);
            *part = match nested.nesting {
                BlockNesting::Single | BlockNesting::Group => {
                    self.block(&nested.block, part, with, &place)
                }
                BlockNesting::List | BlockNesting::Map | BlockNesting::Set => {
                    each(part, |item| self.block(&nested.block, item, with, &place))
                }
            };
        }
        Value::from_kind(Kind::Object(Arc::new(parts)))
    }

    fn attribute(
        &mut self,
        attribute: &Attribute,
        value: &Value,
        with: Option<&Value>,
        path: &Path,
    ) -> Value {
        if attribute.write_only {
            return attribute.empty_value();
        }
        if attribute.computed && self.wanted.fits(value) {
            let ty = attribute.value_type();
            return if self.later {
                Value::unknown(ty)
            } else {
                self.made_up(&ty, with, path)
            };
        }
        let AttributeType::Nested(nested) = &attribute.ty else {
            return value.clone();
        };
        let none = Value::empty_object();
        let with = with.unwrap_or(&none);
        let mut object = |item: &Value| {
            let Kind::Object(entries) = item.kind() else {
                return item.clone();
            };
            let mut parts = (**entries).clone();
            for (name, attribute) in &nested.attributes {
                let place = path.attribute(name.clone());
                if let Some(part) = parts.get_mut(name) {
                    *part = self.attribute(attribute, part, with.get(name), &place);
                }
            }
            Value::from_kind(Kind::Object(Arc::new(parts)))
        };
        match nested.nesting {
            Nesting::Single => object(value),
            Nesting::List | Nesting::Set | Nesting::Map => each(value, object),
        }
    }

    /// A value of a type: as given, and what is not given made up.
    fn made_up(&mut self, ty: &Type, with: Option<&Value>, path: &Path) -> Value {
        if let Some(given) = with {
            let partial = matches!(ty, Type::Object(_)) && given.as_entries().is_some();
            if !partial {
                return self.converted(given, ty, path);
            }
        }
        match ty {
            Type::String => Value::string(text(&format!("{} {path}", self.seed))),
            Type::Number => Value::int(0),
            Type::Bool => Value::bool(false),
            Type::List(element) => Value::list((**element).clone(), []),
            Type::Set(element) => Value::set((**element).clone(), []),
            Type::Map(element) => Value::map::<Text>((**element).clone(), []),
            Type::Tuple(elements) => {
                let items: Vec<Value> = elements
                    .iter()
                    .map(|element| self.made_up(element, None, path))
                    .collect();
                Value::tuple(items)
            }
            Type::Object(object) => {
                let attributes: Vec<(Text, Value)> = object
                    .attributes
                    .iter()
                    .map(|(name, ty)| {
                        let place = path.attribute(name.clone());
                        let given = with.and_then(|with| with.get(name));
                        (name.clone(), self.made_up(ty, given, &place))
                    })
                    .collect();
                Value::object(attributes)
            }
            Type::Dynamic => Value::null(Type::Dynamic),
        }
    }

    fn converted(&mut self, given: &Value, ty: &Type, path: &Path) -> Value {
        convert(given, ty).unwrap_or_else(|error| {
            let detail = format!("The value that the test gives for {path} does not fit: {error}.");
            self.problems.push(
                ProviderDiagnostic::error("Unsuitable value of a mock", detail).at(path.clone()),
            );
            Value::unknown(ty.clone())
        })
    }
}

/// A collection with each element changed.
fn each(collection: &Value, mut change: impl FnMut(&Value) -> Value) -> Value {
    match collection.kind() {
        Kind::List(ty, items) => Value::list(ty.clone(), items.iter().map(change)),
        Kind::Set(ty, items) => Value::set(ty.clone(), items.iter().map(change)),
        Kind::Tuple(items) => Value::tuple(items.iter().map(change)),
        Kind::Map(ty, entries) => Value::map(
            ty.clone(),
            entries
                .iter()
                .map(|(key, item)| (key.clone(), change(item)))
                .collect::<Vec<(Text, Value)>>(),
        ),
        Kind::Object(entries) => Value::object(
            entries
                .iter()
                .map(|(key, item)| (key.clone(), change(item)))
                .collect::<Vec<(Text, Value)>>(),
        ),
        _ => collection.clone(),
    }
}

/// Eight letters and digits that are always the same for a seed.
pub(crate) fn text(seed: &str) -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut hash = seed.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // The last bytes of a seed reach all bits.
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^= hash >> 29;
    let mut text = String::with_capacity(8);
    for _ in 0..8 {
        let place = usize::try_from(hash % 36).unwrap_or_default();
        text.push(char::from(LETTERS[place]));
        hash /= 36;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Block {
        let attributes = [
            ("id", Attribute::computed(Type::String)),
            ("name", Attribute::required(Type::String)),
            ("size", Attribute::optional_computed(Type::Number)),
            ("tags", Attribute::computed(Type::map(Type::String))),
            (
                "place",
                Attribute::computed(Type::object([("x", Type::Number), ("y", Type::String)])),
            ),
        ];
        Block {
            attributes: attributes
                .map(|(name, attribute)| (name.into(), attribute))
                .into(),
            ..Block::default()
        }
    }

    fn configured() -> Value {
        let mut entries = schema().empty_value().as_entries().cloned().unwrap();
        entries.insert("name".into(), Value::string("a"));
        Value::object(entries)
    }

    fn fill(wanted: Wanted, later: bool, value: &Value, with: &Value) -> (Value, usize) {
        let mut filling = Filling {
            wanted,
            later,
            seed: "a.b",
            problems: Vec::new(),
        };
        let filled = filling.block(&schema(), value, with, &Path::root());
        (filled, filling.problems.len())
    }

    #[test]
    fn what_is_computed_is_given_or_made_up() {
        let with = Value::object([
            ("size", Value::string("5")),
            ("place", Value::object([("x", Value::int(1))])),
        ]);
        let (filled, problems) = fill(Wanted::Null, false, &configured(), &with);
        assert_eq!(problems, 0);
        assert_eq!(filled.get("name").unwrap().as_str(), Some("a"));
        assert_eq!(filled.get("size"), Some(&Value::int(5)));
        assert_eq!(filled.get("id").unwrap().as_str().unwrap().len(), 8);
        let place = filled.get("place").unwrap();
        assert_eq!(place.get("x"), Some(&Value::int(1)));
        assert_eq!(place.get("y").unwrap().as_str().unwrap().len(), 8);
        assert!(filled.get("tags").unwrap().as_entries().unwrap().is_empty());
        let (again, _) = fill(Wanted::Null, false, &configured(), &with);
        assert_eq!(filled, again);
    }

    #[test]
    fn planning_leaves_unknown_what_applying_fills_in() {
        let with = Value::object([("id", Value::string("x"))]);
        let (planned, _) = fill(Wanted::Null, true, &configured(), &with);
        assert!(!planned.get("id").unwrap().is_known());
        let (applied, _) = fill(Wanted::Unknown, false, &planned, &with);
        assert_eq!(applied.get("id").unwrap().as_str(), Some("x"));
        assert!(applied.is_wholly_known());
    }

    #[test]
    fn values_of_another_type_are_complained_about() {
        let with = Value::object([("size", Value::string("many"))]);
        assert_eq!(fill(Wanted::Null, false, &configured(), &with).1, 1);
    }

    #[test]
    fn texts_differ_where_their_seeds_do() {
        assert_ne!(text("a.b id"), text("a.b ie"));
        assert_ne!(text("a.b[0] id"), text("a.b[1] id"));
    }
}
