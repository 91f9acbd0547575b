//! `EventBridge`: rules and what they call.

mod rule;
mod target;
mod target_parts;

use std::time::Duration;

use terrace_provider_sdk::{Diagnostic, Outcome};

use crate::Builder;
use crate::kind::Managed;

/// What `EventBridge` says of something that is not there.
const GONE: [&str; 1] = ["ResourceNotFoundException"];

/// How long it may take until `EventBridge` knows a role that is new.
const PROPAGATION: Duration = Duration::from_mins(2);

/// The bus that every account has.
const DEFAULT_BUS: &str = "default";

/// Adds its types.
pub(crate) fn register(builder: Builder) -> Builder {
    builder
        .resource(Managed::<rule::Rule>::default())
        .resource(Managed::<target::Target>::default())
}

/// A bus and what is behind it, of an id whose parts are divided by slashes. Names of buses may have slashes of their own.
fn split<'i>(id: &'i str, form: &str) -> Outcome<(&'i str, &'i str)> {
    let (bus, name) = id.rsplit_once('/').unwrap_or((DEFAULT_BUS, id));
    if bus.is_empty() || name.is_empty() {
        return Err(Diagnostic::error(
            "Invalid id",
            format!("{id:?} has a part that is empty. It must be {form}; the bus may be left out where it is the default one."),
        )
        .into());
    }
    Ok((bus, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_may_name_a_bus() {
        assert_eq!(split("r", "bus/rule").unwrap(), ("default", "r"));
        assert_eq!(split("b/r", "bus/rule").unwrap(), ("b", "r"));
        let arn = "arn:aws:events:us-east-1:123456789012:event-bus/b";
        assert_eq!(split(&format!("{arn}/r"), "bus/rule").unwrap(), (arn, "r"));
        assert!(split("b/", "bus/rule").is_err());
        assert!(split("", "bus/rule").is_err());
    }
}
