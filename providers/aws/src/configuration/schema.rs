//! The schema of the provider's configuration, which is the well-known provider's.

use terrace_aws_access::Problem;
use terrace_aws_access::checks;
use terrace_provider_sdk::validate::{self, Validator};
use terrace_provider_sdk::{Attribute, Block, Diagnostic, Schema, Type};

use super::endpoints;

/// What the provider's block takes.
pub(crate) fn provider_schema() -> Schema {
    let mut schema = Schema::new().plain();
    for (name, attribute) in credentials()
        .into_iter()
        .chain(network())
        .chain(skipped())
        .chain(behaviour())
    {
        schema = schema.attribute(name, attribute.optional());
    }
    schema
        .block("assume_role", Block::list(assume_role()))
        .block(
            "assume_role_with_web_identity",
            Block::list(web_identity()).validate(validate::size(0..=1)),
        )
        .block(
            "default_tags",
            Block::list(default_tags()).validate(validate::size(0..=1)),
        )
        .block("endpoints", Block::set(endpoints_block()))
        .block(
            "ignore_tags",
            Block::list(ignore_tags()).validate(validate::size(0..=1)),
        )
}

type Named = (&'static str, Attribute);

fn text(description: &str) -> Attribute {
    Attribute::string().describe_plain(description)
}

fn flag(description: &str) -> Attribute {
    Attribute::bool().describe_plain(description)
}

fn texts(description: &str) -> Attribute {
    Attribute::list(Type::String).describe_plain(description)
}

fn text_set(description: &str) -> Attribute {
    Attribute::set(Type::String).describe_plain(description)
}

/// A check that backends make as well.
fn held(check: impl Fn(&str, &str, &mut Vec<Problem>) + Send + Sync + 'static) -> Validator {
    validate::custom(move |checked, diagnostics| {
        // An empty text means what leaving it out means.
        let Some(text) = checked.value.as_str().filter(|text| !text.is_empty()) else {
            return;
        };
        let mut problems = Vec::new();
        check(&checked.name(), text, &mut problems);
        for problem in problems {
            let detail = format!("Attribute {}: {}", checked.name(), problem.detail);
            diagnostics.push(Diagnostic::error(problem.summary, detail).at(checked.path.clone()));
        }
    })
}

fn words(words: &'static [&'static str]) -> Validator {
    held(move |name, text, problems| checks::one_of(name, text, words, problems))
}

fn credentials() -> Vec<Named> {
    vec![
        (
            "access_key",
            text("The id of the access key to sign in with. Also from AWS_ACCESS_KEY_ID."),
        ),
        (
            "secret_key",
            text("The secret of the access key. Also from AWS_SECRET_ACCESS_KEY."),
        ),
        (
            "token",
            text("The session token, which temporary keys have. Also from AWS_SESSION_TOKEN."),
        ),
        (
            "profile",
            text(
                "The profile in the shared files; the default one unless it is set. Also from AWS_PROFILE.",
            ),
        ),
        (
            "shared_config_files",
            texts("The shared configuration files, ~/.aws/config unless they are set."),
        ),
        (
            "shared_credentials_files",
            texts("The shared credentials files, ~/.aws/credentials unless they are set."),
        ),
        (
            "allowed_account_ids",
            Attribute::set(Type::String)
                .validate(validate::conflicts_with(["forbidden_account_ids"])),
        ),
        (
            "forbidden_account_ids",
            Attribute::set(Type::String)
                .validate(validate::conflicts_with(["allowed_account_ids"])),
        ),
        (
            "region",
            text(
                "The region to work in, such as eu-central-1. Also from AWS_REGION, AWS_DEFAULT_REGION or the profile.",
            ),
        ),
        ("sts_region", text("The region whose STS is asked.")),
    ]
}

fn network() -> Vec<Named> {
    vec![
        (
            "custom_ca_bundle",
            text("A file with the certificates to trust, in PEM. Also from AWS_CA_BUNDLE."),
        ),
        (
            "ec2_metadata_service_endpoint",
            text("URL of the EC2 metadata service. Also from AWS_EC2_METADATA_SERVICE_ENDPOINT.")
                .validate(held(checks::whole_url)),
        ),
        (
            "ec2_metadata_service_endpoint_mode",
            text("How the EC2 metadata service is reached: IPv4 or IPv6. Also from AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE.")
                .validate(words(&["IPv4", "IPv6"])),
        ),
        (
            "http_proxy",
            text("The proxy for HTTP, and for HTTPS where that has none. Also from HTTP_PROXY."),
        ),
        ("https_proxy", text("The proxy for HTTPS. Also from HTTPS_PROXY.")),
        (
            "no_proxy",
            text("Hosts that are reached without a proxy, separated by commas. Also from NO_PROXY."),
        ),
        ("insecure", flag("Whether certificates are not looked at.")),
        (
            "max_retries",
            Attribute::number()
                .describe_plain("How often a request is made at most; 25 unless it is set.")
                .validate(validate::at_least(0)),
        ),
        (
            "retry_mode",
            text("How retries are paced: standard or adaptive. Also from AWS_RETRY_MODE.")
                .validate(words(&["standard", "adaptive"])),
        ),
        (
            "token_bucket_rate_limiter_capacity",
            Attribute::number()
                .describe_plain("How many tokens there are for retries, of which each takes some; no limit unless it is set.")
                .validate(validate::at_least(0)),
        ),
        (
            "use_dualstack_endpoint",
            flag("Whether hosts with IPv4 and IPv6 are used."),
        ),
        ("use_fips_endpoint", flag("Whether hosts after FIPS are used.")),
        (
            "user_agent",
            texts("Products that requests name as their sender, each NAME or NAME/VERSION."),
        ),
    ]
}

fn skipped() -> Vec<Named> {
    vec![
        (
            "skip_credentials_validation",
            flag("Whether credentials are not tried out with STS, for services that have none."),
        ),
        (
            "skip_metadata_api_check",
            text("Whether the EC2 metadata service is not asked for credentials: true or false.")
                .validate(held(|_, text, problems| {
                    if super::bool_of(text).is_none() {
                        problems.push(Problem::new(
                            "Invalid Value",
                            format!("{text:?} is no bool; write \"true\" or \"false\"."),
                        ));
                    }
                })),
        ),
        (
            "skip_region_validation",
            flag("Whether the region may be one that is not known."),
        ),
        (
            "skip_requesting_account_id",
            flag(
                "Whether the account's id is not asked for. ARNs that are put together are without it.",
            ),
        ),
    ]
}

fn behaviour() -> Vec<Named> {
    vec![
        (
            "s3_us_east_1_regional_endpoint",
            text("Which endpoint of S3 is used in us-east-1: legacy or regional. Also from AWS_S3_US_EAST_1_REGIONAL_ENDPOINT.")
                .validate(words(&["legacy", "regional"])),
        ),
        (
            "s3_use_path_style",
            flag("Whether a bucket stands in the path of URLs and not in the host's name."),
        ),
        (
            "tag_policy_compliance",
            text("What comes of tags that a tag policy asks for and that are missing: error, warning or disabled. Also from TF_AWS_TAG_POLICY_COMPLIANCE.")
                .validate(words(&["error", "warning", "disabled"])),
        ),
    ]
}

/// What a role and a role by web identity have in common.
fn role() -> Schema {
    let attributes = [
        (
            "duration",
            text("How long credentials are good for, 15m to 12h, such as 1h30m.").validate(held(
                |name, text, problems| {
                    checks::duration(name, text, problems);
                },
            )),
        ),
        (
            "policy",
            text("A policy in JSON that restricts the session further.")
                .validate(held(checks::policy)),
        ),
        (
            "policy_arns",
            text_set("Policies that restrict the session further.")
                .validate(validate::each(held(checks::arn))),
        ),
        (
            "role_arn",
            text("The role to assume.").validate(held(checks::arn)),
        ),
        (
            "session_name",
            text("The session's name.").validate(held(checks::name)),
        ),
    ];
    let schema = Schema::new().plain();
    attributes
        .into_iter()
        .fold(schema, |schema, (name, attribute)| {
            schema.attribute(name, attribute.optional())
        })
}

fn assume_role() -> Schema {
    role()
        .attribute(
            "external_id",
            text("The external id that the role asks for.")
                .optional()
                .validate(held(checks::external_id)),
        )
        .attribute(
            "source_identity",
            text("The source identity of the session.")
                .optional()
                .validate(held(checks::name)),
        )
        .attribute(
            "tags",
            Attribute::map(Type::String)
                .describe_plain("Tags of the session.")
                .optional(),
        )
        .attribute(
            "transitive_tag_keys",
            text_set("Keys of the tags that go on to further sessions.").optional(),
        )
}

fn web_identity() -> Schema {
    role()
        .attribute(
            "web_identity_token",
            Attribute::string()
                .optional()
                .validate(held(|name, text, problems| {
                    checks::length(name, text, (4, 20_000), problems);
                }))
                .validate(validate::conflicts_with(["web_identity_token_file"])),
        )
        .attribute(
            "web_identity_token_file",
            Attribute::string()
                .optional()
                .validate(validate::conflicts_with(["web_identity_token"])),
        )
}

fn default_tags() -> Schema {
    Schema::new()
        .describe("Tags that all resources get.")
        .plain()
        .attribute(
            "tags",
            Attribute::map(Type::String)
                .describe_plain("Tags that all resources get. Also from variables named TF_AWS_DEFAULT_TAGS_ and the tag's key.")
                .optional(),
        )
}

fn ignore_tags() -> Schema {
    Schema::new()
        .describe("Tags that are left alone on all resources.")
        .plain()
        .attribute(
            "keys",
            text_set("Keys of tags that are left alone. Also from TF_AWS_IGNORE_TAGS_KEYS.").optional(),
        )
        .attribute(
            "key_prefixes",
            text_set("What the keys of tags that are left alone begin with. Also from TF_AWS_IGNORE_TAGS_KEY_PREFIXES.")
                .optional(),
        )
}

fn endpoints_block() -> Schema {
    let mut schema = Schema::new().plain();
    for service in endpoints::services() {
        let others = endpoints::other_names(service).iter().copied();
        for name in std::iter::once(service).chain(others) {
            let url = text("URL of the service, where it is not the usual one.")
                .validate(held(checks::whole_url));
            schema = schema.attribute(name, url.optional());
        }
    }
    schema
}
