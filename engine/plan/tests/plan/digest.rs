//! The digest: the same for the same plan, another for any other.

use std::sync::Arc;

use terrace_plan::{Plan, PlanDigest, PlanMode};
use terrace_value::{Marks, Value};

use crate::sample;

#[test]
fn the_same_plan_has_the_same_digest() {
    assert_eq!(sample::plan().digest(), sample::plan().digest());
    assert_eq!(
        sample::plan().canonical_bytes(),
        sample::plan().canonical_bytes()
    );
}

#[test]
fn whatever_is_changed_changes_the_digest() {
    type Bend = fn(&mut Plan);
    let bends: [(&str, Bend); 24] = [
        ("mode", |plan| plan.mode = PlanMode::Destroy),
        ("file", |plan| {
            let mut snapshot = (*plan.inputs.configuration).clone();
            snapshot.files[0].bytes = b"variable \"name\" { }\n"[..].into();
            plan.inputs.configuration = Arc::new(snapshot);
        }),
        ("variable", |plan| {
            plan.inputs.variables.get_mut("name").unwrap().value =
                Some(Value::string("other").sensitive());
        }),
        ("variable's marks", |plan| {
            plan.inputs.variables.get_mut("name").unwrap().value = Some(Value::string("new"));
        }),
        ("variable set", |plan| {
            plan.inputs.variables.get_mut("name").unwrap().set = false;
        }),
        ("file read", |plan| {
            plan.inputs.files[0].content = Some(b"other"[..].into());
        }),
        ("file there", |plan| {
            plan.inputs.files[2].content = Some(Arc::default());
        }),
        ("provider's hash", |plan| {
            plan.inputs.providers[0].hash = "h1:xyz=".into();
        }),
        ("workspace", |plan| plan.inputs.workspace = "other".into()),
        ("environment", |plan| plan.inputs.environment = None),
        ("time", |plan| {
            plan.inputs.timestamp = "2026-01-02T03:04:06Z".into();
        }),
        ("serial", |plan| {
            plan.previous_state = Arc::new(sample::state(5));
        }),
        ("refreshed state", |plan| {
            plan.prior_state = Arc::new(sample::state(5));
        }),
        ("after", |plan| {
            plan.changes[0].after = Value::empty_object();
        }),
        ("a mark", |plan| {
            plan.changes[3].after = plan.changes[3].after.clone().with_marks(Marks::SENSITIVE);
        }),
        ("private bytes", |plan| {
            plan.changes[0].private = b"other"[..].into();
        }),
        ("replace paths", |plan| {
            plan.changes[0].replace_paths.clear();
        }),
        ("dependencies", |plan| {
            plan.changes[0].dependencies = Arc::default();
        }),
        ("one change less", |plan| drop(plan.changes.pop())),
        ("output", |plan| {
            plan.outputs.get_mut("url").unwrap().before = Value::NULL;
        }),
        ("order of ops", |plan| plan.exec.ops[2].after.clear()),
        ("check", |plan| plan.checks[0].objects[0].failures.clear()),
        ("schemas", |plan| plan.schemas.clear()),
        ("errored", |plan| plan.errored = true),
    ];
    let whole = sample::plan().digest();
    for (what, bend) in bends {
        let mut plan = sample::plan();
        bend(&mut plan);
        assert_ne!(plan.digest(), whole, "{what}");
    }
}

#[test]
fn digests_are_read_as_they_are_shown() {
    let digest = sample::plan().digest();
    let text = digest.to_string();
    assert_eq!(PlanDigest::parse(&text), Some(digest));
    assert_eq!(digest.short(), text[..12]);
    for bad in [
        "",
        "0",
        &text[1..],
        &format!("{text}0"),
        &text.replace(|c: char| c.is_ascii_digit(), "g"),
    ] {
        assert_eq!(PlanDigest::parse(bad), None, "{bad}");
    }
    let signs = "+1".repeat(32);
    assert_eq!(PlanDigest::parse(&signs), None, "a sign is no digit");
    let wide = "\u{e9}".repeat(32);
    assert_eq!(PlanDigest::parse(&wide), None);
}
