use serde_json::json;

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of("aws_kms_key", json!({"description": "States", "timeouts": {"create": "2m"}}))
            .update(json!({"description": "Secrets", "deletion_window_in_days": 7}))
            .update(json!({"enable_key_rotation": true}))
            .update(json!({"rotation_period_in_days": 180}))
            .update(json!({"rotation_period_in_days": 200}))
            .update(json!({"is_enabled": false}))
            .update(json!({"is_enabled": true, "enable_key_rotation": false, "rotation_period_in_days": null}))
            .update(json!({"policy": policy("kms:*"), "bypass_policy_lockout_safety_check": true}))
            .update(json!({"policy": policy("kms:Decrypt")}))
            .update(json!({"tags": {"team": "a", "cost": "1"}}))
            .update(json!({"tags": {"team": "b"}}))
            .found_by(
                "aws_kms_key",
                json!({"key_id": "${self.key_id}", "grant_tokens": ["token"]}),
                &[
                    "id",
                    "arn",
                    "description",
                    "enabled = is_enabled",
                    "key_usage",
                    "key_spec = customer_master_key_spec",
                    "multi_region",
                ],
            )
            .replace(json!({"multi_region": true}))
            .replace(json!({"key_usage": "SIGN_VERIFY", "customer_master_key_spec": "RSA_2048"}))
            .import_leaves(&["timeouts", "deletion_window_in_days", "bypass_policy_lockout_safety_check"]),
        Case::of(
            "aws_kms_key",
            json!({"policy": policy("kms:*"), "enable_key_rotation": true, "is_enabled": false, "tags": {"team": "a"}}),
        )
        .variant("all at once")
        .import_leaves(&["bypass_policy_lockout_safety_check"]),
        Case::of("aws_kms_key", json!({"custom_key_store_id": "cks-1234567890abcdef0"}))
            .variant("in a store")
            .replace(json!({"custom_key_store_id": "cks-1234567890abcdef1"}))
            .replace(json!({"xks_key_id": "key-1"}))
            .import_leaves(&["deletion_window_in_days", "bypass_policy_lockout_safety_check"]),
        Case::of(
            "aws_kms_alias",
            json!({"name": "alias/$name", "target_key_id": "${key.key_id}"}),
        )
        .given("key", "aws_kms_key", json!({"description": "One"}))
        .given("other", "aws_kms_key", json!({"description": "Another"}))
        .update(json!({"target_key_id": "${other.key_id}"}))
        .replace(json!({"name": "alias/$name/other"}))
        .found_by(
            "aws_kms_alias",
            json!({"name": "${self.name}"}),
            &["id = arn", "arn", "target_key_arn", "target_key_id"],
        ),
        Case::of(
            "aws_kms_alias",
            json!({"name_prefix": "alias/$name-", "target_key_id": "${key.arn}"}),
        )
        .given("key", "aws_kms_key", json!({"description": "One"}))
        .variant("called by a prefix")
        .replace(json!({"name_prefix": "alias/$name-other-"}))
        .import_leaves(&["target_key_id"]),
    ]
}

fn policy(action: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "Owners", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": action, "Resource": "*",
    }]})
    .to_string()
}
