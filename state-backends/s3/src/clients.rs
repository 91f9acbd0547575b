//! Clients of the services, signed in.

use std::borrow::Cow;

use aws_config::retry::RetryConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use terrace_backend_remote::{Problem, Surroundings};

use crate::credentials;
use crate::settings::Settings;
use crate::web::Web;

/// The clients.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
}

impl Clients {
    /// Signs in and checks that it is the right account.
    pub(crate) async fn new(
        settings: &Settings,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, Problem> {
        let web = Web::new(&settings.network)?;
        let config = config(settings, surroundings, &web).await;
        let region = settings
            .sts_region
            .clone()
            .unwrap_or_else(|| settings.region.clone());
        let mut sts = config.to_builder().region(Region::new(region));
        sts.set_endpoint_url(
            settings
                .endpoints
                .sts
                .clone()
                .or_else(|| config.endpoint_url().map(str::to_owned)),
        );
        let sts = sts.build();
        let base = credentials::base(&settings.identity, &settings.region, &web)?;
        let signed = sts.to_builder().credentials_provider(base.clone()).build();
        let provider = credentials::assumed(&settings.identity, base, &signed, &surroundings.clock);
        provider
            .provide_credentials()
            .await
            .map_err(|error| credentials::missing(&settings.identity, &error))?;
        let signed = sts
            .to_builder()
            .credentials_provider(provider.clone())
            .build();
        check_account(settings, &aws_sdk_sts::Client::new(&signed)).await?;
        let config = config.to_builder().credentials_provider(provider).build();
        Ok(Self {
            s3: s3(settings, &config),
            dynamodb: dynamodb(settings, &config),
        })
    }
}

/// What all clients share, but for credentials.
async fn config(settings: &Settings, surroundings: &Surroundings<'_>, web: &Web) -> SdkConfig {
    let retries = if settings.network.adaptive {
        RetryConfig::adaptive()
    } else {
        RetryConfig::standard()
    };
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(web.clone())
        .region(Region::new(settings.region.clone()))
        .retry_config(retries.with_max_attempts(settings.network.attempts))
        .use_fips(settings.fips)
        .use_dual_stack(settings.dual_stack)
        .no_credentials();
    if let Some(profile) = &settings.identity.profile {
        loader = loader.profile_name(profile);
    }
    let sender = surroundings.user_agent.replace(
        |c: char| !c.is_ascii_alphanumeric() && !"!#$%&'*+-.^_`|~".contains(c),
        "-",
    );
    if let Ok(name) = AppName::new(Cow::Owned(sender)) {
        loader = loader.app_name(name);
    }
    loader.load().await
}

fn s3(settings: &Settings, config: &SdkConfig) -> aws_sdk_s3::Client {
    let mut builder = aws_sdk_s3::config::Builder::from(config)
        .force_path_style(settings.path_style)
        // What is asked again, and when, is decided by who knows what is being written.
        .retry_config(RetryConfig::disabled());
    if let Some(endpoint) = &settings.endpoints.s3 {
        builder = builder.endpoint_url(endpoint);
    }
    if settings.skip_checksum {
        builder = builder
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    }
    aws_sdk_s3::Client::from_conf(builder.build())
}

fn dynamodb(settings: &Settings, config: &SdkConfig) -> aws_sdk_dynamodb::Client {
    let mut builder =
        aws_sdk_dynamodb::config::Builder::from(config).retry_config(RetryConfig::disabled());
    if let Some(endpoint) = &settings.endpoints.dynamodb {
        builder = builder.endpoint_url(endpoint);
    }
    aws_sdk_dynamodb::Client::from_conf(builder.build())
}

/// Tries the credentials out, and refuses accounts that must not be worked with.
async fn check_account(settings: &Settings, sts: &aws_sdk_sts::Client) -> Result<(), Problem> {
    let account = &settings.account;
    let listed = !account.allowed.is_empty() || !account.forbidden.is_empty();
    if account.skip_credentials && (account.skip_id || !listed) {
        return Ok(());
    }
    let identity = match sts.get_caller_identity().send().await {
        Ok(identity) => identity,
        Err(_) if account.skip_credentials && !listed => return Ok(()),
        Err(error) => {
            return Err(Problem::new(
                "Invalid credentials",
                format!(
                    "validating provider credentials: retrieving caller identity from STS: {}\n\nWhere there is no STS, set \
                     skip_credentials_validation and skip_requesting_account_id.",
                    terrace_backend_remote::chain(&error)
                ),
            ));
        }
    };
    let id = identity.account().unwrap_or_default().to_owned();
    let forbidden = account.forbidden.contains(&id);
    let allowed = account.allowed.is_empty() || account.allowed.contains(&id);
    if !account.skip_id && (forbidden || !allowed) {
        return Err(Problem::new(
            "Invalid account ID",
            format!("AWS account ID not allowed: {id}"),
        ));
    }
    Ok(())
}
