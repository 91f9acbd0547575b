use serde_json::json;

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of(
            "aws_ssm_parameter",
            json!({"name": "/$name/url", "type": "String", "value": "a"}),
        )
        .update(json!({"value": "b", "description": "Where it is"}))
        .update(json!({"allowed_pattern": "^[a-z]+$", "tier": "Advanced"}))
        .update(json!({"tags": {"team": "a", "cost": "1"}}))
        .update(json!({"tags": {"team": "b"}, "overwrite": true}))
        .replace(json!({"name": "/$name/other"}))
        .replace(json!({"tier": "Standard"}))
        .import_leaves(&["overwrite"])
        .untried("arn", "SSM gives it, whatever is configured"),
        Case::of(
            "aws_ssm_parameter",
            json!({"name": "/$name/secret", "type": "SecureString", "value": "a", "key_id": "alias/aws/ssm"}),
        )
        .variant("secret")
        .update(json!({"value": "b"}))
        .update(json!({"key_id": "alias/own"}))
        .found_by(
            "aws_ssm_parameter",
            json!({"name": "${self.name}", "with_decryption": true}),
            &["id = name", "arn", "type", "value", "version"],
        )
        .opened_by(
            "aws_ssm_parameter",
            json!({"arn": "${self.arn}", "with_decryption": true}),
            &["name", "type", "value", "version"],
        ),
        Case::of(
            "aws_ssm_parameter",
            json!({"name": "/$name/image", "type": "String", "value": "ami-12345678", "data_type": "aws:ec2:image"}),
        )
        .variant("an image")
        .update(json!({"value": "ami-12345679"}))
        .update(json!({"data_type": "text"})),
        Case::of(
            "aws_ssm_parameter",
            json!({"name": "/$name/open", "type": "String", "insecure_value": "a"}),
        )
        .variant("to be seen")
        .update(json!({"insecure_value": "b"}))
        .update(json!({"type": "StringList", "insecure_value": "a,b"}))
        .import_leaves(&["insecure_value"]),
        Case::of(
            "aws_ssm_parameter",
            json!({"name": "/$name/written", "type": "SecureString", "value_wo": "a", "value_wo_version": 1}),
        )
        .variant("written only")
        .update(json!({"value_wo": "b", "value_wo_version": 2}))
        .import_leaves(&["value", "has_value_wo", "value_wo_version"]),
    ]
}
