//! A journal whose store is out of reach is kept on this machine, and who waits is told.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::{Client, World, options};
use terrace_backend_remote::{RemoteOptions, RemoteStore, Waiting};
use terrace_port::{JournalStore, LockInfo, StateStore, StoreError};

fn info(id: &str) -> LockInfo {
    LockInfo {
        id: id.into(),
        ..LockInfo::default()
    }
}

fn frames(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn store_in(client: &Client, directory: &Path) -> RemoteStore {
    client.store_with(RemoteOptions {
        patience: Duration::ZERO,
        aside: Some(directory.to_owned()),
        // No lease runs out while the test runs.
        lease: Duration::from_mins(10),
        heartbeat: Duration::from_mins(5),
        ..options(0)
    })
}

fn n_files(directory: &Path) -> usize {
    std::fs::read_dir(directory).map_or(0, Iterator::count)
}

async fn read(store: &RemoteStore) -> Vec<Vec<u8>> {
    store.journal("default").read().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_the_store_cannot_take_is_kept_whole_and_read_with_the_stores() {
    let world = Arc::<World>::default();
    let client = Client::of(&world);
    let directory = tempfile::tempdir().unwrap();
    let store = store_in(&client, directory.path());
    let locked = store.lock("default", info("a")).await.unwrap();
    let journal: Arc<dyn JournalStore> = store.journal("default");
    journal.append(&frames(&["begin", "one"])).await.unwrap();
    client.faults.cut(true);
    for text in ["two", "three"] {
        let told = journal.append(&frames(&[text])).await.unwrap_err();
        let StoreError::KeptAside { path, .. } = &told else {
            panic!("{told:?}");
        };
        assert!(Path::new(path).exists());
    }
    client.faults.cut(false);
    // Whoever has had the network back for a moment does not go on in two places.
    let told = journal.append(&frames(&["four"])).await;
    assert!(matches!(told, Err(StoreError::KeptAside { .. })));
    let all = frames(&["begin", "one", "two", "three", "four"]);
    assert_eq!(read(&store).await, all);
    locked.unlock().await.unwrap();

    // Another process in the same directory finds it; one elsewhere finds what the store has.
    assert_eq!(read(&store_in(&client, directory.path())).await, all);
    assert_eq!(read(&client.store()).await, frames(&["begin", "one"]));

    // Somebody else recovers and goes on; what is kept here is still there, whole, and not mixed up with the new run.
    let elsewhere = tempfile::tempdir().unwrap();
    let other = store_in(&client, elsewhere.path());
    let locked = other.lock("default", info("b")).await.unwrap();
    other.journal("default").clear().await.unwrap();
    let new = frames(&["begin again", "five"]);
    other.journal("default").append(&new).await.unwrap();
    locked.unlock().await.unwrap();
    assert_eq!(read(&store).await, [all, new].concat());

    // Emptied, both are empty.
    let locked = store.lock("default", info("c")).await.unwrap();
    store.journal("default").clear().await.unwrap();
    assert!(read(&store).await.is_empty());
    assert_eq!(n_files(directory.path()), 0);
    let journal = store.journal("default");
    journal.append(&frames(&["begin"])).await.unwrap();
    assert_eq!(read(&store).await, frames(&["begin"]));
    locked.unlock().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_whose_lock_was_released_by_force_keeps_what_it_has_done() {
    let world = Arc::<World>::default();
    let (client, other) = (Client::of(&world), Client::of(&world));
    let directory = tempfile::tempdir().unwrap();
    let store = store_in(&client, directory.path());
    let mut locked = store.lock("default", info("a")).await.unwrap();
    let journal = store.journal("default");
    journal.append(&frames(&["begin", "one"])).await.unwrap();
    let taker = other.store();
    taker.force_unlock("default", "a").await.unwrap();
    let theirs = taker.lock("default", info("b")).await.unwrap();
    taker.journal("default").clear().await.unwrap();
    let refused = locked.overwrite(b"{}\n".as_slice().into()).await;
    assert!(
        matches!(refused, Err(StoreError::LockLost(_))),
        "{refused:?}"
    );
    let kept = journal.append(&frames(&["two"])).await;
    assert!(
        matches!(kept, Err(StoreError::KeptAside { .. })),
        "{kept:?}"
    );
    assert_eq!(read(&store).await, frames(&["begin", "one", "two"]));
    theirs.unlock().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_store_that_does_not_answer_is_told() {
    let world = Arc::<World>::default();
    let client = Client::of(&world);
    let told = Arc::new(Mutex::new(Vec::new()));
    let (tells, mended) = (Arc::clone(&told), Arc::clone(&client.faults));
    let store = client.store_with(RemoteOptions {
        patience: Duration::from_mins(2),
        pauses: (Duration::from_millis(50), Duration::from_millis(50)),
        watcher: Some(Arc::new(move |waiting: &Waiting<'_>| {
            tells.lock().unwrap().push(waiting.why.to_owned());
            // The store answers from now on.
            mended.cut(false);
        })),
        ..options(0)
    });
    client.faults.cut(true);
    assert!(store.read("default").await.unwrap().is_none());
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 1);
    assert!(!told[0].is_empty());
}
