//! The store.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use terrace_port::{
    JournalStore, LockInfo, LockedState, RunStore, StateStore, StateVersion, StoreError,
    StoredState,
};

use crate::files::{self, Durable, unavailable};
use crate::wire;
use crate::{FileLock, JournalFile, RunFiles};

/// Where things lie. Relative paths are relative to the directory.
#[derive(Clone, Debug)]
pub struct LocalOptions {
    /// The directory: the root module's.
    pub directory: PathBuf,
    /// State of the workspace `default`.
    pub path: PathBuf,
    /// Directory of the other workspaces.
    pub workspace_directory: PathBuf,
    /// Where the backup goes; `None` for the state's path with `.backup`, and an empty path where none is kept.
    pub backup: Option<PathBuf>,
}

impl LocalOptions {
    /// The usual places in `directory`.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            path: "terraform.tfstate".into(),
            workspace_directory: "terraform.tfstate.d".into(),
            backup: None,
        }
    }
}

/// States in files.
#[derive(Clone, Debug)]
pub struct LocalStore {
    options: LocalOptions,
}

/// Where the files of one workspace lie.
#[derive(Clone, Debug)]
struct Places {
    workspace: String,
    state: PathBuf,
    backup: PathBuf,
    lock_info: PathBuf,
    /// What only Terrace keeps.
    own: PathBuf,
}

/// Refuses what cannot be the name of a workspace.
pub fn check_workspace_name(name: &str) -> Result<(), StoreError> {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_.~$&+=:@".contains(c);
    if !name.is_empty() && name.chars().all(safe) && name != "." && name != ".." {
        return Ok(());
    }
    Err(StoreError::Refused(format!(
        "The workspace name {name:?} is not allowed. The name must contain only URL safe characters, and no path separators."
    )))
}

impl LocalStore {
    /// A store of files in the usual places of `directory`.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self::with_options(LocalOptions::new(directory))
    }

    /// A store of files at given places.
    pub const fn with_options(options: LocalOptions) -> Self {
        Self { options }
    }

    /// Where the state of a workspace lies.
    pub fn state_path(&self, workspace: &str) -> PathBuf {
        let directory = &self.options.directory;
        if workspace == "default" {
            directory.join(&self.options.path)
        } else {
            directory
                .join(&self.options.workspace_directory)
                .join(workspace)
                .join("terraform.tfstate")
        }
    }

    fn places(&self, workspace: &str) -> Places {
        let state = self.state_path(workspace);
        // A link stays a link: what it leads to is replaced.
        let state = canonical(state);
        let name = state
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let backup = match (&self.options.backup, workspace) {
            (Some(path), "default") if path.as_os_str().is_empty() => PathBuf::new(),
            (Some(path), "default") => self.options.directory.join(path),
            _ => state.with_file_name(format!("{name}.backup")),
        };
        Places {
            workspace: workspace.to_owned(),
            lock_info: state.with_file_name(format!(".{name}.lock.info")),
            // By the file alone, so that whoever comes to the state, by whichever configuration, finds its runs, its
            // journal and the rules of its gate.
            own: state.with_file_name(".terrace").join("states").join(&name),
            backup,
            state,
        }
    }

    fn checked(&self, workspace: &str) -> Result<Places, StoreError> {
        check_workspace_name(workspace)?;
        Ok(self.places(workspace))
    }
}

/// The path without links, whether the file is there or only its directory.
fn canonical(path: PathBuf) -> PathBuf {
    let in_directory = || {
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let directory = std::fs::canonicalize(parent.unwrap_or(Path::new("."))).ok()?;
        Some(directory.join(path.file_name()?))
    };
    std::fs::canonicalize(&path)
        .ok()
        .or_else(in_directory)
        .unwrap_or(path)
}

impl Places {
    /// The state's file, and whether it was made.
    fn open_unlocked(&self) -> Result<(File, bool), StoreError> {
        let open = || -> io::Result<(File, bool)> {
            std::fs::create_dir_all(files::parent(&self.state))?;
            let created = !self.state.exists();
            let mut options = File::options();
            options.create(true).truncate(false).read(true).write(true);
            Ok((options.open(&self.state)?, created))
        };
        open().map_err(self.reading())
    }

    fn reading(&self) -> impl FnOnce(io::Error) -> StoreError + use<> {
        unavailable(format!("reading the state {}", self.state.display()))
    }

    fn writing(&self) -> impl FnOnce(io::Error) -> StoreError + use<> {
        unavailable(format!("writing the state {}", self.state.display()))
    }

    fn locking(&self) -> impl FnOnce(io::Error) -> StoreError + use<> {
        unavailable(format!("locking the state {}", self.state.display()))
    }

    /// Keeps writes and releases by force apart.
    fn guard(&self) -> Result<File, StoreError> {
        files::guard(&self.own.join("guard")).map_err(self.locking())
    }

    fn epoch(&self) -> Result<u64, StoreError> {
        let bytes = files::read(&self.own.join("epoch"))
            .map_err(self.locking())?
            .unwrap_or_default();
        Ok(std::str::from_utf8(&bytes)
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0))
    }

    fn next_epoch(&self) -> Result<u64, StoreError> {
        let epoch = self.epoch()? + 1;
        files::write(
            &self.own.join("epoch"),
            format!("{epoch}\n").as_bytes(),
            true,
        )
        .map_err(self.locking())?;
        Ok(epoch)
    }

    fn lock_info(&self) -> Option<LockInfo> {
        wire::read_lock(&files::read(&self.lock_info).ok()??)
    }

    /// The holder of a lock that is held.
    fn shown_holder(&self) -> LockInfo {
        self.lock_info().unwrap_or_else(|| LockInfo {
            info: "The holder left no information.".into(),
            path: self.state.display().to_string(),
            ..LockInfo::default()
        })
    }

    fn stored(&self) -> Result<Option<StoredState>, StoreError> {
        let bytes = files::read(&self.state).map_err(self.reading())?;
        Ok(bytes
            .filter(|bytes| !bytes.is_empty())
            .map(|bytes| StoredState { bytes }))
    }
}

#[async_trait]
impl StateStore for LocalStore {
    fn kind(&self) -> &'static str {
        "local"
    }

    async fn workspaces(&self) -> Result<Vec<String>, StoreError> {
        let directory = self
            .options
            .directory
            .join(&self.options.workspace_directory);
        let mut names = vec!["default".to_owned()];
        let list = || -> io::Result<Vec<String>> {
            let mut names = Vec::new();
            for entry in std::fs::read_dir(&directory)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    names.extend(entry.file_name().into_string().ok());
                }
            }
            Ok(names)
        };
        match list() {
            Ok(found) => names.extend(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(unavailable(format!(
                    "listing workspaces in {}",
                    directory.display()
                ))(error));
            }
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    async fn read(&self, workspace: &str) -> Result<Option<StoredState>, StoreError> {
        self.checked(workspace)?.stored()
    }

    async fn lock(
        &self,
        workspace: &str,
        info: LockInfo,
    ) -> Result<Box<dyn LockedState>, StoreError> {
        let places = self.checked(workspace)?;
        let Some((file, created)) = FileLock::acquire(&places.state).map_err(places.locking())?
        else {
            return Err(StoreError::Locked {
                holder: Box::new(places.shown_holder()),
            });
        };
        // Dropped where something fails from here on, it leaves nothing behind.
        let mut locked = LockedLocal {
            places,
            file: Some(file),
            created,
            id: info.id.clone(),
            epoch: 0,
            backed_up: false,
            seen: None,
            locks: true,
        };
        let places = &locked.places;
        let _guard = places.guard()?;
        let epoch = places.next_epoch()?;
        let mut info = info;
        if info.path.is_empty() {
            let path = self.state_path(workspace);
            let path = path.strip_prefix(".").unwrap_or(&path);
            info.path = path.display().to_string();
        }
        files::write(&places.lock_info, &wire::write_lock(&info), true)
            .map_err(places.locking())?;
        // The file may have been made only now, and have another name without links.
        locked.places = self.places(workspace);
        locked.epoch = epoch;
        Ok(Box::new(locked))
    }

    async fn unlocked(&self, workspace: &str) -> Result<Box<dyn LockedState>, StoreError> {
        let places = self.checked(workspace)?;
        let (file, created) = places.open_unlocked()?;
        Ok(Box::new(LockedLocal {
            epoch: places.epoch()?,
            // The file may have been made only now, and have another name without links.
            places: self.places(workspace),
            file: Some(file),
            created,
            id: String::new(),
            backed_up: false,
            seen: None,
            locks: false,
        }))
    }

    async fn holder(&self, workspace: &str) -> Result<Option<LockInfo>, StoreError> {
        let places = self.checked(workspace)?;
        let file = match File::options().read(true).write(true).open(&places.state) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(places.locking()(error)),
        };
        let locked = FileLock::is_locked(&file).map_err(places.locking())?;
        Ok(locked.then(|| places.shown_holder()))
    }

    async fn force_unlock(&self, workspace: &str, id: &str) -> Result<(), StoreError> {
        let places = self.checked(workspace)?;
        let Some(holder) = places.lock_info() else {
            return Err(StoreError::Refused(
                "The state is not locked: there is no lock information beside it.".into(),
            ));
        };
        if holder.id != id {
            return Err(StoreError::Refused(format!(
                "lock ID {id:?} does not match existing lock ID {:?}",
                holder.id
            )));
        }
        let _guard = places.guard()?;
        places.next_epoch()?;
        // The old holder keeps its lock on a file that is no longer in the state's place.
        if let Some(bytes) = files::read(&places.state).map_err(places.reading())? {
            if bytes.is_empty() {
                files::remove(&places.state).map_err(places.writing())?;
            } else {
                files::write(&places.state, &bytes, false).map_err(places.writing())?;
            }
        }
        files::remove(&places.lock_info).map_err(places.locking())
    }

    async fn delete_workspace(&self, workspace: &str) -> Result<(), StoreError> {
        if workspace == "default" {
            return Err(StoreError::Refused("cannot delete default state".into()));
        }
        if let Some(holder) = self.holder(workspace).await? {
            return Err(StoreError::Locked {
                holder: Box::new(holder),
            });
        }
        let places = self.checked(workspace)?;
        let directory = self
            .options
            .directory
            .join(&self.options.workspace_directory)
            .join(workspace);
        for directory in [directory, places.own.clone()] {
            match std::fs::remove_dir_all(&directory) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(unavailable(format!("deleting {}", directory.display()))(
                        error,
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn runs(&self, workspace: &str) -> Arc<dyn RunStore> {
        Arc::new(RunFiles::new(self.places(workspace).own.join("runs")))
    }

    fn journal(&self, workspace: &str) -> Arc<dyn JournalStore> {
        Arc::new(JournalFile::new(self.places(workspace).own.join("journal")))
    }
}

/// A state whose lock is held. Dropped without [`LockedState::unlock`], it is released too.
#[derive(Debug)]
struct LockedLocal {
    places: Places,
    /// The locked file; `None` once released.
    file: Option<File>,
    /// Whether locking made the file.
    created: bool,
    id: String,
    epoch: u64,
    backed_up: bool,
    /// The version of what this lock last read or wrote.
    seen: Option<Seen>,
    /// Whether it is locked: not for a run that was told to take no lock.
    locks: bool,
}

#[derive(Debug)]
struct Seen {
    version: Option<StateVersion>,
    stamp: Stamp,
}

/// Tells whether a file has changed.
type Stamp = (u64, Option<std::time::SystemTime>);

fn stamp(file: &File) -> io::Result<Stamp> {
    let metadata = file.metadata()?;
    Ok((metadata.len(), metadata.modified().ok()))
}

impl LockedLocal {
    fn held(&self) -> Result<&File, StoreError> {
        self.file
            .as_ref()
            .ok_or_else(|| StoreError::LockLost("it was released".into()))
    }

    /// Whether this is still the holder. To be asked under the guard.
    fn check_held(&self) -> Result<(), StoreError> {
        let file = self.held()?;
        if !self.locks {
            return Ok(());
        }
        if self.places.epoch()? != self.epoch {
            return Err(StoreError::LockLost(format!(
                "the lock {} of the workspace {:?} was released by force or taken over",
                self.id, self.places.workspace
            )));
        }
        if !FileLock::is_at(file, &self.places.state).map_err(self.places.reading())? {
            return Err(StoreError::LockLost(format!(
                "another file was put in the place of {}",
                self.places.state.display()
            )));
        }
        Ok(())
    }

    /// Without a lock, somebody else may have put another file in the place of the one that was read.
    fn look_again(&mut self) -> Result<(), StoreError> {
        if !self.locks {
            let (file, _) = self.places.open_unlocked()?;
            self.file = Some(file);
        }
        Ok(())
    }

    fn current(&self) -> Result<Arc<[u8]>, StoreError> {
        let mut file = self.held()?;
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0))
            .and_then(|_| file.read_to_end(&mut bytes))
            .map_err(self.places.reading())?;
        Ok(bytes.into())
    }

    fn version_of(bytes: &[u8]) -> Result<Option<StateVersion>, StoreError> {
        if bytes.is_empty() {
            return Ok(None);
        }
        wire::read_version(bytes)
            .map(Some)
            .map_err(StoreError::Corrupt)
    }

    /// Refuses a write that does not follow what is stored. Returns whether there is anything to write.
    fn check_follows(&self, bytes: &[u8], version: &StateVersion) -> Result<bool, StoreError> {
        let stamp = stamp(self.held()?).map_err(self.places.reading())?;
        let stored = match &self.seen {
            Some(seen) if seen.stamp == stamp => seen.version.clone(),
            seen => {
                let current = self.current()?;
                let version = Self::version_of(&current)?;
                if seen.as_ref().is_some_and(|seen| seen.version != version) {
                    return Err(StoreError::Conflict(format!(
                        "{} was written by someone who does not hold the lock",
                        self.places.state.display()
                    )));
                }
                version
            }
        };
        let Some(stored) = stored else {
            return Ok(true);
        };
        if !stored.lineage.is_empty() && stored.lineage != version.lineage {
            return Err(StoreError::Refused(format!(
                "cannot import state with lineage {:?} over unrelated state with lineage {:?}",
                version.lineage, stored.lineage
            )));
        }
        if version.serial > stored.serial {
            return Ok(true);
        }
        if version.serial == stored.serial && *self.current()? == *bytes {
            return Ok(false);
        }
        if version.serial == stored.serial {
            return Err(StoreError::Refused(format!(
                "cannot overwrite existing state with serial {} with a different state that has the same serial",
                stored.serial
            )));
        }
        Err(StoreError::Refused(format!(
            "cannot import state with serial {} over newer state with serial {}",
            version.serial, stored.serial
        )))
    }

    fn replace(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        if !self.backed_up {
            let current = self.current()?;
            if !current.is_empty() && !self.places.backup.as_os_str().is_empty() {
                files::write(&self.places.backup, &current, false).map_err(unavailable(
                    format!("writing the backup {}", self.places.backup.display()),
                ))?;
            }
            self.backed_up = true;
        }
        let prepared =
            Durable::prepare(&self.places.state, bytes, false).map_err(self.places.writing())?;
        // Locked before anyone can see it, so that there is no moment without a lock.
        if self.locks && !FileLock::try_lock(prepared.file()).map_err(self.places.locking())? {
            return Err(StoreError::LockLost(
                "the file to write could not be locked".into(),
            ));
        }
        let file = prepared
            .commit(&self.places.state)
            .map_err(self.places.writing())?;
        self.seen = Some(Seen {
            version: Self::version_of(bytes)?,
            stamp: stamp(&file).map_err(self.places.reading())?,
        });
        self.file = Some(file);
        Ok(())
    }

    fn release(&mut self) -> Result<(), StoreError> {
        let Some(file) = self.file.take() else {
            return Ok(());
        };
        let _guard = self.places.guard()?;
        let ours = FileLock::is_at(&file, &self.places.state).unwrap_or(false);
        if self.locks
            && self
                .places
                .lock_info()
                .is_some_and(|info| info.id == self.id)
        {
            files::remove(&self.places.lock_info).map_err(self.places.locking())?;
        }
        if ours && self.created && file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            files::remove(&self.places.state).map_err(self.places.locking())?;
        }
        drop(file);
        Ok(())
    }
}

impl Drop for LockedLocal {
    fn drop(&mut self) {
        // The system releases the lock with the file; lock information that is left behind misleads nobody.
        self.release().ok();
    }
}

#[async_trait]
impl LockedState for LockedLocal {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    async fn read(&self) -> Result<Option<StoredState>, StoreError> {
        let bytes = self.current()?;
        Ok((!bytes.is_empty()).then_some(StoredState { bytes }))
    }

    async fn write(&mut self, bytes: Arc<[u8]>, version: StateVersion) -> Result<(), StoreError> {
        let _guard = self.places.guard()?;
        self.check_held()?;
        self.look_again()?;
        if self.check_follows(&bytes, &version)? {
            self.replace(&bytes)?;
        }
        Ok(())
    }

    async fn overwrite(&mut self, bytes: Arc<[u8]>) -> Result<(), StoreError> {
        let _guard = self.places.guard()?;
        self.check_held()?;
        self.replace(&bytes)
    }

    async fn unlock(mut self: Box<Self>) -> Result<(), StoreError> {
        self.release()
    }
}
