//! Finding resources by name, and their schemas.

use std::collections::HashMap;
use std::sync::Arc;

use terrace_addr::{Name, Resource, ResourceMode};
use terrace_config::{Config, Module, ModuleNode, ResourceConfig};
use terrace_schema::ResourceSchema;
use terrace_value::{Type, Value};

use crate::Evaluator;

/// A resource's configuration and its address within its module.
type Entry = (Arc<ResourceConfig>, Arc<Resource>);

/// The resources of one mode by type and name.
type ByType = HashMap<Name, HashMap<Name, Entry>>;

/// The resources of every module definition by mode, type and name, so that a look-up needs no address.
#[derive(Default)]
pub(crate) struct Index {
    modules: HashMap<usize, [ByType; 3]>,
}

const fn place(mode: ResourceMode) -> usize {
    match mode {
        ResourceMode::Managed => 0,
        ResourceMode::Data => 1,
        ResourceMode::Ephemeral => 2,
    }
}

/// A definition is known by its place in memory, which stays while the configuration is held.
fn identity(module: &Arc<Module>) -> usize {
    Arc::as_ptr(module).addr()
}

impl Index {
    pub(crate) fn of(config: &Config) -> Self {
        let mut index = Self::default();
        for node in config.root.walk() {
            index
                .modules
                .entry(identity(&node.module))
                .or_insert_with(|| {
                    let mut modes: [ByType; 3] = Default::default();
                    for (resource, config) in &node.module.resources {
                        modes[place(resource.mode)]
                            .entry(resource.type_name.clone())
                            .or_default()
                            .insert(
                                resource.name.clone(),
                                (Arc::clone(config), Arc::new(resource.clone())),
                            );
                    }
                    modes
                });
        }
        index
    }

    fn get(
        &self,
        module: &Arc<Module>,
        mode: ResourceMode,
        type_name: &str,
        name: &str,
    ) -> Option<&Entry> {
        self.modules.get(&identity(module))?[place(mode)]
            .get(type_name)?
            .get(name)
    }
}

impl Evaluator {
    /// A resource of a module by its name.
    pub(crate) fn resource(
        &self,
        node: &ModuleNode,
        mode: ResourceMode,
        type_name: &str,
        name: &str,
    ) -> Option<(&Arc<ResourceConfig>, &Arc<Resource>)> {
        self.index
            .get(&node.module, mode, type_name, name)
            .map(|(config, resource)| (config, resource))
    }

    /// The schema of a resource's type, if its provider's schemas are known.
    pub fn resource_schema(&self, config: &ResourceConfig) -> Option<&Arc<ResourceSchema>> {
        let schema = self.inputs.schemas.get(&config.provider)?;
        let types = match config.resource.mode {
            ResourceMode::Managed => &schema.resources,
            ResourceMode::Data => &schema.data_sources,
            ResourceMode::Ephemeral => &schema.ephemeral_resources,
        };
        types.get(&config.resource.type_name)
    }

    /// An object of a resource's type of which nothing is known.
    pub(crate) fn unknown_object(&self, config: &ResourceConfig) -> Value {
        let Some(schema) = self.resource_schema(config) else {
            return Value::dynamic();
        };
        let identity = Arc::as_ptr(schema).addr();
        let ty: Type = self
            .memo
            .implied_type(identity, || schema.block.implied_type());
        Value::unknown(ty)
    }
}
