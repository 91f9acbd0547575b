//! Where states, runs and journals are kept. Stores know bytes, lineage, serial and epoch; not what a state means.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

/// Why a store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Someone else holds the lock.
    #[error("the state is locked")]
    Locked {
        /// The holder, as far as the store can tell.
        holder: Box<LockInfo>,
    },
    /// The lock that this process held is gone: it expired, was taken over or was released by force.
    #[error("the lock was lost: {0}")]
    LockLost(String),
    /// Someone else wrote in between.
    #[error("the stored state has changed since it was read: {0}")]
    Conflict(String),
    /// A write whose lineage or serial does not follow the stored state's.
    #[error("{0}")]
    Refused(String),
    /// What is stored cannot be understood.
    #[error("what is stored is damaged: {0}")]
    Corrupt(String),
    /// The store could not be reached or answered with an error.
    #[error("{what}")]
    Unavailable {
        /// What was being done.
        what: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A journal could not be written where it belongs. What the run has done, these frames and all before them, is durable on
    /// this machine instead, where [`JournalStore::read`] finds it.
    #[error("{why}")]
    KeptAside {
        /// The file that holds it.
        path: String,
        /// Why it is not where it belongs.
        why: String,
    },
}

impl StoreError {
    /// The error and its causes in a line; a cause that the text before it says already is left out.
    pub fn told(&self) -> String {
        let mut text = self.to_string();
        for cause in causes(self) {
            let said = cause.to_string();
            if !text.contains(&said) {
                text.push_str(": ");
                text.push_str(&said);
            }
        }
        text
    }

    /// Whether a disk of this machine is full, or what may be written to it is used up.
    pub fn is_disk_full(&self) -> bool {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        causes(self)
            .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
            .any(|error| matches!(error.kind(), StorageFull | QuotaExceeded))
    }
}

/// What caused an error, nearest first.
fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |cause| cause.source())
}

/// Who holds a lock. The fields are those of today's tools, so that they see ours and we see theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockInfo {
    /// A random id, by which it can be released by force.
    pub id: String,
    /// What is being done, such as `OperationTypeApply`.
    pub operation: String,
    /// Anything more.
    pub info: String,
    /// `user@host`.
    pub who: String,
    /// Version of the tool.
    pub version: String,
    /// RFC 3339 time.
    pub created: String,
    /// Path of what is locked.
    pub path: String,
    /// The lease by which the lock is held, where it is held by one.
    pub lease: Option<LockLease>,
}

/// A lock that must be renewed: it may be taken over once its holder has not done so for a whole lease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockLease {
    /// The epoch under which the holder writes.
    pub epoch: u64,
    /// How long the lease lasts after each renewal.
    pub lasts: Duration,
    /// When the holder renewed it last, by the holder's clock: RFC 3339 time.
    pub renewed: String,
    /// When it ends, by the holder's clock: RFC 3339 time. For people; nothing is decided by foreign clocks.
    pub expires: String,
    /// The run that is being carried out, if one is.
    pub run: String,
}

/// Lineage and serial of a state, which decide whether one may replace another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateVersion {
    /// Which line of states.
    pub lineage: String,
    /// How far along it.
    pub serial: u64,
}

/// A state as stored.
#[derive(Clone, Debug)]
pub struct StoredState {
    /// The bytes of a v4 state file.
    pub bytes: Arc<[u8]>,
}

/// Where the states of one configuration are kept, one for each workspace.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// A name for messages, such as `local` or `embedded`.
    fn kind(&self) -> &'static str;
    /// Whether it can have workspaces beside `default`.
    fn has_workspaces(&self) -> bool {
        true
    }
    /// Names of the workspaces that exist, sorted, `default` always among them.
    async fn workspaces(&self) -> Result<Vec<String>, StoreError>;
    /// The state of a workspace without a lock; `None` when there is none yet.
    async fn read(&self, workspace: &str) -> Result<Option<StoredState>, StoreError>;
    /// Takes the lock of a workspace, or says who holds it. Does not wait.
    async fn lock(
        &self,
        workspace: &str,
        info: LockInfo,
    ) -> Result<Box<dyn LockedState>, StoreError>;
    /// The state of a workspace for a run that was told to take no lock. It keeps nobody out and asks nobody's leave; that
    /// nobody else writes meanwhile is up to who told it. Where somebody has, and the store can tell, its writes are refused.
    async fn unlocked(&self, _workspace: &str) -> Result<Box<dyn LockedState>, StoreError> {
        Err(StoreError::Refused(format!(
            "the {} backend cannot write without a lock",
            self.kind()
        )))
    }
    /// Who holds the lock, if anyone.
    async fn holder(&self, workspace: &str) -> Result<Option<LockInfo>, StoreError>;
    /// Releases the lock `id` whoever holds it.
    async fn force_unlock(&self, workspace: &str, id: &str) -> Result<(), StoreError>;
    /// Deletes a workspace and its state.
    async fn delete_workspace(&self, workspace: &str) -> Result<(), StoreError>;
    /// The run store beside the state of a workspace.
    fn runs(&self, workspace: &str) -> Arc<dyn RunStore>;
    /// The journal beside the state of a workspace.
    fn journal(&self, workspace: &str) -> Arc<dyn JournalStore>;
}

/// A state whose lock is held: the only thing that can write.
#[async_trait]
pub trait LockedState: Send + Sync {
    /// Grows with every lock that is taken; a write under an older one is refused where the store can tell.
    fn epoch(&self) -> u64;
    /// The state now.
    async fn read(&self) -> Result<Option<StoredState>, StoreError>;
    /// Replaces the state, keeping a backup where the store keeps one.
    /// Refuses a lineage other than the stored one's and a serial that is not higher (unless the bytes are the same).
    async fn write(&mut self, bytes: Arc<[u8]>, version: StateVersion) -> Result<(), StoreError>;
    /// Replaces the state whatever its lineage and serial (`state push -force`, restore).
    async fn overwrite(&mut self, bytes: Arc<[u8]>) -> Result<(), StoreError>;
    /// Releases the lock.
    async fn unlock(self: Box<Self>) -> Result<(), StoreError>;
}

/// Named bytes beside a state: run bundles, the audit log, gate rules in force. Names are paths with `/`.
#[async_trait]
pub trait RunStore: Send + Sync {
    /// The bytes of `name`.
    async fn get(&self, name: &str) -> Result<Option<Arc<[u8]>>, StoreError>;
    /// Writes `name`, durably, replacing what is there.
    async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError>;
    /// Writes `name` only when what is there is `expected` (`None`: nothing); otherwise [`StoreError::Conflict`].
    async fn compare_and_put(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        bytes: &[u8],
    ) -> Result<(), StoreError>;
    /// Deletes `name`, if it is there.
    async fn delete(&self, name: &str) -> Result<(), StoreError>;
    /// All names that begin with `prefix`, sorted.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError>;
}

/// Keeps nothing: for states beside which nobody keeps runs, and so no rules of a gate.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRuns;

#[async_trait]
impl RunStore for NoRuns {
    async fn get(&self, _: &str) -> Result<Option<Arc<[u8]>>, StoreError> {
        Ok(None)
    }
    async fn put(&self, _: &str, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }
    async fn compare_and_put(&self, _: &str, _: Option<&[u8]>, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }
    async fn delete(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
    async fn list(&self, _: &str) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}

/// An append-only, durable sequence of frames. Each frame carries length, checksum and sequence number in the store's own way.
#[async_trait]
pub trait JournalStore: Send + Sync {
    /// Appends frames in order; durable, all of them and all that were staged before, when it returns. One call costs one
    /// flush. An append that was told not to have succeeded may have, or in part.
    async fn append(&self, frames: &[Vec<u8>]) -> Result<(), StoreError>;
    /// Writes frames down, in order, so that they outlive this process, though not yet this machine: the next
    /// [`append`](JournalStore::append), of nothing if need be, makes them durable. Where [`witness`](JournalStore::witness)
    /// gives nothing, this is an append.
    async fn stage(&self, frames: &[Vec<u8>]) -> Result<(), StoreError> {
        self.append(frames).await
    }
    /// What stays the same for as long as frames that were staged cannot have been lost (the time since the machine was
    /// started); `None` where nothing can be staged. Who finds the same that was given while frames were staged, finds
    /// all of them by [`read`](JournalStore::read).
    fn witness(&self) -> Option<String> {
        None
    }
    /// Sees to it that so many more bytes can be appended even where the disk is full by then; fails where there is no room for
    /// them. A store that cannot promise it does nothing.
    async fn reserve(&self, _bytes: u64) -> Result<(), StoreError> {
        Ok(())
    }
    /// All whole frames from the beginning. A torn tail is dropped; damage before the tail is [`StoreError::Corrupt`].
    async fn read(&self) -> Result<Vec<Vec<u8>>, StoreError>;
    /// Empties the journal, durably, once its content is in the state.
    async fn clear(&self) -> Result<(), StoreError>;
}
