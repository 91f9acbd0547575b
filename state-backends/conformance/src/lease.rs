use std::time::Duration;

use terrace_port::{LockedState, StoreError};

use crate::{Backend, info, state, version};

fn holder_of(refused: Result<Box<dyn LockedState>, StoreError>) -> String {
    match refused {
        Err(StoreError::Locked { holder }) => holder.id,
        Err(error) => panic!("another error than being locked: {error:?}"),
        Ok(_) => panic!("a lock that somebody holds was taken"),
    }
}

pub(crate) async fn a_living_holders_lock_is_kept(backend: &dyn Backend) {
    let Some(lease) = backend.lease() else {
        return;
    };
    let mut locked = backend
        .open()
        .lock("default", info("a"))
        .await
        .expect("locking");
    let other = backend.open();
    for _ in 0..12 {
        assert_eq!(holder_of(other.lock("default", info("b")).await), "a");
        backend.sleep(lease / 5).await;
    }
    let holder = other.holder("default").await.expect("asking");
    let shown = holder.expect("a holder").lease.expect("a lease");
    assert_eq!((shown.lasts, shown.epoch), (lease, locked.epoch()));
    locked
        .write(state("one", 1, "x"), version("one", 1))
        .await
        .expect("still the holder");
    locked.unlock().await.expect("unlocking");
}

pub(crate) async fn a_dead_holders_lock_is_taken_over(backend: &dyn Backend) {
    let Some(lease) = backend.lease() else {
        return;
    };
    let mut locked = backend
        .open()
        .lock("default", info("a"))
        .await
        .expect("locking");
    let bytes = state("one", 1, "x");
    locked
        .write(bytes.clone(), version("one", 1))
        .await
        .expect("writing");
    let epoch = locked.epoch();
    locked.unlock().await.expect("unlocking");
    backend.abandon("dead").await;
    let store = backend.open();
    let begun = std::time::Instant::now();
    assert_eq!(holder_of(store.lock("default", info("b")).await), "dead");
    let mut locked = loop {
        match store.lock("default", info("b")).await {
            Ok(locked) => break locked,
            Err(StoreError::Locked { holder }) => assert_eq!(holder.id, "dead"),
            Err(error) => panic!("{error:?}"),
        }
        let waited = begun.elapsed();
        assert!(
            waited < lease * 3 + Duration::from_mins(2),
            "not taken over after {waited:?}"
        );
        backend.sleep(lease / 20).await;
    };
    assert!(begun.elapsed() >= lease, "taken over too early");
    assert!(locked.epoch() > epoch + 1);
    let there = locked.read().await.expect("reading").expect("a state");
    assert_eq!(there.bytes, bytes);
    let bytes = state("one", 2, "y");
    locked
        .write(bytes.clone(), version("one", 2))
        .await
        .expect("the new holder writes");
    assert_eq!(
        holder_of(backend.open().lock("default", info("c")).await),
        "b"
    );
    locked.unlock().await.expect("unlocking");
    let there = store.read("default").await.expect("reading");
    assert_eq!(there.expect("a state").bytes, bytes);
}

pub(crate) async fn a_lock_of_the_reference_is_seen_and_never_taken_over(backend: &dyn Backend) {
    let Some(theirs) = backend.lock_as_the_reference("theirs").await else {
        return;
    };
    let store = backend.open();
    let begun = std::time::Instant::now();
    let patience = backend.lease().unwrap_or_default() * 3;
    loop {
        assert_eq!(holder_of(store.lock("default", info("a")).await), theirs);
        if begun.elapsed() > patience {
            break;
        }
        backend.sleep(patience / 10).await;
    }
    let holder = store.holder("default").await.expect("asking");
    assert_eq!(holder.map(|holder| holder.id), Some(theirs.clone()));
    store
        .force_unlock("default", &theirs)
        .await
        .expect("unlocking by force");
    store
        .lock("default", info("a"))
        .await
        .expect("a free lock")
        .unlock()
        .await
        .expect("unlocking");
}
