//! Objects that are files of this machine, for stores that can keep nothing but states.

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use terrace_backend_local::RunFiles;
use terrace_port::{RunStore as _, StoreError};

use crate::{Deleted, Failure, Object, Objects, Put, Version, When, Write};

/// Objects as files below a directory. A version is the content's hash.
#[derive(Debug)]
pub struct FileObjects {
    directory: std::path::PathBuf,
    files: RunFiles,
}

/// The version of a content whose store keeps none: its SHA-256.
pub fn content_version(bytes: &[u8]) -> Version {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").expect("a string takes everything");
    }
    Version::new(text)
}

impl FileObjects {
    /// The files below `directory`, which need not be there yet.
    pub fn new(directory: std::path::PathBuf) -> Self {
        Self {
            files: RunFiles::new(directory.clone()),
            directory,
        }
    }
}

#[async_trait]
impl Objects for FileObjects {
    fn place(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    async fn get(&self, name: &str) -> Result<Option<Object>, Failure> {
        let bytes = self.files.get(name).await?;
        Ok(bytes.map(|bytes| Object {
            version: content_version(&bytes),
            bytes,
        }))
    }

    async fn put(&self, name: &str, bytes: &[u8], write: Write<'_>) -> Result<Put, Failure> {
        let written = match write.when {
            When::Always => self.files.put(name, bytes).await,
            When::Absent => self.files.compare_and_put(name, None, bytes).await,
            When::Is(version) => match self.get(name).await? {
                Some(there) if there.version == *version => {
                    let expected = Some(&*there.bytes);
                    self.files.compare_and_put(name, expected, bytes).await
                }
                _ => return Ok(Put::Refused),
            },
        };
        match written {
            Ok(()) => Ok(Put::Written(content_version(bytes))),
            Err(StoreError::Conflict(_)) => Ok(Put::Refused),
            Err(error) => Err(error.into()),
        }
    }

    async fn delete(&self, name: &str, write: Write<'_>) -> Result<Deleted, Failure> {
        if let When::Is(version) = write.when {
            let there = self.get(name).await?;
            if there.is_none_or(|there| there.version != *version) {
                return Ok(Deleted::Refused);
            }
        }
        self.files.delete(name).await?;
        Ok(Deleted::Done)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        Ok(self.files.list(prefix).await?)
    }
}
