//! Of a journal that was emptied, the bucket keeps nothing but how far.

use std::sync::Arc;
use std::time::Duration;

use terrace_port::{LockInfo, StateStore as _};

use crate::support::{BUCKET, Lock, Servers};

/// More than are deleted at the same time where each takes a request.
const BATCHES: u8 = 20;

/// What the bucket has below a state.
async fn names(servers: &Servers, key: &str) -> Vec<String> {
    let list = servers.objects.list_objects_v2().bucket(BUCKET);
    let answer = list.prefix(key).send().await.unwrap();
    let keys = answer.contents().iter().filter_map(|object| object.key());
    keys.map(|name| name.trim_start_matches(key).to_owned())
        .collect()
}

pub(crate) async fn are_none(servers: &Arc<Servers>) {
    let store = servers.new_store(Lock::Object);
    let ours = servers.open(&store, Duration::from_mins(1)).await.unwrap();
    let locked = ours.lock("default", LockInfo::default()).await.unwrap();
    let journal = ours.journal("default");
    assert!(journal.read().await.unwrap().is_empty());
    for number in 0..BATCHES {
        journal.append(&[vec![number]]).await.unwrap();
    }
    let batches = names(servers, &store.key).await;
    let batches = batches.iter().filter(|name| name.contains("/journal/"));
    assert_eq!(batches.count(), usize::from(BATCHES));
    journal.clear().await.unwrap();
    assert!(journal.read().await.unwrap().is_empty());
    locked.unlock().await.unwrap();
    assert_eq!(
        names(servers, &store.key).await,
        [".terrace/epoch", ".terrace/journal-emptied"]
    );
}
