//! What the service's answers mean.

use std::time::Duration;

use terrace_backend_remote::Failure;

/// An answer that is no success.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The service's name of the error.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) after: Option<Duration>,
}

impl Refusal {
    /// What is in the element `name` of the XML that tells of errors.
    fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once("</")?.0)
    }

    pub(crate) fn new(status: u16, code: Option<&str>, after: Option<&str>, body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body);
        let code = code
            .or_else(|| Self::element(&body, "Code"))
            .unwrap_or_default()
            .to_owned();
        let message = Self::element(&body, "Message").map_or_else(
            || body.chars().take(500).collect(),
            |message| message.lines().next().unwrap_or_default().to_owned(),
        );
        Self {
            status,
            code,
            message,
            after: after
                .and_then(|text| text.parse().ok())
                .map(Duration::from_secs),
        }
    }

    /// Whether a condition did not hold, or a lease was another's.
    pub(crate) fn is_about_conditions(&self) -> bool {
        matches!(self.status, 409 | 412) && !self.passes()
    }

    fn passes(&self) -> bool {
        self.status >= 500
            || self.status == 429
            || matches!(
                self.code.as_str(),
                "ServerBusy"
                    | "OperationTimedOut"
                    | "AccountBeingCreated"
                    | "ContainerBeingDeleted"
            )
    }

    /// Why a request failed; `what` says what was being done, and where.
    pub(crate) fn failure(self, what: &str) -> Failure {
        let advice = match (self.status, self.code.as_str()) {
            (_, "ContainerNotFound") => ": the container does not exist; create it",
            (_, "AuthenticationFailed") => {
                ": the access key or the signature is wrong or has expired; check the credentials"
            }
            (403, "AuthorizationPermissionMismatch") => {
                ": whoever signed in may not do it; the role \"Storage Blob Data Owner\" is needed"
            }
            (401 | 403, _) => {
                ": access was refused; check the credentials and the account's network rules"
            }
            _ => "",
        };
        let said = format!("{} {} (status {})", self.code, self.message, self.status);
        if self.passes() {
            return Failure::Transient {
                what: what.to_owned(),
                after: self.after,
                source: said.into(),
            };
        }
        Failure::lasting(format!("{what}{advice}"), said)
    }
}

/// Why no answer came.
pub(crate) fn unanswered(what: &str, error: &reqwest::Error) -> Failure {
    let said = terrace_backend_remote::chain(error);
    if error.is_builder() {
        Failure::lasting(what, said)
    } else {
        Failure::transient(what, said)
    }
}
