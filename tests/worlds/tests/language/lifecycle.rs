//! `lifecycle`: `enabled`, `destroy`, `prevent_destroy`, `replace_triggered_by`.

use terrace_plan::{Action, ActionReason, PlanMode};
use terrace_provider_testkit::{Operation, World as _};
use terrace_value::Value;

use crate::world::{World, changes, texts, told};

const FLAG: &str = "variable \"on\" {\n  type = bool\n}\n";

fn with_flag(text: &str) -> String {
    format!("{FLAG}{text}")
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_is_not_enabled_is_not_there() {
    let mut world = World::new();
    let text = with_flag(
        r#"
resource "test_object" "a" {
  string = "a"
  lifecycle {
    enabled = var.on
  }
}
output "id" {
  value = test_object.a == null ? "none" : test_object.a.string
}
"#,
    );
    world.set("on", Value::bool(false));
    world.apply(&text).await;
    assert!(world.state().resources.is_empty());
    assert_eq!(world.state().outputs["id"].value, Value::string("none"));
    world.set("on", Value::bool(true));
    world.apply(&text).await;
    assert_eq!(world.attributes("test_object.a")["id"], "object-1");
    assert_eq!(world.state().outputs["id"].value, Value::string("a"));
    world.set("on", Value::bool(false));
    let plan = world.planned(&text).await;
    assert_eq!(changes(&plan), ["test_object.a Delete"]);
    assert_eq!(
        plan.changes[0].action_reason,
        ActionReason::DeleteBecauseEnabledFalse
    );
    world.run(plan).await;
    assert!(world.state().resources.is_empty());
    assert_eq!(world.state().outputs["id"].value, Value::string("none"));
}

#[tokio::test(start_paused = true)]
async fn a_module_that_is_not_enabled_is_not_there() {
    let mut world = World::new();
    let root = with_flag(
        r#"
module "m" {
  source = "./m"
  lifecycle {
    enabled = var.on
  }
}
output "name" {
  value = module.m == null ? "none" : module.m.name
}
"#,
    );
    let child = "resource \"test_object\" \"a\" {\n  string = \"a\"\n}\noutput \"name\" {\n  value = test_object.a.string\n}\n";
    let modules = [("", &*root), ("m", child)];
    world.set("on", Value::bool(true));
    let plan = world.plan_modules(&modules).await.good();
    assert_eq!(changes(&plan), ["module.m.test_object.a Create"]);
    world.run(plan).await;
    assert_eq!(world.state().outputs["name"].value, Value::string("a"));
    world.set("on", Value::bool(false));
    let plan = world.plan_modules(&modules).await.good();
    assert_eq!(changes(&plan), ["module.m.test_object.a Delete"]);
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    assert!(world.state().resources.is_empty());
    assert_eq!(world.state().outputs["name"].value, Value::string("none"));
}

const KEPT: &str = r#"
resource "test_object" "a" {
  string    = "a"
  immutable = "KIND"
  lifecycle {
    destroy = false
  }
}
"#;

#[tokio::test(start_paused = true)]
async fn what_is_not_to_be_destroyed_is_forgotten() {
    let mut world = World::new();
    let text = KEPT.replace("KIND", "x");
    world.apply(&text).await;
    // Replaced: the object before stays where it is.
    let other = KEPT.replace("KIND", "y");
    let plan = world.planned(&other).await;
    assert_eq!(changes(&plan), ["test_object.a ForgetThenCreate"]);
    let shown = texts(&world, &plan);
    assert!(
        shown.contains(r#""actions":["forget","create"]"#),
        "{shown}"
    );
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    assert_eq!((applied.counts.added, applied.counts.forgotten), (1, 1));
    assert_eq!(world.attributes("test_object.a")["id"], "object-2");
    assert_eq!(world.objects.objects().unwrap().len(), 2);
    // Without its block it is forgotten too: the state remembers.
    let plan = world.planned("provider \"test\" {}\n").await;
    assert_eq!(changes(&plan), ["test_object.a Forget"]);
    // And when everything is destroyed.
    world.options.mode = PlanMode::Destroy;
    let plan = world.planned(&other).await;
    assert_eq!(changes(&plan), ["test_object.a Forget"]);
    let applied = world.run(plan).await;
    assert_eq!(applied.counts.forgotten, 1);
    assert!(world.state().resources.is_empty());
    assert_eq!(world.objects.objects().unwrap().len(), 2);
    assert_eq!(world.calls(&[Operation::Delete]), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn destruction_is_prevented_by_an_expression() {
    let mut world = World::new();
    let text = with_flag(
        r#"
resource "test_object" "a" {
  string    = "a"
  immutable = "KIND"
  lifecycle {
    prevent_destroy = var.on
  }
}
"#,
    );
    world.set("on", Value::bool(true));
    world.apply(&text.replace("KIND", "x")).await;
    let other = text.replace("KIND", "y");
    let errors = world.plan(&other).await.errors();
    assert!(
        errors[0].starts_with("Instance cannot be destroyed: Resource test_object.a has"),
        "{errors:?}"
    );
    world.options.mode = PlanMode::Destroy;
    assert_eq!(world.plan(&other).await.errors().len(), 1);
    world.options.mode = PlanMode::Normal;
    world.set("on", Value::bool(false));
    let plan = world.planned(&other).await;
    assert_eq!(changes(&plan), ["test_object.a DeleteThenCreate"]);
    let unknown = with_flag(
        r#"
resource "test_object" "b" {
  string = "b"
}
resource "test_object" "a" {
  string    = "a"
  immutable = "x"
  lifecycle {
    prevent_destroy = test_object.b.id == "x"
  }
}
"#,
    );
    let errors = world.plan(&unknown).await.errors();
    assert!(
        errors[0].starts_with("Invalid prevent_destroy argument: "),
        "{errors:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn replacement_is_triggered_in_all_shapes() {
    let triggers = [
        ("test_object.base", true),
        ("test_object.base[0]", true),
        ("test_object.base[1]", false),
        ("test_object.base[0].number", true),
        ("test_object.base[0].string", false),
        ("test_object.single", true),
        ("test_object.single.number", true),
        ("test_object.single.map[\"k\"]", false),
        ("test_object.base[count.index].number", true),
        ("test_object.keyed[\"a\"].number", true),
        ("test_object.keyed[\"b\"].number", false),
    ];
    let text = r#"
variable "n" {
  type = number
}
resource "test_object" "base" {
  count  = 2
  string = "base"
  number = count.index == 0 ? var.n : 0
}
resource "test_object" "single" {
  string = "single"
  number = var.n
  map    = { k = "v" }
}
resource "test_object" "keyed" {
  for_each = { a = var.n, b = 0 }
  string   = "keyed"
  number   = each.value
}
resource "test_object" "t" {
  count  = 1
  string = "t"
  lifecycle {
    replace_triggered_by = [TRIGGER]
  }
}
"#;
    for (trigger, fires) in triggers {
        let mut world = World::new();
        let text = text.replace("TRIGGER", trigger);
        world.set("n", Value::int(1));
        world.apply(&text).await;
        world.set("n", Value::int(2));
        let plan = world.planned(&text).await;
        let change = plan.change(&"test_object.t[0]".parse().unwrap()).unwrap();
        let expected = if fires {
            (Action::DeleteThenCreate, ActionReason::ReplaceByTriggers)
        } else {
            (Action::NoOp, ActionReason::None)
        };
        assert_eq!((change.action, change.action_reason), expected, "{trigger}");
    }
}
