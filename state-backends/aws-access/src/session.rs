//! A session: configurations of clients, and the moment of signing in.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_types::origin::Origin;
use aws_types::sdk_ua_metadata::FrameworkMetadata;
use terrace_backend_remote::{Problem, Surroundings, chain};
use terrace_port::Clock;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::credentials::{self, Stage};
use crate::reach::{Hosts, Log, Unreached};
use crate::{Access, Web, regions};

/// For how long nobody tries to sign in again after it was refused.
const REFUSED: Duration = Duration::from_mins(1);

/// Who makes requests.
#[derive(Clone)]
pub struct Caller {
    /// The time, for the names of sessions.
    pub clock: Arc<dyn Clock>,
    /// What requests call their sender: `Terrace/1.2.3`.
    pub user_agent: String,
    /// Takes that a host cannot be reached and is tried again.
    pub log: Option<Log>,
}

impl Caller {
    /// The one that a backend is opened by.
    pub fn within(surroundings: &Surroundings<'_>) -> Self {
        Self {
            clock: surroundings.clock.clone(),
            user_agent: surroundings.user_agent.to_owned(),
            log: None,
        }
    }
}

/// Who the credentials belong to, as STS tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The account's id.
    pub account: String,
    /// The ARN of the user or the session.
    pub arn: String,
    /// The unique id of the user or the role.
    pub user_id: String,
}

/// Access to AWS, from which clients of services are made. It signs in when it is first asked to, or when the first client
/// makes its first request; before that it makes no request to AWS. Copies sign in together.
#[derive(Clone, Debug)]
pub struct Session {
    inner: Arc<Inner>,
    /// With credentials that sign in first.
    config: SdkConfig,
    web: Web,
}

struct Inner {
    access: Access,
    region: String,
    /// What STS is reached with, without credentials.
    sts: SdkConfig,
    stages: Vec<Stage>,
    signed_in: OnceCell<()>,
    /// Why nobody could sign in, and when that was seen.
    refused: Mutex<Option<(Instant, Problem)>>,
    identity: OnceCell<CallerIdentity>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("region", &self.region)
            .field("signed_in", &self.signed_in.initialized())
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Reads what is needed of files. Nobody is asked, except the machine for its region where neither the access nor the
    /// profile says one and the machine may be asked.
    ///
    /// # Errors
    /// A proxy, certificates or a metadata service that cannot be, or no region.
    pub async fn open(access: Access, caller: &Caller) -> Result<Self, Problem> {
        let web = Web::new(&access.network, Hosts::new(caller.log.clone()))?;
        let region = match &access.region {
            Some(region) => region.clone(),
            None => regions::find(&access.identity, &web).await?,
        };
        let config = config(&access, &region, caller, &web).await;
        let sts_region = access.sts_region.as_ref().unwrap_or(&region);
        let endpoint = access.endpoint_of("sts");
        let mut sts = config
            .to_builder()
            .region(Region::new(sts_region.clone()))
            .http_client(web.to("sts", sts_region, endpoint));
        if let Some(endpoint) = endpoint {
            sts = sts.endpoint_url(endpoint);
            sts.insert_origin("endpoint_url", Origin::shared_config());
        }
        let sts = sts.build();
        let stages = credentials::stages(&access.identity, &region, &web, &sts, &caller.clock)?;
        let inner = Arc::new(Inner {
            access,
            region,
            sts,
            stages,
            signed_in: OnceCell::new(),
            refused: Mutex::default(),
            identity: OnceCell::new(),
        });
        let first = SharedCredentialsProvider::new(SignsIn(inner.clone()));
        Ok(Self {
            config: config.to_builder().credentials_provider(first).build(),
            inner,
            web,
        })
    }

    /// Signs in, and checks that it is the right account, unless that was done before.
    ///
    /// # Errors
    /// Why there are no credentials, or why the account is refused.
    pub async fn sign_in(&self) -> Result<(), Problem> {
        self.inner.sign_in().await
    }

    /// Who the credentials belong to. STS is asked once.
    ///
    /// # Errors
    /// Why there are no credentials, why the account is refused, or why STS does not answer.
    pub async fn identity(&self) -> Result<&CallerIdentity, Problem> {
        self.inner.sign_in().await?;
        self.inner.identity().await
    }

    /// What a client of a service is made of: its region, its endpoint where it has one of its own, and credentials that sign in
    /// when they are first needed. `service` is the name of [`Access::endpoints`].
    pub fn config_for(&self, service: &str) -> SdkConfig {
        self.config_in(service, &self.inner.region)
    }

    /// The same in another region.
    pub fn config_in(&self, service: &str, region: &str) -> SdkConfig {
        let endpoint = self.endpoint(service);
        let mut builder = self
            .config
            .to_builder()
            .region(Region::new(region.to_owned()))
            .http_client(self.web.to(service, region, endpoint));
        if let Some(endpoint) = endpoint {
            builder = builder.endpoint_url(endpoint);
            // What the configuration says counts more than what the environment says.
            builder.insert_origin("endpoint_url", Origin::shared_config());
        }
        builder.build()
    }

    /// What the retries of a service's client are counted in: `builder.retry_partition(…)`. Without it, the SDK makes no more
    /// retries once many were made at the same time, however many attempts each request has.
    pub fn retry_partition(&self, service: &str) -> RetryPartition {
        let bucket = match self.inner.access.network.retry_capacity {
            None => TokenBucket::unlimited(),
            Some(capacity) => TokenBucket::new(capacity),
        };
        RetryPartition::custom(format!("terrace-{service}-{}", self.inner.region))
            .token_bucket(bucket)
            .build()
    }

    /// Where a service is, where it is not where it usually is.
    pub fn endpoint(&self, service: &str) -> Option<&str> {
        self.inner.access.endpoint_of(service)
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.inner.region
    }

    /// The credentials, which sign in when they are first asked for.
    pub fn credentials(&self) -> Option<SharedCredentialsProvider> {
        self.config.credentials_provider()
    }

    /// What requests are made with.
    pub const fn web(&self) -> &Web {
        &self.web
    }

    /// What the session was opened with.
    pub fn access(&self) -> &Access {
        &self.inner.access
    }
}

impl Inner {
    async fn sign_in(&self) -> Result<(), Problem> {
        let signing = self.signed_in.get_or_try_init(|| async {
            if let Some(refused) = self.refused() {
                return Err(refused);
            }
            let signed = self.sign_in_anew().await;
            if let Err(problem) = &signed {
                *self.remembered() = Some((Instant::now(), problem.clone()));
            }
            signed
        });
        signing.await.copied()
    }

    async fn sign_in_anew(&self) -> Result<(), Problem> {
        for stage in &self.stages {
            let found = stage.credentials.provide_credentials().await;
            found.map_err(|error| stage.refused(&self.access.identity, &error))?;
        }
        self.check_account().await
    }

    /// Why nobody could sign in a moment ago. Requests that wait for each other's sign-in would else all wait for their own.
    fn refused(&self) -> Option<Problem> {
        let refused = self.remembered();
        let (moment, problem) = refused.as_ref()?;
        (moment.elapsed() < REFUSED).then(|| problem.clone())
    }

    fn remembered(&self) -> MutexGuard<'_, Option<(Instant, Problem)>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The credentials after all roles.
    fn provider(&self) -> SharedCredentialsProvider {
        let last = self.stages.last().expect("there is always a first stage");
        last.credentials.clone()
    }

    async fn identity(&self) -> Result<&CallerIdentity, Problem> {
        let asking = self.identity.get_or_try_init(|| async {
            let signed = self.sts.to_builder().credentials_provider(self.provider());
            let sts = aws_sdk_sts::Client::new(&signed.build());
            let answer = sts.get_caller_identity().send().await;
            let answer = answer.map_err(|error| match Unreached::behind(&error) {
                Some(unreached) => Problem::new(
                    "AWS cannot be reached",
                    format!(
                        "Whose credentials these are is asked of STS, and {unreached}\n\n{} Where there is no STS, set \
                         skip_credentials_validation and skip_requesting_account_id.",
                        unreached.advice()
                    ),
                ),
                None => Problem::new(
                    "Invalid credentials",
                    format!(
                        "validating provider credentials: retrieving caller identity from STS: {}\n\nWhere there is no STS, set \
                         skip_credentials_validation and skip_requesting_account_id.",
                        chain(&error)
                    ),
                ),
            })?;
            Ok(CallerIdentity {
                account: answer.account.unwrap_or_default(),
                arn: answer.arn.unwrap_or_default(),
                user_id: answer.user_id.unwrap_or_default(),
            })
        });
        asking.await
    }

    /// Tries the credentials out, and refuses accounts that must not be worked with.
    async fn check_account(&self) -> Result<(), Problem> {
        let account = &self.access.account;
        let choosy = account.is_choosy();
        if account.skip_credentials && (account.skip_id || !choosy) {
            return Ok(());
        }
        let id = &self.identity().await?.account;
        if !account.skip_id && !account.admits(id) {
            return Err(Problem::new(
                "Invalid account ID",
                format!("AWS account ID not allowed: {id}"),
            ));
        }
        Ok(())
    }
}

/// What all clients share, but for credentials.
async fn config(access: &Access, region: &str, caller: &Caller, web: &Web) -> SdkConfig {
    let retries = if access.network.adaptive {
        RetryConfig::adaptive()
    } else {
        RetryConfig::standard()
    };
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(web.clone())
        .region(Region::new(region.to_owned()))
        .retry_config(
            retries
                .with_max_attempts(access.network.attempts)
                .with_initial_backoff(access.network.first_pause),
        )
        .use_fips(access.fips)
        .use_dual_stack(access.dual_stack)
        .no_credentials();
    if let Some(profile) = &access.identity.profile {
        loader = loader.profile_name(profile);
    }
    if let Ok(name) = AppName::new(Cow::Owned(told(&caller.user_agent))) {
        loader = loader.app_name(name);
    }
    let mut builder = loader.load().await.into_builder();
    for product in &access.products {
        let (name, version) = match product.split_once('/') {
            Some((name, version)) => (name, Some(told(version))),
            None => (product.as_str(), None),
        };
        if let Ok(product) = FrameworkMetadata::new(told(name), version) {
            builder = builder.framework_metadata(product);
        }
    }
    builder.build()
}

/// A name as headers may hold it.
fn told(name: &str) -> String {
    name.replace(
        |c: char| !c.is_ascii_alphanumeric() && !"!#$%&'*+-.^_`|~".contains(c),
        "-",
    )
}

/// Credentials that sign in before they are given.
struct SignsIn(Arc<Inner>);

impl fmt::Debug for SignsIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignsIn")
    }
}

impl ProvideCredentials for SignsIn {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let signing = self.0.sign_in().await;
            signing.map_err(|problem| CredentialsError::provider_error(Refused(problem)))?;
            self.0.provider().provide_credentials().await
        })
    }
}

/// Why nobody signed in.
#[derive(Debug)]
pub struct Refused(pub Problem);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.summary, self.0.detail)
    }
}

impl std::error::Error for Refused {}
