//! A server, and stores in it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use terrace_backend_remote::{Arguments, Problem, RemoteOptions, RemoteStore, Surroundings};
use terrace_port::Clock;
use terrace_test_services::{Azurite, Unavailable};
use terrace_value::Value;

/// Waits for something from where one cannot.
pub(crate) fn blocking<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}

/// The time.
#[derive(Debug)]
struct Now;

impl Clock for Now {
    fn now(&self) -> (i64, u32) {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        (i64::try_from(now.as_secs()).unwrap(), now.subsec_nanos())
    }
}

/// A server with a container.
pub(crate) struct Server {
    pub(crate) azurite: Azurite,
    next: AtomicUsize,
}

pub(crate) const CONTAINER: &str = "states";

impl Server {
    pub(crate) async fn start() -> Result<Self, Unavailable> {
        let server = Self {
            azurite: Azurite::start()?,
            next: AtomicUsize::new(0),
        };
        let endpoint = server.azurite.endpoint();
        let request = terrace_backend_azurerm::create_container(
            Arc::new(Now),
            &endpoint,
            server.azurite.account(),
            server.azurite.key(),
            CONTAINER,
        );
        request.await.unwrap();
        Ok(server)
    }

    pub(crate) fn new_key(&self) -> String {
        format!("{}.tfstate", self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn arguments(&self, key: &str) -> BTreeMap<String, Value> {
        let endpoint = self.azurite.endpoint();
        [
            ("storage_account_name", self.azurite.account()),
            ("container_name", CONTAINER),
            ("key", key),
            ("access_key", self.azurite.key()),
            ("blob_endpoint", &endpoint),
        ]
        .map(|(name, value)| (name.to_owned(), Value::string(value)))
        .into()
    }

    pub(crate) async fn open(&self, key: &str, lease: Duration) -> RemoteStore {
        open_with(&self.arguments(key), &BTreeMap::new(), lease)
            .await
            .unwrap()
    }
}

/// Opens with arguments and variables of the environment.
pub(crate) async fn open_with(
    arguments: &BTreeMap<String, Value>,
    variables: &BTreeMap<String, String>,
    lease: Duration,
) -> Result<RemoteStore, Vec<Problem>> {
    let variables = variables.clone();
    let environment = move |name: &str| variables.get(name).cloned();
    let clock: Arc<dyn Clock> = Arc::new(Now);
    let surroundings = Surroundings {
        environment: &environment,
        directory: Path::new("."),
        clock: clock.clone(),
        user_agent: "Terrace/0.1.0",
        watcher: None,
    };
    let arguments = Arguments::new(
        terrace_backend_azurerm::arguments(),
        arguments,
        &environment,
    )?;
    let mut options = RemoteOptions::new("azurerm", clock);
    options.lease = lease;
    options.heartbeat = lease / 4;
    terrace_backend_azurerm::open_with(&arguments, &surroundings, options).await
}
