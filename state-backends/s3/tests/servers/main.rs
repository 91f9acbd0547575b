//! The suite that every backend passes, with each kind of lock, against servers that speak the protocols of AWS.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed"
)]

mod digests;
mod halves;
mod interchange;
mod signing;
mod support;

use std::sync::Arc;
use std::time::Duration;

use support::{Lock, Servers, Store, blocking};
use terrace_backend_conformance::{Answer, Backend, suite};
use terrace_port::{LockInfo, StateStore};
use terrace_test_support::{available, in_full_size};

const LEASE: Duration = Duration::from_millis(1500);

struct Remote {
    servers: Arc<Servers>,
    store: Store,
}

impl Remote {
    async fn opened(&self) -> terrace_backend_remote::RemoteStore {
        self.servers.open(&self.store, LEASE).await.unwrap()
    }
}

impl Backend for Remote {
    fn open(&self) -> Arc<dyn StateStore> {
        Arc::new(blocking(self.opened()))
    }

    /// A write is there or not.
    fn interrupt_write(&self, _: &str) {}

    fn journal_bytes(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn set_journal_bytes(&self, _: &str, _: &[u8]) {}

    fn lease(&self) -> Option<Duration> {
        Some(LEASE)
    }

    fn abandon(&self, id: &str) -> Answer<'_, ()> {
        let (servers, store, id) = (Arc::clone(&self.servers), self.store.clone(), id.to_owned());
        Box::pin(async move {
            let died = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                let info = LockInfo {
                    id,
                    ..LockInfo::default()
                };
                let locked = runtime.block_on(async {
                    let store = servers.open(&store, LEASE).await.unwrap();
                    store.lock("default", info).await.unwrap()
                });
                std::mem::forget(locked);
                runtime.shutdown_background();
            });
            tokio::task::spawn_blocking(|| died.join().unwrap())
                .await
                .unwrap();
        })
    }

    fn lock_as_the_reference<'a>(&'a self, id: &'a str) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let planted = self.servers.plant_lock(&self.store, id).await;
            planted.then(|| id.to_owned())
        })
    }

    fn sleep(&self, duration: Duration) -> Answer<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

async fn conforms(servers: &Arc<Servers>, lock: Lock) {
    let begun = std::time::Instant::now();
    let checks = suite(&|| {
        Box::new(Remote {
            servers: Arc::clone(servers),
            store: servers.new_store(lock),
        })
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
    signing::works(&servers).await;
    interchange::with_the_reference(&servers).await;
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
    signing::are_checked(&servers).await;
    interchange::with_the_reference(&servers).await;
    for lock in [Lock::Object, Lock::Item, Lock::Both, Lock::None] {
        conforms(&servers, lock).await;
    }
}
