//! The suite that every backend passes, and signing in, against a server that checks signatures.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed"
)]

mod signing;
mod support;

use std::sync::Arc;
use std::time::Duration;

use support::{Server, blocking};
use terrace_backend_conformance::{Answer, Backend, suite};
use terrace_port::{LockInfo, StateStore};
use terrace_test_support::available;

const LEASE: Duration = Duration::from_millis(1500);

struct Remote {
    server: Arc<Server>,
    key: String,
}

impl Backend for Remote {
    fn open(&self) -> Arc<dyn StateStore> {
        Arc::new(blocking(self.server.open(&self.key, LEASE)))
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
        let (server, key, id) = (Arc::clone(&self.server), self.key.clone(), id.to_owned());
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
                    let store = server.open(&key, LEASE).await;
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

    fn sleep(&self, duration: Duration) -> Answer<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn states_in_azurite() {
    let Some(server) = available("Azure Blob Storage", blocking(Server::start())) else {
        return;
    };
    let server = Arc::new(server);
    signing::works(&server).await;
    let begun = std::time::Instant::now();
    let checks = suite(&|| {
        Box::new(Remote {
            server: Arc::clone(&server),
            key: server.new_key(),
        })
    })
    .await;
    println!("{} checks in {:?}", checks.len(), begun.elapsed());
    assert!(checks.len() >= 29, "{checks:?}");
}
