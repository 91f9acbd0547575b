//! Protocol 6: the calls as they are.

use std::sync::Arc;

use terrace_provider_protocol::tfplugin6 as p6;
use terrace_provider_protocol::tfplugin6::provider_server::Provider;
use tonic::{Request, Response, Status};

use super::handler::Handler;

pub(crate) struct V6(pub(crate) Arc<Handler>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Provider for V6 {
    async fn get_metadata(
        &self,
        _request: Request<p6::get_metadata::Request>,
    ) -> Answer<p6::get_metadata::Response> {
        let schema = self.0.schema().await?;
        let mut resources: Vec<_> = schema.resource_schemas.into_keys().collect();
        let mut data_sources: Vec<_> = schema.data_source_schemas.into_keys().collect();
        let mut functions: Vec<_> = schema.functions.into_keys().collect();
        resources.sort();
        data_sources.sort();
        functions.sort();
        Ok(Response::new(p6::get_metadata::Response {
            server_capabilities: schema.server_capabilities,
            resources: resources
                .into_iter()
                .map(|type_name| p6::get_metadata::ResourceMetadata { type_name })
                .collect(),
            data_sources: data_sources
                .into_iter()
                .map(|type_name| p6::get_metadata::DataSourceMetadata { type_name })
                .collect(),
            functions: functions
                .into_iter()
                .map(|name| p6::get_metadata::FunctionMetadata { name })
                .collect(),
            ..p6::get_metadata::Response::default()
        }))
    }

    async fn get_provider_schema(
        &self,
        _request: Request<p6::get_provider_schema::Request>,
    ) -> Answer<p6::get_provider_schema::Response> {
        self.0.schema().await.map(Response::new)
    }

    async fn get_functions(
        &self,
        _request: Request<p6::get_functions::Request>,
    ) -> Answer<p6::get_functions::Response> {
        let functions = self.0.schema().await?.functions;
        Ok(Response::new(p6::get_functions::Response {
            functions,
            diagnostics: Vec::new(),
        }))
    }

    async fn validate_provider_config(
        &self,
        request: Request<p6::validate_provider_config::Request>,
    ) -> Answer<p6::validate_provider_config::Response> {
        let (_, diagnostics) = self
            .0
            .validate_provider(request.into_inner().config)
            .await?;
        Ok(Response::new(p6::validate_provider_config::Response {
            diagnostics,
        }))
    }

    async fn configure_provider(
        &self,
        request: Request<p6::configure_provider::Request>,
    ) -> Answer<p6::configure_provider::Response> {
        let diagnostics = self.0.configure(request.into_inner().config).await?;
        Ok(Response::new(p6::configure_provider::Response {
            diagnostics,
        }))
    }

    async fn validate_resource_config(
        &self,
        request: Request<p6::validate_resource_config::Request>,
    ) -> Answer<p6::validate_resource_config::Response> {
        let request = request.into_inner();
        let diagnostics = self
            .0
            .validate_resource(&request.type_name, request.config)
            .await?;
        Ok(Response::new(p6::validate_resource_config::Response {
            diagnostics,
        }))
    }

    async fn validate_data_resource_config(
        &self,
        request: Request<p6::validate_data_resource_config::Request>,
    ) -> Answer<p6::validate_data_resource_config::Response> {
        let request = request.into_inner();
        let diagnostics = self
            .0
            .validate_data(&request.type_name, request.config)
            .await?;
        Ok(Response::new(p6::validate_data_resource_config::Response {
            diagnostics,
        }))
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<p6::upgrade_resource_state::Request>,
    ) -> Answer<p6::upgrade_resource_state::Response> {
        self.0
            .upgrade(request.into_inner())
            .await
            .map(Response::new)
    }

    async fn read_resource(
        &self,
        request: Request<p6::read_resource::Request>,
    ) -> Answer<p6::read_resource::Response> {
        self.0.read(request.into_inner()).await.map(Response::new)
    }

    async fn plan_resource_change(
        &self,
        request: Request<p6::plan_resource_change::Request>,
    ) -> Answer<p6::plan_resource_change::Response> {
        self.0.plan(request.into_inner()).await.map(Response::new)
    }

    async fn apply_resource_change(
        &self,
        request: Request<p6::apply_resource_change::Request>,
    ) -> Answer<p6::apply_resource_change::Response> {
        self.0.apply(request.into_inner()).await.map(Response::new)
    }

    async fn import_resource_state(
        &self,
        request: Request<p6::import_resource_state::Request>,
    ) -> Answer<p6::import_resource_state::Response> {
        self.0.import(request.into_inner()).await.map(Response::new)
    }

    async fn read_data_source(
        &self,
        request: Request<p6::read_data_source::Request>,
    ) -> Answer<p6::read_data_source::Response> {
        self.0
            .read_data(request.into_inner())
            .await
            .map(Response::new)
    }

    async fn call_function(
        &self,
        request: Request<p6::call_function::Request>,
    ) -> Answer<p6::call_function::Response> {
        self.0
            .call_function(request.into_inner())
            .await
            .map(Response::new)
    }

    async fn get_resource_identity_schemas(
        &self,
        _request: Request<p6::get_resource_identity_schemas::Request>,
    ) -> Answer<p6::get_resource_identity_schemas::Response> {
        Ok(Response::new(
            p6::get_resource_identity_schemas::Response::default(),
        ))
    }

    async fn stop_provider(
        &self,
        _request: Request<p6::stop_provider::Request>,
    ) -> Answer<p6::stop_provider::Response> {
        Ok(Response::new(p6::stop_provider::Response {
            error: self.0.stop().await,
        }))
    }
}
