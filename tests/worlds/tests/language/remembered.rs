//! What plans say of objects that stay as they are, and of those that were.

use terrace_plan::{Action, PlanMode};

use crate::world::World;

fn relevant(plan: &terrace_plan::Plan) -> Vec<String> {
    let found = plan.relevant_attributes.iter();
    found
        .map(|found| format!("{}{}", found.resource, found.attribute))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_a_value_comes_from_is_followed_through_resources_that_stay() {
    let world = World::new();
    let text = r#"
resource "test_object" "c" {
  string = "c"
}
resource "test_object" "b" {
  string = test_object.c.string
  computed = test_object.c.id
}
resource "test_object" "e" {
  for_each = toset([])
  list     = [for k, v in { x = test_object.c } : v.string]
}
"#;
    let text = text.replace("  computed = test_object.c.id\n", "");
    world.apply(&text).await;
    let reader = r#"
resource "test_object" "new" {
  string = test_object.b.string
  number = length(test_object.e)
  list   = [test_object.b.computed]
}
"#;
    let plan = world.planned(&format!("{text}{reader}")).await;
    assert_eq!(
        relevant(&plan),
        [
            "test_object.b.computed",
            "test_object.b.string",
            "test_object.c",
            "test_object.c.string",
            "test_object.e"
        ]
    );
}

fn dependencies(world: &World, address: &str) -> Vec<String> {
    let state = world.state();
    let object = state.object(&address.parse().unwrap()).unwrap();
    object
        .dependencies
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn an_object_that_stays_depends_on_what_its_configuration_says() {
    let world = World::new();
    let text = |name: &str| {
        format!(
            r#"
resource "test_object" "{name}" {{
  string = "a"
}}
resource "test_object" "b" {{
  string = "b"
  depends_on = [test_object.{name}]
}}
"#
        )
    };
    world.apply(&text("a")).await;
    assert_eq!(dependencies(&world, "test_object.b"), ["test_object.a"]);
    let moved = r#"
moved {
  from = test_object.a
  to   = test_object.z
}
"#;
    let plan = world.planned(&format!("{}{moved}", text("z"))).await;
    let prior = plan.prior_state.object(&"test_object.b".parse().unwrap());
    let prior = prior.unwrap().dependencies.iter().map(ToString::to_string);
    assert_eq!(prior.collect::<Vec<_>>(), ["test_object.z"]);
    world.calm();
    world.run(plan).await;
    assert_eq!(dependencies(&world, "test_object.b"), ["test_object.z"]);
}

#[tokio::test(start_paused = true)]
async fn reading_alone_sees_the_instances_that_there_are() {
    let mut world = World::new();
    let text = r#"
resource "test_object" "many" {
  count  = 3
  string = "x"
}
resource "test_object" "keyed" {
  for_each = toset(["a", "b"])
  string   = each.key
}
output "many" {
  value = length(test_object.many)
}
output "keyed" {
  value = length(test_object.keyed)
}
"#;
    world.options.mode = PlanMode::RefreshOnly;
    let plan = world.planned(text).await;
    assert_eq!(plan.outputs["many"].after, terrace_value::Value::int(0));
    assert_eq!(plan.outputs["keyed"].after, terrace_value::Value::int(0));
    assert!(plan.has_changes());
}

#[tokio::test(start_paused = true)]
async fn reading_alone_tells_what_moved() {
    let mut world = World::new();
    world
        .apply("resource \"test_object\" \"a\" {\n  string = \"a\"\n}\n")
        .await;
    let text = r#"
resource "test_object" "z" {
  string = "a"
}
moved {
  from = test_object.a
  to   = test_object.z
}
"#;
    world.options.mode = PlanMode::RefreshOnly;
    let plan = world.planned(text).await;
    assert_eq!(plan.drift.len(), 1);
    assert_eq!(plan.drift[0].action, Action::NoOp);
    assert!(plan.drift[0].previous_address.is_some());
    assert!(plan.has_changes());
}

#[tokio::test(start_paused = true)]
async fn outputs_that_are_not_known_are_nothing_to_store_when_only_reading() {
    let mut world = World::new();
    let text = r#"
resource "test_object" "a" {
  string = "a"
}
output "later" {
  value = test_object.a.id
}
"#;
    world.options.mode = PlanMode::RefreshOnly;
    let plan = world.planned(text).await;
    assert_eq!(plan.outputs["later"].action, Action::Create);
    assert!(!plan.has_changes());
}

#[tokio::test(start_paused = true)]
async fn validations_of_modules_variables_hold_in_a_partial_plan_too() {
    let mut world = World::new();
    let text = r#"
resource "test_object" "a" {
  string = "a"
}
module "m" {
  source = "./m"
  n      = 1
}
"#;
    let child = r#"
variable "n" {
  validation {
    condition     = var.n > 5
    error_message = "Too small."
  }
}
"#;
    world.options.targets = vec!["test_object.a".parse().unwrap()];
    let planned = world.plan_modules(&[("", text), ("m", child)]).await;
    let errors = planned.errors();
    assert!(errors[0].starts_with("Invalid value for variable: Too small."));
}

#[tokio::test(start_paused = true)]
async fn what_is_to_go_needs_no_valid_variables_once_nothing_is_left() {
    let mut world = World::new();
    let text = r#"
variable "n" {
  validation {
    condition     = var.n > 5
    error_message = "Too small."
  }
}
"#;
    world.set("n", terrace_value::Value::int(1));
    world.options.mode = PlanMode::Destroy;
    world.planned(text).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_destroyed_has_not_changed_outside() {
    let mut world = World::new();
    let text = "resource \"test_object\" \"a\" {\n  string = \"a\"\n}\n";
    world.apply(text).await;
    let id = world.attributes("test_object.a")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let objects = world.provider();
    let object = objects.object([
        ("id", terrace_value::Value::string(id.as_str())),
        ("string", terrace_value::Value::string("other")),
    ]);
    objects.world().update(&id, object).unwrap();
    assert_eq!(world.planned(text).await.drift.len(), 1);
    world.options.mode = PlanMode::Destroy;
    let plan = world.planned(text).await;
    assert_eq!(plan.changes[0].action, Action::Delete);
    assert!(plan.drift.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_attribute_is_relevant_once() {
    let world = World::new();
    let text = r#"
resource "test_object" "c" {
  count  = 2
  string = "c"
}
resource "test_object" "one" {
  string = test_object.c[0].computed
  list   = [test_object.c[1].computed]
}
output "again" {
  value = "${test_object.c[0].computed} ${test_object.c[1].computed}"
}
"#;
    let plan = world.planned(text).await;
    assert_eq!(
        relevant(&plan),
        ["test_object.c[0].computed", "test_object.c[1].computed"]
    );
}
