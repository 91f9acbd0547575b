//! `aws_sqs_queue`.

use std::time::Duration;

use async_trait::async_trait;
use terrace_provider_sdk::{
    Diagnostic, Diagnostics, Object, Outcome, Plan, Schema, attribute, validate,
};

use super::attributes::{Attributes, GONE, fetch, sent, set, told};
use crate::blocks;
use crate::client::Client;
use crate::document::{self, Same};
use crate::failure::{Answered as _, is_one_of};
use crate::kind::{Change, Context, Kind, id};
use crate::names;
use crate::policy;
use crate::shape::Behaviour as _;
use crate::tags::{self, TagChange, Tags};
use crate::timeouts;

/// What SQS says while a queue of the same name is being deleted.
const DELETED_RECENTLY: [&str; 2] = [
    "AWS.SimpleQueueService.QueueDeletedRecently",
    "QueueDeletedRecently",
];

/// How the names of queues end that keep the order of messages.
pub(super) const FIFO: &str = ".fifo";

/// How long a queue may take to come, to change and to go.
const USUAL: Duration = Duration::from_mins(3);

/// Arguments that are attributes of queues, with the names that SQS has for them.
const ATTRIBUTES: [(&str, &str); 15] = [
    ("content_based_deduplication", "ContentBasedDeduplication"),
    ("deduplication_scope", "DeduplicationScope"),
    ("delay_seconds", "DelaySeconds"),
    ("fifo_queue", "FifoQueue"),
    ("fifo_throughput_limit", "FifoThroughputLimit"),
    (REUSE, "KmsDataKeyReusePeriodSeconds"),
    ("kms_master_key_id", "KmsMasterKeyId"),
    ("max_message_size", "MaximumMessageSize"),
    ("message_retention_seconds", "MessageRetentionPeriod"),
    ("policy", "Policy"),
    ("receive_wait_time_seconds", "ReceiveMessageWaitTimeSeconds"),
    ("redrive_allow_policy", "RedriveAllowPolicy"),
    ("redrive_policy", "RedrivePolicy"),
    ("sqs_managed_sse_enabled", "SqsManagedSseEnabled"),
    ("visibility_timeout_seconds", "VisibilityTimeout"),
];

/// Those of them that are documents.
const DOCUMENTS: [&str; 3] = ["policy", "redrive_allow_policy", "redrive_policy"];

/// The argument that says for how long data keys are reused.
const REUSE: &str = "kms_data_key_reuse_period_seconds";

/// How long data keys are reused where nobody says anything else; SQS tells of it only for queues with a key.
const KEY_REUSE: i64 = 300;

#[derive(Default)]
pub(crate) struct Queue;

#[async_trait]
impl Kind for Queue {
    const NAME: &'static str = "aws_sqs_queue";
    const WHAT: &'static str = "SQS Queue";

    fn behave(&self, shape: Schema) -> Schema {
        let numbers = [
            ("delay_seconds", 0..=900),
            (REUSE, 60..=86_400),
            ("max_message_size", 1024..=1_048_576),
            ("message_retention_seconds", 60..=1_209_600),
            ("visibility_timeout_seconds", 0..=43_200),
        ];
        let shape = numbers.into_iter().fold(shape, |shape, (name, range)| {
            shape.change(name, |number| number.validate(validate::between(range)))
        });
        let shape = DOCUMENTS.into_iter().fold(shape, |shape, name| {
            shape.change(name, |text| document::by_meaning(text, same(name)))
        });
        shape
            .replaces(&["name", "name_prefix", "fifo_queue"])
            .defaults_to_bool(&[
                ("content_based_deduplication", false),
                ("fifo_queue", false),
            ])
            .defaults_to_number(&[
                ("delay_seconds", 0),
                ("max_message_size", 262_144),
                ("message_retention_seconds", 345_600),
                ("receive_wait_time_seconds", 0),
                ("visibility_timeout_seconds", 30),
            ])
            .change("name", |name| {
                name.validate(validate::conflicts_with(["name_prefix"]))
            })
            .change("kms_master_key_id", |key| {
                key.validate(validate::conflicts_with(["sqs_managed_sse_enabled"]))
            })
            .change("deduplication_scope", |scope| {
                scope.validate(validate::one_of(["messageGroup", "queue"]))
            })
            .change("fifo_throughput_limit", |limit| {
                limit.validate(validate::one_of(["perQueue", "perMessageGroupId"]))
            })
    }

    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        let fifo = match config.value("fifo_queue") {
            value if !value.is_known() => return,
            value => value.as_bool().unwrap_or(false),
        };
        if !fifo && config.flag("content_based_deduplication") == Some(true) {
            diagnostics.error_at(
                attribute("content_based_deduplication"),
                "Only FIFO queues deduplicate",
                "content_based_deduplication is for queues that keep the order of their messages: set fifo_queue = true, or leave it out.",
            );
        }
        if let Some(name) = config.text("name").filter(|name| !fits(name, fifo)) {
            let wanted = if fifo {
                "1 to 75 letters, digits, underscores and hyphens, and .fifo at the end, since fifo_queue is true"
            } else {
                "1 to 80 letters, digits, underscores and hyphens"
            };
            diagnostics.error_at(
                attribute("name"),
                "Invalid name of a queue",
                format!("The name {name:?} cannot be: a queue's name has {wanted}."),
            );
        }
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        let (Some(config), Some(planned)) = (&plan.config, &mut plan.planned) else {
            return Ok(());
        };
        // SQS tells of it only where it encrypts with a key, so it cannot be held to what is configured.
        let key = planned.value("kms_master_key_id");
        let without_key = key.is_known() && key.as_str().is_none_or(str::is_empty);
        if without_key && (plan.prior.is_some() || config.is_set(REUSE)) {
            planned.set(REUSE, KEY_REUSE);
        }
        Ok(())
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let fifo = planned.flag("fifo_queue").unwrap_or(false);
        let mut name = names::of(context, planned, "name", "name_prefix");
        if fifo && blocks::given(planned, "name").is_none() {
            name.push_str(FIFO);
        }
        if !fits(&name, fifo) {
            return Err(Diagnostic::error(
                "Invalid name of a queue",
                format!("The name {name:?} cannot be: it has at most 80 letters, digits, underscores and hyphens, and ends in .fifo where fifo_queue is true."),
            )
            .into());
        }
        let subject = Self::subject(&name);
        let attributes = wanted(context, planned);
        let sqs = context.client.sqs(&context.region);
        let tags = tags::planned(planned);
        let tags = (!tags.is_empty()).then(|| tags.into_iter().collect());
        let look = || async {
            let answer = sqs
                .create_queue()
                .queue_name(&name)
                .set_attributes(sent(&attributes))
                .set_tags(tags.clone())
                .send()
                .await;
            match answer {
                Err(error) if is_one_of(&error, &DELETED_RECENTLY) => Ok(None),
                answer => answer
                    .when("creating", &subject, "sqs:CreateQueue")
                    .map(Some),
            }
        };
        let patience = context.patience(timeouts::of(planned, "create", USUAL));
        let answer = patience
            .until(&subject, "free of the queue that had its name before", look)
            .await?;
        let url = answer.queue_url.unwrap_or_default();
        context.made(&url);
        told(context, &url, &attributes, &subject).await?;
        Ok(url)
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let url = id(state);
        let subject = Self::subject(url);
        let Some(attributes) = fetch(context, url, &subject).await? else {
            return Ok(None);
        };
        let Some(tags) = tags_of(context, url).await? else {
            return Ok(None);
        };
        let told = |name: &str| attributes.get(name).map_or("", String::as_str);
        let mut object = Object::new();
        for (argument, attribute) in ATTRIBUTES {
            let value = told(attribute);
            match argument {
                _ if DOCUMENTS.contains(&argument) => {
                    object.set(
                        argument,
                        document::kept(state.text(argument), value, same(argument)),
                    );
                }
                "content_based_deduplication" | "fifo_queue" | "sqs_managed_sse_enabled" => {
                    object.set(argument, value == "true");
                }
                _ if argument.ends_with("_seconds") || argument.ends_with("_size") => {
                    object.set(argument, value.parse::<i64>().unwrap_or(0));
                }
                _ => object.set(argument, value),
            }
        }
        if object.whole(REUSE) == Some(0) {
            object.set(REUSE, KEY_REUSE);
        }
        let name = url.rsplit('/').next().unwrap_or_default();
        let fifo = object.flag("fifo_queue") == Some(true);
        object.set("name", name);
        object.set(
            "name_prefix",
            names::prefix_of(if fifo {
                name.strip_suffix(FIFO).unwrap_or(name)
            } else {
                name
            }),
        );
        object.set("arn", told("QueueArn"));
        object.set("url", url);
        object.set("tags_all", tags);
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let url = change.id();
        let subject = Self::subject(url);
        let changed: Attributes = ATTRIBUTES
            .into_iter()
            .filter(|(argument, _)| change.of(&[argument]) && applies(change.planned, argument))
            .map(|(argument, attribute)| (attribute.to_owned(), as_text(change.planned, argument)))
            .collect();
        if !changed.is_empty() {
            set(context, url, &changed, &subject).await?;
        }
        match change.tags() {
            Some(tags) => tag(context, url, &tags).await,
            None => Ok(()),
        }
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let url = id(state);
        let subject = Self::subject(url);
        let deleted = context
            .client
            .sqs(&context.region)
            .delete_queue()
            .queue_url(url)
            .send()
            .await
            .unless_gone(&GONE, "deleting", &subject, "sqs:DeleteQueue")?;
        if deleted.is_none() {
            return Ok(());
        }
        let look = || async {
            let found = fetch(context, url, &subject).await?;
            Ok(found.is_none().then_some(()))
        };
        let patience = context.patience(timeouts::of(state, "delete", USUAL));
        patience.until(&subject, "deleted", look).await
    }
}

/// When two documents of a queue mean the same.
fn same(argument: &str) -> Same {
    if argument == "policy" {
        policy::equivalent
    } else {
        document::same
    }
}

/// Whether a queue may be called so.
fn fits(name: &str, fifo: bool) -> bool {
    let (stem, longest) = if fifo {
        match name.strip_suffix(FIFO) {
            Some(stem) => (stem, 75),
            None => return false,
        }
    } else {
        (name, 80)
    };
    (1..=longest).contains(&stem.len())
        && stem
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// Whether an attribute is one of this queue: SQS does not tell for how long it reuses data keys where no key is.
fn applies(planned: &Object, argument: &str) -> bool {
    argument != REUSE || blocks::given(planned, "kms_master_key_id").is_some()
}

/// An attribute in the words of SQS; empty for one that is not set.
fn as_text(object: &Object, argument: &str) -> String {
    let value = object.value(argument);
    if let Some(text) = value.as_str() {
        text.to_owned()
    } else if let Some(flag) = value.as_bool() {
        flag.to_string()
    } else {
        object
            .whole(argument)
            .map(|number| number.to_string())
            .unwrap_or_default()
    }
}

/// The attributes that a queue is made with: those that say something. SQS refuses `false` for some that only FIFO queues have.
fn wanted(context: &Context, planned: &Object) -> Attributes {
    let managed = "sqs_managed_sse_enabled";
    ATTRIBUTES
        .into_iter()
        .map(|(argument, attribute)| (argument, attribute.to_owned(), as_text(planned, argument)))
        .filter(|(argument, _, value)| match value.as_str() {
            "" => false,
            _ if !applies(planned, argument) => false,
            "false" => *argument == managed && context.config.is_set(managed),
            _ => true,
        })
        .map(|(_, attribute, value)| (attribute, value))
        .collect()
}

/// The tags of a queue; `None` when it is gone.
pub(super) async fn tags_of(context: &Context, url: &str) -> Outcome<Option<Tags>> {
    let answer = context
        .client
        .sqs(&context.region)
        .list_queue_tags()
        .queue_url(url)
        .send()
        .await
        .unless_gone(
            &GONE,
            "reading the tags of",
            &Queue::subject(url),
            "sqs:ListQueueTags",
        )?;
    Ok(answer.map(|answer| answer.tags.unwrap_or_default().into_iter().collect()))
}

async fn tag(context: &Context, url: &str, change: &TagChange) -> Outcome<()> {
    let (sqs, subject) = (context.client.sqs(&context.region), Queue::subject(url));
    if !change.gone.is_empty() {
        sqs.untag_queue()
            .queue_url(url)
            .set_tag_keys(Some(change.gone.clone()))
            .send()
            .await
            .when("untagging", &subject, "sqs:UntagQueue")?;
    }
    if !change.set.is_empty() {
        sqs.tag_queue()
            .queue_url(url)
            .set_tags(Some(change.set.clone().into_iter().collect()))
            .send()
            .await
            .when("tagging", &subject, "sqs:TagQueue")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_queues_that_keep_the_order_end_in_fifo() {
        assert!(fits("orders", false));
        assert!(fits("orders.fifo", true));
        assert!(!fits("orders.fifo", false));
        assert!(!fits("orders", true));
        assert!(!fits("", false));
        assert!(!fits(&"x".repeat(81), false));
    }
}
