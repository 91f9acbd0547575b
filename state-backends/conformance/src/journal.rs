use terrace_port::StoreError;

use crate::Backend;

fn frames(n: usize) -> Vec<Vec<u8>> {
    (0..n)
        .map(|index| {
            format!(
                "{{\"frame\":{index},\"padding\":\"{}\"}}",
                "x".repeat(index * 3)
            )
            .into_bytes()
        })
        .collect()
}

pub(crate) async fn frames_come_back_in_order(backend: &dyn Backend) {
    let journal = backend.open().journal("default");
    assert!(journal.read().await.expect("reading").is_empty());
    let frames = frames(7);
    journal.append(&frames[..3]).await.expect("appending");
    journal.append(&[]).await.expect("appending nothing");
    backend
        .open()
        .journal("default")
        .append(&frames[3..])
        .await
        .expect("appending by another handle");
    assert_eq!(
        backend
            .open()
            .journal("default")
            .read()
            .await
            .expect("reading"),
        frames
    );
    if backend.has_workspaces() {
        let others = backend.open().journal("other").read().await;
        assert!(others.expect("reading").is_empty());
    }
    backend
        .open()
        .journal("default")
        .clear()
        .await
        .expect("clearing");
    assert!(
        backend
            .open()
            .journal("default")
            .read()
            .await
            .expect("reading")
            .is_empty()
    );
}

pub(crate) async fn a_holder_empties_the_journal_and_goes_on(backend: &dyn Backend) {
    let store = backend.open();
    let info = crate::info("one");
    let locked = store.lock("default", info).await.expect("locking");
    let journal = store.journal("default");
    let read = || async { backend.open().journal("default").read().await };
    let frames = frames(20);
    for _ in 0..2 {
        assert!(journal.read().await.expect("reading").is_empty());
        for frame in &frames {
            let batch = std::slice::from_ref(frame);
            journal.append(batch).await.expect("appending");
        }
        assert_eq!(read().await.expect("reading"), frames);
        journal.clear().await.expect("clearing");
        assert!(read().await.expect("reading").is_empty());
    }
    journal.append(&frames[..2]).await.expect("appending");
    assert_eq!(read().await.expect("reading"), frames[..2]);
    journal.clear().await.expect("clearing");
    locked.unlock().await.expect("releasing");
}

pub(crate) async fn a_torn_tail_is_dropped_at_every_byte(backend: &dyn Backend) {
    let frames = frames(4);
    let mut ends = Vec::new();
    for frame in &frames {
        backend
            .open()
            .journal("default")
            .append(std::slice::from_ref(frame))
            .await
            .expect("appending");
        let Some(bytes) = backend.journal_bytes("default") else {
            return;
        };
        ends.push(bytes.len());
    }
    let bytes = backend.journal_bytes("default").expect("it was there");
    for length in 0..bytes.len() {
        let n_whole = ends.iter().filter(|end| **end <= length).count();
        // Cut off, and filled with zeros as some file systems do.
        let mut zeroed = bytes[..length].to_vec();
        zeroed.resize(bytes.len() + 100, 0);
        for torn in [bytes[..length].to_vec(), zeroed] {
            backend.set_journal_bytes("default", &torn);
            let read = backend
                .open()
                .journal("default")
                .read()
                .await
                .expect("a torn tail is no damage");
            assert_eq!(
                read,
                frames[..n_whole],
                "cut at byte {length} of {}",
                bytes.len()
            );
        }
    }
}

pub(crate) async fn damage_before_the_tail_is_detected(backend: &dyn Backend) {
    let frames = frames(3);
    let mut ends = Vec::new();
    for frame in &frames {
        backend
            .open()
            .journal("default")
            .append(std::slice::from_ref(frame))
            .await
            .expect("appending");
        let Some(bytes) = backend.journal_bytes("default") else {
            return;
        };
        ends.push(bytes.len());
    }
    let bytes = backend.journal_bytes("default").expect("it was there");
    for at in 0..ends[1] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        backend.set_journal_bytes("default", &damaged);
        let read = backend.open().journal("default").read().await;
        assert!(
            matches!(read, Err(StoreError::Corrupt(_))),
            "byte {at} of {} changed: {read:?}",
            bytes.len()
        );
        let refused = backend
            .open()
            .journal("default")
            .append(&[b"more".to_vec()])
            .await;
        assert!(
            matches!(refused, Err(StoreError::Corrupt(_))),
            "nothing is written over a damaged journal"
        );
    }
}

pub(crate) async fn another_handle_appends_behind_a_torn_tail(backend: &dyn Backend) {
    let frames = frames(3);
    backend
        .open()
        .journal("default")
        .append(&frames[..2])
        .await
        .expect("appending");
    let Some(bytes) = backend.journal_bytes("default") else {
        return;
    };
    backend.set_journal_bytes("default", &bytes[..bytes.len() - 1]);
    backend
        .open()
        .journal("default")
        .append(&frames[2..])
        .await
        .expect("appending");
    let read = backend
        .open()
        .journal("default")
        .read()
        .await
        .expect("reading");
    assert_eq!(read, [frames[0].clone(), frames[2].clone()]);
}
