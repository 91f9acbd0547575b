use serde_json::json;

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = queues();
    cases.extend(policies());
    cases
}

fn queues() -> Vec<Case> {
    let dead = || json!({"name": "$name-dead"});
    vec![
        Case::of("aws_sqs_queue", json!({"name": "$name", "timeouts": {"create": "3m", "update": "3m", "delete": "3m"}}))
            .given("dead", "aws_sqs_queue", dead())
            .update(json!({
                "delay_seconds": 5, "max_message_size": 2048, "message_retention_seconds": 60,
                "receive_wait_time_seconds": 10, "visibility_timeout_seconds": 60,
            }))
            .update(json!({"sqs_managed_sse_enabled": false}))
            .update(json!({"redrive_policy": "{\"maxReceiveCount\": 3, \"deadLetterTargetArn\": \"${dead.arn}\"}"}))
            .update(json!({"redrive_policy": "{\"deadLetterTargetArn\":\"${dead.arn}\",\"maxReceiveCount\":\"4\"}"}))
            .update(json!({"redrive_policy": ""}))
            .update(json!({"policy": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sqs:SendMessage\",\"Resource\":\"*\"}]}"}))
            .update(json!({"redrive_allow_policy": "{\"redrivePermission\":\"denyAll\"}"}))
            .update(json!({"tags": {"team": "a", "cost": "1"}}))
            .update(json!({"tags": {"team": "b"}}))
            .import_leaves(&["timeouts"])
            .replace(json!({"name": "$name-other"}))
            .found_by(
                "aws_sqs_queue",
                json!({"name": "${self.name}"}),
                &["id", "arn", "url", "tags = tags_all"],
            ),
        Case::of("aws_sqs_queue", json!({"name": "$name", "region": "eu-west-1"}))
            .variant("of another region")
            .update(json!({"delay_seconds": 5}))
            .found_by(
                "aws_sqs_queue",
                json!({"name": "${self.name}", "region": "${self.region}"}),
                &["arn", "region", "url"],
            )
            .replace(json!({"region": "eu-central-1"}))
            .import("${self.id}@eu-central-1"),
        Case::of("aws_sqs_queue", json!({"name_prefix": "$name-"}))
            .variant("called by a prefix")
            .replace(json!({"name_prefix": "$name-other-"})),
        Case::of(
            "aws_sqs_queue",
            json!({"name": "$name.fifo", "fifo_queue": true, "content_based_deduplication": true}),
        )
        .variant("in order")
        .update(json!({"content_based_deduplication": false}))
        .update(json!({"deduplication_scope": "messageGroup", "fifo_throughput_limit": "perMessageGroupId"}))
        .replace_for(
            &["fifo_queue"],
            json!({
                "fifo_queue": null, "content_based_deduplication": null, "deduplication_scope": null,
                "fifo_throughput_limit": null, "name": "$name-plain",
            }),
        )
        .replace_for(
            &["fifo_queue", "name"],
            json!({"fifo_queue": true, "content_based_deduplication": true, "name": "$name.fifo"}),
        )
        .replace(json!({"name": "$name-other.fifo"})),
        Case::of(
            "aws_sqs_queue",
            json!({"name": "$name", "kms_master_key_id": "alias/aws/sqs", "kms_data_key_reuse_period_seconds": 60}),
        )
        .variant("with a key")
        .update(json!({"kms_data_key_reuse_period_seconds": 600}))
        .update(json!({"kms_master_key_id": "alias/own"}))
        .update(json!({"kms_master_key_id": null})),
    ]
}

fn policies() -> Vec<Case> {
    let queue = || json!({"name": "$name"});
    let other = || json!({"name": "$name-other"});
    vec![
        Case::of(
            "aws_sqs_queue_policy",
            json!({"queue_url": "${queue.id}", "policy": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sqs:SendMessage\",\"Resource\":\"${queue.arn}\"}]}"}),
        )
        .given("queue", "aws_sqs_queue", queue())
        .given("other", "aws_sqs_queue", other())
        .update(json!({"policy": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sqs:ReceiveMessage\",\"Resource\":\"${queue.arn}\"}]}"}))
        .replace(json!({"queue_url": "${other.id}"})),
        Case::of(
            "aws_sqs_queue_redrive_policy",
            json!({"queue_url": "${queue.id}", "redrive_policy": "{\"deadLetterTargetArn\":\"${dead.arn}\",\"maxReceiveCount\":4}"}),
        )
        .given("dead", "aws_sqs_queue", json!({"name": "$name-dead"}))
        .given("queue", "aws_sqs_queue", queue())
        .given("other", "aws_sqs_queue", other())
        .update(json!({"redrive_policy": "{\"deadLetterTargetArn\":\"${dead.arn}\",\"maxReceiveCount\":5}"}))
        .replace(json!({"queue_url": "${other.id}"})),
        Case::of(
            "aws_sqs_queue_redrive_allow_policy",
            json!({"queue_url": "${queue.id}", "redrive_allow_policy": "{\"redrivePermission\":\"denyAll\"}"}),
        )
        .given("queue", "aws_sqs_queue", queue())
        .given("other", "aws_sqs_queue", other())
        .update(json!({"redrive_allow_policy": "{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":[\"${other.arn}\"]}"}))
        .replace(json!({"queue_url": "${other.id}"})),
    ]
}
