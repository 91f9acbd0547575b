//! Arguments that are known to be fixed for the life of an object: a provider replaces it to change them.
//!
//! The plugin protocol does not say in schemas which these are; only a plan does. For widely used types they are listed
//! here, so that a change of one is seen without credentials.

/// Whether a change of `argument` of a resource of the type `type_name` replaces its objects.
pub(crate) fn replaces(type_name: &str, argument: &str) -> bool {
    let listed = |(types, arguments): &(&[&str], &[&str])| {
        types.iter().any(|known| matches(known, type_name))
            && arguments.iter().any(|known| matches(known, argument))
    };
    FIXED.iter().any(listed)
}

/// A name, or a name that begins as `pattern` does, where that ends with a star.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => pattern == name,
    }
}

const FIXED: &[(&[&str], &[&str])] = &[
    (&["terraform_data"], &["triggers_replace"]),
    (&["null_resource"], &["triggers"]),
    (
        &[
            "random_id",
            "random_integer",
            "random_password",
            "random_pet",
            "random_shuffle",
            "random_string",
            "random_uuid",
            "random_bytes",
        ],
        &["*"],
    ),
    (
        &["tls_private_key"],
        &["algorithm", "rsa_bits", "ecdsa_curve"],
    ),
    (
        &[
            "tls_self_signed_cert",
            "tls_locally_signed_cert",
            "tls_cert_request",
        ],
        &[
            "private_key_pem",
            "subject.*",
            "dns_names",
            "ip_addresses",
            "allowed_uses",
        ],
    ),
    (
        &["local_file", "local_sensitive_file"],
        &["filename", "content", "content_base64", "source"],
    ),
    (
        &["time_static", "time_sleep", "time_rotating"],
        &["triggers"],
    ),
    (&["aws_vpc"], &["cidr_block", "ipv4_ipam_pool_id"]),
    (
        &["aws_subnet"],
        &[
            "cidr_block",
            "availability_zone",
            "availability_zone_id",
            "vpc_id",
        ],
    ),
    (
        &["aws_instance"],
        &[
            "ami",
            "availability_zone",
            "subnet_id",
            "key_name",
            "placement_group",
        ],
    ),
    (
        &["aws_security_group", "aws_lb_target_group"],
        &[
            "name",
            "name_prefix",
            "description",
            "vpc_id",
            "port",
            "protocol",
            "target_type",
        ],
    ),
    (
        &["aws_s3_bucket"],
        &["bucket", "bucket_prefix", "object_lock_enabled"],
    ),
    (
        &["aws_iam_role", "aws_iam_policy", "aws_iam_instance_profile"],
        &["name", "name_prefix", "path"],
    ),
    (
        &["aws_db_instance"],
        &[
            "engine",
            "username",
            "db_name",
            "kms_key_id",
            "storage_encrypted",
            "db_subnet_group_name",
        ],
    ),
    (
        &["aws_rds_cluster"],
        &[
            "cluster_identifier",
            "engine",
            "master_username",
            "database_name",
            "kms_key_id",
        ],
    ),
    (&["aws_dynamodb_table"], &["name", "hash_key", "range_key"]),
    (&["aws_lambda_function"], &["function_name", "package_type"]),
    (
        &["aws_sqs_queue", "aws_sns_topic"],
        &["name", "name_prefix", "fifo_queue", "fifo_topic"],
    ),
    (
        &["aws_lb", "aws_alb"],
        &["name", "name_prefix", "internal", "load_balancer_type"],
    ),
    (&["aws_ecr_repository", "aws_ecs_cluster"], &["name"]),
    (&["aws_eks_cluster"], &["name", "role_arn"]),
    (
        &["aws_ebs_volume"],
        &[
            "availability_zone",
            "encrypted",
            "kms_key_id",
            "snapshot_id",
        ],
    ),
    (&["aws_cloudwatch_log_group"], &["name", "name_prefix"]),
    (&["aws_route53_zone"], &["name"]),
    (&["aws_nat_gateway"], &["subnet_id", "allocation_id"]),
    (&["azurerm_*"], &["name", "location", "resource_group_name"]),
    (
        &[
            "google_compute_*",
            "google_storage_bucket",
            "google_sql_database_instance",
            "google_container_*",
        ],
        &["name", "project", "region", "zone", "location"],
    ),
    (&["kubernetes_*"], &["metadata.name", "metadata.namespace"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_known_by_type() {
        assert!(replaces("terraform_data", "triggers_replace"));
        assert!(!replaces("terraform_data", "input"));
        assert!(replaces("random_pet", "length"));
        assert!(replaces("azurerm_storage_account", "location"));
        assert!(!replaces("aws_s3_bucket", "tags"));
    }
}
