//! The schema against the well-known provider's, and what is read from configurations.

use std::io::Read as _;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use serde_json::{Map, Value as Json, json};
use terrace_provider_sdk::Type;

use super::*;

const SCHEMAS: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/conformance/schemas/aws-6.48.0-cut.json.gz"
));

fn expected() -> Json {
    let mut text = String::new();
    GzDecoder::new(SCHEMAS).read_to_string(&mut text).unwrap();
    let all: Json = serde_json::from_str(&text).unwrap();
    all["provider_schemas"]["registry.terraform.io/hashicorp/aws"]["provider"].clone()
}

/// Descriptions are there where theirs are, in words of our own: of either, only that they are there is compared.
fn hide_descriptions(json: &mut Json) {
    match json {
        Json::Object(facts) => {
            // An attribute of this name would be an object.
            if let Some(description @ Json::String(_)) = facts.get_mut("description") {
                *description = json!("...");
            }
            facts.values_mut().for_each(hide_descriptions);
        }
        Json::Array(items) => items.iter_mut().for_each(hide_descriptions),
        _ => {}
    }
}

fn described(facts: &mut Map<String, Json>, description: &str, kind: terrace_schema::StringKind) {
    let kind = match kind {
        terrace_schema::StringKind::Plain => "plain",
        terrace_schema::StringKind::Markdown => "markdown",
    };
    facts.insert("description_kind".into(), kind.into());
    if !description.is_empty() {
        facts.insert("description".into(), "...".into());
    }
}

fn attribute_json(attribute: &terrace_schema::Attribute) -> Json {
    let mut facts = Map::new();
    let ty = terrace_value::json::encode_type(&attribute.value_type());
    facts.insert("type".into(), serde_json::from_str(&ty).unwrap());
    described(
        &mut facts,
        &attribute.description,
        attribute.description_kind,
    );
    for (name, set) in [
        ("required", attribute.required),
        ("optional", attribute.optional),
        ("computed", attribute.computed),
        ("sensitive", attribute.sensitive),
        ("deprecated", attribute.deprecated),
        ("write_only", attribute.write_only),
    ] {
        if set {
            facts.insert(name.into(), true.into());
        }
    }
    Json::Object(facts)
}

fn block_json(block: &terrace_schema::Block) -> Json {
    let mut facts = Map::new();
    let attributes: Map<String, Json> = block
        .attributes
        .iter()
        .map(|(name, found)| (name.to_string(), attribute_json(found)))
        .collect();
    let blocks: Map<String, Json> = block
        .blocks
        .iter()
        .map(|(name, found)| {
            let mode = match found.nesting {
                terrace_schema::BlockNesting::List => "list",
                terrace_schema::BlockNesting::Set => "set",
                other => panic!("{other:?}"),
            };
            let mut facts = json!({"nesting_mode": mode, "block": block_json(&found.block)});
            for (name, count) in [
                ("min_items", found.min_items),
                ("max_items", found.max_items),
            ] {
                if count > 0 {
                    facts[name] = count.into();
                }
            }
            (name.to_string(), facts)
        })
        .collect();
    for (name, table) in [("attributes", attributes), ("block_types", blocks)] {
        if !table.is_empty() {
            facts.insert(name.into(), table.into());
        }
    }
    described(&mut facts, &block.description, block.description_kind);
    Json::Object(facts)
}

#[test]
fn the_schema_is_the_well_known_providers() {
    let schema = provider_schema().to_port();
    let ours = json!({"version": schema.version, "block": block_json(&schema.block)});
    let mut theirs = expected();
    hide_descriptions(&mut theirs);
    let (ours, theirs) = (&ours["block"], &theirs["block"]);
    for part in ["attributes", "block_types"] {
        let (ours, theirs) = (
            ours[part].as_object().unwrap(),
            theirs[part].as_object().unwrap(),
        );
        for (name, facts) in theirs {
            assert_eq!(ours.get(name), Some(facts), "{name}");
        }
        assert_eq!(ours.len(), theirs.len(), "{part}");
    }
    assert_eq!(ours, theirs);
}

fn texts(items: &[&str]) -> Value {
    Value::list(Type::String, items.iter().map(|item| Value::string(*item)))
}

fn object(attributes: &[(&str, Value)]) -> Value {
    Value::object(
        attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    )
}

fn config(attributes: &[(&str, Value)]) -> Object {
    Object::of(&object(attributes)).unwrap()
}

fn block(attributes: &[(&str, Value)]) -> Value {
    Value::tuple([object(attributes)])
}

fn read(attributes: &[(&str, Value)], environment: impl Into<Environment>) -> Configuration {
    let read = Configuration::read(&config(attributes), &environment.into());
    read.unwrap_or_else(|found| panic!("{found:?}"))
}

fn refused(attributes: &[(&str, Value)]) -> Vec<(String, String)> {
    let found = Configuration::read(&config(attributes), &Environment::default()).unwrap_err();
    found
        .into_iter()
        .filter(|found| found.error)
        .map(|found| (found.summary, found.detail))
        .collect()
}

#[test]
fn what_is_configured_counts_more_than_the_environment() {
    let environment = || {
        Environment::from([
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "a"),
            ("AWS_SECRET_ACCESS_KEY", "b"),
            ("AWS_PROFILE", "work"),
            ("AWS_ENDPOINT_URL_SQS", "http://env"),
            ("AWS_ENDPOINT_URL_S3", "http://env"),
            ("HTTPS_PROXY", "http://proxy"),
            ("HOME", "/home/somebody"),
        ])
    };
    let read_without = read(&[], environment());
    let access = &read_without.access;
    assert_eq!(access.region.as_deref(), Some("eu-west-1"));
    assert_eq!(access.identity.environment.as_ref().unwrap().access, "a");
    assert_eq!(access.identity.profile, None, "keys count more");
    assert_eq!(access.network.attempts, 25);
    assert_eq!(access.network.https_proxy.as_deref(), Some("http://proxy"));
    let configured = read(
        &[
            ("region", Value::string("eu-central-1")),
            ("profile", Value::string("mine")),
            ("max_retries", Value::number(3_i64.into())),
            ("https_proxy", Value::string("")),
            ("shared_config_files", texts(&["~/config"])),
            ("user_agent", texts(&["tool/1.2 (comment)"])),
            (
                "endpoints",
                block(&[("s3api", Value::string("http://here"))]),
            ),
        ],
        environment(),
    );
    let access = configured.access;
    assert_eq!(access.region.as_deref(), Some("eu-central-1"));
    assert_eq!(access.identity.profile.as_deref(), Some("mine"));
    assert_eq!(access.network.attempts, 3);
    assert_eq!(access.network.https_proxy, None);
    assert_eq!(
        access.identity.config_files,
        [PathBuf::from("/home/somebody/config")]
    );
    assert_eq!(access.products, ["tool/1.2"]);
    assert_eq!(access.endpoints["s3"], "http://here");
    assert_eq!(access.endpoints["sqs"], "http://env");
    assert_eq!(access.endpoints.len(), 2);
}

#[test]
fn endpoints_of_the_environment_can_be_ignored() {
    let ignoring = Environment::from([
        ("AWS_ENDPOINT_URL", "http://all"),
        ("AWS_ENDPOINT_URL_SQS", "http://env"),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
    ]);
    let access = read(&[], ignoring).access;
    assert_eq!(access.endpoint, None);
    assert!(access.endpoints.is_empty(), "{:?}", access.endpoints);
    let heeding = Environment::from([("AWS_ENDPOINT_URL", "http://all")]);
    let access = read(&[], heeding).access;
    assert_eq!(access.endpoint.as_deref(), Some("http://all"));
}

#[test]
fn roles_are_assumed_in_their_order() {
    let role = |arn: &str, more: &[(&str, Value)]| {
        let mut attributes = vec![("role_arn", Value::string(arn))];
        attributes.extend(more.iter().cloned());
        object(&attributes)
    };
    let first = role(
        "arn:aws:iam::123456789012:role/first",
        &[
            ("duration", Value::string("1h")),
            ("external_id", Value::string("them")),
            ("tags", object(&[("team", Value::string("states"))])),
            ("transitive_tag_keys", texts(&["team"])),
        ],
    );
    let second = role("arn:aws:iam::123456789012:role/second", &[]);
    let identity = read(
        &[("assume_role", Value::tuple([first, second]))],
        Environment::default(),
    )
    .access
    .identity;
    let arns: Vec<_> = identity.roles.iter().map(|role| &role.arn).collect();
    assert_eq!(
        arns,
        [
            "arn:aws:iam::123456789012:role/first",
            "arn:aws:iam::123456789012:role/second"
        ]
    );
    let first = &identity.roles[0];
    assert_eq!(first.duration.unwrap().as_secs(), 3600);
    assert_eq!(first.external_id.as_deref(), Some("them"));
    assert_eq!(first.tags["team"], "states");
    assert_eq!(first.transitive_tag_keys, ["team"]);
}

#[test]
fn web_identities_come_from_the_block_or_the_environment() {
    let environment = || {
        Environment::from([
            ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/ci"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "token"),
            ("AWS_ROLE_SESSION_NAME", "run"),
        ])
    };
    let (role, token) = read(&[], environment()).access.identity.web.unwrap();
    assert_eq!(role.arn, "arn:aws:iam::123456789012:role/ci");
    assert_eq!(role.session_name.as_deref(), Some("run"));
    assert!(matches!(token, WebToken::File(path) if path.as_os_str() == "token"));
    let keys = [
        ("access_key", Value::string("a")),
        ("secret_key", Value::string("b")),
    ];
    assert!(read(&keys, environment()).access.identity.web.is_none());
    let given = block(&[
        (
            "role_arn",
            Value::string("arn:aws:iam::123456789012:role/mine"),
        ),
        ("web_identity_token", Value::string("abcd")),
    ]);
    let read = read(&[("assume_role_with_web_identity", given)], environment());
    let (role, token) = read.access.identity.web.unwrap();
    assert_eq!(role.arn, "arn:aws:iam::123456789012:role/mine");
    assert!(matches!(token, WebToken::Text(text) if text == "abcd"));
    let without = block(&[(
        "role_arn",
        Value::string("arn:aws:iam::123456789012:role/mine"),
    )]);
    assert_eq!(
        refused(&[("assume_role_with_web_identity", without)]),
        [(
            "Invalid Attribute Combination".to_owned(),
            "Exactly one of web_identity_token or web_identity_token_file is required".to_owned()
        )]
    );
}

#[test]
fn tags_come_from_both() {
    let environment = Environment::from([
        ("TF_AWS_DEFAULT_TAGS_Team", "platform"),
        ("TF_AWS_DEFAULT_TAGS_Stage", "test"),
        ("TF_AWS_IGNORE_TAGS_KEYS", "a, b"),
        ("TF_AWS_IGNORE_TAGS_KEY_PREFIXES", "aws:"),
    ]);
    let configuration = read(
        &[
            (
                "default_tags",
                block(&[("tags", object(&[("Stage", Value::string("live"))]))]),
            ),
            ("ignore_tags", block(&[("keys", texts(&["c"]))])),
        ],
        environment,
    );
    assert_eq!(configuration.default_tags["Team"], "platform");
    assert_eq!(configuration.default_tags["Stage"], "live");
    let ignored = configuration.ignored_tags;
    assert!(ignored.holds("aws:cloudformation:stack-id") && !ignored.holds("Team"));
    assert_eq!(
        ignored.keys,
        BTreeSet::from(["a", "b", "c"].map(str::to_owned))
    );
    assert_eq!(ignored.prefixes, BTreeSet::from(["aws:".to_owned()]));
}

#[test]
fn what_is_wrong_is_told() {
    let regions = refused(&[("region", Value::string("mars-1"))]);
    assert_eq!(regions[0].0, "invalid AWS Region: mars-1");
    let anywhere = [
        ("region", Value::string("mars-1")),
        ("skip_region_validation", Value::bool(true)),
    ];
    read(&anywhere, Environment::default());
    for (name, value) in [
        ("retry_mode", Value::string("often")),
        ("ec2_metadata_service_endpoint_mode", Value::string("IPv5")),
        ("skip_metadata_api_check", Value::string("maybe")),
        ("tag_policy_compliance", Value::string("loud")),
        ("access_key", Value::string("a")),
        ("max_retries", Value::number((-1_i64).into())),
        ("endpoints", block(&[("s3", Value::string("nowhere"))])),
        ("assume_role", block(&[("role_arn", Value::string("arn"))])),
        (
            "assume_role",
            block(&[
                ("role_arn", Value::string("arn:aws:iam::1:role/r")),
                ("duration", Value::string("1m")),
            ]),
        ),
        ("assume_role", Value::tuple([object(&[]), object(&[])])),
        (
            "default_tags",
            Value::list(object(&[]).ty(), [object(&[]), object(&[])]),
        ),
    ] {
        let found = refused(&[(name, value)]);
        assert!(!found.is_empty(), "{name}");
    }
}

#[test]
fn accounts_that_nobody_can_tell_are_refused() {
    let accounts = |name| (name, texts(&["123456789012"]));
    let skip = |name| (name, Value::bool(true));
    let found = refused(&[
        accounts("allowed_account_ids"),
        skip("skip_credentials_validation"),
        skip("skip_requesting_account_id"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].1.contains("Nobody can tell"), "{found:?}");
    let both = [
        accounts("allowed_account_ids"),
        accounts("forbidden_account_ids"),
    ];
    assert_eq!(refused(&both).len(), 2);
    let checked = [
        accounts("allowed_account_ids"),
        skip("skip_requesting_account_id"),
    ];
    let account = read(&checked, Environment::default()).access.account;
    assert!(!account.skip_id, "it is told with the validation");
    assert!(account.admits("123456789012") && !account.admits("111122223333"));
}

#[test]
fn an_empty_role_is_taken_for_none_and_told() {
    let configuration = read(&[("assume_role", block(&[]))], Environment::default());
    assert!(configuration.access.identity.roles.is_empty());
    let empty = config(&[("assume_role", block(&[]))]);
    let told = Configuration::check(&empty, &Environment::default()).into_vec();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].summary, "Missing required argument");
    assert!(!told[0].error);
}

#[test]
fn what_is_going_away_or_not_done_is_told() {
    let given = [
        ("region", Value::string("us-east-1")),
        ("s3_us_east_1_regional_endpoint", Value::string("legacy")),
    ];
    let access = read(&given, Environment::default()).access;
    assert_eq!(access.endpoints["s3"], "https://s3.amazonaws.com");
    let summaries = |environment: Environment| -> Vec<String> {
        let told = Configuration::check(&config(&given), &environment);
        told.into_iter().map(|told| told.summary).collect()
    };
    assert_eq!(
        summaries(Environment::from([(
            "TF_AWS_TAG_POLICY_COMPLIANCE",
            "warning"
        )])),
        [
            "Global S3 Endpoint Support Deprecated",
            "Tag policies are not checked"
        ]
    );
}

#[test]
fn what_is_not_known_yet_is_left_out() {
    let configuration = read(
        &[
            ("region", Value::unknown(Type::String)),
            ("access_key", Value::string("a")),
            ("secret_key", Value::unknown(Type::String)),
            (
                "assume_role",
                block(&[("role_arn", Value::unknown(Type::String))]),
            ),
        ],
        Environment::default(),
    );
    assert_eq!(configuration.access.region, None);
    assert!(configuration.access.identity.given.is_none());
}
