//! Planning over a provider that holds the engine to every rule of the protocol.

mod world;

use terrace_plan::{Action, ActionReason, OpKind, PlanMode};
use terrace_port::ProviderDiagnostic;
use terrace_provider_testkit::{Operation, Outcome, StrictProvider};
use terrace_value::Value;
use world::{Case, actions, change};

fn text(text: &str) -> Value {
    Value::string(text)
}

fn stored() -> Vec<(&'static str, Value)> {
    vec![
        ("id", text("o-1")),
        ("revision", Value::int(1)),
        ("computed", text("c")),
        ("string", text("a")),
    ]
}

#[test]
fn every_kind_of_attribute_is_planned_without_a_complaint() {
    let case = Case::new(
        r#"
        resource "test_object" "a" {
          string     = "s"
          number     = 1.5
          list       = ["x"]
          set        = ["y", "x", "y"]
          map        = { k = "v" }
          any        = { deep = [1, "two"] }
          secret     = "hidden"
          write_only = "never stored"
        }
        resource "test_object" "b" {
          string = test_object.a.id
          list   = [test_object.a.computed, "known"]
        }
        "#,
    );
    let plan = case.plan().good();
    let created = change(&plan, "test_object.a");
    assert_eq!(created.action, Action::Create);
    assert!(created.after.get("secret").is_some_and(Value::is_sensitive));
    assert!(
        created.after.get("write_only").is_some_and(Value::is_null),
        "write-only values never come back"
    );
    assert!(
        change(&plan, "test_object.b")
            .after
            .get("string")
            .is_some_and(|value| !value.is_known())
    );
}

#[test]
fn an_object_that_changed_outside_drifts_and_is_set_right() {
    let mut outside = stored();
    outside[3] = ("string", text("other"));
    let case = Case::new(r#"resource "test_object" "a" { string = "a" }"#).with_object(
        "test_object.a",
        &stored(),
        Some(&outside),
    );
    let plan = case.plan().good();
    assert_eq!(plan.drift.len(), 1);
    assert_eq!(plan.drift[0].action, Action::Update);
    let update = change(&plan, "test_object.a");
    assert_eq!(update.action, Action::Update);
    assert_eq!(update.before.get("string"), Some(&text("other")));
    assert!(
        update
            .reasons
            .iter()
            .any(|reason| reason.attribute == "string" && reason.cause == "changed outside")
    );
}

#[test]
fn an_object_that_is_gone_is_made_again() {
    let case = Case::new(r#"resource "test_object" "a" { string = "a" }"#).with_object(
        "test_object.a",
        &stored(),
        Some(&stored()),
    );
    case.strict
        .world()
        .delete("o-1")
        .expect("it can be deleted");
    let plan = case.plan().good();
    assert_eq!(plan.drift[0].action, Action::Delete);
    assert_eq!(change(&plan, "test_object.a").action, Action::Create);
    assert!(plan.prior_state.resources.is_empty());
    assert_eq!(plan.previous_state.resources.len(), 1);
}

#[test]
fn refresh_only_takes_over_and_changes_nothing() {
    let mut outside = stored();
    outside[3] = ("string", text("other"));
    let mut case = Case::new(r#"resource "test_object" "a" { string = "wanted" }"#).with_object(
        "test_object.a",
        &stored(),
        Some(&outside),
    );
    case.options.mode = PlanMode::RefreshOnly;
    let plan = case.plan().good();
    assert!(plan.changes.is_empty() && plan.has_changes());
    assert_eq!(case.strict.count(Operation::Plan), 0);
}

#[test]
fn without_refresh_nothing_is_read() {
    let mut case = Case::new(r#"resource "test_object" "a" { string = "a" }"#).with_object(
        "test_object.a",
        &stored(),
        Some(&stored()),
    );
    case.options.refresh = false;
    assert_eq!(
        change(&case.plan().good(), "test_object.a").action,
        Action::NoOp
    );
    assert_eq!(case.strict.count(Operation::Read), 0);
}

#[test]
fn a_replacement_tells_its_dependents() {
    let mut second = stored();
    second[0] = ("id", text("o-2"));
    second[3] = ("string", text("o-1"));
    let case = Case::new(
        r#"
        resource "test_object" "a" {
          string    = "a"
          immutable = "new"
        }
        resource "test_object" "b" {
          string = test_object.a.id
        }
        "#,
    )
    .with_object("test_object.a", &stored(), Some(&stored()))
    .with_object("test_object.b", &second, Some(&second));
    let plan = case.plan().good();
    let replaced = change(&plan, "test_object.a");
    assert_eq!(
        (replaced.action, replaced.action_reason),
        (
            Action::DeleteThenCreate,
            ActionReason::ReplaceBecauseCannotUpdate
        )
    );
    let update = change(&plan, "test_object.b");
    assert_eq!(update.action, Action::Update);
    let reason = update
        .reasons
        .iter()
        .find(|reason| reason.attribute == "string")
        .expect("it has a reason");
    assert_eq!(reason.place, "main.tf:12");
    assert!(
        reason
            .cause
            .starts_with("test_object.a is replaced, and test_object.a."),
        "{}",
        reason.cause
    );
}

#[test]
fn data_is_read_now_or_later() {
    let case = Case::new(
        r#"
        resource "test_object" "a" { string = "a" }
        data "test_data" "now" { input = "known" }
        data "test_data" "later" { input = test_object.a.id }
        data "test_data" "pending" {
          input      = "known too"
          depends_on = [test_object.a]
        }
        output "now" { value = data.test_data.now.output }
        "#,
    );
    let plan = case.plan().good();
    assert_eq!(
        actions(&plan),
        [
            (
                "test_object.a".to_owned(),
                Action::Create,
                ActionReason::None
            ),
            (
                "data.test_data.later".to_owned(),
                Action::Read,
                ActionReason::ReadBecauseConfigUnknown
            ),
            (
                "data.test_data.pending".to_owned(),
                Action::Read,
                ActionReason::ReadBecauseDependencyPending
            ),
        ]
    );
    assert_eq!(plan.outputs["now"].after, text("known"));
    assert_eq!(case.strict.count(Operation::ReadData), 1);
}

#[test]
fn data_that_names_what_changes_is_read_after_the_change() {
    let configuration = r#"
        resource "test_object" "behind" { string = "new" }
        resource "test_object" "a" {
          string = "a"
          map    = { behind = test_object.behind.id }
        }
        locals { id = test_object.behind.id }
        data "test_data" "named" { input = test_object.behind.id }
        data "test_data" "behind" { input = test_object.a.computed }
        data "test_data" "local" { input = local.id }
        data "test_data" "explicit" {
          input      = "known"
          depends_on = [test_object.a]
        }
        data "test_data" "free" { input = "known" }
        "#;
    let a = || {
        let map = Value::map(terrace_value::Type::String, [("behind", text("o-1"))]);
        let mut a = stored();
        a[0].1 = text("o-2");
        a.push(("map", map));
        a
    };
    let case = Case::new(configuration)
        .with_object("test_object.behind", &stored(), Some(&stored()))
        .with_object("test_object.a", &a(), Some(&a()));
    let plan = case.plan().good();
    assert_eq!(change(&plan, "test_object.behind").action, Action::Update);
    assert_eq!(change(&plan, "test_object.a").action, Action::NoOp);
    // A value alone, by way of a name, does not say that the data waits.
    for name in ["named", "behind", "explicit"] {
        let read = change(&plan, &format!("data.test_data.{name}"));
        assert_eq!(
            (read.action, read.action_reason),
            (Action::Read, ActionReason::ReadBecauseDependencyPending),
            "{name}"
        );
    }
    assert_eq!(case.strict.count(Operation::ReadData), 2);
}

#[test]
fn an_import_alone_takes_an_object_over_and_leaves_all_others() {
    let mut case = Case::new(
        r#"
        resource "test_object" "a" { string = "configured" }
        resource "test_object" "b" {
          string = test_object.a.id
        }
        moved {
          from = test_object.before
          to   = test_object.c
        }
        resource "test_object" "c" { string = "c" }
        output "id" { value = test_object.a.id }
        "#,
    )
    .with_object("test_object.before", &stored(), Some(&stored()));
    case.options.mode = PlanMode::RefreshOnly;
    case.options.refresh = false;
    case.options.imports = vec![("test_object.a".parse().unwrap(), "o-1".to_owned())];
    let plan = case.plan().good();
    let taken = change(&plan, "test_object.a");
    assert_eq!(taken.action, Action::NoOp);
    assert_eq!(
        taken
            .importing
            .as_ref()
            .and_then(|importing| importing.id.as_deref()),
        Some("o-1")
    );
    assert_eq!(plan.changes.len(), 1);
    assert!(plan.has_changes());
    assert_eq!(plan.outputs["id"].after, text("o-1"));
    let there: Vec<String> = plan
        .prior_state
        .instances()
        .map(|(address, ..)| address.to_string())
        .collect();
    assert_eq!(there, ["test_object.a", "test_object.before"]);
    assert_eq!(case.strict.count(Operation::Plan), 0);
}

#[test]
fn a_provider_is_set_up_with_what_is_known_of_its_configuration() {
    let case = Case::new(
        r#"
        variable "token" {
          default   = "t0ken"
          sensitive = true
        }
        provider "test" {
          region = "north"
          token  = var.token
        }
        resource "test_object" "a" { string = "a" }
        "#,
    );
    let plan = case.plan().good();
    let configuration = case.strict.configuration().expect("it was set up");
    assert_eq!(configuration.get("region"), Some(&text("north")));
    assert_eq!(
        configuration.get("token"),
        Some(&text("t0ken")),
        "providers get values without marks"
    );
    assert!(case.strict.is_closed());
    let opens = plan
        .exec
        .ops
        .iter()
        .filter(|op| matches!(op.kind, OpKind::OpenProvider(_)))
        .count();
    assert_eq!(opens, 1);
}

#[test]
fn a_provider_that_nothing_needs_is_not_opened() {
    let case =
        Case::new("provider \"test\" {\n  region = \"north\"\n}\noutput \"o\" {\n  value = 1\n}");
    case.plan().good();
    assert!(case.strict.calls().is_empty());
}

#[test]
fn what_a_provider_refuses_is_told_with_its_place_and_stops_its_dependents_only() {
    let strict = StrictProvider::new().with_script(|call| {
        if call.operation == Operation::Plan && call.key == "bad" {
            return Outcome::Fail(ProviderDiagnostic::error("No", "Not this one."));
        }
        Outcome::Proceed
    });
    let case = Case::over(
        r#"
        resource "test_object" "bad" { string = "bad" }
        resource "test_object" "after" { string = test_object.bad.id }
        resource "test_object" "apart" { string = "good" }
        "#,
        strict,
    );
    let planned = case.plan();
    assert_eq!(planned.summaries(), ["No"]);
    let addresses: Vec<String> = actions(&planned.plan)
        .into_iter()
        .map(|(address, ..)| address)
        .collect();
    assert_eq!(addresses, ["test_object.apart"]);
    assert!(
        planned.plan.exec.ops.is_empty(),
        "a plan with errors cannot be applied"
    );
}

#[test]
fn a_provider_that_dies_is_named() {
    let strict = StrictProvider::new().with_script(|call| {
        if call.operation == Operation::Read {
            Outcome::Lost
        } else {
            Outcome::Proceed
        }
    });
    let case = Case::over(r#"resource "test_object" "a" { string = "a" }"#, strict).with_object(
        "test_object.a",
        &stored(),
        Some(&stored()),
    );
    let planned = case.plan();
    assert_eq!(planned.summaries(), ["Provider call failed"]);
    let detail = &planned
        .diagnostics
        .iter()
        .next()
        .expect("there is one")
        .detail;
    assert!(
        detail.contains("terrace/test") && detail.contains("reading test_object.a"),
        "{detail}"
    );
    assert_eq!(
        planned.plan.prior_state.resources.len(),
        1,
        "nothing is known to be gone"
    );
}

#[test]
fn an_answer_of_another_shape_is_refused() {
    let strict = StrictProvider::new().with_script(|call| match call.operation {
        Operation::Plan => Outcome::Answer(Value::object([("id", Value::int(1))])),
        _ => Outcome::Proceed,
    });
    let planned = Case::over(r#"resource "test_object" "a" { string = "a" }"#, strict).plan();
    assert_eq!(planned.summaries(), ["Provider produced invalid plan"]);
}

#[test]
fn imports_take_objects_over() {
    let case = Case::new(
        r#"
        resource "test_object" "a" { string = "a" }
        import {
          to = test_object.a
          id = "o-7"
        }
        "#,
    );
    let mut outside = stored();
    outside[0] = ("id", text("o-7"));
    let outside = case.strict.object(outside);
    case.strict
        .world()
        .plant("test_object", "o-7", outside)
        .expect("it can be planted");
    let plan = case.plan().good();
    let imported = change(&plan, "test_object.a");
    assert_eq!(imported.action, Action::NoOp);
    assert_eq!(
        imported
            .importing
            .as_ref()
            .and_then(|importing| importing.id.as_deref()),
        Some("o-7")
    );
    assert!(
        plan.exec
            .ops
            .iter()
            .any(|op| matches!(op.kind, OpKind::Record { .. }))
    );
}

#[test]
fn destroying_takes_everything() {
    let mut second = stored();
    second[0] = ("id", text("o-2"));
    let mut case = Case::new(
        "resource \"test_object\" \"a\" {}\nresource \"test_object\" \"b\" {\n  string = test_object.a.id\n}",
    )
    .with_object("test_object.a", &stored(), Some(&stored()))
    .with_object("test_object.b", &second, Some(&second));
    case.options.mode = PlanMode::Destroy;
    let plan = case.plan().good();
    assert!(
        actions(&plan)
            .iter()
            .all(|(_, action, _)| *action == Action::Delete)
    );
    assert_eq!(plan.changes.len(), 2);
}

#[test]
fn a_sensitive_value_marks_what_it_is_put_into() {
    let case = Case::new(
        r#"
        variable "s" {
          default   = "shh"
          sensitive = true
        }
        resource "test_object" "a" {
          map = { open = "x", closed = var.s }
        }
        "#,
    );
    let plan = case.plan().good();
    let map = change(&plan, "test_object.a")
        .after
        .get("map")
        .expect("it is there")
        .clone();
    assert!(map.get("closed").is_some_and(Value::is_sensitive));
    assert!(map.get("open").is_some_and(|value| !value.is_sensitive()));
    assert!(
        !format!("{:?}", plan.changes).contains("shh"),
        "debug output never shows secrets"
    );
}

#[test]
fn unknown_values_do_not_decide_how_many() {
    let planned = Case::new(
        r#"
        resource "test_object" "a" {}
        resource "test_object" "b" { count = length(test_object.a.computed) }
        "#,
    )
    .plan();
    assert_eq!(planned.summaries(), ["Invalid count argument"]);
}

#[test]
fn validation_asks_providers_without_setting_them_up() {
    let strict = StrictProvider::new().with_script(|call| match call.operation {
        Operation::ValidateResource => {
            Outcome::Warn(ProviderDiagnostic::warning("Old", "Do not use it."))
        }
        _ => Outcome::Proceed,
    });
    let case = Case::over(
        "resource \"test_object\" \"a\" {\n  count  = 2\n  string = test_object.b.id\n}\nresource \"test_object\" \"b\" {}",
        strict,
    );
    let found = case.validate();
    let summaries: Vec<&str> = found.iter().map(|found| &*found.summary).collect();
    assert_eq!(summaries, ["Old", "Old"]);
    assert_eq!(case.strict.configuration(), None);
    let wrong = Case::new("resource \"test_object\" \"a\" {\n  strin = 1\n}").validate();
    let summaries: Vec<&str> = wrong.iter().map(|found| &*found.summary).collect();
    assert_eq!(summaries, ["Unsupported argument"]);
}

#[test]
fn only_targets_and_what_they_need_are_planned() {
    let mut case = Case::new(
        r#"
        resource "test_object" "a" { count = 2 }
        resource "test_object" "b" {
          count  = 2
          string = test_object.a[count.index].id
        }
        resource "test_object" "c" {}
        "#,
    );
    case.options
        .targets
        .push("test_object.b[1]".parse().expect("it parses"));
    let planned = case.plan();
    assert_eq!(planned.summaries(), ["Resource targeting is in effect"]);
    let addresses: Vec<String> = actions(&planned.plan)
        .into_iter()
        .map(|(address, ..)| address)
        .collect();
    assert_eq!(
        addresses,
        ["test_object.a[0]", "test_object.a[1]", "test_object.b[1]"]
    );
}
