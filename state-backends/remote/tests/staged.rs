//! What a process had written down before it died is known on its machine, and nowhere else.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use support::{Client, World, options};
use terrace_backend_remote::{RemoteOptions, RemoteStore};
use terrace_port::{JournalStore, StateStore};

fn frames(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// A process that works in a directory.
fn process(world: &Arc<World>, directory: &Path) -> RemoteStore {
    Client::of(world).store_with(RemoteOptions {
        patience: Duration::ZERO,
        aside: Some(directory.to_owned()),
        ..options(0)
    })
}

/// What a process reads, and whether it knows that nothing is missing.
async fn reads(world: &Arc<World>, directory: &Path) -> (Vec<Vec<u8>>, bool) {
    let journal = process(world, directory).journal("default");
    let frames = journal.read().await.unwrap();
    (frames, journal.witness().is_some())
}

/// A run that was killed: it had written down more than it had sent.
async fn killed(world: &Arc<World>, directory: &Path) {
    let journal: Arc<dyn JournalStore> = process(world, directory).journal("default");
    assert!(journal.read().await.unwrap().is_empty());
    assert!(journal.witness().is_some());
    journal.stage(&frames(&["begin"])).await.unwrap();
    journal.stage(&frames(&["intent"])).await.unwrap();
    journal.append(&[]).await.unwrap();
    journal.append(&frames(&["more"])).await.unwrap();
    journal.stage(&frames(&["result"])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_run_had_written_down_is_known_on_its_machine_alone() {
    let world = Arc::<World>::default();
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    killed(&world, here.path()).await;
    let all = frames(&["begin", "intent", "more", "result"]);
    assert_eq!(reads(&world, here.path()).await, (all.clone(), true));
    assert_eq!(
        reads(&world, there.path()).await,
        (all[..3].to_vec(), false)
    );

    // Whoever recovers here goes on with it.
    let journal = process(&world, here.path()).journal("default");
    journal.read().await.unwrap();
    journal.append(&frames(&["settled"])).await.unwrap();
    let all = [all, frames(&["settled"])].concat();
    assert_eq!(reads(&world, here.path()).await, (all.clone(), true));
    assert_eq!(reads(&world, there.path()).await, (all, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_down_of_a_run_that_is_over_is_left_alone() {
    let world = Arc::<World>::default();
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    killed(&world, here.path()).await;
    // Somebody else recovers, and begins a run.
    let other = process(&world, there.path()).journal("default");
    other.read().await.unwrap();
    other.clear().await.unwrap();
    other.append(&frames(&["another"])).await.unwrap();
    assert_eq!(
        reads(&world, here.path()).await,
        (frames(&["another"]), false)
    );
    other.clear().await.unwrap();
    assert_eq!(reads(&world, here.path()).await, (Vec::new(), true));
    // The next run here begins anew.
    killed(&world, here.path()).await;
    assert_eq!(reads(&world, here.path()).await.0.len(), 4);
}
