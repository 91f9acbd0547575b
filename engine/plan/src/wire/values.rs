//! Values, types and paths on the wire.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use terrace_value::{Marks, Path, PathStep, Type, Value};

/// Bytes as base64 text.
#[derive(Clone)]
pub(super) struct Base64(pub(super) Arc<[u8]>);

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
        STANDARD
            .decode(text.as_bytes())
            .map(|bytes| Self(bytes.into()))
            .map_err(serde::de::Error::custom)
    }
}

/// Each type once, in the order of first use.
#[derive(Default)]
pub(super) struct TypeTable {
    types: Vec<Type>,
    index: BTreeMap<Type, u32>,
}

impl TypeTable {
    fn intern(&mut self, ty: Type) -> u32 {
        if let Some(index) = self.index.get(&ty) {
            return *index;
        }
        let index = u32::try_from(self.types.len())
            .expect("a plan has fewer than four thousand million types");
        self.types.push(ty.clone());
        self.index.insert(ty, index);
        index
    }

    fn get(&self, index: u32) -> Result<&Type, String> {
        self.types
            .get(index as usize)
            .ok_or_else(|| "a value names a type that is not there".to_owned())
    }

    pub(super) fn into_wire(self) -> Vec<Box<RawValue>> {
        let raw = |ty: &Type| RawValue::from_string(terrace_value::json::encode_type(ty));
        self.types
            .iter()
            .map(|ty| raw(ty).expect("a type's encoding is JSON"))
            .collect()
    }

    pub(super) fn from_wire(wire: &[Box<RawValue>]) -> Result<Self, String> {
        let decode = |raw: &RawValue| {
            terrace_value::json::decode_type(raw.get()).map_err(|error| error.to_string())
        };
        Ok(Self {
            types: wire
                .iter()
                .map(|raw| decode(raw))
                .collect::<Result<_, _>>()?,
            index: BTreeMap::new(),
        })
    }
}

/// A value: its type in the table, its MessagePack form, and what is marked in it.
#[derive(Serialize, Deserialize)]
pub(super) struct ValueWire {
    t: u32,
    v: Base64,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    m: Vec<(PathWire, u8)>,
}

impl ValueWire {
    pub(super) fn encode(value: &Value, types: &mut TypeTable) -> Self {
        let (plain, marks) = value.unmark_deep_with_paths();
        let ty = plain.ty();
        let bytes = terrace_value::msgpack::encode(&plain, &ty).expect("a value fits its own type");
        Self {
            t: types.intern(ty),
            v: Base64(bytes.into()),
            m: marks
                .iter()
                .map(|(path, marks)| (PathWire::encode(path), marks_bits(*marks)))
                .collect(),
        }
    }

    pub(super) fn decode(&self, types: &TypeTable) -> Result<Value, String> {
        let plain = terrace_value::msgpack::decode(&self.v.0, types.get(self.t)?)
            .map_err(|error| error.to_string())?;
        let marks = self
            .m
            .iter()
            .map(|(path, bits)| Ok((path.decode()?, marks_of(*bits))));
        Ok(plain.mark_with_paths(&marks.collect::<Result<Vec<_>, String>>()?))
    }
}

fn marks_bits(marks: Marks) -> u8 {
    u8::from(marks.contains(Marks::SENSITIVE)) | u8::from(marks.contains(Marks::EPHEMERAL)) << 1
}

fn marks_of(bits: u8) -> Marks {
    let mut marks = Marks::NONE;
    if bits & 1 != 0 {
        marks |= Marks::SENSITIVE;
    }
    if bits & 2 != 0 {
        marks |= Marks::EPHEMERAL;
    }
    marks
}

/// A path, step by step.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct PathWire(Vec<StepWire>);

/// One of: an attribute, a key, an index, an element of a set. Not an untagged enum: those buffer what they read, which
/// neither numbers of any precision nor raw JSON survive.
#[derive(Clone, Default, Serialize, Deserialize)]
struct StepWire {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    attribute: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    element: Option<ElementWire>,
}

#[derive(Clone, Serialize, Deserialize)]
struct ElementWire {
    t: Box<RawValue>,
    v: Base64,
}

impl PathWire {
    pub(super) fn encode(path: &Path) -> Self {
        Self(path.0.iter().map(encode_step).collect())
    }

    pub(super) fn decode(&self) -> Result<Path, String> {
        self.0
            .iter()
            .map(decode_step)
            .collect::<Result<_, _>>()
            .map(Path)
    }
}

fn encode_step(step: &PathStep) -> StepWire {
    let key = match step {
        PathStep::Attribute(name) => {
            return StepWire {
                attribute: Some(name.to_string()),
                ..StepWire::default()
            };
        }
        PathStep::Index(key) => key,
    };
    if let Some(text) = key.as_str() {
        return StepWire {
            key: Some(text.to_owned()),
            ..StepWire::default()
        };
    }
    let index = key
        .as_number()
        .and_then(terrace_value::Number::to_usize)
        .and_then(|index| u64::try_from(index).ok());
    let element = index.is_none().then(|| {
        let plain = key.unmark_deep().0;
        let ty = plain.ty();
        let text = terrace_value::json::encode_type(&ty);
        let bytes = terrace_value::msgpack::encode(&plain, &ty).expect("a value fits its own type");
        ElementWire {
            t: RawValue::from_string(text).expect("a type's encoding is JSON"),
            v: Base64(bytes.into()),
        }
    });
    StepWire {
        index,
        element,
        ..StepWire::default()
    }
}

fn decode_step(step: &StepWire) -> Result<PathStep, String> {
    Ok(match step {
        StepWire {
            attribute: Some(name),
            key: None,
            index: None,
            element: None,
        } => PathStep::Attribute(name.as_str().into()),
        StepWire {
            attribute: None,
            key: Some(text),
            index: None,
            element: None,
        } => PathStep::Index(Value::string(text.as_str())),
        StepWire {
            attribute: None,
            key: None,
            index: Some(index),
            element: None,
        } => {
            let index = i64::try_from(*index).map_err(|_| "an index is too large".to_owned())?;
            PathStep::Index(Value::int(index))
        }
        StepWire {
            attribute: None,
            key: None,
            index: None,
            element: Some(element),
        } => {
            let ty = terrace_value::json::decode_type(element.t.get())
                .map_err(|error| error.to_string())?;
            let value = terrace_value::msgpack::decode(&element.v.0, &ty)
                .map_err(|error| error.to_string())?;
            PathStep::Index(value)
        }
        _ => return Err("a step of a path is not one of its kinds".to_owned()),
    })
}
