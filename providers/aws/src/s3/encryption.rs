//! `aws_s3_bucket_server_side_encryption_configuration`.

use async_trait::async_trait;
use aws_sdk_s3::types::{
    BlockedEncryptionTypes, EncryptionType, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use terrace_provider_sdk::{Object, Outcome, Schema, Value, validate};

use super::place::Bucket;
use super::setting::Setting;
use crate::blocks::{all, block, blocks, given, list, one, text, texts};
use crate::shape::Behaviour as _;

#[derive(Default)]
pub(crate) struct Encryption;

#[async_trait]
impl Setting for Encryption {
    const NAME: &'static str = "aws_s3_bucket_server_side_encryption_configuration";
    const WHAT: &'static str = "S3 Bucket Encryption";

    fn behave(shape: Schema) -> Schema {
        shape.within("rule", |rule| {
            rule.change("blocked_encryption_types", |types| {
                types.validate(validate::each(validate::one_of(["NONE", "SSE-C"])))
            })
            .within("apply_server_side_encryption_by_default", |default| {
                default.change("sse_algorithm", |algorithm| {
                    algorithm.validate(validate::one_of([
                        "AES256",
                        "aws:fsx",
                        "aws:kms",
                        "aws:kms:dsse",
                    ]))
                })
            })
        })
    }

    async fn put(bucket: &Bucket<'_>, planned: &Object, doing: &'static str) -> Outcome<()> {
        let rules = all(planned, "rule").iter().map(rule).collect();
        let settings = ServerSideEncryptionConfiguration::builder()
            .set_rules(Some(rules))
            .build()
            .expect("a configuration with rules is complete");
        bucket
            .change(doing, "s3:PutEncryptionConfiguration", || {
                bucket
                    .s3
                    .put_bucket_encryption()
                    .bucket(&bucket.name)
                    .set_expected_bucket_owner(bucket.owner.clone())
                    .server_side_encryption_configuration(settings.clone())
                    .send()
            })
            .await?;
        Ok(())
    }

    async fn get(bucket: &Bucket<'_>, _state: &Object) -> Outcome<Option<Object>> {
        let call = bucket
            .s3
            .get_bucket_encryption()
            .bucket(&bucket.name)
            .set_expected_bucket_owner(bucket.owner.clone())
            .send();
        let gone = ["ServerSideEncryptionConfigurationNotFoundError"];
        let told = bucket
            .look("s3:GetEncryptionConfiguration", &gone, call)
            .await?;
        let settings = told.and_then(|told| told.server_side_encryption_configuration);
        let Some(settings) = settings.filter(|settings| !settings.rules.is_empty()) else {
            return Ok(None);
        };
        let mut object = Object::new();
        object.set("rule", blocks(settings.rules.iter().map(told_rule)));
        Ok(Some(object))
    }

    async fn delete(bucket: &Bucket<'_>, _state: &Object) -> Outcome<()> {
        let call = bucket
            .s3
            .delete_bucket_encryption()
            .bucket(&bucket.name)
            .set_expected_bucket_owner(bucket.owner.clone())
            .send();
        let gone = ["ServerSideEncryptionConfigurationNotFoundError"];
        bucket
            .end("s3:PutEncryptionConfiguration", &gone, call)
            .await
    }
}

fn rule(rule: &Object) -> ServerSideEncryptionRule {
    let default = one(rule, "apply_server_side_encryption_by_default").map(|default| {
        let algorithm = given(&default, "sse_algorithm").unwrap_or_default();
        ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::from(algorithm.as_str()))
            .set_kms_master_key_id(given(&default, "kms_master_key_id"))
            .build()
            .expect("a default with an algorithm is complete")
    });
    let blocked = texts(rule, "blocked_encryption_types").map(|types| {
        let types = types.iter().map(|ty| EncryptionType::from(ty.as_str()));
        BlockedEncryptionTypes::builder()
            .set_encryption_type(Some(types.collect()))
            .build()
    });
    ServerSideEncryptionRule::builder()
        .set_apply_server_side_encryption_by_default(default)
        .set_bucket_key_enabled(rule.flag("bucket_key_enabled"))
        .set_blocked_encryption_types(blocked)
        .build()
}

/// A rule as states have it.
fn told_rule(rule: &ServerSideEncryptionRule) -> Value {
    let blocked: Vec<&str> = rule
        .blocked_encryption_types
        .iter()
        .flat_map(BlockedEncryptionTypes::encryption_type)
        .map(EncryptionType::as_str)
        .collect();
    block([
        (
            "apply_server_side_encryption_by_default",
            blocks(
                rule.apply_server_side_encryption_by_default
                    .as_ref()
                    .map(told_default),
            ),
        ),
        (
            "bucket_key_enabled",
            Value::bool(rule.bucket_key_enabled.unwrap_or(false)),
        ),
        ("blocked_encryption_types", list(&blocked)),
    ])
}

/// What is done with objects that say nothing of it.
fn told_default(default: &ServerSideEncryptionByDefault) -> Value {
    block([
        ("sse_algorithm", text(Some(default.sse_algorithm.as_str()))),
        (
            "kms_master_key_id",
            text(default.kms_master_key_id.as_deref()),
        ),
    ])
}

/// A rule as `aws_s3_bucket` shows it.
pub(super) fn old_rule(rule: &ServerSideEncryptionRule) -> Value {
    let default = rule.apply_server_side_encryption_by_default.as_ref();
    block([
        (
            "apply_server_side_encryption_by_default",
            blocks(default.map(told_default)),
        ),
        (
            "bucket_key_enabled",
            Value::bool(rule.bucket_key_enabled.unwrap_or(false)),
        ),
    ])
}
