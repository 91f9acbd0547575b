//! A journal that is kept on this machine, since its store could not be written.
//!
//! The file holds everything that the run has done, what is in the store's journal included: by the time somebody can write to
//! the store again, another may have emptied that. It is read with the store's journal and emptied after it.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use terrace_backend_local::{JournalFile, unavailable};
use terrace_port::{JournalStore as _, StoreError};

use super::Parts;

/// A journal that is kept on this machine.
pub(super) struct Aside {
    file: JournalFile,
    /// Why.
    why: String,
}

impl Aside {
    pub(super) fn new(path: PathBuf, why: String) -> Self {
        Self {
            file: JournalFile::new(path),
            why,
        }
    }

    pub(super) async fn append(&self, frames: &[Vec<u8>]) -> Result<(), StoreError> {
        self.file.append(frames).await
    }

    /// What to report, though nothing is lost.
    pub(super) fn error(&self) -> StoreError {
        StoreError::KeptAside {
            path: self.file.path().display().to_string(),
            why: self.why.clone(),
        }
    }
}

/// What was kept aside.
pub(super) async fn read(path: PathBuf) -> Result<Vec<Vec<u8>>, StoreError> {
    JournalFile::new(path).read().await
}

/// Removes what was kept aside, if there is anything.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(unavailable(format!("removing {}", path.display()))(error))
        }
        _ => Ok(()),
    }
}

impl Parts {
    /// The file for the journal of a workspace of this very place.
    pub(super) fn aside_file(&self, workspace: &str) -> Option<PathBuf> {
        let directory = self.options.aside.as_ref()?;
        let place = self.objects.place(&self.layout.state(workspace));
        let digest = Sha256::digest(place.as_bytes());
        let short = digest[..8]
            .iter()
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        Some(directory.join(format!("{}-{workspace}-{short:016x}", self.options.kind)))
    }
}
