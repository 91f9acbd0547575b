//! `aws_lambda_alias`.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::operation::get_alias::GetAliasOutput as Told;
use aws_sdk_lambda::types::AliasRoutingConfiguration;
use terrace_provider_sdk::{Data as _, Diagnostic, Object, Outcome, Schema};

use super::{GONE, by_name_or_arn, invoke_arn, named};
use crate::blocks::{block, blocks, one, or_empty};
use crate::failure::{Answered as _, Subject};
use crate::kind::{Change, Context, Kind, id};
use crate::shape::Behaviour as _;
use crate::timeouts;

/// How long it usually takes at most until no other version is called any more.
const USUAL: Duration = Duration::from_mins(15);

#[derive(Default)]
pub(crate) struct Alias;

#[async_trait]
impl Kind for Alias {
    const NAME: &'static str = "aws_lambda_alias";
    const WHAT: &'static str = "Lambda Alias";
    const ID_OF: Option<(&'static [&'static str], &'static str)> =
        Some((&["function_name", "name"], "/"));

    fn behave(&self, shape: Schema) -> Schema {
        shape
            .replaces(&["function_name", "name"])
            .change("function_name", by_name_or_arn)
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let text = |name: &str| planned.text(name).unwrap_or_default();
        let answer = context
            .client
            .lambda(&context.region)
            .create_alias()
            .function_name(text("function_name"))
            .name(text("name"))
            .function_version(text("function_version"))
            .description(text("description"))
            .routing_config(routing(planned))
            .send()
            .await
            .when(
                "creating",
                &Self::subject(text("name")),
                "lambda:CreateAlias",
            )?;
        Ok(answer.alias_arn.unwrap_or_default())
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let Some(told) = fetch(context, state, &Self::subject(id(state))).await? else {
            return Ok(None);
        };
        let arn = or_empty(told.alias_arn);
        let mut object = Object::new();
        object.set("id", arn.as_str());
        object.set("invoke_arn", invoke_arn(context, &arn));
        object.set("arn", arn);
        object.set("description", or_empty(told.description));
        object.set("function_version", told.function_version);
        object.set("name", told.name);
        let weights = told
            .routing_config
            .and_then(|routing| routing.additional_version_weights);
        let weights = weights.filter(|weights| !weights.is_empty());
        let weights = weights.map(|weights| {
            let weights: BTreeMap<String, f64> = weights.into_iter().collect();
            block([("additional_version_weights", weights.into_value())])
        });
        object.set("routing_config", blocks(weights));
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let planned = change.planned;
        let text = |name: &str| planned.text(name).unwrap_or_default();
        let subject = Self::subject(change.id());
        let routing = routing(planned);
        let one_version = routing.additional_version_weights.is_none();
        context
            .client
            .lambda(&context.region)
            .update_alias()
            .function_name(text("function_name"))
            .name(text("name"))
            .function_version(text("function_version"))
            .description(text("description"))
            .routing_config(routing)
            .send()
            .await
            .when("updating", &subject, "lambda:UpdateAlias")?;
        if !one_version {
            return Ok(());
        }
        let cleared = async || {
            let told = fetch(context, planned, &subject).await?;
            let weights = told
                .and_then(|told| told.routing_config)
                .and_then(|routing| routing.additional_version_weights);
            let left = weights.is_some_and(|weights| !weights.is_empty());
            Ok((!left).then_some(()))
        };
        context
            .patience(timeouts::of(planned, "update", USUAL))
            .until(&subject, "on one version", cleared)
            .await
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        context
            .client
            .lambda(&context.region)
            .delete_alias()
            .function_name(state.text("function_name").unwrap_or_default())
            .name(state.text("name").unwrap_or_default())
            .send()
            .await
            .unless_gone(
                &GONE,
                "deleting",
                &Self::subject(id(state)),
                "lambda:DeleteAlias",
            )?;
        Ok(())
    }

    fn import(&self, id: &str) -> Outcome<Object> {
        let by_arn = id.starts_with("arn:").then(|| named(id));
        let parts = match by_arn {
            Some((function, Some(alias))) => Some((function, alias)),
            _ => id.rsplit_once('/'),
        };
        let Some((function, alias)) =
            parts.filter(|(function, alias)| !function.is_empty() && !alias.is_empty())
        else {
            return Err(Diagnostic::error(
                "Invalid import id",
                format!("{id:?} does not name an alias of a function. The id is the name of the function, a slash and the name of the alias: function/alias."),
            )
            .into());
        };
        let mut object = Object::new();
        object.set("id", id);
        object.set("function_name", function);
        object.set("name", alias);
        Ok(object)
    }
}

/// Which other versions are called, and how often.
fn routing(planned: &Object) -> AliasRoutingConfiguration {
    let block = one(planned, "routing_config").unwrap_or_default();
    let entries = block.value("additional_version_weights").as_entries();
    let weights: HashMap<String, f64> = entries
        .into_iter()
        .flatten()
        .filter_map(|(version, weight)| Some((version.to_string(), weight.as_number()?.to_f64())))
        .collect();
    AliasRoutingConfiguration::builder()
        .set_additional_version_weights((!weights.is_empty()).then_some(weights))
        .build()
}

async fn fetch(context: &Context, object: &Object, subject: &Subject) -> Outcome<Option<Told>> {
    context
        .client
        .lambda(&context.region)
        .get_alias()
        .function_name(object.text("function_name").unwrap_or_default())
        .name(object.text("name").unwrap_or_default())
        .send()
        .await
        .unless_gone(&GONE, "reading", subject, "lambda:GetAlias")
}
