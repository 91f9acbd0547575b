//! `aws_iam_policy`.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_iam::types::Policy as Told;
use terrace_provider_sdk::{Object, Outcome, Schema};

use super::{GONE, PROPAGATION, decoded, named, sdk_tags, told_tags};
use crate::blocks::{given, or_empty};
use crate::client::Client;
use crate::document;
use crate::failure::{Answered as _, Subject, is_one_of};
use crate::kind::{Change, Context, Kind, id};
use crate::names;
use crate::policy;
use crate::shape::Behaviour as _;
use crate::tags;

/// How many versions of a policy IAM keeps.
const VERSIONS: usize = 5;

#[derive(Default)]
pub(crate) struct Policy;

#[async_trait]
impl Kind for Policy {
    const NAME: &'static str = "aws_iam_policy";
    const WHAT: &'static str = "IAM Policy";

    fn behave(&self, shape: Schema) -> Schema {
        shape
            .replaces(&["description", "path"])
            .change("name", |name| named(name, 128, "name_prefix"))
            .change("name_prefix", |prefix| {
                named(prefix, 128 - names::SUFFIX, "name")
            })
            .change("policy", policy::compared)
            .defaults_to_text(&[("path", "/")])
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let name = names::of(context, planned, "name", "name_prefix");
        let answer = context
            .client
            .iam(&context.region)
            .create_policy()
            .policy_name(&name)
            .policy_document(document::normal(planned.text("policy").unwrap_or_default()))
            .set_path(given(planned, "path"))
            .set_description(given(planned, "description"))
            .set_tags(sdk_tags(&tags::planned(planned)))
            .send()
            .await
            .when("creating", &Self::subject(&name), "iam:CreatePolicy")?;
        let arn = answer.policy.and_then(|policy| policy.arn);
        Ok(arn.unwrap_or_default())
    }

    async fn foretold(&self, context: &Context, planned: &Object) -> Option<String> {
        let (name, path) = (planned.text("name")?, planned.text("path").unwrap_or("/"));
        let account = context.client.account().await.ok()?;
        let partition = Client::partition(&context.region).id;
        Some(format!("arn:{partition}:iam::{account}:policy{path}{name}"))
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let arn = id(state);
        let subject = Self::subject(arn);
        let Some((told, text)) = fetch(context, arn, &subject).await? else {
            return Ok(None);
        };
        let mut object = Object::new();
        facts(&mut object, &told);
        object.set(
            "name_prefix",
            names::prefix_of(&or_empty(told.policy_name.as_deref())),
        );
        let configured = state.text("policy").unwrap_or_default();
        object.set("policy", policy::keep(configured, &text));
        object.set("tags_all", told_tags(told.tags()));
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let (iam, arn) = (context.client.iam(&context.region), change.id());
        let subject = Self::subject(arn);
        if change.of(&["policy"]) {
            prune(context, arn, &subject).await?;
            write(context, arn, change.planned, &subject).await?;
        }
        let Some(tags) = change.tags() else {
            return Ok(());
        };
        if !tags.gone.is_empty() {
            iam.untag_policy()
                .policy_arn(arn)
                .set_tag_keys(Some(tags.gone))
                .send()
                .await
                .when("untagging", &subject, "iam:UntagPolicy")?;
        }
        if let Some(set) = sdk_tags(&tags.set) {
            iam.tag_policy()
                .policy_arn(arn)
                .set_tags(Some(set))
                .send()
                .await
                .when("tagging", &subject, "iam:TagPolicy")?;
        }
        Ok(())
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let (iam, arn) = (context.client.iam(&context.region), id(state));
        let subject = Self::subject(arn);
        let versions = versions(context, arn, &subject).await?.unwrap_or_default();
        for version in versions.iter().filter(|version| !version.is_default) {
            remove_version(context, arn, &version.id, &subject).await?;
        }
        let request = iam.delete_policy().policy_arn(arn);
        context
            .patience(PROPAGATION)
            .again(
                |error| is_one_of(error, &["DeleteConflict"]),
                || request.clone().send(),
            )
            .await
            .unless_gone(&GONE, "deleting", &subject, "iam:DeletePolicy")?;
        Ok(())
    }
}

/// A policy and its text; `None` when there is none.
pub(super) async fn fetch(
    context: &Context,
    arn: &str,
    subject: &Subject,
) -> Outcome<Option<(Told, String)>> {
    let iam = context.client.iam(&context.region);
    let answer = iam.get_policy().policy_arn(arn).send().await.unless_gone(
        &GONE,
        "reading",
        subject,
        "iam:GetPolicy",
    )?;
    let Some(told) = answer.and_then(|answer| answer.policy) else {
        return Ok(None);
    };
    let version = iam
        .get_policy_version()
        .policy_arn(arn)
        .set_version_id(told.default_version_id.clone())
        .send()
        .await
        .unless_gone(
            &GONE,
            "reading the text of",
            subject,
            "iam:GetPolicyVersion",
        )?;
    let text = version
        .and_then(|version| version.policy_version)
        .and_then(|version| version.document);
    Ok(text.map(|text| (told, decoded(&text))))
}

/// What resource and data source both say of a policy.
pub(super) fn facts(object: &mut Object, told: &Told) {
    object.set("arn", told.arn.clone());
    object.set("attachment_count", told.attachment_count);
    object.set("description", or_empty(told.description.as_deref()));
    object.set("name", told.policy_name.clone());
    object.set("path", told.path.clone());
    object.set("policy_id", told.policy_id.clone());
}

/// A version of a policy.
struct Version {
    id: String,
    is_default: bool,
    made: i64,
}

async fn versions(
    context: &Context,
    arn: &str,
    subject: &Subject,
) -> Outcome<Option<Vec<Version>>> {
    let versions: Result<Vec<_>, _> = context
        .client
        .iam(&context.region)
        .list_policy_versions()
        .policy_arn(arn)
        .into_paginator()
        .items()
        .send()
        .collect()
        .await;
    let versions = versions.unless_gone(
        &GONE,
        "reading the versions of",
        subject,
        "iam:ListPolicyVersions",
    )?;
    Ok(versions.map(|versions| {
        versions
            .into_iter()
            .map(|version| Version {
                id: version.version_id.unwrap_or_default(),
                is_default: version.is_default_version,
                made: version.create_date.map_or(0, |date| date.secs()),
            })
            .collect()
    }))
}

/// Makes room for one more version: the oldest goes that is not in force.
async fn prune(context: &Context, arn: &str, subject: &Subject) -> Outcome<()> {
    let versions = versions(context, arn, subject).await?.unwrap_or_default();
    if versions.len() < VERSIONS {
        return Ok(());
    }
    let oldest = versions
        .iter()
        .filter(|version| !version.is_default)
        .min_by_key(|version| (version.made, number(&version.id)));
    match oldest {
        Some(version) => remove_version(context, arn, &version.id, subject).await,
        None => Ok(()),
    }
}

/// The number in `v12`.
fn number(version: &str) -> u64 {
    version.trim_start_matches('v').parse().unwrap_or_default()
}

async fn remove_version(
    context: &Context,
    arn: &str,
    version: &str,
    subject: &Subject,
) -> Outcome<()> {
    context
        .client
        .iam(&context.region)
        .delete_policy_version()
        .policy_arn(arn)
        .version_id(version)
        .send()
        .await
        .unless_gone(
            &GONE,
            "deleting an old version of",
            subject,
            "iam:DeletePolicyVersion",
        )?;
    Ok(())
}

/// Writes a new version, which is in force at once, or after the delay that is configured.
async fn write(context: &Context, arn: &str, planned: &Object, subject: &Subject) -> Outcome<()> {
    let iam = context.client.iam(&context.region);
    let delay = planned
        .whole("delay_after_policy_creation_in_ms")
        .and_then(|delay| u64::try_from(delay).ok())
        .filter(|delay| *delay > 0);
    let answer = iam
        .create_policy_version()
        .policy_arn(arn)
        .policy_document(document::normal(planned.text("policy").unwrap_or_default()))
        .set_as_default(delay.is_none())
        .send()
        .await
        .when("updating", subject, "iam:CreatePolicyVersion")?;
    let Some(delay) = delay else {
        return Ok(());
    };
    tokio::select! {
        () = tokio::time::sleep(Duration::from_millis(delay)) => {}
        () = context.stop.wanted() => {}
    }
    let version = answer.policy_version.and_then(|version| version.version_id);
    iam.set_default_policy_version()
        .policy_arn(arn)
        .set_version_id(version)
        .send()
        .await
        .when(
            "setting the version in force of",
            subject,
            "iam:SetDefaultPolicyVersion",
        )?;
    Ok(())
}
