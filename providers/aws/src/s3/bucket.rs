//! `aws_s3_bucket`.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::types::{
    BucketCannedAcl, BucketLocationConstraint, BucketNamespace, CreateBucketConfiguration, Delete,
    ObjectIdentifier, Tag, Tagging,
};
use terrace_provider_sdk::{
    Attribute, Diagnostic, Diagnostics, Object, Outcome, Schema, attribute, validate,
};

use super::legacy;
use super::place::{NO_BUCKET, hosted_zone};
use crate::blocks::given;
use crate::client::Client;
use crate::failure::{Answered as _, Subject, is_one_of};
use crate::kind::{Change, Context, Kind, id};
use crate::names;
use crate::shape::Behaviour as _;
use crate::tags::{self, TagChange, Tags};
use crate::timeouts;

/// What S3 says of a bucket that is not there.
const GONE: [&str; 2] = [NO_BUCKET, "NotFound"];

/// How long a bucket takes to be made, and to go.
const MAKING: Duration = Duration::from_mins(20);
const GOING: Duration = Duration::from_hours(1);

/// How names end that are the account's own in a region.
const OWN_NAME: &str = "-an";

/// How a bucket's name may look; nothing at all has one made.
const NAMES: &str = "^$|^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$";

/// Arguments that have become types of their own, and which.
const MOVED: [(&str, &str); 13] = [
    (
        "acceleration_status",
        "aws_s3_bucket_accelerate_configuration",
    ),
    ("acl", "aws_s3_bucket_acl"),
    ("cors_rule", "aws_s3_bucket_cors_configuration"),
    ("grant", "aws_s3_bucket_acl"),
    ("lifecycle_rule", "aws_s3_bucket_lifecycle_configuration"),
    ("logging", "aws_s3_bucket_logging"),
    (
        "object_lock_configuration",
        "aws_s3_bucket_object_lock_configuration",
    ),
    ("policy", "aws_s3_bucket_policy"),
    (
        "replication_configuration",
        "aws_s3_bucket_replication_configuration",
    ),
    (
        "request_payer",
        "aws_s3_bucket_request_payment_configuration",
    ),
    (
        "server_side_encryption_configuration",
        "aws_s3_bucket_server_side_encryption_configuration",
    ),
    ("versioning", "aws_s3_bucket_versioning"),
    ("website", "aws_s3_bucket_website_configuration"),
];

#[derive(Default)]
pub(crate) struct Bucket;

#[async_trait]
impl Kind for Bucket {
    const NAME: &'static str = "aws_s3_bucket";
    const WHAT: &'static str = "S3 Bucket";
    const ID_OF: Option<(&'static [&'static str], &'static str)> = Some((&["bucket"], ""));

    fn behave(&self, shape: Schema) -> Schema {
        let namespaces = ["account-regional", "global"];
        let prefix = |prefix: Attribute| {
            prefix
                .validate(validate::length(0..=37))
                .validate(validate::conflicts_with(["bucket"]))
        };
        shape
            .replaces(&["bucket", "bucket_prefix", "bucket_namespace", "object_lock_enabled"])
            .defaults_to_bool(&[("force_destroy", false)])
            .fills_in(&[
                "cors_rule",
                "grant",
                "lifecycle_rule",
                "logging",
                "object_lock_configuration",
                "replication_configuration",
                "server_side_encryption_configuration",
                "versioning",
                "website",
            ])
            .change("bucket", |bucket| {
                bucket.validate(validate::matches(
                    NAMES,
                    "must hold 3 to 63 lower-case letters, digits, dots and dashes, and begin and end with a letter or digit",
                ))
            })
            .change("bucket_prefix", prefix)
            .change("bucket_namespace", |namespace| {
                namespace.validate(validate::one_of(namespaces))
            })
    }

    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        for (name, instead) in MOVED {
            let block = config
                .value(name)
                .as_sequence()
                .is_some_and(<[_]>::is_empty);
            if config.is_set(name) && !block {
                diagnostics.error_at(
                    attribute(name),
                    "Argument of a bucket that is a resource of its own",
                    format!("hashicorp/aws has deprecated {name} of aws_s3_bucket since 4.0, and this provider only reads it. Set it by a resource {instead}, and take it out here: what the bucket has stays as it is."),
                );
            }
        }
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let name = name_of(context, planned).await?;
        let subject = Self::subject(name.clone());
        // In its oldest region S3 gives the bucket that is there already.
        if context.region == "us-east-1" && head(context, &name, &subject).await?.is_some() {
            return Err(taken(&subject).into());
        }
        let region = context.region.as_str();
        let place = (region != "us-east-1").then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(region))
                .build()
        });
        let acl = given(planned, "acl").map(|acl| BucketCannedAcl::from(acl.as_str()));
        let namespace = given(planned, "bucket_namespace");
        let namespace = namespace
            .filter(|namespace| namespace != "global")
            .map(|namespace| BucketNamespace::from(namespace.as_str()));
        let s3 = context.client.s3(region);
        let call = || {
            s3.create_bucket()
                .bucket(&name)
                .set_acl(acl.clone())
                .set_create_bucket_configuration(place.clone())
                .set_bucket_namespace(namespace.clone())
                .set_object_lock_enabled_for_bucket(
                    planned.flag("object_lock_enabled").filter(|on| *on),
                )
                .send()
        };
        // A bucket of this name may still be going.
        context
            .patience(timeouts::of(planned, "create", MAKING))
            .until(&subject, "made", || async {
                match call().await {
                    Err(error)
                        if is_one_of(
                            &error,
                            &["BucketAlreadyExists", "BucketAlreadyOwnedByYou"],
                        ) =>
                    {
                        Err(taken(&subject).into())
                    }
                    answer => answer.unless_gone(
                        &["OperationAborted"],
                        "creating",
                        &subject,
                        "s3:CreateBucket",
                    ),
                }
            })
            .await?;
        context.made(name.clone());
        let tags = tags::planned(planned);
        if !tags.is_empty() {
            let change = TagChange {
                set: tags,
                gone: Vec::new(),
            };
            tag(context, &name, &subject, &change).await?;
        }
        Ok(name)
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let name = id(state);
        let subject = Self::subject(name);
        let Some(region) = head(context, name, &subject).await? else {
            return Ok(None);
        };
        let mut object = facts(name, &region);
        object.set("bucket_prefix", names::prefix_of(name));
        object.set("bucket_namespace", namespace_of(name, &region));
        if !state.is_set("force_destroy") {
            object.set("force_destroy", false);
        }
        let Some(parts) = Box::pin(legacy::read(context, name, &subject, state)).await? else {
            return Ok(None);
        };
        object.extend(parts);
        object.set("tags_all", tags_of(context, name, &subject).await?);
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        match change.tags() {
            Some(tags) => tag(context, change.id(), &Self::subject(change.id()), &tags).await,
            None => Ok(()),
        }
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let name = id(state);
        let subject = Self::subject(name);
        let s3 = context.client.s3(&context.region);
        let patience = context.patience(timeouts::of(state, "delete", GOING));
        let forced = state.flag("force_destroy").unwrap_or(false);
        patience
            .until(&subject, "empty and gone", || async {
                match s3.delete_bucket().bucket(name).send().await {
                    Err(error) if is_one_of(&error, &["BucketNotEmpty"]) && forced => {
                        empty(context, name, &subject).await?;
                        Ok(None)
                    }
                    Err(error) if is_one_of(&error, &["BucketNotEmpty"]) => {
                        Err(not_empty(&subject).into())
                    }
                    Err(error) if is_one_of(&error, &["OperationAborted"]) => Ok(None),
                    answer => {
                        answer.unless_gone(&GONE, "deleting", &subject, "s3:DeleteBucket")?;
                        Ok(Some(()))
                    }
                }
            })
            .await?;
        patience
            .until(&subject, "gone", || async {
                let there = head(context, name, &subject).await?;
                Ok(there.is_none().then_some(()))
            })
            .await
    }
}

/// What resource and data source both say of a bucket.
pub(super) fn facts(name: &str, region: &str) -> Object {
    let partition = Client::partition(region);
    let suffix = partition.dns_suffix;
    let mut object = Object::new();
    object.set("bucket", name);
    object.set("arn", format!("arn:{}:s3:::{name}", partition.id));
    object.set("bucket_region", region);
    object.set("bucket_domain_name", format!("{name}.s3.{suffix}"));
    object.set(
        "bucket_regional_domain_name",
        format!("{name}.s3.{region}.{suffix}"),
    );
    object.set("hosted_zone_id", hosted_zone(region).map(str::to_owned));
    object
}

/// The name of a bucket that is to be made.
async fn name_of(context: &Context, planned: &Object) -> Outcome<String> {
    let name = names::of(context, planned, "bucket", "bucket_prefix");
    if given(planned, "bucket").is_some()
        || given(planned, "bucket_namespace").as_deref() != Some("account-regional")
    {
        return Ok(name);
    }
    let account = context.client.account().await?;
    Ok(format!("{name}-{account}-{}{OWN_NAME}", context.region))
}

/// Whose a name is: all accounts' or this account's in a region. The name itself tells.
fn namespace_of(name: &str, region: &str) -> &'static str {
    let stem = name
        .strip_suffix(OWN_NAME)
        .and_then(|name| name.strip_suffix(region))
        .and_then(|name| name.strip_suffix('-'));
    let account = stem.and_then(|stem| stem.rsplit_once('-'));
    match account {
        Some((_, account))
            if account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit()) =>
        {
            "account-regional"
        }
        _ => "global",
    }
}

/// The region that a bucket is in; `None` when there is none of this name.
pub(super) async fn head(
    context: &Context,
    name: &str,
    subject: &Subject,
) -> Outcome<Option<String>> {
    let call = context
        .client
        .s3(&context.region)
        .head_bucket()
        .bucket(name);
    let told = call
        .send()
        .await
        .unless_gone(&GONE, "reading", subject, "s3:ListBucket")?;
    Ok(told.map(|told| told.bucket_region.unwrap_or_else(|| context.region.clone())))
}

fn taken(subject: &Subject) -> Diagnostic {
    Diagnostic::error(
        "Bucket name is taken",
        format!(
            "{subject} exists already, in this account or another: names of buckets are shared by all. Choose another name, let bucket_prefix make one, or import the bucket if it is yours."
        ),
    )
}

fn not_empty(subject: &Subject) -> Diagnostic {
    Diagnostic::error(
        "Bucket is not empty",
        format!(
            "{subject} still holds objects or older versions of them, and goes only without. Move away what is needed and delete the rest; or set force_destroy = true and apply that before you destroy it, which deletes everything in it for good."
        ),
    )
}

/// Deletes all objects with all their versions.
async fn empty(context: &Context, name: &str, subject: &Subject) -> Outcome<()> {
    let s3 = context.client.s3(&context.region);
    loop {
        let told = s3.list_object_versions().bucket(name).send().await;
        let Some(told) = told.unless_gone(&GONE, "emptying", subject, "s3:ListBucketVersions")?
        else {
            return Ok(());
        };
        let object = |key: &Option<String>, version: &Option<String>| {
            ObjectIdentifier::builder()
                .key(key.clone().unwrap_or_default())
                .set_version_id(version.clone())
                .build()
                .expect("an object with a key is complete")
        };
        let versions = told
            .versions()
            .iter()
            .map(|found| object(&found.key, &found.version_id));
        let markers = told
            .delete_markers()
            .iter()
            .map(|found| object(&found.key, &found.version_id));
        let objects: Vec<ObjectIdentifier> = versions.chain(markers).collect();
        if objects.is_empty() {
            return Ok(());
        }
        let delete = Delete::builder()
            .set_objects(Some(objects))
            .quiet(true)
            .build()
            .expect("a deletion with objects is complete");
        let answer = s3
            .delete_objects()
            .bucket(name)
            .delete(delete)
            .bypass_governance_retention(true)
            .send()
            .await
            .when("emptying", subject, "s3:DeleteObjectVersion")?;
        if let Some(error) = answer.errors().first() {
            let part = |text: &Option<String>| text.clone().unwrap_or_default();
            return Err(Diagnostic::error(
                "Object of a bucket cannot be deleted",
                format!(
                    "{subject}: {} (version {}): {}: {}. It may be held by object lock; a bucket with it goes when its retention is over.",
                    part(&error.key), part(&error.version_id), part(&error.code), part(&error.message)
                ),
            )
            .into());
        }
    }
}

async fn tags_of(context: &Context, name: &str, subject: &Subject) -> Outcome<Tags> {
    let gone = [
        "NoSuchTagSet",
        NO_BUCKET,
        "NotImplemented",
        "UnsupportedOperation",
    ];
    let call = context
        .client
        .s3(&context.region)
        .get_bucket_tagging()
        .bucket(name);
    let told = call.send().await.unless_gone(
        &gone,
        "reading the tags of",
        subject,
        "s3:GetBucketTagging",
    )?;
    let tags = told.map(|told| told.tag_set).unwrap_or_default();
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

/// S3 only knows all tags of a bucket at once: those that are not meant stay as they are.
async fn tag(context: &Context, name: &str, subject: &Subject, change: &TagChange) -> Outcome<()> {
    let mut tags: BTreeMap<String, String> = tags_of(context, name, subject).await?;
    tags.retain(|key, _| !change.gone.contains(key));
    tags.extend(change.set.clone());
    let s3 = context.client.s3(&context.region);
    if tags.is_empty() {
        let call = s3.delete_bucket_tagging().bucket(name).send();
        call.await
            .when("untagging", subject, "s3:PutBucketTagging")?;
        return Ok(());
    }
    let tagging = tagging(&tags);
    let done = context
        .patience(Duration::from_secs(10))
        .look(|| async {
            let call = s3
                .put_bucket_tagging()
                .bucket(name)
                .tagging(tagging.clone());
            let transient = [NO_BUCKET, "OperationAborted"];
            call.send()
                .await
                .unless_gone(&transient, "tagging", subject, "s3:PutBucketTagging")
        })
        .await?;
    if done.is_none() {
        let call = s3.put_bucket_tagging().bucket(name).tagging(tagging).send();
        call.await.when("tagging", subject, "s3:PutBucketTagging")?;
    }
    Ok(())
}

/// Tags as S3 takes them.
pub(super) fn tagging(tags: &Tags) -> Tagging {
    let tags = tags.iter().map(|(key, value)| {
        Tag::builder()
            .key(key)
            .value(value)
            .build()
            .expect("a tag with key and value is complete")
    });
    Tagging::builder()
        .set_tag_set(Some(tags.collect()))
        .build()
        .expect("tags are complete")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_whose_it_is() {
        assert_eq!(
            namespace_of("logs-123456789012-eu-west-1-an", "eu-west-1"),
            "account-regional"
        );
        assert_eq!(
            namespace_of("logs-123456789012-eu-west-1-an", "us-east-1"),
            "global"
        );
        assert_eq!(namespace_of("logs-eu-west-1-an", "eu-west-1"), "global");
        assert_eq!(namespace_of("logs", "eu-west-1"), "global");
    }
}
