//! The arguments that say who signs in.

use terrace_backend_remote::{Argument, Kind};

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

/// The arguments that say who signs in, and how AWS is reached: the reference's of its backend `s3`, but for endpoints.
pub const fn arguments() -> &'static [Argument] {
    ACCESS
}
