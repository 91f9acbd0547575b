use terrace_port::StoreError;

use crate::{Backend, info, state, version};

pub(crate) async fn nothing_is_there_at_first(backend: &dyn Backend) {
    let store = backend.open();
    assert!(store.read("default").await.expect("reading").is_none());
    assert_eq!(store.workspaces().await.expect("listing"), ["default"]);
    let locked = store.lock("default", info("a")).await.expect("locking");
    assert!(
        locked
            .read()
            .await
            .expect("reading under the lock")
            .is_none()
    );
    locked.unlock().await.expect("unlocking");
    assert!(
        store
            .read("default")
            .await
            .expect("reading after an empty lock")
            .is_none()
    );
}

pub(crate) async fn what_is_written_is_read(backend: &dyn Backend) {
    let store = backend.open();
    let mut locked = store.lock("default", info("a")).await.expect("locking");
    let bytes = state("one", 1, "first");
    locked
        .write(bytes.clone(), version("one", 1))
        .await
        .expect("the first write");
    assert_eq!(
        locked
            .read()
            .await
            .expect("reading")
            .expect("a state")
            .bytes,
        bytes
    );
    assert_eq!(
        backend
            .open()
            .read("default")
            .await
            .expect("reading beside the lock")
            .expect("a state")
            .bytes,
        bytes
    );
    let bytes = state("one", 5, "second");
    locked
        .write(bytes.clone(), version("one", 5))
        .await
        .expect("a later serial");
    locked.unlock().await.expect("unlocking");
    assert_eq!(
        backend
            .open()
            .read("default")
            .await
            .expect("reading")
            .expect("a state")
            .bytes,
        bytes
    );
}

pub(crate) async fn another_lineage_is_refused(backend: &dyn Backend) {
    let store = backend.open();
    let mut locked = store.lock("default", info("a")).await.expect("locking");
    let bytes = state("one", 1, "first");
    locked
        .write(bytes.clone(), version("one", 1))
        .await
        .expect("the first write");
    let refused = locked
        .write(state("two", 2, "other"), version("two", 2))
        .await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
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

pub(crate) async fn a_serial_that_does_not_grow_is_refused(backend: &dyn Backend) {
    let store = backend.open();
    let mut locked = store.lock("default", info("a")).await.expect("locking");
    let bytes = state("one", 7, "first");
    locked
        .write(bytes.clone(), version("one", 7))
        .await
        .expect("the first write");
    for serial in [7, 6, 0] {
        let refused = locked
            .write(state("one", serial, "other"), version("one", serial))
            .await;
        assert!(
            matches!(refused, Err(StoreError::Refused(_))),
            "serial {serial}: {refused:?}"
        );
    }
    drop(locked);
    let mut locked = backend
        .open()
        .lock("default", info("b"))
        .await
        .expect("locking again");
    let refused = locked
        .write(state("one", 7, "other"), version("one", 7))
        .await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "from another handle: {refused:?}"
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

pub(crate) async fn the_same_bytes_may_be_written_again(backend: &dyn Backend) {
    let mut locked = backend
        .open()
        .lock("default", info("a"))
        .await
        .expect("locking");
    let bytes = state("one", 7, "first");
    for _ in 0..2 {
        locked
            .write(bytes.clone(), version("one", 7))
            .await
            .expect("the same bytes");
    }
}

pub(crate) async fn overwriting_ignores_lineage_and_serial(backend: &dyn Backend) {
    let mut locked = backend
        .open()
        .lock("default", info("a"))
        .await
        .expect("locking");
    locked
        .write(state("one", 7, "first"), version("one", 7))
        .await
        .expect("the first write");
    let bytes = state("two", 1, "restored");
    locked.overwrite(bytes.clone()).await.expect("overwriting");
    assert_eq!(
        locked
            .read()
            .await
            .expect("reading")
            .expect("a state")
            .bytes,
        bytes
    );
    locked
        .write(state("two", 2, "next"), version("two", 2))
        .await
        .expect("a write that follows");
}

pub(crate) async fn workspaces_are_apart(backend: &dyn Backend) {
    let store = backend.open();
    if !backend.has_workspaces() {
        let refused = store.lock("other", info("a")).await;
        assert!(
            matches!(refused, Err(StoreError::Refused(_))),
            "{:?}",
            refused.err()
        );
        return;
    }
    let odd = backend.odd_name();
    for (workspace, lineage) in [("default", "d"), ("b", "b"), (odd, "a")] {
        let mut locked = store
            .lock(workspace, info(workspace))
            .await
            .expect("locking");
        locked
            .write(state(lineage, 1, workspace), version(lineage, 1))
            .await
            .expect("writing");
        locked.unlock().await.expect("unlocking");
    }
    assert_eq!(
        backend.open().workspaces().await.expect("listing"),
        [odd, "b", "default"]
    );
    assert_eq!(
        store
            .read("b")
            .await
            .expect("reading")
            .expect("a state")
            .bytes,
        state("b", 1, "b")
    );
    store.runs("b").put("x", b"1").await.expect("a run");
    store
        .journal("b")
        .append(&[b"frame".to_vec()])
        .await
        .expect("a frame");
    store.delete_workspace("b").await.expect("deleting");
    assert_eq!(
        backend.open().workspaces().await.expect("listing"),
        [odd, "default"]
    );
    assert!(store.read("b").await.expect("reading").is_none());
    assert!(store.runs("b").list("").await.expect("listing").is_empty());
    assert!(store.journal("b").read().await.expect("reading").is_empty());
    assert!(store.delete_workspace("default").await.is_err());
}

pub(crate) async fn bad_workspace_names_are_refused(backend: &dyn Backend) {
    let store = backend.open();
    for name in ["", "..", ".", "a/b", "a b", "a\\b", "é"] {
        assert!(
            matches!(store.read(name).await, Err(StoreError::Refused(_))),
            "{name:?}"
        );
        assert!(store.lock(name, info("a")).await.is_err(), "{name:?}");
        assert!(store.delete_workspace(name).await.is_err(), "{name:?}");
    }
}

pub(crate) async fn a_write_that_died_is_not_seen(backend: &dyn Backend) {
    let store = backend.open();
    for round in 1..4 {
        let mut locked = backend
            .open()
            .lock("default", info("a"))
            .await
            .expect("locking");
        let bytes = state("one", round, "whole");
        locked
            .write(bytes.clone(), version("one", round))
            .await
            .expect("writing");
        drop(locked);
        backend.interrupt_write("default");
        assert_eq!(
            store
                .read("default")
                .await
                .expect("reading")
                .expect("a state")
                .bytes,
            bytes
        );
        assert!(store.holder("default").await.expect("the holder").is_none());
        assert_eq!(store.workspaces().await.expect("listing"), ["default"]);
    }
}
