//! What others see of a long apply.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use terrace_provider_testkit::{Operation, Outcome};

use crate::world::{World, told};

#[tokio::test(start_paused = true)]
async fn the_state_is_stored_while_an_apply_goes_on() {
    let mut world = World::new();
    let store = world.store.clone();
    let seen: Arc<Mutex<Vec<usize>>> = Arc::default();
    let written = seen.clone();
    world.script(move |call| {
        if call.operation != Operation::Create {
            return Outcome::Proceed;
        }
        let bytes = store.state.lock().unwrap().clone();
        let state = bytes.map(|bytes| terrace_state::read(&bytes).unwrap());
        let count = state.map_or(0, |state| state.resources.len());
        written.lock().unwrap().push(count);
        Outcome::Delay(Duration::from_secs(15))
    });
    let mut text = String::from("resource \"test_object\" \"o0\" {\n  string = \"a\"\n}\n");
    for index in 1..6 {
        let before = index - 1;
        writeln!(
            text,
            "resource \"test_object\" \"o{index}\" {{\n  string = test_object.o{before}.id\n}}"
        )
        .unwrap();
    }
    let plan = world.planned(&text).await;
    let applied = world.run(plan).await;
    assert_eq!(told(&applied.diagnostics), Vec::<String>::new());
    // What is stored is what is durable: the result that has just come is still on its way.
    assert_eq!(*seen.lock().unwrap(), [0, 0, 1, 1, 3, 3]);
    // Each state that is stored has its own serial; the last is that of the end.
    let n_writes = *world.store.n_writes.lock().unwrap();
    assert_eq!((n_writes, world.state().serial), (4, 4));
    assert_eq!(world.state().resources.len(), 6);
    assert!(world.store.frames.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_dies_after_a_stored_state_is_recovered() {
    let mut world = World::new();
    world.script(|call| match (call.operation, call.number) {
        (Operation::Create, 3) => Outcome::Stuck,
        (Operation::Create, _) => Outcome::Delay(Duration::from_secs(15)),
        _ => Outcome::Proceed,
    });
    let text = r#"
resource "test_object" "a" {
  string = "a"
}
resource "test_object" "b" {
  string = test_object.a.id
}
resource "test_object" "c" {
  string = test_object.b.id
}
"#;
    let plan = world.planned(text).await;
    let died = tokio::time::timeout(Duration::from_secs(100), world.run(plan)).await;
    assert!(died.is_err());
    assert_eq!(world.state().resources.len(), 1, "stored on the way");
    let frames = world.store.frames.lock().unwrap().clone();
    let recovery = terrace_state::journal::recover(&world.state(), &frames).unwrap();
    assert!(!recovery.foreign);
    assert_eq!(recovery.state.resources.len(), 2);
    assert_eq!(recovery.uncertain.len(), 1);
    assert_eq!(
        recovery.uncertain[0].intent.address.to_string(),
        "test_object.c"
    );
}
