use std::sync::Arc;

use futures::executor::block_on;
use terrace_config::IgnoreChanges;
use terrace_plan::{Action, ActionReason};
use terrace_port::PlanResponse;
use terrace_state::{Object, ObjectStatus};
use terrace_value::{Path, Type, Value};

use super::data::{DataInput, plan_data};
use super::{Desired, Import, ManagedInput, ManagedOutcome, Wish, plan_managed};
use crate::testing::{Fake, configured, schema, stored, subject, thing};

fn desired(config: Value) -> Desired {
    Desired {
        config,
        ignore_changes: Arc::new(IgnoreChanges::None),
        replace_requested: false,
        replace_triggered: false,
        create_before_destroy: false,
        skip_destroy: false,
        dependencies: [].into(),
    }
}

fn input(fake: Fake, stored: Option<Arc<Object>>, wish: Wish) -> ManagedInput {
    ManagedInput {
        subject: subject(fake),
        stored,
        stored_provider: None,
        import: None,
        refresh: true,
        wish,
        prevent_destroy: None,
    }
}

fn plan(fake: Fake, stored: Option<Arc<Object>>, desired: Desired) -> ManagedOutcome {
    block_on(plan_managed(input(
        fake,
        stored,
        Wish::Configured(Box::new(desired)),
    )))
}

fn existing() -> Value {
    thing(Value::string("t-1"), "a", 1)
}

fn action(outcome: &ManagedOutcome) -> (Action, ActionReason) {
    assert!(
        !outcome.diagnostics.has_errors(),
        "{:?}",
        outcome.diagnostics
    );
    let change = outcome
        .change
        .as_ref()
        .expect("an instance that is configured has a change");
    (change.action, change.action_reason)
}

#[test]
fn what_is_not_there_is_created() {
    let outcome = plan(Fake::new([]), None, desired(configured("a", 1)));
    assert_eq!(action(&outcome), (Action::Create, ActionReason::None));
    let change = outcome.change.expect("it has a change");
    assert!(change.before.is_null());
    assert_eq!(
        change.after,
        thing(Value::unknown(Type::String), "a", 1).mark_with_paths(&marks())
    );
    assert_eq!(&*change.private, b"planned");
}

/// The schema's sensitive attributes.
fn marks() -> Vec<(Path, terrace_value::Marks)> {
    vec![(
        Path::root().attribute("secret"),
        terrace_value::Marks::SENSITIVE,
    )]
}

#[test]
fn what_is_as_configured_stays() {
    let outcome = plan(
        Fake::new([existing()]),
        Some(stored(&existing())),
        desired(configured("a", 1)),
    );
    assert_eq!(action(&outcome), (Action::NoOp, ActionReason::None));
}

#[test]
fn a_change_in_place_is_an_update() {
    let outcome = plan(
        Fake::new([existing()]),
        Some(stored(&existing())),
        desired(configured("a", 2)),
    );
    assert_eq!(action(&outcome), (Action::Update, ActionReason::None));
}

#[test]
fn what_cannot_change_in_place_is_replaced() {
    let outcome = plan(
        Fake::new([existing()]),
        Some(stored(&existing())),
        desired(configured("b", 1)),
    );
    assert_eq!(
        action(&outcome),
        (
            Action::DeleteThenCreate,
            ActionReason::ReplaceBecauseCannotUpdate
        )
    );
    let change = outcome.change.expect("it has a change");
    assert_eq!(change.replace_paths, [Path::root().attribute("name")]);
    assert_eq!(change.after.get("id").map(Value::is_known), Some(false));
    assert_eq!(change.before.get("id"), Some(&Value::string("t-1")));
}

#[test]
fn replacement_may_create_first() {
    let wanted = Desired {
        create_before_destroy: true,
        ..desired(configured("b", 1))
    };
    let outcome = plan(Fake::new([existing()]), Some(stored(&existing())), wanted);
    assert_eq!(action(&outcome).0, Action::CreateThenDelete);
}

#[test]
fn replacement_on_request_and_by_triggers() {
    let wanted = Desired {
        replace_requested: true,
        ..desired(configured("a", 1))
    };
    let outcome = plan(Fake::new([existing()]), Some(stored(&existing())), wanted);
    assert_eq!(
        action(&outcome),
        (Action::DeleteThenCreate, ActionReason::ReplaceByRequest)
    );
    let wanted = Desired {
        replace_triggered: true,
        ..desired(configured("a", 1))
    };
    let outcome = plan(Fake::new([existing()]), Some(stored(&existing())), wanted);
    assert_eq!(
        action(&outcome),
        (Action::DeleteThenCreate, ActionReason::ReplaceByTriggers)
    );
}

#[test]
fn a_replacement_ignores_no_changes() {
    let wanted = Desired {
        replace_requested: true,
        ignore_changes: Arc::new(IgnoreChanges::All),
        ..desired(configured("b", 2))
    };
    let outcome = plan(Fake::new([existing()]), Some(stored(&existing())), wanted);
    assert_eq!(
        action(&outcome),
        (Action::DeleteThenCreate, ActionReason::ReplaceByRequest)
    );
    let after = outcome.change.expect("it has a change").after;
    assert_eq!(
        after.unmark_deep().0,
        thing(Value::unknown(Type::String), "b", 2)
    );
}

#[test]
fn a_trigger_is_told_of_a_creation_too() {
    let wanted = Desired {
        replace_triggered: true,
        ..desired(configured("a", 1))
    };
    let outcome = plan(Fake::new([]), None, wanted);
    assert_eq!(
        action(&outcome),
        (Action::Create, ActionReason::ReplaceByTriggers)
    );
}

#[test]
fn what_the_schema_has_no_more_does_not_stand_in_the_way() {
    let stored = stored(&existing());
    let text = std::str::from_utf8(&stored.attributes).expect("it is text");
    let surplus = text.replacen('{', "{\"gone\":[1],", 1);
    let older = |schema_version| {
        Arc::new(Object {
            attributes: surplus.as_bytes().into(),
            schema_version,
            ..(*stored).clone()
        })
    };
    let fake = || Fake::new([existing()]);
    let wanted = || desired(configured("a", 1));
    let version = schema().version;
    let outcome = plan(fake(), Some(older(version)), wanted());
    assert_eq!(action(&outcome), (Action::NoOp, ActionReason::None));
    // An older schema is the provider's to upgrade.
    let outcome = plan(fake(), Some(older(version - 1)), wanted());
    assert!(outcome.diagnostics.has_errors());
}

#[test]
fn a_tainted_object_is_replaced() {
    let tainted = Arc::new(Object {
        status: ObjectStatus::Tainted,
        ..(*stored(&existing())).clone()
    });
    let outcome = plan(
        Fake::new([existing()]),
        Some(tainted),
        desired(configured("a", 1)),
    );
    assert_eq!(
        action(&outcome),
        (
            Action::DeleteThenCreate,
            ActionReason::ReplaceBecauseTainted
        )
    );
}

#[test]
fn what_is_gone_is_created_again() {
    let outcome = plan(
        Fake::new([]),
        Some(stored(&existing())),
        desired(configured("a", 1)),
    );
    assert_eq!(action(&outcome), (Action::Create, ActionReason::None));
    assert!(outcome.prior.is_none() && outcome.stored.is_some());
}

#[test]
fn a_read_finds_what_changed_outside() {
    let outside = thing(Value::string("t-1"), "a", 5);
    let outcome = plan(
        Fake::new([outside.clone()]),
        Some(stored(&existing())),
        desired(configured("a", 1)),
    );
    assert_eq!(action(&outcome).0, Action::Update);
    let prior = outcome.prior.expect("the object is there");
    assert_eq!(prior.value.unmark_deep().0, outside);
    assert_ne!(outcome.stored.as_ref(), Some(&prior.value));
    let text = std::str::from_utf8(&prior.object.attributes).expect("attributes are JSON text");
    assert_eq!(
        terrace_value::json::decode(text, &schema().block.implied_type()),
        Ok(outside)
    );
}

#[test]
fn without_refresh_the_stored_object_counts() {
    let outside = thing(Value::string("t-1"), "a", 5);
    let wish = Wish::Configured(Box::new(desired(configured("a", 1))));
    let mut input = input(Fake::new([outside]), Some(stored(&existing())), wish);
    input.refresh = false;
    assert_eq!(action(&block_on(plan_managed(input))).0, Action::NoOp);
}

#[test]
fn an_import_reads_then_plans() {
    let mut input = input(
        Fake::new([existing()]),
        None,
        Wish::Configured(Box::new(desired(configured("a", 2)))),
    );
    let span = terrace_diag::Span::new(terrace_diag::SourceId(0), 0, 0);
    input.import = Some(Import {
        by: super::ImportBy::Id("t-1".into()),
        span: Some(span),
    });
    let outcome = block_on(plan_managed(input));
    assert_eq!(action(&outcome).0, Action::Update);
    let change = outcome.change.expect("it has a change");
    assert_eq!(
        change
            .importing
            .and_then(|importing| importing.id)
            .as_deref(),
        Some("t-1")
    );
}

#[test]
fn an_import_of_nothing_is_an_error() {
    let mut input = input(
        Fake::new([]),
        None,
        Wish::Configured(Box::new(desired(configured("a", 2)))),
    );
    let span = terrace_diag::Span::new(terrace_diag::SourceId(0), 0, 0);
    input.import = Some(Import {
        by: super::ImportBy::Id("t-9".into()),
        span: Some(span),
    });
    let outcome = block_on(plan_managed(input));
    let summaries: Vec<&str> = outcome
        .diagnostics
        .iter()
        .map(|found| &*found.summary)
        .collect();
    assert_eq!(summaries, ["Cannot import non-existent remote object"]);
}

#[test]
fn destruction_can_be_prevented() {
    let mut input = input(
        Fake::new([existing()]),
        Some(stored(&existing())),
        Wish::Gone(ActionReason::DeleteBecauseCountIndex),
    );
    input.prevent_destroy = Some(terrace_diag::Span::new(terrace_diag::SourceId(0), 0, 4));
    let outcome = block_on(plan_managed(input));
    let summaries: Vec<&str> = outcome
        .diagnostics
        .iter()
        .map(|found| &*found.summary)
        .collect();
    assert_eq!(summaries, ["Instance cannot be destroyed"]);
}

#[test]
fn a_removed_object_is_destroyed_or_forgotten() {
    let gone = Wish::Gone(ActionReason::DeleteBecauseNoResourceConfig);
    let outcome = block_on(plan_managed(input(
        Fake::new([existing()]),
        Some(stored(&existing())),
        gone,
    )));
    assert_eq!(
        action(&outcome),
        (Action::Delete, ActionReason::DeleteBecauseNoResourceConfig)
    );
    let forgotten = Wish::Forgotten(ActionReason::DeleteBecauseNoResourceConfig);
    let outcome = block_on(plan_managed(input(
        Fake::new([existing()]),
        Some(stored(&existing())),
        forgotten,
    )));
    assert_eq!(action(&outcome).0, Action::Forget);
}

fn overreaching(legacy: bool) -> Fake {
    let answer: crate::testing::PlanAnswer = if legacy {
        |_| Some(answer_with(7, true))
    } else {
        |_| Some(answer_with(7, false))
    };
    Fake {
        answer,
        ..Fake::new([existing()])
    }
}

fn answer_with(size: i64, legacy_type_system: bool) -> PlanResponse {
    PlanResponse {
        planned: thing(Value::string("t-1"), "a", size),
        requires_replace: Vec::new(),
        private: [].into(),
        legacy_type_system,
        identity: None,
    }
}

#[test]
fn a_plan_that_departs_from_the_configuration_is_refused_with_both_values() {
    let outcome = plan(
        overreaching(false),
        Some(stored(&existing())),
        desired(configured("a", 2)),
    );
    let found = outcome
        .diagnostics
        .iter()
        .next()
        .expect("there is an error");
    assert_eq!(found.summary, "Provider produced invalid plan");
    assert!(
        found.detail.contains(".size") && found.detail.contains('7') && found.detail.contains('2'),
        "{}",
        found.detail
    );
}

#[test]
fn the_old_sdk_is_tolerated() {
    let outcome = plan(
        overreaching(true),
        Some(stored(&existing())),
        desired(configured("a", 2)),
    );
    assert_eq!(action(&outcome).0, Action::Update);
}

#[test]
fn a_mark_alone_is_an_update() {
    let config = configured("a", 1).mark_with_paths(&[(
        Path::root().attribute("name"),
        terrace_value::Marks::SENSITIVE,
    )]);
    let outcome = plan(
        Fake::new([existing()]),
        Some(stored(&existing())),
        desired(config),
    );
    assert_eq!(action(&outcome).0, Action::Update);
    assert!(
        outcome
            .change
            .is_some_and(|change| change.after.get("name").is_some_and(Value::is_sensitive))
    );
}

fn data(config: Value, pending: bool) -> DataInput {
    DataInput {
        subject: subject(Fake::new([])),
        config,
        pending,
        in_check: false,
        may_defer: true,
    }
}

#[test]
fn data_is_read_when_all_is_known() {
    let outcome = block_on(plan_data(data(configured("a", 1), false)));
    assert!(outcome.read && outcome.change.is_none());
}

#[test]
fn data_waits_for_what_is_unknown_or_pending() {
    let unknown = thing(Value::unknown(Type::String), "a", 1);
    let outcome = block_on(plan_data(data(unknown, false)));
    let reason = outcome
        .change
        .map(|change| (change.action, change.action_reason));
    assert_eq!(
        reason,
        Some((Action::Read, ActionReason::ReadBecauseConfigUnknown))
    );
    let outcome = block_on(plan_data(data(configured("a", 1), true)));
    assert_eq!(
        outcome.change.map(|change| change.action_reason),
        Some(ActionReason::ReadBecauseDependencyPending)
    );
    assert!(!outcome.read);
}
