//! Types as JSON: `"string"`, `["list","string"]`, `["object",{...},["optional"]]`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::JsonError;
use super::encode::quote_onto;
use super::reader::{Reader, Result, Start};
use crate::{ObjectType, Path, Text, Type};

/// The JSON of a type.
pub fn encode_type(ty: &Type) -> String {
    let mut text = String::new();
    type_onto(ty, &mut text);
    text
}

/// Reads the JSON of a type.
pub fn decode_type(text: &str) -> std::result::Result<Type, JsonError> {
    let mut reader = Reader::new(text);
    read_type(&mut reader)
        .and_then(|ty| reader.finish(false).map(|()| ty))
        .map_err(|message| JsonError {
            path: Path::root(),
            message,
        })
}

pub(super) fn type_onto(ty: &Type, text: &mut String) {
    let mut collection = |kind: &str, element: &Type| {
        text.push_str("[\"");
        text.push_str(kind);
        text.push_str("\",");
        type_onto(element, text);
        text.push(']');
    };
    match ty {
        Type::Dynamic => text.push_str("\"dynamic\""),
        Type::Bool => text.push_str("\"bool\""),
        Type::Number => text.push_str("\"number\""),
        Type::String => text.push_str("\"string\""),
        Type::List(element) => collection("list", element),
        Type::Set(element) => collection("set", element),
        Type::Map(element) => collection("map", element),
        Type::Tuple(elements) => {
            text.push_str("[\"tuple\",[");
            for (index, element) in elements.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                type_onto(element, text);
            }
            text.push_str("]]");
        }
        Type::Object(object) => object_onto(object, text),
    }
}

fn object_onto(object: &ObjectType, text: &mut String) {
    text.push_str("[\"object\",{");
    for (index, (name, ty)) in object.attributes.iter().enumerate() {
        text.push_str(if index == 0 { "" } else { "," });
        quote_onto(name, text);
        text.push(':');
        type_onto(ty, text);
    }
    text.push('}');
    if !object.optional.is_empty() {
        text.push_str(",[");
        for (index, name) in object.optional.iter().enumerate() {
            text.push_str(if index == 0 { "" } else { "," });
            quote_onto(name, text);
        }
        text.push(']');
    }
    text.push(']');
}

pub(super) fn read_type(reader: &mut Reader<'_>) -> Result<Type> {
    match reader.start()? {
        Start::String => match &*reader.string()? {
            "dynamic" => Ok(Type::Dynamic),
            "bool" => Ok(Type::Bool),
            "number" => Ok(Type::Number),
            "string" => Ok(Type::String),
            other => Err(format!("invalid primitive type name {other:?}")),
        },
        Start::Array => {
            reader.open()?;
            let ty = read_compound(reader)?;
            if reader.next_element(false)? {
                Err("unexpected extra value in type".into())
            } else {
                Ok(ty)
            }
        }
        _ => Err("invalid complex type description".into()),
    }
}

/// The content of a type's array, up to the end of its last part.
fn read_compound(reader: &mut Reader<'_>) -> Result<Type> {
    if !reader.next_element(true)? || reader.start()? != Start::String {
        return Err("invalid complex type description".into());
    }
    let kind = reader.string()?;
    if !reader.next_element(false)? {
        return Err(format!("invalid {kind} type description"));
    }
    match &*kind {
        "list" => read_type(reader).map(Type::list),
        "set" => read_type(reader).map(Type::set),
        "map" => read_type(reader).map(Type::map),
        "tuple" => read_types(reader).map(Type::tuple),
        "object" => read_object(reader),
        other => Err(format!("invalid complex type kind name {other:?}")),
    }
}

fn read_types(reader: &mut Reader<'_>) -> Result<Vec<Type>> {
    match reader.start()? {
        Start::Array => reader.open()?,
        // Plugins write an empty tuple so.
        Start::Null => return reader.word("null").map(|()| Vec::new()),
        _ => return Err("invalid tuple type description".into()),
    }
    let mut types = Vec::new();
    while reader.next_element(types.is_empty())? {
        types.push(read_type(reader)?);
    }
    Ok(types)
}

fn read_object(reader: &mut Reader<'_>) -> Result<Type> {
    if reader.start()? != Start::Object {
        return Err("invalid object type description".into());
    }
    reader.open()?;
    let mut attributes: BTreeMap<Text, Type> = BTreeMap::new();
    let mut first = true;
    while let Some(name) = reader.next_key(first)? {
        first = false;
        attributes.insert(name.into(), read_type(reader)?);
    }
    let mut optional: BTreeSet<Text> = BTreeSet::new();
    if reader.peek() == Some(b',') {
        reader.next_element(false)?;
        if reader.start()? != Start::Array {
            return Err("invalid optional attributes of object type".into());
        }
        reader.open()?;
        while reader.next_element(optional.is_empty())? {
            if reader.start()? != Start::String {
                return Err("invalid optional attributes of object type".into());
            }
            let name = reader.string()?;
            if !attributes.contains_key(&*name) {
                return Err(format!("optional attribute {name:?} is not an attribute"));
            }
            if !optional.insert(name.into()) {
                return Err("optional attribute is named twice".into());
            }
        }
    }
    Ok(Type::Object(Arc::new(ObjectType {
        attributes,
        optional,
    })))
}
