use serde_json::{Value as Json, json};

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    let schema = json!({"createOnlyProperties": ["/properties/Name"]}).to_string();
    let state = |state: Json| json!({"desired_state": state.to_string()});
    vec![
        Case::of(
            "aws_cloudcontrolapi_resource",
            json!({
                "type_name": "AWS::Test::Thing", "schema": schema,
                "desired_state": json!({"Name": "$name", "Days": 1}).to_string(), "timeouts": {"create": "20m", "update": "20m", "delete": "20m"},
            }),
        )
        .update(state(json!({"Name": "$name", "Days": 2, "In": {"a/b": [1]}})))
        .update(state(json!({"Name": "$name", "In": {"a/b": [1, 2]}})))
        .update(json!({"role_arn": "arn:aws:iam::123456789012:role/maker", "type_version_id": "00000001"}))
        .update(json!({"schema": json!({"createOnlyProperties": ["/properties/Name", "/properties/Kind"]}).to_string()}))
        .replace(state(json!({"Name": "$name-other"})))
        .replace(json!({"type_name": "AWS::Test::Other"}))
        .found_by(
            "aws_cloudcontrolapi_resource",
            json!({
                "type_name": "${self.type_name}", "identifier": "${self.id}",
                "role_arn": "arn:aws:iam::123456789012:role/maker", "type_version_id": "00000001",
            }),
            &["id", "properties"],
        )
        .not_imported(),
    ]
}
