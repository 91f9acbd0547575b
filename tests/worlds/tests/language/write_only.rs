//! Write-only arguments: given to the provider, kept nowhere.

use std::sync::{Arc, Mutex};

use terrace_plan::Action;
use terrace_provider_testkit::{Operation, Outcome};
use terrace_value::Value;

use crate::world::{World, changes, texts};

const TEXT: &str = r#"
resource "test_object" "a" {
  string     = "a"
  number     = VERSION
  write_only = "SECRET"
}
"#;

fn text(version: u32, secret: &str) -> String {
    TEXT.replace("VERSION", &version.to_string())
        .replace("SECRET", secret)
}

#[tokio::test(start_paused = true)]
async fn it_is_nowhere_but_with_the_provider() {
    let world = World::new();
    let plan = world.planned(&text(1, "hunter2")).await;
    let shown = texts(&world, &plan);
    // The configuration itself is part of a plan; nothing else says it.
    let change = plan.change(&"test_object.a".parse().unwrap()).unwrap();
    assert!(change.after.get("write_only").is_some_and(Value::is_null));
    assert!(shown.contains(r#""write_only":null"#));
    world.run(plan).await;
    assert!(world.attributes("test_object.a")["write_only"].is_null());
    assert!(!world.state_text().contains("hunter2"));
}

#[tokio::test(start_paused = true)]
async fn another_secret_is_no_change_and_another_version_is() {
    let mut world = World::new();
    let seen: Arc<Mutex<usize>> = Arc::default();
    let counter = seen.clone();
    world.script(move |call| {
        if call.operation == Operation::Update {
            *counter.lock().unwrap() += 1;
        }
        Outcome::Proceed
    });
    world.apply(&text(1, "first")).await;
    let plan = world.planned(&text(1, "second")).await;
    assert_eq!(changes(&plan), Vec::<String>::new());
    let plan = world.planned(&text(2, "second")).await;
    let change = plan.change(&"test_object.a".parse().unwrap()).unwrap();
    assert_eq!(change.action, Action::Update);
    world.run(plan).await;
    assert_eq!(*seen.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_plans_it_is_told_off() {
    let mut world = World::new();
    let leaking = world.provider().object([
        ("id", Value::unknown(terrace_value::Type::String)),
        ("revision", Value::unknown(terrace_value::Type::Number)),
        ("computed", Value::unknown(terrace_value::Type::String)),
        ("string", Value::string("a")),
        ("number", Value::int(1)),
        ("write_only", Value::string("hunter2")),
    ]);
    world.script(move |call| match call.operation {
        Operation::Plan => Outcome::Answer(leaking.clone()),
        _ => Outcome::Proceed,
    });
    let planned = world.plan(&text(1, "hunter2")).await;
    assert_eq!(
        planned.errors(),
        [
            "Provider produced invalid plan: Provider \"registry.terraform.io/hashicorp/test\" returned a value for the write-only attribute \"test_object.a.write_only\" during planning. Write-only attributes cannot be read back from the provider.\n\nThis is a bug in the provider, which should be reported in the provider's own issue tracker."
        ]
    );
}
