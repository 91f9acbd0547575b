//! The database file.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use redb::{Database, ReadTransaction, ReadableDatabase as _, TableDefinition, WriteTransaction};
use terrace_backend_local::{guard, unavailable};
use terrace_port::{LockInfo, StoreError};

/// The pieces of state files, by workspace and in order.
pub(crate) const PIECES: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("pieces");
/// Which pieces the last run that wrote has changed: what they were before, if they were there.
pub(crate) const BEFORE: TableDefinition<'_, (&str, u64), Option<&[u8]>> =
    TableDefinition::new("before");
/// Whole state files by workspace, as they were kept before there were pieces.
pub(crate) const STATES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("states");
/// Lineage and serial of the state files; a workspace without has no state.
pub(crate) const VERSIONS: TableDefinition<'_, &str, (&str, u64)> =
    TableDefinition::new("versions");
/// Whole state files before the last run that wrote, where that found a whole one.
pub(crate) const BACKUPS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("backups");
/// Holders of locks: epoch and lock information.
pub(crate) const LOCKS: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("locks");
/// The last epoch of each workspace. It outlives the workspace.
pub(crate) const EPOCHS: TableDefinition<'_, &str, u64> = TableDefinition::new("epochs");
/// Named bytes by workspace and name.
pub(crate) const RUNS: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("runs");

/// The database in a directory.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    pub(crate) directory: PathBuf,
}

/// An error of the database as a store's error.
pub(crate) fn failed<E: Into<redb::Error>>(error: E) -> StoreError {
    match error.into() {
        redb::Error::Corrupted(what) => StoreError::Corrupt(what),
        redb::Error::Io(error) => StoreError::Unavailable {
            what: format!("the embedded store failed: {error}"),
            source: Box::new(error),
        },
        error => StoreError::Unavailable {
            what: format!("the embedded store failed: {error}"),
            source: Box::new(error),
        },
    }
}

impl Location {
    fn path(&self) -> PathBuf {
        self.directory.join("store.redb")
    }

    fn open<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let path = self.path();
        let _guard = guard(&self.directory.join("store.guard")).map_err(unavailable(format!(
            "opening the embedded store {}",
            path.display()
        )))?;
        if !path.exists() {
            self.create(&path)?;
        }
        let database = Database::builder()
            .set_cache_size(16 << 20)
            .create(&path)
            .map_err(|error| open_failed(&path, error))?;
        work(&database).map_err(|error| match error {
            StoreError::Unavailable { what, source } => StoreError::Unavailable {
                what: format!("{what} ({})", path.display()),
                source,
            },
            error => error,
        })
    }

    /// Makes an empty database, which is there in one piece or not at all: a full disk or a crash leaves none that is half made.
    fn create(&self, path: &Path) -> Result<(), StoreError> {
        let aside = self.directory.join("store.redb.new");
        let making = || unavailable(format!("making the embedded store {}", path.display()));
        // What an attempt before has left.
        match std::fs::remove_file(&aside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(making()(error));
            }
            _ => {}
        }
        let made = Database::builder()
            .create(&aside)
            .map_err(|error| open_failed(path, error))
            .map(drop)
            .and_then(|()| std::fs::rename(&aside, path).map_err(making()));
        if made.is_err() {
            std::fs::remove_file(&aside).ok();
        }
        made
    }

    /// Reads. Nothing is made where there is no store yet: then the answer is the default.
    pub(crate) fn read<T: Default>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if !self.path().exists() {
            return Ok(T::default());
        }
        self.open(|database| work(&database.begin_read().map_err(failed)?))
    }

    /// Changes all that `work` changes, durably, or nothing.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.open(|database| {
            let transaction = database.begin_write().map_err(failed)?;
            let done = work(&transaction)?;
            transaction.commit().map_err(failed)?;
            Ok(done)
        })
    }

    pub(crate) fn lock_file(&self, workspace: &str) -> PathBuf {
        self.directory.join("locks").join(workspace)
    }

    pub(crate) fn journal_file(&self, workspace: &str) -> PathBuf {
        self.directory.join("journals").join(workspace)
    }
}

fn open_failed(path: &Path, error: redb::DatabaseError) -> StoreError {
    match error {
        redb::DatabaseError::Storage(redb::StorageError::Corrupted(what)) => {
            StoreError::Corrupt(format!("the embedded store {}: {what}", path.display()))
        }
        redb::DatabaseError::Storage(redb::StorageError::Io(error)) => {
            unavailable(format!("opening the embedded store {}", path.display()))(error)
        }
        error => StoreError::Unavailable {
            what: format!("opening the embedded store {}: {error}", path.display()),
            source: Box::new(error),
        },
    }
}

/// A table of a read transaction; `None` when nothing was ever put into it.
pub(crate) fn table<K: redb::Key + 'static, V: redb::Value + 'static>(
    transaction: &ReadTransaction,
    definition: TableDefinition<'_, K, V>,
) -> Result<Option<redb::ReadOnlyTable<K, V>>, StoreError> {
    match transaction.open_table(definition) {
        Ok(table) => Ok(Some(table)),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// The holder that a row names.
pub(crate) fn holder(bytes: &[u8], path: impl Display) -> LockInfo {
    terrace_backend_local::read_lock(bytes).unwrap_or_else(|| LockInfo {
        info: "The holder left no information.".into(),
        path: path.to_string(),
        ..LockInfo::default()
    })
}
