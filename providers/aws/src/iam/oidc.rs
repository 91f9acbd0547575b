//! `aws_iam_openid_connect_provider`.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_iam::operation::get_open_id_connect_provider::GetOpenIdConnectProviderOutput as Told;
use terrace_provider_sdk::{Object, Outcome, Schema, validate};

use super::{GONE, sdk_tags, told_tags};
use crate::blocks::{list, owned};
use crate::client::Client;
use crate::failure::{Answered as _, Subject};
use crate::kind::{Change, Context, Kind, id};
use crate::shape::Behaviour as _;
use crate::tags;

/// What the address of a provider begins with, and its state does not.
const SCHEME: &str = "https://";

#[derive(Default)]
pub(crate) struct OpenIdConnectProvider;

#[async_trait]
impl Kind for OpenIdConnectProvider {
    const NAME: &'static str = "aws_iam_openid_connect_provider";
    const WHAT: &'static str = "IAM OpenID Connect Provider";

    fn behave(&self, shape: Schema) -> Schema {
        shape
            .replaces(&["url"])
            .change("url", |url| {
                url.validate(validate::matches(
                    r"^https://[^/?#]+[^?#]*$",
                    "must be an address that begins with https:// and has no query",
                ))
                .modify(|change| {
                    let url = change.planned.as_str().map(bare);
                    if url.is_some() && change.prior.as_str() == url {
                        change.planned = change.prior.clone();
                    }
                })
            })
            .change("client_id_list", |list| {
                list.validate(validate::each(validate::length(1..=255)))
            })
            .change("thumbprint_list", |list| {
                list.validate(validate::each(validate::length(40..=40)))
            })
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let url = planned.text("url").unwrap_or_default();
        let thumbprints = owned(planned, "thumbprint_list");
        let answer = context
            .client
            .iam(&context.region)
            .create_open_id_connect_provider()
            .url(format!("{SCHEME}{}", bare(url)))
            .set_client_id_list(Some(owned(planned, "client_id_list")))
            .set_thumbprint_list((!thumbprints.is_empty()).then_some(thumbprints))
            .set_tags(sdk_tags(&tags::planned(planned)))
            .send()
            .await
            .when(
                "creating",
                &Self::subject(url),
                "iam:CreateOpenIDConnectProvider",
            )?;
        Ok(answer.open_id_connect_provider_arn.unwrap_or_default())
    }

    async fn foretold(&self, context: &Context, planned: &Object) -> Option<String> {
        let url = planned.text("url")?;
        let account = context.client.account().await.ok()?;
        let partition = Client::partition(&context.region).id;
        Some(format!(
            "arn:{partition}:iam::{account}:oidc-provider/{}",
            url.trim_start_matches("https://")
        ))
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let arn = id(state);
        let Some(told) = fetch(context, arn, &Self::subject(arn)).await? else {
            return Ok(None);
        };
        let mut object = Object::new();
        facts(&mut object, arn, &told);
        object.set("tags_all", told_tags(told.tags()));
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let (iam, arn) = (context.client.iam(&context.region), change.id());
        let subject = Self::subject(arn);
        let thumbprints = owned(change.planned, "thumbprint_list");
        if change.of(&["thumbprint_list"]) && !thumbprints.is_empty() {
            iam.update_open_id_connect_provider_thumbprint()
                .open_id_connect_provider_arn(arn)
                .set_thumbprint_list(Some(thumbprints))
                .send()
                .await
                .when(
                    "updating",
                    &subject,
                    "iam:UpdateOpenIDConnectProviderThumbprint",
                )?;
        }
        let ids = |object: &Object| BTreeSet::from_iter(owned(object, "client_id_list"));
        let (before, after) = (ids(change.prior), ids(change.planned));
        for client in after.difference(&before) {
            iam.add_client_id_to_open_id_connect_provider()
                .open_id_connect_provider_arn(arn)
                .client_id(client)
                .send()
                .await
                .when(
                    "adding a client to",
                    &subject,
                    "iam:AddClientIDToOpenIDConnectProvider",
                )?;
        }
        for client in before.difference(&after) {
            iam.remove_client_id_from_open_id_connect_provider()
                .open_id_connect_provider_arn(arn)
                .client_id(client)
                .send()
                .await
                .when(
                    "removing a client from",
                    &subject,
                    "iam:RemoveClientIDFromOpenIDConnectProvider",
                )?;
        }
        let Some(tags) = change.tags() else {
            return Ok(());
        };
        if !tags.gone.is_empty() {
            iam.untag_open_id_connect_provider()
                .open_id_connect_provider_arn(arn)
                .set_tag_keys(Some(tags.gone))
                .send()
                .await
                .when("untagging", &subject, "iam:UntagOpenIDConnectProvider")?;
        }
        if let Some(set) = sdk_tags(&tags.set) {
            iam.tag_open_id_connect_provider()
                .open_id_connect_provider_arn(arn)
                .set_tags(Some(set))
                .send()
                .await
                .when("tagging", &subject, "iam:TagOpenIDConnectProvider")?;
        }
        Ok(())
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let arn = id(state);
        context
            .client
            .iam(&context.region)
            .delete_open_id_connect_provider()
            .open_id_connect_provider_arn(arn)
            .send()
            .await
            .unless_gone(
                &GONE,
                "deleting",
                &Self::subject(arn),
                "iam:DeleteOpenIDConnectProvider",
            )?;
        Ok(())
    }
}

/// An address as states hold it.
pub(super) fn bare(url: &str) -> &str {
    url.strip_prefix(SCHEME).unwrap_or(url)
}

/// A provider; `None` when there is none.
pub(super) async fn fetch(
    context: &Context,
    arn: &str,
    subject: &Subject,
) -> Outcome<Option<Told>> {
    context
        .client
        .iam(&context.region)
        .get_open_id_connect_provider()
        .open_id_connect_provider_arn(arn)
        .send()
        .await
        .unless_gone(&GONE, "reading", subject, "iam:GetOpenIDConnectProvider")
}

/// What resource and data source both say of a provider.
pub(super) fn facts(object: &mut Object, arn: &str, told: &Told) {
    object.set("arn", arn);
    object.set("client_id_list", list(told.client_id_list()));
    object.set("thumbprint_list", list(told.thumbprint_list()));
    object.set("url", told.url.as_deref().map(|url| bare(url).to_owned()));
}
