//! Where a plan differs from the one that people have seen.

use terrace_plan::{Action, Differences, PlanMode, differences};
use terrace_value::Value;

use crate::sample::{change, plan};

#[test]
fn the_same_plan_of_another_time_and_commit_does_the_same() {
    let reviewed = plan();
    let mut now = plan();
    now.inputs.timestamp = "2031-01-01T00:00:00Z".to_owned();
    now.inputs.request.commit = Some("another".to_owned());
    assert_eq!(differences(Some(&reviewed), &now), Differences::default());
}

#[test]
fn what_comes_goes_and_changes_otherwise_is_named() {
    let object = |size: i64, name: &str| {
        Value::object([("size", Value::int(size)), ("name", Value::string(name))])
    };
    let null = || change("x_y.gone", Action::NoOp, object(1, "a"), object(1, "a")).before;
    let mut reviewed = plan();
    let mut now = plan();
    let update = |size: i64| {
        change(
            "x_y.same",
            Action::Update,
            object(1, "secret"),
            object(size, "secret"),
        )
    };
    reviewed.changes.push(update(2));
    now.changes.push(update(3));
    reviewed
        .changes
        .push(change("x_y.gone", Action::Create, null(), object(1, "a")));
    now.changes
        .push(change("x_y.new", Action::Create, null(), object(1, "a")));
    reviewed.changes.push(change(
        "x_y.other",
        Action::Update,
        object(1, "a"),
        object(2, "a"),
    ));
    now.changes.push(change(
        "x_y.other",
        Action::DeleteThenCreate,
        object(1, "a"),
        object(2, "a"),
    ));
    let told = differences(Some(&reviewed), &now);
    assert_eq!(
        told.less,
        ["x_y.gone will be created, and now nothing happens to it"]
    );
    assert_eq!(
        told.other,
        [
            "x_y.new will be created, which the reviewed plan does not hold",
            "x_y.other must be replaced; reviewed was: x_y.other will be updated in-place",
            "x_y.same will be updated in-place, with other values of size",
        ]
    );
    assert!(!told.lines().concat().contains("secret"));
}

#[test]
fn outputs_providers_and_the_way_of_asking_count() {
    let reviewed = plan();
    let mut now = plan();
    now.mode = PlanMode::Destroy;
    if let Some(provider) = now.inputs.providers.first_mut() {
        provider.hash = "h1:another".to_owned();
    }
    for output in now.outputs.values_mut() {
        output.action = Action::Update;
        output.after = Value::string("another");
    }
    let told = differences(Some(&reviewed), &now).other.join("\n");
    for part in ["-destroy", "output ", "provider "] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn where_nothing_was_to_be_done_everything_is_new() {
    let mut now = plan();
    now.changes.clear();
    now.outputs.clear();
    assert_eq!(differences(None, &now), Differences::default());
    let object = || Value::object([("size", Value::int(1))]);
    now.changes
        .push(change("x_y.new", Action::Delete, object(), object()));
    assert_eq!(
        differences(None, &now).other,
        ["x_y.new will be destroyed, which the reviewed plan does not hold"]
    );
}
