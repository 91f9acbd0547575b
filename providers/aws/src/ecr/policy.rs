//! `aws_ecr_repository_policy`.

use std::time::Duration;

use async_trait::async_trait;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use terrace_provider_sdk::{Object, Outcome, Schema};

use super::NO_REPOSITORY;
use crate::document;
use crate::failure::{Answered as _, is_one_of};
use crate::kind::{Change, Context, Kind, id};
use crate::policy;
use crate::shape::Behaviour as _;

/// What ECR says where there is no policy.
const GONE: [&str; 2] = ["RepositoryPolicyNotFoundException", NO_REPOSITORY];

/// How long it may take until ECR knows a principal that IAM has just made.
const UNTIL_KNOWN: Duration = Duration::from_mins(2);

#[derive(Default)]
pub(crate) struct RepositoryPolicy;

#[async_trait]
impl Kind for RepositoryPolicy {
    const NAME: &'static str = "aws_ecr_repository_policy";
    const WHAT: &'static str = "ECR Repository Policy";
    const ID_OF: Option<(&'static [&'static str], &'static str)> = Some((&["repository"], ""));

    fn behave(&self, shape: Schema) -> Schema {
        shape.replaces(&["repository"]).change("policy", |policy| {
            document::by_meaning(policy, policy::equivalent)
        })
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        put(context, planned, "creating").await
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let repository = id(state);
        let answer = context
            .client
            .ecr(&context.region)
            .get_repository_policy()
            .repository_name(repository)
            .send()
            .await
            .unless_gone(
                &GONE,
                "reading",
                &Self::subject(repository),
                "ecr:GetRepositoryPolicy",
            )?;
        let Some(answer) = answer else {
            return Ok(None);
        };
        let told = answer.policy_text.unwrap_or_default();
        let mut object = Object::new();
        object.set(
            "policy",
            document::kept(state.text("policy"), &told, policy::equivalent),
        );
        object.set("registry_id", answer.registry_id);
        object.set("repository", repository);
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        put(context, change.planned, "updating").await.map(|_| ())
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let repository = id(state);
        context
            .client
            .ecr(&context.region)
            .delete_repository_policy()
            .repository_name(repository)
            .set_registry_id(state.text("registry_id").map(str::to_owned))
            .send()
            .await
            .unless_gone(
                &GONE,
                "deleting",
                &Self::subject(repository),
                "ecr:DeleteRepositoryPolicy",
            )?;
        Ok(())
    }
}

/// Sets the policy. ECR refuses principals that it does not know yet, so it is asked again for a while.
async fn put(context: &Context, planned: &Object, doing: &str) -> Outcome<String> {
    let repository = planned.text("repository").unwrap_or_default();
    let subject = RepositoryPolicy::subject(repository);
    let request = || {
        context
            .client
            .ecr(&context.region)
            .set_repository_policy()
            .repository_name(repository)
            .policy_text(planned.text("policy").unwrap_or_default())
            .send()
    };
    let permission = "ecr:SetRepositoryPolicy";
    let look = || async {
        match request().await {
            Err(error)
                if is_one_of(&error, &["InvalidParameterException"])
                    && error
                        .as_service_error()
                        .and_then(|error| error.message())
                        .is_some_and(|message| {
                            message.contains("Invalid repository policy provided")
                                || message.contains("Principal not found")
                        }) =>
            {
                Ok(None)
            }
            answer => answer.when(doing, &subject, permission).map(Some),
        }
    };
    if context.patience(UNTIL_KNOWN).look(look).await?.is_none() {
        request().await.when(doing, &subject, permission)?;
    }
    Ok(repository.to_owned())
}
