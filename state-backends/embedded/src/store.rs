//! The store.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use redb::{ReadableTable as _, WriteTransaction};
use terrace_backend_local::{
    FileLock, JournalFile, check_run_name, check_workspace_name, read_version, unavailable,
    write_lock,
};
use terrace_port::{
    JournalStore, LockInfo, LockedState, RunStore, StateStore, StateVersion, StoreError,
    StoredState,
};

use crate::database::{EPOCHS, LOCKS, Location, RUNS, VERSIONS, failed, holder, table};
use crate::states;

/// States, runs and audit in one embedded database.
#[derive(Clone, Debug)]
pub struct EmbeddedStore {
    location: Location,
}

impl EmbeddedStore {
    /// The store in `directory`, which is made when something is first stored.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            location: Location {
                directory: directory.into(),
            },
        }
    }

    /// The state of a workspace as it was before the last run that wrote; `None` where there was none.
    pub fn read_before(&self, workspace: &str) -> Result<Option<StoredState>, StoreError> {
        check_workspace_name(workspace)?;
        self.location
            .read(|transaction| states::read_before(transaction, workspace))
    }

    /// Whether a live process holds the lock of a workspace.
    fn is_held(&self, workspace: &str) -> Result<bool, StoreError> {
        match File::options()
            .read(true)
            .write(true)
            .open(self.location.lock_file(workspace))
        {
            Ok(file) => FileLock::is_locked(&file).map_err(locking(workspace)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(locking(workspace)(error)),
        }
    }

    fn named_holder(&self, workspace: &str) -> Result<Option<LockInfo>, StoreError> {
        self.location.read(|transaction| {
            let Some(locks) = table(transaction, LOCKS)? else {
                return Ok(None);
            };
            Ok(locks
                .get(workspace)
                .map_err(failed)?
                .map(|row| holder(row.value().1, workspace)))
        })
    }

    fn shown_holder(&self, workspace: &str) -> Result<LockInfo, StoreError> {
        Ok(self
            .named_holder(workspace)?
            .unwrap_or_else(|| holder(b"", workspace)))
    }
}

fn locking(workspace: &str) -> impl FnOnce(std::io::Error) -> StoreError {
    unavailable(format!("locking the workspace {workspace:?}"))
}

#[async_trait]
impl StateStore for EmbeddedStore {
    fn kind(&self) -> &'static str {
        "embedded"
    }

    async fn workspaces(&self) -> Result<Vec<String>, StoreError> {
        let mut names: Vec<String> = self.location.read(|transaction| {
            let Some(versions) = table(transaction, VERSIONS)? else {
                return Ok(Vec::new());
            };
            let rows = versions.iter().map_err(failed)?;
            rows.map(|row| Ok(row.map_err(failed)?.0.value().to_owned()))
                .collect()
        })?;
        names.push("default".to_owned());
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    async fn read(&self, workspace: &str) -> Result<Option<StoredState>, StoreError> {
        check_workspace_name(workspace)?;
        self.location
            .read(|transaction| states::read(transaction, workspace))
    }

    async fn lock(
        &self,
        workspace: &str,
        info: LockInfo,
    ) -> Result<Box<dyn LockedState>, StoreError> {
        check_workspace_name(workspace)?;
        let path = self.location.lock_file(workspace);
        let Some((file, _)) = FileLock::acquire(&path).map_err(locking(workspace))? else {
            return Err(StoreError::Locked {
                holder: Box::new(self.shown_holder(workspace)?),
            });
        };
        let epoch = self.location.write(|transaction| {
            let epoch = next_epoch(transaction, workspace)?;
            let mut locks = transaction.open_table(LOCKS).map_err(failed)?;
            locks
                .insert(workspace, (epoch, write_lock(&info).as_slice()))
                .map_err(failed)?;
            Ok(epoch)
        })?;
        Ok(Box::new(LockedEmbedded {
            location: self.location.clone(),
            workspace: workspace.to_owned(),
            file: Some(file),
            id: info.id,
            epoch,
            backed_up: false,
            locks: true,
        }))
    }

    async fn unlocked(&self, workspace: &str) -> Result<Box<dyn LockedState>, StoreError> {
        check_workspace_name(workspace)?;
        let epoch = self.location.read(|transaction| {
            let Some(epochs) = table(transaction, EPOCHS)? else {
                return Ok(0);
            };
            let epoch = epochs.get(workspace).map_err(failed)?;
            Ok(epoch.map_or(0, |row| row.value()))
        })?;
        Ok(Box::new(LockedEmbedded {
            location: self.location.clone(),
            workspace: workspace.to_owned(),
            file: None,
            id: String::new(),
            epoch,
            backed_up: false,
            locks: false,
        }))
    }

    async fn holder(&self, workspace: &str) -> Result<Option<LockInfo>, StoreError> {
        check_workspace_name(workspace)?;
        if self.is_held(workspace)? {
            self.shown_holder(workspace).map(Some)
        } else {
            Ok(None)
        }
    }

    async fn force_unlock(&self, workspace: &str, id: &str) -> Result<(), StoreError> {
        check_workspace_name(workspace)?;
        self.location.write(|transaction| {
            let mut locks = transaction.open_table(LOCKS).map_err(failed)?;
            let held = locks
                .get(workspace)
                .map_err(failed)?
                .map(|row| holder(row.value().1, workspace));
            let Some(held) = held else {
                return Err(StoreError::Refused(format!(
                    "The workspace {workspace:?} is not locked."
                )));
            };
            if held.id != id {
                return Err(StoreError::Refused(format!(
                    "lock ID {id:?} does not match existing lock ID {:?}",
                    held.id
                )));
            }
            locks.remove(workspace).map_err(failed)?;
            drop(locks);
            next_epoch(transaction, workspace).map(drop)
        })?;
        // The old holder keeps its lock on a file that nobody else will open.
        match std::fs::remove_file(self.location.lock_file(workspace)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(locking(workspace)(error))
            }
            _ => Ok(()),
        }
    }

    async fn delete_workspace(&self, workspace: &str) -> Result<(), StoreError> {
        check_workspace_name(workspace)?;
        if workspace == "default" {
            return Err(StoreError::Refused("cannot delete default state".into()));
        }
        if let Some(holder) = self.holder(workspace).await? {
            return Err(StoreError::Locked {
                holder: Box::new(holder),
            });
        }
        self.location.write(|transaction| {
            states::remove(transaction, workspace)?;
            transaction
                .open_table(LOCKS)
                .map_err(failed)?
                .remove(workspace)
                .map_err(failed)?;
            let mut runs = transaction.open_table(RUNS).map_err(failed)?;
            runs.retain(|(of, _), _| of != workspace).map_err(failed)
        })?;
        match std::fs::remove_file(self.location.journal_file(workspace)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unavailable(
                format!("deleting the journal of the workspace {workspace:?}"),
            )(error)),
            _ => Ok(()),
        }
    }

    fn runs(&self, workspace: &str) -> Arc<dyn RunStore> {
        Arc::new(EmbeddedRuns {
            location: self.location.clone(),
            workspace: workspace.to_owned(),
        })
    }

    fn journal(&self, workspace: &str) -> Arc<dyn JournalStore> {
        Arc::new(JournalFile::new(self.location.journal_file(workspace)))
    }
}

fn next_epoch(transaction: &WriteTransaction, workspace: &str) -> Result<u64, StoreError> {
    let mut epochs = transaction.open_table(EPOCHS).map_err(failed)?;
    let epoch = epochs
        .get(workspace)
        .map_err(failed)?
        .map_or(0, |row| row.value())
        + 1;
    epochs.insert(workspace, epoch).map_err(failed)?;
    Ok(epoch)
}

/// A state whose lock is held. Dropped without [`LockedState::unlock`], it is released too.
#[derive(Debug)]
struct LockedEmbedded {
    location: Location,
    workspace: String,
    /// The locked file; `None` once released.
    file: Option<File>,
    id: String,
    epoch: u64,
    backed_up: bool,
    /// Whether it is locked: not for a run that was told to take no lock.
    locks: bool,
}

impl LockedEmbedded {
    /// Refuses when this is no longer the holder.
    fn check_held(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        if !self.locks {
            return Ok(());
        }
        let locks = transaction.open_table(LOCKS).map_err(failed)?;
        let epoch = locks
            .get(&*self.workspace)
            .map_err(failed)?
            .map(|row| row.value().0);
        if self.file.is_some() && epoch == Some(self.epoch) {
            return Ok(());
        }
        Err(StoreError::LockLost(format!(
            "the lock {} of the workspace {:?} was released by force or taken over",
            self.id, self.workspace
        )))
    }

    fn release(&mut self) -> Result<(), StoreError> {
        let Some(file) = self.file.take() else {
            return Ok(());
        };
        let epoch = self.epoch;
        self.location.write(|transaction| {
            let mut locks = transaction.open_table(LOCKS).map_err(failed)?;
            let ours = locks
                .get(&*self.workspace)
                .map_err(failed)?
                .is_some_and(|row| row.value().0 == epoch);
            if ours {
                locks.remove(&*self.workspace).map_err(failed)?;
            }
            Ok(())
        })?;
        drop(file);
        Ok(())
    }
}

/// Refuses a write that does not follow what is stored. Returns whether there is anything to write.
fn follows(
    transaction: &WriteTransaction,
    workspace: &str,
    bytes: &[u8],
    version: &StateVersion,
) -> Result<bool, StoreError> {
    let versions = transaction.open_table(VERSIONS).map_err(failed)?;
    let Some(stored) = versions.get(workspace).map_err(failed)? else {
        return Ok(true);
    };
    let (lineage, serial) = stored.value();
    if !lineage.is_empty() && lineage != version.lineage {
        return Err(StoreError::Refused(format!(
            "cannot import state with lineage {:?} over unrelated state with lineage {lineage:?}",
            version.lineage
        )));
    }
    if version.serial > serial {
        return Ok(true);
    }
    let same = version.serial == serial && states::is_stored(transaction, workspace, bytes)?;
    if same {
        return Ok(false);
    }
    Err(StoreError::Refused(if version.serial == serial {
        format!(
            "cannot overwrite existing state with serial {serial} with a different state that has the same serial"
        )
    } else {
        format!(
            "cannot import state with serial {} over newer state with serial {serial}",
            version.serial
        )
    }))
}

impl Drop for LockedEmbedded {
    fn drop(&mut self) {
        // The system releases the lock file; the row alone holds nobody off.
        self.release().ok();
    }
}

#[async_trait]
impl LockedState for LockedEmbedded {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    async fn read(&self) -> Result<Option<StoredState>, StoreError> {
        EmbeddedStore {
            location: self.location.clone(),
        }
        .read(&self.workspace)
        .await
    }

    async fn write(&mut self, bytes: Arc<[u8]>, version: StateVersion) -> Result<(), StoreError> {
        self.location.write(|transaction| {
            self.check_held(transaction)?;
            if follows(transaction, &self.workspace, &bytes, &version)? {
                let begins = !self.backed_up;
                states::put(transaction, &self.workspace, &bytes, &version, begins)?;
            }
            Ok(())
        })?;
        self.backed_up = true;
        Ok(())
    }

    async fn overwrite(&mut self, bytes: Arc<[u8]>) -> Result<(), StoreError> {
        let version = read_version(&bytes).map_err(|error| {
            StoreError::Refused(format!("only a state file can be stored: {error}"))
        })?;
        self.location.write(|transaction| {
            self.check_held(transaction)?;
            let begins = !self.backed_up;
            states::put(transaction, &self.workspace, &bytes, &version, begins)
        })?;
        self.backed_up = true;
        Ok(())
    }

    async fn unlock(mut self: Box<Self>) -> Result<(), StoreError> {
        self.release()
    }
}

/// Named bytes of one workspace.
#[derive(Debug)]
struct EmbeddedRuns {
    location: Location,
    workspace: String,
}

#[async_trait]
impl RunStore for EmbeddedRuns {
    async fn get(&self, name: &str) -> Result<Option<Arc<[u8]>>, StoreError> {
        check_run_name(name)?;
        self.location.read(|transaction| {
            let Some(runs) = table(transaction, RUNS)? else {
                return Ok(None);
            };
            Ok(runs
                .get((&*self.workspace, name))
                .map_err(failed)?
                .map(|row| row.value().into()))
        })
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        check_run_name(name)?;
        self.location.write(|transaction| {
            let mut runs = transaction.open_table(RUNS).map_err(failed)?;
            runs.insert((&*self.workspace, name), bytes)
                .map(drop)
                .map_err(failed)
        })
    }

    async fn compare_and_put(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        check_run_name(name)?;
        self.location.write(|transaction| {
            let mut runs = transaction.open_table(RUNS).map_err(failed)?;
            let key = (&*self.workspace, name);
            let same = runs
                .get(key)
                .map_err(failed)?
                .as_ref()
                .map(redb::AccessGuard::value)
                == expected;
            if !same {
                return Err(StoreError::Conflict(format!(
                    "{name} is no longer what it was"
                )));
            }
            runs.insert(key, bytes).map(drop).map_err(failed)
        })
    }

    async fn delete(&self, name: &str) -> Result<(), StoreError> {
        check_run_name(name)?;
        self.location.write(|transaction| {
            let mut runs = transaction.open_table(RUNS).map_err(failed)?;
            runs.remove((&*self.workspace, name))
                .map(drop)
                .map_err(failed)
        })
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.location.read(|transaction| {
            let Some(runs) = table(transaction, RUNS)? else {
                return Ok(Vec::new());
            };
            let mut names = Vec::new();
            for row in runs.range((&*self.workspace, prefix)..).map_err(failed)? {
                let (key, _) = row.map_err(failed)?;
                let (workspace, name) = key.value();
                if workspace != self.workspace || !name.starts_with(prefix) {
                    break;
                }
                names.push(name.to_owned());
            }
            Ok(names)
        })
    }
}
