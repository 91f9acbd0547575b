//! CloudWatch: alarms.

mod alarm;

use crate::Builder;
use crate::kind::Managed;

/// Adds its types.
pub(crate) fn register(builder: Builder) -> Builder {
    builder.resource(Managed::<alarm::MetricAlarm>::default())
}
