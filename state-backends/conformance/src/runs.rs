use terrace_port::StoreError;

use crate::Backend;

pub(crate) async fn names_hold_bytes(backend: &dyn Backend) {
    let runs = backend.open().runs("default");
    assert!(runs.get("runs/r1/plan").await.expect("getting").is_none());
    assert!(runs.list("").await.expect("listing").is_empty());
    for (name, bytes) in [
        ("runs/r2/plan", "2"),
        ("runs/r1/plan", "1"),
        ("audit", ""),
        ("runs/r1/approvals/x", "3"),
    ] {
        runs.put(name, bytes.as_bytes()).await.expect("putting");
    }
    runs.put("runs/r1/plan", b"\x00\xff")
        .await
        .expect("replacing");
    let again = backend.open().runs("default");
    assert_eq!(
        again.get("runs/r1/plan").await.expect("getting").as_deref(),
        Some(b"\x00\xff".as_slice())
    );
    assert_eq!(
        again.get("audit").await.expect("getting").as_deref(),
        Some(b"".as_slice())
    );
    assert_eq!(
        again.list("runs/r1/").await.expect("listing"),
        ["runs/r1/approvals/x", "runs/r1/plan"]
    );
    assert_eq!(again.list("").await.expect("listing").len(), 4);
    again.delete("runs/r2/plan").await.expect("deleting");
    again
        .delete("runs/r2/plan")
        .await
        .expect("deleting what is gone");
    assert!(runs.get("runs/r2/plan").await.expect("getting").is_none());
}

pub(crate) async fn comparing_puts_refuse_what_changed(backend: &dyn Backend) {
    let runs = backend.open().runs("default");
    runs.compare_and_put("head", None, b"one")
        .await
        .expect("nothing is there");
    let refused = runs.compare_and_put("head", None, b"two").await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    let refused = runs.compare_and_put("head", Some(b"zero"), b"two").await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    runs.compare_and_put("head", Some(b"one"), b"two")
        .await
        .expect("what is there");
    assert_eq!(
        runs.get("head").await.expect("getting").as_deref(),
        Some(b"two".as_slice())
    );
    let refused = runs.compare_and_put("none", Some(b""), b"x").await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "an empty value is not nothing: {refused:?}"
    );
}

pub(crate) async fn only_one_of_many_comparing_puts_wins(backend: &dyn Backend) {
    let handles: Vec<_> = (0..4).map(|_| backend.open().runs("default")).collect();
    let mut last: Option<[u8; 2]> = None;
    for round in 0..5_u8 {
        let expected = last;
        let mut won = 0;
        // Each has bytes of its own, by which it knows its own put if the answer is lost.
        for (own, handle) in (0..).zip(&handles) {
            let bytes = [round, own];
            match handle
                .compare_and_put("head", expected.as_ref().map(<[u8; 2]>::as_slice), &bytes)
                .await
            {
                Ok(()) => {
                    won += 1;
                    last = Some(bytes);
                }
                Err(StoreError::Conflict(_)) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(won, 1, "round {round}");
    }
}

pub(crate) async fn workspaces_have_their_own(backend: &dyn Backend) {
    if !backend.has_workspaces() {
        return;
    }
    let store = backend.open();
    store.runs("a").put("x", b"a").await.expect("putting");
    store.runs("ab").put("x", b"ab").await.expect("putting");
    assert!(
        store
            .runs("default")
            .get("x")
            .await
            .expect("getting")
            .is_none()
    );
    assert_eq!(store.runs("a").list("").await.expect("listing"), ["x"]);
    assert_eq!(
        store.runs("ab").get("x").await.expect("getting").as_deref(),
        Some(b"ab".as_slice())
    );
}

pub(crate) async fn bad_names_are_refused(backend: &dyn Backend) {
    let runs = backend.open().runs("default");
    for name in ["", "/x", "x/", "a//b", "../x", "a/../../x", ".hidden"] {
        assert!(
            matches!(runs.put(name, b"x").await, Err(StoreError::Refused(_))),
            "{name:?}"
        );
    }
}
