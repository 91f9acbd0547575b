//! What is known of objects where nothing is being planned: after a run, or from a state alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{
    AbsNamed, AbsResource, AbsResourceInstance, ConfigResource, InstanceKey, ModuleInstance, Name,
    ProviderAddr,
};
use terrace_config::{Config, ForEachOrCount};
use terrace_diag::Diagnostics;
use terrace_eval::{ConfigNode, Evaluator, Expansion, Schemas, Unknowns, Values};
use terrace_plan::{Action, Plan};
use terrace_state::State;
use terrace_value::Value;

use crate::ProviderSource;

/// Values of objects: those of a state, or those that a plan leads to.
pub struct KnownValues {
    providers: Arc<dyn ProviderSource>,
    config: Arc<Config>,
    /// Whether a resource without objects is known to have none.
    is_whole: bool,
    resources: BTreeMap<AbsResource, BTreeMap<Option<InstanceKey>, Value>>,
    calls: BTreeMap<AbsNamed, Expansion>,
}

impl KnownValues {
    /// For the objects of a state alone. A resource of which it holds none is unknown: there may have to be one.
    pub fn of_state(providers: Arc<dyn ProviderSource>, config: &Arc<Config>) -> Self {
        Self {
            providers,
            config: Arc::clone(config),
            is_whole: false,
            resources: BTreeMap::new(),
            calls: BTreeMap::new(),
        }
    }

    /// For the objects that a run leads or has led to. A resource without objects is to have none.
    pub fn of_run(providers: Arc<dyn ProviderSource>, config: &Arc<Config>) -> Self {
        Self {
            is_whole: true,
            ..Self::of_state(providers, config)
        }
    }

    fn set(&mut self, address: &AbsResourceInstance, value: Value) {
        self.resources
            .entry(address.resource.clone())
            .or_default()
            .insert(address.key.clone(), value);
    }

    /// With the objects of a state, which was written with these schemas.
    pub fn add_state(&mut self, state: &State, schemas: &Schemas) {
        for (address, resource, instance) in state.instances() {
            let Some(object) = &instance.current else {
                continue;
            };
            let schema = schemas.get(&resource.provider.provider);
            let value =
                terrace_plan::stored_value(&address, object, schema.map(|schema| &**schema));
            self.set(&address, value);
        }
    }

    /// With what a plan makes of them.
    pub fn add_plan(&mut self, plan: &Plan) {
        let present = plan
            .changes
            .iter()
            .filter(|change| change.deposed.is_none());
        for change in present {
            if matches!(change.action, Action::Delete | Action::Forget) {
                if let Some(instances) = self.resources.get_mut(&change.address.resource) {
                    instances.remove(&change.address.key);
                }
            } else {
                self.set(&change.address, change.after.clone());
            }
        }
    }

    /// Finds out which instances of modules there are. Problems have been told while planning.
    pub fn expand_calls(&mut self, evaluator: &Evaluator) {
        let (graph, _) = evaluator.config_graph();
        let order = graph.dag().topological_order().unwrap_or_default();
        for node in order.iter().filter_map(|id| graph.dag().get(*id)) {
            let ConfigNode::Call(path, name) = node else {
                continue;
            };
            for module in evaluator.module_instances(path, &*self).unwrap_or_default() {
                let call = AbsNamed::new(module, name.clone());
                drop(self.expand_call(evaluator, call));
            }
        }
    }

    /// Finds out which instances of a module one call makes. The calls that it depends on must have been expanded.
    pub fn expand_call(&mut self, evaluator: &Evaluator, call: AbsNamed) -> Diagnostics {
        let expanded = evaluator.expand_call(&call.module, &call.name, Unknowns::Allow, &*self);
        if let Some(expansion) = expanded.value {
            self.calls.insert(call, expansion);
        }
        expanded.diagnostics
    }

    /// Resources of the configuration that have an instance.
    pub fn present(&self) -> impl Iterator<Item = ConfigResource> {
        let present = self.resources.iter().filter(|(_, known)| !known.is_empty());
        present.map(|(address, _)| ConfigResource {
            module: address.module.path(),
            resource: (*address.resource).clone(),
        })
    }
}

impl Values for KnownValues {
    fn expansion(&self, resource: &AbsResource) -> Option<Expansion> {
        let module = &self.config.module(&resource.module.path())?.module;
        let block = module.resources.get(&*resource.resource)?;
        let none = BTreeMap::new();
        let known = self.resources.get(resource);
        let instances = known.or_else(|| self.is_whole.then_some(&none))?;
        Some(match block.repetition {
            ForEachOrCount::Count(_) => {
                let after = |key: &Option<InstanceKey>| match key {
                    Some(InstanceKey::Int(index)) => index + 1,
                    _ => 0,
                };
                Expansion::Count(instances.keys().map(after).max().unwrap_or(0))
            }
            ForEachOrCount::ForEach(_) => Expansion::ForEach(
                instances
                    .keys()
                    .filter_map(|key| match key {
                        Some(InstanceKey::String(key)) => Some((key.clone(), Value::dynamic())),
                        _ => None,
                    })
                    .collect(),
            ),
            ForEachOrCount::Enabled(_) if instances.is_empty() => Expansion::Disabled,
            ForEachOrCount::Single | ForEachOrCount::Enabled(_) => {
                instances.get(&None)?;
                Expansion::Single
            }
        })
    }

    fn instance(&self, address: &AbsResourceInstance) -> Option<Value> {
        self.resources
            .get(&address.resource)?
            .get(&address.key)
            .cloned()
    }

    fn call_expansion(&self, module: &ModuleInstance, call: &Name) -> Option<Expansion> {
        self.calls
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
}
