//! The fake provider as a process, through the real client, in both protocol versions.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use terrace_port::{
    ApplyRequest, ApplyResponse, Attempt, MoveRequest, PlanRequest, PlanResponse, Provider,
    ReadRequest, Reply, ResourceState,
};
use terrace_provider_client::{Launch, PluginProvider, SchemaCache};
use terrace_provider_testkit::{DirectoryWorld, StrictProvider, World, WorldEvent};
use terrace_value::{Type, Value};

/// A world and the way to start providers in it.
struct Lab {
    directory: tempfile::TempDir,
    protocol: &'static str,
}

impl Lab {
    fn new(protocol: &'static str) -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            protocol,
        }
    }

    fn launch(&self, script: &str) -> Launch {
        let mut launch = Launch::new("acme/fake", env!("CARGO_BIN_EXE_fake-provider"));
        launch.environment = [
            ("FAKE_PROVIDER_WORLD", self.directory.path().as_os_str()),
            ("FAKE_PROVIDER_PROTOCOL", self.protocol.as_ref()),
            ("FAKE_PROVIDER_SCRIPT", script.as_ref()),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
        launch
    }

    async fn start(&self, script: &str) -> PluginProvider {
        let provider = PluginProvider::start(&self.launch(script)).await.unwrap();
        assert_eq!(
            provider
                .protocol_version()
                .map(|version| version.to_string()),
            Some(self.protocol.to_owned())
        );
        let config = Value::null(
            provider
                .schema()
                .await
                .unwrap()
                .provider
                .block
                .implied_type(),
        );
        let reply = provider.configure(config).await.unwrap();
        assert!(!reply.failed(), "{:?}", reply.diagnostics);
        provider
    }

    /// The same schema without a process.
    fn twin(&self) -> StrictProvider {
        if self.protocol == "5" {
            StrictProvider::new().without_nested_attributes()
        } else {
            StrictProvider::new()
        }
    }

    fn world(&self) -> DirectoryWorld {
        DirectoryWorld::open(self.directory.path(), self.twin().provider_schema()).unwrap()
    }

    fn events(&self) -> Vec<WorldEvent> {
        self.world().events().unwrap()
    }

    async fn plan(&self, provider: &dyn Provider, name: &str) -> Attempt<PlanResponse> {
        let config = self.twin().object([("string", name.into())]);
        let request = PlanRequest {
            type_name: "test_object".into(),
            prior: Value::null(config.ty()),
            proposed: config.clone(),
            config,
            prior_private: [].into(),
            identity: None,
        };
        provider.plan(request).await
    }

    async fn create(&self, provider: &dyn Provider, name: &str) -> Attempt<ApplyResponse> {
        let planned = self.plan(provider, name).await.unwrap();
        assert!(!planned.failed(), "{:?}", planned.diagnostics);
        let config = self.twin().object([("string", name.into())]);
        let request = ApplyRequest {
            type_name: "test_object".into(),
            prior: Value::null(config.ty()),
            planned: planned.value.planned,
            config,
            planned_private: planned.value.private,
            identity: None,
        };
        provider.apply(request).await
    }
}

fn good<T>(attempt: Attempt<T>) -> T {
    let Reply {
        value, diagnostics, ..
    } = attempt.unwrap();
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    value
}

async fn both(test: impl AsyncFn(Lab)) {
    test(Lab::new("5")).await;
    test(Lab::new("6")).await;
}

#[tokio::test]
async fn schemas_come_through_unchanged() {
    both(async |lab| {
        let provider = lab.start("").await;
        let expected = lab.twin().provider_schema().clone();
        assert_eq!(*provider.schema().await.unwrap(), *expected);
        assert_eq!(provider.functions().await.unwrap(), expected.functions);
        let [resources, data_sources, ephemeral_resources, functions] =
            provider.names().await.unwrap();
        assert!(
            resources
                .iter()
                .eq(expected.resources.keys().map(|name| &**name))
        );
        assert!(
            data_sources
                .iter()
                .eq(expected.data_sources.keys().map(|name| &**name))
        );
        assert!(!ephemeral_resources.is_empty());
        assert!(
            functions
                .iter()
                .eq(expected.functions.keys().map(|name| &**name))
        );
        provider.close().await;
    })
    .await;
}

#[tokio::test]
async fn objects_outlive_their_provider() {
    both(async |lab| {
        let provider = lab.start("").await;
        let made = good(lab.create(&provider, "a").await);
        drop(provider);
        let provider = lab.start("").await;
        let read = ReadRequest {
            type_name: "test_object".into(),
            current: made.state.clone(),
            private: made.private,
            identity: None,
        };
        assert_eq!(good(provider.read(read).await).state, made.state);
        let imported = good(provider.import("test_object", "object-1").await).remove(0);
        assert_eq!(imported.state.get("id"), Some(&"object-1".into()));
        let config = Value::object([
            ("id", Value::null(Type::String)),
            ("input", Value::null(Type::String)),
            ("output", Value::null(Type::String)),
            ("object_id", "object-1".into()),
        ]);
        assert_eq!(
            good(provider.read_data("test_data", config).await).get("output"),
            Some(&"a".into())
        );
        assert_eq!(
            provider
                .call_function("shout", vec!["a".into()])
                .await
                .unwrap(),
            Ok("A".into())
        );
        let refused = provider
            .call_function("reject", vec!["a".into()])
            .await
            .unwrap();
        assert_eq!(
            refused,
            Err((Some(0), "this argument is never right".into()))
        );
        provider.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_crash_is_told_with_its_last_words() {
    both(async |lab| {
        let provider = lab.start("create:2=crash; create:3=crash-after").await;
        good(lab.create(&provider, "a").await);
        let error = lab.create(&provider, "b").await.unwrap_err().message;
        assert!(
            error.contains(
                "acme/fake ended (exit status: 101) before it answered to ApplyResourceChange"
            ),
            "{error}"
        );
        assert!(error.contains("panic: fake-provider crashed"), "{error}");
        assert_eq!(
            lab.world().objects().unwrap().len(),
            1,
            "the crash came before the effect"
        );
        let again = lab.plan(&provider, "c").await.unwrap_err().message;
        assert!(again.contains("acme/fake ended"), "{again}");

        let provider = lab.start("create:1=crash-after").await;
        lab.create(&provider, "b").await.unwrap_err();
        assert_eq!(
            lab.world().objects().unwrap().len(),
            2,
            "the crash came after the effect"
        );
        let creations: Vec<String> = lab.events().into_iter().map(|event| event.key).collect();
        assert_eq!(creations, ["a", "b"]);
    })
    .await;
}

#[tokio::test]
async fn errors_and_nonsense_are_told_apart() {
    both(async |lab| {
        let provider = lab
            .start("create:1=fail; create:2=fail-after; plan:odd=nonsense")
            .await;
        let refused = lab.create(&provider, "a").await.unwrap();
        assert!(refused.value.state.is_null());
        assert_eq!(refused.diagnostics[0].summary, "Failed as told");
        let half = lab.create(&provider, "b").await.unwrap();
        assert!(half.failed());
        assert_eq!(half.value.state.get("id"), Some(&"object-1".into()));
        let error = lab.plan(&provider, "odd").await.unwrap_err().message;
        assert!(
            error.contains("gave an answer to PlanResourceChange that makes no sense"),
            "{error}"
        );
        good(lab.create(&provider, "c").await);
        provider.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_call_that_hangs_ends_when_asked_to() {
    let lab = Lab::new("6");
    let provider = Arc::new(lab.start("create=hang").await);
    let stopper = Arc::clone(&provider);
    let stop = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        stopper.stop().await
    });
    let reply = lab.create(&*provider, "a").await.unwrap();
    assert_eq!(reply.diagnostics[0].summary, "Interrupted");
    stop.await.unwrap().unwrap();
    assert!(lab.events().is_empty());
    provider.close().await;
}

#[tokio::test]
async fn a_call_that_is_stuck_does_not_keep_the_process() {
    let lab = Lab::new("5");
    let provider = lab.start("create=stuck").await;
    let patience =
        tokio::time::timeout(Duration::from_millis(200), lab.create(&provider, "a")).await;
    assert!(patience.is_err());
    let process = format!("/proc/{}", provider.process_id().unwrap());
    let start = Instant::now();
    provider.close().await;
    assert!(start.elapsed() < Duration::from_mins(1));
    assert!(!Path::new(&process).exists());
}

#[tokio::test]
async fn a_start_that_goes_wrong_is_told() {
    let lab = Lab::new("6");
    let mut launch = lab.launch("start=nonsense");
    let refusal = async |launch: &Launch| match PluginProvider::start(launch).await {
        Ok(_) => panic!("it started"),
        Err(error) => error.message,
    };
    let message = refusal(&launch).await;
    assert!(message.contains("I am not a plugin at all"), "{message}");
    launch = lab.launch("start=crash");
    let message = refusal(&launch).await;
    assert!(
        message.contains("exit status: 101") && message.contains("at the start"),
        "{message}"
    );
    launch = lab.launch("start=hang");
    launch.start_timeout = Duration::from_millis(300);
    assert!(refusal(&launch).await.contains("it said nothing"));
}

#[tokio::test]
async fn a_schema_that_is_known_is_not_asked_for() {
    let lab = Lab::new("6");
    let cache = SchemaCache::new(lab.directory.path().join("schemas"));
    assert!(cache.get("key").is_none());
    let mut launch = lab.launch("");
    launch.schema_cache = Some((cache.clone(), "key".into()));
    let provider = PluginProvider::start(&launch).await.unwrap();
    let schema = provider.schema().await.unwrap();
    provider.close().await;
    let known = cache.get("key").unwrap();
    assert!(known.resources.keys().eq(schema.resources.keys()));
    assert_eq!(known.identities.len(), schema.identities.len());

    let mut launch = lab.launch("schema:1=crash");
    launch.schema_cache = Some((cache, "key".into()));
    let provider = PluginProvider::start(&launch).await.unwrap();
    assert_eq!(
        provider.schema().await.unwrap(),
        known,
        "the provider, which would have crashed, was not asked"
    );
    assert!(provider.described_schema().await.is_err(), "now it was");
    provider.close().await;
}

#[tokio::test]
async fn a_provider_starts_when_something_is_asked_of_it() {
    let lab = Lab::new("5");
    let provider = PluginProvider::prepare(lab.launch(""));
    assert_eq!(provider.process_id(), None);
    let [resources, ..] = provider.names().await.unwrap();
    assert!(resources.contains(&"test_object".to_owned()));
    let process = format!("/proc/{}", provider.process_id().unwrap());
    assert!(Path::new(&process).exists());
    provider.close().await;
    assert!(!Path::new(&process).exists());

    let provider = PluginProvider::prepare(lab.launch("start=crash"));
    provider.close().await;
    assert!(
        provider.schema().await.is_err(),
        "what is closed does not start"
    );
}

#[tokio::test]
async fn ephemeral_resources_come_through() {
    both(async |lab| {
        let provider = lab.start("").await;
        let schema = provider.schema().await.unwrap();
        let ty = schema.ephemeral_resources["test_ephemeral"]
            .block
            .implied_type();
        let config = |input: &str| {
            let Type::Object(object) = &ty else {
                panic!("no object")
            };
            let attributes = object.attributes.iter().map(|(name, ty)| {
                let value = match &**name {
                    "input" => input.into(),
                    "renew_after" => Value::int(60),
                    _ => Value::null(ty.clone()),
                };
                (name.clone(), value)
            });
            Value::object(attributes.collect::<Vec<_>>())
        };
        good(
            provider
                .validate_ephemeral_config("test_ephemeral", config("a"))
                .await,
        );
        let opened = good(provider.open_ephemeral("test_ephemeral", config("a")).await);
        assert_eq!(opened.value.get("value"), Some(&"ephemeral-a".into()));
        assert!(opened.renew_at.is_some());
        let renewed = good(
            provider
                .renew_ephemeral("test_ephemeral", opened.private)
                .await,
        );
        assert!(renewed.renew_at >= opened.renew_at);
        good(
            provider
                .close_ephemeral("test_ephemeral", renewed.private.clone())
                .await,
        );
        let again = provider
            .close_ephemeral("test_ephemeral", renewed.private)
            .await
            .unwrap();
        assert!(again.failed(), "it is closed");
        provider.close().await;
    })
    .await;
}

#[tokio::test]
async fn identities_and_moves_come_through() {
    both(async |lab| {
        let provider = lab.start("").await;
        good(lab.create(&provider, "a").await);
        let schema = provider.schema().await.unwrap();
        let Type::Object(object) = schema.identities["test_object"].implied_type() else {
            panic!("no object")
        };
        let identity = object.attributes.iter().map(|(name, ty)| {
            let value = match &**name {
                "id" => "object-1".into(),
                _ => Value::null(ty.clone()),
            };
            (name.clone(), value)
        });
        let identity = Value::object(identity.collect::<Vec<_>>());
        let found = good(provider.import_identity("test_object", identity).await).remove(0);
        assert_eq!(found.state.get("id"), Some(&"object-1".into()));

        let old = ResourceState {
            type_name: "test_object".into(),
            schema_version: 0,
            json: br#"{"name":"object-1"}"#.as_slice().into(),
        };
        let upgraded = good(provider.upgrade_identity(old).await);
        assert_eq!(upgraded.get("id"), Some(&"object-1".into()));

        let request = MoveRequest {
            source_provider: "registry.terraform.io/acme/other".into(),
            source: ResourceState {
                type_name: "other_thing".into(),
                schema_version: 3,
                json: b"{}".as_slice().into(),
            },
            source_private: [].into(),
            target_type_name: "test_object".into(),
            source_identity: None,
        };
        let refused = provider.move_state(request).await.unwrap();
        assert_eq!(refused.diagnostics[0].summary, "Unsupported move");
        provider.close().await;
    })
    .await;
}
