//! Conversion between types, and unification.

mod defaults;
mod mismatch;
mod rules;
mod unify;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Kind, Number, Path, PathStep, Refinements, Text, Type, Value};

pub use defaults::Defaults;
pub use mismatch::mismatch_message;
use rules::dynamic_replace;
pub use rules::{can_convert, can_convert_safely};
pub use unify::{unify, unify_unsafe};

/// Why a value cannot be converted: where in it, and what was required there.
#[derive(Clone, Debug, PartialEq)]
pub struct ConversionError {
    /// The part that does not fit.
    pub path: Path,
    /// As the reference says it: `a number is required`, `string required`, `attribute "x" is required`.
    pub message: String,
}

impl std::fmt::Display for ConversionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConversionError {}

/// Converts `value` to `ty` (a constraint: may hold `Dynamic` and optional attributes), as the reference's unsafe
/// conversion does; marks and unknowns are kept.
///
/// When the types alone rule it out, the error is about the whole value and names the types; else it points at the
/// part whose content does not fit.
pub fn convert(value: &Value, ty: &Type) -> Result<Value, ConversionError> {
    if value.has_type(ty) {
        return Ok(value.clone());
    }
    let mut conversion = Conversion { path: Vec::new() };
    conversion.run(value, ty).map_err(|failure| {
        let own = value.ty();
        match failure {
            Failure::Content(error) if can_convert(&own, ty) => error,
            _ => ConversionError {
                path: Path::root(),
                message: mismatch_message(&own, ty),
            },
        }
    })
}

enum Failure {
    /// The types do not fit.
    Types,
    /// The types do, this content does not.
    Content(ConversionError),
}

/// A conversion under way, and where it is.
struct Conversion {
    path: Vec<PathStep>,
}

impl Conversion {
    fn run(&mut self, value: &Value, ty: &Type) -> Result<Value, Failure> {
        if *ty == Type::Dynamic || value.has_type(ty) {
            return Ok(value.clone());
        }
        let marks = value.marks();
        let converted = match value.kind() {
            Kind::Unknown(unknown) => convert_unknown(&unknown.0, &unknown.1, ty)?,
            Kind::Null(own) => {
                let wanted = ty.without_optional();
                if !can_convert(own, ty) {
                    return Err(Failure::Types);
                }
                Value::null(dynamic_replace(own, &wanted))
            }
            _ => self.convert_known(value, ty)?,
        };
        Ok(converted.with_marks(marks))
    }

    fn convert_known(&mut self, value: &Value, ty: &Type) -> Result<Value, Failure> {
        match (value.kind(), ty) {
            (Kind::Number(number), Type::String) => Ok(Value::string(number.to_string())),
            (Kind::Bool(value), Type::String) => {
                Ok(Value::string(if *value { "true" } else { "false" }))
            }
            (Kind::String(text), Type::Number) => match Number::parse(text) {
                Some(number) => Ok(Value::number(number)),
                None => self.fail("a number is required"),
            },
            (Kind::String(text), Type::Bool) => self.string_to_bool(text),
            (Kind::Object(entries), Type::Object(object)) => {
                let mut attributes = BTreeMap::new();
                for (name, ty) in &object.attributes {
                    let part = match entries.get(name) {
                        Some(item) => self.step(PathStep::Attribute(name.clone()), item, ty)?,
                        None if object.optional.contains(name) => {
                            Value::null(ty.without_optional())
                        }
                        None => return Err(Failure::Types),
                    };
                    attributes.insert(name.clone(), part);
                }
                Ok(Value::from_kind(Kind::Object(Arc::new(attributes))))
            }
            (Kind::Map(element, entries), Type::Object(_)) => {
                self.map_to_object(element, entries, ty)
            }
            (Kind::Tuple(items), Type::Tuple(elements)) => {
                if items.len() != elements.len() {
                    return Err(Failure::Types);
                }
                let parts = self.items(items, |index| &elements[index])?;
                Ok(Value::from_kind(Kind::Tuple(parts.into())))
            }
            (Kind::Set(own, items), Type::List(element))
                if items.len() > 1 && !value.is_wholly_known() =>
            {
                if !can_convert(own, element) {
                    return Err(Failure::Types);
                }
                Ok(Value::unknown(Type::list(dynamic_replace(
                    own,
                    &element.without_optional(),
                ))))
            }
            (
                Kind::List(own, items) | Kind::Set(own, items),
                Type::List(element) | Type::Set(element),
            ) => {
                if items.is_empty() && !can_convert(own, element) {
                    return Err(Failure::Types);
                }
                let parts = self.items(items, |_| element)?;
                self.sequence(parts, own, element, matches!(ty, Type::Set(_)))
            }
            (Kind::Tuple(items), Type::List(element) | Type::Set(element)) => {
                let element = &common_element(items.iter(), element, true)?;
                let parts = self.items(items, |_| element)?;
                self.sequence(parts, &Type::Dynamic, element, matches!(ty, Type::Set(_)))
            }
            (Kind::Map(own, entries), Type::Map(element)) => {
                if entries.is_empty() && !can_convert(own, element) {
                    return Err(Failure::Types);
                }
                self.entries_to_map(entries, own, element)
            }
            (Kind::Object(entries), Type::Map(element)) => {
                let element = &common_element(entries.values(), element, false)?;
                self.entries_to_map(entries, &Type::Dynamic, element)
            }
            _ => Err(Failure::Types),
        }
    }

    fn string_to_bool(&self, text: &str) -> Result<Value, Failure> {
        match text {
            "true" | "1" => Ok(Value::TRUE),
            "false" | "0" => Ok(Value::FALSE),
            _ => match text.to_lowercase().as_str() {
                word @ ("true" | "false") => self.fail(&format!(
                    "a bool is required; to convert from string, use lowercase \"{word}\""
                )),
                _ => self.fail("a bool is required"),
            },
        }
    }

    fn map_to_object(
        &mut self,
        element: &Type,
        entries: &BTreeMap<Text, Value>,
        ty: &Type,
    ) -> Result<Value, Failure> {
        let Type::Object(object) = ty else {
            return Err(Failure::Types);
        };
        let mut attributes = BTreeMap::new();
        for (name, wanted) in &object.attributes {
            let optional = object.optional.contains(name);
            let fits = can_convert(element, wanted);
            let part = match entries.get(name) {
                _ if !fits && !optional => return Err(Failure::Types),
                Some(item) if fits => self.step(key_step(name), item, wanted)?,
                Some(item) => {
                    return self.fail(&format!(
                        "map element type is incompatible with attribute {name:?}: {}",
                        mismatch_message(&item.ty(), wanted)
                    ));
                }
                None if optional => Value::null(wanted.without_optional()),
                None => {
                    return self.fail(&format!(
                        "map has no element for required attribute {name:?}"
                    ));
                }
            };
            attributes.insert(name.clone(), part);
        }
        Ok(Value::from_kind(Kind::Object(Arc::new(attributes))))
    }

    fn items<'t>(
        &mut self,
        items: &[Value],
        ty: impl Fn(usize) -> &'t Type,
    ) -> Result<Vec<Value>, Failure> {
        let convert = |(index, item): (usize, &Value)| {
            self.step(
                PathStep::Index(Value::number(Number::from(index))),
                item,
                ty(index),
            )
        };
        items.iter().enumerate().map(convert).collect()
    }

    fn entries_to_map(
        &mut self,
        entries: &BTreeMap<Text, Value>,
        own: &Type,
        element: &Type,
    ) -> Result<Value, Failure> {
        let mut parts = Vec::with_capacity(entries.len());
        for (key, item) in entries {
            parts.push(self.step(key_step(key), item, element)?);
        }
        let (element, parts) = self.homogeneous(parts, own, element)?;
        let entries = entries.keys().cloned().zip(parts).collect();
        Ok(Value::from_kind(Kind::Map(element, Arc::new(entries))))
    }

    fn sequence(
        &mut self,
        parts: Vec<Value>,
        own: &Type,
        element: &Type,
        set: bool,
    ) -> Result<Value, Failure> {
        let (element, parts) = self.homogeneous(parts, own, element)?;
        Ok(if set {
            Value::set(element, parts)
        } else {
            Value::list(element, parts)
        })
    }

    /// Brings converted elements to one type where the constraint `element` left it open; `own` is the element type
    /// of the source, which an empty collection keeps.
    fn homogeneous(
        &mut self,
        parts: Vec<Value>,
        own: &Type,
        element: &Type,
    ) -> Result<(Type, Vec<Value>), Failure> {
        if !element.has_dynamic() {
            return Ok((element.without_optional(), parts));
        }
        let Some(first) = parts.first() else {
            let ty = if *element == Type::Dynamic {
                own.clone()
            } else {
                element.without_optional()
            };
            return Ok((ty, parts));
        };
        if parts.iter().all(|part| part.has_same_type(first)) {
            return Ok((first.ty(), parts));
        }
        let types: Vec<Type> = parts.iter().map(Value::ty).collect();
        let Some(common) = unify_unsafe(&types) else {
            return self.fail("cannot find a common base type for all elements");
        };
        let parts = parts
            .iter()
            .map(|part| self.run(part, &common))
            .collect::<Result<Vec<_>, _>>()?;
        if common.has_dynamic() {
            return self.alike(parts, &common);
        }
        Ok((common, parts))
    }

    /// Elements whose common type is still open are of one type, or nulls of no type, or they are refused.
    fn alike(&mut self, parts: Vec<Value>, common: &Type) -> Result<(Type, Vec<Value>), Failure> {
        let is_untyped = |part: &Value| matches!(part.kind(), Kind::Null(Type::Dynamic));
        let mut typed = parts.iter().filter(|part| !is_untyped(part));
        let Some(first) = typed.next() else {
            return Ok((common.clone(), parts));
        };
        if parts
            .iter()
            .any(|part| !is_untyped(part) && part.has_unknown_type())
        {
            return Ok((common.clone(), parts));
        }
        if !typed.all(|part| part.has_same_type(first)) {
            return self.fail("all elements must have the same type");
        }
        let element = first.ty();
        let parts = parts
            .iter()
            .map(|part| {
                if is_untyped(part) {
                    Value::null(element.clone()).with_marks(part.marks())
                } else {
                    part.clone()
                }
            })
            .collect();
        Ok((element, parts))
    }

    fn step(&mut self, step: PathStep, item: &Value, ty: &Type) -> Result<Value, Failure> {
        self.path.push(step);
        let result = self.run(item, ty);
        self.path.pop();
        result
    }

    fn fail<T>(&self, message: &str) -> Result<T, Failure> {
        Err(Failure::Content(ConversionError {
            path: Path(self.path.clone()),
            message: message.to_owned(),
        }))
    }
}

/// The element type that parts of a structure are converted to: `wanted`, or what they have in common.
fn common_element<'a>(
    parts: impl Iterator<Item = &'a Value>,
    wanted: &Type,
    settled: bool,
) -> Result<Type, Failure> {
    if *wanted != Type::Dynamic {
        return Ok(wanted.clone());
    }
    let parts: Vec<&Value> = parts.collect();
    if let [first, others @ ..] = parts.as_slice()
        && others.iter().all(|part| part.has_same_type(first))
    {
        return Ok(first.ty());
    }
    let types: Vec<Type> = parts.into_iter().map(Value::ty).collect();
    if types.is_empty() {
        return Ok(Type::Dynamic);
    }
    rules::element_in_common(&types, true, settled).ok_or(Failure::Types)
}

fn key_step(key: &Text) -> PathStep {
    PathStep::Index(Value::from_kind(Kind::String(key.clone())))
}

/// An unknown stays one; that it is not null, and what is known of its length, stays known.
fn convert_unknown(own: &Type, refinements: &Refinements, ty: &Type) -> Result<Value, Failure> {
    if !can_convert(own, ty) {
        return Err(Failure::Types);
    }
    let wanted = dynamic_replace(own, &ty.without_optional());
    let mut kept = Refinements {
        not_null: refinements.not_null,
        ..Refinements::default()
    };
    let exactly = |length: usize| (Some(length as u64), Some(length as u64));
    (kept.min_length, kept.max_length) = match (own, &wanted) {
        (Type::Object(object), Type::Map(_)) => exactly(object.attributes.len()),
        (Type::Tuple(elements), Type::List(_)) => exactly(elements.len()),
        (Type::Tuple(elements), Type::Set(_)) => match elements.len() {
            length @ (0 | 1) => exactly(length),
            length => (Some(1), Some(length as u64)),
        },
        (own, Type::Set(_)) if own.is_collection() => (
            refinements.min_length.map(|length| length.min(1)),
            refinements.max_length,
        ),
        (own, wanted) if own.is_collection() && wanted.is_collection() => {
            (refinements.min_length, refinements.max_length)
        }
        _ => (None, None),
    };
    Ok(Value::unknown(wanted).refine(kept))
}

#[cfg(test)]
mod tests;
