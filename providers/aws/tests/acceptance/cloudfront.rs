use serde_json::{Value as Json, json};

use crate::case::Case;

const FUNCTION: &str = "function handler(event) { return event.request; }";

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
        .replace(json!({"name": "$name-other"}))
        .untried("signing_protocol", "sigv4 is the only one"),
        Case::of(
            "aws_cloudfront_function",
            json!({"name": "$name", "runtime": "cloudfront-js-1.0", "code": FUNCTION}),
        )
        .update(json!({"code": "function handler(event) { return event.response; }"}))
        .update(json!({"comment": "Asks", "runtime": "cloudfront-js-2.0"}))
        .update(json!({"key_value_store_associations": ["arn:aws:cloudfront::123456789012:key-value-store/a"]}))
        .update(json!({"key_value_store_associations": ["arn:aws:cloudfront::123456789012:key-value-store/b"]}))
        .update(json!({"publish": false}))
        .update(json!({"code": FUNCTION}))
        .update(json!({"publish": true}))
        .replace(json!({"name": "$name-other"})),
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
    let other = json!({
        "origin_id": "other", "domain_name": "example.org", "origin_path": "/v2", "connection_attempts": 1,
        "connection_timeout": 6, "custom_header": [{"name": "X-By", "value": "edge"}],
        "custom_origin_config": {
            "http_port": 8080, "https_port": 8443, "origin_protocol_policy": "match-viewer",
            "origin_ssl_protocols": ["TLSv1.1", "TLSv1.2"], "origin_keepalive_timeout": 20, "origin_read_timeout": 40,
        },
        "origin_shield": {"enabled": false, "origin_shield_region": "us-east-2"},
    });
    let fewer = json!({
        "target_origin_id": "other", "viewer_protocol_policy": "allow-all",
        "allowed_methods": ["GET", "HEAD"], "cached_methods": ["GET", "HEAD", "OPTIONS"],
        "compress": false, "min_ttl": 2, "default_ttl": 120, "max_ttl": 7200,
        "forwarded_values": {
            "query_string": false, "headers": ["Accept"], "query_string_cache_keys": ["part"],
            "cookies": {"forward": "none"},
        },
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
            .update(json!({"tags": {"team": "a", "cost": "1"}}))
            .update(json!({"tags": {"team": "b"}}))
            .update(json!({"enabled": false}))
            .update(json!({"web_acl_id": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/1"}))
            .update(json!({"web_acl_id": null, "anycast_ip_list_id": "aip_1"}))
            .update(json!({"anycast_ip_list_id": "aip_2", "continuous_deployment_policy_id": "policy-1"}))
            .update(json!({"connection_function_association": {"id": "cf-1"}, "cache_tag_config": {"header_name": "cache-tag"}}))
            .update(json!({"connection_function_association": {"id": "cf-2"}, "cache_tag_config": {"header_name": "x-tags"}}))
            .update(json!({"viewer_mtls_config": {"mode": "required", "trust_store_config": {
                "trust_store_id": "ts-1", "advertise_trust_store_ca_names": true, "ignore_certificate_expiry": true,
            }}}))
            .update(json!({"viewer_mtls_config": {"mode": "optional", "trust_store_config": {"trust_store_id": "ts-2"}}}))
            .update(json!({"retain_on_delete": true, "wait_for_deployment": true}))
            .update(json!({"retain_on_delete": false, "wait_for_deployment": false}))
            .replace(json!({"staging": true}))
            .import_leaves(&["wait_for_deployment"]),
        distribution(json!({"origin": [host], "default_cache_behavior": behavior}))
            .variant("of a host")
            .update(json!({"ordered_cache_behavior": [ordered]}))
            .update(json!({"origin": [other], "default_cache_behavior": fewer, "ordered_cache_behavior": null})),
        behaviours(),
        origins(),
        settled(),
    ]
}

/// What both kinds of behaviours have, in one case.
fn behaviours() -> Case {
    let plain = || {
        json!({
            "target_origin_id": "bucket", "viewer_protocol_policy": "redirect-to-https",
            "allowed_methods": ["GET", "HEAD"], "cached_methods": ["GET", "HEAD"],
            "cache_policy_id": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        })
    };
    let both = |settings: Json| {
        let mut behaviour = plain();
        let settings = settings.as_object().unwrap().clone();
        behaviour.as_object_mut().unwrap().extend(settings);
        let mut ordered = behaviour.clone();
        ordered["path_pattern"] = json!("/api/*");
        json!({"default_cache_behavior": behaviour, "ordered_cache_behavior": [ordered]})
    };
    let at_edge =
        |version: u32| format!("arn:aws:lambda:us-east-1:123456789012:function:edge:{version}");
    let log = |name: &str| format!("arn:aws:cloudfront::123456789012:realtime-log-config/{name}");
    distribution(both(json!({})))
        .variant("behaviours")
        .given(
            "function",
            "aws_cloudfront_function",
            json!({"name": "$name", "runtime": "cloudfront-js-2.0", "code": FUNCTION}),
        )
        .update(both(json!({"function_association": [{"event_type": "viewer-request", "function_arn": "${function.arn}"}]})))
        .update(both(json!({"function_association": [{"event_type": "viewer-response", "function_arn": "${function.arn}"}]})))
        .update(both(json!({"lambda_function_association": [{"event_type": "origin-request", "lambda_arn": at_edge(1), "include_body": true}]})))
        .update(both(json!({"lambda_function_association": [{"event_type": "origin-response", "lambda_arn": at_edge(2)}]})))
        .update(both(json!({"field_level_encryption_id": "E1", "smooth_streaming": true, "realtime_log_config_arn": log("a")})))
        .update(both(json!({"field_level_encryption_id": "E2", "smooth_streaming": false, "realtime_log_config_arn": log("b")})))
        .update(both(json!({"origin_request_policy_id": "1", "response_headers_policy_id": "2"})))
        .update(both(json!({"origin_request_policy_id": "3", "response_headers_policy_id": "4"})))
        .update(both(json!({"trusted_key_groups": ["K1", "K2"], "trusted_signers": ["self"]})))
        .update(both(json!({"trusted_key_groups": ["K3"], "trusted_signers": ["123456789012"]})))
        .update(both(json!({"trusted_key_groups": [], "trusted_signers": [], "grpc_config": {"enabled": true}})))
        .update(both(json!({"grpc_config": {"enabled": false}, "compress": true})))
        .update(both(json!({"cache_policy_id": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"})))
}

/// Where files come from.
fn origins() -> Case {
    let control = json!({
        "name": "$name", "origin_access_control_origin_type": "s3", "signing_behavior": "always", "signing_protocol": "sigv4",
    });
    let bucket = |settings: Json| {
        let mut origin =
            json!({"origin_id": "bucket", "domain_name": "files.s3.us-east-1.amazonaws.com"});
        let settings = settings.as_object().unwrap().clone();
        origin.as_object_mut().unwrap().extend(settings);
        json!({"origin": [origin]})
    };
    let host = |kind: &str| {
        bucket(
            json!({"domain_name": "example.com", "custom_origin_config": {
                "http_port": 80, "https_port": 443, "origin_protocol_policy": "https-only", "origin_ssl_protocols": ["TLSv1.2"],
                "ip_address_type": kind,
            }}),
        )
    };
    let private = |number: u32, settings: Json| {
        let mut within = json!({"vpc_origin_id": format!("vo_{number}")});
        let settings = settings.as_object().unwrap().clone();
        within.as_object_mut().unwrap().extend(settings);
        bucket(json!({"domain_name": "internal.example.com", "vpc_origin_config": within}))
    };
    distribution(bucket(json!({"origin_access_control_id": "${control.id}"})))
        .variant("origins")
        .given("control", "aws_cloudfront_origin_access_control", control)
        .update(bucket(json!({"s3_origin_config": {"origin_access_identity": "origin-access-identity/cloudfront/E1"}})))
        .update(bucket(json!({"s3_origin_config": {"origin_access_identity": "origin-access-identity/cloudfront/E2"}})))
        .update(bucket(json!({"response_completion_timeout": 60})))
        .update(bucket(json!({"response_completion_timeout": 90})))
        .update(host("ipv4"))
        .update(host("dualstack"))
        .update(private(1, json!({})))
        .update(private(2, json!({"origin_keepalive_timeout": 10, "origin_read_timeout": 40, "owner_account_id": "210987654321"})))
}

/// Which origins answer, what is logged, who may come and by which certificate.
fn settled() -> Case {
    distribution(json!({
        "origin": [
            {"origin_id": "bucket", "domain_name": "files.s3.us-east-1.amazonaws.com"},
            {"origin_id": "old", "domain_name": "old.s3.us-east-1.amazonaws.com"},
        ],
        "origin_group": [{
            "origin_id": "both", "failover_criteria": {"status_codes": [500, 503]},
            "member": [{"origin_id": "bucket"}, {"origin_id": "old"}],
        }],
        "default_cache_behavior": {
            "target_origin_id": "both", "viewer_protocol_policy": "redirect-to-https",
            "allowed_methods": ["GET", "HEAD"], "cached_methods": ["GET", "HEAD"],
            "cache_policy_id": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
        "retain_on_delete": false,
    }))
    .variant("of two origins")
    .update(json!({
        "origin_group": [{
            "origin_id": "pair", "failover_criteria": {"status_codes": [404]},
            "member": [{"origin_id": "old"}, {"origin_id": "bucket"}],
        }],
        "default_cache_behavior": {
            "target_origin_id": "pair", "viewer_protocol_policy": "redirect-to-https",
            "allowed_methods": ["GET", "HEAD"], "cached_methods": ["GET", "HEAD"],
            "cache_policy_id": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
    }))
    .update(json!({"logging_config": {"bucket": "logs.s3.amazonaws.com", "prefix": "cdn/", "include_cookies": true}}))
    .update(json!({"restrictions": {"geo_restriction": {"restriction_type": "whitelist", "locations": ["DE", "FR"]}}}))
    .update(json!({"viewer_certificate": {
        "acm_certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/a",
        "minimum_protocol_version": "TLSv1.2_2021", "ssl_support_method": "sni-only",
    }}))
    .update(json!({"viewer_certificate": {"iam_certificate_id": "ASCA1", "minimum_protocol_version": "TLSv1", "ssl_support_method": "vip"}}))
}
