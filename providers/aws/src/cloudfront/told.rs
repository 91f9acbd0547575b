//! A distribution's settings as states have them, of what CloudFront tells.

use aws_sdk_cloudfront::types::{
    Aliases, AllowedMethods, CacheBehavior, CacheBehaviors, CachedMethods, CookieNames,
    CustomErrorResponse, CustomErrorResponses, CustomHeaders, DefaultCacheBehavior,
    DistributionConfig, ForwardedValues, FunctionAssociation, FunctionAssociations, Headers,
    HttpVersion, IpAddressType, LambdaFunctionAssociation, LambdaFunctionAssociations, Method,
    MinimumProtocolVersion, Origin, OriginGroup, OriginGroupMembers, OriginGroups,
    OriginSslProtocols, Origins, PriceClass, QueryStringCacheKeys, SslProtocol, SslSupportMethod,
    TrustedKeyGroups, TrustedSigners, ViewerCertificate,
};
use terrace_provider_sdk::{Data as _, Object, Type, Value};

use crate::blocks::{block, blocks, list, number, number_or_null, text};

/// All settings.
pub(super) fn config(told: &DistributionConfig) -> Object {
    let mut object = Object::new();
    let aliases = told
        .aliases
        .as_ref()
        .map(Aliases::items)
        .unwrap_or_default();
    object.set("aliases", list(aliases));
    object.set("caller_reference", told.caller_reference.clone());
    object.set("comment", told.comment.clone());
    object.set("enabled", told.enabled);
    object.set("is_ipv6_enabled", told.is_ipv6_enabled.unwrap_or(false));
    object.set("staging", told.staging.unwrap_or(false));
    let texts = [
        ("default_root_object", told.default_root_object()),
        ("web_acl_id", told.web_acl_id()),
        (
            "continuous_deployment_policy_id",
            told.continuous_deployment_policy_id(),
        ),
        ("anycast_ip_list_id", told.anycast_ip_list_id()),
        (
            "price_class",
            told.price_class.as_ref().map(PriceClass::as_str),
        ),
        (
            "http_version",
            told.http_version.as_ref().map(HttpVersion::as_str),
        ),
    ];
    for (name, found) in texts {
        object.set(name, text(found));
    }
    let origins = told
        .origins
        .as_ref()
        .map(Origins::items)
        .unwrap_or_default();
    object.set("origin", blocks(origins.iter().map(origin)));
    let groups = told
        .origin_groups
        .as_ref()
        .map(OriginGroups::items)
        .unwrap_or_default();
    object.set("origin_group", blocks(groups.iter().map(group)));
    object.set(
        "default_cache_behavior",
        blocks(told.default_cache_behavior.as_ref().map(default_behavior)),
    );
    let ordered = told
        .cache_behaviors
        .as_ref()
        .map(CacheBehaviors::items)
        .unwrap_or_default();
    object.set(
        "ordered_cache_behavior",
        blocks(ordered.iter().map(behavior)),
    );
    let errors = told
        .custom_error_responses
        .as_ref()
        .map(CustomErrorResponses::items)
        .unwrap_or_default();
    object.set(
        "custom_error_response",
        blocks(errors.iter().map(error_response)),
    );
    object.extend(around(told));
    object
}

/// What is around the origins and behaviours: logs, who may come, certificates, functions of connections.
fn around(told: &DistributionConfig) -> Object {
    let mut object = Object::new();
    let logging = told
        .logging
        .as_ref()
        .filter(|logging| logging.enabled)
        .map(|logging| {
            block([
                ("bucket", text(Some(&logging.bucket))),
                ("include_cookies", logging.include_cookies.into_value()),
                ("prefix", text(Some(&logging.prefix))),
            ])
        });
    object.set("logging_config", blocks(logging));
    object.set(
        "logging_v1_enabled",
        told.logging.as_ref().is_some_and(|logging| logging.enabled),
    );
    let geo = told
        .restrictions
        .as_ref()
        .and_then(|all| all.geo_restriction.as_ref())
        .map(|geo| {
            let geo = block([
                (
                    "restriction_type",
                    text(Some(geo.restriction_type.as_str())),
                ),
                ("locations", list(geo.items())),
            ]);
            block([("geo_restriction", blocks([geo]))])
        });
    object.set("restrictions", blocks(geo));
    object.set(
        "viewer_certificate",
        blocks(told.viewer_certificate.as_ref().map(certificate)),
    );
    let function = told.connection_function_association.as_ref();
    object.set(
        "connection_function_association",
        blocks(function.map(|function| block([("id", text(Some(&function.id)))]))),
    );
    let tags = told.cache_tag_config.as_ref();
    object.set(
        "cache_tag_config",
        blocks(tags.map(|tags| block([("header_name", text(Some(&tags.header_name)))]))),
    );
    let mtls = told.viewer_mtls_config.as_ref().map(|mtls| {
        let store = mtls.trust_store_config.as_ref().map(|store| {
            block([
                ("trust_store_id", text(Some(&store.trust_store_id))),
                (
                    "advertise_trust_store_ca_names",
                    store
                        .advertise_trust_store_ca_names
                        .unwrap_or(false)
                        .into_value(),
                ),
                (
                    "ignore_certificate_expiry",
                    store
                        .ignore_certificate_expiry
                        .unwrap_or(false)
                        .into_value(),
                ),
            ])
        });
        block([
            ("mode", text(Some(mtls.mode.as_str()))),
            ("trust_store_config", blocks(store)),
        ])
    });
    object.set("viewer_mtls_config", blocks(mtls));
    object
}

fn certificate(told: &ViewerCertificate) -> Value {
    // A certificate of CloudFront's own is all that there is to say.
    let own = told.cloud_front_default_certificate.unwrap_or(false)
        && told.acm_certificate_arn().unwrap_or_default().is_empty()
        && told.iam_certificate_id().unwrap_or_default().is_empty();
    let support = told.ssl_support_method.as_ref().filter(|_| !own);
    block([
        ("cloudfront_default_certificate", own.into_value()),
        (
            "acm_certificate_arn",
            text(told.acm_certificate_arn.as_deref()),
        ),
        (
            "iam_certificate_id",
            text(told.iam_certificate_id.as_deref()),
        ),
        (
            "ssl_support_method",
            text(support.map(SslSupportMethod::as_str)),
        ),
        (
            "minimum_protocol_version",
            text(
                told.minimum_protocol_version
                    .as_ref()
                    .map(MinimumProtocolVersion::as_str),
            ),
        ),
    ])
}

fn error_response(told: &CustomErrorResponse) -> Value {
    let code = told
        .response_code
        .as_ref()
        .and_then(|code| code.parse::<i64>().ok());
    block([
        ("error_code", Value::int(told.error_code.into())),
        (
            "error_caching_min_ttl",
            number_or_null(told.error_caching_min_ttl),
        ),
        ("response_code", number_or_null(code)),
        (
            "response_page_path",
            text(told.response_page_path.as_deref()),
        ),
    ])
}

fn group(told: &OriginGroup) -> Value {
    let codes = told
        .failover_criteria
        .as_ref()
        .and_then(|criteria| criteria.status_codes.as_ref());
    let codes = codes.map(|codes| codes.items.iter().map(|code| Value::int((*code).into())));
    let codes = Value::list(Type::Number, codes.into_iter().flatten());
    let members = told
        .members
        .as_ref()
        .map(OriginGroupMembers::items)
        .unwrap_or_default();
    block([
        ("origin_id", text(Some(&told.id))),
        (
            "failover_criteria",
            blocks([block([("status_codes", codes)])]),
        ),
        (
            "member",
            blocks(
                members
                    .iter()
                    .map(|member| block([("origin_id", text(Some(&member.origin_id)))])),
            ),
        ),
    ])
}

fn origin(told: &Origin) -> Value {
    let headers = told
        .custom_headers
        .as_ref()
        .map(CustomHeaders::items)
        .unwrap_or_default();
    let headers = headers.iter().map(|header| {
        block([
            ("name", text(Some(&header.header_name))),
            ("value", text(Some(&header.header_value))),
        ])
    });
    let custom = told.custom_origin_config.as_ref().map(|custom| {
        let protocols = custom
            .origin_ssl_protocols
            .as_ref()
            .map(OriginSslProtocols::items)
            .unwrap_or_default();
        let protocols: Vec<&str> = protocols.iter().map(SslProtocol::as_str).collect();
        block([
            ("http_port", Value::int(custom.http_port.into())),
            ("https_port", Value::int(custom.https_port.into())),
            (
                "origin_protocol_policy",
                text(Some(custom.origin_protocol_policy.as_str())),
            ),
            ("origin_ssl_protocols", list(&protocols)),
            ("origin_read_timeout", number(custom.origin_read_timeout)),
            (
                "origin_keepalive_timeout",
                number(custom.origin_keepalive_timeout),
            ),
            (
                "ip_address_type",
                text(custom.ip_address_type.as_ref().map(IpAddressType::as_str)),
            ),
        ])
    });
    let vpc = told.vpc_origin_config.as_ref().map(|vpc| {
        block([
            ("vpc_origin_id", text(Some(&vpc.vpc_origin_id))),
            ("owner_account_id", text(vpc.owner_account_id.as_deref())),
            ("origin_read_timeout", number(vpc.origin_read_timeout)),
            (
                "origin_keepalive_timeout",
                number(vpc.origin_keepalive_timeout),
            ),
        ])
    });
    let shield = told
        .origin_shield
        .as_ref()
        .filter(|shield| shield.enabled || shield.origin_shield_region.is_some());
    let shield = shield.map(|shield| {
        block([
            ("enabled", shield.enabled.into_value()),
            (
                "origin_shield_region",
                text(shield.origin_shield_region.as_deref()),
            ),
        ])
    });
    let identity = told
        .s3_origin_config
        .as_ref()
        .map(|bucket| bucket.origin_access_identity.as_str());
    let bucket = identity.filter(|identity| !identity.is_empty());
    let bucket = bucket.map(|identity| block([("origin_access_identity", text(Some(identity)))]));
    block([
        ("origin_id", text(Some(&told.id))),
        ("domain_name", text(Some(&told.domain_name))),
        ("origin_path", text(told.origin_path.as_deref())),
        ("connection_attempts", number(told.connection_attempts)),
        ("connection_timeout", number(told.connection_timeout)),
        (
            "response_completion_timeout",
            number(told.response_completion_timeout),
        ),
        (
            "origin_access_control_id",
            text(told.origin_access_control_id.as_deref()),
        ),
        ("custom_header", blocks(headers)),
        ("custom_origin_config", blocks(custom)),
        ("vpc_origin_config", blocks(vpc)),
        ("origin_shield", blocks(shield)),
        ("s3_origin_config", blocks(bucket)),
    ])
}

/// Both kinds of behaviours tell the same.
macro_rules! behaviour {
    ($told:ident, $pattern:expr) => {{
        let methods =
            |methods: &[Method]| list(&methods.iter().map(Method::as_str).collect::<Vec<_>>());
        let allowed = $told.allowed_methods.as_ref();
        let cached = allowed.and_then(|allowed| allowed.cached_methods.as_ref());
        let signers = $told
            .trusted_signers
            .as_ref()
            .map(TrustedSigners::items)
            .unwrap_or_default();
        let groups = $told
            .trusted_key_groups
            .as_ref()
            .map(TrustedKeyGroups::items)
            .unwrap_or_default();
        let functions = $told
            .function_associations
            .as_ref()
            .map(FunctionAssociations::items)
            .unwrap_or_default();
        let at_edge = $told
            .lambda_function_associations
            .as_ref()
            .map(LambdaFunctionAssociations::items)
            .unwrap_or_default();
        // By a policy, values are forwarded as it says.
        let forwarded_values = $told
            .forwarded_values
            .as_ref()
            .filter(|_| $told.cache_policy_id().unwrap_or_default().is_empty());
        let grpc = $told
            .grpc_config
            .as_ref()
            .map(|grpc| block([("enabled", grpc.enabled.into_value())]));
        let mut parts = vec![
            (
                "allowed_methods",
                methods(allowed.map(AllowedMethods::items).unwrap_or_default()),
            ),
            (
                "cached_methods",
                methods(cached.map(CachedMethods::items).unwrap_or_default()),
            ),
            ("cache_policy_id", text($told.cache_policy_id.as_deref())),
            ("compress", $told.compress.unwrap_or(false).into_value()),
            ("default_ttl", number($told.default_ttl)),
            ("max_ttl", number($told.max_ttl)),
            ("min_ttl", number($told.min_ttl)),
            (
                "field_level_encryption_id",
                text($told.field_level_encryption_id.as_deref()),
            ),
            (
                "origin_request_policy_id",
                text($told.origin_request_policy_id.as_deref()),
            ),
            (
                "realtime_log_config_arn",
                text($told.realtime_log_config_arn.as_deref()),
            ),
            (
                "response_headers_policy_id",
                text($told.response_headers_policy_id.as_deref()),
            ),
            (
                "smooth_streaming",
                $told.smooth_streaming.unwrap_or(false).into_value(),
            ),
            ("target_origin_id", text(Some(&$told.target_origin_id))),
            ("trusted_key_groups", list(groups)),
            ("trusted_signers", list(signers)),
            (
                "viewer_protocol_policy",
                text(Some($told.viewer_protocol_policy.as_str())),
            ),
            ("forwarded_values", blocks(forwarded_values.map(forwarded))),
            (
                "function_association",
                blocks(functions.iter().map(function)),
            ),
            (
                "lambda_function_association",
                blocks(at_edge.iter().map(function_at_edge)),
            ),
            ("grpc_config", blocks(grpc)),
        ];
        parts.extend($pattern);
        Value::object(parts)
    }};
}

#[expect(deprecated, reason = "configurations without a cache policy have it")]
fn default_behavior(told: &DefaultCacheBehavior) -> Value {
    behaviour!(told, None)
}

#[expect(deprecated, reason = "configurations without a cache policy have it")]
fn behavior(told: &CacheBehavior) -> Value {
    behaviour!(told, Some(("path_pattern", text(Some(&told.path_pattern)))))
}

fn function(told: &FunctionAssociation) -> Value {
    block([
        ("event_type", text(Some(told.event_type.as_str()))),
        ("function_arn", text(Some(&told.function_arn))),
    ])
}

fn function_at_edge(told: &LambdaFunctionAssociation) -> Value {
    block([
        ("event_type", text(Some(told.event_type.as_str()))),
        ("lambda_arn", text(Some(&told.lambda_function_arn))),
        (
            "include_body",
            told.include_body.unwrap_or(false).into_value(),
        ),
    ])
}

fn forwarded(told: &ForwardedValues) -> Value {
    let cookies = told.cookies.as_ref().map(|cookies| {
        let names = cookies
            .whitelisted_names
            .as_ref()
            .map(CookieNames::items)
            .unwrap_or_default();
        block([
            ("forward", text(Some(cookies.forward.as_str()))),
            ("whitelisted_names", list(names)),
        ])
    });
    let headers = told
        .headers
        .as_ref()
        .map(Headers::items)
        .unwrap_or_default();
    let keys = told
        .query_string_cache_keys
        .as_ref()
        .map(QueryStringCacheKeys::items)
        .unwrap_or_default();
    block([
        ("query_string", told.query_string.into_value()),
        ("headers", list(headers)),
        ("query_string_cache_keys", list(keys)),
        ("cookies", blocks(cookies)),
    ])
}
