//! The data source `aws_cloudwatch_log_group`.

use async_trait::async_trait;
use terrace_provider_sdk::{Diagnostic, Object, Outcome, Value};

use super::group::{facts, find, tags_of};
use crate::kind::{Context, Source};

#[derive(Default)]
pub(crate) struct GroupData;

#[async_trait]
impl Source for GroupData {
    const NAME: &'static str = "aws_cloudwatch_log_group";
    const WHAT: &'static str = "CloudWatch Logs Log Group";

    async fn read(&self, context: &Context, config: &Object) -> Outcome<Object> {
        let name = config.text("name").unwrap_or_default();
        let subject = Self::subject(name);
        let told = find(context, name, &subject).await?.ok_or_else(|| {
            Diagnostic::error(
                "CloudWatch Logs Log Group not found",
                format!("{subject} is not in {}. Look at its name, the region and the account that this run signs in to.", context.region),
            )
        })?;
        let mut object = facts(&told);
        object.set("id", name);
        object.set("creation_time", told.creation_time);
        let arn = object.text("arn").unwrap_or_default().to_owned();
        let tags = tags_of(context, &arn, &subject).await?.unwrap_or_default();
        object.set("tags", context.client.tags().split(tags, &Value::NULL).1);
        Ok(object)
    }
}
