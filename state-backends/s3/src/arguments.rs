//! What the backend takes.

use std::sync::LazyLock;

use terrace_aws_access as aws;
use terrace_backend_remote::{Argument, Kind};

const ENDPOINTS: &[Argument] = &[
    Argument::text(
        "dynamodb",
        "URL of the DynamoDB API, also from AWS_ENDPOINT_URL_DYNAMODB.",
    ),
    Argument::text("iam", "URL of the IAM API, which Terrace makes no use of."),
    Argument::text("s3", "URL of the S3 API, also from AWS_ENDPOINT_URL_S3."),
    Argument::text(
        "sso",
        "URL of the IAM Identity Center API, which Terrace takes from AWS_ENDPOINT_URL_SSO alone.",
    ),
    Argument::text("sts", "URL of the STS API, also from AWS_ENDPOINT_URL_STS."),
];

const STORAGE: &[Argument] = &[
    Argument::text("bucket", "The bucket's name.").required(),
    Argument::text("key", "The key of the state in the bucket.").required(),
    Argument::text("acl", "The canned ACL of what is written."),
    Argument::text("dynamodb_endpoint", "URL of the DynamoDB API.")
        .deprecated("endpoints.dynamodb"),
    Argument::text("dynamodb_table", "The table that holds locks and digests.")
        .deprecated("use_lockfile"),
    Argument::flag("encrypt", "Whether S3 encrypts what is written."),
    Argument::text("endpoint", "URL of the S3 API.").deprecated("endpoints.s3"),
    Argument::new("endpoints", Kind::Object(ENDPOINTS), "URLs of APIs."),
    Argument::flag(
        "force_path_style",
        "Whether the bucket stands in the path and not in the host's name.",
    )
    .deprecated("use_path_style"),
    Argument::text("iam_endpoint", "URL of the IAM API.").deprecated("endpoints.iam"),
    Argument::text("kms_key_id", "The KMS key that S3 encrypts with."),
    Argument::text("shared_credentials_file", "The shared credentials file.")
        .deprecated("shared_credentials_files"),
    Argument::flag(
        "skip_region_validation",
        "Whether the region may be one that is not known.",
    ),
    Argument::flag(
        "skip_s3_checksum",
        "Whether checksums are left out, for servers that do not take them.",
    ),
    Argument::text(
        "sse_customer_key",
        "The key that S3 encrypts with and forgets, 256 bits in base64.",
    )
    .from_environment(&["AWS_SSE_CUSTOMER_KEY"])
    .sensitive(),
    Argument::text("sts_endpoint", "URL of the STS API.").deprecated("endpoints.sts"),
    Argument::flag(
        "use_lockfile",
        "Whether the lock is an object beside the state.",
    ),
    Argument::flag(
        "use_path_style",
        "Whether the bucket stands in the path and not in the host's name.",
    ),
    Argument::text(
        "workspace_key_prefix",
        "What the keys of workspaces begin with; env: unless given.",
    ),
];

/// Where the services are that a key provider uses.
const KEY_ENDPOINTS: &[Argument] = &[
    Argument::text("iam", "URL of the IAM API, which Terrace makes no use of."),
    Argument::text("kms", "URL of the KMS API, also from AWS_ENDPOINT_URL_KMS."),
    Argument::text(
        "sso",
        "URL of the IAM Identity Center API, which Terrace takes from AWS_ENDPOINT_URL_SSO alone.",
    ),
    Argument::text("sts", "URL of the STS API, also from AWS_ENDPOINT_URL_STS."),
];

const KEYS: &[Argument] = &[
    Argument::text("kms_key_id", "The KMS key: its id, its ARN or an alias.").required(),
    Argument::text("key_spec", "What data keys are: AES_256 or AES_128.").required(),
    Argument::new(
        "encryption_context",
        Kind::TextMap,
        "What KMS binds data keys to.",
    ),
    Argument::new("endpoints", Kind::Object(KEY_ENDPOINTS), "URLs of APIs."),
];

/// The arguments of the backend, which are the reference's.
pub fn arguments() -> &'static [Argument] {
    static ARGUMENTS: LazyLock<Vec<Argument>> =
        LazyLock::new(|| [STORAGE, aws::arguments()].concat());
    &ARGUMENTS
}

/// The arguments of [`DataKeys`](crate::DataKeys).
pub fn key_arguments() -> &'static [Argument] {
    static ARGUMENTS: LazyLock<Vec<Argument>> = LazyLock::new(|| [KEYS, aws::arguments()].concat());
    &ARGUMENTS
}
