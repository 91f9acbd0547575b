//! Buckets and objects that are only read.

use async_trait::async_trait;
use aws_sdk_s3::types::ChecksumMode;
use aws_smithy_types::date_time::Format;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use terrace_provider_sdk::{Diagnostic, Object, Outcome};

use super::bucket;
use super::object;
use super::place::{Bucket, website_domain};
use crate::blocks::given;
use crate::client::Client;
use crate::failure::{Answered as _, Subject};
use crate::kind::{Context, Source};

#[derive(Default)]
pub(crate) struct BucketData;

#[async_trait]
impl Source for BucketData {
    const NAME: &'static str = "aws_s3_bucket";
    const WHAT: &'static str = "S3 Bucket";

    async fn read(&self, context: &Context, config: &Object) -> Outcome<Object> {
        let name = config.text("bucket").unwrap_or_default();
        let subject = Self::subject(name);
        let region = bucket::head(context, name, &subject)
            .await?
            .ok_or_else(|| {
                missing(
                    "S3 bucket not found",
                    &subject,
                    "Look at its name and at the account that this run signs in to.",
                )
            })?;
        let mut object = bucket::facts(name, &region);
        let domain = website_domain(&region);
        object.set("id", name);
        object.set("website_endpoint", format!("{name}.{domain}"));
        object.set("website_domain", domain);
        Ok(object)
    }
}

fn missing(summary: &str, subject: &Subject, advice: &str) -> Diagnostic {
    Diagnostic::error(summary, format!("{subject} is not there. {advice}"))
}

#[derive(Default)]
pub(crate) struct ObjectData;

#[async_trait]
impl Source for ObjectData {
    const NAME: &'static str = "aws_s3_object";
    const WHAT: &'static str = "S3 Object";

    async fn read(&self, context: &Context, config: &Object) -> Outcome<Object> {
        let mut bucket = Bucket::of(context, config, Self::subject);
        let key = config
            .text("key")
            .unwrap_or_default()
            .trim_start_matches('/');
        let version = given(config, "version_id");
        let id = match &version {
            Some(version) => format!("{}/{key}@{version}", bucket.name),
            None => format!("{}/{key}", bucket.name),
        };
        bucket.subject = Self::subject(id.clone());
        let mode = given(config, "checksum_mode").map(|mode| ChecksumMode::from(mode.as_str()));
        let call = bucket
            .s3
            .head_object()
            .bucket(&bucket.name)
            .key(key)
            .set_range(given(config, "range"))
            .set_version_id(version.clone())
            .set_checksum_mode(mode)
            .send();
        let told = bucket
            .look("s3:GetObject", &["NotFound", "NoSuchKey"], call)
            .await?
            .ok_or_else(|| {
                missing(
                    "S3 object not found",
                    &bucket.subject,
                    "Look at the bucket, the key and the region.",
                )
            })?;
        let partition = Client::partition(&context.region).id;
        let mut object = object::facts(&told);
        object.set("id", id);
        object.set("arn", format!("arn:{partition}:s3:::{}/{key}", bucket.name));
        object.set("content_length", told.content_length);
        object.set("expiration", told.expiration.clone().unwrap_or_default());
        object.set("expires", told.expires_string.clone().unwrap_or_default());
        let modified = told
            .last_modified
            .and_then(|time| time.fmt(Format::HttpDate).ok());
        object.set(
            "last_modified",
            modified.map(|text| text.replace("GMT", "UTC")),
        );
        object.set(
            "sse_kms_key_id",
            told.ssekms_key_id.clone().unwrap_or_default(),
        );
        let redirect = told.website_redirect_location.clone();
        object.set("website_redirect_location", redirect.unwrap_or_default());
        object.set("tags", object::tags_of(&bucket, key).await?);
        let wanted = match config.text("download_body") {
            Some(wanted) if !wanted.is_empty() => matches!(wanted, "true" | "1"),
            _ => told.content_type.as_deref().is_some_and(is_text),
        };
        if wanted {
            let bytes = download(&bucket, key, config).await?;
            object.set("body_base64", STANDARD.encode(&bytes));
            object.set("body", String::from_utf8_lossy(&bytes).into_owned());
        }
        Ok(object)
    }
}

/// Whether contents of this type are text, which states may hold.
fn is_text(content_type: &str) -> bool {
    let kinds = [
        "application/atom+xml",
        "application/json",
        "application/ld+json",
        "application/x-csh",
        "application/x-httpd-php",
        "application/x-sh",
        "application/x-sql",
        "application/xhtml+xml",
        "application/xml",
    ];
    content_type.starts_with("text/") || kinds.iter().any(|kind| content_type.starts_with(kind))
}

async fn download(bucket: &Bucket<'_>, key: &str, config: &Object) -> Outcome<Vec<u8>> {
    let answer = bucket
        .s3
        .get_object()
        .bucket(&bucket.name)
        .key(key)
        .set_range(given(config, "range"))
        .set_version_id(given(config, "version_id"))
        .send()
        .await
        .when("reading", &bucket.subject, "s3:GetObject")?;
    let bytes = answer.body.collect().await.map_err(|error| {
        Diagnostic::error("Download broke off", format!("{}: {error}", bucket.subject))
    })?;
    Ok(bytes.to_vec())
}
