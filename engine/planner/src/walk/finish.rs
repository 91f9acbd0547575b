//! What finished calls have brought.

use std::sync::Arc;

use terrace_addr::{AbsNamed, AbsProviderConfig, AbsResourceInstance, DeposedKey, InstanceKey};
use terrace_diag::Diagnostics;
use terrace_eval::{CheckOutcome, RuleKind, Scope};
use terrace_plan::{Action, ActionReason, PlanMode, ResourceChange};
use terrace_state::{Object, ObjectStatus};
use terrace_value::{Type, Value};

use super::{About, Context, Event, Outcome, Walk};
use crate::instance::data::DataOutcome;
use crate::instance::{ManagedOutcome, prior};
use crate::reasons;

impl Walk<'_> {
    /// Takes over what a finished call has brought, and lets go on what waited for it.
    pub(super) fn finish(&mut self, event: Event) {
        if let (Some(node), Outcome::Managed(outcome)) = (event.node, &event.outcome)
            && let Some(change) = &outcome.change
            && change.action != Action::NoOp
        {
            self.changing.insert(node);
        }
        let ok = match (event.outcome, event.about) {
            (Outcome::NoProvider, _) => false,
            (Outcome::Managed(outcome), About::Configured(context, key)) => {
                self.finish_managed(&context, key.as_ref(), *outcome)
            }
            (Outcome::Managed(outcome), About::Orphan(address, deposed, provider)) => {
                self.finish_orphan(&address, deposed.as_ref(), &provider, *outcome)
            }
            (Outcome::Data(outcome), About::Configured(context, key)) => {
                self.finish_data(&context, key.as_ref(), *outcome)
            }
            (Outcome::Ephemeral(outcome), About::Configured(context, key)) => {
                self.finish_ephemeral(&context, key.as_ref(), *outcome)
            }
            (Outcome::Data(_) | Outcome::Ephemeral(_), About::Orphan(..)) => true,
        };
        if let Some(node) = event.node {
            self.settle(node, ok);
        }
    }

    fn finish_managed(
        &mut self,
        context: &Context,
        key: Option<&InstanceKey>,
        mut outcome: ManagedOutcome,
    ) -> bool {
        let address = context.abs.instance(key.cloned());
        if !self.take(std::mem::take(&mut outcome.diagnostics)) {
            if let Some(prior) = &outcome.prior {
                let provider = self.provider_of(context, key);
                self.store(&address, None, &provider, Some(&prior.object));
            }
            if let Some(change) = outcome.change {
                self.gathered.changes.insert((address, None), change);
            }
            return false;
        }
        self.found(&address, None, &self.provider_of(context, key), &outcome);
        let value = match (&outcome.change, &outcome.prior) {
            (Some(change), _) => Some(change.after.clone()),
            (None, Some(prior)) => Some(prior.value.clone()),
            (None, None) => None,
        };
        if let Some(mut change) = outcome.change {
            if change.action != Action::NoOp {
                let drifted = outcome.stored.as_ref().is_some_and(|stored| {
                    Some(stored) != outcome.prior.as_ref().map(|prior| &prior.value)
                });
                change.reasons = reasons::of(self, context, key, &change, drifted);
            }
            self.gathered
                .changes
                .insert((address.clone(), None), change);
        }
        let Some(value) = value else {
            return true;
        };
        self.table.set_instance(&address, value.clone());
        self.postconditions(context, &address, key, value)
    }

    /// Judges postconditions; whether they hold or are not known yet.
    pub(super) fn postconditions(
        &mut self,
        context: &Context,
        address: &AbsResourceInstance,
        key: Option<&InstanceKey>,
        value: Value,
    ) -> bool {
        let rules = &context.config.lifecycle.postconditions;
        if rules.is_empty() || self.mode() == PlanMode::Destroy {
            return true;
        }
        let repetition = context.expansion.repetition(key);
        let mut scope = Scope::instance(address.module().clone(), repetition).with_self(value);
        scope.self_address = Some(address.clone());
        let mut problems = Diagnostics::new();
        let mut reads = std::collections::BTreeSet::new();
        let outcomes: Vec<_> = rules
            .iter()
            .map(|rule| {
                let kind = RuleKind::ResourcePostcondition;
                self.evaluator
                    .check_rule(rule, &kind, &scope, &*self.table)
                    .take(&mut reads, &mut problems)
            })
            .collect();
        if outcomes.contains(&CheckOutcome::Unknown) {
            let undecided = self.undecided.entry(address.clone()).or_default();
            undecided.extend(reads);
        }
        self.gathered.checks.record(
            "resource",
            address.resource.config().to_string(),
            address.to_string(),
            outcomes,
        );
        self.take(problems)
    }

    fn finish_orphan(
        &mut self,
        address: &AbsResourceInstance,
        deposed: Option<&DeposedKey>,
        provider: &AbsProviderConfig,
        mut outcome: ManagedOutcome,
    ) -> bool {
        if !self.take(std::mem::take(&mut outcome.diagnostics)) {
            if let Some(change) = outcome.change {
                let key = (address.clone(), deposed.cloned());
                self.gathered.changes.insert(key, change);
            }
            return false;
        }
        self.found(address, deposed, provider, &outcome);
        if let (None, Some(prior)) = (deposed, &outcome.prior) {
            self.table.set_instance(address, prior.value.clone());
        }
        if let Some(mut change) = outcome.change {
            change.reasons = reasons::of_removal(&change);
            self.gathered
                .changes
                .insert((address.clone(), deposed.cloned()), change);
        }
        true
    }

    /// Records how an object was found: in the prior state, and as drift where it is not as it was left.
    fn found(
        &mut self,
        address: &AbsResourceInstance,
        deposed: Option<&DeposedKey>,
        provider: &AbsProviderConfig,
        outcome: &ManagedOutcome,
    ) {
        self.store(
            address,
            deposed,
            provider,
            outcome.prior.as_ref().map(|prior| &prior.object),
        );
        let Some(stored) = &outcome.stored else {
            return;
        };
        let now = outcome.prior.as_ref().map(|prior| &prior.value);
        let previous_address = self.moved.previous.get(address).cloned();
        let action = match now {
            None => Action::Delete,
            // Where nothing else is planned, a move is all that there is to tell.
            Some(now) if now == stored => match (self.mode(), &previous_address) {
                (PlanMode::RefreshOnly, Some(_)) => Action::NoOp,
                _ => return,
            },
            Some(_) => Action::Update,
        };
        if action != Action::NoOp {
            self.gathered.drifted.insert(address.clone());
        }
        self.gathered.drift.push(ResourceChange {
            address: address.clone(),
            previous_address,
            deposed: deposed.cloned(),
            provider: provider.clone(),
            schema_version: outcome.schema_version,
            action,
            action_reason: ActionReason::None,
            before: stored.clone(),
            after: now.cloned().unwrap_or_else(|| Value::null(Type::Dynamic)),
            replace_paths: Vec::new(),
            private: [].into(),
            identity: None,
            importing: None,
            generated_config: None,
            create_before_destroy: false,
            dependencies: [].into(),
            reasons: Vec::new(),
        });
    }

    /// Puts an object into the prior state, unless it is there already. An object that is to be imported is not yet in it.
    fn store(
        &mut self,
        address: &AbsResourceInstance,
        deposed: Option<&DeposedKey>,
        provider: &AbsProviderConfig,
        object: Option<&Arc<Object>>,
    ) {
        let instance = self
            .base
            .resources
            .get(&address.resource)
            .and_then(|stored| stored.instances.get(&address.key));
        let present = instance.and_then(|instance| match deposed {
            None => instance.current.as_ref(),
            Some(key) => instance.deposed.get(key),
        });
        let same = match (present, object) {
            (Some(present), Some(object)) => Arc::ptr_eq(present, object),
            (None, None) => true,
            _ => false,
        };
        if !same {
            let provider = self
                .base
                .resources
                .get(&address.resource)
                .map(|stored| stored.provider_of(address.key.as_ref()))
                // An object that came from another provider is this one's now.
                .filter(|stored| stored.provider == provider.provider)
                .unwrap_or_else(|| provider.clone());
            Arc::make_mut(&mut self.gathered.prior).set_object(
                address,
                deposed,
                &provider,
                object.cloned(),
            );
        }
    }

    fn finish_data(
        &mut self,
        context: &Context,
        key: Option<&InstanceKey>,
        mut outcome: DataOutcome,
    ) -> bool {
        let address = context.abs.instance(key.cloned());
        if !self.take(std::mem::take(&mut outcome.diagnostics)) {
            return false;
        }
        if let Some(check) = &context.config.in_check {
            if !outcome.failures.is_empty() {
                let check = AbsNamed::new(address.module().clone(), check.clone());
                let failures = self.failed_checks.entry(check).or_default();
                failures.append(&mut outcome.failures);
            }
        }
        let provider = self.provider_of(context, key);
        if outcome.read {
            let base = Object {
                schema_version: context.schema.version,
                attributes: [].into(),
                sensitive_paths: Vec::new(),
                private: [].into(),
                // What a data resource depended on matters to nobody once it has been read.
                dependencies: [].into(),
                status: ObjectStatus::Ready,
                create_before_destroy: false,
                skip_destroy: false,
                identity: None,
            };
            let object = prior::encode(&context.schema, &outcome.value, base);
            Arc::make_mut(&mut self.gathered.prior).set_object(
                &address,
                None,
                &provider,
                Some(object),
            );
        } else if self.mode() == PlanMode::Normal {
            Arc::make_mut(&mut self.gathered.prior).set_object(&address, None, &provider, None);
        }
        if let Some(mut change) = outcome.change {
            change.dependencies = Arc::clone(&context.dependencies);
            self.gathered
                .changes
                .insert((address.clone(), None), change);
        }
        self.table.set_instance(&address, outcome.value.clone());
        self.postconditions(context, &address, key, outcome.value)
    }
}
