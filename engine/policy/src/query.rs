//! Any query over policies, data and a document.

use std::collections::BTreeMap;

use serde_json::Value;
use terrace_diag::Diagnostic;

use crate::{Policies, builtins, input, rewrite};

/// One way in which a query holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The query's expressions in their order.
    pub values: Vec<Value>,
    /// The variables that it binds.
    pub bindings: BTreeMap<String, Value>,
}

impl Policies {
    /// Makes a function that gets what it is not made for an error. Otherwise its result is undefined, as for OPA, and a rule
    /// that hangs on it finds nothing.
    #[must_use]
    pub fn with_strict_functions(mut self) -> Self {
        self.engine.set_strict_builtin_errors(true);
        self.is_strict = true;
        self
    }

    /// Evaluates a query such as `data.main.deny` or `input.resource_changes[_].type`: all the ways in which it holds. Without a
    /// document, `input` is undefined.
    pub fn query(&self, document: Option<&Value>, query: &str) -> Result<Vec<Answer>, Diagnostic> {
        let mut engine = self.engine.clone();
        if let Some(document) = document {
            engine.set_input(input::to_rego(document));
        }
        let failed = |error: &dyn std::fmt::Display| {
            self.problem("policy-failed", "Policy cannot be evaluated", &error)
        };
        let query = rewrite::query(query, &self.roots, &builtins::arity);
        let results = builtins::with_strictness(self.is_strict, || engine.eval_query(query, false))
            .map_err(|error| failed(&error))?;
        results
            .result
            .into_iter()
            .map(|result| {
                let values = result
                    .expressions
                    .iter()
                    .map(|expression| input::from_rego(&expression.value));
                let bindings =
                    match input::from_rego(&result.bindings).map_err(|error| failed(&error))? {
                        Value::Object(members) => members.into_iter().collect(),
                        _ => BTreeMap::new(),
                    };
                Ok(Answer {
                    values: values
                        .collect::<Result<_, _>>()
                        .map_err(|error| failed(&error))?,
                    bindings,
                })
            })
            .collect()
    }
}
