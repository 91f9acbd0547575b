//! Getting packages from where they are.

mod address;
mod checksum;
mod file;
mod gcs;
mod git;
mod http;
mod oci;
mod s3;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use terrace_registry_client::{ClientError, Http};

pub(crate) use git::revision_of;

use crate::archive::ArchiveError;
use crate::cache::Cache;
use crate::source::RemoteSource;

/// How often one address may lead to another.
const MOST_REDIRECTIONS: u32 = 10;

/// Why a package could not be fetched. The message is the whole story for a person.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{0}")]
    Client(#[from] ClientError),
    #[error("{0}")]
    Archive(#[from] ArchiveError),
    #[error("{what}: {cause}")]
    Local { what: String, cause: io::Error },
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    NotSupported(String),
}

impl FetchError {
    pub(crate) fn local(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |cause| Self::Local { what, cause }
    }

    fn refused<T>(why: impl Into<String>) -> Result<T, Self> {
        Err(Self::Refused(why.into()))
    }
}

/// What fetching a package says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fetched {
    /// The commit, of a repository.
    pub(crate) revision: Option<String>,
}

/// Fetches packages.
pub(crate) struct Fetcher {
    pub(crate) http: Arc<Http>,
    pub(crate) cache: Arc<Cache>,
    /// The process's environment: credentials of clouds are found through it.
    pub(crate) environment: BTreeMap<String, String>,
}

impl Fetcher {
    /// Fetches the package of `source` into the empty directory `into`; of a repository the given commit, where one is
    /// given. What is written there holds no link that leads out of it.
    pub(crate) fn fetch(
        &self,
        source: &RemoteSource,
        revision: Option<&str>,
        into: &Path,
    ) -> Result<Fetched, FetchError> {
        let fetched = self.dispatch(source, revision, into, MOST_REDIRECTIONS)?;
        let link = crate::tree::link_outside(into)
            .map_err(FetchError::local("the package cannot be read"))?;
        match link {
            Some(link) => FetchError::refused(format!(
                "the package holds the link {:?}, which leads out of it; such a package is not installed",
                link.display().to_string()
            )),
            None => Ok(fetched),
        }
    }

    fn dispatch(
        &self,
        source: &RemoteSource,
        revision: Option<&str>,
        into: &Path,
        redirections: u32,
    ) -> Result<Fetched, FetchError> {
        match source.getter.as_str() {
            "git" => git::fetch(source, revision, into),
            "http" | "https" => self.fetch_http(source, into, redirections),
            "file" => self.fetch_file(source, into),
            "s3" => self.fetch_s3(source, into),
            "gcs" => self.fetch_gcs(source, into),
            "oci" => self.fetch_oci(source, into),
            "hg" => Err(FetchError::NotSupported(
                "Mercurial repositories are not supported by Terrace; publish the module as a Git repository or as an archive".to_owned(),
            )),
            other => Err(FetchError::NotSupported(format!(
                "download not supported for scheme '{other}'; there are git, http, https, file, s3, gcs and oci"
            ))),
        }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.environment
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").map(PathBuf::from)
    }
}
