//! What the backend takes.

use std::sync::LazyLock;

use terrace_backend_remote::Argument;
use terrace_bearer::google;

const STORAGE: &[Argument] = &[
    Argument::text("bucket", "The bucket's name.").required(),
    Argument::text(
        "encryption_key",
        "The key that objects are encrypted with, 256 bits in base64, or the file that holds it.",
    )
    .from_environment(&["GOOGLE_ENCRYPTION_KEY"])
    .sensitive(),
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
    static ARGUMENTS: LazyLock<Vec<Argument>> =
        LazyLock::new(|| [STORAGE, google::arguments()].concat());
    &ARGUMENTS
}
