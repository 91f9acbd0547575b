//! A real provider, some of whose objects a test has made up.

use std::sync::Arc;

use async_trait::async_trait;
use terrace_addr::{AbsResourceInstance, Target};
use terrace_port::{
    ApplyRequest, ApplyResponse, Attempt, ImportedResource, MoveRequest, MoveResponse,
    OpenedEphemeral, PlanRequest, PlanResponse, Provider, ProviderError, ReadRequest, ReadResponse,
    RenewedEphemeral, ResourceState,
};
use terrace_schema::ProviderSchema;
use terrace_test::Replacement;
use terrace_value::Value;

use crate::mock::{Made, MockProvider};

/// A real provider that is asked about all but what is overridden.
pub(crate) struct Overriding {
    pub(crate) real: Arc<dyn Provider>,
    pub(crate) schema: Arc<ProviderSchema>,
    pub(crate) overrides: Arc<[(Target, Replacement)]>,
    pub(crate) made: Made,
}

#[async_trait]
impl Provider for Overriding {
    async fn schema(&self) -> Result<Arc<ProviderSchema>, ProviderError> {
        self.real.schema().await
    }
    async fn validate_provider_config(&self, config: Value) -> Attempt<Value> {
        self.real.validate_provider_config(config).await
    }
    async fn configure(&self, config: Value) -> Attempt<()> {
        self.real.configure(config).await
    }
    async fn validate_resource_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        self.real.validate_resource_config(type_name, config).await
    }
    async fn validate_data_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        self.real.validate_data_config(type_name, config).await
    }
    async fn validate_ephemeral_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        self.real.validate_ephemeral_config(type_name, config).await
    }
    async fn upgrade_state(&self, state: ResourceState) -> Attempt<Value> {
        self.real.upgrade_state(state).await
    }
    async fn upgrade_identity(&self, identity: ResourceState) -> Attempt<Value> {
        self.real.upgrade_identity(identity).await
    }
    async fn move_state(&self, request: MoveRequest) -> Attempt<MoveResponse> {
        self.real.move_state(request).await
    }
    async fn read(&self, request: ReadRequest) -> Attempt<ReadResponse> {
        self.real.read(request).await
    }
    async fn plan(&self, request: PlanRequest) -> Attempt<PlanResponse> {
        self.real.plan(request).await
    }
    async fn apply(&self, request: ApplyRequest) -> Attempt<ApplyResponse> {
        self.real.apply(request).await
    }
    async fn import(&self, type_name: &str, id: &str) -> Attempt<Vec<ImportedResource>> {
        self.real.import(type_name, id).await
    }
    async fn id_before_creation(&self, type_name: &str, planned: &Value) -> Option<String> {
        self.real.id_before_creation(type_name, planned).await
    }
    async fn import_identity(
        &self,
        type_name: &str,
        identity: Value,
    ) -> Attempt<Vec<ImportedResource>> {
        self.real.import_identity(type_name, identity).await
    }
    async fn open_ephemeral(&self, type_name: &str, config: Value) -> Attempt<OpenedEphemeral> {
        self.real.open_ephemeral(type_name, config).await
    }
    async fn renew_ephemeral(
        &self,
        type_name: &str,
        private: Arc<[u8]>,
    ) -> Attempt<RenewedEphemeral> {
        self.real.renew_ephemeral(type_name, private).await
    }
    async fn close_ephemeral(&self, type_name: &str, private: Arc<[u8]>) -> Attempt<()> {
        self.real.close_ephemeral(type_name, private).await
    }
    async fn read_data(&self, type_name: &str, config: Value) -> Attempt<Value> {
        self.real.read_data(type_name, config).await
    }
    async fn call_function(
        &self,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<Result<Value, (Option<usize>, String)>, ProviderError> {
        self.real.call_function(name, arguments).await
    }
    fn with_meta(self: Arc<Self>, meta: Value) -> Option<Arc<dyn Provider>> {
        let real = Arc::clone(&self.real).with_meta(meta)?;
        Some(Arc::new(Self {
            real,
            schema: Arc::clone(&self.schema),
            overrides: Arc::clone(&self.overrides),
            made: Arc::clone(&self.made),
        }))
    }
    fn for_instance(self: Arc<Self>, address: &AbsResourceInstance) -> Option<Arc<dyn Provider>> {
        let found = self
            .overrides
            .iter()
            .find(|(target, _)| target.contains(address));
        let Some((_, replacement)) = found else {
            return Arc::clone(&self.real).for_instance(address);
        };
        let mock = MockProvider::of_object(
            Arc::clone(&self.schema),
            Arc::clone(&self.real),
            address,
            replacement.clone(),
            &self.made,
        );
        Some(Arc::new(mock))
    }
    fn has_ended(&self) -> bool {
        self.real.has_ended()
    }
    async fn stop(&self) -> Result<(), ProviderError> {
        self.real.stop().await
    }
    async fn close(&self) {
        self.real.close().await;
    }
}
