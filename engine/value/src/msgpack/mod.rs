//! MessagePack codec of the plugin protocol, unknowns and refinements included.
//!
//! Where the type says `Dynamic`, a value is written as an array of its type's JSON and itself. An unknown value is an
//! extension: of type 0 and one byte if nothing is known of it, else of type 12 around a map of what is known.

mod decode;
mod encode;

use std::fmt;

use crate::Path;

pub use decode::decode;
pub use encode::encode;

/// Extension type of an unknown value of which something is known.
const REFINED_UNKNOWN: i8 = 12;

/// Keys of the map of what is known of an unknown value.
mod key {
    pub(super) const IS_NULL: i64 = 1;
    pub(super) const PREFIX: i64 = 2;
    pub(super) const MIN: i64 = 3;
    pub(super) const MAX: i64 = 4;
    pub(super) const MIN_LENGTH: i64 = 5;
    pub(super) const MAX_LENGTH: i64 = 6;
}

/// Why bytes are not the MessagePack of a value, or a value has none.
#[derive(Clone, Debug, PartialEq)]
pub struct MsgpackError {
    /// The part that does not fit.
    pub path: Path,
    /// What is wrong with it, in a few words.
    pub message: String,
}

impl fmt::Display for MsgpackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_root() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

impl std::error::Error for MsgpackError {}

#[cfg(test)]
mod tests;
