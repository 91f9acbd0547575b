//! What identifies objects: stored, carried through every call, brought to the present schema.

use terrace_port::Provider as _;
use terrace_provider_testkit::Operation;

use crate::world::{World, told};

const TEXT: &str = "resource \"test_object\" \"a\" {\n  string = \"a\"\n}\n";

fn stored(world: &World) -> (i64, String) {
    let state = world.state();
    let object = state.object(&"test_object.a".parse().unwrap()).unwrap();
    let identity = object.identity.as_ref().unwrap();
    let text = String::from_utf8(identity.attributes.to_vec()).unwrap();
    (identity.schema_version, text)
}

#[tokio::test(start_paused = true)]
async fn an_identity_is_stored_with_its_version() {
    let world = World::new();
    world.apply(TEXT).await;
    let expected = r#"{"id":"object-1","region":"here"}"#;
    assert_eq!(stored(&world), (1, expected.to_owned()));
    let text = world.state_text();
    assert!(text.contains("\"identity_schema_version\": 1,"), "{text}");
    // It stays through a change and a replacement by another object.
    world.apply(&TEXT.replace("\"a\"\n}", "\"b\"\n}")).await;
    assert_eq!(stored(&world), (1, expected.to_owned()));
    world
        .apply(&TEXT.replace("string = \"a\"", "immutable = \"b\""))
        .await;
    assert_eq!(
        stored(&world),
        (1, r#"{"id":"object-2","region":"here"}"#.to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn an_identity_of_an_older_schema_is_upgraded_once() {
    let world = World::new();
    world.apply(TEXT).await;
    let old = world
        .state_text()
        .replace(
            "\"identity_schema_version\": 1",
            "\"identity_schema_version\": 0",
        )
        .replace(
            "\"identity\": {\n            \"id\": ",
            "\"identity\": {\n            \"name\": ",
        );
    assert!(old.contains("\"name\": \"object-1\""), "{old}");
    *world.store.state.lock().unwrap() = Some(old.into_bytes().into());
    world.calm();
    world.apply(TEXT).await;
    assert_eq!(
        stored(&world),
        (1, r#"{"id":"object-1","region":"here"}"#.to_owned())
    );
    world.calm();
    world.planned(TEXT).await;
    assert_eq!(
        world.calls(&[Operation::UpgradeIdentity]),
        Vec::<String>::new()
    );
}

#[tokio::test(start_paused = true)]
async fn an_imported_object_has_its_identity() {
    let world = World::new();
    world.plant("mine", [("string", terrace_value::Value::string("a"))]);
    let import = "import {\n  to = test_object.a\n  id = \"mine\"\n}\n";
    world.apply(&format!("{TEXT}{import}")).await;
    assert_eq!(
        stored(&world),
        (1, r#"{"id":"mine","region":"here"}"#.to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn an_identity_of_a_newer_provider_is_refused() {
    let world = World::new();
    world.apply(TEXT).await;
    let newer = world.state_text().replace(
        "\"identity_schema_version\": 1",
        "\"identity_schema_version\": 9",
    );
    *world.store.state.lock().unwrap() = Some(newer.into_bytes().into());
    let planned = world.plan(TEXT).await;
    let errors = told(&planned.diagnostics);
    assert!(
        errors[0].starts_with("Resource instance managed by newer provider version"),
        "{errors:#?}"
    );
    assert!(world.provider().schema().await.is_ok());
}
