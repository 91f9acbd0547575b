//! Resources that are configured.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::FutureExt;
use terrace_addr::{
    AbsProviderConfig, AbsResource, AbsResourceInstance, ConfigResource, InstanceKey,
    ModuleInstance, ProviderAddr, ResourceMode,
};
use terrace_config::ResourceConfig;
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_eval::{
    CheckOutcome, ConfigNode, Dependency, Evaluated, Expansion, RuleKind, Scope, Trigger, Unknowns,
};
use terrace_graph::NodeId;
use terrace_plan::{Action, PlanMode};
use terrace_schema::ResourceSchema;
use terrace_value::Value;

use super::{About, Context, Event, Outcome, Task, Walk};
use crate::instance::data::{DataInput, plan_data};
use crate::instance::{Desired, Import, ManagedInput, Subject, Wish, plan_managed};

/// An instance with its body evaluated.
pub(super) struct Prepared {
    pub(super) address: AbsResourceInstance,
    scope: Scope,
    pub(super) reads: BTreeSet<Dependency>,
    pub(super) value: Value,
}

impl Walk<'_> {
    /// Expands a resource in all module instances and queues its instances; whether that went well.
    pub(super) fn resource(&mut self, node: NodeId, resource: &ConfigResource) -> bool {
        let config = self.config.clone();
        let Some(block) = config
            .module(&resource.module)
            .and_then(|node| node.module.resources.get(&resource.resource))
        else {
            return true;
        };
        let Some(schema) = self.schema_of(block) else {
            return false;
        };
        let mut ok = true;
        for module in self.table.modules(&resource.module) {
            ok &= self.resource_in(node, &module, block, &schema);
        }
        ok
    }

    fn schema_of(&mut self, block: &ResourceConfig) -> Option<Arc<ResourceSchema>> {
        let resource = &block.resource;
        let found = self
            .evaluator
            .schemas()
            .get(&block.provider)
            .and_then(|schema| {
                let kinds = match resource.mode {
                    ResourceMode::Managed => &schema.resources,
                    ResourceMode::Data => &schema.data_sources,
                    ResourceMode::Ephemeral => &schema.ephemeral_resources,
                };
                kinds.get(&resource.type_name).cloned()
            });
        if found.is_none() {
            let more_types = self.more_types(&block.provider);
            let kind = match resource.mode {
                ResourceMode::Managed => "resource type",
                ResourceMode::Data => "data source",
                ResourceMode::Ephemeral => "ephemeral resource type",
            };
            self.gathered.diagnostics.push(
                Diagnostic::error(
                    "unknown-resource-type",
                    format!("Invalid {kind}"),
                    format!(
                        "The provider {} does not support {kind} {:?}.",
                        block.provider.for_display(),
                        &*resource.type_name
                    ),
                )
                .at(block.span)
                .hint_if(more_types),
            );
        }
        found
    }

    /// What to do about a type that the provider does not have, where another of its address has more.
    pub(super) fn more_types(&self, provider: &ProviderAddr) -> Option<String> {
        let schema = self.evaluator.schemas().get(provider)?;
        schema.more_types.as_ref().map(ToString::to_string)
    }

    fn resource_in(
        &mut self,
        node: NodeId,
        module: &ModuleInstance,
        block: &Arc<ResourceConfig>,
        schema: &Arc<ResourceSchema>,
    ) -> bool {
        let destroying = self.mode() == PlanMode::Destroy;
        let unknowns = if destroying {
            Unknowns::Allow
        } else {
            Unknowns::Refuse
        };
        let expanded = self
            .evaluator
            .expand_resource(module, block, unknowns, &*self.table);
        if !self.take(expanded.diagnostics) {
            return false;
        }
        let Some(expansion) = expanded.value else {
            return false;
        };
        let abs = block.resource.in_module(module.clone());
        self.table
            .set_expansion(&abs, self.expansion_to_read(&abs, &expansion));
        self.expanded.insert(abs.clone());
        if !self.imports_exist(&abs, &expansion) {
            return false;
        }
        let explicit = self.evaluator.explicit_dependencies(module, block);
        let pending = match block.resource.mode {
            ResourceMode::Data => self.waits_for_changes(node, &explicit),
            _ => explicit
                .iter()
                .any(|dependency| self.has_pending_changes(dependency)),
        };
        let mut shared_reads = expanded.dependencies;
        shared_reads.extend(explicit);
        let context = Arc::new(Context {
            node,
            provider: self.evaluator.provider_binding(&module.path(), block),
            config: Arc::clone(block),
            schema: Arc::clone(schema),
            null: Value::null(schema.block.implied_type()),
            shared_reads,
            dependencies: self.closure.dependencies(&self.graph, node),
            create_before_destroy: self.closure.create_first(node),
            pending,
            ignore_changes: Arc::new(block.lifecycle.ignore_changes.clone()),
            expansion,
            abs,
        });
        if destroying && block.resource.mode == ResourceMode::Managed {
            return self.queue_destruction(node, &context);
        }
        if block.resource.mode == ResourceMode::Ephemeral && !self.opens(node) {
            return true;
        }
        for key in context.expansion.keys() {
            if self.included.instance(&context.abs.instance(key.clone())) {
                self.queue_task(Some(node), Task::Configured(Arc::clone(&context), key));
            }
        }
        if block.resource.mode == ResourceMode::Managed {
            return self.queue_surplus(node, &context);
        }
        self.forget_surplus_data(&context);
        true
    }

    /// The instances of a resource as others read them: where nothing is going to be made, those that there are.
    fn expansion_to_read(&self, resource: &AbsResource, expansion: &Expansion) -> Expansion {
        if self.mode() != PlanMode::RefreshOnly || resource.resource.mode != ResourceMode::Managed {
            return expansion.clone();
        }
        let stored = self.base.resources.get(resource);
        expansion.existing(|key| {
            let key = Some(key.clone());
            stored.is_some_and(|stored| stored.instances.contains_key(&key))
                || self.imports.contains_key(&resource.instance(key))
        })
    }

    /// Whether data must not be read yet, since a managed resource is about to change that it waits for: one that it names
    /// anywhere, one of its explicit dependencies, or one that lies behind those. Who names a resource wants to read what
    /// is there once the resource is as configured, even where the value that is read stays the same.
    fn waits_for_changes(&self, node: NodeId, explicit: &BTreeSet<Dependency>) -> bool {
        if self.changing.is_empty() {
            return false;
        }
        let dag = self.graph.dag();
        let is_managed = |id: &NodeId| matches!(dag.get(*id), Some(ConfigNode::Resource(resource)) if resource.resource.mode == ResourceMode::Managed);
        let named = dag.dependencies(node).filter(is_managed);
        let explicit = explicit
            .iter()
            .filter_map(|dependency| self.graph.id(&whole(dependency)?));
        named.chain(explicit).any(|id| {
            self.changing.contains(&id)
                || self
                    .closure
                    .resource_ids(id)
                    .iter()
                    .any(|behind| self.changing.contains(behind))
        })
    }

    /// Whether anything that `dependency` stands for is about to change.
    fn has_pending_changes(&self, dependency: &Dependency) -> bool {
        let changes = |resource: &AbsResource| {
            self.changes_of(resource)
                .any(|change| change.action != Action::NoOp)
        };
        match dependency {
            Dependency::Instance(instance) => changes(&instance.resource),
            Dependency::Resource(resource) => changes(resource),
            Dependency::Call(call) => self
                .changes_below(call)
                .any(|change| change.action != Action::NoOp),
            Dependency::Variable(_) | Dependency::Local(_) | Dependency::Output(_) => false,
        }
    }

    /// Evaluates a configured instance and starts what its provider has to do.
    pub(super) fn start_configured(&mut self, context: Arc<Context>, key: Option<InstanceKey>) {
        let node = context.node;
        if self.choose_provider(&context, key.as_ref()).is_none() {
            self.settle(node, false);
            return;
        }
        match context.config.resource.mode {
            ResourceMode::Managed if self.mode() == PlanMode::RefreshOnly => {
                self.start_known(context, key);
            }
            ResourceMode::Managed => {
                if self.start_managed(context, key).is_none() {
                    self.settle(node, false);
                }
            }
            ResourceMode::Data => {
                if self.start_data(context, key).is_none() {
                    self.settle(node, false);
                }
            }
            ResourceMode::Ephemeral => {
                if self.start_ephemeral(context, key).is_none() {
                    self.settle(node, false);
                }
            }
        }
    }

    /// Finds out which instance of its provider configuration an instance uses; `None` where errors keep that from
    /// being told.
    fn choose_provider(&mut self, context: &Context, key: Option<&InstanceKey>) -> Option<()> {
        if context.provider.key.is_none() {
            return Some(());
        }
        let address = context.abs.instance(key.cloned());
        let repetition = context.expansion.repetition(key);
        let chosen =
            self.evaluator
                .provider_instance(&address, repetition, &context.provider, &*self.table);
        if !self.take(chosen.diagnostics) {
            return None;
        }
        self.chosen.insert(address, chosen.value?);
        Some(())
    }

    /// The provider configuration that an instance uses.
    pub(super) fn provider_of(
        &self,
        context: &Context,
        key: Option<&InstanceKey>,
    ) -> AbsProviderConfig {
        let config = &context.provider.config;
        if context.provider.key.is_none() {
            return config.clone();
        }
        let chosen = self.chosen.get(&context.abs.instance(key.cloned()));
        chosen.unwrap_or(config).clone()
    }

    pub(super) fn subject(
        &self,
        context: &Context,
        address: AbsResourceInstance,
    ) -> impl FnOnce(Arc<dyn terrace_port::Provider>) -> Subject + Send + use<> {
        let previous_address = self.moved.previous.get(&address).cloned();
        let provider_config = self.provider_of(context, address.key.as_ref());
        let schema = Arc::clone(&context.schema);
        let null = context.null.clone();
        let config = Arc::clone(&context.config);
        let evaluator = Arc::clone(&self.evaluator);
        let observer = Arc::clone(&self.request.observer);
        let meta = evaluator.provider_meta(address.module(), &provider_config.provider);
        move |provider| Subject {
            provider: terrace_instances::for_instance(provider, &address, meta),
            address,
            previous_address,
            deposed: None,
            provider_config,
            schema,
            null,
            block: Some(config),
            evaluator,
            observer,
        }
    }

    /// Only finds out how an instance is.
    fn start_known(&mut self, context: Arc<Context>, key: Option<InstanceKey>) {
        let address = context.abs.instance(key.clone());
        let node = context.node;
        let stored = self.base.object(&address).cloned();
        let import = match stored {
            Some(_) => None,
            None => self.imports.get(&address).cloned(),
        };
        if stored.is_none() && import.is_none() {
            self.settle(node, true);
            return;
        }
        let wish = Wish::Known(Arc::clone(&context.dependencies));
        let launched = self.launch_managed(context, key, stored, import, wish);
        if launched.is_none() {
            self.settle(node, false);
        }
    }

    fn start_managed(&mut self, context: Arc<Context>, key: Option<InstanceKey>) -> Option<()> {
        let Prepared {
            address,
            scope,
            mut reads,
            value,
        } = self.prepared(&context, key.as_ref())?;
        let replace_triggered = self.triggered(&context, &scope, &mut reads)?;
        let stored = self.base.object(&address).cloned();
        let import = if stored.is_none() {
            self.imports.get(&address).cloned()
        } else {
            None
        };
        let desired = Desired {
            config: value,
            ignore_changes: Arc::clone(&context.ignore_changes),
            replace_requested: self.request.options.replace.contains(&address),
            replace_triggered,
            create_before_destroy: context.create_before_destroy,
            skip_destroy: context.skips_destroy(),
            dependencies: Arc::clone(&context.dependencies),
        };
        self.gathered.reads.insert(address, reads);
        self.launch_managed(
            context,
            key,
            stored,
            import,
            Wish::Configured(Box::new(desired)),
        )
    }

    fn launch_managed(
        &mut self,
        context: Arc<Context>,
        key: Option<InstanceKey>,
        stored: Option<Arc<terrace_state::Object>>,
        import: Option<Import>,
        wish: Wish,
    ) -> Option<()> {
        let prevent_destroy = match &stored {
            Some(_) => self
                .prevents_destroy(&context.config, &context.scope_of(key.as_ref()))
                .ok()?,
            None => None,
        };
        let stored_provider = self
            .base
            .resources
            .get(&context.abs)
            .map(|resource| resource.provider.provider.clone());
        let subject = self.subject(&context, context.abs.instance(key.clone()));
        let refresh = self.request.options.refresh;
        let provider = self.provider_of(&context, key.as_ref());
        let opening = self.pool.provider(&provider, &*self.table);
        self.running.push(
            async move {
                let outcome = match opening.await {
                    None => Outcome::NoProvider,
                    Some(provider) => {
                        let subject = subject(provider);
                        let input = ManagedInput {
                            subject,
                            stored,
                            stored_provider,
                            import,
                            refresh,
                            wish,
                            prevent_destroy,
                        };
                        Outcome::Managed(Box::new(plan_managed(input).await))
                    }
                };
                Event {
                    node: Some(context.node),
                    about: About::Configured(context, key),
                    outcome,
                }
            }
            .boxed(),
        );
        Some(())
    }

    /// Judges the preconditions of an instance and evaluates its body; `None` where that ends in errors.
    pub(super) fn prepared(
        &mut self,
        context: &Context,
        key: Option<&InstanceKey>,
    ) -> Option<Prepared> {
        let address = context.abs.instance(key.cloned());
        let scope = Scope::instance(address.module().clone(), context.expansion.repetition(key));
        let mut reads = context.shared_reads.clone();
        if !self.preconditions(context, &address, &scope, &mut reads) {
            return None;
        }
        let body = self
            .evaluator
            .resource_body(&address, &context.config, &scope, &*self.table);
        reads.extend(body.dependencies);
        self.take(body.diagnostics).then_some(Prepared {
            address,
            scope,
            reads,
            value: body.value,
        })
    }

    fn start_data(&mut self, context: Arc<Context>, key: Option<InstanceKey>) -> Option<()> {
        let Prepared {
            address,
            reads,
            value: config,
            ..
        } = self.prepared(&context, key.as_ref())?;
        self.gathered.reads.insert(address.clone(), reads);
        let subject = self.subject(&context, address);
        let may_defer = self.mode() == PlanMode::Normal;
        let provider = self.provider_of(&context, key.as_ref());
        let opening = self.pool.provider(&provider, &*self.table);
        let pending = context.pending;
        let in_check = context.config.in_check.is_some();
        self.running.push(
            async move {
                let outcome = match opening.await {
                    None => Outcome::NoProvider,
                    Some(provider) => {
                        let input = DataInput {
                            subject: subject(provider),
                            config,
                            pending,
                            in_check,
                            may_defer,
                        };
                        Outcome::Data(Box::new(plan_data(input).await))
                    }
                };
                Event {
                    node: Some(context.node),
                    about: About::Configured(context, key),
                    outcome,
                }
            }
            .boxed(),
        );
        Some(())
    }

    /// Judges preconditions; whether they hold or are not known yet.
    pub(super) fn preconditions(
        &mut self,
        context: &Context,
        address: &AbsResourceInstance,
        scope: &Scope,
        reads: &mut BTreeSet<Dependency>,
    ) -> bool {
        let rules = &context.config.lifecycle.preconditions;
        if rules.is_empty() || self.mode() == PlanMode::Destroy {
            return true;
        }
        let mut problems = Diagnostics::new();
        let outcomes: Vec<_> = rules
            .iter()
            .map(|rule| {
                let kind = RuleKind::ResourcePrecondition;
                self.evaluator
                    .check_rule(rule, &kind, scope, &*self.table)
                    .take(reads, &mut problems)
            })
            .collect();
        if outcomes.contains(&CheckOutcome::Unknown) {
            self.undecided.insert(address.clone(), reads.clone());
        }
        self.gathered.checks.record(
            "resource",
            address.resource.config().to_string(),
            address.to_string(),
            outcomes,
        );
        self.take(problems)
    }

    /// Whether `replace_triggered_by` asks for a replacement; `None` when that cannot be told.
    fn triggered(
        &mut self,
        context: &Context,
        scope: &Scope,
        reads: &mut BTreeSet<Dependency>,
    ) -> Option<bool> {
        let mut triggered = false;
        for expression in &context.config.lifecycle.replace_triggered_by {
            let Evaluated {
                value,
                dependencies,
                diagnostics,
            } = self
                .evaluator
                .replace_trigger(expression, scope, &*self.table);
            reads.extend(dependencies);
            if !self.take(diagnostics) {
                return None;
            }
            triggered |= value.is_some_and(|trigger| self.fires(&trigger));
        }
        Some(triggered)
    }

    fn fires(&self, trigger: &Trigger) -> bool {
        self.changes_of(&trigger.resource)
            .filter(|change| {
                trigger
                    .instance
                    .as_ref()
                    .is_none_or(|instance| *instance == change.address)
            })
            .filter(|change| change.deposed.is_none())
            .any(|change| {
                if trigger.path.is_root() {
                    return change.action == Action::Update || change.action.is_replace();
                }
                let changes = change.action == Action::Update || change.action.is_replace();
                let (before, after) = (
                    change.before.at_path(&trigger.path),
                    change.after.at_path(&trigger.path),
                );
                changes
                    && (before != after
                        || after.is_some_and(|after: Value| !after.is_wholly_known()))
            })
    }
}

/// What an explicit dependency stands for as a whole.
fn whole(dependency: &Dependency) -> Option<ConfigNode> {
    match dependency {
        Dependency::Instance(instance) => Some(ConfigNode::Resource(instance.resource.config())),
        Dependency::Resource(resource) => Some(ConfigNode::Resource(resource.config())),
        Dependency::Call(call) => Some(ConfigNode::CallDone(call.module.path(), call.name.clone())),
        Dependency::Variable(_) | Dependency::Local(_) | Dependency::Output(_) => None,
    }
}
