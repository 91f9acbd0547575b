//! A provider with a clock that stands still and entropy that counts, driven as the engine does.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use terrace_addr::ProviderAddr;
use terrace_port::{
    ApplyRequest, Clock, Entropy, PlanRequest, Provider, ProviderDiagnostic, ReadRequest, Reply,
    ResourceState,
};
use terrace_provider_std::{Outside, open};
use terrace_schema::{Block, assert_object_compatible, assert_plan_valid, proposed_new};
use terrace_value::{Path, Value};

/// 2026-01-02T03:04:05Z
pub(crate) const NOW: i64 = 1_767_323_045;

struct Standing(AtomicI64);

impl Clock for Standing {
    fn now(&self) -> (i64, u32) {
        (self.0.load(Ordering::Relaxed), 123_000_000)
    }
}

/// Numbers that look random and are the same in every run.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let count = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            *byte = (count ^ (count >> 29))
                .wrapping_mul(0xbf58_476d_1ce4_e5b9)
                .to_be_bytes()[0];
        }
    }
}

/// One provider, and the way to call it.
pub(crate) struct Driver {
    provider: Arc<dyn Provider>,
    clock: Arc<Standing>,
    runtime: tokio::runtime::Runtime,
}

/// What went wrong, as `summary: detail`.
pub(crate) type Told = Vec<String>;

fn told(diagnostics: &[ProviderDiagnostic]) -> Told {
    diagnostics
        .iter()
        .map(|found| format!("{}: {}", found.summary, found.detail))
        .collect()
}

fn checked<T>(reply: Reply<T>) -> Result<T, Told> {
    if reply.failed() {
        Err(told(&reply.diagnostics))
    } else {
        Ok(reply.value)
    }
}

impl Driver {
    pub(crate) fn new(name: &str) -> Self {
        let clock = Arc::new(Standing(AtomicI64::new(NOW)));
        let outside = Outside {
            clock: clock.clone(),
            entropy: Arc::new(Counting(AtomicU64::new(1))),
            surroundings: terrace_port::Surroundings::default(),
        };
        let driver = Self {
            provider: open(&ProviderAddr::default_for(name), outside).expect("it is native"),
            clock,
            runtime: tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap(),
        };
        let schema = driver.runtime.block_on(driver.provider.schema()).unwrap();
        let config = schema.provider.block.empty_value();
        checked(
            driver
                .runtime
                .block_on(driver.provider.configure(config))
                .unwrap(),
        )
        .unwrap();
        driver
    }

    pub(crate) fn schema(&self) -> Arc<terrace_schema::ProviderSchema> {
        self.runtime.block_on(self.provider.schema()).unwrap()
    }

    pub(crate) fn later(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
    }

    fn block(&self, type_name: &str) -> Block {
        let schema = self.runtime.block_on(self.provider.schema()).unwrap();
        schema.resources[type_name].block.clone()
    }

    fn config(&self, type_name: &str, json: &str) -> Value {
        let given = terrace_value::json::decode_implied(json).unwrap();
        self.block(type_name).coerce(&given).unwrap()
    }

    /// What is wrong with a configuration.
    pub(crate) fn validate(&self, type_name: &str, json: &str) -> Told {
        let config = self.config(type_name, json);
        let reply = self
            .runtime
            .block_on(self.provider.validate_resource_config(type_name, config));
        told(&reply.unwrap().diagnostics)
    }

    /// The planned object and what asks for a replacement; the engine's own rules hold of it.
    pub(crate) fn plan(&self, type_name: &str, prior: &Value, json: &str) -> (Value, Vec<Path>) {
        let block = self.block(type_name);
        let config = self.config(type_name, json);
        let request = PlanRequest {
            type_name: type_name.into(),
            prior: prior.clone(),
            proposed: proposed_new(&block, prior, &config),
            config: config.clone(),
            prior_private: Arc::default(),
            identity: None,
        };
        let reply = self.runtime.block_on(self.provider.plan(request)).unwrap();
        assert_eq!(reply.diagnostics, []);
        let planned = reply.value.planned;
        let problems = assert_plan_valid(&block, prior, &config, &planned);
        assert!(problems.is_empty(), "{problems:?}");
        (planned, reply.value.requires_replace)
    }

    fn apply_planned(
        &self,
        type_name: &str,
        prior: &Value,
        planned: &Value,
        config: Value,
    ) -> Result<Value, Told> {
        let request = ApplyRequest {
            type_name: type_name.into(),
            prior: prior.clone(),
            planned: planned.clone(),
            config,
            planned_private: Arc::default(),
            identity: None,
        };
        let state = checked(self.runtime.block_on(self.provider.apply(request)).unwrap())?.state;
        if !planned.is_null() {
            let problems = assert_object_compatible(&self.block(type_name), planned, &state);
            assert!(problems.is_empty(), "{problems:?}");
            assert!(state.is_wholly_known(), "{state:?}");
        }
        Ok(state)
    }

    /// Plans and applies: creates, or changes `prior` in place.
    pub(crate) fn apply(&self, type_name: &str, prior: &Value, json: &str) -> Result<Value, Told> {
        let (planned, _) = self.plan(type_name, prior, json);
        self.apply_planned(type_name, prior, &planned, self.config(type_name, json))
    }

    pub(crate) fn create(&self, type_name: &str, json: &str) -> Value {
        self.apply(type_name, &Value::NULL, json).unwrap()
    }

    pub(crate) fn delete(&self, type_name: &str, prior: &Value) -> Result<Value, Told> {
        self.apply_planned(type_name, prior, &Value::NULL, Value::NULL)
    }

    /// The object as it is now; null when it is gone.
    pub(crate) fn read(&self, type_name: &str, current: &Value) -> Value {
        let request = ReadRequest {
            type_name: type_name.into(),
            current: current.clone(),
            private: Arc::default(),
            identity: None,
        };
        checked(self.runtime.block_on(self.provider.read(request)).unwrap())
            .unwrap()
            .state
    }

    pub(crate) fn import(&self, type_name: &str, id: &str) -> Result<Value, Told> {
        let reply = self
            .runtime
            .block_on(self.provider.import(type_name, id))
            .unwrap();
        let found = checked(reply)?;
        assert_eq!(found.len(), 1);
        Ok(found[0].state.clone())
    }

    pub(crate) fn upgrade(&self, type_name: &str, version: i64, json: &str) -> Value {
        let state = ResourceState {
            type_name: type_name.into(),
            schema_version: version,
            json: json.as_bytes().into(),
        };
        let upgraded = checked(
            self.runtime
                .block_on(self.provider.upgrade_state(state))
                .unwrap(),
        )
        .unwrap();
        assert!(upgraded.has_type(&self.block(type_name).implied_type()));
        upgraded
    }

    /// Calls a function.
    pub(crate) fn call(&self, name: &str, arguments: Vec<Value>) -> Result<Value, String> {
        self.runtime
            .block_on(self.provider.call_function(name, arguments))
            .unwrap()
            .map_err(|(_, message)| message)
    }

    pub(crate) fn read_data(&self, type_name: &str, json: &str) -> Result<Value, Told> {
        let schema = self.runtime.block_on(self.provider.schema()).unwrap();
        let given = terrace_value::json::decode_implied(json).unwrap();
        let config = schema.data_sources[type_name].block.coerce(&given).unwrap();
        checked(
            self.runtime
                .block_on(self.provider.read_data(type_name, config))
                .unwrap(),
        )
    }
}

/// An attribute as text, whatever it is.
pub(crate) fn text(object: &Value, name: &str) -> String {
    let value = object.get(name).expect("an attribute");
    match (value.as_str(), value.as_number()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(number)) => number.to_string(),
        (None, None) => format!("{value:?}"),
    }
}

/// Paths of attributes, as names.
pub(crate) fn names(paths: &[Path]) -> Vec<String> {
    paths
        .iter()
        .map(|path| path.to_string().trim_start_matches('.').to_owned())
        .collect()
}
