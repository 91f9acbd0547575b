//! What is known of instances while applying.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use terrace_addr::{
    AbsNamed, AbsResource, AbsResourceInstance, ModuleInstance, ModulePath, Name, ProviderAddr,
    ResourceMode,
};
use terrace_config::ResourceConfig;
use terrace_eval::{ConfigNode, Evaluator, Expansion, RepetitionData, Unknowns, Values};
use terrace_plan::{Action, Plan, PlanMode};
use terrace_port::ProviderSource;
use terrace_value::{Marks, Path, Value};

/// Values of instances: as applied, else as planned, else as they were.
pub(crate) struct Table<'a> {
    plan: &'a Plan,
    providers: &'a dyn ProviderSource,
    content: RwLock<Content>,
}

#[derive(Default)]
struct Content {
    expansions: HashMap<AbsResource, Expansion>,
    calls: HashMap<AbsNamed, Expansion>,
    /// Calls, outermost first, to whose instances an `each.value` was not known while planning.
    open_calls: Vec<AbsNamed>,
    applied: HashMap<AbsResourceInstance, Value>,
    generations: HashMap<AbsResource, u64>,
    /// Set when what is only planned is not to be taken for true any more.
    only_applied: bool,
}

impl<'a> Table<'a> {
    pub(crate) fn new(plan: &'a Plan, providers: &'a dyn ProviderSource) -> Self {
        Self {
            plan,
            providers,
            content: RwLock::default(),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Content> {
        self.content.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Content> {
        self.content.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds out how everything is expanded, as it was found out while planning: from the planned values.
    pub(crate) fn expand(&self, evaluator: &Evaluator) {
        let (graph, _) = evaluator.config_graph();
        let Ok(order) = graph.dag().topological_order() else {
            return;
        };
        for id in order {
            match graph.dag().get(id) {
                Some(ConfigNode::Call(module, name)) => self.expand_call(evaluator, module, name),
                Some(ConfigNode::Resource(resource)) => {
                    let block = evaluator
                        .config()
                        .module(&resource.module)
                        .and_then(|node| node.module.resources.get(&resource.resource).cloned());
                    let Some(block) = block else { continue };
                    for module in evaluator
                        .module_instances(&resource.module, self)
                        .unwrap_or_default()
                    {
                        // Problems were reported while planning.
                        let expansion = evaluator
                            .expand_resource(&module, &block, Unknowns::Allow, self)
                            .value;
                        if let Some(expansion) = expansion {
                            let address = resource.resource.in_module(module);
                            let expansion = self.to_read(&address, expansion);
                            self.write().expansions.insert(address, expansion);
                        }
                    }
                }
                _ => {}
            }
        }
        evaluator.invalidate();
    }

    /// The instances of a resource as others read them: where nothing is made, those that there are.
    fn to_read(&self, resource: &AbsResource, expansion: Expansion) -> Expansion {
        if self.plan.mode != PlanMode::RefreshOnly
            || resource.resource.mode != ResourceMode::Managed
        {
            return expansion;
        }
        let stored = self.plan.prior_state.resources.get(resource);
        expansion.existing(|key| {
            stored.is_some_and(|stored| stored.instances.contains_key(&Some(key.clone())))
        })
    }

    fn expand_call(&self, evaluator: &Evaluator, module: &ModulePath, name: &Name) {
        for module in evaluator.module_instances(module, self).unwrap_or_default() {
            self.expand_one_call(evaluator, AbsNamed::new(module, name.clone()));
        }
    }

    fn expand_one_call(&self, evaluator: &Evaluator, call: AbsNamed) {
        let expansion = evaluator
            .expand_call(&call.module, &call.name, Unknowns::Allow, self)
            .value;
        if let Some(expansion) = expansion {
            let mut content = self.write();
            if !is_settled(&expansion) {
                content.open_calls.push(call.clone());
            }
            content.calls.insert(call, expansion);
        }
    }

    /// Finds out again what `each.value` is in modules where it was not known. What is applied by now may say it.
    pub(crate) fn settle_calls(&self, evaluator: &Evaluator) {
        let open = std::mem::take(&mut self.write().open_calls);
        for call in open {
            self.expand_one_call(evaluator, call);
        }
    }

    /// What `count` and `each` stand for in an instance. An `each.value` that was not known while planning is found out
    /// once what the instance depends on has been applied; the keys stay as they were planned.
    pub(crate) fn repetition(
        &self,
        evaluator: &Evaluator,
        block: Option<&ResourceConfig>,
        address: &AbsResourceInstance,
    ) -> Option<RepetitionData> {
        let known = self
            .expansion(&address.resource)?
            .repetition(address.key.as_ref());
        let settled = known
            .each_value
            .as_ref()
            .is_none_or(terrace_value::Value::is_wholly_known);
        let Some(block) = block.filter(|_| !settled) else {
            return Some(known);
        };
        let again = evaluator
            .expand_resource(address.module(), block, Unknowns::Allow, self)
            .value;
        let Some(again) = again.filter(|again| again.contains(address.key.as_ref())) else {
            return Some(known);
        };
        let repetition = again.repetition(address.key.as_ref());
        self.write()
            .expansions
            .insert(address.resource.clone(), again);
        Some(repetition)
    }

    /// Says what the value of an instance is now.
    pub(crate) fn set(&self, address: &AbsResourceInstance, value: Value) {
        let mut content = self.write();
        *content
            .generations
            .entry(address.resource.clone())
            .or_default() += 1;
        content.applied.insert(address.clone(), value);
    }

    /// From now on, instances whose change did not come through are unknown.
    pub(crate) fn only_applied(&self) {
        self.write().only_applied = true;
    }

    /// The value of an instance that the plan does not change.
    fn stored(&self, address: &AbsResourceInstance) -> Option<Value> {
        let object = self.plan.prior_state.object(address)?;
        let provider = &self
            .plan
            .prior_state
            .resources
            .get(&address.resource)?
            .provider;
        let schema = crate::instance::schema_of(self.plan, &provider.provider, address)?;
        let text = std::str::from_utf8(&object.attributes).ok()?;
        let value = terrace_value::json::decode(text, &schema.block.implied_type()).ok()?;
        let paths: Vec<(Path, Marks)> = object
            .sensitive_paths
            .iter()
            .map(|path| (path.clone(), Marks::SENSITIVE))
            .collect();
        Some(schema.block.mark_sensitive(&value.mark_with_paths(&paths)))
    }
}

/// Whether everything is known of an expansion, the values included.
fn is_settled(expansion: &Expansion) -> bool {
    match expansion {
        Expansion::ForEach(entries) => entries.iter().all(|(_, value)| value.is_wholly_known()),
        Expansion::Single | Expansion::Count(_) | Expansion::Disabled => true,
        Expansion::Unknown => false,
    }
}

impl Values for Table<'_> {
    fn expansion(&self, resource: &AbsResource) -> Option<Expansion> {
        self.read().expansions.get(resource).cloned()
    }

    fn instance(&self, address: &AbsResourceInstance) -> Option<Value> {
        if let Some(value) = self.read().applied.get(address) {
            return Some(value.clone());
        }
        match self.plan.change(address) {
            Some(change) if matches!(change.action, Action::Delete | Action::Forget) => {
                Some(change.before.clone())
            }
            Some(change) if change.action != Action::NoOp && self.read().only_applied => {
                Some(Value::dynamic())
            }
            Some(change) => Some(change.after.clone()),
            None => self.stored(address),
        }
    }

    fn call_expansion(&self, module: &ModuleInstance, call: &Name) -> Option<Expansion> {
        self.read()
            .calls
            .get(&AbsNamed::new(module.clone(), call.clone()))
            .cloned()
    }

    fn provider_function(
        &self,
        provider: &ProviderAddr,
        name: &str,
        arguments: &[Value],
    ) -> Result<Value, (Option<usize>, String)> {
        self.providers.call_function(provider, name, arguments)
    }

    fn generation(&self, resource: &AbsResource) -> u64 {
        let content = self.read();
        let changes = content
            .generations
            .get(resource)
            .copied()
            .unwrap_or_default();
        // From 1: 0 would promise nothing.
        changes * 2 + u64::from(content.only_applied) + 1
    }
}
