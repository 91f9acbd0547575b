//! Frames on their way to the store, which are written down on this machine first: so they outlive the process that was to
//! send them, and whoever recovers here knows all that it knew.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use terrace_backend_local::JournalFile;
use terrace_port::{JournalStore as _, StoreError};

use super::{Parts, aside, locked};

/// What a process writes down of a journal.
pub(super) struct Staging {
    /// Where; `None` once that has failed.
    file: Option<Arc<JournalFile>>,
    /// Whether what is in the file is of another run.
    is_stale: bool,
    /// Written down, and not yet sent.
    waiting: Vec<Vec<u8>>,
}

impl Staging {
    fn new(path: PathBuf, is_stale: bool, waiting: &[Vec<u8>]) -> Self {
        Self {
            file: Some(Arc::new(JournalFile::new(path))),
            is_stale,
            waiting: waiting.to_vec(),
        }
    }
}

impl Parts {
    fn staged_file(&self, workspace: &str) -> Option<PathBuf> {
        let aside = self.aside_file(workspace)?;
        let name = aside.file_name()?.to_string_lossy().into_owned();
        Some(aside.with_file_name(format!("staged-{name}")))
    }

    /// The frames of a journal with those that this machine alone knows. Where it knows all, frames may be staged.
    pub(super) async fn with_staged(&self, workspace: &str, known: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let Some(path) = self.staged_file(workspace) else {
            return known;
        };
        let stage = |is_stale: bool, waiting: &[Vec<u8>]| {
            locked(&self.staging)
                .entry(workspace.to_owned())
                .or_insert_with(|| Staging::new(path.clone(), is_stale, waiting));
        };
        if known.is_empty() {
            stage(true, &[]);
            return known;
        }
        // A file that cannot be read says nothing.
        let staged = JournalFile::new(path.clone())
            .read()
            .await
            .unwrap_or_default();
        if !staged.starts_with(&known) {
            locked(&self.staging).remove(workspace);
            return known;
        }
        // What was never sent goes before anything that is to be.
        stage(false, &staged[known.len()..]);
        staged
    }

    /// The journal is empty, and what was staged of it is of no use.
    pub(super) fn drop_staged(&self, workspace: &str) -> Result<(), StoreError> {
        let Some(path) = self.staged_file(workspace) else {
            return Ok(());
        };
        aside::remove(&path)?;
        locked(&self.staging).insert(workspace.to_owned(), Staging::new(path, false, &[]));
        Ok(())
    }

    /// See [`JournalStore::witness`](terrace_port::JournalStore::witness).
    pub(super) fn witness(&self, workspace: &str) -> Option<String> {
        locked(&self.staging)
            .get(workspace)?
            .file
            .as_ref()?
            .witness()
    }

    /// Writes frames down, to be sent with the next batch. Where they cannot be, they only wait, and nothing is staged any
    /// more: so that nobody takes for whole what is not.
    pub(super) async fn stage(&self, workspace: &str, frames: &[Vec<u8>]) {
        let (file, is_stale) = {
            let mut staging = locked(&self.staging);
            let Some(staging) = staging.get_mut(workspace) else {
                return;
            };
            staging.waiting.extend_from_slice(frames);
            let is_stale = std::mem::take(&mut staging.is_stale);
            (staging.file.clone(), is_stale)
        };
        let Some(file) = file else { return };
        if write(&file, is_stale, frames).await.is_err() {
            aside::remove(file.path()).ok();
            if let Some(staging) = locked(&self.staging).get_mut(workspace) {
                staging.file = None;
            }
        }
    }

    /// The frames to send: those that wait, and `frames`.
    pub(super) async fn to_send(&self, workspace: &str, frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
        if !locked(&self.staging).contains_key(workspace) {
            return frames.to_vec();
        }
        if !frames.is_empty() {
            self.stage(workspace, frames).await;
        }
        locked(&self.staging)
            .get_mut(workspace)
            .map(|staging| std::mem::take(&mut staging.waiting))
            .unwrap_or_default()
    }
}

async fn write(file: &JournalFile, is_stale: bool, frames: &[Vec<u8>]) -> Result<(), StoreError> {
    if is_stale {
        aside::remove(Path::new(file.path()))?;
    }
    file.stage(frames).await
}
