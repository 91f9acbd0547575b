use serde_json::{Value as Json, json};

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::of(
            "aws_cloudfront_origin_access_control",
            json!({
                "name": "$name", "origin_access_control_origin_type": "s3",
                "signing_behavior": "always", "signing_protocol": "sigv4",
            }),
        )
        .update(json!({"description": "Signs what it asks for"}))
        .update(json!({"signing_behavior": "no-override", "origin_access_control_origin_type": "lambda"}))
        .replace(json!({"name": "$name-other"})),
        Case::of(
            "aws_cloudfront_function",
            json!({
                "name": "$name", "runtime": "cloudfront-js-2.0", "publish": false, "comment": "Asks",
                "code": "function handler(event) { return event.request; }",
            }),
        )
        .replace(json!({"name": "$name-other"}))
        .import_leaves(&["publish"])
        .untried("key_value_store_associations", "no key value store of this provider: it has no type yet"),
    ];
    cases.extend(distributions());
    cases
}

/// A distribution of one bucket.
fn distribution(config: Json) -> Case {
    let mut whole = json!({
        "enabled": true,
        "origin": [{"origin_id": "bucket", "domain_name": "files.s3.us-east-1.amazonaws.com"}],
        "default_cache_behavior": {
            "target_origin_id": "bucket", "viewer_protocol_policy": "redirect-to-https",
            "allowed_methods": ["GET", "HEAD"], "cached_methods": ["GET", "HEAD"],
            "cache_policy_id": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
        "restrictions": {"geo_restriction": {"restriction_type": "none"}},
        "viewer_certificate": {"cloudfront_default_certificate": true},
    });
    whole
        .as_object_mut()
        .unwrap()
        .extend(config.as_object().unwrap().clone());
    Case::of("aws_cloudfront_distribution", whole)
}

fn distributions() -> Vec<Case> {
    let behavior = json!({
        "target_origin_id": "host", "viewer_protocol_policy": "https-only",
        "allowed_methods": ["GET", "HEAD", "OPTIONS"], "cached_methods": ["GET", "HEAD"],
        "compress": true, "min_ttl": 1, "default_ttl": 60, "max_ttl": 3600,
        "forwarded_values": {
            "query_string": true, "headers": ["Origin"], "query_string_cache_keys": ["page"],
            "cookies": {"forward": "whitelist", "whitelisted_names": ["session"]},
        },
    });
    let mut ordered = behavior.clone();
    ordered["path_pattern"] = json!("/api/*");
    let host = json!({
        "origin_id": "host", "domain_name": "example.com", "origin_path": "/v1", "connection_attempts": 2,
        "connection_timeout": 5, "custom_header": [{"name": "X-From", "value": "cdn"}],
        "custom_origin_config": {
            "http_port": 80, "https_port": 443, "origin_protocol_policy": "https-only",
            "origin_ssl_protocols": ["TLSv1.2"], "origin_keepalive_timeout": 10, "origin_read_timeout": 20,
        },
        "origin_shield": {"enabled": true, "origin_shield_region": "us-east-1"},
    });
    vec![
        distribution(json!({"wait_for_deployment": false}))
            .update(json!({
                "comment": "Files", "default_root_object": "index.html", "price_class": "PriceClass_100",
                "is_ipv6_enabled": true, "http_version": "http2and3", "aliases": ["www.example.com"],
            }))
            .update(json!({"custom_error_response": [
                {"error_code": 404, "response_code": 200, "response_page_path": "/index.html", "error_caching_min_ttl": 10},
            ]}))
            .update(json!({"tags": {"team": "a"}}))
            .update(json!({"enabled": false}))
            .import_leaves(&["wait_for_deployment"]),
        distribution(json!({"origin": [host], "default_cache_behavior": behavior}))
            .variant("of a host")
            .update(json!({"ordered_cache_behavior": [ordered]})),
        settled(),
    ]
}

/// What else there is to say of a distribution, and what is not tried.
fn settled() -> Case {
    let unknown = "moto forgets it";
    let elsewhere = "names an object of a type that this provider does not have yet";
    let case = distribution(json!({
        "origin": [
            {"origin_id": "bucket", "domain_name": "files.s3.us-east-1.amazonaws.com"},
            {"origin_id": "old", "domain_name": "old.s3.us-east-1.amazonaws.com"},
        ],
        "origin_group": [{
            "origin_id": "both", "failover_criteria": {"status_codes": [500, 503]},
            "member": [{"origin_id": "bucket"}, {"origin_id": "old"}],
        }],
        "retain_on_delete": false,
    }))
    .variant("of two origins")
    .update(json!({"logging_config": {"bucket": "logs.s3.amazonaws.com", "prefix": "cdn/", "include_cookies": true}}))
    .update(json!({"restrictions": {"geo_restriction": {"restriction_type": "whitelist", "locations": ["DE", "FR"]}}}))
    .update(json!({"viewer_certificate": {
        "acm_certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/a",
        "minimum_protocol_version": "TLSv1.2_2021", "ssl_support_method": "sni-only",
    }}));
    // moto takes no group of origins as a target.
    let later = [
        "web_acl_id",
        "staging",
        "anycast_ip_list_id",
        "continuous_deployment_policy_id",
        "default_cache_behavior.function_association",
        "default_cache_behavior.lambda_function_association",
        "default_cache_behavior.field_level_encryption_id",
        "default_cache_behavior.smooth_streaming",
        "default_cache_behavior.origin_request_policy_id",
        "default_cache_behavior.response_headers_policy_id",
        "default_cache_behavior.realtime_log_config_arn",
    ];
    let case = later.into_iter().fold(case, |case, name| {
        case.untried(name, "no case tries it yet")
    });
    let forgotten = [
        "origin.origin_access_control_id",
        "origin.s3_origin_config",
        "origin.response_completion_timeout",
        "origin.vpc_origin_config",
        "origin.custom_origin_config.ip_address_type",
        "default_cache_behavior.grpc_config",
    ];
    let same = [
        "ordered_cache_behavior.cache_policy_id",
        "ordered_cache_behavior.field_level_encryption_id",
        "ordered_cache_behavior.origin_request_policy_id",
        "ordered_cache_behavior.realtime_log_config_arn",
        "ordered_cache_behavior.response_headers_policy_id",
        "ordered_cache_behavior.smooth_streaming",
        "ordered_cache_behavior.function_association",
        "ordered_cache_behavior.grpc_config",
        "ordered_cache_behavior.lambda_function_association",
    ];
    let newer = [
        "cache_tag_config",
        "connection_function_association",
        "viewer_mtls_config",
    ];
    let case = forgotten
        .into_iter()
        .fold(case, |case, name| case.untried(name, unknown));
    let case = newer.into_iter().fold(case, |case, name| {
        case.untried(name, "newer than moto's CloudFront")
    });
    let case = same.into_iter().fold(case, |case, name| {
        case.untried(name, "the same code as for the default behaviour")
    });
    [
        "default_cache_behavior.trusted_key_groups",
        "default_cache_behavior.trusted_signers",
        "ordered_cache_behavior.trusted_key_groups",
        "ordered_cache_behavior.trusted_signers",
        "viewer_certificate.iam_certificate_id",
    ]
    .into_iter()
    .fold(case, |case, name| case.untried(name, elsewhere))
}
