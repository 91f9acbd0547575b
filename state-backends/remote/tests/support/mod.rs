//! A store in memory, and what can go wrong with one.

#![allow(dead_code, unreachable_pub, reason = "each suite uses its part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use terrace_backend_remote::{
    Acquired, Deleted, Failure, Held, Layout, LockRecord, Locks, Object, Objects, Put,
    RemoteOptions, RemoteStore, Replaced, Token, Version, When, Write,
};
use terrace_port::Clock;
use tokio::sync::Notify;

/// A version and bytes.
type Content = (u64, Arc<[u8]>);

/// What all clients share.
#[derive(Default)]
pub struct World {
    objects: Mutex<BTreeMap<String, Content>>,
    locks: Mutex<BTreeMap<String, (u64, LockRecord)>>,
    counter: AtomicU64,
    /// Every content that a state had, in order.
    pub history: Mutex<Vec<Arc<[u8]>>>,
}

impl World {
    fn next(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub fn names(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }

    pub fn record(&self, workspace: &str) -> Option<LockRecord> {
        let locks = self.locks.lock().unwrap();
        locks.get(workspace).map(|(_, record)| record.clone())
    }

    pub fn plant(&self, workspace: &str, record: LockRecord) {
        let token = self.next();
        self.locks
            .lock()
            .unwrap()
            .insert(workspace.into(), (token, record));
    }
}

/// What goes wrong between one client and the world.
#[derive(Default)]
pub struct Faults {
    seed: AtomicU64,
    /// In a thousand requests.
    rate: AtomicU64,
    cut: AtomicBool,
    /// Requests whose name ends so wait until they are let go.
    held: Mutex<Option<String>>,
    pub arrived: Notify,
    go: Notify,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Before,
    After,
}

impl Faults {
    pub fn random(seed: u64, per_mille: u64) -> Arc<Self> {
        let faults = Self::default();
        faults.seed.store(seed, Ordering::Relaxed);
        faults.rate.store(per_mille, Ordering::Relaxed);
        Arc::new(faults)
    }

    /// From now on, nothing arrives; or everything again.
    pub fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::Relaxed);
    }

    /// The next write to a name with this ending waits on its way.
    pub fn hold(&self, ending: &str) {
        *self.held.lock().unwrap() = Some(ending.to_owned());
    }

    pub fn let_go(&self) {
        self.go.notify_one();
    }

    async fn on_the_way(&self, name: &str) {
        let waits = {
            let mut held = self.held.lock().unwrap();
            let waits = held.as_ref().is_some_and(|ending| name.ends_with(ending));
            if waits {
                *held = None;
            }
            waits
        };
        if waits {
            self.arrived.notify_one();
            self.go.notified().await;
        }
    }

    fn next(&self) -> Fault {
        if self.cut.load(Ordering::Relaxed) {
            return Fault::Before;
        }
        let seed = self
            .seed
            .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mut x = seed;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
        if x % 1000 >= self.rate.load(Ordering::Relaxed) {
            Fault::None
        } else if x & 0x1_0000 == 0 {
            Fault::Before
        } else {
            Fault::After
        }
    }

    fn fail<T>() -> Result<T, Failure> {
        Err(Failure::transient("playing", "the connection broke"))
    }

    /// Carries out a request, or not; its answer arrives, or not.
    fn play<T>(&self, request: impl FnOnce() -> T) -> Result<T, Failure> {
        match self.next() {
            Fault::Before => Self::fail(),
            Fault::None => Ok(request()),
            Fault::After => {
                request();
                Self::fail()
            }
        }
    }
}

/// One client's view of the world.
#[derive(Clone)]
pub struct Client {
    pub world: Arc<World>,
    pub faults: Arc<Faults>,
}

fn meets(there: Option<u64>, when: When<'_>) -> bool {
    match when {
        When::Always => true,
        When::Absent => there.is_none(),
        When::Is(version) => there.is_some_and(|there| there.to_string() == version.as_str()),
    }
}

#[async_trait]
impl Objects for Client {
    fn place(&self, name: &str) -> String {
        format!("memory:{name}")
    }

    async fn get(&self, name: &str) -> Result<Option<Object>, Failure> {
        tokio::task::yield_now().await;
        self.faults.play(|| {
            let objects = self.world.objects.lock().unwrap();
            objects.get(name).map(|(version, bytes)| Object {
                bytes: Arc::clone(bytes),
                version: Version::new(version.to_string()),
            })
        })
    }

    async fn put(&self, name: &str, bytes: &[u8], write: Write<'_>) -> Result<Put, Failure> {
        self.faults.on_the_way(name).await;
        tokio::task::yield_now().await;
        self.faults.play(|| {
            let mut objects = self.world.objects.lock().unwrap();
            if !meets(objects.get(name).map(|(version, _)| *version), write.when) {
                return Put::Refused;
            }
            let version = self.world.next();
            if name.ends_with("tfstate") {
                self.world.history.lock().unwrap().push(bytes.into());
            }
            objects.insert(name.to_owned(), (version, bytes.into()));
            Put::Written(Version::new(version.to_string()))
        })
    }

    async fn delete(&self, name: &str, write: Write<'_>) -> Result<Deleted, Failure> {
        self.faults.play(|| {
            let mut objects = self.world.objects.lock().unwrap();
            if !meets(objects.get(name).map(|(version, _)| *version), write.when) {
                return Deleted::Refused;
            }
            objects.remove(name);
            Deleted::Done
        })
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        self.faults.play(|| {
            let names = self.world.names();
            names
                .into_iter()
                .filter(|name| name.starts_with(prefix))
                .collect()
        })
    }
}

#[async_trait]
impl Locks for Client {
    async fn read(&self, workspace: &str) -> Result<Option<Held>, Failure> {
        self.faults.play(|| {
            let locks = self.world.locks.lock().unwrap();
            locks.get(workspace).map(|(token, record)| Held {
                record: record.clone(),
                token: Token::new(token.to_string()),
            })
        })
    }

    async fn acquire(&self, workspace: &str, record: &LockRecord) -> Result<Acquired, Failure> {
        tokio::task::yield_now().await;
        self.faults.play(|| {
            let mut locks = self.world.locks.lock().unwrap();
            if let Some((token, record)) = locks.get(workspace) {
                return Acquired::Held(Box::new(Held {
                    record: record.clone(),
                    token: Token::new(token.to_string()),
                }));
            }
            let token = self.world.next();
            locks.insert(workspace.to_owned(), (token, record.clone()));
            Acquired::Yes(Token::new(token.to_string()))
        })
    }

    async fn replace(
        &self,
        workspace: &str,
        token: &Token,
        record: &LockRecord,
    ) -> Result<Replaced, Failure> {
        self.faults.play(|| {
            let mut locks = self.world.locks.lock().unwrap();
            let there = locks.get(workspace).map(|(token, _)| token.to_string());
            if there.as_deref() != Some(token.as_str()) {
                return Replaced::Lost;
            }
            let token = self.world.next();
            locks.insert(workspace.to_owned(), (token, record.clone()));
            Replaced::Yes(Token::new(token.to_string()))
        })
    }

    async fn release(&self, workspace: &str, token: &Token) -> Result<(), Failure> {
        self.faults.play(|| {
            let mut locks = self.world.locks.lock().unwrap();
            let there = locks.get(workspace).map(|(token, _)| token.to_string());
            if there.as_deref() == Some(token.as_str()) {
                locks.remove(workspace);
            }
        })
    }
}

pub struct Keys;

impl Layout for Keys {
    fn state(&self, workspace: &str) -> String {
        match workspace {
            "default" => "dev/terraform.tfstate".into(),
            workspace => format!("env:/{workspace}/dev/terraform.tfstate"),
        }
    }

    fn prefix(&self) -> Option<String> {
        Some("env:/".into())
    }

    fn workspace(&self, name: &str) -> Option<String> {
        let rest = name.strip_prefix("env:/")?;
        let name = rest.strip_suffix("/dev/terraform.tfstate")?;
        (!name.contains('/')).then(|| name.to_owned())
    }
}

/// A clock that is wrong by some seconds.
#[derive(Default)]
pub struct Skewed(pub AtomicI64);

impl Clock for Skewed {
    #[expect(clippy::disallowed_methods, reason = "a test's clock")]
    fn now(&self) -> (i64, u32) {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let seconds = i64::try_from(now.as_secs()).unwrap();
        (seconds + self.0.load(Ordering::Relaxed), 0)
    }
}

/// Long enough that a holder renews it in time on a machine that stands still for a second.
pub const LEASE: Duration = Duration::from_secs(2);

pub fn options(skew: i64) -> RemoteOptions {
    RemoteOptions {
        lease: LEASE,
        heartbeat: LEASE / 8,
        patience: Duration::from_mins(1),
        ..RemoteOptions::new("memory", Arc::new(Skewed(AtomicI64::new(skew))))
    }
}

impl Client {
    pub fn of(world: &Arc<World>) -> Self {
        Self {
            world: Arc::clone(world),
            faults: Arc::default(),
        }
    }

    pub fn store(&self) -> RemoteStore {
        self.store_with(options(0))
    }

    pub fn store_with(&self, options: RemoteOptions) -> RemoteStore {
        RemoteStore::new(
            options,
            Arc::new(self.clone()),
            Arc::new(self.clone()),
            Arc::new(Keys),
        )
    }
}
