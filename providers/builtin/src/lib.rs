//! The provider inside the engine: `terraform_data`, `terraform_remote_state`, and functions that read and write
//! the language itself.

mod data;
mod functions;
mod remote_state;
mod schema;

use std::sync::Arc;

use async_trait::async_trait;
use terrace_port::{
    ApplyRequest, ApplyResponse, Attempt, Entropy, ImportedResource, MoveRequest, MoveResponse,
    PlanRequest, PlanResponse, Provider, ProviderDiagnostic, ProviderError, ReadRequest,
    ReadResponse, Reply, ResourceState,
};
use terrace_schema::ProviderSchema;
use terrace_value::{Text, Value};

pub use functions::call as call_function;
pub use remote_state::{RemoteOutputs, RemoteStates};

/// The provider `terraform.io/builtin/terraform`.
pub struct Builtin {
    entropy: Arc<dyn Entropy>,
    remote: Arc<dyn RemoteStates>,
    schema: Arc<ProviderSchema>,
}

impl Builtin {
    /// Ids come from `entropy`; `remote` opens the states that `terraform_remote_state` names.
    pub fn new(entropy: Arc<dyn Entropy>, remote: Arc<dyn RemoteStates>) -> Self {
        Self {
            entropy,
            remote,
            schema: Arc::new(schema::provider()),
        }
    }

    /// Its schema, without starting anything.
    pub fn static_schema() -> ProviderSchema {
        schema::provider()
    }
}

fn unknown_type<T>(kind: &str, type_name: &str) -> Attempt<T> {
    Err(ProviderError {
        message: format!("The built-in provider has no {kind} type {type_name:?}."),
    })
}

#[async_trait]
impl Provider for Builtin {
    async fn schema(&self) -> Result<Arc<ProviderSchema>, ProviderError> {
        Ok(self.schema.clone())
    }

    async fn validate_provider_config(&self, config: Value) -> Attempt<Value> {
        Ok(Reply::of(config))
    }

    async fn configure(&self, _config: Value) -> Attempt<()> {
        Ok(Reply::of(()))
    }

    async fn validate_resource_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        if type_name != "terraform_data" {
            return unknown_type("resource", type_name);
        }
        Ok(Reply {
            value: (),
            diagnostics: data::validate(&config),
            deferred: None,
        })
    }

    async fn validate_data_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        if type_name != "terraform_remote_state" {
            return unknown_type("data source", type_name);
        }
        Ok(Reply {
            value: (),
            diagnostics: remote_state::validate(&config),
            deferred: None,
        })
    }

    async fn upgrade_state(&self, state: ResourceState) -> Attempt<Value> {
        let Some(schema) = self.schema.resources.get(&state.type_name) else {
            return unknown_type("resource", &state.type_name);
        };
        let text = std::str::from_utf8(&state.json).unwrap_or_default();
        match terrace_value::json::decode(text, &schema.block.implied_type()) {
            Ok(value) => Ok(Reply::of(value)),
            Err(error) => Ok(Reply {
                value: Value::NULL,
                diagnostics: vec![ProviderDiagnostic::error(
                    "Stored object cannot be read",
                    format!(
                        "The attributes of a {} in the state do not fit its schema: {error}.",
                        state.type_name
                    ),
                )],
                deferred: None,
            }),
        }
    }

    async fn move_state(&self, request: MoveRequest) -> Attempt<MoveResponse> {
        if &*request.target_type_name != "terraform_data" {
            return unknown_type("resource", &request.target_type_name);
        }
        let empty = || MoveResponse {
            state: Value::NULL,
            private: Arc::default(),
            identity: None,
        };
        Ok(match data::from_null_resource(&request) {
            Ok(state) => Reply::of(MoveResponse { state, ..empty() }),
            Err(problem) => Reply {
                value: empty(),
                diagnostics: vec![*problem],
                deferred: None,
            },
        })
    }

    async fn read(&self, request: ReadRequest) -> Attempt<ReadResponse> {
        Ok(Reply::of(ReadResponse {
            state: request.current,
            private: request.private,
            identity: None,
        }))
    }

    async fn plan(&self, request: PlanRequest) -> Attempt<PlanResponse> {
        Ok(Reply::of(data::plan(request)))
    }

    async fn apply(&self, request: ApplyRequest) -> Attempt<ApplyResponse> {
        Ok(Reply::of(data::apply(request, &*self.entropy)))
    }

    async fn import(&self, type_name: &str, id: &str) -> Attempt<Vec<ImportedResource>> {
        if type_name != "terraform_data" {
            return unknown_type("resource", type_name);
        }
        if id.is_empty() {
            return Ok(Reply {
                value: Vec::new(),
                diagnostics: vec![ProviderDiagnostic::error(
                    "Invalid import id",
                    "The id of a terraform_data is not empty.",
                )],
                deferred: None,
            });
        }
        let state = data::object(Value::string(id), Value::NULL, Value::NULL, Value::NULL);
        let type_name = Text::from(type_name);
        Ok(Reply::of(vec![ImportedResource {
            type_name,
            state,
            private: Arc::default(),
            identity: None,
        }]))
    }

    async fn read_data(&self, type_name: &str, config: Value) -> Attempt<Value> {
        if type_name != "terraform_remote_state" {
            return unknown_type("data source", type_name);
        }
        Ok(remote_state::read(&config, &*self.remote).await)
    }

    async fn call_function(
        &self,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<Result<Value, (Option<usize>, String)>, ProviderError> {
        Ok(functions::call(name, &arguments))
    }

    async fn stop(&self) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn close(&self) {}
}
