//! The engine's port, answered by handlers.

use std::sync::Arc;

use async_trait::async_trait;
use terrace_port::{
    ApplyRequest, ApplyResponse, Attempt, ImportedResource, MoveRequest, MoveResponse,
    OpenedEphemeral, PlanRequest, PlanResponse, Provider as Port, ProviderError, ReadRequest,
    ReadResponse, RenewedEphemeral, Reply, ResourceState,
};
use terrace_schema::{ProviderSchema, without_write_only};
use terrace_value::{Type, Value, json};

use crate::answer::{attempted, conform, guarded, reply, stored};
use crate::erased::{AnyResource, Entry};
use crate::function::Arguments;
use crate::{
    Data, Diagnostic, Diagnostics, ImportFrom, MoveFrom, Object, Outcome, Plan, Private, Provider,
    Schema, legacy, plan,
};

fn find<T: Clone>(
    table: &std::collections::BTreeMap<terrace_value::Text, T>,
    what: &str,
    name: &str,
) -> Result<T, ProviderError> {
    table.get(name).cloned().ok_or_else(|| ProviderError {
        message: format!("it has no {what} {name:?}"),
    })
}

/// What a schema's own checks and `check` say of a configuration.
async fn checked(
    schema: &Schema,
    config: &Value,
    check: impl FnOnce(&Object, &mut Diagnostics) + Send,
) -> Attempt<()> {
    let config = Object::of(config).unwrap_or_default();
    let diagnostics = guarded(async {
        let mut diagnostics = schema.validated(&config);
        check(&config, &mut diagnostics);
        diagnostics
    });
    Ok(reply((), diagnostics.await?))
}

fn identity_value(
    identity: Option<Object>,
    ty: Option<&Type>,
) -> Result<Option<Value>, Diagnostic> {
    let (Some(identity), Some(ty)) = (identity, ty) else {
        return Ok(None);
    };
    terrace_value::convert::convert(&identity.into_value(), ty)
        .map(Some)
        .map_err(|error| {
            Diagnostic::error(
                "Provider returned an invalid identity",
                format!(
                    "The identity does not fit its schema: {}. This is a bug in the provider, which should be reported in the provider's own issue tracker.",
                    error.message
                ),
            )
        })
}

impl<C: Send + Sync + 'static> Provider<C> {
    fn resource(&self, name: &str) -> Result<Arc<Entry<dyn AnyResource<C>>>, ProviderError> {
        find(&self.shared.resources, "resource type", name)
    }

    fn identity_type(&self, name: &str) -> Option<Type> {
        Some(self.shared.schema.identities.get(name)?.implied_type())
    }

    async fn planned(&self, request: PlanRequest) -> Attempt<PlanResponse> {
        let entry = self.resource(&request.type_name)?;
        let schema_plan = if request.proposed.is_null() {
            plan::Planned {
                object: request.proposed.clone(),
                replace: Vec::new(),
            }
        } else {
            // What is written only is no change of what is stored.
            let proposed = without_write_only(&entry.block, &request.proposed);
            let make = if entry.schema.legacy {
                legacy::plan
            } else {
                plan::plan
            };
            make(&entry.schema, &request.prior, &request.config, &proposed)
        };
        let mut asked = Plan {
            client: self.client(),
            prior: Object::of(&request.prior),
            config: Object::of(&request.config),
            planned: Object::of(&schema_plan.object),
            replace: schema_plan.replace,
            private: Private::decode(&request.prior_private),
            diagnostics: Diagnostics::new(),
        };
        let answer = |planned, requires_replace, private| PlanResponse {
            planned,
            requires_replace,
            private,
            legacy_type_system: entry.schema.legacy,
            identity: request.identity.clone(),
        };
        let mut diagnostics = match entry.of.plan(&mut asked).await {
            Ok(()) => asked.diagnostics,
            Err(failure) => {
                let mut said = asked.diagnostics;
                said.extend(failure);
                said
            }
        };
        let planned = match asked.planned {
            None => Ok(Value::null(entry.ty.clone())),
            Some(planned) => conform(&entry.block, &entry.ty, &planned.into_value()),
        };
        let planned = planned.unwrap_or_else(|failure| {
            diagnostics.push(failure);
            request.proposed.clone()
        });
        Ok(reply(
            answer(planned, asked.replace, asked.private.encode()),
            diagnostics,
        ))
    }

    async fn applied(&self, request: ApplyRequest) -> Attempt<ApplyResponse> {
        let entry = self.resource(&request.type_name)?;
        let answer = |state: Value, private, identity| ApplyResponse {
            state,
            private,
            legacy_type_system: entry.schema.legacy,
            identity,
        };
        let mut call = match self.call(&request.config, &request.planned_private) {
            Ok(call) => call,
            Err(failure) => {
                let answer = answer(request.prior, request.planned_private, request.identity);
                return Ok(reply(answer, failure));
            }
        };
        call.identity = request.identity.as_ref().and_then(Object::of);
        let result = if request.planned.is_null() {
            entry
                .of
                .delete(&mut call, &request.prior)
                .await
                .map(|()| request.planned.clone())
        } else {
            match Self::check_known(&entry, &call.config) {
                Err(failure) => Err(failure),
                Ok(()) if request.prior.is_null() => {
                    entry.of.create(&mut call, &request.planned).await
                }
                Ok(()) => {
                    let (prior, planned) = (&request.prior, &request.planned);
                    entry.of.update(&mut call, prior, planned).await
                }
            }
        };
        let shaped = result.and_then(|state| {
            let state = conform(&entry.block, &entry.ty, &state)?;
            Ok(if entry.schema.legacy {
                legacy::settled(&entry.block, &request.planned, &state)
            } else {
                state
            })
        });
        let mut diagnostics = call.diagnostics;
        let state = shaped.unwrap_or_else(|failure| {
            diagnostics.extend(failure);
            let kept = call.kept.as_ref().unwrap_or(&request.prior);
            conform(&entry.block, &entry.ty, kept).unwrap_or_else(|_| request.prior.clone())
        });
        let identity_ty = self.identity_type(&request.type_name);
        let identity = identity_value(call.identity, identity_ty.as_ref()).unwrap_or_else(|bug| {
            diagnostics.push(bug);
            None
        });
        Ok(reply(
            answer(state, call.private.encode(), identity),
            diagnostics,
        ))
    }

    /// What was not known while a configuration was validated is judged before it is carried out.
    fn check_known(entry: &Entry<dyn AnyResource<C>>, config: &Object) -> Outcome<()> {
        let mut diagnostics = entry.schema.validated(config);
        entry.of.validate(config, &mut diagnostics);
        if diagnostics.has_error() {
            return Err(diagnostics);
        }
        Ok(())
    }

    async fn present(&self, request: ReadRequest) -> Attempt<ReadResponse> {
        let entry = self.resource(&request.type_name)?;
        let mut call = match self.call(&Value::NULL, &request.private) {
            Ok(call) => call,
            Err(failure) => {
                let answer = ReadResponse {
                    state: request.current,
                    private: request.private,
                    identity: request.identity,
                };
                return Ok(reply(answer, failure));
            }
        };
        call.identity = request.identity.as_ref().and_then(Object::of);
        let read = entry.of.read(&mut call, &request.current).await;
        let shaped = read.and_then(|state| match state {
            None => Ok(Value::null(entry.ty.clone())),
            Some(state) => Ok(conform(&entry.block, &entry.ty, &state)?),
        });
        let mut diagnostics = call.diagnostics;
        let state = shaped.unwrap_or_else(|failure| {
            diagnostics.extend(failure);
            request.current.clone()
        });
        let identity_ty = self.identity_type(&request.type_name);
        let identity = identity_value(call.identity, identity_ty.as_ref()).unwrap_or_else(|bug| {
            diagnostics.push(bug);
            None
        });
        let answer = ReadResponse {
            state,
            private: call.private.encode(),
            identity,
        };
        Ok(reply(answer, diagnostics))
    }

    async fn imported(&self, type_name: &str, from: ImportFrom) -> Attempt<Vec<ImportedResource>> {
        let entry = self.resource(type_name)?;
        let mut call = match self.call(&Value::NULL, &[]) {
            Ok(call) => call,
            Err(failure) => return Ok(reply(Vec::new(), failure)),
        };
        if let ImportFrom::Identity(identity) = &from {
            call.identity = Some(identity.clone());
        }
        let result = match entry.of.import(&mut call, from).await {
            Ok(found) => stored(&entry.block, &entry.ty, &found).map_err(Diagnostics::from),
            Err(failure) => Err(failure),
        };
        let identity_ty = self.identity_type(type_name);
        let result = result
            .and_then(|state| Ok((state, identity_value(call.identity, identity_ty.as_ref())?)));
        let mut diagnostics = call.diagnostics;
        let found = match result {
            Ok((state, identity)) => vec![ImportedResource {
                type_name: type_name.into(),
                state,
                private: call.private.encode(),
                identity,
            }],
            Err(failure) => {
                diagnostics.extend(failure);
                Vec::new()
            }
        };
        Ok(reply(found, diagnostics))
    }

    async fn upgraded(&self, state: ResourceState) -> Attempt<Value> {
        let entry = self.resource(&state.type_name)?;
        let json = String::from_utf8_lossy(&state.json);
        let current = entry.schema.version;
        if state.schema_version == current
            && let Ok(value) = json::decode(&json, &entry.ty)
        {
            return Ok(Reply::of(value));
        }
        let object = match stored_object(&state.type_name, &json) {
            Ok(object) => object,
            Err(failure) => return Ok(reply(Value::null(entry.ty.clone()), failure.into())),
        };
        let object = if state.schema_version == current {
            Ok(object)
        } else {
            entry.of.upgrade(state.schema_version, object).await
        };
        Ok(
            match object.and_then(|object| Ok(stored(&entry.block, &entry.ty, &object)?)) {
                Ok(value) => Reply::of(value),
                Err(failure) => reply(Value::null(entry.ty.clone()), failure),
            },
        )
    }

    async fn upgraded_identity(&self, identity: ResourceState) -> Attempt<Value> {
        let entry = self.resource(&identity.type_name)?;
        let schema = find(
            &self.shared.schema.identities,
            "identity of type",
            &identity.type_name,
        )?;
        let ty = schema.implied_type();
        let json = String::from_utf8_lossy(&identity.json);
        let object = match stored_object(&identity.type_name, &json) {
            Ok(object) if identity.schema_version == schema.version => Ok(object),
            Ok(object) => {
                let version = identity.schema_version;
                entry.of.upgrade_identity(version, object).await
            }
            Err(failure) => Err(failure.into()),
        };
        let value = object.and_then(|object| Ok(identity_value(Some(object), Some(&ty))?));
        Ok(match value {
            Ok(value) => Reply::of(value.unwrap_or_else(|| Value::null(ty))),
            Err(failure) => reply(Value::null(ty), failure),
        })
    }

    async fn moved(&self, request: MoveRequest) -> Attempt<MoveResponse> {
        let entry = self.resource(&request.target_type_name)?;
        let answer = |state| MoveResponse {
            state,
            private: Arc::default(),
            identity: None,
        };
        let nothing = || answer(Value::null(entry.ty.clone()));
        let json = String::from_utf8_lossy(&request.source.json);
        let from = match stored_object(&request.source.type_name, &json) {
            Ok(state) => MoveFrom {
                provider: request.source_provider.to_string(),
                type_name: request.source.type_name.to_string(),
                schema_version: request.source.schema_version,
                state,
            },
            Err(failure) => return Ok(reply(nothing(), failure.into())),
        };
        let source = from.type_name.clone();
        let result = match entry.of.take_over(from).await {
            Ok(Some(object)) => stored(&entry.block, &entry.ty, &object).map_err(Diagnostics::from),
            Ok(None) => {
                let detail = format!(
                    "The target resource implementation does not include support for the given source resource. The resource implementation can be updated by the provider developers to include this support by returning the moved state when the request matches this source.\n\nSource Provider Address: {}\nSource Resource Type: {source}\nSource Resource Schema Version: {}\nTarget Resource Type: {}",
                    request.source_provider,
                    request.source.schema_version,
                    request.target_type_name,
                );
                Err(Diagnostic::error("Unable to Move Resource State", detail).into())
            }
            Err(failure) => Err(failure),
        };
        Ok(match result {
            Ok(state) => Reply::of(answer(state)),
            Err(failure) => reply(nothing(), failure),
        })
    }

    async fn data(&self, type_name: &str, config: Value) -> Attempt<Value> {
        let entry = find(&self.shared.data_sources, "data source", type_name)?;
        let given = Object::of(&config).unwrap_or_default();
        let mut diagnostics = entry.schema.validated(&given);
        entry.of.validate(&given, &mut diagnostics);
        if diagnostics.has_error() {
            return Ok(reply(config, diagnostics));
        }
        let completed = plan::with_defaults(&entry.schema, &config, &config);
        let mut call = match self.call(&config, &[]) {
            Ok(call) => call,
            Err(failure) => return Ok(reply(config, failure)),
        };
        let read = entry.of.read(&mut call, &completed).await;
        let shaped = read.and_then(|state| Ok(conform(&entry.block, &entry.ty, &state)?));
        let mut diagnostics = call.diagnostics;
        let state = shaped.unwrap_or_else(|failure| {
            diagnostics.extend(failure);
            config
        });
        Ok(reply(state, diagnostics))
    }

    async fn opened(&self, type_name: &str, config: Value) -> Attempt<OpenedEphemeral> {
        let entry = find(&self.shared.ephemeral, "ephemeral resource type", type_name)?;
        let nothing = || OpenedEphemeral {
            value: Value::null(entry.ty.clone()),
            private: Arc::default(),
            renew_at: None,
        };
        let given = Object::of(&config).unwrap_or_default();
        let mut diagnostics = entry.schema.validated(&given);
        entry.of.validate(&given, &mut diagnostics);
        if diagnostics.has_error() {
            return Ok(reply(nothing(), diagnostics));
        }
        let completed = plan::with_defaults(&entry.schema, &config, &config);
        let mut call = match self.call(&config, &[]) {
            Ok(call) => call,
            Err(failure) => return Ok(reply(nothing(), failure)),
        };
        let result = entry.of.open(&mut call, &completed).await;
        let shaped = result.and_then(|opened| {
            let value = conform(&entry.block, &entry.ty, &opened.state)?;
            Ok((value, opened.renew_at))
        });
        let mut diagnostics = call.diagnostics;
        Ok(match shaped {
            Ok((value, renew_at)) => {
                let opened = OpenedEphemeral {
                    value,
                    private: call.private.encode(),
                    renew_at,
                };
                reply(opened, diagnostics)
            }
            Err(failure) => {
                diagnostics.extend(failure);
                reply(nothing(), diagnostics)
            }
        })
    }

    async fn renewed(&self, type_name: &str, private: Arc<[u8]>) -> Attempt<RenewedEphemeral> {
        let entry = find(&self.shared.ephemeral, "ephemeral resource type", type_name)?;
        let mut call = match self.call(&Value::NULL, &private) {
            Ok(call) => call,
            Err(failure) => {
                let nothing = RenewedEphemeral {
                    private,
                    renew_at: None,
                };
                return Ok(reply(nothing, failure));
            }
        };
        let result = entry.of.renew(&mut call).await;
        let mut diagnostics = call.diagnostics;
        let renew_at = result.unwrap_or_else(|failure| {
            diagnostics.extend(failure);
            None
        });
        let renewed = RenewedEphemeral {
            private: call.private.encode(),
            renew_at,
        };
        Ok(reply(renewed, diagnostics))
    }

    async fn closed(&self, type_name: &str, private: Arc<[u8]>) -> Attempt<()> {
        let entry = find(&self.shared.ephemeral, "ephemeral resource type", type_name)?;
        let mut call = match self.call(&Value::NULL, &private) {
            Ok(call) => call,
            Err(failure) => return Ok(reply((), failure)),
        };
        let result = entry.of.close(&mut call).await;
        let mut diagnostics = call.diagnostics;
        if let Err(failure) = result {
            diagnostics.extend(failure);
        }
        Ok(reply((), diagnostics))
    }
}

fn stored_object(type_name: &str, json: &str) -> Result<Object, Diagnostic> {
    let stored = json::decode_implied(json)
        .ok()
        .and_then(|value| Object::of(&value));
    stored.ok_or_else(|| {
        Diagnostic::error(
            "Stored object cannot be read",
            format!("What the state stores of a {type_name} is not an object in JSON."),
        )
    })
}

#[async_trait]
impl<C: Send + Sync + 'static> Port for Provider<C> {
    async fn schema(&self) -> Result<Arc<ProviderSchema>, ProviderError> {
        Ok(self.shared.schema.clone())
    }

    async fn validate_provider_config(&self, config: Value) -> Attempt<Value> {
        let given = Object::of(&config).unwrap_or_default();
        let diagnostics = guarded(async { self.check_config(&given) }).await?;
        Ok(reply(config, diagnostics))
    }

    async fn configure(&self, config: Value) -> Attempt<()> {
        let config = Object::of(&config).unwrap_or_default();
        Ok(match guarded(self.set_up(config)).await? {
            Ok(()) => Reply::of(()),
            Err(failure) => reply((), failure),
        })
    }

    async fn validate_resource_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        let entry = self.resource(type_name)?;
        checked(&entry.schema, &config, |config, diagnostics| {
            entry.of.validate(config, diagnostics);
        })
        .await
    }

    async fn validate_data_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        let entry = find(&self.shared.data_sources, "data source", type_name)?;
        checked(&entry.schema, &config, |config, diagnostics| {
            entry.of.validate(config, diagnostics);
        })
        .await
    }

    async fn validate_ephemeral_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        let entry = find(&self.shared.ephemeral, "ephemeral resource type", type_name)?;
        checked(&entry.schema, &config, |config, diagnostics| {
            entry.of.validate(config, diagnostics);
        })
        .await
    }

    async fn upgrade_state(&self, state: ResourceState) -> Attempt<Value> {
        attempted(self.upgraded(state)).await
    }

    async fn upgrade_identity(&self, identity: ResourceState) -> Attempt<Value> {
        attempted(self.upgraded_identity(identity)).await
    }

    async fn move_state(&self, request: MoveRequest) -> Attempt<MoveResponse> {
        attempted(self.moved(request)).await
    }

    async fn read(&self, request: ReadRequest) -> Attempt<ReadResponse> {
        attempted(self.present(request)).await
    }

    async fn plan(&self, request: PlanRequest) -> Attempt<PlanResponse> {
        attempted(self.planned(request)).await
    }

    async fn apply(&self, request: ApplyRequest) -> Attempt<ApplyResponse> {
        attempted(self.applied(request)).await
    }

    async fn import(&self, type_name: &str, id: &str) -> Attempt<Vec<ImportedResource>> {
        attempted(self.imported(type_name, ImportFrom::Id(id.to_owned()))).await
    }

    async fn id_before_creation(&self, type_name: &str, planned: &Value) -> Option<String> {
        let entry = self.resource(type_name).ok()?;
        let mut call = self.call(&Value::NULL, &[]).ok()?;
        entry.of.id_before_creation(&mut call, planned).await
    }

    async fn import_identity(
        &self,
        type_name: &str,
        identity: Value,
    ) -> Attempt<Vec<ImportedResource>> {
        let identity = Object::of(&identity).unwrap_or_default();
        attempted(self.imported(type_name, ImportFrom::Identity(identity))).await
    }

    async fn open_ephemeral(&self, type_name: &str, config: Value) -> Attempt<OpenedEphemeral> {
        attempted(self.opened(type_name, config)).await
    }

    async fn renew_ephemeral(
        &self,
        type_name: &str,
        private: Arc<[u8]>,
    ) -> Attempt<RenewedEphemeral> {
        attempted(self.renewed(type_name, private)).await
    }

    async fn close_ephemeral(&self, type_name: &str, private: Arc<[u8]>) -> Attempt<()> {
        attempted(self.closed(type_name, private)).await
    }

    async fn read_data(&self, type_name: &str, config: Value) -> Attempt<Value> {
        attempted(self.data(type_name, config)).await
    }

    async fn call_function(
        &self,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<Result<Value, (Option<usize>, String)>, ProviderError> {
        let function = find(&self.shared.functions, "function", name)?;
        let result = guarded(async { (function.body)(Arguments(arguments)) }).await?;
        Ok(result.map_err(|error| (error.argument, error.message)))
    }

    fn with_meta(self: Arc<Self>, meta: Value) -> Option<Arc<dyn Port>> {
        self.shared.meta_ty.as_ref()?;
        Some(Arc::new(self.told(&meta)))
    }

    async fn stop(&self) -> Result<(), ProviderError> {
        self.shared.stop.send_replace(true);
        Ok(())
    }

    async fn close(&self) {}
}
