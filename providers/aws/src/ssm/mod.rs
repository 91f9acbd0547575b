//! SSM: parameters, as resources, data and ephemerally.

mod parameter;
mod read;

use crate::Builder;
use crate::kind::{Looked, Managed};

/// Adds its types.
pub(crate) fn register(builder: Builder) -> Builder {
    builder
        .resource(Managed::<parameter::Parameter>::default())
        .data_source(Looked::<read::ParameterData>::default())
        .ephemeral(read::EphemeralParameter)
}
