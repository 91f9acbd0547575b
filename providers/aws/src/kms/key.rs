//! `aws_kms_key`.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_kms::types::{KeyMetadata, KeySpec, KeyState, KeyUsageType, OriginType, Tag};
use terrace_provider_sdk::{Object, Outcome, Plan, Schema, Type, validate};

use super::GONE;
use super::lost::Lost;
use crate::client::Client;
use crate::document;
use crate::failure::{Answered as _, Subject, is_one_of};
use crate::kind::{Change, Context, Kind, id};
use crate::policy;
use crate::shape::Behaviour as _;
use crate::tags::{self, TagChange, Tags};
use crate::timeouts;

/// The one policy that a key has.
const POLICY: &str = "default";

/// How long it may take until KMS knows a principal that IAM has just made, and until it tells of what was changed.
const UNTIL_KNOWN: Duration = Duration::from_mins(2);

/// What is waited for after a change, since KMS tells of it late.
const TOLD_LATE: [&str; 4] = ["description", "is_enabled", "enable_key_rotation", "policy"];

#[derive(Default)]
pub(crate) struct Key;

#[async_trait]
impl Kind for Key {
    const NAME: &'static str = "aws_kms_key";
    const WHAT: &'static str = "KMS Key";

    fn behave(&self, shape: Schema) -> Schema {
        shape
            .replaces(&[
                "custom_key_store_id",
                "customer_master_key_spec",
                "key_usage",
                "multi_region",
                "xks_key_id",
            ])
            .defaults_to_bool(&[
                ("bypass_policy_lockout_safety_check", false),
                ("enable_key_rotation", false),
                ("is_enabled", true),
            ])
            .defaults_to_text(&[
                ("customer_master_key_spec", "SYMMETRIC_DEFAULT"),
                ("key_usage", "ENCRYPT_DECRYPT"),
            ])
            .change("custom_key_store_id", |store| {
                store.validate(validate::length(1..=64))
            })
            .change("deletion_window_in_days", |days| {
                days.validate(validate::between(7..=30))
            })
            .change("description", |text| {
                text.validate(validate::length(0..=8192))
            })
            .change("key_usage", |usage| {
                usage.validate(validate::one_of([
                    "ENCRYPT_DECRYPT",
                    "SIGN_VERIFY",
                    "GENERATE_VERIFY_MAC",
                    "KEY_AGREEMENT",
                ]))
            })
            .change("policy", |policy| {
                document::by_meaning(policy, policy::equivalent)
            })
            .change("rotation_period_in_days", |days| {
                days.validate(validate::between(90..=2560))
                    .validate(validate::also_requires(["enable_key_rotation"]))
            })
            .change("xks_key_id", |key| {
                key.validate(validate::length(1..=128))
                    .validate(validate::also_requires(["custom_key_store_id"]))
            })
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        let days = "rotation_period_in_days";
        let said = plan
            .config
            .as_ref()
            .is_some_and(|config| config.is_set(days));
        if plan.prior.is_some()
            && !said
            && plan.changes("enable_key_rotation")
            && let Some(planned) = &mut plan.planned
        {
            // KMS has a period of its own, and none where keys stay.
            planned.forget(days, Type::Number);
        }
        Ok(())
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let subject = Self::subject(planned.text("description").unwrap_or("new"));
        let patience = context.patience(timeouts::of(planned, "create", UNTIL_KNOWN));
        // KMS refuses policies with principals that it does not know yet, so it is asked again for a while.
        let look = || async {
            match request(context, planned).send().await {
                Err(error) if is_one_of(&error, &["MalformedPolicyDocumentException"]) => Ok(None),
                answer => answer.when("creating", &subject, "kms:CreateKey").map(Some),
            }
        };
        let answer = match patience.look(look).await? {
            Some(answer) => answer,
            None => request(context, planned).send().await.when(
                "creating",
                &subject,
                "kms:CreateKey",
            )?,
        };
        let key = answer
            .key_metadata
            .map(|key| key.key_id)
            .unwrap_or_default();
        context.made(&key);
        let subject = Self::subject(&key);
        if planned.flag("enable_key_rotation") == Some(true) {
            rotate(context, &key, planned, &subject).await?;
        }
        if planned.flag("is_enabled") == Some(false) {
            enable(context, &key, false, &subject).await?;
        }
        self.told(context, &key, planned).await?;
        Ok(key)
    }

    async fn foretold(&self, context: &Context, planned: &Object) -> Option<String> {
        Some(Lost::planned(context, planned)?.id())
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let lost = match Lost::of_id(id(state)) {
            Some(lost) => {
                let subject = Self::subject(lost.description());
                match lost.find(context, &subject).await? {
                    Some(key) => Some(key),
                    None => return Ok(None),
                }
            }
            None => None,
        };
        let key = lost.as_deref().unwrap_or(id(state));
        let subject = Self::subject(key);
        let Some(told) = fetch(context, key, Vec::new(), &subject)
            .await?
            .filter(is_there)
        else {
            return Ok(None);
        };
        let Some(policy) = policy_of(context, key, &subject).await? else {
            return Ok(None);
        };
        let Some(tags) = tags_of(context, key, &subject).await? else {
            return Ok(None);
        };
        let mut object = Object::new();
        object.set("id", key);
        object.set("arn", told.arn.clone());
        object.set("key_id", told.key_id.clone());
        object.set(
            "custom_key_store_id",
            told.custom_key_store_id.clone().unwrap_or_default(),
        );
        object.set(
            "customer_master_key_spec",
            told.key_spec.as_ref().map(|spec| spec.as_str().to_owned()),
        );
        object.set("description", told.description.clone().unwrap_or_default());
        object.set("is_enabled", told.enabled);
        object.set(
            "key_usage",
            told.key_usage
                .as_ref()
                .map(|usage| usage.as_str().to_owned()),
        );
        object.set("multi_region", told.multi_region.unwrap_or(false));
        object.set(
            "policy",
            document::kept(state.text("policy"), &policy, policy::equivalent),
        );
        object.set(
            "xks_key_id",
            told.xks_key_configuration
                .and_then(|key| key.id)
                .unwrap_or_default(),
        );
        if told.origin == Some(OriginType::AwsKms) {
            let rotation = context
                .client
                .kms(&context.region)
                .get_key_rotation_status()
                .key_id(key)
                .send()
                .await
                .when(
                    "reading the rotation of",
                    &subject,
                    "kms:GetKeyRotationStatus",
                )?;
            object.set("enable_key_rotation", rotation.key_rotation_enabled);
            object.set(
                "rotation_period_in_days",
                rotation.rotation_period_in_days.unwrap_or(0),
            );
        } else {
            // What KMS did not make, it does not replace.
            object.set("enable_key_rotation", false);
        }
        object.set("tags_all", tags);
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let (key, planned) = (change.id(), change.planned);
        let (kms, subject) = (context.client.kms(&context.region), Self::subject(key));
        let enabled = planned.flag("is_enabled").unwrap_or(true);
        // A key that is disabled cannot be changed: it is enabled before all else, and disabled after it.
        if change.of(&["is_enabled"]) && enabled {
            enable(context, key, true, &subject).await?;
        }
        let rotates = planned.flag("enable_key_rotation").unwrap_or(false);
        if change.of(&["enable_key_rotation"])
            || (rotates && change.of(&["rotation_period_in_days"]))
        {
            rotate(context, key, planned, &subject).await?;
        }
        if change.of(&["description"]) {
            kms.update_key_description()
                .key_id(key)
                .description(planned.text("description").unwrap_or_default())
                .send()
                .await
                .when("updating", &subject, "kms:UpdateKeyDescription")?;
        }
        if change.of(&["policy"]) {
            put_policy(context, key, planned, &subject).await?;
        }
        if let Some(tags) = change.tags() {
            tag(context, key, &tags, &subject).await?;
        }
        if change.of(&["is_enabled"]) && !enabled {
            enable(context, key, false, &subject).await?;
        }
        self.told(context, key, planned).await
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let key = id(state);
        let subject = Self::subject(key);
        let window = state
            .whole("deletion_window_in_days")
            .filter(|days| *days > 0);
        let answer = context
            .client
            .kms(&context.region)
            .schedule_key_deletion()
            .key_id(key)
            .set_pending_window_in_days(window.and_then(|days| i32::try_from(days).ok()))
            .send()
            .await;
        if let Err(error) = &answer
            && is_one_of(error, &["KMSInvalidStateException"])
        {
            let found = fetch(context, key, Vec::new(), &subject).await?;
            if found.is_none_or(|found| !is_there(&found)) {
                return Ok(());
            }
        }
        if answer
            .unless_gone(&GONE, "deleting", &subject, "kms:ScheduleKeyDeletion")?
            .is_none()
        {
            return Ok(());
        }
        let look = || async {
            let found = fetch(context, key, Vec::new(), &subject).await?;
            Ok(found.is_none_or(|found| !is_there(&found)).then_some(()))
        };
        context
            .patience(UNTIL_KNOWN)
            .until(&subject, "scheduled for deletion", look)
            .await
    }
}

impl Key {
    /// Waits until KMS tells of a key as it was planned. It goes on without a word where KMS does not: the next plan shows it.
    async fn told(&self, context: &Context, key: &str, planned: &Object) -> Outcome<()> {
        let mut wanted = planned.clone();
        wanted.set("id", key);
        let (wanted, tags) = (&wanted, tags::planned(planned));
        let tags = &tags;
        let look = || async move {
            let found = self.read(context, wanted).await?;
            let agrees = |found: &Object| {
                let told = tags::of(found.value("tags_all"));
                let as_planned = |name: &&str| {
                    !wanted.is_set(name)
                        || !wanted.is_known(name)
                        || wanted.value(name) == found.value(name)
                };
                TOLD_LATE.iter().all(as_planned)
                    && tags.iter().all(|(key, value)| told.get(key) == Some(value))
            };
            Ok(found.filter(agrees))
        };
        context.patience(UNTIL_KNOWN).look(look).await?;
        Ok(())
    }
}

/// Whether a key is one still: one that waits for its end counts as gone.
pub(super) fn is_there(key: &KeyMetadata) -> bool {
    !matches!(
        key.key_state,
        Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion)
    )
}

fn request(
    context: &Context,
    planned: &Object,
) -> aws_sdk_kms::operation::create_key::builders::CreateKeyFluentBuilder {
    let text = |name: &str| {
        planned
            .text(name)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let tags = tags::planned(planned);
    let origin = match (text("custom_key_store_id"), text("xks_key_id")) {
        (_, Some(_)) => Some(OriginType::ExternalKeyStore),
        (Some(_), None) => Some(OriginType::AwsCloudhsm),
        (None, None) => None,
    };
    context
        .client
        .kms(&context.region)
        .create_key()
        .set_key_spec(text("customer_master_key_spec").map(|spec| KeySpec::from(spec.as_str())))
        .set_key_usage(text("key_usage").map(|usage| KeyUsageType::from(usage.as_str())))
        .set_description(text("description"))
        .set_policy(text("policy"))
        .set_multi_region(planned.flag("multi_region").filter(|multi| *multi))
        .set_origin(origin)
        .set_custom_key_store_id(text("custom_key_store_id"))
        .set_xks_key_id(text("xks_key_id"))
        .set_bypass_policy_lockout_safety_check(
            planned
                .flag("bypass_policy_lockout_safety_check")
                .filter(|bypass| *bypass),
        )
        .set_tags((!tags.is_empty()).then(|| sdk_tags(&tags)))
}

/// A key; `None` when there is none.
pub(super) async fn fetch(
    context: &Context,
    key: &str,
    grants: Vec<String>,
    subject: &Subject,
) -> Outcome<Option<KeyMetadata>> {
    let answer = context
        .client
        .kms(&context.region)
        .describe_key()
        .key_id(key)
        .set_grant_tokens((!grants.is_empty()).then_some(grants))
        .send()
        .await
        .unless_gone(&GONE, "reading", subject, "kms:DescribeKey")?;
    Ok(answer.and_then(|answer| answer.key_metadata))
}

async fn policy_of(context: &Context, key: &str, subject: &Subject) -> Outcome<Option<String>> {
    let answer = context
        .client
        .kms(&context.region)
        .get_key_policy()
        .key_id(key)
        .policy_name(POLICY)
        .send()
        .await
        .unless_gone(&GONE, "reading the policy of", subject, "kms:GetKeyPolicy")?;
    Ok(answer.map(|answer| answer.policy.unwrap_or_default()))
}

/// Sets the policy; again for a while where KMS does not know its principals yet.
async fn put_policy(
    context: &Context,
    key: &str,
    planned: &Object,
    subject: &Subject,
) -> Outcome<()> {
    let bypass = planned
        .flag("bypass_policy_lockout_safety_check")
        .filter(|bypass| *bypass);
    let request = || {
        context
            .client
            .kms(&context.region)
            .put_key_policy()
            .key_id(key)
            .policy_name(POLICY)
            .policy(planned.text("policy").unwrap_or_default())
            .set_bypass_policy_lockout_safety_check(bypass)
            .send()
    };
    let look = || async {
        match request().await {
            Err(error) if is_one_of(&error, &["MalformedPolicyDocumentException"]) => Ok(None),
            answer => answer
                .when("updating", subject, "kms:PutKeyPolicy")
                .map(Some),
        }
    };
    if context.patience(UNTIL_KNOWN).look(look).await?.is_none() {
        request()
            .await
            .when("updating", subject, "kms:PutKeyPolicy")?;
    }
    Ok(())
}

async fn enable(context: &Context, key: &str, enabled: bool, subject: &Subject) -> Outcome<()> {
    let kms = context.client.kms(&context.region);
    if enabled {
        kms.enable_key()
            .key_id(key)
            .send()
            .await
            .when("enabling", subject, "kms:EnableKey")?;
    } else {
        kms.disable_key()
            .key_id(key)
            .send()
            .await
            .when("disabling", subject, "kms:DisableKey")?;
    }
    Ok(())
}

async fn rotate(context: &Context, key: &str, planned: &Object, subject: &Subject) -> Outcome<()> {
    let kms = context.client.kms(&context.region);
    if planned.flag("enable_key_rotation") == Some(true) {
        let period = planned
            .whole("rotation_period_in_days")
            .filter(|days| *days > 0);
        kms.enable_key_rotation()
            .key_id(key)
            .set_rotation_period_in_days(period.and_then(|days| i32::try_from(days).ok()))
            .send()
            .await
            .when("enabling the rotation of", subject, "kms:EnableKeyRotation")?;
    } else {
        kms.disable_key_rotation().key_id(key).send().await.when(
            "disabling the rotation of",
            subject,
            "kms:DisableKeyRotation",
        )?;
    }
    Ok(())
}

pub(super) async fn tags_of(
    context: &Context,
    key: &str,
    subject: &Subject,
) -> Outcome<Option<Tags>> {
    let mut tags = Tags::new();
    let mut pages = context
        .client
        .kms(&context.region)
        .list_resource_tags()
        .key_id(key)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.unless_gone(
            &GONE,
            "reading the tags of",
            subject,
            "kms:ListResourceTags",
        )?;
        let Some(page) = page else {
            return Ok(None);
        };
        let told = page.tags.unwrap_or_default().into_iter();
        tags.extend(told.map(|tag| (tag.tag_key, tag.tag_value)));
    }
    Ok(Some(tags))
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter()
        .map(|(key, value)| {
            Tag::builder()
                .tag_key(key)
                .tag_value(value)
                .build()
                .expect("a tag with key and value is complete")
        })
        .collect()
}

async fn tag(context: &Context, key: &str, change: &TagChange, subject: &Subject) -> Outcome<()> {
    let kms = context.client.kms(&context.region);
    if !change.gone.is_empty() {
        kms.untag_resource()
            .key_id(key)
            .set_tag_keys(Some(change.gone.clone()))
            .send()
            .await
            .when("untagging", subject, "kms:UntagResource")?;
    }
    if !change.set.is_empty() {
        kms.tag_resource()
            .key_id(key)
            .set_tags(Some(sdk_tags(&change.set)))
            .send()
            .await
            .when("tagging", subject, "kms:TagResource")?;
    }
    Ok(())
}
