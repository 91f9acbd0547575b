//! What is gone under what needs it.

use std::collections::BTreeMap;

use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_bucket_had_goes_with_it_and_is_not_made_without_it() {
    let world = World::start().await;
    let names = BTreeMap::from([("name".to_owned(), json!("vanished"))]);
    let bucket = json!({"bucket": "vanished"});
    let made = world.given("aws_s3_bucket", &bucket, &names).await;
    let settings = [
        (
            "aws_s3_bucket_versioning",
            json!({"versioning_configuration": {"status": "Suspended"}}),
        ),
        (
            "aws_s3_bucket_public_access_block",
            json!({"block_public_acls": true}),
        ),
        (
            "aws_s3_bucket_ownership_controls",
            json!({"rule": {"object_ownership": "ObjectWriter"}}),
        ),
        ("aws_s3_bucket_acl", json!({"acl": "private"})),
        ("aws_s3_bucket_notification", json!({"eventbridge": true})),
        (
            "aws_s3_bucket_lifecycle_configuration",
            json!({"rule": [{"id": "a", "status": "Enabled", "filter": {}, "expiration": {"days": 1}}]}),
        ),
        (
            "aws_s3_bucket_server_side_encryption_configuration",
            json!({"rule": [{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}]}),
        ),
    ];
    let mut states = Vec::new();
    for (type_name, mut config) in settings {
        config["bucket"] = json!("vanished");
        states.push((type_name, world.given(type_name, &config, &names).await));
    }
    world.end("aws_s3_bucket", &made).await;
    assert!(world.present("aws_s3_bucket", &made).await.is_null());
    for (type_name, state) in states {
        let now = world.present(type_name, &state).await;
        assert!(now.is_null(), "{type_name} is left: {now:?}");
        world.end(type_name, &state).await;
    }
    let config = json!({"bucket": "vanished", "block_public_acls": true});
    let said = world
        .refused("aws_s3_bucket_public_access_block", &config)
        .await;
    assert!(
        said.starts_with("S3 bucket does not exist: There is no bucket \"vanished\" in us-east-1"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cloud_control_refuses_is_told_with_its_reason() {
    let world = World::start().await;
    let state = json!({"Name": "refused", "Fail": "the name is too plain"}).to_string();
    let config = json!({"type_name": "AWS::Test::Thing", "desired_state": state});
    let said = world.refused("aws_cloudcontrolapi_resource", &config).await;
    assert!(
        said.starts_with("Cloud Control failed while creating a resource"),
        "{said}"
    );
    assert!(
        said.contains("FAILED InvalidRequest: the name is too plain"),
        "{said}"
    );
    assert!(said.contains("Look at desired_state"), "{said}");
}
