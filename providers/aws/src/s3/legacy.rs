//! What a bucket has that are resources of their own today, as `aws_s3_bucket` still shows it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::types::{
    BucketAccelerateStatus, BucketVersioningStatus, DeleteMarkerReplicationStatus, Grant,
    LifecycleExpiration, LifecycleRule, MfaDeleteStatus, ObjectLockConfiguration,
    ObjectLockEnabled, ObjectLockRetentionMode, OwnerOverride, Payer, ReplicationConfiguration,
    ReplicationRule, ServerSideEncryptionConfiguration, StorageClass, Tag, TransitionStorageClass,
};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use terrace_provider_sdk::{Data as _, Object, Outcome, Type, Value};

use super::place::{NO_BUCKET, website_domain};
use super::{cors, encryption, website};
use crate::blocks::{block, blocks, list, number, number_or_null, text};
use crate::failure::{Answered as _, Subject, is_one_of};
use crate::kind::Context;
use crate::policy;

/// What services that answer as S3 does say of what they do not have.
const UNKNOWN: [&str; 6] = [
    "NotImplemented",
    "XNotImplemented",
    "MethodNotAllowed",
    "UnsupportedArgument",
    "UnsupportedOperation",
    "OperationNotSupported",
];

/// A part that a bucket does not have.
macro_rules! part {
    ($context:ident, $name:ident, $subject:ident, $call:ident, $permission:literal, [$($none:literal),*]) => {
        async {
            let mut none: Vec<&str> = UNKNOWN.to_vec();
            let own: &[&str] = &[$($none),*];
            none.extend(own);
            let call = $context.client.s3(&$context.region).$call().bucket($name).send();
            match call.await {
                Err(error) if is_one_of(&error, &[NO_BUCKET]) => Ok(Part::NoBucket),
                answer => {
                    let told = answer.unless_gone(&none, "reading", $subject, $permission)?;
                    Ok::<_, terrace_provider_sdk::Diagnostics>(told.map_or(Part::None, Part::Told))
                }
            }
        }
    };
}

/// What S3 tells of a part.
enum Part<T> {
    Told(T),
    None,
    /// The bucket went meanwhile.
    NoBucket,
}

impl<T> Part<T> {
    fn told(self) -> Option<T> {
        match self {
            Self::Told(told) => Some(told),
            Self::None | Self::NoBucket => None,
        }
    }
}

/// All of them; `None` where the bucket is gone.
pub(super) async fn read(
    context: &Context,
    name: &str,
    subject: &Subject,
    state: &Object,
) -> Outcome<Option<Object>> {
    let (policy, acl, cors, website, versioning) = tokio::try_join!(
        part!(
            context,
            name,
            subject,
            get_bucket_policy,
            "s3:GetBucketPolicy",
            ["NoSuchBucketPolicy"]
        ),
        part!(
            context,
            name,
            subject,
            get_bucket_acl,
            "s3:GetBucketAcl",
            []
        ),
        part!(
            context,
            name,
            subject,
            get_bucket_cors,
            "s3:GetBucketCORS",
            ["NoSuchCORSConfiguration"]
        ),
        part!(
            context,
            name,
            subject,
            get_bucket_website,
            "s3:GetBucketWebsite",
            ["NoSuchWebsiteConfiguration"]
        ),
        part!(
            context,
            name,
            subject,
            get_bucket_versioning,
            "s3:GetBucketVersioning",
            []
        ),
    )?;
    if matches!(policy, Part::NoBucket) {
        return Ok(None);
    }
    let mut object = Object::new();
    let told = policy
        .told()
        .and_then(|told| told.policy)
        .unwrap_or_default();
    let before = state.text("policy").unwrap_or_default();
    object.set(
        "policy",
        if told.is_empty() {
            told
        } else {
            policy::keep(before, &told)
        },
    );
    let grants = acl.told().map(|told| told.grants.unwrap_or_default());
    object.set("grant", blocks(told_grants(&grants.unwrap_or_default())));
    let rules = cors.told().map(|told| told.cors_rules.unwrap_or_default());
    object.set(
        "cors_rule",
        blocks(rules.iter().flatten().map(cors::old_rule)),
    );
    let website = website.told().map(|told| website::old_website(&told));
    if website.is_some() {
        let domain = website_domain(&context.region);
        object.set("website_endpoint", format!("{name}.{domain}"));
        object.set("website_domain", domain);
    } else {
        object.set("website_endpoint", Value::null(Type::String));
        object.set("website_domain", Value::null(Type::String));
    }
    object.set("website", blocks(website));
    let versions = versioning.told().map(|told| {
        block([
            (
                "enabled",
                (told.status == Some(BucketVersioningStatus::Enabled)).into_value(),
            ),
            (
                "mfa_delete",
                (told.mfa_delete == Some(MfaDeleteStatus::Enabled)).into_value(),
            ),
        ])
    });
    object.set("versioning", blocks(versions));
    object.extend(Box::pin(rest(context, name, subject)).await?);
    Ok(Some(object))
}

/// Those that are rarely set.
async fn rest(context: &Context, name: &str, subject: &Subject) -> Outcome<Object> {
    let (speed, payer, logging, lifecycle, replication, encryption, lock) = tokio::try_join!(
        part!(
            context,
            name,
            subject,
            get_bucket_accelerate_configuration,
            "s3:GetAccelerateConfiguration",
            []
        ),
        part!(
            context,
            name,
            subject,
            get_bucket_request_payment,
            "s3:GetBucketRequestPayment",
            []
        ),
        part!(
            context,
            name,
            subject,
            get_bucket_logging,
            "s3:GetBucketLogging",
            []
        ),
        part!(
            context,
            name,
            subject,
            get_bucket_lifecycle_configuration,
            "s3:GetLifecycleConfiguration",
            ["NoSuchLifecycleConfiguration"]
        ),
        part!(
            context,
            name,
            subject,
            get_bucket_replication,
            "s3:GetReplicationConfiguration",
            ["ReplicationConfigurationNotFoundError"]
        ),
        part!(
            context,
            name,
            subject,
            get_bucket_encryption,
            "s3:GetEncryptionConfiguration",
            ["ServerSideEncryptionConfigurationNotFoundError"]
        ),
        part!(
            context,
            name,
            subject,
            get_object_lock_configuration,
            "s3:GetBucketObjectLockConfiguration",
            [
                "ObjectLockConfigurationNotFoundError",
                "ObjectLockConfigurationNotFound"
            ]
        ),
    )?;
    let mut object = Object::new();
    let speed = speed.told().and_then(|told| told.status);
    object.set(
        "acceleration_status",
        text(speed.as_ref().map(BucketAccelerateStatus::as_str)),
    );
    let payer = payer.told().and_then(|told| told.payer);
    object.set("request_payer", text(payer.as_ref().map(Payer::as_str)));
    let logging = logging
        .told()
        .and_then(|told| told.logging_enabled)
        .map(|logging| {
            block([
                ("target_bucket", text(Some(&logging.target_bucket))),
                ("target_prefix", text(Some(&logging.target_prefix))),
            ])
        });
    object.set("logging", blocks(logging));
    let rules = lifecycle.told().map(|told| told.rules.unwrap_or_default());
    object.set(
        "lifecycle_rule",
        blocks(rules.iter().flatten().map(lifecycle_rule)),
    );
    let replication = replication
        .told()
        .and_then(|told| told.replication_configuration);
    object.set(
        "replication_configuration",
        blocks(replication.as_ref().map(replicated)),
    );
    let settings = encryption
        .told()
        .and_then(|told| told.server_side_encryption_configuration);
    let lock = lock.told().and_then(|told| told.object_lock_configuration);
    object.extend(kept(settings.as_ref(), lock.as_ref()));
    Ok(object)
}

/// How objects are kept: encrypted, and locked.
fn kept(
    settings: Option<&ServerSideEncryptionConfiguration>,
    lock: Option<&ObjectLockConfiguration>,
) -> Object {
    let mut object = Object::new();
    let rules = settings.map(|settings| {
        let rules = settings.rules.iter().map(encryption::old_rule);
        block([("rule", blocks(rules))])
    });
    object.set("server_side_encryption_configuration", blocks(rules));
    object.set(
        "object_lock_enabled",
        lock.is_some_and(|lock| lock.object_lock_enabled.is_some()),
    );
    object.set("object_lock_configuration", blocks(lock.map(locked)));
    object
}

/// Who may do what, one entry for everybody who may.
fn told_grants(grants: &[Grant]) -> Vec<Value> {
    let mut by_grantee: BTreeMap<[&str; 3], BTreeSet<&str>> = BTreeMap::new();
    for grant in grants {
        let (Some(grantee), Some(permission)) = (&grant.grantee, &grant.permission) else {
            continue;
        };
        let who = [
            grantee.id.as_deref().unwrap_or_default(),
            grantee.r#type.as_str(),
            grantee.uri.as_deref().unwrap_or_default(),
        ];
        by_grantee
            .entry(who)
            .or_default()
            .insert(permission.as_str());
    }
    by_grantee
        .into_iter()
        .map(|([id, ty, uri], permissions)| {
            block([
                ("id", text(Some(id))),
                ("type", text(Some(ty))),
                ("uri", text(Some(uri))),
                (
                    "permissions",
                    list(&permissions.into_iter().collect::<Vec<&str>>()),
                ),
            ])
        })
        .collect()
}

fn date(date: Option<&DateTime>) -> Value {
    let whole = date
        .and_then(|date| date.fmt(Format::DateTime).ok())
        .unwrap_or_default();
    // States have the day alone.
    text(whole.get(..10))
}

fn told_tags(tags: &[Tag]) -> Value {
    let tags: BTreeMap<String, String> = tags
        .iter()
        .map(|tag| (tag.key.clone(), tag.value.clone()))
        .collect();
    tags.into_value()
}

/// Where prefixes of rules were before there were filters.
#[expect(deprecated, reason = "older rules are written so")]
pub(super) fn rule_prefix(rule: &LifecycleRule) -> Option<&str> {
    rule.prefix.as_deref()
}

fn lifecycle_rule(rule: &LifecycleRule) -> Value {
    let filter = rule.filter.as_ref();
    let and = filter.and_then(|filter| filter.and.as_ref());
    let prefix = and
        .and_then(|and| and.prefix.as_deref())
        .or_else(|| filter.and_then(|filter| filter.prefix.as_deref()))
        .or(rule_prefix(rule));
    let tags: Vec<Tag> = and
        .map(|and| and.tags().to_vec())
        .or_else(|| Some(vec![filter?.tag.clone()?]))
        .unwrap_or_default();
    let abort = rule.abort_incomplete_multipart_upload.as_ref();
    let class =
        |class: Option<&TransitionStorageClass>| text(class.map(TransitionStorageClass::as_str));
    let expiration = |expiration: &LifecycleExpiration| {
        block([
            ("date", date(expiration.date.as_ref())),
            ("days", number(expiration.days)),
            (
                "expired_object_delete_marker",
                expiration
                    .expired_object_delete_marker
                    .unwrap_or(false)
                    .into_value(),
            ),
        ])
    };
    let transitions = rule.transitions().iter().map(|transition| {
        block([
            ("date", date(transition.date.as_ref())),
            ("days", number(transition.days)),
            ("storage_class", class(transition.storage_class.as_ref())),
        ])
    });
    let old_transitions = rule
        .noncurrent_version_transitions()
        .iter()
        .map(|transition| {
            block([
                ("days", number(transition.noncurrent_days)),
                ("storage_class", class(transition.storage_class.as_ref())),
            ])
        });
    let old_expiration = rule.noncurrent_version_expiration.as_ref();
    let old_expiration = old_expiration.map(|old| block([("days", number(old.noncurrent_days))]));
    block([
        ("id", text(rule.id.as_deref())),
        ("enabled", (rule.status.as_str() == "Enabled").into_value()),
        ("prefix", text(prefix)),
        ("tags", told_tags(&tags)),
        (
            "abort_incomplete_multipart_upload_days",
            number(abort.and_then(|abort| abort.days_after_initiation)),
        ),
        (
            "expiration",
            blocks(rule.expiration.as_ref().map(expiration)),
        ),
        ("noncurrent_version_expiration", blocks(old_expiration)),
        ("noncurrent_version_transition", blocks(old_transitions)),
        ("transition", blocks(transitions)),
    ])
}

fn replicated(replication: &ReplicationConfiguration) -> Value {
    block([
        ("role", text(Some(&replication.role))),
        (
            "rules",
            blocks(replication.rules.iter().map(replication_rule)),
        ),
    ])
}

#[expect(deprecated, reason = "older rules are written so")]
fn replication_rule(rule: &ReplicationRule) -> Value {
    let filter = rule.filter.as_ref().map(|filter| {
        let and = filter.and.as_ref();
        let prefix = and
            .and_then(|and| and.prefix.as_deref())
            .or(filter.prefix.as_deref());
        let tags = and.map(|and| and.tags().to_vec());
        let tags = tags
            .or_else(|| Some(vec![filter.tag.clone()?]))
            .unwrap_or_default();
        block([("prefix", text(prefix)), ("tags", told_tags(&tags))])
    });
    let markers = rule.delete_marker_replication.as_ref();
    let markers = markers.and_then(|markers| markers.status.as_ref());
    let encrypted = rule
        .source_selection_criteria
        .as_ref()
        .and_then(|criteria| criteria.sse_kms_encrypted_objects.as_ref())
        .map(|encrypted| {
            let enabled = (encrypted.status.as_str() == "Enabled").into_value();
            block([(
                "sse_kms_encrypted_objects",
                blocks([block([("enabled", enabled)])]),
            )])
        });
    block([
        ("id", text(rule.id.as_deref())),
        ("prefix", text(rule.prefix.as_deref())),
        ("status", text(Some(rule.status.as_str()))),
        ("priority", number(rule.priority)),
        (
            "delete_marker_replication_status",
            text(markers.map(DeleteMarkerReplicationStatus::as_str)),
        ),
        (
            "destination",
            blocks(rule.destination.as_ref().map(destination)),
        ),
        ("filter", blocks(filter)),
        ("source_selection_criteria", blocks(encrypted)),
    ])
}

fn destination(to: &aws_sdk_s3::types::Destination) -> Value {
    let owner = to.access_control_translation.as_ref();
    let owner = owner.map(|translation| {
        block([(
            "owner",
            text(Some(OwnerOverride::as_str(&translation.owner))),
        )])
    });
    let key = to.encryption_configuration.as_ref();
    let key = key.and_then(|encryption| encryption.replica_kms_key_id.as_deref());
    let metrics = to.metrics.as_ref().map(|metrics| {
        let minutes = metrics
            .event_threshold
            .as_ref()
            .and_then(|time| time.minutes);
        block([
            ("minutes", number(minutes)),
            ("status", text(Some(metrics.status.as_str()))),
        ])
    });
    let time = to.replication_time.as_ref().map(|time| {
        let minutes = time.time.as_ref().and_then(|time| time.minutes);
        block([
            ("minutes", number(minutes)),
            ("status", text(Some(time.status.as_str()))),
        ])
    });
    block([
        ("account_id", text(to.account.as_deref())),
        ("bucket", text(Some(&to.bucket))),
        ("replica_kms_key_id", text(key)),
        (
            "storage_class",
            text(to.storage_class.as_ref().map(StorageClass::as_str)),
        ),
        ("access_control_translation", blocks(owner)),
        ("metrics", blocks(metrics)),
        ("replication_time", blocks(time)),
    ])
}

fn locked(lock: &ObjectLockConfiguration) -> Value {
    let retention = lock
        .rule
        .as_ref()
        .and_then(|rule| rule.default_retention.as_ref());
    let rule = retention.map(|retention| {
        let retention = block([
            (
                "mode",
                text(retention.mode.as_ref().map(ObjectLockRetentionMode::as_str)),
            ),
            ("days", number_or_null(retention.days)),
            ("years", number_or_null(retention.years)),
        ]);
        block([("default_retention", blocks([retention]))])
    });
    block([
        (
            "object_lock_enabled",
            text(
                lock.object_lock_enabled
                    .as_ref()
                    .map(ObjectLockEnabled::as_str),
            ),
        ),
        ("rule", blocks(rule)),
    ])
}
