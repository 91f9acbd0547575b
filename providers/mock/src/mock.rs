//! A provider that makes up what it answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use terrace_addr::{AbsResourceInstance, Target};
use terrace_port::{
    ApplyRequest, ApplyResponse, Attempt, ImportedResource, OpenedEphemeral, PlanRequest,
    PlanResponse, Provider, ProviderError, ReadRequest, ReadResponse, Reply, ResourceState,
};
use terrace_schema::{Block, ProviderSchema};
use terrace_test::{MockedTypes, Replacement};
use terrace_value::{Path, Value};

use crate::generate::{Filling, Wanted};

/// How often an object was made at each address, so that an object that replaces another is not the same.
pub(crate) type Made = Arc<Mutex<BTreeMap<String, u64>>>;

/// A provider that makes up what it answers, from a schema and from what a test says.
#[derive(Clone)]
pub struct MockProvider {
    schema: Arc<ProviderSchema>,
    mocked: Arc<MockedTypes>,
    overrides: Arc<[(Target, Replacement)]>,
    made: Made,
    /// The provider that is asked about everything but the object.
    real: Option<Arc<dyn Provider>>,
    /// The instance that asks, and what the test says of it.
    address: String,
    replacement: Option<Replacement>,
}

impl MockProvider {
    /// A provider with this schema. The first of `overrides` that fits an object counts before what is said of its type.
    pub fn new(
        schema: Arc<ProviderSchema>,
        mocked: MockedTypes,
        overrides: impl IntoIterator<Item = (Target, Replacement)>,
    ) -> Self {
        let own = mocked.overrides.clone();
        Self {
            schema,
            overrides: overrides.into_iter().chain(own).collect(),
            mocked: Arc::new(mocked),
            made: Made::default(),
            real: None,
            address: String::new(),
            replacement: None,
        }
    }

    /// As [`Self::new`], which remembers with others how often objects were made.
    pub(crate) fn remembering(mut self, made: &Made) -> Self {
        self.made = Arc::clone(made);
        self
    }

    /// One object of a real provider, of which that is not asked.
    pub(crate) fn of_object(
        schema: Arc<ProviderSchema>,
        real: Arc<dyn Provider>,
        address: &AbsResourceInstance,
        replacement: Replacement,
        made: &Made,
    ) -> Self {
        let mut mock = Self::new(schema, MockedTypes::default(), []).remembering(made);
        mock.real = Some(real);
        mock.address = address.to_string();
        mock.replacement = Some(replacement);
        mock
    }

    fn replacement(&self, type_name: &str, is_data: bool) -> Replacement {
        let by_type = if is_data {
            &self.mocked.data_sources
        } else {
            &self.mocked.resources
        };
        let found = self.replacement.as_ref().or_else(|| by_type.get(type_name));
        found.cloned().unwrap_or_else(|| Replacement {
            values: Value::empty_object(),
            during_plan: self.mocked.during_plan,
        })
    }

    fn resource_block(&self, type_name: &str) -> Result<Block, ProviderError> {
        let schema = self.schema.resources.get(type_name);
        schema
            .map(|schema| schema.block.clone())
            .ok_or_else(|| unknown_type(type_name))
    }

    /// From what texts of an object are made up; anew for each object that is made.
    fn seed(&self, type_name: &str, is_new: bool) -> String {
        let name = if self.address.is_empty() {
            type_name
        } else {
            &self.address
        };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let count = made.entry(name.to_owned()).or_default();
        if is_new {
            *count += 1;
        }
        match *count {
            0 | 1 => name.to_owned(),
            count => format!("{name} {count}"),
        }
    }
}

fn unknown_type(type_name: &str) -> ProviderError {
    ProviderError {
        message: format!("it has no resource type {type_name:?}"),
    }
}

#[async_trait]
impl Provider for MockProvider {
    async fn schema(&self) -> Result<Arc<ProviderSchema>, ProviderError> {
        Ok(Arc::clone(&self.schema))
    }

    async fn validate_provider_config(&self, config: Value) -> Attempt<Value> {
        Ok(Reply::new(config, Vec::new()))
    }

    async fn configure(&self, _: Value) -> Attempt<()> {
        Ok(Reply::new((), Vec::new()))
    }

    async fn validate_resource_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        match &self.real {
            Some(real) => real.validate_resource_config(type_name, config).await,
            None => Ok(Reply::new((), Vec::new())),
        }
    }

    async fn validate_data_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        match &self.real {
            Some(real) => real.validate_data_config(type_name, config).await,
            None => Ok(Reply::new((), Vec::new())),
        }
    }

    async fn validate_ephemeral_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        match &self.real {
            Some(real) => real.validate_ephemeral_config(type_name, config).await,
            None => Ok(Reply::new((), Vec::new())),
        }
    }

    async fn upgrade_state(&self, state: ResourceState) -> Attempt<Value> {
        let block = self.resource_block(&state.type_name)?;
        let text = String::from_utf8_lossy(&state.json);
        let decoded = terrace_value::json::decode(&text, &block.implied_type());
        let value = decoded.map_err(|error| ProviderError {
            message: format!("the state of an object that a test made up cannot be read: {error}"),
        })?;
        Ok(Reply::new(value, Vec::new()))
    }

    async fn read(&self, request: ReadRequest) -> Attempt<ReadResponse> {
        let response = ReadResponse {
            state: request.current,
            private: request.private,
            identity: request.identity,
        };
        Ok(Reply::new(response, Vec::new()))
    }

    async fn plan(&self, request: PlanRequest) -> Attempt<PlanResponse> {
        let block = self.resource_block(&request.type_name)?;
        let replacement = self.replacement(&request.type_name, false);
        let is_new = request.prior.is_null();
        let mut problems = Vec::new();
        let planned = if request.proposed.is_null() || request.proposed == request.prior {
            request.proposed
        } else {
            let seed = self.seed(&request.type_name, is_new && replacement.during_plan);
            let mut filling = Filling {
                wanted: Wanted::Null,
                later: !replacement.during_plan,
                seed: &seed,
                problems: Vec::new(),
            };
            let planned = filling.block(
                &block,
                &request.proposed,
                &replacement.values,
                &Path::root(),
            );
            problems = filling.problems;
            planned
        };
        let response = PlanResponse {
            planned,
            requires_replace: Vec::new(),
            private: Arc::from([]),
            legacy_type_system: false,
            identity: None,
        };
        Ok(Reply::new(response, problems))
    }

    async fn apply(&self, request: ApplyRequest) -> Attempt<ApplyResponse> {
        let block = self.resource_block(&request.type_name)?;
        let replacement = self.replacement(&request.type_name, false);
        let is_new = request.prior.is_null() && !replacement.during_plan;
        let seed = self.seed(&request.type_name, is_new);
        let mut filling = Filling::now(Wanted::Unknown, &seed);
        let state = filling.block(&block, &request.planned, &replacement.values, &Path::root());
        let response = ApplyResponse {
            state,
            private: Arc::from([]),
            legacy_type_system: false,
            identity: None,
        };
        Ok(Reply::new(response, filling.problems))
    }

    async fn import(&self, type_name: &str, id: &str) -> Attempt<Vec<ImportedResource>> {
        let block = self.resource_block(type_name)?;
        let seed = self.seed(type_name, true);
        let mut filling = Filling::now(Wanted::Null, &seed);
        let mut values = self.replacement(type_name, false).values;
        if values.get("id").is_none()
            && let Some(entries) = values.as_entries()
        {
            let mut entries = entries.clone();
            entries.insert("id".into(), Value::string(id));
            values = Value::object(entries);
        }
        let state = filling.block(&block, &block.empty_value(), &values, &Path::root());
        let imported = ImportedResource {
            type_name: type_name.into(),
            state,
            private: Arc::from([]),
            identity: None,
        };
        Ok(Reply::new(vec![imported], filling.problems))
    }

    async fn open_ephemeral(&self, type_name: &str, config: Value) -> Attempt<OpenedEphemeral> {
        let schema = self.schema.ephemeral_resources.get(type_name);
        let block = &schema.ok_or_else(|| unknown_type(type_name))?.block;
        let seed = self.seed(type_name, false);
        let mut filling = Filling::now(Wanted::Null, &seed);
        let opened = OpenedEphemeral {
            value: filling.block(block, &config, &Value::empty_object(), &Path::root()),
            private: Arc::from([]),
            renew_at: None,
        };
        Ok(Reply::new(opened, filling.problems))
    }

    async fn close_ephemeral(&self, _: &str, _: Arc<[u8]>) -> Attempt<()> {
        Ok(Reply::of(()))
    }

    async fn read_data(&self, type_name: &str, config: Value) -> Attempt<Value> {
        let schema = self.schema.data_sources.get(type_name);
        let block = &schema.ok_or_else(|| unknown_type(type_name))?.block;
        let seed = self.seed(type_name, false);
        let mut filling = Filling::now(Wanted::Null, &seed);
        let values = self.replacement(type_name, true).values;
        let read = filling.block(block, &config, &values, &Path::root());
        Ok(Reply::new(read, filling.problems))
    }

    async fn call_function(
        &self,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<Result<Value, (Option<usize>, String)>, ProviderError> {
        match &self.real {
            Some(real) => real.call_function(name, arguments).await,
            None => Err(ProviderError {
                message: "a provider that a test made up has no functions".to_owned(),
            }),
        }
    }

    fn for_instance(self: Arc<Self>, address: &AbsResourceInstance) -> Option<Arc<dyn Provider>> {
        let mut own = (*self).clone();
        own.address = address.to_string();
        let found = self
            .overrides
            .iter()
            .find(|(target, _)| target.contains(address));
        if let Some((_, replacement)) = found {
            own.replacement = Some(replacement.clone());
        }
        Some(Arc::new(own))
    }

    async fn stop(&self) -> Result<(), ProviderError> {
        match &self.real {
            Some(real) => real.stop().await,
            None => Ok(()),
        }
    }

    async fn close(&self) {
        if let Some(real) = &self.real {
            real.close().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use terrace_schema::{Attribute, ResourceSchema};
    use terrace_value::Type;

    fn schema() -> Arc<ProviderSchema> {
        let attributes = [
            ("id", Attribute::computed(Type::String)),
            ("name", Attribute::optional(Type::String)),
        ];
        let block = Block {
            attributes: attributes
                .map(|(name, attribute)| (name.into(), attribute))
                .into(),
            ..Block::default()
        };
        let mut schema = ProviderSchema::default();
        let thing = ResourceSchema { version: 0, block };
        schema.resources.insert("thing".into(), Arc::new(thing));
        Arc::new(schema)
    }

    fn object(id: Value) -> Value {
        Value::object([("id", id), ("name", Value::string("a"))])
    }

    /// Plans and applies a new object: its id while planning, and once applied.
    fn make(mock: &Arc<MockProvider>, address: &str) -> (Value, Value) {
        let address = address.parse().unwrap();
        let provider = Arc::clone(mock).for_instance(&address).unwrap();
        let config = object(Value::null(Type::String));
        let planned = provider
            .plan(PlanRequest {
                type_name: "thing".into(),
                prior: Value::null(config.ty()),
                proposed: config.clone(),
                config: config.clone(),
                prior_private: Arc::from([]),
                identity: None,
            })
            .now_or_never()
            .unwrap()
            .unwrap()
            .value
            .planned;
        let applied = provider
            .apply(ApplyRequest {
                type_name: "thing".into(),
                prior: Value::null(config.ty()),
                planned: planned.clone(),
                config,
                planned_private: Arc::from([]),
                identity: None,
            })
            .now_or_never()
            .unwrap()
            .unwrap()
            .value
            .state;
        let id = |value: &Value| value.get("id").unwrap().clone();
        (id(&planned), id(&applied))
    }

    #[test]
    fn objects_are_made_up_anew_each_time() {
        let mock = Arc::new(MockProvider::new(schema(), MockedTypes::default(), []));
        let (planned, first) = make(&mock, "thing.a");
        assert!(!planned.is_known());
        let (_, second) = make(&mock, "thing.a");
        let (_, other) = make(&mock, "thing.b");
        assert!(first.is_wholly_known());
        assert_ne!(first, second);
        assert_ne!(first, other);
    }

    #[test]
    fn what_is_said_of_an_object_counts_before_what_is_said_of_its_type() {
        let replacement = |id: &str, during_plan| Replacement {
            values: Value::object([("id", Value::string(id))]),
            during_plan,
        };
        let mut mocked = MockedTypes::default();
        mocked
            .resources
            .insert("thing".into(), replacement("of-type", false));
        let overrides = [("thing.a".parse().unwrap(), replacement("own", true))];
        let mock = Arc::new(MockProvider::new(schema(), mocked, overrides));
        let own = Value::string("own");
        assert_eq!(make(&mock, "thing.a"), (own.clone(), own));
        assert_eq!(make(&mock, "thing.b").1, Value::string("of-type"));
    }
}
