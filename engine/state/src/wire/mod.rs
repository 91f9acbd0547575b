//! Stored forms: the v4 state file and the frames of the journal. Nothing here is public but reading and writing.

pub(crate) mod frames;
pub(crate) mod history;
mod intern;
mod object;
mod text;
mod v4;

pub(crate) use object::text_attribute;

pub use text::compact;
pub(crate) use v4::version_of;
pub use v4::{read, write};

/// The version of the reference whose state format is written.
pub const TERRAFORM_VERSION: &str = "1.11.4";
