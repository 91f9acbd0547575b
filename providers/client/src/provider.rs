//! The provider: one for both protocol versions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use terrace_port::{
    ApplyRequest, ApplyResponse, Attempt, ImportedResource, PlanRequest, PlanResponse, Provider,
    ProviderDiagnostic, ProviderError, ReadRequest, ReadResponse, Reply, ResourceState,
};
use terrace_provider_protocol::plugin::Empty;
use terrace_provider_protocol::plugin::grpc_controller_client::GrpcControllerClient;
use terrace_provider_protocol::tfplugin6 as p6;
use terrace_schema::ProviderSchema;
use terrace_value::{Type, Value};
use tokio::sync::OnceCell;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::convert::{decode, diagnostics, encode, path};
use crate::handshake::ProtocolVersion;
use crate::process::{Launch, PluginProcess, Started};
use crate::rpc::Rpc;
use crate::schema::provider_schema;
use crate::schema_cache::SchemaCache;
use crate::v5::V5;
use crate::v6::V6;

/// How long a provider may take to end in its own time.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// A provider in a process of its own. Dropping it kills the process; [`Provider::close`] lets it end in its own time first.
pub struct PluginProvider {
    name: String,
    engine_version: String,
    start_timeout: Duration,
    version: ProtocolVersion,
    process: PluginProcess,
    channel: Channel,
    rpc: Box<dyn Rpc>,
    schema: OnceCell<Arc<ProviderSchema>>,
    schema_cache: Option<(SchemaCache, String)>,
    /// Types of the values of resource types and data sources, once they were asked for.
    types: Mutex<BTreeMap<(Kind, Arc<str>), Type>>,
}

impl PluginProvider {
    /// Starts the provider's process and connects to it.
    pub async fn start(launch: &Launch) -> Result<Self, ProviderError> {
        let Started {
            process,
            channel,
            version,
        } = PluginProcess::start(launch).await?;
        let rpc: Box<dyn Rpc> = match version {
            ProtocolVersion::V5 => Box::new(V5::new(channel.clone())),
            ProtocolVersion::V6 => Box::new(V6::new(channel.clone())),
        };
        Ok(Self {
            name: launch.name.clone(),
            engine_version: launch.engine_version.clone(),
            start_timeout: launch.start_timeout,
            version,
            process,
            channel,
            rpc,
            schema: OnceCell::new(),
            schema_cache: launch.schema_cache.clone(),
            types: Mutex::default(),
        })
    }

    /// The protocol version that the provider speaks: 5 or 6.
    pub const fn protocol_version(&self) -> u32 {
        match self.version {
            ProtocolVersion::V5 => 5,
            ProtocolVersion::V6 => 6,
        }
    }

    /// The id of the provider's process.
    pub const fn process_id(&self) -> Option<u32> {
        self.process.id()
    }

    async fn load_schema(&self) -> Result<Arc<ProviderSchema>, ProviderError> {
        let call = "GetProviderSchema";
        if let Some(schema) = self.cached_schema() {
            return Ok(schema);
        }
        let response = match tokio::time::timeout(self.start_timeout, self.rpc.schema()).await {
            Ok(response) => self.answered(call, response).await?,
            Err(_) => {
                let why = format!("it said nothing within {} s", self.start_timeout.as_secs());
                let error = self.process.lost(call, &why, false).await;
                self.process.kill().await;
                return Err(error);
            }
        };
        if let Some(error) = diagnostics(response.diagnostics.clone())
            .into_iter()
            .find(|diagnostic| diagnostic.error)
        {
            return Err(self.nonsense(call, &format!("{}: {}", error.summary, error.detail)));
        }
        if let Some((cache, key)) = &self.schema_cache {
            cache.put(key, &response);
        }
        provider_schema(response)
            .map(Arc::new)
            .map_err(|why| self.nonsense(call, &why))
    }

    /// The schema of an earlier run, for a provider that need not be asked for it before anything else.
    fn cached_schema(&self) -> Option<Arc<ProviderSchema>> {
        let (cache, key) = self.schema_cache.as_ref()?;
        let message = cache.message(key)?;
        let optional = message
            .server_capabilities
            .is_some_and(|server| server.get_provider_schema_optional);
        if !optional {
            return None;
        }
        provider_schema(message).ok().map(Arc::new)
    }

    async fn answered<T>(&self, call: &str, answer: Result<T, Status>) -> Result<T, ProviderError> {
        match answer {
            Ok(answer) => Ok(answer),
            Err(status) => {
                let broken = matches!(
                    status.code(),
                    Code::Unavailable
                        | Code::Unknown
                        | Code::Internal
                        | Code::Cancelled
                        | Code::Aborted
                );
                Err(self.process.lost(call, &explain(&status), broken).await)
            }
        }
    }

    fn nonsense(&self, call: &str, why: &str) -> ProviderError {
        ProviderError {
            message: format!(
                "The provider {} gave an answer to {call} that makes no sense: {why}.",
                self.name
            ),
        }
    }

    fn encode(
        &self,
        call: &str,
        value: &Value,
        ty: &Type,
    ) -> Result<Option<p6::DynamicValue>, ProviderError> {
        encode(value, ty).map(Some).map_err(|why| ProviderError {
            message: format!(
                "A value for {call} of the provider {} cannot be sent: {why}.",
                self.name
            ),
        })
    }

    fn decode(
        &self,
        call: &str,
        value: Option<&p6::DynamicValue>,
        ty: &Type,
    ) -> Result<Value, ProviderError> {
        decode(value, ty).map_err(|why| self.nonsense(call, &why))
    }

    /// The type of the values of a resource type or data source.
    async fn type_of(&self, call: &str, kind: Kind, name: &str) -> Result<Type, ProviderError> {
        let key = (kind, Arc::from(name));
        if let Some(ty) = self
            .types
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
        {
            return Ok(ty.clone());
        }
        let schema = self.schema().await?;
        let (schemas, what) = match kind {
            Kind::Resource => (&schema.resources, "resource type"),
            Kind::Data => (&schema.data_sources, "data source"),
        };
        let Some(schema) = schemas.get(name) else {
            return Err(ProviderError {
                message: format!(
                    "The provider {} has no {what} {name:?}, which {call} asks about.",
                    self.name
                ),
            });
        };
        let ty = schema.block.implied_type();
        self.types
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, ty.clone());
        Ok(ty)
    }

    async fn resource(&self, call: &str, name: &str) -> Result<Type, ProviderError> {
        self.type_of(call, Kind::Resource, name).await
    }

    async fn data_source(&self, call: &str, name: &str) -> Result<Type, ProviderError> {
        self.type_of(call, Kind::Data, name).await
    }
}

/// What has values of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Resource,
    Data,
}

fn explain(status: &Status) -> String {
    match status.code() {
        Code::Unimplemented => "it does not know this call".into(),
        _ if status.message().is_empty() => status.code().description().into(),
        code => format!("{} ({})", status.message(), code.description()),
    }
}

/// What this client can do beyond the least.
const CAPABILITIES: p6::ClientCapabilities = p6::ClientCapabilities {
    deferral_allowed: false,
    write_only_attributes_allowed: true,
};

/// Adds an error where the provider put a call off although the engine did not allow it.
fn not_deferred(list: &mut Vec<ProviderDiagnostic>, deferred: Option<p6::Deferred>) {
    if deferred.is_some_and(|deferred| deferred.reason != 0) {
        list.push(ProviderDiagnostic::error(
            "Provider deferred changes when not allowed",
            "The provider answered that it cannot do this yet, although it was not told that it may put things off.\n\nThis is a bug in the provider, which should be reported in the provider's own issue tracker.",
        ));
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
        let (prepared, list) = self
            .answered(call, self.rpc.validate_provider(request).await)
            .await?;
        let value = match prepared {
            Some(prepared) if !prepared.msgpack.is_empty() || !prepared.json.is_empty() => {
                self.decode(call, Some(&prepared), &ty)?
            }
            _ => config,
        };
        Ok(Reply {
            value,
            diagnostics: diagnostics(list),
            deferred: None,
        })
    }

    async fn configure(&self, config: Value) -> Attempt<()> {
        let call = "ConfigureProvider";
        let ty = self.schema().await?.provider.block.implied_type();
        let request = p6::configure_provider::Request {
            terraform_version: self.engine_version.clone(),
            config: self.encode(call, &config, &ty)?,
            client_capabilities: Some(CAPABILITIES),
        };
        let list = self
            .answered(call, self.rpc.configure(request).await)
            .await?;
        Ok(Reply {
            value: (),
            diagnostics: diagnostics(list),
            deferred: None,
        })
    }

    async fn validate_resource_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        let call = "ValidateResourceConfig";
        let ty = self.resource(call, type_name).await?;
        let request = p6::validate_resource_config::Request {
            type_name: type_name.into(),
            config: self.encode(call, &config, &ty)?,
            client_capabilities: Some(CAPABILITIES),
        };
        let list = self
            .answered(call, self.rpc.validate_resource(request).await)
            .await?;
        Ok(Reply {
            value: (),
            diagnostics: diagnostics(list),
            deferred: None,
        })
    }

    async fn validate_data_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        let call = "ValidateDataResourceConfig";
        let ty = self.data_source(call, type_name).await?;
        let request = p6::validate_data_resource_config::Request {
            type_name: type_name.into(),
            config: self.encode(call, &config, &ty)?,
        };
        let list = self
            .answered(call, self.rpc.validate_data(request).await)
            .await?;
        Ok(Reply {
            value: (),
            diagnostics: diagnostics(list),
            deferred: None,
        })
    }

    async fn upgrade_state(&self, state: ResourceState) -> Attempt<Value> {
        let call = "UpgradeResourceState";
        let ty = self.resource(call, &state.type_name).await?;
        let request = p6::upgrade_resource_state::Request {
            type_name: state.type_name.to_string(),
            version: state.schema_version,
            raw_state: Some(p6::RawState {
                json: state.json.to_vec(),
                ..p6::RawState::default()
            }),
        };
        let response = self.answered(call, self.rpc.upgrade(request).await).await?;
        let value = self.decode(call, response.upgraded_state.as_ref(), &ty)?;
        Ok(Reply {
            value,
            diagnostics: diagnostics(response.diagnostics),
            deferred: None,
        })
    }

    async fn read(&self, request: ReadRequest) -> Attempt<ReadResponse> {
        let call = "ReadResource";
        let ty = self.resource(call, &request.type_name).await?;
        let message = p6::read_resource::Request {
            type_name: request.type_name.to_string(),
            current_state: self.encode(call, &request.current, &ty)?,
            private: request.private.to_vec(),
            client_capabilities: Some(CAPABILITIES),
            ..p6::read_resource::Request::default()
        };
        let response = self.answered(call, self.rpc.read(message).await).await?;
        let mut list = diagnostics(response.diagnostics);
        not_deferred(&mut list, response.deferred);
        let state = self.decode(call, response.new_state.as_ref(), &ty)?;
        Ok(Reply {
            value: ReadResponse {
                state,
                private: response.private.into(),
                identity: None,
            },
            diagnostics: list,
            deferred: None,
        })
    }

    async fn plan(&self, request: PlanRequest) -> Attempt<PlanResponse> {
        let call = "PlanResourceChange";
        let ty = self.resource(call, &request.type_name).await?;
        let message = p6::plan_resource_change::Request {
            type_name: request.type_name.to_string(),
            prior_state: self.encode(call, &request.prior, &ty)?,
            proposed_new_state: self.encode(call, &request.proposed, &ty)?,
            config: self.encode(call, &request.config, &ty)?,
            prior_private: request.prior_private.to_vec(),
            client_capabilities: Some(CAPABILITIES),
            ..p6::plan_resource_change::Request::default()
        };
        let response = self.answered(call, self.rpc.plan(message).await).await?;
        let mut list = diagnostics(response.diagnostics);
        not_deferred(&mut list, response.deferred);
        let value = PlanResponse {
            planned: self.decode(call, response.planned_state.as_ref(), &ty)?,
            requires_replace: response.requires_replace.iter().map(path).collect(),
            private: response.planned_private.into(),
            legacy_type_system: response.legacy_type_system,
            identity: None,
        };
        Ok(Reply {
            value,
            diagnostics: list,
            deferred: None,
        })
    }

    async fn apply(&self, request: ApplyRequest) -> Attempt<ApplyResponse> {
        let call = "ApplyResourceChange";
        let ty = self.resource(call, &request.type_name).await?;
        let message = p6::apply_resource_change::Request {
            type_name: request.type_name.to_string(),
            prior_state: self.encode(call, &request.prior, &ty)?,
            planned_state: self.encode(call, &request.planned, &ty)?,
            config: self.encode(call, &request.config, &ty)?,
            planned_private: request.planned_private.to_vec(),
            ..p6::apply_resource_change::Request::default()
        };
        let response = self.answered(call, self.rpc.apply(message).await).await?;
        let value = ApplyResponse {
            state: self.decode(call, response.new_state.as_ref(), &ty)?,
            private: response.private.into(),
            legacy_type_system: response.legacy_type_system,
            identity: None,
        };
        Ok(Reply {
            value,
            diagnostics: diagnostics(response.diagnostics),
            deferred: None,
        })
    }

    async fn import(&self, type_name: &str, id: &str) -> Attempt<Vec<ImportedResource>> {
        let call = "ImportResourceState";
        let request = p6::import_resource_state::Request {
            type_name: type_name.into(),
            id: id.into(),
            client_capabilities: Some(CAPABILITIES),
            identity: None,
        };
        let response = self.answered(call, self.rpc.import(request).await).await?;
        let mut list = diagnostics(response.diagnostics);
        not_deferred(&mut list, response.deferred);
        let mut imported = Vec::new();
        for resource in response.imported_resources {
            let ty = self.resource(call, &resource.type_name).await?;
            imported.push(ImportedResource {
                state: self.decode(call, resource.state.as_ref(), &ty)?,
                type_name: resource.type_name.into(),
                private: resource.private.into(),
                identity: None,
            });
        }
        Ok(Reply {
            value: imported,
            diagnostics: list,
            deferred: None,
        })
    }

    async fn read_data(&self, type_name: &str, config: Value) -> Attempt<Value> {
        let call = "ReadDataSource";
        let ty = self.data_source(call, type_name).await?;
        let request = p6::read_data_source::Request {
            type_name: type_name.into(),
            config: self.encode(call, &config, &ty)?,
            provider_meta: None,
            client_capabilities: Some(CAPABILITIES),
        };
        let response = self
            .answered(call, self.rpc.read_data(request).await)
            .await?;
        let mut list = diagnostics(response.diagnostics);
        not_deferred(&mut list, response.deferred);
        Ok(Reply {
            value: self.decode(call, response.state.as_ref(), &ty)?,
            diagnostics: list,
            deferred: None,
        })
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
        let response = self
            .answered(call, self.rpc.call_function(request).await)
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

    async fn stop(&self) -> Result<(), ProviderError> {
        let complaint = self.answered("StopProvider", self.rpc.stop().await).await?;
        if complaint.is_empty() {
            return Ok(());
        }
        Err(ProviderError {
            message: format!("The provider {} could not stop: {complaint}.", self.name),
        })
    }

    async fn close(&self) {
        let mut controller = GrpcControllerClient::new(self.channel.clone());
        // A plugin that ends at once may not get to answer, and one that cannot answer is killed below.
        let _answer = tokio::time::timeout(CLOSE_PATIENCE, controller.shutdown(Empty {})).await;
        if !self.process.ends_within(CLOSE_PATIENCE).await {
            self.process.kill().await;
        }
    }
}
