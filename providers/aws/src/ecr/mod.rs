//! ECR: repositories, what is cleaned up in them, and who may pull.

mod lifecycle;
mod policy;
mod read;
mod repository;

use crate::Builder;
use crate::kind::{Looked, Managed};

/// What ECR says of a repository that is not there.
const NO_REPOSITORY: &str = "RepositoryNotFoundException";

/// Adds its types.
pub(crate) fn register(builder: Builder) -> Builder {
    builder
        .resource(Managed::<repository::Repository>::default())
        .resource(Managed::<lifecycle::LifecyclePolicy>::default())
        .resource(Managed::<policy::RepositoryPolicy>::default())
        .data_source(Looked::<read::RepositoryData>::default())
}
