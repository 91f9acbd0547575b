//! What a run asks of its store beside its batches: as little as its promises need.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use support::{Client, Keys, World, options};
use terrace_backend_remote::{
    Deleted, Failure, Object, Objects, Put, RemoteOptions, RemoteStore, When, Write,
};
use terrace_port::{JournalStore, LockInfo, StateStore, StateVersion, StoreError};

/// A store that deletes many objects by one request, and whose requests are noted.
#[derive(Clone)]
struct Noted {
    client: Client,
    requests: Arc<Mutex<Vec<String>>>,
    /// A journal that is emptied before its next batch is read.
    emptied: Arc<Mutex<Option<Arc<dyn JournalStore>>>>,
    /// What names end with that are listed though nothing is there.
    lost: Option<&'static str>,
}

impl Noted {
    fn of(world: &Arc<World>) -> Self {
        Self {
            client: Client::of(world),
            requests: Arc::default(),
            emptied: Arc::default(),
            lost: None,
        }
    }

    fn store(&self, options: RemoteOptions) -> RemoteStore {
        let locks = Arc::new(self.client.clone());
        RemoteStore::new(options, Arc::new(self.clone()), locks, Arc::new(Keys))
    }

    fn note(&self, what: &str, name: &str) {
        let short = name.rsplit("tfstate").next().unwrap_or_default();
        let short = if short.is_empty() { "the state" } else { short };
        let mut requests = self.requests.lock().unwrap();
        requests.push(format!("{what} {}", short.trim_start_matches(['.', '/'])));
    }

    /// What was asked for since the last time.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

#[async_trait]
impl Objects for Noted {
    fn place(&self, name: &str) -> String {
        self.client.place(name)
    }
    async fn get(&self, name: &str) -> Result<Option<Object>, Failure> {
        self.note("get", name);
        if name.contains("/journal/") {
            let emptied = self.emptied.lock().unwrap().take();
            if let Some(journal) = emptied {
                journal.clear().await.unwrap();
            }
        }
        if self.lost.is_some_and(|ending| name.ends_with(ending)) {
            return Ok(None);
        }
        self.client.get(name).await
    }
    async fn put(&self, name: &str, bytes: &[u8], write: Write<'_>) -> Result<Put, Failure> {
        self.note("put", name);
        self.client.put(name, bytes, write).await
    }
    async fn delete(&self, name: &str, write: Write<'_>) -> Result<Deleted, Failure> {
        self.note("delete", name);
        self.client.delete(name, write).await
    }
    async fn delete_many(&self, names: &[String]) -> Result<Vec<String>, Failure> {
        self.note("delete", &format!("{} objects", names.len()));
        for name in names {
            self.client.delete(name, Write::when(When::Always)).await?;
        }
        Ok(Vec::new())
    }
    async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        self.note("list", prefix);
        self.client.list(prefix).await
    }
}

fn frames(text: &str) -> Vec<Vec<u8>> {
    vec![text.as_bytes().to_vec()]
}

/// A run that holds the lock: what it asks for before, while and after it changes something.
async fn run(noted: &Noted, options: RemoteOptions, serial: u64) -> [Vec<String>; 3] {
    let store = noted.store(options);
    let mut locked = store.lock("default", LockInfo::default()).await.unwrap();
    noted.take();
    locked.read().await.unwrap();
    let journal = store.journal("default");
    assert!(journal.read().await.unwrap().is_empty());
    let before = noted.take();
    for batch in ["one", "two", "three"] {
        journal.append(&frames(batch)).await.unwrap();
    }
    let meanwhile = noted.take();
    let text = format!("{{\"version\": 4, \"serial\": {serial}, \"lineage\": \"l\"}}\n");
    let version = StateVersion {
        lineage: "l".into(),
        serial,
    };
    let bytes = text.into_bytes().into();
    locked.write(bytes, version).await.unwrap();
    assert_eq!(noted.take(), ["put the state"]);
    journal.clear().await.unwrap();
    let after = noted.take();
    locked.unlock().await.unwrap();
    assert!(store.journal("default").read().await.unwrap().is_empty());
    [before, meanwhile, after]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_looks_at_its_journal_once_and_empties_it_by_two_requests() {
    let directory = tempfile::tempdir().unwrap();
    let usual = || RemoteOptions {
        aside: Some(directory.path().to_owned()),
        ..RemoteOptions::new("memory", options(0).clock)
    };
    let noted = Noted::of(&Arc::default());
    for serial in 1..3 {
        let [before, meanwhile, after] = run(&noted, usual(), serial).await;
        let mut expected = vec!["get the state", "list terrace/journal"];
        if serial > 1 {
            // How far the run before emptied it.
            expected.push("get terrace/journal-emptied");
        }
        assert_eq!(before, expected);
        let batches = (1..4).map(|number| format!("put terrace/journal/{serial:012}-{number:010}"));
        assert_eq!(meanwhile, batches.collect::<Vec<_>>());
        assert_eq!(after, ["put terrace/journal-emptied", "delete 3 objects"]);
    }
    let names = noted.client.world.names();
    assert!(
        !names.iter().any(|name| name.contains("/journal/")),
        "{names:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_from_elsewhere_meanwhile_is_looked_at_again() {
    let world = Arc::<World>::default();
    let noted = Noted::of(&world);
    let store = noted.store(options(0));
    let _locked = store.lock("default", LockInfo::default()).await.unwrap();
    let journal = store.journal("default");
    assert!(journal.read().await.unwrap().is_empty());
    // Somebody who was told to take no lock.
    let other = Client::of(&world).store().journal("default");
    other.append(&frames("theirs")).await.unwrap();
    journal.append(&frames("ours")).await.unwrap();
    let both = [frames("theirs"), frames("ours")].concat();
    assert_eq!(journal.read().await.unwrap(), both);
    // And who empties it at the same time.
    other.clear().await.unwrap();
    journal.append(&frames("more")).await.unwrap();
    assert_eq!(journal.read().await.unwrap(), frames("more"));
    journal.clear().await.unwrap();
    assert!(other.read().await.unwrap().is_empty());
    let names = world.names();
    assert!(
        !names.iter().any(|name| name.contains("/journal/")),
        "{names:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_is_emptied_while_it_is_read_is_not_damaged() {
    let world = Arc::<World>::default();
    let noted = Noted::of(&world);
    let reader = noted.store(options(0)).journal("default");
    let writer = Client::of(&world).store().journal("default");
    for batch in ["one", "two"] {
        writer.append(&frames(batch)).await.unwrap();
    }
    *noted.emptied.lock().unwrap() = Some(writer.clone());
    assert!(reader.read().await.unwrap().is_empty());
    // A batch that nobody has said to be over is another thing.
    for batch in ["three", "four"] {
        writer.append(&frames(batch)).await.unwrap();
    }
    let losing = Noted {
        lost: Some("0000000003"),
        ..noted
    };
    let damaged = losing.store(options(0)).journal("default").read().await;
    let Err(StoreError::Corrupt(why)) = damaged else {
        panic!("{damaged:?}");
    };
    assert!(why.contains("0000000003 is gone"), "{why}");
}
