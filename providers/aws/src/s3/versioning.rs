//! `aws_s3_bucket_versioning`.

use async_trait::async_trait;
use aws_sdk_s3::types::{
    BucketVersioningStatus, MfaDelete, MfaDeleteStatus, VersioningConfiguration,
};
use terrace_provider_sdk::{Object, Outcome, Plan, Schema, attribute, validate};

use super::place::Bucket;
use super::setting::Setting;
use crate::blocks::{block, blocks, given, one, text};
use crate::client::Client;
use crate::shape::Behaviour as _;

/// What the status of a bucket is called that never had versions. S3 knows no such word, and no way back to it.
const NEVER: &str = "Disabled";

#[derive(Default)]
pub(crate) struct Versioning;

/// What is configured of the status.
fn status(object: &Object) -> Option<String> {
    given(&one(object, "versioning_configuration")?, "status")
}

#[async_trait]
impl Setting for Versioning {
    const NAME: &'static str = "aws_s3_bucket_versioning";
    const WHAT: &'static str = "S3 Bucket Versioning";

    fn behave(shape: Schema) -> Schema {
        shape.within("versioning_configuration", |block| {
            block
                .change("status", |status| {
                    status.validate(validate::one_of(["Enabled", "Suspended", NEVER]))
                })
                .change("mfa_delete", |mfa| {
                    mfa.validate(validate::one_of(["Enabled", "Disabled"]))
                })
        })
    }

    fn plan(plan: &mut Plan<Client>) {
        let before = plan.prior.as_ref().and_then(status);
        let after = plan.planned.as_ref().and_then(status);
        if let (Some(before), Some(after)) = (before, after)
            && before != NEVER
            && after == NEVER
        {
            plan.diagnostics.error_at(
                attribute("versioning_configuration"),
                "Versioning cannot be disabled again",
                format!("A bucket that has had versions keeps them: the status cannot go from {before:?} to {NEVER:?}. Set it to \"Suspended\", so that no further versions are kept."),
            );
        }
    }

    async fn put(bucket: &Bucket<'_>, planned: &Object, doing: &'static str) -> Outcome<()> {
        let settings = one(planned, "versioning_configuration").unwrap_or_default();
        let status = given(&settings, "status").unwrap_or_default();
        if status == NEVER {
            return Ok(());
        }
        let settings = VersioningConfiguration::builder()
            .status(BucketVersioningStatus::from(status.as_str()))
            .set_mfa_delete(given(&settings, "mfa_delete").map(|mfa| MfaDelete::from(mfa.as_str())))
            .build();
        bucket
            .change(doing, "s3:PutBucketVersioning", || {
                bucket
                    .s3
                    .put_bucket_versioning()
                    .bucket(&bucket.name)
                    .set_expected_bucket_owner(bucket.owner.clone())
                    .set_mfa(given(planned, "mfa"))
                    .versioning_configuration(settings.clone())
                    .send()
            })
            .await?;
        Ok(())
    }

    async fn get(bucket: &Bucket<'_>, _state: &Object) -> Outcome<Option<Object>> {
        let call = bucket
            .s3
            .get_bucket_versioning()
            .bucket(&bucket.name)
            .set_expected_bucket_owner(bucket.owner.clone())
            .send();
        let Some(told) = bucket.look("s3:GetBucketVersioning", &[], call).await? else {
            return Ok(None);
        };
        let status = told
            .status
            .as_ref()
            .map_or(NEVER, BucketVersioningStatus::as_str);
        let settings = block([
            ("status", text(Some(status))),
            (
                "mfa_delete",
                text(told.mfa_delete.as_ref().map(MfaDeleteStatus::as_str)),
            ),
        ]);
        let mut object = Object::new();
        object.set("versioning_configuration", blocks([settings]));
        Ok(Some(object))
    }

    async fn delete(bucket: &Bucket<'_>, state: &Object) -> Outcome<()> {
        if status(state).as_deref() == Some(NEVER) {
            return Ok(());
        }
        let suspended = VersioningConfiguration::builder()
            .status(BucketVersioningStatus::Suspended)
            .build();
        let call = bucket
            .s3
            .put_bucket_versioning()
            .bucket(&bucket.name)
            .set_expected_bucket_owner(bucket.owner.clone())
            .set_mfa(given(state, "mfa"))
            .versioning_configuration(suspended)
            .send();
        // A bucket with object lock keeps its versions for good.
        bucket
            .end("s3:PutBucketVersioning", &["InvalidBucketState"], call)
            .await
    }
}
