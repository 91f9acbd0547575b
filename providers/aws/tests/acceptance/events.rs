use serde_json::json;

use crate::case::Case;

const TRUST: &str = r#"{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"events.amazonaws.com"}}],"Version":"2012-10-17"}"#;

/// moto passes on what is special to a kind of target as it came, whatever the target is.
const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:queue";

pub(crate) fn cases() -> Vec<Case> {
    let role = json!({"name": "$name-role", "assume_role_policy": TRUST});
    let rule = json!({"name": "$name", "schedule_expression": "rate(5 minutes)"});
    vec![
        Case::of(
            "aws_cloudwatch_event_rule",
            json!({"name": "$name", "event_pattern": "{\"source\": [\"aws.ec2\"], \"detail\": {\"a\": [1]}}"}),
        )
        .given("role", "aws_iam_role", role)
        .update(json!({"event_pattern": "{\"source\":[\"aws.s3\"]}", "description": "Calls"}))
        .update(json!({"state": "DISABLED"}))
        .update(json!({"state": "ENABLED", "role_arn": "${role.arn}"}))
        .update(json!({"schedule_expression": "rate(5 minutes)"}))
        .update(json!({"event_pattern": null, "schedule_expression": "rate(6 minutes)"}))
        .update(json!({"tags": {"team": "a", "cost": "1"}}))
        .update(json!({"tags": {"team": "b"}, "force_destroy": true}))
        .replace(json!({"name": "$name-other"}))
        .asked("bus", "events", "AWSEvents.CreateEventBus", json!({"Name": "$name"}))
        .replace_for(&["event_bus_name"], json!({"event_bus_name": "$name", "schedule_expression": null, "event_pattern": "{\"source\":[\"app\"]}"}))
        .import("$name/$name-other")
        .import_leaves(&["force_destroy"]),
        Case::of(
            "aws_cloudwatch_event_rule",
            json!({"name_prefix": "$name-", "schedule_expression": "rate(5 minutes)", "is_enabled": false}),
        )
        .variant("by prefix")
        .update(json!({"is_enabled": true}))
        .replace(json!({"name_prefix": "$name-x-"})),
        Case::of(
            "aws_cloudwatch_event_target",
            json!({"rule": "${rule.name}", "arn": QUEUE}),
        )
        .given("rule", "aws_cloudwatch_event_rule", rule.clone())
        .given("other", "aws_cloudwatch_event_rule", json!({"name": "$name-other", "schedule_expression": "rate(5 minutes)"}))
        .update(json!({"arn": format!("{QUEUE}.fifo"), "sqs_target": {"message_group_id": "a"}}))
        .update(json!({"sqs_target": {"message_group_id": "b"}, "role_arn": "arn:aws:iam::123456789012:role/r"}))
        .update(json!({"sqs_target": null, "arn": QUEUE, "input": "{\"b\": 1, \"a\": 2}"}))
        .update(json!({"input": null, "input_path": "$.detail"}))
        .update(json!({"input_path": null, "input_transformer": {"input_paths": {"a": "$.a"}, "input_template": "\"<a>\""}}))
        .update(json!({"input_transformer": {"input_template": "\"x\""}}))
        .update(json!({"retry_policy": {"maximum_retry_attempts": 0, "maximum_event_age_in_seconds": 3600}}))
        .update(json!({"retry_policy": {"maximum_retry_attempts": 3, "maximum_event_age_in_seconds": 60}}))
        .update(json!({"dead_letter_config": {"arn": QUEUE}, "force_destroy": true}))
        .update(json!({"dead_letter_config": null, "retry_policy": null}))
        .asked("bus", "events", "AWSEvents.CreateEventBus", json!({"Name": "$name"}))
        .given("far", "aws_cloudwatch_event_rule", json!({"name": "$name-far", "event_bus_name": "$name", "event_pattern": "{\"source\":[\"app\"]}"}))
        .replace(json!({"target_id": "one"}))
        .replace(json!({"rule": "${other.name}"}))
        .replace(json!({"event_bus_name": "$name", "rule": "${far.name}"}))
        .import("$name/${far.name}/one")
        .import_leaves(&["force_destroy"]),
        special(&rule),
    ]
}

/// What is special to kinds of targets. moto keeps it as it came, so that all of it is told again.
fn special(rule: &serde_json::Value) -> Case {
    let task = "arn:aws:ecs:us-east-1:123456789012:task-definition/t:1";
    Case::of(
        "aws_cloudwatch_event_target",
        json!({"rule": "${rule.name}", "target_id": "one", "arn": QUEUE, "kinesis_target": {"partition_key_path": "$.a"}}),
    )
    .variant("kinds")
    .given("rule", "aws_cloudwatch_event_rule", rule.clone())
    .update(json!({"kinesis_target": null, "appsync_target": {"graphql_operation": "mutation { a }"}}))
    .update(json!({"appsync_target": null, "batch_target": {"job_definition": "d", "job_name": "n", "array_size": 2, "job_attempts": 3}}))
    .update(json!({"batch_target": null, "http_target": {"header_parameters": {"a": "1"}, "path_parameter_values": ["p"], "query_string_parameters": {"q": "2"}}}))
    .update(json!({"http_target": null, "redshift_target": {"database": "d", "db_user": "u", "secrets_manager_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s", "sql": "select 1", "statement_name": "s", "with_event": true}}))
    .update(json!({"redshift_target": null, "run_command_targets": [{"key": "tag:a", "values": ["1", "2"]}]}))
    .update(json!({"run_command_targets": null, "sagemaker_pipeline_target": {"pipeline_parameter_list": [{"name": "a", "value": "1"}]}}))
    .update(json!({"sagemaker_pipeline_target": null, "ecs_target": {
        "task_definition_arn": task, "task_count": 2, "group": "g", "launch_type": "FARGATE", "platform_version": "LATEST",
        "propagate_tags": "TASK_DEFINITION", "enable_ecs_managed_tags": true, "enable_execute_command": true, "tags": {"a": "1"},
        "network_configuration": {"subnets": ["subnet-1"], "security_groups": ["sg-1"], "assign_public_ip": true},
        "capacity_provider_strategy": [{"capacity_provider": "c", "base": 1, "weight": 2}],
        "placement_constraint": [{"type": "memberOf", "expression": "e"}],
        "ordered_placement_strategy": [{"type": "spread", "field": "instanceId"}],
    }}))
    .update(json!({"ecs_target": {"task_definition_arn": task}}))
    .import("${rule.name}/one")
}
