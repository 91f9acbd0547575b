//! `import` blocks: by id, by identity, in modules, for several, and with generated configuration.

use terrace_plan::Action;
use terrace_provider_testkit::Operation;
use terrace_value::{Type, Value};

use crate::world::{World, changes, told};

fn world_of(ids: &[&str]) -> World {
    let world = World::new();
    for id in ids {
        let text = Value::string(format!("of {id}"));
        world.plant(id, [("string", text), ("revision", Value::int(1))]);
    }
    world
}

#[tokio::test(start_paused = true)]
async fn each_of_a_map_into_a_module() {
    let world = world_of(&["i-1", "i-2"]);
    let root = r#"
module "m" {
  source   = "./m"
  for_each = local.ids
}
locals {
  ids = { a = "i-1", b = "i-2" }
}
import {
  for_each = local.ids
  to       = module.m[each.key].test_object.o[0]
  id       = each.value
}
"#;
    let child = "resource \"test_object\" \"o\" {\n  count = 1\n}\n";
    let plan = world.plan_modules(&[("", root), ("m", child)]).await.good();
    assert_eq!(
        changes(&plan),
        [
            "module.m[\"a\"].test_object.o[0] Update",
            "module.m[\"b\"].test_object.o[0] Update"
        ]
    );
    world.calm();
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    assert_eq!(applied.counts.imported, 2);
    assert_eq!(
        world.attributes("module.m[\"a\"].test_object.o[0]")["id"],
        "i-1"
    );
}

#[tokio::test(start_paused = true)]
async fn by_identity() {
    let world = world_of(&["i-1"]);
    let text = |identity: &str| {
        format!(
            "resource \"test_object\" \"o\" {{\n  string = \"of i-1\"\n}}\nimport {{\n  to = test_object.o\n  identity = {identity}\n}}\n"
        )
    };
    let plan = world.planned(&text("{ id = \"i-1\" }")).await;
    assert_eq!(changes(&plan), Vec::<String>::new());
    let importing = plan.changes[0].importing.clone().unwrap();
    assert_eq!(importing.id, None);
    assert_eq!(
        importing.identity,
        Some(Value::object([
            ("id", Value::string("i-1")),
            ("region", Value::null(Type::String))
        ]))
    );
    assert_eq!(
        world.calls(&[Operation::Import, Operation::ImportIdentity]),
        ["import-identity i-1"]
    );
    world.calm();
    let applied = world.run(plan).await;
    assert_eq!(applied.counts.imported, 1);
    assert_eq!(world.attributes("test_object.o")["id"], "i-1");

    let world = world_of(&["i-1"]);
    for (identity, expected) in [
        (
            "{ region = \"here\" }",
            "The identity attribute \"id\" is required, but no definition was found.",
        ),
        (
            "{ id = \"i-1\", zone = 1 }",
            "An identity attribute named \"zone\" is not expected here.",
        ),
        ("\"i-1\"", "The import identity must be an object."),
    ] {
        let errors = world.plan(&text(identity)).await.errors();
        assert_eq!(
            errors,
            [format!("Invalid import identity argument: {expected}")]
        );
    }
    let errors = world
        .plan(&text("{ id = \"i-1\", region = \"there\" }"))
        .await
        .errors();
    assert_eq!(errors, ["Unknown region: There is no region \"there\"."]);
}

#[tokio::test(start_paused = true)]
async fn configuration_is_generated() {
    let mut world = World::new();
    let map = Value::map(
        Type::String,
        [("a b", Value::string("${x}")), ("c", Value::string("d"))],
    );
    let rule = Value::object([
        ("key", Value::string("k")),
        ("value", Value::null(Type::String)),
    ]);
    let rule_type = Type::object([("key", Type::String), ("value", Type::String)]);
    world.plant(
        "i-1",
        [
            ("string", Value::string("line\n\"two\"")),
            ("number", Value::int(5)),
            ("computed", Value::string("c")),
            ("revision", Value::int(3)),
            ("secret", Value::string("hunter2")),
            ("immutable", Value::string(r#"{"a":[1,true,null]}"#)),
            ("list", Value::list(Type::String, [Value::string("x")])),
            ("map", map),
            ("rule", Value::list(rule_type, [rule])),
        ],
    );
    let text = "provider \"test\" {}\nimport {\n  to = test_object.o\n  id = \"i-1\"\n}\n";
    let errors = world.plan(text).await.errors();
    assert!(
        errors[0].starts_with("Configuration for import target does not exist: "),
        "{errors:?}"
    );
    world.options.generate_config = Some("made.tf".into());
    let plan = world.planned(text).await;
    let file = terrace_planner::generated_file(&plan).unwrap();
    assert_eq!(
        file,
        r#"# __generated__ by Terrace
# Please review these resources and move them into your main configuration files.

# __generated__ by Terrace from "i-1"
resource "test_object" "o" {
  any      = null
  bool     = null
  computed = "c"
  immutable = jsonencode({
    a = [1, true, null]
  })
  list = ["x"]
  map = {
    "a b" = "$${x}"
    c     = "d"
  }
  nested      = null
  nested_list = null
  nested_map  = null
  number      = 5
  secret      = null # sensitive
  set         = null
  string      = "line\n\"two\""
  write_only  = null
  rule {
    key   = "k"
    value = null
  }
}
"#
    );
    // The secret is not generated, so that the object would be changed; the plan holds the configuration for that.
    assert_eq!(changes(&plan), ["test_object.o Update"]);
    world.calm();
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    assert_eq!(applied.counts.imported, 1);
    assert!(world.attributes("test_object.o")["secret"].is_null());
    // With the file in place nothing is left to do.
    let plan = world.planned(&format!("{text}{file}")).await;
    assert_eq!(changes(&plan), Vec::<String>::new());
    // What repeats cannot be generated.
    let text = "provider \"test\" {}\nimport {\n  to = test_object.p[0]\n  id = \"i-1\"\n}\n";
    let errors = world.plan(text).await.errors();
    assert!(
        errors[0].contains("The given import block is not compatible with config generation."),
        "{errors:?}"
    );
    assert!(
        plan.changes
            .iter()
            .all(|change| change.action == Action::NoOp)
    );
}
