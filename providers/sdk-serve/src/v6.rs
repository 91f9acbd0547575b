//! Protocol 6: the calls as they are.

use std::sync::Arc;

use terrace_provider_protocol::tfplugin6 as p6;
use terrace_provider_protocol::tfplugin6::provider_server::Provider;
use tonic::{Request, Response, Status};

use crate::handler::Handler;

pub(crate) struct V6(pub(crate) Arc<Handler>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Provider for V6 {
    async fn get_provider_schema(
        &self,
        _request: Request<p6::get_provider_schema::Request>,
    ) -> Answer<p6::get_provider_schema::Response> {
        self.0.schema().await.map(Response::new)
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
        self.0.identity_schemas().await.map(Response::new)
    }

    async fn get_metadata(
        &self,
        _request: Request<p6::get_metadata::Request>,
    ) -> Answer<p6::get_metadata::Response> {
        self.0.metadata().await.map(Response::new)
    }

    async fn get_functions(
        &self,
        _request: Request<p6::get_functions::Request>,
    ) -> Answer<p6::get_functions::Response> {
        self.0.functions().await.map(Response::new)
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<p6::upgrade_resource_identity::Request>,
    ) -> Answer<p6::upgrade_resource_identity::Response> {
        self.0
            .upgrade_identity(request.into_inner())
            .await
            .map(Response::new)
    }

    async fn move_resource_state(
        &self,
        request: Request<p6::move_resource_state::Request>,
    ) -> Answer<p6::move_resource_state::Response> {
        self.0
            .move_state(request.into_inner())
            .await
            .map(Response::new)
    }

    async fn open_ephemeral_resource(
        &self,
        request: Request<p6::open_ephemeral_resource::Request>,
    ) -> Answer<p6::open_ephemeral_resource::Response> {
        self.0.open(request.into_inner()).await.map(Response::new)
    }

    async fn renew_ephemeral_resource(
        &self,
        request: Request<p6::renew_ephemeral_resource::Request>,
    ) -> Answer<p6::renew_ephemeral_resource::Response> {
        self.0.renew(request.into_inner()).await.map(Response::new)
    }

    async fn close_ephemeral_resource(
        &self,
        request: Request<p6::close_ephemeral_resource::Request>,
    ) -> Answer<p6::close_ephemeral_resource::Response> {
        self.0.close(request.into_inner()).await.map(Response::new)
    }

    async fn validate_ephemeral_resource_config(
        &self,
        request: Request<p6::validate_ephemeral_resource_config::Request>,
    ) -> Answer<p6::validate_ephemeral_resource_config::Response> {
        let request = request.into_inner();
        let diagnostics = self
            .0
            .validate_ephemeral(&request.type_name, request.config)
            .await?;
        Ok(Response::new(
            p6::validate_ephemeral_resource_config::Response { diagnostics },
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
