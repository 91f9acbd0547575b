//! Names that the provider makes up.

use std::sync::atomic::{AtomicU32, Ordering};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use terrace_provider_sdk::Object;

use crate::kind::Context;

/// How many letters what tells names apart has.
pub(crate) const SUFFIX: usize = 26;

/// What names begin with for which nobody configured anything.
const PREFIX: &str = "terraform-";

static COUNT: AtomicU32 = AtomicU32::new(0);

/// The name that is configured, or one that begins as configured and that nothing else has.
pub(crate) fn of(context: &Context, planned: &Object, name: &str, prefix: &str) -> String {
    let set = |name: &str| planned.text(name).filter(|text| !text.is_empty());
    match (set(name), set(prefix)) {
        (Some(name), _) => name.to_owned(),
        (None, prefix) => made_up(context.client.now(), prefix.unwrap_or(PREFIX)),
    }
}

/// A name that begins so, and that nothing else has.
pub(crate) fn beginning(context: &Context, prefix: &str) -> String {
    made_up(context.client.now(), prefix)
}

/// A name that nothing else has.
pub(crate) fn unique(context: &Context) -> String {
    made_up(context.client.now(), PREFIX)
}

fn made_up((seconds, nanos): (i64, u32), prefix: &str) -> String {
    let time = DateTime::from_secs(seconds)
        .fmt(Format::DateTime)
        .unwrap_or_default();
    let digits: String = time.chars().filter(char::is_ascii_digit).collect();
    let count = COUNT.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    format!("{prefix}{digits}{:04}{count:08x}", nanos / 100_000)
}

/// What a name that was made up begins with; nothing where somebody chose it.
pub(crate) fn prefix_of(name: &str) -> String {
    let Some(start) = name.len().checked_sub(SUFFIX) else {
        return String::new();
    };
    match name.get(start..) {
        Some(suffix) if suffix.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            name[..start].to_owned()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_made_up_tells_what_it_begins_with() {
        let name = made_up((1_700_000_000, 123_456_789), "app-");
        assert!(name.starts_with("app-202311142213201234"), "{name}");
        assert_eq!(name.len(), 4 + SUFFIX);
        assert_eq!(prefix_of(&name), "app-");
        assert_ne!(made_up((1_700_000_000, 123_456_789), "app-"), name);
        assert_eq!(prefix_of("app"), "");
        assert_eq!(prefix_of("an-application-that-somebody-named"), "");
    }
}
