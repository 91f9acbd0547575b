//! Buckets as their parts see them: reached, refused, gone, and by which names the world knows them.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use terrace_provider_sdk::{Diagnostic, Object, Outcome};

use crate::failure::{Answered as _, Subject, is_one_of};
use crate::kind::{Context, id};

/// What S3 says of a bucket that is not there.
pub(super) const NO_BUCKET: &str = "NoSuchBucket";

/// How long S3 may take to tell everywhere of a bucket that was just made.
const UNTIL_KNOWN: Duration = Duration::from_secs(10);

/// A bucket whose part an object is.
pub(super) struct Bucket<'c> {
    pub(super) context: &'c Context,
    pub(super) s3: Client,
    pub(super) name: String,
    /// The account that it must belong to.
    pub(super) owner: Option<String>,
    pub(super) subject: Subject,
}

impl<'c> Bucket<'c> {
    /// The bucket that an object names.
    pub(super) fn of(
        context: &'c Context,
        object: &Object,
        subject: fn(String) -> Subject,
    ) -> Self {
        let (from_id, _) = split_id(id(object));
        let name = object.text("bucket").unwrap_or(from_id).to_owned();
        let owner = object.text("expected_bucket_owner");
        Self {
            context,
            s3: context.client.s3(&context.region),
            owner: owner.filter(|owner| !owner.is_empty()).map(str::to_owned),
            subject: subject(name.clone()),
            name,
        }
    }

    /// The id of a part that there is once in a bucket.
    pub(super) fn id(&self) -> String {
        match &self.owner {
            Some(owner) => format!("{},{owner}", self.name),
            None => self.name.clone(),
        }
    }

    /// Changes something of it. A bucket that S3 does not know yet may have been made a moment ago, and another change may be
    /// under way.
    pub(super) async fn change<T, E, F>(
        &self,
        doing: &str,
        permission: &str,
        call: impl Fn() -> F + Send + Sync,
    ) -> Outcome<T>
    where
        T: Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    {
        let transient = [NO_BUCKET, "OperationAborted"];
        let changed = self
            .context
            .patience(UNTIL_KNOWN)
            .look(|| async {
                call()
                    .await
                    .unless_gone(&transient, doing, &self.subject, permission)
            })
            .await?;
        if let Some(changed) = changed {
            return Ok(changed);
        }
        match call().await {
            Err(error) if is_one_of(&error, &[NO_BUCKET]) => Err(self.missing(doing).into()),
            answer => answer.when(doing, &self.subject, permission),
        }
    }

    fn missing(&self, doing: &str) -> Diagnostic {
        Diagnostic::error(
            "S3 bucket does not exist",
            format!(
                "There is no bucket {:?} in {}, so that {doing} {} is impossible. It may have been deleted outside of this configuration, or live in another region or account. Refer to the bucket by its resource (bucket = aws_s3_bucket.NAME.bucket), so that it is made first, and see whether a plan makes it again.",
                self.name, self.context.region, self.subject
            ),
        )
    }

    /// Ends something of it. What is gone already, or went with the bucket, is no error.
    pub(super) async fn end<T, E>(
        &self,
        permission: &str,
        gone: &[&str],
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    ) -> Outcome<()>
    where
        T: Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        match call.await {
            Err(error) if is_one_of(&error, &[NO_BUCKET]) => Ok(()),
            answer => {
                answer.unless_gone(gone, "deleting", &self.subject, permission)?;
                Ok(())
            }
        }
    }

    /// Reads something of it; `None` where it is gone, or the whole bucket is.
    pub(super) async fn look<T, E>(
        &self,
        permission: &str,
        gone: &[&str],
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    ) -> Outcome<Option<T>>
    where
        T: Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        match call.await {
            Err(error) if is_one_of(&error, &[NO_BUCKET]) => Ok(None),
            answer => answer.unless_gone(gone, "reading", &self.subject, permission),
        }
    }
}

/// The bucket and the account that an id names: `bucket` or `bucket,account`.
pub(super) fn split_id(id: &str) -> (&str, Option<&str>) {
    match id.rsplit_once(',') {
        Some((bucket, owner)) => (bucket, Some(owner)),
        None => (id, None),
    }
}

/// The zones of Route 53 that websites in buckets are in, by region.
const HOSTED_ZONES: [(&str, &str); 34] = [
    ("Z83WF9RJE8B12", "af-south-1"),
    ("ZNB98KWMFR0R6", "ap-east-1"),
    ("Z2M4EHUR26P7ZW", "ap-northeast-1"),
    ("Z3W03O7B5YMIYP", "ap-northeast-2"),
    ("Z2YQB5RD63NC85", "ap-northeast-3"),
    ("Z11RGJOFQNVJUP", "ap-south-1"),
    ("Z02976202B4EZMXIPMXF7", "ap-south-2"),
    ("Z3O0J2DXBE1FTB", "ap-southeast-1"),
    ("Z1WCIGYICN2BYD", "ap-southeast-2"),
    ("Z01846753K324LI26A3VV", "ap-southeast-3"),
    ("Z0312387243XT5FE14WFO", "ap-southeast-4"),
    ("Z08660063OXLMA7F1FJHU", "ap-southeast-5"),
    ("Z1QDHH18159H29", "ca-central-1"),
    ("Z03565811Z33SLEZTHOUL", "ca-west-1"),
    ("Z5CN8UMXT92WN", "cn-north-1"),
    ("Z282HJ1KT0DH03", "cn-northwest-1"),
    ("Z21DNDUVLTQW6Q", "eu-central-1"),
    ("Z030506016YDQGETNASS", "eu-central-2"),
    ("Z3BAZG2TWCNX0D", "eu-north-1"),
    ("Z30OZKI7KPW7MI", "eu-south-1"),
    ("Z0081959F7139GRJC19J", "eu-south-2"),
    ("Z1BKCTXD74EZPE", "eu-west-1"),
    ("Z3GKZC51ZF0DB4", "eu-west-2"),
    ("Z3R1K369G5AVDG", "eu-west-3"),
    ("Z09640613K4A3MN55U7GU", "il-central-1"),
    ("Z06143092I8HRXZRUZROF", "me-central-1"),
    ("Z1MPMWCPA7YB62", "me-south-1"),
    ("Z7KQH4QJS55SO", "sa-east-1"),
    ("Z3AQBSTGFYJSTF", "us-east-1"),
    ("Z2O1EMRO9K5GLX", "us-east-2"),
    ("Z2NIFVYYW2VKV1", "us-gov-east-1"),
    ("Z31GFT0UA1I2HV", "us-gov-west-1"),
    ("Z2F56UZL2M1ACD", "us-west-1"),
    ("Z3BJ6K6RIION7M", "us-west-2"),
];

/// Regions whose websites are named with a dash before the region.
const DASHED: [&str; 9] = [
    "ap-northeast-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "eu-west-1",
    "sa-east-1",
    "us-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// The zone of Route 53 that websites in a region are in, as far as AWS has published it.
pub(super) fn hosted_zone(region: &str) -> Option<&'static str> {
    let found = HOSTED_ZONES.iter().find(|(_, id)| *id == region)?;
    Some(found.0)
}

/// What the names of websites in a region end with.
pub(super) fn website_domain(region: &str) -> String {
    let suffix = crate::client::Client::partition(region).dns_suffix;
    let between = if DASHED.contains(&region) { '-' } else { '.' };
    format!("s3-website{between}{region}.{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_may_name_the_account_that_a_bucket_belongs_to() {
        assert_eq!(split_id("logs"), ("logs", None));
        assert_eq!(
            split_id("logs,123456789012"),
            ("logs", Some("123456789012"))
        );
    }

    #[test]
    fn zones_are_known_by_region() {
        assert_eq!(hosted_zone("eu-west-1"), Some("Z1BKCTXD74EZPE"));
        assert_eq!(hosted_zone("xx-new-1"), None);
    }
}
