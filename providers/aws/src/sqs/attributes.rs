//! What a queue's attributes are: reading, setting, and waiting until SQS tells of them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use terrace_provider_sdk::Outcome;

use crate::document;
use crate::failure::{Answered as _, Subject};
use crate::kind::Context;
use crate::policy;

/// What SQS says of a queue that is not there.
pub(super) const GONE: [&str; 3] = [
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
    "NonExistentQueue",
];

/// How long SQS may take to tell of attributes: up to a minute, says its documentation.
const UNTIL_TOLD: Duration = Duration::from_secs(90);

/// Attributes by the names that SQS has for them.
pub(super) type Attributes = BTreeMap<String, String>;

/// All attributes of a queue; `None` when it is gone.
pub(super) async fn fetch(
    context: &Context,
    url: &str,
    subject: &Subject,
) -> Outcome<Option<Attributes>> {
    let answer = context
        .client
        .sqs(&context.region)
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(QueueAttributeName::All)
        .send()
        .await
        .unless_gone(&GONE, "reading", subject, "sqs:GetQueueAttributes")?;
    let attributes = answer.map(|answer| answer.attributes.unwrap_or_default());
    Ok(attributes.map(|attributes| {
        let named = attributes.into_iter();
        named
            .map(|(name, value)| (name.as_str().to_owned(), value))
            .collect()
    }))
}

/// Attributes as SQS takes them.
pub(super) fn sent(attributes: &Attributes) -> Option<HashMap<QueueAttributeName, String>> {
    let named = attributes.iter();
    let named = named.map(|(name, value)| (QueueAttributeName::from(name.as_str()), value.clone()));
    (!attributes.is_empty()).then(|| named.collect())
}

/// Sets attributes and waits until SQS tells of them. `None` when the queue is gone.
pub(super) async fn set(
    context: &Context,
    url: &str,
    attributes: &Attributes,
    subject: &Subject,
) -> Outcome<Option<()>> {
    let set = context
        .client
        .sqs(&context.region)
        .set_queue_attributes()
        .queue_url(url)
        .set_attributes(sent(attributes))
        .send()
        .await
        .unless_gone(&GONE, "updating", subject, "sqs:SetQueueAttributes")?;
    if set.is_some() {
        told(context, url, attributes, subject).await?;
    }
    Ok(set.map(|_| ()))
}

/// Waits until SQS tells of attributes as they were set. It goes on without a word where SQS does not: the next plan shows it.
pub(super) async fn told(
    context: &Context,
    url: &str,
    wanted: &Attributes,
    subject: &Subject,
) -> Outcome<()> {
    let look = || async {
        let told = fetch(context, url, subject).await?;
        Ok(told.filter(|told| agree(wanted, told)))
    };
    context.patience(UNTIL_TOLD).look(look).await?;
    Ok(())
}

fn agree(wanted: &Attributes, told: &Attributes) -> bool {
    wanted.iter().all(|(name, wanted)| {
        let told = told.get(name).map_or("", String::as_str);
        wanted == told || document::same(wanted, told) || policy::equivalent(wanted, told)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_agree_by_meaning_and_nothing_is_told_of_what_was_cleared() {
        let of = |pairs: &[(&str, &str)]| -> Attributes {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let told = of(&[
            ("RedrivePolicy", r#"{"maxReceiveCount": 3}"#),
            ("DelaySeconds", "5"),
        ]);
        assert!(agree(
            &of(&[("RedrivePolicy", r#"{"maxReceiveCount":"3"}"#)]),
            &told
        ));
        assert!(agree(&of(&[("Policy", "")]), &told));
        assert!(!agree(&of(&[("DelaySeconds", "6")]), &told));
    }
}
