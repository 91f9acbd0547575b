//! SQS: queues, and their policies as objects of their own.

mod attributes;
mod policies;
mod queue;
mod read;

use crate::Builder;
use crate::kind::{Looked, Managed};

/// Adds its types.
pub(crate) fn register(builder: Builder) -> Builder {
    builder
        .resource(Managed::<queue::Queue>::default())
        .resource(Managed::<policies::QueuePolicy>::default())
        .resource(Managed::<policies::RedrivePolicy>::default())
        .resource(Managed::<policies::RedriveAllowPolicy>::default())
        .data_source(Looked::<read::QueueData>::default())
}
