//! Tags that the provider's configuration gives everything.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_may_have_none_of_the_tags_that_the_provider_gives() {
    let world =
        World::start_with(json!({"default_tags": {"tags": {"team": "web", "cost": "1"}}})).await;
    let names = BTreeMap::from([("name".to_owned(), json!("tagged"))]);
    let bucket = json!({"bucket": "tagged", "force_destroy": true});
    let bucket = world.given("aws_s3_bucket", &bucket, &names).await;
    assert_eq!(tags(&bucket), json!({"team": "web", "cost": "1"}));
    let object = |key: &str| json!({"bucket": "tagged", "key": key, "content": "a", "tags": {"use": "test"}});
    let plain = world.given("aws_s3_object", &object("a"), &names).await;
    assert_eq!(
        tags(&plain),
        json!({"team": "web", "cost": "1", "use": "test"})
    );
    let mut other = object("b");
    other["override_provider"] = json!({"default_tags": {"tags": {}}});
    let other = world.given("aws_s3_object", &other, &names).await;
    assert_eq!(tags(&other), json!({"use": "test"}));
    let told = world.present("aws_s3_object", &other).await;
    assert_eq!(tags(&told), json!({"use": "test"}));
    world.end("aws_s3_bucket", &bucket).await;
}

fn tags(object: &terrace_value::Value) -> Json {
    crate::world::as_json(object)["tags_all"].clone()
}
