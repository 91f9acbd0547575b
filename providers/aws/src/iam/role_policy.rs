//! `aws_iam_role_policy`.

use async_trait::async_trait;
use terrace_provider_sdk::{Diagnostic, Object, Outcome, Schema};

use super::{GONE, decoded, named};
use crate::failure::Answered as _;
use crate::kind::{Change, Context, Kind, id};
use crate::names;
use crate::policy;
use crate::shape::Behaviour as _;

#[derive(Default)]
pub(crate) struct RolePolicy;

#[async_trait]
impl Kind for RolePolicy {
    const NAME: &'static str = "aws_iam_role_policy";
    const WHAT: &'static str = "IAM Role Policy";
    const ID_OF: Option<(&'static [&'static str], &'static str)> = Some((&["role", "name"], ":"));

    fn behave(&self, shape: Schema) -> Schema {
        shape
            .replaces(&["role"])
            .change("name", |name| named(name, 128, "name_prefix"))
            .change("name_prefix", |prefix| {
                named(prefix, 128 - names::SUFFIX, "name")
            })
            .change("policy", policy::compared)
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let name = names::of(context, planned, "name", "name_prefix");
        let id = format!("{}:{name}", planned.text("role").unwrap_or_default());
        put(context, &id, planned, "creating").await?;
        Ok(id)
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let (role, name) = split(id(state))?;
        let answer = context
            .client
            .iam(&context.region)
            .get_role_policy()
            .role_name(role)
            .policy_name(name)
            .send()
            .await
            .unless_gone(
                &GONE,
                "reading",
                &Self::subject(id(state)),
                "iam:GetRolePolicy",
            )?;
        let Some(answer) = answer else {
            return Ok(None);
        };
        let told = decoded(&answer.policy_document);
        let configured = state.text("policy").unwrap_or_default();
        let mut object = Object::new();
        object.set("role", role);
        object.set("name", name);
        object.set("name_prefix", names::prefix_of(name));
        object.set("policy", policy::keep_version_first(configured, &told));
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        put(context, change.id(), change.planned, "updating").await
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let (role, name) = split(id(state))?;
        context
            .client
            .iam(&context.region)
            .delete_role_policy()
            .role_name(role)
            .policy_name(name)
            .send()
            .await
            .unless_gone(
                &GONE,
                "deleting",
                &Self::subject(id(state)),
                "iam:DeleteRolePolicy",
            )?;
        Ok(())
    }
}

async fn put(context: &Context, id: &str, planned: &Object, doing: &str) -> Outcome<()> {
    let (role, name) = split(id)?;
    context
        .client
        .iam(&context.region)
        .put_role_policy()
        .role_name(role)
        .policy_name(name)
        .policy_document(policy::version_first(
            planned.text("policy").unwrap_or_default(),
        ))
        .send()
        .await
        .when(doing, &RolePolicy::subject(id), "iam:PutRolePolicy")?;
    Ok(())
}

fn split(id: &str) -> Outcome<(&str, &str)> {
    match id.split_once(':') {
        Some((role, name)) if !role.is_empty() && !name.is_empty() => Ok((role, name)),
        _ => Err(Diagnostic::error(
            "Invalid id of an inline policy",
            format!("{id:?} does not name a policy of a role. Its id is the name of the role, a colon and the name of the policy: role:policy."),
        )
        .into()),
    }
}
