//! An encrypted store is a store, and nothing secret reaches the one inside.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "a test looks into files")]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use support::right;
use terrace_backend_conformance::{Backend, suite};
use terrace_backend_local::LocalStore;
use terrace_encryption::EncryptedStore;
use terrace_port::{LockInfo, StateStore, StateVersion, StoreError};

const AES: &str = "key_provider \"gcp_kms\" \"k\" {\n kms_encryption_key = \"x\"\n key_length = 32\n}\nmethod \"aes_gcm\" \"m\" {\n keys = key_provider.gcp_kms.k\n}\nmethod \"unencrypted\" \"u\" {}\n";

fn store(directory: &Path, state: &str) -> Arc<dyn StateStore> {
    let encryption = right(&format!("{AES}state {{\n{state}\n}}"));
    EncryptedStore::around(Arc::new(LocalStore::new(directory)), &encryption)
}

struct Encrypted(tempfile::TempDir);

impl Encrypted {
    fn journal(&self, workspace: &str) -> PathBuf {
        self.0
            .path()
            .join(".terrace/workspaces")
            .join(workspace)
            .join("journal")
    }
}

impl Backend for Encrypted {
    fn open(&self) -> Arc<dyn StateStore> {
        store(self.0.path(), "method = method.aes_gcm.m")
    }

    fn interrupt_write(&self, workspace: &str) {
        let state = LocalStore::new(self.0.path()).state_path(workspace);
        std::fs::write(state.with_file_name(".tmp-Ab12Cd"), b"{\n  \"encrypted_d").unwrap();
    }

    fn journal_bytes(&self, workspace: &str) -> Option<Vec<u8>> {
        std::fs::read(self.journal(workspace)).ok()
    }

    fn set_journal_bytes(&self, workspace: &str, bytes: &[u8]) {
        std::fs::write(self.journal(workspace), bytes).unwrap();
    }
}

#[tokio::test]
async fn an_encrypted_store_conforms() {
    let checks = suite(&|| Box::new(Encrypted(tempfile::tempdir().unwrap()))).await;
    assert!(checks.len() >= 26, "{checks:?}");
}

fn contains(directory: &Path, needle: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contains(&path, needle));
        } else if std::fs::read(&path)
            .unwrap()
            .windows(needle.len())
            .any(|window| window == needle)
        {
            found.push(path);
        }
    }
    found
}

#[tokio::test]
async fn no_secret_reaches_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path(), "method = method.aes_gcm.m");
    let info = LockInfo {
        id: "a".into(),
        ..LockInfo::default()
    };
    let mut locked = store.lock("default", info).await.unwrap();
    for serial in 1..3 {
        let state: Arc<[u8]> = format!(
            "{{\"version\":4,\"terraform_version\":\"1.11.4\",\"serial\":{serial},\"lineage\":\"l\",\"outputs\":{{\"o\":{{\"value\":\"hush\",\"type\":\"string\"}}}},\"resources\":[]}}"
        )
        .into_bytes()
        .into();
        let version = StateVersion {
            lineage: "l".into(),
            serial,
        };
        locked.write(state, version).await.unwrap();
    }
    store
        .journal("default")
        .append(&[b"hush one".to_vec(), b"hush two".to_vec()])
        .await
        .unwrap();
    let runs = store.runs("default");
    runs.put("runs/1/plan", b"PK hush").await.unwrap();
    runs.compare_and_put("runs/1/plan", Some(b"PK hush"), b"PK hush two")
        .await
        .unwrap();
    let stale = runs
        .compare_and_put("runs/1/plan", Some(b"PK hush"), b"PK hush three")
        .await;
    assert!(matches!(stale, Err(StoreError::Conflict(_))), "{stale:?}");
    assert_eq!(contains(directory.path(), b"hush"), Vec::<PathBuf>::new());
    assert_eq!(
        store.journal("default").read().await.unwrap(),
        [b"hush one".to_vec(), b"hush two".to_vec()]
    );
    let plan = runs.get("runs/1/plan").await.unwrap().unwrap();
    assert_eq!(&*plan, b"PK hush two");
}

/// A journal goes on where another process with another key left it.
#[tokio::test]
async fn journals_are_read_whoever_wrote_them() {
    let directory = tempfile::tempdir().unwrap();
    let plain = LocalStore::new(directory.path());
    plain
        .journal("default")
        .append(&[b"before".to_vec()])
        .await
        .unwrap();
    let strict = store(directory.path(), "method = method.aes_gcm.m");
    let refused = strict.journal("default").read().await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    let migrating = "method = method.aes_gcm.m\nfallback {\n method = method.unencrypted.u\n}";
    for text in ["one", "two"] {
        store(directory.path(), migrating)
            .journal("default")
            .append(&[text.as_bytes().to_vec()])
            .await
            .unwrap();
    }
    assert_eq!(
        store(directory.path(), migrating)
            .journal("default")
            .read()
            .await
            .unwrap(),
        [b"before".to_vec(), b"one".to_vec(), b"two".to_vec()]
    );
}
