//! What the journal costs an apply: with it, and with one that forgets everything.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use terrace_port::{JournalStore, LockInfo, StoreError};

use super::engine::Work;
use super::servers::{Kind, Server};
use crate::Failure;

/// How often each is measured; the middle one counts.
const RUNS: usize = 5;

const WORK: Work = Work {
    objects: 1000,
    takes: Duration::from_millis(10),
    parallelism: 10,
};

/// A journal that keeps nothing, in no time.
struct Forgetful;

#[async_trait]
impl JournalStore for Forgetful {
    async fn append(&self, _: &[Vec<u8>]) -> Result<(), StoreError> {
        Ok(())
    }
    async fn read(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(Vec::new())
    }
    async fn clear(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A journal whose writes are counted.
struct Counted {
    inner: Arc<dyn JournalStore>,
    writes: AtomicU64,
    bytes: AtomicU64,
}

impl Counted {
    fn new(inner: Arc<dyn JournalStore>) -> Self {
        Self {
            inner,
            writes: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    fn count(&self, frames: &[Vec<u8>]) {
        let bytes: usize = frames.iter().map(Vec::len).sum();
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

#[async_trait]
impl JournalStore for Counted {
    async fn append(&self, frames: &[Vec<u8>]) -> Result<(), StoreError> {
        self.count(frames);
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.inner.append(frames).await
    }
    async fn stage(&self, frames: &[Vec<u8>]) -> Result<(), StoreError> {
        self.count(frames);
        self.inner.stage(frames).await
    }
    fn witness(&self) -> Option<String> {
        self.inner.witness()
    }
    async fn reserve(&self, bytes: u64) -> Result<(), StoreError> {
        self.inner.reserve(bytes).await
    }
    async fn read(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        self.inner.read().await
    }
    async fn clear(&self) -> Result<(), StoreError> {
        self.inner.clear().await
    }
}

/// One apply.
#[derive(Clone, Copy, Default)]
struct Taken {
    time: Duration,
    writes: u64,
    bytes: u64,
}

async fn once(server: &Server, name: &str, journaled: bool) -> Result<Taken, Failure> {
    let directory = tempfile::Builder::new()
        .prefix("terrace-bench-")
        .tempdir()?;
    let store = server.store(directory.path(), name).await?;
    let info = LockInfo {
        id: name.to_owned(),
        ..LockInfo::default()
    };
    let mut locked = store.lock("default", info).await?;
    // As every command does before it changes anything: a store that knows its journal to be empty may write ahead.
    store.journal("default").read().await?;
    let journal = Counted::new(if journaled {
        store.journal("default")
    } else {
        Arc::new(Forgetful)
    });
    let time = WORK.apply(&mut *locked, &journal).await?;
    locked.unlock().await?;
    Ok(Taken {
        time,
        writes: journal.writes.into_inner(),
        bytes: journal.bytes.into_inner(),
    })
}

fn middle(mut all: Vec<Taken>) -> Taken {
    all.sort_by_key(|taken| taken.time);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

async fn both(kind: Kind) -> Result<(&'static str, Taken, Taken), Failure> {
    let server = kind.start()?;
    server.prepare().await?;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    once(&server, "first", true).await?;
    for run in 0..RUNS {
        without.push(once(&server, &format!("without-{run}"), false).await?);
        with.push(once(&server, &format!("with-{run}"), true).await?);
    }
    Ok((server.what(), middle(without), middle(with)))
}

/// A table of all stores.
pub(super) fn measure() -> Result<String, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let mut table = format!(
        "## The journal beside the changes\n\n{} objects of the test provider, each of which takes {} ms to create, {} at a time, from the beginning of the apply to the stored state; the middle of {RUNS} runs each, taking turns. *Without* is the same engine with a journal that keeps nothing. *Writes* are calls after which everything before is durable.\n\n| store    | what it is                 |  without |     with | overhead | writes | bytes of the journal |\n| -------- | -------------------------- | -------: | -------: | -------: | -----: | -------------------: |\n",
        WORK.objects,
        WORK.takes.as_millis(),
        WORK.parallelism
    );
    for kind in Kind::ALL {
        match runtime.block_on(both(kind)) {
            Ok((what, without, with)) => {
                let more = with.time.as_secs_f64() / without.time.as_secs_f64() - 1.0;
                writeln!(
                    table,
                    "| {:8} | {what:26} | {:>8} | {:>8} | {:>8} | {:>6} | {:>20} |",
                    kind.name(),
                    format!("{:.0} ms", without.time.as_secs_f64() * 1e3),
                    format!("{:.0} ms", with.time.as_secs_f64() * 1e3),
                    format!("{:.1} %", more * 100.0),
                    with.writes,
                    with.bytes,
                )?;
            }
            Err(why) => {
                println!("SKIPPED {}: {why}", kind.name());
                writeln!(
                    table,
                    "| {:8} | not measured: {why} | | | | | |",
                    kind.name()
                )?;
            }
        }
    }
    Ok(table)
}
