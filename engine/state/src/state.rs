//! The domain types.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{AbsProviderConfig, AbsResource, AbsResourceInstance, ConfigResource, DeposedKey, InstanceKey, Name};
use terrace_value::{Path, Value};

/// All that is known of one workspace's objects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Which line of states this belongs to; empty until it is first stored.
    pub lineage: String,
    /// How far along the line.
    pub serial: u64,
    /// Root outputs.
    pub outputs: BTreeMap<Name, OutputState>,
    /// Resources with at least one object.
    pub resources: BTreeMap<AbsResource, ResourceInState>,
    /// Results of checks; `None` where the state holds none.
    pub check_results: Option<Vec<CheckResult>>,
}

/// A root output as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputState {
    /// Its value, without marks.
    pub value: Value,
    /// Whether it is sensitive.
    pub sensitive: bool,
}

/// A resource as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceInState {
    /// The provider configuration that last managed it.
    pub provider: AbsProviderConfig,
    /// Its instances.
    pub instances: BTreeMap<Option<InstanceKey>, InstanceState>,
}

/// An instance's objects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstanceState {
    /// The present one.
    pub current: Option<Arc<Object>>,
    /// Those that a replacement left to be destroyed.
    pub deposed: BTreeMap<DeposedKey, Arc<Object>>,
}

/// Whether an object can be relied on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ObjectStatus {
    /// It can.
    #[default]
    Ready,
    /// Its creation failed half-way, or someone asked for its replacement.
    Tainted,
}

/// One object as stored. Attributes stay encoded until someone reads them.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Schema version of the attributes.
    pub schema_version: i64,
    /// The attributes as the JSON text of an object.
    pub attributes: Arc<[u8]>,
    /// Paths of attributes that are sensitive by configuration (not by schema).
    pub sensitive_paths: Vec<Path>,
    /// The provider's private bytes.
    pub private: Arc<[u8]>,
    /// Resources that this object depended on when it was created or last changed, sorted.
    pub dependencies: Arc<[ConfigResource]>,
    /// Whether it can be relied on.
    pub status: ObjectStatus,
    /// Whether its replacement is created before it is destroyed.
    pub create_before_destroy: bool,
}

/// How a check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckStatus {
    /// Not decided.
    Unknown,
    /// All conditions hold.
    Pass,
    /// A condition does not hold.
    Fail,
    /// A condition could not be evaluated.
    Error,
}

/// Results of the conditions of one object of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckResult {
    /// `resource`, `output`, `check`, `var`.
    pub kind: Name,
    /// Its address in the configuration, such as `module.a.check.x`.
    pub config_address: String,
    /// Over all its instances.
    pub status: CheckStatus,
    /// By instance.
    pub objects: Vec<ObjectCheckResult>,
}

/// Results of the conditions of one instance.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectCheckResult {
    /// Its address.
    pub address: String,
    /// How it stands.
    pub status: CheckStatus,
    /// Messages of the conditions that do not hold.
    pub failures: Vec<String>,
}

impl State {
    /// The present object of an instance.
    pub fn object(&self, address: &AbsResourceInstance) -> Option<&Arc<Object>> {
        self.resources.get(&address.resource)?.instances.get(&address.key)?.current.as_ref()
    }

    /// All instances with their resources, in order.
    pub fn instances(&self) -> impl Iterator<Item = (AbsResourceInstance, &ResourceInState, &InstanceState)> {
        self.resources.iter().flat_map(|(address, resource)| {
            resource.instances.iter().map(move |(key, instance)| (address.instance(key.clone()), resource, instance))
        })
    }

    /// Puts an object in place (or, with `None`, takes it out); `deposed` names one that is not the present one.
    /// Resources and instances without objects are dropped.
    pub fn set_object(
        &mut self,
        address: &AbsResourceInstance,
        deposed: Option<&DeposedKey>,
        provider: &AbsProviderConfig,
        object: Option<Arc<Object>>,
    ) {
        if object.is_none() && !self.resources.contains_key(&address.resource) {
            return;
        }
        let resource = self
            .resources
            .entry(address.resource.clone())
            .or_insert_with(|| ResourceInState { provider: provider.clone(), instances: BTreeMap::new() });
        if object.is_some() {
            resource.provider = provider.clone();
        }
        let instance = resource.instances.entry(address.key.clone()).or_default();
        match (deposed, object) {
            (None, object) => instance.current = object,
            (Some(key), Some(object)) => {
                instance.deposed.insert(key.clone(), object);
            }
            (Some(key), None) => {
                instance.deposed.remove(key);
            }
        }
        if instance.current.is_none() && instance.deposed.is_empty() {
            resource.instances.remove(&address.key);
        }
        if resource.instances.is_empty() {
            self.resources.remove(&address.resource);
        }
    }
}
