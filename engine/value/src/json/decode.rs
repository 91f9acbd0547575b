//! From JSON to values.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::JsonError;
use super::reader::{Reader, Start};
use super::types::read_type;
use crate::convert::convert;
use crate::{Kind, Number, Path, PathStep, Text, Type, Value};

/// Reads the JSON of a value of type `ty`, as [`super::encode`] writes it.
///
/// Strings are accepted for numbers and bools that they spell, and the other way round. Attributes that are not there
/// are null; such that the type does not have are refused.
pub fn decode(text: &str, ty: &Type) -> Result<Value, JsonError> {
    let mut decoder = Decoder {
        reader: Reader::new(text),
        path: Vec::new(),
    };
    let value = decoder.value(ty)?;
    decoder.reader.finish(false).map_err(at_root)?;
    Ok(value)
}

/// Reads any JSON: arrays become tuples, objects objects.
pub fn decode_implied(text: &str) -> Result<Value, JsonError> {
    let mut reader = Reader::new(text);
    let value = implied(&mut reader).map_err(at_root)?;
    // The reference does not look at closing brackets behind the value.
    reader.finish(true).map_err(at_root)?;
    Ok(value)
}

/// The type that [`decode_implied`] gives the value of a JSON text.
pub fn implied_type(text: &str) -> Result<Type, JsonError> {
    decode_implied(text).map(|value| value.ty())
}

fn at_root(message: String) -> JsonError {
    JsonError {
        path: Path::root(),
        message,
    }
}

fn implied(reader: &mut Reader<'_>) -> Result<Value, String> {
    match reader.start()? {
        Start::Null => reader.word("null").map(|()| Value::NULL),
        Start::True => reader.word("true").map(|()| Value::TRUE),
        Start::False => reader.word("false").map(|()| Value::FALSE),
        Start::String => reader.string().map(Value::string),
        Start::Number => {
            let text = reader.number()?;
            Number::parse(text)
                .map(Value::number)
                .ok_or_else(|| "a number is required".into())
        }
        Start::Array => {
            reader.open()?;
            let mut items = Vec::new();
            while reader.next_element(items.is_empty())? {
                items.push(implied(reader)?);
            }
            Ok(Value::from_kind(Kind::Tuple(items.into())))
        }
        Start::Object => {
            reader.open()?;
            let mut entries = BTreeMap::new();
            let mut first = true;
            while let Some(key) = reader.next_key(first)? {
                first = false;
                let key = text_of(key);
                entries.insert(key, implied(reader)?);
            }
            Ok(Value::from_kind(Kind::Object(Arc::new(entries))))
        }
    }
}

/// A key in normal form C.
fn text_of(key: Cow<'_, str>) -> Text {
    match Value::string(key).kind() {
        Kind::String(text) => text.clone(),
        _ => Text::from(""),
    }
}

struct Decoder<'a> {
    reader: Reader<'a>,
    path: Vec<PathStep>,
}

impl Decoder<'_> {
    fn value(&mut self, ty: &Type) -> Result<Value, JsonError> {
        let start = self.reader.start().map_err(at_root)?;
        if start == Start::Null {
            self.reader.word("null").map_err(at_root)?;
            return Ok(Value::null(ty.without_optional()));
        }
        match ty {
            Type::Dynamic => self.dynamic(start),
            Type::Bool | Type::Number | Type::String => self.primitive(start, ty),
            Type::List(element) => {
                let items = self.elements(start, element)?;
                Ok(Value::from_kind(Kind::List(
                    self.element_type(element, items.iter())?,
                    items.into(),
                )))
            }
            Type::Set(element) => {
                let items = self.elements(start, element)?;
                Ok(Value::set(self.element_type(element, items.iter())?, items))
            }
            Type::Map(element) => {
                let entries = self.map_entries(start, element)?;
                let element = self.element_type(element, entries.values())?;
                Ok(Value::from_kind(Kind::Map(element, Arc::new(entries))))
            }
            Type::Tuple(elements) => self.tuple(start, elements),
            Type::Object(object) => self.object(start, &object.attributes),
        }
    }

    /// The type of elements for which `element` may leave something open.
    fn element_type<'v>(
        &self,
        element: &Type,
        mut items: impl Iterator<Item = &'v Value>,
    ) -> Result<Type, JsonError> {
        if !element.has_dynamic() {
            return Ok(element.without_optional());
        }
        let Some(first) = items.next() else {
            return Ok(element.without_optional());
        };
        if items.all(|item| item.has_same_type(first)) {
            Ok(first.ty())
        } else {
            Err(self.error("all elements must have the same type"))
        }
    }

    fn primitive(&mut self, start: Start, ty: &Type) -> Result<Value, JsonError> {
        let value = match start {
            Start::True => self.reader.word("true").map(|()| Value::TRUE),
            Start::False => self.reader.word("false").map(|()| Value::FALSE),
            Start::String => self.reader.string().map(Value::string),
            Start::Number => {
                let text = self.reader.number().map_err(at_root)?;
                match Number::parse(text) {
                    Some(number) => Ok(Value::number(number)),
                    None => return Err(self.error("a number is required")),
                }
            }
            Start::Null | Start::Array | Start::Object => {
                return Err(self.error(&format!("{} is required", article(ty))));
            }
        };
        let value = value.map_err(at_root)?;
        match (&value.kind(), ty) {
            (Kind::Bool(_), Type::Number) | (Kind::Number(_), Type::Bool) => {
                Err(self.error(&format!("{} is required", article(ty))))
            }
            _ => match convert(&value, ty) {
                // Text may spell infinity, which JSON cannot hold.
                Ok(number) if number.as_number().is_some_and(Number::is_infinite) => {
                    Err(self.error("a number is required"))
                }
                Ok(value) => Ok(value),
                Err(error) => Err(self.error(&error.message)),
            },
        }
    }

    fn elements(&mut self, start: Start, element: &Type) -> Result<Vec<Value>, JsonError> {
        self.open(start, Start::Array, "an array is required")?;
        let mut items = Vec::new();
        while self
            .reader
            .next_element(items.is_empty())
            .map_err(at_root)?
        {
            let item = self.step(
                PathStep::Index(Value::number(Number::from(items.len()))),
                element,
            )?;
            items.push(item);
        }
        Ok(items)
    }

    fn tuple(&mut self, start: Start, elements: &[Type]) -> Result<Value, JsonError> {
        self.open(start, Start::Array, "an array is required")?;
        let mut items = Vec::new();
        while self
            .reader
            .next_element(items.is_empty())
            .map_err(at_root)?
        {
            let Some(element) = elements.get(items.len()) else {
                return Err(self.error(&format!(
                    "too many tuple elements (need {})",
                    elements.len()
                )));
            };
            let item = self.step(
                PathStep::Index(Value::number(Number::from(items.len()))),
                element,
            )?;
            items.push(item);
        }
        if items.len() < elements.len() {
            return Err(self.error(&format!(
                "not enough tuple elements (need {})",
                elements.len()
            )));
        }
        Ok(Value::from_kind(Kind::Tuple(items.into())))
    }

    fn map_entries(
        &mut self,
        start: Start,
        element: &Type,
    ) -> Result<BTreeMap<Text, Value>, JsonError> {
        self.open(start, Start::Object, "a map is required")?;
        let mut entries = BTreeMap::new();
        let mut first = true;
        while let Some(key) = self.reader.next_key(first).map_err(at_root)? {
            first = false;
            let key = text_of(key);
            let item = self.step(
                PathStep::Index(Value::from_kind(Kind::String(key.clone()))),
                element,
            )?;
            entries.insert(key, item);
        }
        Ok(entries)
    }

    fn object(&mut self, start: Start, types: &BTreeMap<Text, Type>) -> Result<Value, JsonError> {
        self.open(start, Start::Object, "an object is required")?;
        let mut entries = BTreeMap::new();
        let mut first = true;
        while let Some(key) = self.reader.next_key(first).map_err(at_root)? {
            first = false;
            let Some((name, ty)) = types.get_key_value(&*key) else {
                return Err(self.error(&format!("unsupported attribute {key:?}")));
            };
            let item = self.step(PathStep::Attribute(name.clone()), ty)?;
            entries.insert(name.clone(), item);
        }
        if entries.len() < types.len() {
            for (name, ty) in types {
                entries
                    .entry(name.clone())
                    .or_insert_with(|| Value::null(ty.without_optional()));
            }
        }
        Ok(Value::from_kind(Kind::Object(Arc::new(entries))))
    }

    /// A value with its type beside it, in either order.
    fn dynamic(&mut self, start: Start) -> Result<Value, JsonError> {
        self.open(
            start,
            Start::Object,
            "an object with \"type\" and \"value\" is required",
        )?;
        let (mut ty, mut at) = (None, None);
        let mut first = true;
        while let Some(key) = self.reader.next_key(first).map_err(at_root)? {
            first = false;
            match &*key {
                "type" => {
                    ty = Some(read_type(&mut self.reader).map_err(|message| self.error(&message))?);
                }
                "value" => {
                    at = Some(self.reader.position());
                    self.reader.skip_value().map_err(at_root)?;
                }
                _ => {
                    return Err(
                        self.error(&format!("invalid key {key:?} in dynamically-typed value"))
                    );
                }
            }
        }
        match (ty, at) {
            (None, _) => Err(self.error("missing type in dynamically-typed value")),
            (_, None) => Err(self.error("missing value in dynamically-typed value")),
            (Some(ty), Some(at)) => {
                let resume = std::mem::replace(&mut self.reader, Reader::new(""));
                self.reader = resume.back_at(at);
                let value = self.value(&ty);
                self.reader = resume;
                value
            }
        }
    }

    fn open(&mut self, start: Start, wanted: Start, otherwise: &str) -> Result<(), JsonError> {
        if start == wanted {
            self.reader.open().map_err(at_root)
        } else {
            Err(self.error(otherwise))
        }
    }

    fn step(&mut self, step: PathStep, ty: &Type) -> Result<Value, JsonError> {
        self.path.push(step);
        let value = self.value(ty)?;
        self.path.pop();
        Ok(value)
    }

    fn error(&self, message: &str) -> JsonError {
        JsonError {
            path: Path(self.path.clone()),
            message: message.into(),
        }
    }
}

fn article(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::Number => "a number",
        _ => "string",
    }
}
