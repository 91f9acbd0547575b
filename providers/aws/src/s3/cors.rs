//! `aws_s3_bucket_cors_configuration`.

use async_trait::async_trait;
use aws_sdk_s3::types::{CorsConfiguration, CorsRule};
use terrace_provider_sdk::{Object, Outcome, Schema, Value, validate};

use super::place::Bucket;
use super::setting::Setting;
use crate::blocks::{all, block, blocks, given, list, number_or_null, text, texts};
use crate::shape::Behaviour as _;

const GONE: &str = "NoSuchCORSConfiguration";

#[derive(Default)]
pub(crate) struct Cors;

#[async_trait]
impl Setting for Cors {
    const NAME: &'static str = "aws_s3_bucket_cors_configuration";
    const WHAT: &'static str = "S3 Bucket CORS Configuration";

    fn behave(shape: Schema) -> Schema {
        shape.within("cors_rule", |rule| {
            rule.change("id", |id| id.validate(validate::length(0..=255)))
        })
    }

    async fn put(bucket: &Bucket<'_>, planned: &Object, doing: &'static str) -> Outcome<()> {
        let rules = all(planned, "cors_rule").iter().map(rule).collect();
        let settings = CorsConfiguration::builder()
            .set_cors_rules(Some(rules))
            .build()
            .expect("a configuration with rules is complete");
        bucket
            .change(doing, "s3:PutBucketCORS", || {
                bucket
                    .s3
                    .put_bucket_cors()
                    .bucket(&bucket.name)
                    .set_expected_bucket_owner(bucket.owner.clone())
                    .cors_configuration(settings.clone())
                    .send()
            })
            .await?;
        Ok(())
    }

    async fn get(bucket: &Bucket<'_>, _state: &Object) -> Outcome<Option<Object>> {
        let call = bucket
            .s3
            .get_bucket_cors()
            .bucket(&bucket.name)
            .set_expected_bucket_owner(bucket.owner.clone())
            .send();
        let told = bucket.look("s3:GetBucketCORS", &[GONE], call).await?;
        let Some(told) = told.filter(|told| !told.cors_rules().is_empty()) else {
            return Ok(None);
        };
        let mut object = Object::new();
        object.set("cors_rule", blocks(told.cors_rules().iter().map(told_rule)));
        Ok(Some(object))
    }

    async fn delete(bucket: &Bucket<'_>, _state: &Object) -> Outcome<()> {
        let call = bucket
            .s3
            .delete_bucket_cors()
            .bucket(&bucket.name)
            .set_expected_bucket_owner(bucket.owner.clone())
            .send();
        bucket.end("s3:PutBucketCORS", &[GONE], call).await
    }
}

fn rule(rule: &Object) -> CorsRule {
    CorsRule::builder()
        .set_id(given(rule, "id"))
        .set_allowed_headers(texts(rule, "allowed_headers"))
        .set_allowed_methods(Some(texts(rule, "allowed_methods").unwrap_or_default()))
        .set_allowed_origins(Some(texts(rule, "allowed_origins").unwrap_or_default()))
        .set_expose_headers(texts(rule, "expose_headers"))
        .set_max_age_seconds(
            rule.whole("max_age_seconds")
                .and_then(|age| i32::try_from(age).ok()),
        )
        .build()
        .expect("a rule with methods and origins is complete")
}

fn told_rule(rule: &CorsRule) -> Value {
    block([
        ("id", text(rule.id.as_deref())),
        ("allowed_headers", list(rule.allowed_headers())),
        ("allowed_methods", list(&rule.allowed_methods)),
        ("allowed_origins", list(&rule.allowed_origins)),
        ("expose_headers", list(rule.expose_headers())),
        ("max_age_seconds", number_or_null(rule.max_age_seconds)),
    ])
}

/// A rule as `aws_s3_bucket` shows it.
pub(super) fn old_rule(rule: &CorsRule) -> Value {
    block([
        ("allowed_headers", list(rule.allowed_headers())),
        ("allowed_methods", list(&rule.allowed_methods)),
        ("allowed_origins", list(&rule.allowed_origins)),
        ("expose_headers", list(rule.expose_headers())),
        ("max_age_seconds", number_or_null(rule.max_age_seconds)),
    ])
}
