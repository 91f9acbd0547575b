//! What is known of objects once a run has planned or applied.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{
    AbsNamed, AbsResource, AbsResourceInstance, ConfigResource, InstanceKey, ModuleInstance, Name,
    ProviderAddr,
};
use terrace_config::{Config, ForEachOrCount};
use terrace_eval::{ConfigNode, Evaluator, Expansion, Schemas, Unknowns, Values};
use terrace_plan::{Action, Plan};
use terrace_port::ProviderSource;
use terrace_state::State;
use terrace_value::Value;

/// Values of objects: those of a state, or those that a plan leads to.
pub(crate) struct Known {
    providers: Arc<dyn ProviderSource>,
    config: Arc<Config>,
    resources: BTreeMap<AbsResource, BTreeMap<Option<InstanceKey>, Value>>,
    calls: BTreeMap<AbsNamed, Expansion>,
}

impl Known {
    pub(crate) fn new(providers: Arc<dyn ProviderSource>, config: &Arc<Config>) -> Self {
        Self {
            providers,
            config: Arc::clone(config),
            resources: BTreeMap::new(),
            calls: BTreeMap::new(),
        }
    }

    fn set(&mut self, address: &AbsResourceInstance, value: Value) {
        self.resources
            .entry(address.resource.clone())
            .or_default()
            .insert(address.key.clone(), value);
    }

    /// With the objects of a state, which was written with these schemas.
    pub(crate) fn add_state(&mut self, state: &State, schemas: &Schemas) {
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
    pub(crate) fn add_plan(&mut self, plan: &Plan) {
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
    pub(crate) fn expand_calls(&mut self, evaluator: &Evaluator) {
        let (graph, _) = evaluator.config_graph();
        let order = graph.dag().topological_order().unwrap_or_default();
        for node in order.iter().filter_map(|id| graph.dag().get(*id)) {
            let ConfigNode::Call(path, name) = node else {
                continue;
            };
            for module in evaluator.module_instances(path, &*self).unwrap_or_default() {
                let expanded = evaluator
                    .expand_call(&module, name, Unknowns::Allow, &*self)
                    .value;
                if let Some(expansion) = expanded {
                    self.calls
                        .insert(AbsNamed::new(module, name.clone()), expansion);
                }
            }
        }
    }

    /// Resources of the configuration that have an instance.
    pub(crate) fn present(&self) -> impl Iterator<Item = ConfigResource> {
        let present = self.resources.iter().filter(|(_, known)| !known.is_empty());
        present.map(|(address, _)| ConfigResource {
            module: address.module.path(),
            resource: (*address.resource).clone(),
        })
    }
}

impl Values for Known {
    fn expansion(&self, resource: &AbsResource) -> Option<Expansion> {
        let address = ConfigResource {
            module: resource.module.path(),
            resource: (*resource.resource).clone(),
        };
        let module = &self.config.module(&address.module)?.module;
        let block = module.resources.get(&address.resource)?;
        let none = BTreeMap::new();
        let instances = self.resources.get(resource).unwrap_or(&none);
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
