//! A provider beside its stand-in, driven as the engine does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use terrace_port::{
    ApplyRequest, Clock, PlanRequest, Provider, ProviderDiagnostic, ReadRequest, Reply,
};
use terrace_provider_azure::{Outside, Pace, provider};
use terrace_schema::{Block, ProviderSchema, proposed_new};
use terrace_test_services::AzureStandIn;
use terrace_value::{Path, Value};

struct Standing;

impl Clock for Standing {
    fn now(&self) -> (i64, u32) {
        (1_767_323_045, 0)
    }
}

/// So that nothing waits longer than what it waits for.
pub(crate) const PACE: Pace = Pace {
    look: Duration::from_millis(2),
    retry: Duration::from_millis(1),
    longest_retry: Duration::from_millis(10),
    retries: 8,
    appearance: Duration::from_secs(20),
};

/// What went wrong, as `summary: detail`.
pub(crate) type Told = String;

/// What a plan came to.
pub(crate) struct Planned {
    pub(crate) object: Value,
    pub(crate) replace: Vec<String>,
    private: Arc<[u8]>,
    config: Value,
}

/// One provider, and the way to call it.
pub(crate) struct Driver {
    pub(crate) azure: AzureStandIn,
    pub(crate) provider: Arc<dyn Provider>,
    schema: Arc<ProviderSchema>,
    pub(crate) runtime: tokio::runtime::Runtime,
}

fn told(diagnostics: &[ProviderDiagnostic]) -> Told {
    let told: Vec<String> = diagnostics
        .iter()
        .map(|found| format!("{}: {}", found.summary, found.detail))
        .collect();
    told.join("\n")
}

fn checked<T>(reply: Reply<T>) -> Result<T, Told> {
    if reply.failed() {
        Err(told(&reply.diagnostics))
    } else {
        Ok(reply.value)
    }
}

impl Driver {
    /// Signed in, with the resource group `group` in the stand-in.
    pub(crate) fn new() -> Self {
        Self::with(PACE, "{}", &[]).unwrap()
    }

    /// With this pace, this configuration of the provider, and these variables instead of those that sign in.
    pub(crate) fn with(pace: Pace, config: &str, variables: &[(&str, &str)]) -> Result<Self, Told> {
        Self::beside(AzureStandIn::start().unwrap(), pace, config, variables, &[])
    }

    pub(crate) fn beside(
        azure: AzureStandIn,
        pace: Pace,
        config: &str,
        variables: &[(&str, &str)],
        unknown: &[&str],
    ) -> Result<Self, Told> {
        let mut environment: BTreeMap<String, String> = azure.environment();
        for (name, value) in variables {
            environment.insert((*name).to_owned(), (*value).to_owned());
        }
        let provider: Arc<dyn Provider> = Arc::new(provider(Outside {
            clock: Arc::new(Standing),
            environment: Arc::new(move |name| environment.get(name).cloned()),
            user_agent: "Terrace/test".into(),
            pace,
        }));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let schema = runtime.block_on(provider.schema()).unwrap();
        let given = terrace_value::json::decode_implied(config).unwrap();
        let config = schema.provider.block.coerce(&given).unwrap();
        let config = unknown
            .iter()
            .fold(config, |config, name| with_unknown(&config, name));
        checked(
            runtime
                .block_on(provider.validate_provider_config(config.clone()))
                .unwrap(),
        )?;
        checked(runtime.block_on(provider.configure(config)).unwrap())?;
        Ok(Self {
            azure,
            provider,
            schema,
            runtime,
        })
    }

    /// The id of a group of the subscription.
    pub(crate) fn group_id(name: &str) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{name}",
            AzureStandIn::SUBSCRIPTION
        )
    }

    /// The id of an account in the group `group`.
    pub(crate) fn account_id(name: &str) -> String {
        format!(
            "{}/providers/Microsoft.Storage/storageAccounts/{name}",
            Self::group_id("group")
        )
    }

    pub(crate) fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    pub(crate) fn block(&self, type_name: &str) -> Block {
        self.schema.resources[type_name].block.clone()
    }

    fn config(&self, type_name: &str, json: &Json) -> Value {
        let given = terrace_value::json::decode_implied(&json.to_string()).unwrap();
        self.block(type_name).coerce(&given).unwrap()
    }

    /// What is wrong with a configuration.
    pub(crate) fn validate(&self, type_name: &str, json: &Json) -> Told {
        let config = self.config(type_name, json);
        let reply = self
            .runtime
            .block_on(self.provider.validate_resource_config(type_name, config));
        told(&reply.unwrap().diagnostics)
    }

    /// What becomes of an object.
    pub(crate) fn plan(
        &self,
        type_name: &str,
        prior: &Value,
        json: &Json,
    ) -> Result<Planned, Told> {
        let block = self.block(type_name);
        let config = self.config(type_name, json);
        let reply = self.provider.plan(PlanRequest {
            type_name: type_name.into(),
            prior: prior.clone(),
            proposed: proposed_new(&block, prior, &config),
            config: config.clone(),
            prior_private: Arc::default(),
            identity: None,
        });
        let reply = checked(self.runtime.block_on(reply).unwrap())?;
        assert!(reply.legacy_type_system, "azurerm plans in the old manner");
        Ok(Planned {
            object: reply.planned,
            replace: names(&reply.requires_replace),
            private: reply.private,
            config,
        })
    }

    /// Carries a plan out: what there is then, and what went wrong.
    pub(crate) fn carry_out(
        &self,
        type_name: &str,
        prior: &Value,
        planned: &Planned,
    ) -> (Value, Told) {
        let reply = self.provider.apply(ApplyRequest {
            type_name: type_name.into(),
            prior: prior.clone(),
            planned: planned.object.clone(),
            config: planned.config.clone(),
            planned_private: planned.private.clone(),
            identity: None,
        });
        let reply = self.runtime.block_on(reply).unwrap();
        assert!(
            reply.value.state.is_wholly_known(),
            "{:?}",
            reply.value.state
        );
        (reply.value.state, told(&reply.diagnostics))
    }

    /// Plans and applies: creates, or changes `prior` in place.
    pub(crate) fn apply(&self, type_name: &str, prior: &Value, json: &Json) -> Result<Value, Told> {
        let planned = self.plan(type_name, prior, json)?;
        let (state, told) = self.carry_out(type_name, prior, &planned);
        if told.is_empty() {
            Ok(state)
        } else {
            Err(told)
        }
    }

    pub(crate) fn create(&self, type_name: &str, json: &Json) -> Result<Value, Told> {
        self.apply(type_name, &self.nothing(type_name), json)
    }

    /// No object.
    pub(crate) fn nothing(&self, type_name: &str) -> Value {
        Value::null(self.block(type_name).implied_type())
    }

    pub(crate) fn delete(&self, type_name: &str, prior: &Value) -> Result<(), Told> {
        let planned = Planned {
            object: self.nothing(type_name),
            replace: Vec::new(),
            private: Arc::default(),
            config: self.nothing(type_name),
        };
        let (state, told) = self.carry_out(type_name, prior, &planned);
        if told.is_empty() {
            assert!(state.is_null());
            Ok(())
        } else {
            Err(told)
        }
    }

    /// The object as it is now; null when it is gone.
    pub(crate) fn read(&self, type_name: &str, current: &Value) -> Result<Value, Told> {
        let reply = self.provider.read(ReadRequest {
            type_name: type_name.into(),
            current: current.clone(),
            private: Arc::default(),
            identity: None,
        });
        checked(self.runtime.block_on(reply).unwrap()).map(|answer| answer.state)
    }

    /// The object of an id, read as the engine does after an import.
    pub(crate) fn import(&self, type_name: &str, id: &str) -> Result<Value, Told> {
        let reply = self.runtime.block_on(self.provider.import(type_name, id));
        let found = checked(reply.unwrap())?;
        assert_eq!(found.len(), 1);
        self.read(type_name, &found[0].state)
    }

    /// The state of an older version of a type's schema.
    pub(crate) fn upgrade(
        &self,
        type_name: &str,
        version: i64,
        json: &Json,
    ) -> Result<Value, Told> {
        let state = terrace_port::ResourceState {
            type_name: type_name.into(),
            schema_version: version,
            json: json.to_string().as_bytes().into(),
        };
        checked(
            self.runtime
                .block_on(self.provider.upgrade_state(state))
                .unwrap(),
        )
    }

    /// An object that is the same as it is planned to be.
    pub(crate) fn assert_clean(&self, type_name: &str, state: &Value, json: &Json, what: &str) {
        let read = self.read(type_name, state).unwrap();
        assert_same(&read, state, &format!("{what}: what is read again"));
        let planned = self.plan(type_name, &read, json).unwrap();
        assert_same(
            &planned.object,
            &read,
            &format!("{what}: what is planned again"),
        );
        assert_eq!(planned.replace, Vec::<String>::new(), "{what}");
    }
}

/// An object in which a text is not known yet.
fn with_unknown(object: &Value, name: &str) -> Value {
    let mut entries = object.as_entries().unwrap().clone();
    entries.insert(name.into(), Value::unknown(terrace_value::Type::String));
    Value::object(entries)
}

/// Says which attributes differ, not whole objects.
pub(crate) fn assert_same(found: &Value, expected: &Value, what: &str) {
    let empty = BTreeMap::new();
    let (found, expected) = (
        found.as_entries().unwrap_or(&empty),
        expected.as_entries().unwrap_or(&empty),
    );
    let different: Vec<String> = expected
        .iter()
        .filter(|(name, value)| found.get(*name) != Some(*value))
        .map(|(name, value)| format!("{name}: {:?}, and not {value:?}", found.get(name)))
        .collect();
    assert_eq!(different, Vec::<String>::new(), "{what}");
    assert_eq!(found.len(), expected.len(), "{what}");
}

/// Paths of attributes, as names.
fn names(paths: &[Path]) -> Vec<String> {
    paths
        .iter()
        .map(|path| path.to_string().trim_start_matches('.').to_owned())
        .collect()
}
