//! The version of a module that the present one is compared with.

use std::path::Path;
use std::sync::Arc;

use terrace_addr::version::Version;
use terrace_config::Config;
use terrace_module::DependencyKind;

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
        let config = load_sound(against, &Disk, against)?;
        return Ok(Some(Base {
            name: against.to_owned(),
            version: None,
            config,
        }));
    }
    match DependencyKind::of(against) {
        DependencyKind::Registry { address } => of_registry(session, &address).await.map(Some),
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

async fn of_registry(session: &Arc<Session>, address: &str) -> Result<Base, CommandError> {
    let newest = versions::of_registry(session, address)
        .await?
        .into_iter()
        .filter(|version| !version.is_prerelease())
        .max()
        .ok_or_else(|| {
            CommandError::one(
                "module-without-versions",
                "Nothing to compare with",
                format!("The registry has no released version of {address}. Leave out -against for a module that was never published."),
            )
        })?;
    let directory = temporary_directory()?;
    crate::modules::fetch_into(session, address, directory.path()).await?;
    let path = directory.path().to_string_lossy().into_owned();
    let config = load_sound(&path, &Disk, address)?;
    Ok(Base {
        name: format!("{address} {newest}"),
        version: Some(newest),
        config,
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
