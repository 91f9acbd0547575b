//! The arguments that say who signs in.

use terrace_backend_remote::{Argument, Kind};

const ARGUMENTS: &[Argument] = &[
    Argument::text("access_token", "A token, instead of credentials.")
        .from_environment(&["GOOGLE_OAUTH_ACCESS_TOKEN"])
        .sensitive(),
    Argument::text(
        "credentials",
        "Credentials in JSON, or the file that holds them.",
    )
    .from_environment(&["GOOGLE_BACKEND_CREDENTIALS", "GOOGLE_CREDENTIALS"])
    .sensitive(),
    Argument::text(
        "impersonate_service_account",
        "The service account to act as.",
    )
    .from_environment(&[
        "GOOGLE_BACKEND_IMPERSONATE_SERVICE_ACCOUNT",
        "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT",
    ]),
    Argument::new(
        "impersonate_service_account_delegates",
        Kind::Texts,
        "The service accounts in between.",
    ),
];

/// The arguments that say who signs in. They are the reference's of its backend `gcs`.
pub const fn arguments() -> &'static [Argument] {
    ARGUMENTS
}
