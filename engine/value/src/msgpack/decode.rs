//! From MessagePack to values. The bytes may come from anywhere: nothing is reserved on the word of a length, and
//! nesting is limited.

use std::collections::BTreeMap;
use std::sync::Arc;

use rmp::Marker;

use super::{MsgpackError, REFINED_UNKNOWN, key};
use crate::json::decode_type;
use crate::{Kind, Number, Path, PathStep, Refinements, Text, Type, Value};

/// Values nested deeper than this are refused, so that no input exhausts the stack.
const DEEPEST: usize = 500;
/// What is known of an unknown value takes no more bytes than this.
const LONGEST_REFINEMENT: usize = 1024;

/// Reads the MessagePack of a value of type `ty`. Numbers are accepted in every form that holds them exactly.
pub fn decode(bytes: &[u8], ty: &Type) -> Result<Value, MsgpackError> {
    Decoder {
        rest: bytes,
        path: Vec::new(),
        depth: 0,
    }
    .value(ty)
}

/// A token, its content read but for the elements of arrays and maps.
enum Token<'a> {
    Nil,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Double(f64),
    Text(&'a [u8]),
    Bytes(&'a [u8]),
    Array(usize),
    Map(usize),
    Extension(i8, &'a [u8]),
}

struct Decoder<'a> {
    rest: &'a [u8],
    path: Vec<PathStep>,
    depth: usize,
}

impl<'a> Decoder<'a> {
    fn value(&mut self, ty: &Type) -> Result<Value, MsgpackError> {
        let token = self.token()?;
        match (token, ty) {
            (Token::Nil, _) => Ok(Value::null(ty.without_optional())),
            (Token::Extension(kind, body), _) => self.unknown(kind, body, ty),
            (Token::Array(length), Type::Dynamic) => self.dynamic(length),
            (Token::Bool(value), Type::Bool) => Ok(Value::bool(value)),
            (Token::Text(text), Type::Number) => {
                let number = std::str::from_utf8(text).ok().and_then(Number::parse);
                number
                    .map(Value::number)
                    .ok_or_else(|| self.error("a number is required"))
            }
            (token, Type::Number) => self.number(&token).map(Value::number),
            (Token::Text(text) | Token::Bytes(text), Type::String) => {
                self.text(text).map(Value::string)
            }
            (Token::Array(length), Type::List(element)) => {
                let items = self.elements(length, |_| element)?;
                Ok(Value::from_kind(Kind::List(
                    self.element_type(element, items.iter())?,
                    items.into(),
                )))
            }
            (Token::Array(length), Type::Set(element)) => {
                let items = self.elements(length, |_| element)?;
                Ok(Value::set(self.element_type(element, items.iter())?, items))
            }
            (Token::Array(length), Type::Tuple(elements)) => {
                if length != elements.len() {
                    return Err(
                        self.error(&format!("a tuple of length {} is required", elements.len()))
                    );
                }
                Ok(Value::from_kind(Kind::Tuple(
                    self.elements(length, |index| &elements[index])?.into(),
                )))
            }
            (Token::Map(length), Type::Map(element)) => self.map(length, element),
            (Token::Map(length), Type::Object(object)) => self.object(length, &object.attributes),
            (_, ty) => Err(self.error(required(ty))),
        }
    }

    fn number(&self, token: &Token<'_>) -> Result<Number, MsgpackError> {
        match token {
            Token::Signed(value) => Ok(Number::from(*value)),
            Token::Unsigned(value) => Ok(Number::from(*value)),
            Token::Double(value) => {
                Number::from_f64(*value).ok_or_else(|| self.error("a number is required"))
            }
            _ => Err(self.error("a number is required")),
        }
    }

    fn text(&self, bytes: &'a [u8]) -> Result<&'a str, MsgpackError> {
        std::str::from_utf8(bytes).map_err(|_| self.error("a string of valid UTF-8 is required"))
    }

    fn elements<'t>(
        &mut self,
        length: usize,
        ty: impl Fn(usize) -> &'t Type,
    ) -> Result<Vec<Value>, MsgpackError> {
        self.enter()?;
        // A claimed length reserves little.
        let mut items = Vec::with_capacity(length.min(1024));
        for index in 0..length {
            items.push(self.step(
                PathStep::Index(Value::number(Number::from(index))),
                ty(index),
            )?);
        }
        self.depth -= 1;
        Ok(items)
    }

    /// The type of elements for which `element` may leave something open.
    fn element_type<'v>(
        &self,
        element: &Type,
        mut items: impl Iterator<Item = &'v Value>,
    ) -> Result<Type, MsgpackError> {
        let first = if element.has_dynamic() {
            items.next()
        } else {
            None
        };
        match first {
            None => Ok(element.without_optional()),
            Some(first) if items.all(|item| item.has_same_type(first)) => Ok(first.ty()),
            Some(_) => Err(self.error("all elements must have the same type")),
        }
    }

    fn map(&mut self, length: usize, element: &Type) -> Result<Value, MsgpackError> {
        self.enter()?;
        let mut entries = BTreeMap::new();
        for _ in 0..length {
            let key = self.key()?;
            let key: Text = match Value::string(key).kind() {
                Kind::String(key) => key.clone(),
                _ => key.into(),
            };
            let item = self.step(
                PathStep::Index(Value::from_kind(Kind::String(key.clone()))),
                element,
            )?;
            entries.insert(key, item);
        }
        self.depth -= 1;
        let element = self.element_type(element, entries.values())?;
        Ok(Value::from_kind(Kind::Map(element, Arc::new(entries))))
    }

    fn object(
        &mut self,
        length: usize,
        types: &BTreeMap<Text, Type>,
    ) -> Result<Value, MsgpackError> {
        self.enter()?;
        if length != types.len() {
            return Err(self.error(&format!(
                "an object with {} attributes is required ({length} given)",
                types.len()
            )));
        }
        let mut entries = BTreeMap::new();
        for _ in 0..length {
            let key = self.key()?;
            let Some((name, ty)) = types.get_key_value(key) else {
                return Err(self.error(&format!("unsupported attribute {key:?}")));
            };
            let item = self.step(PathStep::Attribute(name.clone()), ty)?;
            if entries.insert(name.clone(), item).is_some() {
                return Err(self.error(&format!("attribute {name:?} is given twice")));
            }
        }
        self.depth -= 1;
        Ok(Value::from_kind(Kind::Object(Arc::new(entries))))
    }

    fn key(&mut self) -> Result<&'a str, MsgpackError> {
        match self.token()? {
            Token::Text(text) | Token::Bytes(text) => self.text(text),
            _ => Err(self.error("a map key must be a string")),
        }
    }

    /// A type's JSON and a value of that type.
    fn dynamic(&mut self, length: usize) -> Result<Value, MsgpackError> {
        if length != 2 {
            return Err(self.error("a dynamic value array must have exactly two elements"));
        }
        self.enter()?;
        let (Token::Bytes(json) | Token::Text(json)) = self.token()? else {
            return Err(self.error("the type of a dynamic value is required"));
        };
        let ty = decode_type(self.text(json)?).map_err(|error| self.error(&error.message))?;
        let value = self.value(&ty)?;
        self.depth -= 1;
        Ok(value)
    }

    fn unknown(&mut self, kind: i8, body: &[u8], ty: &Type) -> Result<Value, MsgpackError> {
        let unknown = Value::unknown(ty.without_optional());
        if body.len() <= 1 {
            return Ok(unknown);
        }
        if kind != REFINED_UNKNOWN {
            return Err(self.error(&format!(
                "unsupported extension type {kind:#04x} with len {}",
                body.len()
            )));
        }
        if body.len() > LONGEST_REFINEMENT {
            return Err(self.error("oversize unknown value refinement"));
        }
        let mut inner = Decoder {
            rest: body,
            path: self.path.clone(),
            depth: self.depth,
        };
        let refinements = inner.refinements()?;
        Ok(match refinements {
            Some(refinements) => unknown.refine(refinements),
            None => Value::null(ty.without_optional()),
        })
    }

    /// What is known of an unknown value; `None` if it is that it is null.
    fn refinements(&mut self) -> Result<Option<Refinements>, MsgpackError> {
        let Token::Map(length) = self.token()? else {
            return Err(self.error("a refinement must be a map"));
        };
        let mut known = Refinements::default();
        for _ in 0..length {
            let code = match self.token()? {
                Token::Signed(code) => code,
                Token::Unsigned(code) => i64::try_from(code).unwrap_or(0),
                _ => return Err(self.error("the key of a refinement must be a whole number")),
            };
            match code {
                key::IS_NULL => match self.token()? {
                    Token::Bool(true) => return Ok(None),
                    Token::Bool(false) => known.not_null = true,
                    _ => return Err(self.error("null refinement is not boolean")),
                },
                key::PREFIX => match self.token()? {
                    Token::Text(text) | Token::Bytes(text) => {
                        known.prefix = Some(self.text(text)?.into());
                    }
                    _ => return Err(self.error("string prefix refinement is not string")),
                },
                key::MIN => known.min = Some(self.bound()?),
                key::MAX => known.max = Some(self.bound()?),
                key::MIN_LENGTH => known.min_length = Some(self.length()?),
                key::MAX_LENGTH => known.max_length = Some(self.length()?),
                _ => self.skip()?,
            }
        }
        Ok(Some(known))
    }

    fn bound(&mut self) -> Result<(Number, bool), MsgpackError> {
        let bound = self.value(&Type::tuple([Type::Number, Type::Bool]))?;
        match bound.as_sequence() {
            Some([number, inclusive]) => match (number.as_number(), inclusive.as_bool()) {
                (Some(number), Some(inclusive)) => Ok((number.clone(), inclusive)),
                _ => Err(self.error("a bound must be a number and a bool")),
            },
            _ => Err(self.error("a bound must be a number and a bool")),
        }
    }

    fn length(&mut self) -> Result<u64, MsgpackError> {
        let token = self.token()?;
        self.number(&token)?
            .to_u64()
            .ok_or_else(|| self.error("a length bound must be a whole number"))
    }

    fn skip(&mut self) -> Result<(), MsgpackError> {
        let parts = match self.token()? {
            Token::Array(length) => length,
            Token::Map(length) => length * 2,
            _ => return Ok(()),
        };
        self.enter()?;
        for _ in 0..parts {
            self.skip()?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn token(&mut self) -> Result<Token<'a>, MsgpackError> {
        let marker = Marker::from_u8(self.take(1)?[0]);
        Ok(match marker {
            Marker::Null => Token::Nil,
            Marker::True => Token::Bool(true),
            Marker::False => Token::Bool(false),
            Marker::FixPos(value) => Token::Unsigned(value.into()),
            Marker::FixNeg(value) => Token::Signed(value.into()),
            Marker::U8 => Token::Unsigned(self.unsigned(1)?),
            Marker::U16 => Token::Unsigned(self.unsigned(2)?),
            Marker::U32 => Token::Unsigned(self.unsigned(4)?),
            Marker::U64 => Token::Unsigned(self.unsigned(8)?),
            Marker::I8 => Token::Signed(i8::from_be_bytes(self.fixed()?).into()),
            Marker::I16 => Token::Signed(i16::from_be_bytes(self.fixed()?).into()),
            Marker::I32 => Token::Signed(i32::from_be_bytes(self.fixed()?).into()),
            Marker::I64 => Token::Signed(i64::from_be_bytes(self.fixed()?)),
            Marker::F32 => Token::Double(f32::from_be_bytes(self.fixed()?).into()),
            Marker::F64 => Token::Double(f64::from_be_bytes(self.fixed()?)),
            Marker::FixStr(length) => Token::Text(self.take(length.into())?),
            Marker::Str8 => Token::Text(self.sized(1)?),
            Marker::Str16 => Token::Text(self.sized(2)?),
            Marker::Str32 => Token::Text(self.sized(4)?),
            Marker::Bin8 => Token::Bytes(self.sized(1)?),
            Marker::Bin16 => Token::Bytes(self.sized(2)?),
            Marker::Bin32 => Token::Bytes(self.sized(4)?),
            Marker::FixArray(length) => Token::Array(self.counted(length.into(), 1)?),
            Marker::Array16 | Marker::Array32 => {
                let length = self.unsigned(if marker == Marker::Array16 { 2 } else { 4 })?;
                Token::Array(self.counted(length, 1)?)
            }
            Marker::FixMap(length) => Token::Map(self.counted(length.into(), 2)?),
            Marker::Map16 | Marker::Map32 => {
                let length = self.unsigned(if marker == Marker::Map16 { 2 } else { 4 })?;
                Token::Map(self.counted(length, 2)?)
            }
            Marker::FixExt1 => self.extension(1)?,
            Marker::FixExt2 => self.extension(2)?,
            Marker::FixExt4 => self.extension(4)?,
            Marker::FixExt8 => self.extension(8)?,
            Marker::FixExt16 => self.extension(16)?,
            Marker::Ext8 | Marker::Ext16 | Marker::Ext32 => {
                let width = match marker {
                    Marker::Ext8 => 1,
                    Marker::Ext16 => 2,
                    _ => 4,
                };
                let length = self.unsigned(width)?;
                self.extension(length)?
            }
            Marker::Reserved => return Err(self.error("invalid MessagePack")),
        })
    }

    fn extension(&mut self, length: u64) -> Result<Token<'a>, MsgpackError> {
        let kind = i8::from_be_bytes(self.fixed()?);
        Ok(Token::Extension(kind, self.take(length)?))
    }

    fn sized(&mut self, width: u64) -> Result<&'a [u8], MsgpackError> {
        let length = self.unsigned(width)?;
        self.take(length)
    }

    /// A number of elements that the bytes left can hold, each taking at least `least` bytes.
    fn counted(&self, length: u64, least: u64) -> Result<usize, MsgpackError> {
        let possible = self.rest.len() as u64 / least;
        usize::try_from(length)
            .ok()
            .filter(|_| length <= possible)
            .ok_or_else(|| self.error("unexpected end of MessagePack"))
    }

    fn unsigned(&mut self, width: u64) -> Result<u64, MsgpackError> {
        Ok(self
            .take(width)?
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], MsgpackError> {
        let bytes = self.take(N as u64)?;
        bytes
            .try_into()
            .map_err(|_| self.error("unexpected end of MessagePack"))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], MsgpackError> {
        let taken = usize::try_from(length)
            .ok()
            .and_then(|length| self.rest.split_at_checked(length));
        let Some((taken, rest)) = taken else {
            return Err(self.error("unexpected end of MessagePack"));
        };
        self.rest = rest;
        Ok(taken)
    }

    fn enter(&mut self) -> Result<(), MsgpackError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            Err(self.error("nested too deeply"))
        } else {
            Ok(())
        }
    }

    fn step(&mut self, step: PathStep, ty: &Type) -> Result<Value, MsgpackError> {
        self.path.push(step);
        let value = self.value(ty)?;
        self.path.pop();
        Ok(value)
    }

    fn error(&self, message: &str) -> MsgpackError {
        MsgpackError {
            path: Path(self.path.clone()),
            message: message.into(),
        }
    }
}

const fn required(ty: &Type) -> &'static str {
    match ty {
        Type::Dynamic => "a dynamic value array is required",
        Type::Bool => "a bool is required",
        Type::Number => "a number is required",
        Type::String => "a string is required",
        Type::List(_) => "a list is required",
        Type::Set(_) => "a set is required",
        Type::Map(_) => "a map is required",
        Type::Tuple(_) => "a tuple is required",
        Type::Object(_) => "an object is required",
    }
}
