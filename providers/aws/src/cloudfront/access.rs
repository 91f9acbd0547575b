//! `aws_cloudfront_origin_access_control`.

use async_trait::async_trait;
use aws_sdk_cloudfront::types::{
    OriginAccessControlConfig, OriginAccessControlOriginTypes, OriginAccessControlSigningBehaviors,
    OriginAccessControlSigningProtocols,
};
use terrace_provider_sdk::{Diagnostic, Object, Outcome, Schema, validate};

use crate::blocks::given;
use crate::client::Client;
use crate::failure::Answered as _;
use crate::kind::{Change, Context, Kind, id};
use crate::shape::Behaviour as _;

const GONE: [&str; 1] = ["NoSuchOriginAccessControl"];

#[derive(Default)]
pub(crate) struct OriginAccessControl;

#[async_trait]
impl Kind for OriginAccessControl {
    const NAME: &'static str = "aws_cloudfront_origin_access_control";
    const WHAT: &'static str = "CloudFront Origin Access Control";

    fn behave(&self, shape: Schema) -> Schema {
        let origins = ["s3", "mediastore", "mediapackagev2", "lambda"];
        shape
            .replaces(&["name"])
            .defaults_to_text(&[("description", "Managed by Terraform")])
            .change("name", |name| name.validate(validate::length(1..=64)))
            .change("description", |text| {
                text.validate(validate::length(0..=256))
            })
            .change("origin_access_control_origin_type", |ty| {
                ty.validate(validate::one_of(origins))
            })
            .change("signing_behavior", |behavior| {
                behavior.validate(validate::one_of(["never", "always", "no-override"]))
            })
            .change("signing_protocol", |protocol| {
                protocol.validate(validate::one_of(["sigv4"]))
            })
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let answer = context
            .client
            .cloudfront(&context.region)
            .create_origin_access_control()
            .origin_access_control_config(config(planned))
            .send()
            .await
            .when(
                "creating",
                &Self::subject(planned.text("name").unwrap_or_default()),
                "cloudfront:CreateOriginAccessControl",
            )?;
        let made = answer.origin_access_control.map(|control| control.id);
        Ok(made.unwrap_or_default())
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let Some((etag, config)) = fetch(context, id(state)).await? else {
            return Ok(None);
        };
        let partition = Client::partition(&context.region).id;
        let account = context.client.account().await?;
        let mut object = Object::new();
        object.set(
            "arn",
            format!(
                "arn:{partition}:cloudfront::{account}:origin-access-control/{}",
                id(state)
            ),
        );
        object.set("etag", etag);
        if let Some(config) = config {
            object.set("name", config.name.clone());
            object.set(
                "description",
                config.description.clone().unwrap_or_default(),
            );
            object.set(
                "origin_access_control_origin_type",
                config.origin_access_control_origin_type.as_str(),
            );
            object.set("signing_behavior", config.signing_behavior.as_str());
            object.set("signing_protocol", config.signing_protocol.as_str());
        }
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let Some((etag, _)) = fetch(context, change.id()).await? else {
            return Err(missing(change.id()).into());
        };
        context
            .client
            .cloudfront(&context.region)
            .update_origin_access_control()
            .id(change.id())
            .if_match(etag)
            .origin_access_control_config(config(change.planned))
            .send()
            .await
            .when(
                "updating",
                &Self::subject(change.id()),
                "cloudfront:UpdateOriginAccessControl",
            )?;
        Ok(())
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let Some((etag, _)) = fetch(context, id(state)).await? else {
            return Ok(());
        };
        context
            .client
            .cloudfront(&context.region)
            .delete_origin_access_control()
            .id(id(state))
            .if_match(etag)
            .send()
            .await
            .unless_gone(
                &GONE,
                "deleting",
                &Self::subject(id(state)),
                "cloudfront:DeleteOriginAccessControl",
            )?;
        Ok(())
    }
}

fn missing(id: &str) -> Diagnostic {
    Diagnostic::error(
        "CloudFront Origin Access Control not found",
        format!(
            "CloudFront Origin Access Control ({id}) is gone: somebody deleted it since this plan was made. Plan again, and it will be made anew."
        ),
    )
}

fn config(planned: &Object) -> OriginAccessControlConfig {
    let text = |name: &str| given(planned, name).unwrap_or_default();
    let origin = text("origin_access_control_origin_type");
    OriginAccessControlConfig::builder()
        .name(text("name"))
        .description(text("description"))
        .origin_access_control_origin_type(OriginAccessControlOriginTypes::from(origin.as_str()))
        .signing_behavior(OriginAccessControlSigningBehaviors::from(
            text("signing_behavior").as_str(),
        ))
        .signing_protocol(OriginAccessControlSigningProtocols::from(
            text("signing_protocol").as_str(),
        ))
        .build()
        .expect("a control with all its settings is complete")
}

/// The present tag and settings of a control.
async fn fetch(
    context: &Context,
    id: &str,
) -> Outcome<Option<(String, Option<OriginAccessControlConfig>)>> {
    let answer = context
        .client
        .cloudfront(&context.region)
        .get_origin_access_control()
        .id(id)
        .send()
        .await
        .unless_gone(
            &GONE,
            "reading",
            &OriginAccessControl::subject(id),
            "cloudfront:GetOriginAccessControl",
        )?;
    Ok(answer.map(|answer| {
        let config = answer
            .origin_access_control
            .and_then(|control| control.origin_access_control_config);
        (answer.e_tag.unwrap_or_default(), config)
    }))
}
