//! `aws_s3_bucket_logging`.

use async_trait::async_trait;
use aws_sdk_s3::types::{
    BucketLoggingStatus, BucketLogsPermission, LoggingEnabled, PartitionDateSource,
    PartitionedPrefix, SimplePrefix, TargetGrant, TargetObjectKeyFormat,
};
use terrace_provider_sdk::{Object, Outcome, Schema, Value, validate};

use super::acl::{grantee, told_grantee};
use super::place::Bucket;
use super::setting::Setting;
use crate::blocks::{all, block, blocks, given, one, text};
use crate::shape::Behaviour as _;

#[derive(Default)]
pub(crate) struct Logging;

#[async_trait]
impl Setting for Logging {
    const NAME: &'static str = "aws_s3_bucket_logging";
    const WHAT: &'static str = "S3 Bucket Logging";

    fn behave(shape: Schema) -> Schema {
        shape
            .within("target_grant", |grant| {
                grant.change("permission", |permission| {
                    permission.validate(validate::one_of(["FULL_CONTROL", "READ", "WRITE"]))
                })
            })
            .within("target_object_key_format", |format| {
                format.within("partitioned_prefix", |prefix| {
                    prefix.change("partition_date_source", |source| {
                        source.validate(validate::one_of(["EventTime", "DeliveryTime"]))
                    })
                })
            })
    }

    async fn put(bucket: &Bucket<'_>, planned: &Object, doing: &'static str) -> Outcome<()> {
        let grants: Vec<TargetGrant> = all(planned, "target_grant").iter().map(grant).collect();
        let format = one(planned, "target_object_key_format");
        let logging = LoggingEnabled::builder()
            .target_bucket(given(planned, "target_bucket").unwrap_or_default())
            .target_prefix(given(planned, "target_prefix").unwrap_or_default())
            .set_target_grants((!grants.is_empty()).then_some(grants))
            .set_target_object_key_format(format.as_ref().map(key_format))
            .build()
            .expect("logging with a bucket and a prefix is complete");
        let status = BucketLoggingStatus::builder()
            .logging_enabled(logging)
            .build();
        bucket
            .change(doing, "s3:PutBucketLogging", || {
                bucket
                    .s3
                    .put_bucket_logging()
                    .bucket(&bucket.name)
                    .set_expected_bucket_owner(bucket.owner.clone())
                    .bucket_logging_status(status.clone())
                    .send()
            })
            .await?;
        Ok(())
    }

    async fn get(bucket: &Bucket<'_>, _state: &Object) -> Outcome<Option<Object>> {
        let call = bucket
            .s3
            .get_bucket_logging()
            .bucket(&bucket.name)
            .set_expected_bucket_owner(bucket.owner.clone())
            .send();
        let told = bucket.look("s3:GetBucketLogging", &[], call).await?;
        let Some(logging) = told.and_then(|told| told.logging_enabled) else {
            return Ok(None);
        };
        let mut object = Object::new();
        object.set("target_bucket", logging.target_bucket.clone());
        object.set("target_prefix", logging.target_prefix.clone());
        object.set(
            "target_grant",
            blocks(logging.target_grants().iter().map(told_grant)),
        );
        let format = logging.target_object_key_format.as_ref().map(told_format);
        object.set("target_object_key_format", blocks(format));
        Ok(Some(object))
    }

    async fn delete(bucket: &Bucket<'_>, _state: &Object) -> Outcome<()> {
        let call = bucket
            .s3
            .put_bucket_logging()
            .bucket(&bucket.name)
            .set_expected_bucket_owner(bucket.owner.clone())
            .bucket_logging_status(BucketLoggingStatus::builder().build())
            .send();
        bucket.end("s3:PutBucketLogging", &[], call).await
    }
}

fn grant(grant: &Object) -> TargetGrant {
    let permission = given(grant, "permission").unwrap_or_default();
    TargetGrant::builder()
        .set_grantee(one(grant, "grantee").as_ref().map(grantee))
        .permission(BucketLogsPermission::from(permission.as_str()))
        .build()
}

fn told_grant(grant: &TargetGrant) -> Value {
    block([
        ("grantee", blocks(grant.grantee.as_ref().map(told_grantee))),
        (
            "permission",
            text(grant.permission.as_ref().map(BucketLogsPermission::as_str)),
        ),
    ])
}

fn key_format(format: &Object) -> TargetObjectKeyFormat {
    let partitioned = one(format, "partitioned_prefix").map(|prefix| {
        let source = given(&prefix, "partition_date_source").unwrap_or_default();
        PartitionedPrefix::builder()
            .partition_date_source(PartitionDateSource::from(source.as_str()))
            .build()
    });
    let simple = one(format, "simple_prefix").map(|_| SimplePrefix::builder().build());
    TargetObjectKeyFormat::builder()
        .set_partitioned_prefix(partitioned)
        .set_simple_prefix(simple)
        .build()
}

fn told_format(format: &TargetObjectKeyFormat) -> Value {
    let partitioned = format.partitioned_prefix.as_ref().map(|prefix| {
        let source = prefix.partition_date_source.as_ref();
        block([(
            "partition_date_source",
            text(source.map(PartitionDateSource::as_str)),
        )])
    });
    let simple = format.simple_prefix.as_ref().map(|_| block([]));
    block([
        ("partitioned_prefix", blocks(partitioned)),
        ("simple_prefix", blocks(simple)),
    ])
}
