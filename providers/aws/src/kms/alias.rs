//! `aws_kms_alias`.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_kms::types::AliasListEntry;
use terrace_provider_sdk::{Object, Outcome, Plan, Schema, Type, validate};

use super::GONE;
use crate::client::Client;
use crate::failure::{Answered as _, Subject, is_one_of};
use crate::kind::{Change, Context, Kind, id};
use crate::names;
use crate::shape::Behaviour as _;

/// How the names of aliases begin.
const BEGINS: &str = "alias/";

/// How long KMS may take to know a key that it has just made.
const UNTIL_KNOWN: Duration = Duration::from_mins(2);

#[derive(Default)]
pub(crate) struct Alias;

#[async_trait]
impl Kind for Alias {
    const NAME: &'static str = "aws_kms_alias";
    const WHAT: &'static str = "KMS Alias";
    const ID_OF: Option<(&'static [&'static str], &'static str)> = Some((&["name"], ""));

    fn behave(&self, shape: Schema) -> Schema {
        let pattern = "^alias/[a-zA-Z0-9/_-]+$";
        let description = "must begin with \"alias/\" and go on with letters, digits, slashes, underscores and hyphens";
        shape
            .replaces(&["name", "name_prefix"])
            .change("name", |name| {
                name.validate(validate::conflicts_with(["name_prefix"]))
                    .validate(validate::matches(pattern, description))
            })
            .change("name_prefix", |prefix| {
                prefix.validate(validate::matches(pattern, description))
            })
            .change("target_key_id", |key| {
                key.modify(|change| {
                    if let (Some(prior), Some(planned)) =
                        (change.prior.as_str(), change.planned.as_str())
                        && same_key(prior, planned)
                    {
                        change.planned = change.prior.clone();
                    }
                })
            })
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        if plan.prior.is_some()
            && plan.changes("target_key_id")
            && let Some(planned) = &mut plan.planned
        {
            planned.forget("target_key_arn", Type::String);
        }
        Ok(())
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let mut named = planned.clone();
        if !planned.is_set("name_prefix") || planned.text("name_prefix").is_none_or(str::is_empty) {
            named.set("name_prefix", BEGINS);
        }
        let name = names::of(context, &named, "name", "name_prefix");
        let subject = Self::subject(&name);
        let request = || {
            context
                .client
                .kms(&context.region)
                .create_alias()
                .alias_name(&name)
                .target_key_id(planned.text("target_key_id").unwrap_or_default())
                .send()
        };
        let look = || async {
            match request().await {
                Err(error) if is_one_of(&error, &GONE) => Ok(None),
                answer => answer
                    .when("creating", &subject, "kms:CreateAlias")
                    .map(Some),
            }
        };
        if context.patience(UNTIL_KNOWN).look(look).await?.is_none() {
            request()
                .await
                .when("creating", &subject, "kms:CreateAlias")?;
        }
        Ok(name)
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let name = id(state);
        let Some(told) = find(context, name, &Self::subject(name)).await? else {
            return Ok(None);
        };
        let target = told.target_key_id.clone().unwrap_or_default();
        let mut object = Object::new();
        object.set("name", name);
        object.set("name_prefix", names::prefix_of(name));
        object.set(
            "target_key_arn",
            key_arn(told.alias_arn.as_deref().unwrap_or_default(), &target),
        );
        let before = state.text("target_key_id");
        let kept = before.filter(|before| same_key(before, &target));
        object.set("target_key_id", kept.unwrap_or(&target));
        object.set("arn", told.alias_arn);
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let name = change.id();
        let subject = Self::subject(name);
        let target = change.planned.text("target_key_id").unwrap_or_default();
        context
            .client
            .kms(&context.region)
            .update_alias()
            .alias_name(name)
            .target_key_id(target)
            .send()
            .await
            .when("updating", &subject, "kms:UpdateAlias")?;
        let look = || async {
            let found = find(context, name, &subject)
                .await?
                .and_then(|found| found.target_key_id);
            Ok(found.filter(|found| same_key(found, target)))
        };
        context.patience(UNTIL_KNOWN).look(look).await?;
        Ok(())
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let name = id(state);
        context
            .client
            .kms(&context.region)
            .delete_alias()
            .alias_name(name)
            .send()
            .await
            .unless_gone(&GONE, "deleting", &Self::subject(name), "kms:DeleteAlias")?;
        Ok(())
    }
}

/// An alias by its name; `None` when there is none.
pub(super) async fn find(
    context: &Context,
    name: &str,
    subject: &Subject,
) -> Outcome<Option<AliasListEntry>> {
    let mut pages = context
        .client
        .kms(&context.region)
        .list_aliases()
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.when("reading", subject, "kms:ListAliases")?;
        let mut aliases = page.aliases.unwrap_or_default().into_iter();
        if let Some(found) = aliases.find(|alias| alias.alias_name.as_deref() == Some(name)) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Whether two texts name one key, by its ARN or its id.
fn same_key(a: &str, b: &str) -> bool {
    let key = |text: &str| {
        text.rsplit_once(":key/")
            .map_or(text, |(_, key)| key)
            .to_owned()
    };
    let both = a.starts_with("arn:") && b.starts_with("arn:");
    if both { a == b } else { key(a) == key(b) }
}

/// The ARN of a key, from that of an alias beside it.
fn key_arn(alias: &str, key: &str) -> String {
    match alias.split_once(":alias/") {
        Some((account, _)) => format!("{account}:key/{key}"),
        None => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_by_its_arn_and_its_id() {
        let arn = "arn:aws:kms:us-east-1:123456789012:key/abc";
        assert!(same_key(arn, "abc"));
        assert!(same_key("abc", "abc"));
        assert!(!same_key(arn, "abd"));
        assert!(!same_key(arn, "arn:aws:kms:eu-west-1:123456789012:key/abc"));
        assert_eq!(
            key_arn("arn:aws:kms:us-east-1:123456789012:alias/a", "abc"),
            arn
        );
    }
}
