//! `aws_ecr_lifecycle_policy`.

use async_trait::async_trait;
use serde_json::Value as Json;
use terrace_provider_sdk::{Object, Outcome, Schema};

use super::NO_REPOSITORY;
use crate::document;
use crate::failure::Answered as _;
use crate::kind::{Change, Context, Kind, id};
use crate::shape::Behaviour as _;

/// What ECR says where there is no policy.
const GONE: [&str; 2] = ["LifecyclePolicyNotFoundException", NO_REPOSITORY];

#[derive(Default)]
pub(crate) struct LifecyclePolicy;

#[async_trait]
impl Kind for LifecyclePolicy {
    const NAME: &'static str = "aws_ecr_lifecycle_policy";
    const WHAT: &'static str = "ECR Lifecycle Policy";
    const ID_OF: Option<(&'static [&'static str], &'static str)> = Some((&["repository"], ""));

    fn behave(&self, shape: Schema) -> Schema {
        shape
            .replaces(&["repository", "policy"])
            .change("policy", |policy| document::by_meaning(policy, same))
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let repository = planned.text("repository").unwrap_or_default();
        let text = document::normal(planned.text("policy").unwrap_or_default());
        context
            .client
            .ecr(&context.region)
            .put_lifecycle_policy()
            .repository_name(repository)
            .lifecycle_policy_text(text)
            .send()
            .await
            .when(
                "creating",
                &Self::subject(repository),
                "ecr:PutLifecyclePolicy",
            )?;
        Ok(repository.to_owned())
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let repository = id(state);
        let answer = context
            .client
            .ecr(&context.region)
            .get_lifecycle_policy()
            .repository_name(repository)
            .send()
            .await
            .unless_gone(
                &GONE,
                "reading",
                &Self::subject(repository),
                "ecr:GetLifecyclePolicy",
            )?;
        let Some(answer) = answer else {
            return Ok(None);
        };
        let told = answer.lifecycle_policy_text.unwrap_or_default();
        let mut object = Object::new();
        object.set("policy", document::kept(state.text("policy"), &told, same));
        object.set("registry_id", answer.registry_id);
        object.set("repository", repository);
        Ok(Some(object))
    }

    async fn update(&self, _context: &Context, _change: Change<'_>) -> Outcome<()> {
        Ok(())
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let repository = id(state);
        context
            .client
            .ecr(&context.region)
            .delete_lifecycle_policy()
            .repository_name(repository)
            .send()
            .await
            .unless_gone(
                &GONE,
                "deleting",
                &Self::subject(repository),
                "ecr:DeleteLifecyclePolicy",
            )?;
        Ok(())
    }
}

/// Whether two policies clean up the same: rules go by their priority, and tags in any order.
fn same(a: &str, b: &str) -> bool {
    match (serde_json::from_str(a), serde_json::from_str(b)) {
        (Ok(a), Ok(b)) => reduced(a) == reduced(b),
        _ => a == b,
    }
}

fn reduced(mut policy: Json) -> Json {
    if let Some(rules) = policy.get_mut("rules").and_then(Json::as_array_mut) {
        rules.sort_by_key(|rule| rule["rulePriority"].as_i64());
        for selection in rules
            .iter_mut()
            .filter_map(|rule| rule["selection"].as_object_mut())
        {
            for list in ["tagPrefixList", "tagPatternList"] {
                let Some(tags) = selection.get_mut(list).and_then(Json::as_array_mut) else {
                    continue;
                };
                tags.sort_by_key(ToString::to_string);
                if tags.is_empty() {
                    selection.remove(list);
                }
            }
        }
    }
    policy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_in_another_order_are_the_same_policy() {
        let a = r#"{"rules":[{"rulePriority":2},{"rulePriority":1,"selection":{"tagPrefixList":["b","a"],"tagPatternList":[]}}]}"#;
        let b = r#"{"rules":[{"rulePriority":1,"selection":{"tagPrefixList":["a","b"]}},{"rulePriority":2}]}"#;
        assert!(same(a, b));
        assert!(!same(a, r#"{"rules":[{"rulePriority":1}]}"#));
    }
}
