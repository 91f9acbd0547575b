//! What AWS refuses, said so that people know what to do.

mod cause;

use std::error::Error;
use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use terrace_aws_access::{Place, Refused, Unreached};
use terrace_provider_sdk::{Diagnostic, Diagnostics, Outcome};

use cause::Cause;

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

impl<T, E> Answered<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
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

/// A refusal as people read it: what was being done, what AWS says, why that is, and what helps.
fn refusal<E>(
    error: &SdkError<E, HttpResponse>,
    doing: &str,
    subject: &Subject,
    permission: &str,
) -> Diagnostic
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if let Some(Refused(problem)) = behind(error).find_map(<dyn Error>::downcast_ref) {
        let detail = format!("{doing} {subject} takes credentials. {}", problem.detail);
        return Diagnostic::error(problem.summary.clone(), capital(&detail));
    }
    if let Some(unreached) = Unreached::behind(error) {
        let summary = format!("AWS cannot be reached while {doing} {}", subject.what);
        let detail = format!("{subject}: {unreached}\n\n{}", unreached.advice());
        return Diagnostic::error(summary, detail);
    }
    let (told, cause) = match error.as_service_error() {
        Some(service) => {
            let code = service.code().unwrap_or_default();
            (said(service), Cause::of_code(code))
        }
        None => (
            unanswered(error),
            match error {
                SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => Cause::Unreachable,
                _ => Cause::Other,
            },
        ),
    };
    let summary = match cause.why() {
        Some(why) => format!("{why} while {doing} {}", subject.what),
        None => format!("{doing} {} failed", subject.what),
    };
    let place = region(error)
        .filter(|region| !told.contains(region) && !subject.name.contains(region))
        .map(|region| format!(" in {region}"))
        .unwrap_or_default();
    let detail = match cause.advice(&told, permission) {
        Some(advice) => format!("{subject}{place}: {told}\n\n{advice}"),
        None => format!("{subject}{place}: {told}"),
    };
    Diagnostic::error(capital(&summary), detail)
}

/// The region that refused; none where nothing was answered, or where the service is the same in all regions.
fn region<E>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.raw_response()?.extension::<Place>()?.region()
}

/// An answer of AWS in words, with the id by which AWS finds the request again.
fn said(answer: &impl ProvideErrorMetadata) -> String {
    let code = answer.code().unwrap_or("an error without a code");
    let message = answer.message().unwrap_or_default();
    let request = answer.meta().extra("aws_request_id").unwrap_or_default();
    let told = match message {
        "" => code.to_owned(),
        message => format!("{code}: {message}"),
    };
    match request {
        "" => told,
        request => format!("{told} (request {request})"),
    }
}

/// Why there is no answer: what the errors behind an error say, each once.
fn unanswered(error: &(dyn Error + 'static)) -> String {
    let mut told: Vec<String> = Vec::new();
    for error in behind(error).skip(1) {
        let text = error.to_string();
        if !told.iter().any(|before| before.contains(&text)) {
            told.push(text);
        }
    }
    if told.is_empty() {
        error.to_string()
    } else {
        told.join(": ")
    }
}

/// An error and those that caused it.
fn behind<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
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

/// What failed after an object was made, and what becomes of the object.
pub(crate) fn by_half(failure: Diagnostics, subject: &Subject) -> Diagnostics {
    let told = failure.into_iter().map(|mut diagnostic| {
        if diagnostic.error {
            diagnostic.detail = format!(
                "{}\n\n{subject} itself was made. It stays in the state as tainted, so that the next apply makes it anew; terrace untaint keeps it as it is.",
                diagnostic.detail
            );
        }
        diagnostic
    });
    told.collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests;
