//! The version of a module that the present one is compared with.

use std::io;
use std::path::Path;
use std::sync::Arc;

use terrace_addr::version::Version;
use terrace_config::Config;
use terrace_module::DependencyKind;
use terrace_port::{FileEntry, Files};

use super::git::{GitTree, last_version};
use super::{load_sound, versions};
use crate::command_error::CommandError;
use crate::outside::Disk;
use crate::session::Session;

/// An earlier version of the module.
pub(super) struct Base {
    /// What it is called: a tag, a directory, an address with its version.
    pub(super) name: String,
    /// Its version, where that is known.
    pub(super) version: Option<Version>,
    /// It.
    pub(super) config: Config,
}

/// The version that `against` names, or the last one that was released; `None` where there was none.
pub(super) async fn find(
    session: &Arc<Session>,
    against: Option<&str>,
) -> Result<Option<Base>, CommandError> {
    let Some(against) = against else {
        let Some(last) = last_version().await? else {
            return Ok(None);
        };
        return of_commit(&last.tag, Some(last.version)).await.map(Some);
    };
    if Path::new(against).is_dir() {
        let config = load_sound(".", &Rooted(against.to_owned()), against)?;
        return Ok(Some(Base {
            name: against.to_owned(),
            version: None,
            config,
        }));
    }
    let (source, version) = match against.split_once('@') {
        Some((source, version)) => (source, Some(version)),
        None => (against, None),
    };
    match DependencyKind::of(source) {
        DependencyKind::Registry { .. } => of_registry(session, source, version).await.map(Some),
        _ => of_commit(against, version_in(against)).await.map(Some),
    }
}

/// The version that a reference names, with whatever stands before it.
fn version_in(reference: &str) -> Option<Version> {
    let last = reference.rsplit('/').next()?;
    last.parse().ok()
}

async fn of_commit(reference: &str, version: Option<Version>) -> Result<Base, CommandError> {
    let tree = GitTree::read(reference).await?;
    let config = load_sound(".", &tree, &format!("The module at {reference}"))?;
    Ok(Base {
        name: reference.to_owned(),
        version,
        config,
    })
}

/// A module of a registry, `source`, which may name a directory of it, in a version or the newest one.
async fn of_registry(
    session: &Arc<Session>,
    source: &str,
    version: Option<&str>,
) -> Result<Base, CommandError> {
    let version = match version {
        Some(text) => text.parse().map_err(|_| {
            CommandError::one(
                "invalid-release",
                "Invalid version",
                format!("-against={source}@{text} names no version: it has the form 1.2.3."),
            )
        })?,
        None => newest(session, source).await?,
    };
    let directory = temporary_directory()?;
    let config = fetched(
        session,
        source,
        Some(&version.to_string()),
        directory.path(),
    )
    .await?;
    Ok(Base {
        name: format!("{source} {version}"),
        version: Some(version),
        config,
    })
}

/// The module that a call of `source` with the constraint `version` gets, put into an empty directory and read.
pub(super) async fn fetched(
    session: &Arc<Session>,
    source: &str,
    version: Option<&str>,
    directory: &Path,
) -> Result<Config, CommandError> {
    crate::modules::fetch_into(session, source, version, directory).await?;
    let files = Rooted(directory.to_string_lossy().into_owned());
    load_sound(".", &files, source)
}

/// The files of a directory, which are named as if it were the working directory.
struct Rooted(String);

impl Rooted {
    fn inside(&self, path: &str) -> String {
        terrace_config::join_path(&self.0, path)
    }
}

impl Files for Rooted {
    fn read(&self, path: &str) -> io::Result<Arc<[u8]>> {
        Disk.read(&self.inside(path))
    }

    fn list(&self, path: &str) -> io::Result<Vec<FileEntry>> {
        Disk.list(&self.inside(path))
    }

    fn exists(&self, path: &str) -> bool {
        Disk.exists(&self.inside(path))
    }

    fn absolute(&self, path: &str) -> String {
        Disk.absolute(&self.inside(path))
    }
}

/// The newest released version of a module of a registry.
async fn newest(session: &Arc<Session>, source: &str) -> Result<Version, CommandError> {
    versions::of_registry(session, source)
        .await?
        .into_iter()
        .filter(|version| !version.is_prerelease())
        .max()
        .ok_or_else(|| {
            CommandError::one(
                "module-without-versions",
                "Nothing to compare with",
                format!("The registry has no released version of {source}. Leave out -against for a module that was never published."),
            )
        })
}

/// A directory that is removed with the value.
pub(super) fn temporary_directory() -> Result<tempfile::TempDir, CommandError> {
    tempfile::Builder::new()
        .prefix("terrace-module-")
        .tempdir()
        .map_err(|error| {
            CommandError::one(
                "unwritable-file",
                "No temporary directory",
                format!("A temporary directory cannot be made: {error}."),
            )
        })
}
