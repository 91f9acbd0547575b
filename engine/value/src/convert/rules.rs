//! Which types convert to which.

use super::unify::{unify, unify_unsafe};
use crate::Type;

/// Whether values of type `from` may be converted to `to`, be it that single values fail.
pub fn can_convert(from: &Type, to: &Type) -> bool {
    allowed(from, to, true)
}

/// Whether all values of type `from` can be converted to `to` without losing anything.
pub fn can_convert_safely(from: &Type, to: &Type) -> bool {
    allowed(from, to, false)
}

pub(super) fn allowed(from: &Type, to: &Type, lossy: bool) -> bool {
    match (from, to) {
        (_, Type::Dynamic) => true,
        (Type::Dynamic, _) => lossy,
        (Type::Bool | Type::Number, Type::String) => true,
        (Type::String, Type::Bool | Type::Number) => lossy,
        (Type::Object(from), Type::Object(to)) => to.attributes.iter().all(|(name, wanted)| {
            from.attributes.get(name).map_or_else(
                || to.optional.contains(name),
                |own| allowed(own, wanted, lossy),
            )
        }),
        (Type::Tuple(from), Type::Tuple(to)) => {
            from.len() == to.len()
                && from
                    .iter()
                    .zip(to.iter())
                    .all(|(own, wanted)| allowed(own, wanted, lossy))
        }
        (Type::List(_), Type::Set(_)) if !lossy => false,
        (Type::List(own) | Type::Set(own), Type::List(wanted) | Type::Set(wanted))
        | (Type::Map(own), Type::Map(wanted)) => allowed(own, wanted, lossy),
        (Type::Tuple(elements), Type::List(wanted) | Type::Set(wanted)) => {
            structure_allowed(elements.iter(), wanted, lossy, true)
        }
        (Type::Object(object), Type::Map(wanted)) => {
            structure_allowed(object.attributes.values(), wanted, lossy, false)
        }
        (Type::Map(own), Type::Object(object)) => {
            lossy
                && object.attributes.iter().all(|(name, wanted)| {
                    object.optional.contains(name) || allowed(own, wanted, lossy)
                })
        }
        _ => from == to,
    }
}

fn structure_allowed<'a>(
    parts: impl Iterator<Item = &'a Type> + Clone,
    wanted: &Type,
    lossy: bool,
    settled: bool,
) -> bool {
    if *wanted != Type::Dynamic {
        return parts.into_iter().all(|own| allowed(own, wanted, lossy));
    }
    let types: Vec<Type> = parts.cloned().collect();
    types.is_empty() || element_in_common(&types, lossy, settled).is_some()
}

/// The element type of a collection made of parts of these types. For `settled` it may only be left open if that of all
/// parts is: lists and sets want that, maps do not.
pub(super) fn element_in_common(types: &[Type], lossy: bool, settled: bool) -> Option<Type> {
    let common = if lossy {
        unify_unsafe(types)
    } else {
        unify(types)
    }?;
    let settled =
        !settled || common != Type::Dynamic || types.iter().all(|ty| *ty == Type::Dynamic);
    (settled && types.iter().all(|ty| allowed(ty, &common, lossy))).then_some(common)
}

/// `to` with each `Dynamic` in it replaced by what stands in its place in `from`. The types are convertible.
pub(super) fn dynamic_replace(from: &Type, to: &Type) -> Type {
    match (from, to) {
        (Type::Dynamic, _) => to.clone(),
        (_, Type::Dynamic) => from.clone(),
        (Type::Map(own), Type::Map(wanted)) => Type::map(dynamic_replace(own, wanted)),
        (Type::Object(object), Type::Map(wanted)) => Type::map(replace_by_common(
            &object.attributes.values().cloned().collect::<Vec<_>>(),
            wanted,
        )),
        (Type::Map(own), Type::Object(object)) => Type::object(
            object
                .attributes
                .iter()
                .map(|(name, wanted)| (name.clone(), dynamic_replace(own, wanted))),
        ),
        (Type::Object(own), Type::Object(object)) => {
            Type::object(object.attributes.iter().map(|(name, wanted)| {
                let ty = own
                    .attributes
                    .get(name)
                    .map_or_else(|| wanted.clone(), |own| dynamic_replace(own, wanted));
                (name.clone(), ty)
            }))
        }
        (Type::List(own) | Type::Set(own), Type::List(wanted)) => {
            Type::list(dynamic_replace(own, wanted))
        }
        (Type::List(own) | Type::Set(own), Type::Set(wanted)) => {
            Type::set(dynamic_replace(own, wanted))
        }
        (Type::Tuple(elements), Type::List(wanted)) => {
            Type::list(replace_by_common(elements, wanted))
        }
        (Type::Tuple(elements), Type::Set(wanted)) => {
            Type::set(replace_by_common(elements, wanted))
        }
        (Type::Tuple(own), Type::Tuple(elements)) if own.len() == elements.len() => Type::tuple(
            own.iter()
                .zip(elements.iter())
                .map(|(own, wanted)| dynamic_replace(own, wanted)),
        ),
        _ => to.clone(),
    }
}

fn replace_by_common(types: &[Type], wanted: &Type) -> Type {
    unify_unsafe(types).map_or_else(|| wanted.clone(), |common| dynamic_replace(&common, wanted))
}
