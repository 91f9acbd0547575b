//! DynamoDB: tables.

mod indices;
mod plan;
mod read;
mod replicas;
mod settings;
mod source;
mod spec;
mod table;
mod told;

use crate::Builder;
use crate::kind::{Looked, Managed};

/// What DynamoDB says of a table that is not there.
const GONE: [&str; 2] = ["ResourceNotFoundException", "TableNotFoundException"];

/// What it says of a table that is being changed, and where too many others are.
const BUSY: [&str; 2] = ["ResourceInUseException", "LimitExceededException"];

/// Adds its types.
pub(crate) fn register(builder: Builder) -> Builder {
    builder
        .resource(Managed::<table::Table>::default())
        .data_source(Looked::<read::TableData>::default())
}
