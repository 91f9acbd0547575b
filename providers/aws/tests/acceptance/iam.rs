use serde_json::json;

use crate::case::Case;

/// Who may take a role, written as `jsonencode` does.
const FUNCTIONS: &str = r#"{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}}],"Version":"2012-10-17"}"#;
const SERVERS: &str = r#"{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"}}],"Version":"2012-10-17"}"#;
/// The first of them as a person writes it.
const BY_HAND: &str = r#"{ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Principal": { "Service": ["lambda.amazonaws.com"] }, "Action": "sts:AssumeRole" } }"#;

/// What a role may do.
const READS: &str = r#"{"Statement":[{"Action":["s3:GetObject"],"Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}"#;
const WRITES: &str = r#"{"Statement":[{"Action":["s3:PutObject"],"Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}"#;
const DENIES: &str =
    r#"{"Statement":[{"Action":"*","Effect":"Deny","Resource":"*"}],"Version":"2012-10-17"}"#;
/// The same, as what is within a role is told.
const INLINE_READS: &str = r#"{"Version":"2012-10-17","Statement":[{"Action":["s3:GetObject"],"Effect":"Allow","Resource":"*"}]}"#;
const INLINE_WRITES: &str = r#"{"Version":"2012-10-17","Statement":[{"Action":["s3:PutObject"],"Effect":"Allow","Resource":"*"}]}"#;

/// What both the type and the data source say of a policy.
const POLICY: [&str; 9] = [
    "arn",
    "attachment_count",
    "description",
    "id",
    "name",
    "path",
    "policy",
    "policy_id",
    "tags",
];

// size: a table
#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of(
            "aws_iam_role",
            json!({"name": "$name", "assume_role_policy": FUNCTIONS}),
        )
        .given("edge", "aws_iam_policy", json!({"name": "$name-edge", "policy": READS}))
        .given("wide", "aws_iam_policy", json!({"name": "$name-wide", "policy": WRITES}))
        .update(json!({"assume_role_policy": SERVERS, "description": "Serves"}))
        .update(json!({"max_session_duration": 7200, "force_detach_policies": true}))
        .update(json!({"permissions_boundary": "${edge.arn}"}))
        .update(json!({"permissions_boundary": "${wide.arn}"}))
        .update(json!({"permissions_boundary": null, "description": null}))
        .update(json!({"tags": {"team": "a", "cost": "1"}}))
        .update(json!({"tags": {"team": "b"}}))
        .update(json!({"managed_policy_arns": ["${edge.arn}"]}))
        .update(json!({"managed_policy_arns": ["${wide.arn}"]}))
        .update(json!({"inline_policy": [{"name": "a", "policy": INLINE_READS}, {"name": "b", "policy": INLINE_READS}]}))
        .update(json!({"inline_policy": [{"name": "b", "policy": INLINE_WRITES}]}))
        .replace(json!({"path": "/apps/"}))
        .replace(json!({"name": "$name-other"}))
        .found_by(
            "aws_iam_role",
            json!({"name": "${self.name}"}),
            &[
                "arn", "assume_role_policy", "create_date", "description", "id", "max_session_duration",
                "name", "path", "permissions_boundary", "tags", "unique_id",
            ],
        )
        .import_leaves(&["force_detach_policies"]),
        Case::of(
            "aws_iam_role",
            json!({"name_prefix": "$name-", "assume_role_policy": BY_HAND, "inline_policy": [{}]}),
        )
        .variant("by prefix")
        .replace(json!({"name_prefix": "$name-x-"}))
        .not_imported(),
        Case::of("aws_iam_policy", json!({"name": "$name", "policy": READS}))
            .update(json!({"policy": WRITES}))
            .update(json!({"policy": DENIES}))
            .update(json!({"policy": READS}))
            .update(json!({"policy": WRITES}))
            .update(json!({"policy": DENIES}))
            .update(json!({"policy": READS, "delay_after_policy_creation_in_ms": 1}))
            .update(json!({"tags": {"team": "a", "cost": "1"}}))
            .update(json!({"tags": {"team": "b"}}))
            .replace(json!({"description": "Reads"}))
            .replace(json!({"path": "/apps/"}))
            .replace(json!({"name": "$name-other"}))
            .found_by("aws_iam_policy", json!({"arn": "${self.arn}"}), &POLICY)
            .found_by("aws_iam_policy", json!({"name": "${self.name}", "path_prefix": "/apps/"}), &POLICY)
            .import_leaves(&["delay_after_policy_creation_in_ms"]),
        Case::of("aws_iam_policy", json!({"name_prefix": "$name-", "policy": READS}))
            .variant("by prefix")
            .replace(json!({"name_prefix": "$name-x-"})),
        Case::of(
            "aws_iam_role_policy",
            json!({"name": "$name", "role": "${role.name}", "policy": INLINE_READS}),
        )
        .given("role", "aws_iam_role", json!({"name": "$name-a", "assume_role_policy": FUNCTIONS}))
        .given("other", "aws_iam_role", json!({"name": "$name-b", "assume_role_policy": FUNCTIONS}))
        .update(json!({"policy": INLINE_WRITES}))
        .replace(json!({"name": "$name-other"}))
        .replace(json!({"role": "${other.name}"})),
        Case::of(
            "aws_iam_role_policy",
            json!({"name_prefix": "$name-", "role": "${role.name}", "policy": INLINE_READS}),
        )
        .variant("by prefix")
        .given("role", "aws_iam_role", json!({"name": "$name-a", "assume_role_policy": FUNCTIONS}))
        .replace(json!({"name_prefix": "$name-x-"})),
        Case::of(
            "aws_iam_role_policy_attachment",
            json!({"role": "${role.name}", "policy_arn": "${policy.arn}"}),
        )
        .given("role", "aws_iam_role", json!({"name": "$name-a", "assume_role_policy": FUNCTIONS}))
        .given("other", "aws_iam_role", json!({"name": "$name-b", "assume_role_policy": FUNCTIONS}))
        .given("policy", "aws_iam_policy", json!({"name": "$name-a", "policy": READS}))
        .given("wide", "aws_iam_policy", json!({"name": "$name-b", "policy": WRITES}))
        .replace(json!({"role": "${other.name}"}))
        .replace(json!({"policy_arn": "${wide.arn}"})),
        Case::of(
            "aws_iam_openid_connect_provider",
            json!({"url": "https://$name.example.com", "client_id_list": ["sts.amazonaws.com"]}),
        )
        .update(json!({"thumbprint_list": ["cf23df2207d99a74fbe169e3eba035e633b65d94"]}))
        .update(json!({"thumbprint_list": ["cf23df2207d99a74fbe169e3eba035e633b65d95"]}))
        .update(json!({"client_id_list": ["sts.amazonaws.com", "other"]}))
        .update(json!({"client_id_list": ["other", "third"]}))
        .update(json!({"tags": {"team": "a", "cost": "1"}}))
        .update(json!({"tags": {"team": "b"}}))
        .replace(json!({"url": "https://$name.example.org/tokens"}))
        .settles(&["url"])
        .found_by(
            "aws_iam_openid_connect_provider",
            json!({"arn": "${self.arn}"}),
            &["arn", "client_id_list", "id", "tags", "thumbprint_list", "url"],
        )
        .found_by(
            "aws_iam_openid_connect_provider",
            json!({"url": "https://${self.url}"}),
            &["arn", "client_id_list", "id", "tags", "thumbprint_list", "url"],
        ),
    ]
}
