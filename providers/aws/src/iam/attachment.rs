//! `aws_iam_role_policy_attachment`.

use async_trait::async_trait;
use terrace_provider_sdk::{Diagnostic, Object, Outcome, Schema};

use super::role;
use crate::kind::{Change, Context, Kind};
use crate::shape::Behaviour as _;

#[derive(Default)]
pub(crate) struct Attachment;

#[async_trait]
impl Kind for Attachment {
    const NAME: &'static str = "aws_iam_role_policy_attachment";
    const WHAT: &'static str = "IAM Role Policy Attachment";
    const ID_OF: Option<(&'static [&'static str], &'static str)> =
        Some((&["role", "policy_arn"], "/"));

    fn behave(&self, shape: Schema) -> Schema {
        shape.replaces(&["role", "policy_arn"])
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let (role, arn) = ends(planned);
        let id = format!("{role}/{arn}");
        role::attach(context, role, arn, &Self::subject(&id)).await?;
        Ok(id)
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let (role, arn) = ends(state);
        let subject = Self::subject(format!("{role}/{arn}"));
        let attached = role::attached(context, role, &subject).await?;
        if !attached.is_some_and(|attached| attached.contains(arn)) {
            return Ok(None);
        }
        let mut object = Object::new();
        object.set("role", role);
        object.set("policy_arn", arn);
        Ok(Some(object))
    }

    async fn update(&self, _context: &Context, _change: Change<'_>) -> Outcome<()> {
        Ok(())
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let (role, arn) = ends(state);
        let subject = Self::subject(format!("{role}/{arn}"));
        role::detach(context, role, arn, &subject).await
    }

    fn import(&self, id: &str) -> Outcome<Object> {
        let Some((role, arn)) = id
            .split_once('/')
            .filter(|(role, arn)| !role.is_empty() && !arn.is_empty())
        else {
            return Err(Diagnostic::error(
                "Invalid import id",
                format!("{id:?} does not name a policy of a role. The id is the name of the role, a slash and the ARN of the policy: role/arn:aws:iam::123456789012:policy/name."),
            )
            .into());
        };
        let mut object = Object::new();
        object.set("id", id);
        object.set("role", role);
        object.set("policy_arn", arn);
        Ok(object)
    }
}

/// The role and the policy.
fn ends(object: &Object) -> (&str, &str) {
    let text = |name| object.text(name).unwrap_or_default();
    (text("role"), text("policy_arn"))
}
