//! The provider driven as the engine drives it, against the stand-in.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value as Json, json};
use terrace_port::{
    ApplyRequest, Clock, PlanRequest, Provider as Port, ProviderDiagnostic, ReadRequest,
    Surroundings,
};
use terrace_provider_aws::{Client, Outside, Pace, provider};
use terrace_provider_sdk::Provider;
use terrace_schema::{ResourceSchema, proposed_new};
use terrace_value::Value;

use crate::stand_in::{Answer, Request, StandIn};
use crate::values::configured;

/// The stand-in and a provider that is configured to it.
pub(crate) struct World {
    pub(crate) provider: Provider<Client>,
    pub(crate) stand_in: StandIn,
    /// What was told to those who look for a mistake.
    log: Arc<Mutex<Vec<String>>>,
}

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> (i64, u32) {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        (i64::try_from(now.as_secs()).unwrap(), now.subsec_nanos())
    }
}

/// What came of a call.
pub(crate) struct Came {
    /// The object as the engine keeps it.
    pub(crate) state: Value,
    /// What was said, in whole.
    pub(crate) said: String,
}

impl Came {
    /// An attribute of the object.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.state.get(name).and_then(Value::as_str)
    }
}

/// Keys that the stand-in takes.
pub(crate) fn keys() -> Json {
    json!({"access_key": "test", "secret_key": "test"})
}

impl World {
    pub(crate) async fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::with(keys(), StandIn::start(answer).await).await
    }

    /// With further settings of the provider.
    pub(crate) async fn with(settings: Json, stand_in: StandIn) -> Self {
        // Nothing of the machine's own sign-in.
        let surroundings = Surroundings {
            removed: std::env::vars()
                .map(|(name, _)| name)
                .filter(|name| name.starts_with("AWS_"))
                .collect(),
            set: BTreeMap::from([
                ("AWS_CONFIG_FILE".into(), "/nowhere/config".into()),
                ("AWS_SHARED_CREDENTIALS_FILE".into(), "/nowhere/keys".into()),
            ]),
        };
        let log = Arc::<Mutex<Vec<String>>>::default();
        let told = log.clone();
        let provider = provider(Outside {
            clock: Arc::new(SystemClock),
            surroundings,
            user_agent: "terrace-failures".into(),
            log: Some(Arc::new(move |message| {
                told.lock().unwrap().push(message.to_owned());
            })),
            pace: Pace {
                retry: Duration::from_millis(10),
            },
        });
        let schema = provider.schema().await.unwrap();
        let block = &schema.provider.block;
        let endpoints: BTreeMap<String, &str> = block.blocks["endpoints"]
            .block
            .attributes
            .keys()
            .map(|name| (name.to_string(), stand_in.endpoint.as_str()))
            .collect();
        let mut config = json!({
            "region": "eu-west-1", "skip_credentials_validation": true,
            "skip_metadata_api_check": "true", "s3_use_path_style": true, "endpoints": [endpoints],
        });
        for (name, setting) in settings.as_object().unwrap() {
            config[name] = setting.clone();
        }
        let reply = provider
            .configure(configured(block, &config))
            .await
            .unwrap();
        assert_eq!(said(&reply.diagnostics), "");
        Self {
            provider,
            stand_in,
            log,
        }
    }

    /// What was told to those who look for a mistake, line by line.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    async fn schema(&self, type_name: &str) -> Arc<ResourceSchema> {
        let schema = self.provider.schema().await.unwrap();
        schema.resources.get(type_name).unwrap().clone()
    }

    /// Plans and applies: what is configured, on top of what is there.
    pub(crate) async fn apply(&self, type_name: &str, prior: &Value, config: &Json) -> Came {
        let schema = self.schema(type_name).await;
        let config = configured(&schema.block, config);
        let prior = typed(prior, &schema);
        let plan = PlanRequest {
            type_name: type_name.into(),
            proposed: proposed_new(&schema.block, &prior, &config),
            prior: prior.clone(),
            config: config.clone(),
            prior_private: Arc::default(),
            identity: None,
        };
        let plan = self.provider.plan(plan).await.unwrap();
        assert_eq!(said(&plan.diagnostics), "");
        self.carry_out(ApplyRequest {
            type_name: type_name.into(),
            prior,
            planned: plan.value.planned,
            config,
            planned_private: plan.value.private,
            identity: None,
        })
        .await
    }

    /// Makes an object.
    pub(crate) async fn create(&self, type_name: &str, config: &Json) -> Came {
        self.apply(type_name, &Value::NULL, config).await
    }

    /// Ends an object.
    pub(crate) async fn destroy(&self, type_name: &str, prior: &Value) -> Came {
        let schema = self.schema(type_name).await;
        let nothing = typed(&Value::NULL, &schema);
        self.carry_out(ApplyRequest {
            type_name: type_name.into(),
            prior: prior.clone(),
            planned: nothing.clone(),
            config: nothing,
            planned_private: Arc::default(),
            identity: None,
        })
        .await
    }

    async fn carry_out(&self, request: ApplyRequest) -> Came {
        let reply = self.provider.apply(request).await.unwrap();
        Came {
            state: reply.value.state,
            said: said(&reply.diagnostics),
        }
    }

    /// Reads an object, as a plan begins.
    pub(crate) async fn read(&self, type_name: &str, state: &Value) -> Came {
        let request = ReadRequest {
            type_name: type_name.into(),
            current: state.clone(),
            private: Arc::default(),
            identity: None,
        };
        let reply = self.provider.read(request).await.unwrap();
        Came {
            state: reply.value.state,
            said: said(&reply.diagnostics),
        }
    }

    /// An object as a state may have it.
    pub(crate) async fn state(&self, type_name: &str, attributes: &Json) -> Value {
        configured(&self.schema(type_name).await.block, attributes)
    }

    /// Reads a data source.
    pub(crate) async fn read_data(&self, type_name: &str, config: &Json) -> String {
        let schema = self.provider.schema().await.unwrap();
        let block = &schema.data_sources.get(type_name).unwrap().block;
        let config = configured(block, config);
        let reply = self.provider.read_data(type_name, config).await.unwrap();
        said(&reply.diagnostics)
    }
}

fn typed(value: &Value, schema: &ResourceSchema) -> Value {
    if value.is_null() {
        Value::null(schema.block.implied_type())
    } else {
        value.clone()
    }
}

/// Diagnostics in whole.
fn said(diagnostics: &[ProviderDiagnostic]) -> String {
    let lines: Vec<String> = diagnostics
        .iter()
        .map(|said| {
            let severity = if said.error { "Error" } else { "Warning" };
            format!("{severity}: {}\n\n{}", said.summary, said.detail)
        })
        .collect();
    lines.join("\n\n")
}
