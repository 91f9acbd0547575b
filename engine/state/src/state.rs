//! The domain types.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{
    AbsProviderConfig, AbsResource, AbsResourceInstance, ConfigResource, DeposedKey, InstanceKey,
    Name, ResourceMode,
};
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
    /// The provider configuration that last managed it, with all its instances.
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
    /// Which instance of the resource's provider configuration manages it, where that has several.
    pub provider_key: Option<InstanceKey>,
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
    /// Whether it is only forgotten when it is to go (`destroy = false`).
    pub skip_destroy: bool,
    /// What identifies it, where its provider says so.
    pub identity: Option<StoredIdentity>,
}

/// What identifies an object for as long as it lives, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredIdentity {
    /// Version of the identity's schema.
    pub schema_version: i64,
    /// The parts as the JSON text of an object.
    pub attributes: Arc<[u8]>,
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
        self.resources
            .get(&address.resource)?
            .instances
            .get(&address.key)?
            .current
            .as_ref()
    }

    /// All instances with their resources, in order.
    pub fn instances(
        &self,
    ) -> impl Iterator<Item = (AbsResourceInstance, &ResourceInState, &InstanceState)> {
        self.resources.iter().flat_map(|(address, resource)| {
            resource
                .instances
                .iter()
                .map(move |(key, instance)| (address.instance(key.clone()), resource, instance))
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
            .or_insert_with(|| ResourceInState {
                provider: provider.whole(),
                instances: BTreeMap::new(),
            });
        let instance = resource.instances.entry(address.key.clone()).or_default();
        if object.is_some() {
            resource.provider = provider.whole();
            instance.provider_key.clone_from(&provider.key);
        }
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

    /// Whether both hold the same managed objects, whatever the order of sensitive paths.
    pub fn same_managed_content(&self, other: &Self) -> bool {
        fn managed(state: &State) -> impl Iterator<Item = (&AbsResource, &ResourceInState)> {
            let all = state.resources.iter();
            all.filter(|(address, _)| address.resource.mode == ResourceMode::Managed)
        }
        let (mut ours, mut theirs) = (managed(self), managed(other));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some((address, resource)), Some((other_address, other)))
                    if address == other_address && resource.same_content(other) => {}
                _ => return false,
            }
        }
    }

    /// Whether both hold the same, whatever their lineage and serial, and whatever the order of sensitive paths.
    pub fn same_content(&self, other: &Self) -> bool {
        self.outputs == other.outputs
            && self.check_results == other.check_results
            && self.resources.len() == other.resources.len()
            && self.resources.iter().zip(&other.resources).all(
                |((address, resource), (other_address, other))| {
                    address == other_address && resource.same_content(other)
                },
            )
    }
}

impl ResourceInState {
    /// The provider configuration that manages an instance: one instance of it, where it has several.
    pub fn provider_of(&self, key: Option<&InstanceKey>) -> AbsProviderConfig {
        let instance = self.instances.get(&key.cloned());
        self.provider
            .instance(instance.and_then(|instance| instance.provider_key.clone()))
    }

    fn same_content(&self, other: &Self) -> bool {
        self.provider == other.provider
            && self.instances.len() == other.instances.len()
            && self.instances.iter().zip(&other.instances).all(
                |((key, instance), (other_key, other))| {
                    key == other_key && instance.same_content(other)
                },
            )
    }
}

impl InstanceState {
    fn same_content(&self, other: &Self) -> bool {
        let same = |a: &Arc<Object>, b: &Arc<Object>| Arc::ptr_eq(a, b) || a.same_content(b);
        let current = match (&self.current, &other.current) {
            (Some(a), Some(b)) => same(a, b),
            (None, None) => true,
            _ => false,
        };
        current
            && self.provider_key == other.provider_key
            && self.deposed.len() == other.deposed.len()
            && self
                .deposed
                .iter()
                .zip(&other.deposed)
                .all(|((key, a), (other_key, b))| key == other_key && same(a, b))
    }
}

impl Object {
    /// Whether both hold the same, whatever the order of sensitive paths.
    pub fn same_content(&self, other: &Self) -> bool {
        let paths = |object: &Self| {
            let mut texts: Vec<String> = object
                .sensitive_paths
                .iter()
                .map(ToString::to_string)
                .collect();
            texts.sort_unstable();
            texts
        };
        self.schema_version == other.schema_version
            && self.attributes == other.attributes
            && self.private == other.private
            && self.dependencies == other.dependencies
            && self.status == other.status
            && self.create_before_destroy == other.create_before_destroy
            && self.skip_destroy == other.skip_destroy
            && self.identity == other.identity
            && (self.sensitive_paths == other.sensitive_paths || paths(self) == paths(other))
    }

    /// A top-level attribute that is a string, such as `id`; `None` when it is not there or no string.
    pub fn text_attribute(&self, name: &str) -> Option<String> {
        crate::wire::text_attribute(&self.attributes, name)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn object(attributes: &str) -> Arc<Object> {
        Arc::new(Object {
            schema_version: 0,
            attributes: attributes.as_bytes().into(),
            sensitive_paths: Vec::new(),
            private: [].into(),
            dependencies: [].into(),
            status: ObjectStatus::Ready,
            create_before_destroy: false,
            skip_destroy: false,
            identity: None,
        })
    }

    pub(crate) fn provider() -> AbsProviderConfig {
        "provider[\"registry.terraform.io/hashicorp/test\"]"
            .parse()
            .unwrap()
    }

    pub(crate) fn sample() -> State {
        let mut state = State {
            lineage: "line".into(),
            serial: 3,
            ..State::default()
        };
        for (address, id) in [
            ("t.a[0]", "zero"),
            ("t.a[1]", "one"),
            ("data.t.d", "d"),
            ("module.m[\"k\"].t.b", "b"),
        ] {
            let object = object(&format!("{{\"id\":\"{id}\"}}"));
            state.set_object(&address.parse().unwrap(), None, &provider(), Some(object));
        }
        state
    }

    #[test]
    fn content_is_compared_without_lineage_serial_and_order_of_paths() {
        let state = sample();
        let mut other = State {
            lineage: "x".into(),
            serial: 9,
            ..state.clone()
        };
        assert!(state.same_content(&other));
        let path = |name: &str| Path::root().attribute(name);
        let with = |paths: Vec<Path>| {
            let mut state = sample();
            let object = Object {
                sensitive_paths: paths,
                ..(*object("{}")).clone()
            };
            state.set_object(
                &"t.a[0]".parse().unwrap(),
                None,
                &provider(),
                Some(Arc::new(object)),
            );
            state
        };
        assert!(with(vec![path("a"), path("b")]).same_content(&with(vec![path("b"), path("a")])));
        assert!(!with(vec![path("a")]).same_content(&with(vec![path("b")])));
        other.set_object(&"t.a[0]".parse().unwrap(), None, &provider(), None);
        assert!(!state.same_content(&other));
    }
}
