//! Conditions that are expected to fail.

use terrace_diag::{Diagnostic, Diagnostics, Severity};
use terrace_state::{CheckResult, CheckStatus};

use crate::suite::Expected;

/// What became of the conditions that are expected to fail.
#[derive(Debug)]
pub(super) struct Expectations<'a> {
    expected: &'a [Expected],
    /// Messages of the conditions that have failed as expected.
    messages: Vec<String>,
    met: Vec<bool>,
}

impl<'a> Expectations<'a> {
    pub(super) fn new(expected: &'a [Expected], results: &[CheckResult]) -> Self {
        let mut messages = Vec::new();
        let met = expected
            .iter()
            .map(|expected| {
                let found = failures(expected, results);
                let is_met = !found.is_empty();
                messages.extend(found);
                is_met
            })
            .collect();
        Self {
            expected,
            messages,
            met,
        }
    }

    /// Whether any of them has failed.
    pub(super) fn any(&self) -> bool {
        self.met.contains(&true)
    }

    /// Leaves out what was expected. What fails of a check block, which elsewhere is a warning, is an error in a test.
    pub(super) fn forgive(&self, diagnostics: Diagnostics) -> Diagnostics {
        let mut left = Diagnostics::new();
        for mut found in diagnostics {
            if found.id == "failed-check" {
                if self.is_expected(&found) {
                    continue;
                }
                found.severity = Severity::Error;
            }
            left.push(found);
        }
        left
    }

    fn is_expected(&self, found: &Diagnostic) -> bool {
        self.messages.iter().any(|message| {
            found
                .detail
                .strip_prefix(message.as_str())
                .is_some_and(|rest| {
                    rest.is_empty()
                        || rest.starts_with("\n\nThis was checked by the validation rule")
                })
        })
    }

    /// Complains about those that have not failed.
    pub(super) fn missing(&self) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        for (expected, met) in self.expected.iter().zip(&self.met) {
            if !met {
                let detail = format!(
                    "The checkable object, {}, was expected to report an error but did not.",
                    expected.address
                );
                diagnostics.push(
                    Diagnostic::error(
                        "missing-expected-failure",
                        "Missing expected failure",
                        detail,
                    )
                    .at(expected.span),
                );
            }
        }
        diagnostics
    }

    /// Says for each that has failed that nothing could be applied therefore.
    pub(super) fn too_early(&self) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        for (expected, _) in self.expected.iter().zip(&self.met).filter(|(_, met)| **met) {
            let detail = format!(
                "A custom condition within {} failed during the planning stage and prevented the requested apply operation. While this was an expected failure, the apply operation could not be executed and so the overall test case will be marked as a failure and the original diagnostic included in the test report.",
                expected.address
            );
            diagnostics.push(Diagnostic::warning(
                "expected-failure-while-planning",
                "Expected failure while planning",
                detail,
            ));
        }
        diagnostics
    }
}

/// Messages of the conditions of an object that do not hold.
fn failures(expected: &Expected, results: &[CheckResult]) -> Vec<String> {
    let mut messages = Vec::new();
    for result in results
        .iter()
        .filter(|result| &*result.kind == expected.kind)
    {
        for object in &result.objects {
            let is_meant =
                result.config_address == expected.address || object.address == expected.address;
            if is_meant && object.status == CheckStatus::Fail {
                messages.extend(object.failures.iter().cloned());
            }
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrace_diag::{SourceId, Span};
    use terrace_state::ObjectCheckResult;

    fn results() -> Vec<CheckResult> {
        vec![CheckResult {
            kind: "var".into(),
            config_address: "var.a".to_owned(),
            status: CheckStatus::Fail,
            objects: vec![ObjectCheckResult {
                address: "var.a".to_owned(),
                status: CheckStatus::Fail,
                failures: vec!["too long".to_owned()],
            }],
        }]
    }

    fn expected(kind: &'static str, address: &str) -> Expected {
        Expected {
            kind,
            address: address.to_owned(),
            span: Span::new(SourceId(0), 0, 1),
        }
    }

    #[test]
    fn what_is_expected_is_forgiven_and_nothing_else() {
        let expected = [expected("var", "var.a"), expected("check", "check.b")];
        let expectations = Expectations::new(&expected, &results());
        let failed = |detail: &str| Diagnostic::warning("failed-check", "x", detail);
        let mut diagnostics = Diagnostics::new();
        diagnostics.push(failed(
            "too long\n\nThis was checked by the validation rule at m:1.",
        ));
        diagnostics.push(failed("too longer"));
        let left = expectations.forgive(diagnostics);
        assert_eq!(left.len(), 1);
        assert!(left.has_errors());
        assert!(expectations.any());
        let missing = expectations.missing();
        assert_eq!(missing.len(), 1);
        assert!(missing.iter().all(|found| found.detail.contains("check.b")));
    }
}
