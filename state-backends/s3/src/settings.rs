//! What was asked for, checked.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use terrace_backend_remote::{Arguments, Problem, Reader, Surroundings};

use crate::checks;

/// Where the APIs are, where they are not where they usually are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoints {
    pub(crate) s3: Option<String>,
    pub(crate) dynamodb: Option<String>,
}

/// A role to assume.
#[derive(Clone, Debug, Default)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) duration: Option<Duration>,
    pub(crate) external_id: Option<String>,
    pub(crate) policy: Option<String>,
    pub(crate) policy_arns: Vec<String>,
    pub(crate) session_name: Option<String>,
    pub(crate) source_identity: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) transitive_tag_keys: Vec<String>,
}

/// Where the token of a web identity comes from.
#[derive(Clone, Debug)]
pub(crate) enum WebToken {
    Text(String),
    File(PathBuf),
}

/// How what is written is encrypted by S3.
#[derive(Clone, Debug)]
pub(crate) enum Encryption {
    /// As the bucket has it.
    Bucket,
    /// By keys of S3's.
    Own,
    /// By a key of KMS.
    Kms(String),
    /// By a key that is sent along.
    Customer(Vec<u8>),
}

/// Keys that were given.
#[derive(Clone, Debug)]
pub(crate) struct StaticKeys {
    pub(crate) access: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

/// How credentials are come by.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) given: Option<StaticKeys>,
    pub(crate) environment: Option<StaticKeys>,
    pub(crate) profile: Option<String>,
    pub(crate) config_files: Vec<PathBuf>,
    pub(crate) credentials_files: Vec<PathBuf>,
    pub(crate) role: Option<Role>,
    pub(crate) web: Option<(Role, WebToken)>,
    pub(crate) metadata_endpoint: Option<String>,
    pub(crate) metadata_ipv6: bool,
    pub(crate) skip_metadata: bool,
}

/// How requests are made.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) ca_bundle: Option<PathBuf>,
    pub(crate) http_proxy: Option<String>,
    pub(crate) https_proxy: Option<String>,
    pub(crate) no_proxy: Option<String>,
    pub(crate) insecure: bool,
    pub(crate) attempts: u32,
    pub(crate) adaptive: bool,
}

/// Whose account it must be.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) allowed: Vec<String>,
    pub(crate) forbidden: Vec<String>,
    pub(crate) skip_credentials: bool,
    pub(crate) skip_id: bool,
}

/// Who one is to AWS, and how it is reached.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) region: String,
    pub(crate) sts_region: Option<String>,
    /// Where STS is, where it is not where it usually is.
    pub(crate) sts: Option<String>,
    pub(crate) fips: bool,
    pub(crate) dual_stack: bool,
    pub(crate) identity: Identity,
    pub(crate) network: Network,
    pub(crate) account: Account,
}

/// Everything.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) workspace_prefix: String,
    pub(crate) table: Option<String>,
    pub(crate) use_lockfile: bool,
    pub(crate) acl: Option<String>,
    pub(crate) encryption: Encryption,
    pub(crate) skip_checksum: bool,
    pub(crate) path_style: bool,
    pub(crate) endpoints: Endpoints,
    pub(crate) access: Access,
}

impl Settings {
    /// Reads and checks the arguments.
    pub(crate) fn new(
        arguments: &Arguments,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, Vec<Problem>> {
        Reader::read(arguments, surroundings, |reader| Some(settings(reader)))
    }
}

fn settings(reader: &mut Reader<'_>) -> Settings {
    let (bucket, key) = (reader.owned("bucket"), reader.owned("key"));
    let workspace_prefix = reader
        .arguments
        .text("workspace_key_prefix")
        .unwrap_or("env:")
        .to_owned();
    let bucket = bucket.unwrap_or_default();
    let key = key.unwrap_or_default();
    checks::filled("bucket", &bucket, &mut reader.problems);
    checks::filled("key", &key, &mut reader.problems);
    checks::path("key", &key, &mut reader.problems);
    checks::path(
        "workspace_key_prefix",
        &workspace_prefix,
        &mut reader.problems,
    );
    Settings {
        bucket,
        key,
        workspace_prefix,
        table: reader.owned("dynamodb_table"),
        use_lockfile: reader.arguments.flag("use_lockfile"),
        acl: reader.owned("acl"),
        encryption: encryption(reader),
        skip_checksum: reader.arguments.flag("skip_s3_checksum"),
        path_style: reader.arguments.flag("use_path_style")
            || reader.arguments.flag("force_path_style"),
        endpoints: endpoints(reader),
        access: Access::read(reader),
    }
}

impl Access {
    /// Reads it from the arguments that say who one is to AWS.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        exclude(reader);
        Self {
            region: region(reader),
            sts_region: reader.owned("sts_region"),
            sts: endpoint(
                reader,
                "sts",
                "sts_endpoint",
                &["AWS_ENDPOINT_URL_STS", "AWS_STS_ENDPOINT"],
            ),
            fips: reader.arguments.flag("use_fips_endpoint"),
            dual_stack: reader.arguments.flag("use_dualstack_endpoint"),
            identity: identity(reader),
            network: network(reader),
            account: Account {
                allowed: reader.arguments.texts("allowed_account_ids"),
                forbidden: reader.arguments.texts("forbidden_account_ids"),
                skip_credentials: reader.arguments.flag("skip_credentials_validation"),
                skip_id: reader.arguments.flag("skip_requesting_account_id"),
            },
        }
    }
}

/// Arguments of which only one may be given.
fn exclude(reader: &mut Reader<'_>) {
    let pairs = [
        ("shared_credentials_file", "shared_credentials_files"),
        ("force_path_style", "use_path_style"),
        ("kms_key_id", "sse_customer_key"),
        ("allowed_account_ids", "forbidden_account_ids"),
    ];
    for (one, other) in pairs {
        if reader.arguments.value(one).is_some() && reader.arguments.value(other).is_some() {
            reader.problems.push(Problem::new(
                "Invalid Attribute Combination",
                format!("Only one of {one}, {other} can be set."),
            ));
        }
    }
    let endpoints = reader.arguments.object("endpoints").unwrap_or_default();
    for name in ["s3", "dynamodb", "iam", "sts"] {
        let old = if name == "s3" {
            "endpoint".to_owned()
        } else {
            format!("{name}_endpoint")
        };
        if reader.arguments.filled(&old).is_some() && endpoints.filled(name).is_some() {
            reader.problems.push(Problem::new(
                "Conflicting Parameters",
                format!(
                    "The parameters {old:?} and \"endpoints.{name}\" cannot be configured together."
                ),
            ));
        }
    }
}

fn region(reader: &mut Reader<'_>) -> String {
    let given = reader.arguments.filled("region").map(str::to_owned);
    let Some(region) = given.or_else(|| reader.variable(&["AWS_REGION", "AWS_DEFAULT_REGION"]))
    else {
        reader.problems.push(Problem::with(
            "region",
            "Missing region value",
            "The \"region\" attribute or the \"AWS_REGION\" or \"AWS_DEFAULT_REGION\" environment variables must be set.",
        ));
        return String::new();
    };
    if !reader.arguments.flag("skip_region_validation") && !checks::is_region(&region) {
        reader.problems.push(Problem::with(
            "region",
            "Invalid region value",
            format!("Invalid AWS Region: {region}"),
        ));
    }
    region
}

fn encryption(reader: &mut Reader<'_>) -> Encryption {
    let kms = reader.arguments.filled("kms_key_id");
    if let Some(key) = kms {
        checks::kms_key("kms_key_id", key, &mut reader.problems);
    }
    let customer = reader
        .arguments
        .filled("sse_customer_key")
        .and_then(|key| checks::customer_key("sse_customer_key", key, &mut reader.problems));
    match (reader.arguments.flag("encrypt"), kms, customer) {
        (false, ..) => Encryption::Bucket,
        (true, Some(key), _) => Encryption::Kms(key.to_owned()),
        (true, None, Some(key)) => Encryption::Customer(key),
        (true, None, None) => Encryption::Own,
    }
}

fn endpoints(reader: &mut Reader<'_>) -> Endpoints {
    Endpoints {
        s3: endpoint(
            reader,
            "s3",
            "endpoint",
            &["AWS_ENDPOINT_URL_S3", "AWS_S3_ENDPOINT"],
        ),
        dynamodb: endpoint(
            reader,
            "dynamodb",
            "dynamodb_endpoint",
            &["AWS_ENDPOINT_URL_DYNAMODB", "AWS_DYNAMODB_ENDPOINT"],
        ),
    }
}

/// Where an API is, by the block `endpoints`, by the argument that said so before, or by the environment.
pub(crate) fn endpoint(
    reader: &mut Reader<'_>,
    name: &str,
    old: &str,
    variables: &[&str],
) -> Option<String> {
    let nested = reader.arguments.object("endpoints").unwrap_or_default();
    let given = nested.filled(name).or_else(|| reader.arguments.filled(old));
    let text = given
        .map(str::to_owned)
        .or_else(|| reader.variable(variables))?;
    if url::Url::parse(&text).is_err() && url::Url::parse(&format!("https://{text}")).is_err() {
        let argument = if given.is_some() && nested.filled(name).is_none() {
            old.to_owned()
        } else {
            format!("endpoints.{name}")
        };
        reader.refuse(
            argument,
            "Invalid Value",
            format!("The value {text:?} cannot be parsed as a URL"),
        );
    }
    // A host alone is reached by HTTPS.
    Some(if text.contains("://") {
        text
    } else {
        format!("https://{text}")
    })
}

fn identity(reader: &mut Reader<'_>) -> Identity {
    let given = ["access_key", "secret_key", "token"]
        .map(|name| reader.arguments.filled(name).map(str::to_owned));
    let given = match given {
        [None, None, _] => None,
        [access, secret, token] => {
            if access.is_none() || secret.is_none() {
                reader.problems.push(Problem::new(
                    "Invalid Attribute Combination",
                    "The arguments \"access_key\" and \"secret_key\" are given together or not at all.",
                ));
            }
            Some(StaticKeys {
                access: access.unwrap_or_default(),
                secret: secret.unwrap_or_default(),
                token,
            })
        }
    };
    let environment = reader
        .variable(&["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"])
        .zip(reader.variable(&["AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"]))
        .map(|(access, secret)| StaticKeys {
            access,
            secret,
            token: reader.variable(&["AWS_SESSION_TOKEN"]),
        });
    let mut credentials_files = reader.arguments.texts("shared_credentials_files");
    credentials_files.extend(
        reader
            .arguments
            .filled("shared_credentials_file")
            .map(str::to_owned),
    );
    let files = |names: Vec<String>| names.iter().map(|name| reader.path(name)).collect();
    let endpoint = reader
        .arguments
        .filled("ec2_metadata_service_endpoint")
        .map(str::to_owned);
    let mode = reader
        .arguments
        .filled("ec2_metadata_service_endpoint_mode")
        .map(str::to_owned);
    let disabled = reader
        .variable(&["AWS_EC2_METADATA_DISABLED"])
        .is_some_and(|text| text.eq_ignore_ascii_case("true"));
    Identity {
        given,
        environment,
        profile: reader.arguments.filled("profile").map(str::to_owned),
        config_files: files(reader.arguments.texts("shared_config_files")),
        credentials_files: files(credentials_files),
        metadata_ipv6: mode.as_deref() == Some("IPv6"),
        skip_metadata: reader.arguments.flag("skip_metadata_api_check") || disabled,
        role: role(reader),
        web: web(reader),
        metadata_endpoint: {
            if let Some(endpoint) = &endpoint {
                checks::whole_url(
                    "ec2_metadata_service_endpoint",
                    endpoint,
                    &mut reader.problems,
                );
            }
            if let Some(mode) = &mode {
                checks::one_of(
                    "ec2_metadata_service_endpoint_mode",
                    mode,
                    &["IPv4", "IPv6"],
                    &mut reader.problems,
                );
            }
            endpoint
        },
    }
}

fn role(reader: &mut Reader<'_>) -> Option<Role> {
    let arguments = reader.arguments.object("assume_role")?;
    let role = any_role(reader, "assume_role", &arguments);
    if let Some(id) = &role.external_id {
        checks::external_id("assume_role.external_id", id, &mut reader.problems);
    }
    if let Some(identity) = &role.source_identity {
        checks::name(
            "assume_role.source_identity",
            identity,
            &mut reader.problems,
        );
    }
    Some(role)
}

fn web(reader: &mut Reader<'_>) -> Option<(Role, WebToken)> {
    const NAME: &str = "assume_role_with_web_identity";
    let arguments = reader.arguments.object(NAME)?;
    let mut role = arguments;
    let from_environment = reader.variable(&["AWS_WEB_IDENTITY_TOKEN_FILE"]);
    let token = role.filled("web_identity_token").map(str::to_owned);
    let file = role.filled("web_identity_token_file").map(str::to_owned);
    for (name, value) in [
        ("web_identity_token", &token),
        ("web_identity_token_file", &file),
    ] {
        if let Some(value) = value {
            checks::length(
                &format!("{NAME}.{name}"),
                value,
                (4, 20_000),
                &mut reader.problems,
            );
        }
    }
    let token = match (token, file.or(from_environment)) {
        (Some(_), Some(_)) if role.filled("web_identity_token_file").is_some() => {
            reader.problems.push(Problem::with(
                NAME,
                "Invalid Attribute Combination",
                "Only one of web_identity_token, web_identity_token_file can be set.",
            ));
            None
        }
        (Some(token), _) => Some(WebToken::Text(token)),
        (None, Some(file)) => Some(WebToken::File(reader.path(&file))),
        (None, None) => {
            reader.problems.push(Problem::with(
                NAME,
                "Missing Required Value",
                "Exactly one of web_identity_token, web_identity_token_file must be set.",
            ));
            None
        }
    };
    let role = any_role(reader, NAME, &std::mem::take(&mut role));
    Some((role, token?))
}

fn any_role(reader: &mut Reader<'_>, name: &str, arguments: &Arguments) -> Role {
    let owned = |name: &str| arguments.filled(name).map(str::to_owned);
    let at = |argument: &str| format!("{name}.{argument}");
    let problems = &mut reader.problems;
    let arn = owned("role_arn").unwrap_or_default();
    if arn.trim().is_empty() {
        checks::filled(&at("role_arn"), &arn, problems);
    } else {
        checks::arn(&at("role_arn"), &arn, problems);
    }
    let policy = owned("policy");
    if let Some(policy) = &policy {
        checks::policy(&at("policy"), policy, problems);
    }
    let policy_arns = arguments.texts("policy_arns");
    for arn in &policy_arns {
        checks::arn(&at("policy_arns"), arn, problems);
    }
    let session_name = owned("session_name");
    if let Some(session) = &session_name {
        checks::name(&at("session_name"), session, problems);
    }
    let duration =
        owned("duration").and_then(|text| checks::duration(&at("duration"), &text, problems));
    Role {
        arn,
        duration,
        external_id: owned("external_id"),
        policy,
        policy_arns,
        session_name,
        source_identity: owned("source_identity"),
        tags: arguments.text_map("tags"),
        transitive_tag_keys: arguments.texts("transitive_tag_keys"),
    }
}

fn network(reader: &mut Reader<'_>) -> Network {
    let retry_mode = reader.arguments.filled("retry_mode").map(str::to_owned);
    if let Some(mode) = &retry_mode {
        if mode != "standard" && mode != "adaptive" {
            reader.problems.push(Problem::with(
                "retry_mode",
                "Invalid Value",
                format!("unknown RetryMode, {mode}"),
            ));
        }
    }
    let either = |name: &str, variables: &[&str]| {
        let given = reader.arguments.filled(name).map(str::to_owned);
        given.or_else(|| reader.variable(variables))
    };
    let retries = reader.arguments.number("max_retries").unwrap_or(5);
    Network {
        ca_bundle: reader
            .arguments
            .filled("custom_ca_bundle")
            .map(|path| reader.path(path)),
        http_proxy: either("http_proxy", &["HTTP_PROXY", "http_proxy"]),
        https_proxy: either("https_proxy", &["HTTPS_PROXY", "https_proxy"]),
        no_proxy: either("no_proxy", &["NO_PROXY", "no_proxy"]),
        insecure: reader.arguments.flag("insecure"),
        attempts: u32::try_from(retries.max(0)).unwrap_or(u32::MAX - 1) + 1,
        adaptive: retry_mode.as_deref() == Some("adaptive"),
    }
}
