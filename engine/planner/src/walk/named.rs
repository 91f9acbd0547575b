//! Variables, locals, outputs, calls, checks.

use std::sync::Arc;

use terrace_addr::{AbsNamed, ModulePath, Name};
use terrace_diag::Diagnostics;
use terrace_eval::{CheckOutcome, Expansion, RuleKind, Scope, Unknowns};
use terrace_plan::{Action, OutputChange, PlanMode};
use terrace_state::OutputState;
use terrace_value::{Marks, Type, Value};

use super::Walk;
use crate::checks::within;

impl Walk<'_> {
    pub(super) fn variable(&mut self, module: &ModulePath, name: &Name) -> bool {
        let mut ok = true;
        for instance in self.table.modules(module) {
            let address = AbsNamed::new(instance, name.clone());
            let value = self.evaluator.variable(&address, &*self.table);
            if !self.take(value.diagnostics) {
                ok = false;
                continue;
            }
            if !self.judges_variables() {
                continue;
            }
            let judged = self.evaluator.validate_variable(&address, &*self.table);
            ok &= self.take(judged.diagnostics);
            if self.mode() == PlanMode::Destroy {
                continue;
            }
            if judged.value.contains(&CheckOutcome::Unknown) {
                let what = within(module, format!("var.{name}"));
                let reads = self.gathered.check_reads.entry(what).or_default();
                reads.extend(judged.dependencies);
            }
            if !judged.value.is_empty() {
                let what = format!("var.{name}");
                let displayed = displayed(&address.module, &what);
                self.gathered
                    .checks
                    .record("var", within(module, &what), displayed, judged.value);
            }
        }
        ok
    }

    /// Whether validations of variables are judged: a destruction comes of any values, but reading what is to go does not.
    fn judges_variables(&self) -> bool {
        self.mode() != PlanMode::Destroy
            || self.request.options.refresh && !self.request.state.resources.is_empty()
    }

    pub(super) fn local(&mut self, module: &ModulePath, name: &Name) -> bool {
        if self.mode() == PlanMode::Destroy {
            return true;
        }
        let mut ok = true;
        for instance in self.table.modules(module) {
            let value = self
                .evaluator
                .local(&AbsNamed::new(instance, name.clone()), &*self.table);
            ok &= self.take(value.diagnostics);
        }
        ok
    }

    pub(super) fn call(&mut self, module: &ModulePath, name: &Name) -> bool {
        let unknowns = if self.mode() == PlanMode::Destroy {
            Unknowns::Allow
        } else {
            Unknowns::Refuse
        };
        let mut ok = true;
        for instance in self.table.modules(module) {
            let expansion = self
                .evaluator
                .expand_call(&instance, name, unknowns, &*self.table);
            ok &= self.take(expansion.diagnostics);
            match expansion.value {
                Some(expansion) => self
                    .table
                    .set_call(AbsNamed::new(instance, name.clone()), expansion),
                None => ok = false,
            }
        }
        ok
    }

    pub(super) fn output(&mut self, module: &ModulePath, name: &Name) -> bool {
        let config = self.config.clone();
        let Some(output) = config
            .module(module)
            .and_then(|node| node.module.outputs.get(name))
        else {
            return true;
        };
        if self.mode() == PlanMode::Destroy {
            if module.is_root() && !output.preconditions.is_empty() {
                let what = format!("output.{name}");
                let checks = &mut self.gathered.checks;
                checks.record("output", what.clone(), what, [CheckOutcome::Unknown]);
            }
            return true;
        }
        let mut ok = true;
        for instance in self.table.modules(module) {
            let address = AbsNamed::new(instance, name.clone());
            let mut outcomes = Vec::new();
            let mut problems = Diagnostics::new();
            for rule in &output.preconditions {
                let scope = Scope::module(address.module.clone());
                let judged = self.evaluator.check_rule(
                    rule,
                    &RuleKind::OutputPrecondition,
                    &scope,
                    &*self.table,
                );
                problems.append(judged.diagnostics);
                if judged.value == CheckOutcome::Unknown {
                    let reads = self
                        .gathered
                        .check_reads
                        .entry(within(module, format!("output.{name}")))
                        .or_default();
                    reads.extend(judged.dependencies);
                }
                outcomes.push(judged.value);
            }
            let holds = self.take(problems);
            if !output.preconditions.is_empty() {
                let what = format!("output.{name}");
                let shown = displayed(&address.module, &what);
                self.gathered
                    .checks
                    .record("output", within(module, &what), shown, outcomes);
            }
            if !holds {
                ok = false;
                continue;
            }
            let value = self.evaluator.output(&address, &*self.table);
            if !self.take(value.diagnostics) {
                ok = false;
                continue;
            }
            if module.is_root() {
                self.root_output(name, value.value, output.sensitive, output.ephemeral);
            }
        }
        ok
    }

    fn root_output(&mut self, name: &Name, value: Value, sensitive: bool, ephemeral: bool) {
        let stored = self.request.state.outputs.get(name);
        let was_sensitive = stored.is_some_and(|stored| stored.sensitive);
        let before = stored.map_or(Value::NULL, |stored| stored.value.clone());
        let after = if ephemeral {
            Value::null(value.ty())
        } else {
            value
        };
        let plain = after.unmark_deep().0;
        let action = match stored {
            None if plain.is_null() => Action::NoOp,
            None => Action::Create,
            Some(stored)
                if plain.is_wholly_known()
                    && plain == stored.value
                    && sensitive == stored.sensitive =>
            {
                Action::NoOp
            }
            Some(_) => Action::Update,
        };
        let mark =
            |value: Value, sensitive: bool| if sensitive { value.sensitive() } else { value };
        let change = OutputChange {
            action,
            before: mark(before, was_sensitive),
            after: mark(after, sensitive),
            sensitive: sensitive || was_sensitive,
        };
        if plain.is_null() {
            if self.gathered.prior.outputs.contains_key(name) {
                Arc::make_mut(&mut self.gathered.prior).outputs.remove(name);
            }
        } else if plain.is_wholly_known() {
            let output = OutputState {
                value: plain,
                sensitive,
            };
            if self.gathered.prior.outputs.get(name) != Some(&output) {
                Arc::make_mut(&mut self.gathered.prior)
                    .outputs
                    .insert(name.clone(), output);
            }
        }
        self.gathered.outputs.insert(name.clone(), change);
    }

    /// Outputs of the state that are no longer declared, or all of them when destroying.
    pub(crate) fn remove_outputs(&mut self) {
        let state = self.request.state.clone();
        for (name, stored) in &state.outputs {
            let declared = self.config.root.module.outputs.contains_key(name);
            if declared && self.mode() != PlanMode::Destroy {
                continue;
            }
            if self.included.is_partial() {
                continue;
            }
            let marks = if stored.sensitive {
                Marks::SENSITIVE
            } else {
                Marks::NONE
            };
            let change = OutputChange {
                action: Action::Delete,
                before: stored.value.clone().with_marks(marks),
                after: Value::null(Type::Dynamic),
                sensitive: stored.sensitive,
            };
            self.gathered.outputs.insert(name.clone(), change);
        }
    }

    pub(super) fn check(&mut self, module: &ModulePath, name: &Name) -> bool {
        if self.mode() == PlanMode::Destroy {
            return true;
        }
        let config = self.config.clone();
        let Some(check) = config
            .module(module)
            .and_then(|node| node.module.checks.get(name))
        else {
            return true;
        };
        let what = format!("check.{name}");
        for instance in self.table.modules(module) {
            let scope = Scope::module(instance.clone());
            let failures = self
                .failed_checks
                .remove(&AbsNamed::new(instance.clone(), name.clone()));
            let asserts = if failures.is_some() {
                &[][..]
            } else {
                &check.asserts[..]
            };
            let mut outcomes: Vec<CheckOutcome> = failures
                .into_iter()
                .flatten()
                .map(CheckOutcome::Fail)
                .collect();
            for rule in asserts {
                let judged = self.evaluator.check_rule(
                    rule,
                    &RuleKind::CheckAssertion,
                    &scope,
                    &*self.table,
                );
                self.gathered.diagnostics.append(judged.diagnostics);
                self.gathered
                    .check_reads
                    .entry(within(module, &what))
                    .or_default()
                    .extend(judged.dependencies);
                outcomes.push(judged.value);
            }
            self.gathered.checks.record(
                "check",
                within(module, &what),
                displayed(&instance, &what),
                outcomes,
            );
        }
        true
    }
}

/// `what` in a module instance, as displayed.
pub(crate) fn displayed(module: &terrace_addr::ModuleInstance, what: &str) -> String {
    if module.is_root() {
        what.to_owned()
    } else {
        format!("{module}.{what}")
    }
}

/// Whether an expansion says how many instances there are.
pub(super) fn is_known(expansion: &Expansion) -> bool {
    *expansion != Expansion::Unknown
}
