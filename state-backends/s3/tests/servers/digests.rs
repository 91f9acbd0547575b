//! The digest of a state is that of what was written last, whoever wrote it and wherever it died.

use std::sync::Arc;
use std::time::{Duration, Instant};

use terrace_port::{LockInfo, StateStore as _, StateVersion, StoreError};

use crate::support::{BUCKET, Lock, Servers};

const LEASE: Duration = Duration::from_mins(1);
/// MD5 of `{}`, of `{ }` and of the state below.
const OF_BRACES: &str = "99914b932bd37a50b983c5e7c90ae93b";
const OF_SPACED: &str = "67c1890df55a3fda9bfa59ed880bdd0c";
const OF_OURS: &str = "3858fe18d769b5e7317b9531bff13bee";

pub(crate) async fn agree(servers: &Arc<Servers>) {
    let store = servers.new_store(Lock::Item);
    let key = format!("{BUCKET}/{}-md5", store.key);
    let ours = servers.open(&store, LEASE).await.unwrap();

    // What we write has its digest.
    let mut locked = ours.lock("default", LockInfo::default()).await.unwrap();
    let bytes: Arc<[u8]> = b"{\"version\": 4, \"serial\": 1, \"lineage\": \"l\"}"[..].into();
    let version = StateVersion {
        lineage: "l".into(),
        serial: 1,
    };
    locked.write(bytes.clone(), version).await.unwrap();
    assert_eq!(servers.item(&key, "Digest").await.as_deref(), Some(OF_OURS));
    assert_eq!(servers.item(&key, "Next").await, None);
    locked.unlock().await.unwrap();

    // What others write is read, with their digest.
    servers.put_object(&store.key, b"{}").await;
    servers.put_item(&key, "Digest", OF_BRACES).await;
    assert_eq!(&*ours.read("default").await.unwrap().unwrap().bytes, b"{}");

    // A writer that died between state and digest had announced it, and the next reader sets it right.
    servers.put_object(&store.key, b"{ }").await;
    servers.put_announced(&key, OF_BRACES, OF_SPACED).await;
    assert_eq!(&*ours.read("default").await.unwrap().unwrap().bytes, b"{ }");
    assert_eq!(
        servers.item(&key, "Digest").await.as_deref(),
        Some(OF_SPACED)
    );
    assert_eq!(servers.item(&key, "Next").await, None);

    // A digest that comes late is waited for.
    servers.put_item(&key, "Digest", OF_BRACES).await;
    let late = Arc::clone(servers);
    let late_key = key.clone();
    let writer = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        late.put_item(&late_key, "Digest", OF_SPACED).await;
    });
    assert_eq!(&*ours.read("default").await.unwrap().unwrap().bytes, b"{ }");
    writer.await.unwrap();

    // One that never comes is told.
    servers.put_item(&key, "Digest", OF_BRACES).await;
    let begun = Instant::now();
    let refused = ours.read("default").await;
    let Err(StoreError::Corrupt(why)) = refused else {
        panic!("{refused:?}");
    };
    assert!(why.contains(OF_SPACED) && why.contains(OF_BRACES), "{why}");
    assert!(begun.elapsed() >= Duration::from_secs(9));

    // A workspace that is deleted takes its digest with it.
    let mut locked = ours.lock("w", LockInfo::default()).await.unwrap();
    locked.overwrite(bytes).await.unwrap();
    locked.unlock().await.unwrap();
    let key = format!("{BUCKET}/env:/w/{}-md5", store.key);
    assert!(servers.item(&key, "Digest").await.is_some());
    ours.delete_workspace("w").await.unwrap();
    assert_eq!(servers.item(&key, "Digest").await, None);
    assert!(ours.read("w").await.unwrap().is_none());
}
