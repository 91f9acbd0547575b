//! Named bytes as files in a directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use terrace_port::{RunStore, StoreError};

use crate::files::{self, unavailable};

/// Files in a directory, by their path in it.
#[derive(Debug)]
pub struct RunFiles {
    directory: PathBuf,
}

impl RunFiles {
    /// The files in `directory`, which need not be there yet.
    pub const fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    fn path(&self, name: &str) -> Result<PathBuf, StoreError> {
        check_run_name(name)?;
        Ok(name
            .split('/')
            .fold(self.directory.clone(), |path, part| path.join(part)))
    }

    fn guard(&self) -> Result<std::fs::File, StoreError> {
        files::guard(&self.directory.join(".guard"))
            .map_err(unavailable(format!("locking {}", self.directory.display())))
    }

    fn read(&self, name: &str) -> Result<Option<Arc<[u8]>>, StoreError> {
        files::read(&self.path(name)?).map_err(unavailable(format!("reading {name}")))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        files::write(&self.path(name)?, bytes, true).map_err(unavailable(format!("writing {name}")))
    }
}

/// Names of the files below a directory, with `prefix` before them.
fn walk(directory: &Path, prefix: &str, names: &mut Vec<String>) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        let name = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{name}/"), names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}

/// Refuses names that are no plain relative paths. A part that begins with a dot is the store's own.
pub fn check_run_name(name: &str) -> Result<(), StoreError> {
    let plain = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', '\0', ':'])
    };
    if name.split('/').all(plain) {
        return Ok(());
    }
    Err(StoreError::Refused(format!(
        "{name:?} is not a name that a run store can hold"
    )))
}

#[async_trait]
impl RunStore for RunFiles {
    async fn get(&self, name: &str) -> Result<Option<Arc<[u8]>>, StoreError> {
        self.read(name)
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let _guard = self.guard()?;
        self.write(name, bytes)
    }

    async fn compare_and_put(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let _guard = self.guard()?;
        if self.read(name)?.as_deref() != expected {
            return Err(StoreError::Conflict(format!(
                "{name} is no longer what it was"
            )));
        }
        self.write(name, bytes)
    }

    async fn delete(&self, name: &str) -> Result<(), StoreError> {
        let _guard = self.guard()?;
        files::remove(&self.path(name)?).map_err(unavailable(format!("deleting {name}")))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let mut names = Vec::new();
        walk(&self.directory, "", &mut names)
            .map_err(unavailable(format!("listing {}", self.directory.display())))?;
        names.retain(|name| name.starts_with(prefix));
        names.sort_unstable();
        Ok(names)
    }
}
