//! One implementation of the port for all native providers.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use terrace_port::{
    ApplyRequest, ApplyResponse, Attempt, ImportedResource, PlanRequest, PlanResponse, Provider,
    ProviderDiagnostic, ProviderError, ReadRequest, ReadResponse, Reply, ResourceState,
};
use terrace_schema::ProviderSchema;
use terrace_value::{Text, Value};

use crate::Outside;
use crate::definition::{Attributes, Definition};

/// A native provider.
pub(crate) struct Native {
    outside: Outside,
    resources: Vec<Arc<Definition>>,
    data_sources: Vec<Arc<Definition>>,
    schema: Arc<ProviderSchema>,
}

impl Native {
    pub(crate) fn new(
        outside: Outside,
        resources: Vec<Definition>,
        data_sources: Vec<Definition>,
    ) -> Self {
        let table = |list: &[Definition]| {
            list.iter()
                .map(|found| (Text::from(found.name), Arc::new(found.schema())))
                .collect()
        };
        let schema = ProviderSchema {
            resources: table(&resources),
            data_sources: table(&data_sources),
            ..ProviderSchema::default()
        };
        let share = |list: Vec<Definition>| list.into_iter().map(Arc::new).collect();
        Self {
            outside,
            resources: share(resources),
            data_sources: share(data_sources),
            schema: Arc::new(schema),
        }
    }

    fn resource(&self, type_name: &str) -> Result<Arc<Definition>, ProviderError> {
        find(&self.resources, type_name)
    }
}

fn find(list: &[Arc<Definition>], type_name: &str) -> Result<Arc<Definition>, ProviderError> {
    list.iter()
        .find(|candidate| candidate.name == type_name)
        .cloned()
        .ok_or_else(|| ProviderError {
            message: format!("The provider has no type {type_name:?}."),
        })
}

fn attributes(value: &Value) -> Attributes {
    value.as_entries().cloned().unwrap_or_default()
}

fn present(value: &Value) -> Option<Attributes> {
    value.as_entries().cloned()
}

fn failed<T>(value: T, failure: ProviderDiagnostic) -> Reply<T> {
    Reply {
        value,
        diagnostics: vec![failure],
        deferred: None,
    }
}

/// Creation and change may take their time (`time_sleep`), and must not keep others waiting.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ProviderError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ProviderError {
            message: error.to_string(),
        })
}

#[async_trait]
impl Provider for Native {
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
        let definition = self.resource(type_name)?;
        Ok(Reply {
            value: (),
            diagnostics: (definition.validate)(&attributes(&config)),
            deferred: None,
        })
    }

    async fn validate_data_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        let definition = find(&self.data_sources, type_name)?;
        Ok(Reply {
            value: (),
            diagnostics: (definition.validate)(&attributes(&config)),
            deferred: None,
        })
    }

    async fn upgrade_state(&self, state: ResourceState) -> Attempt<Value> {
        let definition = self.resource(&state.type_name)?;
        let ty = definition.schema().block.implied_type();
        let json = std::str::from_utf8(&state.json).unwrap_or_default();
        if state.schema_version == definition.version
            && let Ok(value) = terrace_value::json::decode(json, &ty)
        {
            return Ok(Reply::of(value));
        }
        let stored = match terrace_value::json::decode_implied(json) {
            Ok(stored) => attributes(&stored),
            Err(error) => {
                let detail = format!(
                    "The attributes of a {} in the state are not an object: {error}.",
                    state.type_name
                );
                return Ok(failed(
                    Value::NULL,
                    ProviderDiagnostic::error("Stored object cannot be read", detail),
                ));
            }
        };
        let mut object = Attributes::new();
        for (name, ty, _) in &definition.attributes {
            let value = stored.get(*name).cloned().unwrap_or(Value::NULL);
            let value = terrace_value::convert::convert(&value, ty)
                .unwrap_or_else(|_| Value::null(ty.clone()));
            object.insert(Text::from(*name), value);
        }
        (definition.upgrade)(&mut object, &self.outside);
        Ok(Reply::of(Value::object(object)))
    }

    async fn read(&self, request: ReadRequest) -> Attempt<ReadResponse> {
        let definition = self.resource(&request.type_name)?;
        let ty = request.current.ty();
        let answer = |state, private| ReadResponse {
            state,
            private,
            identity: None,
        };
        Ok(
            match (definition.read)(attributes(&request.current), &self.outside) {
                Ok(Some(object)) => Reply::of(answer(Value::object(object), request.private)),
                Ok(None) => Reply::of(answer(Value::null(ty), request.private)),
                Err(failure) => failed(answer(request.current, request.private), failure),
            },
        )
    }

    async fn plan(&self, request: PlanRequest) -> Attempt<PlanResponse> {
        let definition = self.resource(&request.type_name)?;
        let answer = |planned, requires_replace| PlanResponse {
            planned,
            requires_replace,
            private: request.prior_private.clone(),
            legacy_type_system: false,
            identity: None,
        };
        if request.proposed.is_null() {
            return Ok(Reply::of(answer(request.proposed.clone(), Vec::new())));
        }
        let prior = present(&request.prior);
        let (planned, replace) = definition.planned(
            prior.as_ref(),
            &attributes(&request.proposed),
            &attributes(&request.config),
        );
        Ok(Reply::of(answer(Value::object(planned), replace)))
    }

    async fn apply(&self, request: ApplyRequest) -> Attempt<ApplyResponse> {
        let definition = self.resource(&request.type_name)?;
        let outside = self.outside.clone();
        let private = request.planned_private.clone();
        let answer = move |state| ApplyResponse {
            state,
            private,
            legacy_type_system: false,
            identity: None,
        };
        let prior = present(&request.prior);
        if request.planned.is_null() {
            let object = prior.unwrap_or_default();
            let before = request.prior;
            return Ok(
                match apart(move || (definition.delete)(&object, &outside)).await? {
                    Ok(()) => Reply::of(answer(request.planned)),
                    Err(failure) => failed(answer(before), failure),
                },
            );
        }
        let planned = attributes(&request.planned);
        let before = request.prior;
        // What was unknown while planning is judged only now.
        let diagnostics =
            present(&request.config).map_or_else(Vec::new, |config| (definition.validate)(&config));
        if diagnostics.iter().any(|diagnostic| diagnostic.error) {
            let value = answer(before);
            return Ok(Reply {
                value,
                diagnostics,
                deferred: None,
            });
        }
        Ok(
            match apart(move || (definition.apply)(prior.as_ref(), planned, &outside)).await? {
                Ok(object) => Reply::of(answer(Value::object(object))),
                Err(failure) => failed(answer(before), failure),
            },
        )
    }

    async fn import(&self, type_name: &str, id: &str) -> Attempt<Vec<ImportedResource>> {
        let definition = self.resource(type_name)?;
        let Some(import) = definition.import else {
            let detail = format!("A {type_name} cannot be imported.");
            return Ok(failed(
                Vec::new(),
                ProviderDiagnostic::error("Resource Import Not Implemented", detail),
            ));
        };
        let mut object: Attributes = definition
            .attributes
            .iter()
            .map(|(name, ty, _)| (Text::from(*name), Value::null(ty.clone())))
            .collect();
        Ok(match import(id, &self.outside) {
            Ok(found) => {
                object.extend(found);
                let state = Value::object(object);
                Reply::of(vec![ImportedResource {
                    type_name: type_name.into(),
                    state,
                    private: Arc::default(),
                    identity: None,
                }])
            }
            Err(failure) => failed(Vec::new(), failure),
        })
    }

    async fn read_data(&self, type_name: &str, config: Value) -> Attempt<Value> {
        let definition = find(&self.data_sources, type_name)?;
        let outside = self.outside.clone();
        let given = attributes(&config);
        Ok(
            match apart(move || (definition.apply)(None, given, &outside)).await? {
                Ok(object) => Reply::of(Value::object(object)),
                Err(failure) => failed(config, failure),
            },
        )
    }

    async fn call_function(
        &self,
        name: &str,
        _arguments: Vec<Value>,
    ) -> Result<Result<Value, (Option<usize>, String)>, ProviderError> {
        Ok(Err((
            None,
            format!("the native provider has no function {name:?}"),
        )))
    }

    async fn stop(&self) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn close(&self) {}
}
