//! `aws_s3_bucket_acl`.

use async_trait::async_trait;
use aws_sdk_s3::types::{
    AccessControlPolicy, BucketCannedAcl, Grant, Grantee, Owner, Permission, Type as GranteeType,
};
use terrace_provider_sdk::{
    Diagnostics, Object, Outcome, Path, Plan, Schema, Type, Value, validate,
};

use super::place::{Bucket, split_id};
use super::setting::Setting;
use crate::blocks::{all, block, blocks, given, one, text};
use crate::client::Client;
use crate::kind::id;
use crate::shape::Behaviour as _;

const CANNED: [&str; 8] = [
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
    "log-delivery-write",
];

#[derive(Default)]
pub(crate) struct Acl;

/// What an id says: the bucket, the account that it belongs to, the canned list.
fn parts(id: &str) -> (&str, Option<&str>, Option<&str>) {
    let is_account =
        |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    match id.rsplit_once(',') {
        None => (id, None, None),
        Some((bucket, account)) if is_account(account) => (bucket, Some(account), None),
        Some((rest, canned)) => {
            let (bucket, account) = split_id(rest);
            (bucket, account, Some(canned))
        }
    }
}

#[async_trait]
impl Setting for Acl {
    const NAME: &'static str = "aws_s3_bucket_acl";
    const WHAT: &'static str = "S3 Bucket ACL";

    fn behave(shape: Schema) -> Schema {
        let permissions = ["FULL_CONTROL", "WRITE", "WRITE_ACP", "READ", "READ_ACP"];
        shape
            .fills_in(&["access_control_policy"])
            .change("acl", |acl| acl.validate(validate::one_of(CANNED)))
            .within("access_control_policy", |policy| {
                policy.within("grant", |grant| {
                    grant
                        .change("permission", |permission| {
                            permission.validate(validate::one_of(permissions))
                        })
                        .within("grantee", |grantee| {
                            grantee.change("type", |ty| {
                                ty.validate(validate::one_of([
                                    "CanonicalUser",
                                    "AmazonCustomerByEmail",
                                    "Group",
                                ]))
                            })
                        })
                })
            })
    }

    fn validate(config: &Object, diagnostics: &mut Diagnostics) {
        let policy = config.value("access_control_policy");
        if !policy.is_known() || !config.is_known("acl") {
            return;
        }
        if config.items("access_control_policy").is_empty() != config.is_set("acl") {
            diagnostics.error_at(
                Path::root(),
                "Invalid combination of arguments",
                "Either acl names one of the lists that S3 knows, or the block access_control_policy says who may do what: one of the two must be there, and not both.",
            );
        }
    }

    fn plan(plan: &mut Plan<Client>) {
        let (named, listed) = (plan.changes("acl"), plan.changes("access_control_policy"));
        let policy = plan
            .prior
            .as_ref()
            .map(|prior| prior.value("access_control_policy").ty());
        let by_name = plan
            .config
            .as_ref()
            .is_some_and(|config| config.is_set("acl"));
        let Some(planned) = &mut plan.planned else {
            return;
        };
        if named {
            planned.forget("id", Type::String);
            if by_name && let Some(ty) = policy {
                planned.forget("access_control_policy", ty);
            }
        } else if listed && planned.text("acl").is_some_and(|acl| !acl.is_empty()) {
            planned.set("acl", "");
            planned.forget("id", Type::String);
        }
    }

    fn id(bucket: &Bucket<'_>, planned: &Object) -> String {
        match given(planned, "acl") {
            Some(acl) => format!("{},{acl}", bucket.id()),
            None => bucket.id(),
        }
    }

    fn import(id: &str) -> Object {
        let (bucket, owner, acl) = parts(id);
        let mut object = Object::new();
        object.set("id", id);
        object.set("bucket", bucket);
        object.set("acl", acl.unwrap_or_default());
        object.set("expected_bucket_owner", owner.unwrap_or_default());
        object
    }

    async fn put(bucket: &Bucket<'_>, planned: &Object, doing: &'static str) -> Outcome<()> {
        let named = given(planned, "acl").map(|acl| BucketCannedAcl::from(acl.as_str()));
        let policy = one(planned, "access_control_policy").filter(|_| named.is_none());
        let policy = policy.map(|policy| {
            let owner = one(&policy, "owner").map(|owner| {
                Owner::builder()
                    .set_id(given(&owner, "id"))
                    .set_display_name(given(&owner, "display_name"))
                    .build()
            });
            AccessControlPolicy::builder()
                .set_owner(owner)
                .set_grants(Some(all(&policy, "grant").iter().map(grant).collect()))
                .build()
        });
        bucket
            .change(doing, "s3:PutBucketAcl", || {
                bucket
                    .s3
                    .put_bucket_acl()
                    .bucket(&bucket.name)
                    .set_expected_bucket_owner(bucket.owner.clone())
                    .set_acl(named.clone())
                    .set_access_control_policy(policy.clone())
                    .send()
            })
            .await?;
        Ok(())
    }

    async fn get(bucket: &Bucket<'_>, state: &Object) -> Outcome<Option<Object>> {
        let call = bucket
            .s3
            .get_bucket_acl()
            .bucket(&bucket.name)
            .set_expected_bucket_owner(bucket.owner.clone())
            .send();
        let Some(told) = bucket.look("s3:GetBucketAcl", &[], call).await? else {
            return Ok(None);
        };
        let acl = match state.text("acl") {
            Some(acl) => acl,
            None if state.is_set("access_control_policy") => "",
            None => parts(id(state)).2.unwrap_or_default(),
        };
        let owner = told.owner.as_ref().map(|owner| {
            let name = owner.display_name.as_deref();
            block([
                ("id", text(owner.id.as_deref())),
                ("display_name", text(name)),
            ])
        });
        let policy = block([
            ("owner", blocks(owner)),
            ("grant", blocks(told.grants().iter().map(told_grant))),
        ]);
        let mut object = Object::new();
        object.set("acl", acl);
        object.set("access_control_policy", blocks([policy]));
        object.set(
            "id",
            match acl {
                "" => bucket.id(),
                acl => format!("{},{acl}", bucket.id()),
            },
        );
        Ok(Some(object))
    }

    /// A bucket is never without a list: the one that it has stays.
    async fn delete(_bucket: &Bucket<'_>, _state: &Object) -> Outcome<()> {
        Ok(())
    }
}

/// Somebody who may do something.
pub(super) fn grantee(grantee: &Object) -> Grantee {
    let ty = given(grantee, "type").unwrap_or_default();
    Grantee::builder()
        .r#type(GranteeType::from(ty.as_str()))
        .set_id(given(grantee, "id"))
        .set_email_address(given(grantee, "email_address"))
        .set_uri(given(grantee, "uri"))
        .build()
        .expect("a grantee with a type is complete")
}

pub(super) fn told_grantee(grantee: &Grantee) -> Value {
    let (name, email) = (
        grantee.display_name.as_deref(),
        grantee.email_address.as_deref(),
    );
    block([
        ("type", text(Some(grantee.r#type.as_str()))),
        ("id", text(grantee.id.as_deref())),
        ("uri", text(grantee.uri.as_deref())),
        ("display_name", text(name)),
        ("email_address", text(email)),
    ])
}

fn grant(grant: &Object) -> Grant {
    let permission = given(grant, "permission").unwrap_or_default();
    Grant::builder()
        .set_grantee(one(grant, "grantee").as_ref().map(grantee))
        .permission(Permission::from(permission.as_str()))
        .build()
}

fn told_grant(grant: &Grant) -> Value {
    block([
        ("grantee", blocks(grant.grantee.as_ref().map(told_grantee))),
        (
            "permission",
            text(grant.permission.as_ref().map(Permission::as_str)),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_bucket_account_and_list() {
        assert_eq!(parts("logs"), ("logs", None, None));
        assert_eq!(parts("logs,private"), ("logs", None, Some("private")));
        assert_eq!(
            parts("logs,123456789012"),
            ("logs", Some("123456789012"), None)
        );
        assert_eq!(
            parts("logs,123456789012,private"),
            ("logs", Some("123456789012"), Some("private"))
        );
    }
}
