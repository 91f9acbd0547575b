//! What goes wrong, and what it says to people.

use std::time::Duration;

use serde_json::Value as Json;
use terrace_backend_remote::Problem;
use terrace_provider_sdk::Diagnostic;

use super::{Answer, PASSING_CONFLICTS};

/// Why a request did not do what it should.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The service refused it.
    Refused {
        status: u16,
        code: String,
        message: String,
        /// The request: `PUT /subscriptions/…`.
        request: String,
    },
    /// The service took it, and then the operation failed.
    Operation {
        /// Failed or canceled.
        status: String,
        code: String,
        message: String,
    },
    /// There was no answer.
    Unreachable(String),
    /// There is no token.
    SignIn(Problem),
    /// The time that the `timeouts` block gives is over.
    TimedOut(Duration),
    /// What was made cannot be seen.
    NeverAppeared(Duration),
    /// The user wants the end.
    Stopped,
    /// The service says something that cannot be read.
    Unreadable(String),
    /// The service wants to be asked at an address that is not its own.
    Elsewhere(String),
    /// What it belongs to is gone.
    ParentGone {
        /// What is gone.
        parent: String,
        message: String,
    },
}

impl Failure {
    pub(super) fn of_answer(answer: &Answer) -> Self {
        let (code, message) = error_in(&answer.json());
        let message = message.unwrap_or_else(|| {
            String::from_utf8_lossy(&answer.body)
                .chars()
                .take(300)
                .collect()
        });
        Self::Refused {
            status: answer.status.as_u16(),
            code: code.unwrap_or_else(|| answer.status.to_string()),
            message,
            request: format!("{} {}", answer.method, answer.url.path()),
        }
    }

    pub(super) fn of_operation(status: &str, document: &Json) -> Self {
        let (code, message) = error_in(document);
        Self::Operation {
            status: status.to_lowercase(),
            code: code.unwrap_or_else(|| status.to_owned()),
            message: message.unwrap_or_else(|| "the service says no more".into()),
        }
    }

    /// Whether the service says that there is no such object. A subscription that it does not know is another matter.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self, Self::Refused { status: 404, code, .. } if !is_subscription(code))
    }

    /// Whether what the object belongs to is missing.
    pub(crate) fn is_missing_parent(&self) -> bool {
        const CODES: [&str; 4] = [
            "ParentResourceNotFound",
            "ResourceGroupNotFound",
            "ResourceNotFound",
            "StorageAccountNotFound",
        ];
        matches!(self, Self::Refused { status: 404, code, .. } if CODES.contains(&code.as_str()))
    }

    /// The same, where that is known to be gone.
    pub(crate) fn of_parent(self, parent: String) -> Self {
        match self {
            Self::Refused { code, message, .. } => Self::ParentGone {
                parent,
                message: format!("{code}: {message}"),
            },
            other => other,
        }
    }

    /// Whether the object must not be looked at or is locked, so that what it says in secret stays unknown.
    pub(crate) fn is_refusal_of_secrets(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                status: 401 | 403 | 409,
                ..
            }
        )
    }

    pub(super) const fn is_expiry(&self) -> bool {
        matches!(self, Self::Refused { status: 401, .. })
    }

    pub(super) const fn is_throttling(&self) -> bool {
        matches!(self, Self::Refused { status: 429, .. })
    }

    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { status, code, .. } => {
                matches!(status, 408 | 500 | 502 | 503 | 504)
                    || *status == 409 && PASSING_CONFLICTS.contains(&code.as_str())
            }
            _ => false,
        }
    }

    /// What it is to people.
    pub(crate) fn diagnostic(self, doing: &str, what: &str) -> Diagnostic {
        let summary = format!("Failed {doing} {what}");
        let (why, hint) = self.told(doing);
        let detail = if hint.is_empty() {
            why
        } else {
            format!("{why}\n\n{hint}")
        };
        Diagnostic::error(summary, detail)
    }

    /// Why it failed, and what to do.
    fn told(self, doing: &str) -> (String, String) {
        match self {
            Self::Refused {
                status,
                code,
                message,
                request,
            } => refused(status, &code, &message, &request),
            Self::Operation {
                status,
                code,
                message,
            } => (
                format!("Azure took the request, and the operation {status}. {code}: {message}"),
                "What there is of the object is kept in the state as tainted: the next apply replaces it. \
                 Remove the reason first; Azure's activity log has more on it."
                    .into(),
            ),
            Self::Unreachable(why) => (
                format!("Azure Resource Manager did not answer: {why}"),
                "Look at the network and proxies between here and there, and run the command again.".into(),
            ),
            Self::SignIn(problem) => (problem.detail, String::new()),
            Self::TimedOut(limit) => (
                format!("It took longer than {}.", shown(limit)),
                "Azure may still be at it: run the command again to see. A block \"timeouts\" in the resource gives it more time.".into(),
            ),
            Self::NeverAppeared(limit) => (
                format!("Azure said that it is made, but there was nothing to be read for {}.", shown(limit)),
                "Run the command again: what is made is in the state, and is read once it appears.".into(),
            ),
            Self::Stopped => (
                format!("The run was interrupted while {doing}. Azure may go on with it."),
                "Run the command again to see what became of it.".into(),
            ),
            Self::Unreadable(what) => (
                format!("Azure answered something that Terrace does not understand: {what}"),
                "This may be a bug in Terrace, or the answer of a proxy in between.".into(),
            ),
            Self::Elsewhere(address) => (
                format!("Azure said to go on at {address}, which is not the Azure Resource Manager that was signed in to. No token was sent there."),
                "Set \"environment\" or \"metadata_host\" of the provider to the cloud that the subscription is in.".into(),
            ),
            Self::ParentGone { parent, message } => (
                format!("{parent} is gone. {message}"),
                "It was there when the plan was made, or is in another subscription. Run `terrace plan` again: it reads what is left and makes anew what is missing.".into(),
            ),
        }
    }
}

/// A resource provider that a subscription has not registered.
pub(crate) const UNREGISTERED: &str = "MissingSubscriptionRegistration";

fn is_subscription(code: &str) -> bool {
    matches!(code, "SubscriptionNotFound" | "InvalidSubscriptionId")
}

/// What a refusal says, and what to do.
fn refused(status: u16, code: &str, message: &str, request: &str) -> (String, String) {
    let said = format!("{code}: {message}");
    if code == "AuthorizationFailed" || code == "LinkedAuthorizationFailed" {
        return denied(&said, message);
    }
    let hint = match (status, code) {
        (401, _) => {
            "The token is no longer good, and a new one was not accepted either. Sign in again (az login), or renew the client secret, \
             certificate or federated credential that the provider uses; a wrong clock of this machine has the same effect."
        }
        (429, _) => {
            "Azure limits how many requests a subscription may make, and did so until the time was over. Try again later, with -parallelism=N \
             for fewer at a time, or give it more time by a block \"timeouts\"."
        }
        (404, code) if is_subscription(code) => {
            "Set \"subscription_id\" of the provider, or ARM_SUBSCRIPTION_ID, to a subscription that the signed-in principal may see (az account list)."
        }
        (404, _) => {
            "It was there when the plan was made. Run the command again: it reads what is left, and makes anew what is gone."
        }
        (_, UNREGISTERED) => {
            "Register it once: az provider register --namespace Microsoft.Storage, or set \"resource_providers_to_register\" of the provider."
        }
        (403, "RequestDisallowedByPolicy") => {
            "A policy of the subscription forbids it. Change the configuration to what the policy allows, or have the policy changed."
        }
        (409, "ScopeLocked") => {
            "A management lock protects it. Remove the lock first (az lock list), if it may go."
        }
        (409, "StorageAccountAlreadyTaken") => {
            "Names of storage accounts are unique in all of Azure, and somebody else has this one. Choose another."
        }
        (409, "StorageAccountAlreadyExists" | "ResourceGroupAlreadyExists") => {
            "It is there already. Import it (terrace import), or choose another name."
        }
        (500..=599, _) => {
            "Azure failed several times in a row. Look at its status page, and run the command again later."
        }
        _ => "",
    };
    (
        format!(
            "Azure refused the request with status {status}. {said}\n\nThe request was {request}."
        ),
        hint.into(),
    )
}

/// A denied action: which permission is missing, where, and for whom.
fn denied(said: &str, message: &str) -> (String, String) {
    let action = quoted_after(message, "perform action '");
    let scope = quoted_after(message, "over scope '");
    let object = quoted_after(message, "with object id '");
    let (Some(action), Some(scope)) = (action, scope) else {
        return (
            format!("The signed-in principal may not do it. {said}"),
            "Assign it a role that allows this action.".into(),
        );
    };
    let whom = object.unwrap_or("OBJECT-ID");
    (
        format!("The permission {action} is missing over {scope}. {said}"),
        format!(
            "Assign the principal a role that has it, and wait some minutes until Azure knows: az role assignment create --assignee-object-id {whom} \
             --role ROLE --scope {scope} (the roles with this permission: az role definition list --query \"[?contains(permissions[0].actions, '{action}')].roleName\")."
        ),
    )
}

fn quoted_after<'m>(message: &'m str, mark: &str) -> Option<&'m str> {
    let (_, rest) = message.split_once(mark)?;
    rest.split_once('\'').map(|(found, _)| found)
}

/// Code and message of an error, the innermost detail included.
fn error_in(document: &Json) -> (Option<String>, Option<String>) {
    let error = document.get("error").unwrap_or(document);
    let text = |error: &Json, name: &str| {
        let found = error.get(name).and_then(Json::as_str)?;
        Some(found.trim().to_owned()).filter(|found| !found.is_empty())
    };
    let mut message = text(error, "message");
    let details = error.get("details").and_then(Json::as_array);
    for detail in details.into_iter().flatten() {
        if let (Some(whole), Some(more)) = (&mut message, text(detail, "message"))
            && !whole.contains(&more)
        {
            whole.push_str("; ");
            whole.push_str(&more);
        }
    }
    (text(error, "code"), message)
}

/// A duration as people write it.
fn shown(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, 0) => format!("{} ms", duration.as_millis()),
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}
