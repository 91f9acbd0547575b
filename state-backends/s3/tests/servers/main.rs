//! The suite that every backend passes, with each kind of lock, against servers that speak the protocols of AWS.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed"
)]

mod digests;
mod halves;
mod leftovers;
mod signing;
mod support;

use std::sync::Arc;
use std::time::Duration;

use support::{Lock, Servers};
use terrace_backend_conformance::{LEASE, Remote, blocking, is_there, suite, takes_turns};
use terrace_test_support::{available, in_full_size};

async fn takes_turns_with_the_reference(servers: &Arc<Servers>) {
    if !is_there() {
        println!("SKIPPED interchange: there is no terraform here");
        return;
    }
    for lock in [Lock::Object, Lock::Item, Lock::Both] {
        let store = servers.new_store(lock);
        let ours = servers.open(&store, Duration::from_mins(1)).await.unwrap();
        takes_turns(&ours, &servers.block(&store), &[]).await;
    }
}

async fn conforms(servers: &Arc<Servers>, lock: Lock) {
    let begun = std::time::Instant::now();
    let checks = suite(&|| {
        let (servers, store) = (Arc::clone(servers), servers.new_store(lock));
        let (to_plant, planted) = (Arc::clone(&servers), store.clone());
        let remote = Remote::new(move || {
            let (servers, store) = (Arc::clone(&servers), store.clone());
            async move { servers.open(&store, LEASE).await.unwrap() }
        });
        Box::new(remote.planting(move |id| {
            let (servers, store) = (Arc::clone(&to_plant), planted.clone());
            async move { servers.plant_lock(&store, &id).await }
        }))
    })
    .await;
    println!("{lock:?}: {} checks in {:?}", checks.len(), begun.elapsed());
    assert!(checks.len() >= 29, "{checks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn states_in_moto() {
    let Some(servers) = available("S3 conformance", blocking(Servers::moto())) else {
        return;
    };
    let servers = Arc::new(servers);
    digests::agree(&servers).await;
    halves::are_no_locks(&servers).await;
    leftovers::are_none(&servers).await;
    signing::works(&servers).await;
    takes_turns_with_the_reference(&servers).await;
    conforms(&servers, Lock::Object).await;
    conforms(&servers, Lock::Both).await;
    if in_full_size("locks in a table alone, and none, in moto") {
        conforms(&servers, Lock::Item).await;
        conforms(&servers, Lock::None).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn states_in_minio_and_dynamodb_local() {
    if !in_full_size("MinIO and DynamoDB Local, which take minutes to build") {
        return;
    }
    let Some(servers) = available("S3 conformance", blocking(Servers::real())) else {
        return;
    };
    let servers = Arc::new(servers);
    digests::agree(&servers).await;
    halves::are_no_locks(&servers).await;
    leftovers::are_none(&servers).await;
    signing::are_checked(&servers).await;
    takes_turns_with_the_reference(&servers).await;
    for lock in [Lock::Object, Lock::Item, Lock::Both, Lock::None] {
        conforms(&servers, lock).await;
    }
}
