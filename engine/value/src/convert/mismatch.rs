//! What to say when types do not fit.

use super::rules::{can_convert, can_convert_safely};
use crate::{ObjectType, Type};

/// Says in a few words what keeps values of type `got` from being a `want`.
pub fn mismatch_message(got: &Type, want: &Type) -> String {
    match (got, want) {
        (Type::Object(got), Type::Object(want)) => objects(got, want),
        (Type::Tuple(_), Type::List(element)) if **element == Type::Dynamic => {
            "all list elements must have the same type".into()
        }
        (Type::Tuple(_), Type::Set(element)) if **element == Type::Dynamic => {
            "all set elements must have the same type".into()
        }
        (Type::Object(_), Type::Map(element)) if **element == Type::Dynamic => {
            "all map elements must have the same type".into()
        }
        (Type::Tuple(elements), Type::List(element) | Type::Set(element)) => {
            let parts = elements
                .iter()
                .enumerate()
                .map(|(index, ty)| (index.to_string(), ty));
            first_mismatch(parts, element)
        }
        (Type::Object(object), Type::Map(element)) => first_mismatch(
            object
                .attributes
                .iter()
                .map(|(name, ty)| (format!("{name:?}"), ty)),
            element,
        ),
        (Type::List(own) | Type::Set(own), Type::List(element)) => {
            format!(
                "incorrect list element type: {}",
                mismatch_message(own, element)
            )
        }
        (Type::List(own) | Type::Set(own), Type::Set(element)) => {
            format!(
                "incorrect set element type: {}",
                mismatch_message(own, element)
            )
        }
        (Type::Map(own), Type::Map(element)) => {
            format!(
                "incorrect map element type: {}",
                mismatch_message(own, element)
            )
        }
        _ => format!("{} required", want.friendly_name_for_constraint()),
    }
}

fn objects(got: &ObjectType, want: &ObjectType) -> String {
    let missing: Vec<String> = want
        .attributes
        .keys()
        .filter(|name| !got.attributes.contains_key(*name) && !want.optional.contains(*name))
        .map(|name| format!("{name:?}"))
        .collect();
    match missing.as_slice() {
        [] => {}
        [name] => return format!("attribute {name} is required"),
        [one, two] => return format!("attributes {one} and {two} are required"),
        [others @ .., last] => {
            return format!("attributes {}, and {last} are required", others.join(", "));
        }
    }
    let differing = || {
        want.attributes.iter().filter_map(|(name, wanted)| {
            let own = got.attributes.get(name)?;
            (own != wanted).then_some((name, own, wanted))
        })
    };
    differing()
        .find(|(_, own, wanted)| !can_convert(own, wanted))
        .or_else(|| differing().find(|(_, own, wanted)| !can_convert_safely(own, wanted)))
        .map_or_else(
            || "incorrect object attributes".into(),
            |(name, own, wanted)| format!("attribute {name:?}: {}", mismatch_message(own, wanted)),
        )
}

fn first_mismatch<'a>(
    mut parts: impl Iterator<Item = (String, &'a Type)>,
    element: &Type,
) -> String {
    parts
        .find(|(_, own)| !can_convert(own, element))
        .map_or_else(
            || {
                format!(
                    "all elements must be {}",
                    element.friendly_name_for_constraint()
                )
            },
            |(name, own)| format!("element {name}: {}", mismatch_message(own, element)),
        )
}
