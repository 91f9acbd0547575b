//! Reading who one is to AWS from the arguments of backends and key services.

use terrace_backend_remote::{Arguments, Problem, Reader};

use crate::checks;
use crate::{Access, Account, Identity, Network, Role, StaticKeys, WebToken};

impl Access {
    /// Reads it from the arguments that say who one is to AWS.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        exclude(reader);
        Self {
            region: Some(region(reader)),
            sts_region: reader.owned("sts_region"),
            endpoints: endpoint(
                reader,
                "sts",
                "sts_endpoint",
                &["AWS_ENDPOINT_URL_STS", "AWS_STS_ENDPOINT"],
            )
            .map(|url| ("sts".to_owned(), url))
            .into_iter()
            .collect(),
            endpoint: None,
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
            products: Vec::new(),
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

/// Where an API is, by the block `endpoints`, by the argument that said so before, or by the environment.
pub fn endpoint(
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
        source: Some("the backend's arguments"),
        given,
        environment,
        profile: reader.arguments.filled("profile").map(str::to_owned),
        config_files: files(reader.arguments.texts("shared_config_files")),
        credentials_files: files(credentials_files),
        metadata_ipv6: mode.as_deref() == Some("IPv6"),
        skip_metadata: reader.arguments.flag("skip_metadata_api_check") || disabled,
        roles: role(reader).into_iter().collect(),
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
        retry_capacity: None,
        adaptive: retry_mode.as_deref() == Some("adaptive"),
        ..Network::default()
    }
}
