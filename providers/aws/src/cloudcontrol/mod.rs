//! Cloud Control: what this provider has no type for, as far as AWS manages it by its own schemas.

mod patch;
mod resource;

use crate::Builder;
use crate::kind::{Looked, Managed};

/// Adds its types.
pub(crate) fn register(builder: Builder) -> Builder {
    builder
        .resource(Managed::<resource::Resource>::default())
        .data_source(Looked::<resource::ResourceData>::default())
}
