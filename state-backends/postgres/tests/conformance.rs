//! The suite that every backend passes, on a real server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use terrace_backend_conformance::{Answer, Backend, suite};
use terrace_backend_postgres::{arguments, open};
use terrace_backend_remote::{Arguments, Surroundings};
use terrace_port::{Clock, LockInfo, StateStore, StoreError};
use terrace_test_services::Postgres;
use terrace_value::Value;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> (i64, u32) {
        (1_700_000_000, 0)
    }
}

async fn opened(connection: &str) -> Arc<dyn StateStore> {
    let values = BTreeMap::from([("conn_str".to_owned(), Value::string(connection))]);
    let environment = |_: &str| None;
    let arguments = Arguments::new(arguments(), &values, &environment).unwrap();
    let surroundings = Surroundings {
        environment: &environment,
        directory: Path::new("."),
        clock: Arc::new(Fixed),
        user_agent: "Terrace/test",
        watcher: None,
    };
    open(&arguments, &surroundings).await.unwrap()
}

struct Rows {
    server: Arc<Postgres>,
    database: String,
    theirs: Mutex<Option<Child>>,
}

impl Rows {
    fn connection(&self) -> String {
        self.server.connection_string(&self.database)
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        if let Some(mut child) = self.theirs.lock().unwrap().take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

impl Backend for Rows {
    fn open(&self) -> Arc<dyn StateStore> {
        let connection = self.connection();
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(opened(&connection))
        })
    }

    /// A transaction is there or not.
    fn interrupt_write(&self, _: &str) {}

    fn journal_bytes(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn set_journal_bytes(&self, _: &str, _: &[u8]) {}

    #[expect(clippy::disallowed_methods, reason = "a test starts a client")]
    fn lock_as_the_reference<'a>(&'a self, _: &'a str) -> Answer<'a, Option<String>> {
        // Without a row, it takes the lock of those who create one.
        let child = Command::new("psql")
            .arg(self.connection())
            .args([
                "-c",
                "SELECT pg_try_advisory_lock(-1)",
                "-c",
                "SELECT pg_sleep(600)",
            ])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        *self.theirs.lock().unwrap() = Some(child);
        Box::pin(async move {
            for _ in 0..4800 {
                let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted";
                if self.server.query(&self.database, held).unwrap() == "1" {
                    return Some("-1".to_owned());
                }
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            panic!("the client did not lock");
        })
    }

    fn sleep(&self, duration: Duration) -> Answer<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pg_backend_conforms() {
    let server = match Postgres::start() {
        Ok(server) => Arc::new(server),
        Err(error) => {
            println!("SKIPPED: {error}");
            return;
        }
    };
    let number = AtomicU64::new(0);
    let checks = suite(&|| {
        let database = format!("d{}", number.fetch_add(1, Ordering::Relaxed));
        server.create(&database).unwrap();
        Box::new(Rows {
            server: Arc::clone(&server),
            database,
            theirs: Mutex::default(),
        })
    })
    .await;
    assert!(checks.len() >= 29, "{checks:?}");
    // A holder whose connection was lost goes on, as long as nobody has had its lock.
    let store = opened(&server.connection_string("tfstate")).await;
    let info = |id: &str| LockInfo {
        id: id.into(),
        ..LockInfo::default()
    };
    let mut locked = store.lock("default", info("a")).await.unwrap();
    let lose_connections = || {
        let ended =
            "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'";
        server.query("tfstate", ended).unwrap()
    };
    let state = |serial: u64| -> Arc<[u8]> {
        format!("{{\"version\":4,\"serial\":{serial},\"lineage\":\"l\"}}\n")
            .into_bytes()
            .into()
    };
    lose_connections();
    locked.overwrite(state(1)).await.unwrap();
    lose_connections();
    locked.overwrite(state(2)).await.unwrap();
    let other = opened(&server.connection_string("tfstate")).await;
    let refused = other.lock("default", info("b")).await.err();
    assert!(
        matches!(&refused, Some(StoreError::Locked { holder }) if holder.id == "a"),
        "{refused:?}"
    );
    // Where someone has had it, it is lost, and the holder is told so; by force as well as after its end.
    lose_connections();
    // The server takes the lock from a session that it ends a moment later.
    let others = loop {
        match other.lock("default", info("c")).await {
            Ok(others) => break others,
            Err(StoreError::Locked { .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(other) => panic!("{other}"),
        }
    };
    others.unlock().await.unwrap();
    let refused = locked.overwrite(state(3)).await;
    assert!(
        matches!(refused, Err(StoreError::LockLost(_))),
        "{refused:?}"
    );
    let mut locked = store.lock("default", info("d")).await.unwrap();
    other.force_unlock("default", "d").await.unwrap();
    let refused = locked.overwrite(state(3)).await;
    assert!(
        matches!(refused, Err(StoreError::LockLost(_))),
        "{refused:?}"
    );
    let mut locked = other.lock("default", info("e")).await.unwrap();
    assert_eq!(locked.read().await.unwrap().unwrap().bytes, state(2));
    locked.overwrite(state(3)).await.unwrap();
}
