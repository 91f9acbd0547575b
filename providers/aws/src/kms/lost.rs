//! Keys whose creation was never answered. KMS chooses their ids, so that they are found by what was asked for.

use serde_json::{Value as Json, json};
use terrace_provider_sdk::{Diagnostic, Object, Outcome};

use super::key::{fetch, is_there, tags_of};
use crate::failure::{Answered as _, Subject};
use crate::kind::Context;
use crate::tags::{self, Tags};

/// By how much the clocks of this machine and of AWS may differ, in seconds.
const APART: i64 = 60;

/// What tells a key from others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lost {
    description: String,
    tags: Tags,
    /// The earliest moment at which it may have been made, in seconds since 1970.
    since: i64,
}

impl Lost {
    /// The key that is made from now on.
    pub(super) fn planned(context: &Context, planned: &Object) -> Option<Self> {
        let (now, _) = context.client.now();
        planned.is_known("tags_all").then(|| Self {
            description: planned.text("description").unwrap_or_default().to_owned(),
            tags: tags::planned(planned),
            since: now - APART,
        })
    }

    /// What stands for its id until it has one.
    pub(super) fn id(&self) -> String {
        json!({"description": self.description, "tags": self.tags, "since": self.since}).to_string()
    }

    /// What an id stands for, if it is none of a key.
    pub(super) fn of_id(id: &str) -> Option<Self> {
        let said: Json = serde_json::from_str(id).ok()?;
        let tags = said["tags"].as_object()?.iter();
        let tags = tags.map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        Some(Self {
            description: said["description"].as_str()?.to_owned(),
            tags: tags.collect::<Option<_>>()?,
            since: said["since"].as_i64()?,
        })
    }

    /// What it was to be described by.
    pub(super) fn description(&self) -> &str {
        &self.description
    }

    /// The id of the key, if it was made. Of several that fit, nobody can tell which it is.
    pub(super) async fn find(
        &self,
        context: &Context,
        subject: &Subject,
    ) -> Outcome<Option<String>> {
        let kms = context.client.kms(&context.region);
        let mut pages = kms.list_keys().into_paginator().items().send();
        let mut found: Vec<String> = Vec::new();
        while let Some(key) = pages.next().await {
            let key = key.when("looking for", subject, "kms:ListKeys")?;
            let key = key.key_id.unwrap_or_default();
            if self.fits(context, &key, subject).await? {
                found.push(key);
            }
        }
        if found.len() > 1 {
            return Err(Diagnostic::error(
                "Several keys may be the one that was made",
                format!(
                    "The keys {} were made at that time, with the same description and tags. Look which one is in use, and delete the others.",
                    found.join(", ")
                ),
            )
            .into());
        }
        Ok(found.pop())
    }

    async fn fits(&self, context: &Context, key: &str, subject: &Subject) -> Outcome<bool> {
        let told = fetch(context, key, Vec::new(), subject).await?;
        let Some(told) = told.filter(is_there) else {
            return Ok(false);
        };
        let made = told.creation_date.map_or(0, |moment| moment.secs());
        if made < self.since || told.description.as_deref().unwrap_or_default() != self.description
        {
            return Ok(false);
        }
        let tags = tags_of(context, key, subject).await?;
        Ok(tags.is_some_and(|tags| tags == self.tags))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_an_id_is_understood_again() {
        let lost = Lost {
            description: "States of shop".to_owned(),
            tags: [("project".to_owned(), "shop".to_owned())].into(),
            since: 1_700_000_000,
        };
        assert_eq!(Lost::of_id(&lost.id()), Some(lost));
        assert_eq!(Lost::of_id("1234abcd-12ab-34cd-56ef-1234567890ab"), None);
        assert_eq!(Lost::of_id("1234"), None);
    }
}
