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
        let decode = |raw: &Box<RawValue>| {
            terrace_value::json::decode_type(raw.get()).map_err(|error| error.to_string())
        };
        Ok(Self {
            types: wire.iter().map(decode).collect::<Result<_, _>>()?,
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

/// A path: attributes as `{"a": name}`, keys as strings, indices as numbers, set elements as `{"s": value}`.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct PathWire(Vec<StepWire>);

#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum StepWire {
    Attribute { a: String },
    Element { s: ElementWire },
    Index(u64),
    Key(String),
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
    match step {
        PathStep::Attribute(name) => StepWire::Attribute {
            a: name.to_string(),
        },
        PathStep::Index(key) => match (
            key.as_str(),
            key.as_number().and_then(terrace_value::Number::to_usize),
        ) {
            (Some(text), _) => StepWire::Key(text.to_owned()),
            (None, Some(index)) => StepWire::Index(index as u64),
            (None, None) => {
                let ty = key.ty();
                let text = terrace_value::json::encode_type(&ty);
                let bytes = terrace_value::msgpack::encode(&key.unmark_deep().0, &ty)
                    .expect("a value fits its own type");
                let t = RawValue::from_string(text).expect("a type's encoding is JSON");
                StepWire::Element {
                    s: ElementWire {
                        t,
                        v: Base64(bytes.into()),
                    },
                }
            }
        },
    }
}

fn decode_step(step: &StepWire) -> Result<PathStep, String> {
    Ok(match step {
        StepWire::Attribute { a } => PathStep::Attribute(a.as_str().into()),
        StepWire::Key(text) => PathStep::Index(Value::string(text.as_str())),
        StepWire::Index(index) => PathStep::Index(Value::int(
            i64::try_from(*index).map_err(|_| "an index is too large".to_owned())?,
        )),
        StepWire::Element { s } => {
            let ty =
                terrace_value::json::decode_type(s.t.get()).map_err(|error| error.to_string())?;
            let value =
                terrace_value::msgpack::decode(&s.v.0, &ty).map_err(|error| error.to_string())?;
            PathStep::Index(value)
        }
    })
}
