//! The provider's configuration: its schema, and what is read from it and from the environment.

mod endpoints;
mod environment;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use terrace_aws_access::{Access, Account, Identity, Network, Role, StaticKeys, WebToken, checks};
use terrace_provider_sdk::{Diagnostic, Diagnostics, Object, Outcome, Value, attribute};

pub(crate) use environment::Environment;
pub(crate) use schema::provider_schema;

/// How often a request is made at most, unless it is configured.
const ATTEMPTS: u32 = 25;

/// Tags that are left alone on all resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct IgnoredTags {
    /// Their keys.
    pub(crate) keys: BTreeSet<String>,
    /// What their keys begin with.
    pub(crate) prefixes: BTreeSet<String>,
}

impl IgnoredTags {
    /// Whether a tag is left alone.
    pub(crate) fn holds(&self, key: &str) -> bool {
        self.keys.contains(key) || self.prefixes.iter().any(|prefix| key.starts_with(prefix))
    }
}

/// What is configured.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    /// Who one is to AWS, and how it is reached.
    pub(crate) access: Access,
    /// Tags that all resources get.
    pub(crate) default_tags: BTreeMap<String, String>,
    /// Tags that are left alone.
    pub(crate) ignored_tags: IgnoredTags,
    /// Whether a bucket stands in the path of URLs.
    pub(crate) s3_path_style: bool,
    /// Whether the region may be one that is not known.
    pub(crate) skip_region_validation: bool,
}

impl Configuration {
    /// Reads and checks a configuration. What is not known yet counts as left out.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read(config: &Object, environment: &Environment) -> Outcome<Self> {
        let (configuration, found) = Self::gathered(config, environment);
        let mut wrong = provider_schema().validated(config);
        wrong.extend(found);
        if wrong.has_error() {
            return Err(wrong);
        }
        Ok(configuration)
    }

    /// What is wrong with a configuration, and what should be known of it, beside what its schema tells.
    pub(crate) fn check(config: &Object, environment: &Environment) -> Diagnostics {
        Self::gathered(config, environment).1
    }

    fn gathered(config: &Object, environment: &Environment) -> (Self, Diagnostics) {
        let mut reader = Reader {
            config,
            environment,
            found: Diagnostics::new(),
        };
        let configuration = reader.configuration();
        let mut found = reader.found;
        if let Some(region) = &configuration.access.region {
            let unknown = configuration.check_region(region).err();
            found.extend(unknown.into_iter().flatten());
        }
        (configuration, found)
    }

    /// Whether a region is one that is known, for one that was found only while signing in.
    ///
    /// # Errors
    /// It is not, and must be.
    pub(crate) fn check_region(&self, region: &str) -> Outcome<()> {
        if self.skip_region_validation || checks::is_region(region) {
            return Ok(());
        }
        Err(Diagnostic::error(
            format!("invalid AWS Region: {region}"),
            "There is no region of this name. Check \"region\", AWS_REGION and the profile; for a service that only speaks the \
             protocols of AWS, set \"skip_region_validation\".",
        )
        .at(attribute("region"))
        .into())
    }
}

/// `true` and `false`, as providers write them in texts.
fn bool_of(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// A text that is known and not empty: an empty one means what leaving it out means.
fn filled(object: &Object, name: &str) -> Option<String> {
    let text = object.text(name).filter(|text| !text.is_empty());
    text.map(str::to_owned)
}

fn owned(texts: Vec<&str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

/// A map of texts, of which those that are not known are left out.
fn text_map(object: &Object, name: &str) -> BTreeMap<String, String> {
    let entries = object.value(name).as_entries();
    entries
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.to_string(), value.as_str()?.to_owned())))
        .collect()
}

/// The blocks of a type, in their order.
fn blocks(object: &Object, name: &str) -> Vec<Object> {
    object
        .items(name)
        .iter()
        .map(|item| Object::of(item).unwrap_or_default())
        .collect()
}

struct Reader<'a> {
    config: &'a Object,
    environment: &'a Environment,
    found: Diagnostics,
}

impl Reader<'_> {
    /// What is configured, or what the first of these variables says that is set and not empty.
    fn given(&self, name: &str, variables: &[&str]) -> Option<String> {
        filled(self.config, name).or_else(|| self.environment.first(variables))
    }

    fn flag(&self, name: &str) -> bool {
        self.config.flag(name).unwrap_or(false)
    }

    /// A flag, or what a variable says.
    fn given_flag(&self, name: &str, variable: &str) -> bool {
        let said = || bool_of(&self.environment.first(&[variable])?);
        self.config.flag(name).or_else(said).unwrap_or(false)
    }

    fn configuration(&mut self) -> Configuration {
        let mut access = Access {
            region: self.given("region", &["AWS_REGION", "AWS_DEFAULT_REGION"]),
            sts_region: filled(self.config, "sts_region"),
            endpoints: self.endpoints(),
            endpoint: self.usual_endpoint(),
            fips: self.given_flag("use_fips_endpoint", "AWS_USE_FIPS_ENDPOINT"),
            dual_stack: self.given_flag("use_dualstack_endpoint", "AWS_USE_DUALSTACK_ENDPOINT"),
            identity: self.identity(),
            network: self.network(),
            account: self.account(),
            products: self.products(),
        };
        self.legacy_endpoint(&mut access);
        self.tag_policy();
        Configuration {
            access,
            default_tags: self.default_tags(),
            ignored_tags: self.ignored_tags(),
            s3_path_style: self.flag("s3_use_path_style"),
            skip_region_validation: self.flag("skip_region_validation"),
        }
    }

    fn identity(&mut self) -> Identity {
        let environment = self.environment;
        let given = self.keys();
        let keys = environment
            .first(&["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"])
            .zip(environment.first(&["AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"]))
            .map(|(access, secret)| StaticKeys {
                access,
                secret,
                token: environment.first(&["AWS_SESSION_TOKEN"]),
            });
        let configured = filled(self.config, "profile");
        // Keys of the environment count more than its profile, and less than a profile that is configured.
        let profile = configured.or_else(|| match &keys {
            Some(_) => None,
            None => environment.first(&["AWS_PROFILE"]),
        });
        let files = |name: &str, variable: &str| {
            let given = owned(self.config.texts(name));
            let names = if given.is_empty() {
                environment.first(&[variable]).into_iter().collect()
            } else {
                given
            };
            names.iter().map(|name| environment.path(name)).collect()
        };
        let config_files = files("shared_config_files", "AWS_CONFIG_FILE");
        let credentials_files = files("shared_credentials_files", "AWS_SHARED_CREDENTIALS_FILE");
        let skips = filled(self.config, "skip_metadata_api_check");
        let disabled = || environment.first(&["AWS_EC2_METADATA_DISABLED"]);
        let mode = self.given(
            "ec2_metadata_service_endpoint_mode",
            &["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"],
        );
        let ambient = given.is_none() && keys.is_none() && profile.is_none();
        Identity {
            source: Some("the provider's configuration"),
            given,
            profile,
            environment: keys,
            config_files,
            credentials_files,
            web: self.web_identity(ambient),
            roles: self.roles(),
            metadata_endpoint: self.given(
                "ec2_metadata_service_endpoint",
                &["AWS_EC2_METADATA_SERVICE_ENDPOINT"],
            ),
            metadata_ipv6: mode.is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6")),
            skip_metadata: skips
                .or_else(disabled)
                .is_some_and(|text| bool_of(&text) == Some(true)),
        }
    }

    fn keys(&mut self) -> Option<StaticKeys> {
        let config = self.config;
        match (filled(config, "access_key"), filled(config, "secret_key")) {
            (None, None) => None,
            (Some(access), Some(secret)) => Some(StaticKeys {
                access,
                secret,
                token: filled(config, "token"),
            }),
            (access, _) => {
                let (there, missing) = if access.is_some() {
                    ("access_key", "secret_key")
                } else {
                    ("secret_key", "access_key")
                };
                // What is not known yet may be there later.
                if config.is_known(missing) {
                    self.found.error_at(
                        attribute(there),
                        "Invalid Attribute Combination",
                        "The arguments \"access_key\" and \"secret_key\" are given together or not at all.",
                    );
                }
                None
            }
        }
    }

    fn roles(&mut self) -> Vec<Role> {
        let blocks = blocks(self.config, "assume_role");
        // One that is empty was always taken for none.
        let lone = blocks.len() == 1;
        let mut roles = Vec::new();
        for (place, block) in blocks.iter().enumerate() {
            if filled(block, "role_arn").is_some() || !block.is_known("role_arn") {
                roles.push(role(block));
                continue;
            }
            let path = attribute("assume_role").index(Value::number(place.into()));
            let (summary, detail) = (
                "Missing required argument",
                "An \"assume_role\" block needs \"role_arn\", the ARN of the role to assume. Set it, or take the block out.",
            );
            if lone {
                self.found.warning_at(path, summary, detail);
            } else {
                self.found.error_at(path, summary, detail);
            }
        }
        roles
    }

    /// A role by the token of an identity provider: the block's, or, where nothing else says who one is, the environment's.
    fn web_identity(&mut self, ambient: bool) -> Option<(Role, WebToken)> {
        const NAME: &str = "assume_role_with_web_identity";
        let environment = self.environment;
        let block = blocks(self.config, NAME).into_iter().next();
        let file_of_environment = environment.first(&["AWS_WEB_IDENTITY_TOKEN_FILE"]);
        if block.is_none() && !(ambient && file_of_environment.is_some()) {
            return None;
        }
        let is_block = block.is_some();
        let block = block.unwrap_or_default();
        let mut role = role(&block);
        if role.arn.is_empty() {
            role.arn = environment.first(&["AWS_ROLE_ARN"]).unwrap_or_default();
        }
        let session = role.session_name.take();
        role.session_name = session.or_else(|| environment.first(&["AWS_ROLE_SESSION_NAME"]));
        let text = filled(&block, "web_identity_token");
        let file = filled(&block, "web_identity_token_file");
        let (text, file) = if text.is_none() && file.is_none() {
            (
                environment
                    .first(&["TF_AWS_WEB_IDENTITY_TOKEN"])
                    .filter(|_| is_block),
                file_of_environment,
            )
        } else {
            (text, file)
        };
        let is_open = ["role_arn", "web_identity_token", "web_identity_token_file"]
            .iter()
            .any(|name| !block.is_known(name));
        let token = match (text, file) {
            (Some(text), None) => Some(WebToken::Text(text)),
            (None, Some(file)) => Some(WebToken::File(environment.path(&file))),
            _ => None,
        };
        match token {
            Some(token) if !role.arn.is_empty() => Some((role, token)),
            _ if is_open => None,
            // The environment names a token and no role: it is not meant for us.
            _ if !is_block => None,
            token => {
                let detail = if token.is_none() {
                    "Exactly one of web_identity_token or web_identity_token_file is required"
                } else {
                    "\"role_arn\" is required: the ARN of the role to assume. It may also come from AWS_ROLE_ARN."
                };
                let path = attribute(NAME).index(Value::number(0_i64.into()));
                self.found
                    .error_at(path, "Invalid Attribute Combination", detail);
                None
            }
        }
    }

    fn network(&mut self) -> Network {
        let environment = self.environment;
        // One that is empty stands for none at all, whatever the environment says.
        let proxy = |name: &str, variables: &[&str]| match self.config.text(name) {
            Some("") => (true, None),
            Some(address) => (true, Some(address.to_owned())),
            None => (false, environment.first(variables)),
        };
        let (given, http_proxy) = proxy("http_proxy", &["HTTP_PROXY", "http_proxy"]);
        let (silenced, mut https_proxy) = proxy("https_proxy", &["HTTPS_PROXY", "https_proxy"]);
        if let Some(address) = http_proxy.as_ref().filter(|_| given) {
            if https_proxy.is_none() && !silenced {
                self.found.warning_at(
                    attribute("http_proxy"),
                    "Missing HTTPS Proxy",
                    format!(
                        "An HTTP proxy was set but no HTTPS proxy was. {address:?} is used for HTTPS as well. To reach HTTPS \
                         without a proxy, set \"https_proxy\" to an empty string."
                    ),
                );
                https_proxy = Some(address.clone());
            }
        }
        let attempts = self.config.whole("max_retries").filter(|count| *count > 0);
        let capacity = self.config.whole("token_bucket_rate_limiter_capacity");
        let mode = self.given("retry_mode", &["AWS_RETRY_MODE"]);
        let bundle = self.given("custom_ca_bundle", &["AWS_CA_BUNDLE"]);
        Network {
            ca_bundle: bundle.map(|path| environment.path(&path)),
            http_proxy,
            https_proxy,
            no_proxy: self.given("no_proxy", &["NO_PROXY", "no_proxy"]),
            insecure: self.flag("insecure"),
            attempts: attempts.map_or(ATTEMPTS, |count| u32::try_from(count).unwrap_or(u32::MAX)),
            adaptive: mode.as_deref() == Some("adaptive"),
            retry_capacity: capacity
                .filter(|count| *count > 0)
                .and_then(|count| usize::try_from(count).ok()),
            ..Network::default()
        }
    }

    fn account(&mut self) -> Account {
        let listed = |name: &str| owned(self.config.texts(name));
        let (allowed, forbidden) = (
            listed("allowed_account_ids"),
            listed("forbidden_account_ids"),
        );
        let skip_credentials = self.flag("skip_credentials_validation");
        let skip_id = self.flag("skip_requesting_account_id");
        let name = if allowed.is_empty() {
            "forbidden_account_ids"
        } else {
            "allowed_account_ids"
        };
        let is_choosy = !allowed.is_empty() || !forbidden.is_empty();
        if is_choosy && skip_credentials && skip_id {
            self.found.error_at(
                attribute(name),
                "Invalid Attribute Combination",
                format!(
                    "Nobody can tell whether the account is one of {name:?}, since \"skip_credentials_validation\" and \
                     \"skip_requesting_account_id\" keep it from being asked for. Take one of them out."
                ),
            );
        }
        Account {
            allowed,
            forbidden,
            skip_credentials,
            // The id comes with the validation of credentials.
            skip_id: skip_id && !is_choosy,
        }
    }

    fn products(&self) -> Vec<String> {
        let first = |text: &str| text.split_whitespace().next().map(str::to_owned);
        let configured = self.config.texts("user_agent");
        let mut products: Vec<String> = configured.into_iter().filter_map(first).collect();
        let appended = self.environment.first(&["TF_APPEND_USER_AGENT"]);
        let appended = appended.iter().flat_map(|text| text.split_whitespace());
        products.extend(appended.map(str::to_owned));
        products
    }

    /// Whether endpoints of the environment count.
    fn ignores_endpoints(&self) -> bool {
        let said = self
            .environment
            .first(&["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]);
        said.is_some_and(|text| bool_of(&text) == Some(true))
    }

    fn usual_endpoint(&self) -> Option<String> {
        self.environment
            .first(&["AWS_ENDPOINT_URL"])
            .filter(|_| !self.ignores_endpoints())
    }

    fn endpoints(&mut self) -> BTreeMap<String, String> {
        let blocks = blocks(self.config, "endpoints");
        let from_environment = !self.ignores_endpoints();
        let mut found = BTreeMap::new();
        for service in endpoints::services() {
            let others = endpoints::other_names(service).iter().copied();
            let given: Vec<String> = std::iter::once(service)
                .chain(others)
                .flat_map(|name| blocks.iter().filter_map(move |block| filled(block, name)))
                .collect();
            if given.iter().any(|url| *url != given[0]) {
                self.found.warning_at(
                    attribute("endpoints"),
                    "Invalid Attribute Combination",
                    format!(
                        "The endpoint of {service:?} is set more than once, to different URLs: {}. The first is used; take out the \
                         others.",
                        given.join(", ")
                    ),
                );
            }
            let variables = endpoints::variables(service);
            let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
            let said = || {
                self.environment
                    .first(&variables)
                    .filter(|_| from_environment)
            };
            if let Some(url) = given.into_iter().next().or_else(said) {
                found.insert(service.to_owned(), url);
            }
        }
        found
    }

    fn default_tags(&self) -> BTreeMap<String, String> {
        let mut tags: BTreeMap<String, String> = self
            .environment
            .beginning_with("TF_AWS_DEFAULT_TAGS_")
            .collect();
        for block in blocks(self.config, "default_tags") {
            tags.extend(text_map(&block, "tags"));
        }
        tags
    }

    fn ignored_tags(&self) -> IgnoredTags {
        let blocks = blocks(self.config, "ignore_tags");
        let all = |name: &str, variable: &str| {
            let said = self.environment.first(&[variable]).unwrap_or_default();
            let said: Vec<String> = said.split(',').map(|key| key.trim().to_owned()).collect();
            let configured = blocks.iter().flat_map(|block| owned(block.texts(name)));
            configured
                .chain(said)
                .filter(|key| !key.is_empty())
                .collect()
        };
        IgnoredTags {
            keys: all("keys", "TF_AWS_IGNORE_TAGS_KEYS"),
            prefixes: all("key_prefixes", "TF_AWS_IGNORE_TAGS_KEY_PREFIXES"),
        }
    }

    /// S3 in us-east-1 by the host that names no region, where that is asked for.
    fn legacy_endpoint(&mut self, access: &mut Access) {
        const NAME: &str = "s3_us_east_1_regional_endpoint";
        let said = self.given(NAME, &["AWS_S3_US_EAST_1_REGIONAL_ENDPOINT"]);
        if said.as_deref() != Some("legacy") {
            return;
        }
        self.found.warning_at(
            attribute(NAME),
            "Global S3 Endpoint Support Deprecated",
            format!("The global endpoint of S3 is going away. Take {NAME:?} out, or set it to \"regional\"."),
        );
        if access.region.as_deref() == Some("us-east-1") && access.endpoint.is_none() {
            let endpoints = &mut access.endpoints;
            endpoints
                .entry("s3".to_owned())
                .or_insert_with(|| "https://s3.amazonaws.com".to_owned());
        }
    }

    /// Tag policies are not looked at here, which whoever asks for them must know.
    fn tag_policy(&mut self) {
        const NAME: &str = "tag_policy_compliance";
        const VARIABLE: &str = "TF_AWS_TAG_POLICY_COMPLIANCE";
        let configured = filled(self.config, NAME);
        let is_configured = configured.is_some();
        let text = configured.or_else(|| self.environment.first(&[VARIABLE]));
        match text.as_deref() {
            None | Some("disabled") => {}
            Some("warning" | "error") => self.found.warning(
                "Tag policies are not checked",
                format!(
                    "The native provider does not ask AWS which tags a policy wants. Resources without them are planned and made; \
                     whether they comply is told by AWS Organizations. Take {NAME:?} and {VARIABLE} out to silence this."
                ),
            ),
            // The configuration is checked by its schema.
            Some(_) if is_configured => {}
            Some(_) => self.found.error(
                "Invalid environment variable value",
                format!("{VARIABLE} must be one of \"error\", \"warning\", or \"disabled\""),
            ),
        }
    }
}

/// A role, as its block says. Texts were checked already.
fn role(block: &Object) -> Role {
    let duration = filled(block, "duration");
    Role {
        arn: filled(block, "role_arn").unwrap_or_default(),
        duration: duration.and_then(|text| checks::duration("duration", &text, &mut Vec::new())),
        external_id: filled(block, "external_id"),
        policy: filled(block, "policy"),
        policy_arns: owned(block.texts("policy_arns")),
        session_name: filled(block, "session_name"),
        source_identity: filled(block, "source_identity"),
        tags: text_map(block, "tags"),
        transitive_tag_keys: owned(block.texts("transitive_tag_keys")),
    }
}
