//! What the services' errors mean.

use std::error::Error;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use terrace_backend_remote::Failure;

/// Codes of errors that pass.
const PASSING: &[&str] = &[
    "BandwidthLimitExceeded",
    "ConditionalRequestConflict",
    "InternalError",
    "InternalServerError",
    "LimitExceededException",
    "OperationAborted",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
    "XMinioServerNotInitialized",
];

/// The code of an error that the service answered with.
pub(crate) fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> &str {
    let service = error.as_service_error();
    service
        .and_then(ProvideErrorMetadata::code)
        .unwrap_or_default()
}

/// The status of the answer; 0 where there was none.
pub(crate) fn status<E>(error: &SdkError<E, HttpResponse>) -> u16 {
    error.raw_response().map_or(0, |raw| raw.status().as_u16())
}

/// Why a request failed. `what` says what was being done, and where; `permission` what AWS must allow for it.
pub(crate) fn failure<E>(
    what: String,
    permission: &str,
    error: &SdkError<E, HttpResponse>,
) -> Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let said = told(error);
    if is_about_credentials(error) {
        return Failure::lasting(
            format!("{what}: there are no credentials any more; sign in again"),
            said,
        );
    }
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            Failure::transient(what, said)
        }
        SdkError::ServiceError(_) => {
            let (code, status) = (code(error), status(error));
            if status >= 500 || status == 429 || PASSING.contains(&code) {
                return Failure::Transient {
                    what,
                    after: retry_after(error),
                    source: said.into(),
                };
            }
            Failure::lasting(format!("{what}{}", advice(code, status, permission)), said)
        }
        _ => Failure::lasting(what, said),
    }
}

/// What a user can do.
fn advice(code: &str, status: u16, permission: &str) -> String {
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" | "RequestExpired" => {
            ": the credentials have expired; sign in again and repeat the command".into()
        }
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "UnrecognizedClientException" | "InvalidClientTokenId" => {
            ": the access key is unknown or its secret is wrong; check the credentials".into()
        }
        "RequestTimeTooSkewed" => ": the clock of this machine is wrong; set it".into(),
        "NoSuchBucket" => {
            ": S3 bucket does not exist.\n\nThe referenced S3 bucket must have been previously created. If the S3 bucket \
             was created within the last minute, please wait for a minute or two and try again."
                .into()
        }
        "ResourceNotFoundException" => {
            ": the DynamoDB table does not exist; create it with the partition key LockID of type String, or use use_lockfile instead".into()
        }
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
            ": the bucket is in another region than \"region\" says".into()
        }
        _ if status == 301 => ": the bucket is in another region than \"region\" says".into(),
        _ if status == 403 => format!(": AWS does not allow it; the credentials need {permission}"),
        _ => String::new(),
    }
}

/// The service's own words.
fn told<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let SdkError::ServiceError(service) = error else {
        return terrace_backend_remote::chain(error);
    };
    let mut text = service
        .err()
        .code()
        .unwrap_or("error without a code")
        .to_owned();
    if let Some(message) = service
        .err()
        .message()
        .filter(|message| !message.is_empty())
    {
        text = format!("{text}: {message}");
    }
    let id = service
        .raw()
        .headers()
        .get("x-amz-request-id")
        .or_else(|| service.raw().headers().get("x-amzn-requestid"));
    match id {
        Some(id) => format!("{text} (status {}, request {id})", status(error)),
        None => format!("{text} (status {})", status(error)),
    }
}

fn retry_after<E>(error: &SdkError<E, HttpResponse>) -> Option<Duration> {
    let text = error.raw_response()?.headers().get("retry-after")?;
    text.parse().ok().map(Duration::from_secs)
}

fn is_about_credentials(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<CredentialsError>() {
            return true;
        }
        next = error.source();
    }
    false
}
