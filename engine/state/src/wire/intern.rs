//! Shares addresses and names that a state repeats over and over.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::value::RawValue;
use terrace_addr::{AbsProviderConfig, ConfigResource, ModuleInstance, Name, Target};

use crate::StateError;

/// Everything that was read so far, by its text.
#[derive(Default)]
pub(super) struct Interner<'a> {
    names: HashMap<&'a str, Name>,
    modules: HashMap<&'a str, ModuleInstance>,
    providers: HashMap<&'a str, AbsProviderConfig>,
    dependencies: HashMap<String, ConfigResource>,
    dependency_lists: HashMap<&'a str, Arc<[ConfigResource]>>,
}

impl<'a> Interner<'a> {
    pub(super) fn name(&mut self, text: &'a str) -> Name {
        self.names
            .entry(text)
            .or_insert_with(|| text.into())
            .clone()
    }

    pub(super) fn module(&mut self, text: &'a str) -> Result<ModuleInstance, StateError> {
        if let Some(module) = self.modules.get(text) {
            return Ok(module.clone());
        }
        let module: ModuleInstance = text.parse().map_err(|error| {
            StateError::invalid(format!(
                "A resource's module address cannot be read: {error}."
            ))
        })?;
        self.modules.insert(text, module.clone());
        Ok(module)
    }

    pub(super) fn provider(&mut self, text: &'a str) -> Result<AbsProviderConfig, StateError> {
        if let Some(provider) = self.providers.get(text) {
            return Ok(provider.clone());
        }
        let provider: AbsProviderConfig = text.parse().map_err(|error| {
            StateError::invalid(format!(
                "A resource's provider configuration address cannot be read: {error}."
            ))
        })?;
        self.providers.insert(text, provider.clone());
        Ok(provider)
    }

    /// A list of dependencies as its JSON text. Equal lists are read once.
    pub(super) fn dependency_list(
        &mut self,
        raw: Option<&'a RawValue>,
    ) -> Result<Arc<[ConfigResource]>, StateError> {
        let Some(raw) = raw else {
            return Ok(self
                .dependency_lists
                .entry("")
                .or_insert_with(|| [].into())
                .clone());
        };
        if let Some(list) = self.dependency_lists.get(raw.get()) {
            return Ok(list.clone());
        }
        let texts: Option<Vec<String>> =
            serde_json::from_str(raw.get()).map_err(|error| StateError::syntax(&error))?;
        let mut list = Vec::new();
        for text in texts.unwrap_or_default() {
            let dependency = match self.dependencies.get(&text) {
                Some(dependency) => dependency.clone(),
                None => {
                    let dependency = config_resource(&text)?;
                    self.dependencies.insert(text, dependency.clone());
                    dependency
                }
            };
            list.push(dependency);
        }
        let list: Arc<[ConfigResource]> = list.into();
        self.dependency_lists.insert(raw.get(), list.clone());
        Ok(list)
    }
}

/// Reads a resource's address in the configuration. Instance keys, which very old states hold, are dropped.
pub(super) fn config_resource(text: &str) -> Result<ConfigResource, StateError> {
    match text.parse::<Target>() {
        Ok(Target::Resource(resource)) => Ok(resource.config()),
        Ok(Target::Instance(instance)) => Ok(instance.resource.config()),
        Ok(Target::Module(_)) => Err(StateError::invalid(format!(
            "The dependency {text:?} names a module, where a resource is expected."
        ))),
        Err(error) => Err(StateError::invalid(format!(
            "A dependency's address cannot be read: {error}."
        ))),
    }
}
