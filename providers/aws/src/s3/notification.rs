//! `aws_s3_bucket_notification`.

use async_trait::async_trait;
use aws_sdk_s3::types::{
    Event, EventBridgeConfiguration, FilterRule, FilterRuleName, LambdaFunctionConfiguration,
    NotificationConfiguration, NotificationConfigurationFilter, QueueConfiguration, S3KeyFilter,
    TopicConfiguration,
};
use terrace_provider_sdk::{Object, Outcome, Schema, Value};

use super::place::Bucket;
use super::setting::Setting;
use crate::blocks::{all, block, blocks, given, list, text, texts};
use crate::names;
use crate::shape::Behaviour as _;

#[derive(Default)]
pub(crate) struct Notification;

#[async_trait]
impl Setting for Notification {
    const NAME: &'static str = "aws_s3_bucket_notification";
    const WHAT: &'static str = "S3 Bucket Notification";

    fn behave(shape: Schema) -> Schema {
        shape.defaults_to_bool(&[("eventbridge", false)])
    }

    async fn put(bucket: &Bucket<'_>, planned: &Object, doing: &'static str) -> Outcome<()> {
        let named = |target: &Object, kind: &str| {
            given(target, "id")
                .unwrap_or_else(|| names::beginning(bucket.context, &format!("tf-s3-{kind}-")))
        };
        let events = |target: &Object| {
            let events = texts(target, "events").unwrap_or_default();
            events
                .iter()
                .map(|event| Event::from(event.as_str()))
                .collect()
        };
        let arn = |target: &Object, name: &str| given(target, name).unwrap_or_default();
        let queues = all(planned, "queue").into_iter().map(|target| {
            QueueConfiguration::builder()
                .id(named(&target, "queue"))
                .queue_arn(arn(&target, "queue_arn"))
                .set_events(Some(events(&target)))
                .set_filter(filter(&target))
                .build()
                .expect("a queue with events is complete")
        });
        let topics = all(planned, "topic").into_iter().map(|target| {
            TopicConfiguration::builder()
                .id(named(&target, "topic"))
                .topic_arn(arn(&target, "topic_arn"))
                .set_events(Some(events(&target)))
                .set_filter(filter(&target))
                .build()
                .expect("a topic with events is complete")
        });
        let functions = all(planned, "lambda_function").into_iter().map(|target| {
            LambdaFunctionConfiguration::builder()
                .id(named(&target, "lambda"))
                .lambda_function_arn(arn(&target, "lambda_function_arn"))
                .set_events(Some(events(&target)))
                .set_filter(filter(&target))
                .build()
                .expect("a function with events is complete")
        });
        let bridge = planned.flag("eventbridge").unwrap_or(false);
        let settings = NotificationConfiguration::builder()
            .set_queue_configurations(some(queues))
            .set_topic_configurations(some(topics))
            .set_lambda_function_configurations(some(functions))
            .set_event_bridge_configuration(
                bridge.then(|| EventBridgeConfiguration::builder().build()),
            )
            .build();
        bucket
            .change(doing, "s3:PutBucketNotification", || {
                bucket
                    .s3
                    .put_bucket_notification_configuration()
                    .bucket(&bucket.name)
                    .notification_configuration(settings.clone())
                    .send()
            })
            .await?;
        Ok(())
    }

    async fn get(bucket: &Bucket<'_>, _state: &Object) -> Outcome<Option<Object>> {
        let call = bucket
            .s3
            .get_bucket_notification_configuration()
            .bucket(&bucket.name)
            .send();
        let Some(told) = bucket.look("s3:GetBucketNotification", &[], call).await? else {
            return Ok(None);
        };
        let mut object = Object::new();
        object.set("eventbridge", told.event_bridge_configuration.is_some());
        let queues = told.queue_configurations().iter().map(|target| {
            let arn = ("queue_arn", text(Some(&target.queue_arn)));
            told_target(
                target.id.as_deref(),
                arn,
                &target.events,
                target.filter.as_ref(),
            )
        });
        object.set("queue", blocks(queues));
        let topics = told.topic_configurations().iter().map(|target| {
            let arn = ("topic_arn", text(Some(&target.topic_arn)));
            told_target(
                target.id.as_deref(),
                arn,
                &target.events,
                target.filter.as_ref(),
            )
        });
        object.set("topic", blocks(topics));
        let functions = told.lambda_function_configurations().iter().map(|target| {
            let arn = (
                "lambda_function_arn",
                text(Some(&target.lambda_function_arn)),
            );
            told_target(
                target.id.as_deref(),
                arn,
                &target.events,
                target.filter.as_ref(),
            )
        });
        object.set("lambda_function", blocks(functions));
        Ok(Some(object))
    }

    async fn delete(bucket: &Bucket<'_>, _state: &Object) -> Outcome<()> {
        let call = bucket
            .s3
            .put_bucket_notification_configuration()
            .bucket(&bucket.name)
            .notification_configuration(NotificationConfiguration::builder().build())
            .send();
        bucket.end("s3:PutBucketNotification", &[], call).await
    }
}

/// Nothing where there is none.
fn some<T>(items: impl Iterator<Item = T>) -> Option<Vec<T>> {
    let items: Vec<T> = items.collect();
    (!items.is_empty()).then_some(items)
}

/// Of which objects there is news.
fn filter(target: &Object) -> Option<NotificationConfigurationFilter> {
    let rule = |name: FilterRuleName, value: Option<String>| {
        let value = value?;
        Some(FilterRule::builder().name(name).value(value).build())
    };
    let rules: Vec<FilterRule> = [
        rule(FilterRuleName::Prefix, given(target, "filter_prefix")),
        rule(FilterRuleName::Suffix, given(target, "filter_suffix")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if rules.is_empty() {
        return None;
    }
    let key = S3KeyFilter::builder().set_filter_rules(Some(rules)).build();
    Some(NotificationConfigurationFilter::builder().key(key).build())
}

fn told_target(
    id: Option<&str>,
    arn: (&'static str, Value),
    events: &[Event],
    filter: Option<&NotificationConfigurationFilter>,
) -> Value {
    let rules = filter
        .and_then(|filter| filter.key.as_ref())
        .map(S3KeyFilter::filter_rules)
        .unwrap_or_default();
    // S3 writes the names of rules in either case.
    let rule = |wanted: &str| {
        let named = |rule: &&FilterRule| {
            rule.name
                .as_ref()
                .is_some_and(|name| name.as_str().eq_ignore_ascii_case(wanted))
        };
        rules
            .iter()
            .find(named)
            .and_then(|rule| rule.value.as_deref())
    };
    let events: Vec<&str> = events.iter().map(Event::as_str).collect();
    block([
        ("id", text(id)),
        arn,
        ("events", list(&events)),
        ("filter_prefix", text(rule("prefix"))),
        ("filter_suffix", text(rule("suffix"))),
    ])
}
