//! KMS: keys and their aliases.

mod alias;
mod key;
mod lost;
mod read;

use crate::Builder;
use crate::kind::{Looked, Managed};

/// What KMS says of a key or an alias that is not there.
const GONE: [&str; 1] = ["NotFoundException"];

/// Adds its types.
pub(crate) fn register(builder: Builder) -> Builder {
    builder
        .resource(Managed::<key::Key>::default())
        .resource(Managed::<alias::Alias>::default())
        .data_source(Looked::<read::KeyData>::default())
        .data_source(Looked::<read::AliasData>::default())
}
