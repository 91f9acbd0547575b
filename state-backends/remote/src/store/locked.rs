//! A state whose lock is held.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use terrace_port::{LockedState, StateVersion, StoreError, StoredState};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::holding::Holding;
use super::states::content;
use super::{Parts, locked};
use crate::{Put, Version};

/// A state whose lock is held. Dropped without being released, it is released too.
pub(super) struct LockedRemote {
    parts: Arc<Parts>,
    /// The lock; `None` for a run that was told to take none.
    holding: Option<Arc<Holding>>,
    name: String,
    epoch: u64,
    /// What this lock last read or wrote.
    seen: Mutex<Option<Seen>>,
}

#[derive(Clone)]
struct Seen {
    /// The object's version; `None` where there is no object.
    version: Option<Version>,
    bytes: Option<Arc<[u8]>>,
}

impl LockedRemote {
    pub(super) fn new(parts: &Arc<Parts>, holding: Arc<Holding>) -> Self {
        Self {
            parts: Arc::clone(parts),
            name: parts.layout.state(&holding.workspace),
            epoch: holding.epoch(),
            holding: Some(holding),
            seen: Mutex::default(),
        }
    }

    /// The state without a lock, under the last epoch that there was.
    pub(super) fn unlocked(parts: &Arc<Parts>, workspace: &str, epoch: u64) -> Self {
        Self {
            parts: Arc::clone(parts),
            name: parts.layout.state(workspace),
            epoch,
            holding: None,
            seen: Mutex::default(),
        }
    }

    /// Proves that the lock is held, where there is one.
    async fn prove(&self) -> Result<(), StoreError> {
        match &self.holding {
            Some(holding) => holding.prove().await,
            None => Ok(()),
        }
    }

    async fn look(&self) -> Result<Seen, StoreError> {
        let object = self.parts.get(&self.name).await?;
        let seen = Seen {
            bytes: object.as_ref().and_then(|object| content(&object.bytes)),
            version: object.map(|object| object.version),
        };
        *locked(&self.seen) = Some(seen.clone());
        Ok(seen)
    }

    async fn seen(&self) -> Result<Seen, StoreError> {
        let seen = locked(&self.seen).clone();
        match seen {
            Some(seen) => Ok(seen),
            None => self.look().await,
        }
    }

    /// Replaces what was seen. The lock has been proven.
    async fn replace(&self, bytes: Arc<[u8]>, seen: &Seen) -> Result<(), StoreError> {
        let token = match &self.holding {
            Some(holding) => Some(holding.token().await),
            None => None,
        };
        let put = self
            .parts
            .put_over(&self.name, &bytes, seen.version.as_ref(), token.as_ref());
        match put.await? {
            Put::Written(version) => {
                *locked(&self.seen) = Some(Seen {
                    version: Some(version),
                    bytes: Some(bytes),
                });
                Ok(())
            }
            Put::Refused => {
                // Whoever has the lock now may write; whoever has it not may not.
                if let Some(holding) = &self.holding {
                    holding.explain().await?;
                }
                Err(StoreError::Conflict(format!(
                    "{} was written by someone who does not hold the lock",
                    self.parts.objects.place(&self.name)
                )))
            }
        }
    }
}

/// Whether a state may follow a stored one; `false` where it is the stored one.
fn follows(stored: &[u8], bytes: &[u8], version: &StateVersion) -> Result<bool, StoreError> {
    let line = terrace_backend_local::read_version(stored).map_err(StoreError::Corrupt)?;
    if !line.lineage.is_empty() && line.lineage != version.lineage {
        return Err(StoreError::Refused(format!(
            "cannot import state with lineage {:?} over unrelated state with lineage {:?}",
            version.lineage, line.lineage
        )));
    }
    if version.serial > line.serial {
        return Ok(true);
    }
    if version.serial < line.serial {
        return Err(StoreError::Refused(format!(
            "cannot import state with serial {} over newer state with serial {}",
            version.serial, line.serial
        )));
    }
    if stored == bytes {
        return Ok(false);
    }
    Err(StoreError::Refused(format!(
        "cannot overwrite existing state with serial {} with a different state that has the same serial",
        line.serial
    )))
}

#[async_trait]
impl LockedState for LockedRemote {
    fn epoch(&self) -> u64 {
        self.holding
            .as_ref()
            .map_or(self.epoch, |holding| holding.epoch())
    }

    async fn read(&self) -> Result<Option<StoredState>, StoreError> {
        if let Some(holding) = &self.holding {
            holding.check().await?;
        }
        let seen = self.look().await?;
        Ok(seen.bytes.map(|bytes| StoredState { bytes }))
    }

    async fn write(&mut self, bytes: Arc<[u8]>, version: StateVersion) -> Result<(), StoreError> {
        self.prove().await?;
        let seen = self.seen().await?;
        if let Some(stored) = &seen.bytes {
            if !follows(stored, &bytes, &version)? {
                return Ok(());
            }
        }
        self.replace(bytes, &seen).await
    }

    async fn overwrite(&mut self, bytes: Arc<[u8]>) -> Result<(), StoreError> {
        self.prove().await?;
        let seen = self.seen().await?;
        self.replace(bytes, &seen).await
    }

    async fn unlock(self: Box<Self>) -> Result<(), StoreError> {
        match &self.holding {
            Some(holding) => holding.release().await,
            None => Ok(()),
        }
    }
}

impl Drop for LockedRemote {
    fn drop(&mut self) {
        let Some(holding) = self.holding.take_if(|holding| !holding.is_released()) else {
            return;
        };
        // A lock that nobody releases is free once its lease has run out; nicer is at once.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if runtime.runtime_flavor() == RuntimeFlavor::MultiThread {
            tokio::task::block_in_place(|| runtime.block_on(holding.release())).ok();
        } else {
            runtime.spawn(async move { holding.release().await });
        }
    }
}
