//! Carries out cases: the provider is driven as the engine drives it, against one moto.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use terrace_port::{
    ApplyRequest, Clock, PlanRequest, PlanResponse, Provider as Port, ProviderDiagnostic,
    ReadRequest, Reply, Surroundings,
};
use terrace_provider_aws::{Client, Outside, Pace, provider};
use terrace_provider_sdk::Provider;
use terrace_schema::{Block, proposed_new};
use terrace_test_services::Aws;
use terrace_value::{Path, Value};

use crate::case::{Case, Fact, Given, Reading, Step};
use crate::values::{configured, filled, filled_text, merged};

/// moto and a provider that is configured to it.
pub(crate) struct World {
    pub(crate) provider: Provider<Client>,
    aws: Aws,
}

/// What was tried of a type.
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) type_name: &'static str,
    /// Arguments that were changed, `block.argument` within blocks.
    pub(crate) changed: Vec<String>,
    pub(crate) untried: Vec<(&'static str, &'static str)>,
    pub(crate) updates: usize,
    pub(crate) replacements: usize,
    pub(crate) imported: bool,
    /// What else told of it, ephemeral resources after `ephemeral.`, with the arguments that they were asked by.
    pub(crate) read: Vec<(String, Vec<String>)>,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: made, planned clean, {} updates, {} replacements, {}{}destroyed",
            self.title,
            self.updates,
            self.replacements,
            match self.read.len() {
                0 => String::new(),
                1 => "read by another, ".to_owned(),
                count => format!("read by {count} others, "),
            },
            if self.imported { "imported, " } else { "" }
        )
    }
}

/// An object under way.
struct Life<'w> {
    world: &'w World,
    case: &'w Case,
    title: String,
    block: Arc<terrace_schema::ResourceSchema>,
    names: BTreeMap<String, Json>,
    state: Value,
    private: Arc<[u8]>,
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

impl World {
    /// Starts moto and configures the provider to it.
    pub(crate) async fn start() -> Self {
        Self::start_with(json!({})).await
    }

    /// The same, with more said to the provider.
    pub(crate) async fn start_with(more: Json) -> Self {
        let aws = tokio::task::spawn_blocking(Aws::start)
            .await
            .unwrap()
            .unwrap();
        let provider = provider(Outside {
            clock: Arc::new(SystemClock),
            surroundings: Surroundings::default(),
            user_agent: "terrace-acceptance".into(),
            log: None,
            pace: Pace::default(),
        });
        let world = Self { provider, aws };
        world.configure(&more).await;
        world
    }

    async fn configure(&self, more: &Json) {
        let schema = self.provider.schema().await.unwrap();
        let block = &schema.provider.block;
        let names = block.blocks["endpoints"].block.attributes.keys();
        let endpoint = self.aws.endpoint();
        let endpoints: BTreeMap<String, Json> = names
            .map(|name| (name.to_string(), json!(endpoint)))
            .collect();
        let config = json!({
            "region": "us-east-1", "access_key": "test", "secret_key": "test",
            "skip_credentials_validation": true, "skip_metadata_api_check": "true",
            "s3_use_path_style": true, "endpoints": [endpoints],
        });
        let config = configured(block, &merged(&config, more));
        let reply = self.provider.configure(config).await;
        sure("configuring", reply);
    }

    /// Carries out a case. Panics where something is not as it should be.
    pub(crate) async fn live(&self, place: usize, case: &Case) -> Table {
        let mut names = BTreeMap::from([("name".to_owned(), json!(format!("case-{place}")))]);
        let mut before = Vec::new();
        for (name, given) in &case.given {
            let there = match given {
                Given::Object(type_name, config) => {
                    let state = self.given(type_name, config, &names).await;
                    let there = as_json(&state);
                    before.push((*type_name, state));
                    there
                }
                Given::Answer {
                    service,
                    call,
                    body,
                } => self.asked(service, call, body, &names),
            };
            names.insert((*name).to_owned(), there);
        }
        let mut life = Life {
            world: self,
            case,
            title: case.title(),
            block: self.schema(case.type_name).await,
            names,
            state: Value::NULL,
            private: Arc::default(),
        };
        let table = life.whole().await;
        for (type_name, state) in before.into_iter().rev() {
            self.end(type_name, &state).await;
        }
        table
    }

    /// What a service answers.
    fn asked(
        &self,
        service: &str,
        call: &str,
        body: &Json,
        names: &BTreeMap<String, Json>,
    ) -> Json {
        let call = filled_text(call, &|reference| look(names, reference));
        let body = filled(body, &|reference| look(names, reference));
        let answer = self
            .aws
            .ask(service, call.as_str().unwrap(), &body.to_string());
        let answer = answer.unwrap_or_else(|why| panic!("{call} {body}: {why}"));
        serde_json::from_slice(&answer).unwrap_or_default()
    }

    pub(crate) async fn schema(&self, type_name: &str) -> Arc<terrace_schema::ResourceSchema> {
        let schema = self.provider.schema().await.unwrap();
        let found = schema.resources.get(type_name);
        found
            .unwrap_or_else(|| panic!("the provider has no {type_name}"))
            .clone()
    }

    /// Makes an object.
    pub(crate) async fn given(
        &self,
        type_name: &str,
        config: &Json,
        names: &BTreeMap<String, Json>,
    ) -> Value {
        let schema = self.schema(type_name).await;
        let config = filled(config, &|reference| look(names, reference));
        let config = configured(&schema.block, &config);
        let plan = self
            .plan(type_name, &schema.block, &Value::NULL, &config)
            .await;
        let request = ApplyRequest {
            type_name: type_name.into(),
            prior: Value::null(schema.block.implied_type()),
            planned: plan.planned,
            config,
            planned_private: plan.private,
            identity: None,
        };
        sure(type_name, self.provider.apply(request).await).state
    }

    /// What is said when an object that plans well cannot be made.
    pub(crate) async fn refused(&self, type_name: &str, config: &Json) -> String {
        let schema = self.schema(type_name).await;
        let config = configured(&schema.block, config);
        let plan = self
            .plan(type_name, &schema.block, &Value::NULL, &config)
            .await;
        let request = ApplyRequest {
            type_name: type_name.into(),
            prior: Value::null(schema.block.implied_type()),
            planned: plan.planned,
            config,
            planned_private: plan.private,
            identity: None,
        };
        let reply = self.provider.apply(request).await.unwrap();
        let errors = reply.diagnostics.iter().filter(|said| said.error);
        errors
            .map(|said| [said.summary.as_str(), said.detail.as_str()].join(": "))
            .collect()
    }

    /// An object as it is; null where it is gone.
    pub(crate) async fn present(&self, type_name: &str, state: &Value) -> Value {
        let request = ReadRequest {
            type_name: type_name.into(),
            current: state.clone(),
            private: Arc::default(),
            identity: None,
        };
        sure(type_name, self.provider.read(request).await).state
    }

    /// Ends an object.
    pub(crate) async fn end(&self, type_name: &str, state: &Value) {
        let schema = self.schema(type_name).await;
        let null = Value::null(schema.block.implied_type());
        let request = ApplyRequest {
            type_name: type_name.into(),
            prior: state.clone(),
            planned: null.clone(),
            config: null,
            planned_private: Arc::default(),
            identity: None,
        };
        sure(type_name, self.provider.apply(request).await);
    }

    /// What a data source or an ephemeral resource tells.
    async fn told(&self, what: &str, name: &str, ephemeral: bool, config: &Json) -> Value {
        let schema = self.provider.schema().await.unwrap();
        let table = if ephemeral {
            &schema.ephemeral_resources
        } else {
            &schema.data_sources
        };
        let shape = table
            .get(name)
            .unwrap_or_else(|| panic!("the provider does not read {name}"));
        let config = configured(&shape.block, config);
        let provider = &self.provider;
        let told = if ephemeral {
            let checked = provider
                .validate_ephemeral_config(name, config.clone())
                .await;
            sure(what, checked);
            sure(what, provider.open_ephemeral(name, config).await).value
        } else {
            sure(
                what,
                provider.validate_data_config(name, config.clone()).await,
            );
            sure(what, provider.read_data(name, config).await)
        };
        assert!(
            told.is_wholly_known(),
            "{what}: something in {} is not known",
            shown(&told)
        );
        told
    }

    /// A data source tells what it should.
    pub(crate) async fn tells(&self, fact: &Fact) {
        let what = format!("{} {}", fact.type_name, fact.config);
        let told = as_json(&self.told(&what, fact.type_name, false, &fact.config).await);
        for (name, wanted) in fact.told.as_object().unwrap() {
            assert_eq!(&told[name], wanted, "{what}: {name}");
        }
    }

    async fn plan(
        &self,
        type_name: &str,
        block: &Block,
        prior: &Value,
        config: &Value,
    ) -> PlanResponse {
        let ty = block.implied_type();
        let prior = if prior.is_null() {
            Value::null(ty)
        } else {
            prior.clone()
        };
        let request = PlanRequest {
            type_name: type_name.into(),
            proposed: proposed_new(block, &prior, config),
            prior,
            config: config.clone(),
            prior_private: Arc::default(),
            identity: None,
        };
        sure(type_name, self.provider.plan(request).await)
    }
}

impl Life<'_> {
    async fn whole(&mut self) -> Table {
        let mut config = self.case.config.clone();
        let mut changed = Vec::new();
        crate::cover::mentioned(&self.case.config, "", &mut changed);
        // How long something may take is no part of an object: it is enough to say it.
        changed.retain(|name| name.starts_with("timeouts"));
        self.make(&config).await;
        self.plans_clean(&config).await;
        let (mut updates, mut replacements) = (0, 0);
        for step in &self.case.steps {
            let before = config.clone();
            match step {
                Step::Update(change) => {
                    config = merged(&config, change);
                    self.update(&config, change).await;
                    updates += 1;
                }
                Step::Replace(change, names) => {
                    config = merged(&config, change);
                    self.replace(&config, change, names).await;
                    replacements += 1;
                }
            }
            let differs = crate::cover::changed(&before, &config).into_iter();
            changed.extend(differs.filter(|name| step.is_about(name)));
            self.plans_clean(&config).await;
        }
        for reading in &self.case.readings {
            self.found(reading).await;
        }
        if let Some(id) = self.case.import {
            self.import(id, &config).await;
        }
        self.elsewhere(&config).await;
        self.destroy().await;
        Table {
            title: self.title.clone(),
            type_name: self.case.type_name,
            changed,
            untried: self.case.untried.clone(),
            updates,
            replacements,
            imported: self.case.import.is_some(),
            read: self.case.readings.iter().map(Reading::asked).collect(),
        }
    }

    fn config(&self, config: &Json) -> Value {
        let config = filled(config, &|reference| look(&self.names, reference));
        configured(&self.block.block, &config)
    }

    async fn plan(&self, config: &Value) -> PlanResponse {
        let world = self.world;
        let reply = world
            .provider
            .validate_resource_config(self.case.type_name, config.clone())
            .await;
        sure(&self.title, reply);
        world
            .plan(self.case.type_name, &self.block.block, &self.state, config)
            .await
    }

    async fn apply(&mut self, what: &str, plan: PlanResponse, config: Value) {
        let ty = self.block.block.implied_type();
        let prior = if self.state.is_null() {
            Value::null(ty)
        } else {
            self.state.clone()
        };
        let request = ApplyRequest {
            type_name: self.case.type_name.into(),
            prior,
            planned: plan.planned.clone(),
            config,
            planned_private: plan.private,
            identity: None,
        };
        let answer = sure(what, self.world.provider.apply(request).await);
        assert!(
            answer.state.is_wholly_known(),
            "{what}: something in {} is not known",
            shown(&answer.state)
        );
        self.keeps_to(what, &plan.planned, &answer.state);
        self.state = answer.state;
        self.private = answer.private;
        self.names.insert("self".into(), as_json(&self.state));
    }

    /// What was planned, and known, is what came of it.
    fn keeps_to(&self, what: &str, planned: &Value, state: &Value) {
        for name in self.block.block.attributes.keys() {
            let (planned, state) = (planned.get(name).unwrap(), state.get(name).unwrap());
            let settles = self.case.settles.contains(&&**name);
            if planned.is_wholly_known() && !planned.is_null() && !settles {
                assert_eq!(
                    shown(planned),
                    shown(state),
                    "{what}: {name} is not as planned"
                );
            }
        }
    }

    async fn make(&mut self, config: &Json) {
        let config = self.config(config);
        self.state = Value::NULL;
        let plan = self.plan(&config).await;
        let what = format!("{}, making", self.title);
        self.apply(&what, plan, config).await;
    }

    async fn update(&mut self, config: &Json, change: &Json) {
        let what = format!("{}, updating {change}", self.title);
        let config = self.config(config);
        let plan = self.plan(&config).await;
        assert!(
            plan.requires_replace.is_empty(),
            "{what}: asks for a replacement because of {}",
            paths(&plan.requires_replace)
        );
        assert!(plan.planned != self.state, "{what}: plans no change");
        self.apply(&what, plan, config).await;
    }

    async fn replace(&mut self, config: &Json, change: &Json, names: &[&str]) {
        let what = format!("{}, replacing for {change}", self.title);
        let values = self.config(config);
        let plan = self.plan(&values).await;
        let all = || {
            change
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect()
        };
        let names: Vec<&str> = if names.is_empty() {
            all()
        } else {
            names.to_vec()
        };
        for name in names {
            assert!(
                plan.requires_replace
                    .iter()
                    .any(|path| path.to_string().trim_start_matches('.').starts_with(name)),
                "{what}: {name} asks for no replacement, only {}",
                paths(&plan.requires_replace)
            );
        }
        self.destroy().await;
        self.make(config).await;
    }

    /// What lives in a region is replaced for another one.
    async fn elsewhere(&self, config: &Json) {
        if !self.block.block.attributes.contains_key("region") {
            return;
        }
        let what = format!("{}, moving", self.title);
        let moved = self.config(&merged(config, &json!({"region": "ap-northeast-1"})));
        let plan = self.plan(&moved).await;
        assert!(
            paths(&plan.requires_replace).contains("region"),
            "{what}: region asks for no replacement, only {}",
            paths(&plan.requires_replace)
        );
    }

    async fn read(&self, what: &str, state: &Value) -> Value {
        let request = ReadRequest {
            type_name: self.case.type_name.into(),
            current: state.clone(),
            private: self.private.clone(),
            identity: None,
        };
        sure(what, self.world.provider.read(request).await).state
    }

    async fn plans_clean(&mut self, config: &Json) {
        let what = format!("{}, planning again", self.title);
        let read = self.read(&what, &self.state).await;
        assert!(!read.is_null(), "{what}: the object is gone");
        self.state = read;
        let config = self.config(config);
        let plan = self.plan(&config).await;
        assert!(
            plan.planned == self.state,
            "{what}: there is a change\n{}",
            differences(&self.state, &plan.planned)
        );
    }

    async fn import(&mut self, id: &str, config: &Json) {
        let what = format!("{}, importing", self.title);
        let id = filled_text(id, &|reference| look(&self.names, reference));
        let id = id.as_str().expect("an id is text");
        let found = sure(
            &what,
            self.world.provider.import(self.case.type_name, id).await,
        );
        let imported = self.read(&what, &found[0].state).await;
        assert!(!imported.is_null(), "{what}: nothing was found under {id}");
        let kept = self.state.clone();
        let leaves = |name: &str| self.case.import_leaves.contains(&name);
        for (name, value) in imported.as_entries().unwrap() {
            let before = kept.get(name).unwrap();
            assert!(
                leaves(name) || same(before, value),
                "{what}: {name} is {} and was {}",
                shown(value),
                shown(before)
            );
        }
        self.state = imported;
        let config = self.config(config);
        let plan = self.plan(&config).await;
        assert!(
            plan.requires_replace.is_empty(),
            "{what}: asks for a replacement because of {}",
            paths(&plan.requires_replace)
        );
        for (name, planned) in plan.planned.as_entries().unwrap() {
            let now = self.state.get(name).unwrap();
            assert!(
                leaves(name) || planned == now || !planned.is_known(),
                "{what}: {name} would change from {} to {}",
                shown(now),
                shown(planned)
            );
        }
        self.state = kept;
    }

    /// Who only reads the object sees it as it is.
    async fn found(&self, reading: &Reading) {
        let name = reading.type_name;
        let what = format!("{}, read by {name} {}", self.title, reading.config);
        let config = filled(&reading.config, &|reference| look(&self.names, reference));
        let told = self
            .world
            .told(&what, name, reading.ephemeral, &config)
            .await;
        for pair in &reading.same {
            let (read, attribute) = pair.split_once(" = ").unwrap_or((pair, pair));
            let (told, own) = (told.get(read).unwrap(), self.state.get(attribute).unwrap());
            assert!(
                same(told, own) || shown(told) == shown(own),
                "{what}: {read} is {} and {attribute} of the object {}",
                shown(told),
                shown(own)
            );
            assert!(
                !told.is_null() || own.is_null(),
                "{what}: {read} is not told"
            );
        }
    }

    async fn destroy(&mut self) {
        self.world.end(self.case.type_name, &self.state).await;
        let what = format!("{}, looking after it went", self.title);
        let read = self.read(&what, &self.state).await;
        assert!(
            self.case.remains.is_some() || read.is_null(),
            "{what}: it is still there: {}",
            shown(&read)
        );
        self.world.end(self.case.type_name, &self.state).await;
    }
}

/// Nothing and what says nothing are the same.
fn same(a: &Value, b: &Value) -> bool {
    let nothing = |value: &Value| {
        value.is_null()
            || value.as_str() == Some("")
            || value.as_bool() == Some(false)
            || value.as_sequence().is_some_and(<[Value]>::is_empty)
            || (!value.is_null() && value.as_entries().is_some_and(BTreeMap::is_empty))
            || value.as_number().and_then(terrace_value::Number::to_i64) == Some(0)
    };
    a == b || (nothing(a) && nothing(b))
}

fn look(names: &BTreeMap<String, Json>, reference: &str) -> Json {
    let mut parts = reference.split('.');
    let first = parts.next().unwrap_or_default();
    let object = names
        .get(first)
        .unwrap_or_else(|| panic!("nothing is called {first}"));
    parts.fold(object.clone(), |value, part| {
        let found = match part.parse::<usize>() {
            Ok(place) => value.get(place),
            Err(_) => value.get(part),
        };
        found
            .unwrap_or_else(|| panic!("{reference}: there is no {part}"))
            .clone()
    })
}

pub(crate) fn as_json(value: &Value) -> Json {
    serde_json::from_str(&terrace_value::json::encode(value, &value.ty()).unwrap()).unwrap()
}

fn shown(value: &Value) -> String {
    terrace_value::json::encode(value, &value.ty()).unwrap_or_else(|_| format!("{value:?}"))
}

fn paths(paths: &[Path]) -> String {
    let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
    paths.join(", ")
}

fn differences(before: &Value, after: &Value) -> String {
    let after = after.as_entries().unwrap();
    let lines: Vec<String> = before
        .as_entries()
        .unwrap()
        .iter()
        .filter(|(name, value)| after.get(*name) != Some(value))
        .map(|(name, value)| format!("  {name}: {} -> {}", shown(value), shown(&after[name])))
        .collect();
    lines.join("\n")
}

/// The answer; errors in it are the test's.
fn sure<T>(what: &str, attempt: Result<Reply<T>, terrace_port::ProviderError>) -> T {
    let reply = attempt.unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let errors: Vec<String> = reply
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.error)
        .map(|diagnostic: &ProviderDiagnostic| {
            format!("{}: {}", diagnostic.summary, diagnostic.detail)
        })
        .collect();
    assert!(errors.is_empty(), "{what}: {}", errors.join("\n"));
    reply.value
}

/// What a task that panicked said.
pub(crate) fn panic_text(error: tokio::task::JoinError) -> String {
    let panic = error.into_panic();
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default()
}
