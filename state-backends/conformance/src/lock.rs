use terrace_port::{LockInfo, LockedState, StateStore, StoreError};

use crate::{Backend, info, state, version};

async fn refused_holder(store: &dyn StateStore, workspace: &str) -> String {
    match store.lock(workspace, info("other")).await {
        Err(StoreError::Locked { holder }) => holder.id,
        Err(error) => panic!("another error than being locked: {error:?}"),
        Ok(_) => panic!("two hold the lock of {workspace:?}"),
    }
}

pub(crate) async fn two_handles_exclude_each_other(backend: &dyn Backend) {
    let (one, two) = (backend.open(), backend.open());
    let mut locked = one.lock("default", info("a")).await.expect("locking");
    assert_eq!(refused_holder(&*two, "default").await, "a");
    assert_eq!(refused_holder(&*one, "default").await, "a");
    // The lock outlives writes, and reads of others.
    locked
        .write(state("one", 1, "x"), version("one", 1))
        .await
        .expect("writing");
    two.read("default").await.expect("reading");
    assert_eq!(refused_holder(&*two, "default").await, "a");
    if backend.has_workspaces() {
        // Others are free.
        two.lock("other", info("b"))
            .await
            .expect("another workspace")
            .unlock()
            .await
            .expect("unlocking");
    }
    locked.unlock().await.expect("unlocking");
    two.lock("default", info("b"))
        .await
        .expect("the freed lock")
        .unlock()
        .await
        .expect("unlocking");
}

pub(crate) async fn a_run_that_takes_no_lock_keeps_nobody_out(backend: &dyn Backend) {
    let (one, two) = (backend.open(), backend.open());
    let mut unlocked = one.unlocked("default").await.expect("no lock");
    assert!(unlocked.read().await.expect("reading").is_none());
    assert!(two.holder("default").await.expect("asking").is_none());
    let bytes = state("one", 1, "x");
    unlocked
        .write(bytes.clone(), version("one", 1))
        .await
        .expect("writing without a lock");
    unlocked
        .write(state("one", 1, "other"), version("one", 1))
        .await
        .expect_err("a serial that does not grow");
    assert!(two.holder("default").await.expect("asking").is_none());
    let mut locked = two.lock("default", info("a")).await.expect("locking");
    unlocked.unlock().await.expect("there is nothing to unlock");
    let holder = one.holder("default").await.expect("asking");
    assert_eq!(holder.map(|holder| holder.id), Some("a".to_owned()));
    let read = locked.read().await.expect("reading").expect("a state");
    assert_eq!(read.bytes, bytes);
    locked
        .write(state("one", 2, "y"), version("one", 2))
        .await
        .expect("writing");
    locked.unlock().await.expect("unlocking");
    // Dropped, it leaves everything as it is.
    drop(one.unlocked("default").await.expect("no lock"));
    assert!(two.read("default").await.expect("reading").is_some());
}

fn without_lease(holder: LockInfo) -> LockInfo {
    LockInfo {
        lease: None,
        ..holder
    }
}

pub(crate) async fn the_holder_is_shown(backend: &dyn Backend) {
    let (one, two) = (backend.open(), backend.open());
    assert!(two.holder("default").await.expect("no holder").is_none());
    let locked = one.lock("default", info("a")).await.expect("locking");
    let holder = two.holder("default").await.expect("asking");
    assert_eq!(holder.map(without_lease), Some(info("a")));
    match two.lock("default", info("b")).await {
        Err(StoreError::Locked { holder }) => assert_eq!(without_lease(*holder), info("a")),
        other => panic!("{:?}", other.err()),
    }
    locked.unlock().await.expect("unlocking");
    assert!(two.holder("default").await.expect("asking").is_none());
}

pub(crate) async fn a_dropped_lock_is_free(backend: &dyn Backend) {
    let locked = backend
        .open()
        .lock("default", info("a"))
        .await
        .expect("locking");
    drop(locked);
    assert!(
        backend
            .open()
            .holder("default")
            .await
            .expect("asking")
            .is_none()
    );
    let mut locked = backend
        .open()
        .lock("default", info("b"))
        .await
        .expect("locking again");
    locked
        .write(state("one", 1, "x"), version("one", 1))
        .await
        .expect("writing");
}

pub(crate) async fn epochs_grow(backend: &dyn Backend) {
    let mut last = 0;
    for id in ["a", "b", "c"] {
        let locked = backend
            .open()
            .lock("default", info(id))
            .await
            .expect("locking");
        assert!(locked.epoch() > last, "{} after {last}", locked.epoch());
        last = locked.epoch();
        locked.unlock().await.expect("unlocking");
    }
}

async fn lost(locked: &mut Box<dyn LockedState>, serial: u64) {
    let refused = locked
        .write(state("one", serial, "late"), version("one", serial))
        .await;
    assert!(
        matches!(refused, Err(StoreError::LockLost(_))),
        "{refused:?}"
    );
    let refused = locked.overwrite(state("one", serial, "late")).await;
    assert!(
        matches!(refused, Err(StoreError::LockLost(_))),
        "{refused:?}"
    );
}

pub(crate) async fn a_holder_that_was_unlocked_by_force_cannot_write(backend: &dyn Backend) {
    let (one, two) = (backend.open(), backend.open());
    let mut old = one.lock("default", info("a")).await.expect("locking");
    old.write(state("one", 1, "x"), version("one", 1))
        .await
        .expect("writing");
    two.force_unlock("default", "a")
        .await
        .expect("unlocking by force");
    assert!(two.holder("default").await.expect("asking").is_none());
    lost(&mut old, 2).await;
    let mut new = two
        .lock("default", info("b"))
        .await
        .expect("the lock is free");
    lost(&mut old, 3).await;
    let bytes = state("one", 2, "new");
    new.write(bytes.clone(), version("one", 2))
        .await
        .expect("the new holder writes");
    lost(&mut old, 4).await;
    // The old holder's release takes nothing from the new one.
    old.unlock().await.ok();
    assert_eq!(refused_holder(&*one, "default").await, "b");
    assert_eq!(
        new.read().await.expect("reading").expect("a state").bytes,
        bytes
    );
    new.write(state("one", 3, "new"), version("one", 3))
        .await
        .expect("the new holder still writes");
}

pub(crate) async fn force_unlock_asks_for_the_right_id(backend: &dyn Backend) {
    let (one, two) = (backend.open(), backend.open());
    assert!(
        two.force_unlock("default", "a").await.is_err(),
        "nothing is locked"
    );
    let mut locked = one.lock("default", info("a")).await.expect("locking");
    let refused = two.force_unlock("default", "b").await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    locked
        .write(state("one", 1, "x"), version("one", 1))
        .await
        .expect("still the holder");
    assert_eq!(refused_holder(&*two, "default").await, "a");
}

pub(crate) async fn an_update_is_not_lost(backend: &dyn Backend) {
    let (one, two) = (backend.open(), backend.open());
    let mut locked = one.lock("default", info("a")).await.expect("locking");
    locked
        .write(state("one", 1, "x"), version("one", 1))
        .await
        .expect("writing");
    locked.unlock().await.expect("unlocking");
    // Both read serial 1; two is first to write.
    let mut locked = two.lock("default", info("b")).await.expect("locking");
    let bytes = state("one", 2, "two");
    locked
        .write(bytes.clone(), version("one", 2))
        .await
        .expect("writing");
    locked.unlock().await.expect("unlocking");
    let mut locked = one.lock("default", info("a")).await.expect("locking");
    let refused = locked
        .write(state("one", 2, "one"), version("one", 2))
        .await;
    assert!(
        matches!(
            refused,
            Err(StoreError::Refused(_) | StoreError::Conflict(_))
        ),
        "{refused:?}"
    );
    assert_eq!(
        locked
            .read()
            .await
            .expect("reading")
            .expect("a state")
            .bytes,
        bytes
    );
}

pub(crate) async fn a_locked_workspace_is_not_deleted(backend: &dyn Backend) {
    if !backend.has_workspaces() {
        return;
    }
    let store = backend.open();
    let mut locked = store.lock("w", info("a")).await.expect("locking");
    locked
        .write(state("one", 1, "x"), version("one", 1))
        .await
        .expect("writing");
    let refused = backend.open().delete_workspace("w").await;
    assert!(
        matches!(refused, Err(StoreError::Locked { .. })),
        "{refused:?}"
    );
    locked.unlock().await.expect("unlocking");
    store.delete_workspace("w").await.expect("deleting");
}
