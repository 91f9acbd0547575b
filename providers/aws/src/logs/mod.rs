//! CloudWatch Logs: groups of streams.

mod group;
mod read;

use crate::Builder;
use crate::kind::{Looked, Managed};

/// Adds its types.
pub(crate) fn register(builder: Builder) -> Builder {
    builder
        .resource(Managed::<group::Group>::default())
        .data_source(Looked::<read::GroupData>::default())
}
