//! Records of runs.

use terrace_gate::{
    Run, RunCounts, RunStatus, configuration_digest, find_run, last_applied, list_runs, load_run,
    load_run_plan, record_applied, save_run, save_run_plan,
};
use terrace_plan::write_plan_file;

use crate::support::{Memory, plan, wait};

fn run(configuration: &str, created: &str) -> Run {
    let plan = plan(Some("dev"), configuration);
    let digest = plan.digest();
    Run {
        id: digest.short(),
        plan: digest,
        configuration: configuration_digest(&plan.inputs.configuration),
        environment: Some("dev".into()),
        workspace: "default".into(),
        mode: "normal".into(),
        status: RunStatus::Planned,
        actor: "ann@desk".into(),
        commit: Some("0f1e2d".into()),
        version: "0.1.0".into(),
        created: created.into(),
        finished: None,
        counts: RunCounts {
            add: 1,
            change: 2,
            remove: 3,
            import: 4,
        },
        message: Some("why".into()),
        change: "standard".into(),
        reason: Some("as agreed".into()),
        statements: [("purpose".to_owned(), "to sell".to_owned())].into(),
    }
}

#[test]
fn a_run_survives_the_store() {
    let store = Memory::default();
    let statuses = [
        RunStatus::Planned,
        RunStatus::Applying,
        RunStatus::Applied,
        RunStatus::Failed,
    ];
    for status in statuses {
        let run = Run {
            status,
            ..run("", "2026-01-01T00:00:00Z")
        };
        wait(save_run(&store, &run)).unwrap();
        assert_eq!(wait(load_run(&store, &run.id)).unwrap(), Some(run));
    }
    assert_eq!(wait(load_run(&store, "nothing")).unwrap(), None);
}

#[test]
fn runs_are_listed_by_age_and_found_by_a_prefix() {
    let store = Memory::default();
    let (late, early) = (
        run("a", "2026-01-02T00:00:00Z"),
        run("b", "2026-01-01T00:00:00Z"),
    );
    for run in [&late, &early] {
        wait(save_run(&store, run)).unwrap();
    }
    assert_eq!(
        wait(list_runs(&store)).unwrap(),
        [early.clone(), late.clone()]
    );
    for prefix in [
        early.id[..6].to_owned(),
        early.id.clone(),
        early.plan.to_string(),
    ] {
        assert_eq!(
            wait(find_run(&store, &prefix)).unwrap().as_ref(),
            Ok(&early),
            "{prefix}"
        );
    }
    assert_eq!(
        wait(find_run(&store, "zz")).unwrap(),
        Err("There is no run \"zz\" here. `terrace runs` lists them.".to_owned())
    );
    let several = wait(find_run(&store, "")).unwrap().unwrap_err();
    assert!(
        several.contains(&early.id) && several.contains(&late.id),
        "{several}"
    );
}

#[test]
fn the_plan_of_a_run_comes_back_with_its_digest() {
    let store = Memory::default();
    let plan = plan(Some("dev"), "locals {}");
    let (bytes, digest) = write_plan_file(&plan);
    wait(save_run_plan(&store, "id", &bytes)).unwrap();
    let (stored, _, found) = wait(load_run_plan(&store, "id")).unwrap().unwrap();
    assert_eq!((&*stored, found), (&bytes[..], digest));
    wait(save_run_plan(&store, "id", &bytes[..bytes.len() / 2])).unwrap();
    let error = wait(load_run_plan(&store, "id")).unwrap_err();
    assert!(error.to_string().contains("the plan of run id"), "{error}");
}

#[test]
fn the_last_applied_run_is_remembered() {
    let store = Memory::default();
    assert_eq!(wait(last_applied(&store)).unwrap(), None);
    for configuration in ["a", "b"] {
        let run = run(configuration, "2026-01-01T00:00:00Z");
        wait(record_applied(&store, &run, None)).unwrap();
        assert_eq!(wait(last_applied(&store)).unwrap(), Some(run));
    }
}

#[test]
fn the_configurations_digest_sees_every_file_and_place() {
    let base = configuration_digest(&plan(None, "a").inputs.configuration);
    assert_eq!(
        base,
        configuration_digest(&plan(Some("x"), "a").inputs.configuration)
    );
    assert_ne!(
        base,
        configuration_digest(&plan(None, "b").inputs.configuration)
    );
    let mut moved = (*plan(None, "a").inputs.configuration).clone();
    moved.modules.insert("child".into(), "child".into());
    assert_ne!(base, configuration_digest(&moved));
}
