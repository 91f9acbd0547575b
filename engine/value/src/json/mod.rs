//! JSON codec: values of a known type, as states and plans hold them, and types.
//!
//! Where the type says `Dynamic`, a value is written with its type: `{"value":...,"type":...}`. Numbers keep all their
//! digits. Characters that HTML gives a meaning are escaped, as the reference does.

mod decode;
mod encode;
mod reader;
mod surplus;
mod types;

use std::fmt;

use crate::Path;

pub use decode::{decode, decode_implied, implied_type};
pub use encode::{encode, encode_onto, quote_onto, simple_encode};
pub use surplus::without_surplus;
pub use types::{decode_type, encode_type};

/// Why a text is not the JSON of a value, or a value has none.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonError {
    /// The part that does not fit; the root for what is not JSON at all.
    pub path: Path,
    /// What is wrong with it, in a few words.
    pub message: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_root() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

impl std::error::Error for JsonError {}

#[cfg(test)]
mod tests;
