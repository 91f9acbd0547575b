//! The provider: one for both protocol versions.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use terrace_port::{Provider as _, ProviderError};
use terrace_provider_protocol::plugin::Empty;
use terrace_provider_protocol::plugin::grpc_controller_client::GrpcControllerClient;
use terrace_provider_protocol::tfplugin6 as p6;
use terrace_schema::ProviderSchema;
use terrace_value::{Type, Value};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::channel::connect;
use crate::convert::{decode, diagnostics, encode};
use crate::guard::PATIENCE;
use crate::handshake::ProtocolVersion;
use crate::log::{LogLevel, LogRecord, LogSink};
use crate::process::{Launch, PluginProcess, Started};
use crate::rpc::Rpc;
use crate::schema::{Answers, provider_schema};
use crate::schema_cache::{Remembered, SchemaCache, fingerprint};
use crate::v5::V5;
use crate::v6::V6;

/// A provider in a process of its own. Dropping it kills the process; [`terrace_port::Provider::close`] lets it end in its
/// own time first.
pub struct PluginProvider {
    core: Arc<Core>,
    /// What the module whose resources it is asked about says to it.
    pub(crate) meta: Option<Value>,
}

/// The types of values by what has them; none where the provider has it not.
type KnownTypes = BTreeMap<(Kind, Arc<str>), Option<Type>>;

/// What all handles of one process share.
pub struct Core {
    pub(crate) name: String,
    pub(crate) engine_version: String,
    pub(crate) deferral_allowed: bool,
    pub(crate) log: Option<LogSink>,
    cache: Option<(SchemaCache, String)>,
    connecting: Connecting,
    pub(crate) schema: OnceCell<Arc<ProviderSchema>>,
    /// Types of the values of resource types and data sources, once they were asked for.
    types: Mutex<KnownTypes>,
}

impl std::ops::Deref for PluginProvider {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.core
    }
}

/// A process that answers.
pub(crate) struct Connection {
    name: String,
    /// None where somebody else started it.
    process: Option<PluginProcess>,
    channel: Channel,
    version: ProtocolVersion,
    pub(crate) rpc: Box<dyn Rpc>,
    start_timeout: Duration,
}

/// A connection that is being made.
struct Connecting {
    stage: Mutex<Stage>,
    made: OnceCell<Result<Connection, ProviderError>>,
}

/// How far it has come.
enum Stage {
    Prepared(Box<(Launch, Option<Remembered>)>),
    Begun(JoinHandle<Result<Connection, ProviderError>>),
    Over,
}

impl Drop for Connecting {
    fn drop(&mut self) {
        self.abandon();
    }
}

impl Connecting {
    fn stage(&self) -> std::sync::MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) {
        let mut stage = self.stage();
        *stage = match std::mem::replace(&mut *stage, Stage::Over) {
            Stage::Prepared(prepared) => {
                let (launch, remembered) = *prepared;
                Stage::Begun(tokio::spawn(connected(launch, remembered)))
            }
            other => other,
        };
    }

    /// Ends what is not made yet; whether there was anything.
    fn abandon(&self) -> bool {
        match std::mem::replace(&mut *self.stage(), Stage::Over) {
            Stage::Over => false,
            Stage::Prepared(_) => true,
            Stage::Begun(task) => {
                // The process that it has started goes with it.
                task.abort();
                true
            }
        }
    }

    async fn wait(&self) -> Result<&Connection, ProviderError> {
        let made = self
            .made
            .get_or_init(async || {
                self.begin();
                let stage = std::mem::replace(&mut *self.stage(), Stage::Over);
                match stage {
                    Stage::Begun(task) => {
                        // Who stops waiting ends it.
                        let task = AbortOnDrop(task);
                        task.await.unwrap_or_else(|error| Err(not_made(&error)))
                    }
                    _ => Err(not_made(&"it was closed")),
                }
            })
            .await;
        made.as_ref().map_err(Clone::clone)
    }
}

/// A task that does not outlive who waits for it.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, tokio::task::JoinError>;

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts a process and connects to it. One that relies on being asked for its schema is asked, even if it is known.
async fn connected(
    launch: Launch,
    remembered: Option<Remembered>,
) -> Result<Connection, ProviderError> {
    let connection = Connection::make(&launch).await?;
    if let (Some(known), Some((cache, key))) = (remembered, &launch.schema_cache)
        && !known.optional
    {
        let answer = connection.ask_schema().await?;
        if fingerprint(&answer) != known.fingerprint {
            connection
                .check_remembered(answer, &known.schema, (cache, key))
                .await?;
        }
    }
    Ok(connection)
}

fn not_made(why: &dyn std::fmt::Display) -> ProviderError {
    ProviderError {
        message: format!("The connection to a provider was not made: {why}."),
    }
}

impl PluginProvider {
    /// Starts the provider's process and connects to it.
    pub async fn start(launch: &Launch) -> Result<Self, ProviderError> {
        let provider = Self::prepare(launch.clone());
        provider.connection().await?;
        Ok(provider)
    }

    /// A provider whose process is not started before something is asked of it, or [`PluginProvider::warm_up`] does. A
    /// schema that is known from an earlier run is there at once.
    pub fn prepare(launch: Launch) -> Self {
        let remembered = launch
            .schema_cache
            .as_ref()
            .and_then(|(cache, key)| cache.remembered(key));
        let known = remembered.as_ref().map(|found| found.schema.clone());
        let core = Core {
            name: launch.name.clone(),
            engine_version: launch.engine_version.clone(),
            deferral_allowed: launch.deferral_allowed,
            log: launch.log.clone(),
            cache: launch.schema_cache.clone(),
            connecting: Connecting {
                stage: Mutex::new(Stage::Prepared(Box::new((launch, remembered)))),
                made: OnceCell::new(),
            },
            schema: OnceCell::new_with(known),
            types: Mutex::default(),
        };
        Self {
            core: Arc::new(core),
            meta: None,
        }
    }

    /// The same process, told with each call for a module's resources what that module says to it.
    pub(crate) fn telling(&self, meta: Value) -> Self {
        Self {
            core: self.core.clone(),
            meta: Some(meta),
        }
    }

    /// That as a message, where the provider takes one.
    pub(crate) async fn encoded_meta(
        &self,
        call: &str,
    ) -> Result<Option<p6::DynamicValue>, ProviderError> {
        let Some(meta) = &self.meta else {
            return Ok(None);
        };
        let schema = self.schema().await?;
        match &schema.provider_meta {
            Some(schema) => self.encode(call, meta, &schema.block.implied_type()),
            None => Ok(None),
        }
    }

    /// Begins to start the process, if nobody has, and does not wait for it. Must be called within a runtime.
    pub fn warm_up(&self) {
        self.connecting.begin();
    }

    /// The protocol version that the provider speaks, 5 or 6, once it is connected.
    pub fn protocol_version(&self) -> Option<u32> {
        match self.connecting.made.get()?.as_ref().ok()?.version {
            ProtocolVersion::V5 => Some(5),
            ProtocolVersion::V6 => Some(6),
        }
    }

    /// The id of the provider's process, once it is connected.
    pub fn process_id(&self) -> Option<u32> {
        let connection = self.connecting.made.get()?.as_ref().ok()?;
        connection.process.as_ref()?.id()
    }

    /// The names of everything that the provider has, without schemas: managed resource types, data sources, ephemeral
    /// resource types, functions, each sorted.
    pub async fn names(&self) -> Result<[Vec<String>; 4], ProviderError> {
        let call = "GetMetadata";
        let connection = self.connection().await?;
        let answer = self.answered(call, connection.rpc.metadata()).await?;
        connection.refused(call, answer.diagnostics)?;
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names
        };
        Ok([
            sorted(
                answer
                    .resources
                    .into_iter()
                    .map(|one| one.type_name)
                    .collect(),
            ),
            sorted(
                answer
                    .data_sources
                    .into_iter()
                    .map(|one| one.type_name)
                    .collect(),
            ),
            sorted(
                answer
                    .ephemeral_resources
                    .into_iter()
                    .map(|one| one.type_name)
                    .collect(),
            ),
            sorted(answer.functions.into_iter().map(|one| one.name).collect()),
        ])
    }

    /// The signatures of the provider's functions alone, which it may tell before it is configured.
    pub async fn functions(
        &self,
    ) -> Result<BTreeMap<terrace_value::Text, Arc<terrace_schema::FunctionSchema>>, ProviderError>
    {
        let call = "GetFunctions";
        let connection = self.connection().await?;
        let answer = self.answered(call, connection.rpc.functions()).await?;
        connection.refused(call, answer.diagnostics)?;
        let answers = Answers {
            schemas: p6::get_provider_schema::Response {
                functions: answer.functions,
                ..p6::get_provider_schema::Response::default()
            },
            ..Answers::default()
        };
        let schema = provider_schema(answers).map_err(|why| self.nonsense(call, &why))?;
        Ok(schema.functions)
    }

    /// The whole schema with its descriptions, which the one that is kept on disk has not.
    pub async fn described_schema(&self) -> Result<Arc<ProviderSchema>, ProviderError> {
        self.connection()
            .await?
            .load_schema(None)
            .await
            .map(Arc::new)
    }

    pub(crate) async fn connection(&self) -> Result<&Connection, ProviderError> {
        self.connecting.wait().await
    }

    pub(crate) async fn load_schema(&self) -> Result<Arc<ProviderSchema>, ProviderError> {
        let cache = self.cache.as_ref().map(|(cache, key)| (cache, &**key));
        let connection = self.connection().await?;
        connection.load_schema(cache).await.map(Arc::new)
    }

    /// Waits for an answer, and explains why there is none.
    pub(crate) async fn answered<T>(
        &self,
        call: &str,
        answer: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, ProviderError> {
        let began = Instant::now();
        let answer = answer.await;
        if let Some(log) = &self.log {
            let how = if answer.is_ok() {
                "answered"
            } else {
                "did not answer"
            };
            log(
                &LogRecord::own(LogLevel::Trace, format!("{} {how}", self.name))
                    .with("call", call)
                    .with("microseconds", began.elapsed().as_micros()),
            );
        }
        match answer {
            Ok(answer) => Ok(answer),
            Err(status) => Err(self.connection().await?.lost(call, &status).await),
        }
    }

    pub(crate) fn nonsense(&self, call: &str, why: &str) -> ProviderError {
        nonsense(&self.name, call, why)
    }

    pub(crate) fn encode(
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

    pub(crate) fn decode(
        &self,
        call: &str,
        value: Option<&p6::DynamicValue>,
        ty: &Type,
    ) -> Result<Value, ProviderError> {
        decode(value, ty).map_err(|why| self.nonsense(call, &why))
    }

    /// The type of the values of a resource type or data source.
    pub(crate) async fn type_of(
        &self,
        call: &str,
        kind: Kind,
        name: &str,
    ) -> Result<Type, ProviderError> {
        self.find_type(kind, name)
            .await?
            .ok_or_else(|| ProviderError {
                message: format!(
                    "The provider {} has no {} {name:?}, which {call} asks about.",
                    self.name,
                    kind.as_str()
                ),
            })
    }

    /// The type of the values of something, if the provider has it.
    pub(crate) async fn find_type(
        &self,
        kind: Kind,
        name: &str,
    ) -> Result<Option<Type>, ProviderError> {
        let key = (kind, Arc::from(name));
        if let Some(ty) = self.known_types().get(&key) {
            return Ok(ty.clone());
        }
        let schema = self.schema().await?;
        let resources = match kind {
            Kind::Resource => Some(&schema.resources),
            Kind::Data => Some(&schema.data_sources),
            Kind::Ephemeral => Some(&schema.ephemeral_resources),
            Kind::Identity => None,
        };
        let ty = match resources {
            Some(table) => table.get(name).map(|schema| schema.block.implied_type()),
            None => schema
                .identities
                .get(name)
                .map(|schema| schema.implied_type()),
        };
        self.known_types().insert(key, ty.clone());
        Ok(ty)
    }

    fn known_types(&self) -> std::sync::MutexGuard<'_, KnownTypes> {
        self.types.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the process was seen to have ended.
    pub(crate) fn process_has_ended(&self) -> bool {
        let connection = self.connecting.made.get();
        let process = connection.and_then(|made| made.as_ref().ok()?.process.as_ref());
        process.is_some_and(PluginProcess::has_ended)
    }

    /// Ends the provider: it is asked to, and killed if it does not.
    pub(crate) async fn end(&self) {
        if self.connecting.abandon() {
            return;
        }
        if let Some(Ok(connection)) = self.connecting.made.get() {
            connection.end(self.log.as_ref()).await;
        }
    }
}

impl Connection {
    async fn make(launch: &Launch) -> Result<Self, ProviderError> {
        let (process, channel, version) = match &launch.attach {
            Some(attach) => {
                let connected = connect(attach.endpoint.clone(), None, launch.start_timeout).await;
                let channel = connected.map_err(|why| ProviderError {
                    message: format!(
                        "No connection to the provider {} came about, which TF_REATTACH_PROVIDERS says is running: {why}. Start it again, and set the variable to what it prints then.",
                        launch.name
                    ),
                })?;
                (None, channel, attach.version)
            }
            None => {
                let Started {
                    process,
                    channel,
                    version,
                } = PluginProcess::start(launch).await?;
                (Some(process), channel, version)
            }
        };
        let rpc: Box<dyn Rpc> = match version {
            ProtocolVersion::V5 => Box::new(V5::new(channel.clone())),
            ProtocolVersion::V6 => Box::new(V6::new(channel.clone())),
        };
        Ok(Self {
            name: launch.name.clone(),
            process,
            channel,
            version,
            rpc,
            start_timeout: launch.start_timeout,
        })
    }

    /// The answer to the question for the schema, as it came.
    async fn ask_schema(&self) -> Result<prost::bytes::Bytes, ProviderError> {
        let call = "GetProviderSchema";
        match tokio::time::timeout(self.start_timeout, self.rpc.schema()).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(status)) => Err(self.lost(call, &status).await),
            Err(_) => {
                let why = format!("it said nothing within {} s", self.start_timeout.as_secs());
                let Some(process) = &self.process else {
                    return Err(self.failed(call, &why));
                };
                let error = process.lost(call, &why, false).await;
                process.kill().await;
                Err(error)
            }
        }
    }

    async fn load_schema(
        &self,
        cache: Option<(&SchemaCache, &str)>,
    ) -> Result<ProviderSchema, ProviderError> {
        let answer = self.ask_schema().await?;
        let print = fingerprint(&answer);
        let answers = self.all_answers(answer).await?;
        let Some((cache, key)) = cache else {
            return self.schema_of(answers);
        };
        let schema = self.schema_of(answers.clone())?;
        cache.put(key, print, &answers);
        Ok(schema)
    }

    /// The schemas with those of identities, which older providers do not know.
    async fn all_answers(&self, answer: prost::bytes::Bytes) -> Result<Answers, ProviderError> {
        let call = "GetProviderSchema";
        let schemas = self
            .rpc
            .decode_schema(answer)
            .map_err(|why| nonsense(&self.name, call, &why))?;
        self.refused(call, schemas.diagnostics.clone())?;
        let call = "GetResourceIdentitySchemas";
        let identities = match self.rpc.identity_schemas().await {
            Ok(answer) => {
                self.refused(call, answer.diagnostics)?;
                answer.identity_schemas
            }
            Err(status) if status.code() == Code::Unimplemented => HashMap::new(),
            Err(status) => return Err(self.lost(call, &status).await),
        };
        Ok(Answers {
            schemas,
            identities,
        })
    }

    fn schema_of(&self, answers: Answers) -> Result<ProviderSchema, ProviderError> {
        provider_schema(answers).map_err(|why| nonsense(&self.name, "GetProviderSchema", &why))
    }

    /// Looks closer at an answer that is not the one that is remembered, which may say the same in other words.
    async fn check_remembered(
        &self,
        answer: prost::bytes::Bytes,
        known: &ProviderSchema,
        (cache, key): (&SchemaCache, &str),
    ) -> Result<(), ProviderError> {
        let print = fingerprint(&answer);
        let answers = self.all_answers(answer).await?;
        cache.put(key, print, &answers);
        match cache.get(key) {
            Some(now) if *now == *known => Ok(()),
            _ => Err(ProviderError {
                message: format!(
                    "The provider {} tells other schemas than the same program did in an earlier run, whose answer this run went by. What is remembered has been replaced; run the command again.",
                    self.name
                ),
            }),
        }
    }

    /// An error among what the provider said of a question for schemas.
    fn refused(&self, call: &str, said: Vec<p6::Diagnostic>) -> Result<(), ProviderError> {
        match diagnostics(said).into_iter().find(|one| one.error) {
            Some(error) => Err(nonsense(
                &self.name,
                call,
                &format!("{}: {}", error.summary, error.detail),
            )),
            None => Ok(()),
        }
    }

    async fn lost(&self, call: &str, status: &Status) -> ProviderError {
        let why = explain(status);
        let broken = matches!(
            status.code(),
            Code::Unavailable | Code::Unknown | Code::Internal | Code::Cancelled | Code::Aborted
        );
        match &self.process {
            Some(process) => process.lost(call, &why, broken).await,
            None => self.failed(call, &why),
        }
    }

    fn failed(&self, call: &str, why: &str) -> ProviderError {
        ProviderError {
            message: format!(
                "The provider {} failed to answer to {call}: {why}.",
                self.name
            ),
        }
    }

    /// Asks the provider to end. Without a guard that sees to it that it does, waits for it.
    async fn end(&self, log: Option<&LogSink>) {
        let Some(process) = &self.process else {
            // Who started it ends it.
            return;
        };
        let mut controller = GrpcControllerClient::new(self.channel.clone());
        // A plugin that ends at once may not get to answer, and one that cannot answer is killed below.
        let _answer = tokio::time::timeout(PATIENCE, controller.shutdown(Empty {})).await;
        if process.leave(log) {
            return;
        }
        if !process.ends_within(PATIENCE).await {
            process.kill().await;
        }
    }
}

/// What has values of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Resource,
    Data,
    Ephemeral,
    Identity,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Resource => "resource type",
            Self::Data => "data source",
            Self::Ephemeral => "ephemeral resource type",
            Self::Identity => "identity of the resource type",
        }
    }
}

fn nonsense(name: &str, call: &str, why: &str) -> ProviderError {
    ProviderError {
        message: format!(
            "The provider {name} gave an answer to {call} that makes no sense: {why}."
        ),
    }
}

fn explain(status: &Status) -> String {
    match status.code() {
        Code::Unimplemented => "it does not know this call".into(),
        _ if status.message().is_empty() => status.code().description().into(),
        code => format!("{} ({})", status.message(), code.description()),
    }
}
