//! Which runs may be forgotten, and forgetting them.

use std::collections::BTreeSet;

use terrace_port::{RunStore, StoreError};

use crate::calendar::second_of;
use crate::{Approval, Run, RunStatus, runs};

/// How long runs are kept: as long as any of these says so. Without either, for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// So many of the newest.
    pub runs: Option<u32>,
    /// Those that are younger than so many seconds.
    pub seconds: Option<u64>,
}

/// What became of the runs that are old enough to be forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prunable {
    /// Those that nothing needs, oldest first.
    pub runs: Vec<Run>,
    /// Those that are needed, and what for.
    pub needed: Vec<(Run, String)>,
}

/// The runs that may be forgotten at `now`, in seconds since 1970 UTC. What evidence needs that is in force stays: the run
/// that was applied last, runs that are being applied, runs of which a review is owed or was given, and those that may
/// still be applied by approvals that hold.
pub async fn prunable(
    store: &dyn RunStore,
    retention: Retention,
    now: i64,
) -> Result<Prunable, StoreError> {
    let mut found = Prunable::default();
    if retention == Retention::default() {
        return Ok(found);
    }
    let runs = runs::list(store).await?;
    let newest = retention.runs.map_or(0, |count| count as usize);
    let old_enough = runs.len().saturating_sub(newest);
    let last = runs::last_applied(store).await?.map(|run| run.id);
    let reviewed: BTreeSet<String> = store
        .list("reviews-owed/")
        .await?
        .iter()
        .filter_map(|name| name.strip_prefix("reviews-owed/").map(str::to_owned))
        .collect();
    for run in runs.into_iter().take(old_enough) {
        let made = second_of(&run.created);
        let is_young = retention.seconds.is_some_and(|seconds| {
            let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
            // Of one whose time cannot be read nobody knows how old it is.
            made.is_none_or(|made| now.saturating_sub(made) < seconds)
        });
        if is_young {
            continue;
        }
        let needed = if last.as_ref() == Some(&run.id) {
            Some("it is what was applied last")
        } else if run.status == RunStatus::Applying {
            Some("it is being applied, or must be recovered")
        } else if reviewed.contains(&run.id) {
            Some("a review is owed for it, or was given")
        } else if run.status == RunStatus::Planned && is_approved(store, &run, now).await? {
            Some("it is approved, and may still be applied")
        } else {
            None
        };
        match needed {
            Some(why) => found.needed.push((run, why.to_owned())),
            None => found.runs.push(run),
        }
    }
    Ok(found)
}

/// Whether an approval of a run holds still.
async fn is_approved(store: &dyn RunStore, run: &Run, now: i64) -> Result<bool, StoreError> {
    let envelopes = runs::approvals(store, &run.id).await?;
    Ok(envelopes
        .iter()
        .filter_map(|envelope| Approval::open(envelope).ok())
        .any(|approval| {
            approval
                .statement
                .expires_at
                .is_none_or(|expires| expires > now)
        }))
}

/// Forgets a run: its plan and its statements, and lastly its record, so that what was broken off is found again.
pub async fn forget(store: &dyn RunStore, run: &Run) -> Result<(), StoreError> {
    let prefix = format!("runs/{}/", run.id);
    let record = format!("{prefix}run");
    for name in store.list(&prefix).await? {
        if name != record {
            store.delete(&name).await?;
        }
    }
    store.delete(&record).await
}
