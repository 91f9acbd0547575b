use serde_json::json;

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of("aws_cloudwatch_log_group", json!({"name": "/$name/app"}))
            .update(json!({"retention_in_days": 14}))
            .update(json!({"retention_in_days": null, "skip_destroy": true}))
            .update(json!({"skip_destroy": false}))
            .update(json!({"tags": {"team": "a", "cost": "1"}}))
            .update(json!({"tags": {"team": "b"}}))
            .update(json!({"deletion_protection_enabled": true}))
            .update(json!({"deletion_protection_enabled": false}))
            .replace(json!({"name": "/$name/other"}))
            .replace(json!({"log_group_class": "INFREQUENT_ACCESS"})),
        Case::of(
            "aws_cloudwatch_log_group",
            json!({"name_prefix": "$name-", "retention_in_days": 7, "kms_key_id": "${key.arn}", "tags": {"team": "a"}}),
        )
        .given("key", "aws_kms_key", json!({"description": "Logs"}))
        .given("other", "aws_kms_key", json!({"description": "More logs"}))
        .variant("called by a prefix")
        .update(json!({"kms_key_id": null}))
        .update(json!({"kms_key_id": "${other.arn}"}))
        .replace(json!({"name_prefix": "$name-other-"}))
        .found_by(
            "aws_cloudwatch_log_group",
            json!({"name": "${self.name}"}),
            &[
                "id",
                "arn",
                "retention_in_days",
                "kms_key_id",
                "tags = tags_all",
            ],
        ),
    ]
}
