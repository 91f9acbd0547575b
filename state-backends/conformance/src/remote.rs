//! What tests of the backends that are not on this machine's files share: opening them, and their side of the suite.

use std::collections::BTreeMap;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use terrace_backend_remote::{
    Argument, Arguments, Problem, RemoteOptions, RemoteStore, Surroundings,
};
use terrace_port::{Clock, LockInfo, StateStore};
use terrace_value::Value;

use crate::{Answer, Backend};

/// How long the leases are that the suite waits for.
pub const LEASE: Duration = Duration::from_secs(3);

/// The time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Now;

impl Clock for Now {
    #[expect(
        clippy::disallowed_methods,
        reason = "it is the clock of tests that servers hold to theirs"
    )]
    fn now(&self) -> (i64, u32) {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        (
            i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
            now.subsec_nanos(),
        )
    }
}

/// Waits for something from where one cannot. In a runtime of several threads alone.
pub fn blocking<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}

/// Strings as arguments.
pub fn texts<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, Value> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::string(value)))
        .collect()
}

/// Opens a backend by `open`, the function of its crate, with arguments and variables of the environment.
///
/// # Errors
/// What the backend says of them.
pub async fn open_with(
    (kind, schema): (&'static str, &[Argument]),
    arguments: &BTreeMap<String, Value>,
    variables: &[(&str, &str)],
    lease: Duration,
    open: impl AsyncFnOnce(
        &Arguments,
        &Surroundings<'_>,
        RemoteOptions,
    ) -> Result<RemoteStore, Vec<Problem>>,
) -> Result<RemoteStore, Vec<Problem>> {
    let variables: BTreeMap<String, String> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let environment = move |name: &str| variables.get(name).cloned();
    let clock: Arc<dyn Clock> = Arc::new(Now);
    let surroundings = Surroundings {
        environment: &environment,
        directory: Path::new("."),
        clock: clock.clone(),
        user_agent: "Terrace/0.1.0",
        watcher: None,
    };
    let arguments = Arguments::new(schema, arguments, &environment)?;
    let mut options = RemoteOptions::new(kind, clock);
    options.lease = lease;
    options.heartbeat = lease / 4;
    open(&arguments, &surroundings, options).await
}

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Open = Arc<dyn Fn() -> Later<RemoteStore> + Send + Sync>;
type Plant = Box<dyn Fn(String) -> Later<bool>>;

/// A store of a backend with leases, as the suite sees it.
pub struct Remote {
    open: Open,
    plant: Option<Plant>,
    lease: Duration,
    odd_name: &'static str,
}

impl Remote {
    /// A store that `open` opens, with a lease of [`LEASE`].
    pub fn new<F>(open: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = RemoteStore> + Send + 'static,
    {
        Self {
            open: Arc::new(move || Box::pin(open())),
            plant: None,
            lease: LEASE,
            odd_name: "a.x_1",
        }
    }

    /// The same, for a store whose names are less free: one that is as odd as it takes them.
    #[must_use]
    pub fn with_odd_name(mut self, name: &'static str) -> Self {
        self.odd_name = name;
        self
    }

    /// The same; `plant` locks `default` as the reference does, by an id, and says whether that can be played.
    #[must_use]
    pub fn planting<F>(mut self, plant: impl Fn(String) -> F + 'static) -> Self
    where
        F: Future<Output = bool> + Send + 'static,
    {
        self.plant = Some(Box::new(move |id| Box::pin(plant(id))));
        self
    }
}

impl Backend for Remote {
    fn open(&self) -> Arc<dyn StateStore> {
        Arc::new(blocking((self.open)()))
    }

    /// A write is there or not.
    fn interrupt_write(&self, _: &str) {}

    fn journal_bytes(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn set_journal_bytes(&self, _: &str, _: &[u8]) {}

    fn odd_name(&self) -> &'static str {
        self.odd_name
    }

    fn lease(&self) -> Option<Duration> {
        Some(self.lease)
    }

    fn abandon(&self, id: &str) -> Answer<'_, ()> {
        let (open, id) = (Arc::clone(&self.open), id.to_owned());
        Box::pin(async move {
            let died = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime starts");
                let info = LockInfo {
                    id,
                    ..LockInfo::default()
                };
                let locked = runtime.block_on(async {
                    let store = open().await;
                    store.lock("default", info).await.expect("the lock is free")
                });
                std::mem::forget(locked);
                runtime.shutdown_background();
            });
            tokio::task::spawn_blocking(|| died.join().expect("it dies as it should"))
                .await
                .expect("it is waited for");
        })
    }

    fn lock_as_the_reference<'a>(&'a self, id: &'a str) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let plant = self.plant.as_ref()?;
            plant(id.to_owned()).await.then(|| id.to_owned())
        })
    }

    fn sleep(&self, duration: Duration) -> Answer<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
