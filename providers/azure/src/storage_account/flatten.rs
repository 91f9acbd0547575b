//! What Azure says of an account, as a state.

use azure_mgmt_storage::package_2023_05::models::{
    AzureFilesIdentityBasedAuthentication, Encryption, Identity, NetworkRuleSet, StorageAccount,
    StorageAccountProperties,
};
use serde_json::Value as Json;
use terrace_provider_sdk::{Data, Object};

use super::blocks::{
    ActiveDirectory, CustomDomainName, CustomerKey, FilesAuthentication, ImmutabilityPolicy,
    ManagedIdentity, NetworkRules, PrivateLinkAccess, Routing, SignaturePolicy,
};
use super::endpoints;
use super::keys::KeyId;
use crate::common::{location, name_of, name_or_empty, of_text_map};
use crate::ids::AccountId;

/// A block that is there at most once.
pub(super) fn at_most_one<T: Data>(block: Option<T>) -> Vec<T> {
    block.into_iter().collect()
}

/// The state of an account: `before` with what Azure says.
pub(super) fn flatten(before: &Object, id: &AccountId, account: &StorageAccount) -> Object {
    let mut state = before.clone();
    state.set("id", id.to_string());
    state.set("name", id.name.as_str());
    state.set("resource_group_name", id.group.name.as_str());
    state.set("location", location(&account.tracked_resource.location));
    state.set("account_kind", name_or_empty(account.kind.as_ref()));
    let sku = account.sku.as_ref();
    let name = sku.map(|sku| name_of(&sku.name)).unwrap_or_default();
    let (tier, replication) = name.split_once('_').unwrap_or_default();
    let plain = sku.and_then(|sku| sku.tier.as_ref()).map(name_of);
    let plain = plain.unwrap_or_else(|| tier.to_owned());
    state.set("account_replication_type", replication);
    state.set(
        "provisioned_billing_model_version",
        tier.strip_prefix(&*plain).unwrap_or_default(),
    );
    state.set("account_tier", plain);
    let zone = account.extended_location.as_ref();
    let zone = zone.and_then(|zone| zone.name.as_deref());
    state.set("edge_zone", zone.map(location).unwrap_or_default());
    state.set("identity", at_most_one(identity(account.identity.as_ref())));
    state.set("tags", of_text_map(account.tracked_resource.tags.as_ref()));
    if let Some(properties) = &account.properties {
        set_properties(&mut state, before, properties);
        set_blocks(&mut state, before, properties);
    }
    state
}

fn set_properties(state: &mut Object, before: &Object, found: &StorageAccountProperties) {
    state.set("access_tier", name_or_empty(found.access_tier.as_ref()));
    state.set(
        "allowed_copy_scope",
        name_or_empty(found.allowed_copy_scope.as_ref()),
    );
    let public = name_or_empty(found.public_network_access.as_ref());
    let large = name_or_empty(found.large_file_shares_state.as_ref());
    // Accounts that were made before a property was there do not have it; what it stands for then differs.
    for (name, value) in [
        (
            "allow_nested_items_to_be_public",
            found.allow_blob_public_access.unwrap_or(false),
        ),
        (
            "cross_tenant_replication_enabled",
            found.allow_cross_tenant_replication.unwrap_or(false),
        ),
        (
            "default_to_oauth_authentication",
            found.default_to_o_auth_authentication.unwrap_or(false),
        ),
        (
            "https_traffic_only_enabled",
            found.supports_https_traffic_only.unwrap_or(false),
        ),
        ("is_hns_enabled", found.is_hns_enabled.unwrap_or(false)),
        ("large_file_share_enabled", large == "Enabled"),
        (
            "local_user_enabled",
            found.is_local_user_enabled.unwrap_or(true),
        ),
        ("nfsv3_enabled", found.is_nfs_v3_enabled.unwrap_or(false)),
        ("public_network_access_enabled", public != "Disabled"),
        ("sftp_enabled", found.is_sftp_enabled.unwrap_or(false)),
        (
            "shared_access_key_enabled",
            found.allow_shared_key_access.unwrap_or(true),
        ),
    ] {
        state.set(name, value);
    }
    let named = |name: String, usual: &str| {
        if name.is_empty() {
            usual.to_owned()
        } else {
            name
        }
    };
    state.set(
        "dns_endpoint_type",
        named(name_or_empty(found.dns_endpoint_type.as_ref()), "Standard"),
    );
    state.set(
        "min_tls_version",
        named(name_or_empty(found.minimum_tls_version.as_ref()), "TLS1_0"),
    );
    state.set(
        "primary_location",
        found.primary_location.clone().unwrap_or_default(),
    );
    state.set(
        "secondary_location",
        found.secondary_location.clone().unwrap_or_default(),
    );
    set_encryption(state, found.encryption.as_ref());
    endpoints::set(
        state,
        found.primary_endpoints.as_ref(),
        found.secondary_endpoints.as_ref(),
        found.routing_preference.as_ref(),
    );
    let domain = found.custom_domain.as_ref();
    let domain = domain.filter(|domain| !domain.name.is_empty());
    // Whether the name is checked by a name below it is not said; what was configured stays.
    let sub = before.items("custom_domain").first().and_then(Object::of);
    let sub = sub.and_then(|before| before.flag("use_subdomain"));
    state.set(
        "custom_domain",
        at_most_one(domain.map(|domain| CustomDomainName {
            name: domain.name.clone(),
            use_subdomain: Some(domain.use_sub_domain_name.or(sub).unwrap_or(false)),
        })),
    );
}

fn set_blocks(state: &mut Object, _before: &Object, found: &StorageAccountProperties) {
    let authentication = found.azure_files_identity_based_authentication.as_ref();
    state.set(
        "azure_files_authentication",
        at_most_one(authentication.and_then(files_authentication)),
    );
    let policy = found.immutable_storage_with_versioning.as_ref();
    let policy = policy.and_then(|storage| storage.immutability_policy.as_ref());
    state.set(
        "immutability_policy",
        at_most_one(policy.map(|policy| {
            ImmutabilityPolicy {
                allow_protected_append_writes: policy
                    .allow_protected_append_writes
                    .unwrap_or(false),
                period_since_creation_in_days: policy
                    .immutability_period_since_creation_in_days
                    .map_or(0, i64::from),
                state: name_or_empty(policy.state.as_ref()),
            }
        })),
    );
    state.set(
        "network_rules",
        at_most_one(found.network_acls.as_ref().and_then(network_rules)),
    );
    let routing = found.routing_preference.as_ref();
    state.set(
        "routing",
        at_most_one(routing.map(|routing| Routing {
            choice: Some(name_or_empty(routing.routing_choice.as_ref())),
            publish_internet_endpoints: Some(routing.publish_internet_endpoints.unwrap_or(false)),
            publish_microsoft_endpoints: Some(routing.publish_microsoft_endpoints.unwrap_or(false)),
        })),
    );
    state.set(
        "sas_policy",
        at_most_one(found.sas_policy.as_ref().map(|policy| SignaturePolicy {
            expiration_action: Some(name_of(&policy.expiration_action)),
            expiration_period: policy.sas_expiration_period.clone(),
        })),
    );
}

fn identity(found: Option<&Identity>) -> Option<ManagedIdentity> {
    let found = found?;
    let kind = match name_of(&found.type_).replace(' ', "").as_str() {
        "None" => return None,
        "SystemAssigned,UserAssigned" => "SystemAssigned, UserAssigned".to_owned(),
        other => other.to_owned(),
    };
    let ids = found.user_assigned_identities.as_ref();
    let ids = ids.and_then(Json::as_object).into_iter().flatten();
    Some(ManagedIdentity {
        identity_ids: Some(ids.map(|(id, _)| id.clone()).collect()),
        principal_id: Some(found.principal_id.clone().unwrap_or_default()),
        tenant_id: Some(found.tenant_id.clone().unwrap_or_default()),
        kind,
    })
}

fn files_authentication(
    found: &AzureFilesIdentityBasedAuthentication,
) -> Option<FilesAuthentication> {
    let directory_type = name_of(&found.directory_service_options);
    if directory_type == "None" {
        return None;
    }
    let active = found.active_directory_properties.as_ref();
    let text = |text: &Option<String>| Some(text.clone().unwrap_or_default());
    Some(FilesAuthentication {
        active_directory: Some(at_most_one(active.map(|active| ActiveDirectory {
            domain_guid: active.domain_guid.clone(),
            domain_name: active.domain_name.clone(),
            domain_sid: text(&active.domain_sid),
            forest_name: text(&active.forest_name),
            netbios_domain_name: text(&active.net_bios_domain_name),
            storage_sid: text(&active.azure_storage_sid),
        }))),
        default_share_level_permission: Some(name_or_empty(
            found.default_share_permission.as_ref(),
        )),
        directory_type,
    })
}

/// Rules that let everybody in are no block.
fn network_rules(found: &NetworkRuleSet) -> Option<NetworkRules> {
    let action = name_of(&found.default_action);
    let bypass = name_or_empty(found.bypass.as_ref());
    let is_empty = found.ip_rules.is_empty()
        && found.resource_access_rules.is_empty()
        && found.virtual_network_rules.is_empty();
    if action == "Allow" && bypass == "AzureServices" && is_empty {
        return None;
    }
    let bypass = bypass.split(',').map(str::trim);
    Some(NetworkRules {
        bypass: Some(
            bypass
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
        ),
        default_action: action,
        ip_rules: Some(
            found
                .ip_rules
                .iter()
                .map(|rule| rule.value.clone())
                .collect(),
        ),
        private_link_access: Some(
            found
                .resource_access_rules
                .iter()
                .map(|rule| PrivateLinkAccess {
                    endpoint_resource_id: rule.resource_id.clone().unwrap_or_default(),
                    endpoint_tenant_id: Some(rule.tenant_id.clone().unwrap_or_default()),
                })
                .collect(),
        ),
        virtual_network_subnet_ids: Some(
            found
                .virtual_network_rules
                .iter()
                .map(|rule| rule.id.clone())
                .collect(),
        ),
    })
}

/// Queues and tables that are encrypted by the service's own key are not spoken of.
fn set_encryption(state: &mut Object, found: Option<&Encryption>) {
    let services = found.and_then(|found| found.services.as_ref());
    for (name, service) in [
        (
            "queue_encryption_key_type",
            services.and_then(|all| all.queue.as_ref()),
        ),
        (
            "table_encryption_key_type",
            services.and_then(|all| all.table.as_ref()),
        ),
    ] {
        let key = service.and_then(|service| service.key_type.as_ref());
        state.set(name, key.map_or_else(|| "Service".to_owned(), name_of));
    }
    let twice = found.and_then(|found| found.require_infrastructure_encryption);
    state.set("infrastructure_encryption_enabled", twice.unwrap_or(false));
    let customer = found.filter(|found| {
        name_or_empty(found.key_source.as_ref()).eq_ignore_ascii_case("Microsoft.Keyvault")
    });
    let customer = customer.map(|found| {
        let key = found.keyvaultproperties.as_ref();
        let identity = found.identity.as_ref();
        CustomerKey {
            key_vault_key_id: key.map_or_else(String::new, |key| {
                KeyId {
                    vault: key.keyvaulturi.clone().unwrap_or_default(),
                    name: key.keyname.clone().unwrap_or_default(),
                    version: key.keyversion.clone(),
                }
                .text()
            }),
            user_assigned_identity_id: identity
                .and_then(|identity| identity.user_assigned_identity.clone())
                .unwrap_or_default(),
        }
    });
    state.set("customer_managed_key", at_most_one(customer));
}
