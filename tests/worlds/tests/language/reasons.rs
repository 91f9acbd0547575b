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
