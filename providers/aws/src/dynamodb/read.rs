//! The data source `aws_dynamodb_table`.

use async_trait::async_trait;
use terrace_provider_sdk::{Diagnostic, Object, Outcome, Value};

use super::settings::{fetch, recovery, tags_of, time_to_live};
use super::told;
use crate::kind::{Context, Source};

#[derive(Default)]
pub(crate) struct TableData;

#[async_trait]
impl Source for TableData {
    const NAME: &'static str = "aws_dynamodb_table";
    const WHAT: &'static str = "DynamoDB Table";

    async fn read(&self, context: &Context, config: &Object) -> Outcome<Object> {
        let name = config.text("name").unwrap_or_default();
        let subject = Self::subject(name);
        let told = fetch(context, name, &subject).await?.ok_or_else(|| {
            Diagnostic::error(
                "DynamoDB Table not found",
                format!("{subject} is not in {}. Look at its name, the region and the account that this run signs in to.", context.region),
            )
        })?;
        let mut object = told::facts(&told);
        object.set("id", name);
        let replicas = told.replicas().iter().map(|told| {
            let mut replica = Object::new();
            replica.set(
                "kms_key_arn",
                told.kms_master_key_id.clone().unwrap_or_default(),
            );
            replica.set("region_name", told.region_name.clone());
            replica
        });
        object.set("replica", replicas.collect::<Vec<_>>());
        object.set(
            "point_in_time_recovery",
            vec![recovery(context, &context.region, name).await?],
        );
        object.set("ttl", vec![time_to_live(context, name).await?]);
        let arn = told.table_arn.unwrap_or_default();
        let tags = tags_of(context, &arn, &subject).await?;
        object.set("tags", context.client.tags().split(tags, &Value::NULL).1);
        Ok(object)
    }
}
