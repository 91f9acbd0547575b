//! What of a table is set by calls of its own, and waiting for it.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    IndexStatus, PointInTimeRecoverySpecification, PointInTimeRecoveryStatus, SseStatus,
    TableDescription, TableStatus, TimeToLiveSpecification, TimeToLiveStatus,
};
use terrace_provider_sdk::{Object, Outcome};

use super::GONE;
use super::spec::{block, number};
use crate::failure::{Answered as _, Subject, is_one_of};
use crate::kind::Context;
use crate::tags::{TagChange, Tags};

/// A table; `None` when there is none.
pub(super) async fn fetch(
    context: &Context,
    name: &str,
    subject: &Subject,
) -> Outcome<Option<TableDescription>> {
    fetch_in(context, &context.region, name, subject).await
}

/// A table of a region.
pub(super) async fn fetch_in(
    context: &Context,
    region: &str,
    name: &str,
    subject: &Subject,
) -> Outcome<Option<TableDescription>> {
    let answer = context
        .client
        .dynamodb(region)
        .describe_table()
        .table_name(name)
        .send()
        .await
        .unless_gone(&GONE, "reading", subject, "dynamodb:DescribeTable")?;
    let table = answer.and_then(|answer| answer.table);
    Ok(table.filter(|table| table.table_status != Some(TableStatus::Archived)))
}

/// Waits until a table and all its indices can be used, and nothing of it is being changed.
pub(super) async fn active(
    context: &Context,
    name: &str,
    longest: Duration,
) -> Outcome<TableDescription> {
    let subject = super::table::subject(name);
    let look = || async {
        let found = fetch(context, name, &subject).await?;
        Ok(found.filter(is_active))
    };
    context
        .patience(longest)
        .until(&subject, "active", look)
        .await
}

pub(super) fn is_active(table: &TableDescription) -> bool {
    let encrypts = table
        .sse_description
        .as_ref()
        .and_then(|sse| sse.status.as_ref());
    let changes = matches!(
        encrypts,
        Some(SseStatus::Enabling | SseStatus::Disabling | SseStatus::Updating)
    );
    table.table_status == Some(TableStatus::Active)
        && !changes
        && table
            .global_secondary_indexes()
            .iter()
            .all(|index| index.index_status == Some(IndexStatus::Active))
}

/// The attribute that says when items expire, and whether it does.
pub(super) async fn time_to_live(context: &Context, name: &str) -> Outcome<Object> {
    let subject = super::table::subject(name);
    let (attribute, status) = time_to_live_told(context, name, &subject).await?;
    let mut object = Object::new();
    object.set("attribute_name", attribute);
    object.set("enabled", status == Some(TimeToLiveStatus::Enabled));
    Ok(object)
}

async fn time_to_live_told(
    context: &Context,
    name: &str,
    subject: &Subject,
) -> Outcome<(String, Option<TimeToLiveStatus>)> {
    let answer = context
        .client
        .dynamodb(&context.region)
        .describe_time_to_live()
        .table_name(name)
        .send()
        .await
        .unless_gone(
            &GONE,
            "reading the time to live of",
            subject,
            "dynamodb:DescribeTimeToLive",
        )?;
    let told = answer.and_then(|answer| answer.time_to_live_description);
    Ok(told.map_or((String::new(), None), |told| {
        (
            told.attribute_name.unwrap_or_default(),
            told.time_to_live_status,
        )
    }))
}

/// Sets by which attribute items expire.
pub(super) async fn expire(
    context: &Context,
    name: &str,
    planned: &Object,
    longest: Duration,
) -> Outcome<()> {
    let subject = super::table::subject(name);
    let Some(wanted) = block(planned, "ttl") else {
        return Ok(());
    };
    let enabled = wanted.flag("enabled").unwrap_or(false);
    let (attribute, before) = time_to_live_told(context, name, &subject).await?;
    let configured = wanted
        .text("attribute_name")
        .filter(|name| !name.is_empty());
    if !enabled && before.is_none_or(|before| before == TimeToLiveStatus::Disabled) {
        return Ok(());
    }
    let specification = TimeToLiveSpecification::builder()
        .enabled(enabled)
        .attribute_name(configured.unwrap_or(&attribute))
        .build()
        .expect("a specification with both is complete");
    context
        .client
        .dynamodb(&context.region)
        .update_time_to_live()
        .table_name(name)
        .time_to_live_specification(specification)
        .send()
        .await
        .when(
            "setting the time to live of",
            &subject,
            "dynamodb:UpdateTimeToLive",
        )?;
    let look = || async {
        let (_, status) = time_to_live_told(context, name, &subject).await?;
        let done = match status {
            Some(TimeToLiveStatus::Enabled) => enabled,
            Some(TimeToLiveStatus::Disabled) | None => !enabled,
            _ => false,
        };
        Ok(done.then_some(()))
    };
    context
        .patience(longest)
        .until(&subject, "told when items expire", look)
        .await
}

/// Whether a table can be restored to any time, and how far back.
pub(super) async fn recovery(context: &Context, region: &str, name: &str) -> Outcome<Object> {
    let subject = super::table::subject(name);
    let answer = context
        .client
        .dynamodb(region)
        .describe_continuous_backups()
        .table_name(name)
        .send()
        .await
        .unless_gone(
            &[GONE[0], GONE[1], "UnknownOperationException"],
            "reading the backups of",
            &subject,
            "dynamodb:DescribeContinuousBackups",
        )?;
    let told = answer
        .and_then(|answer| answer.continuous_backups_description)
        .and_then(|told| told.point_in_time_recovery_description);
    let enabled = told.as_ref().is_some_and(|told| {
        told.point_in_time_recovery_status == Some(PointInTimeRecoveryStatus::Enabled)
    });
    let days = told
        .and_then(|told| told.recovery_period_in_days)
        .filter(|_| enabled);
    let mut object = Object::new();
    object.set("enabled", enabled);
    object.set("recovery_period_in_days", days.unwrap_or(0));
    Ok(object)
}

/// Sets whether a table can be restored to any time.
pub(super) async fn recover(
    context: &Context,
    name: &str,
    planned: &Object,
    longest: Duration,
) -> Outcome<()> {
    let wanted = block(planned, "point_in_time_recovery").unwrap_or_default();
    let enabled = wanted.flag("enabled").unwrap_or(false);
    let days = number(&wanted, "recovery_period_in_days").filter(|_| enabled);
    keep_history(context, &context.region, name, enabled, days, longest).await
}

/// Sets whether a table of a region can be restored to any time, and how far back.
pub(super) async fn keep_history(
    context: &Context,
    region: &str,
    name: &str,
    enabled: bool,
    days: Option<i64>,
    longest: Duration,
) -> Outcome<()> {
    let subject = super::table::subject(name);
    let specification = PointInTimeRecoverySpecification::builder()
        .point_in_time_recovery_enabled(enabled)
        .set_recovery_period_in_days(days.and_then(|days| i32::try_from(days).ok()))
        .build()
        .expect("a specification that enables or not is complete");
    // Backups of a new table are not there at once.
    let look = || async {
        let answer = context
            .client
            .dynamodb(region)
            .update_continuous_backups()
            .table_name(name)
            .point_in_time_recovery_specification(specification.clone())
            .send()
            .await;
        match answer {
            Err(error) if is_one_of(&error, &["ContinuousBackupsUnavailableException"]) => Ok(None),
            answer => answer
                .when(
                    "setting the backups of",
                    &subject,
                    "dynamodb:UpdateContinuousBackups",
                )
                .map(Some),
        }
    };
    let patience = context.patience(longest);
    patience
        .until(&subject, "ready for continuous backups", look)
        .await?;
    let look = || async {
        let told = recovery(context, region, name).await?;
        Ok((told.flag("enabled") == Some(enabled)).then_some(()))
    };
    patience
        .until(&subject, "told of its continuous backups", look)
        .await
}

/// The tags of a table.
pub(super) async fn tags_of(context: &Context, arn: &str, subject: &Subject) -> Outcome<Tags> {
    let mut tags = Tags::new();
    let mut next = None;
    loop {
        let answer = context
            .client
            .dynamodb(&context.region)
            .list_tags_of_resource()
            .resource_arn(arn)
            .set_next_token(next)
            .send()
            .await
            .unless_gone(
                &GONE,
                "reading the tags of",
                subject,
                "dynamodb:ListTagsOfResource",
            )?;
        let Some(answer) = answer else {
            return Ok(tags);
        };
        let told = answer.tags.unwrap_or_default().into_iter();
        tags.extend(told.map(|tag| (tag.key, tag.value)));
        next = answer.next_token;
        if next.is_none() {
            return Ok(tags);
        }
    }
}

/// Changes the tags of a table.
pub(super) async fn tag(
    context: &Context,
    region: &str,
    arn: &str,
    change: &TagChange,
    subject: &Subject,
) -> Outcome<()> {
    let dynamodb = context.client.dynamodb(region);
    if !change.gone.is_empty() {
        dynamodb
            .untag_resource()
            .resource_arn(arn)
            .set_tag_keys(Some(change.gone.clone()))
            .send()
            .await
            .when("untagging", subject, "dynamodb:UntagResource")?;
    }
    if !change.set.is_empty() {
        dynamodb
            .tag_resource()
            .resource_arn(arn)
            .set_tags(Some(super::spec::sdk_tags(&change.set)))
            .send()
            .await
            .when("tagging", subject, "dynamodb:TagResource")?;
    }
    Ok(())
}
