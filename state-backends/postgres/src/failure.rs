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
        None => Failure::transient(what, told),
    }
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
