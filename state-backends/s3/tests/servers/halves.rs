//! A lock of which an object and an item are the halves: one half is no lock, and two halves of different holders are not one.

use std::sync::Arc;
use std::time::Duration;

use terrace_port::{LockInfo, StateStore as _, StateVersion, StoreError};

use crate::support::{BUCKET, Lock, Servers, Store};

const LEASE: Duration = Duration::from_secs(2);

fn info(id: &str) -> LockInfo {
    LockInfo {
        id: id.into(),
        ..LockInfo::default()
    }
}

async fn holder(servers: &Servers, store: &Store) -> Option<String> {
    let opened = servers.open(store, LEASE).await.unwrap();
    let refused = opened.lock("default", info("asking")).await;
    match refused {
        Err(StoreError::Locked { holder }) => Some(holder.id),
        Err(error) => panic!("{error:?}"),
        Ok(locked) => {
            locked.unlock().await.unwrap();
            None
        }
    }
}

pub(crate) async fn are_no_locks(servers: &Arc<Servers>) {
    let (object, item) = (Lock::Object, Lock::Item);
    let store = servers.new_store(Lock::Both);
    let (lock_object, lock_item) = (
        format!("{}.tflock", store.key),
        format!("{BUCKET}/{}", store.key),
    );

    // A half of another tool's keeps us out, and nothing of ours stays.
    for half in [object, item] {
        let theirs = Store {
            lock: half,
            ..store.clone()
        };
        assert!(servers.plant_lock(&theirs, "theirs").await);
        assert_eq!(
            holder(servers, &store).await.as_deref(),
            Some("theirs"),
            "{half:?}"
        );
        assert_eq!(servers.object(&lock_object).await.is_some(), half == object);
        assert_eq!(
            servers.item(&lock_item, "Info").await.is_some(),
            half == item
        );
        let opened = servers.open(&store, LEASE).await.unwrap();
        opened.force_unlock("default", "theirs").await.unwrap();
        assert_eq!(holder(servers, &store).await, None);
    }

    // Both halves are taken, and look as other tools expect them.
    let opened = servers.open(&store, LEASE).await.unwrap();
    let mut locked = opened.lock("default", info("ours")).await.unwrap();
    let object_text = servers.object(&lock_object).await.unwrap();
    let item_text = servers.item(&lock_item, "Info").await.unwrap();
    for text in [String::from_utf8(object_text).unwrap(), item_text] {
        let record: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(record["ID"], "ours");
        assert_eq!(record["Path"], lock_item.as_str());
        assert!(record["Lease"].is_object(), "{text}");
    }

    // Whoever releases one half by force has released the lock.
    servers.delete_item(&lock_item).await;
    let version = StateVersion {
        lineage: "l".into(),
        serial: 1,
    };
    let bytes: Arc<[u8]> = b"{\"version\": 4, \"serial\": 1, \"lineage\": \"l\"}"[..].into();
    let refused = locked.write(bytes, version).await;
    assert!(
        matches!(refused, Err(StoreError::LockLost(_))),
        "{refused:?}"
    );
    drop(locked);
    assert_eq!(holder(servers, &store).await, None);
    assert_eq!(servers.object(&lock_object).await, None);

    // A holder that died when it had one half is taken over like any other.
    let dead = opened.lock("default", info("dead")).await.unwrap();
    let text = servers.object(&lock_object).await.unwrap();
    dead.unlock().await.unwrap();
    servers.put_object(&lock_object, &text).await;
    let begun = std::time::Instant::now();
    while let Some(holder) = holder_of(&opened).await {
        assert_eq!(holder, "dead");
        assert!(begun.elapsed() < Duration::from_mins(2), "never taken over");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(begun.elapsed() >= LEASE, "taken over too early");
}

async fn holder_of(opened: &terrace_backend_remote::RemoteStore) -> Option<String> {
    match opened.lock("default", info("asking")).await {
        Err(StoreError::Locked { holder }) => Some(holder.id),
        Err(error) => panic!("{error:?}"),
        Ok(locked) => {
            locked.unlock().await.unwrap();
            None
        }
    }
}
