//! The DynamoDB table: items with a key and a few strings.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use terrace_backend_remote::Failure;

use crate::clients::Clients;
use crate::failure::{code, failure};

/// The name of the key, which today's tools have given it.
const KEY: &str = "LockID";

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    client: aws_sdk_dynamodb::Client,
    name: String,
}

/// When an item is changed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Only<'a> {
    /// Where there is no such item.
    Absent,
    /// Where an attribute has this value.
    Has(&'a str, &'a str),
}

impl Only<'_> {
    fn condition(self) -> String {
        match self {
            Self::Absent => format!("attribute_not_exists({KEY})"),
            Self::Has(..) => "#condition = :condition".to_owned(),
        }
    }

    fn names(self) -> Option<HashMap<String, String>> {
        match self {
            Self::Has(name, _) => Some(HashMap::from([("#condition".to_owned(), name.to_owned())])),
            Self::Absent => None,
        }
    }

    fn values(self) -> Option<HashMap<String, AttributeValue>> {
        match self {
            Self::Has(_, value) => Some(HashMap::from([(
                ":condition".to_owned(),
                AttributeValue::S(value.to_owned()),
            )])),
            Self::Absent => None,
        }
    }
}

impl Table {
    pub(crate) fn new(clients: &Clients, name: &str) -> Self {
        Self {
            client: clients.dynamodb.clone(),
            name: name.to_owned(),
        }
    }

    fn what(&self, doing: &str, key: &str) -> String {
        format!("{doing} {key:?} of the DynamoDB table {:?}", self.name)
    }

    /// The strings of an item.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<HashMap<String, String>>, Failure> {
        let request = self.client.get_item().table_name(&self.name);
        let answer = request
            .key(KEY, AttributeValue::S(key.to_owned()))
            .consistent_read(true)
            .send()
            .await;
        let answer = answer.map_err(|error| {
            failure(
                self.what("reading the item", key),
                "dynamodb:GetItem on the table",
                &error,
            )
        })?;
        Ok(answer.item.map(|item| {
            item.into_iter()
                .filter_map(|(name, value)| Some((name, value.as_s().ok()?.clone())))
                .collect()
        }))
    }

    /// Replaces an item by one with these strings. Whether the condition held.
    pub(crate) async fn put(
        &self,
        key: &str,
        attributes: &[(&str, &str)],
        only: Only<'_>,
    ) -> Result<bool, Failure> {
        let mut request = self
            .client
            .put_item()
            .table_name(&self.name)
            .item(KEY, AttributeValue::S(key.to_owned()))
            .condition_expression(only.condition())
            .set_expression_attribute_names(only.names())
            .set_expression_attribute_values(only.values());
        for (name, value) in attributes {
            request = request.item(*name, AttributeValue::S((*value).to_owned()));
        }
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == "ConditionalCheckFailedException" => Ok(false),
            Err(error) => Err(failure(
                self.what("writing the item", key),
                "dynamodb:PutItem on the table",
                &error,
            )),
        }
    }

    /// Sets a string of an item, which is made where there is none.
    pub(crate) async fn set(&self, key: &str, name: &str, value: &str) -> Result<(), Failure> {
        let request = self
            .client
            .update_item()
            .table_name(&self.name)
            .key(KEY, AttributeValue::S(key.to_owned()))
            .update_expression("SET #name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", AttributeValue::S(value.to_owned()));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(failure(
                self.what("writing the item", key),
                "dynamodb:UpdateItem on the table",
                &error,
            )),
        }
    }

    /// Deletes an item. Whether the condition held.
    pub(crate) async fn delete(&self, key: &str, only: Only<'_>) -> Result<bool, Failure> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key(KEY, AttributeValue::S(key.to_owned()))
            .condition_expression(only.condition())
            .set_expression_attribute_names(only.names())
            .set_expression_attribute_values(only.values());
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == "ConditionalCheckFailedException" => Ok(false),
            Err(error) => Err(failure(
                self.what("deleting the item", key),
                "dynamodb:DeleteItem on the table",
                &error,
            )),
        }
    }
}
