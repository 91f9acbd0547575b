//! `aws_s3_bucket_policy`.

use async_trait::async_trait;
use terrace_provider_sdk::{Object, Outcome, Schema};

use super::place::Bucket;
use super::setting::Setting;
use crate::policy;

#[derive(Default)]
pub(crate) struct Policy;

#[async_trait]
impl Setting for Policy {
    const NAME: &'static str = "aws_s3_bucket_policy";
    const WHAT: &'static str = "S3 Bucket Policy";

    fn behave(shape: Schema) -> Schema {
        shape.change("policy", policy::compared)
    }

    async fn put(bucket: &Bucket<'_>, planned: &Object, doing: &'static str) -> Outcome<()> {
        let policy = planned.text("policy").unwrap_or_default();
        bucket
            .change(doing, "s3:PutBucketPolicy", || {
                bucket
                    .s3
                    .put_bucket_policy()
                    .bucket(&bucket.name)
                    .policy(policy)
                    .send()
            })
            .await?;
        Ok(())
    }

    async fn get(bucket: &Bucket<'_>, state: &Object) -> Outcome<Option<Object>> {
        let call = bucket.s3.get_bucket_policy().bucket(&bucket.name).send();
        let told = bucket
            .look("s3:GetBucketPolicy", &["NoSuchBucketPolicy"], call)
            .await?;
        let Some(told) = told.and_then(|told| told.policy) else {
            return Ok(None);
        };
        let before = state.text("policy").unwrap_or_default();
        let mut object = Object::new();
        object.set("policy", policy::keep(before, &told));
        Ok(Some(object))
    }

    async fn delete(bucket: &Bucket<'_>, _state: &Object) -> Outcome<()> {
        let call = bucket.s3.delete_bucket_policy().bucket(&bucket.name).send();
        bucket
            .end("s3:DeleteBucketPolicy", &["NoSuchBucketPolicy"], call)
            .await
    }
}
