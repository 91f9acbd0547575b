//! The story of a change with the runs kept elsewhere than in the embedded store.

use terrace_test_services::{Moto, Postgres};
use terrace_test_support::available;

use crate::story::{World, emergency_and_review};

/// From dev to prd, an emergency with its review, and everything proven afterwards.
fn story(world: &World) {
    world.bring_to_prd();
    emergency_and_review(world);
    for environment in ["-env=dev", "-env=stg", "-env=prd"] {
        world
            .at("2026-12-01T09:00:00Z", &["audit", "verify", environment])
            .success()
            .says("The audit log is whole");
    }
    let runs = world
        .at(
            "2026-12-01T09:01:00Z",
            &["runs", "-env=prd", "-status=applied", "-json"],
        )
        .success()
        .json();
    for run in runs.as_array().unwrap() {
        world
            .at(
                "2026-12-01T09:02:00Z",
                &["runs", "verify", "-env=prd", run["id"].as_str().unwrap()],
            )
            .success();
    }
    assert_eq!(runs.as_array().unwrap().len(), 4);
    // The gate stands there too.
    world
        .at(
            "2026-12-01T09:03:00Z",
            &["state", "rm", "-env=prd", "terraform_data.shop"],
        )
        .fails(5);
}

#[test]
fn the_story_with_runs_in_postgres() {
    let Some(server) = available("the story in PostgreSQL", Postgres::start()) else {
        return;
    };
    let database = server.connection_string("tfstate");
    story(&World::in_backend(&format!(
        "  backend \"pg\" {{\n    conn_str    = {database:?}\n    schema_name = \"shop_${{environment}}\"\n  }}\n"
    )));
}

#[test]
fn the_story_with_runs_in_s3() {
    let Some(moto) = available("the story in S3", Moto::start()) else {
        return;
    };
    let endpoint = moto.endpoint();
    moto.create_bucket("states").unwrap();
    let block = format!(
        r#"  backend "s3" {{
    bucket                  = "states"
    key                     = "shop/${{environment}}.tfstate"
    region                  = "us-east-1"
    use_path_style          = true
    skip_metadata_api_check = true
    use_lockfile            = true
    access_key              = "test"
    secret_key              = "test"
    endpoints = {{
      s3       = {endpoint:?}
      dynamodb = {endpoint:?}
      sts      = {endpoint:?}
    }}
  }}
"#
    );
    story(&World::in_backend(&block));
}
