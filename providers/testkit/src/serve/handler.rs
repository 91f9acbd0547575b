//! The calls, in messages of protocol 6, answered by the provider.

use std::sync::Arc;

use terrace_port::{
    ApplyRequest, PlanRequest, Provider, ProviderError, ReadRequest, ResourceState,
};
use terrace_provider_protocol::tfplugin6 as p6;
use terrace_schema::ProviderSchema;
use terrace_value::{Text, Type};
use tokio::sync::OnceCell;
use tonic::Status;

use super::convert::{decode, diagnostics, encode, path};

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
        Ok(super::schema::provider_schema(&schema))
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
        let request = ReadRequest {
            current: decode(request.current_state.as_ref(), &ty)?,
            type_name: request.type_name.into(),
            private: request.private.into(),
            identity: None,
        };
        let reply = self.survive(self.provider.read(request).await)?;
        Ok(p6::read_resource::Response {
            new_state: Some(encode(&reply.value.state, &ty)),
            private: reply.value.private.to_vec(),
            diagnostics: diagnostics(reply.diagnostics),
            ..p6::read_resource::Response::default()
        })
    }

    pub(crate) async fn plan(
        &self,
        request: p6::plan_resource_change::Request,
    ) -> Result<p6::plan_resource_change::Response, Status> {
        let ty = self.resource(&request.type_name).await?;
        let request = PlanRequest {
            prior: decode(request.prior_state.as_ref(), &ty)?,
            proposed: decode(request.proposed_new_state.as_ref(), &ty)?,
            config: decode(request.config.as_ref(), &ty)?,
            type_name: request.type_name.into(),
            prior_private: request.prior_private.into(),
            identity: None,
        };
        let reply = self.survive(self.provider.plan(request).await)?;
        Ok(p6::plan_resource_change::Response {
            planned_state: Some(encode(&reply.value.planned, &ty)),
            requires_replace: reply.value.requires_replace.iter().map(path).collect(),
            planned_private: reply.value.private.to_vec(),
            diagnostics: diagnostics(reply.diagnostics),
            legacy_type_system: reply.value.legacy_type_system,
            ..p6::plan_resource_change::Response::default()
        })
    }

    pub(crate) async fn apply(
        &self,
        request: p6::apply_resource_change::Request,
    ) -> Result<p6::apply_resource_change::Response, Status> {
        let ty = self.resource(&request.type_name).await?;
        let request = ApplyRequest {
            prior: decode(request.prior_state.as_ref(), &ty)?,
            planned: decode(request.planned_state.as_ref(), &ty)?,
            config: decode(request.config.as_ref(), &ty)?,
            type_name: request.type_name.into(),
            planned_private: request.planned_private.into(),
            identity: None,
        };
        let reply = self.survive(self.provider.apply(request).await)?;
        Ok(p6::apply_resource_change::Response {
            new_state: Some(encode(&reply.value.state, &ty)),
            private: reply.value.private.to_vec(),
            diagnostics: diagnostics(reply.diagnostics),
            legacy_type_system: reply.value.legacy_type_system,
            ..p6::apply_resource_change::Response::default()
        })
    }

    pub(crate) async fn import(
        &self,
        request: p6::import_resource_state::Request,
    ) -> Result<p6::import_resource_state::Response, Status> {
        let reply = self.survive(self.provider.import(&request.type_name, &request.id).await)?;
        let mut imported_resources = Vec::new();
        for resource in reply.value {
            let ty = self.resource(&resource.type_name).await?;
            imported_resources.push(p6::import_resource_state::ImportedResource {
                type_name: resource.type_name.to_string(),
                state: Some(encode(&resource.state, &ty)),
                private: resource.private.to_vec(),
                identity: None,
            });
        }
        Ok(p6::import_resource_state::Response {
            imported_resources,
            diagnostics: diagnostics(reply.diagnostics),
            deferred: None,
        })
    }

    pub(crate) async fn read_data(
        &self,
        request: p6::read_data_source::Request,
    ) -> Result<p6::read_data_source::Response, Status> {
        let ty = self.data_source(&request.type_name).await?;
        let config = decode(request.config.as_ref(), &ty)?;
        let reply = self.survive(self.provider.read_data(&request.type_name, config).await)?;
        Ok(p6::read_data_source::Response {
            state: Some(encode(&reply.value, &ty)),
            diagnostics: diagnostics(reply.diagnostics),
            deferred: None,
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
