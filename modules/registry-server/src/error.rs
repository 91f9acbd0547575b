//! Why the registry fails by itself, whatever was asked.

use terrace_backend_remote::{Failure, chain};
use terrace_module_package::CatalogueError;

use crate::request::Reply;

/// Why the registry could not do what it was asked for. The message says all that a person needs to know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The modules' catalogue refused or failed.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// What was asked cannot be done as it was asked.
    #[error("{0}")]
    Refused(String),
    /// There is something already that is never replaced.
    #[error("{0}")]
    Conflict(String),
    /// There is no such thing.
    #[error("{0}")]
    Missing(String),
    /// Something stored cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// A store failed.
    #[error("{0}")]
    Store(String),
}

impl From<Failure> for RegistryError {
    fn from(failure: Failure) -> Self {
        Self::Store(chain(&failure))
    }
}

impl RegistryError {
    /// What the client is told. What concerns the registry's own stores is not the client's business.
    pub(crate) fn reply(&self) -> Reply {
        let status = match self {
            Self::Catalogue(error) => match error {
                CatalogueError::AlreadyPublished { .. } | CatalogueError::Begun { .. } => 409,
                CatalogueError::NoVersion { .. } => 404,
                CatalogueError::Refused(_) => 422,
                CatalogueError::Contended(_) => 503,
                CatalogueError::Malformed { .. } | CatalogueError::Store(_) => 500,
            },
            Self::Refused(_) => 422,
            Self::Conflict(_) => 409,
            Self::Missing(_) => 404,
            Self::Malformed(_) | Self::Store(_) => 500,
        };
        if status == 500 {
            return Reply::refusal(
                500,
                "The registry's store cannot be used; its log says more.",
            );
        }
        Reply::refusal(status, &self.to_string())
    }
}
