//! From values to MessagePack.

use rmp::encode as write;

use super::{MsgpackError, REFINED_UNKNOWN, key};
use crate::json::encode_type;
use crate::{Kind, Number, Path, PathStep, Refinements, Type, Value};

/// A longer prefix of an unknown string is cut before it is sent.
const LONGEST_PREFIX: usize = 256;

/// Writing to a vector does not fail.
const INFALLIBLE: &str = "writing to a vector does not fail";

/// The MessagePack of `value` in a place of type `ty`, which is its type or has `Dynamic` where its type has something else.
///
/// Values with marks have none: the caller takes them off, knowing why.
pub fn encode(value: &Value, ty: &Type) -> Result<Vec<u8>, MsgpackError> {
    let mut encoder = Encoder {
        bytes: Vec::new(),
        path: Vec::new(),
    };
    encoder.value(value, ty)?;
    Ok(encoder.bytes)
}

struct Encoder {
    bytes: Vec<u8>,
    path: Vec<PathStep>,
}

impl Encoder {
    fn value(&mut self, value: &Value, ty: &Type) -> Result<(), MsgpackError> {
        if !value.marks().is_empty() {
            return self.fail("value has marks, so it cannot be serialized");
        }
        let bare = match value.kind() {
            Kind::Null(own) => *own == Type::Dynamic,
            Kind::Unknown(unknown) => unknown.0 == Type::Dynamic,
            _ => false,
        };
        if *ty == Type::Dynamic && !bare {
            let own = value.ty();
            write::write_array_len(&mut self.bytes, 2).expect(INFALLIBLE);
            write::write_bin(&mut self.bytes, encode_type(&own).as_bytes()).expect(INFALLIBLE);
            return self.value(value, &own);
        }
        match (value.kind(), ty) {
            (Kind::Unknown(unknown), _) => write_unknown(&mut self.bytes, &unknown.0, &unknown.1),
            (Kind::Null(_), _) => write::write_nil(&mut self.bytes).expect(INFALLIBLE),
            (Kind::Bool(value), Type::Bool) => {
                write::write_bool(&mut self.bytes, *value).expect(INFALLIBLE);
            }
            (Kind::Number(number), Type::Number) => write_number(&mut self.bytes, number),
            (Kind::String(text), Type::String) => {
                write::write_str(&mut self.bytes, text).expect(INFALLIBLE);
            }
            (Kind::List(_, items), Type::List(element))
            | (Kind::Set(_, items), Type::Set(element)) => {
                self.array(items, |_| element)?;
            }
            (Kind::Tuple(items), Type::Tuple(elements)) if items.len() == elements.len() => {
                self.array(items, |index| &elements[index])?;
            }
            (Kind::Map(_, entries), Type::Map(element)) => {
                self.map_len(entries.len())?;
                for (key, item) in entries.iter() {
                    write::write_str(&mut self.bytes, key).expect(INFALLIBLE);
                    self.step(
                        PathStep::Index(Value::from_kind(Kind::String(key.clone()))),
                        item,
                        element,
                    )?;
                }
            }
            (Kind::Object(entries), Type::Object(object))
                if entries.len() == object.attributes.len() =>
            {
                self.map_len(entries.len())?;
                for (name, item) in entries.iter() {
                    let Some(ty) = object.attributes.get(name) else {
                        return self.fail(&format!("unsupported attribute {name:?}"));
                    };
                    write::write_str(&mut self.bytes, name).expect(INFALLIBLE);
                    self.step(PathStep::Attribute(name.clone()), item, ty)?;
                }
            }
            _ => {
                return self.fail(&format!(
                    "{} is required",
                    ty.friendly_name_for_constraint()
                ));
            }
        }
        Ok(())
    }

    fn array<'t>(
        &mut self,
        items: &[Value],
        ty: impl Fn(usize) -> &'t Type,
    ) -> Result<(), MsgpackError> {
        let Ok(length) = u32::try_from(items.len()) else {
            return self.fail("too many elements");
        };
        write::write_array_len(&mut self.bytes, length).expect(INFALLIBLE);
        for (index, item) in items.iter().enumerate() {
            self.step(
                PathStep::Index(Value::number(Number::from(index))),
                item,
                ty(index),
            )?;
        }
        Ok(())
    }

    fn map_len(&mut self, length: usize) -> Result<(), MsgpackError> {
        let Ok(length) = u32::try_from(length) else {
            return self.fail("too many elements");
        };
        write::write_map_len(&mut self.bytes, length).expect(INFALLIBLE);
        Ok(())
    }

    fn step(&mut self, step: PathStep, item: &Value, ty: &Type) -> Result<(), MsgpackError> {
        self.path.push(step);
        self.value(item, ty)?;
        self.path.pop();
        Ok(())
    }

    fn fail<T>(&self, message: &str) -> Result<T, MsgpackError> {
        Err(MsgpackError {
            path: Path(self.path.clone()),
            message: message.into(),
        })
    }
}

/// As an integer if it is one of 64 bits, as a double if it is exactly one, else as text.
fn write_number(bytes: &mut Vec<u8>, number: &Number) {
    if let Some(integer) = number.to_i64() {
        write::write_sint(bytes, integer).expect(INFALLIBLE);
    } else if number.is_integer() {
        // Whole numbers of any size are written in full, as the reference does, even if a double could hold them.
        write::write_str(bytes, &number.to_string()).expect(INFALLIBLE);
    } else if let Some(double) = number.to_f64_exact() {
        write::write_f64(bytes, double).expect(INFALLIBLE);
    } else {
        write::write_str(bytes, &number.to_string()).expect(INFALLIBLE);
    }
}

fn write_unknown(bytes: &mut Vec<u8>, ty: &Type, refinements: &Refinements) {
    let mut body = Vec::new();
    let entries = if *ty == Type::Dynamic {
        0
    } else {
        write_refinements(&mut body, ty, refinements)
    };
    if entries == 0 {
        write::write_ext_meta(bytes, 1, 0).expect(INFALLIBLE);
        bytes.push(0);
        return;
    }
    let mut header = Vec::new();
    write::write_map_len(&mut header, entries).expect(INFALLIBLE);
    let length = u32::try_from(header.len() + body.len()).unwrap_or(u32::MAX);
    write::write_ext_meta(bytes, length, REFINED_UNKNOWN).expect(INFALLIBLE);
    bytes.extend(header);
    bytes.extend(body);
}

/// Writes what is known of an unknown value of type `ty`; the number of entries written.
fn write_refinements(body: &mut Vec<u8>, ty: &Type, refinements: &Refinements) -> u32 {
    let mut entries = 0;
    let mut entry = |body: &mut Vec<u8>, key: i64| {
        entries += 1;
        write::write_sint(body, key).expect(INFALLIBLE);
    };
    if refinements.not_null {
        entry(body, key::IS_NULL);
        write::write_bool(body, false).expect(INFALLIBLE);
    }
    if let (Some(prefix), Type::String) = (&refinements.prefix, ty) {
        entry(body, key::PREFIX);
        write::write_str(body, cut_prefix(prefix)).expect(INFALLIBLE);
    }
    if *ty == Type::Number {
        for (key, bound) in [(key::MIN, &refinements.min), (key::MAX, &refinements.max)] {
            if let Some((number, inclusive)) =
                bound.as_ref().filter(|(number, _)| !number.is_infinite())
            {
                entry(body, key);
                write::write_array_len(body, 2).expect(INFALLIBLE);
                write_number(body, number);
                write::write_bool(body, *inclusive).expect(INFALLIBLE);
            }
        }
    }
    if ty.is_collection() {
        for (key, bound) in [
            (key::MIN_LENGTH, refinements.min_length),
            (key::MAX_LENGTH, refinements.max_length),
        ] {
            let said = |length: &u64| key == key::MAX_LENGTH || *length > 0;
            if let Some(length) = bound
                .filter(said)
                .and_then(|length| i64::try_from(length).ok())
            {
                entry(body, key);
                write::write_sint(body, length).expect(INFALLIBLE);
            }
        }
    }
    entries
}

/// A prefix short enough to send. Cut ones end before a character that could still combine with what follows.
fn cut_prefix(prefix: &str) -> &str {
    if prefix.len() <= LONGEST_PREFIX {
        return prefix;
    }
    let mut end = LONGEST_PREFIX - 1;
    while !prefix.is_char_boundary(end) {
        end -= 1;
    }
    let kept = &prefix[..end];
    kept.char_indices()
        .next_back()
        .map_or(kept, |(last, _)| &kept[..last])
}
