//! Types and values: unknown with refinements, null, marks, paths, conversion and unification; JSON and
//! MessagePack codecs.
//!
//! A [`Value`] is immutable and cheap to clone. Marks and unknowns may sit at any depth; operations carry
//! them on. A value that is marked sensitive never prints its content through `Debug`.

#[cfg(test)]
mod arbitrary;
pub mod convert;
pub mod json;
pub mod literal;
mod marks;
pub mod msgpack;
mod number;
pub mod ops;
mod path;
mod refine;
mod types;
mod value;

pub use marks::Marks;
pub use number::{DOUBLE_PRECISION, INTEGER_PRECISION, LITERAL_PRECISION, NotANumber, Number};
pub use path::{Path, PathStep};
pub use refine::Refinements;
pub use types::{ObjectType, Type};
pub use value::{Kind, Value};

/// A shared string, in Unicode normal form C wherever it is part of a value.
pub type Text = std::sync::Arc<str>;
