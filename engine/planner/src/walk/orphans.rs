//! Objects of the state that are to go, or that no configuration stands behind.

use std::sync::Arc;

use futures::FutureExt;
use terrace_addr::{AbsProviderConfig, AbsResourceInstance, InstanceKey, ResourceMode};
use terrace_config::ForEachOrCount;
use terrace_diag::Diagnostic;
use terrace_eval::{ConfigNode, Scope, Unknowns, Values};
use terrace_graph::NodeId;
use terrace_plan::{ActionReason, PlanMode};
use terrace_schema::ResourceSchema;
use terrace_value::Value;

use super::named::is_known;
use super::{About, Context, Event, Orphan, Outcome, Task, Walk};
use crate::instance::{ManagedInput, Subject, Wish, plan_managed};
use crate::removed;

impl Walk<'_> {
    /// When destroying: queues all objects of a resource that is configured.
    pub(super) fn queue_destruction(&mut self, node: NodeId, context: &Arc<Context>) -> bool {
        let base = self.base.clone();
        let Some(stored) = base.resources.get(&context.abs) else {
            return true;
        };
        for (key, instance) in &stored.instances {
            let address = context.abs.instance(key.clone());
            if !self.included.instance(&address) {
                continue;
            }
            if let Some(object) = &instance.current {
                let scope = context.scope_of(key.as_ref());
                let Ok(prevent_destroy) = self.prevents_destroy(&context.config, &scope) else {
                    return false;
                };
                let orphan = Orphan {
                    node: Some(node),
                    address: address.clone(),
                    deposed: None,
                    object: object.clone(),
                    provider: provider_to_destroy(context, stored, key.as_ref()),
                    wish: self.wish(ActionReason::None, context.skips_destroy()),
                    prevent_destroy,
                };
                self.queue_task(Some(node), Task::Orphan(Box::new(orphan)));
            }
            let provider = provider_to_destroy(context, stored, key.as_ref());
            self.queue_deposed(Some(node), &address, &provider, instance);
        }
        true
    }

    /// Queues the objects of a configured resource that its expansion does not have, and the deposed ones.
    pub(super) fn queue_surplus(&mut self, node: NodeId, context: &Arc<Context>) -> bool {
        let base = self.base.clone();
        let Some(stored) = base.resources.get(&context.abs) else {
            return true;
        };
        for (key, instance) in &stored.instances {
            let address = context.abs.instance(key.clone());
            if !self.included.instance(&address) {
                continue;
            }
            if let (Some(object), false) =
                (&instance.current, context.expansion.contains(key.as_ref()))
            {
                let reason = surplus_reason(&context.config.repetition, key.as_ref());
                // What `each` and `count` stood for is gone with the instance.
                let scope = Scope::module(context.abs.module.clone());
                let Ok(prevent_destroy) = self.prevents_destroy(&context.config, &scope) else {
                    return false;
                };
                let orphan = Orphan {
                    node: Some(node),
                    address: address.clone(),
                    deposed: None,
                    object: object.clone(),
                    provider: stored.provider_of(key.as_ref()),
                    wish: self.wish(reason, context.skips_destroy()),
                    prevent_destroy,
                };
                self.queue_task(Some(node), Task::Orphan(Box::new(orphan)));
            }
            let provider = stored.provider_of(key.as_ref());
            self.queue_deposed(Some(node), &address, &provider, instance);
        }
        true
    }

    fn queue_deposed(
        &mut self,
        node: Option<NodeId>,
        address: &AbsResourceInstance,
        provider: &AbsProviderConfig,
        instance: &terrace_state::InstanceState,
    ) {
        for (key, object) in &instance.deposed {
            let orphan = Orphan {
                node,
                address: address.clone(),
                deposed: Some(key.clone()),
                object: object.clone(),
                provider: provider.clone(),
                wish: self.wish(ActionReason::None, false),
                prevent_destroy: None,
            };
            self.queue_task(node, Task::Orphan(Box::new(orphan)));
        }
    }

    /// Data that is no longer configured is dropped without a word.
    pub(super) fn forget_surplus_data(&mut self, context: &Context) {
        let Some(stored) = self.base.resources.get(&context.abs) else {
            return;
        };
        for key in stored
            .instances
            .keys()
            .filter(|key| !context.expansion.contains(key.as_ref()))
        {
            let address = context.abs.instance(key.clone());
            Arc::make_mut(&mut self.gathered.prior).set_object(
                &address,
                None,
                &stored.provider,
                None,
            );
        }
    }

    fn wish(&self, reason: ActionReason, forget: bool) -> Wish {
        match (self.mode(), forget) {
            (PlanMode::RefreshOnly, _) => Wish::Known([].into()),
            (PlanMode::Destroy, true) => Wish::Forgotten(ActionReason::None),
            (PlanMode::Destroy, false) => Wish::Gone(ActionReason::None),
            (PlanMode::Normal, true) => Wish::Forgotten(reason),
            (PlanMode::Normal, false) => Wish::Gone(reason),
        }
    }

    /// Queues what is left in the state after all that is configured has been seen to.
    pub(super) fn queue_orphans(&mut self) {
        let base = self.base.clone();
        for (abs, stored) in &base.resources {
            let config_address = abs.config();
            if self.expanded.contains(abs) || self.skipped.contains(&config_address) {
                continue;
            }
            let declared = self
                .config
                .module(&config_address.module)
                .and_then(|node| node.module.resources.get(&config_address.resource).cloned());
            if declared.is_some() && !self.is_gone(abs) {
                continue;
            }
            for (key, instance) in &stored.instances {
                let address = abs.instance(key.clone());
                if !self.included.instance(&address) {
                    continue;
                }
                if abs.resource.mode != ResourceMode::Managed {
                    Arc::make_mut(&mut self.gathered.prior).set_object(
                        &address,
                        None,
                        &stored.provider,
                        None,
                    );
                    continue;
                }
                if let Some(object) = &instance.current {
                    let (reason, forget) = match &declared {
                        Some(block) => (
                            ActionReason::DeleteBecauseNoModule,
                            block.lifecycle.destroy == Some(false),
                        ),
                        None => {
                            let statement = removed::statement(&self.config, &config_address);
                            let moved = self.moved.previous.contains_key(&address);
                            let reason = if moved {
                                ActionReason::DeleteBecauseNoMoveTarget
                            } else {
                                ActionReason::DeleteBecauseNoResourceConfig
                            };
                            let forget = statement
                                .map_or(object.skip_destroy, |statement| !statement.destroy);
                            (reason, forget)
                        }
                    };
                    let prevented = declared
                        .as_ref()
                        .filter(|block| block.lifecycle.prevent_destroy);
                    let orphan = Orphan {
                        node: None,
                        address: address.clone(),
                        deposed: None,
                        object: object.clone(),
                        provider: stored.provider_of(key.as_ref()),
                        wish: self.wish(reason, forget),
                        prevent_destroy: prevented.map(|block| block.span),
                    };
                    self.queue_task(None, Task::Orphan(Box::new(orphan)));
                }
                let provider = stored.provider_of(key.as_ref());
                self.queue_deposed(None, &address, &provider, instance);
            }
        }
    }

    /// Whether the module instance that holds a declared resource is known not to exist any more.
    fn is_gone(&self, abs: &terrace_addr::AbsResource) -> bool {
        let steps = abs.module.steps();
        let mut module = terrace_addr::ModuleInstance::root();
        for step in steps {
            match self.table.call_expansion(&module, &step.name) {
                None => return false,
                Some(expansion) if !is_known(&expansion) => {
                    return self.mode() == PlanMode::Destroy;
                }
                Some(expansion) if !expansion.contains(step.key.as_ref()) => return true,
                Some(_) => module = module.child(step.name.clone(), step.key.clone()),
            }
        }
        false
    }

    /// The provider configuration that manages an object of the state: its own if it is still there, or one above it.
    fn provider_for_stored(&mut self, orphan: &Orphan) -> Option<AbsProviderConfig> {
        let stored = &orphan.provider;
        let mut candidate = stored.whole();
        loop {
            if self
                .graph
                .id(&ConfigNode::Provider(candidate.clone()))
                .is_some()
            {
                return self.instance_for_stored(orphan, &candidate);
            }
            match candidate.module.parent() {
                Some((parent, _)) if candidate.alias.is_none() => candidate.module = parent,
                None if candidate.alias.is_none() => return Some(candidate),
                _ => break,
            }
        }
        let address = &orphan.address;
        self.gathered.diagnostics.push(
            Diagnostic::error(
                "provider-configuration-missing",
                "Provider configuration not present",
                format!(
                    "To work with {address} its original provider configuration at {stored} is required, but it has been removed. This occurs when a provider configuration is removed while objects created by that provider still exist in the state. Re-add the provider configuration to destroy {address}, after which you can remove the provider configuration again."
                ),
            )
            .address(address),
        );
        None
    }

    /// The instance of a provider configuration that manages an object of the state, if it is still there.
    fn instance_for_stored(
        &mut self,
        orphan: &Orphan,
        config: &AbsProviderConfig,
    ) -> Option<AbsProviderConfig> {
        let expanded = self.evaluator.expand_provider(config, Unknowns::Refuse);
        if !self.take(expanded.diagnostics) {
            return None;
        }
        let key = &orphan.provider.key;
        if expanded.value?.contains(key.as_ref()) {
            return Some(config.instance(key.clone()));
        }
        let address = &orphan.address;
        let object = match &orphan.deposed {
            None => address.to_string(),
            Some(deposed) => format!("{address}'s deposed object {deposed}"),
        };
        let stored = &orphan.provider;
        let detail = if key.is_some() {
            format!(
                "To work with {object} its original provider instance at {stored} is required, but it has been removed. This occurs when an element is removed from the provider configuration's for_each collection while objects created by the associated provider instance still exist in the state. Re-add the for_each element to destroy {object}, after which you can remove the provider configuration again.\n\nThis is commonly caused by using the same for_each collection both for a resource (or its containing module) and its associated provider configuration. To successfully remove an instance of a resource it must be possible to remove the corresponding element from the resource's for_each collection while retaining the corresponding element in the provider's for_each collection."
            )
        } else {
            format!(
                "To work with {object} its original provider instance at {stored} is required, but it has been removed. This suggests that you've added for_each to this provider configuration while there are existing instances of {} that need to be destroyed by the original single-instance provider configuration.\n\nTo proceed, return to your previous single-instance configuration for {stored} and ensure that {object} has been destroyed or forgotten before using for_each with this provider.",
                address.resource
            )
        };
        self.gathered.diagnostics.push(
            Diagnostic::error(
                "provider-instance-missing",
                "Provider instance not present",
                detail,
            )
            .address(address),
        );
        None
    }

    fn schema_for_stored(&mut self, orphan: &Orphan) -> Option<Arc<ResourceSchema>> {
        let type_name = orphan.address.type_name();
        let found = self
            .evaluator
            .schemas()
            .get(&orphan.provider.provider)
            .and_then(|schema| schema.resources.get(type_name).cloned());
        if found.is_none() {
            let more_types = self.more_types(&orphan.provider.provider);
            self.gathered.diagnostics.push(
                Diagnostic::error(
                    "unknown-resource-type",
                    "Failed to decode resource from state",
                    format!(
                        "The state holds {}, but the provider {} does not support resource type {:?}. Use a version of the provider that supports it, or remove the object from the state with \"terrace state rm\".",
                        orphan.address,
                        orphan.provider.provider.for_display(),
                        &**type_name
                    ),
                )
                .address(&orphan.address)
                .hint_if(more_types),
            );
        }
        found
    }

    pub(super) fn start_orphan(&mut self, orphan: Orphan) {
        let node = orphan.node;
        if self.launch_orphan(orphan).is_none() {
            if let Some(node) = node {
                self.settle(node, false);
            }
        }
    }

    fn launch_orphan(&mut self, orphan: Orphan) -> Option<()> {
        let config = self.provider_for_stored(&orphan)?;
        let schema = self.schema_for_stored(&orphan)?;
        let opening = self.pool.provider(&config, &*self.table);
        let refresh = self.request.options.refresh && !matches!(orphan.wish, Wish::Forgotten(_));
        let evaluator = Arc::clone(&self.evaluator);
        let observer = Arc::clone(&self.request.observer);
        let previous_address = self.moved.previous.get(&orphan.address).cloned();
        self.running.push(
            async move {
                let about = About::Orphan(
                    orphan.address.clone(),
                    orphan.deposed.clone(),
                    orphan.provider.clone(),
                );
                let outcome = match opening.await {
                    None => Outcome::NoProvider,
                    Some(provider) => {
                        let provider =
                            terrace_instances::for_instance(provider, &orphan.address, None);
                        let subject = Subject {
                            address: orphan.address,
                            previous_address,
                            deposed: orphan.deposed,
                            provider_config: config,
                            provider,
                            null: Value::null(schema.block.implied_type()),
                            schema,
                            block: None,
                            evaluator,
                            observer,
                        };
                        let input = ManagedInput {
                            subject,
                            stored: Some(orphan.object),
                            stored_provider: Some(orphan.provider.provider),
                            import: None,
                            refresh,
                            wish: orphan.wish,
                            prevent_destroy: orphan.prevent_destroy,
                        };
                        Outcome::Managed(Box::new(plan_managed(input).await))
                    }
                };
                Event {
                    node: orphan.node,
                    about,
                    outcome,
                }
            }
            .boxed(),
        );
        Some(())
    }
}

/// The provider configuration that destroys an object: as configured, and where that has instances, the one that made
/// the object.
fn provider_to_destroy(
    context: &Context,
    stored: &terrace_state::ResourceInState,
    key: Option<&InstanceKey>,
) -> AbsProviderConfig {
    if context.provider.key.is_some() {
        stored.provider_of(key)
    } else {
        context.provider.config.clone()
    }
}

/// Why an instance that the expansion does not have is to go.
fn surplus_reason(repetition: &ForEachOrCount, key: Option<&InstanceKey>) -> ActionReason {
    match (repetition, key) {
        (ForEachOrCount::Count(_), Some(InstanceKey::Int(_))) => {
            ActionReason::DeleteBecauseCountIndex
        }
        (ForEachOrCount::Enabled(_), None) => ActionReason::DeleteBecauseEnabledFalse,
        (ForEachOrCount::ForEach(_), Some(InstanceKey::String(_))) => {
            ActionReason::DeleteBecauseEachKey
        }
        _ => ActionReason::DeleteBecauseWrongRepetition,
    }
}
