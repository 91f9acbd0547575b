//! What is known of instances while planning.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use terrace_addr::{
    AbsNamed, AbsResource, AbsResourceInstance, InstanceKey, ModuleInstance, ModulePath, Name,
    ProviderAddr,
};
use terrace_eval::{Expansion, Values};
use terrace_value::Value;

use crate::ProviderSource;
use crate::moves::Declared;

/// Values of instances and expansions, filled as the walk goes on.
pub(crate) struct Table<'a> {
    providers: &'a dyn ProviderSource,
    content: RwLock<Content>,
}

#[derive(Default)]
struct Content {
    resources: HashMap<AbsResource, Entry>,
    calls: HashMap<AbsNamed, Expansion>,
}

#[derive(Default)]
struct Entry {
    expansion: Option<Expansion>,
    generation: u64,
    instances: HashMap<Option<InstanceKey>, Value>,
}

impl<'a> Table<'a> {
    pub(crate) fn new(providers: &'a dyn ProviderSource) -> Self {
        Self {
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

    /// Says how a resource is expanded.
    pub(crate) fn set_expansion(&self, resource: &AbsResource, expansion: Expansion) {
        let mut content = self.write();
        let entry = content.resources.entry(resource.clone()).or_default();
        entry.expansion = Some(expansion);
        entry.generation += 1;
    }

    /// Says how a module call is expanded.
    pub(crate) fn set_call(&self, call: AbsNamed, expansion: Expansion) {
        self.write().calls.insert(call, expansion);
    }

    /// Says what the value of an instance is.
    pub(crate) fn set_instance(&self, address: &AbsResourceInstance, value: Value) {
        let mut content = self.write();
        let entry = match content.resources.get_mut(&address.resource) {
            Some(entry) => entry,
            None => content
                .resources
                .entry(address.resource.clone())
                .or_default(),
        };
        entry.generation += 1;
        entry.instances.insert(address.key.clone(), value);
    }

    /// The instances of a module that are known.
    pub(crate) fn modules(&self, path: &ModulePath) -> Vec<ModuleInstance> {
        let content = self.read();
        path.steps()
            .iter()
            .fold(vec![ModuleInstance::root()], |instances, step| {
                instances
                    .iter()
                    .flat_map(|instance| {
                        let call = AbsNamed::new(instance.clone(), step.clone());
                        let keys = content
                            .calls
                            .get(&call)
                            .map(Expansion::keys)
                            .unwrap_or_default();
                        keys.into_iter()
                            .map(|key| instance.child(step.clone(), key))
                    })
                    .collect()
            })
    }
}

impl Values for Table<'_> {
    fn expansion(&self, resource: &AbsResource) -> Option<Expansion> {
        self.read().resources.get(resource)?.expansion.clone()
    }

    fn instance(&self, address: &AbsResourceInstance) -> Option<Value> {
        self.read()
            .resources
            .get(&address.resource)?
            .instances
            .get(&address.key)
            .cloned()
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
        self.read()
            .resources
            .get(resource)
            .map_or(0, |entry| entry.generation)
    }
}

impl Declared for Table<'_> {
    fn module_instances(&self, path: &ModulePath) -> Vec<ModuleInstance> {
        self.modules(path)
    }

    fn resource_keys(&self, resource: &AbsResource) -> Option<Vec<Option<InstanceKey>>> {
        self.expansion(resource)
            .filter(|expansion| *expansion != Expansion::Unknown)
            .map(|expansion| expansion.keys())
    }

    fn call_keys(&self, module: &ModuleInstance, call: &Name) -> Option<Vec<Option<InstanceKey>>> {
        self.call_expansion(module, call)
            .filter(|expansion| *expansion != Expansion::Unknown)
            .map(|expansion| expansion.keys())
    }
}
