use serde_json::{Value as Json, json};

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        by_request(),
        provisioned(),
        indices(),
        replicated(),
        agreeing(),
        restored(),
        imported(),
        Case::of("aws_dynamodb_table", all_at_once())
            .given("key", "aws_kms_key", json!({"description": "Items"}))
            .given("other", "aws_kms_key", json!({"description": "More items"}))
            .variant("all at once")
            .update(
                json!({"server_side_encryption": {"enabled": true, "kms_key_arn": "${other.arn}"}}),
            )
            .update(json!({"server_side_encryption": {"enabled": false}}))
            .update(
                json!({"server_side_encryption": {"enabled": true, "kms_key_arn": "${key.arn}"}}),
            )
            .found_by("aws_dynamodb_table", json!({"name": "${self.name}"}), &TOLD),
    ]
}

/// What the data source says as the table itself does.
const TOLD: [&str; 14] = [
    "id",
    "arn",
    "attribute",
    "billing_mode",
    "global_secondary_index",
    "hash_key",
    "point_in_time_recovery",
    "range_key",
    "server_side_encryption",
    "stream_arn",
    "stream_view_type",
    "table_class",
    "tags = tags_all",
    "ttl",
];

fn by_request() -> Case {
    Case::of(
        "aws_dynamodb_table",
        json!({
            "name": "$name", "billing_mode": "PAY_PER_REQUEST", "hash_key": "id",
            "attribute": [{"name": "id", "type": "S"}], "timeouts": {"create": "20m", "update": "20m", "delete": "20m"},
        }),
    )
    .update(json!({"ttl": {"attribute_name": "until", "enabled": true}}))
    .update(json!({"ttl": {"attribute_name": "until", "enabled": false}}))
    .update(json!({"point_in_time_recovery": {"enabled": true}}))
    .update(json!({"point_in_time_recovery": {"enabled": true, "recovery_period_in_days": 7}}))
    .update(json!({"point_in_time_recovery": {"enabled": false}}))
    .update(json!({"warm_throughput": {"read_units_per_second": 13000, "write_units_per_second": 5000}}))
    .replace(json!({"warm_throughput": {"read_units_per_second": 12500, "write_units_per_second": 5000}}))
    .update(json!({"stream_enabled": true, "stream_view_type": "NEW_IMAGE"}))
    .update(json!({"stream_enabled": false, "stream_view_type": null}))
    .update(json!({"deletion_protection_enabled": true}))
    .update(json!({"deletion_protection_enabled": false}))
    .update(json!({"table_class": "STANDARD_INFREQUENT_ACCESS"}))
    .update(json!({"table_class": "STANDARD"}))
    .update(json!({"on_demand_throughput": {"max_read_request_units": 10, "max_write_request_units": 20}}))
    .update(json!({"on_demand_throughput": {"max_read_request_units": 30, "max_write_request_units": 20}}))
    .update(json!({"tags": {"team": "a", "cost": "1"}}))
    .update(json!({"tags": {"team": "b"}}))
    .import_leaves(&["timeouts"])
    .replace(json!({"name": "$name-other"}))
    .replace_for(&["hash_key"], json!({"hash_key": "key", "attribute": [{"name": "key", "type": "S"}]}))
}

fn provisioned() -> Case {
    Case::of(
        "aws_dynamodb_table",
        json!({
            "name": "$name", "read_capacity": 1, "write_capacity": 1, "hash_key": "id",
            "attribute": [{"name": "id", "type": "S"}],
        }),
    )
    .variant("provisioned")
    .update(json!({"read_capacity": 2, "write_capacity": 3}))
    .update(json!({"billing_mode": "PAY_PER_REQUEST", "read_capacity": null, "write_capacity": null}))
    .update(json!({"billing_mode": "PROVISIONED", "read_capacity": 4, "write_capacity": 4}))
    .replace_for(&["range_key"], json!({"range_key": "at", "attribute": [{"name": "id", "type": "S"}, {"name": "at", "type": "N"}]}))
    .replace_for(&["local_secondary_index"], json!({
        "attribute": [{"name": "id", "type": "S"}, {"name": "at", "type": "N"}, {"name": "size", "type": "N"}],
        "local_secondary_index": [{"name": "by-size", "range_key": "size", "projection_type": "INCLUDE", "non_key_attributes": ["owner"]}],
    }))
}

fn indices() -> Case {
    let attributes = |names: &[&str]| -> Json {
        let attributes = names.iter().map(|name| json!({"name": name, "type": "S"}));
        attributes.collect()
    };
    Case::of(
        "aws_dynamodb_table",
        json!({
            "name": "$name", "billing_mode": "PAY_PER_REQUEST", "hash_key": "id",
            "attribute": attributes(&["id", "owner"]),
            "global_secondary_index": [{"name": "by-owner", "hash_key": "owner", "projection_type": "ALL"}],
        }),
    )
    .variant("with indices")
    .update(json!({
        "attribute": attributes(&["id", "owner", "at"]),
        "global_secondary_index": [
            {"name": "by-owner", "hash_key": "owner", "projection_type": "ALL"},
            {"name": "by-owner-and-time", "hash_key": "owner", "range_key": "at", "projection_type": "INCLUDE", "non_key_attributes": ["size"]},
            {"name": "by-time", "key_schema": [{"attribute_name": "at", "key_type": "HASH"}], "projection_type": "KEYS_ONLY"},
        ],
    }))
    .update(json!({
        "attribute": attributes(&["id", "owner", "at"]),
        "global_secondary_index": [
            {"name": "by-owner", "hash_key": "owner", "projection_type": "KEYS_ONLY"},
            {"name": "by-time", "key_schema": [{"attribute_name": "at", "key_type": "HASH"}], "projection_type": "KEYS_ONLY"},
        ],
    }))
    .update(json!({
        "attribute": attributes(&["id", "owner"]),
        "global_secondary_index": [{"name": "by-owner", "hash_key": "owner", "projection_type": "KEYS_ONLY"}],
    }))
    .update(json!({
        "billing_mode": "PROVISIONED", "read_capacity": 1, "write_capacity": 1,
        "global_secondary_index": [{"name": "by-owner", "hash_key": "owner", "projection_type": "KEYS_ONLY", "read_capacity": 2, "write_capacity": 2}],
    }))
    .update(json!({
        "global_secondary_index": [{"name": "by-owner", "hash_key": "owner", "projection_type": "KEYS_ONLY", "read_capacity": 3, "write_capacity": 2}],
    }))
    .update(json!({
        "billing_mode": "PAY_PER_REQUEST", "read_capacity": null, "write_capacity": null,
        "global_secondary_index": [{
            "name": "by-owner", "hash_key": "owner", "projection_type": "KEYS_ONLY",
            "on_demand_throughput": {"max_read_request_units": 10, "max_write_request_units": 20},
            "warm_throughput": {"read_units_per_second": 13000, "write_units_per_second": 5000},
        }],
    }))
    .update(json!({
        "global_secondary_index": [{
            "name": "by-owner", "hash_key": "owner", "projection_type": "KEYS_ONLY",
            "on_demand_throughput": {"max_read_request_units": 30, "max_write_request_units": 40},
            "warm_throughput": {"read_units_per_second": 14000, "write_units_per_second": 6000},
        }],
    }))
}

/// A table that is written to.
fn written(more: Json) -> Json {
    let mut table = json!({
        "name": "$name", "billing_mode": "PAY_PER_REQUEST", "hash_key": "id", "attribute": [{"name": "id", "type": "S"}],
        "stream_enabled": true, "stream_view_type": "NEW_AND_OLD_IMAGES",
    });
    let more = more.as_object().unwrap().clone();
    table.as_object_mut().unwrap().extend(more);
    table
}

/// A table with replicas in other regions.
fn replicated() -> Case {
    let key = |region: &str, name: &str| format!("arn:aws:kms:{region}:123456789012:key/{name}");
    Case::of("aws_dynamodb_table", written(json!({"replica": [{"region_name": "eu-west-1"}]})))
        .variant("with replicas")
        .update(json!({"replica": [{"region_name": "eu-west-1"}, {"region_name": "eu-central-1", "point_in_time_recovery": true}]}))
        .update(json!({"replica": [
            {"region_name": "eu-west-1", "point_in_time_recovery": true, "deletion_protection_enabled": true},
            {"region_name": "eu-central-1"},
        ]}))
        .update(json!({"replica": [{"region_name": "eu-west-1", "deletion_protection_enabled": false}]}))
        .update(json!({"replica": [{"region_name": "eu-west-1", "propagate_tags": true}], "tags": {"team": "a", "cost": "1"}}))
        .update(json!({"tags": {"team": "b"}}))
        .update(json!({"replica": [{"region_name": "eu-west-1", "kms_key_arn": key("eu-west-1", "a")}]}))
        .update(json!({"replica": [{"region_name": "eu-west-1", "kms_key_arn": key("eu-west-1", "b")}]}))
        .update(json!({"replica": null}))
        .update(json!({"replica": [{"region_name": "ap-south-1", "consistency_mode": "EVENTUAL"}]}))
        .found_by("aws_dynamodb_table", json!({"name": "${self.name}"}), &["arn", "stream_arn"])
}

/// A table whose replicas agree before an item is written.
fn agreeing() -> Case {
    Case::of(
        "aws_dynamodb_table",
        written(json!({
            "replica": [{"region_name": "us-east-2", "consistency_mode": "STRONG"}], "global_table_witness": {"region_name": "us-west-2"},
        })),
    )
    .variant("that agrees")
    .update(json!({"tags": {"team": "a"}}))
    .update(json!({"replica": null, "global_table_witness": null}))
    .update(json!({
        "replica": [{"region_name": "us-west-2", "consistency_mode": "STRONG"}], "global_table_witness": {"region_name": "us-east-2"},
    }))
}

/// A copy of another table: as that is now, as it was at a time, and as a backup has it.
fn restored() -> Case {
    Case::of(
        "aws_dynamodb_table",
        json!({
            "name": "$name", "billing_mode": "PAY_PER_REQUEST", "restore_source_name": "${source.name}", "restore_to_latest_time": true,
            "tags": {"team": "a"},
        }),
    )
    .variant("restored")
    .given("source", "aws_dynamodb_table", json!({
        "name": "$name-source", "billing_mode": "PAY_PER_REQUEST", "hash_key": "id", "attribute": [{"name": "id", "type": "S"}],
        "point_in_time_recovery": {"enabled": true},
    }))
    .asked("backup", "dynamodb", "DynamoDB_20120810.CreateBackup", json!({"TableName": "${source.name}", "BackupName": "$name"}))
    .update(json!({"deletion_protection_enabled": true}))
    .update(json!({"deletion_protection_enabled": false}))
    .replace_for(&["restore_to_latest_time", "restore_date_time"], json!({"restore_to_latest_time": null, "restore_date_time": "2026-01-31T12:00:00Z"}))
    .replace_for(&["restore_source_table_arn"], json!({"restore_source_name": null, "restore_source_table_arn": "${source.arn}"}))
    .replace_for(
        &["restore_source_name"],
        json!({"restore_source_table_arn": null, "restore_source_name": "${source.name}"}),
    )
    .replace_for(&["restore_backup_arn"], json!({
        "restore_source_name": null, "restore_date_time": null, "restore_backup_arn": "${backup.BackupDetails.BackupArn}",
        "table_class": "STANDARD_INFREQUENT_ACCESS", "stream_enabled": true, "stream_view_type": "NEW_IMAGE",
    }))
    .not_imported()
}

/// A table that is filled from files.
fn imported() -> Case {
    let import = |prefix: &str, compression: &str| {
        json!({"import_table": {
            "input_format": "DYNAMODB_JSON", "input_compression_type": compression,
            "s3_bucket_source": {"bucket": "${file.bucket}", "bucket_owner": "123456789012", "key_prefix": prefix},
        }})
    };
    let mut table = json!({
        "name": "$name", "billing_mode": "PAY_PER_REQUEST", "hash_key": "id", "attribute": [{"name": "id", "type": "S"}],
    });
    let first = import("a/", "NONE").as_object().unwrap().clone();
    table.as_object_mut().unwrap().extend(first);
    Case::of("aws_dynamodb_table", table)
        .variant("imported")
        .given("bucket", "aws_s3_bucket", json!({"bucket": "$name-files", "force_destroy": true}))
        .given("more", "aws_s3_bucket", json!({"bucket": "$name-more", "force_destroy": true}))
        .given("file", "aws_s3_object", json!({
            "bucket": "${bucket.bucket}", "key": "a/items.json", "content": "{\"Item\": {\"id\": {\"S\": \"one\"}}}",
        }))
        .replace(import("b/", "GZIP"))
        .replace(json!({"import_table": {
            "input_format": "CSV", "input_format_options": {"csv": {"delimiter": ";", "header_list": ["id", "owner"]}},
            "s3_bucket_source": {"bucket": "${more.bucket}", "key_prefix": "c/"},
        }}))
        .not_imported()
}

fn all_at_once() -> Json {
    json!({
        "name": "$name", "billing_mode": "PAY_PER_REQUEST", "hash_key": "id", "range_key": "at",
        "attribute": [{"name": "id", "type": "S"}, {"name": "at", "type": "N"}, {"name": "owner", "type": "S"}],
        "global_secondary_index": [{"name": "by-owner", "hash_key": "owner", "range_key": "at", "projection_type": "INCLUDE", "non_key_attributes": ["size"]}],
        "ttl": {"attribute_name": "until", "enabled": true},
        "point_in_time_recovery": {"enabled": true, "recovery_period_in_days": 14},
        "server_side_encryption": {"enabled": true, "kms_key_arn": "${key.arn}"},
        "stream_enabled": true, "stream_view_type": "NEW_AND_OLD_IMAGES",
        "tags": {"team": "a"},
    })
}
