//! What unit tests share: a provider of one type that answers as it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use terrace_addr::{
    AbsProviderConfig, AbsResourceInstance, ModuleInstance, ModulePath, ProviderAddr, Resource,
};
use terrace_config::Config;
use terrace_diag::SourceMap;
use terrace_eval::{Evaluator, Inputs, Paths};
use terrace_functions::{Context, FileError, FunctionTable};
use terrace_port::{
    ApplyRequest, ApplyResponse, Attempt, ImportedResource, Observer, OperationEvent, PlanRequest,
    PlanResponse, Provider, ProviderError, ReadRequest, ReadResponse, Reply, ResourceState,
};
use terrace_schema::{Attribute, Block, ProviderSchema, ResourceSchema};
use terrace_state::{Object, ObjectStatus};
use terrace_value::{Path, Type, Value};

use crate::instance::Subject;

/// How the provider answers a plan; `None` leaves the proposal, unknown where it computes.
pub(crate) type PlanAnswer = fn(&PlanRequest) -> Option<PlanResponse>;

/// A provider of the type `thing`: `name` (replaces when it changes), `size`, `secret` (sensitive) and a computed `id`.
pub(crate) struct Fake {
    /// The objects as reads find them, by id.
    pub(crate) objects: Mutex<BTreeMap<String, Value>>,
    pub(crate) answer: PlanAnswer,
}

impl Fake {
    pub(crate) fn new(objects: impl IntoIterator<Item = Value>) -> Self {
        let by_id = |value: Value| {
            (
                value
                    .get("id")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                value,
            )
        };
        Self {
            objects: Mutex::new(objects.into_iter().map(by_id).collect()),
            answer: |_| None,
        }
    }
}

pub(crate) fn schema() -> ResourceSchema {
    let attributes = [
        ("id", Attribute::computed(Type::String)),
        ("name", Attribute::required(Type::String)),
        ("size", Attribute::optional(Type::Number)),
        ("secret", Attribute::optional(Type::String).sensitive()),
    ];
    let attributes = attributes
        .into_iter()
        .map(|(name, attribute)| (name.into(), attribute))
        .collect();
    ResourceSchema {
        version: 1,
        block: Block {
            attributes,
            ..Block::default()
        },
    }
}

/// A `thing`.
pub(crate) fn thing(id: Value, name: &str, size: i64) -> Value {
    Value::object([
        ("id", id),
        ("name", Value::string(name)),
        ("size", Value::int(size)),
        ("secret", Value::null(Type::String)),
    ])
}

pub(crate) fn configured(name: &str, size: i64) -> Value {
    thing(Value::null(Type::String), name, size)
}

pub(crate) fn stored(value: &Value) -> Arc<Object> {
    let text = terrace_value::json::encode(value, &schema().block.implied_type())
        .expect("things can be encoded");
    Arc::new(Object {
        schema_version: 1,
        attributes: text.into_bytes().into(),
        sensitive_paths: Vec::new(),
        private: (*b"private").into(),
        dependencies: [].into(),
        status: ObjectStatus::Ready,
        create_before_destroy: false,
        skip_destroy: false,
        identity: None,
    })
}

struct Nowhere;

impl Context for Nowhere {
    fn read_file(&self, _: &str) -> Result<Arc<[u8]>, FileError> {
        Err(FileError::NotFound)
    }
    fn list_files(&self, _: &str) -> Result<Vec<String>, FileError> {
        Err(FileError::NotFound)
    }
    fn file_exists(&self, _: &str) -> Result<bool, FileError> {
        Ok(false)
    }
    fn absolute_path(&self, path: &str) -> String {
        path.to_owned()
    }
    fn home_directory(&self) -> Option<String> {
        None
    }
    fn timestamp(&self) -> Option<String> {
        None
    }
    fn plan_timestamp(&self) -> Option<String> {
        None
    }
    fn entropy(&self) -> Option<[u8; 16]> {
        None
    }
}

pub(crate) struct Unwatched;

impl Observer for Unwatched {
    fn on_event(&self, _: OperationEvent) {}
}

/// An evaluator of a configuration without anything in it.
pub(crate) fn evaluator() -> Evaluator {
    let root = terrace_config::ModuleNode {
        path: ModulePath::root(),
        module: Arc::default(),
        source: "".into(),
        children: BTreeMap::new(),
    };
    Evaluator::new(Inputs {
        config: Arc::new(Config {
            root,
            sources: SourceMap::new(),
            snapshot: Arc::default(),
            unmet_versions: terrace_diag::Diagnostics::new(),
        }),
        functions: Arc::new(FunctionTable::default()),
        context: Arc::new(Nowhere),
        schemas: Arc::default(),
        variables: BTreeMap::new(),
        workspace: "default".into(),
        paths: Paths {
            cwd: "/".into(),
            root: ".".into(),
        },
        applying: false,
    })
}

pub(crate) fn address() -> AbsResourceInstance {
    Resource::managed("thing", "a")
        .in_module(ModuleInstance::root())
        .instance(None)
}

pub(crate) fn provider_config() -> AbsProviderConfig {
    AbsProviderConfig {
        module: ModulePath::root(),
        provider: ProviderAddr::default_for("fake"),
        alias: None,
        key: None,
    }
}

pub(crate) fn subject(provider: Fake) -> Subject {
    Subject {
        address: address(),
        previous_address: None,
        deposed: None,
        provider_config: provider_config(),
        provider: Arc::new(provider),
        schema: Arc::new(schema()),
        null: Value::null(schema().block.implied_type()),
        block: None,
        evaluator: Arc::new(evaluator()),
        observer: Arc::new(Unwatched),
    }
}

#[async_trait]
impl Provider for Fake {
    async fn schema(&self) -> Result<Arc<ProviderSchema>, ProviderError> {
        let resources = [("thing".into(), Arc::new(schema()))].into();
        Ok(Arc::new(ProviderSchema {
            resources,
            ..ProviderSchema::default()
        }))
    }
    async fn validate_provider_config(&self, config: Value) -> Attempt<Value> {
        Ok(Reply::of(config))
    }
    async fn configure(&self, _: Value) -> Attempt<()> {
        Ok(Reply::of(()))
    }
    async fn validate_resource_config(&self, _: &str, _: Value) -> Attempt<()> {
        Ok(Reply::of(()))
    }
    async fn validate_data_config(&self, _: &str, _: Value) -> Attempt<()> {
        Ok(Reply::of(()))
    }
    async fn upgrade_state(&self, state: ResourceState) -> Attempt<Value> {
        let text = std::str::from_utf8(&state.json).map_err(|error| ProviderError {
            message: error.to_string(),
        })?;
        terrace_value::json::decode(text, &schema().block.implied_type())
            .map(Reply::of)
            .map_err(|error| ProviderError {
                message: error.to_string(),
            })
    }
    async fn read(&self, request: ReadRequest) -> Attempt<ReadResponse> {
        let id = request
            .current
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let found = self
            .objects
            .lock()
            .expect("no test panics while it holds the lock")
            .get(id)
            .cloned();
        let state = found.unwrap_or_else(|| Value::null(schema().block.implied_type()));
        Ok(Reply::of(ReadResponse {
            state,
            private: request.private,
            identity: None,
        }))
    }
    async fn plan(&self, request: PlanRequest) -> Attempt<PlanResponse> {
        if let Some(answer) = (self.answer)(&request) {
            return Ok(Reply::of(answer));
        }
        let planned = if request.prior.is_null() && !request.proposed.is_null() {
            let entries = request.proposed.as_entries().cloned().unwrap_or_default();
            let fill = |(name, value): (terrace_value::Text, Value)| {
                let value = if &*name == "id" {
                    Value::unknown(Type::String)
                } else {
                    value
                };
                (name, value)
            };
            Value::object(entries.into_iter().map(fill))
        } else {
            request.proposed
        };
        let name = Path::root().attribute("name");
        let replaced =
            !request.prior.is_null() && request.prior.at_path(&name) != planned.at_path(&name);
        Ok(Reply::of(PlanResponse {
            planned,
            requires_replace: if replaced { vec![name] } else { Vec::new() },
            private: (*b"planned").into(),
            legacy_type_system: false,
            identity: None,
        }))
    }
    async fn apply(&self, _: ApplyRequest) -> Attempt<ApplyResponse> {
        Err(ProviderError {
            message: "planning never applies".into(),
        })
    }
    async fn import(&self, type_name: &str, id: &str) -> Attempt<Vec<ImportedResource>> {
        let state = Value::object([
            ("id", Value::string(id)),
            ("name", Value::null(Type::String)),
            ("size", Value::null(Type::Number)),
            ("secret", Value::null(Type::String)),
        ]);
        Ok(Reply::of(vec![ImportedResource {
            type_name: type_name.into(),
            state,
            private: [].into(),
            identity: None,
        }]))
    }
    async fn read_data(&self, _: &str, config: Value) -> Attempt<Value> {
        Ok(Reply::of(config))
    }
    async fn call_function(
        &self,
        _: &str,
        _: Vec<Value>,
    ) -> Result<Result<Value, (Option<usize>, String)>, ProviderError> {
        Err(ProviderError {
            message: "it has no functions".into(),
        })
    }
    async fn stop(&self) -> Result<(), ProviderError> {
        Ok(())
    }
    async fn close(&self) {}
}
