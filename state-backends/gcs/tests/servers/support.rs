//! The stand-in, and stores in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use terrace_backend_remote::{Arguments, Problem, RemoteOptions, RemoteStore, Surroundings};
use terrace_port::Clock;
use terrace_test_services::CloudStorage;
use terrace_value::Value;

pub(crate) const BUCKET: &str = "states";
pub(crate) const TOKEN: &str = "the-token";

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

    pub(crate) fn arguments(&self, prefix: &str) -> BTreeMap<String, Value> {
        let endpoint = format!("{}/storage/v1/b", self.storage.endpoint());
        [
            ("bucket", BUCKET),
            ("prefix", prefix),
            ("access_token", TOKEN),
            ("storage_custom_endpoint", &endpoint),
        ]
        .map(|(name, value)| (name.to_owned(), Value::string(value)))
        .into()
    }

    pub(crate) async fn open(&self, prefix: &str, lease: Duration) -> RemoteStore {
        open_with(&self.arguments(prefix), &BTreeMap::new(), lease)
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
    let arguments = Arguments::new(terrace_backend_gcs::arguments(), arguments, &environment)?;
    let mut options = RemoteOptions::new("gcs", clock);
    options.lease = lease;
    options.heartbeat = lease / 4;
    terrace_backend_gcs::open_with(&arguments, &surroundings, options).await
}
