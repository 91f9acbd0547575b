//! `aws_ecr_repository`.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType, ImageScanningConfiguration, ImageTagMutability,
    ImageTagMutabilityExclusionFilter, ImageTagMutabilityExclusionFilterType, Repository as Told,
    Tag,
};
use terrace_provider_sdk::{
    Diagnostic, Diagnostics, Object, Outcome, Plan, Schema, attribute, validate,
};

use super::NO_REPOSITORY;
use crate::client::Client;
use crate::failure::{Answered as _, Subject, is_one_of};
use crate::kind::{Change, Context, Kind, id};
use crate::shape::Behaviour as _;
use crate::tags::{self, TagChange, Tags};
use crate::timeouts;

/// Which tags may be moved to another image, except those that filters name.
const EXCEPT: &str = "image_tag_mutability_exclusion_filter";

/// How long a repository may take to go.
const UNTIL_GONE: Duration = Duration::from_mins(20);

#[derive(Default)]
pub(crate) struct Repository;

#[async_trait]
impl Kind for Repository {
    const NAME: &'static str = "aws_ecr_repository";
    const WHAT: &'static str = "ECR Repository";
    const ID_OF: Option<(&'static [&'static str], &'static str)> = Some((&["name"], ""));

    fn behave(&self, shape: Schema) -> Schema {
        shape
            .replaces(&["name", "encryption_configuration"])
            .defaults_to_text(&[("image_tag_mutability", "MUTABLE")])
            .fills_in(&["encryption_configuration", "image_scanning_configuration"])
            .within("encryption_configuration", |shape| {
                shape
                    .replaces(&["encryption_type", "kms_key"])
                    .defaults_to_text(&[("encryption_type", "AES256")])
                    .change("encryption_type", |ty| {
                        ty.validate(validate::one_of(["AES256", "KMS", "KMS_DSSE"]))
                    })
            })
            .within(EXCEPT, |shape| {
                shape
                    .change("filter", |filter| {
                        filter.validate(validate::length(1..=128))
                    })
                    .change("filter_type", |ty| {
                        ty.validate(validate::one_of(["WILDCARD"]))
                    })
            })
            .change("image_tag_mutability", |mutability| {
                mutability.validate(validate::one_of([
                    "MUTABLE",
                    "IMMUTABLE",
                    "IMMUTABLE_WITH_EXCLUSION",
                    "MUTABLE_WITH_EXCLUSION",
                ]))
            })
    }

    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        let mutability = config.value("image_tag_mutability");
        if !mutability.is_known() || !config.is_known(EXCEPT) {
            return;
        }
        let excludes = mutability
            .as_str()
            .is_some_and(|text| text.ends_with("_WITH_EXCLUSION"));
        let filters = !config.items(EXCEPT).is_empty();
        if filters && !excludes {
            diagnostics.error_at(
                attribute(EXCEPT),
                "Filters without an exclusion",
                "image_tag_mutability_exclusion_filter is for repositories whose image_tag_mutability is IMMUTABLE_WITH_EXCLUSION or MUTABLE_WITH_EXCLUSION.",
            );
        }
        if excludes && !filters {
            diagnostics.error_at(
                attribute("image_tag_mutability"),
                "An exclusion without filters",
                "image_tag_mutability says that some tags are excluded: name them in image_tag_mutability_exclusion_filter blocks.",
            );
        }
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        let (None, Some(planned)) = (&plan.prior, &mut plan.planned) else {
            return Ok(());
        };
        // What ECR fills in is not told before it is there.
        for block in ["encryption_configuration", "image_scanning_configuration"] {
            if !planned.is_known(block) {
                planned.set(block, Vec::<Object>::new());
            }
        }
        Ok(())
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let name = planned.text("name").unwrap_or_default();
        let subject = Self::subject(name);
        let tags = tags::planned(planned);
        context
            .client
            .ecr(&context.region)
            .create_repository()
            .repository_name(name)
            .set_image_tag_mutability(
                planned
                    .text("image_tag_mutability")
                    .map(ImageTagMutability::from),
            )
            .set_image_tag_mutability_exclusion_filters(exceptions(planned))
            .set_image_scanning_configuration(scanning(planned))
            .set_encryption_configuration(encryption(planned))
            .set_tags((!tags.is_empty()).then(|| sdk_tags(&tags)))
            .send()
            .await
            .when("creating", &subject, "ecr:CreateRepository")?;
        Ok(name.to_owned())
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let name = id(state);
        let subject = Self::subject(name);
        let Some(told) = fetch(context, name, None, &subject).await? else {
            return Ok(None);
        };
        let mut object = facts(&told);
        let arn = told.repository_arn.unwrap_or_default();
        object.set("tags_all", tags_of(context, &arn, &subject).await?);
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let (ecr, subject) = (
            context.client.ecr(&context.region),
            Self::subject(change.id()),
        );
        let registry = change.prior.text("registry_id").map(str::to_owned);
        if change.of(&["image_tag_mutability", EXCEPT]) {
            let mutability = change
                .planned
                .text("image_tag_mutability")
                .unwrap_or("MUTABLE");
            ecr.put_image_tag_mutability()
                .repository_name(change.id())
                .set_registry_id(registry.clone())
                .image_tag_mutability(ImageTagMutability::from(mutability))
                .set_image_tag_mutability_exclusion_filters(exceptions(change.planned))
                .send()
                .await
                .when("updating", &subject, "ecr:PutImageTagMutability")?;
        }
        if change.of(&["image_scanning_configuration"]) {
            let scanning = scanning(change.planned).unwrap_or_else(|| {
                ImageScanningConfiguration::builder()
                    .scan_on_push(false)
                    .build()
            });
            ecr.put_image_scanning_configuration()
                .repository_name(change.id())
                .set_registry_id(registry)
                .image_scanning_configuration(scanning)
                .send()
                .await
                .when("updating", &subject, "ecr:PutImageScanningConfiguration")?;
        }
        match change.tags() {
            Some(tags) => {
                tag(
                    context,
                    change.prior.text("arn").unwrap_or_default(),
                    &tags,
                    &subject,
                )
                .await
            }
            None => Ok(()),
        }
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let name = id(state);
        let subject = Self::subject(name);
        let answer = context
            .client
            .ecr(&context.region)
            .delete_repository()
            .repository_name(name)
            .set_registry_id(state.text("registry_id").map(str::to_owned))
            .force(state.flag("force_delete").unwrap_or(false))
            .send()
            .await;
        if let Err(error) = &answer
            && is_one_of(error, &["RepositoryNotEmptyException"])
        {
            return Err(Diagnostic::error(
                "ECR Repository holds images",
                format!("{subject} is not deleted, since images are in it. Delete them first, or set force_delete = true, apply that, and destroy it then: its images go with it."),
            )
            .into());
        }
        let deleted = answer.unless_gone(
            &[NO_REPOSITORY],
            "deleting",
            &subject,
            "ecr:DeleteRepository",
        )?;
        if deleted.is_none() {
            return Ok(());
        }
        let look = || async {
            let found = fetch(context, name, None, &subject).await?;
            Ok(found.is_none().then_some(()))
        };
        let patience = context.patience(timeouts::of(state, "delete", UNTIL_GONE));
        patience.until(&subject, "deleted", look).await
    }
}

/// A repository; `None` when there is none.
pub(super) async fn fetch(
    context: &Context,
    name: &str,
    registry: Option<&str>,
    subject: &Subject,
) -> Outcome<Option<Told>> {
    let answer = context
        .client
        .ecr(&context.region)
        .describe_repositories()
        .repository_names(name)
        .set_registry_id(registry.map(str::to_owned))
        .send()
        .await
        .unless_gone(
            &[NO_REPOSITORY],
            "reading",
            subject,
            "ecr:DescribeRepositories",
        )?;
    Ok(answer.and_then(|answer| answer.repositories.unwrap_or_default().into_iter().next()))
}

/// What resource and data source both say of a repository.
pub(super) fn facts(told: &Told) -> Object {
    let mut object = Object::new();
    object.set("arn", told.repository_arn.clone());
    object.set("name", told.repository_name.clone());
    object.set("registry_id", told.registry_id.clone());
    object.set("repository_url", told.repository_uri.clone());
    object.set(
        "image_tag_mutability",
        told.image_tag_mutability
            .as_ref()
            .map(|told| told.as_str().to_owned()),
    );
    let filters = told
        .image_tag_mutability_exclusion_filters()
        .iter()
        .map(|told| {
            let mut filter = Object::new();
            filter.set("filter", told.filter.clone());
            filter.set("filter_type", told.filter_type.as_str());
            filter
        });
    object.set(EXCEPT, filters.collect::<Vec<_>>());
    let scanning = told.image_scanning_configuration.iter().map(|told| {
        let mut scanning = Object::new();
        scanning.set("scan_on_push", told.scan_on_push);
        scanning
    });
    object.set("image_scanning_configuration", scanning.collect::<Vec<_>>());
    let encryption = told.encryption_configuration.iter().map(|told| {
        let mut encryption = Object::new();
        encryption.set("encryption_type", told.encryption_type.as_str());
        encryption.set("kms_key", told.kms_key.clone().unwrap_or_default());
        encryption
    });
    object.set("encryption_configuration", encryption.collect::<Vec<_>>());
    object
}

/// The only block of this name.
fn block(object: &Object, name: &str) -> Option<Object> {
    object.items(name).first().and_then(Object::of)
}

fn scanning(planned: &Object) -> Option<ImageScanningConfiguration> {
    let scanning = block(planned, "image_scanning_configuration")?;
    let on_push = scanning.flag("scan_on_push").unwrap_or(false);
    Some(
        ImageScanningConfiguration::builder()
            .scan_on_push(on_push)
            .build(),
    )
}

fn encryption(planned: &Object) -> Option<EncryptionConfiguration> {
    let encryption = block(planned, "encryption_configuration")?;
    let ty = encryption.text("encryption_type").unwrap_or("AES256");
    let key = encryption.text("kms_key").filter(|key| !key.is_empty());
    EncryptionConfiguration::builder()
        .encryption_type(EncryptionType::from(ty))
        .set_kms_key(key.map(str::to_owned))
        .build()
        .ok()
}

fn exceptions(planned: &Object) -> Option<Vec<ImageTagMutabilityExclusionFilter>> {
    let filters: Vec<_> = planned
        .items(EXCEPT)
        .iter()
        .filter_map(Object::of)
        .filter_map(|filter| {
            ImageTagMutabilityExclusionFilter::builder()
                .filter(filter.text("filter")?)
                .filter_type(ImageTagMutabilityExclusionFilterType::from(
                    filter.text("filter_type")?,
                ))
                .build()
                .ok()
        })
        .collect();
    (!filters.is_empty()).then_some(filters)
}

/// The tags of a repository.
pub(super) async fn tags_of(context: &Context, arn: &str, subject: &Subject) -> Outcome<Tags> {
    let answer = context
        .client
        .ecr(&context.region)
        .list_tags_for_resource()
        .resource_arn(arn)
        .send()
        .await
        .unless_gone(
            &[NO_REPOSITORY],
            "reading the tags of",
            subject,
            "ecr:ListTagsForResource",
        )?;
    let tags = answer.and_then(|answer| answer.tags).unwrap_or_default();
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter()
        .map(|(key, value)| {
            Tag::builder()
                .key(key)
                .value(value)
                .build()
                .expect("a tag with key and value is complete")
        })
        .collect()
}

async fn tag(context: &Context, arn: &str, change: &TagChange, subject: &Subject) -> Outcome<()> {
    let ecr = context.client.ecr(&context.region);
    if !change.gone.is_empty() {
        ecr.untag_resource()
            .resource_arn(arn)
            .set_tag_keys(Some(change.gone.clone()))
            .send()
            .await
            .when("untagging", subject, "ecr:UntagResource")?;
    }
    if !change.set.is_empty() {
        ecr.tag_resource()
            .resource_arn(arn)
            .set_tags(Some(sdk_tags(&change.set)))
            .send()
            .await
            .when("tagging", subject, "ecr:TagResource")?;
    }
    Ok(())
}
