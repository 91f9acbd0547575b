//! Nested blocks as Rust types.

use std::collections::BTreeSet;

use terrace_provider_sdk::Data;

#[derive(Data)]
pub(super) struct ActiveDirectory {
    pub(super) domain_guid: String,
    pub(super) domain_name: String,
    pub(super) domain_sid: Option<String>,
    pub(super) forest_name: Option<String>,
    pub(super) netbios_domain_name: Option<String>,
    pub(super) storage_sid: Option<String>,
}

#[derive(Data)]
pub(super) struct FilesAuthentication {
    pub(super) active_directory: Option<Vec<ActiveDirectory>>,
    pub(super) default_share_level_permission: Option<String>,
    pub(super) directory_type: String,
}

#[derive(Data)]
pub(super) struct CustomDomainName {
    pub(super) name: String,
    pub(super) use_subdomain: Option<bool>,
}

#[derive(Data)]
pub(super) struct CustomerKey {
    pub(super) key_vault_key_id: String,
    pub(super) user_assigned_identity_id: String,
}

#[derive(Data)]
pub(super) struct ManagedIdentity {
    pub(super) identity_ids: Option<BTreeSet<String>>,
    pub(super) principal_id: Option<String>,
    pub(super) tenant_id: Option<String>,
    #[data(name = "type")]
    pub(super) kind: String,
}

#[derive(Data)]
pub(super) struct ImmutabilityPolicy {
    pub(super) allow_protected_append_writes: bool,
    pub(super) period_since_creation_in_days: i64,
    pub(super) state: String,
}

#[derive(Data)]
pub(super) struct PrivateLinkAccess {
    pub(super) endpoint_resource_id: String,
    pub(super) endpoint_tenant_id: Option<String>,
}

#[derive(Data)]
pub(super) struct NetworkRules {
    pub(super) bypass: Option<BTreeSet<String>>,
    pub(super) default_action: String,
    pub(super) ip_rules: Option<BTreeSet<String>>,
    pub(super) private_link_access: Option<Vec<PrivateLinkAccess>>,
    pub(super) virtual_network_subnet_ids: Option<BTreeSet<String>>,
}

#[derive(Data)]
pub(super) struct Routing {
    pub(super) choice: Option<String>,
    pub(super) publish_internet_endpoints: Option<bool>,
    pub(super) publish_microsoft_endpoints: Option<bool>,
}

#[derive(Data)]
pub(super) struct SignaturePolicy {
    pub(super) expiration_action: Option<String>,
    pub(super) expiration_period: String,
}

#[derive(Data)]
pub(super) struct Cors {
    pub(super) allowed_headers: Vec<String>,
    pub(super) allowed_methods: Vec<String>,
    pub(super) allowed_origins: Vec<String>,
    pub(super) exposed_headers: Vec<String>,
    pub(super) max_age_in_seconds: i64,
}

#[derive(Data)]
pub(super) struct Days {
    pub(super) days: Option<i64>,
}

#[derive(Data)]
pub(super) struct DeleteRetention {
    pub(super) days: Option<i64>,
    pub(super) permanent_delete_enabled: Option<bool>,
}

#[derive(Data)]
pub(super) struct BlobService {
    pub(super) change_feed_enabled: Option<bool>,
    pub(super) change_feed_retention_in_days: Option<i64>,
    pub(super) container_delete_retention_policy: Option<Vec<Days>>,
    pub(super) cors_rule: Option<Vec<Cors>>,
    pub(super) default_service_version: Option<String>,
    pub(super) delete_retention_policy: Option<Vec<DeleteRetention>>,
    pub(super) last_access_time_enabled: Option<bool>,
    pub(super) restore_policy: Option<Vec<Days>>,
    pub(super) versioning_enabled: Option<bool>,
}

#[derive(Data)]
pub(super) struct Smb {
    pub(super) authentication_types: Option<BTreeSet<String>>,
    pub(super) channel_encryption_type: Option<BTreeSet<String>>,
    pub(super) kerberos_ticket_encryption_type: Option<BTreeSet<String>>,
    pub(super) multichannel_enabled: Option<bool>,
    pub(super) versions: Option<BTreeSet<String>>,
}

#[derive(Data)]
pub(super) struct ShareService {
    pub(super) cors_rule: Option<Vec<Cors>>,
    pub(super) retention_policy: Option<Vec<Days>>,
    pub(super) smb: Option<Vec<Smb>>,
}
