//! Data sources that tell of nothing that a case makes.

use serde_json::json;

use crate::case::Fact;

pub(crate) fn all() -> Vec<Fact> {
    let mut facts = vec![
        Fact::of(
            "aws_caller_identity",
            json!({}),
            json!({
                "account_id": "123456789012", "id": "123456789012",
                "arn": "arn:aws:sts::123456789012:user/moto", "user_id": "AKIAIOSFODNN7EXAMPLE",
            }),
        ),
        Fact::of(
            "aws_partition",
            json!({}),
            json!({"id": "aws", "partition": "aws", "dns_suffix": "amazonaws.com", "reverse_dns_prefix": "com.amazonaws"}),
        ),
    ];
    facts.push(document());
    let regions = [
        (json!({}), "us-east-1", "US East (N. Virginia)"),
        (
            json!({"region": "eu-west-1"}),
            "eu-west-1",
            "Europe (Ireland)",
        ),
        (
            json!({"name": "eu-central-1"}),
            "eu-central-1",
            "Europe (Frankfurt)",
        ),
        (
            json!({"endpoint": "ec2.ap-south-1.amazonaws.com"}),
            "ap-south-1",
            "Asia Pacific (Mumbai)",
        ),
    ];
    facts.extend(regions.map(|(config, name, description)| {
        let told = json!({
            "id": name, "name": name, "region": name, "description": description,
            "endpoint": format!("ec2.{name}.amazonaws.com"),
        });
        Fact::of("aws_region", config, told)
    }));
    facts
}

/// A policy of which hashicorp/aws writes the same.
fn document() -> Fact {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}}]}"#;
    let over = r#"{"Version":"2012-10-17","Id":"z","Statement":[{"Sid":"One","Effect":"Allow","Principal":"*","Action":["q","r"],"Resource":"*"}]}"#;
    let principals = json!([{"type": "AWS", "identifiers": ["a", "b"]}, {"type": "AWS", "identifiers": ["d"]}, {"type": "AWS", "identifiers": ["c", "e"]}]);
    Fact::of(
        "aws_iam_policy_document",
        json!({
            "version": "2012-10-17", "policy_id": "x", "source_policy_documents": [trust], "override_policy_documents": [over],
            "statement": [
                {"sid": "One", "actions": ["s3:GetObject"], "resources": ["*"]},
                {"effect": "Deny", "not_actions": ["*"], "not_resources": ["x", "y"], "not_principals": [{"type": "*", "identifiers": ["*"]}]},
                {"principals": principals, "condition": [{"test": "A", "variable": "v", "values": ["z"]}, {"test": "A", "variable": "v", "values": ["b", "a"]}]},
            ],
        }),
        json!({"minified_json": r#"{"Version":"2012-10-17","Id":"z","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}},{"Sid":"One","Effect":"Allow","Action":["q","r"],"Resource":"*","Principal":"*"},{"Effect":"Deny","NotAction":"*","NotResource":["y","x"],"NotPrincipal":"*"},{"Effect":"Allow","Principal":{"AWS":["d","b","a","e","c"]},"Condition":{"A":{"v":["b","a","z"]}}}]}"#}),
    )
}
