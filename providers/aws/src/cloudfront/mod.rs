//! CloudFront: distributions, and what they are made of.

mod access;
mod distribution;
mod function;
mod settings;
mod told;

use crate::Builder;
use crate::kind::Managed;

/// Adds its types.
pub(crate) fn register(builder: Builder) -> Builder {
    builder
        .resource(Managed::<access::OriginAccessControl>::default())
        .resource(Managed::<distribution::Distribution>::default())
        .resource(Managed::<function::Function>::default())
}
