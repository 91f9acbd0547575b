//! A run may die at any moment: nothing that was done is lost, and nothing is done twice.

use crate::world::{Manner, World, messages};
use terrace_apply::Counts;

/// Creation, update, replacement both ways, destruction; names are addresses, so that a person finds the objects.
const BEFORE: &str = r#"
resource "fake_thing" "update" {
  name = "fake_thing.update"
  size = 1
}
resource "fake_thing" "replace" {
  name = "fake_thing.replace"
  kind = "x"
}
resource "fake_thing" "first" {
  name = "fake_thing.first"
  kind = "x"
  lifecycle {
    create_before_destroy = true
  }
}
resource "fake_thing" "gone" {
  name = "fake_thing.gone"
}
"#;

const AFTER: &str = r#"
resource "fake_thing" "new" {
  count = 6
  name  = "fake_thing.new[${count.index}]"
}
resource "fake_thing" "late" {
  name = "fake_thing.late"
  kind = fake_thing.new[5].id
}
resource "fake_thing" "update" {
  name = "fake_thing.update"
  size = 2
}
resource "fake_thing" "replace" {
  name = "fake_thing.replace"
  kind = "y"
}
resource "fake_thing" "first" {
  name = "fake_thing.first"
  kind = "y"
  lifecycle {
    create_before_destroy = true
  }
}
output "late" {
  value = fake_thing.late.kind
}
"#;

fn check_end(world: &World, moment: usize) {
    let state = world.stored();
    let mut ids: Vec<String> = state
        .instances()
        .filter_map(|(_, _, instance)| instance.current.as_ref()?.text_attribute("id"))
        .collect();
    ids.sort();
    let world = world.state.lock().unwrap();
    let mut there: Vec<String> = world.objects.keys().cloned().collect();
    there.sort();
    assert_eq!(
        ids, there,
        "killed at effect {moment}: every object is in the state exactly once"
    );
    assert_eq!(ids.len(), 10);
    for (name, created) in &world.created {
        let expected = if name == "fake_thing.replace" || name == "fake_thing.first" {
            2
        } else {
            1
        };
        assert_eq!(*created, expected, "killed at effect {moment}: {name}");
    }
}

#[test]
fn a_run_that_dies_at_any_moment_loses_nothing() {
    dies_at_any_moment(World::new, 1);
}

#[test]
fn a_run_that_writes_intents_ahead_and_dies_knows_what_it_had_not_come_to() {
    let ahead = dies_at_any_moment(World::staging, 3);
    assert!(ahead > 0, "nothing was written ahead");
}

/// Dies at every `step`th moment once. How many intents the journal held in all of a change that had not begun.
fn dies_at_any_moment(new: fn() -> std::sync::Arc<World>, step: usize) -> usize {
    let mut moments = 0;
    let mut ahead = 0;
    for moment in (0..).step_by(step) {
        let world = new();
        world.apply(BEFORE);
        if world.apply_until(AFTER, moment).is_some() {
            check_end(&world, moment);
            break;
        }
        moments += 1;
        let recovery = world.recovery();
        let n_in_flight = recovery.uncertain.len();
        ahead += recovery.not_begun.len();
        assert!(n_in_flight <= 4, "no more is uncertain than was in flight");
        let resolved = world.recover(AFTER, true);
        assert!(
            resolved.open.is_empty(),
            "{:?}",
            messages(&resolved.diagnostics)
        );
        let applied = world.apply(AFTER);
        assert!(
            !applied.diagnostics.has_errors(),
            "{moment}: {:?}",
            messages(&applied.diagnostics)
        );
        check_end(&world, moment);
        assert_eq!(
            world.apply(AFTER).counts,
            Counts::default(),
            "{moment}: it has converged"
        );
    }
    assert!(moments > 30 / step, "only {moments} moments were tried");
    ahead
}

#[test]
fn recovery_may_die_too() {
    recovery_dies(World::new);
}

#[test]
fn recovery_of_a_run_that_wrote_intents_ahead_may_die_too() {
    recovery_dies(World::staging);
}

fn recovery_dies(new: fn() -> std::sync::Arc<World>) {
    for moment in [5, 15, 25] {
        for second in 0..8 {
            let world = new();
            world.apply(BEFORE);
            assert!(world.apply_until(AFTER, moment).is_none());
            world.fuse.set(Some(second));
            let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                world.recover(AFTER, true)
            }))
            .is_err();
            world.fuse.set(None);
            if died {
                world.recover(AFTER, true);
            }
            world.apply(AFTER);
            check_end(&world, moment);
        }
    }
}

#[test]
fn an_object_of_which_nobody_knows_stays_open() {
    let world = World::new();
    let text = "resource \"fake_thing\" \"a\" {\n  name = \"fake_thing.a\"\n}\n";
    world.manner("fake_thing.a", Manner::LostAfter);
    let applied = world.apply(text);
    assert!(messages(&applied.diagnostics)[0].contains("the plugin died"));
    assert_eq!(applied.uncertain.len(), 1);
    let resolved = world.recover(text, false);
    assert_eq!(resolved.open.len(), 1);
    let problem = resolved.diagnostics.iter().next().unwrap();
    assert!(
        problem
            .hint
            .as_ref()
            .unwrap()
            .contains("terrace recover -created"),
        "{problem:?}"
    );
    assert!(
        !world.frames.lock().unwrap().is_empty(),
        "the journal still knows"
    );
    world.calm();
    let resolved = world.recover(text, true);
    assert_eq!(resolved.settled[0].finding, "was created");
    assert_eq!(world.apply(text).counts, Counts::default());
}

#[test]
fn what_a_provider_puts_off_to_tell_stays_open() {
    let text = |size: u8| {
        format!("resource \"fake_thing\" \"a\" {{\n  name = \"a\"\n  size = {size}\n}}\n")
    };
    for moment in 0.. {
        let world = World::new();
        world.apply(&text(1));
        assert!(
            world.apply_until(&text(2), moment).is_none(),
            "no moment was in between"
        );
        let frames = world.frames.lock().unwrap().clone();
        let recovery = terrace_state::journal::recover(&world.stored(), &frames).unwrap();
        if recovery.uncertain.is_empty() {
            continue;
        }
        world.manner("a", Manner::PutOff);
        let resolved = world.recover(&text(2), true);
        assert_eq!(resolved.open.len(), 1);
        let told = messages(&resolved.diagnostics);
        assert!(told[0].contains("put it off (absent_prereq)"), "{told:?}");
        world.calm();
        assert!(world.recover(&text(2), true).open.is_empty());
        return;
    }
}
