//! The audit log held to what lies beside it: the state, the runs and the reviews that are owed.
//!
//! A log whose last entries were cut off, its head with them, is whole in itself. What was applied meanwhile is not:
//! the state has a later serial than the log knows of, and runs have been applied of which it says nothing.

use std::collections::BTreeSet;

use terrace_port::{RunStore, StoreError};

use crate::audit::{AuditEntry, AuditHead, AuditProblem, entries, entry_name, verify};
use crate::digest::hash;
use crate::{RunStatus, outputs, owed, runs, wire};

/// Which state the log is held to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// Its lineage.
    pub lineage: String,
    /// Its serial.
    pub serial: u64,
}

const ANCHOR: &str = "gate/audit-anchor";

/// Events that change no state.
const HARMLESS: [&str; 13] = [
    "plan",
    "approve",
    "revoke",
    "review",
    "refuse",
    "drift",
    "policy",
    "policy-override",
    "review-owed",
    "rules-change",
    "bootstrap",
    "export",
    "prune",
];

/// Keeps the head of the log with the state that was just stored. A run that ended late, after others whose states it did
/// not replace, does not take back how far the state has come.
pub async fn anchor_audit(
    store: &dyn RunStore,
    head: &AuditHead,
    tail: &Tail,
) -> Result<(), StoreError> {
    let mut tail = tail.clone();
    // One that cannot be read is told when the log is verified.
    let kept = store.get(ANCHOR).await?;
    if let Some(Ok((_, kept))) = kept.map(|bytes| wire::decode_anchor(&bytes))
        && kept.lineage == tail.lineage
    {
        tail.serial = tail.serial.max(kept.serial);
    }
    store.put(ANCHOR, &wire::encode_anchor(head, &tail)).await
}

/// Does what [`verify`] does, and holds the log to what lies beside it. `state` is what is stored now, where there is one.
pub async fn verify_with_state(
    store: &dyn RunStore,
    state: Option<&Tail>,
) -> Result<(u64, Vec<AuditProblem>), StoreError> {
    let (count, mut problems) = verify(store).await?;
    let entries = entries(store).await?;
    if let Some(bytes) = store.get(ANCHOR).await? {
        match wire::decode_anchor(&bytes) {
            Err(why) => problems.push(AuditProblem::Contradicted(format!(
                "what was kept of the log with the last apply's state cannot be read: {why}"
            ))),
            Ok((head, tail)) => {
                let there = store.get(&entry_name(head.sequence)).await?;
                if there.is_none_or(|bytes| hash(&bytes) != head.hash) {
                    problems.push(AuditProblem::Contradicted(format!(
                        "entry {} is not the one that was kept with the last apply's state",
                        head.sequence
                    )));
                }
                let wrote_since = entries.iter().any(|entry| {
                    entry.sequence > head.sequence
                        && !HARMLESS.contains(&entry.event.event.as_str())
                });
                if let Some(state) = state
                    && state.lineage == tail.lineage
                    && state.serial > tail.serial
                    && !wrote_since
                {
                    problems.push(AuditProblem::Contradicted(format!(
                        "the state has serial {}, and the log knows of nothing after {}: entries at its end were removed, or something else wrote the state",
                        state.serial, tail.serial
                    )));
                }
            }
        }
    }
    problems.extend(foreign_rules(store, &entries).await?);
    let told = |event: &str| -> BTreeSet<&str> {
        entries
            .iter()
            .filter(|entry| entry.event.event == event)
            .filter_map(|entry| entry.event.run.as_deref())
            .collect()
    };
    let (started, ended) = (told("apply-start"), told("apply-end"));
    for run in runs::list(store).await? {
        let done = matches!(run.status, RunStatus::Applied | RunStatus::Failed);
        if done && !started.contains(run.id.as_str()) && !ended.contains(run.id.as_str()) {
            problems.push(AuditProblem::Contradicted(format!(
                "run {} is {}, and no entry tells of that",
                run.id,
                run.status.name()
            )));
        }
    }
    for run in told("review-owed") {
        if owed::load_owed(store, run).await?.is_none() {
            problems.push(AuditProblem::Contradicted(format!(
                "a review is owed for run {run}, and its record was removed"
            )));
        }
    }
    let contradictions = outputs::contradictions(store).await?;
    problems.extend(contradictions.into_iter().map(AuditProblem::Contradicted));
    Ok((count, problems))
}

/// Whether the rules in force are those that the log says came into force last. A process that vanished may have told of
/// rules and not brought them into force.
async fn foreign_rules(
    store: &dyn RunStore,
    entries: &[AuditEntry],
) -> Result<Option<AuditProblem>, StoreError> {
    let is_change = |entry: &&AuditEntry| entry.event.event == "rules-change";
    let Some(change) = entries.iter().rev().find(is_change) else {
        return Ok(None);
    };
    let stored = store.get("gate/rules").await?.map(|bytes| hash(&bytes));
    let told = |name: &str| change.event.details.get(name) == stored.as_ref();
    let has_ended = entries.iter().any(|entry| {
        let status = entry.event.details.get("status").map(String::as_str);
        entry.sequence > change.sequence
            && entry.event.event == "apply-end"
            && status == Some(RunStatus::Applied.name())
    });
    let holds = told("rules") || !has_ended && told("before");
    Ok((!holds).then(|| {
        AuditProblem::Contradicted(format!(
            "the rules in force are not those that came into force by entry {}: something else wrote them",
            change.sequence
        ))
    }))
}
