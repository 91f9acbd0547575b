//! What goes wrong between here and a server.

use std::io;

/// Why a server could not be used. The message says all that a person needs to know.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No answer came.
    #[error("{method} {url:?}: {why}")]
    Unreachable {
        /// The request's method.
        method: &'static str,
        /// What was asked.
        url: String,
        /// Why there is no answer, with its causes.
        why: String,
    },
    /// An answer came, and it is none that helps.
    #[error("{url:?} answered with status {status}{}", said(.body))]
    Status {
        /// What was asked.
        url: String,
        /// The status.
        status: u16,
        /// The beginning of what the server said.
        body: String,
    },
    /// The host has no such service.
    #[error("host {host} does not offer {what}")]
    NoService {
        /// The host.
        host: String,
        /// What was wanted of it.
        what: &'static str,
    },
    /// The host's name is none.
    #[error("{0}")]
    InvalidHost(String),
    /// An answer cannot be understood.
    #[error("{url:?} gave an answer that cannot be understood: {why}")]
    Malformed {
        /// What was asked.
        url: String,
        /// What is wrong with the answer.
        why: String,
    },
    /// The credentials for a host cannot be had.
    #[error("the credentials for {host} cannot be had: {why}")]
    Credentials {
        /// The host.
        host: String,
        /// Why.
        why: String,
    },
    /// Something on this machine failed.
    #[error("{what}: {cause}")]
    Local {
        /// What was tried.
        what: String,
        /// Why it failed.
        cause: io::Error,
    },
}

/// What a server said, as the end of a sentence.
fn said(body: &str) -> String {
    let line = body.lines().next().unwrap_or("").trim();
    if line.is_empty() || line.starts_with('<') {
        String::new()
    } else {
        let short: String = line.chars().take(200).collect();
        format!(": {short}")
    }
}

impl ClientError {
    /// Something on this machine failed.
    pub fn local(what: impl Into<String>, cause: io::Error) -> Self {
        Self::Local {
            what: what.into(),
            cause,
        }
    }

    /// The status of an answer that does not help.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}
