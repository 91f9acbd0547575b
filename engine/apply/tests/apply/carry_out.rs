//! Plans are carried out: what is asked of providers, what is kept, what is said.

use crate::world::{Manner, World, messages};
use futures::FutureExt as _;
use terrace_apply::{Counts, Stop};
use terrace_plan::PlanMode;
use terrace_state::ObjectStatus;

const CHAIN: &str = r#"
resource "fake_thing" "a" {
  name = "a"
}
resource "fake_thing" "b" {
  name = "b-${fake_thing.a.id}"
  size = 2
}
output "name" {
  value = fake_thing.b.name
}
"#;

fn object(world: &World, address: &str) -> Option<String> {
    let object = world.stored().object(&address.parse().unwrap()).cloned()?;
    Some(String::from_utf8(object.attributes.to_vec()).unwrap())
}

#[test]
fn values_flow_and_the_state_is_stored() {
    let world = World::new();
    let applied = world.apply(CHAIN);
    assert!(
        !applied.diagnostics.has_errors(),
        "{:?}",
        messages(&applied.diagnostics)
    );
    assert_eq!(
        applied.counts,
        Counts {
            added: 2,
            ..Counts::default()
        }
    );
    assert_eq!(world.calls(), ["create a", "create b-object-1"]);
    let stored = world.stored();
    assert_eq!((stored.serial, stored.lineage.is_empty()), (1, false));
    assert_eq!(stored.outputs["name"].value.as_str(), Some("b-object-1"));
    assert_eq!(
        object(&world, "fake_thing.a").unwrap(),
        r#"{"id":"object-1","kind":null,"name":"a","secret":null,"size":7}"#
    );
    let b = stored
        .object(&"fake_thing.b".parse().unwrap())
        .unwrap()
        .clone();
    assert_eq!(b.dependencies[0].to_string(), "fake_thing.a");
    assert!(
        world.frames.lock().unwrap().is_empty(),
        "the journal is empty once all is stored"
    );
    assert_eq!(
        world.events(),
        [
            "start fake_thing.a create",
            "done fake_thing.a create",
            "start fake_thing.b create",
            "done fake_thing.b create"
        ]
    );

    let again = world.apply(CHAIN);
    assert_eq!(again.counts, Counts::default());
    assert_eq!(
        world.stored().serial,
        1,
        "nothing changed, so the serial stays"
    );
    assert!(world.calls().is_empty());
}

#[test]
fn the_state_and_the_journal_are_read_at_the_same_time() {
    let world = World::new();
    let text = "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n}\n";
    let plan = world.plan(text, PlanMode::Normal);
    let plan = plan.now_or_never().expect("planning never waits");
    *world.reading.lock().unwrap() = Some(Vec::new());
    let stop = Stop::default();
    let applied = futures::executor::block_on(world.run(plan, &stop));
    assert_eq!(applied.counts.added, 1);
    assert_eq!(
        world.reading.lock().unwrap().take().unwrap(),
        ["state", "journal", "state is there", "journal is there"]
    );
}

#[test]
fn what_is_ready_together_costs_one_flush() {
    let world = World::new();
    let applied = world
        .apply("resource \"fake_thing\" \"a\" {\n  count = 12\n  name = \"n${count.index}\"\n}\n");
    assert_eq!(applied.counts.added, 12);
    // Four at a time: the results of four and the intents of the next four in one.
    assert!(
        *world.appends.lock().unwrap() <= 6,
        "{} flushes",
        world.appends.lock().unwrap()
    );
}

#[test]
fn updates_replacements_and_destruction() {
    let world = World::new();
    let text = |size: u32, kind: &str| {
        format!(
            "resource \"fake_thing\" \"a\" {{\n  name = \"a\"\n  size = {size}\n  kind = \"{kind}\"\n}}\n"
        )
    };
    world.apply(&text(1, "x"));
    let applied = world.apply(&text(2, "x"));
    assert_eq!(
        applied.counts,
        Counts {
            changed: 1,
            ..Counts::default()
        }
    );
    let applied = world.apply(&text(2, "y"));
    assert_eq!(
        applied.counts,
        Counts {
            added: 1,
            destroyed: 1,
            ..Counts::default()
        }
    );
    assert_eq!(
        world.calls(),
        ["create a", "update a", "delete a", "create a"]
    );
    let applied = world.apply_in(&text(2, "y"), PlanMode::Destroy);
    assert_eq!(
        applied.counts,
        Counts {
            destroyed: 1,
            ..Counts::default()
        }
    );
    assert!(world.stored().resources.is_empty());
    assert!(world.state.lock().unwrap().objects.is_empty());
}

#[test]
fn creating_before_destroying_deposes() {
    let world = World::new();
    let text = |kind: &str| {
        format!(
            "resource \"fake_thing\" \"a\" {{\n  name = \"a\"\n  kind = \"{kind}\"\n  lifecycle {{\n    create_before_destroy = true\n  }}\n}}\n"
        )
    };
    world.apply(&text("x"));
    world.apply(&text("y"));
    assert_eq!(world.calls(), ["create a", "create a", "delete a"]);
    assert!(object(&world, "fake_thing.a").unwrap().contains("object-2"));

    world.manner("a", Manner::Fail);
    let applied = world.apply(&text("z"));
    assert!(applied.diagnostics.has_errors());
    let stored = world.stored();
    let instance = &stored.resources.values().next().unwrap().instances[&None];
    assert!(
        instance.deposed.is_empty(),
        "the old object is the present one again"
    );
    assert!(object(&world, "fake_thing.a").unwrap().contains("object-2"));

    world.manner("a", Manner::FailAfter);
    world.apply(&text("z"));
    let stored = world.stored();
    let instance = &stored.resources.values().next().unwrap().instances[&None];
    assert_eq!(
        instance.deposed.len(),
        1,
        "the old object waits for its destruction"
    );
    assert_eq!(
        instance.current.as_ref().unwrap().status,
        ObjectStatus::Tainted
    );

    world.calm();
    let applied = world.apply(&text("z"));
    assert!(
        !applied.diagnostics.has_errors(),
        "{:?}",
        messages(&applied.diagnostics)
    );
    assert_eq!(world.state.lock().unwrap().objects.len(), 1);
    let stored = world.stored();
    assert!(
        stored.resources.values().next().unwrap().instances[&None]
            .deposed
            .is_empty()
    );
}

#[test]
fn a_failure_skips_what_depends_on_it_and_nothing_else() {
    let world = World::new();
    world.manner("a", Manner::Fail);
    let text = format!(
        "{CHAIN}resource \"fake_thing\" \"c\" {{\n  name = \"c\"\n}}\noutput \"c\" {{\n  value = fake_thing.c.name\n}}\n"
    );
    let applied = world.apply(&text);
    assert_eq!(
        messages(&applied.diagnostics),
        ["It failed: The object could not be made."]
    );
    assert_eq!(
        applied
            .diagnostics
            .iter()
            .next()
            .unwrap()
            .address
            .as_deref(),
        Some("fake_thing.a")
    );
    assert_eq!(applied.counts.added, 1);
    assert!(object(&world, "fake_thing.c").is_some());
    assert!(object(&world, "fake_thing.a").is_none());
    assert_eq!(
        world
            .stored()
            .outputs
            .keys()
            .map(|name| &**name)
            .collect::<Vec<_>>(),
        ["c"]
    );
    assert!(world.frames.lock().unwrap().is_empty());
}

#[test]
fn partial_results_are_kept_tainted() {
    let world = World::new();
    world.manner("a", Manner::FailAfter);
    world.apply(CHAIN);
    let stored = world.stored();
    assert_eq!(
        stored
            .object(&"fake_thing.a".parse().unwrap())
            .unwrap()
            .status,
        ObjectStatus::Tainted
    );
    world.calm();
    let applied = world.apply(CHAIN);
    assert_eq!(
        applied.counts,
        Counts {
            added: 2,
            destroyed: 1,
            ..Counts::default()
        }
    );
}

#[test]
fn providers_are_held_to_what_they_planned() {
    for (manner, summary, detail) in [
        (
            Manner::WrongSize,
            "Provider produced inconsistent result after apply",
            ".size: was 1, but now 99",
        ),
        (
            Manner::Fickle,
            "Provider produced inconsistent final plan",
            ".size",
        ),
        (
            Manner::Unknown,
            "Provider returned invalid result object after apply",
            "fake_thing.a.size",
        ),
    ] {
        let world = World::new();
        world.manner("a", manner.clone());
        let text = "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n  size = 1\n}\n";
        let text = if matches!(manner, Manner::Fickle) {
            text.replace("  size = 1\n", "")
        } else {
            text.to_owned()
        };
        let plan = world.plan(&text, PlanMode::Normal).now_or_never().unwrap();
        let plan = if matches!(manner, Manner::Fickle) {
            known_size(plan)
        } else {
            plan
        };
        let applied = world.run(plan, &Stop::default()).now_or_never().unwrap();
        let first = messages(&applied.diagnostics)
            .into_iter()
            .next()
            .unwrap_or_default();
        assert!(
            first.starts_with(summary) && first.contains(detail),
            "{first}"
        );
        let kept = object(&world, "fake_thing.a").is_some();
        assert_eq!(kept, !matches!(manner, Manner::Fickle), "{manner:?}");
    }
}

/// The plan as if the size had been known.
fn known_size(mut plan: terrace_plan::Plan) -> terrace_plan::Plan {
    for change in &mut plan.changes {
        let mut entries = change.after.as_entries().unwrap().clone();
        entries.insert("size".into(), terrace_value::Value::int(5));
        change.after = terrace_value::Value::object(entries);
    }
    plan
}

#[test]
fn provisioners_run_and_their_failure_taints() {
    let world = World::new();
    let text = |create: &str| {
        format!(
            r#"resource "fake_thing" "a" {{
  name   = "a"
  secret = "hush"
  provisioner "local-exec" {{
    command = "{create} ${{self.id}}"
  }}
  provisioner "local-exec" {{
    command    = "fail but go on"
    on_failure = continue
  }}
  provisioner "local-exec" {{
    command = "tell ${{self.secret}}"
  }}
  provisioner "local-exec" {{
    when    = destroy
    command = "bye ${{self.name}}"
  }}
}}
"#
        )
    };
    let applied = world.apply(&text("hello"));
    assert!(
        !applied.diagnostics.has_errors(),
        "{:?}",
        messages(&applied.diagnostics)
    );
    let ran = std::mem::take(&mut *world.commands.lock().unwrap());
    assert_eq!(ran, ["hello object-1", "fail but go on", "tell hush"]);
    let events = world.events();
    assert!(
        events.contains(&"output fake_thing.a out of hello object-1".to_owned()),
        "{events:?}"
    );
    assert!(events.contains(
        &"output fake_thing.a (output suppressed due to sensitive value in config)".to_owned()
    ));
    assert_eq!(messages(&applied.diagnostics), Vec::<String>::new());
    assert!(
        events.contains(&"output fake_thing.a local-exec provisioner error: Error running command 'fail but go on': exit status 3. Output: fail but go on (on_failure = continue lets it pass)".to_owned()),
        "{events:?}"
    );
    assert!(
        !events.iter().any(|event| event.contains("hush")),
        "{events:?}"
    );

    world.apply_in(&text("hello"), PlanMode::Destroy);
    assert_eq!(
        std::mem::take(&mut *world.commands.lock().unwrap()),
        ["bye a"]
    );

    let applied = world.apply(&text("fail"));
    assert_eq!(
        messages(&applied.diagnostics),
        [
            "local-exec provisioner error: Error running command 'fail object-2': exit status 3. Output: fail object-2"
        ]
    );
    let stored = world.stored();
    assert_eq!(
        stored
            .object(&"fake_thing.a".parse().unwrap())
            .unwrap()
            .status,
        ObjectStatus::Tainted
    );
    assert!(
        world
            .events()
            .contains(&"failed fake_thing.a create".to_owned())
    );
}

#[test]
fn conditions_are_judged_and_recorded() {
    let world = World::new();
    let text = r#"
resource "fake_thing" "a" {
  name = "a"
  lifecycle {
    postcondition {
      condition     = self.size == 8
      error_message = "size is ${self.size}"
    }
  }
}
resource "fake_thing" "b" {
  name = fake_thing.a.id
}
check "c" {
  assert {
    condition     = fake_thing.a.size == 9
    error_message = "not nine"
  }
}
"#;
    let applied = world.apply(text);
    let said = messages(&applied.diagnostics);
    assert!(
        said.iter()
            .any(|said| said == "Resource postcondition failed: size is 7"),
        "{said:?}"
    );
    assert!(
        object(&world, "fake_thing.a").is_some(),
        "the object is there, and kept"
    );
    assert!(
        object(&world, "fake_thing.b").is_none(),
        "what depends on it is skipped"
    );
    let results = world.stored().check_results.unwrap();
    let resource = results
        .iter()
        .find(|result| &*result.kind == "resource")
        .unwrap();
    assert_eq!(resource.objects[0].failures, ["size is 7"]);
}

#[test]
fn data_is_read_when_what_it_depends_on_is_there() {
    let world = World::new();
    let text = r#"
resource "fake_thing" "a" {
  name = "a"
}
data "fake_thing" "a" {
  name       = "a"
  depends_on = [fake_thing.a]
}
output "id" {
  value = data.fake_thing.a.id
}
"#;
    let applied = world.apply(text);
    assert!(
        !applied.diagnostics.has_errors(),
        "{:?}",
        messages(&applied.diagnostics)
    );
    assert_eq!(
        world.stored().outputs["id"].value.as_str(),
        Some("object-1")
    );
    assert!(object(&world, "data.fake_thing.a").is_some());
}

#[test]
fn removed_objects_are_forgotten() {
    let world = World::new();
    world.apply("resource \"fake_thing\" \"a\" {\n  name = \"a\"\n}\n");
    let applied = world
        .apply("removed {\n  from = fake_thing.a\n  lifecycle {\n    destroy = false\n  }\n}\n");
    assert_eq!(
        applied.counts,
        Counts {
            forgotten: 1,
            ..Counts::default()
        }
    );
    assert!(world.stored().resources.is_empty());
    assert_eq!(world.state.lock().unwrap().objects.len(), 1);
}

#[test]
fn a_request_to_stop_begins_nothing_new() {
    let world = World::new();
    let plan = world.plan(CHAIN, PlanMode::Normal).now_or_never().unwrap();
    let stop = Stop::default();
    stop.request();
    let applied = world.run(plan, &stop).now_or_never().expect("it ends");
    assert!(messages(&applied.diagnostics)[0].starts_with("Operation interrupted"));
    assert!(world.calls().iter().all(|call| !call.starts_with("create")));
}

#[test]
fn a_second_request_abandons_what_never_ends() {
    let world = World::new();
    world.manner("a", Manner::Stuck);
    let plan = world.plan(CHAIN, PlanMode::Normal).now_or_never().unwrap();
    let stop = Stop::default();
    let run = world.run(plan, &stop);
    futures::pin_mut!(run);
    assert!(
        run.as_mut().now_or_never().is_none(),
        "it waits for the provider"
    );
    stop.request();
    assert!(
        run.as_mut().now_or_never().is_none(),
        "it still waits, gently"
    );
    assert!(world.calls().contains(&"stop".to_owned()));
    stop.request();
    let applied = run.now_or_never().expect("it waits no more");
    assert_eq!(applied.uncertain.len(), 1);
    assert!(
        messages(&applied.diagnostics)
            .iter()
            .any(|said| said.starts_with("Operation abandoned"))
    );
    let refused = world.apply(CHAIN);
    assert!(messages(&refused.diagnostics)[0].starts_with("An earlier run was interrupted"));
    world.calm();
    let resolved = world.recover(CHAIN, true);
    assert_eq!(resolved.settled[0].finding, "was not created");
    assert!(!world.apply(CHAIN).diagnostics.has_errors());
}

#[test]
fn an_import_that_fails_does_not_say_that_nothing_was_made() {
    let world = World::new();
    *world.foretells.lock().unwrap() = true;
    world.manner("a", Manner::Stuck);
    let plan = world.plan(CHAIN, PlanMode::Normal).now_or_never().unwrap();
    let stop = Stop::default();
    let run = world.run(plan, &stop);
    futures::pin_mut!(run);
    assert!(run.as_mut().now_or_never().is_none());
    stop.request();
    stop.request();
    assert_eq!(run.now_or_never().expect("it ends").uncertain.len(), 1);
    world.calm();
    let asked = world.recover(CHAIN, false);
    assert_eq!(asked.settled.len(), 0);
    assert_eq!(
        messages(&asked.diagnostics),
        [
            "Uncertain object: The provider was asked to create fake_thing.a, and its answer was not recorded. Asked for \"named-a\", by which the object would be found, it failed: Not found: There is no such object."
        ]
    );
    let told = world.recover(CHAIN, true);
    assert_eq!(told.settled[0].finding, "was not created");
    assert!(!world.apply(CHAIN).diagnostics.has_errors());
}

#[test]
fn a_plan_is_stale_once_what_it_touches_has_changed() {
    let world = World::new();
    let plan = world.plan(CHAIN, PlanMode::Normal).now_or_never().unwrap();
    world.apply("resource \"fake_thing\" \"a\" {\n  name = \"other\"\n}\n");
    let applied = world.run(plan, &Stop::default()).now_or_never().unwrap();
    assert!(messages(&applied.diagnostics)[0].starts_with("Saved plan is stale"));
}

#[test]
fn a_state_that_cannot_be_stored_is_recovered_from_the_journal() {
    let world = World::new();
    *world.refuse_writes.lock().unwrap() = true;
    let applied = world.apply(CHAIN);
    assert!(messages(&applied.diagnostics)[0].starts_with("Failed to save state"));
    *world.refuse_writes.lock().unwrap() = false;
    let resolved = world.recover(CHAIN, false);
    assert!(resolved.open.is_empty());
    assert_eq!(world.stored().resources.len(), 2);
    assert_eq!(world.stored().outputs.len(), 1);
    assert_eq!(world.apply(CHAIN).counts, Counts::default());
}

#[test]
fn outputs_of_what_did_not_come_through_are_not_stored() {
    let world = World::new();
    world.manner("a", Manner::Fail);
    let text = r#"
resource "fake_thing" "a" {
  name = "a"
}
resource "fake_thing" "b" {
  name       = "b"
  depends_on = [fake_thing.a]
}
output "planned" {
  value = fake_thing.b.name
}
output "constant" {
  value = "c"
}
"#;
    world.apply(text);
    let stored = world.stored();
    assert_eq!(
        stored
            .outputs
            .keys()
            .map(|name| &**name)
            .collect::<Vec<_>>(),
        ["constant"]
    );
}

#[test]
fn modules_each_and_variables_reach_the_provider() {
    let world = World::new();
    let text = r#"
variable "sizes" {
  type    = map(number)
  default = { x = 1, y = 2 }
}
locals {
  ids = { for key, thing in fake_thing.each : key => thing.id }
}
resource "fake_thing" "each" {
  for_each = var.sizes
  name     = each.key
  size     = each.value
}
resource "fake_thing" "all" {
  name = join(",", values(local.ids))
}
output "x" {
  value = fake_thing.each["x"].size
}
"#;
    let applied = world.apply(text);
    assert!(
        !applied.diagnostics.has_errors(),
        "{:?}",
        messages(&applied.diagnostics)
    );
    assert_eq!(world.calls()[2], "create object-1,object-2");
    assert_eq!(
        world.stored().outputs["x"].value,
        terrace_value::Value::int(1)
    );
}

#[test]
fn values_of_each_that_were_not_known_are_found_out() {
    let world = World::new();
    let text = r#"
locals {
  first  = fake_thing.first.id
  second = fake_thing.second.id
  ids    = { x = local.first, y = local.second, z = "known" }
}
resource "fake_thing" "first" {
  name = "first"
}
resource "fake_thing" "second" {
  name = "second ${fake_thing.first.id}"
}
resource "fake_thing" "each" {
  for_each = local.ids
  name     = each.value
}
"#;
    let applied = world.apply(text);
    assert!(
        !applied.diagnostics.has_errors(),
        "{:?}",
        messages(&applied.diagnostics)
    );
    let mut calls = world.calls();
    calls.sort_unstable();
    assert_eq!(
        calls,
        [
            "create first",
            "create known",
            "create object-1",
            "create object-2",
            "create second object-1"
        ]
    );
}

#[test]
fn a_change_of_sensitivity_alone_asks_no_provider() {
    let world = World::new();
    let text = |kind: &str| {
        format!("resource \"fake_thing\" \"a\" {{\n  name = \"a\"\n  kind = {kind}\n}}\n")
    };
    world.apply(&text("\"k\""));
    world.calls();
    let applied = world.apply(&text("sensitive(\"k\")"));
    assert_eq!(
        applied.counts.changed,
        1,
        "{:?}",
        messages(&applied.diagnostics)
    );
    assert!(world.calls().is_empty());
    let stored = world.stored();
    let paths = &stored
        .object(&"fake_thing.a".parse().unwrap())
        .unwrap()
        .sensitive_paths;
    assert!(
        paths.iter().any(|path| path.to_string() == ".kind"),
        "{paths:?}"
    );
}
