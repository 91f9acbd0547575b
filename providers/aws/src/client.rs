//! The services of AWS as one provider's configuration reaches them.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use terrace_aws_access::{CallerIdentity, Partition, Session};
use terrace_port::Clock;
use terrace_provider_sdk::{Diagnostic, Outcome};

use crate::configuration::Configuration;
use crate::tags::TagRules;

/// A client of some service.
type AnyClient = Arc<dyn Any + Send + Sync>;

/// What the provider is configured to: who it is, where, and how it tags.
pub struct Client {
    session: Session,
    clock: Arc<dyn Clock>,
    tags: TagRules,
    path_style: bool,
    /// Clients of services, each by service and region: they hold connections and what is known of retries.
    made: Mutex<BTreeMap<(&'static str, String), AnyClient>>,
}

impl Client {
    /// Clients of a session are made when they are first used; nobody signs in before.
    pub(crate) fn new(
        session: Session,
        clock: Arc<dyn Clock>,
        configuration: Configuration,
    ) -> Self {
        Self {
            session,
            clock,
            tags: TagRules {
                defaults: configuration.default_tags,
                ignored: configuration.ignored_tags,
            },
            path_style: configuration.s3_path_style,
            made: Mutex::default(),
        }
    }

    /// Seconds and nanoseconds since 1970-01-01 UTC.
    pub(crate) fn now(&self) -> (i64, u32) {
        self.clock.now()
    }

    /// The region that the provider is configured to.
    pub(crate) fn region(&self) -> &str {
        self.session.region()
    }

    /// What is to be done about tags.
    pub(crate) const fn tags(&self) -> &TagRules {
        &self.tags
    }

    /// Who is signed in.
    pub(crate) async fn identity(&self) -> Outcome<&CallerIdentity> {
        self.session
            .identity()
            .await
            .map_err(|problem| Diagnostic::error(problem.summary, problem.detail).into())
    }

    /// The account that objects belong to.
    pub(crate) async fn account(&self) -> Outcome<&str> {
        Ok(&self.identity().await?.account)
    }

    /// The partition of a region.
    pub(crate) fn partition(region: &str) -> Partition {
        Partition::of_region(region)
    }

    fn service<T: Clone + Send + Sync + 'static>(
        &self,
        service: &'static str,
        region: &str,
        make: impl FnOnce(&SdkConfig) -> T,
    ) -> T {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (service, region.to_owned());
        if let Some(client) = made.get(&key).and_then(|client| client.downcast_ref::<T>()) {
            return client.clone();
        }
        let client = make(&self.session.config_in(service, region));
        made.insert(key, Arc::new(client.clone()));
        client
    }
}

/// Clients of services, by the names that endpoints are configured by.
macro_rules! services {
    ($($feature:literal $name:ident $crate_name:ident $endpoint:literal $what:literal)*) => {
        impl Client {
            $(
                #[cfg(feature = $feature)]
                #[doc = $what]
                pub(crate) fn $name(&self, region: &str) -> $crate_name::Client {
                    self.service($endpoint, region, |config| {
                        let config = $crate_name::config::Builder::from(config)
                            .retry_partition(self.session.retry_partition($endpoint))
                            .build();
                        $crate_name::Client::from_conf(config)
                    })
                }
            )*
        }
    };
}
services! {
    "cloudcontrol" cloudcontrol aws_sdk_cloudcontrol "cloudcontrol" "Cloud Control."
    "cloudfront" cloudfront aws_sdk_cloudfront "cloudfront" "CloudFront."
    "cloudwatch" cloudwatch aws_sdk_cloudwatch "cloudwatch" "CloudWatch."
    "dynamodb" dynamodb aws_sdk_dynamodb "dynamodb" "DynamoDB."
    "ecr" ecr aws_sdk_ecr "ecr" "ECR."
    "events" events aws_sdk_eventbridge "events" "EventBridge."
    "iam" iam aws_sdk_iam "iam" "IAM."
    "kms" kms aws_sdk_kms "kms" "KMS."
    "lambda" lambda aws_sdk_lambda "lambda" "Lambda."
    "logs" logs aws_sdk_cloudwatchlogs "logs" "CloudWatch Logs."
    "sqs" sqs aws_sdk_sqs "sqs" "SQS."
    "ssm" ssm aws_sdk_ssm "ssm" "SSM."
}

#[cfg(feature = "s3")]
impl Client {
    /// S3, by paths where the provider says so.
    pub(crate) fn s3(&self, region: &str) -> aws_sdk_s3::Client {
        self.service("s3", region, |config| {
            let config = aws_sdk_s3::config::Builder::from(config)
                .retry_partition(self.session.retry_partition("s3"))
                .force_path_style(self.path_style)
                .build();
            aws_sdk_s3::Client::from_conf(config)
        })
    }
}
