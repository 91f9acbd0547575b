//! S3: buckets, their parts, and objects.

mod access;
mod acl;
mod bucket;
mod cors;
mod encryption;
mod legacy;
mod lifecycle;
mod logging;
mod notification;
mod object;
mod place;
mod policy;
mod read;
mod setting;
mod versioning;
mod website;

use setting::Of;

use crate::Builder;
use crate::kind::{Looked, Managed};

/// Adds its types.
pub(crate) fn register(builder: Builder) -> Builder {
    builder
        .resource(Managed::<bucket::Bucket>::default())
        .resource(setting::<versioning::Versioning>())
        .resource(setting::<encryption::Encryption>())
        .resource(setting::<policy::Policy>())
        .resource(setting::<access::PublicAccessBlock>())
        .resource(setting::<access::OwnershipControls>())
        .resource(setting::<website::Website>())
        .resource(setting::<lifecycle::Lifecycle>())
        .resource(Managed::<object::Object>::default())
        .resource(setting::<cors::Cors>())
        .resource(setting::<notification::Notification>())
        .resource(setting::<acl::Acl>())
        .resource(setting::<logging::Logging>())
        .data_source(Looked::<read::BucketData>::default())
        .data_source(Looked::<read::ObjectData>::default())
}

/// A part of a bucket as a resource type.
fn setting<S: setting::Setting>() -> Managed<Of<S>> {
    Managed::default()
}
