//! Records of drift checks: whether an environment still is what was applied there.

use terrace_port::{RunStore, StoreError};

use crate::wire;

/// The last drift check of an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriftCheck {
    /// The environment.
    pub environment: String,
    /// The run that had been applied last.
    pub run: Option<String>,
    /// When it was made, in seconds since 1970 UTC.
    pub checked: i64,
    /// When drift was found last since that run.
    pub disturbed: Option<i64>,
    /// What had changed outside: addresses with what became of them.
    pub drifted: Vec<String>,
    /// Who made it.
    pub actor: String,
}

const NAME: &str = "drift/last";

/// Keeps a check. What was found since the same run before is not forgotten.
pub async fn record_drift(store: &dyn RunStore, mut check: DriftCheck) -> Result<(), StoreError> {
    if !check.drifted.is_empty() {
        check.disturbed = Some(check.checked);
    } else if let Some(before) = last_drift(store).await?
        && before.run == check.run
    {
        check.disturbed = before.disturbed;
    }
    store.put(NAME, &wire::encode_drift(&check)).await
}

/// The last check.
pub async fn last_drift(store: &dyn RunStore) -> Result<Option<DriftCheck>, StoreError> {
    match store.get(NAME).await? {
        Some(bytes) => wire::decode_drift(&bytes)
            .map(Some)
            .map_err(|why| StoreError::Corrupt(format!("the last drift check: {why}"))),
        None => Ok(None),
    }
}
