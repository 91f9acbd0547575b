//! `aws_cloudfront_function`.

use async_trait::async_trait;
use aws_sdk_cloudfront::primitives::Blob;
use aws_sdk_cloudfront::types::{
    FunctionConfig, FunctionRuntime, FunctionStage, FunctionSummary, KeyValueStoreAssociation,
    KeyValueStoreAssociations,
};
use terrace_provider_sdk::{Diagnostic, Object, Outcome, Plan, Schema, Type, validate};

use crate::blocks::{given, texts};
use crate::client::Client;
use crate::failure::{Answered as _, Subject};
use crate::kind::{Change, Context, Kind, id};
use crate::shape::Behaviour as _;

const GONE: [&str; 1] = ["NoSuchFunctionExists"];

/// What makes another version of a function.
const VERSION: [&str; 4] = ["code", "comment", "runtime", "key_value_store_associations"];

#[derive(Default)]
pub(crate) struct Function;

#[async_trait]
impl Kind for Function {
    const NAME: &'static str = "aws_cloudfront_function";
    const WHAT: &'static str = "CloudFront Function";

    fn behave(&self, shape: Schema) -> Schema {
        shape
            .replaces(&["name"])
            .defaults_to_bool(&[("publish", true)])
            .change("runtime", |runtime| {
                runtime.validate(validate::one_of(["cloudfront-js-1.0", "cloudfront-js-2.0"]))
            })
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        let changes = plan.prior.is_some() && VERSION.iter().any(|name| plan.changes(name));
        let published = plan.changes("publish");
        let Some(planned) = &mut plan.planned else {
            return Ok(());
        };
        if changes {
            planned.forget("etag", Type::String);
        }
        if changes || published {
            planned.forget("status", Type::String);
            planned.forget("live_stage_etag", Type::String);
        }
        Ok(())
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let name = given(planned, "name").unwrap_or_default();
        let subject = Self::subject(name.clone());
        let answer = context
            .client
            .cloudfront(&context.region)
            .create_function()
            .name(&name)
            .function_code(code(planned))
            .function_config(config(planned))
            .send()
            .await
            .when("creating", &subject, "cloudfront:CreateFunction")?;
        context.made(name.clone());
        if planned.flag("publish").unwrap_or(true) {
            publish(context, &name, answer.e_tag, &subject).await?;
        }
        Ok(name)
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let (name, subject) = (id(state), Self::subject(id(state)));
        let Some((etag, summary)) =
            describe(context, name, FunctionStage::Development, &subject).await?
        else {
            return Ok(None);
        };
        let code = context
            .client
            .cloudfront(&context.region)
            .get_function()
            .name(name)
            .stage(FunctionStage::Development)
            .send()
            .await
            .unless_gone(&GONE, "reading", &subject, "cloudfront:GetFunction")?;
        let live = describe(context, name, FunctionStage::Live, &subject).await?;
        let mut object = Object::new();
        object.set("name", name);
        object.set("etag", etag);
        object.set(
            "live_stage_etag",
            live.map(|(etag, _)| etag).unwrap_or_default(),
        );
        let code = code.and_then(|code| code.function_code);
        object.set(
            "code",
            code.map(|code| String::from_utf8_lossy(code.as_ref()).into_owned()),
        );
        if let Some(summary) = summary {
            object.set("status", summary.status.clone().unwrap_or_default());
            object.set(
                "arn",
                summary.function_metadata.map(|facts| facts.function_arn),
            );
            if let Some(config) = summary.function_config {
                object.set("comment", config.comment);
                object.set("runtime", config.runtime.as_str());
                let stores = config
                    .key_value_store_associations
                    .and_then(|stores| stores.items);
                let stores = stores.unwrap_or_default().into_iter();
                let arns: std::collections::BTreeSet<String> =
                    stores.map(|store| store.key_value_store_arn).collect();
                object.set("key_value_store_associations", arns);
            }
        }
        if !state.is_set("publish") {
            object.set("publish", true);
        }
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let (name, subject) = (change.id(), Self::subject(change.id()));
        let found = describe(context, name, FunctionStage::Development, &subject).await?;
        let Some((mut etag, _)) = found else {
            return Err(Diagnostic::error(
                "CloudFront Function not found",
                format!("{subject} is gone: somebody deleted it since this plan was made. Plan again, and it will be made anew."),
            )
            .into());
        };
        if change.of(&VERSION) {
            let answer = context
                .client
                .cloudfront(&context.region)
                .update_function()
                .name(name)
                .if_match(etag.clone())
                .function_code(code(change.planned))
                .function_config(config(change.planned))
                .send()
                .await
                .when("updating", &subject, "cloudfront:UpdateFunction")?;
            etag = answer.e_tag.unwrap_or(etag);
        }
        if change.planned.flag("publish").unwrap_or(true) {
            publish(context, name, Some(etag), &subject).await?;
        }
        Ok(())
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let (name, subject) = (id(state), Self::subject(id(state)));
        let Some((etag, _)) = describe(context, name, FunctionStage::Development, &subject).await?
        else {
            return Ok(());
        };
        context
            .client
            .cloudfront(&context.region)
            .delete_function()
            .name(name)
            .if_match(etag)
            .send()
            .await
            .unless_gone(&GONE, "deleting", &subject, "cloudfront:DeleteFunction")?;
        Ok(())
    }
}

fn code(planned: &Object) -> Blob {
    Blob::new(planned.text("code").unwrap_or_default())
}

fn config(planned: &Object) -> FunctionConfig {
    let stores: Vec<KeyValueStoreAssociation> = texts(planned, "key_value_store_associations")
        .unwrap_or_default()
        .into_iter()
        .map(|arn| {
            KeyValueStoreAssociation::builder()
                .key_value_store_arn(arn)
                .build()
                .expect("an association with an ARN is complete")
        })
        .collect();
    let count = i32::try_from(stores.len()).unwrap_or(i32::MAX);
    let stores = (!stores.is_empty()).then(|| {
        KeyValueStoreAssociations::builder()
            .quantity(count)
            .set_items(Some(stores))
            .build()
            .expect("associations with their number are complete")
    });
    let runtime = given(planned, "runtime").unwrap_or_default();
    FunctionConfig::builder()
        .comment(planned.text("comment").unwrap_or_default())
        .runtime(FunctionRuntime::from(runtime.as_str()))
        .set_key_value_store_associations(stores)
        .build()
        .expect("settings with a runtime are complete")
}

/// The tag of a stage of a function, and what is said of it.
async fn describe(
    context: &Context,
    name: &str,
    stage: FunctionStage,
    subject: &Subject,
) -> Outcome<Option<(String, Option<FunctionSummary>)>> {
    let answer = context
        .client
        .cloudfront(&context.region)
        .describe_function()
        .name(name)
        .stage(stage)
        .send()
        .await
        .unless_gone(&GONE, "reading", subject, "cloudfront:DescribeFunction")?;
    Ok(answer.map(|answer| (answer.e_tag.unwrap_or_default(), answer.function_summary)))
}

async fn publish(
    context: &Context,
    name: &str,
    etag: Option<String>,
    subject: &Subject,
) -> Outcome<()> {
    context
        .client
        .cloudfront(&context.region)
        .publish_function()
        .name(name)
        .set_if_match(etag)
        .send()
        .await
        .when("publishing", subject, "cloudfront:PublishFunction")?;
    Ok(())
}
