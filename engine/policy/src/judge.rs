//! What policies say of a document.

use std::fmt;

use regorus::{Engine, Value as RegoValue};
use serde_json::{Map, Value};
use terrace_diag::{Diagnostic, Diagnostics};

use crate::names::{Judging, reference};
use crate::{Policies, builtins, input};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// `deny`: the document is refused.
    Deny,
    /// `violation`: as `deny`, with structured results.
    Violation,
    /// `warn`: somebody should know.
    Warn,
}

impl Severity {
    /// The name that rules begin with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Violation => "violation",
            Self::Warn => "warn",
        }
    }

    /// Whether a finding refuses the document.
    pub const fn refuses(self) -> bool {
        matches!(self, Self::Deny | Self::Violation)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One result of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// The package.
    pub namespace: String,
    /// The rule.
    pub rule: String,
    /// What the rule says.
    pub message: String,
    /// The other members of the result, where it is an object.
    pub metadata: Map<String, Value>,
}

impl Finding {
    /// The address of the object that it is about, where the rule names one: its member `address` or `resource`.
    pub fn address(&self) -> Option<&str> {
        ["address", "resource"]
            .into_iter()
            .find_map(|name| self.metadata.get(name)?.as_str())
    }

    fn order(&self) -> (&str, &str, Severity, &str) {
        (&self.namespace, &self.rule, self.severity, &self.message)
    }
}

/// What policies say of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What rules found, by package, rule and message.
    pub findings: Vec<Finding>,
    /// What rules found and an `exception` took back.
    pub excepted: Vec<Finding>,
    /// How many rules were asked.
    pub n_rules: usize,
    /// How many of them found nothing.
    pub n_passed: usize,
    /// What rules printed.
    pub prints: Vec<String>,
}

impl Verdict {
    /// Whether a rule refuses the document.
    pub fn refuses(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.severity.refuses())
    }
}

impl Policies {
    /// Judges `document`, which rules see as `input`, by the rules of `namespaces`, or of all packages where none is named.
    ///
    /// With errors nothing is known: a rule that cannot be evaluated might have refused the document.
    pub fn judge(&self, document: &Value, namespaces: &[String]) -> (Verdict, Diagnostics) {
        let mut diagnostics = Diagnostics::new();
        let mut verdict = Verdict::default();
        let mut engine = self.engine.clone();
        engine.set_input(input::to_rego(document));
        for missing in namespaces
            .iter()
            .filter(|name| !self.packages.contains_key(*name))
        {
            diagnostics.push(unknown_namespace(self, missing));
        }
        for (name, package) in &self.packages {
            if !namespaces.is_empty() && !namespaces.contains(name) {
                continue;
            }
            for rule in &package.judging {
                verdict.n_rules += 1;
                let query = reference(name, &rule.name);
                let result = evaluate(&mut engine, query, self.is_strict)
                    .map_err(|error| {
                        self.problem("policy-failed", "Policy cannot be evaluated", &error)
                    })
                    .and_then(|value| findings(name, rule, value.as_ref()));
                let found = match result {
                    Ok(found) => found,
                    Err(problem) => {
                        diagnostics.push(problem);
                        continue;
                    }
                };
                let is_excepted = package.has_exceptions
                    && rule.severity.refuses()
                    && self.is_excepted(&mut engine, name, rule, &mut diagnostics);
                match (found.is_empty(), is_excepted) {
                    (true, _) => verdict.n_passed += 1,
                    (false, true) => verdict.excepted.extend(found),
                    (false, false) => verdict.findings.extend(found),
                }
            }
        }
        verdict.findings.sort_by(|a, b| a.order().cmp(&b.order()));
        verdict.excepted.sort_by(|a, b| a.order().cmp(&b.order()));
        verdict.prints = engine.take_prints().unwrap_or_default();
        (verdict, diagnostics)
    }

    /// Whether an `exception` of the package names the rule.
    fn is_excepted(
        &self,
        engine: &mut Engine,
        name: &str,
        rule: &Judging,
        diagnostics: &mut Diagnostics,
    ) -> bool {
        match evaluate(engine, reference(name, "exception"), self.is_strict) {
            Ok(Some(Value::Array(sets))) => sets
                .iter()
                .filter_map(Value::as_array)
                .flatten()
                .any(|excepted| excepted.as_str() == Some(rule.excepted_as())),
            Ok(_) => false,
            Err(error) => {
                diagnostics.push(self.problem(
                    "policy-failed",
                    "Policy cannot be evaluated",
                    &error,
                ));
                false
            }
        }
    }
}

/// The value of a query, as JSON; `None` where it is undefined. Functions are strict or not.
pub(crate) fn evaluate(
    engine: &mut Engine,
    query: String,
    is_strict: bool,
) -> Result<Option<Value>, String> {
    let results = builtins::with_strictness(is_strict, || engine.eval_query(query, false))
        .map_err(|error| format!("{error:#}"))?;
    let value = results
        .result
        .into_iter()
        .next()
        .and_then(|result| result.expressions.into_iter().next())
        .map(|expression| expression.value)
        .filter(|value| *value != RegoValue::Undefined);
    value.as_ref().map(input::from_rego).transpose()
}

/// The findings in a rule's value: texts, or objects with a `msg`. A value that is no list is none, as for conftest.
fn findings(
    namespace: &str,
    rule: &Judging,
    value: Option<&Value>,
) -> Result<Vec<Finding>, Diagnostic> {
    let Some(Value::Array(results)) = value else {
        return Ok(Vec::new());
    };
    results
        .iter()
        .map(|result| {
            let (message, metadata) = match result {
                Value::String(message) => (message.clone(), Map::new()),
                Value::Object(members) => {
                    let mut metadata = members.clone();
                    match metadata.remove("msg") {
                        Some(Value::String(message)) => (message, metadata),
                        _ => return Err(without_message(namespace, rule, result)),
                    }
                }
                _ => return Err(without_message(namespace, rule, result)),
            };
            Ok(Finding {
                severity: rule.severity,
                namespace: namespace.to_owned(),
                rule: rule.name.clone(),
                message,
                metadata,
            })
        })
        .collect()
}

fn without_message(namespace: &str, rule: &Judging, result: &Value) -> Diagnostic {
    let detail = format!(
        "A result of rule {} in package {namespace} is {result}. A result is a text, or an object whose member msg is a text.",
        rule.name
    );
    Diagnostic::error(
        "policy-result",
        "Result of a policy without a message",
        detail,
    )
}

fn unknown_namespace(policies: &Policies, name: &str) -> Diagnostic {
    let known: Vec<&str> = policies.namespaces().collect();
    let detail = if known.is_empty() {
        format!("No policy is in package {name}, and no package has rules that judge.")
    } else {
        format!(
            "No policy is in package {name}. Packages with rules that judge: {}.",
            known.join(", ")
        )
    };
    Diagnostic::error("policy-namespace", "No such package of policies", detail)
}
