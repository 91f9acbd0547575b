//! The audit chain: each entry holds the hash of the one before, and the head is kept apart, so that a changed,
//! removed or reordered entry is found, the last one included.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest as _, Sha256};
use terrace_port::{RunStore, StoreError};

use crate::wire::{AuditWire, HeadWire};

/// What is to be recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditEvent {
    /// RFC 3339 time.
    pub time: String,
    /// Who.
    pub actor: String,
    /// What: `plan`, `approve`, `refuse`, `apply-start`, `apply-end`, `recover`, `force-unlock`, `state-write`, `bootstrap` …
    pub event: String,
    /// The run it belongs to.
    pub run: Option<String>,
    /// Machine-readable particulars.
    pub details: BTreeMap<String, String>,
}

/// An entry of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place, from 1.
    pub sequence: u64,
    /// What was recorded.
    pub event: AuditEvent,
    /// Its hash.
    pub hash: String,
}

/// What is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditProblem {
    /// An entry is not there.
    Missing(u64),
    /// An entry cannot be read.
    Unreadable(u64, String),
    /// An entry stands where another belongs.
    Misplaced(u64),
    /// An entry does not follow from the one before: one of them was changed.
    Broken(u64),
    /// The head says that the chain ends elsewhere: entries at its end were removed, changed or added.
    Head {
        /// Where the head says it ends.
        expected: u64,
        /// Where it ends.
        found: u64,
    },
    /// There are entries and no head.
    NoHead,
}

impl fmt::Display for AuditProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(sequence) => write!(f, "entry {sequence} is missing"),
            Self::Unreadable(sequence, why) => write!(f, "entry {sequence} cannot be read: {why}"),
            Self::Misplaced(sequence) => {
                write!(f, "another entry stands in the place of entry {sequence}")
            }
            Self::Broken(sequence) => write!(
                f,
                "entry {sequence} does not follow from the one before: one of the two was changed"
            ),
            Self::Head { expected, found } if expected == found => {
                write!(f, "the last entry, {found}, was changed")
            }
            Self::Head { expected, found } => write!(
                f,
                "the chain ends at entry {found}, and its head says {expected}"
            ),
            Self::NoHead => f.write_str("the head of the chain is missing"),
        }
    }
}

const HEAD: &str = "audit/head";
/// How often an append is tried again when another process appended in between.
const ATTEMPTS: usize = 100;

fn entry_name(sequence: u64) -> String {
    format!("audit/entries/{sequence:012}")
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |text, byte| {
            format!("{text}{byte:02x}")
        })
}

/// Appends an entry. Safe when several processes append at once.
pub async fn append(store: &dyn RunStore, event: &AuditEvent) -> Result<(), StoreError> {
    for _ in 0..ATTEMPTS {
        let head_bytes = store.get(HEAD).await?;
        let mut head = match &head_bytes {
            Some(bytes) => read_head(bytes)?,
            None => HeadWire {
                sequence: 0,
                hash: String::new(),
            },
        };
        // A process that vanished may have written its entry and not the head: the chain goes on from there.
        while let Some(bytes) = store.get(&entry_name(head.sequence + 1)).await? {
            head = HeadWire {
                sequence: head.sequence + 1,
                hash: hash(&bytes),
            };
        }
        let wire = AuditWire {
            sequence: head.sequence + 1,
            time: event.time.clone(),
            actor: event.actor.clone(),
            event: event.event.clone(),
            run: event.run.clone(),
            details: event.details.clone(),
            previous: head.hash,
        };
        let bytes = serde_json::to_vec(&wire).expect("an audit entry has string keys only");
        match store
            .compare_and_put(&entry_name(wire.sequence), None, &bytes)
            .await
        {
            Ok(()) => {}
            Err(StoreError::Conflict(_)) => continue,
            Err(error) => return Err(error),
        }
        let next = HeadWire {
            sequence: wire.sequence,
            hash: hash(&bytes),
        };
        let next = serde_json::to_vec(&next).expect("a head has string keys only");
        // When another process has moved the head on in the meantime, it has found this entry and gone past it.
        return match store
            .compare_and_put(HEAD, head_bytes.as_deref(), &next)
            .await
        {
            Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
            Err(error) => Err(error),
        };
    }
    Err(StoreError::Conflict(
        "the audit log is being written by too many processes at once".to_owned(),
    ))
}

fn read_head(bytes: &[u8]) -> Result<HeadWire, StoreError> {
    serde_json::from_slice(bytes)
        .map_err(|error| StoreError::Corrupt(format!("the head of the audit log: {error}")))
}

/// All entries that can be read, in order; [`verify`] says whether they are to be believed.
pub async fn entries(store: &dyn RunStore) -> Result<Vec<AuditEntry>, StoreError> {
    let mut list = Vec::new();
    for name in store.list("audit/entries/").await? {
        let Some(bytes) = store.get(&name).await? else {
            continue;
        };
        let Ok(wire) = serde_json::from_slice::<AuditWire>(&bytes) else {
            continue;
        };
        list.push(AuditEntry {
            sequence: wire.sequence,
            hash: hash(&bytes),
            event: AuditEvent {
                time: wire.time,
                actor: wire.actor,
                event: wire.event,
                run: wire.run,
                details: wire.details,
            },
        });
    }
    Ok(list)
}

/// Checks the whole chain: how many entries there are, and everything that is wrong with them.
pub async fn verify(store: &dyn RunStore) -> Result<(u64, Vec<AuditProblem>), StoreError> {
    let names = store.list("audit/entries/").await?;
    let mut problems = Vec::new();
    let mut previous = String::new();
    let mut expected = 1;
    for name in &names {
        let place: u64 = name
            .rsplit('/')
            .next()
            .and_then(|digits| digits.parse().ok())
            .unwrap_or(0);
        while expected < place {
            problems.push(AuditProblem::Missing(expected));
            expected += 1;
        }
        expected = place + 1;
        let Some(bytes) = store.get(name).await? else {
            continue;
        };
        match serde_json::from_slice::<AuditWire>(&bytes) {
            Err(error) => problems.push(AuditProblem::Unreadable(place, error.to_string())),
            Ok(wire) if wire.sequence != place => problems.push(AuditProblem::Misplaced(place)),
            Ok(wire) if wire.previous != previous => problems.push(AuditProblem::Broken(place)),
            Ok(_) => {}
        }
        previous = hash(&bytes);
    }
    let last = expected - 1;
    match store.get(HEAD).await? {
        None if last > 0 => problems.push(AuditProblem::NoHead),
        None => {}
        Some(bytes) => match serde_json::from_slice::<HeadWire>(&bytes) {
            Ok(head)
                if head
                    == (HeadWire {
                        sequence: last,
                        hash: previous,
                    }) => {}
            Ok(head) => problems.push(AuditProblem::Head {
                expected: head.sequence,
                found: last,
            }),
            Err(_) => problems.push(AuditProblem::NoHead),
        },
    }
    Ok((last, problems))
}
