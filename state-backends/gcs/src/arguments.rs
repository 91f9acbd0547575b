//! What the backend takes.

use terrace_backend_remote::{Argument, Kind};

const ARGUMENTS: &[Argument] = &[
    Argument::text("bucket", "The bucket's name.").required(),
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
        "encryption_key",
        "The key that objects are encrypted with, 256 bits in base64, or the file that holds it.",
    )
    .from_environment(&["GOOGLE_ENCRYPTION_KEY"])
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
    Argument::text(
        "kms_encryption_key",
        "The key of Cloud KMS that objects are encrypted with.",
    )
    .from_environment(&["GOOGLE_KMS_ENCRYPTION_KEY"]),
    Argument::text("prefix", "The directory of the states in the bucket."),
    Argument::text(
        "storage_custom_endpoint",
        "URL of the storage API, up to and with /storage/v1/b.",
    )
    .from_environment(&[
        "GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT",
        "GOOGLE_STORAGE_CUSTOM_ENDPOINT",
    ]),
];

/// The arguments of the backend, which are the reference's.
pub fn arguments() -> &'static [Argument] {
    ARGUMENTS
}
