//! The whole way through real providers that nobody here wrote.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::path::PathBuf;
use std::sync::Arc;

use terrace_port::{ApplyRequest, PlanRequest, PlanResponse, Provider, ReadRequest, ResourceState};
use terrace_provider_client::{Launch, PluginProvider};
use terrace_schema::{Block, ProviderSchema};
use terrace_test_services::{aws_provider_zip, null_provider, time_provider};
use terrace_value::{Path, Type, Value};

async fn start(name: &str, program: PathBuf) -> PluginProvider {
    PluginProvider::start(&Launch::new(name, program))
        .await
        .unwrap()
}

/// An object of a block's type with these attributes, all others null.
fn object(block: &Block, attributes: &[(&str, Value)]) -> Value {
    let empty = block
        .attributes
        .iter()
        .map(|(name, attribute)| (name.clone(), Value::null(attribute.value_type())));
    let blocks = block.blocks.iter().map(|(name, nested)| {
        let ty = nested.value_type();
        let value = match &ty {
            Type::List(element) => Value::list((**element).clone(), []),
            Type::Set(element) => Value::set((**element).clone(), []),
            _ => Value::null(ty),
        };
        (name.clone(), value)
    });
    let set = attributes
        .iter()
        .map(|(name, value)| ((*name).into(), value.clone()));
    Value::object(empty.chain(blocks).chain(set))
}

async fn configured(provider: &PluginProvider) -> Arc<ProviderSchema> {
    let schema = provider.schema().await.unwrap();
    let config = object(&schema.provider.block, &[]);
    let prepared = provider.validate_provider_config(config).await.unwrap();
    assert!(!prepared.failed(), "{:?}", prepared.diagnostics);
    let reply = provider.configure(prepared.value).await.unwrap();
    assert!(!reply.failed(), "{:?}", reply.diagnostics);
    schema
}

async fn plan(
    provider: &PluginProvider,
    name: &str,
    prior: &Value,
    proposed: &Value,
    config: &Value,
) -> PlanResponse {
    let request = PlanRequest {
        type_name: name.into(),
        prior: prior.clone(),
        proposed: proposed.clone(),
        config: config.clone(),
        prior_private: [].into(),
        identity: None,
    };
    let reply = provider.plan(request).await.unwrap();
    assert!(!reply.failed(), "{:?}", reply.diagnostics);
    reply.value
}

/// Applies a plan and gives the new state with its private bytes.
async fn apply(
    provider: &PluginProvider,
    name: &str,
    prior: &Value,
    plan: PlanResponse,
    config: &Value,
) -> (Value, Arc<[u8]>) {
    let request = ApplyRequest {
        type_name: name.into(),
        prior: prior.clone(),
        planned: plan.planned,
        config: config.clone(),
        planned_private: plan.private,
        identity: None,
    };
    let reply = provider.apply(request).await.unwrap();
    assert!(!reply.failed(), "{:?}", reply.diagnostics);
    (reply.value.state, reply.value.private)
}

#[tokio::test]
async fn null_lives_through_protocol_5_without_tls() {
    let provider = start("hashicorp/null", null_provider().unwrap()).await;
    assert_eq!(provider.protocol_version(), Some(5));
    let schema = configured(&provider).await;
    let block = &schema.resources["null_resource"].block;
    assert_eq!(
        block.attributes["triggers"].value_type(),
        Type::map(Type::String)
    );
    assert!(block.attributes["id"].computed);

    let nothing = Value::null(block.implied_type());
    let triggers = |text: &str| Value::map(Type::String, [("a", text.into())]);
    let config = object(block, &[("triggers", triggers("1"))]);
    assert!(
        !provider
            .validate_resource_config("null_resource", config.clone())
            .await
            .unwrap()
            .failed()
    );
    let proposed = object(
        block,
        &[
            ("triggers", triggers("1")),
            ("id", Value::unknown(Type::String)),
        ],
    );
    let planned = plan(&provider, "null_resource", &nothing, &proposed, &config).await;
    assert!(!planned.planned.get("id").unwrap().is_known());
    assert!(planned.legacy_type_system);
    let (state, private) = apply(&provider, "null_resource", &nothing, planned, &config).await;
    let id = state.get("id").unwrap().as_str().unwrap().to_owned();
    assert!(!id.is_empty());

    let read = ReadRequest {
        type_name: "null_resource".into(),
        current: state.clone(),
        private,
        identity: None,
    };
    assert_eq!(provider.read(read).await.unwrap().value.state, state);

    let json = format!(r#"{{"id":"{id}","triggers":{{"a":"1"}}}}"#);
    let stored = ResourceState {
        type_name: "null_resource".into(),
        schema_version: 0,
        json: json.as_bytes().into(),
    };
    assert_eq!(provider.upgrade_state(stored).await.unwrap().value, state);

    let config = object(block, &[("triggers", triggers("2"))]);
    let proposed = object(block, &[("triggers", triggers("2")), ("id", id.into())]);
    let planned = plan(&provider, "null_resource", &state, &proposed, &config).await;
    let replaced: Vec<&Path> = planned
        .requires_replace
        .iter()
        .filter(|path| path.to_string() == ".triggers")
        .collect();
    assert_eq!(replaced.len(), 1, "{:?}", planned.requires_replace);

    let planned = plan(&provider, "null_resource", &state, &nothing, &nothing).await;
    let (state, _) = apply(&provider, "null_resource", &state, planned, &nothing).await;
    assert!(state.is_null());

    let block = &schema.data_sources["null_data_source"].block;
    let config = object(block, &[("inputs", triggers("x"))]);
    assert!(
        !provider
            .validate_data_config("null_data_source", config.clone())
            .await
            .unwrap()
            .failed()
    );
    let data = provider
        .read_data("null_data_source", config)
        .await
        .unwrap();
    assert_eq!(data.value.get("outputs"), Some(&triggers("x")));
    provider.stop().await.unwrap();
    provider.close().await;
}

#[tokio::test]
async fn time_lives_through_mutual_tls() {
    let provider = start("hashicorp/time", time_provider().unwrap()).await;
    let schema = configured(&provider).await;
    let block = &schema.resources["time_static"].block;
    let nothing = Value::null(block.implied_type());
    let stamp = Value::string("2026-01-02T03:04:05Z");
    let config = object(block, &[("rfc3339", stamp.clone())]);
    assert!(
        !provider
            .validate_resource_config("time_static", config.clone())
            .await
            .unwrap()
            .failed()
    );
    let computed = |name: &str, ty: Type| (name.to_owned(), Value::unknown(ty));
    let mut proposed = config.as_entries().unwrap().clone();
    for (name, value) in [
        computed("id", Type::String),
        computed("year", Type::Number),
        computed("unix", Type::Number),
    ] {
        proposed.insert(name.into(), value);
    }
    let planned = plan(
        &provider,
        "time_static",
        &nothing,
        &Value::object(proposed),
        &config,
    )
    .await;
    assert!(!planned.legacy_type_system);
    let (state, private) = apply(&provider, "time_static", &nothing, planned, &config).await;
    assert_eq!(state.get("year"), Some(&Value::int(2026)));
    assert_eq!(state.get("unix"), Some(&Value::int(1_767_323_045)));
    let read = ReadRequest {
        type_name: "time_static".into(),
        current: state.clone(),
        private,
        identity: None,
    };
    assert_eq!(provider.read(read).await.unwrap().value.state, state);
    let planned = plan(&provider, "time_static", &state, &state, &config).await;
    assert_eq!(planned.planned, state, "nothing is left to change");

    let bad = object(block, &[("rfc3339", "yesterday".into())]);
    let reply = provider
        .validate_resource_config("time_static", bad)
        .await
        .unwrap();
    assert!(reply.failed());
    assert_eq!(
        reply.diagnostics[0].attribute,
        Some(Path::root().attribute("rfc3339"))
    );

    let imported = provider
        .import("time_static", "2026-01-02T03:04:05Z")
        .await
        .unwrap();
    assert!(!imported.failed(), "{:?}", imported.diagnostics);
    assert_eq!(imported.value[0].state.get("id"), Some(&stamp));
    let nowhere = provider.import("time_static", "never").await.unwrap();
    assert!(nowhere.failed());

    let function = schema
        .functions
        .get("rfc3339_parse")
        .expect("time has functions");
    assert_eq!(function.parameters.len(), 1);
    let parsed = provider
        .call_function("rfc3339_parse", vec![stamp])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(parsed.get("month"), Some(&Value::int(1)));
    let (argument, text) = provider
        .call_function("rfc3339_parse", vec!["x".into()])
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(argument, Some(0));
    assert!(!text.is_empty());

    let process = provider.process_id().unwrap();
    provider.close().await;
    assert!(
        !std::path::Path::new(&format!("/proc/{process}")).exists(),
        "the process has ended"
    );
}

#[tokio::test]
async fn a_dropped_provider_ends() {
    let provider = start("hashicorp/time", time_provider().unwrap()).await;
    let process = PathBuf::from(format!("/proc/{}", provider.process_id().unwrap()));
    assert!(process.exists());
    drop(provider);
    for _ in 0..6000 {
        // A killed process may still wait to be taken leave of.
        let gone =
            std::fs::read_to_string(process.join("stat")).is_ok_and(|stat| stat.contains(") Z "));
        if gone || !process.exists() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the process is still there");
}

#[tokio::test]
async fn aws_tells_its_whole_schema() {
    let directory = tempfile::tempdir().unwrap();
    let zip = std::fs::File::open(aws_provider_zip().unwrap()).unwrap();
    zip::ZipArchive::new(zip)
        .unwrap()
        .extract(directory.path())
        .unwrap();
    let provider = start(
        "hashicorp/aws",
        directory.path().join("terraform-provider-aws_v3.39.0_x5"),
    )
    .await;
    let schema = provider.schema().await.unwrap();
    assert_eq!(
        (schema.resources.len(), schema.data_sources.len()),
        (711, 246)
    );
    let bucket = &schema.resources["aws_s3_bucket"].block;
    assert!(bucket.blocks.contains_key("versioning"));
    assert!(schema.provider.block.attributes["secret_key"].optional);
    provider.close().await;
}
