//! The suite that every backend passes, on a real server, and what the server's answers lead to.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use terrace_backend_conformance::{Answer, Backend, suite};
use terrace_backend_http::{arguments, open};
use terrace_backend_remote::{Arguments, Problem, Surroundings};
use terrace_port::{Clock, LockInfo, StateStore, StateVersion, StoreError};
use terrace_test_services::StateServer;
use terrace_value::Value;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> (i64, u32) {
        (1_700_000_000, 0)
    }
}

async fn opened(
    values: &[(&str, Value)],
    environment: &[(&str, &str)],
    directory: &Path,
) -> Result<Arc<dyn StateStore>, Vec<Problem>> {
    let values: BTreeMap<String, Value> = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    let variables: BTreeMap<String, String> = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let environment = move |name: &str| variables.get(name).cloned();
    let arguments = Arguments::new(arguments(), &values, &environment)?;
    let surroundings = Surroundings {
        environment: &environment,
        directory,
        clock: Arc::new(Fixed),
        user_agent: "Terrace/test",
        watcher: None,
    };
    open(&arguments, &surroundings).await
}

struct Http {
    server: StateServer,
    directory: tempfile::TempDir,
}

impl Http {
    fn values(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("address", Value::string(self.server.state_address())),
            ("lock_address", Value::string(self.server.lock_address())),
            ("unlock_address", Value::string(self.server.lock_address())),
            ("retry_wait_min", Value::int(0)),
        ]
    }

    async fn store(&self) -> Arc<dyn StateStore> {
        opened(&self.values(), &[], self.directory.path())
            .await
            .unwrap()
    }

    fn start() -> Self {
        Self {
            server: StateServer::start().unwrap(),
            directory: tempfile::tempdir().unwrap(),
        }
    }
}

impl Backend for Http {
    fn open(&self) -> Arc<dyn StateStore> {
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(self.store()))
    }

    /// The server has a body or has it not.
    fn interrupt_write(&self, _: &str) {}

    fn journal_bytes(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn set_journal_bytes(&self, _: &str, _: &[u8]) {}

    fn has_workspaces(&self) -> bool {
        false
    }

    fn lock_as_the_reference<'a>(&'a self, id: &'a str) -> Answer<'a, Option<String>> {
        self.server.set_lock(Some(&format!("{{\"ID\":\"{id}\",\"Operation\":\"OperationTypeApply\",\"Info\":\"\",\"Who\":\"them@there\",\"Version\":\"1.11.4\",\"Created\":\"2026-01-02T03:04:05Z\",\"Path\":\"\"}}")));
        Box::pin(std::future::ready(Some(id.to_owned())))
    }

    fn sleep(&self, duration: Duration) -> Answer<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

fn info(id: &str) -> LockInfo {
    LockInfo {
        id: id.into(),
        ..LockInfo::default()
    }
}

fn version(serial: u64) -> StateVersion {
    StateVersion {
        lineage: "l".into(),
        serial,
    }
}

fn state(serial: u64) -> Arc<[u8]> {
    format!("{{\"version\":4,\"serial\":{serial},\"lineage\":\"l\"}}\n")
        .into_bytes()
        .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_http_backend_conforms() {
    let checks = suite(&|| Box::new(Http::start())).await;
    assert!(checks.len() >= 29, "{checks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_that_pass_are_waited_for_and_lost_answers_are_found_out() {
    let http = Http::start();
    let store = http.store().await;
    http.server.fail(&[(503, true), (500, false)]);
    let mut locked = store.lock("default", info("a")).await.unwrap();
    http.server.fail(&[(502, false), (429, false)]);
    locked.read().await.unwrap();
    http.server.fail(&[(500, true)]);
    locked.write(state(1), version(1)).await.unwrap();
    assert_eq!(http.server.state().unwrap(), *state(1));
    http.server.fail(&[(503, true)]);
    locked.unlock().await.unwrap();
    assert_eq!(http.server.lock(), None);
    http.server
        .fail(&[(503, false), (503, false), (503, false)]);
    let given_up = store.read("default").await.unwrap_err();
    assert!(matches!(given_up, StoreError::Unavailable { .. }));
    http.server.fail(&[]);
    let asked = http.server.requests();
    assert!(asked.contains(&"POST /state?ID=a".to_owned()), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_gives_what_the_configuration_leaves_out() {
    let http = Http::start();
    // user:secret
    http.server.ask_for("Basic dXNlcjpzZWNyZXQ=");
    let address = http.server.state_address();
    let environment = [
        ("TF_HTTP_ADDRESS", &*address),
        ("TF_HTTP_USERNAME", "user"),
        ("TF_HTTP_PASSWORD", "secret"),
        ("TF_HTTP_RETRY_MAX", "0"),
    ];
    let store = opened(&[], &environment, http.directory.path())
        .await
        .unwrap();
    assert!(store.read("default").await.unwrap().is_none());
    // Without addresses of a lock there is none.
    let _one = store.lock("default", info("a")).await.unwrap();
    store.lock("default", info("b")).await.unwrap();
    let told = |error: StoreError| match error {
        StoreError::Unavailable { source, .. } => source.to_string(),
        error => panic!("{error:?}"),
    };
    let other = opened(&[], &environment[..1], http.directory.path())
        .await
        .unwrap();
    let error = told(other.read("default").await.unwrap_err());
    assert!(error.contains("requires auth"), "{error}");
    let wrong = [
        environment[0],
        environment[1],
        ("TF_HTTP_PASSWORD", "wrong"),
    ];
    let other = opened(&[], &wrong, http.directory.path()).await.unwrap();
    let error = told(other.read("default").await.unwrap_err());
    assert!(error.contains("invalid auth"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_be_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[("address", "ftp://x/y")], "must be HTTP or HTTPS"),
        (
            &[("address", "http://x"), ("lock_address", "x y")],
            "failed to parse lockAddress URL",
        ),
        (
            &[("address", "http://x"), ("update_method", "A B")],
            "is not an HTTP method",
        ),
        (
            &[("address", "http://x"), ("client_certificate_pem", "x")],
            "client_private_key_pem is not",
        ),
        (
            &[("address", "http://x"), ("client_ca_certificate_pem", "x")],
            "failed to append certs",
        ),
    ];
    for (values, expected) in cases {
        let values: Vec<(&str, Value)> = values
            .iter()
            .map(|(name, value)| (*name, Value::string(*value)))
            .collect();
        let problems = opened(&values, &[], directory.path()).await.err().unwrap();
        assert!(problems[0].detail.contains(expected), "{problems:?}");
        assert!(problems[0].argument.is_some());
    }
}
