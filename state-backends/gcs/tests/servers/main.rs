//! The suite that every backend passes, and signing in, against a stand-in that keeps to the documentation of the real
//! service. There is no server of Google's that tests could start.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed"
)]

mod interchange;
mod signing;
mod support;

use std::sync::Arc;
use std::time::Duration;

use support::{Server, blocking};
use terrace_backend_conformance::{Answer, Backend, suite};
use terrace_port::{LockInfo, StateStore};

const LEASE: Duration = Duration::from_millis(1500);

struct Remote {
    server: Arc<Server>,
    prefix: String,
}

impl Backend for Remote {
    fn open(&self) -> Arc<dyn StateStore> {
        Arc::new(blocking(self.server.open(&self.prefix, LEASE)))
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
        let (server, prefix, id) = (Arc::clone(&self.server), self.prefix.clone(), id.to_owned());
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
                    let store = server.open(&prefix, LEASE).await;
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
async fn states_in_the_stand_in() {
    let server = Arc::new(Server::start());
    signing::works().await;
    signing::encryption_is_asked_for(&server).await;
    interchange::with_the_reference(&server).await;
    let begun = std::time::Instant::now();
    let checks = suite(&|| {
        Box::new(Remote {
            server: Arc::clone(&server),
            prefix: server.new_prefix(),
        })
    })
    .await;
    println!("{} checks in {:?}", checks.len(), begun.elapsed());
    assert!(checks.len() >= 29, "{checks:?}");
}
