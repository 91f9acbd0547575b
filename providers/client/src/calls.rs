//! The calls of the [`Provider`] port, in messages.

use std::sync::Arc;

use async_trait::async_trait;
use terrace_port::{
    ApplyRequest, ApplyResponse, Attempt, DeferralReason, ImportedResource, MoveRequest,
    MoveResponse, OpenedEphemeral, PlanRequest, PlanResponse, Provider, ProviderDiagnostic,
    ProviderError, ReadRequest, ReadResponse, RenewedEphemeral, Reply, ResourceState,
};
use terrace_provider_protocol::tfplugin6 as p6;
use terrace_schema::ProviderSchema;
use terrace_value::{Type, Value};

use crate::convert::{diagnostics, encode, path};
use crate::log::{LogLevel, LogRecord};
use crate::provider::{Kind, PluginProvider};

type Identity = Option<p6::ResourceIdentityData>;

impl PluginProvider {
    /// What this client can do beyond the least.
    fn capabilities(&self) -> p6::ClientCapabilities {
        p6::ClientCapabilities {
            deferral_allowed: self.deferral_allowed,
            write_only_attributes_allowed: true,
        }
    }

    async fn resource(&self, call: &str, name: &str) -> Result<Type, ProviderError> {
        self.type_of(call, Kind::Resource, name).await
    }

    async fn data_source(&self, call: &str, name: &str) -> Result<Type, ProviderError> {
        self.type_of(call, Kind::Data, name).await
    }

    async fn ephemeral(&self, call: &str, name: &str) -> Result<Type, ProviderError> {
        self.type_of(call, Kind::Ephemeral, name).await
    }

    /// An identity as a message, where the type has one.
    async fn encode_identity(
        &self,
        call: &str,
        type_name: &str,
        identity: Option<&Value>,
    ) -> Result<Identity, ProviderError> {
        let Some(identity) = identity else {
            return Ok(None);
        };
        let Some(ty) = self.find_type(Kind::Identity, type_name).await? else {
            return Ok(None);
        };
        Ok(Some(p6::ResourceIdentityData {
            identity_data: self.encode(call, identity, &ty)?,
        }))
    }

    async fn decode_identity(
        &self,
        call: &str,
        type_name: &str,
        identity: Identity,
    ) -> Result<Option<Value>, ProviderError> {
        let Some(data) = identity.and_then(|identity| identity.identity_data) else {
            return Ok(None);
        };
        let ty = self.type_of(call, Kind::Identity, type_name).await?;
        let value = self.decode(call, Some(&data), &ty)?;
        Ok((!value.is_null()).then_some(value))
    }

    /// A reply that may have been put off. One that was although nobody allowed it is an error.
    fn reply<T>(
        &self,
        value: T,
        said: Vec<p6::Diagnostic>,
        deferred: Option<p6::Deferred>,
    ) -> Reply<T> {
        let mut list = diagnostics(said);
        let deferred = deferred.map(|deferred| reason(deferred.reason()));
        if deferred.is_some() && !self.deferral_allowed {
            list.push(ProviderDiagnostic::error(
                "Provider deferred changes when not allowed",
                "The provider answered that it cannot do this yet, although it was not told that it may put things off.\n\nThis is a bug in the provider, which should be reported in the provider's own issue tracker.",
            ));
        }
        Reply {
            deferred,
            ..Reply::new(value, list)
        }
    }

    async fn do_import(
        &self,
        request: p6::import_resource_state::Request,
    ) -> Attempt<Vec<ImportedResource>> {
        let call = "ImportResourceState";
        let connection = self.connection().await?;
        let response = self.answered(call, connection.rpc.import(request)).await?;
        let mut imported = Vec::new();
        for resource in response.imported_resources {
            let ty = self.resource(call, &resource.type_name).await?;
            imported.push(ImportedResource {
                state: self.decode(call, resource.state.as_ref(), &ty)?,
                identity: self
                    .decode_identity(call, &resource.type_name, resource.identity)
                    .await?,
                type_name: resource.type_name.into(),
                private: resource.private.into(),
            });
        }
        Ok(self.reply(imported, response.diagnostics, response.deferred))
    }

    /// Says in the log where an answer of the old SDK is not what it had to be, and is put up with. Values stay out of it.
    fn tolerate(&self, what: &str, type_name: &str, problems: &[terrace_schema::ValueError]) {
        let (Some(log), false) = (&self.log, problems.is_empty()) else {
            return;
        };
        let places: Vec<String> = problems
            .iter()
            .map(|problem| problem.path.to_string())
            .collect();
        let message = format!(
            "Provider {} produced {what} for a {type_name}, but we are tolerating it because it is using the legacy plugin SDK",
            self.name
        );
        log(&LogRecord::own(LogLevel::Warn, message).with("attributes", places.join(", ")));
    }
}

const fn reason(reason: p6::deferred::Reason) -> DeferralReason {
    use p6::deferred::Reason;
    match reason {
        Reason::Unknown => DeferralReason::Unspecified,
        Reason::ResourceConfigUnknown => DeferralReason::ResourceConfigUnknown,
        Reason::ProviderConfigUnknown => DeferralReason::ProviderConfigUnknown,
        Reason::AbsentPrereq => DeferralReason::AbsentPrerequisite,
    }
}

fn raw_state(json: &[u8]) -> p6::RawState {
    p6::RawState {
        json: json.to_vec(),
        ..p6::RawState::default()
    }
}

#[async_trait]
impl Provider for PluginProvider {
    async fn schema(&self) -> Result<Arc<ProviderSchema>, ProviderError> {
        self.schema
            .get_or_try_init(|| self.load_schema())
            .await
            .cloned()
    }

    async fn validate_provider_config(&self, config: Value) -> Attempt<Value> {
        let call = "ValidateProviderConfig";
        let ty = self.schema().await?.provider.block.implied_type();
        let request = encode(&config, &ty).map_err(|why| self.nonsense(call, &why))?;
        let connection = self.connection().await?;
        let (prepared, said) = self
            .answered(call, connection.rpc.validate_provider(request))
            .await?;
        let value = match prepared {
            Some(prepared) if !prepared.msgpack.is_empty() || !prepared.json.is_empty() => {
                self.decode(call, Some(&prepared), &ty)?
            }
            _ => config,
        };
        Ok(self.reply(value, said, None))
    }

    async fn configure(&self, config: Value) -> Attempt<()> {
        let call = "ConfigureProvider";
        let ty = self.schema().await?.provider.block.implied_type();
        let request = p6::configure_provider::Request {
            terraform_version: self.engine_version.clone(),
            config: self.encode(call, &config, &ty)?,
            client_capabilities: Some(self.capabilities()),
        };
        let connection = self.connection().await?;
        let said = self
            .answered(call, connection.rpc.configure(request))
            .await?;
        Ok(self.reply((), said, None))
    }

    async fn validate_resource_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        let call = "ValidateResourceConfig";
        let ty = self.resource(call, type_name).await?;
        let request = p6::validate_resource_config::Request {
            type_name: type_name.into(),
            config: self.encode(call, &config, &ty)?,
            client_capabilities: Some(self.capabilities()),
        };
        let connection = self.connection().await?;
        let said = self
            .answered(call, connection.rpc.validate_resource(request))
            .await?;
        Ok(self.reply((), said, None))
    }

    async fn validate_data_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        let call = "ValidateDataResourceConfig";
        let ty = self.data_source(call, type_name).await?;
        let request = p6::validate_data_resource_config::Request {
            type_name: type_name.into(),
            config: self.encode(call, &config, &ty)?,
        };
        let connection = self.connection().await?;
        let said = self
            .answered(call, connection.rpc.validate_data(request))
            .await?;
        Ok(self.reply((), said, None))
    }

    async fn validate_ephemeral_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        let call = "ValidateEphemeralResourceConfig";
        let ty = self.ephemeral(call, type_name).await?;
        let request = p6::validate_ephemeral_resource_config::Request {
            type_name: type_name.into(),
            config: self.encode(call, &config, &ty)?,
        };
        let connection = self.connection().await?;
        let said = self
            .answered(call, connection.rpc.validate_ephemeral(request))
            .await?;
        Ok(self.reply((), said, None))
    }

    async fn upgrade_state(&self, state: ResourceState) -> Attempt<Value> {
        let call = "UpgradeResourceState";
        let ty = self.resource(call, &state.type_name).await?;
        let request = p6::upgrade_resource_state::Request {
            type_name: state.type_name.to_string(),
            version: state.schema_version,
            raw_state: Some(raw_state(&state.json)),
        };
        let connection = self.connection().await?;
        let response = self.answered(call, connection.rpc.upgrade(request)).await?;
        let value = self.decode(call, response.upgraded_state.as_ref(), &ty)?;
        Ok(self.reply(value, response.diagnostics, None))
    }

    async fn upgrade_identity(&self, identity: ResourceState) -> Attempt<Value> {
        let call = "UpgradeResourceIdentity";
        let ty = self
            .type_of(call, Kind::Identity, &identity.type_name)
            .await?;
        let request = p6::upgrade_resource_identity::Request {
            type_name: identity.type_name.to_string(),
            version: identity.schema_version,
            raw_identity: Some(raw_state(&identity.json)),
        };
        let connection = self.connection().await?;
        let response = self
            .answered(call, connection.rpc.upgrade_identity(request))
            .await?;
        let data = response
            .upgraded_identity
            .and_then(|identity| identity.identity_data);
        let value = self.decode(call, data.as_ref(), &ty)?;
        Ok(self.reply(value, response.diagnostics, None))
    }

    async fn move_state(&self, request: MoveRequest) -> Attempt<MoveResponse> {
        let call = "MoveResourceState";
        let type_name = &request.target_type_name;
        let ty = self.resource(call, type_name).await?;
        let identity = request.source_identity.as_ref();
        let message = p6::move_resource_state::Request {
            source_provider_address: request.source_provider.to_string(),
            source_type_name: request.source.type_name.to_string(),
            source_schema_version: request.source.schema_version,
            source_state: Some(raw_state(&request.source.json)),
            target_type_name: type_name.to_string(),
            source_private: request.source_private.to_vec(),
            source_identity: identity.map(|identity| raw_state(&identity.json)),
            source_identity_schema_version: identity.map_or(0, |identity| identity.schema_version),
        };
        let connection = self.connection().await?;
        let response = self
            .answered(call, connection.rpc.move_state(message))
            .await?;
        let value = MoveResponse {
            state: self.decode(call, response.target_state.as_ref(), &ty)?,
            private: response.target_private.into(),
            identity: self
                .decode_identity(call, type_name, response.target_identity)
                .await?,
        };
        Ok(self.reply(value, response.diagnostics, None))
    }

    async fn read(&self, request: ReadRequest) -> Attempt<ReadResponse> {
        let call = "ReadResource";
        let type_name = &request.type_name;
        let ty = self.resource(call, type_name).await?;
        let message = p6::read_resource::Request {
            type_name: type_name.to_string(),
            current_state: self.encode(call, &request.current, &ty)?,
            private: request.private.to_vec(),
            client_capabilities: Some(self.capabilities()),
            current_identity: self
                .encode_identity(call, type_name, request.identity.as_ref())
                .await?,
            provider_meta: self.encoded_meta(call).await?,
        };
        let connection = self.connection().await?;
        let response = self.answered(call, connection.rpc.read(message)).await?;
        let value = ReadResponse {
            state: self.decode(call, response.new_state.as_ref(), &ty)?,
            private: response.private.into(),
            identity: self
                .decode_identity(call, type_name, response.new_identity)
                .await?,
        };
        Ok(self.reply(value, response.diagnostics, response.deferred))
    }

    async fn plan(&self, request: PlanRequest) -> Attempt<PlanResponse> {
        let call = "PlanResourceChange";
        // A provider that does not say that it plans destructions need not understand the question.
        if request.proposed.is_null() && !self.schema().await?.plan_destroy {
            let value = PlanResponse {
                planned: request.proposed,
                requires_replace: Vec::new(),
                private: request.prior_private,
                legacy_type_system: false,
                identity: request.identity,
            };
            return Ok(Reply::new(value, Vec::new()));
        }
        let type_name = &request.type_name;
        let ty = self.resource(call, type_name).await?;
        let message = p6::plan_resource_change::Request {
            type_name: type_name.to_string(),
            prior_state: self.encode(call, &request.prior, &ty)?,
            proposed_new_state: self.encode(call, &request.proposed, &ty)?,
            config: self.encode(call, &request.config, &ty)?,
            prior_private: request.prior_private.to_vec(),
            client_capabilities: Some(self.capabilities()),
            prior_identity: self
                .encode_identity(call, type_name, request.identity.as_ref())
                .await?,
            provider_meta: self.encoded_meta(call).await?,
        };
        let connection = self.connection().await?;
        let response = self.answered(call, connection.rpc.plan(message)).await?;
        let planned = self.decode(call, response.planned_state.as_ref(), &ty)?;
        if response.legacy_type_system && self.log.is_some() {
            if let Some(schema) = self.schema().await?.resources.get(type_name) {
                let problems = terrace_schema::assert_plan_valid(
                    &schema.block,
                    &request.prior,
                    &request.config,
                    &planned,
                );
                self.tolerate("an invalid plan", type_name, &problems);
            }
        }
        let value = PlanResponse {
            planned,
            requires_replace: response.requires_replace.iter().map(path).collect(),
            private: response.planned_private.into(),
            legacy_type_system: response.legacy_type_system,
            identity: self
                .decode_identity(call, type_name, response.planned_identity)
                .await?,
        };
        Ok(self.reply(value, response.diagnostics, response.deferred))
    }

    async fn apply(&self, request: ApplyRequest) -> Attempt<ApplyResponse> {
        let call = "ApplyResourceChange";
        let type_name = &request.type_name;
        let ty = self.resource(call, type_name).await?;
        let message = p6::apply_resource_change::Request {
            type_name: type_name.to_string(),
            prior_state: self.encode(call, &request.prior, &ty)?,
            planned_state: self.encode(call, &request.planned, &ty)?,
            config: self.encode(call, &request.config, &ty)?,
            planned_private: request.planned_private.to_vec(),
            planned_identity: self
                .encode_identity(call, type_name, request.identity.as_ref())
                .await?,
            provider_meta: self.encoded_meta(call).await?,
        };
        let connection = self.connection().await?;
        let response = self.answered(call, connection.rpc.apply(message)).await?;
        let state = self.decode(call, response.new_state.as_ref(), &ty)?;
        if response.legacy_type_system && self.log.is_some() {
            if let Some(schema) = self.schema().await?.resources.get(type_name) {
                let problems = terrace_schema::assert_object_compatible(
                    &schema.block,
                    &request.planned,
                    &state,
                );
                self.tolerate("an unexpected new value", type_name, &problems);
            }
        }
        let value = ApplyResponse {
            state,
            private: response.private.into(),
            legacy_type_system: response.legacy_type_system,
            identity: self
                .decode_identity(call, type_name, response.new_identity)
                .await?,
        };
        Ok(self.reply(value, response.diagnostics, None))
    }

    async fn import(&self, type_name: &str, id: &str) -> Attempt<Vec<ImportedResource>> {
        let request = p6::import_resource_state::Request {
            type_name: type_name.into(),
            id: id.into(),
            client_capabilities: Some(self.capabilities()),
            identity: None,
        };
        self.do_import(request).await
    }

    async fn import_identity(
        &self,
        type_name: &str,
        identity: Value,
    ) -> Attempt<Vec<ImportedResource>> {
        let call = "ImportResourceState";
        let ty = self.type_of(call, Kind::Identity, type_name).await?;
        let request = p6::import_resource_state::Request {
            type_name: type_name.into(),
            id: String::new(),
            client_capabilities: Some(self.capabilities()),
            identity: Some(p6::ResourceIdentityData {
                identity_data: self.encode(call, &identity, &ty)?,
            }),
        };
        self.do_import(request).await
    }

    async fn open_ephemeral(&self, type_name: &str, config: Value) -> Attempt<OpenedEphemeral> {
        let call = "OpenEphemeralResource";
        let ty = self.ephemeral(call, type_name).await?;
        let request = p6::open_ephemeral_resource::Request {
            type_name: type_name.into(),
            config: self.encode(call, &config, &ty)?,
            client_capabilities: Some(self.capabilities()),
        };
        let connection = self.connection().await?;
        let response = self
            .answered(call, connection.rpc.open_ephemeral(request))
            .await?;
        let value = OpenedEphemeral {
            value: self.decode(call, response.result.as_ref(), &ty)?,
            private: response.private.unwrap_or_default().into(),
            renew_at: response
                .renew_at
                .map(|time| (time.seconds, time.nanos.try_into().unwrap_or(0))),
        };
        Ok(self.reply(value, response.diagnostics, response.deferred))
    }

    async fn renew_ephemeral(
        &self,
        type_name: &str,
        private: Arc<[u8]>,
    ) -> Attempt<RenewedEphemeral> {
        let call = "RenewEphemeralResource";
        let request = p6::renew_ephemeral_resource::Request {
            type_name: type_name.into(),
            private: Some(private.to_vec()),
        };
        let connection = self.connection().await?;
        let response = self
            .answered(call, connection.rpc.renew_ephemeral(request))
            .await?;
        let value = RenewedEphemeral {
            private: response.private.unwrap_or_default().into(),
            renew_at: response
                .renew_at
                .map(|time| (time.seconds, time.nanos.try_into().unwrap_or(0))),
        };
        Ok(self.reply(value, response.diagnostics, None))
    }

    async fn close_ephemeral(&self, type_name: &str, private: Arc<[u8]>) -> Attempt<()> {
        let call = "CloseEphemeralResource";
        let request = p6::close_ephemeral_resource::Request {
            type_name: type_name.into(),
            private: Some(private.to_vec()),
        };
        let connection = self.connection().await?;
        let said = self
            .answered(call, connection.rpc.close_ephemeral(request))
            .await?;
        Ok(self.reply((), said, None))
    }

    async fn read_data(&self, type_name: &str, config: Value) -> Attempt<Value> {
        let call = "ReadDataSource";
        let ty = self.data_source(call, type_name).await?;
        let request = p6::read_data_source::Request {
            type_name: type_name.into(),
            config: self.encode(call, &config, &ty)?,
            provider_meta: self.encoded_meta(call).await?,
            client_capabilities: Some(self.capabilities()),
        };
        let connection = self.connection().await?;
        let response = self
            .answered(call, connection.rpc.read_data(request))
            .await?;
        let value = self.decode(call, response.state.as_ref(), &ty)?;
        Ok(self.reply(value, response.diagnostics, response.deferred))
    }

    async fn call_function(
        &self,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<Result<Value, (Option<usize>, String)>, ProviderError> {
        let call = "CallFunction";
        let schema = self.schema().await?;
        let Some(function) = schema.functions.get(name) else {
            return Ok(Err((
                None,
                format!("the provider {} has no function {name:?}", self.name),
            )));
        };
        let mut messages = Vec::with_capacity(arguments.len());
        for (index, argument) in arguments.iter().enumerate() {
            let Some(parameter) = function
                .parameters
                .get(index)
                .or(function.variadic.as_ref())
            else {
                return Ok(Err((
                    Some(index),
                    "the function takes fewer arguments".into(),
                )));
            };
            messages.extend(self.encode(call, argument, &parameter.ty)?);
        }
        let request = p6::call_function::Request {
            name: name.into(),
            arguments: messages,
        };
        let connection = self.connection().await?;
        let response = self
            .answered(call, connection.rpc.call_function(request))
            .await?;
        if let Some(error) = response.error {
            let argument = error
                .function_argument
                .and_then(|index| index.try_into().ok());
            return Ok(Err((argument, error.text)));
        }
        self.decode(call, response.result.as_ref(), &function.result)
            .map(Ok)
    }

    fn with_meta(self: Arc<Self>, meta: Value) -> Option<Arc<dyn Provider>> {
        Some(Arc::new(self.telling(meta)))
    }

    fn has_ended(&self) -> bool {
        self.process_has_ended()
    }

    async fn stop(&self) -> Result<(), ProviderError> {
        let connection = self.connection().await?;
        let complaint = self.answered("StopProvider", connection.rpc.stop()).await?;
        if complaint.is_empty() {
            return Ok(());
        }
        Err(ProviderError {
            message: format!("The provider {} could not stop: {complaint}.", self.name),
        })
    }

    async fn close(&self) {
        self.end().await;
    }
}
