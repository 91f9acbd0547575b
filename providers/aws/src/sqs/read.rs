//! The data source `aws_sqs_queue`.

use async_trait::async_trait;
use terrace_provider_sdk::{Diagnostic, Object, Outcome, Value};

use super::attributes::{GONE, fetch};
use super::queue::tags_of;
use crate::failure::Answered as _;
use crate::kind::{Context, Source};

#[derive(Default)]
pub(crate) struct QueueData;

#[async_trait]
impl Source for QueueData {
    const NAME: &'static str = "aws_sqs_queue";
    const WHAT: &'static str = "SQS Queue";

    async fn read(&self, context: &Context, config: &Object) -> Outcome<Object> {
        let name = config.text("name").unwrap_or_default();
        let subject = Self::subject(name);
        let missing = || {
            Diagnostic::error(
                "SQS Queue not found",
                format!(
                    "{subject} is not in {}. Look at its name, the region and the account that this run signs in to.",
                    context.region
                ),
            )
        };
        let answer = context
            .client
            .sqs(&context.region)
            .get_queue_url()
            .queue_name(name)
            .send()
            .await
            .unless_gone(&GONE, "reading", &subject, "sqs:GetQueueUrl")?;
        let url = answer
            .and_then(|answer| answer.queue_url)
            .ok_or_else(missing)?;
        let attributes = fetch(context, &url, &subject).await?.ok_or_else(missing)?;
        let tags = tags_of(context, &url).await?.ok_or_else(missing)?;
        let mut object = Object::new();
        object.set("arn", attributes.get("QueueArn").cloned());
        object.set("tags", context.client.tags().split(tags, &Value::NULL).1);
        object.set("id", url.clone());
        object.set("url", url);
        Ok(object)
    }
}
