//! What the backend takes.

use std::sync::LazyLock;

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

const ASSUME_ROLE: &[Argument] = &[
    Argument::text("role_arn", "The role to assume.").required(),
    Argument::text(
        "duration",
        "How long the credentials are good for, such as 1h30m; 15m to 12h.",
    ),
    Argument::text("external_id", "The external id that the role asks for."),
    Argument::text(
        "policy",
        "A policy in JSON that restricts the session further.",
    ),
    Argument::new(
        "policy_arns",
        Kind::TextSet,
        "Policies that restrict the session further.",
    ),
    Argument::text("session_name", "The session's name."),
    Argument::text("source_identity", "The source identity of the session."),
    Argument::new("tags", Kind::TextMap, "Tags of the session."),
    Argument::new(
        "transitive_tag_keys",
        Kind::TextSet,
        "Keys of the tags that go on to further sessions.",
    ),
];

const WEB_IDENTITY: &[Argument] = &[
    Argument::text("role_arn", "The role to assume.")
        .from_environment(&["AWS_ROLE_ARN"])
        .required(),
    Argument::text(
        "duration",
        "How long the credentials are good for, such as 1h30m; 15m to 12h.",
    ),
    Argument::text(
        "policy",
        "A policy in JSON that restricts the session further.",
    ),
    Argument::new(
        "policy_arns",
        Kind::TextSet,
        "Policies that restrict the session further.",
    ),
    Argument::text("session_name", "The session's name.")
        .from_environment(&["AWS_ROLE_SESSION_NAME"]),
    Argument::text("web_identity_token", "The token.").sensitive(),
    Argument::text(
        "web_identity_token_file",
        "A file that holds the token, also from AWS_WEB_IDENTITY_TOKEN_FILE.",
    ),
];

const ACCESS: &[Argument] = &[
    Argument::text(
        "region",
        "The bucket's region, also from AWS_REGION and AWS_DEFAULT_REGION.",
    ),
    Argument::text("access_key", "The id of the access key."),
    Argument::new(
        "allowed_account_ids",
        Kind::TextSet,
        "The accounts that may be worked with.",
    ),
    Argument::new(
        "assume_role",
        Kind::Object(ASSUME_ROLE),
        "A role to assume.",
    ),
    Argument::new(
        "assume_role_with_web_identity",
        Kind::Object(WEB_IDENTITY),
        "A role to assume by a token of an identity provider.",
    ),
    Argument::text(
        "custom_ca_bundle",
        "A file with the certificates to trust, in PEM.",
    )
    .from_environment(&["AWS_CA_BUNDLE"]),
    Argument::text(
        "ec2_metadata_service_endpoint",
        "URL of the EC2 metadata service.",
    )
    .from_environment(&["AWS_EC2_METADATA_SERVICE_ENDPOINT"]),
    Argument::text(
        "ec2_metadata_service_endpoint_mode",
        "How to reach the EC2 metadata service: IPv4 or IPv6.",
    )
    .from_environment(&["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"]),
    Argument::new(
        "forbidden_account_ids",
        Kind::TextSet,
        "The accounts that must not be worked with.",
    ),
    Argument::text("http_proxy", "The proxy for HTTP, also from HTTP_PROXY."),
    Argument::text("https_proxy", "The proxy for HTTPS, also from HTTPS_PROXY."),
    Argument::flag("insecure", "Whether certificates are not looked at."),
    Argument::number(
        "max_retries",
        "How often a request is made again while signing in. Requests of states have their own rule.",
    ),
    Argument::text(
        "no_proxy",
        "Hosts that are reached without a proxy, separated by commas, also from NO_PROXY.",
    ),
    Argument::text(
        "profile",
        "The profile in the shared files, also from AWS_PROFILE.",
    ),
    Argument::text("retry_mode", "How retries are paced: standard or adaptive.")
        .from_environment(&["AWS_RETRY_MODE"]),
    Argument::text("secret_key", "The secret of the access key.").sensitive(),
    Argument::new(
        "shared_config_files",
        Kind::TextSet,
        "The shared configuration files, also from AWS_CONFIG_FILE.",
    ),
    Argument::new(
        "shared_credentials_files",
        Kind::TextSet,
        "The shared credentials files, also from AWS_SHARED_CREDENTIALS_FILE.",
    ),
    Argument::flag(
        "skip_credentials_validation",
        "Whether the credentials are not tried out.",
    ),
    Argument::flag(
        "skip_metadata_api_check",
        "Whether the EC2 metadata service is not asked for credentials.",
    ),
    Argument::flag(
        "skip_requesting_account_id",
        "Whether the account is not asked for.",
    ),
    Argument::text("sts_region", "The region of STS."),
    Argument::text("token", "The session token of the access key.").sensitive(),
    Argument::flag(
        "use_dualstack_endpoint",
        "Whether hosts with IPv4 and IPv6 are used.",
    )
    .from_environment(&["AWS_USE_DUALSTACK_ENDPOINT"]),
    Argument::flag("use_fips_endpoint", "Whether hosts after FIPS are used.")
        .from_environment(&["AWS_USE_FIPS_ENDPOINT"]),
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
    static ARGUMENTS: LazyLock<Vec<Argument>> = LazyLock::new(|| [STORAGE, ACCESS].concat());
    &ARGUMENTS
}

/// The arguments of [`DataKeys`](crate::DataKeys).
pub fn key_arguments() -> &'static [Argument] {
    static ARGUMENTS: LazyLock<Vec<Argument>> = LazyLock::new(|| [KEYS, ACCESS].concat());
    &ARGUMENTS
}
