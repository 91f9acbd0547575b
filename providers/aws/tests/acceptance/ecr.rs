use serde_json::json;

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    let repository = || json!({"name": "$name"});
    let other = || json!({"name": "$name/other"});
    vec![
        Case::of("aws_ecr_repository", json!({"name": "$name", "timeouts": {"delete": "20m"}}))
            .update(json!({"image_tag_mutability": "IMMUTABLE", "force_delete": true}))
            .update(json!({"image_scanning_configuration": {"scan_on_push": true}}))
            .update(json!({
                "image_tag_mutability": "IMMUTABLE_WITH_EXCLUSION",
                "image_tag_mutability_exclusion_filter": [{"filter": "latest*", "filter_type": "WILDCARD"}],
            }))
            .update(json!({"tags": {"team": "a", "cost": "1"}}))
            .update(json!({"tags": {"team": "b"}}))
            .replace(json!({"name": "$name/other"}))
            .replace(json!({"encryption_configuration": {"encryption_type": "KMS", "kms_key": "${key.arn}"}}))
            .given("key", "aws_kms_key", json!({"description": "Images"}))
            .import_leaves(&["force_delete", "timeouts"])
            .found_by(
                "aws_ecr_repository",
                json!({"name": "${self.name}", "registry_id": "123456789012"}),
                &[
                    "id",
                    "arn",
                    "registry_id",
                    "repository_url",
                    "image_tag_mutability",
                    "image_tag_mutability_exclusion_filter",
                    "image_scanning_configuration",
                    "encryption_configuration",
                    "tags = tags_all",
                ],
            ),
        Case::of(
            "aws_ecr_repository",
            json!({
                "name": "$name", "image_tag_mutability": "IMMUTABLE",
                "image_scanning_configuration": {"scan_on_push": true},
                "encryption_configuration": {"encryption_type": "KMS"},
            }),
        )
        .variant("encrypted from the start"),
        Case::of(
            "aws_ecr_lifecycle_policy",
            json!({"repository": "${repository.name}", "policy": lifecycle(14)}),
        )
        .given("repository", "aws_ecr_repository", repository())
        .given("other", "aws_ecr_repository", other())
        .replace(json!({"policy": lifecycle(7)}))
        .replace(json!({"repository": "${other.name}"})),
        Case::of(
            "aws_ecr_repository_policy",
            json!({"repository": "${repository.name}", "policy": policy("ecr:BatchGetImage")}),
        )
        .given("repository", "aws_ecr_repository", repository())
        .given("other", "aws_ecr_repository", other())
        .update(json!({"policy": policy("ecr:DescribeImages")}))
        .replace(json!({"repository": "${other.name}"})),
    ]
}

fn lifecycle(days: u32) -> String {
    json!({"rules": [{
        "rulePriority": 1, "description": "Left over",
        "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": days},
        "action": {"type": "expire"},
    }]})
    .to_string()
}

fn policy(action: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "Pulls", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": action,
    }]})
    .to_string()
}
