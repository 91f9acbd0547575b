//! The audit chain: each entry holds the hash of the one before, and the head is kept apart, so that a changed,
//! removed or reordered entry is found, the last one included.

use std::collections::BTreeMap;
use std::fmt;

use terrace_port::{RunStore, Signer, StoreError};

use crate::calendar::second_of;
use crate::digest::hash;
use crate::wire::{AuditWire, HeadWire};
use crate::{ApprovalError, approval};

/// Namespace of the signatures of entries.
pub const AUDIT_NAMESPACE: &str = "terrace-audit";

/// Where a chain ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// The last entry's place.
    pub sequence: u64,
    /// Its hash.
    pub hash: String,
}

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
    /// Fingerprint of the key by which its signature holds; `None` where it has none that does.
    pub signer: Option<String>,
}

/// What is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditProblem {
    /// Entries are not there: the first and the last of them.
    Missing(u64, u64),
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
    /// The head is missing, or cannot be read.
    NoHead,
    /// Something lies among the entries that is none.
    Foreign(String),
    /// An entry's signature does not hold, or one is missing that must be there.
    Signature(u64, String),
    /// Something else that is stored contradicts the log.
    Contradicted(String),
}

impl fmt::Display for AuditProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(first, last) if first == last => write!(f, "entry {first} is missing"),
            Self::Missing(first, last) => write!(f, "entries {first} to {last} are missing"),
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
            Self::NoHead => f.write_str("the head of the chain is missing or cannot be read"),
            Self::Foreign(name) => write!(f, "{name:?} lies among the entries and is none"),
            Self::Signature(sequence, why) => write!(f, "entry {sequence}: {why}"),
            Self::Contradicted(why) => f.write_str(why),
        }
    }
}

pub(crate) const HEAD: &str = "audit/head";
/// How often an append is tried again when another process appended in between.
const ATTEMPTS: usize = 100;

pub(crate) fn entry_name(sequence: u64) -> String {
    format!("audit/entries/{sequence:012}")
}

/// Appends an entry. Safe when several processes append at once.
pub async fn append(store: &dyn RunStore, event: &AuditEvent) -> Result<(), StoreError> {
    append_signed(store, event, None).await.map(|_| ())
}

/// As [`append`], signed where somebody signs. Gives the chain's new end. A signer that does not leaves the entry unsigned:
/// what happened is to be recorded all the same.
pub async fn append_signed(
    store: &dyn RunStore,
    event: &AuditEvent,
    signer: Option<&dyn Signer>,
) -> Result<AuditHead, StoreError> {
    for _ in 0..ATTEMPTS {
        let mut end = match store.get(HEAD).await? {
            Some(bytes) => read_head(&bytes)?,
            None => HeadWire {
                sequence: 0,
                hash: String::new(),
            },
        };
        // A process that vanished may have written its entry and not the head: the chain goes on from there.
        while let Some(bytes) = store.get(&entry_name(end.sequence + 1)).await? {
            end = HeadWire {
                sequence: end.sequence + 1,
                hash: hash(&bytes),
            };
        }
        let mut wire = AuditWire {
            sequence: end.sequence + 1,
            time: event.time.clone(),
            actor: event.actor.clone(),
            event: event.event.clone(),
            run: event.run.clone(),
            details: event.details.clone(),
            previous: end.hash,
            signature: None,
        };
        wire.signature =
            signer.and_then(|signer| signer.sign(AUDIT_NAMESPACE, &signed_bytes(&wire)).ok());
        let bytes = serde_json::to_vec(&wire).expect("an audit entry has string keys only");
        match store
            .compare_and_put(&entry_name(wire.sequence), None, &bytes)
            .await
        {
            Ok(()) => {
                let head = HeadWire {
                    sequence: wire.sequence,
                    hash: hash(&bytes),
                };
                move_head(store, &head).await?;
                return Ok(AuditHead {
                    sequence: head.sequence,
                    hash: head.hash,
                });
            }
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(too_busy())
}

/// What an entry's signature is over: the entry without it, the hash of the one before included.
fn signed_bytes(wire: &AuditWire) -> Vec<u8> {
    let unsigned = AuditWire {
        signature: None,
        ..wire.clone()
    };
    serde_json::to_vec(&unsigned).expect("an audit entry has string keys only")
}

/// The fingerprint of the key by which an entry's signature holds; `None` where it has none.
fn signer_of(wire: &AuditWire) -> Option<Result<String, ApprovalError>> {
    let signature = wire.signature.as_deref()?;
    Some(approval::verify_bytes(
        signature,
        AUDIT_NAMESPACE,
        &signed_bytes(wire),
    ))
}

/// The second of the last entry's time, by which a clock that was set back is known.
pub(crate) async fn last_time(store: &dyn RunStore) -> Result<Option<i64>, StoreError> {
    let Some(bytes) = store.get(HEAD).await? else {
        return Ok(None);
    };
    let head = read_head(&bytes)?;
    let Some(bytes) = store.get(&entry_name(head.sequence)).await? else {
        return Ok(None);
    };
    let entry = serde_json::from_slice::<AuditWire>(&bytes).ok();
    Ok(entry.and_then(|entry| second_of(&entry.time)))
}

/// The second at which the newest entry that fits was recorded. Looks from the chain's end, where what is asked for lies
/// most often.
pub(crate) async fn time_of(
    store: &dyn RunStore,
    fits: &(dyn Fn(&AuditWire) -> bool + Sync),
) -> Result<Option<i64>, StoreError> {
    let Some(bytes) = store.get(HEAD).await? else {
        return Ok(None);
    };
    for sequence in (1..=read_head(&bytes)?.sequence).rev() {
        let Some(bytes) = store.get(&entry_name(sequence)).await? else {
            continue;
        };
        // What cannot be read is for the log's verification to tell of; it is not the entry that is looked for.
        let entry = serde_json::from_slice::<AuditWire>(&bytes).ok();
        if let Some(entry) = entry.filter(|entry| fits(entry)) {
            return Ok(second_of(&entry.time));
        }
    }
    Ok(None)
}

/// Moves the head to an entry that was just written, unless it stands there or further already. Processes that
/// append at once may come to this in any order; only the largest step may stay.
async fn move_head(store: &dyn RunStore, head: &HeadWire) -> Result<(), StoreError> {
    let next = serde_json::to_vec(head).expect("a head has string keys only");
    for _ in 0..ATTEMPTS {
        let present = store.get(HEAD).await?;
        if let Some(bytes) = &present
            && read_head(bytes)?.sequence >= head.sequence
        {
            return Ok(());
        }
        match store.compare_and_put(HEAD, present.as_deref(), &next).await {
            Err(StoreError::Conflict(_)) => {}
            done => return done,
        }
    }
    Err(too_busy())
}

fn too_busy() -> StoreError {
    StoreError::Conflict("the audit log is being written by too many processes at once".to_owned())
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
        let signer = signer_of(&wire).and_then(Result::ok);
        list.push(AuditEntry {
            signer,
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
///
/// Entries past the head are accepted where they follow from it: they were written by a process that is about to move
/// the head, or that vanished before it did.
pub async fn verify(store: &dyn RunStore) -> Result<(u64, Vec<AuditProblem>), StoreError> {
    let names = store.list("audit/entries/").await?;
    let head = store.get(HEAD).await?;
    let head = head.map(|bytes| serde_json::from_slice::<HeadWire>(&bytes).ok());
    let mut problems = Vec::new();
    let mut previous = String::new();
    let mut last = 0;
    let mut head_holds = false;
    for name in &names {
        let Some(bytes) = store.get(name).await? else {
            continue;
        };
        let digits = name.rsplit('/').next().unwrap_or_default();
        let Some(place) = digits.parse::<u64>().ok().filter(|place| *place > last) else {
            problems.push(AuditProblem::Foreign(name.clone()));
            continue;
        };
        // One line for a gap, however wide; what comes after it cannot follow.
        let gap = place > last + 1;
        if gap {
            problems.push(AuditProblem::Missing(last + 1, place - 1));
        }
        match serde_json::from_slice::<AuditWire>(&bytes) {
            Err(error) => problems.push(AuditProblem::Unreadable(place, error.to_string())),
            Ok(wire) if wire.sequence != place => problems.push(AuditProblem::Misplaced(place)),
            Ok(wire) if !gap && wire.previous != previous => {
                problems.push(AuditProblem::Broken(place));
            }
            Ok(wire) => problems.extend(signature_problem(&wire)),
        }
        previous = hash(&bytes);
        last = place;
        head_holds |=
            matches!(&head, Some(Some(head)) if head.sequence == place && head.hash == previous);
    }
    match head {
        None if last == 0 => {}
        Some(Some(_)) if head_holds => {}
        Some(Some(head)) => problems.push(AuditProblem::Head {
            expected: head.sequence,
            found: last,
        }),
        None | Some(None) => problems.push(AuditProblem::NoHead),
    }
    Ok((last, problems))
}

/// What people do with their keys is signed by them: such an entry without a signature was written by somebody else.
const SIGNED_EVENTS: [&str; 3] = ["approve", "revoke", "review"];

fn signature_problem(wire: &AuditWire) -> Option<AuditProblem> {
    match signer_of(wire) {
        Some(Ok(fingerprint)) => {
            let stated = wire.details.get("key");
            let is_other = SIGNED_EVENTS.contains(&wire.event.as_str())
                && stated.is_some_and(|stated| *stated != fingerprint);
            is_other.then(|| {
                let why = format!("it is signed by {fingerprint}, and tells of another key");
                AuditProblem::Signature(wire.sequence, why)
            })
        }
        Some(Err(error)) => Some(AuditProblem::Signature(wire.sequence, error.to_string())),
        None => None,
    }
}
