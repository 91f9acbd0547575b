//! Why things change, in words whose number does not grow with what changes times what reads it.

use terrace_value::Value;

use crate::world::World;

#[tokio::test(start_paused = true)]
async fn many_readers_of_many_changes_share_one_reason() {
    let mut world = World::new();
    let text = r#"
variable "n" {
  type = number
}
resource "test_object" "base" {
  count  = 40
  string = "base"
  number = var.n
}
resource "test_object" "reader" {
  count  = 50
  string = "reader"
  list   = [for b in test_object.base : "${b.number}"]
}
"#;
    world.set("n", Value::int(1));
    world.apply(text).await;
    world.set("n", Value::int(2));
    let plan = world.planned(text).await;
    let reader = "test_object.reader[7]".parse().unwrap();
    let change = plan.change(&reader).unwrap();
    let causes: Vec<&str> = change
        .reasons
        .iter()
        .map(|reason| reason.cause.as_str())
        .collect();
    assert_eq!(causes, ["40 instances of test_object.base are updated"]);
    let n_reasons: usize = plan.changes.iter().map(|change| change.reasons.len()).sum();
    assert_eq!(n_reasons, 90);
    // A few are named.
    let few = text.replace("= 40", "= 2");
    let plan = world.planned(&few).await;
    let change = plan.change(&reader).unwrap();
    let causes: Vec<&str> = change
        .reasons
        .iter()
        .map(|reason| reason.cause.as_str())
        .collect();
    assert_eq!(causes.len(), 3, "{causes:?}");
    assert!(causes[0].starts_with("38 instances of test_object.base are destroyed"));
}

/// `place: cause` of each reason of a change.
fn told(plan: &terrace_plan::Plan, address: &str) -> Vec<String> {
    let change = plan.change(&address.parse().unwrap()).unwrap();
    let reasons = change.reasons.iter();
    reasons
        .map(|reason| format!("{} {}: {}", reason.attribute, reason.place, reason.cause))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_an_override_file_or_json_changes_is_told_with_its_place() {
    let mut world = World::new();
    let text = r#"
variable "n" {
  type = number
}
resource "test_object" "a" {
  string = "a"
}
"#;
    let over = "resource \"test_object\" \"a\" {\n  number = var.n\n}\n";
    let json = r#"{"resource": {"test_object": {"j": {"number": "${var.n}"}}}}"#;
    let files = [("", text), ("x_override.tf", over), ("j.tf.json", json)];
    world.set("n", Value::int(1));
    let plan = world.plan_modules(&files).await.good();
    world.calm();
    world.run(plan).await;
    world.set("n", Value::int(2));
    let plan = world.plan_modules(&files).await.good();
    assert_eq!(
        told(&plan, "test_object.a"),
        ["number x_override.tf:2: changed in the configuration"]
    );
    assert_eq!(
        told(&plan, "test_object.j"),
        ["number j.tf.json:1: changed in the configuration"]
    );
}

#[tokio::test(start_paused = true)]
async fn only_what_is_read_of_a_resource_is_named() {
    let world = World::new();
    let text = |name: &str| {
        format!(
            r#"
resource "test_object" "a" {{
  immutable = "{name}"
}}
resource "test_object" "b" {{
  string = "b"
}}
locals {{
  behind = test_object.a.id
}}
resource "test_object" "reader" {{
  string = test_object.a.id
  list   = [local.behind, test_object.b.computed]
}}
"#
        )
    };
    world.apply(&text("one")).await;
    let plan = world.planned(&text("two")).await;
    let told = told(&plan, "test_object.reader");
    let causes = told.iter().filter(|reason| reason.contains("becomes"));
    for cause in causes {
        assert!(
            cause.ends_with("test_object.a is replaced, and test_object.a.id becomes unknown"),
            "{told:#?}"
        );
    }
    assert_eq!(told.len(), 2, "{told:#?}");
}
