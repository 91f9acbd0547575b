//! Why a catalogue does not do what it was asked for.

use terrace_addr::version::Version;
use terrace_backend_remote::{Failure, chain};

use crate::ModuleAddress;

/// Why something was not published, changed or found. The message says all that a person needs to know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// The version is there already; a version is never replaced.
    #[error(
        "version {version} of {module} is published already; a published version is never replaced"
    )]
    AlreadyPublished {
        /// The module.
        module: ModuleAddress,
        /// The version.
        version: Version,
    },
    /// Someone began to publish other content under this version, and has not finished.
    #[error(
        "the publication of {module} {version} was begun with other content and is not finished: someone publishes it now, or a publication broke off"
    )]
    Begun {
        /// The module.
        module: ModuleAddress,
        /// The version.
        version: Version,
    },
    /// There is no such version.
    #[error("{module} has no version {version}")]
    NoVersion {
        /// The module.
        module: ModuleAddress,
        /// The version.
        version: Version,
    },
    /// What is to be published does not belong together.
    #[error("{0}")]
    Refused(String),
    /// Others changed the module's list of versions again and again.
    #[error("the versions of {0} are being changed by too many at once; try again")]
    Contended(ModuleAddress),
    /// Something that was stored cannot be read.
    #[error("{place} cannot be understood: {why}")]
    Malformed {
        /// What.
        place: String,
        /// Why.
        why: String,
    },
    /// The store failed.
    #[error("{0}")]
    Store(String),
}

impl From<Failure> for CatalogueError {
    fn from(failure: Failure) -> Self {
        Self::Store(chain(&failure))
    }
}
