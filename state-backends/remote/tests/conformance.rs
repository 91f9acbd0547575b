//! The suite that every backend passes, over a store in memory: one that always answers, and one that often does not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use support::{Client, Faults, LEASE, World};
use terrace_backend_conformance::{Answer, Backend, suite};
use terrace_backend_remote::LockRecord;
use terrace_port::{LockInfo, StateStore};

struct Memory {
    world: Arc<World>,
    per_mille: u64,
    seed: AtomicU64,
}

impl Memory {
    fn client(&self) -> Client {
        let seed = self.seed.fetch_add(1, Ordering::Relaxed) << 32;
        Client {
            world: Arc::clone(&self.world),
            faults: Faults::random(seed, self.per_mille),
        }
    }
}

impl Backend for Memory {
    fn open(&self) -> Arc<dyn StateStore> {
        Arc::new(self.client().store())
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
        let (store, id) = (self.client().store(), id.to_owned());
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
                std::mem::forget(runtime.block_on(store.lock("default", info)).unwrap());
                runtime.shutdown_background();
            });
            died.join().unwrap();
        })
    }

    fn lock_as_the_reference<'a>(&'a self, id: &'a str) -> Answer<'a, Option<String>> {
        let mut record = LockRecord::unknown("path");
        id.clone_into(&mut record.info.id);
        self.world.plant("default", record);
        Box::pin(std::future::ready(Some(id.to_owned())))
    }

    fn sleep(&self, duration: Duration) -> Answer<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

async fn conforms(per_mille: u64) {
    let seed = AtomicU64::new(1);
    let checks = suite(&|| {
        Box::new(Memory {
            world: Arc::default(),
            per_mille,
            seed: AtomicU64::new(seed.fetch_add(1000, Ordering::Relaxed)),
        })
    })
    .await;
    assert!(checks.len() >= 29, "{checks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_memory_conforms() {
    conforms(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_loses_requests_and_answers_conforms() {
    conforms(120).await;
}
