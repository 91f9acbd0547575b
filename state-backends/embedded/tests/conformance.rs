//! The suite that every backend passes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;
use std::sync::Arc;

use futures::executor::block_on;
use terrace_backend_conformance::{Backend, suite};
use terrace_backend_embedded::EmbeddedStore;
use terrace_port::{LockInfo, StateStore};

struct Embedded(tempfile::TempDir);

impl Embedded {
    fn journal(&self, workspace: &str) -> PathBuf {
        self.0.path().join("store/journals").join(workspace)
    }
}

impl Backend for Embedded {
    fn open(&self) -> Arc<dyn StateStore> {
        Arc::new(EmbeddedStore::new(self.0.path().join("store")))
    }

    /// A process that dies while it writes leaves its row of the lock and an unfinished transaction.
    fn interrupt_write(&self, workspace: &str) {
        let path = self.0.path().join("store/store.redb");
        let database = redb::Database::open(&path).unwrap();
        {
            let transaction = database.begin_write().unwrap();
            let locks: redb::TableDefinition<'_, &str, (u64, &[u8])> =
                redb::TableDefinition::new("locks");
            transaction
                .open_table(locks)
                .unwrap()
                .insert(workspace, (u64::MAX, b"{\"ID\":\"dead\"}".as_slice()))
                .unwrap();
            transaction.commit().unwrap();
        }
        let transaction = database.begin_write().unwrap();
        let states: redb::TableDefinition<'_, &str, &[u8]> = redb::TableDefinition::new("states");
        transaction
            .open_table(states)
            .unwrap()
            .insert(workspace, b"half".as_slice())
            .unwrap();
        drop(transaction);
    }

    #[expect(clippy::disallowed_methods, reason = "a test looks into a file")]
    fn journal_bytes(&self, workspace: &str) -> Option<Vec<u8>> {
        std::fs::read(self.journal(workspace)).ok()
    }

    #[expect(clippy::disallowed_methods, reason = "a test damages a file")]
    fn set_journal_bytes(&self, workspace: &str, bytes: &[u8]) {
        std::fs::write(self.journal(workspace), bytes).unwrap();
    }
}

fn embedded() -> Embedded {
    Embedded(tempfile::tempdir().unwrap())
}

#[test]
fn the_embedded_backend_conforms() {
    let checks = block_on(suite(&|| Box::new(embedded())));
    assert!(checks.len() >= 26, "{checks:?}");
}

#[test]
fn looking_at_a_store_that_is_not_there_makes_nothing() {
    let backend = embedded();
    block_on(async {
        let store = backend.open();
        assert!(store.read("default").await.unwrap().is_none());
        assert!(store.holder("default").await.unwrap().is_none());
        assert!(store.runs("default").list("").await.unwrap().is_empty());
    });
    assert!(!backend.0.path().join("store").exists());
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let backend = embedded();
    std::fs::create_dir_all(backend.0.path().join("store")).unwrap();
    #[expect(clippy::disallowed_methods, reason = "a test damages a file")]
    std::fs::write(
        backend.0.path().join("store/store.redb"),
        vec![b'x'; 10_000],
    )
    .unwrap();
    assert!(block_on(backend.open().read("default")).is_err());
    assert!(block_on(backend.open().lock("default", LockInfo::default())).is_err());
}
