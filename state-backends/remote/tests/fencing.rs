//! At most one holder writes, whatever is paused, cut off, delayed or wrong by the clock.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use support::{Client, Faults, LEASE, World, options};
use terrace_port::{LockInfo, LockedState, StateStore, StateVersion, StoreError};

fn info(id: &str) -> LockInfo {
    LockInfo {
        id: id.into(),
        who: format!("{id}@somewhere"),
        operation: "OperationTypeApply".into(),
        ..LockInfo::default()
    }
}

fn state(serial: u64, mark: &str) -> Arc<[u8]> {
    let text = format!(
        "{{\"version\": 4, \"serial\": {serial}, \"lineage\": \"l\", \"mark\": \"{mark}\"}}\n"
    );
    text.into_bytes().into()
}

async fn write(locked: &mut dyn LockedState, serial: u64, mark: &str) -> Result<(), StoreError> {
    let version = StateVersion {
        lineage: "l".into(),
        serial,
    };
    locked.write(state(serial, mark), version).await
}

async fn patiently(store: &dyn StateStore, id: &str) -> Box<dyn LockedState> {
    for _ in 0..4800 {
        match store.lock("default", info(id)).await {
            Ok(locked) => return locked,
            Err(StoreError::Locked { .. }) => {
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("the lock was never free");
}

async fn mark(store: &dyn StateStore) -> String {
    let state = store.read("default").await.unwrap().unwrap();
    String::from_utf8_lossy(&state.bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_on_its_way_from_a_holder_that_was_paused_is_refused() {
    let world = Arc::<World>::default();
    let (paused, other) = (Client::of(&world), Client::of(&world));
    let mut old = paused.store().lock("default", info("old")).await.unwrap();
    write(&mut *old, 1, "first").await.unwrap();
    // The write passes every check, and its request then hangs while all renewals of this holder are lost.
    paused.faults.hold("terraform.tfstate");
    let late = tokio::spawn(async move {
        let written = write(&mut *old, 2, "late").await;
        (written, old)
    });
    paused.faults.arrived.notified().await;
    paused.faults.cut(true);
    let store = other.store();
    let mut new = patiently(&store, "new").await;
    assert!(mark(&store).await.contains("first"));
    // The pause ends before the new holder has written anything.
    paused.faults.cut(false);
    paused.faults.let_go();
    let (written, old) = late.await.unwrap();
    assert!(
        matches!(written, Err(StoreError::LockLost(_))),
        "{written:?}"
    );
    assert!(mark(&store).await.contains("first"));
    write(&mut *new, 2, "new").await.unwrap();
    drop(old);
    assert!(mark(&store).await.contains("new"));
    assert_eq!(world.record("default").unwrap().info.id, "new");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_state_cannot_come_from_a_holder_that_was_paused() {
    let world = Arc::<World>::default();
    let (paused, other) = (Client::of(&world), Client::of(&world));
    let mut old = paused.store().lock("default", info("old")).await.unwrap();
    paused.faults.hold("terraform.tfstate");
    let late = tokio::spawn(async move { write(&mut *old, 1, "late").await });
    paused.faults.arrived.notified().await;
    paused.faults.cut(true);
    let store = other.store();
    let mut new = patiently(&store, "new").await;
    paused.faults.cut(false);
    paused.faults.let_go();
    let written = late.await.unwrap();
    assert!(
        matches!(written, Err(StoreError::LockLost(_))),
        "{written:?}"
    );
    assert!(store.read("default").await.unwrap().is_none());
    write(&mut *new, 1, "new").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_was_cut_off_goes_on_where_nobody_took_over() {
    let world = Arc::<World>::default();
    let client = Client::of(&world);
    let store = client.store();
    let mut locked = store.lock("default", info("a")).await.unwrap();
    client.faults.cut(true);
    tokio::time::sleep(LEASE * 2).await;
    client.faults.cut(false);
    write(&mut *locked, 1, "x").await.unwrap();
    store
        .journal("default")
        .append(&[b"frame".to_vec()])
        .await
        .unwrap();
    locked.unlock().await.unwrap();
    assert!(world.record("default").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_former_holder_appends_nothing_to_the_journal() {
    let world = Arc::<World>::default();
    let (paused, other) = (Client::of(&world), Client::of(&world));
    let (old_store, new_store) = (paused.store(), other.store());
    let _old = old_store.lock("default", info("old")).await.unwrap();
    let journal = old_store.journal("default");
    journal.append(&[b"one".to_vec()]).await.unwrap();
    paused.faults.hold("0000000002");
    let late = {
        let journal = old_store.journal("default");
        tokio::spawn(async move { journal.append(&[b"two".to_vec()]).await })
    };
    paused.faults.arrived.notified().await;
    paused.faults.cut(true);
    let _new = patiently(&new_store, "new").await;
    let journal = new_store.journal("default");
    assert_eq!(journal.read().await.unwrap(), [b"one".to_vec()]);
    journal.clear().await.unwrap();
    journal.append(&[b"three".to_vec()]).await.unwrap();
    paused.faults.cut(false);
    paused.faults.let_go();
    // The request was on its way. What it brings is behind what was emptied.
    late.await.unwrap().unwrap();
    let refused = old_store
        .journal("default")
        .append(&[b"four".to_vec()])
        .await;
    assert!(
        matches!(refused, Err(StoreError::LockLost(_))),
        "{refused:?}"
    );
    let late = world
        .names()
        .into_iter()
        .filter(|name| name.contains("/journal/"));
    let numbers: Vec<String> = late
        .map(|name| name[name.len() - 23..].to_owned())
        .collect();
    assert_eq!(numbers.len(), 2, "{numbers:?}");
    // Not read by anyone, though an object has come.
    let frames = Client::of(&world).store().journal("default").read().await;
    assert_eq!(frames.unwrap(), [b"three".to_vec()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_was_unlocked_by_force_empties_nothing_of_the_next_one() {
    let world = Arc::<World>::default();
    let (old_store, new_store) = (Client::of(&world).store(), Client::of(&world).store());
    let _old = old_store.lock("default", info("old")).await.unwrap();
    let old = old_store.journal("default");
    assert!(old.read().await.unwrap().is_empty());
    old.append(&[b"one".to_vec()]).await.unwrap();
    new_store.force_unlock("default", "old").await.unwrap();
    let _new = new_store.lock("default", info("new")).await.unwrap();
    let new = new_store.journal("default");
    new.append(&[b"two".to_vec()]).await.unwrap();
    // It does not know yet, or is told.
    let emptied = old.clear().await;
    assert!(
        matches!(emptied, Ok(()) | Err(StoreError::LockLost(_))),
        "{emptied:?}"
    );
    let frames = new.read().await.unwrap();
    assert_eq!(frames.last(), Some(&b"two".to_vec()));
    new.clear().await.unwrap();
    assert!(new.read().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_was_cut_off_proves_its_lock_before_it_empties_the_journal() {
    let world = Arc::<World>::default();
    let (paused, other) = (Client::of(&world), Client::of(&world));
    let (old_store, new_store) = (paused.store(), other.store());
    let _old = old_store.lock("default", info("old")).await.unwrap();
    let old = old_store.journal("default");
    assert!(old.read().await.unwrap().is_empty());
    old.append(&[b"one".to_vec()]).await.unwrap();
    paused.faults.cut(true);
    let _new = patiently(&new_store, "new").await;
    paused.faults.cut(false);
    let refused = old.clear().await;
    assert!(
        matches!(refused, Err(StoreError::LockLost(_))),
        "{refused:?}"
    );
    let frames = new_store.journal("default").read().await.unwrap();
    assert_eq!(frames, [b"one".to_vec()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_wrong_by_a_day_change_nothing() {
    for (one, two) in [(0, 86_400), (86_400, 0), (-86_400, 86_400)] {
        let world = Arc::<World>::default();
        let holder = Client::of(&world).store_with(options(one));
        let other = Client::of(&world).store_with(options(two));
        let mut locked = holder.lock("default", info("a")).await.unwrap();
        let begun = tokio::time::Instant::now();
        while begun.elapsed() < LEASE * 2 {
            let refused = other.lock("default", info("b")).await;
            assert!(matches!(refused, Err(StoreError::Locked { .. })));
            tokio::time::sleep(LEASE / 10).await;
        }
        write(&mut *locked, 1, "x").await.unwrap();
        locked.unlock().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_wait_for_a_dead_holder_one_takes_over_at_a_time() {
    let world = Arc::<World>::default();
    let dead = Client::of(&world);
    let mut locked = dead.store().lock("default", info("dead")).await.unwrap();
    write(&mut *locked, 1, "dead").await.unwrap();
    dead.faults.cut(true);
    let waiting: Vec<_> = (0..8)
        .map(|index| {
            let store = Client::of(&world).store();
            tokio::spawn(async move {
                let mut locked = patiently(&store, &format!("w{index}")).await;
                let state = locked.read().await.unwrap().unwrap();
                let serial = terrace_backend_local::read_version(&state.bytes)
                    .unwrap()
                    .serial;
                write(&mut *locked, serial + 1, "waiting").await.unwrap();
                let epoch = locked.epoch();
                locked.unlock().await.unwrap();
                epoch
            })
        })
        .collect();
    let mut epochs = Vec::new();
    for task in waiting {
        epochs.push(task.await.unwrap());
    }
    epochs.sort_unstable();
    epochs.dedup();
    assert_eq!(epochs.len(), 8, "{epochs:?}");
    let state = Client::of(&world)
        .store()
        .read("default")
        .await
        .unwrap()
        .unwrap();
    let last = terrace_backend_local::read_version(&state.bytes).unwrap();
    assert_eq!(last.serial, 9);
    dead.faults.cut(false);
    let late = write(&mut *locked, 10, "dead").await;
    assert!(matches!(late, Err(StoreError::LockLost(_))), "{late:?}");
}

/// Many who count together over a store that loses requests and answers, some of them cut off for a while.
#[tokio::test(flavor = "multi_thread")]
async fn serials_have_no_gap_and_nothing_is_lost_where_requests_are_lost() {
    for seed in 0..2_u64 {
        let world = Arc::<World>::default();
        let tasks: Vec<_> = (0..6_u64)
            .map(|index| {
                let client = Client {
                    world: Arc::clone(&world),
                    faults: Faults::random((seed * 100 + index) << 40, 100),
                };
                tokio::spawn(count(client, index))
            })
            .collect();
        let mut counted = Vec::new();
        for task in tasks {
            counted.extend(task.await.unwrap());
        }
        // Fencing writes a state again, with one more newline.
        let mut serials = Vec::new();
        for state in world.history.lock().unwrap().iter() {
            if let Ok(version) = terrace_backend_local::read_version(state) {
                serials.push(version.serial);
            }
        }
        assert!(
            serials
                .windows(2)
                .all(|pair| pair[1] == pair[0] || pair[1] == pair[0] + 1),
            "{serials:?}"
        );
        let text = world.history.lock().unwrap();
        for (serial, mark) in counted {
            let written = text
                .iter()
                .any(|state| state.starts_with(state_text(serial, &mark).as_bytes()));
            assert!(written, "serial {serial} by {mark}");
        }
    }
}

fn state_text(serial: u64, mark: &str) -> String {
    String::from_utf8_lossy(&state(serial, mark))
        .trim_end()
        .to_owned()
}

/// Counts five times; returns what was acknowledged.
async fn count(client: Client, index: u64) -> Vec<(u64, String)> {
    let store = client.store();
    let mut counted = Vec::new();
    for round in 0..5 {
        let mut locked = patiently(&store, &format!("{index}-{round}")).await;
        let cut_off = (index + round).is_multiple_of(7);
        if cut_off {
            client.faults.cut(true);
            tokio::time::sleep(LEASE * 3 / 2).await;
            client.faults.cut(false);
        }
        let serial = match locked.read().await {
            Ok(Some(state)) => {
                terrace_backend_local::read_version(&state.bytes)
                    .unwrap()
                    .serial
            }
            Ok(None) => 0,
            Err(StoreError::LockLost(_)) if cut_off => continue,
            Err(error) => panic!("{error:?}"),
        };
        let mark = format!("{index}-{round}");
        match write(&mut *locked, serial + 1, &mark).await {
            Ok(()) => counted.push((serial + 1, mark)),
            Err(StoreError::LockLost(_)) if cut_off => {}
            Err(error) => panic!("{error:?}"),
        }
        locked.unlock().await.ok();
    }
    counted
}
