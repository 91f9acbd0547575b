//! What AWS refuses, said so that people know what to do.

use std::fmt;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use terrace_provider_sdk::{Diagnostic, Outcome};

/// An object in words: `SQS Queue (orders)`.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    what: &'static str,
    name: String,
}

impl Subject {
    pub(crate) fn new(what: &'static str, name: impl Into<String>) -> Self {
        Self {
            what,
            name: name.into(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.name)
    }
}

/// Answers of AWS as outcomes of handlers.
pub(crate) trait Answered<T>: Sized {
    /// The answer; a refusal says what was being done (`creating`) to which object, and which permission it takes.
    fn when(self, doing: &str, subject: &Subject, permission: &str) -> Outcome<T>;

    /// The answer; nothing where a refusal has one of these codes, which mean that the object is not there.
    fn unless_gone(
        self,
        gone: &[&str],
        doing: &str,
        subject: &Subject,
        permission: &str,
    ) -> Outcome<Option<T>>;
}

impl<T, E, R> Answered<T> for Result<T, SdkError<E, R>>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    fn when(self, doing: &str, subject: &Subject, permission: &str) -> Outcome<T> {
        self.map_err(|error| refusal(&error, doing, subject, permission).into())
    }

    fn unless_gone(
        self,
        gone: &[&str],
        doing: &str,
        subject: &Subject,
        permission: &str,
    ) -> Outcome<Option<T>> {
        match self {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if is_one_of(&error, gone) => Ok(None),
            Err(error) => Err(refusal(&error, doing, subject, permission).into()),
        }
    }
}

/// Whether AWS refused with one of these codes. An answer without a body has its status as code, such as `404`.
pub(crate) fn is_one_of<E: ProvideErrorMetadata, R>(
    error: &SdkError<E, R>,
    codes: &[&str],
) -> bool {
    error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
        .is_some_and(|code| codes.contains(&code))
}

/// Why a call failed.
enum Cause {
    Denied,
    Expired,
    Throttled,
    NoCredentials,
    Unreachable,
    Other,
}

fn cause<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>, text: &str) -> Cause {
    let code = error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
        .unwrap_or_default();
    match code {
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "AuthorizationError"
        | "Forbidden" => Cause::Denied,
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => {
            Cause::Expired
        }
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "SlowDown"
        | "ProvisionedThroughputExceededException"
        | "RequestThrottled"
        | "LimitExceededException" => Cause::Throttled,
        _ => match error {
            SdkError::DispatchFailure(_) if text.contains("redentials") => Cause::NoCredentials,
            SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => Cause::Unreachable,
            _ => Cause::Other,
        },
    }
}

/// A refusal as people read it.
fn refusal<E, R>(
    error: &SdkError<E, R>,
    doing: &str,
    subject: &Subject,
    permission: &str,
) -> Diagnostic
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    let told = match error.as_service_error() {
        Some(service) => {
            let code = service.code().unwrap_or("an error without a code");
            match service.message() {
                Some(message) if !message.is_empty() => format!("{code}: {message}"),
                _ => code.to_owned(),
            }
        }
        None => DisplayErrorContext(error).to_string(),
    };
    let summary = |why: &str| format!("{why} while {doing} {}", subject.what);
    let (summary, advice) = match cause(error, &told) {
        Cause::Denied => {
            let missing = denied_action(&told).unwrap_or_else(|| permission.to_owned());
            let on = denied_resource(&told)
                .map(|resource| format!(" on {resource}"))
                .unwrap_or_default();
            (
                summary("Permission denied"),
                format!(
                    "\n\nThe credentials lack the permission {missing}{on}. Allow it in a policy of the role or user that this run signs in as, and look for a deny in permission boundaries and service control policies."
                ),
            )
        }
        Cause::Expired => (
            summary("Credentials expired"),
            "\n\nThe session that this run signed in with is over. Sign in again (for a profile of AWS SSO: aws sso login) and run the command again: what was finished before is in the state.".to_owned(),
        ),
        Cause::Throttled => (
            summary("Too many requests"),
            "\n\nAWS throttled the call, also after the retries that the provider's max_retries allows. Wait a little, lower -parallelism, or raise max_retries.".to_owned(),
        ),
        Cause::NoCredentials => (
            summary("No valid credentials"),
            "\n\nSet AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the provider's own arguments.".to_owned(),
        ),
        Cause::Unreachable => (
            summary("AWS cannot be reached"),
            "\n\nLook at the network, the proxy settings and the provider's region and endpoints.".to_owned(),
        ),
        Cause::Other => (format!("{doing} {} failed", subject.what), String::new()),
    };
    Diagnostic::error(capital(&summary), format!("{subject}: {told}{advice}"))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// The action that a refusal names: `not authorized to perform: s3:GetObject on resource: …`.
fn denied_action(told: &str) -> Option<String> {
    let (_, rest) = told.split_once("to perform: ")?;
    rest.split_whitespace().next().map(str::to_owned)
}

fn denied_resource(told: &str) -> Option<String> {
    let (_, rest) = told.split_once("on resource: ")?;
    let resource = rest.split_whitespace().next()?;
    Some(resource.trim_matches('"').to_owned())
}

/// An object that was made a moment ago and cannot be found.
pub(crate) fn vanished(subject: &Subject) -> Diagnostic {
    Diagnostic::error(
        "Object not found after it was made",
        format!(
            "{subject} was made, and AWS does not know it. It may have been deleted by someone else meanwhile, or AWS needs longer than usual to tell of it. It stays in the state: run plan again, and see whether it is there."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_action_and_what_it_was_for() {
        let told = "AccessDenied: User: arn:aws:iam::1:user/x is not authorized to perform: sqs:createqueue on resource: arn:aws:sqs:eu-west-1:1:q because no identity-based policy allows the sqs:createqueue action";
        assert_eq!(denied_action(told).as_deref(), Some("sqs:createqueue"));
        assert_eq!(
            denied_resource(told).as_deref(),
            Some("arn:aws:sqs:eu-west-1:1:q")
        );
        assert_eq!(denied_action("AccessDenied: Access Denied"), None);
    }
}
