use serde_json::{Value as Json, json};

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = buckets();
    cases.extend(settings());
    cases.extend(sites());
    cases.extend(rules());
    cases.extend(lists());
    cases.extend(objects());
    cases
}

fn buckets() -> Vec<Case> {
    vec![
        Case::of("aws_s3_bucket", json!({"bucket": "$name-a", "timeouts": {"create": "5m", "read": "5m", "update": "5m", "delete": "5m"}}))
            .update(json!({"tags": {"team": "a", "cost": "1"}}))
            .update(json!({"tags": {"team": "b"}, "force_destroy": true}))
            .update(json!({"tags": null}))
            .replace(json!({"bucket": "$name-b"}))
            .replace(json!({"object_lock_enabled": true}))
            .found_by(
                "aws_s3_bucket",
                json!({"bucket": "${self.bucket}"}),
                &["id", "arn", "bucket", "bucket_domain_name", "bucket_region", "bucket_regional_domain_name", "hosted_zone_id"],
            )
            .import_leaves(&["force_destroy", "timeouts"]),
        Case::of("aws_s3_bucket", json!({"bucket": "$name-far", "region": "eu-west-1"}))
            .variant("of another region")
            .update(json!({"tags": {"team": "a"}}))
            .replace(json!({"region": "eu-central-1", "bucket": "$name-farther"}))
            .found_by(
                "aws_s3_bucket",
                json!({"bucket": "${self.bucket}", "region": "${self.region}"}),
                &["arn", "bucket_region", "bucket_regional_domain_name", "hosted_zone_id"],
            )
            .import("${self.id}@eu-central-1"),
        Case::of("aws_s3_bucket", json!({"bucket_prefix": "$name-p-"}))
            .variant("named by the provider")
            .replace(json!({"bucket_prefix": "$name-q-"})),
        Case::of(
            "aws_s3_bucket",
            json!({"bucket": "$name-123456789012-us-east-1-an", "bucket_namespace": "account-regional"}),
        )
        .variant("of the account's own names")
        .replace(json!({"bucket": "$name-global", "bucket_namespace": "global"})),
    ]
}

/// A case of what a bucket has one of: it is replaced for another bucket.
fn setting(type_name: &'static str, config: Json) -> Case {
    let mut whole = json!({"bucket": "${bucket.bucket}"});
    whole
        .as_object_mut()
        .unwrap()
        .extend(config.as_object().unwrap().clone());
    Case::of(type_name, whole)
        .given(
            "bucket",
            "aws_s3_bucket",
            json!({"bucket": "$name-bucket", "force_destroy": true}),
        )
        .given(
            "other",
            "aws_s3_bucket",
            json!({"bucket": "$name-other", "force_destroy": true}),
        )
}

/// The bucket's owner is named.
const OWNED: fn() -> Json = || json!({"expected_bucket_owner": "123456789012"});

const OTHER: fn() -> Json = || json!({"bucket": "${other.bucket}"});

fn settings() -> Vec<Case> {
    let suspended = "versions that were kept stay: destroying it suspends further ones";
    let statement = |action: &str| {
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "One", "Effect": "Deny", "Principal": "*", "Action": action,
            "Resource": ["arn:aws:s3:::${bucket.bucket}/*"],
        }]});
        json!({"policy": policy.to_string()})
    };
    vec![
        setting(
            "aws_s3_bucket_versioning",
            json!({"versioning_configuration": {"status": "Enabled"}}),
        )
        .update(json!({"versioning_configuration": {"status": "Suspended"}}))
        .replace(OTHER())
        .replace(OWNED())
        .remains(suspended),
        setting(
            "aws_s3_bucket_versioning",
            json!({"versioning_configuration": {"status": "Enabled", "mfa_delete": "Disabled"}}),
        )
        .variant("with a device")
        .update(json!({
            "mfa": "arn:aws:iam::123456789012:mfa/root 123456",
            "versioning_configuration": {"status": "Enabled", "mfa_delete": "Enabled"},
        }))
        .update(json!({"versioning_configuration": {"status": "Enabled", "mfa_delete": "Disabled"}}))
        .import_leaves(&["mfa"])
        .remains(suspended),
        setting(
            "aws_s3_bucket_server_side_encryption_configuration",
            json!({"rule": [{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}]}),
        )
        .update(json!({"rule": [{
            "apply_server_side_encryption_by_default": {
                "sse_algorithm": "aws:kms", "kms_master_key_id": "arn:aws:kms:us-east-1:123456789012:key/a",
            },
            "bucket_key_enabled": true,
        }]}))
        .update(json!({"rule": [{
            "apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}, "blocked_encryption_types": ["SSE-C"],
        }]}))
        .update(json!({"rule": [{
            "apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}, "blocked_encryption_types": ["NONE"],
        }]}))
        .replace(OTHER())
        .replace(OWNED()),
        setting("aws_s3_bucket_policy", statement("s3:DeleteObject"))
            .update(statement("s3:PutObject"))
            .replace(OTHER()),
        setting("aws_s3_bucket_public_access_block", json!({"block_public_acls": true}))
            .update(json!({"block_public_policy": true, "ignore_public_acls": true}))
            .update(json!({"restrict_public_buckets": true, "block_public_acls": false}))
            .replace(OTHER()),
        setting(
            "aws_s3_bucket_public_access_block",
            json!({"block_public_acls": true, "skip_destroy": true}),
        )
        .variant("left behind")
        .update(json!({"skip_destroy": null}))
        .update(json!({"skip_destroy": true}))
        .import_leaves(&["skip_destroy"])
        .remains("skip_destroy leaves it on the bucket"),
        setting(
            "aws_s3_bucket_ownership_controls",
            json!({"rule": {"object_ownership": "BucketOwnerPreferred"}}),
        )
        .update(json!({"rule": {"object_ownership": "BucketOwnerEnforced"}}))
        .replace(OTHER()),
    ]
}

/// What makes a bucket a site.
fn sites() -> Vec<Case> {
    vec![
        setting(
            "aws_s3_bucket_website_configuration",
            json!({"index_document": {"suffix": "index.html"}}),
        )
        .update(json!({"index_document": {"suffix": "start.html"}}))
        .update(json!({
            "error_document": {"key": "404.html"},
            "routing_rule": [{
                "condition": {"key_prefix_equals": "old/", "http_error_code_returned_equals": "404"},
                "redirect": {"replace_key_prefix_with": "new/", "host_name": "example.com"},
            }],
        }))
        .update(json!({"routing_rule": [{
            "redirect": {"replace_key_with": "one.html", "protocol": "https", "http_redirect_code": "302"},
        }]}))
        .update(json!({
            "routing_rule": null,
            "routing_rules": r#"[{"Condition":{"KeyPrefixEquals":"a/"},"Redirect":{"ReplaceKeyPrefixWith":"b/"}}]"#,
        }))
        .replace(OTHER())
        .replace(OWNED()),
        setting(
            "aws_s3_bucket_website_configuration",
            json!({"redirect_all_requests_to": {"host_name": "example.com"}}),
        )
        .variant("elsewhere")
        .update(json!({"redirect_all_requests_to": {"host_name": "example.org", "protocol": "https"}})),
        setting(
            "aws_s3_bucket_cors_configuration",
            json!({"cors_rule": [{"allowed_methods": ["GET"], "allowed_origins": ["*"]}]}),
        )
        .update(json!({"cors_rule": [
            {
                "id": "writes", "allowed_methods": ["PUT", "POST"], "allowed_origins": ["https://example.com"],
                "allowed_headers": ["*"], "expose_headers": ["ETag"], "max_age_seconds": 3000,
            },
            {"allowed_methods": ["GET"], "allowed_origins": ["*"]},
        ]}))
        .replace(OTHER())
        .replace(OWNED()),
    ]
}

fn rules() -> Vec<Case> {
    vec![
        setting(
            "aws_s3_bucket_lifecycle_configuration",
            json!({"rule": [{
                "id": "overwritten", "status": "Enabled", "filter": {"prefix": ""},
                "noncurrent_version_expiration": {"noncurrent_days": 30},
            }], "timeouts": {"create": "5m", "update": "5m"}}),
        )
        .update(json!({"rule": [
            {
                "id": "overwritten", "status": "Enabled", "filter": {"prefix": ""},
                "noncurrent_version_expiration": {"noncurrent_days": 60, "newer_noncurrent_versions": 3},
                "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
            },
            {
                "id": "archived", "status": "Disabled",
                "filter": {"and": {
                    "prefix": "logs/", "tags": {"team": "a", "cost": "1"},
                    "object_size_greater_than": 128, "object_size_less_than": 4096,
                }},
                "transition": [
                    {"days": 30, "storage_class": "STANDARD_IA"}, {"days": 90, "storage_class": "GLACIER"},
                ],
                "noncurrent_version_transition": [
                    {"noncurrent_days": 30, "storage_class": "STANDARD_IA", "newer_noncurrent_versions": 2},
                ],
                "expiration": {"days": 365},
            },
        ]}))
        .update(json!({"rule": [
            {
                "id": "dated", "status": "Enabled", "filter": {"tag": {"key": "a", "value": "b"}},
                "expiration": {"date": "2040-01-01T00:00:00Z"},
                "transition": [{"date": "2039-01-01T00:00:00Z", "storage_class": "GLACIER"}],
            },
            {"id": "markers", "status": "Enabled", "filter": {}, "expiration": {"expired_object_delete_marker": true}},
            {"id": "large", "status": "Enabled", "filter": {"object_size_greater_than": 500}, "expiration": {"days": 3}},
            {"id": "little", "status": "Enabled", "filter": {"object_size_less_than": 500}, "expiration": {"days": 3}},
        ]}))
        .update(json!({"rule": [{"id": "whole", "status": "Enabled", "expiration": {"days": 3}}]}))
        .update(json!({"transition_default_minimum_object_size": "varies_by_storage_class"}))
        .import_leaves(&["timeouts"])
        .replace(OTHER())
        .replace(OWNED()),
        setting("aws_s3_bucket_notification", json!({"eventbridge": true}))
            .update(json!({
                "eventbridge": null,
                "queue": [{
                    "id": "new", "queue_arn": "arn:aws:sqs:us-east-1:123456789012:news", "events": ["s3:ObjectCreated:*"],
                    "filter_prefix": "in/", "filter_suffix": ".csv",
                }],
            }))
            .update(json!({"queue": [
                {"queue_arn": "arn:aws:sqs:us-east-1:123456789012:news", "events": ["s3:ObjectRemoved:Delete", "s3:ObjectCreated:Put"]},
            ]}))
            .update(json!({
                "queue": null,
                "topic": [{
                    "id": "old", "topic_arn": "arn:aws:sns:us-east-1:123456789012:news",
                    "events": ["s3:ObjectRemoved:*"], "filter_prefix": "in/", "filter_suffix": ".csv",
                }],
                "lambda_function": [{
                    "id": "call", "lambda_function_arn": "arn:aws:lambda:us-east-1:123456789012:function:news",
                    "events": ["s3:ObjectCreated:*"], "filter_prefix": "in/", "filter_suffix": ".csv",
                }],
            }))
            .replace(OTHER())
            .remains("a bucket always has notifications, if only none"),
    ]
}

fn lists() -> Vec<Case> {
    let owner = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a";
    let policy = |permission: &str| {
        json!({"access_control_policy": {
            "owner": {"id": owner},
            "grant": [
                {"grantee": {"type": "CanonicalUser", "id": owner}, "permission": "FULL_CONTROL"},
                {
                    "grantee": {"type": "Group", "uri": "http://acs.amazonaws.com/groups/s3/LogDelivery"},
                    "permission": permission,
                },
            ],
        }})
    };
    let kept = "a bucket is never without a list";
    vec![
        setting("aws_s3_bucket_acl", json!({"acl": "private"}))
            .update(json!({"acl": "public-read"}))
            .replace(OTHER())
        .replace(OWNED())
            .remains(kept),
        setting("aws_s3_bucket_acl", policy("READ_ACP"))
            .variant("written out")
            .update(policy("WRITE"))
            .update(json!({"access_control_policy": {
                "owner": {"id": owner},
                "grant": [
                    {"grantee": {"type": "CanonicalUser", "id": owner}, "permission": "FULL_CONTROL"},
                    {"grantee": {"type": "CanonicalUser", "id": "85aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"}, "permission": "READ"},
                ],
            }}))
            .untried("access_control_policy.owner", "it is who owns the bucket, and stays")
            .untried("access_control_policy.owner.id", "it is who owns the bucket, and stays")
            .remains(kept)
            .untried(
                "access_control_policy.grant.grantee.email_address",
                "S3 has refused grants by e-mail address since October 2025",
            )
            .untried("access_control_policy.owner.display_name", "S3 has told none since November 2025, so that one that is set never comes back"),
        setting(
            "aws_s3_bucket_logging",
            json!({"target_bucket": "${logs.bucket}", "target_prefix": "a/"}),
        )
        .given(
            "logs",
            "aws_s3_bucket",
            json!({"bucket": "$name-logs", "force_destroy": true}),
        )
        .given(
            "list",
            "aws_s3_bucket_acl",
            json!({"bucket": "${logs.bucket}", "acl": "log-delivery-write"}),
        )
        .given(
            "more",
            "aws_s3_bucket",
            json!({"bucket": "$name-more", "force_destroy": true}),
        )
        .given(
            "same",
            "aws_s3_bucket_acl",
            json!({"bucket": "${more.bucket}", "acl": "log-delivery-write"}),
        )
        .update(json!({"target_prefix": "b/"}))
        .update(json!({"target_bucket": "${more.bucket}"}))
        .update(json!({"target_grant": [
            {"permission": "READ", "grantee": {"type": "CanonicalUser", "id": owner}},
        ]}))
        .update(json!({"target_grant": [
            {"permission": "READ", "grantee": {"type": "Group", "uri": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"}},
        ]}))
        .update(json!({"target_object_key_format": {"simple_prefix": {}}}))
        .update(json!({"target_object_key_format": {"partitioned_prefix": {"partition_date_source": "EventTime"}}}))
        .update(json!({"target_object_key_format": {"partitioned_prefix": {"partition_date_source": "DeliveryTime"}}}))
        .replace(OTHER())
        .replace(OWNED())
        .untried(
            "target_grant.grantee.email_address",
            "S3 has refused grants by e-mail address since October 2025",
        ),
    ]
}

fn objects() -> Vec<Case> {
    let object = |config: Json| setting("aws_s3_object", config);
    vec![
        object(json!({"key": "a/b.txt", "content": "one"}))
            .update(json!({"content": "two", "content_type": "text/plain"}))
            .update(json!({
                "cache_control": "max-age=60", "content_disposition": "inline", "content_encoding": "identity",
                "content_language": "en", "metadata": {"team": "a"},
            }))
            .update(json!({"tags": {"team": "a", "cost": "one and two"}}))
            .update(json!({"tags": {"team": "b"}}))
            .update(json!({"override_provider": {"default_tags": {"tags": {}}}}))
            .update(json!({"storage_class": "STANDARD_IA", "website_redirect": "/other"}))
            .update(json!({"content": null, "content_base64": "AQID"}))
            .update(json!({"force_destroy": true, "acl": "public-read"}))
            .replace(json!({"key": "a/c.txt"}))
            .replace(OTHER())
            .found_by(
                "aws_s3_object",
                json!({"bucket": "${self.bucket}", "key": "${self.key}", "checksum_mode": "ENABLED"}),
                &["arn",  "cache_control", "content_disposition", "content_encoding", "content_language", "content_type", "etag", "metadata", "server_side_encryption", "storage_class", "tags = tags_all", "website_redirect_location = website_redirect"],
            )
            .import_leaves(&["content_base64", "force_destroy", "acl", "override_provider"]),
        object(json!({"key": "c", "source": "Cargo.toml", "source_hash": "1"}))
            .variant("from a file")
            .update(json!({"source_hash": "2"}))
            .update(json!({"source": "src/lib.rs", "source_hash": null}))
            .import_leaves(&["source", "source_hash"]),
        object(json!({"key": "d", "content": "one", "etag": "f97c5d29941bfb1b2fdab0874906ab82"}))
            .variant("by its hash")
            .update(json!({"content": "two", "etag": "b8a9f715dbb64fd5c56e7783c6820a61"}))
            .found_by(
                "aws_s3_object",
                json!({"bucket": "${self.bucket}", "key": "${self.key}", "version_id": "", "download_body": "true", "range": "bytes=0-2"}),
                &["body = content"],
            )
            .import_leaves(&["content"]),
        object(json!({
            "key": "e", "content": "one", "server_side_encryption": "aws:kms", "bucket_key_enabled": true,
            "kms_key_id": "arn:aws:kms:us-east-1:123456789012:key/a",
        }))
        .variant("encrypted")
        .update(json!({"content": "two"}))
        .update(json!({"kms_key_id": "arn:aws:kms:us-east-1:123456789012:key/b"}))
        .update(json!({"bucket_key_enabled": false}))
        .import_leaves(&["content"]),
        object(json!({"key": "h", "content": "one", "server_side_encryption": "AES256"}))
            .variant("encrypted by S3")
            .update(json!({"server_side_encryption": "aws:kms"}))
            .import_leaves(&["content"]),
        object(json!({"key": "f", "content": "one", "checksum_algorithm": "SHA256"}))
            .variant("with a checksum")
            .update(json!({"content": "two"}))
            .update(json!({"checksum_algorithm": "SHA1"}))
            .import_leaves(&["content", "checksum_algorithm", "checksum_sha1", "checksum_sha256"]),
        Case::of(
            "aws_s3_object",
            json!({
                "bucket": "${bucket.bucket}", "key": "g", "content": "one", "force_destroy": true,
                "object_lock_legal_hold_status": "OFF",
            }),
        )
        .variant("locked")
        .given(
            "bucket",
            "aws_s3_bucket",
            json!({"bucket": "$name-locked", "object_lock_enabled": true, "force_destroy": true}),
        )
        .update(json!({"object_lock_mode": "GOVERNANCE", "object_lock_retain_until_date": "2040-01-01T00:00:00Z"}))
        .update(json!({"object_lock_retain_until_date": "2041-01-01T00:00:00Z"}))
        .update(json!({"object_lock_legal_hold_status": "ON"}))
        .update(json!({"object_lock_legal_hold_status": "OFF"}))
        .import_leaves(&["content", "force_destroy"]),
    ]
}
