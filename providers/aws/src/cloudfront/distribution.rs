//! `aws_cloudfront_distribution`.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cloudfront::types::{
    ActiveTrustedKeyGroups, ActiveTrustedSigners, Distribution as Told, DistributionConfig,
    DistributionConfigWithTags, KeyPairIds, Tag, TagKeys, Tags as TagList,
};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::error::operation::BuildError;
use terrace_provider_sdk::{
    Data as _, Diagnostic, Diagnostics, Object, Outcome, Plan, Schema, Type, Value, validate,
};

use super::{settings, told};
use crate::blocks::{block, list, text};
use crate::client::Client;
use crate::failure::{Answered as _, Subject, is_one_of};
use crate::kind::{Change, Context, Kind, id};
use crate::names;
use crate::shape::Behaviour as _;
use crate::tags::{self, TagChange, Tags};

const GONE: [&str; 1] = ["NoSuchDistribution"];

/// How long CloudFront may take to carry settings to all its places.
const DEPLOYMENT: Duration = Duration::from_mins(90);
/// How long a certificate may take to be known, and a disabled distribution to be known as such.
const KNOWN: Duration = Duration::from_mins(2);

/// What is no setting of the distribution.
const BESIDE: [&str; 4] = [
    "tags",
    "tags_all",
    "retain_on_delete",
    "wait_for_deployment",
];

/// What each change makes anew.
const RECKONED: [&str; 4] = ["etag", "last_modified_time", "status", "logging_v1_enabled"];

#[derive(Default)]
pub(crate) struct Distribution;

#[async_trait]
impl Kind for Distribution {
    const NAME: &'static str = "aws_cloudfront_distribution";
    const WHAT: &'static str = "CloudFront Distribution";

    fn behave(&self, shape: Schema) -> Schema {
        let behavior = |behavior: Schema| {
            // CloudFront tells of every behaviour whether it takes gRPC.
            behavior
                .fills_in(&["grpc_config"])
                .defaults_to_bool(&[("compress", false)])
                .defaults_to_number(&[("min_ttl", 0)])
                .within("lambda_function_association", |function| {
                    function.defaults_to_bool(&[("include_body", false)])
                })
                .change("viewer_protocol_policy", |policy| {
                    policy.validate(validate::one_of([
                        "allow-all",
                        "https-only",
                        "redirect-to-https",
                    ]))
                })
        };
        let timeouts: [(&str, i64); 2] =
            [("origin_keepalive_timeout", 5), ("origin_read_timeout", 30)];
        shape
            .replaces(&["staging"])
            .defaults_to_text(&[("http_version", "http2"), ("price_class", "PriceClass_All")])
            .defaults_to_bool(&[
                ("is_ipv6_enabled", false),
                ("retain_on_delete", false),
                ("staging", false),
                ("wait_for_deployment", true),
            ])
            .change("comment", |comment| {
                comment.validate(validate::length(0..=128))
            })
            .change("http_version", |version| {
                version.validate(validate::one_of(["http1.1", "http2", "http3", "http2and3"]))
            })
            .change("price_class", |class| {
                class.validate(validate::one_of([
                    "PriceClass_100",
                    "PriceClass_200",
                    "PriceClass_All",
                    "None",
                ]))
            })
            .within("default_cache_behavior", behavior)
            .within("ordered_cache_behavior", behavior)
            .within("logging_config", |logging| {
                logging
                    .defaults_to_bool(&[("include_cookies", false)])
                    .defaults_to_text(&[("prefix", "")])
            })
            .within("viewer_certificate", |certificate| {
                certificate.defaults_to_text(&[("minimum_protocol_version", "TLSv1")])
            })
            .within("origin", |origin| {
                origin
                    .defaults_to_number(&[("connection_attempts", 3), ("connection_timeout", 10)])
                    .defaults_to_text(&[("origin_path", "")])
                    .within("custom_origin_config", |custom| {
                        custom.defaults_to_number(&timeouts)
                    })
                    .within("vpc_origin_config", |vpc| vpc.defaults_to_number(&timeouts))
            })
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        let changed =
            plan.planned
                .as_ref()
                .zip(plan.prior.as_ref())
                .is_some_and(|(planned, prior)| {
                    let differs = |name: &str| prior.value(name) != planned.value(name);
                    planned
                        .entries()
                        .keys()
                        .any(|name| !BESIDE.contains(&&**name) && differs(name))
                });
        let types: Vec<(&str, Type)> = RECKONED
            .into_iter()
            .map(|name| {
                (
                    name,
                    if name == "logging_v1_enabled" {
                        Type::Bool
                    } else {
                        Type::String
                    },
                )
            })
            .collect();
        if let Some(planned) = plan.planned.as_mut().filter(|_| changed) {
            for (name, ty) in types {
                planned.forget(name, ty);
            }
        }
        Ok(())
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let reference = names::unique(context);
        let subject = Self::subject(reference.clone());
        let enabled = planned.flag("enabled").unwrap_or(false);
        let config =
            settings::config(planned, &reference, enabled).map_err(|error| incomplete(&error))?;
        let with_tags = DistributionConfigWithTags::builder()
            .distribution_config(config)
            .tags(tag_list(&tags::planned(planned)))
            .build();
        let cloudfront = context.client.cloudfront(&context.region);
        let answer = context
            .patience(KNOWN)
            .again(
                |error| is_one_of(error, &["InvalidViewerCertificate"]),
                || {
                    let call = cloudfront.create_distribution_with_tags();
                    call.distribution_config_with_tags(with_tags.clone()).send()
                },
            )
            .await
            .when("creating", &subject, "cloudfront:CreateDistribution")?;
        let id = answer.distribution.map(|made| made.id).unwrap_or_default();
        context.made(id.clone());
        if planned.flag("wait_for_deployment").unwrap_or(true) {
            deployed(context, &id).await?;
        }
        Ok(id)
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let Some((etag, found)) = fetch(context, id(state)).await? else {
            return Ok(None);
        };
        let Some(config) = &found.distribution_config else {
            return Ok(None);
        };
        let mut object = told::config(config);
        let zone = match Client::partition(&context.region).id {
            "aws-cn" => "Z3RFFRIM2A3IF5",
            _ => "Z2FDTNDATAQYW2",
        };
        object.set("arn", found.arn.clone());
        object.set("domain_name", found.domain_name.clone());
        object.set("etag", etag);
        object.set("hosted_zone_id", zone);
        object.set(
            "in_progress_validation_batches",
            found.in_progress_invalidation_batches,
        );
        object.set("last_modified_time", written(&found.last_modified_time));
        object.set("status", found.status.clone());
        object.set(
            "trusted_signers",
            active_signers(found.active_trusted_signers.as_ref()),
        );
        object.set(
            "trusted_key_groups",
            active_groups(found.active_trusted_key_groups.as_ref()),
        );
        for (name, usual) in [("retain_on_delete", false), ("wait_for_deployment", true)] {
            if !state.is_set(name) {
                object.set(name, usual);
            }
        }
        object.set(
            "tags_all",
            tags_of(context, &found.arn, &Self::subject(id(state))).await?,
        );
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let settings = change
            .planned
            .entries()
            .keys()
            .any(|name| !BESIDE.contains(&&**name) && change.of(&[&**name]));
        if settings {
            let reference = change.prior.text("caller_reference").unwrap_or_default();
            let enabled = change.planned.flag("enabled").unwrap_or(false);
            let config = settings::config(change.planned, reference, enabled)
                .map_err(|error| incomplete(&error))?;
            write(context, change.id(), &config).await?;
            if change.planned.flag("wait_for_deployment").unwrap_or(true) {
                deployed(context, change.id()).await?;
            }
        }
        let arn = change.prior.text("arn").unwrap_or_default();
        match change.tags() {
            Some(tags) => tag(context, arn, &Self::subject(change.id()), &tags).await,
            None => Ok(()),
        }
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let subject = Self::subject(id(state));
        let Some((_, found)) = fetch(context, id(state)).await? else {
            return Ok(());
        };
        if let Some(mut config) = found.distribution_config.filter(|config| config.enabled) {
            config.enabled = false;
            write(context, id(state), &config).await?;
        }
        if state.flag("retain_on_delete").unwrap_or(false) {
            return Ok(());
        }
        deployed(context, id(state)).await?;
        let cloudfront = context.client.cloudfront(&context.region);
        context
            .patience(KNOWN)
            .until(&subject, "known to be disabled", || async {
                let Some((etag, _)) = fetch(context, id(state)).await? else {
                    return Ok(Some(()));
                };
                let call = cloudfront
                    .delete_distribution()
                    .id(id(state))
                    .if_match(etag);
                match call.send().await {
                    Err(error)
                        if is_one_of(
                            &error,
                            &["DistributionNotDisabled", "PreconditionFailed"],
                        ) =>
                    {
                        Ok(None)
                    }
                    answer => {
                        answer.unless_gone(
                            &GONE,
                            "deleting",
                            &subject,
                            "cloudfront:DeleteDistribution",
                        )?;
                        Ok(Some(()))
                    }
                }
            })
            .await
    }
}

fn incomplete(error: &BuildError) -> Diagnostics {
    Diagnostic::error(
        "Incomplete distribution",
        format!("CloudFront wants more to be said: {error}."),
    )
    .into()
}

async fn fetch(context: &Context, id: &str) -> Outcome<Option<(String, Told)>> {
    let answer = context
        .client
        .cloudfront(&context.region)
        .get_distribution()
        .id(id)
        .send()
        .await
        .unless_gone(
            &GONE,
            "reading",
            &Distribution::subject(id),
            "cloudfront:GetDistribution",
        )?;
    Ok(answer.and_then(|answer| Some((answer.e_tag.unwrap_or_default(), answer.distribution?))))
}

/// Writes settings over those that are there now.
async fn write(context: &Context, id: &str, config: &DistributionConfig) -> Outcome<()> {
    let subject = Distribution::subject(id);
    let cloudfront = context.client.cloudfront(&context.region);
    let transient = [
        "InvalidViewerCertificate",
        "PreconditionFailed",
        "IllegalUpdate",
    ];
    let attempt = async || {
        let Some((etag, _)) = fetch(context, id).await? else {
            return Err(Diagnostics::from(Diagnostic::error(
                "CloudFront Distribution not found",
                format!(
                    "{subject} is gone: somebody deleted it since this plan was made. Plan again, and it will be made anew."
                ),
            )));
        };
        let call = cloudfront.update_distribution().id(id).if_match(etag);
        Ok(call.distribution_config(config.clone()).send().await)
    };
    let written = context
        .patience(KNOWN)
        .look(|| async {
            let answer = attempt().await?;
            answer.unless_gone(
                &transient,
                "updating",
                &subject,
                "cloudfront:UpdateDistribution",
            )
        })
        .await?;
    if written.is_none() {
        attempt()
            .await?
            .when("updating", &subject, "cloudfront:UpdateDistribution")?;
    }
    Ok(())
}

/// Waits until CloudFront has carried the settings to all its places.
async fn deployed(context: &Context, id: &str) -> Outcome<()> {
    context
        .patience(DEPLOYMENT)
        .until(&Distribution::subject(id), "deployed", || async {
            let found = fetch(context, id).await?;
            Ok(found
                .is_none_or(|(_, found)| found.status == "Deployed")
                .then_some(()))
        })
        .await
}

/// A time as states have it: `2021-11-27 10:34:26.802 +0000 UTC`.
fn written(time: &DateTime) -> String {
    let text = time.fmt(Format::DateTime).unwrap_or_default();
    format!(
        "{} +0000 UTC",
        text.trim_end_matches('Z').replacen('T', " ", 1)
    )
}

fn pairs(ids: Option<&KeyPairIds>) -> Value {
    list(ids.map(KeyPairIds::items).unwrap_or_default())
}

fn active_signers(told: Option<&ActiveTrustedSigners>) -> Value {
    let signers = told
        .map(ActiveTrustedSigners::items)
        .unwrap_or_default()
        .iter()
        .map(|signer| {
            block([
                (
                    "aws_account_number",
                    text(signer.aws_account_number.as_deref()),
                ),
                ("key_pair_ids", pairs(signer.key_pair_ids.as_ref())),
            ])
        });
    active(told.is_some_and(|told| told.enabled), signers)
}

fn active_groups(told: Option<&ActiveTrustedKeyGroups>) -> Value {
    let groups = told
        .map(ActiveTrustedKeyGroups::items)
        .unwrap_or_default()
        .iter()
        .map(|group| {
            block([
                ("key_group_id", text(group.key_group_id.as_deref())),
                ("key_pair_ids", pairs(group.key_pair_ids.as_ref())),
            ])
        });
    active(told.is_some_and(|told| told.enabled), groups)
}

fn active(enabled: bool, items: impl Iterator<Item = Value>) -> Value {
    Value::tuple([block([
        ("enabled", enabled.into_value()),
        ("items", Value::tuple(items)),
    ])])
}

fn tag_list(tags: &Tags) -> TagList {
    let tags = tags.iter().map(|(key, value)| {
        Tag::builder()
            .key(key)
            .value(value)
            .build()
            .expect("a tag with a key is complete")
    });
    TagList::builder().set_items(Some(tags.collect())).build()
}

async fn tags_of(context: &Context, arn: &str, subject: &Subject) -> Outcome<Tags> {
    let call = context
        .client
        .cloudfront(&context.region)
        .list_tags_for_resource()
        .resource(arn);
    let answer = call.send().await.when(
        "reading the tags of",
        subject,
        "cloudfront:ListTagsForResource",
    )?;
    let tags = answer.tags.and_then(|tags| tags.items).unwrap_or_default();
    Ok(tags
        .into_iter()
        .map(|tag| (tag.key, tag.value.unwrap_or_default()))
        .collect())
}

async fn tag(context: &Context, arn: &str, subject: &Subject, change: &TagChange) -> Outcome<()> {
    let cloudfront = context.client.cloudfront(&context.region);
    if !change.gone.is_empty() {
        let keys = TagKeys::builder()
            .set_items(Some(change.gone.clone()))
            .build();
        let call = cloudfront
            .untag_resource()
            .resource(arn)
            .tag_keys(keys)
            .send();
        call.await
            .when("untagging", subject, "cloudfront:UntagResource")?;
    }
    if !change.set.is_empty() {
        let call = cloudfront
            .tag_resource()
            .resource(arn)
            .tags(tag_list(&change.set))
            .send();
        call.await
            .when("tagging", subject, "cloudfront:TagResource")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_states_have_them() {
        let time = DateTime::from_millis(1_638_009_266_802);
        assert_eq!(written(&time), "2021-11-27 10:34:26.802 +0000 UTC");
        assert_eq!(
            written(&DateTime::from_secs(0)),
            "1970-01-01 00:00:00 +0000 UTC"
        );
    }
}
