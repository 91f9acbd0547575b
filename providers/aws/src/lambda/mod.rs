//! Lambda: functions, what calls them, and who may.

mod alias;
mod blocks;
mod function;
mod mapping;
mod permission;
mod read;
mod update;
mod url;

use std::time::Duration;

use terrace_provider_sdk::{Attribute, Outcome, Value};

use crate::Builder;
use crate::client::Client;
use crate::failure::{Answered as _, Subject};
use crate::kind::{Context, Looked, Managed};
use crate::tags::TagChange;

/// What Lambda says of something that is not there.
const GONE: [&str; 1] = ["ResourceNotFoundException"];

/// How long it may take until all of AWS knows a role or a function that is new.
const PROPAGATION: Duration = Duration::from_mins(5);

/// The version of a function that was not published.
const LATEST: &str = "$LATEST";

/// Adds its types.
pub(crate) fn register(builder: Builder) -> Builder {
    builder
        .resource(Managed::<function::Function>::default())
        .resource(Managed::<permission::Permission>::default())
        .resource(Managed::<mapping::EventSourceMapping>::default())
        .resource(Managed::<url::FunctionUrl>::default())
        .resource(Managed::<alias::Alias>::default())
        .data_source(Looked::<read::FunctionData>::default())
}

/// The ARN by which API Gateway calls a function.
fn invoke_arn(context: &Context, arn: &str) -> String {
    let partition = Client::partition(&context.region).id;
    let region = &context.region;
    format!(
        "arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"
    )
}

/// The ARN by which API Gateway calls a function that answers bit by bit.
fn streaming_arn(context: &Context, arn: &str) -> String {
    let partition = Client::partition(&context.region).id;
    let region = &context.region;
    format!(
        "arn:{partition}:apigateway:{region}:lambda:path/2021-11-15/functions/{arn}/response-streaming-invocations"
    )
}

/// Changes the tags of something.
async fn tag(context: &Context, arn: &str, tags: TagChange, subject: &Subject) -> Outcome<()> {
    let lambda = context.client.lambda(&context.region);
    if !tags.gone.is_empty() {
        lambda
            .untag_resource()
            .resource(arn)
            .set_tag_keys(Some(tags.gone))
            .send()
            .await
            .when("untagging", subject, "lambda:UntagResource")?;
    }
    if !tags.set.is_empty() {
        lambda
            .tag_resource()
            .resource(arn)
            .set_tags(Some(tags.set.into_iter().collect()))
            .send()
            .await
            .when("tagging", subject, "lambda:TagResource")?;
    }
    Ok(())
}

/// A function that is named by its name, its ARN or a part of the latter, as its name and what qualifies it.
fn named(function: &str) -> (&str, Option<&str>) {
    let rest = match function.split_once(":function:") {
        Some((_, rest)) => rest,
        None => function.strip_prefix("function:").unwrap_or(function),
    };
    match rest.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier)),
        None => (rest, None),
    }
}

/// A function's name and its ARN are the same.
fn by_name_or_arn(attribute: Attribute) -> Attribute {
    attribute.modify(|change| {
        if let (Some(before), Some(after)) = (change.prior.as_str(), change.planned.as_str())
            && (named(before).0 == after || named(after).0 == before)
        {
            change.planned = Value::clone(change.prior);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_named_in_several_ways() {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
        assert_eq!(named("f"), ("f", None));
        assert_eq!(named("f:live"), ("f", Some("live")));
        assert_eq!(named("function:f"), ("f", None));
        assert_eq!(named(arn), ("f", None));
        assert_eq!(named(&format!("{arn}:$LATEST")), ("f", Some("$LATEST")));
    }
}
