//! Clients of the services, signed in.

use std::borrow::Cow;
use std::sync::Arc;

use aws_config::retry::RetryConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use terrace_backend_remote::{Problem, Surroundings};
use terrace_port::Clock;

use crate::credentials;
use crate::settings::{Access, Account, Settings};
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
        let caller = Caller {
            clock: surroundings.clock.clone(),
            user_agent: surroundings.user_agent.to_owned(),
        };
        let config = signed_in(&settings.access, &caller).await?;
        Ok(Self {
            s3: s3(settings, &config),
            dynamodb: dynamodb(settings, &config),
        })
    }
}

/// Who makes requests.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) user_agent: String,
}

/// Signs in and checks that it is the right account.
pub(crate) async fn signed_in(access: &Access, caller: &Caller) -> Result<SdkConfig, Problem> {
    let web = Web::new(&access.network)?;
    let config = config(access, caller, &web).await;
    let region = access.sts_region.clone();
    let region = region.unwrap_or_else(|| access.region.clone());
    let mut sts = config.to_builder().region(Region::new(region));
    let endpoint = access.sts.clone();
    sts.set_endpoint_url(endpoint.or_else(|| config.endpoint_url().map(str::to_owned)));
    let sts = sts.build();
    let base = credentials::base(&access.identity, &access.region, &web)?;
    let signed = sts.to_builder().credentials_provider(base.clone()).build();
    let provider = credentials::assumed(&access.identity, base, &signed, &caller.clock);
    provider
        .provide_credentials()
        .await
        .map_err(|error| credentials::missing(&access.identity, &error))?;
    let signed = sts
        .to_builder()
        .credentials_provider(provider.clone())
        .build();
    check_account(&access.account, &aws_sdk_sts::Client::new(&signed)).await?;
    Ok(config.to_builder().credentials_provider(provider).build())
}

/// What all clients share, but for credentials.
async fn config(access: &Access, caller: &Caller, web: &Web) -> SdkConfig {
    let retries = if access.network.adaptive {
        RetryConfig::adaptive()
    } else {
        RetryConfig::standard()
    };
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(web.clone())
        .region(Region::new(access.region.clone()))
        .retry_config(retries.with_max_attempts(access.network.attempts))
        .use_fips(access.fips)
        .use_dual_stack(access.dual_stack)
        .no_credentials();
    if let Some(profile) = &access.identity.profile {
        loader = loader.profile_name(profile);
    }
    let sender = caller.user_agent.replace(
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
async fn check_account(account: &Account, sts: &aws_sdk_sts::Client) -> Result<(), Problem> {
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
