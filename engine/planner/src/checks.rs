//! Results of conditions.

use std::collections::BTreeMap;

use terrace_addr::ModulePath;
use terrace_config::Config;
use terrace_eval::CheckOutcome;
use terrace_state::{CheckResult, CheckStatus, ObjectCheckResult};

/// Results so far, by kind and address in the configuration.
#[derive(Default)]
pub(crate) struct Checks {
    results: BTreeMap<(&'static str, String), BTreeMap<String, ObjectCheckResult>>,
}

impl Checks {
    /// With everything in the configuration that has conditions, nothing of it decided.
    pub(crate) fn new(config: &Config) -> Self {
        let mut checks = Self::default();
        for node in config.root.walk() {
            let module = &node.module;
            for (resource, block) in &module.resources {
                if !block.lifecycle.preconditions.is_empty()
                    || !block.lifecycle.postconditions.is_empty()
                {
                    checks.expect("resource", within(&node.path, resource));
                }
            }
            for (name, output) in &module.outputs {
                if !output.preconditions.is_empty() {
                    checks.expect("output", within(&node.path, format!("output.{name}")));
                }
            }
            for name in module.checks.keys() {
                checks.expect("check", within(&node.path, format!("check.{name}")));
            }
            for (name, variable) in &module.variables {
                if !variable.validations.is_empty() {
                    checks.expect("var", within(&node.path, format!("var.{name}")));
                }
            }
        }
        checks
    }

    fn expect(&mut self, kind: &'static str, address: String) {
        self.results.entry((kind, address)).or_default();
    }

    /// Adds outcomes of an instance's conditions.
    pub(crate) fn record(
        &mut self,
        kind: &'static str,
        config_address: String,
        address: String,
        outcomes: impl IntoIterator<Item = CheckOutcome>,
    ) {
        let object = self
            .results
            .entry((kind, config_address))
            .or_default()
            .entry(address.clone())
            .or_insert_with(|| ObjectCheckResult {
                address,
                status: CheckStatus::Pass,
                failures: Vec::new(),
            });
        for outcome in outcomes {
            let status = match outcome {
                CheckOutcome::Pass => CheckStatus::Pass,
                CheckOutcome::Unknown => CheckStatus::Unknown,
                CheckOutcome::Error => CheckStatus::Error,
                CheckOutcome::Fail(message) => {
                    object.failures.push(message);
                    CheckStatus::Fail
                }
            };
            object.status = worse(object.status, status);
        }
    }

    /// All of them, in order. Where the plan looked at `everything`, what has no instances holds; else nothing is known
    /// of what was not looked at.
    pub(crate) fn into_results(self, everything: bool) -> Vec<CheckResult> {
        let of_none = if everything {
            CheckStatus::Pass
        } else {
            CheckStatus::Unknown
        };
        let results = self
            .results
            .into_iter()
            .map(|((kind, config_address), objects)| {
                let status = objects
                    .values()
                    .map(|object| object.status)
                    .reduce(worse)
                    .unwrap_or(of_none);
                CheckResult {
                    kind: kind.into(),
                    config_address,
                    status,
                    objects: objects.into_values().collect(),
                }
            });
        results.collect()
    }
}

/// Errors outweigh failures, failures what is not known, and that what holds.
fn worse(a: CheckStatus, b: CheckStatus) -> CheckStatus {
    let weight = |status| match status {
        CheckStatus::Pass => 0,
        CheckStatus::Unknown => 1,
        CheckStatus::Fail => 2,
        CheckStatus::Error => 3,
    };
    if weight(b) > weight(a) { b } else { a }
}

/// `what` in a module, as displayed.
pub(crate) fn within(module: &ModulePath, what: impl std::fmt::Display) -> String {
    if module.is_root() {
        what.to_string()
    } else {
        format!("{module}.{what}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_of_no_instances_hold_where_everything_was_looked_at() {
        let status = |everything| {
            let mut checks = Checks::default();
            checks.expect("resource", "a.b".to_owned());
            checks.into_results(everything)[0].status
        };
        assert_eq!(status(true), CheckStatus::Pass);
        assert_eq!(status(false), CheckStatus::Unknown);
    }
}
