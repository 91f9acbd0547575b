//! Regions: which one it is where nobody says so, and the partitions that they lie in.

use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use terrace_backend_remote::Problem;

use crate::credentials::{metadata, shared_files};
use crate::{Identity, Web};

/// The region of the profile, or of the machine.
pub(crate) async fn find(identity: &Identity, web: &Web) -> Result<String, Problem> {
    let config = ProviderConfig::without_region().with_http_client(web.clone());
    let mut profile = ProfileFileRegionProvider::builder()
        .configure(&config)
        .profile_files(shared_files(identity));
    if let Some(name) = &identity.profile {
        profile = profile.profile_name(name);
    }
    if let Some(region) = profile.build().region().await {
        return Ok(region.to_string());
    }
    let has_keys = identity.given.is_some() || identity.environment.is_some();
    if !has_keys && identity.profile.is_none() && !identity.skip_metadata {
        let machine = ImdsRegionProvider::builder()
            .configure(&config)
            .imds_client(metadata(identity, &config)?)
            .build();
        if let Some(region) = machine.region().await {
            return Ok(region.to_string());
        }
    }
    Err(Problem::with(
        "region",
        "Missing region value",
        "The \"region\" attribute or the \"AWS_REGION\" or \"AWS_DEFAULT_REGION\" environment variables must be set, or the profile \
         must name a region.",
    ))
}

/// A partition of AWS: what does not share accounts with the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// What ARNs call it.
    pub id: &'static str,
    /// What the names of its hosts end with.
    pub dns_suffix: &'static str,
}

/// What the names of regions begin with, and the partition; the first that fits.
const PARTITIONS: [(&str, Partition); 7] = [
    ("cn-", Partition::new("aws-cn", "amazonaws.com.cn")),
    ("us-gov-", Partition::new("aws-us-gov", "amazonaws.com")),
    ("us-iso-", Partition::new("aws-iso", "c2s.ic.gov")),
    ("us-isob-", Partition::new("aws-iso-b", "sc2s.sgov.gov")),
    ("us-isof-", Partition::new("aws-iso-f", "csp.hci.ic.gov")),
    ("eu-isoe-", Partition::new("aws-iso-e", "cloud.adc-e.uk")),
    ("eusc-", Partition::new("aws-eusc", "amazonaws.eu")),
];

impl Partition {
    const fn new(name: &'static str, dns_suffix: &'static str) -> Self {
        Self {
            id: name,
            dns_suffix,
        }
    }

    /// The one that a region lies in.
    pub fn of_region(region: &str) -> Self {
        let found = PARTITIONS
            .iter()
            .find(|(prefix, _)| region.starts_with(prefix));
        found.map_or(Self::new("aws", "amazonaws.com"), |(_, partition)| {
            *partition
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_lie_in_partitions() {
        for (region, id) in [
            ("us-east-1", "aws"),
            ("eu-central-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(Partition::of_region(region).id, id, "{region}");
        }
    }
}
