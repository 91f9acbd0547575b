//! The calls, whatever the protocol version. Messages are those of protocol 6, which can say all that protocol 5 can.

use async_trait::async_trait;
use terrace_provider_protocol::tfplugin6 as p6;
use tonic::Status;

/// A connection that answers.
#[async_trait]
pub(crate) trait Rpc: Send + Sync {
    async fn schema(&self) -> Result<p6::get_provider_schema::Response, Status>;
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
    async fn call_function(
        &self,
        request: p6::call_function::Request,
    ) -> Result<p6::call_function::Response, Status>;
    /// The provider's complaint, empty if it has none.
    async fn stop(&self) -> Result<String, Status>;
}
