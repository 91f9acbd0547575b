//! A distribution's settings as CloudFront takes them, of what is planned.

use aws_sdk_cloudfront::types::{
    Aliases, AllowedMethods, CacheBehavior, CacheBehaviors, CacheTagConfig, CachedMethods,
    ConnectionFunctionAssociation, CookieNames, CookiePreference, CustomErrorResponse,
    CustomErrorResponses, CustomHeaders, CustomOriginConfig, DefaultCacheBehavior,
    DistributionConfig, EventType, ForwardedValues, FunctionAssociation, FunctionAssociations,
    GeoRestriction, GrpcConfig, Headers, LambdaFunctionAssociation, LambdaFunctionAssociations,
    LoggingConfig, Method, Origin, OriginCustomHeader, OriginGroup, OriginGroupFailoverCriteria,
    OriginGroupMember, OriginGroupMembers, OriginGroups, OriginShield, OriginSslProtocols, Origins,
    QueryStringCacheKeys, Restrictions, S3OriginConfig, SslProtocol, StatusCodes, TrustStoreConfig,
    TrustedKeyGroups, TrustedSigners, ViewerCertificate, ViewerMtlsConfig, VpcOriginConfig,
};
use aws_smithy_types::error::operation::BuildError;
use terrace_provider_sdk::{Object, Value};

use crate::blocks::{all, count, given, one, texts};

type Built<T> = Result<T, BuildError>;

/// How many there are, as CloudFront wants to be told.
fn quantity<T>(items: &[T]) -> i32 {
    i32::try_from(items.len()).unwrap_or(i32::MAX)
}

fn small(object: &Object, name: &str) -> Option<i32> {
    object
        .whole(name)
        .and_then(|number| i32::try_from(number).ok())
}

fn flag(object: &Object, name: &str) -> bool {
    object.flag(name).unwrap_or(false)
}

fn owned(object: &Object, name: &str) -> String {
    given(object, name).unwrap_or_default()
}

/// All settings. `reference` is what a distribution is known by since it was first asked for.
pub(super) fn config(
    planned: &Object,
    reference: &str,
    enabled: bool,
) -> Built<DistributionConfig> {
    let aliases = texts(planned, "aliases").unwrap_or_default();
    let origins = all(planned, "origin")
        .iter()
        .map(origin)
        .collect::<Built<Vec<_>>>()?;
    let groups = all(planned, "origin_group")
        .iter()
        .map(group)
        .collect::<Built<Vec<_>>>()?;
    let ordered = all(planned, "ordered_cache_behavior");
    let ordered = ordered.iter().map(behavior).collect::<Built<Vec<_>>>()?;
    let errors = all(planned, "custom_error_response");
    let errors = errors
        .iter()
        .map(error_response)
        .collect::<Built<Vec<_>>>()?;
    let default = one(planned, "default_cache_behavior").unwrap_or_default();
    let restriction = one(planned, "restrictions").and_then(|all| one(&all, "geo_restriction"));
    let certificate = one(planned, "viewer_certificate").unwrap_or_default();
    let function = one(planned, "connection_function_association").map(|found| {
        ConnectionFunctionAssociation::builder()
            .id(owned(&found, "id"))
            .build()
    });
    let tags = one(planned, "cache_tag_config").map(|found| {
        CacheTagConfig::builder()
            .header_name(owned(&found, "header_name"))
            .build()
    });
    DistributionConfig::builder()
        .caller_reference(reference)
        .aliases(
            Aliases::builder()
                .quantity(quantity(&aliases))
                .set_items(Some(aliases))
                .build()?,
        )
        .default_root_object(owned(planned, "default_root_object"))
        .origins(
            Origins::builder()
                .quantity(quantity(&origins))
                .set_items(Some(origins))
                .build()?,
        )
        .set_origin_groups(Some(
            OriginGroups::builder()
                .quantity(quantity(&groups))
                .set_items(some(groups))
                .build()?,
        ))
        .default_cache_behavior(default_behavior(&default)?)
        .cache_behaviors(
            CacheBehaviors::builder()
                .quantity(quantity(&ordered))
                .set_items(some(ordered))
                .build()?,
        )
        .custom_error_responses(
            CustomErrorResponses::builder()
                .quantity(quantity(&errors))
                .set_items(some(errors))
                .build()?,
        )
        .comment(owned(planned, "comment"))
        .logging(logging(one(planned, "logging_config").as_ref()))
        .price_class(owned(planned, "price_class").as_str().into())
        .enabled(enabled)
        .viewer_certificate(viewer_certificate(&certificate))
        .restrictions(
            Restrictions::builder()
                .geo_restriction(geo(&restriction.unwrap_or_default())?)
                .build(),
        )
        .web_acl_id(owned(planned, "web_acl_id"))
        .http_version(
            owned(planned, "http_version")
                .to_lowercase()
                .as_str()
                .into(),
        )
        .is_ipv6_enabled(flag(planned, "is_ipv6_enabled"))
        .continuous_deployment_policy_id(owned(planned, "continuous_deployment_policy_id"))
        .staging(flag(planned, "staging"))
        .set_anycast_ip_list_id(given(planned, "anycast_ip_list_id"))
        .set_viewer_mtls_config(
            one(planned, "viewer_mtls_config")
                .as_ref()
                .map(viewer_mtls)
                .transpose()?,
        )
        .set_connection_function_association(function.transpose()?)
        .set_cache_tag_config(tags.transpose()?)
        .build()
}

/// Nothing where there is none.
fn some<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}

fn viewer_mtls(found: &Object) -> Built<ViewerMtlsConfig> {
    let store = one(found, "trust_store_config").map(|store| {
        TrustStoreConfig::builder()
            .trust_store_id(owned(&store, "trust_store_id"))
            .advertise_trust_store_ca_names(flag(&store, "advertise_trust_store_ca_names"))
            .ignore_certificate_expiry(flag(&store, "ignore_certificate_expiry"))
            .build()
    });
    Ok(ViewerMtlsConfig::builder()
        .set_mode(given(found, "mode").map(|mode| mode.as_str().into()))
        .set_trust_store_config(store.transpose()?)
        .build())
}

fn geo(found: &Object) -> Built<GeoRestriction> {
    let places = texts(found, "locations").unwrap_or_default();
    GeoRestriction::builder()
        .restriction_type(owned(found, "restriction_type").as_str().into())
        .quantity(quantity(&places))
        .set_items(some(places))
        .build()
}

fn viewer_certificate(found: &Object) -> ViewerCertificate {
    let builder = ViewerCertificate::builder();
    let version = given(found, "minimum_protocol_version").map(|version| version.as_str().into());
    let support = given(found, "ssl_support_method").map(|method| method.as_str().into());
    let (iam, acm) = (
        given(found, "iam_certificate_id"),
        given(found, "acm_certificate_arn"),
    );
    if iam.is_none() && acm.is_none() {
        return builder.cloud_front_default_certificate(true).build();
    }
    builder
        .set_iam_certificate_id(iam)
        .set_acm_certificate_arn(acm)
        .set_ssl_support_method(support)
        .set_minimum_protocol_version(version)
        .build()
}

fn logging(found: Option<&Object>) -> LoggingConfig {
    let bucket = found.and_then(|found| given(found, "bucket"));
    LoggingConfig::builder()
        .enabled(bucket.is_some())
        .include_cookies(found.is_some_and(|found| flag(found, "include_cookies")))
        .bucket(bucket.unwrap_or_default())
        .prefix(
            found
                .map(|found| owned(found, "prefix"))
                .unwrap_or_default(),
        )
        .build()
}

fn error_response(found: &Object) -> Built<CustomErrorResponse> {
    CustomErrorResponse::builder()
        .set_error_code(small(found, "error_code"))
        .set_error_caching_min_ttl(found.whole("error_caching_min_ttl"))
        .response_code(
            count(found, "response_code")
                .map(|code| code.to_string())
                .unwrap_or_default(),
        )
        .response_page_path(owned(found, "response_page_path"))
        .build()
}

fn group(found: &Object) -> Built<OriginGroup> {
    let criteria = one(found, "failover_criteria").unwrap_or_default();
    let numbers = criteria
        .items("status_codes")
        .iter()
        .filter_map(Value::as_number);
    let codes: Vec<i32> = numbers
        .filter_map(|code| i32::try_from(code.to_i64()?).ok())
        .collect();
    let members = all(found, "member").into_iter().map(|member| {
        OriginGroupMember::builder()
            .origin_id(owned(&member, "origin_id"))
            .build()
    });
    let members = members.collect::<Built<Vec<_>>>()?;
    let codes = StatusCodes::builder()
        .quantity(quantity(&codes))
        .set_items(Some(codes))
        .build()?;
    OriginGroup::builder()
        .id(owned(found, "origin_id"))
        .failover_criteria(
            OriginGroupFailoverCriteria::builder()
                .status_codes(codes)
                .build(),
        )
        .members(
            OriginGroupMembers::builder()
                .quantity(quantity(&members))
                .set_items(Some(members))
                .build()?,
        )
        .build()
}

fn origin(found: &Object) -> Built<Origin> {
    let headers = all(found, "custom_header").into_iter().map(|header| {
        OriginCustomHeader::builder()
            .header_name(owned(&header, "name"))
            .header_value(owned(&header, "value"))
            .build()
    });
    let headers = headers.collect::<Built<Vec<_>>>()?;
    let shield = one(found, "origin_shield").map(|shield| {
        OriginShield::builder()
            .enabled(flag(&shield, "enabled"))
            .set_origin_shield_region(given(&shield, "origin_shield_region"))
            .build()
    });
    let custom = one(found, "custom_origin_config")
        .as_ref()
        .map(custom_origin)
        .transpose()?;
    let vpc = one(found, "vpc_origin_config").map(|vpc| {
        VpcOriginConfig::builder()
            .vpc_origin_id(owned(&vpc, "vpc_origin_id"))
            .set_owner_account_id(given(&vpc, "owner_account_id"))
            .set_origin_keepalive_timeout(small(&vpc, "origin_keepalive_timeout"))
            .set_origin_read_timeout(small(&vpc, "origin_read_timeout"))
            .build()
    });
    let vpc = vpc.transpose()?;
    let bucket =
        one(found, "s3_origin_config").map(|bucket| owned(&bucket, "origin_access_identity"));
    // What is neither else is a bucket.
    let bucket = bucket.or_else(|| (custom.is_none() && vpc.is_none()).then(String::new));
    Origin::builder()
        .id(owned(found, "origin_id"))
        .domain_name(owned(found, "domain_name"))
        .origin_path(owned(found, "origin_path"))
        .custom_headers(
            CustomHeaders::builder()
                .quantity(quantity(&headers))
                .set_items(some(headers))
                .build()?,
        )
        .set_s3_origin_config(bucket.map(|identity| {
            S3OriginConfig::builder()
                .origin_access_identity(identity)
                .build()
        }))
        .set_custom_origin_config(custom)
        .set_vpc_origin_config(vpc)
        .set_connection_attempts(small(found, "connection_attempts"))
        .set_connection_timeout(small(found, "connection_timeout"))
        .set_response_completion_timeout(count(found, "response_completion_timeout"))
        .set_origin_shield(shield.transpose()?)
        .origin_access_control_id(owned(found, "origin_access_control_id"))
        .build()
}

fn custom_origin(found: &Object) -> Built<CustomOriginConfig> {
    let protocols = texts(found, "origin_ssl_protocols").unwrap_or_default();
    let protocols: Vec<SslProtocol> = protocols.iter().map(|text| text.as_str().into()).collect();
    CustomOriginConfig::builder()
        .set_http_port(small(found, "http_port"))
        .set_https_port(small(found, "https_port"))
        .origin_protocol_policy(owned(found, "origin_protocol_policy").as_str().into())
        .origin_ssl_protocols(
            OriginSslProtocols::builder()
                .quantity(quantity(&protocols))
                .set_items(Some(protocols))
                .build()?,
        )
        .set_origin_read_timeout(small(found, "origin_read_timeout"))
        .set_origin_keepalive_timeout(small(found, "origin_keepalive_timeout"))
        .set_ip_address_type(given(found, "ip_address_type").map(|ty| ty.as_str().into()))
        .build()
}

/// Both kinds of behaviours have these settings.
macro_rules! behaviour {
    ($builder:expr, $found:ident) => {{
        let found: &Object = $found;
        let policy = given(found, "cache_policy_id");
        let ttl = |name: &str| found.whole(name).filter(|_| policy.is_none());
        $builder
            .target_origin_id(owned(found, "target_origin_id"))
            .viewer_protocol_policy(owned(found, "viewer_protocol_policy").as_str().into())
            .allowed_methods(methods(found)?)
            .smooth_streaming(flag(found, "smooth_streaming"))
            .compress(flag(found, "compress"))
            .lambda_function_associations(functions_at_edge(found)?)
            .function_associations(functions(found)?)
            .field_level_encryption_id(owned(found, "field_level_encryption_id"))
            .set_realtime_log_config_arn(given(found, "realtime_log_config_arn"))
            .set_origin_request_policy_id(given(found, "origin_request_policy_id"))
            .set_response_headers_policy_id(given(found, "response_headers_policy_id"))
            .set_grpc_config(grpc(found)?)
            .set_forwarded_values(
                one(found, "forwarded_values")
                    .as_ref()
                    .map(forwarded)
                    .transpose()?,
            )
            .set_min_ttl(ttl("min_ttl"))
            .set_default_ttl(ttl("default_ttl"))
            .set_max_ttl(ttl("max_ttl"))
            .trusted_signers(signers(found)?)
            .trusted_key_groups(key_groups(found)?)
            .set_cache_policy_id(policy)
    }};
}

#[expect(deprecated, reason = "configurations without a cache policy have it")]
fn default_behavior(found: &Object) -> Built<DefaultCacheBehavior> {
    behaviour!(DefaultCacheBehavior::builder(), found).build()
}

#[expect(deprecated, reason = "configurations without a cache policy have it")]
fn behavior(found: &Object) -> Built<CacheBehavior> {
    let builder = CacheBehavior::builder().path_pattern(owned(found, "path_pattern"));
    behaviour!(builder, found).build()
}

fn methods(found: &Object) -> Built<AllowedMethods> {
    let of = |name: &str| -> Vec<Method> {
        let methods = texts(found, name).unwrap_or_default();
        methods
            .iter()
            .map(|method| method.as_str().into())
            .collect()
    };
    let (allowed, cached) = (of("allowed_methods"), of("cached_methods"));
    AllowedMethods::builder()
        .quantity(quantity(&allowed))
        .set_items(Some(allowed))
        .cached_methods(
            CachedMethods::builder()
                .quantity(quantity(&cached))
                .set_items(Some(cached))
                .build()?,
        )
        .build()
}

fn functions(found: &Object) -> Built<FunctionAssociations> {
    let items = all(found, "function_association")
        .into_iter()
        .map(|function| {
            FunctionAssociation::builder()
                .function_arn(owned(&function, "function_arn"))
                .event_type(EventType::from(owned(&function, "event_type").as_str()))
                .build()
        });
    let items = items.collect::<Built<Vec<_>>>()?;
    FunctionAssociations::builder()
        .quantity(quantity(&items))
        .set_items(some(items))
        .build()
}

fn functions_at_edge(found: &Object) -> Built<LambdaFunctionAssociations> {
    let items = all(found, "lambda_function_association")
        .into_iter()
        .map(|function| {
            LambdaFunctionAssociation::builder()
                .lambda_function_arn(owned(&function, "lambda_arn"))
                .event_type(EventType::from(owned(&function, "event_type").as_str()))
                .include_body(flag(&function, "include_body"))
                .build()
        });
    let items = items.collect::<Built<Vec<_>>>()?;
    LambdaFunctionAssociations::builder()
        .quantity(quantity(&items))
        .set_items(some(items))
        .build()
}

fn grpc(found: &Object) -> Built<Option<GrpcConfig>> {
    let grpc = one(found, "grpc_config");
    grpc.map(|grpc| {
        GrpcConfig::builder()
            .enabled(flag(&grpc, "enabled"))
            .build()
    })
    .transpose()
}

fn signers(found: &Object) -> Built<TrustedSigners> {
    let items = texts(found, "trusted_signers").unwrap_or_default();
    TrustedSigners::builder()
        .enabled(!items.is_empty())
        .quantity(quantity(&items))
        .set_items(some(items))
        .build()
}

fn key_groups(found: &Object) -> Built<TrustedKeyGroups> {
    let items = texts(found, "trusted_key_groups").unwrap_or_default();
    TrustedKeyGroups::builder()
        .enabled(!items.is_empty())
        .quantity(quantity(&items))
        .set_items(some(items))
        .build()
}

fn forwarded(found: &Object) -> Built<ForwardedValues> {
    let cookies = one(found, "cookies").unwrap_or_default();
    let names = texts(&cookies, "whitelisted_names").unwrap_or_default();
    let listed = !names.is_empty();
    let names = CookieNames::builder()
        .quantity(quantity(&names))
        .set_items(some(names))
        .build()?;
    let cookies = CookiePreference::builder()
        .forward(owned(&cookies, "forward").as_str().into())
        .set_whitelisted_names(listed.then_some(names))
        .build()?;
    let headers = texts(found, "headers").unwrap_or_default();
    let keys = texts(found, "query_string_cache_keys").unwrap_or_default();
    ForwardedValues::builder()
        .query_string(flag(found, "query_string"))
        .cookies(cookies)
        .headers(
            Headers::builder()
                .quantity(quantity(&headers))
                .set_items(some(headers))
                .build()?,
        )
        .query_string_cache_keys(
            QueryStringCacheKeys::builder()
                .quantity(quantity(&keys))
                .set_items(some(keys))
                .build()?,
        )
        .build()
}
