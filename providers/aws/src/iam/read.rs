//! Roles, policies and providers of `OpenID` Connect that are only read.

use async_trait::async_trait;
use terrace_provider_sdk::{Diagnostic, Object, Outcome, Schema, Value, validate};

use super::{decoded, oidc, policy, role, told_tags};
use crate::blocks::{block, blocks, given, or_empty, text};
use crate::document::normal;
use crate::failure::{Answered as _, Subject};
use crate::kind::{Context, Source};

/// Something that is looked for and not there.
fn missing(subject: &Subject) -> Diagnostic {
    Diagnostic::error(
        "Not found in IAM",
        format!(
            "{subject} is not there. Look at how it is named, and at the account that this run signs in to."
        ),
    )
}

#[derive(Default)]
pub(crate) struct RoleData;

#[async_trait]
impl Source for RoleData {
    const NAME: &'static str = "aws_iam_role";
    const WHAT: &'static str = "IAM Role";

    async fn read(&self, context: &Context, config: &Object) -> Outcome<Object> {
        let name = config.text("name").unwrap_or_default();
        let subject = Self::subject(name);
        let told = role::fetch(context, name, &subject)
            .await?
            .ok_or_else(|| missing(&subject))?;
        let mut object = Object::new();
        object.set("id", name);
        role::facts(&mut object, &told);
        let trust = decoded(&told.assume_role_policy_document.clone().unwrap_or_default());
        object.set("assume_role_policy", normal(&trust));
        let used = told.role_last_used.as_ref().map(|used| {
            let date = used.last_used_date.as_ref().map(role::date);
            block([
                ("last_used_date", Value::string(or_empty(date))),
                ("region", Value::string(or_empty(used.region.as_deref()))),
            ])
        });
        object.set("role_last_used", blocks(used));
        object.set("tags", told_tags(told.tags()));
        Ok(object)
    }
}

#[derive(Default)]
pub(crate) struct PolicyData;

#[async_trait]
impl Source for PolicyData {
    const NAME: &'static str = "aws_iam_policy";
    const WHAT: &'static str = "IAM Policy";

    fn behave(&self, shape: Schema) -> Schema {
        shape.change("arn", |arn| {
            arn.validate(validate::conflicts_with(["name", "path_prefix"]))
        })
    }

    async fn read(&self, context: &Context, config: &Object) -> Outcome<Object> {
        let arn = match given(config, "arn") {
            Some(arn) => arn,
            None => search(context, config).await?,
        };
        let subject = Self::subject(&arn);
        let (told, document) = policy::fetch(context, &arn, &subject)
            .await?
            .ok_or_else(|| missing(&subject))?;
        let mut object = Object::new();
        object.set("id", arn);
        policy::facts(&mut object, &told);
        object.set("policy", normal(&document));
        object.set("tags", told_tags(told.tags()));
        Ok(object)
    }
}

/// The ARN of the only policy that has the name and a path that begins so.
async fn search(context: &Context, config: &Object) -> Outcome<String> {
    let (name, prefix) = (given(config, "name"), given(config, "path_prefix"));
    let subject = PolicyData::subject(format!(
        "{}{}",
        prefix.clone().unwrap_or_default(),
        name.clone().unwrap_or_else(|| "*".into())
    ));
    let policies: Result<Vec<_>, _> = context
        .client
        .iam(&context.region)
        .list_policies()
        .set_path_prefix(prefix)
        .into_paginator()
        .items()
        .send()
        .collect()
        .await;
    let found: Vec<String> = policies
        .when("looking for", &subject, "iam:ListPolicies")?
        .into_iter()
        .filter(|policy| name.is_none() || policy.policy_name == name)
        .filter_map(|policy| policy.arn)
        .collect();
    match found.as_slice() {
        [arn] => Ok(arn.clone()),
        [] => Err(missing(&subject).into()),
        several => Err(Diagnostic::error(
            "Several policies found",
            format!(
                "{subject} fits {} policies, such as {} and {}. Say which one is meant: set arn, or name and path_prefix.",
                several.len(),
                several[0],
                several[1]
            ),
        )
        .into()),
    }
}

#[derive(Default)]
pub(crate) struct OpenIdConnectProviderData;

#[async_trait]
impl Source for OpenIdConnectProviderData {
    const NAME: &'static str = "aws_iam_openid_connect_provider";
    const WHAT: &'static str = "IAM OpenID Connect Provider";

    fn behave(&self, shape: Schema) -> Schema {
        shape.change("arn", |arn| arn.validate(validate::exactly_one_of(["url"])))
    }

    async fn read(&self, context: &Context, config: &Object) -> Outcome<Object> {
        let url = given(config, "url");
        let arn = match given(config, "arn") {
            Some(arn) => arn,
            None => by_url(context, &url.unwrap_or_default()).await?,
        };
        let subject = Self::subject(&arn);
        let told = oidc::fetch(context, &arn, &subject)
            .await?
            .ok_or_else(|| missing(&subject))?;
        let mut object = Object::new();
        object.set("id", arn.as_str());
        oidc::facts(&mut object, &arn, &told);
        object.set("url", text(told.url.as_deref()));
        object.set("tags", told_tags(told.tags()));
        Ok(object)
    }
}

/// The ARN of the provider of an address. ARNs end with the address.
async fn by_url(context: &Context, url: &str) -> Outcome<String> {
    let subject = OpenIdConnectProviderData::subject(url);
    let answer = context
        .client
        .iam(&context.region)
        .list_open_id_connect_providers()
        .send()
        .await
        .when("looking for", &subject, "iam:ListOpenIDConnectProviders")?;
    let end = format!(":oidc-provider/{}", oidc::bare(url));
    answer
        .open_id_connect_provider_list()
        .iter()
        .filter_map(|provider| provider.arn.clone())
        .find(|arn| arn.ends_with(&end))
        .ok_or_else(|| missing(&subject).into())
}
