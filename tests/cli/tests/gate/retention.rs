//! Runs that are forgotten, and those that are needed.

use terrace_test_support::Said;

use crate::story::World;

/// The ids of an environment's runs, oldest first.
fn ids(world: &World, environment: &str) -> Vec<String> {
    let option = format!("-env={environment}");
    let runs = world
        .at("2028-06-01T00:00:00Z", &["runs", &option, "-json"])
        .success()
        .json();
    let runs = runs.as_array().unwrap().iter();
    runs.map(|run| run["id"].as_str().unwrap().to_owned())
        .collect()
}

const YEARS_LATER: &str = "2028-06-01T10:00:00Z";

fn prune(world: &World, options: &[&str]) -> Said {
    let arguments = [&["runs", "prune"], options].concat();
    world.at(YEARS_LATER, &arguments).success()
}

#[test]
fn what_evidence_in_force_needs_is_never_forgotten() {
    let world = World::new();
    world.bring_to_prd();
    // An emergency, of which a review is owed, and one that is only planned.
    let emergency = [
        "-purpose=x",
        "-var=greeting=sorry",
        "-change=emergency",
        "-reason=down",
    ];
    let (owed, _) = world.plan("2026-11-27T20:00:00Z", "prd", &emergency);
    world.approve("2026-11-27T20:05:00Z", "prd", "cem", &owed);
    world.apply("2026-11-27T20:06:00Z", "prd", &owed).success();
    let (idle, _) = world.plan(
        "2026-11-28T09:00:00Z",
        "prd",
        &["-purpose=x", "-var=greeting=y"],
    );
    let before = ids(&world, "prd");
    assert_eq!(before.len(), 3);
    let first = before[0].clone();

    let dry = prune(&world, &["-env=prd", "-older-than=400d", "-dry-run"]);
    dry.says("would be forgotten")
        .says("kept: it is what was applied last");
    assert_eq!(ids(&world, "prd"), before, "nothing was done");
    // All of them are among the newest three, or none is old enough.
    prune(&world, &["-env=prd", "-keep=3", "-older-than=400d"]).says("No run is old enough");
    prune(&world, &["-env=prd", "-older-than=4000d"]).says("No run is old enough");
    prune(&world, &["-env=prd", "-older-than=400d"]).says("forgotten");
    assert_eq!(ids(&world, "prd"), std::slice::from_ref(&owed));
    for gone in [&first, &idle] {
        world
            .at(YEARS_LATER, &["runs", "show", "-env=prd", gone])
            .fails(1);
    }
    // It is in the log, which is whole.
    world
        .at(YEARS_LATER, &["audit", "verify", "-env=prd"])
        .success();
    world
        .at(YEARS_LATER, &["audit", "list", "-env=prd"])
        .success()
        .says("prune")
        .says(&first);
    // The review is owed still, and what stg has applied is evidence still.
    world
        .at(YEARS_LATER, &["runs", "-env=prd"])
        .success()
        .says("Review owed");
    prune(&world, &["-env=stg", "-keep=1", "-older-than=1h"]);
    world
        .at("2028-06-01T10:05:00Z", &["drift", "-env=stg"])
        .success();
    world
        .by(
            "2028-06-01T10:10:00Z",
            "ann",
            &["promote", "-purpose=x", "stg", "prd"],
        )
        .success();
}

#[test]
fn an_approved_run_is_kept_as_long_as_its_approval_holds() {
    let world = World::new();
    world.bring_to_stg();
    let (run, _) = world.plan(
        "2026-11-24T09:00:00Z",
        "stg",
        &["-purpose=x", "-var=greeting=x"],
    );
    world
        .by(
            "2026-11-24T09:01:00Z",
            "ben",
            &["approve", "-env=stg", "-expires=48h", &run],
        )
        .success();
    let pruned = |time: &str| {
        world
            .at(
                time,
                &["runs", "prune", "-env=stg", "-older-than=1h", "-json"],
            )
            .success()
            .json()[0]
            .clone()
    };
    let early = pruned("2026-11-25T09:00:00Z");
    assert_eq!(early["forgotten"], serde_json::json!([]));
    assert_eq!(early["kept"].as_array().unwrap().len(), 2, "{early}");
    let late = pruned("2026-11-27T09:00:00Z");
    assert_eq!(late["forgotten"], serde_json::json!([run]));
}

#[test]
fn the_project_file_says_how_long() {
    let world = World::new();
    world.bring_to_stg();
    world
        .at(YEARS_LATER, &["runs", "prune", "-env=stg"])
        .fails(1)
        .says("Nothing says how long runs are kept");
    let (idle, _) = world.plan(
        "2026-11-24T09:00:00Z",
        "stg",
        &["-purpose=x", "-var=greeting=x"],
    );
    let rules = world.project.read("terrace.hcl");
    let with = |block: &str| {
        world
            .project
            .write("terrace.hcl", format!("{rules}\n{block}\n"));
    };
    with("retention {\n  runs = 0\n}");
    world
        .at(YEARS_LATER, &["runs", "prune", "-env=stg"])
        .fails(1)
        .says("is a whole number, more than 0");
    with("retention {\n  days = 400\n}");
    prune(&world, &["-env=stg", "-dry-run"]).says(&idle);
    prune(&world, &[]).says(&idle);
    assert_eq!(ids(&world, "stg").len(), 1);
}
