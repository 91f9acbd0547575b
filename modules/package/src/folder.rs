//! A folder as a store of objects that a web server can serve as it is.

use std::io::Write as _;
use std::path::PathBuf;

use async_trait::async_trait;
use terrace_backend_remote::{
    Deleted, Failure, FileObjects, Object, Objects, Put, When, Write, content_version,
};

/// Where discovery documents are, which other objects' names do not begin with.
const WELL_KNOWN: &str = ".well-known/";

/// Objects as files below a directory, under their names. Any number of processes may write at once.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    files: FileObjects,
}

impl Folder {
    /// The folder, which need not be there yet.
    pub fn new(root: PathBuf) -> Self {
        Self {
            files: FileObjects::new(root.clone()),
            root,
        }
    }

    /// The path of what [`FileObjects`] keeps for itself: a discovery document, and nothing else.
    fn well_known(&self, name: &str) -> Option<PathBuf> {
        let rest = name.strip_prefix(WELL_KNOWN)?;
        let plain = |c: char| c.is_ascii_lowercase() || matches!(c, '.' | '-');
        let sound = !rest.starts_with('.') && rest.chars().all(plain);
        sound.then(|| self.root.join(".well-known").join(rest))
    }
}

#[async_trait]
impl Objects for Folder {
    fn place(&self, name: &str) -> String {
        self.files.place(name)
    }

    async fn get(&self, name: &str) -> Result<Option<Object>, Failure> {
        let Some(path) = self.well_known(name) else {
            return self.files.get(name).await;
        };
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(Object {
                version: content_version(&bytes),
                bytes: bytes.into(),
            })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::lasting(
                format!("reading {}", path.display()),
                error,
            )),
        }
    }

    async fn put(&self, name: &str, bytes: &[u8], write: Write<'_>) -> Result<Put, Failure> {
        let Some(path) = self.well_known(name) else {
            return self.files.put(name, bytes, write).await;
        };
        let there = self.get(name).await?;
        let holds = match write.when {
            When::Always => true,
            When::Absent => there.is_none(),
            When::Is(version) => there.is_some_and(|there| there.version == *version),
        };
        if !holds {
            return Ok(Put::Refused);
        }
        let directory = self.root.join(".well-known");
        let written = || -> std::io::Result<()> {
            std::fs::create_dir_all(&directory)?;
            let mut file = tempfile::NamedTempFile::new_in(&directory)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            readable_by_all(file.as_file())?;
            file.persist(&path)?;
            Ok(())
        };
        written()
            .map_err(|error| Failure::lasting(format!("writing {}", path.display()), error))?;
        Ok(Put::Written(content_version(bytes)))
    }

    async fn delete(&self, name: &str, write: Write<'_>) -> Result<Deleted, Failure> {
        self.files.delete(name, write).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        self.files.list(prefix).await
    }
}

/// Temporary files are their owner's alone; a web server is somebody else.
#[cfg(unix)]
fn readable_by_all(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn discovery_documents_lie_where_clients_look() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path().to_owned());
        let name = ".well-known/terraform.json";
        assert_eq!(folder.get(name).await.unwrap(), None);
        let first = folder.put(name, b"{}", Write::when(When::Absent)).await;
        assert!(matches!(first.unwrap(), Put::Written(_)));
        let again = folder.put(name, b"[]", Write::when(When::Absent)).await;
        assert_eq!(again.unwrap(), Put::Refused);
        assert!(root.path().join(name).is_file());
        assert_eq!(&*folder.get(name).await.unwrap().unwrap().bytes, b"{}");
        assert!(folder.get(".well-known/../x").await.is_err());
        assert!(folder.get(".secret").await.is_err());
    }
}
