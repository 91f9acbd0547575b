//! `aws_s3_object`.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use async_trait::async_trait;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ObjectCannedAcl, ObjectLockLegalHold,
    ObjectLockLegalHoldStatus, ObjectLockMode, ObjectLockRetention, ObjectLockRetentionMode,
    ServerSideEncryption, StorageClass,
};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use terrace_provider_sdk::{
    Diagnostic, Diagnostics, Object as Values, Outcome, Plan, Schema, Type, attribute, validate,
};

use super::bucket::tagging;
use super::place::{Bucket, NO_BUCKET};
use crate::blocks::{given, one};
use crate::client::Client;
use crate::failure::Subject;
use crate::kind::{Change, Context, Kind, id};
use crate::shape::Behaviour as _;
use crate::tags::{self, TagChange, Tags};

/// What S3 says of an object that is not there.
const GONE: [&str; 2] = ["NotFound", "NoSuchKey"];

/// Arguments whose change uploads the object again.
const CONTENT: [&str; 17] = [
    "bucket_key_enabled",
    "cache_control",
    "checksum_algorithm",
    "content",
    "content_base64",
    "content_disposition",
    "content_encoding",
    "content_language",
    "content_type",
    "etag",
    "kms_key_id",
    "metadata",
    "server_side_encryption",
    "source",
    "source_hash",
    "storage_class",
    "website_redirect",
];

/// What S3 reckons anew for each upload.
const RECKONED: [&str; 7] = [
    "version_id",
    "etag",
    "checksum_crc32",
    "checksum_crc32c",
    "checksum_crc64nvme",
    "checksum_sha1",
    "checksum_sha256",
];

const LOCK: [&str; 2] = ["object_lock_mode", "object_lock_retain_until_date"];

#[derive(Default)]
pub(crate) struct Object;

#[async_trait]
impl Kind for Object {
    const NAME: &'static str = "aws_s3_object";
    const WHAT: &'static str = "S3 Object";

    fn behave(&self, shape: Schema) -> Schema {
        shape
            .replaces(&["bucket", "key"])
            .defaults_to_bool(&[("force_destroy", false)])
            .change("bucket", |bucket| {
                bucket.validate(validate::length(1..=usize::MAX))
            })
            .change("key", |key| key.validate(validate::length(1..=1024)))
            .change("acl", |acl| {
                acl.validate(validate::one_of([
                    "private",
                    "public-read",
                    "public-read-write",
                    "authenticated-read",
                    "aws-exec-read",
                    "bucket-owner-read",
                    "bucket-owner-full-control",
                ]))
            })
            .change("source", |source| {
                source.validate(validate::conflicts_with(["content", "content_base64"]))
            })
            .change("content", |content| {
                content.validate(validate::conflicts_with(["content_base64"]))
            })
            .change("etag", |etag| {
                etag.validate(validate::conflicts_with(["kms_key_id"]))
            })
            .change("object_lock_mode", |mode| {
                mode.validate(validate::one_of(["GOVERNANCE", "COMPLIANCE"]))
            })
            .change("object_lock_legal_hold_status", |status| {
                status.validate(validate::one_of(["ON", "OFF"]))
            })
    }

    fn validate(&self, config: &Values, diagnostics: &mut Diagnostics) {
        let metadata = tags::of(config.value("metadata"));
        if let Some(key) = metadata.keys().find(|key| **key != key.to_lowercase()) {
            diagnostics.error_at(
                attribute("metadata"),
                "Metadata in capitals",
                format!("S3 keeps the names of metadata in lower case, and so must configuration: write {:?} instead of {key:?}.", key.to_lowercase()),
            );
        }
        if let Some(date) = given(config, LOCK[1])
            && moment(&date).is_none()
        {
            diagnostics.error_at(
                attribute(LOCK[1]),
                "Invalid time",
                format!(
                    "{date:?} is no time as RFC 3339 writes it, such as \"2030-01-31T00:00:00Z\"."
                ),
            );
        }
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        let uploads = plan.prior.is_some() && CONTENT.iter().any(|name| plan.changes(name));
        let (Some(planned), Some(config)) = (&mut plan.planned, &plan.config) else {
            return Ok(());
        };
        if uploads {
            for name in RECKONED {
                if !config.is_set(name) {
                    planned.forget(name, Type::String);
                }
            }
        }
        if without_defaults(planned) && planned.is_known("tags") {
            let own = tags::of(planned.value("tags"));
            planned.set("tags_all", own);
        }
        Ok(())
    }

    async fn create(&self, context: &mut Context, planned: &Values) -> Outcome<String> {
        let id = format!(
            "{}/{}",
            planned.text("bucket").unwrap_or_default(),
            planned.text("key").unwrap_or_default()
        );
        upload(context, planned, Self::subject(id.clone()), "creating").await?;
        Ok(id)
    }

    async fn read(&self, context: &Context, state: &Values) -> Outcome<Option<Values>> {
        let bucket = place(context, state);
        let key = key(state);
        let mode = given(state, "checksum_algorithm").map(|_| ChecksumMode::Enabled);
        let call = bucket
            .s3
            .head_object()
            .bucket(&bucket.name)
            .key(&key)
            .set_checksum_mode(mode)
            .send();
        let Some(told) = bucket.look("s3:GetObject", &GONE, call).await? else {
            return Ok(None);
        };
        let partition = Client::partition(&context.region).id;
        let mut object = facts(&told);
        object.set("bucket", bucket.name.clone());
        object.set("key", state.text("key").unwrap_or_default());
        object.set(
            "id",
            format!("{}/{}", bucket.name, state.text("key").unwrap_or_default()),
        );
        object.set("arn", format!("arn:{partition}:s3:::{}/{key}", bucket.name));
        if let Some(key) = &told.ssekms_key_id {
            object.set("kms_key_id", key.clone());
        }
        object.set(
            "website_redirect",
            told.website_redirect_location.unwrap_or_default(),
        );
        if !state.is_set("force_destroy") {
            object.set("force_destroy", false);
        }
        object.set("tags_all", tags_of(&bucket, &key).await?);
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        if change.of(&CONTENT) {
            return upload(
                context,
                change.planned,
                Self::subject(change.id()),
                "updating",
            )
            .await;
        }
        let bucket = place(context, change.planned);
        let key = key(change.planned);
        if change.of(&["acl"])
            && let Some(acl) = given(change.planned, "acl")
        {
            let acl = ObjectCannedAcl::from(acl.as_str());
            bucket
                .change("updating", "s3:PutObjectAcl", || {
                    bucket
                        .s3
                        .put_object_acl()
                        .bucket(&bucket.name)
                        .key(&key)
                        .acl(acl.clone())
                        .send()
                })
                .await?;
        }
        lock(&bucket, &key, change).await?;
        match change.tags() {
            Some(tags) => tag(&bucket, &key, &tags).await,
            None => Ok(()),
        }
    }

    async fn delete(&self, context: &Context, state: &Values) -> Outcome<()> {
        let bucket = place(context, state);
        let key = key(state);
        if given(state, "version_id").is_none() {
            let call = bucket
                .s3
                .delete_object()
                .bucket(&bucket.name)
                .key(&key)
                .send();
            return bucket.end("s3:DeleteObject", &GONE, call).await;
        }
        let forced = state.flag("force_destroy").unwrap_or(false);
        for version in versions(&bucket, &key).await? {
            let call = bucket
                .s3
                .delete_object()
                .bucket(&bucket.name)
                .key(&key)
                .version_id(version)
                .set_bypass_governance_retention(forced.then_some(true))
                .send();
            bucket.end("s3:DeleteObjectVersion", &GONE, call).await?;
        }
        Ok(())
    }

    fn import(&self, id: &str) -> Outcome<Values> {
        let path = id.strip_prefix("s3://").unwrap_or(id);
        let Some((bucket, key)) = path.split_once('/') else {
            return Err(Diagnostic::error(
                "Invalid import id",
                format!("{id:?} names no object: write BUCKET/KEY, or s3://BUCKET/KEY."),
            )
            .into());
        };
        let mut object = Values::new();
        object.set("id", path);
        object.set("bucket", bucket);
        object.set("key", key);
        Ok(object)
    }
}

/// The bucket that an object is in.
fn place<'c>(context: &'c Context, object: &Values) -> Bucket<'c> {
    let mut bucket = Bucket::of(context, object, Object::subject);
    bucket.subject = Object::subject(id(object));
    bucket
}

/// The key as it is asked for: without a slash before it, and never with two.
fn key(object: &Values) -> String {
    let key = object.text("key").unwrap_or_default();
    let key = key
        .strip_prefix("./")
        .unwrap_or(key)
        .trim_start_matches('/');
    let mut clean = String::with_capacity(key.len());
    for letter in key.chars() {
        if letter != '/' || !clean.ends_with('/') {
            clean.push(letter);
        }
    }
    clean
}

/// Whether it has none of the tags that the provider sets on all.
fn without_defaults(object: &Values) -> bool {
    let rules = one(object, "override_provider").and_then(|rules| one(&rules, "default_tags"));
    rules.is_some_and(|rules| tags::of(rules.value("tags")).is_empty())
}

fn moment(text: &str) -> Option<DateTime> {
    DateTime::from_str(text, Format::DateTimeWithOffset).ok()
}

/// What resource and data source both say of an object.
pub(super) fn facts(told: &HeadObjectOutput) -> Values {
    let mut object = Values::new();
    let texts = [
        ("cache_control", &told.cache_control),
        ("checksum_crc32", &told.checksum_crc32),
        ("checksum_crc32c", &told.checksum_crc32_c),
        ("checksum_crc64nvme", &told.checksum_crc64_nvme),
        ("checksum_sha1", &told.checksum_sha1),
        ("checksum_sha256", &told.checksum_sha256),
        ("content_disposition", &told.content_disposition),
        ("content_encoding", &told.content_encoding),
        ("content_language", &told.content_language),
        ("content_type", &told.content_type),
        ("version_id", &told.version_id),
    ];
    for (name, text) in texts {
        object.set(name, text.clone().unwrap_or_default());
    }
    object.set(
        "bucket_key_enabled",
        told.bucket_key_enabled.unwrap_or(false),
    );
    object.set("etag", told.e_tag().unwrap_or_default().trim_matches('"'));
    let metadata: BTreeMap<String, String> = told.metadata.clone().into_iter().flatten().collect();
    object.set("metadata", metadata);
    let hold = told.object_lock_legal_hold_status.as_ref();
    object.set(
        "object_lock_legal_hold_status",
        hold.map_or("", ObjectLockLegalHoldStatus::as_str),
    );
    let mode = told.object_lock_mode.as_ref();
    object.set("object_lock_mode", mode.map_or("", ObjectLockMode::as_str));
    let until = told.object_lock_retain_until_date.as_ref();
    let until = until.and_then(|until| until.fmt(Format::DateTime).ok());
    object.set("object_lock_retain_until_date", until.unwrap_or_default());
    let encryption = told.server_side_encryption.as_ref();
    object.set(
        "server_side_encryption",
        encryption.map_or("", ServerSideEncryption::as_str),
    );
    let class = told.storage_class.as_ref();
    object.set(
        "storage_class",
        class.map_or("STANDARD", StorageClass::as_str),
    );
    object
}

/// What an object is to hold.
async fn body(planned: &Values) -> Outcome<ByteStream> {
    if let Some(source) = given(planned, "source") {
        return ByteStream::from_path(&source).await.map_err(|error| {
            Diagnostic::error(
                "File of an object cannot be read",
                format!("{source}: {error}. source is a path from where the run was started; begin it with ${{path.module}} for a file of the module."),
            )
            .at(attribute("source"))
            .into()
        });
    }
    if let Some(content) = given(planned, "content_base64") {
        let bytes = STANDARD.decode(content.as_bytes()).map_err(|error| {
            Diagnostic::error(
                "Invalid base64",
                format!("content_base64 holds no base64: {error}."),
            )
            .at(attribute("content_base64"))
        })?;
        return Ok(ByteStream::from(bytes));
    }
    Ok(ByteStream::from(
        planned
            .text("content")
            .unwrap_or_default()
            .as_bytes()
            .to_vec(),
    ))
}

async fn upload(
    context: &Context,
    planned: &Values,
    subject: Subject,
    doing: &'static str,
) -> Outcome<()> {
    let mut bucket = place(context, planned);
    bucket.subject = subject;
    let body = body(planned).await?.into_inner();
    let again = || {
        ByteStream::new(
            body.try_clone()
                .expect("files and memory can be read again"),
        )
    };
    let key = key(planned);
    bucket
        .change(doing, "s3:PutObject", || {
            let call = bucket
                .s3
                .put_object()
                .bucket(&bucket.name)
                .key(&key)
                .body(again());
            described(call, planned).send()
        })
        .await?;
    Ok(())
}

/// An upload with all that is said of the object.
fn described(call: PutObjectFluentBuilder, planned: &Values) -> PutObjectFluentBuilder {
    let text = |name: &str| given(planned, name);
    let key_id = text("kms_key_id");
    let encryption = match key_id {
        Some(_) => Some(ServerSideEncryption::AwsKms),
        None => {
            text("server_side_encryption").map(|text| ServerSideEncryption::from(text.as_str()))
        }
    };
    let metadata = tags::of(planned.value("metadata"));
    let metadata = (!metadata.is_empty()).then(|| metadata.into_iter().collect::<HashMap<_, _>>());
    let tags = tags::planned(planned);
    let locked = LOCK.iter().any(|name| text(name).is_some())
        || text("object_lock_legal_hold_status").is_some();
    let algorithm = text("checksum_algorithm")
        .map(|algorithm| ChecksumAlgorithm::from(algorithm.as_str()))
        .or(locked.then_some(ChecksumAlgorithm::Crc32));
    call.set_acl(text("acl").map(|acl| ObjectCannedAcl::from(acl.as_str())))
        .set_bucket_key_enabled(planned.flag("bucket_key_enabled").filter(|on| *on))
        .set_cache_control(text("cache_control"))
        .set_checksum_algorithm(algorithm)
        .set_content_disposition(text("content_disposition"))
        .set_content_encoding(text("content_encoding"))
        .set_content_language(text("content_language"))
        .set_content_type(text("content_type"))
        .set_ssekms_key_id(key_id)
        .set_server_side_encryption(encryption)
        .set_metadata(metadata)
        .set_object_lock_legal_hold_status(
            text("object_lock_legal_hold_status")
                .map(|status| ObjectLockLegalHoldStatus::from(status.as_str())),
        )
        .set_object_lock_mode(
            text("object_lock_mode").map(|mode| ObjectLockMode::from(mode.as_str())),
        )
        .set_object_lock_retain_until_date(
            text("object_lock_retain_until_date").and_then(|date| moment(&date)),
        )
        .set_storage_class(text("storage_class").map(|class| StorageClass::from(class.as_str())))
        .set_tagging((!tags.is_empty()).then(|| query(&tags)))
        .set_website_redirect_location(text("website_redirect"))
}

/// Tags as the header of an upload has them: a query.
fn query(tags: &Tags) -> String {
    let escaped = |text: &str| {
        let mut out = String::new();
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                // Writing to text does not fail.
                let _written = write!(out, "%{byte:02X}");
            }
        }
        out
    };
    let pairs: Vec<String> = tags
        .iter()
        .map(|(key, value)| format!("{}={}", escaped(key), escaped(value)))
        .collect();
    pairs.join("&")
}

/// Changes what holds an object.
async fn lock(bucket: &Bucket<'_>, key: &str, change: Change<'_>) -> Outcome<()> {
    if change.of(&["object_lock_legal_hold_status"]) {
        let status = given(change.planned, "object_lock_legal_hold_status");
        let status = status.map_or(ObjectLockLegalHoldStatus::Off, |status| {
            status.as_str().into()
        });
        let hold = ObjectLockLegalHold::builder().status(status).build();
        bucket
            .change("updating", "s3:PutObjectLegalHold", || {
                let call = bucket
                    .s3
                    .put_object_legal_hold()
                    .bucket(&bucket.name)
                    .key(key);
                call.legal_hold(hold.clone()).send()
            })
            .await?;
    }
    if change.of(&LOCK) {
        let until = |object: &Values| given(object, LOCK[1]).and_then(|date| moment(&date));
        let (before, after) = (until(change.prior), until(change.planned));
        let sooner = match (before, after) {
            (_, None) => true,
            (Some(before), Some(after)) => after < before,
            (None, Some(_)) => false,
        };
        let mode = given(change.planned, LOCK[0]);
        let retention = ObjectLockRetention::builder()
            .set_mode(mode.map(|mode| ObjectLockRetentionMode::from(mode.as_str())))
            .set_retain_until_date(after)
            .build();
        bucket
            .change("updating", "s3:PutObjectRetention", || {
                let call = bucket
                    .s3
                    .put_object_retention()
                    .bucket(&bucket.name)
                    .key(key);
                call.retention(retention.clone())
                    .set_bypass_governance_retention(sooner.then_some(true))
                    .send()
            })
            .await?;
    }
    Ok(())
}

/// All versions of an object, and the marks of its deletion.
async fn versions(bucket: &Bucket<'_>, key: &str) -> Outcome<Vec<String>> {
    let (mut found, mut from) = (Vec::new(), (None, None));
    loop {
        let call = bucket
            .s3
            .list_object_versions()
            .bucket(&bucket.name)
            .prefix(key)
            .set_key_marker(from.0.take())
            .set_version_id_marker(from.1.take())
            .send();
        let Some(told) = bucket
            .look("s3:ListBucketVersions", &[NO_BUCKET], call)
            .await?
        else {
            return Ok(found);
        };
        let own = |other: Option<&str>| other == Some(key);
        let versions = told
            .versions()
            .iter()
            .filter(|version| own(version.key.as_deref()));
        found.extend(versions.filter_map(|version| version.version_id.clone()));
        let marks = told
            .delete_markers()
            .iter()
            .filter(|mark| own(mark.key.as_deref()));
        found.extend(marks.filter_map(|mark| mark.version_id.clone()));
        if !told.is_truncated.unwrap_or(false) {
            return Ok(found);
        }
        from = (told.next_key_marker, told.next_version_id_marker);
    }
}

pub(super) async fn tags_of(bucket: &Bucket<'_>, key: &str) -> Outcome<Tags> {
    let call = bucket
        .s3
        .get_object_tagging()
        .bucket(&bucket.name)
        .key(key)
        .send();
    let gone = [
        "NoSuchKey",
        "NoSuchTagSet",
        "NotImplemented",
        "UnsupportedOperation",
    ];
    let told = bucket.look("s3:GetObjectTagging", &gone, call).await?;
    let tags = told.map(|told| told.tag_set).unwrap_or_default();
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

async fn tag(bucket: &Bucket<'_>, key: &str, change: &TagChange) -> Outcome<()> {
    let mut tags = tags_of(bucket, key).await?;
    tags.retain(|name, _| !change.gone.contains(name));
    tags.extend(change.set.clone());
    if tags.is_empty() {
        bucket
            .change("untagging", "s3:DeleteObjectTagging", || {
                bucket
                    .s3
                    .delete_object_tagging()
                    .bucket(&bucket.name)
                    .key(key)
                    .send()
            })
            .await?;
        return Ok(());
    }
    let tagging = tagging(&tags);
    bucket
        .change("tagging", "s3:PutObjectTagging", || {
            let call = bucket.s3.put_object_tagging().bucket(&bucket.name).key(key);
            call.tagging(tagging.clone()).send()
        })
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_no_empty_parts() {
        let clean = |text: &str| {
            let mut object = Values::new();
            object.set("key", text);
            key(&object)
        };
        assert_eq!(clean("/a//b"), "a/b");
        assert_eq!(clean("./a/b/"), "a/b/");
    }

    #[test]
    fn tags_of_an_upload_are_a_query() {
        let tags = Tags::from([
            ("a b".to_owned(), "ü".to_owned()),
            ("c".to_owned(), String::new()),
        ]);
        assert_eq!(query(&tags), "a%20b=%C3%BC&c=");
    }
}
