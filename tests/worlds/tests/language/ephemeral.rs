//! Ephemeral resources and ephemeral values.

use std::time::Duration;

use terrace_provider_testkit::{Operation, Outcome};
use terrace_value::Value;

use crate::world::{World, changes, texts, told};

const LIFE: [Operation; 5] = [
    Operation::OpenEphemeral,
    Operation::RenewEphemeral,
    Operation::CloseEphemeral,
    Operation::Create,
    Operation::Update,
];

const SESSION: &str = r#"
ephemeral "test_ephemeral" "session" {
  input = "s3cret"
}

resource "test_object" "a" {
  string     = "a"
  write_only = ephemeral.test_ephemeral.session.value
}
"#;

#[tokio::test(start_paused = true)]
async fn it_is_opened_for_the_plan_and_again_for_the_apply_and_never_stored() {
    let world = World::new();
    let plan = world.planned(SESSION).await;
    assert_eq!(
        world.calls(&LIFE),
        ["open-ephemeral s3cret", "close-ephemeral"]
    );
    assert_eq!(
        world.events(),
        [
            "open ephemeral.test_ephemeral.session",
            "close ephemeral.test_ephemeral.session"
        ]
    );
    world.calm();
    let shown = texts(&world, &plan);
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    assert_eq!(
        world.calls(&LIFE),
        ["open-ephemeral s3cret", "create a", "close-ephemeral"]
    );
    world.calm();
    assert!(!shown.contains("ephemeral-s3cret"), "{shown}");
    assert!(
        !world.state_text().contains("s3cret"),
        "{}",
        world.state_text()
    );
    assert!(world.attributes("test_object.a")["write_only"].is_null());
    assert_eq!(world.state().resources.len(), 1);
    // Nothing to do, so nothing is opened when applying nothing.
    let plan = world.planned(SESSION).await;
    assert_eq!(changes(&plan), Vec::<String>::new());
    assert!(plan.exec.ops.is_empty());
}

#[tokio::test(start_paused = true)]
async fn it_is_renewed_while_something_long_runs() {
    let mut world = World::new();
    world.script(|call| match call.operation {
        Operation::Create => Outcome::Delay(Duration::from_secs(35)),
        Operation::ReadData => Outcome::Delay(Duration::from_secs(25)),
        _ => Outcome::Proceed,
    });
    let text = r#"
ephemeral "test_ephemeral" "session" {
  input       = "s"
  renew_after = 10
}
data "test_data" "slow" {
  input = "d"
}
resource "test_object" "a" {
  string     = data.test_data.slow.output
  write_only = ephemeral.test_ephemeral.session.value
}
"#;
    let plan = world.planned(text).await;
    assert_eq!(
        world.calls(&LIFE),
        [
            "open-ephemeral s",
            "renew-ephemeral",
            "renew-ephemeral",
            "close-ephemeral"
        ]
    );
    world.calm();
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    assert_eq!(
        world.calls(&LIFE),
        [
            "open-ephemeral s",
            "create d",
            "renew-ephemeral",
            "renew-ephemeral",
            "renew-ephemeral",
            "close-ephemeral"
        ]
    );
    world.calm();
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_renewed_is_told_and_still_closed() {
    let mut world = World::new();
    world.script(|call| match call.operation {
        Operation::Create => Outcome::Delay(Duration::from_secs(15)),
        Operation::RenewEphemeral => Outcome::Fail(terrace_port::ProviderDiagnostic::error(
            "Expired",
            "The session has ended.",
        )),
        _ => Outcome::Proceed,
    });
    let text = SESSION.replace("input = ", "renew_after = 10\n  input = ");
    let plan = world.planned(&text).await;
    world.calm();
    let applied = world.run(plan).await;
    assert_eq!(
        told(&applied.diagnostics),
        ["Expired: The session has ended."]
    );
    assert_eq!(world.state().resources.len(), 1, "the object was made");
    world.calm();
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_set_up_by_it_keeps_it_open_to_its_end() {
    let mut world = World::new();
    let text = r#"
ephemeral "test_ephemeral" "token" {
  provider = test.first
  input    = "t"
}
provider "test" {
  alias = "first"
}
provider "test" {
  token = ephemeral.test_ephemeral.token.value
}
resource "test_object" "a" {
  string = "a"
}
"#;
    let plan = world.planned(text).await;
    world.calm();
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    let providers = world.providers.lock().unwrap().clone();
    let token = |provider: &terrace_provider_testkit::StrictProvider| {
        let config = provider.configuration().unwrap();
        config
            .get("token")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    assert_eq!(
        providers
            .iter()
            .map(|provider| token(provider))
            .collect::<Vec<_>>(),
        [None, Some("ephemeral-t".to_owned())]
    );
    world.calm();
    // It is opened to destroy as well.
    let applied = world.destroy(text).await;
    assert_eq!(applied.counts.destroyed, 1);
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    world.calm();
    assert!(world.state().resources.is_empty());
    // One that no provider needs is not.
    let mut world = World::new();
    world.apply(SESSION).await;
    world.calm();
    world.destroy(SESSION).await;
    assert_eq!(world.calls(&LIFE), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_what_is_not_known_yet() {
    let world = World::new();
    let text = r#"
resource "test_object" "first" {
  string = "first"
}
ephemeral "test_ephemeral" "session" {
  input = test_object.first.id
}
resource "test_object" "second" {
  string     = "second"
  write_only = ephemeral.test_ephemeral.session.value
}
"#;
    let plan = world.planned(text).await;
    assert_eq!(world.calls(&LIFE), Vec::<String>::new());
    world.calm();
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    assert_eq!(
        world.calls(&LIFE),
        [
            "create first",
            "open-ephemeral object-1",
            "create second",
            "close-ephemeral"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn instances_modules_and_conditions() {
    let world = World::new();
    let root = r#"
module "m" {
  source = "./m"
  for_each = toset(["x", "y"])
  name = each.key
}
resource "test_object" "a" {
  string     = "a"
  write_only = join(",", [for m in module.m : m.value])
}
"#;
    let child = r#"
variable "name" {
  type = string
}
ephemeral "test_ephemeral" "s" {
  count = 2
  input = "${var.name}${count.index}"
  lifecycle {
    postcondition {
      condition     = self.value == "ephemeral-${var.name}${count.index}"
      error_message = "no"
    }
  }
}
output "value" {
  value     = ephemeral.test_ephemeral.s[1].value
  ephemeral = true
}
"#;
    let planned = world.plan_modules(&[("", root), ("m", child)]).await;
    let plan = planned.good();
    assert_eq!(world.calls(&LIFE).len(), 8);
    world.calm();
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    let calls = world.calls(&LIFE);
    let opened = calls.iter().filter(|call| call.starts_with("open")).count();
    assert_eq!(opened, 4, "{calls:?}");
    world.calm();
    let failing = child.replace("== \"", "!= \"");
    let errors = world
        .plan_modules(&[("", root), ("m", &failing)])
        .await
        .errors();
    assert_eq!(errors[0], "Resource postcondition failed: no");
    world.calm();
}

#[tokio::test(start_paused = true)]
async fn failures_leave_nothing_open() {
    let mut world = World::new();
    let text = r#"
ephemeral "test_ephemeral" "one" {
  input = "one"
}
ephemeral "test_ephemeral" "two" {
  input = "two"
}
resource "test_object" "a" {
  string     = "a"
  write_only = "${ephemeral.test_ephemeral.one.value}${ephemeral.test_ephemeral.two.value}"
}
"#;
    let failure = || terrace_port::ProviderDiagnostic::error("It failed", "It did.");
    world.script(move |call| match (call.operation, call.key.as_str()) {
        (Operation::OpenEphemeral, "two") => Outcome::Fail(failure()),
        _ => Outcome::Proceed,
    });
    assert_eq!(world.plan(text).await.errors(), ["It failed: It did."]);
    world.calm();
    world.script(move |call| match call.operation {
        Operation::Create => Outcome::Fail(failure()),
        _ => Outcome::Proceed,
    });
    let plan = world.planned(text).await;
    world.calm();
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), ["It failed: It did."]);
    world.calm();
    world.script(move |call| match call.operation {
        Operation::CloseEphemeral => Outcome::Fail(failure()),
        _ => Outcome::Proceed,
    });
    let errors = world.plan(text).await.errors();
    assert_eq!(errors, ["It failed: It did.", "It failed: It did."]);
}

#[tokio::test(start_paused = true)]
async fn ephemeral_values_stay_where_they_may_be() {
    let world = World::new();
    let session = "ephemeral \"test_ephemeral\" \"s\" {\n  input = \"x\"\n}\n";
    let refused = [
        (
            "resource \"test_object\" \"a\" {\n  string = ephemeral.test_ephemeral.s.value\n}",
            "Invalid use of ephemeral value: Ephemeral values are not valid for \"string\", because it is not a write-only attribute and must be persisted to state.",
        ),
        (
            "output \"o\" {\n  value = ephemeral.test_ephemeral.s.value\n}",
            "Ephemeral value not allowed: This output value is not declared as returning an ephemeral value, so it cannot be set to a result derived from an ephemeral value.",
        ),
        (
            "data \"test_data\" \"d\" {\n  input = ephemeral.test_ephemeral.s.value\n}",
            "Invalid use of ephemeral value: Ephemeral values are not valid for \"input\", because it is not a write-only attribute and must be persisted to state.",
        ),
    ];
    for (text, expected) in refused {
        let errors = world.plan(&format!("{session}{text}\n")).await.errors();
        assert_eq!(errors, [expected]);
        world.calm();
    }
}

#[tokio::test(start_paused = true)]
async fn ephemeral_variables_are_given_again() {
    let mut world = World::new();
    let text = r#"
variable "password" {
  type      = string
  ephemeral = true
}
resource "test_object" "a" {
  string     = "a"
  write_only = var.password
}
"#;
    world.set("password", Value::string("hunter2"));
    let plan = world.planned(text).await;
    assert!(!texts(&world, &plan).contains("hunter2"));
    let mut forgetful = World::new();
    let applied = forgetful.run(plan.clone()).await;
    assert_eq!(
        told(&applied.diagnostics),
        [
            "No value for required variable: The ephemeral input variable \"password\" was set during the plan phase, so it must be set during the apply phase too: its value is not part of the plan."
        ]
    );
    forgetful.set("password", Value::string("hunter2"));
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    assert!(!world.state_text().contains("hunter2"));
}

/// What is left where nobody recorded how an update of `test_object.a` ended.
async fn interrupted(world: &World, text: &str) -> terrace_state::journal::Recovery {
    use terrace_state::journal::{Intent, IntentAction, Recovery, Uncertain, UncertainCause};
    world.apply(text).await;
    world.calm();
    let state = world.state();
    let address: terrace_addr::AbsResourceInstance = "test_object.a".parse().unwrap();
    let intent = Intent {
        op: 0,
        provider: state.resources[&address.resource].provider.clone(),
        prior: state.object(&address).cloned(),
        address,
        deposed: None,
        action: IntentAction::Update,
        planned_private: [].into(),
        import_id: None,
    };
    Recovery {
        state,
        uncertain: vec![Uncertain {
            intent,
            cause: UncertainCause::InFlight,
            recorded: Vec::new(),
        }],
        ..Recovery::default()
    }
}

#[tokio::test(start_paused = true)]
async fn recovering_opens_what_a_providers_configuration_reads() {
    let world = World::new();
    let text = r#"
ephemeral "test_ephemeral" "seed" {
  provider = test.seed
  input    = "seed"
}
locals {
  token = ephemeral.test_ephemeral.seed.value
}
ephemeral "test_ephemeral" "token" {
  provider = test.seed
  input    = "of-${local.token}"
}
provider "test" {
  alias = "seed"
}
provider "test" {
  token = ephemeral.test_ephemeral.token.value
}
resource "test_object" "a" {
  string = "a"
}
"#;
    let recovery = interrupted(&world, text).await;
    let resolved = world.resolve(text, recovery).await;
    assert_eq!(told(&resolved.diagnostics), Vec::<String>::new());
    assert_eq!(resolved.settled[0].finding, "was read");
    assert_eq!(
        world.calls(&[
            Operation::OpenEphemeral,
            Operation::CloseEphemeral,
            Operation::Read
        ]),
        [
            "open-ephemeral seed",
            "open-ephemeral of-ephemeral-seed",
            "close-ephemeral",
            "close-ephemeral",
            "read a"
        ]
    );
    world.calm();
}

#[tokio::test(start_paused = true)]
async fn recovering_asks_the_instances_of_providers_that_ephemeral_resources_choose() {
    let world = World::new();
    let text = r#"
ephemeral "test_ephemeral" "token" {
  for_each = toset(["north", "south"])
  provider = test.region[each.key]
  input    = each.key
}
provider "test" {
  for_each = toset(["north", "south"])
  alias    = "region"
  region   = each.key
}
provider "test" {
  token = ephemeral.test_ephemeral.token["south"].value
}
resource "test_object" "a" {
  string = "a"
}
"#;
    let recovery = interrupted(&world, text).await;
    let resolved = world.resolve(text, recovery).await;
    assert_eq!(told(&resolved.diagnostics), Vec::<String>::new());
    assert_eq!(resolved.settled[0].finding, "was read");
    assert_eq!(
        world.calls(&[Operation::OpenEphemeral, Operation::Read]),
        ["open-ephemeral north", "open-ephemeral south", "read a"]
    );
}
