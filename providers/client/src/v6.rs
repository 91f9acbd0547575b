//! Protocol 6: the calls as they are.

use async_trait::async_trait;
use prost::Message as _;
use prost::bytes::Bytes;
use terrace_provider_protocol::tfplugin6 as p6;
use terrace_provider_protocol::tfplugin6::provider_client::ProviderClient;
use tonic::Status;
use tonic::transport::Channel;

use crate::rpc::{Rpc, ask_raw};

/// A connection of protocol 6.
pub(crate) struct V6 {
    channel: Channel,
    client: ProviderClient<Channel>,
}

impl V6 {
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            client: ProviderClient::new(channel.clone())
                .max_decoding_message_size(usize::MAX)
                .max_encoding_message_size(usize::MAX),
            channel,
        }
    }

    fn client(&self) -> ProviderClient<Channel> {
        self.client.clone()
    }
}

#[async_trait]
impl Rpc for V6 {
    async fn schema(&self) -> Result<Bytes, Status> {
        ask_raw(
            self.channel.clone(),
            "/tfplugin6.Provider/GetProviderSchema",
        )
        .await
    }

    fn decode_schema(&self, answer: Bytes) -> Result<p6::get_provider_schema::Response, String> {
        p6::get_provider_schema::Response::decode(answer).map_err(|error| error.to_string())
    }

    async fn metadata(&self) -> Result<p6::get_metadata::Response, Status> {
        let request = p6::get_metadata::Request {};
        Ok(self.client().get_metadata(request).await?.into_inner())
    }

    async fn functions(&self) -> Result<p6::get_functions::Response, Status> {
        let request = p6::get_functions::Request {};
        Ok(self.client().get_functions(request).await?.into_inner())
    }

    async fn identity_schemas(
        &self,
    ) -> Result<p6::get_resource_identity_schemas::Response, Status> {
        let request = p6::get_resource_identity_schemas::Request {};
        Ok(self
            .client()
            .get_resource_identity_schemas(request)
            .await?
            .into_inner())
    }

    async fn validate_provider(
        &self,
        config: p6::DynamicValue,
    ) -> Result<(Option<p6::DynamicValue>, Vec<p6::Diagnostic>), Status> {
        let request = p6::validate_provider_config::Request {
            config: Some(config),
        };
        let response = self
            .client()
            .validate_provider_config(request)
            .await?
            .into_inner();
        Ok((None, response.diagnostics))
    }

    async fn configure(
        &self,
        request: p6::configure_provider::Request,
    ) -> Result<Vec<p6::Diagnostic>, Status> {
        Ok(self
            .client()
            .configure_provider(request)
            .await?
            .into_inner()
            .diagnostics)
    }

    async fn validate_resource(
        &self,
        request: p6::validate_resource_config::Request,
    ) -> Result<Vec<p6::Diagnostic>, Status> {
        Ok(self
            .client()
            .validate_resource_config(request)
            .await?
            .into_inner()
            .diagnostics)
    }

    async fn validate_data(
        &self,
        request: p6::validate_data_resource_config::Request,
    ) -> Result<Vec<p6::Diagnostic>, Status> {
        Ok(self
            .client()
            .validate_data_resource_config(request)
            .await?
            .into_inner()
            .diagnostics)
    }

    async fn validate_ephemeral(
        &self,
        request: p6::validate_ephemeral_resource_config::Request,
    ) -> Result<Vec<p6::Diagnostic>, Status> {
        Ok(self
            .client()
            .validate_ephemeral_resource_config(request)
            .await?
            .into_inner()
            .diagnostics)
    }

    async fn upgrade_identity(
        &self,
        request: p6::upgrade_resource_identity::Request,
    ) -> Result<p6::upgrade_resource_identity::Response, Status> {
        Ok(self
            .client()
            .upgrade_resource_identity(request)
            .await?
            .into_inner())
    }

    async fn move_state(
        &self,
        request: p6::move_resource_state::Request,
    ) -> Result<p6::move_resource_state::Response, Status> {
        Ok(self
            .client()
            .move_resource_state(request)
            .await?
            .into_inner())
    }

    async fn upgrade(
        &self,
        request: p6::upgrade_resource_state::Request,
    ) -> Result<p6::upgrade_resource_state::Response, Status> {
        Ok(self
            .client()
            .upgrade_resource_state(request)
            .await?
            .into_inner())
    }

    async fn read(
        &self,
        request: p6::read_resource::Request,
    ) -> Result<p6::read_resource::Response, Status> {
        Ok(self.client().read_resource(request).await?.into_inner())
    }

    async fn plan(
        &self,
        request: p6::plan_resource_change::Request,
    ) -> Result<p6::plan_resource_change::Response, Status> {
        Ok(self
            .client()
            .plan_resource_change(request)
            .await?
            .into_inner())
    }

    async fn apply(
        &self,
        request: p6::apply_resource_change::Request,
    ) -> Result<p6::apply_resource_change::Response, Status> {
        Ok(self
            .client()
            .apply_resource_change(request)
            .await?
            .into_inner())
    }

    async fn import(
        &self,
        request: p6::import_resource_state::Request,
    ) -> Result<p6::import_resource_state::Response, Status> {
        Ok(self
            .client()
            .import_resource_state(request)
            .await?
            .into_inner())
    }

    async fn read_data(
        &self,
        request: p6::read_data_source::Request,
    ) -> Result<p6::read_data_source::Response, Status> {
        Ok(self.client().read_data_source(request).await?.into_inner())
    }

    async fn open_ephemeral(
        &self,
        request: p6::open_ephemeral_resource::Request,
    ) -> Result<p6::open_ephemeral_resource::Response, Status> {
        Ok(self
            .client()
            .open_ephemeral_resource(request)
            .await?
            .into_inner())
    }

    async fn renew_ephemeral(
        &self,
        request: p6::renew_ephemeral_resource::Request,
    ) -> Result<p6::renew_ephemeral_resource::Response, Status> {
        Ok(self
            .client()
            .renew_ephemeral_resource(request)
            .await?
            .into_inner())
    }

    async fn close_ephemeral(
        &self,
        request: p6::close_ephemeral_resource::Request,
    ) -> Result<Vec<p6::Diagnostic>, Status> {
        Ok(self
            .client()
            .close_ephemeral_resource(request)
            .await?
            .into_inner()
            .diagnostics)
    }

    async fn call_function(
        &self,
        request: p6::call_function::Request,
    ) -> Result<p6::call_function::Response, Status> {
        Ok(self.client().call_function(request).await?.into_inner())
    }

    async fn stop(&self) -> Result<String, Status> {
        Ok(self
            .client()
            .stop_provider(p6::stop_provider::Request {})
            .await?
            .into_inner()
            .error)
    }
}
