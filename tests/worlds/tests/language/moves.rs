//! `moved` and `removed` blocks.

use terrace_plan::Action;
use terrace_provider_testkit::{Operation, World as _};

use crate::world::{World, changes, told};

/// Moves of one configuration into another after which nothing is to be done.
async fn moves(before: &[(&str, &str)], after: &[(&str, &str)], expected: &[(&str, &str)]) {
    let world = World::new();
    let plan = world.plan_modules(before).await.good();
    world.run(plan).await;
    let plan = world.plan_modules(after).await.good();
    assert_eq!(changes(&plan), Vec::<String>::new());
    let moved: Vec<(String, String)> = plan
        .changes
        .iter()
        .filter_map(|change| {
            let previous = change.previous_address.as_ref()?;
            Some((previous.to_string(), change.address.to_string()))
        })
        .collect();
    let moved: Vec<(&str, &str)> = moved.iter().map(|(a, b)| (&**a, &**b)).collect();
    assert_eq!(moved, expected);
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    for (from, to) in expected {
        assert!(world.state().object(&from.parse().unwrap()).is_none());
        world.attributes(to);
    }
    assert_eq!(
        world.calls(&[Operation::Update, Operation::Delete]),
        Vec::<String>::new()
    );
}

const ONE: &str = "resource \"test_object\" \"a\" {\n  string = \"a\"\n}\n";

#[tokio::test(start_paused = true)]
async fn within_and_across_modules() {
    let call = "module \"m\" {\n  source = \"./m\"\n}\n";
    let moved =
        format!("{call}moved {{\n  from = test_object.a\n  to = module.m.test_object.a\n}}\n");
    moves(
        &[("", ONE)],
        &[("", &moved), ("m", ONE)],
        &[("test_object.a", "module.m.test_object.a")],
    )
    .await;
    let moved =
        format!("{ONE}moved {{\n  from = module.m.test_object.a\n  to = test_object.a\n}}\n");
    moves(
        &[("", call), ("m", ONE)],
        &[("", &moved)],
        &[("module.m.test_object.a", "test_object.a")],
    )
    .await;
    let other = "module \"n\" {\n  source = \"./n\"\n  count = 1\n}\nmoved {\n  from = module.m\n  to = module.n[0]\n}\n";
    moves(
        &[("", call), ("m", ONE)],
        &[("", other), ("n", ONE)],
        &[("module.m.test_object.a", "module.n[0].test_object.a")],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn between_count_and_for_each() {
    let counted = "resource \"test_object\" \"a\" {\n  count = 2\n  string = \"a\"\n}\n";
    let keyed = "resource \"test_object\" \"a\" {\n  for_each = toset([\"x\", \"y\"])\n  string = \"a\"\n}\nmoved {\n  from = test_object.a[0]\n  to = test_object.a[\"x\"]\n}\nmoved {\n  from = test_object.a[1]\n  to = test_object.a[\"y\"]\n}\n";
    moves(
        &[("", counted)],
        &[("", keyed)],
        &[
            ("test_object.a[0]", "test_object.a[\"x\"]"),
            ("test_object.a[1]", "test_object.a[\"y\"]"),
        ],
    )
    .await;
    let counted = "resource \"test_object\" \"b\" {\n  count = 1\n  string = \"a\"\n}\nmoved {\n  from = test_object.a\n  to = test_object.b[0]\n}\n";
    moves(
        &[("", ONE)],
        &[("", counted)],
        &[("test_object.a", "test_object.b[0]")],
    )
    .await;
}

const WIDGET: &str = "resource \"test_widget\" \"w\" {\n  string = \"w\"\n  label = \"old\"\n}\n";
const OBJECT: &str = "resource \"test_object\" \"o\" {\n  string = \"w\"\n  computed = \"old\"\n}\nmoved {\n  from = test_widget.w\n  to = test_object.o\n}\n";

#[tokio::test(start_paused = true)]
async fn to_another_type_through_the_provider() {
    let world = World::new();
    world.apply(WIDGET).await;
    let plan = world.planned(OBJECT).await;
    assert_eq!(changes(&plan), Vec::<String>::new());
    assert_eq!(
        world.calls(&[Operation::Move, Operation::Upgrade]),
        ["move"]
    );
    let change = plan.change(&"test_object.o".parse().unwrap()).unwrap();
    assert_eq!(
        change.previous_address.as_ref().map(ToString::to_string),
        Some("test_widget.w".to_owned())
    );
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    assert_eq!(world.attributes("test_object.o")["computed"], "old");
    assert_eq!(world.state().resources.len(), 1);
    // From now on it is one of its own.
    let plan = world.planned(&OBJECT.replace("\"w\"\n", "\"x\"\n")).await;
    assert_eq!(changes(&plan), ["test_object.o Update"]);
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    assert_eq!(world.attributes("test_object.o")["string"], "x");
    assert_eq!(world.objects.objects().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_move_and_a_change_at_once() {
    let world = World::new();
    world.apply(WIDGET).await;
    let plan = world.planned(&OBJECT.replace("\"w\"\n", "\"x\"\n")).await;
    let change = plan.change(&"test_object.o".parse().unwrap()).unwrap();
    assert_eq!(change.action, Action::Update);
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    assert_eq!(world.attributes("test_object.o")["id"], "object-1");
}

#[tokio::test(start_paused = true)]
async fn to_a_type_that_does_not_take_it() {
    let world = World::new();
    world.apply(ONE).await;
    let text = "resource \"test_widget\" \"w\" {\n}\nmoved {\n  from = test_object.a\n  to = test_widget.w\n}\n";
    assert_eq!(
        world.plan(text).await.errors(),
        ["Unsupported move: A test_object cannot become a test_widget."]
    );
}

#[tokio::test(start_paused = true)]
async fn removed_blocks_destroy_or_forget() {
    for (destroy, action) in [("true", "Delete"), ("false", "Forget")] {
        let world = World::new();
        world.apply(ONE).await;
        let text = format!(
            "removed {{\n  from = test_object.a\n  lifecycle {{\n    destroy = {destroy}\n  }}\n}}\n"
        );
        let plan = world.planned(&text).await;
        assert_eq!(changes(&plan), [format!("test_object.a {action}")]);
        let applied = world.run(plan).await;
        assert_eq!(applied.counts.destroyed, usize::from(destroy == "true"));
        assert_eq!(applied.counts.forgotten, usize::from(destroy == "false"));
        assert!(world.state().resources.is_empty());
        let left = world.objects.objects().unwrap().len();
        assert_eq!(left, usize::from(destroy == "false"));
    }
}

#[tokio::test(start_paused = true)]
async fn removed_blocks_run_provisioners() {
    let world = World::new();
    let call = "module \"m\" {\n  source = \"./m\"\n}\n";
    let plan = world.plan_modules(&[("", call), ("m", ONE)]).await.good();
    world.run(plan).await;
    let text = r#"
removed {
  from = module.m.test_object.a
  lifecycle {
    destroy = true
  }
  provisioner "local-exec" {
    when    = destroy
    command = "echo ${self.id}"
  }
}
"#;
    let plan = world.planned(text).await;
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    assert_eq!(*world.store.commands.lock().unwrap(), ["echo object-1"]);
    assert!(world.state().resources.is_empty());
}
