//! The provider itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use terrace_port::{
    ApplyRequest, ApplyResponse, Attempt, ImportedResource, MoveRequest, MoveResponse,
    OpenedEphemeral, PlanRequest, PlanResponse, Provider, ProviderDiagnostic, ProviderError,
    ReadRequest, ReadResponse, RenewedEphemeral, Reply, ResourceState,
};
use terrace_schema::{Block, ProviderSchema, ResourceSchema};
use terrace_value::{Path, Text, Type, Value};
use tokio::sync::watch;

use super::check::{
    broken, conforming, known, object_token, plan_token, settable, without_write_only,
};
use super::ephemeral::Opened;
use super::objects::{applied, follows_config, planned, replaced};
use super::script::{Call, Operation, Outcome};
use crate::world::{Lookup, MemoryWorld, StoredObject, World};

type Now = dyn Fn() -> i64 + Send + Sync;
type Script = dyn Fn(&Call) -> Outcome + Send + Sync;

/// A provider that holds the engine to every rule of the protocol.
///
/// It has the resource types `test_object` and `test_widget` (which may become a `test_object`), the data source
/// `test_data`, the ephemeral resource `test_ephemeral` and the functions `echo`, `shout` and `reject`. In a `test_object` the provider sets `id` (`object-1`, …), `revision` (1, then one more with each
/// update), `computed` where the configuration does not, and `generated` in each nested attribute; a change of
/// `immutable` asks for a replacement; `secret` is sensitive and `write_only` never stored. A `test_data` outputs its
/// `input`, or the `string` of the object that `object_id` names.
///
/// Where the engine breaks a rule, the call fails with an error that says which.
pub struct StrictProvider {
    schema: Arc<ProviderSchema>,
    world: Arc<dyn World>,
    script: Box<Script>,
    legacy_type_system: bool,
    now: Box<Now>,
    session: Mutex<Session>,
    stopped: watch::Sender<bool>,
}

#[derive(Default)]
struct Session {
    counts: BTreeMap<Operation, u64>,
    calls: Vec<Call>,
    configuration: Option<Value>,
    ephemeral: Opened,
    closed: bool,
    running: usize,
    most_running: usize,
}

impl Default for StrictProvider {
    fn default() -> Self {
        Self::new()
    }
}

impl StrictProvider {
    /// A provider with a world of its own.
    pub fn new() -> Self {
        Self::in_world(Arc::new(MemoryWorld::default()))
    }

    /// A provider whose objects are in `world`: those of an earlier provider there are its own.
    pub fn in_world(world: Arc<dyn World>) -> Self {
        Self {
            schema: Arc::new(super::schema::provider_schema(true)),
            world,
            script: Box::new(|_| Outcome::Proceed),
            legacy_type_system: false,
            now: Box::new(|| 0),
            session: Mutex::default(),
            stopped: watch::Sender::new(false),
        }
    }

    /// With its objects in `world`.
    #[must_use]
    pub fn with_world(mut self, world: Arc<dyn World>) -> Self {
        self.world = world;
        self
    }

    /// What happens to each call.
    #[must_use]
    pub fn with_script(
        mut self,
        script: impl Fn(&Call) -> Outcome + Send + Sync + 'static,
    ) -> Self {
        self.script = Box::new(script);
        self
    }

    /// With a clock, in seconds since 1970, by which ephemeral resources end.
    #[must_use]
    pub fn with_clock(mut self, now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.now = Box::new(now);
        self
    }

    /// With answers that say that the provider is built on the old SDK.
    #[must_use]
    pub const fn with_legacy_type_system(mut self) -> Self {
        self.legacy_type_system = true;
        self
    }

    /// Without nested attributes, as protocol 5 has none.
    #[must_use]
    pub fn without_nested_attributes(mut self) -> Self {
        self.schema = Arc::new(super::schema::provider_schema(false));
        self
    }

    /// The schema, without a call.
    pub fn provider_schema(&self) -> &Arc<ProviderSchema> {
        &self.schema
    }

    /// The objects outside.
    pub fn world(&self) -> &Arc<dyn World> {
        &self.world
    }

    /// All calls so far, in the order in which they came.
    pub fn calls(&self) -> Vec<Call> {
        self.session().calls.clone()
    }

    /// How many calls there were of a kind.
    pub fn count(&self, operation: Operation) -> u64 {
        self.session().counts.get(&operation).copied().unwrap_or(0)
    }

    /// The most calls that ever ran at the same time.
    pub fn most_running(&self) -> usize {
        self.session().most_running
    }

    /// The configuration that the provider was set up with.
    pub fn configuration(&self) -> Option<Value> {
        self.session().configuration.clone()
    }

    /// How many ephemeral resources are open.
    pub fn open_ephemerals(&self) -> usize {
        self.session().ephemeral.count()
    }

    /// Whether the provider has been closed.
    pub fn is_closed(&self) -> bool {
        self.session().closed
    }

    /// A `test_object` of the schema's type with these attributes, all others null: for [`World::plant`], and for states.
    pub fn object(&self, attributes: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
        let mut object: BTreeMap<Text, Value> = BTreeMap::new();
        let block = &self.schema.resources["test_object"].block;
        for (name, attribute) in &block.attributes {
            object.insert(name.clone(), Value::null(attribute.value_type()));
        }
        for (name, nested) in &block.blocks {
            object.insert(name.clone(), Value::list(nested.block.implied_type(), []));
        }
        object.extend(
            attributes
                .into_iter()
                .map(|(name, value)| (name.into(), value)),
        );
        Value::object(object)
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and does what the script has for it before it is carried out. An error ends the call.
    async fn begin(
        &self,
        operation: Operation,
        type_name: &str,
        key: &str,
    ) -> Result<Running<'_>, Ended> {
        let (call, closed) = {
            let mut session = self.session();
            let count = session.counts.entry(operation).or_insert(0);
            *count += 1;
            let call = Call {
                operation,
                type_name: type_name.into(),
                key: key.into(),
                number: *count,
            };
            session.calls.push(call.clone());
            session.running += 1;
            session.most_running = session.most_running.max(session.running);
            (call, session.closed)
        };
        let mut running = Running {
            provider: self,
            outcome: Outcome::Proceed,
        };
        if closed {
            return Err(Ended::Lost(format!(
                "the provider was closed before this call: {}",
                operation.name()
            )));
        }
        match (self.script)(&call) {
            Outcome::Fail(diagnostic) => return Err(Ended::Failed(diagnostic)),
            Outcome::Lost => return Err(died()),
            Outcome::Delay(duration) => tokio::time::sleep(duration).await,
            Outcome::Stuck => std::future::pending().await,
            Outcome::Hang => {
                let mut stopped = self.stopped.subscribe();
                if stopped.wait_for(|stopped| *stopped).await.is_err() {
                    std::future::pending::<()>().await;
                }
                return Err(Ended::Failed(ProviderDiagnostic::error(
                    "Interrupted",
                    "The call was stopped.",
                )));
            }
            outcome => running.outcome = outcome,
        }
        Ok(running)
    }

    fn needs_configuration(&self) -> Result<(), ProviderDiagnostic> {
        if self.session().configuration.is_some() {
            return Ok(());
        }
        Err(broken("The provider was called before it was configured."))
    }

    fn resource(&self, type_name: &str) -> Result<&ResourceSchema, ProviderDiagnostic> {
        let schema = self.schema.resources.get(type_name);
        schema
            .map(|schema| &**schema)
            .ok_or_else(|| broken(format!("There is no resource type {type_name:?}.")))
    }

    fn data_source(&self, type_name: &str) -> Result<&ResourceSchema, ProviderDiagnostic> {
        let schema = self.schema.data_sources.get(type_name);
        schema
            .map(|schema| &**schema)
            .ok_or_else(|| broken(format!("There is no data source {type_name:?}.")))
    }

    fn ephemeral(&self, type_name: &str) -> Result<&ResourceSchema, ProviderDiagnostic> {
        let schema = self.schema.ephemeral_resources.get(type_name);
        schema
            .map(|schema| &**schema)
            .ok_or_else(|| broken(format!("There is no ephemeral resource {type_name:?}.")))
    }

    fn lookup(&self, id: &str) -> Result<Lookup, ProviderDiagnostic> {
        self.world.get(id).map_err(world_failed)
    }

    fn do_read(&self, request: &ReadRequest) -> Result<ReadResponse, ProviderDiagnostic> {
        self.needs_configuration()?;
        let block = &self.resource(&request.type_name)?.block;
        conforming("state", &request.current, block)?;
        known("state", &request.current)?;
        without_write_only("state", &request.current, block)?;
        let Some(id) = request.current.get("id").and_then(Value::as_str) else {
            return Err(broken("The state to be read has no id."));
        };
        match self.lookup(id)? {
            Lookup::Present(object) => {
                if *request.private != *object_token(id)
                    && !(object.planted && request.private.is_empty())
                {
                    return Err(broken(format!(
                        "The private bytes of {id:?} were lost on the way."
                    )));
                }
                self.same_identity(&request.type_name, id, request.identity.as_ref())?;
                Ok(ReadResponse {
                    state: self.as_type(&request.type_name, &object),
                    private: Arc::clone(&request.private),
                    identity: self.identity(&request.type_name, Value::string(id)),
                })
            }
            Lookup::Gone => Ok(ReadResponse {
                state: Value::null(block.implied_type()),
                private: [].into(),
                identity: None,
            }),
            Lookup::Never => Err(broken(format!("There has never been an object {id:?}."))),
        }
    }

    /// The attributes of an object that may have been of another type when it was made.
    fn as_type(&self, type_name: &str, object: &StoredObject) -> Value {
        let is_of_type = *object.type_name == *type_name || type_name != "test_object";
        if is_of_type || object.value.get("immutable").is_some() {
            return object.value.clone();
        }
        let stored = super::identity::attributes_of(&object.value);
        let stored = serde_json::from_slice(&stored).unwrap_or_default();
        self.object(super::identity::taken_over(&stored))
    }

    fn do_move(&self, request: &MoveRequest) -> Result<MoveResponse, ProviderDiagnostic> {
        let (id, stored) = super::identity::widget(request)?;
        Ok(MoveResponse {
            state: self.object(super::identity::taken_over(&stored)),
            private: object_token(&id).into(),
            identity: self.identity(&request.target_type_name, Value::string(id)),
        })
    }

    fn do_open(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<OpenedEphemeral, ProviderDiagnostic> {
        self.needs_configuration()?;
        let block = &self.ephemeral(type_name)?.block;
        conforming("configuration", config, block)?;
        known("configuration", config)?;
        settable(config, block)?;
        let now = (self.now)();
        Ok(self.session().ephemeral.open(config, now))
    }

    fn do_plan(&self, request: &PlanRequest) -> Result<PlanResponse, ProviderDiagnostic> {
        self.needs_configuration()?;
        let block = &self.resource(&request.type_name)?.block;
        conforming("prior state", &request.prior, block)?;
        conforming("proposed new state", &request.proposed, block)?;
        conforming("configuration", &request.config, block)?;
        known("prior state", &request.prior)?;
        without_write_only("prior state", &request.prior, block)?;
        settable(&request.config, block)?;
        if request.proposed.is_null() {
            if request.prior.is_null() {
                return Err(broken("A plan from nothing to nothing was asked for."));
            }
            if !request.config.is_null() {
                return Err(broken("A destroy was planned with a configuration."));
            }
            let planned = request.proposed.clone();
            return Ok(self.planned(request, planned, Vec::new()));
        }
        if request.config.is_null() {
            return Err(broken("A change was planned without a configuration."));
        }
        let planned = planned(&request.prior, &request.proposed, &request.config, block);
        let requires_replace = replaced(&request.prior, &planned);
        Ok(self.planned(request, planned, requires_replace))
    }

    fn planned(
        &self,
        request: &PlanRequest,
        planned: Value,
        requires_replace: Vec<Path>,
    ) -> PlanResponse {
        let private = plan_token(&request.type_name, &request.prior, &planned).into();
        let identity = match request.prior.get("id") {
            Some(id) => self.identity(&request.type_name, id.clone()),
            None => self.identity(&request.type_name, Value::unknown(Type::String)),
        };
        PlanResponse {
            planned,
            requires_replace,
            private,
            legacy_type_system: self.legacy_type_system,
            identity: identity.filter(|_| !request.proposed.is_null()),
        }
    }

    /// What identifies an object, where its type has an identity.
    fn identity(&self, type_name: &str, id: Value) -> Option<Value> {
        self.schema
            .identities
            .contains_key(type_name)
            .then(|| Value::object([("id", id), ("region", Value::string("here"))]))
    }

    /// An identity that the engine knows must be the one that it was given.
    fn same_identity(
        &self,
        type_name: &str,
        id: &str,
        told: Option<&Value>,
    ) -> Result<(), ProviderDiagnostic> {
        let Some(told) = told.filter(|told| told.is_wholly_known()) else {
            return Ok(());
        };
        if self.identity(type_name, Value::string(id)).as_ref() == Some(told) {
            return Ok(());
        }
        Err(broken(format!(
            "The identity of {id:?} was changed on the way to {told:?}."
        )))
    }

    fn do_apply(&self, request: &ApplyRequest) -> Result<ApplyResponse, ProviderDiagnostic> {
        self.needs_configuration()?;
        let block = &self.resource(&request.type_name)?.block;
        conforming("prior state", &request.prior, block)?;
        conforming("planned state", &request.planned, block)?;
        conforming("configuration", &request.config, block)?;
        known("prior state", &request.prior)?;
        known("configuration", &request.config)?;
        if request.planned.is_null() {
            // The delete of a replacement carries the private bytes of the create's plan, so they prove nothing here.
            return self.do_delete(request, block);
        }
        let token = plan_token(&request.type_name, &request.prior, &request.planned);
        if *request.planned_private != *token {
            return Err(broken(
                "This planned state, from this prior state, was not given by the provider.",
            ));
        }
        follows_config(&request.planned, &request.config, block)?;
        if !replaced(&request.prior, &request.planned).is_empty() {
            return Err(broken(
                "An update was asked for where the plan requires a replacement.",
            ));
        }
        let (id, state) = if request.prior.is_null() {
            let build = |id: &str| applied(&request.prior, &request.planned, block, id);
            known(
                "planned state, but for what the provider sets,",
                &build("object-0"),
            )?;
            self.world
                .create(&request.type_name, &build)
                .map_err(world_failed)?
        } else {
            self.do_update(request, block)?
        };
        self.same_identity(&request.type_name, &id, request.identity.as_ref())?;
        Ok(ApplyResponse {
            state,
            private: object_token(&id).into(),
            legacy_type_system: self.legacy_type_system,
            identity: self.identity(&request.type_name, Value::string(id)),
        })
    }

    fn do_update(
        &self,
        request: &ApplyRequest,
        block: &Block,
    ) -> Result<(String, Value), ProviderDiagnostic> {
        let id = prior_id(&request.prior)?;
        let state = applied(&request.prior, &request.planned, block, id);
        known("planned state, but for what the provider sets,", &state)?;
        match self.lookup(id)? {
            Lookup::Present(_) => self.world.update(id, state.clone()).map_err(world_failed)?,
            Lookup::Gone => {
                return Err(ProviderDiagnostic::error(
                    "Object not found",
                    format!("The object {id:?} is gone."),
                ));
            }
            Lookup::Never => return Err(broken(format!("There has never been an object {id:?}."))),
        }
        Ok((id.into(), state))
    }

    fn do_delete(
        &self,
        request: &ApplyRequest,
        block: &Block,
    ) -> Result<ApplyResponse, ProviderDiagnostic> {
        let id = prior_id(&request.prior)?;
        if self.lookup(id)? == Lookup::Never {
            return Err(broken(format!("There has never been an object {id:?}.")));
        }
        self.world.delete(id).map_err(world_failed)?;
        Ok(ApplyResponse {
            state: Value::null(block.implied_type()),
            private: [].into(),
            legacy_type_system: self.legacy_type_system,
            identity: None,
        })
    }

    fn do_read_data(&self, type_name: &str, config: &Value) -> Result<Value, ProviderDiagnostic> {
        self.needs_configuration()?;
        let block = &self.data_source(type_name)?.block;
        conforming("configuration", config, block)?;
        known("configuration", config)?;
        settable(config, block)?;
        let output = match config.get("object_id").and_then(Value::as_str) {
            None => config.get("input").cloned().unwrap_or(Value::NULL),
            Some(id) => match self.lookup(id)? {
                Lookup::Present(object) => {
                    object.value.get("string").cloned().unwrap_or(Value::NULL)
                }
                Lookup::Gone | Lookup::Never => {
                    let detail = format!("There is no object {id:?}.");
                    return Err(ProviderDiagnostic::error("Object not found", detail)
                        .at(Path::root().attribute("object_id")));
                }
            },
        };
        let mut attributes = config.as_entries().cloned().unwrap_or_default();
        attributes.insert("id".into(), Value::string("data"));
        attributes.insert("output".into(), output);
        Ok(Value::object(attributes))
    }

    fn do_import(
        &self,
        type_name: &str,
        id: &str,
    ) -> Result<Vec<ImportedResource>, ProviderDiagnostic> {
        self.needs_configuration()?;
        self.resource(type_name)?;
        let Lookup::Present(object) = self.lookup(id)? else {
            let detail = format!("There is no object {id:?}.");
            return Err(ProviderDiagnostic::error(
                "Cannot import non-existent remote object",
                detail,
            ));
        };
        if *object.type_name != *type_name {
            let detail = format!(
                "The object {id:?} is a {}, not a {type_name}.",
                object.type_name
            );
            return Err(ProviderDiagnostic::error(
                "Cannot import an object of another type",
                detail,
            ));
        }
        let state = self.object([("id", Value::string(id))]);
        Ok(vec![ImportedResource {
            type_name: type_name.into(),
            state,
            private: object_token(id).into(),
            identity: self.identity(type_name, Value::string(id)),
        }])
    }
}

fn prior_id(prior: &Value) -> Result<&str, ProviderDiagnostic> {
    prior
        .get("id")
        .and_then(Value::as_str)
        .ok_or_else(|| broken("The prior state has no id."))
}

fn world_failed(message: String) -> ProviderDiagnostic {
    ProviderDiagnostic::error("The world of objects failed", message)
}

fn died() -> Ended {
    Ended::Lost("the provider died before it answered".into())
}

/// A call that is being carried out.
struct Running<'a> {
    provider: &'a StrictProvider,
    outcome: Outcome,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.provider.session().running -= 1;
    }
}

impl Running<'_> {
    /// The answer to the call, as the script wants it.
    fn end<T>(
        mut self,
        done: Result<T, ProviderDiagnostic>,
        replace: impl FnOnce(&mut T, Value),
    ) -> Result<Reply<T>, Ended> {
        let mut value = done.map_err(Ended::Failed)?;
        match std::mem::take(&mut self.outcome) {
            Outcome::Warn(diagnostic) | Outcome::FailAfter(diagnostic) => {
                return Ok(Reply {
                    value,
                    diagnostics: vec![diagnostic],
                    deferred: None,
                });
            }
            Outcome::LostAfter => return Err(died()),
            Outcome::Answer(other) => replace(&mut value, other),
            _ => {}
        }
        Ok(Reply::of(value))
    }
}

/// A call that ended without its value.
enum Ended {
    Failed(ProviderDiagnostic),
    Lost(String),
}

/// The answer to the engine; `empty` stands for the value of a call that failed.
fn attempt<T>(ended: Result<Reply<T>, Ended>, empty: impl FnOnce() -> T) -> Attempt<T> {
    match ended {
        Ok(reply) => Ok(reply),
        Err(Ended::Failed(diagnostic)) => Ok(Reply {
            value: empty(),
            diagnostics: vec![diagnostic],
            deferred: None,
        }),
        Err(Ended::Lost(message)) => Err(ProviderError { message }),
    }
}

fn key_of<'a>(values: &[&'a Value], name: &str) -> &'a str {
    values
        .iter()
        .find_map(|value| value.get(name)?.as_str())
        .unwrap_or("")
}

#[async_trait]
impl Provider for StrictProvider {
    async fn schema(&self) -> Result<Arc<ProviderSchema>, ProviderError> {
        let ended = match self.begin(Operation::Schema, "", "").await {
            Ok(running) => running.end(Ok(Arc::clone(&self.schema)), |_, _| {}),
            Err(ended) => Err(ended),
        };
        match ended {
            Ok(reply) => Ok(reply.value),
            Err(Ended::Failed(diagnostic)) => Err(ProviderError {
                message: format!("{}: {}", diagnostic.summary, diagnostic.detail),
            }),
            Err(Ended::Lost(message)) => Err(ProviderError { message }),
        }
    }

    async fn validate_provider_config(&self, config: Value) -> Attempt<Value> {
        let ended = match self.begin(Operation::ValidateProvider, "", "").await {
            Ok(running) => {
                let checked = conforming(
                    "provider configuration",
                    &config,
                    &self.schema.provider.block,
                );
                running.end(checked.map(|()| config.clone()), |value, other| {
                    *value = other;
                })
            }
            Err(ended) => Err(ended),
        };
        attempt(ended, || config)
    }

    async fn configure(&self, config: Value) -> Attempt<()> {
        let ended = match self.begin(Operation::Configure, "", "").await {
            Ok(running) => {
                let checked = conforming(
                    "provider configuration",
                    &config,
                    &self.schema.provider.block,
                );
                let configured =
                    checked.and_then(|()| match self.session().configuration.replace(config) {
                        None => Ok(()),
                        Some(_) => Err(broken("The provider was configured twice.")),
                    });
                running.end(configured, |(), _| {})
            }
            Err(ended) => Err(ended),
        };
        attempt(ended, || ())
    }

    async fn validate_resource_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        let key = key_of(&[&config], "string");
        let ended = match self
            .begin(Operation::ValidateResource, type_name, key)
            .await
        {
            Ok(running) => {
                let checked = self.resource(type_name).and_then(|schema| {
                    conforming("configuration", &config, &schema.block)?;
                    settable(&config, &schema.block)?;
                    refuse_word(&config, "string")
                });
                running.end(checked, |(), _| {})
            }
            Err(ended) => Err(ended),
        };
        attempt(ended, || ())
    }

    async fn validate_data_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        let key = key_of(&[&config], "input");
        let ended = match self.begin(Operation::ValidateData, type_name, key).await {
            Ok(running) => {
                let checked = self.data_source(type_name).and_then(|schema| {
                    conforming("configuration", &config, &schema.block)?;
                    settable(&config, &schema.block)?;
                    refuse_word(&config, "input")
                });
                running.end(checked, |(), _| {})
            }
            Err(ended) => Err(ended),
        };
        attempt(ended, || ())
    }

    async fn upgrade_state(&self, state: ResourceState) -> Attempt<Value> {
        let ended = match self.begin(Operation::Upgrade, &state.type_name, "").await {
            Ok(running) => {
                let upgraded = self
                    .resource(&state.type_name)
                    .and_then(|schema| super::upgrade::upgrade(&state, schema));
                running.end(upgraded, |value, other| *value = other)
            }
            Err(ended) => Err(ended),
        };
        attempt(ended, || Value::NULL)
    }

    async fn read(&self, request: ReadRequest) -> Attempt<ReadResponse> {
        let key = key_of(&[&request.current], "string");
        let ended = match self.begin(Operation::Read, &request.type_name, key).await {
            Ok(running) => running.end(self.do_read(&request), |response, other| {
                response.state = other;
            }),
            Err(ended) => Err(ended),
        };
        attempt(ended, || ReadResponse {
            state: request.current,
            private: request.private,
            identity: None,
        })
    }

    async fn plan(&self, request: PlanRequest) -> Attempt<PlanResponse> {
        let key = key_of(&[&request.config, &request.prior], "string");
        let ended = match self.begin(Operation::Plan, &request.type_name, key).await {
            Ok(running) => running.end(self.do_plan(&request), |response, other| {
                response.planned = other;
            }),
            Err(ended) => Err(ended),
        };
        attempt(ended, || PlanResponse {
            planned: request.prior,
            requires_replace: Vec::new(),
            private: [].into(),
            legacy_type_system: self.legacy_type_system,
            identity: None,
        })
    }

    async fn apply(&self, request: ApplyRequest) -> Attempt<ApplyResponse> {
        let key = key_of(&[&request.planned, &request.prior], "string");
        let operation = match (request.prior.is_null(), request.planned.is_null()) {
            (true, _) => Operation::Create,
            (false, true) => Operation::Delete,
            (false, false) => Operation::Update,
        };
        let ended = match self.begin(operation, &request.type_name, key).await {
            Ok(running) => {
                let done = self.do_apply(&request);
                if let Outcome::DelayAfter(duration) = running.outcome {
                    tokio::time::sleep(duration).await;
                }
                running.end(done, |response, other| response.state = other)
            }
            Err(ended) => Err(ended),
        };
        let private = prior_id(&request.prior).map_or_else(|_| Vec::new(), object_token);
        attempt(ended, || ApplyResponse {
            state: request.prior,
            private: private.into(),
            legacy_type_system: self.legacy_type_system,
            identity: None,
        })
    }

    async fn import(&self, type_name: &str, id: &str) -> Attempt<Vec<ImportedResource>> {
        let ended = match self.begin(Operation::Import, type_name, id).await {
            Ok(running) => running.end(self.do_import(type_name, id), |_, _| {}),
            Err(ended) => Err(ended),
        };
        attempt(ended, Vec::new)
    }

    async fn import_identity(
        &self,
        type_name: &str,
        identity: Value,
    ) -> Attempt<Vec<ImportedResource>> {
        let key = key_of(&[&identity], "id");
        let ended = match self.begin(Operation::ImportIdentity, type_name, key).await {
            Ok(running) => {
                let found = known("identity", &identity)
                    .and_then(|()| super::identity::id_of(&identity))
                    .and_then(|id| self.do_import(type_name, &id));
                running.end(found, |_, _| {})
            }
            Err(ended) => Err(ended),
        };
        attempt(ended, Vec::new)
    }

    async fn upgrade_identity(&self, identity: ResourceState) -> Attempt<Value> {
        let ended = match self
            .begin(Operation::UpgradeIdentity, &identity.type_name, "")
            .await
        {
            Ok(running) => {
                let upgraded = match self.schema.identities.get(&identity.type_name) {
                    Some(schema) => super::identity::upgrade(&identity, &schema.implied_type()),
                    None => Err(broken("Objects of this type have no identity.")),
                };
                running.end(upgraded, |value, other| *value = other)
            }
            Err(ended) => Err(ended),
        };
        attempt(ended, || Value::NULL)
    }

    async fn move_state(&self, request: MoveRequest) -> Attempt<MoveResponse> {
        let ended = match self
            .begin(Operation::Move, &request.target_type_name, "")
            .await
        {
            Ok(running) => running.end(self.do_move(&request), |response, other| {
                response.state = other;
            }),
            Err(ended) => Err(ended),
        };
        attempt(ended, || MoveResponse {
            state: Value::NULL,
            private: [].into(),
            identity: None,
        })
    }

    async fn validate_ephemeral_config(&self, type_name: &str, config: Value) -> Attempt<()> {
        let key = key_of(&[&config], "input");
        let ended = match self
            .begin(Operation::ValidateEphemeral, type_name, key)
            .await
        {
            Ok(running) => {
                let checked = self.ephemeral(type_name).and_then(|schema| {
                    conforming("configuration", &config, &schema.block)?;
                    settable(&config, &schema.block)?;
                    refuse_word(&config, "input")
                });
                running.end(checked, |(), _| {})
            }
            Err(ended) => Err(ended),
        };
        attempt(ended, || ())
    }

    async fn open_ephemeral(&self, type_name: &str, config: Value) -> Attempt<OpenedEphemeral> {
        let key = key_of(&[&config], "input");
        let ended = match self.begin(Operation::OpenEphemeral, type_name, key).await {
            Ok(running) => running.end(self.do_open(type_name, &config), |opened, other| {
                opened.value = other;
            }),
            Err(ended) => Err(ended),
        };
        attempt(ended, || OpenedEphemeral {
            value: Value::NULL,
            private: [].into(),
            renew_at: None,
        })
    }

    async fn renew_ephemeral(
        &self,
        type_name: &str,
        private: Arc<[u8]>,
    ) -> Attempt<RenewedEphemeral> {
        let ended = match self.begin(Operation::RenewEphemeral, type_name, "").await {
            Ok(running) => {
                let now = (self.now)();
                let renewed = self.session().ephemeral.renew(&private, now);
                running.end(renewed, |_, _| {})
            }
            Err(ended) => Err(ended),
        };
        attempt(ended, || RenewedEphemeral {
            private,
            renew_at: None,
        })
    }

    async fn close_ephemeral(&self, type_name: &str, private: Arc<[u8]>) -> Attempt<()> {
        let ended = match self.begin(Operation::CloseEphemeral, type_name, "").await {
            Ok(running) => {
                let closed = self.session().ephemeral.close(&private);
                running.end(closed, |(), _| {})
            }
            Err(ended) => Err(ended),
        };
        attempt(ended, || ())
    }

    async fn read_data(&self, type_name: &str, config: Value) -> Attempt<Value> {
        let key = key_of(&[&config], "input");
        let ended = match self.begin(Operation::ReadData, type_name, key).await {
            Ok(running) => running.end(self.do_read_data(type_name, &config), |value, other| {
                *value = other;
            }),
            Err(ended) => Err(ended),
        };
        attempt(ended, || Value::NULL)
    }

    async fn call_function(
        &self,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<Result<Value, (Option<usize>, String)>, ProviderError> {
        match self.begin(Operation::Function, name, "").await {
            Ok(_running) => {}
            Err(Ended::Failed(diagnostic)) => return Ok(Err((None, diagnostic.detail))),
            Err(Ended::Lost(message)) => return Err(ProviderError { message }),
        }
        let [argument] = &arguments[..] else {
            return Ok(Err((
                None,
                format!("{name} takes one argument, not {}", arguments.len()),
            )));
        };
        Ok(match name {
            _ if !argument.is_wholly_known() => Err((Some(0), "the argument is unknown".into())),
            "echo" => Ok(argument.clone()),
            "shout" => match argument.as_str() {
                Some(text) => Ok(Value::string(text.to_uppercase())),
                None => Err((Some(0), "the argument must be a string".into())),
            },
            "reject" => Err((Some(0), "this argument is never right".into())),
            _ => Err((None, format!("there is no function {name:?}"))),
        })
    }

    async fn stop(&self) -> Result<(), ProviderError> {
        self.stopped.send_replace(true);
        Ok(())
    }

    async fn close(&self) {
        self.session().closed = true;
    }
}

/// `string = "invalid"` is what this provider does not allow.
fn refuse_word(config: &Value, name: &'static str) -> Result<(), ProviderDiagnostic> {
    if config.get(name).and_then(Value::as_str) != Some("invalid") {
        return Ok(());
    }
    let detail = format!("The value of {name} must not be \"invalid\".");
    Err(ProviderDiagnostic::error("Invalid value", detail).at(Path::root().attribute(name)))
}
