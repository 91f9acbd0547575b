//! `aws_iam_role`.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_iam::types::Role as Told;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use terrace_provider_sdk::{Object, Outcome, Plan, Schema, Value, validate};

use super::{GONE, PROPAGATION, decoded, named, sdk_tags, told_tags};
use crate::blocks::{all, block, blocks, given, or_empty, owned, small};
use crate::client::Client;
use crate::document;
use crate::failure::{Answered as _, Subject, is_one_of};
use crate::kind::{Change, Context, Kind, id};
use crate::names;
use crate::policy;
use crate::retry::says;
use crate::shape::Behaviour as _;
use crate::tags;

#[derive(Default)]
pub(crate) struct Role;

#[async_trait]
impl Kind for Role {
    const NAME: &'static str = "aws_iam_role";
    const WHAT: &'static str = "IAM Role";
    const ID_OF: Option<(&'static [&'static str], &'static str)> = Some((&["name"], ""));

    fn behave(&self, shape: Schema) -> Schema {
        shape
            .replaces(&["path"])
            .change("name", |name| named(name, 64, "name_prefix"))
            .change("name_prefix", |prefix| {
                named(prefix, 64 - names::SUFFIX, "name")
            })
            .change("assume_role_policy", policy::compared)
            .change("description", |text| {
                text.validate(validate::length(0..=1000))
            })
            .change("max_session_duration", |duration| {
                duration.validate(validate::between(3600..=43200))
            })
            .defaults_to_text(&[("path", "/")])
            .defaults_to_number(&[("max_session_duration", 3600)])
            .defaults_to_bool(&[("force_detach_policies", false)])
            .fills_in(&["inline_policy"])
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        let (Some(prior), Some(planned)) = (&plan.prior, &mut plan.planned) else {
            return Ok(());
        };
        let known = planned.value("inline_policy").is_wholly_known();
        if known && same_inline(&inline(prior), &inline(planned)) {
            planned.set("inline_policy", prior.value("inline_policy").clone());
        }
        Ok(())
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let name = names::of(context, planned, "name", "name_prefix");
        let trust = planned.text("assume_role_policy").unwrap_or_default();
        let request = context
            .client
            .iam(&context.region)
            .create_role()
            .role_name(&name)
            .assume_role_policy_document(document::normal(trust))
            .set_path(given(planned, "path"))
            .set_description(given(planned, "description"))
            .set_max_session_duration(small(planned, "max_session_duration"))
            .set_permissions_boundary(given(planned, "permissions_boundary"))
            .set_tags(sdk_tags(&tags::planned(planned)));
        let subject = Self::subject(&name);
        context
            .patience(PROPAGATION)
            .again(
                |error| {
                    says(
                        error,
                        "MalformedPolicyDocument",
                        "Invalid principal in policy",
                    )
                },
                || request.clone().send(),
            )
            .await
            .when("creating", &subject, "iam:CreateRole")?;
        context.made(&name);
        for (policy, text) in inline(planned) {
            put_inline(context, &name, &policy, &text, &subject).await?;
        }
        for arn in planned.texts("managed_policy_arns") {
            attach(context, &name, arn, &subject).await?;
        }
        Ok(name)
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let name = id(state);
        let subject = Self::subject(name);
        let Some(told) = fetch(context, name, &subject).await? else {
            return Ok(None);
        };
        let mut object = Object::new();
        facts(&mut object, &told);
        object.set("name_prefix", names::prefix_of(&told.role_name));
        let trust = decoded(&told.assume_role_policy_document.clone().unwrap_or_default());
        let configured = state.text("assume_role_policy").unwrap_or_default();
        object.set("assume_role_policy", policy::keep(configured, &trust));
        let Some(found) = inline_of(context, name, &subject).await? else {
            return Ok(None);
        };
        let before = state.value("inline_policy");
        if !before.is_null() && same_inline(&inline(state), &found) {
            object.set("inline_policy", before.clone());
        } else {
            let found = found.into_iter().map(|(name, policy)| {
                let policy = Value::string(policy::version_first(&policy));
                block([("name", Value::string(name)), ("policy", policy)])
            });
            object.set("inline_policy", blocks(found));
        }
        let Some(attached) = attached(context, name, &subject).await? else {
            return Ok(None);
        };
        object.set("managed_policy_arns", attached);
        object.set("tags_all", told_tags(told.tags()));
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let (iam, name) = (context.client.iam(&context.region), change.id());
        let subject = Self::subject(name);
        let planned = change.planned;
        if change.of(&["assume_role_policy"]) {
            let trust = planned.text("assume_role_policy").unwrap_or_default();
            let request = iam
                .update_assume_role_policy()
                .role_name(name)
                .policy_document(document::normal(trust));
            context
                .patience(PROPAGATION)
                .again(
                    |error| {
                        says(
                            error,
                            "MalformedPolicyDocument",
                            "Invalid principal in policy",
                        )
                    },
                    || request.clone().send(),
                )
                .await
                .when(
                    "updating the trust policy of",
                    &subject,
                    "iam:UpdateAssumeRolePolicy",
                )?;
        }
        if change.of(&["description", "max_session_duration"]) {
            iam.update_role()
                .role_name(name)
                .description(planned.text("description").unwrap_or_default())
                .set_max_session_duration(small(planned, "max_session_duration"))
                .send()
                .await
                .when("updating", &subject, "iam:UpdateRole")?;
        }
        if change.of(&["permissions_boundary"]) {
            bound(
                context,
                name,
                given(planned, "permissions_boundary"),
                &subject,
            )
            .await?;
        }
        let (before, after) = (inline(change.prior), inline(planned));
        if change.of(&["inline_policy"]) && !same_inline(&before, &after) {
            for policy in before.keys().filter(|policy| !after.contains_key(*policy)) {
                remove_inline(context, name, policy, &subject).await?;
            }
            for (policy, text) in &after {
                if before.get(policy) != Some(text) {
                    put_inline(context, name, policy, text, &subject).await?;
                }
            }
        }
        if change.of(&["managed_policy_arns"]) {
            let arns = |object: &Object| BTreeSet::from_iter(owned(object, "managed_policy_arns"));
            let (before, after) = (arns(change.prior), arns(planned));
            for arn in before.difference(&after) {
                detach(context, name, arn, &subject).await?;
            }
            for arn in after.difference(&before) {
                attach(context, name, arn, &subject).await?;
            }
        }
        let Some(tags) = change.tags() else {
            return Ok(());
        };
        if !tags.gone.is_empty() {
            iam.untag_role()
                .role_name(name)
                .set_tag_keys(Some(tags.gone))
                .send()
                .await
                .when("untagging", &subject, "iam:UntagRole")?;
        }
        if let Some(set) = sdk_tags(&tags.set) {
            iam.tag_role()
                .role_name(name)
                .set_tags(Some(set))
                .send()
                .await
                .when("tagging", &subject, "iam:TagRole")?;
        }
        Ok(())
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let (iam, name) = (context.client.iam(&context.region), id(state));
        let subject = Self::subject(name);
        leave_profiles(context, name, &subject).await?;
        let force = state.flag("force_detach_policies").unwrap_or(false);
        if force || !state.items("managed_policy_arns").is_empty() {
            for arn in attached(context, name, &subject).await?.unwrap_or_default() {
                detach(context, name, &arn, &subject).await?;
            }
        }
        if force || !inline(state).is_empty() {
            for policy in inline_of(context, name, &subject)
                .await?
                .unwrap_or_default()
                .keys()
            {
                remove_inline(context, name, policy, &subject).await?;
            }
        }
        let request = iam.delete_role().role_name(name);
        context
            .patience(PROPAGATION)
            .again(
                |error| is_one_of(error, &["DeleteConflict"]),
                || request.clone().send(),
            )
            .await
            .unless_gone(&GONE, "deleting", &subject, "iam:DeleteRole")?;
        Ok(())
    }

    fn import(&self, id: &str) -> Outcome<Object> {
        let mut object = Object::new();
        object.set("id", id);
        object.set("force_detach_policies", false);
        Ok(object)
    }
}

/// A role; `None` when there is none. A young one may have its unique id where its ARN will be.
pub(super) async fn fetch(
    context: &Context,
    name: &str,
    subject: &Subject,
) -> Outcome<Option<Told>> {
    let answer = context
        .client
        .iam(&context.region)
        .get_role()
        .role_name(name)
        .send()
        .await
        .unless_gone(&GONE, "reading", subject, "iam:GetRole")?;
    let told = answer.and_then(|answer| answer.role);
    Ok(told.filter(|role| role.arn.starts_with("arn:")))
}

/// What resource and data source both say of a role.
pub(super) fn facts(object: &mut Object, told: &Told) {
    object.set("arn", told.arn.as_str());
    object.set("create_date", date(&told.create_date));
    object.set("description", or_empty(told.description.as_deref()));
    object.set("max_session_duration", told.max_session_duration);
    object.set("name", told.role_name.as_str());
    object.set("path", told.path.as_str());
    let boundary = told.permissions_boundary.as_ref();
    let boundary = boundary.and_then(|boundary| boundary.permissions_boundary_arn.as_deref());
    object.set("permissions_boundary", or_empty(boundary));
    object.set("unique_id", told.role_id.as_str());
}

/// A time to the second.
pub(super) fn date(told: &DateTime) -> String {
    DateTime::from_secs(told.secs())
        .fmt(Format::DateTime)
        .unwrap_or_default()
}

/// Policies within a role, by name.
type Inline = BTreeMap<String, String>;

/// Those that an object has. A block that says nothing means that there are none.
fn inline(object: &Object) -> Inline {
    all(object, "inline_policy")
        .iter()
        .filter_map(|block| Some((given(block, "name")?, given(block, "policy")?)))
        .collect()
}

fn same_inline(ours: &Inline, theirs: &Inline) -> bool {
    ours.len() == theirs.len()
        && ours
            .iter()
            .zip(theirs)
            .all(|((our_name, ours), (their_name, theirs))| {
                our_name == their_name && policy::equivalent(ours, theirs)
            })
}

async fn inline_of(context: &Context, role: &str, subject: &Subject) -> Outcome<Option<Inline>> {
    let iam = context.client.iam(&context.region);
    let names: Result<Vec<String>, _> = iam
        .list_role_policies()
        .role_name(role)
        .into_paginator()
        .items()
        .send()
        .collect()
        .await;
    let doing = "reading the inline policies of";
    let Some(names) = names.unless_gone(&GONE, doing, subject, "iam:ListRolePolicies")? else {
        return Ok(None);
    };
    let mut found = Inline::new();
    for name in names {
        let answer = iam
            .get_role_policy()
            .role_name(role)
            .policy_name(&name)
            .send()
            .await
            .unless_gone(&GONE, doing, subject, "iam:GetRolePolicy")?;
        if let Some(answer) = answer {
            found.insert(name, decoded(&answer.policy_document));
        }
    }
    Ok(Some(found))
}

async fn put_inline(
    context: &Context,
    role: &str,
    name: &str,
    text: &str,
    subject: &Subject,
) -> Outcome<()> {
    context
        .client
        .iam(&context.region)
        .put_role_policy()
        .role_name(role)
        .policy_name(name)
        .policy_document(text)
        .send()
        .await
        .when(
            "putting an inline policy into",
            subject,
            "iam:PutRolePolicy",
        )?;
    Ok(())
}

async fn remove_inline(
    context: &Context,
    role: &str,
    name: &str,
    subject: &Subject,
) -> Outcome<()> {
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
            "deleting an inline policy of",
            subject,
            "iam:DeleteRolePolicy",
        )?;
    Ok(())
}

/// The managed policies of a role, by their ARNs.
pub(super) async fn attached(
    context: &Context,
    role: &str,
    subject: &Subject,
) -> Outcome<Option<BTreeSet<String>>> {
    let policies: Result<Vec<_>, _> = context
        .client
        .iam(&context.region)
        .list_attached_role_policies()
        .role_name(role)
        .into_paginator()
        .items()
        .send()
        .collect()
        .await;
    let policies = policies.unless_gone(
        &GONE,
        "reading the policies of",
        subject,
        "iam:ListAttachedRolePolicies",
    )?;
    let arns = policies.map(|policies| {
        policies
            .into_iter()
            .filter_map(|policy| policy.policy_arn)
            .collect()
    });
    Ok(arns)
}

/// Calls until nobody else is at the same role's policies.
async fn alone<T, E, R, F>(
    context: &Context,
    call: impl FnMut() -> F + Send,
) -> Result<T, SdkError<E, R>>
where
    E: ProvideErrorMetadata,
    F: Future<Output = Result<T, SdkError<E, R>>> + Send,
{
    let others = |error: &SdkError<E, R>| is_one_of(error, &["ConcurrentModification"]);
    context.patience(PROPAGATION).again(others, call).await
}

/// Gives a role a managed policy.
pub(super) async fn attach(
    context: &Context,
    role: &str,
    arn: &str,
    subject: &Subject,
) -> Outcome<()> {
    let iam = context.client.iam(&context.region);
    let request = iam.attach_role_policy().role_name(role).policy_arn(arn);
    alone(context, || request.clone().send()).await.when(
        "attaching a policy to",
        subject,
        "iam:AttachRolePolicy",
    )?;
    Ok(())
}

/// Takes a managed policy from a role.
pub(super) async fn detach(
    context: &Context,
    role: &str,
    arn: &str,
    subject: &Subject,
) -> Outcome<()> {
    let iam = context.client.iam(&context.region);
    let request = iam.detach_role_policy().role_name(role).policy_arn(arn);
    alone(context, || request.clone().send())
        .await
        .unless_gone(
            &GONE,
            "detaching a policy from",
            subject,
            "iam:DetachRolePolicy",
        )?;
    Ok(())
}

async fn bound(
    context: &Context,
    role: &str,
    boundary: Option<String>,
    subject: &Subject,
) -> Outcome<()> {
    let (iam, doing) = (
        context.client.iam(&context.region),
        "updating the permissions boundary of",
    );
    match boundary {
        Some(arn) => {
            iam.put_role_permissions_boundary()
                .role_name(role)
                .permissions_boundary(arn)
                .send()
                .await
                .when(doing, subject, "iam:PutRolePermissionsBoundary")?;
        }
        None => {
            iam.delete_role_permissions_boundary()
                .role_name(role)
                .send()
                .await
                .unless_gone(&GONE, doing, subject, "iam:DeleteRolePermissionsBoundary")?;
        }
    }
    Ok(())
}

/// Takes a role out of the instance profiles that have it: it cannot go before.
async fn leave_profiles(context: &Context, role: &str, subject: &Subject) -> Outcome<()> {
    let iam = context.client.iam(&context.region);
    let profiles: Result<Vec<_>, _> = iam
        .list_instance_profiles_for_role()
        .role_name(role)
        .into_paginator()
        .items()
        .send()
        .collect()
        .await;
    let doing = "taking out of its instance profiles";
    let profiles =
        profiles.unless_gone(&GONE, doing, subject, "iam:ListInstanceProfilesForRole")?;
    for profile in profiles.unwrap_or_default() {
        iam.remove_role_from_instance_profile()
            .role_name(role)
            .instance_profile_name(profile.instance_profile_name)
            .send()
            .await
            .unless_gone(&GONE, doing, subject, "iam:RemoveRoleFromInstanceProfile")?;
    }
    Ok(())
}
