//! The calls, in messages of protocol 6, answered by the provider.

use std::sync::Arc;

use terrace_port::{
    ApplyRequest, DeferralReason, ImportedResource, MoveRequest, PlanRequest, Provider,
    ProviderError, ReadRequest, ResourceState,
};
use terrace_provider_protocol::tfplugin6 as p6;
use terrace_schema::ProviderSchema;
use terrace_value::{Text, Type, Value};
use tokio::sync::OnceCell;
use tonic::Status;

use crate::convert::{decode, diagnostics, encode, path};

/// Answers calls.
pub(crate) struct Handler {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) crash: fn(&str),
    /// The schema, once it was asked for.
    pub(crate) schema: OnceCell<Arc<ProviderSchema>>,
}

impl Handler {
    /// An answer, or the end of the process.
    fn survive<T>(&self, answer: Result<T, ProviderError>) -> Result<T, Status> {
        answer.map_err(|error| {
            (self.crash)(&error.message);
            Status::aborted(error.message)
        })
    }

    async fn schemas(&self) -> Result<Arc<ProviderSchema>, Status> {
        self.schema
            .get_or_try_init(async || self.survive(self.provider.schema().await))
            .await
            .cloned()
    }

    async fn resource(&self, name: &str) -> Result<Type, Status> {
        match self.schemas().await?.resources.get(name) {
            Some(schema) => Ok(schema.block.implied_type()),
            None => Err(Status::not_found(format!(
                "there is no resource type {name:?}"
            ))),
        }
    }

    /// The provider as the module sees it that says this to it.
    async fn told(&self, meta: Option<&p6::DynamicValue>) -> Result<Arc<dyn Provider>, Status> {
        let schema = self.schemas().await?;
        let (Some(meta), Some(meta_schema)) = (meta, &schema.provider_meta) else {
            return Ok(self.provider.clone());
        };
        let meta = decode(Some(meta), &meta_schema.block.implied_type())?;
        if meta.is_null() {
            return Ok(self.provider.clone());
        }
        let told = self.provider.clone().with_meta(meta);
        Ok(told.unwrap_or_else(|| self.provider.clone()))
    }

    async fn ephemeral(&self, name: &str) -> Result<Type, Status> {
        match self.schemas().await?.ephemeral_resources.get(name) {
            Some(schema) => Ok(schema.block.implied_type()),
            None => Err(Status::not_found(format!(
                "there is no ephemeral resource type {name:?}"
            ))),
        }
    }

    /// The type of a resource type's identities, if it has some.
    async fn identity(&self, name: &str) -> Result<Option<Type>, Status> {
        let schema = self.schemas().await?;
        Ok(schema
            .identities
            .get(name)
            .map(|identity| identity.implied_type()))
    }

    async fn data_source(&self, name: &str) -> Result<Type, Status> {
        match self.schemas().await?.data_sources.get(name) {
            Some(schema) => Ok(schema.block.implied_type()),
            None => Err(Status::not_found(format!(
                "there is no data source {name:?}"
            ))),
        }
    }

    pub(crate) async fn schema(&self) -> Result<p6::get_provider_schema::Response, Status> {
        let schema = self.survive(self.provider.schema().await)?;
        Ok(crate::schema::provider_schema(&schema))
    }

    pub(crate) async fn metadata(&self) -> Result<p6::get_metadata::Response, Status> {
        Ok(crate::schema::metadata(&*self.schemas().await?))
    }

    pub(crate) async fn functions(&self) -> Result<p6::get_functions::Response, Status> {
        Ok(p6::get_functions::Response {
            functions: crate::schema::functions(&*self.schemas().await?),
            diagnostics: Vec::new(),
        })
    }

    pub(crate) async fn identity_schemas(
        &self,
    ) -> Result<p6::get_resource_identity_schemas::Response, Status> {
        Ok(p6::get_resource_identity_schemas::Response {
            identity_schemas: crate::schema::identities(&*self.schemas().await?),
            diagnostics: Vec::new(),
        })
    }

    /// The completed configuration and diagnostics.
    pub(crate) async fn validate_provider(
        &self,
        config: Option<p6::DynamicValue>,
    ) -> Result<(Option<p6::DynamicValue>, Vec<p6::Diagnostic>), Status> {
        let ty = self.schemas().await?.provider.block.implied_type();
        let config = decode(config.as_ref(), &ty)?;
        let reply = self.survive(self.provider.validate_provider_config(config).await)?;
        Ok((
            Some(encode(&reply.value, &ty)),
            diagnostics(reply.diagnostics),
        ))
    }

    pub(crate) async fn configure(
        &self,
        config: Option<p6::DynamicValue>,
    ) -> Result<Vec<p6::Diagnostic>, Status> {
        let ty = self.schemas().await?.provider.block.implied_type();
        let config = decode(config.as_ref(), &ty)?;
        Ok(diagnostics(
            self.survive(self.provider.configure(config).await)?
                .diagnostics,
        ))
    }

    pub(crate) async fn validate_resource(
        &self,
        type_name: &str,
        config: Option<p6::DynamicValue>,
    ) -> Result<Vec<p6::Diagnostic>, Status> {
        let config = decode(config.as_ref(), &self.resource(type_name).await?)?;
        Ok(diagnostics(
            self.survive(
                self.provider
                    .validate_resource_config(type_name, config)
                    .await,
            )?
            .diagnostics,
        ))
    }

    pub(crate) async fn validate_data(
        &self,
        type_name: &str,
        config: Option<p6::DynamicValue>,
    ) -> Result<Vec<p6::Diagnostic>, Status> {
        let config = decode(config.as_ref(), &self.data_source(type_name).await?)?;
        Ok(diagnostics(
            self.survive(self.provider.validate_data_config(type_name, config).await)?
                .diagnostics,
        ))
    }

    pub(crate) async fn upgrade(
        &self,
        request: p6::upgrade_resource_state::Request,
    ) -> Result<p6::upgrade_resource_state::Response, Status> {
        let ty = self.resource(&request.type_name).await?;
        let state = ResourceState {
            type_name: request.type_name.into(),
            schema_version: request.version,
            json: request.raw_state.unwrap_or_default().json.into(),
        };
        let reply = self.survive(self.provider.upgrade_state(state).await)?;
        Ok(p6::upgrade_resource_state::Response {
            upgraded_state: Some(encode(&reply.value, &ty)),
            diagnostics: diagnostics(reply.diagnostics),
        })
    }

    pub(crate) async fn read(
        &self,
        request: p6::read_resource::Request,
    ) -> Result<p6::read_resource::Response, Status> {
        let ty = self.resource(&request.type_name).await?;
        let identity = self.identity(&request.type_name).await?;
        let provider = self.told(request.provider_meta.as_ref()).await?;
        let request = ReadRequest {
            current: decode(request.current_state.as_ref(), &ty)?,
            type_name: request.type_name.into(),
            private: request.private.into(),
            identity: identity_in(request.current_identity.as_ref(), identity.as_ref())?,
        };
        let reply = self.survive(provider.read(request).await)?;
        Ok(p6::read_resource::Response {
            new_state: Some(encode(&reply.value.state, &ty)),
            private: reply.value.private.to_vec(),
            diagnostics: diagnostics(reply.diagnostics),
            deferred: deferred(reply.deferred),
            new_identity: identity_out(reply.value.identity.as_ref(), identity.as_ref()),
        })
    }

    pub(crate) async fn plan(
        &self,
        request: p6::plan_resource_change::Request,
    ) -> Result<p6::plan_resource_change::Response, Status> {
        let ty = self.resource(&request.type_name).await?;
        let identity = self.identity(&request.type_name).await?;
        let provider = self.told(request.provider_meta.as_ref()).await?;
        let request = PlanRequest {
            prior: decode(request.prior_state.as_ref(), &ty)?,
            proposed: decode(request.proposed_new_state.as_ref(), &ty)?,
            config: decode(request.config.as_ref(), &ty)?,
            type_name: request.type_name.into(),
            prior_private: request.prior_private.into(),
            identity: identity_in(request.prior_identity.as_ref(), identity.as_ref())?,
        };
        let reply = self.survive(provider.plan(request).await)?;
        Ok(p6::plan_resource_change::Response {
            planned_state: Some(encode(&reply.value.planned, &ty)),
            requires_replace: reply.value.requires_replace.iter().map(path).collect(),
            planned_private: reply.value.private.to_vec(),
            diagnostics: diagnostics(reply.diagnostics),
            legacy_type_system: reply.value.legacy_type_system,
            deferred: deferred(reply.deferred),
            planned_identity: identity_out(reply.value.identity.as_ref(), identity.as_ref()),
        })
    }

    pub(crate) async fn apply(
        &self,
        request: p6::apply_resource_change::Request,
    ) -> Result<p6::apply_resource_change::Response, Status> {
        let ty = self.resource(&request.type_name).await?;
        let identity = self.identity(&request.type_name).await?;
        let provider = self.told(request.provider_meta.as_ref()).await?;
        let request = ApplyRequest {
            prior: decode(request.prior_state.as_ref(), &ty)?,
            planned: decode(request.planned_state.as_ref(), &ty)?,
            config: decode(request.config.as_ref(), &ty)?,
            type_name: request.type_name.into(),
            planned_private: request.planned_private.into(),
            identity: identity_in(request.planned_identity.as_ref(), identity.as_ref())?,
        };
        let reply = self.survive(provider.apply(request).await)?;
        Ok(p6::apply_resource_change::Response {
            new_state: Some(encode(&reply.value.state, &ty)),
            private: reply.value.private.to_vec(),
            diagnostics: diagnostics(reply.diagnostics),
            legacy_type_system: reply.value.legacy_type_system,
            new_identity: identity_out(reply.value.identity.as_ref(), identity.as_ref()),
        })
    }

    pub(crate) async fn import(
        &self,
        request: p6::import_resource_state::Request,
    ) -> Result<p6::import_resource_state::Response, Status> {
        let identity = self.identity(&request.type_name).await?;
        let name = &request.type_name;
        let found = match identity_in(request.identity.as_ref(), identity.as_ref())? {
            Some(identity) if request.id.is_empty() => {
                self.provider.import_identity(name, identity).await
            }
            _ => self.provider.import(name, &request.id).await,
        };
        let reply = self.survive(found)?;
        let mut imported_resources = Vec::new();
        for resource in reply.value {
            imported_resources.push(self.imported(resource).await?);
        }
        Ok(p6::import_resource_state::Response {
            imported_resources,
            diagnostics: diagnostics(reply.diagnostics),
            deferred: deferred(reply.deferred),
        })
    }

    async fn imported(
        &self,
        resource: ImportedResource,
    ) -> Result<p6::import_resource_state::ImportedResource, Status> {
        let ty = self.resource(&resource.type_name).await?;
        let identity = self.identity(&resource.type_name).await?;
        Ok(p6::import_resource_state::ImportedResource {
            type_name: resource.type_name.to_string(),
            state: Some(encode(&resource.state, &ty)),
            private: resource.private.to_vec(),
            identity: identity_out(resource.identity.as_ref(), identity.as_ref()),
        })
    }

    pub(crate) async fn upgrade_identity(
        &self,
        request: p6::upgrade_resource_identity::Request,
    ) -> Result<p6::upgrade_resource_identity::Response, Status> {
        let ty = self.identity(&request.type_name).await?;
        let identity = ResourceState {
            type_name: request.type_name.into(),
            schema_version: request.version,
            json: request.raw_identity.unwrap_or_default().json.into(),
        };
        let reply = self.survive(self.provider.upgrade_identity(identity).await)?;
        Ok(p6::upgrade_resource_identity::Response {
            upgraded_identity: identity_out(Some(&reply.value), ty.as_ref()),
            diagnostics: diagnostics(reply.diagnostics),
        })
    }

    pub(crate) async fn move_state(
        &self,
        request: p6::move_resource_state::Request,
    ) -> Result<p6::move_resource_state::Response, Status> {
        let ty = self.resource(&request.target_type_name).await?;
        let identity = self.identity(&request.target_type_name).await?;
        let stored = |state: Option<p6::RawState>, schema_version| ResourceState {
            type_name: request.source_type_name.as_str().into(),
            schema_version,
            json: state.unwrap_or_default().json.into(),
        };
        let source_identity = request
            .source_identity
            .map(|raw| stored(Some(raw), request.source_identity_schema_version));
        let request = MoveRequest {
            source: stored(request.source_state, request.source_schema_version),
            source_provider: request.source_provider_address.into(),
            source_private: request.source_private.into(),
            target_type_name: request.target_type_name.into(),
            source_identity,
        };
        let reply = self.survive(self.provider.move_state(request).await)?;
        Ok(p6::move_resource_state::Response {
            target_state: Some(encode(&reply.value.state, &ty)),
            diagnostics: diagnostics(reply.diagnostics),
            target_private: reply.value.private.to_vec(),
            target_identity: identity_out(reply.value.identity.as_ref(), identity.as_ref()),
        })
    }

    pub(crate) async fn validate_ephemeral(
        &self,
        type_name: &str,
        config: Option<p6::DynamicValue>,
    ) -> Result<Vec<p6::Diagnostic>, Status> {
        let config = decode(config.as_ref(), &self.ephemeral(type_name).await?)?;
        let reply = self
            .provider
            .validate_ephemeral_config(type_name, config)
            .await;
        Ok(diagnostics(self.survive(reply)?.diagnostics))
    }

    pub(crate) async fn open(
        &self,
        request: p6::open_ephemeral_resource::Request,
    ) -> Result<p6::open_ephemeral_resource::Response, Status> {
        let ty = self.ephemeral(&request.type_name).await?;
        let config = decode(request.config.as_ref(), &ty)?;
        let opened = self.provider.open_ephemeral(&request.type_name, config);
        let reply = self.survive(opened.await)?;
        Ok(p6::open_ephemeral_resource::Response {
            diagnostics: diagnostics(reply.diagnostics),
            renew_at: reply.value.renew_at.map(timestamp),
            result: Some(encode(&reply.value.value, &ty)),
            private: Some(reply.value.private.to_vec()),
            deferred: deferred(reply.deferred),
        })
    }

    pub(crate) async fn renew(
        &self,
        request: p6::renew_ephemeral_resource::Request,
    ) -> Result<p6::renew_ephemeral_resource::Response, Status> {
        let private = request.private.unwrap_or_default().into();
        let renewed = self.provider.renew_ephemeral(&request.type_name, private);
        let reply = self.survive(renewed.await)?;
        Ok(p6::renew_ephemeral_resource::Response {
            diagnostics: diagnostics(reply.diagnostics),
            renew_at: reply.value.renew_at.map(timestamp),
            private: Some(reply.value.private.to_vec()),
        })
    }

    pub(crate) async fn close(
        &self,
        request: p6::close_ephemeral_resource::Request,
    ) -> Result<p6::close_ephemeral_resource::Response, Status> {
        let private = request.private.unwrap_or_default().into();
        let closed = self.provider.close_ephemeral(&request.type_name, private);
        Ok(p6::close_ephemeral_resource::Response {
            diagnostics: diagnostics(self.survive(closed.await)?.diagnostics),
        })
    }

    pub(crate) async fn read_data(
        &self,
        request: p6::read_data_source::Request,
    ) -> Result<p6::read_data_source::Response, Status> {
        let ty = self.data_source(&request.type_name).await?;
        let config = decode(request.config.as_ref(), &ty)?;
        let provider = self.told(request.provider_meta.as_ref()).await?;
        let reply = self.survive(provider.read_data(&request.type_name, config).await)?;
        Ok(p6::read_data_source::Response {
            state: Some(encode(&reply.value, &ty)),
            diagnostics: diagnostics(reply.diagnostics),
            deferred: deferred(reply.deferred),
        })
    }

    pub(crate) async fn call_function(
        &self,
        request: p6::call_function::Request,
    ) -> Result<p6::call_function::Response, Status> {
        let schema = self.schemas().await?;
        let Some(function) = schema.functions.get(&Text::from(request.name.as_str())) else {
            return Err(Status::not_found(format!(
                "there is no function {:?}",
                request.name
            )));
        };
        let mut arguments = Vec::new();
        for (index, argument) in request.arguments.iter().enumerate() {
            let parameter = function
                .parameters
                .get(index)
                .or(function.variadic.as_ref());
            let parameter = parameter
                .ok_or_else(|| Status::invalid_argument("there are too many arguments"))?;
            arguments.push(decode(Some(argument), &parameter.ty)?);
        }
        Ok(
            match self.survive(self.provider.call_function(&request.name, arguments).await)? {
                Ok(value) => p6::call_function::Response {
                    result: Some(encode(&value, &function.result)),
                    error: None,
                },
                Err((argument, text)) => {
                    let function_argument = argument.and_then(|index| index.try_into().ok());
                    p6::call_function::Response {
                        result: None,
                        error: Some(p6::FunctionError {
                            text,
                            function_argument,
                        }),
                    }
                }
            },
        )
    }

    /// What the provider has to say against it; empty for nothing.
    pub(crate) async fn stop(&self) -> String {
        self.provider
            .stop()
            .await
            .map_or_else(|error| error.message, |()| String::new())
    }
}

fn identity_in(
    message: Option<&p6::ResourceIdentityData>,
    ty: Option<&Type>,
) -> Result<Option<Value>, Status> {
    let data = message.and_then(|message| message.identity_data.as_ref());
    match (data, ty) {
        (Some(data), Some(ty)) => {
            let identity = decode(Some(data), ty)?;
            Ok(Some(identity).filter(|identity| !identity.is_null()))
        }
        _ => Ok(None),
    }
}

fn identity_out(value: Option<&Value>, ty: Option<&Type>) -> Option<p6::ResourceIdentityData> {
    let (value, ty) = (value?, ty?);
    Some(p6::ResourceIdentityData {
        identity_data: Some(encode(value, ty)),
    })
}

fn deferred(reason: Option<DeferralReason>) -> Option<p6::Deferred> {
    use p6::deferred::Reason;
    let reason = match reason? {
        DeferralReason::Unspecified => Reason::Unknown,
        DeferralReason::ResourceConfigUnknown => Reason::ResourceConfigUnknown,
        DeferralReason::ProviderConfigUnknown => Reason::ProviderConfigUnknown,
        DeferralReason::AbsentPrerequisite => Reason::AbsentPrereq,
    };
    Some(p6::Deferred {
        reason: reason.into(),
    })
}

fn timestamp((seconds, nanoseconds): (i64, u32)) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds,
        nanos: i32::try_from(nanoseconds).unwrap_or(0),
    }
}
