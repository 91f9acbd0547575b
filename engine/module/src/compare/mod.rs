//! What changed between two versions of a module.

mod moves;
mod outputs;
mod requirements;
mod resources;
mod variables;

use crate::{Changes, Interface};

/// What changed from `old` to `new`, for those who call the module and have states of it.
pub fn compare(old: &Interface, new: &Interface) -> Changes {
    let mut findings = variables::compare(old, new);
    findings.extend(outputs::compare(old, new));
    findings.extend(resources::compare(old, new));
    findings.extend(requirements::compare(old, new));
    Changes::of(findings)
}

/// A `moved` block that can be copied.
pub(crate) fn moved_block(from: &str, to: &str) -> String {
    format!("  moved {{\n    from = {from}\n    to   = {to}\n  }}")
}

/// Names in a sentence: `a`, `b` and `c`, in quotes.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("{name:?}")).collect();
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}
