//! Attributes of stored objects that their type does not have, or no longer.

use super::{decode_implied, simple_encode};
use crate::{Kind, Type, Value};

/// The JSON text of a stored object without the attributes, at any depth, that `ty` lacks. `None` where it lacks none of
/// them, and where the text is no JSON.
///
/// Providers take attributes away without giving their schema another version, and states keep them until the object is
/// written again.
pub fn without_surplus(text: &str, ty: &Type) -> Option<String> {
    let stored = decode_implied(text).ok()?;
    let kept = kept(&stored, ty)?;
    simple_encode(&kept).ok()
}

/// The value without what is surplus; `None` where nothing is.
fn kept(value: &Value, ty: &Type) -> Option<Value> {
    match (value.kind(), ty) {
        (Kind::Object(entries), Type::Object(object)) => {
            let mut changed = false;
            let mut found = Vec::new();
            for (name, item) in entries.iter() {
                let Some(attribute) = object.attributes.get(name) else {
                    changed = true;
                    continue;
                };
                let inner = kept(item, attribute);
                changed |= inner.is_some();
                found.push((name.clone(), inner.unwrap_or_else(|| item.clone())));
            }
            changed.then(|| Value::object(found))
        }
        (Kind::Object(entries), Type::Map(element)) => {
            let mut changed = false;
            let mut found = Vec::new();
            for (name, item) in entries.iter() {
                let inner = kept(item, element);
                changed |= inner.is_some();
                found.push((name.clone(), inner.unwrap_or_else(|| item.clone())));
            }
            changed.then(|| Value::object(found))
        }
        (Kind::Tuple(items), Type::List(element) | Type::Set(element)) => {
            let mut changed = false;
            let mut found = Vec::new();
            for item in items.iter() {
                let inner = kept(item, element);
                changed |= inner.is_some();
                found.push(inner.unwrap_or_else(|| item.clone()));
            }
            changed.then(|| Value::tuple(found))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty() -> Type {
        let inner = Type::object([("a", Type::String)]);
        Type::object([
            ("name", Type::String),
            ("any", Type::Dynamic),
            ("list", Type::list(inner.clone())),
            ("map", Type::map(inner)),
        ])
    }

    #[test]
    fn what_the_type_lacks_goes_at_any_depth() {
        let text = r#"{"name":"x","old":1,"list":[{"a":"b","c":2}],"map":{"k":{"a":"b"},"l":{"d":[]}},"any":{"value":{"z":1}}}"#;
        let kept = without_surplus(text, &ty()).unwrap();
        assert_eq!(
            kept,
            r#"{"any":{"value":{"z":1}},"list":[{"a":"b"}],"map":{"k":{"a":"b"},"l":{}},"name":"x"}"#
        );
    }

    #[test]
    fn an_object_that_fits_stays_as_it_is() {
        assert_eq!(without_surplus(r#"{"name":"x"}"#, &ty()), None);
        assert_eq!(without_surplus("{", &ty()), None);
    }
}
