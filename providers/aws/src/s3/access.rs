//! `aws_s3_bucket_public_access_block` and `aws_s3_bucket_ownership_controls`: whom a bucket may be open to, and whose its objects are.

use async_trait::async_trait;
use aws_sdk_s3::types::{
    ObjectOwnership, OwnershipControls as Controls, OwnershipControlsRule,
    PublicAccessBlockConfiguration,
};
use terrace_provider_sdk::{Object, Outcome, Schema, validate};

use super::place::Bucket;
use super::setting::Setting;
use crate::blocks::{all, block, blocks, given, text};
use crate::shape::Behaviour as _;

#[derive(Default)]
pub(crate) struct PublicAccessBlock;

const NO_BLOCK: &str = "NoSuchPublicAccessBlockConfiguration";

#[async_trait]
impl Setting for PublicAccessBlock {
    const NAME: &'static str = "aws_s3_bucket_public_access_block";
    const WHAT: &'static str = "S3 Bucket Public Access Block";

    fn behave(shape: Schema) -> Schema {
        shape.defaults_to_bool(&[
            ("block_public_acls", false),
            ("block_public_policy", false),
            ("ignore_public_acls", false),
            ("restrict_public_buckets", false),
        ])
    }

    async fn put(bucket: &Bucket<'_>, planned: &Object, doing: &'static str) -> Outcome<()> {
        let flag = |name: &str| planned.flag(name).unwrap_or(false);
        let settings = PublicAccessBlockConfiguration::builder()
            .block_public_acls(flag("block_public_acls"))
            .block_public_policy(flag("block_public_policy"))
            .ignore_public_acls(flag("ignore_public_acls"))
            .restrict_public_buckets(flag("restrict_public_buckets"))
            .build();
        bucket
            .change(doing, "s3:PutBucketPublicAccessBlock", || {
                bucket
                    .s3
                    .put_public_access_block()
                    .bucket(&bucket.name)
                    .public_access_block_configuration(settings.clone())
                    .send()
            })
            .await?;
        Ok(())
    }

    async fn get(bucket: &Bucket<'_>, _state: &Object) -> Outcome<Option<Object>> {
        let call = bucket
            .s3
            .get_public_access_block()
            .bucket(&bucket.name)
            .send();
        let told = bucket
            .look("s3:GetBucketPublicAccessBlock", &[NO_BLOCK], call)
            .await?;
        let Some(settings) = told.and_then(|told| told.public_access_block_configuration) else {
            return Ok(None);
        };
        let mut object = Object::new();
        let flags = [
            ("block_public_acls", settings.block_public_acls),
            ("block_public_policy", settings.block_public_policy),
            ("ignore_public_acls", settings.ignore_public_acls),
            ("restrict_public_buckets", settings.restrict_public_buckets),
        ];
        for (name, flag) in flags {
            object.set(name, flag.unwrap_or(false));
        }
        Ok(Some(object))
    }

    async fn delete(bucket: &Bucket<'_>, state: &Object) -> Outcome<()> {
        if state.flag("skip_destroy").unwrap_or(false) {
            return Ok(());
        }
        let call = bucket
            .s3
            .delete_public_access_block()
            .bucket(&bucket.name)
            .send();
        bucket
            .end("s3:PutBucketPublicAccessBlock", &[NO_BLOCK], call)
            .await
    }
}

#[derive(Default)]
pub(crate) struct OwnershipControls;

const NO_CONTROLS: &str = "OwnershipControlsNotFoundError";

#[async_trait]
impl Setting for OwnershipControls {
    const NAME: &'static str = "aws_s3_bucket_ownership_controls";
    const WHAT: &'static str = "S3 Bucket Ownership Controls";

    fn behave(shape: Schema) -> Schema {
        shape.within("rule", |rule| {
            rule.change("object_ownership", |ownership| {
                ownership.validate(validate::one_of([
                    "BucketOwnerPreferred",
                    "ObjectWriter",
                    "BucketOwnerEnforced",
                ]))
            })
        })
    }

    async fn put(bucket: &Bucket<'_>, planned: &Object, doing: &'static str) -> Outcome<()> {
        let rules = all(planned, "rule").into_iter().map(|rule| {
            let ownership = given(&rule, "object_ownership").unwrap_or_default();
            OwnershipControlsRule::builder()
                .object_ownership(ObjectOwnership::from(ownership.as_str()))
                .build()
                .expect("a rule with an owner is complete")
        });
        let controls = Controls::builder()
            .set_rules(Some(rules.collect()))
            .build()
            .expect("controls with rules are complete");
        bucket
            .change(doing, "s3:PutBucketOwnershipControls", || {
                bucket
                    .s3
                    .put_bucket_ownership_controls()
                    .bucket(&bucket.name)
                    .ownership_controls(controls.clone())
                    .send()
            })
            .await?;
        Ok(())
    }

    async fn get(bucket: &Bucket<'_>, _state: &Object) -> Outcome<Option<Object>> {
        let call = bucket
            .s3
            .get_bucket_ownership_controls()
            .bucket(&bucket.name)
            .send();
        let told = bucket
            .look("s3:GetBucketOwnershipControls", &[NO_CONTROLS], call)
            .await?;
        let Some(controls) = told.and_then(|told| told.ownership_controls) else {
            return Ok(None);
        };
        let rules = controls.rules.iter().map(|rule| {
            block([(
                "object_ownership",
                text(Some(rule.object_ownership.as_str())),
            )])
        });
        let mut object = Object::new();
        object.set("rule", blocks(rules));
        Ok(Some(object))
    }

    async fn delete(bucket: &Bucket<'_>, _state: &Object) -> Outcome<()> {
        let call = bucket
            .s3
            .delete_bucket_ownership_controls()
            .bucket(&bucket.name)
            .send();
        bucket
            .end("s3:PutBucketOwnershipControls", &[NO_CONTROLS], call)
            .await
    }
}
