//! The calls, whatever the protocol version. Messages are those of protocol 6, which can say all that protocol 5 can.

use async_trait::async_trait;
use prost::bytes::{Buf as _, Bytes};
use terrace_provider_protocol::tfplugin6 as p6;
use tonic::Status;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;

/// Asks something that needs no saying, and gives the answer as it came.
pub(crate) async fn ask_raw(channel: Channel, path: &'static str) -> Result<Bytes, Status> {
    let mut grpc = Grpc::new(channel).max_decoding_message_size(usize::MAX);
    grpc.ready()
        .await
        .map_err(|error| Status::unavailable(error.to_string()))?;
    let request = tonic::Request::new(());
    let answer = grpc
        .unary(request, PathAndQuery::from_static(path), Undecoded)
        .await?;
    Ok(answer.into_inner())
}

/// Sends empty messages and leaves answers as they are.
#[derive(Clone, Copy, Debug, Default)]
struct Undecoded;

impl Codec for Undecoded {
    type Encode = ();
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Undecoded {
    type Item = ();
    type Error = Status;

    fn encode(&mut self, (): (), _: &mut EncodeBuf<'_>) -> Result<(), Status> {
        Ok(())
    }
}

impl Decoder for Undecoded {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, answer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(answer.copy_to_bytes(answer.remaining())))
    }
}

/// A connection that answers.
#[async_trait]
pub(crate) trait Rpc: Send + Sync {
    /// The answer to `GetProviderSchema` as it came, which [`Rpc::decode_schema`] reads.
    async fn schema(&self) -> Result<Bytes, Status>;
    /// Reads such an answer. The error says what is wrong with it.
    fn decode_schema(&self, answer: Bytes) -> Result<p6::get_provider_schema::Response, String>;
    async fn metadata(&self) -> Result<p6::get_metadata::Response, Status>;
    async fn functions(&self) -> Result<p6::get_functions::Response, Status>;
    async fn identity_schemas(&self)
    -> Result<p6::get_resource_identity_schemas::Response, Status>;
    /// The completed configuration, where the protocol has one, and diagnostics.
    async fn validate_provider(
        &self,
        config: p6::DynamicValue,
    ) -> Result<(Option<p6::DynamicValue>, Vec<p6::Diagnostic>), Status>;
    async fn configure(
        &self,
        request: p6::configure_provider::Request,
    ) -> Result<Vec<p6::Diagnostic>, Status>;
    async fn validate_resource(
        &self,
        request: p6::validate_resource_config::Request,
    ) -> Result<Vec<p6::Diagnostic>, Status>;
    async fn validate_data(
        &self,
        request: p6::validate_data_resource_config::Request,
    ) -> Result<Vec<p6::Diagnostic>, Status>;
    async fn validate_ephemeral(
        &self,
        request: p6::validate_ephemeral_resource_config::Request,
    ) -> Result<Vec<p6::Diagnostic>, Status>;
    async fn upgrade_identity(
        &self,
        request: p6::upgrade_resource_identity::Request,
    ) -> Result<p6::upgrade_resource_identity::Response, Status>;
    async fn move_state(
        &self,
        request: p6::move_resource_state::Request,
    ) -> Result<p6::move_resource_state::Response, Status>;
    async fn upgrade(
        &self,
        request: p6::upgrade_resource_state::Request,
    ) -> Result<p6::upgrade_resource_state::Response, Status>;
    async fn read(
        &self,
        request: p6::read_resource::Request,
    ) -> Result<p6::read_resource::Response, Status>;
    async fn plan(
        &self,
        request: p6::plan_resource_change::Request,
    ) -> Result<p6::plan_resource_change::Response, Status>;
    async fn apply(
        &self,
        request: p6::apply_resource_change::Request,
    ) -> Result<p6::apply_resource_change::Response, Status>;
    async fn import(
        &self,
        request: p6::import_resource_state::Request,
    ) -> Result<p6::import_resource_state::Response, Status>;
    async fn read_data(
        &self,
        request: p6::read_data_source::Request,
    ) -> Result<p6::read_data_source::Response, Status>;
    async fn open_ephemeral(
        &self,
        request: p6::open_ephemeral_resource::Request,
    ) -> Result<p6::open_ephemeral_resource::Response, Status>;
    async fn renew_ephemeral(
        &self,
        request: p6::renew_ephemeral_resource::Request,
    ) -> Result<p6::renew_ephemeral_resource::Response, Status>;
    async fn close_ephemeral(
        &self,
        request: p6::close_ephemeral_resource::Request,
    ) -> Result<Vec<p6::Diagnostic>, Status>;
    async fn call_function(
        &self,
        request: p6::call_function::Request,
    ) -> Result<p6::call_function::Response, Status>;
    /// The provider's complaint, empty if it has none.
    async fn stop(&self) -> Result<String, Status>;
}
