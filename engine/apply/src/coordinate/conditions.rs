//! What is evaluated beside changes: conditions and outputs.

use std::sync::Arc;

use terrace_addr::{AbsNamed, AbsResourceInstance, ModuleInstance, ModulePath};
use terrace_config::ResourceConfig;
use terrace_diag::Diagnostics;
use terrace_eval::{RuleKind, Scope, Values as _};
use terrace_plan::{Action, ResourceChange};
use terrace_state::OutputState;

use super::Coordinator;
use crate::check::{Checked, config_address, judge, judge_check, within, within_instance};

impl Coordinator<'_> {
    /// Judges the preconditions of an instance.
    pub(super) fn preconditions(
        &mut self,
        address: &AbsResourceInstance,
        block: &ResourceConfig,
        scope: &Scope,
    ) -> Diagnostics {
        let rules = &block.lifecycle.preconditions;
        let (outcomes, diagnostics) = judge(
            rules,
            &RuleKind::ResourcePrecondition,
            scope,
            &self.evaluator,
            self.table,
        );
        self.checks.record(
            "resource",
            config_address(address),
            address.to_string(),
            &outcomes,
        );
        diagnostics
    }

    /// Judges the postconditions of an instance that has just been changed or read. Whether they hold.
    pub(super) fn postconditions(
        &mut self,
        change: &ResourceChange,
        value: &terrace_value::Value,
    ) -> bool {
        if matches!(change.action, Action::Delete | Action::Forget)
            || change.deposed.is_some()
            || value.is_null()
        {
            return true;
        }
        let Some(block) = self.block(&change.address) else {
            return true;
        };
        self.conditions(&change.address, &block, value)
    }

    /// Judges pre- and postconditions of an instance as it is. Whether they hold.
    pub(super) fn conditions(
        &mut self,
        address: &AbsResourceInstance,
        block: &Arc<ResourceConfig>,
        value: &terrace_value::Value,
    ) -> bool {
        let lifecycle = &block.lifecycle;
        if lifecycle.postconditions.is_empty() {
            return true;
        }
        let scope = self.scope(address);
        // Judged before the change already; now only for the record.
        let (mut outcomes, _) = judge(
            &lifecycle.preconditions,
            &RuleKind::ResourcePrecondition,
            &scope,
            &self.evaluator,
            self.table,
        );
        let mut scope = scope.with_self(value.clone());
        scope.self_address = Some(address.clone());
        let (after, diagnostics) = judge(
            &lifecycle.postconditions,
            &RuleKind::ResourcePostcondition,
            &scope,
            &self.evaluator,
            self.table,
        );
        outcomes.extend(after);
        self.checks.record(
            "resource",
            config_address(address),
            address.to_string(),
            &outcomes,
        );
        let holds = !diagnostics.has_errors();
        self.diagnostics.append(diagnostics);
        holds
    }

    fn modules(&self, path: &ModulePath) -> Vec<ModuleInstance> {
        self.evaluator
            .module_instances(path, self.table)
            .unwrap_or_default()
    }

    /// Judges what could not be decided while planning. Whether it holds.
    pub(super) fn judge_again(&mut self, address: &str) -> bool {
        match Checked::parse(address) {
            Some(Checked::Check(path, name)) => {
                for module in self.modules(&path) {
                    let named = AbsNamed::new(module.clone(), name.clone());
                    let Some((outcomes, diagnostics)) =
                        judge_check(&named, &self.evaluator, self.table)
                    else {
                        continue;
                    };
                    let shown = within_instance(&module, format!("check.{name}"));
                    self.checks.record(
                        "check",
                        within(&path, format!("check.{name}")),
                        shown,
                        &outcomes,
                    );
                    self.diagnostics.append(diagnostics);
                }
                true
            }
            Some(Checked::Output(path, name)) => {
                let modules = self.modules(&path);
                let mut holds = true;
                for module in modules {
                    holds &= self.output_conditions(&AbsNamed::new(module, name.clone()));
                }
                holds
            }
            Some(Checked::Variable(path, name)) => {
                let mut holds = true;
                for module in self.modules(&path) {
                    let named = AbsNamed::new(module.clone(), name.clone());
                    let evaluated = self.evaluator.validate_variable(&named, self.table);
                    let shown = within_instance(&module, format!("var.{name}"));
                    self.checks.record(
                        "var",
                        within(&path, format!("var.{name}")),
                        shown,
                        &evaluated.value,
                    );
                    holds &= !evaluated.diagnostics.has_errors();
                    self.diagnostics.append(evaluated.diagnostics);
                }
                holds
            }
            Some(Checked::Resource(path, resource)) => {
                let mut holds = true;
                for module in self.modules(&path) {
                    let resource = resource.in_module(module);
                    let keys = self
                        .table
                        .expansion(&resource)
                        .map(|expansion| expansion.keys())
                        .unwrap_or_default();
                    for key in keys {
                        holds &= self.judge_instance(&resource.instance(key));
                    }
                }
                holds
            }
            None => true,
        }
    }

    /// Judges the conditions of an instance that nothing happens to.
    fn judge_instance(&mut self, address: &AbsResourceInstance) -> bool {
        if self
            .plan
            .change(address)
            .is_some_and(|change| change.action != Action::NoOp)
        {
            return true;
        }
        let (Some(block), Some(value)) = (self.block(address), self.table.instance(address)) else {
            return true;
        };
        let scope = self.scope(address);
        let diagnostics = self.preconditions(address, &block, &scope);
        let holds = !diagnostics.has_errors();
        self.diagnostics.append(diagnostics);
        self.conditions(address, &block, &value) && holds
    }

    fn output_conditions(&mut self, address: &AbsNamed) -> bool {
        let output = self
            .evaluator
            .node(&address.module)
            .and_then(|node| node.module.outputs.get(&address.name));
        let Some(output) = output.filter(|output| !output.preconditions.is_empty()) else {
            return true;
        };
        let scope = Scope::module(address.module.clone());
        let (outcomes, diagnostics) = judge(
            &output.preconditions,
            &RuleKind::OutputPrecondition,
            &scope,
            &self.evaluator,
            self.table,
        );
        let shown = format!("output.{}", address.name);
        let config = within(&address.module.path(), &shown);
        self.checks.record(
            "output",
            config,
            within_instance(&address.module, &shown),
            &outcomes,
        );
        let holds = !diagnostics.has_errors();
        self.diagnostics.append(diagnostics);
        holds
    }

    /// Evaluates the root outputs. Whether all could be.
    pub(super) fn evaluate_outputs(&mut self) -> bool {
        let plan = self.plan;
        plan.outputs.iter().fold(true, |all, (name, change)| {
            if change.action == Action::Delete {
                self.state.outputs.remove(name);
                return all;
            }
            self.evaluate_output(&AbsNamed::new(ModuleInstance::root(), name.clone()), true) && all
        })
    }

    /// Evaluates those of the root outputs that errors elsewhere do not touch.
    pub(super) fn outputs_after_failure(&mut self) {
        let plan = self.plan;
        if !self.diagnostics.has_errors()
            || !plan
                .exec
                .ops
                .iter()
                .any(|op| op.kind == terrace_plan::OpKind::Outputs)
        {
            return;
        }
        self.table.only_applied();
        self.evaluator.invalidate();
        for (name, change) in &plan.outputs {
            if !matches!(change.action, Action::Delete | Action::NoOp) {
                self.evaluate_output(&AbsNamed::new(ModuleInstance::root(), name.clone()), false);
            }
        }
    }

    fn evaluate_output(&mut self, address: &AbsNamed, report: bool) -> bool {
        let block = self
            .evaluator
            .node(&address.module)
            .and_then(|node| node.module.outputs.get(&address.name));
        let Some((sensitive, ephemeral)) = block.map(|output| (output.sensitive, output.ephemeral))
        else {
            return true;
        };
        if report && !self.output_conditions(address) {
            return false;
        }
        let planned = self.plan.outputs.get(&address.name);
        let planned = planned.filter(|planned| {
            report && address.module.is_root() && planned.after.is_wholly_known()
        });
        let (value, failed) = match planned {
            // What was known is as it was approved.
            Some(planned) => (planned.after.clone(), false),
            None => {
                let evaluated = self.evaluator.output(address, self.table);
                let failed = evaluated.diagnostics.has_errors();
                if report {
                    self.diagnostics.append(evaluated.diagnostics);
                }
                (evaluated.value, failed)
            }
        };
        let (value, _) = value.unmark_deep();
        if failed || !value.is_wholly_known() {
            return !failed;
        }
        if value.is_null() || ephemeral {
            self.state.outputs.remove(&address.name);
        } else {
            self.state
                .outputs
                .insert(address.name.clone(), OutputState { value, sensitive });
        }
        true
    }
}
