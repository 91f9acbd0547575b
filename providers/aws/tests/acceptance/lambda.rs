use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::case::Case;

const TRUST: &str = r#"{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}}],"Version":"2012-10-17"}"#;

/// An archive with one file that is not compressed, and its path.
#[expect(
    clippy::disallowed_methods,
    reason = "a function's code is a file that the case makes"
)]
fn archive(name: &str, text: &str) -> String {
    let (file, bytes) = (b"index.py", text.as_bytes());
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    let small = |number: usize| u16::try_from(number).unwrap().to_le_bytes();
    let large = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    // Version 2.0, no flags, stored, 1980-01-01.
    let mut facts = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
    facts.extend(sum.sum().to_le_bytes());
    facts.extend(large(bytes.len()));
    facts.extend(large(bytes.len()));
    facts.extend(small(file.len()));
    facts.extend(small(0));
    let mut zip = b"PK\x03\x04".to_vec();
    zip.extend(&facts);
    zip.extend(file);
    zip.extend(bytes);
    let directory = zip.len();
    zip.extend(b"PK\x01\x02\x14\x00");
    zip.extend(&facts);
    zip.extend([0; 14]);
    zip.extend(file);
    let length = zip.len() - directory;
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend(large(length));
    zip.extend(large(directory));
    zip.extend(small(0));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, zip).unwrap();
    path.to_str().unwrap().to_owned()
}

pub(crate) fn cases() -> Vec<Case> {
    let (one, two) = (
        archive("one.zip", "def handle(event, context):\n    return 1\n"),
        archive("two.zip", "def handle(event, context):\n    return 2\n"),
    );
    let role = json!({"name": "$name-role", "assume_role_policy": TRUST});
    let plain = |name: &str| {
        json!({
            "function_name": name, "role": "${role.arn}", "filename": one.as_str(),
            "handler": "index.handle", "runtime": "python3.13", "publish": true,
        })
    };
    vec![
        functions(&one, &two),
        settings(&one),
        networked(&one),
        signed(&one, &two),
        Case::of(
            "aws_lambda_function",
            json!({"function_name": "$name", "role": "${role.arn}", "package_type": "Image", "image_uri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1",
                "image_config": {"command": ["index.handle"], "entry_point": ["/run"], "working_directory": "/app"}}),
        )
        .variant("image")
        .given("role", "aws_iam_role", role.clone())
        .update(json!({"image_uri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:2"}))
        .update(json!({"image_config": {"command": ["index.other"], "entry_point": ["/start"], "working_directory": "/srv"}}))
        .replace_for(&["package_type"], json!({
            "package_type": "Zip", "image_uri": null, "image_config": null, "filename": one.as_str(), "handler": "index.handle", "runtime": "python3.13",
        }))
        .import_leaves(&["filename", "publish", "skip_destroy"]),
        Case::of(
            "aws_lambda_permission",
            json!({"function_name": "${function.function_name}", "action": "lambda:InvokeFunction", "principal": "events.amazonaws.com", "statement_id": "one"}),
        )
        .given("role", "aws_iam_role", role.clone())
        .given("function", "aws_lambda_function", plain("$name"))
        .given("alias", "aws_lambda_alias", json!({"name": "live", "function_name": "${function.arn}", "function_version": "1"}))
        .replace(json!({"principal": "sns.amazonaws.com"}))
        .replace(json!({"source_arn": "arn:aws:sns:us-east-1:123456789012:topic"}))
        .replace(json!({"source_account": "123456789012"}))
        .replace(json!({"action": "lambda:GetFunction"}))
        .replace(json!({"statement_id": "two"}))
        .replace(json!({"qualifier": "live"}))
        .replace(json!({"event_source_token": "amzn1.ask.skill.1"}))
        .import("${function.function_name}:live/two"),
        Case::of(
            "aws_lambda_permission",
            json!({"function_name": "${function.arn}", "action": "lambda:InvokeFunction", "principal": "arn:aws:iam::123456789012:root", "statement_id_prefix": "one-"}),
        )
        .variant("by prefix")
        .given("role", "aws_iam_role", role.clone())
        .given("function", "aws_lambda_function", plain("$name"))
        .given("other", "aws_lambda_function", plain("$name-other"))
        .replace(json!({"principal_org_id": "o-1234567890"}))
        .replace(json!({"action": "lambda:InvokeFunctionUrl", "function_url_auth_type": "AWS_IAM"}))
        .replace(json!({"action": "lambda:InvokeFunction", "function_url_auth_type": null, "invoked_via_function_url": true}))
        .replace(json!({"statement_id_prefix": "two-"}))
        .replace(json!({"function_name": "${other.arn}"}))
        .not_imported(),
        mapping(&role, &plain("$name"), &plain("$name-other")),
        stream(&role, &plain("$name")),
        brokers(&role, &plain("$name"), &plain("$name-other")),
        Case::of(
            "aws_lambda_function",
            json!({"function_name": "$name", "role": "${role.arn}", "handler": "index.handle", "runtime": "python3.13",
                "s3_bucket": "${bucket.bucket}", "s3_key": "${code.key}"}),
        )
        .variant("from a bucket")
        .given("role", "aws_iam_role", role.clone())
        .given("bucket", "aws_s3_bucket", json!({"bucket": "$name-code", "force_destroy": true}))
        .given("versions", "aws_s3_bucket_versioning", json!({"bucket": "${bucket.bucket}", "versioning_configuration": {"status": "Enabled"}}))
        .given("code", "aws_s3_object", json!({"bucket": "${versions.bucket}", "key": "one.zip", "source": one.as_str(), "force_destroy": true}))
        .given("next", "aws_s3_object", json!({"bucket": "${versions.bucket}", "key": "two.zip", "source": two.as_str(), "force_destroy": true}))
        .update(json!({"s3_key": "${next.key}"}))
        .given("shelf", "aws_s3_bucket", json!({"bucket": "$name-shelf", "force_destroy": true}))
        .given("last", "aws_s3_object", json!({"bucket": "${shelf.bucket}", "key": "one.zip", "source": one.as_str(), "force_destroy": true}))
        .update(json!({"s3_object_version": "${next.version_id}"}))
        .update(json!({"s3_bucket": "${shelf.bucket}", "s3_key": "${last.key}", "s3_object_version": null}))
        .import_leaves(&["publish", "s3_bucket", "s3_key", "s3_object_version", "skip_destroy"]),
        address(&role, &plain("$name"), &plain("$name-other")),
        Case::of(
            "aws_lambda_alias",
            json!({"name": "live", "function_name": "${function.function_name}", "function_version": "1", "timeouts": {"update": "1m"}}),
        )
        .given("role", "aws_iam_role", role.clone())
        .given("function", "aws_lambda_function", plain("$name"))
        .given("other", "aws_lambda_function", plain("$name-other"))
        .update(json!({"description": "Is called"}))
        .update(json!({"function_version": "$LATEST"}))
        .update(json!({"function_version": "1", "routing_config": {"additional_version_weights": {"2": 0.25}}}))
        .update(json!({"routing_config": {"additional_version_weights": {"2": 0.5}}}))
        .replace(json!({"name": "next"}))
        .replace(json!({"function_name": "${other.function_name}"}))
        .import("${other.function_name}/next")
        .import_leaves(&["timeouts"]),
    ]
}

/// The address of a function, or of its alias.
fn address(
    role: &serde_json::Value,
    function: &serde_json::Value,
    other: &serde_json::Value,
) -> Case {
    Case::of(
        "aws_lambda_function_url",
        json!({"function_name": "${function.function_name}", "authorization_type": "NONE", "timeouts": {"create": "5m"}}),
    )
    .given("role", "aws_iam_role", role.clone())
    .given("function", "aws_lambda_function", function.clone())
    .given("other", "aws_lambda_function", other.clone())
    .update(json!({"authorization_type": "AWS_IAM"}))
    .update(json!({"invoke_mode": "RESPONSE_STREAM"}))
    .given("live", "aws_lambda_alias", json!({"name": "live", "function_name": "${other.function_name}", "function_version": "1"}))
    .update(json!({"cors": {"allow_credentials": true, "allow_headers": ["a", "b"], "allow_methods": ["GET"], "allow_origins": ["https://example.com"], "expose_headers": ["c"], "max_age": 60}}))
    .update(json!({"cors": {"allow_credentials": false, "allow_headers": ["b"], "allow_methods": ["POST"], "allow_origins": ["*"], "expose_headers": ["d"], "max_age": 90}}))
    .replace(json!({"function_name": "${other.function_name}"}))
    .replace(json!({"qualifier": "${live.name}"}))
    .import_leaves(&["timeouts"])
}

fn functions(one: &str, two: &str) -> Case {
    Case::of(
        "aws_lambda_function",
        json!({"function_name": "$name", "role": "${role.arn}", "filename": one, "handler": "index.handle", "runtime": "python3.13", "timeouts": {"create": "20m", "update": "20m", "delete": "20m"}}),
    )
    .given("role", "aws_iam_role", json!({"name": "$name-role", "assume_role_policy": TRUST}))
    .given("other", "aws_iam_role", json!({"name": "$name-other", "assume_role_policy": TRUST}))
    .update(json!({"description": "Counts", "memory_size": 256, "timeout": 10}))
    .update(json!({"handler": "index.other", "runtime": "python3.12"}))
    .update(json!({"environment": {"variables": {"A": "1", "B": "2"}}}))
    .update(json!({"environment": {"variables": {"B": "3"}}}))
    .update(json!({"environment": null}))
    .update(json!({"role": "${other.arn}"}))
    .update(json!({"filename": two, "source_code_hash": "second"}))
    .update(json!({"source_code_hash": "third"}))
    .update(json!({"publish": true}))
    .update(json!({"description": "Counts on"}))
    .update(json!({"reserved_concurrent_executions": 5}))
    .update(json!({"reserved_concurrent_executions": null}))
    .update(json!({"tags": {"team": "a", "cost": "1"}}))
    .update(json!({"tags": {"team": "b"}}))
    .update(json!({"vpc_config": {"subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"]}}))
    .update(json!({"vpc_config": {"subnet_ids": ["subnet-1", "subnet-2"], "security_group_ids": ["sg-2"], "ipv6_allowed_for_dual_stack": true}}))
    .replace(json!({"function_name": "$name-other"}))
    .found_by(
        "aws_lambda_function",
        json!({"function_name": "${self.function_name}"}),
        &[
            "architectures", "code_sha256", "dead_letter_config", "description",
            "environment", "ephemeral_storage", "function_name", "handler", "id", "invoke_arn", "layers", "memory_size",
            "qualified_arn", "qualified_invoke_arn", "role", "runtime", "source_code_size", "tags", "timeout",
            "tracing_config", "version",
        ],
    )
    .found_by(
        "aws_lambda_function",
        json!({"function_name": "${self.function_name}", "qualifier": "${self.version}"}),
        &["function_name", "handler", "version", "qualified_arn"],
    )
    .import_leaves(&["filename", "source_code_hash", "publish", "skip_destroy", "timeouts"])
}

/// Settings that moto forgets, and that are remembered for it.
fn settings(archive: &str) -> Case {
    let queue = |name: &str| format!("arn:aws:sqs:us-east-1:123456789012:{name}");
    let key = |name: &str| format!("arn:aws:kms:us-east-1:123456789012:key/{name}");
    let mount = |name: &str| json!({"arn": format!("arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-{name}"), "local_mount_path": format!("/mnt/{name}")});
    let provider = |name: &str| {
        json!({"lambda_managed_instances_capacity_provider_config": {
        "capacity_provider_arn": format!("arn:aws:lambda:us-east-1:123456789012:capacity-provider:{name}"),
        "execution_environment_memory_gib_per_vcpu": 2, "per_execution_environment_max_concurrency": 4}})
    };
    Case::of(
        "aws_lambda_function",
        json!({"function_name": "$name", "role": "${role.arn}", "filename": archive, "handler": "index.handle", "runtime": "python3.13",
            "architectures": ["arm64"], "durable_config": {"execution_timeout": 60}}),
    )
    .variant("settings")
    .given("role", "aws_iam_role", json!({"name": "$name-role", "assume_role_policy": TRUST}))
    .update(json!({"dead_letter_config": {"target_arn": queue("a")}}))
    .update(json!({"dead_letter_config": {"target_arn": queue("b")}}))
    .update(json!({"dead_letter_config": null, "tracing_config": {"mode": "Active"}}))
    .update(json!({"ephemeral_storage": {"size": 1024}, "kms_key_arn": key("a")}))
    .update(json!({"ephemeral_storage": {"size": 2048}, "kms_key_arn": key("b")}))
    .update(json!({"logging_config": {"log_format": "JSON"}}))
    .update(json!({"logging_config": {"log_format": "JSON", "application_log_level": "WARN", "system_log_level": "DEBUG", "log_group": "/a"}}))
    .update(json!({"snap_start": {"apply_on": "PublishedVersions"}}))
    .update(json!({"snap_start": null, "file_system_config": mount("a")}))
    .update(json!({"file_system_config": mount("b")}))
    .update(json!({"file_system_config": null, "durable_config": {"execution_timeout": 120, "retention_period": 7}}))
    .update(json!({"capacity_provider_config": provider("a"), "architectures": ["x86_64"]}))
    .update(json!({"capacity_provider_config": provider("b")}))
    .update(json!({"publish": true, "publish_to": "LATEST_PUBLISHED"}))
    .replace(json!({"tenancy_config": {"tenant_isolation_mode": "PER_TENANT"}}))
    .replace(json!({"durable_config": null}))
    .import_leaves(&["filename", "source_code_hash", "publish", "publish_to", "skip_destroy"])
}

/// Functions that leave their network before they go.
fn networked(archive: &str) -> Case {
    Case::of(
        "aws_lambda_function",
        json!({
            "function_name": "$name", "role": "${role.arn}", "filename": archive, "handler": "index.handle", "runtime": "python3.13",
            "vpc_config": {"subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"]},
        }),
    )
    .variant("in a network")
    .given("role", "aws_iam_role", json!({"name": "$name-role", "assume_role_policy": TRUST}))
    .update(json!({"replace_security_groups_on_destroy": true, "replacement_security_group_ids": ["sg-2"]}))
    .update(json!({"replacement_security_group_ids": ["sg-3"]}))
    .import_leaves(&["filename", "publish", "skip_destroy", "replace_security_groups_on_destroy", "replacement_security_group_ids"])
}

/// Functions by the sum of their code, how that is signed and encrypted, and what lies beneath it.
fn signed(one: &str, two: &str) -> Case {
    let signing =
        |name: &str| format!("arn:aws:lambda:us-east-1:123456789012:code-signing-config:{name}");
    let key = |name: &str| format!("arn:aws:kms:us-east-1:123456789012:key/{name}");
    // A layer of an archive with nothing in it.
    let empty = json!({"Content": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="}});
    Case::of(
        "aws_lambda_function",
        json!({
            "function_name": "$name", "role": "${role.arn}", "filename": one, "handler": "index.handle", "runtime": "python3.13",
            "code_sha256": sum(one), "code_signing_config_arn": signing("csc-1"), "source_kms_key_arn": key("a"),
        }),
    )
    .variant("signed")
    .given("role", "aws_iam_role", json!({"name": "$name-role", "assume_role_policy": TRUST}))
    .asked("base", "lambda", "POST /2018-10-31/layers/$name-base/versions", empty.clone())
    .asked("tools", "lambda", "POST /2018-10-31/layers/$name-tools/versions", empty)
    .update(json!({"filename": two, "code_sha256": sum(two)}))
    .update(json!({"code_signing_config_arn": signing("csc-2"), "source_kms_key_arn": key("b")}))
    .update(json!({"code_signing_config_arn": null}))
    .update(json!({"layers": ["${base.LayerVersionArn}"]}))
    .update(json!({"layers": ["${tools.LayerVersionArn}", "${base.LayerVersionArn}"]}))
    .update(json!({"layers": null}))
    .update(json!({"skip_destroy": true}))
    .import_leaves(&["filename", "publish", "skip_destroy"])
    .remains("skip_destroy leaves it")
}

/// The sum of an archive, as Lambda tells it.
#[expect(
    clippy::disallowed_methods,
    reason = "a function's code is a file that the case makes"
)]
fn sum(archive: &str) -> String {
    STANDARD.encode(Sha256::digest(std::fs::read(archive).unwrap()))
}

fn mapping(
    role: &serde_json::Value,
    function: &serde_json::Value,
    other: &serde_json::Value,
) -> Case {
    Case::of(
        "aws_lambda_event_source_mapping",
        json!({"event_source_arn": "${queue.arn}", "function_name": "${function.arn}"}),
    )
    .given("role", "aws_iam_role", role.clone())
    .given("function", "aws_lambda_function", function.clone())
    .given("other", "aws_lambda_function", other.clone())
    .given("queue", "aws_sqs_queue", json!({"name": "$name"}))
    .given("next", "aws_sqs_queue", json!({"name": "$name-next"}))
    .settles(&["function_arn", "last_modified", "state"])
    .update(json!({"batch_size": 5, "maximum_batching_window_in_seconds": 2}))
    .update(json!({"enabled": false}))
    .update(json!({"enabled": true, "function_response_types": ["ReportBatchItemFailures"]}))
    .update(json!({"filter_criteria": {"filter": [{"pattern": "{\"body\":[1]}"}]}}))
    .update(json!({"filter_criteria": null}))
    .update(json!({"function_name": "${other.arn}"}))
    .update(json!({"tags": {"team": "a", "cost": "1"}}))
    .update(json!({"tags": {"team": "b"}}))
    .replace(json!({"event_source_arn": "${next.arn}"}))
}

/// A mapping of a table's changes. moto keeps what is special to other kinds of sources as it came, whatever the source is.
fn stream(role: &serde_json::Value, function: &serde_json::Value) -> Case {
    let queue = |name: &str| json!({"on_failure": {"destination_arn": format!("arn:aws:sqs:us-east-1:123456789012:{name}")}});
    let registry = json!({
        "event_record_format": "JSON", "schema_registry_uri": "https://registry.example.com",
        "access_config": [{"type": "BASIC_AUTH", "uri": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"}],
        "schema_validation_config": [{"attribute": "KEY"}],
    });
    let validated = json!({
        "event_record_format": "SOURCE", "schema_registry_uri": "https://schemas.example.com",
        "access_config": [{"type": "CLIENT_CERTIFICATE_TLS_AUTH", "uri": "arn:aws:secretsmanager:us-east-1:123456789012:secret:t"}],
        "schema_validation_config": [{"attribute": "VALUE"}],
    });
    Case::of(
        "aws_lambda_event_source_mapping",
        json!({"event_source_arn": "${table.stream_arn}", "function_name": "${function.arn}", "starting_position": "LATEST",
            "maximum_record_age_in_seconds": 60, "maximum_retry_attempts": 2, "parallelization_factor": 2}),
    )
    .variant("stream")
    .given("role", "aws_iam_role", role.clone())
    .given("function", "aws_lambda_function", function.clone())
    .given("table", "aws_dynamodb_table", json!({
        "name": "$name", "billing_mode": "PAY_PER_REQUEST", "hash_key": "id", "attribute": [{"name": "id", "type": "S"}],
        "stream_enabled": true, "stream_view_type": "NEW_IMAGE",
    }))
    .settles(&["last_modified"])
    .update(json!({"maximum_record_age_in_seconds": 120, "maximum_retry_attempts": 3, "parallelization_factor": 3}))
    .update(json!({"bisect_batch_on_function_error": true, "tumbling_window_in_seconds": 30}))
    .update(json!({"bisect_batch_on_function_error": false, "tumbling_window_in_seconds": 60}))
    .update(json!({"destination_config": queue("a")}))
    .update(json!({"destination_config": queue("b"), "kms_key_arn": "arn:aws:kms:us-east-1:123456789012:key/a"}))
    .update(json!({"kms_key_arn": "arn:aws:kms:us-east-1:123456789012:key/b"}))
    .update(json!({"metrics_config": {"metrics": ["EventCount"]}, "scaling_config": {"maximum_concurrency": 5}}))
    .update(json!({"metrics_config": null, "scaling_config": {"maximum_concurrency": 6}}))
    .update(json!({"provisioned_poller_config": {"minimum_pollers": 1, "maximum_pollers": 3, "poller_group_name": "g"}}))
    .update(json!({"provisioned_poller_config": {"minimum_pollers": 2, "maximum_pollers": 4, "poller_group_name": "h"}}))
    .update(json!({"document_db_event_source_config": {"database_name": "d", "collection_name": "c", "full_document": "UpdateLookup"}}))
    .update(json!({"source_access_configuration": [{"type": "BASIC_AUTH", "uri": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"}]}))
    .replace(json!({"starting_position": "TRIM_HORIZON"}))
    .replace_for(&["topics"], json!({"topics": ["t"], "amazon_managed_kafka_event_source_config": {"consumer_group_id": "g", "schema_registry_config": registry.clone()}}))
    .update(json!({"amazon_managed_kafka_event_source_config": {"consumer_group_id": "g", "schema_registry_config": validated}}))
    .replace(json!({"amazon_managed_kafka_event_source_config": {"consumer_group_id": "h", "schema_registry_config": registry}}))
    .replace(json!({"queues": ["q"]}))
    .replace(json!({"starting_position": "AT_TIMESTAMP", "starting_position_timestamp": "2026-01-31T12:00:00Z"}))
}

/// A mapping of a cluster that is not of AWS.
fn brokers(
    role: &serde_json::Value,
    function: &serde_json::Value,
    other: &serde_json::Value,
) -> Case {
    let secret =
        |name: &str| format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}");
    let at = |hosts: &str| json!({"endpoints": {"KAFKA_BOOTSTRAP_SERVERS": hosts}});
    let registry = json!({
        "event_record_format": "JSON", "schema_registry_uri": "https://registry.example.com",
        "access_config": [{"type": "BASIC_AUTH", "uri": secret("r")}],
        "schema_validation_config": [{"attribute": "KEY"}],
    });
    Case::of(
        "aws_lambda_event_source_mapping",
        json!({
            "function_name": "${function.arn}", "self_managed_event_source": at("a:9092,b:9092"), "topics": ["orders"],
            "starting_position": "TRIM_HORIZON", "self_managed_kafka_event_source_config": {"consumer_group_id": "g"},
            "source_access_configuration": [{"type": "BASIC_AUTH", "uri": secret("a")}], "tags": {"team": "a"},
        }),
    )
    .variant("brokers")
    .given("role", "aws_iam_role", role.clone())
    .given("function", "aws_lambda_function", function.clone())
    .given("other", "aws_lambda_function", other.clone())
    .settles(&["function_arn", "last_modified"])
    .update(json!({"batch_size": 50, "function_name": "${other.arn}"}))
    .update(json!({"source_access_configuration": [{"type": "BASIC_AUTH", "uri": secret("b")}]}))
    .update(json!({"tags": {"team": "b"}}))
    .update(json!({"self_managed_kafka_event_source_config": {"consumer_group_id": "g", "schema_registry_config": registry}}))
    .replace_for(&["self_managed_kafka_event_source_config"], json!({"self_managed_kafka_event_source_config": {"consumer_group_id": "h"}}))
    .replace(json!({"self_managed_event_source": at("c:9092")}))
}
