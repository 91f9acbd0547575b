//! Provider configurations with `for_each`.

use terrace_addr::AbsProviderConfig;
use terrace_plan::Plan;

use crate::world::{World, changes, told};

const PROVIDERS: &str = r#"
variable "regions" {
  default = ["east", "west"]
}
provider "test" {
  alias    = "by_region"
  for_each = toset(var.regions)
  region   = each.key
}
"#;

fn providers(plan: &Plan) -> Vec<String> {
    let changes = plan.changes.iter();
    changes
        .map(|change| format!("{} {}", change.address, change.provider))
        .collect()
}

fn regions(world: &World, regions: &[&str]) -> World {
    let mut next = World::new();
    next.objects = world.objects.clone();
    next.store = world.store.clone();
    let regions = regions
        .iter()
        .map(|region| terrace_value::Value::string(*region));
    next.set(
        "regions",
        terrace_value::Value::tuple(regions.collect::<Vec<_>>()),
    );
    next
}

const KEYED: &str = r#"
resource "test_object" "a" {
  for_each = toset(["east", "west"])
  provider = test.by_region[each.key]
  string   = each.key
}
"#;

#[tokio::test(start_paused = true)]
async fn each_instance_is_made_by_the_provider_instance_that_it_chooses() {
    let mut world = World::new();
    let text = format!("{PROVIDERS}{KEYED}");
    let plan = world.planned(&text).await;
    let registry = plan.changes[0].provider.provider.to_string();
    let provider = |key: &str| format!("provider[\"{registry}\"].by_region[\"{key}\"]");
    assert_eq!(
        providers(&plan),
        [
            format!("test_object.a[\"east\"] {}", provider("east")),
            format!("test_object.a[\"west\"] {}", provider("west")),
        ]
    );
    world.calm();
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    // The state names it instance by instance, and not at the resource.
    let state = world.state_text();
    let written = |key: &str| format!("\"provider\": {},", serde_json::json!(provider(key)));
    for key in ["east", "west"] {
        assert!(state.contains(&written(key)), "{state}");
    }
    assert_eq!(state.matches("\"provider\":").count(), 2, "{state}");
    let read = world.state();
    let resource = read.resources.values().next().unwrap();
    let east: AbsProviderConfig = provider("east").parse().unwrap();
    assert_eq!(
        resource.provider_of(Some(&terrace_addr::InstanceKey::String("east".into()))),
        east
    );
    world.calm();
    let plan = world.planned(&text).await;
    assert_eq!(changes(&plan), Vec::<String>::new());
    world.calm();
    let gone = world.destroy(&text).await;
    assert_eq!(told(&gone.diagnostics), Vec::<String>::new());
    assert!(world.state().resources.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_passed_to_each_instance_of_a_module() {
    let world = World::new();
    let text = format!(
        r#"{PROVIDERS}
module "m" {{
  source    = "./m"
  for_each  = toset(var.regions)
  providers = {{
    test = test.by_region[each.value]
  }}
}}
"#
    );
    let child = "resource \"test_object\" \"b\" {\n  string = \"b\"\n}\n";
    let plan = world
        .plan_modules(&[("", &text), ("m", child)])
        .await
        .good();
    let told = providers(&plan);
    assert_eq!(told.len(), 2);
    assert!(told[0].starts_with("module.m[\"east\"].test_object.b "));
    assert!(told[0].ends_with(".by_region[\"east\"]"), "{told:#?}");
    assert!(told[1].ends_with(".by_region[\"west\"]"), "{told:#?}");
    world.calm();
    world.run(plan).await;
    assert_eq!(world.state().resources.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_provider_instance_outlives_what_it_made() {
    let world = World::new();
    world.apply(&format!("{PROVIDERS}{KEYED}")).await;
    // The resource instance goes, the provider instance stays: that is how it is done.
    let fewer = KEYED.replace("[\"east\", \"west\"]", "[\"east\"]");
    let plan = world.planned(&format!("{PROVIDERS}{fewer}")).await;
    assert_eq!(changes(&plan), ["test_object.a[\"west\"] Delete"]);
    // Both at once cannot be done.
    let alone = regions(&world, &["east"]);
    let planned = alone.plan(&format!("{PROVIDERS}{fewer}")).await;
    let errors = planned.errors();
    assert!(
        errors[0].starts_with("Provider instance not present: To work with test_object.a[\"west\"] its original provider instance"),
        "{errors:#?}"
    );
    assert!(errors[0].contains("Re-add the for_each element to destroy"));
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_unknown_secret_or_not_there_are_refused() {
    let world = World::new();
    let error = async |key: &str| {
        let text = format!(
            r#"{PROVIDERS}
resource "test_object" "first" {{
  string = "first"
}}
resource "test_object" "a" {{
  provider = test.by_region[{key}]
  string   = "a"
}}
"#
        );
        let errors = world.plan(&text).await.errors();
        world.calm();
        errors.join("\n")
    };
    let unknown = error("test_object.first.id").await;
    assert!(unknown.contains("Invalid provider instance key: The provider instance key for test_object.a depends on values that cannot be determined until apply"), "{unknown}");
    let secret = error("sensitive(\"east\")").await;
    assert!(
        secret.contains("must not be derived from a sensitive value"),
        "{secret}"
    );
    let missing = error("\"north\"").await;
    assert!(
        missing.contains("has no instance [\"north\"]: its instances are [\"east\"], [\"west\"]"),
        "{missing}"
    );
    let null = error("null").await;
    assert!(null.contains("must not be null"), "{null}");
}
