//! Functions of providers.

use terrace_value::Value;

use crate::world::{World, told};

const REQUIRED: &str = r#"
terraform {
  required_providers {
    test = { source = "hashicorp/test" }
  }
}
"#;

fn with_requirement(text: &str) -> String {
    format!("{REQUIRED}{text}")
}

#[tokio::test(start_paused = true)]
async fn a_providers_function_is_called_with_what_is_known_and_again_once_more_is() {
    let world = World::new();
    let text = with_requirement(
        r#"
locals {
  loud = provider::test::shout("a${1 + 1}")
}
resource "test_object" "a" {
  string = local.loud
}
resource "test_object" "b" {
  string = provider::test::shout(test_object.a.id)
}
output "echoed" {
  value = provider::test::echo({ list = [1, null, "x"] })
}
output "loud_id" {
  value = startswith(provider::test::shout(test_object.a.id), "OBJECT-")
}
"#,
    );
    let plan = world.planned(&text).await;
    let planned = |name: &str| plan.outputs[name].after.clone();
    assert_eq!(
        planned("echoed")
            .get("list")
            .and_then(Value::as_sequence)
            .map(<[Value]>::len),
        Some(3)
    );
    assert!(!planned("loud_id").is_known());
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    assert_eq!(world.attributes("test_object.a")["string"], "A2");
    assert_eq!(world.attributes("test_object.b")["string"], "OBJECT-1");
}

#[tokio::test(start_paused = true)]
async fn secrets_stay_secret_in_what_a_function_makes_of_them() {
    let world = World::new();
    let text = with_requirement(
        r#"
output "loud" {
  value = provider::test::shout(sensitive("hush"))
}
"#,
    );
    let errors = world.plan(&text).await.errors();
    assert!(
        errors[0].starts_with("Output refers to sensitive values"),
        "{errors:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_call_names_the_parameter() {
    let world = World::new();
    let refused = async |call: &str| {
        let text = with_requirement(&format!("output \"x\" {{\n  value = {call}\n}}\n"));
        world.plan(&text).await.errors().join("\n")
    };
    assert_eq!(
        refused("provider::test::reject(\"x\")").await,
        "Invalid function argument: Invalid value for \"text\" parameter: this argument is never right."
    );
    assert_eq!(
        refused("provider::test::shout(null)").await,
        "Invalid function argument: Invalid value for \"text\" parameter: argument must not be null."
    );
    assert_eq!(
        refused("provider::test::shout([])").await,
        "Invalid function argument: Invalid value for \"text\" parameter: string required."
    );
    assert!(refused("provider::test::shout()").await.starts_with(
        "Not enough function arguments: Function \"provider::test::shout\" expects 1 argument(s)."
    ));
    assert!(refused("provider::test::nothing(1)").await.starts_with(
        "Unknown provider function: The function \"nothing\" is not available from the provider"
    ));
}

#[tokio::test(start_paused = true)]
async fn the_provider_must_be_required() {
    let world = World::new();
    let text = "output \"x\" {\n  value = provider::test::shout(\"a\")\n}\n";
    let errors = world.plan(text).await.errors();
    assert!(
        errors[0].starts_with("Unknown provider function"),
        "{errors:?}"
    );
}
