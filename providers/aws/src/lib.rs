//! AWS without a plugin: types of hashicorp/aws 6.48, with its schemas, states and import ids, on the AWS SDK.
//!
//! Configurations use it unchanged, by `native { include = ["hashicorp/aws"] }` in the CLI configuration; it is a plugin too
//! (`examples/serve_aws.rs`). Each service is a feature of the crate. What it has no type for, `aws_cloudcontrolapi_resource`
//! manages through Cloud Control, as far as that goes.
//!
//! A type is its shape (attributes and blocks, data in `shapes.json`), what the shape does not tell (replacements, defaults,
//! what the service fills in) and its calls: a `Kind`, beside the service's other types. What all have in common (regions, tags,
//! objects of which AWS tells late, or which were made by half) is told once, by `Managed`.

// Calls of the SDK are many futures within each other, and what retries them adds some.
#![recursion_limit = "256"]

mod blocks;
mod client;
mod configuration;
mod document;
mod failure;
mod kind;
mod meta;
mod names;
mod policy;
mod retry;
mod shape;
mod tags;
mod timeouts;
mod wait;

#[cfg(feature = "cloudcontrol")]
mod cloudcontrol;
#[cfg(feature = "cloudfront")]
mod cloudfront;
#[cfg(feature = "cloudwatch")]
mod cloudwatch;
#[cfg(feature = "dynamodb")]
mod dynamodb;
#[cfg(feature = "ecr")]
mod ecr;
#[cfg(feature = "events")]
mod events;
#[cfg(feature = "iam")]
mod iam;
#[cfg(feature = "kms")]
mod kms;
#[cfg(feature = "lambda")]
mod lambda;
#[cfg(feature = "logs")]
mod logs;
#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "sqs")]
mod sqs;
#[cfg(feature = "ssm")]
mod ssm;

use std::sync::Arc;
use std::time::Duration;

use terrace_aws_access::{Caller, Session};
use terrace_port::{Clock, Surroundings};
use terrace_provider_sdk::{Diagnostic, Object, Outcome, Provider, ProviderBuilder};

pub use client::Client;
pub use terrace_aws_access::Log;

use configuration::{Configuration, Environment, provider_schema};

/// The version of hashicorp/aws whose schemas it has.
pub const VERSION: &str = "6.48.0";

/// What is outside of the provider.
#[derive(Clone)]
pub struct Outside {
    /// The time, by which sign-ins are renewed.
    pub clock: Arc<dyn Clock>,
    /// How the environment that settings are read from differs from that of the process.
    pub surroundings: Surroundings,
    /// How requests say who makes them.
    pub user_agent: String,
    /// Takes what helps to find a mistake: a host that cannot be reached and is tried again.
    pub log: Option<Log>,
    /// How long is waited between attempts.
    pub pace: Pace,
}

/// How long is waited between attempts.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The pause before a call is made a second time, at most. Each further one is twice as long, up to 20 s.
    pub retry: Duration,
}

impl Default for Pace {
    /// What AWS asks of its callers.
    fn default() -> Self {
        Self {
            retry: Duration::from_secs(1),
        }
    }
}

/// Types being added to the provider.
type Builder = ProviderBuilder<Client>;

/// The provider, reached and signed in with what is outside.
pub fn provider(outside: Outside) -> Provider<Client> {
    let environment = Environment::of_process(&outside.surroundings);
    let checked = environment.clone();
    let builder = Provider::configured(provider_schema(), move |config| {
        let (environment, outside) = (environment.clone(), outside.clone());
        async move { configured(&config, &environment, &outside).await }
    })
    .check(move |config, diagnostics| {
        diagnostics.extend(Configuration::check(config, &checked));
    });
    let builder = meta::register(builder);
    #[cfg(feature = "cloudcontrol")]
    let builder = cloudcontrol::register(builder);
    #[cfg(feature = "cloudfront")]
    let builder = cloudfront::register(builder);
    #[cfg(feature = "cloudwatch")]
    let builder = cloudwatch::register(builder);
    #[cfg(feature = "dynamodb")]
    let builder = dynamodb::register(builder);
    #[cfg(feature = "ecr")]
    let builder = ecr::register(builder);
    #[cfg(feature = "events")]
    let builder = events::register(builder);
    #[cfg(feature = "iam")]
    let builder = iam::register(builder);
    #[cfg(feature = "kms")]
    let builder = kms::register(builder);
    #[cfg(feature = "lambda")]
    let builder = lambda::register(builder);
    #[cfg(feature = "logs")]
    let builder = logs::register(builder);
    #[cfg(feature = "s3")]
    let builder = s3::register(builder);
    #[cfg(feature = "sqs")]
    let builder = sqs::register(builder);
    #[cfg(feature = "ssm")]
    let builder = ssm::register(builder);
    builder.build()
}

/// The services as a configuration reaches them.
async fn configured(
    config: &Object,
    environment: &Environment,
    outside: &Outside,
) -> Outcome<Client> {
    let mut configuration = Configuration::read(config, environment)?;
    configuration.access.network.first_pause = outside.pace.retry;
    let caller = Caller {
        clock: outside.clock.clone(),
        user_agent: outside.user_agent.clone(),
        log: outside.log.clone(),
    };
    let session = Session::open(configuration.access.clone(), &caller)
        .await
        .map_err(|problem| Diagnostic::error(problem.summary, problem.detail))?;
    configuration.check_region(session.region())?;
    Ok(Client::new(session, outside.clock.clone(), configuration))
}
