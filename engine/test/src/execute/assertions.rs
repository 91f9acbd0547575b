//! What must hold after a run.

use terrace_addr::ModuleInstance;
use terrace_config::{CheckRule, references};
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_eval::{CheckOutcome, Evaluator, RuleKind, Scope, Values};
use terrace_syntax::Traversal;
use terrace_value::Value;

use super::prepare::Prepared;
use super::{Execution, named};
use crate::verdict::{RunVerdict, Status};

impl Execution<'_> {
    /// Judges all assertions of a run, each whatever became of the others.
    pub(super) fn assertions(
        &self,
        prepared: &Prepared,
        evaluator: &Evaluator,
        values: &dyn Values,
        outputs: &Value,
        verdict: &mut RunVerdict,
    ) -> Status {
        let mut scope = Scope::module(ModuleInstance::root());
        scope
            .variables
            .insert("run".into(), prepared.outputs.clone());
        scope.variables.insert("output".into(), outputs.clone());
        scope.inputs = prepared.surplus.clone();
        let mut status = Status::Pass;
        for rule in &prepared.run.assertions {
            let problems = self.rule_problems(rule, outputs);
            if problems.has_errors() {
                verdict.diagnostics.append(problems);
                status = status.and(Status::Error);
                continue;
            }
            let judged = evaluator.check_rule(rule, &RuleKind::TestAssertion, &scope, values);
            verdict.diagnostics.append(judged.diagnostics);
            status = status.and(match judged.value {
                CheckOutcome::Pass => Status::Pass,
                CheckOutcome::Fail(_) => Status::Fail,
                CheckOutcome::Unknown | CheckOutcome::Error => Status::Error,
            });
        }
        status
    }

    /// Complains about runs and outputs that are not there.
    fn rule_problems(&self, rule: &CheckRule, outputs: &Value) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        for traversal in [&rule.condition, &rule.error_message]
            .into_iter()
            .flat_map(references)
        {
            diagnostics.extend(self.run_problem(traversal));
            diagnostics.extend(output_problem(traversal, outputs));
        }
        diagnostics
    }
}

fn output_problem(traversal: &Traversal, outputs: &Value) -> Option<Diagnostic> {
    let name = named(traversal, "output")?;
    if outputs.get(&name).is_some() {
        return None;
    }
    let span = traversal.steps.first().map_or(traversal.root.span, |step| {
        traversal.root.span.to(step.span())
    });
    let detail = format!(
        "An output value with the name {:?} has not been declared.",
        &*name
    );
    Some(
        Diagnostic::error(
            "undeclared-output",
            "Reference to undeclared output value",
            detail,
        )
        .at(span),
    )
}
