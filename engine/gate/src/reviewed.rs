//! Which plan people have seen of a proposed change: what is applied after it was merged is held to that.

use terrace_plan::PlanDigest;
use terrace_port::{RunStore, StoreError};

use crate::wire;

/// What was shown of a proposed change, for one stack in one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewed {
    /// Its number at the forge.
    pub change: u64,
    /// The commit that was planned, as the forge names it: the proposal's last.
    pub commit: Option<String>,
    /// The plan; `None` where there was nothing to do.
    pub plan: Option<PlanDigest>,
}

fn name_of(change: u64) -> String {
    format!("reviewed/{change}")
}

/// Keeps what was shown; the last word about a change is the one that holds.
pub async fn record_reviewed(store: &dyn RunStore, reviewed: &Reviewed) -> Result<(), StoreError> {
    let name = name_of(reviewed.change);
    store.put(&name, &wire::encode_reviewed(reviewed)).await
}

/// Forgets what was shown: the last commits of the change have no plan.
pub async fn forget_reviewed(store: &dyn RunStore, change: u64) -> Result<(), StoreError> {
    store.delete(&name_of(change)).await
}

/// What was shown of a change last.
pub async fn load_reviewed(
    store: &dyn RunStore,
    change: u64,
) -> Result<Option<Reviewed>, StoreError> {
    match store.get(&name_of(change)).await? {
        Some(bytes) => wire::decode_reviewed(&bytes).map(Some).map_err(|why| {
            StoreError::Corrupt(format!("what was shown of change {change}: {why}"))
        }),
        None => Ok(None),
    }
}
