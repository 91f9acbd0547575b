//! Where credentials come from, in the order of today's tools: what the arguments give, the environment, the shared files,
//! the container, the machine; and the roles that are assumed with them.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::imds::{self, client::EndpointMode};
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_runtime::env_config::file::{Builder, EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_sts::types::{PolicyDescriptorType, Tag};
use terrace_backend_remote::{Problem, chain};
use terrace_port::Clock;

use crate::{Identity, Role, StaticKeys, Unreached, Web, WebToken};

/// Named in what the SDK says of credentials.
const GIVEN: &str = "arguments";

/// A step of signing in: credentials, and the role that they are of, if they are of one.
pub(crate) struct Stage {
    pub(crate) credentials: SharedCredentialsProvider,
    role: Option<AssumedRole>,
}

struct AssumedRole {
    arn: String,
    by_token: bool,
}

/// The steps of signing in, of which the last gives the credentials to work with. `sts` is what STS is reached with, without
/// credentials. What the first role is assumed with is no step of its own.
pub(crate) fn stages(
    identity: &Identity,
    region: &str,
    web: &Web,
    sts: &SdkConfig,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<Stage>, Problem> {
    let mut credentials = base(identity, region, web)?;
    let mut stages = Vec::new();
    if let Some((role, token)) = &identity.web {
        let client = aws_sdk_sts::Client::new(sts);
        credentials = SharedCredentialsProvider::new(Assumed {
            clock: clock.clone(),
            client,
            role: role.clone(),
            token: Some(token.clone()),
        });
        stages.push(Stage::assumed(&credentials, role, true));
    }
    for role in &identity.roles {
        let with = sts.to_builder().credentials_provider(credentials).build();
        credentials = SharedCredentialsProvider::new(Assumed {
            clock: clock.clone(),
            client: aws_sdk_sts::Client::new(&with),
            role: role.clone(),
            token: None,
        });
        stages.push(Stage::assumed(&credentials, role, false));
    }
    if stages.is_empty() {
        stages.push(Stage {
            credentials,
            role: None,
        });
    }
    Ok(stages)
}

/// The credentials before any role is assumed.
fn base(
    identity: &Identity,
    region: &str,
    web: &Web,
) -> Result<SharedCredentialsProvider, Problem> {
    if let Some(keys) = &identity.given {
        return Ok(SharedCredentialsProvider::new(fixed(keys, GIVEN)));
    }
    let config = ProviderConfig::without_region()
        .with_region(Some(Region::new(region.to_owned())))
        .with_http_client(web.clone());
    let profile = profiles(identity, &config);
    if identity.profile.is_some() {
        return Ok(SharedCredentialsProvider::new(profile));
    }
    if let Some(keys) = &identity.environment {
        return Ok(SharedCredentialsProvider::new(fixed(keys, "environment")));
    }
    let mut sources = CredentialsProviderChain::first_try(
        "WebIdentityToken",
        WebIdentityTokenCredentialsProvider::builder()
            .configure(&config)
            .build(),
    )
    .or_else("Profile", profile)
    .or_else(
        "EcsContainer",
        EcsCredentialsProvider::builder().configure(&config).build(),
    );
    if !identity.skip_metadata {
        sources = sources.or_else("Ec2InstanceMetadata", machine(identity, &config)?);
    }
    Ok(SharedCredentialsProvider::new(sources))
}

fn fixed(keys: &StaticKeys, source: &'static str) -> Credentials {
    Credentials::new(&keys.access, &keys.secret, keys.token.clone(), None, source)
}

fn profiles(identity: &Identity, config: &ProviderConfig) -> ProfileFileCredentialsProvider {
    let mut builder = ProfileFileCredentialsProvider::builder()
        .configure(config)
        .profile_files(shared_files(identity));
    if let Some(profile) = &identity.profile {
        builder = builder.profile_name(profile);
    }
    builder.build()
}

/// The shared files.
pub(crate) fn shared_files(identity: &Identity) -> EnvConfigFiles {
    let mut files = EnvConfigFiles::builder();
    files = if identity.config_files.is_empty() {
        files.include_default_config_file(true)
    } else {
        with_files(files, EnvConfigFileKind::Config, &identity.config_files)
    };
    files = if identity.credentials_files.is_empty() {
        files.include_default_credentials_file(true)
    } else {
        with_files(
            files,
            EnvConfigFileKind::Credentials,
            &identity.credentials_files,
        )
    };
    files.build()
}

/// Adds the files that there are; those that there are not are passed over, as today's tools do.
fn with_files(files: Builder, kind: EnvConfigFileKind, paths: &[PathBuf]) -> Builder {
    let there = paths.iter().filter(|path| path.is_file());
    let files = files.with_contents(kind, "");
    there.fold(files, |files, path| files.with_file(kind, path))
}

/// The service on the machine, as the source of credentials of its role.
fn machine(
    identity: &Identity,
    config: &ProviderConfig,
) -> Result<ImdsCredentialsProvider, Problem> {
    Ok(ImdsCredentialsProvider::builder()
        .configure(config)
        .imds_client(metadata(identity, config)?)
        .build())
}

/// The service on the machine that knows of it.
pub(crate) fn metadata(
    identity: &Identity,
    config: &ProviderConfig,
) -> Result<imds::Client, Problem> {
    let mut client = imds::Client::builder().configure(config).max_attempts(2);
    if let Some(endpoint) = &identity.metadata_endpoint {
        client = client.endpoint(endpoint).map_err(|error| {
            Problem::with(
                "ec2_metadata_service_endpoint",
                "Invalid Value",
                error.to_string(),
            )
        })?;
    }
    if identity.metadata_ipv6 {
        client = client.endpoint_mode(EndpointMode::IpV6);
    }
    Ok(client.build())
}

/// Credentials of a role.
struct Assumed {
    clock: Arc<dyn Clock>,
    client: aws_sdk_sts::Client,
    role: Role,
    /// Where the role is assumed by a web identity.
    token: Option<WebToken>,
}

impl fmt::Debug for Assumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assumed")
            .field("role", &self.role.arn)
            .finish_non_exhaustive()
    }
}

impl Assumed {
    fn session_name(&self) -> String {
        let (seconds, nanoseconds) = self.clock.now();
        let name = self.role.session_name.clone();
        name.unwrap_or_else(|| format!("terrace-{seconds}{nanoseconds:09}"))
    }

    fn seconds(&self) -> Option<i32> {
        self.role
            .duration
            .and_then(|duration| i32::try_from(duration.as_secs()).ok())
    }

    fn policies(&self) -> Option<Vec<PolicyDescriptorType>> {
        let policies: Vec<_> = self
            .role
            .policy_arns
            .iter()
            .map(|arn| PolicyDescriptorType::builder().arn(arn).build())
            .collect();
        (!policies.is_empty()).then_some(policies)
    }

    async fn assume(&self) -> Result<Option<aws_sdk_sts::types::Credentials>, CredentialsError> {
        let mut tags = Vec::new();
        for (key, value) in &self.role.tags {
            let tag = Tag::builder().key(key).value(value).build();
            tags.push(tag.map_err(CredentialsError::invalid_configuration)?);
        }
        let keys = self.role.transitive_tag_keys.clone();
        let answer = self
            .client
            .assume_role()
            .role_arn(&self.role.arn)
            .role_session_name(self.session_name())
            .set_duration_seconds(self.seconds())
            .set_external_id(self.role.external_id.clone())
            .set_policy(self.role.policy.clone())
            .set_policy_arns(self.policies())
            .set_source_identity(self.role.source_identity.clone())
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_transitive_tag_keys((!keys.is_empty()).then_some(keys))
            .send()
            .await;
        Ok(answer
            .map_err(CredentialsError::provider_error)?
            .credentials)
    }

    async fn assume_by(
        &self,
        token: &WebToken,
    ) -> Result<Option<aws_sdk_sts::types::Credentials>, CredentialsError> {
        let token = match token {
            WebToken::Text(text) => text.clone(),
            WebToken::File(path) => {
                let text = tokio::fs::read_to_string(path).await.map_err(|error| {
                    CredentialsError::invalid_configuration(format!(
                        "unable to read file at {}: {error}",
                        path.display()
                    ))
                })?;
                text.trim().to_owned()
            }
        };
        let answer = self
            .client
            .assume_role_with_web_identity()
            .role_arn(&self.role.arn)
            .role_session_name(self.session_name())
            .web_identity_token(token)
            .set_duration_seconds(self.seconds())
            .set_policy(self.role.policy.clone())
            .set_policy_arns(self.policies())
            .send()
            .await;
        Ok(answer
            .map_err(CredentialsError::provider_error)?
            .credentials)
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let found = match &self.token {
            None => self.assume().await?,
            Some(token) => self.assume_by(token).await?,
        };
        let found =
            found.ok_or_else(|| CredentialsError::unhandled("STS answered without credentials"))?;
        let expiry = SystemTime::try_from(found.expiration).ok();
        Ok(Credentials::new(
            found.access_key_id,
            found.secret_access_key,
            Some(found.session_token),
            expiry,
            "assumed role",
        ))
    }
}

impl ProvideCredentials for Assumed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

impl Stage {
    fn assumed(credentials: &SharedCredentialsProvider, role: &Role, by_token: bool) -> Self {
        Self {
            credentials: credentials.clone(),
            role: Some(AssumedRole {
                arn: role.arn.clone(),
                by_token,
            }),
        }
    }

    /// What to say where this step gives no credentials.
    pub(crate) fn refused(&self, identity: &Identity, error: &CredentialsError) -> Problem {
        match &self.role {
            Some(role) => match Unreached::behind(error) {
                Some(unreached) => role.unreached(unreached),
                None => role.refused(&chain(error)),
            },
            None => missing(identity, &chain(error)),
        }
    }
}

impl AssumedRole {
    fn unreached(&self, unreached: &Unreached) -> Problem {
        Problem::new(
            "Cannot assume IAM Role",
            format!(
                "IAM Role ({}) cannot be assumed: {unreached}\n\n{}",
                self.arn,
                unreached.advice()
            ),
        )
    }

    fn refused(&self, why: &str) -> Problem {
        let (with, how, what) = if self.by_token {
            (
                " with web identity",
                " with web identity token",
                "web identity token",
            )
        } else {
            ("", "", "credentials")
        };
        let (are, do_not) = if self.by_token {
            ("is", "does not")
        } else {
            ("are", "do not")
        };
        Problem::new(
            format!("Cannot assume IAM Role{with}"),
            format!(
                "IAM Role ({}) cannot be assumed{how}.\n\nThere are a number of possible causes of this - the most common are:\n  \
                 * The {what} used in order to assume the role {are} invalid\n  \
                 * The {what} {do_not} have appropriate permission to assume the role\n  \
                 * The role ARN is not valid\n\nError: {why}",
                self.arn
            ),
        )
    }
}

/// What to say where nothing gives credentials.
fn missing(identity: &Identity, why: &str) -> Problem {
    if let Some(profile) = &identity.profile {
        return Problem::with(
            "profile",
            "No valid credential sources found",
            format!(
                "The profile {profile:?} gives no credentials. Sign in to it, or name another profile.\n\nError: {why}"
            ),
        );
    }
    let source = identity.source.unwrap_or("the configuration");
    Problem::new(
        "No valid credential sources found",
        format!(
            "Neither {source} nor the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), nor the shared files \
             (AWS_PROFILE), nor the machine give credentials for AWS.\n\nError: {why}"
        ),
    )
}
