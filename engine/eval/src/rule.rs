//! Rules: `validation`, `precondition`, `postcondition`, `assert`.

use terrace_addr::{AbsNamed, Name};
use terrace_config::{CheckRule, Variable};
use terrace_diag::{Diagnostic, Diagnostics, Severity, Span};
use terrace_value::convert::convert;
use terrace_value::{Marks, Type, Value};

use crate::expression::Run;
use crate::memo::NamedKind;
use crate::{Evaluated, Evaluator, NoValues, Scope, Values};

/// Which construct a [`CheckRule`] belongs to; it makes the words of the diagnostics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// `validation` of a variable.
    Validation(Name),
    /// `precondition` of a resource.
    ResourcePrecondition,
    /// `postcondition` of a resource.
    ResourcePostcondition,
    /// `precondition` of an output.
    OutputPrecondition,
    /// `assert` of a check block: its failure is a warning.
    CheckAssertion,
    /// `assert` of a test's run.
    TestAssertion,
}

/// What became of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// The condition holds.
    Pass,
    /// It does not: the message.
    Fail(String),
    /// Not known yet.
    Unknown,
    /// It could not be evaluated: see the diagnostics.
    Error,
}

impl RuleKind {
    const fn words(&self) -> &'static str {
        match self {
            Self::Validation(_) => "Variable validation",
            Self::ResourcePrecondition => "Resource precondition",
            Self::ResourcePostcondition => "Resource postcondition",
            Self::OutputPrecondition => "Module output value precondition",
            Self::CheckAssertion => "Check block assertion",
            Self::TestAssertion => "Test assertion",
        }
    }

    pub(crate) const fn is_validation(&self) -> bool {
        matches!(self, Self::Validation(_))
    }

    /// Failures of checks are warnings, and so is what keeps them from being evaluated.
    const fn severity(&self) -> Severity {
        match self {
            Self::CheckAssertion => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

/// The message stands in for one that cannot be shown.
const INVALID_MESSAGE: &str = "This check failed, but has an invalid error message as described in the other accompanying messages.";

impl Evaluator {
    /// Judges one rule. A failed rule is among the diagnostics too: as a warning for [`RuleKind::CheckAssertion`], else as
    /// an error. What cannot be evaluated is an error always.
    pub fn check_rule(
        &self,
        rule: &CheckRule,
        kind: &RuleKind,
        scope: &Scope,
        values: &dyn Values,
    ) -> Evaluated<CheckOutcome> {
        self.judge(rule, kind, rule.condition.span, scope, values)
    }

    /// Judges the validation rules of a variable, each after the other.
    pub fn validate_variable(
        &self,
        address: &AbsNamed,
        values: &dyn Values,
    ) -> Evaluated<Vec<CheckOutcome>> {
        let mut judged = Evaluated::of(Vec::new());
        let Some(variable) = self
            .node(&address.module)
            .and_then(|node| node.module.variables.get(&address.name))
        else {
            return judged;
        };
        if variable.validations.is_empty() {
            return judged;
        }
        let evaluated = self.named(NamedKind::Variable, address, values);
        if evaluated.diagnostics.has_errors() {
            judged
                .value
                .resize(variable.validations.len(), CheckOutcome::Error);
            return judged;
        }
        let mut scope = Scope::module(address.module.clone());
        scope
            .inputs
            .insert(address.name.clone(), evaluated.value.clone());
        let subject = self.input_span(address).unwrap_or(variable.span);
        let kind = RuleKind::Validation(variable.name.clone());
        for rule in &variable.validations {
            let outcome = self.judge(rule, &kind, subject, &scope, values);
            let outcome = outcome.take(&mut judged.dependencies, &mut judged.diagnostics);
            judged.value.push(outcome);
        }
        judged
    }

    /// What the validation rules of a variable say of a value that it is given at `subject`, as far as that is known.
    pub(crate) fn validate_value(
        &self,
        address: &AbsNamed,
        variable: &Variable,
        value: Value,
        subject: Span,
    ) -> Diagnostics {
        let mut scope = Scope::module(address.module.clone());
        scope.inputs.insert(address.name.clone(), value);
        let kind = RuleKind::Validation(variable.name.clone());
        let mut diagnostics = Diagnostics::new();
        for rule in &variable.validations {
            let judged = self.judge(rule, &kind, subject, &scope, &NoValues);
            let found = judged.diagnostics.into_iter();
            diagnostics.extend(found.filter(|found| found.id == "failed-check"));
        }
        diagnostics
    }

    /// Where the call of a module gives a variable its value.
    fn input_span(&self, address: &AbsNamed) -> Option<Span> {
        let (parent, step) = address.module.parent()?;
        let call = self.node(&parent)?.module.calls.get(&step.name)?;
        Some(call.inputs.get(&address.name)?.span)
    }

    fn judge(
        &self,
        rule: &CheckRule,
        kind: &RuleKind,
        subject: Span,
        scope: &Scope,
        values: &dyn Values,
    ) -> Evaluated<CheckOutcome> {
        let mut run = Run::new(self, scope, values);
        let outcome = run.judge(rule, kind, subject);
        run.finish(outcome)
    }
}

impl Run<'_> {
    fn judge(&mut self, rule: &CheckRule, kind: &RuleKind, subject: Span) -> CheckOutcome {
        let before = self.errors();
        let condition = self.whole(&rule.condition);
        if self.errors() > before {
            return CheckOutcome::Error;
        }
        let (condition, _) = condition.unmark();
        if !condition.is_known() {
            return self.undecided(rule, kind);
        }
        let (summary, detail) = match kind {
            RuleKind::Validation(_) => (
                "Invalid variable validation result",
                "Validation condition expression must return either true or false, not null.",
            ),
            RuleKind::TestAssertion => (
                "Invalid condition run",
                "Condition expression must return either true or false, not null.",
            ),
            _ => (
                "Invalid condition result",
                "Condition expression must return either true or false, not null.",
            ),
        };
        if condition.is_null() {
            self.error_about(&rule.condition, None, || {
                Diagnostic::error("invalid-condition", summary, detail).at(rule.condition.span)
            });
            return CheckOutcome::Error;
        }
        let condition = match convert(&condition, &Type::Bool) {
            Ok(condition) => condition,
            Err(error) => {
                let words = match kind {
                    RuleKind::Validation(_) => "validation condition result",
                    RuleKind::TestAssertion => "condition run",
                    _ => "condition result",
                };
                self.error_about(&rule.condition, None, || {
                    Diagnostic::error(
                        "invalid-condition",
                        summary,
                        format!("Invalid {words} value: {error}."),
                    )
                    .at(rule.condition.span)
                });
                return CheckOutcome::Error;
            }
        };
        match condition.as_bool() {
            None => self.undecided(rule, kind),
            Some(true) => CheckOutcome::Pass,
            Some(false) => self.failed(rule, kind, subject),
        }
    }

    fn undecided(&mut self, rule: &CheckRule, kind: &RuleKind) -> CheckOutcome {
        match kind {
            RuleKind::CheckAssertion => self.check_unknown(rule),
            RuleKind::TestAssertion => self.test_unknown(rule),
            _ => {}
        }
        CheckOutcome::Unknown
    }

    fn check_unknown(&mut self, rule: &CheckRule) {
        let values = self.notes(&rule.condition, None);
        let mut diagnostic = Diagnostic::warning(
            "check-unknown",
            "Check block assertion known after apply",
            "The condition could not be evaluated at this time, a result will be known when this plan is applied.",
        )
        .at(rule.condition.span);
        diagnostic.values = values;
        self.append(diagnostic.into());
    }

    fn test_unknown(&mut self, rule: &CheckRule) {
        self.error_about(&rule.condition, None, || {
            Diagnostic::error(
                "unknown-test-condition",
                "Unknown condition value",
                "Condition expression could not be evaluated at this time. This means you have executed a `run` block with `command = plan` and one of the values your condition depended on is not known until after the plan has been applied. Either remove this value from your condition, or execute an `apply` command from this `run` block. Alternatively, if there is an override for this value, you can make it available during the plan phase by setting `override_during = plan` in the `override_` block.",
            )
            .at(rule.condition.span)
        });
    }

    fn failed(&mut self, rule: &CheckRule, kind: &RuleKind, subject: Span) -> CheckOutcome {
        let message = self.message(rule, kind);
        let place = self.evaluator.inputs.config.sources.place(rule.span);
        let (summary, detail) = if kind.is_validation() {
            let message = message
                .as_deref()
                .unwrap_or("Failed to evaluate condition error message.");
            (
                "Invalid value for variable".to_owned(),
                format!("{message}\n\nThis was checked by the validation rule at {place}."),
            )
        } else {
            (
                format!("{} failed", kind.words()),
                message.clone().unwrap_or_else(|| INVALID_MESSAGE.into()),
            )
        };
        let values = self.notes(&rule.condition, None);
        let mut diagnostic = Diagnostic::error("failed-check", summary, detail).at(subject);
        diagnostic.severity = kind.severity();
        diagnostic.values = values;
        self.append(diagnostic.into());
        CheckOutcome::Fail(message.unwrap_or_else(|| INVALID_MESSAGE.into()))
    }

    /// The failed rule's message, if it can be shown.
    fn message(&mut self, rule: &CheckRule, kind: &RuleKind) -> Option<String> {
        let expression = &rule.error_message;
        let before = self.errors();
        let value = self.whole(expression);
        if self.errors() > before {
            return None;
        }
        let value = match convert(&value, &Type::String) {
            Ok(value) => value,
            Err(error) => {
                let detail = format!("Unsuitable value for error message: {error}.");
                self.error_about(expression, None, || {
                    Diagnostic::error("invalid-error-message", "Invalid error message", detail)
                        .at(expression.span)
                });
                return None;
            }
        };
        let (value, marks) = value.unmark();
        let refused = if marks.contains(Marks::SENSITIVE) {
            Some((
                "sensitive",
                "using the nonsensitive() function if the expression will not reveal the sensitive data",
            ))
        } else if marks.contains(Marks::EPHEMERAL) {
            Some((
                "ephemeral",
                "using the ephemeralasnull() function if the expression will not reveal the ephemeral data",
            ))
        } else {
            None
        };
        if let Some((what, cure)) = refused {
            let mut diagnostic = Diagnostic::warning(
                "hidden-error-message",
                format!("Error message refers to {what} values"),
                format!("The error expression used to explain this condition refers to {what} values, so Terrace will not display the resulting message.\n\nYou can correct this by removing references to {what} values, or by carefully {cure}."),
            )
            .at(expression.span);
            if what == "ephemeral" {
                diagnostic.severity = kind.severity();
            }
            self.append(diagnostic.into());
            return None;
        }
        value.as_str().map(|text| text.trim().to_owned())
    }
}
