//! The stand-in, and stores in it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use terrace_backend_conformance::texts;
use terrace_backend_remote::{Problem, RemoteStore};
use terrace_test_services::CloudStorage;
use terrace_value::Value;

pub(crate) const BUCKET: &str = "states";
pub(crate) const TOKEN: &str = "the-token";

/// The stand-in.
pub(crate) struct Server {
    pub(crate) storage: CloudStorage,
    next: AtomicUsize,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self {
            storage: CloudStorage::start(BUCKET, TOKEN).unwrap(),
            next: AtomicUsize::new(0),
        }
    }

    pub(crate) fn new_prefix(&self) -> String {
        format!("dev/{}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn settings(&self, prefix: &str) -> [(&'static str, String); 4] {
        let endpoint = format!("{}/storage/v1/b", self.storage.endpoint());
        [
            ("bucket", BUCKET.to_owned()),
            ("prefix", prefix.to_owned()),
            ("access_token", TOKEN.to_owned()),
            ("storage_custom_endpoint", endpoint),
        ]
    }

    pub(crate) fn arguments(&self, prefix: &str) -> BTreeMap<String, Value> {
        let settings = self.settings(prefix);
        texts(settings.iter().map(|(name, value)| (*name, value.as_str())))
    }

    /// The block of a configuration of the reference.
    pub(crate) fn block(&self, prefix: &str) -> String {
        let lines = self
            .settings(prefix)
            .map(|(name, value)| format!("    {name} = \"{value}\"\n"));
        format!("  backend \"gcs\" {{\n{}  }}", lines.concat())
    }

    pub(crate) async fn open(&self, prefix: &str, lease: Duration) -> RemoteStore {
        open_with(&self.arguments(prefix), &[], lease)
            .await
            .unwrap()
    }
}

/// Opens with arguments and variables of the environment.
pub(crate) async fn open_with(
    arguments: &BTreeMap<String, Value>,
    variables: &[(&str, &str)],
    lease: Duration,
) -> Result<RemoteStore, Vec<Problem>> {
    let kind = ("gcs", terrace_backend_gcs::arguments());
    let open = terrace_backend_gcs::open_with;
    terrace_backend_conformance::open_with(kind, arguments, variables, lease, open).await
}

/// What is wrong with arguments and variables.
pub(crate) async fn problem(
    arguments: &BTreeMap<String, Value>,
    variables: &[(&str, &str)],
) -> Option<String> {
    let opened = open_with(arguments, variables, Duration::from_mins(1)).await;
    let problems = opened.err()?;
    Some(problems.into_iter().next().unwrap().detail)
}
