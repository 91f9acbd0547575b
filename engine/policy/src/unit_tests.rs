//! Unit tests of policies: rules named `test_…`, as `opa test` runs them.

use serde_json::Value;

use crate::Policies;
use crate::judge::evaluate;
use crate::names::reference;

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestResult {
    /// It is true.
    Passed,
    /// It is false or undefined.
    Failed,
    /// It is named `todo_test_…`.
    Skipped,
    /// It cannot be evaluated.
    Error(String),
}

/// A test and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestOutcome {
    /// `data.package.test_name`.
    pub name: String,
    /// How it ended.
    pub result: TestResult,
    /// What it printed.
    pub prints: Vec<String>,
}

impl Policies {
    /// Runs the tests whose names hold `filter`, each on its own, in the order of their names.
    pub fn run_tests(&self, filter: &str) -> Vec<TestOutcome> {
        let tests = self.packages.iter().flat_map(|(package, found)| {
            found
                .tests
                .iter()
                .map(move |test| (reference(package, test), test))
        });
        tests
            .filter(|(name, _)| name.contains(filter))
            .map(|(name, test)| self.run_test(name, test))
            .collect()
    }

    fn run_test(&self, name: String, test: &str) -> TestOutcome {
        if test.starts_with("todo_test_") {
            return TestOutcome {
                name,
                result: TestResult::Skipped,
                prints: Vec::new(),
            };
        }
        let mut engine = self.engine.clone();
        let result = match evaluate(&mut engine, name.clone(), self.is_strict) {
            Ok(Some(value)) if holds(&value) => TestResult::Passed,
            Ok(_) => TestResult::Failed,
            Err(error) => TestResult::Error(error),
        };
        TestOutcome {
            name,
            result,
            prints: engine.take_prints().unwrap_or_default(),
        }
    }
}

/// `true`, or an object of cases that all hold.
fn holds(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::Object(cases) => !cases.is_empty() && cases.values().all(holds),
        _ => false,
    }
}
