//! Errors of the database.

use std::error::Error as _;

use terrace_backend_remote::Failure;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// Codes of what may pass: too many connections, a server that starts or stops, transactions in each other's way.
const PASSING: [SqlState; 9] = [
    SqlState::TOO_MANY_CONNECTIONS,
    SqlState::CANNOT_CONNECT_NOW,
    SqlState::ADMIN_SHUTDOWN,
    SqlState::CRASH_SHUTDOWN,
    SqlState::T_R_SERIALIZATION_FAILURE,
    SqlState::T_R_DEADLOCK_DETECTED,
    SqlState::CONNECTION_FAILURE,
    SqlState::CONNECTION_EXCEPTION,
    SqlState::OUT_OF_MEMORY,
];

/// An error while doing something.
pub(crate) fn failure(what: &str, error: &Error) -> Failure {
    let told = causes(error);
    match error.code() {
        Some(code) if PASSING.contains(code) => Failure::transient(what, told),
        Some(_) => Failure::lasting(what, told),
        None if is_about_certificates(error) => Failure::lasting(what, told),
        None => Failure::transient(what, told),
    }
}

/// Whether one side does not trust the other, or the server speaks no TLS: asking again does not help.
fn is_about_certificates(error: &Error) -> bool {
    let mut next = error.source();
    while let Some(cause) = next {
        let inner = cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        let told = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if let Some(rustls::Error::InvalidCertificate(_) | rustls::Error::AlertReceived(_)) = told {
            return true;
        }
        if cause.to_string() == "server does not support TLS" {
            return true;
        }
        next = cause.source();
    }
    false
}

fn causes(error: &Error) -> String {
    if let Some(error) = error.as_db_error() {
        let detail = error.detail().map(|detail| format!(" ({detail})"));
        return format!("{}{}", error.message(), detail.unwrap_or_default());
    }
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
