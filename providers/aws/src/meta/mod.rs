//! Facts about the account, the region and the partition.

mod regions;

use async_trait::async_trait;
use terrace_provider_sdk::{Diagnostic, Object, Outcome};

use crate::Builder;
use crate::blocks::given;
use crate::client::Client;
use crate::kind::{Context, Looked, Source};

/// Adds its types.
pub(crate) fn register(builder: Builder) -> Builder {
    builder
        .data_source(Looked::<CallerIdentity>::default())
        .data_source(Looked::<Region>::default())
        .data_source(Looked::<Partition>::default())
}

/// Who is signed in.
#[derive(Default)]
struct CallerIdentity;

#[async_trait]
impl Source for CallerIdentity {
    const NAME: &'static str = "aws_caller_identity";
    const WHAT: &'static str = "Caller Identity";

    async fn read(&self, context: &Context, _config: &Object) -> Outcome<Object> {
        let who = context.client.identity().await?;
        let mut object = Object::new();
        object.set("id", who.account.as_str());
        object.set("account_id", who.account.as_str());
        object.set("arn", who.arn.as_str());
        object.set("user_id", who.user_id.as_str());
        Ok(object)
    }
}

/// A region.
#[derive(Default)]
struct Region;

#[async_trait]
impl Source for Region {
    const NAME: &'static str = "aws_region";
    const WHAT: &'static str = "Region";

    async fn read(&self, context: &Context, config: &Object) -> Outcome<Object> {
        let wanted = given(config, "endpoint");
        let name = match (
            given(config, "region").or_else(|| given(config, "name")),
            wanted,
        ) {
            (Some(name), _) => name,
            (None, Some(host)) => region_of(&host)?,
            (None, None) => context.region.clone(),
        };
        let suffix = Client::partition(&name).dns_suffix;
        let mut object = Object::new();
        object.set("id", name.as_str());
        object.set("name", name.as_str());
        object.set("region", name.as_str());
        object.set("description", regions::description(&name));
        object.set("endpoint", format!("ec2.{name}.{suffix}"));
        Ok(object)
    }
}

/// The region whose EC2 answers at a host.
fn region_of(host: &str) -> Outcome<String> {
    let region = host
        .strip_prefix("ec2.")
        .and_then(|rest| rest.split('.').next());
    match region {
        Some(region) if regions::description(region).is_some() => Ok(region.to_owned()),
        _ => Err(Diagnostic::error(
            "Region not found",
            format!("No region has the endpoint {host:?}. Endpoints are those of EC2, such as ec2.eu-west-1.amazonaws.com."),
        )
        .into()),
    }
}

/// The partition of AWS that the provider is configured to.
#[derive(Default)]
struct Partition;

#[async_trait]
impl Source for Partition {
    const NAME: &'static str = "aws_partition";
    const WHAT: &'static str = "Partition";

    async fn read(&self, context: &Context, _config: &Object) -> Outcome<Object> {
        let partition = Client::partition(&context.region);
        let reversed: Vec<&str> = partition.dns_suffix.split('.').rev().collect();
        let mut object = Object::new();
        object.set("id", partition.id);
        object.set("partition", partition.id);
        object.set("dns_suffix", partition.dns_suffix);
        object.set("reverse_dns_prefix", reversed.join("."));
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_found_by_its_endpoint() {
        assert_eq!(
            region_of("ec2.eu-west-1.amazonaws.com").unwrap(),
            "eu-west-1"
        );
        assert!(region_of("ec2.nowhere-1.amazonaws.com").is_err());
        assert!(region_of("sqs.eu-west-1.amazonaws.com").is_err());
    }
}
