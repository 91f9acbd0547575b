//! Why a request to a store failed, and whether asking again may help.

use std::error::Error;
use std::time::Duration;

use terrace_port::StoreError;

/// Why a request failed.
///
/// An adapter only says which of the two it is; [`RemoteStore`](crate::RemoteStore) waits, asks again, and finds out whether a
/// write whose answer was lost was carried out. So an adapter switches off the retries of its own client for writes that are
/// conditional, since a client that repeats such a write would report a conflict with itself.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// May succeed when asked again: 5xx, 429 and other throttling, a timeout, a connection that broke. A write may or may not
    /// have been carried out.
    #[error("{what}")]
    Transient {
        /// What was being done, and where: `reading s3://bucket/key`.
        what: String,
        /// How long the server asks to wait (`Retry-After`).
        after: Option<Duration>,
        /// Why it failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Will fail again: no credentials, no permission, no such bucket, a request that the server does not understand. Nothing
    /// was written. [`StoreError::Unavailable`] with a message that says what to do.
    #[error(transparent)]
    Final(#[from] StoreError),
}

impl Failure {
    /// A failure that may pass.
    pub fn transient(
        what: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Transient {
            what: what.into(),
            after: None,
            source: source.into(),
        }
    }

    /// A failure that stays.
    pub fn lasting(
        what: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Final(StoreError::Unavailable {
            what: what.into(),
            source: source.into(),
        })
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Transient { what, source, .. } => Self::Unavailable { what, source },
            Failure::Final(error) => error,
        }
    }
}

/// An error and its causes in a line; a cause that the text before it says already is left out.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = error.source();
    }
    text
}
