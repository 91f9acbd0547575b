//! `aws_cloudwatch_log_group`.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::types::{LogGroup, LogGroupClass};
use terrace_provider_sdk::{Object, Outcome, Plan, Schema, validate};

use crate::client::Client;
use crate::failure::{Answered as _, Subject, is_one_of};
use crate::kind::{Change, Context, Kind, id};
use crate::names;
use crate::shape::Behaviour as _;
use crate::tags::{self, TagChange, Tags};

/// What CloudWatch Logs says of a group that is not there.
const GONE: [&str; 1] = ["ResourceNotFoundException"];

/// How long a group may be busy with something else before it goes.
const BUSY: Duration = Duration::from_mins(1);

/// For how many days events may be kept; 0 is forever.
const DAYS: [i64; 23] = [
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// The class whose events are only delivered elsewhere: AWS sets how long they are kept.
const DELIVERY: &str = "DELIVERY";

#[derive(Default)]
pub(crate) struct Group;

#[async_trait]
impl Kind for Group {
    const NAME: &'static str = "aws_cloudwatch_log_group";
    const WHAT: &'static str = "CloudWatch Logs Log Group";
    const ID_OF: Option<(&'static [&'static str], &'static str)> = Some((&["name"], ""));

    fn behave(&self, shape: Schema) -> Schema {
        let characters = r"^[0-9A-Za-z_./#-]+$";
        let description = "must have letters, digits, and _ - / . # only";
        shape
            .replaces(&["name", "name_prefix", "log_group_class"])
            .defaults_to_bool(&[("skip_destroy", false)])
            .defaults_to_number(&[("retention_in_days", 0)])
            .change("name", |name| {
                name.validate(validate::conflicts_with(["name_prefix"]))
                    .validate(validate::length(1..=512))
                    .validate(validate::matches(characters, description))
            })
            .change("name_prefix", |prefix| {
                prefix
                    .validate(validate::length(1..=486))
                    .validate(validate::matches(characters, description))
            })
            .change("log_group_class", |class| {
                class.validate(validate::one_of(["STANDARD", "INFREQUENT_ACCESS", DELIVERY]))
            })
            .change("retention_in_days", |days| {
                days.validate(validate::custom(|checked, diagnostics| {
                    let wanted = checked.value.as_number().and_then(terrace_provider_sdk::Number::to_i64);
                    if let Some(wanted) = wanted.filter(|wanted| !DAYS.contains(wanted)) {
                        diagnostics.error_at(
                            checked.path.clone(),
                            "Invalid retention",
                            format!("Events cannot be kept for {wanted} days: CloudWatch Logs knows {DAYS:?}, where 0 is forever."),
                        );
                    }
                }))
            })
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        let (Some(prior), Some(planned)) = (&plan.prior, &mut plan.planned) else {
            return Ok(());
        };
        if planned.text("log_group_class") == Some(DELIVERY)
            && prior.text("log_group_class") == Some(DELIVERY)
        {
            planned.set(
                "retention_in_days",
                prior.value("retention_in_days").clone(),
            );
        }
        Ok(())
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let name = names::of(context, planned, "name", "name_prefix");
        let subject = Self::subject(&name);
        let text = |name: &str| {
            planned
                .text(name)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let class = text("log_group_class");
        let tags = tags::planned(planned);
        context
            .client
            .logs(&context.region)
            .create_log_group()
            .log_group_name(&name)
            .set_log_group_class(class.as_deref().map(LogGroupClass::from))
            .set_kms_key_id(text("kms_key_id"))
            .set_deletion_protection_enabled(
                planned.flag("deletion_protection_enabled").filter(|on| *on),
            )
            .set_tags((!tags.is_empty()).then(|| tags.into_iter().collect()))
            .send()
            .await
            .when("creating", &subject, "logs:CreateLogGroup")?;
        context.made(&name);
        if class.as_deref() != Some(DELIVERY)
            && planned
                .whole("retention_in_days")
                .is_some_and(|days| days > 0)
        {
            retain(context, &name, planned, &subject).await?;
        }
        Ok(name)
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let name = id(state);
        let subject = Self::subject(name);
        let Some(told) = find(context, name, &subject).await? else {
            return Ok(None);
        };
        let mut object = facts(&told);
        let arn = object.text("arn").unwrap_or_default().to_owned();
        object.set("name", name);
        object.set("name_prefix", names::prefix_of(name));
        object.set("skip_destroy", state.flag("skip_destroy").unwrap_or(false));
        let Some(tags) = tags_of(context, &arn, &subject).await? else {
            return Ok(None);
        };
        object.set("tags_all", tags);
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let (name, planned) = (change.id(), change.planned);
        let (logs, subject) = (context.client.logs(&context.region), Self::subject(name));
        if change.of(&["retention_in_days"]) {
            retain(context, name, planned, &subject).await?;
        }
        if change.of(&["kms_key_id"]) {
            match planned.text("kms_key_id").filter(|key| !key.is_empty()) {
                Some(key) => {
                    logs.associate_kms_key()
                        .log_group_name(name)
                        .kms_key_id(key)
                        .send()
                        .await
                        .when("encrypting", &subject, "logs:AssociateKmsKey")?;
                }
                None => {
                    logs.disassociate_kms_key()
                        .log_group_name(name)
                        .send()
                        .await
                        .when("updating", &subject, "logs:DisassociateKmsKey")?;
                }
            }
        }
        if change.of(&["deletion_protection_enabled"]) {
            logs.put_log_group_deletion_protection()
                .log_group_identifier(name)
                .deletion_protection_enabled(
                    planned.flag("deletion_protection_enabled").unwrap_or(false),
                )
                .send()
                .await
                .when("updating", &subject, "logs:PutLogGroupDeletionProtection")?;
        }
        match change.tags() {
            Some(tags) => {
                tag(
                    context,
                    change.prior.text("arn").unwrap_or_default(),
                    &tags,
                    &subject,
                )
                .await
            }
            None => Ok(()),
        }
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        if state.flag("skip_destroy") == Some(true) {
            return Ok(());
        }
        let name = id(state);
        let subject = Self::subject(name);
        let request = || {
            context
                .client
                .logs(&context.region)
                .delete_log_group()
                .log_group_name(name)
                .send()
        };
        let look = || async {
            match request().await {
                Err(error) if is_one_of(&error, &["OperationAbortedException"]) => Ok(None),
                answer => answer
                    .unless_gone(&GONE, "deleting", &subject, "logs:DeleteLogGroup")
                    .map(|_| Some(())),
            }
        };
        if context.patience(BUSY).look(look).await?.is_none() {
            request()
                .await
                .unless_gone(&GONE, "deleting", &subject, "logs:DeleteLogGroup")?;
        }
        Ok(())
    }
}

/// Sets for how long events are kept; forever for 0.
async fn retain(context: &Context, name: &str, planned: &Object, subject: &Subject) -> Outcome<()> {
    let logs = context.client.logs(&context.region);
    let days = planned
        .whole("retention_in_days")
        .and_then(|days| i32::try_from(days).ok());
    if let Some(days) = days.filter(|days| *days > 0) {
        logs.put_retention_policy()
            .log_group_name(name)
            .retention_in_days(days)
            .send()
            .await
            .when(
                "setting the retention of",
                subject,
                "logs:PutRetentionPolicy",
            )?;
    } else {
        logs.delete_retention_policy()
            .log_group_name(name)
            .send()
            .await
            .when(
                "ending the retention of",
                subject,
                "logs:DeleteRetentionPolicy",
            )?;
    }
    Ok(())
}

/// A group by its name; `None` when there is none.
pub(super) async fn find(
    context: &Context,
    name: &str,
    subject: &Subject,
) -> Outcome<Option<LogGroup>> {
    let mut pages = context
        .client
        .logs(&context.region)
        .describe_log_groups()
        .log_group_name_prefix(name)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.unless_gone(&GONE, "reading", subject, "logs:DescribeLogGroups")?;
        let mut groups = page
            .and_then(|page| page.log_groups)
            .unwrap_or_default()
            .into_iter();
        if let Some(found) = groups.find(|group| group.log_group_name.as_deref() == Some(name)) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What resource and data source both say of a group.
pub(super) fn facts(told: &LogGroup) -> Object {
    let mut object = Object::new();
    let arn = told.arn.as_deref().unwrap_or_default();
    object.set("arn", arn.strip_suffix(":*").unwrap_or(arn));
    object.set("kms_key_id", told.kms_key_id.clone().unwrap_or_default());
    let class = told
        .log_group_class
        .as_ref()
        .map_or("", |class| class.as_str());
    object.set("log_group_class", class);
    object.set("retention_in_days", told.retention_in_days.unwrap_or(0));
    object.set(
        "deletion_protection_enabled",
        told.deletion_protection_enabled.unwrap_or(false),
    );
    object
}

/// The tags of a group; `None` when it is gone.
pub(super) async fn tags_of(
    context: &Context,
    arn: &str,
    subject: &Subject,
) -> Outcome<Option<Tags>> {
    let answer = context
        .client
        .logs(&context.region)
        .list_tags_for_resource()
        .resource_arn(arn)
        .send()
        .await
        .unless_gone(
            &GONE,
            "reading the tags of",
            subject,
            "logs:ListTagsForResource",
        )?;
    Ok(answer.map(|answer| answer.tags.unwrap_or_default().into_iter().collect()))
}

async fn tag(context: &Context, arn: &str, change: &TagChange, subject: &Subject) -> Outcome<()> {
    let logs = context.client.logs(&context.region);
    if !change.gone.is_empty() {
        logs.untag_resource()
            .resource_arn(arn)
            .set_tag_keys(Some(change.gone.clone()))
            .send()
            .await
            .when("untagging", subject, "logs:UntagResource")?;
    }
    if !change.set.is_empty() {
        logs.tag_resource()
            .resource_arn(arn)
            .set_tags(Some(change.set.clone().into_iter().collect()))
            .send()
            .await
            .when("tagging", subject, "logs:TagResource")?;
    }
    Ok(())
}
