//! DynamoDB.

use crate::Builder;

/// Adds its types.
pub(crate) fn register(builder: Builder) -> Builder {
    builder
}
