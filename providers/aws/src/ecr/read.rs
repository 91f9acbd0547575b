//! The data source `aws_ecr_repository`.

use async_trait::async_trait;
use aws_sdk_ecr::types::{DescribeImagesFilter, ImageDetail, TagStatus};
use terrace_provider_sdk::{Diagnostic, Object, Outcome, Value};

use super::NO_REPOSITORY;
use super::repository::{facts, fetch, tags_of};
use crate::failure::{Answered as _, Subject};
use crate::kind::{Context, Source};

#[derive(Default)]
pub(crate) struct RepositoryData;

#[async_trait]
impl Source for RepositoryData {
    const NAME: &'static str = "aws_ecr_repository";
    const WHAT: &'static str = "ECR Repository";

    async fn read(&self, context: &Context, config: &Object) -> Outcome<Object> {
        let name = config.text("name").unwrap_or_default();
        let registry = config.text("registry_id");
        let subject = Self::subject(name);
        let told = fetch(context, name, registry, &subject).await?.ok_or_else(|| {
            Diagnostic::error(
                "ECR Repository not found",
                format!("{subject} is not in {}. Look at its name, the region and the account that this run signs in to, or set registry_id to the account that has it.", context.region),
            )
        })?;
        let mut object = facts(&told);
        object.set("id", name);
        let arn = told.repository_arn.unwrap_or_default();
        let tags = tags_of(context, &arn, &subject).await?;
        object.set("tags", context.client.tags().split(tags, &Value::NULL).1);
        object.set(
            "most_recent_image_tags",
            newest(context, name, registry, &subject).await?,
        );
        Ok(object)
    }
}

/// The tags of the image that was pushed last.
async fn newest(
    context: &Context,
    name: &str,
    registry: Option<&str>,
    subject: &Subject,
) -> Outcome<Vec<String>> {
    let mut pages = context
        .client
        .ecr(&context.region)
        .describe_images()
        .repository_name(name)
        .set_registry_id(registry.map(str::to_owned))
        .filter(
            DescribeImagesFilter::builder()
                .tag_status(TagStatus::Tagged)
                .build(),
        )
        .into_paginator()
        .send();
    let mut newest: Option<ImageDetail> = None;
    while let Some(page) = pages.next().await {
        let page = page.unless_gone(
            &[NO_REPOSITORY],
            "reading the images of",
            subject,
            "ecr:DescribeImages",
        )?;
        let images = page.and_then(|page| page.image_details).unwrap_or_default();
        newest = newest
            .into_iter()
            .chain(images)
            .max_by_key(|image| image.image_pushed_at);
    }
    Ok(newest
        .and_then(|image| image.image_tags)
        .unwrap_or_default())
}
