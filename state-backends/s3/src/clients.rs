//! Clients of the services, signed in.

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use terrace_aws_access::{Caller, Session};
use terrace_backend_remote::{Problem, Surroundings};

use crate::settings::Settings;

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
        let caller = Caller::within(surroundings);
        let session = Session::open(settings.access.clone(), &caller).await?;
        session.sign_in().await?;
        Ok(Self {
            s3: s3(settings, &session.config_for("s3")),
            dynamodb: dynamodb(&session.config_for("dynamodb")),
        })
    }
}

fn s3(settings: &Settings, config: &SdkConfig) -> aws_sdk_s3::Client {
    let mut builder = aws_sdk_s3::config::Builder::from(config)
        .force_path_style(settings.path_style)
        // What is asked again, and when, is decided by who knows what is being written.
        .retry_config(RetryConfig::disabled());
    if settings.skip_checksum {
        builder = builder
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    }
    aws_sdk_s3::Client::from_conf(builder.build())
}

fn dynamodb(config: &SdkConfig) -> aws_sdk_dynamodb::Client {
    let builder =
        aws_sdk_dynamodb::config::Builder::from(config).retry_config(RetryConfig::disabled());
    aws_sdk_dynamodb::Client::from_conf(builder.build())
}
