//! AWS without a plugin: types of hashicorp/aws 6.48, with its schemas, states and import ids, on the AWS SDK.
//!
//! Configurations use it unchanged, by `native { include = ["hashicorp/aws"] }` in the CLI configuration; it is a plugin too
//! (`examples/serve.rs`). Each service is a feature of the crate. What it has no type for, `aws_cloudcontrolapi_resource`
//! manages through Cloud Control, as far as that goes.
//!
//! A type is its shape (attributes and blocks, data in `shapes.json`), what the shape does not tell (replacements, defaults,
//! what the service fills in) and its calls: a `Kind`, beside the service's other types. What all have in common (regions, tags,
//! objects of which AWS tells late, or which were made by half) is told once, by `Managed`.

mod client;
mod configuration;
mod failure;
mod kind;
mod meta;
mod shape;
mod tags;
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

use terrace_provider_sdk::{Provider, ProviderBuilder};

pub use client::Client;
pub use configuration::Outside;

/// The version of hashicorp/aws whose schemas it has.
pub const VERSION: &str = "6.48.0";

/// Types being added to the provider.
type Builder = ProviderBuilder<Client>;

/// The provider, reached and signed in with what is outside.
pub fn provider(outside: Outside) -> Provider<Client> {
    let builder = Provider::configured(configuration::schema(), move |config| {
        configuration::configure(config, outside.clone())
    })
    .check(configuration::check);
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
