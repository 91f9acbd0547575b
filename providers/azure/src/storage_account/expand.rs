//! What is configured of an account, as the models have it.

use std::collections::BTreeSet;

use azure_mgmt_storage::package_2023_05::models::{
    AccountImmutabilityPolicyProperties, ActiveDirectoryProperties,
    AzureFilesIdentityBasedAuthentication, CustomDomain, Encryption, EncryptionIdentity,
    EncryptionService, EncryptionServices, ExtendedLocation, ExtendedLocationType, Identity,
    ImmutableStorageAccount, IpRule, KeyVaultProperties, NetworkRuleSet, ResourceAccessRule,
    RoutingPreference, SasPolicy, Sku, StorageAccountCreateParameters,
    StorageAccountPropertiesCreateParameters, StorageAccountPropertiesUpdateParameters,
    StorageAccountUpdateParameters, VirtualNetworkRule, encryption, ip_rule, network_rule_set,
    storage_account_properties_create_parameters as create_names,
    storage_account_properties_update_parameters as update_names, virtual_network_rule,
};
use serde_json::{Value as Json, json};
use terrace_provider_sdk::{Data, Object, Outcome};

use super::blocks::{
    CustomDomainName, CustomerKey, FilesAuthentication, ImmutabilityPolicy, ManagedIdentity,
    NetworkRules, Routing, SignaturePolicy,
};
use super::keys::KeyId;
use super::rules::Kind;
use crate::arm::body;
use crate::common::{location, named, named_in, text_map, unknown_name};

/// The only block of a type that has at most one; none where it is not known.
pub(super) fn only<T: Data>(object: &Object, name: &str) -> Outcome<Option<T>> {
    let all: Option<Vec<T>> = object.get(name)?;
    Ok(all.and_then(|all| all.into_iter().next()))
}

/// A text that is set.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// The body that makes an account.
pub(super) fn creation(planned: &Object, tenant: Option<&str>) -> Outcome<Json> {
    let kind = Kind::of(planned);
    let properties = StorageAccountPropertiesCreateParameters {
        access_tier: access_tier(planned, &kind)?,
        allow_blob_public_access: planned.flag("allow_nested_items_to_be_public"),
        allow_cross_tenant_replication: planned.flag("cross_tenant_replication_enabled"),
        allow_shared_key_access: planned.flag("shared_access_key_enabled"),
        allowed_copy_scope: filled(planned, "allowed_copy_scope").and_then(named),
        azure_files_identity_based_authentication: only(planned, "azure_files_authentication")?
            .map(files_authentication)
            .transpose()?,
        custom_domain: only(planned, "custom_domain")?.map(custom_domain),
        default_to_o_auth_authentication: planned.flag("default_to_oauth_authentication"),
        dns_endpoint_type: filled(planned, "dns_endpoint_type").and_then(named),
        encryption: Some(encryption_of(planned, true)?),
        immutable_storage_with_versioning: only(planned, "immutability_policy")?
            .as_ref()
            .map(immutability),
        is_hns_enabled: planned.flag("is_hns_enabled"),
        is_local_user_enabled: planned.flag("local_user_enabled"),
        is_nfs_v3_enabled: planned.flag("nfsv3_enabled"),
        is_sftp_enabled: planned.flag("sftp_enabled"),
        // Azure does not take that they are switched off.
        large_file_shares_state: planned
            .flag("large_file_share_enabled")
            .filter(|enabled| *enabled)
            .map(|_| create_names::LargeFileSharesState::Enabled),
        minimum_tls_version: filled(planned, "min_tls_version").and_then(named),
        network_acls: Some(network_rules(only(planned, "network_rules")?, tenant)?),
        public_network_access: public_access(planned),
        routing_preference: only(planned, "routing")?.as_ref().map(routing),
        sas_policy: only(planned, "sas_policy")?.map(sas_policy).transpose()?,
        supports_https_traffic_only: planned.flag("https_traffic_only_enabled"),
        ..StorageAccountPropertiesCreateParameters::default()
    };
    let whole = StorageAccountCreateParameters {
        extended_location: filled(planned, "edge_zone").map(|zone| ExtendedLocation {
            name: Some(location(zone)),
            type_: Some(ExtendedLocationType::EdgeZone),
        }),
        identity: identity(only(planned, "identity")?),
        tags: Some(text_map(planned.value("tags"))),
        properties: Some(properties),
        ..StorageAccountCreateParameters::new(
            sku(planned)?,
            named_in(planned, "account_kind")?,
            location(planned.text("location").unwrap_or_default()),
        )
    };
    Ok(with_empty_rules(body(&whole)))
}

/// The body that changes what is to change; nothing where nothing of the account itself is.
pub(super) fn change(
    prior: &Object,
    planned: &Object,
    tenant: Option<&str>,
) -> Outcome<Option<Json>> {
    let changed = |name: &str| prior.value(name) != planned.value(name);
    let flag = |name: &str| planned.flag(name).filter(|_| changed(name));
    let text = |name: &str| filled(planned, name).filter(|_| changed(name));
    let properties = StorageAccountPropertiesUpdateParameters {
        access_tier: text("access_tier").and_then(named),
        allow_blob_public_access: flag("allow_nested_items_to_be_public"),
        allow_cross_tenant_replication: flag("cross_tenant_replication_enabled"),
        allow_shared_key_access: flag("shared_access_key_enabled"),
        allowed_copy_scope: text("allowed_copy_scope").and_then(named),
        custom_domain: if changed("custom_domain") {
            Some(
                only(planned, "custom_domain")?
                    .map_or_else(|| CustomDomain::new(String::new()), custom_domain),
            )
        } else {
            None
        },
        default_to_o_auth_authentication: flag("default_to_oauth_authentication"),
        encryption: if changed("customer_managed_key") {
            Some(encryption_of(planned, false)?)
        } else {
            None
        },
        immutable_storage_with_versioning: if changed("immutability_policy") {
            only(planned, "immutability_policy")?
                .as_ref()
                .map(immutability)
        } else {
            None
        },
        is_local_user_enabled: flag("local_user_enabled"),
        is_sftp_enabled: flag("sftp_enabled"),
        large_file_shares_state: flag("large_file_share_enabled")
            .filter(|enabled| *enabled)
            .map(|_| update_names::LargeFileSharesState::Enabled),
        minimum_tls_version: text("min_tls_version").and_then(named),
        network_acls: if changed("network_rules") {
            Some(network_rules(only(planned, "network_rules")?, tenant)?)
        } else {
            None
        },
        public_network_access: flag("public_network_access_enabled")
            .and_then(|_| public_access(planned)),
        routing_preference: if changed("routing") {
            only(planned, "routing")?.as_ref().map(routing)
        } else {
            None
        },
        sas_policy: if changed("sas_policy") {
            only(planned, "sas_policy")?.map(sas_policy).transpose()?
        } else {
            None
        },
        supports_https_traffic_only: flag("https_traffic_only_enabled"),
        ..StorageAccountPropertiesUpdateParameters::default()
    };
    let nothing = StorageAccountPropertiesUpdateParameters::default();
    let whole = StorageAccountUpdateParameters {
        sku: if changed("account_replication_type") {
            Some(sku(planned)?)
        } else {
            None
        },
        kind: text("account_kind").and_then(named),
        tags: changed("tags").then(|| text_map(planned.value("tags"))),
        identity: if changed("identity") {
            identity(only(planned, "identity")?).or_else(|| named("None").map(Identity::new))
        } else {
            None
        },
        properties: Some(properties).filter(|properties| *properties != nothing),
    };
    let mut document = with_empty_rules(body(&whole));
    forget_identities(prior, &mut document)?;
    Ok(document
        .as_object()
        .is_some_and(|members| !members.is_empty())
        .then_some(document))
}

/// Identities that are to go are named with nothing: the others stay otherwise.
fn forget_identities(prior: &Object, document: &mut Json) -> Outcome<()> {
    let before = only::<ManagedIdentity>(prior, "identity")?.and_then(|before| before.identity_ids);
    let place = document.pointer_mut("/identity/userAssignedIdentities");
    if let (Some(before), Some(Json::Object(named))) = (before, place) {
        for id in before {
            named.entry(id).or_insert(Json::Null);
        }
    }
    Ok(())
}

/// The body that changes how shares are signed in to. Azure asks for it to be switched off before the directory changes.
pub(super) fn directory_changes(prior: &Object, planned: &Object) -> Outcome<Vec<Json>> {
    const NAME: &str = "azure_files_authentication";
    if prior.value(NAME) == planned.value(NAME) {
        return Ok(Vec::new());
    }
    let before = only::<FilesAuthentication>(prior, NAME)?;
    let after = only::<FilesAuthentication>(planned, NAME)?;
    let off = || named("None").map(AzureFilesIdentityBasedAuthentication::new);
    let other = match (&before, &after) {
        (Some(before), Some(after)) => before.directory_type != after.directory_type,
        _ => false,
    };
    let last = match after {
        Some(after) => Some(files_authentication(after)?),
        None => off(),
    };
    let steps = [off().filter(|_| other), last];
    let step = |authentication| {
        body(&StorageAccountUpdateParameters {
            properties: Some(StorageAccountPropertiesUpdateParameters {
                azure_files_identity_based_authentication: Some(authentication),
                ..StorageAccountPropertiesUpdateParameters::default()
            }),
            ..StorageAccountUpdateParameters::default()
        })
    };
    Ok(steps.into_iter().flatten().map(step).collect())
}

fn filled<'o>(object: &'o Object, name: &str) -> Option<&'o str> {
    object.text(name).filter(|text| !text.is_empty())
}

fn sku(planned: &Object) -> Outcome<Sku> {
    let text = |name| planned.text(name).unwrap_or_default();
    let name = format!(
        "{}{}_{}",
        text("account_tier"),
        text("provisioned_billing_model_version"),
        text("account_replication_type")
    );
    let name = named(&name).ok_or_else(|| unknown_name("account_replication_type", &name))?;
    Ok(Sku {
        tier: named(text("account_tier")),
        ..Sku::new(name)
    })
}

/// Accounts of kinds with tiers are hot unless they are said to be something else.
fn access_tier(planned: &Object, kind: &Kind<'_>) -> Outcome<Option<create_names::AccessTier>> {
    if !kind.has_access_tiers() {
        return Ok(None);
    }
    let text = filled(planned, "access_tier").unwrap_or("Hot");
    match named(text) {
        Some(tier) => Ok(Some(tier)),
        None => Err(unknown_name("access_tier", text)),
    }
}

fn public_access(
    planned: &Object,
) -> Option<azure_mgmt_storage::package_2023_05::models::PublicNetworkAccess> {
    let enabled = planned.flag("public_network_access_enabled")?;
    named(if enabled { "Enabled" } else { "Disabled" })
}

fn custom_domain(domain: CustomDomainName) -> CustomDomain {
    CustomDomain {
        use_sub_domain_name: domain.use_subdomain,
        ..CustomDomain::new(domain.name)
    }
}

fn files_authentication(
    wanted: FilesAuthentication,
) -> Outcome<AzureFilesIdentityBasedAuthentication> {
    let directory = named(&wanted.directory_type)
        .ok_or_else(|| unknown_name("azure_files_authentication", &wanted.directory_type))?;
    let active = wanted
        .active_directory
        .and_then(|all| all.into_iter().next());
    Ok(AzureFilesIdentityBasedAuthentication {
        active_directory_properties: active.map(|active| ActiveDirectoryProperties {
            net_bios_domain_name: given(active.netbios_domain_name),
            forest_name: given(active.forest_name),
            domain_sid: given(active.domain_sid),
            azure_storage_sid: given(active.storage_sid),
            ..ActiveDirectoryProperties::new(active.domain_name, active.domain_guid)
        }),
        default_share_permission: wanted
            .default_share_level_permission
            .as_deref()
            .and_then(named),
        ..AzureFilesIdentityBasedAuthentication::new(directory)
    })
}

fn immutability(policy: &ImmutabilityPolicy) -> ImmutableStorageAccount {
    ImmutableStorageAccount {
        enabled: Some(true),
        immutability_policy: Some(AccountImmutabilityPolicyProperties {
            immutability_period_since_creation_in_days: i32::try_from(
                policy.period_since_creation_in_days,
            )
            .ok(),
            state: named(&policy.state),
            allow_protected_append_writes: Some(policy.allow_protected_append_writes),
        }),
    }
}

fn routing(routing: &Routing) -> RoutingPreference {
    RoutingPreference {
        routing_choice: routing.choice.as_deref().and_then(named),
        publish_microsoft_endpoints: routing.publish_microsoft_endpoints,
        publish_internet_endpoints: routing.publish_internet_endpoints,
    }
}

fn sas_policy(policy: SignaturePolicy) -> Outcome<SasPolicy> {
    let action = policy.expiration_action.unwrap_or_else(|| "Log".into());
    let action = named(&action).ok_or_else(|| unknown_name("sas_policy", &action))?;
    Ok(SasPolicy::new(policy.expiration_period, action))
}

fn identity(identity: Option<ManagedIdentity>) -> Option<Identity> {
    let identity = identity?;
    let ids = identity.identity_ids.unwrap_or_default();
    let named_ids: serde_json::Map<String, Json> =
        ids.into_iter().map(|id| (id, json!({}))).collect();
    Some(Identity {
        user_assigned_identities: (!named_ids.is_empty()).then(|| named_ids.into()),
        ..Identity::new(named(&identity.kind.replace(' ', ""))?)
    })
}

/// Everybody may come where there are no rules.
fn network_rules(rules: Option<NetworkRules>, tenant: Option<&str>) -> Outcome<NetworkRuleSet> {
    let Some(rules) = rules else {
        return Ok(NetworkRuleSet {
            bypass: named("AzureServices"),
            ..NetworkRuleSet::new(network_rule_set::DefaultAction::Allow)
        });
    };
    let action = named(&rules.default_action)
        .ok_or_else(|| unknown_name("network_rules", &rules.default_action))?;
    let bypass = rules.bypass.unwrap_or_default();
    let bypass: Vec<String> = bypass.into_iter().collect();
    let subnets: BTreeSet<String> = rules.virtual_network_subnet_ids.unwrap_or_default();
    let links = rules.private_link_access.unwrap_or_default();
    Ok(NetworkRuleSet {
        bypass: Some(bypass.join(", "))
            .filter(|bypass| !bypass.is_empty())
            .and_then(|bypass| named(&bypass)),
        ip_rules: rules
            .ip_rules
            .unwrap_or_default()
            .into_iter()
            .map(|address| IpRule {
                action: Some(ip_rule::Action::Allow),
                ..IpRule::new(address)
            })
            .collect(),
        virtual_network_rules: subnets
            .into_iter()
            .map(|id| VirtualNetworkRule {
                action: Some(virtual_network_rule::Action::Allow),
                ..VirtualNetworkRule::new(id)
            })
            .collect(),
        resource_access_rules: links
            .into_iter()
            .map(|link| ResourceAccessRule {
                tenant_id: given(link.endpoint_tenant_id).or_else(|| tenant.map(str::to_owned)),
                resource_id: Some(link.endpoint_resource_id),
            })
            .collect(),
        ..NetworkRuleSet::new(action)
    })
}

/// The models leave empty lists out, and lists that are left out stay as they were.
fn with_empty_rules(mut document: Json) -> Json {
    let rules = document.pointer_mut("/properties/networkAcls");
    if let Some(Json::Object(rules)) = rules {
        for name in ["ipRules", "resourceAccessRules", "virtualNetworkRules"] {
            rules.entry(name).or_insert_with(|| json!([]));
        }
    }
    document
}

/// How it is encrypted. Whether twice is said once, when the account is made.
fn encryption_of(planned: &Object, is_new: bool) -> Outcome<Encryption> {
    let keyed = |name: &str| {
        filled(planned, name)
            .and_then(named)
            .map(|key| EncryptionService {
                key_type: Some(key),
                ..EncryptionService::default()
            })
    };
    let twice = planned
        .flag("infrastructure_encryption_enabled")
        .filter(|twice| *twice && is_new);
    let services = EncryptionServices {
        queue: keyed("queue_encryption_key_type"),
        table: keyed("table_encryption_key_type"),
        ..EncryptionServices::default()
    };
    let Some(customer) = only::<CustomerKey>(planned, "customer_managed_key")? else {
        return Ok(Encryption {
            services: Some(services),
            key_source: Some(encryption::KeySource::MicrosoftStorage),
            require_infrastructure_encryption: twice,
            ..Encryption::default()
        });
    };
    let by_account = || EncryptionService {
        enabled: Some(true),
        key_type: named("Account"),
        ..EncryptionService::default()
    };
    let key = KeyId::parse(&customer.key_vault_key_id)
        .ok_or_else(|| unknown_name("customer_managed_key", &customer.key_vault_key_id))?;
    Ok(Encryption {
        services: Some(EncryptionServices {
            blob: Some(by_account()),
            file: Some(by_account()),
            ..services
        }),
        key_source: Some(encryption::KeySource::MicrosoftKeyvault),
        require_infrastructure_encryption: twice,
        keyvaultproperties: Some(KeyVaultProperties {
            keyname: Some(key.name),
            // Without a version the newest is used, whichever that is.
            keyversion: Some(key.version.unwrap_or_default()),
            keyvaulturi: Some(key.vault),
            ..KeyVaultProperties::default()
        }),
        identity: Some(EncryptionIdentity {
            user_assigned_identity: Some(customer.user_assigned_identity_id),
            ..EncryptionIdentity::default()
        }),
    })
}
