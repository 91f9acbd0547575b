//! Providers written with the SDK, driven as the engine drives them.
#![expect(
    clippy::unwrap_used,
    reason = "what a test sets up must succeed, or the test fails"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_port::{
    ApplyRequest, PlanRequest, Provider as Port, ReadRequest, Reply, ResourceState,
};
use terrace_provider_sdk::{
    Attribute, Block, Call, Data, Diagnostic, Field, Nesting, Object, Outcome, Path, Provider,
    Resource, Schema, Type, Value, async_trait, shown, validate,
};
use terrace_schema::{assert_plan_valid, proposed_new};

#[derive(Clone, Debug, Data, PartialEq)]
struct Part {
    name: String,
    #[data(name = "uid")]
    identifier: Field<String>,
}

#[derive(Debug, Data)]
struct Thing {
    id: Option<String>,
    name: String,
    size: Option<i64>,
    stamp: Option<i64>,
    secret: Option<String>,
    parts: Option<Vec<Part>>,
    labels: Option<BTreeMap<String, String>>,
    rule: Vec<Rule>,
}

#[derive(Debug, Data)]
struct Rule {
    port: i64,
}

struct Things;

#[async_trait]
impl Resource for Things {
    type Client = ();
    type State = Thing;

    fn type_name(&self) -> String {
        "test_thing".into()
    }

    fn schema(&self) -> Schema {
        let part = Schema::new()
            .attribute("name", Attribute::string().required())
            .attribute("uid", Attribute::string().computed().keep());
        let rule = Schema::new().attribute(
            "port",
            Attribute::number()
                .required()
                .validate(validate::between(1..=65_535)),
        );
        Schema::new()
            .version(1)
            .attribute("id", Attribute::string().computed().keep())
            .attribute(
                "name",
                Attribute::string()
                    .required()
                    .replace()
                    .validate(validate::length(2..=8)),
            )
            .attribute("size", Attribute::number().optional().default_to(3_i64))
            .attribute("stamp", Attribute::number().computed())
            .attribute("secret", Attribute::string().optional().write_only())
            .attribute("parts", Attribute::nested(Nesting::List, part).optional())
            .attribute(
                "labels",
                Attribute::map(Type::String)
                    .optional()
                    .validate(validate::conflicts_with(["secret"])),
            )
            .block("rule", Block::list(rule))
    }

    async fn create(&self, call: &mut Call<()>, planned: Thing) -> Outcome<Thing> {
        if planned.name == "half" {
            call.keep(Thing {
                id: Some("half".into()),
                stamp: Some(0),
                ..planned
            });
            return Err(Diagnostic::error("Half", "Only half of it was made.").into());
        }
        assert_ne!(planned.name, "panic", "as it was told");
        call.private.set("made", "yes");
        call.diagnostics.warning("Made", "It was made.");
        let secret = call.config.text("secret").unwrap_or_default().len();
        Ok(finished(planned, i64::try_from(secret).unwrap()))
    }

    async fn update(&self, call: &mut Call<()>, prior: Thing, planned: Thing) -> Outcome<Thing> {
        assert_eq!(call.private.get("made"), Some(&b"yes"[..]));
        Ok(finished(planned, prior.stamp.unwrap() + 1))
    }

    async fn upgrade(&self, version: i64, mut state: Object) -> Outcome<Object> {
        assert_eq!(version, 0);
        let name = state.get::<String>("title")?;
        state.set("name", name);
        Ok(state)
    }
}

fn finished(planned: Thing, stamp: i64) -> Thing {
    let parts = planned.parts.map(|parts| {
        parts
            .into_iter()
            .map(|part| Part {
                identifier: format!("uid-{}", part.name).into(),
                ..part
            })
            .collect()
    });
    Thing {
        id: Some(format!("id-{}", planned.name)),
        stamp: Some(stamp),
        secret: Some("leaked".into()),
        parts,
        ..planned
    }
}

fn provider() -> Provider<()> {
    Provider::with_client(()).resource(Things).build()
}

fn config(provider: &Provider<()>, json: &str) -> Value {
    let given = terrace_value::json::decode_implied(json).unwrap();
    let schema = provider.provider_schema();
    schema.resources["test_thing"].block.coerce(&given).unwrap()
}

async fn plan(provider: &Provider<()>, prior: &Value, config: &Value) -> (Value, Vec<String>) {
    let block = provider.provider_schema().resources["test_thing"]
        .block
        .clone();
    let request = PlanRequest {
        type_name: "test_thing".into(),
        prior: prior.clone(),
        proposed: proposed_new(&block, prior, config),
        config: config.clone(),
        prior_private: Arc::default(),
        identity: None,
    };
    let reply = provider.plan(request).await.unwrap();
    assert_eq!(reply.diagnostics, []);
    let planned = reply.value.planned;
    let problems = assert_plan_valid(&block, prior, config, &planned);
    assert!(problems.is_empty(), "{problems:?}");
    let replace = reply.value.requires_replace.iter().map(shown).collect();
    (planned, replace)
}

async fn apply(
    provider: &Provider<()>,
    prior: &Value,
    config: &Value,
    private: &[u8],
) -> Reply<terrace_port::ApplyResponse> {
    let (planned, _) = plan(provider, prior, config).await;
    let request = ApplyRequest {
        type_name: "test_thing".into(),
        prior: prior.clone(),
        planned,
        config: config.clone(),
        planned_private: private.into(),
        identity: None,
    };
    provider.apply(request).await.unwrap()
}

fn at(value: &Value, names: &[&str]) -> Value {
    names
        .iter()
        .fold(value.clone(), |value, name| match name.parse::<usize>() {
            Ok(place) => value.as_sequence().unwrap()[place].clone(),
            Err(_) => value.get(name).unwrap().clone(),
        })
}

const FULL: &str =
    r#"{"name": "one", "secret": "abc", "parts": [{"name": "p"}], "rule": [{"port": 80}]}"#;

#[tokio::test]
async fn an_object_is_planned_made_and_changed() {
    let provider = provider();
    let wanted = config(&provider, FULL);
    let (planned, replace) = plan(&provider, &Value::NULL, &wanted).await;
    assert_eq!(replace, Vec::<String>::new());
    assert!(!at(&planned, &["id"]).is_known() && !at(&planned, &["parts", "0", "uid"]).is_known());
    assert_eq!(at(&planned, &["size"]), Value::int(3));
    assert!(at(&planned, &["secret"]).is_null());

    let made = apply(&provider, &Value::NULL, &wanted, &[]).await;
    assert_eq!(made.diagnostics.len(), 1);
    let (state, private) = (made.value.state, made.value.private);
    assert_eq!(at(&state, &["stamp"]), Value::int(3), "the secret came in");
    assert!(at(&state, &["secret"]).is_null(), "and is never stored");
    assert_eq!(at(&state, &["parts", "0", "uid"]), Value::string("uid-p"));
    assert_eq!(plan(&provider, &state, &wanted).await.0, state);

    let other = r#"{"name": "one", "size": 4, "parts": [{"name": "p"}, {"name": "q"}]}"#;
    let wanted = config(&provider, other);
    let (planned, replace) = plan(&provider, &state, &wanted).await;
    assert_eq!(replace, Vec::<String>::new());
    assert!(at(&planned, &["id"]).is_known(), "it stays");
    assert!(!at(&planned, &["stamp"]).is_known(), "it does not");
    assert!(at(&planned, &["parts", "0", "uid"]).is_known());
    assert!(!at(&planned, &["parts", "1", "uid"]).is_known());
    let changed = apply(&provider, &state, &wanted, &private).await;
    assert_eq!(at(&changed.value.state, &["stamp"]), Value::int(4));

    let wanted = config(&provider, r#"{"name": "two"}"#);
    assert_eq!(plan(&provider, &state, &wanted).await.1, ["name"]);
}

#[tokio::test]
async fn what_fails_halfway_is_kept_and_a_panic_is_the_providers_end() {
    let provider = provider();
    let half = apply(
        &provider,
        &Value::NULL,
        &config(&provider, r#"{"name": "half"}"#),
        &[],
    )
    .await;
    assert!(half.failed());
    assert_eq!(at(&half.value.state, &["id"]), Value::string("half"));

    let wanted = config(&provider, r#"{"name": "panic"}"#);
    let (planned, _) = plan(&provider, &Value::NULL, &wanted).await;
    let request = ApplyRequest {
        type_name: "test_thing".into(),
        prior: Value::NULL,
        planned,
        config: wanted,
        planned_private: Arc::default(),
        identity: None,
    };
    let error = provider.apply(request).await.unwrap_err();
    assert!(
        error.message.contains("as it was told"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn states_of_older_versions_are_upgraded_and_read() {
    let provider = provider();
    let stored = |schema_version, json: &str| ResourceState {
        type_name: "test_thing".into(),
        schema_version,
        json: json.as_bytes().into(),
    };
    let old = stored(
        0,
        r#"{"id": "x", "title": "old", "size": "4", "gone": true}"#,
    );
    let upgraded = provider.upgrade_state(old).await.unwrap();
    assert_eq!(upgraded.diagnostics, []);
    assert_eq!(at(&upgraded.value, &["name"]), Value::string("old"));
    assert_eq!(at(&upgraded.value, &["size"]), Value::int(4));
    let request = ReadRequest {
        type_name: "test_thing".into(),
        current: upgraded.value.clone(),
        private: Arc::default(),
        identity: None,
    };
    let read = provider.read(request).await.unwrap();
    assert_eq!(read.value.state, upgraded.value);
    let bad = provider.upgrade_state(stored(1, "[]")).await.unwrap();
    assert!(bad.failed());
    let error = provider.import("test_thing", "x").await.unwrap();
    assert_eq!(
        error.diagnostics[0].summary,
        "Resource Import Not Implemented"
    );
}

#[tokio::test]
async fn validators_name_what_they_are_about() {
    let provider = provider();
    let wanted = config(
        &provider,
        r#"{"name": "n", "secret": "s", "labels": {}, "rule": [{"port": 80}, {"port": 0}]}"#,
    );
    let reply = provider
        .validate_resource_config("test_thing", wanted)
        .await
        .unwrap();
    let told: Vec<(String, String)> = reply
        .diagnostics
        .into_iter()
        .map(|found| {
            (
                shown(found.attribute.as_ref().unwrap_or(&Path::root())),
                found.detail,
            )
        })
        .collect();
    let expected = [
        (
            "labels",
            "Attribute \"secret\" cannot be specified when \"labels\" is specified",
        ),
        (
            "name",
            "Attribute name string length must be between 2 and 8, got: 1",
        ),
        (
            "rule[1].port",
            "Attribute rule[1].port value must be between 1 and 65535, got: 0",
        ),
    ]
    .map(|(path, detail)| (path.to_owned(), detail.to_owned()));
    assert_eq!(told, expected);
}

#[test]
fn structs_are_objects() {
    let part = Part {
        name: "n".into(),
        identifier: Field::Unknown,
    };
    let value = part.clone().into_value();
    assert!(!value.get("uid").unwrap().is_known());
    assert_eq!(Part::from_value(&value), Ok(part));
    let wrong = Value::object([("name", Value::int(1)), ("uid", Value::NULL)]);
    assert_eq!(
        Part::from_value(&wrong).unwrap_err().to_string(),
        "name: a string is wanted, and it is number"
    );
}
