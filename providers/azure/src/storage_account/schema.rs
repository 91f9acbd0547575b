//! What there is to configure of a storage account, and what asks for a replacement.

use terrace_provider_sdk::{Attribute, Block, Change, Schema, Type, validate};

use super::endpoints;
use crate::common::{all_timeouts, filled, group_name, id, location_attribute, tags_attribute};

/// Replications between which an account can change; from one set to the other it is replaced.
const WITHOUT_ZONES: [&str; 3] = ["LRS", "GRS", "RAGRS"];

fn flag(default: bool) -> Attribute {
    Attribute::bool().optional().legacy_default(default)
}

fn text() -> Attribute {
    Attribute::string().optional()
}

fn required() -> Attribute {
    Attribute::string().required()
}

fn defaulted<const N: usize>(default: &str, values: [&'static str; N]) -> Attribute {
    text()
        .legacy_default(default.to_owned())
        .validate(validate::one_of(values))
}

/// At most one block with these attributes.
fn one(schema: Schema) -> Block {
    Block::list(schema.plain()).at_most(1)
}

fn days(default: Option<i64>) -> Attribute {
    let days = Attribute::number().validate(validate::between(1..=365));
    match default {
        Some(default) => days.optional().legacy_default(default),
        None => days.required(),
    }
}

/// An account of the oldest kind, and one that is to be of the newest, change in place as far as Azure allows it; every other change of kind
/// makes another account.
fn changes_kind(change: &Change<'_>) -> bool {
    change.prior.as_str() != Some("Storage") && change.planned.as_str() != Some("StorageV2")
}

fn changes_zones(change: &Change<'_>) -> bool {
    let [before, after] = [change.prior, &change.planned]
        .map(|value| value.as_str().map(|text| WITHOUT_ZONES.contains(&text)));
    before.is_some() && after.is_some() && before != after
}

/// Large shares cannot be switched off.
fn is_switched_off(change: &Change<'_>) -> bool {
    change.prior.as_bool() == Some(true) && change.planned.as_bool() == Some(false)
}

/// A policy that is locked cannot be changed.
fn is_unlocked(change: &Change<'_>) -> bool {
    change.prior.as_str() == Some("Locked")
}

/// The type's schema.
pub(super) fn schema() -> Schema {
    let mut schema = flags(Schema::new().plain().legacy().version(4));
    for name in endpoints::names() {
        schema = schema.attribute(&name, Attribute::string().computed());
    }
    for name in endpoints::SECRETS {
        schema = schema.attribute(name, Attribute::string().computed().sensitive());
    }
    texts(schema)
        .attribute("id", id())
        .attribute("primary_location", Attribute::string().computed())
        .attribute("secondary_location", Attribute::string().computed())
        .attribute("tags", account_tags())
        .block("azure_files_authentication", files_authentication())
        .block("blob_properties", blob_properties().computed())
        .block(
            "custom_domain",
            one(Schema::new()
                .attribute("name", required())
                .attribute("use_subdomain", flag(false))),
        )
        .block(
            "customer_managed_key",
            one(Schema::new()
                .attribute(
                    "key_vault_key_id",
                    required().validate(super::keys::validator()),
                )
                .attribute("user_assigned_identity_id", required().validate(filled()))),
        )
        .block("identity", identity())
        .block("immutability_policy", immutability_policy())
        .block("network_rules", network_rules().computed())
        .block(
            "routing",
            one(Schema::new()
                .attribute(
                    "choice",
                    defaulted("MicrosoftRouting", ["InternetRouting", "MicrosoftRouting"]),
                )
                .attribute("publish_internet_endpoints", flag(false))
                .attribute("publish_microsoft_endpoints", flag(false)))
            .computed(),
        )
        .block(
            "sas_policy",
            one(Schema::new()
                .attribute("expiration_action", defaulted("Log", ["Block", "Log"]))
                .attribute("expiration_period", required().validate(filled()))),
        )
        .block("share_properties", share_properties().computed())
        .block("timeouts", all_timeouts())
}

fn flags(schema: Schema) -> Schema {
    schema
        .attribute("allow_nested_items_to_be_public", flag(false))
        .attribute("cross_tenant_replication_enabled", flag(false))
        .attribute("default_to_oauth_authentication", flag(false))
        .attribute("https_traffic_only_enabled", flag(true))
        .attribute("infrastructure_encryption_enabled", flag(false).replace())
        .attribute("is_hns_enabled", flag(false).replace())
        .attribute(
            "large_file_share_enabled",
            Attribute::bool()
                .optional()
                .computed()
                .replace_if(is_switched_off),
        )
        .attribute("local_user_enabled", flag(true))
        .attribute("nfsv3_enabled", flag(false).replace())
        .attribute("public_network_access_enabled", flag(true))
        .attribute("sftp_enabled", flag(false))
        .attribute("shared_access_key_enabled", flag(true))
}

fn texts(schema: Schema) -> Schema {
    let key_type = || defaulted("Service", ["Account", "Service"]).replace();
    schema
        .attribute(
            "access_tier",
            text()
                .computed()
                .validate(validate::one_of(["Cold", "Cool", "Hot", "Premium"])),
        )
        .attribute(
            "account_kind",
            defaulted(
                "StorageV2",
                [
                    "BlobStorage",
                    "BlockBlobStorage",
                    "FileStorage",
                    "Storage",
                    "StorageV2",
                ],
            )
            .replace_if(changes_kind),
        )
        .attribute(
            "account_replication_type",
            required()
                .validate(validate::one_of([
                    "LRS", "ZRS", "GRS", "RAGRS", "GZRS", "RAGZRS",
                ]))
                .replace_if(changes_zones),
        )
        .attribute(
            "account_tier",
            required()
                .validate(validate::one_of(["Premium", "Standard"]))
                .replace(),
        )
        .attribute(
            "allowed_copy_scope",
            text().validate(validate::one_of(["AAD", "PrivateLink"])),
        )
        .attribute(
            "dns_endpoint_type",
            defaulted("Standard", ["Standard", "AzureDnsZone"]).replace(),
        )
        .attribute(
            "edge_zone",
            text()
                .validate(filled())
                .modify(crate::common::normalized(crate::common::location))
                .replace(),
        )
        .attribute("location", location_attribute())
        .attribute("min_tls_version", defaulted("TLS1_2", ["TLS1_2"]))
        .attribute(
            "name",
            required().replace().validate(validate::matches(
                r"^[a-z0-9]{3,24}$",
                "must be 3 to 24 lowercase letters and digits",
            )),
        )
        .attribute(
            "provisioned_billing_model_version",
            text().validate(validate::one_of(["V2"])).replace(),
        )
        .attribute("queue_encryption_key_type", key_type())
        .attribute("resource_group_name", group_name())
        .attribute("table_encryption_key_type", key_type())
}

/// Names of tags of accounts are shorter than those of other objects.
fn account_tags() -> Attribute {
    tags_attribute(50).validate(validate::custom(|checked, diagnostics| {
        let keys = checked.value.as_entries().into_iter().flatten();
        for (key, _) in keys.filter(|(key, _)| key.chars().count() > 128) {
            diagnostics.error_at(
                checked.path.clone(),
                "Invalid tag",
                format!("The name of the tag {key:?} is too long: it has at most 128 characters on a storage account."),
            );
        }
    }))
}

fn files_authentication() -> Block {
    let directory = Schema::new()
        .attribute("domain_guid", required().validate(filled()))
        .attribute("domain_name", required().validate(filled()))
        .attribute("domain_sid", text().validate(filled()))
        .attribute("forest_name", text().validate(filled()))
        .attribute("netbios_domain_name", text().validate(filled()))
        .attribute("storage_sid", text().validate(filled()));
    one(Schema::new()
        .attribute(
            "default_share_level_permission",
            defaulted(
                "None",
                [
                    "None",
                    "StorageFileDataSmbShareContributor",
                    "StorageFileDataSmbShareElevatedContributor",
                    "StorageFileDataSmbShareReader",
                ],
            ),
        )
        .attribute(
            "directory_type",
            required().validate(validate::one_of(["AADDS", "AADKERB", "AD"])),
        )
        .block("active_directory", one(directory).computed()))
}

fn cors() -> Block {
    let texts = || Attribute::list(Type::String).required();
    let methods = [
        "DELETE", "GET", "HEAD", "MERGE", "POST", "OPTIONS", "PUT", "PATCH",
    ];
    Block::list(
        Schema::new()
            .plain()
            .attribute("allowed_headers", texts().validate(validate::size(1..=64)))
            .attribute(
                "allowed_methods",
                texts()
                    .validate(validate::size(0..=64))
                    .validate(validate::each(validate::one_of(methods))),
            )
            .attribute(
                "allowed_origins",
                texts()
                    .validate(validate::size(0..=64))
                    .validate(validate::each(filled())),
            )
            .attribute("exposed_headers", texts().validate(validate::size(1..=64)))
            .attribute(
                "max_age_in_seconds",
                Attribute::number()
                    .required()
                    .validate(validate::between(0..=2_000_000_000)),
            ),
    )
    .at_most(5)
}

fn blob_properties() -> Block {
    one(Schema::new()
        .attribute("change_feed_enabled", flag(false))
        .attribute(
            "change_feed_retention_in_days",
            Attribute::number()
                .optional()
                .validate(validate::between(1..=146_000)),
        )
        .attribute(
            "default_service_version",
            text().computed().validate(validate::matches(
                r"^(2008-10-27|20\d\d-\d\d-\d\d)$",
                "must be the date of a version of the service, such as 2020-06-12",
            )),
        )
        .attribute("last_access_time_enabled", flag(false))
        .attribute("versioning_enabled", flag(false))
        .block(
            "container_delete_retention_policy",
            one(Schema::new().attribute("days", days(Some(7)))),
        )
        .block("cors_rule", cors())
        .block(
            "delete_retention_policy",
            one(Schema::new()
                .attribute("days", days(Some(7)))
                .attribute("permanent_delete_enabled", flag(false))),
        )
        .block(
            "restore_policy",
            one(Schema::new().attribute("days", days(None))),
        ))
}

fn identity() -> Block {
    one(Schema::new()
        .attribute("identity_ids", Attribute::set(Type::String).optional())
        .attribute("principal_id", Attribute::string().computed())
        .attribute("tenant_id", Attribute::string().computed())
        .attribute(
            "type",
            required().validate(validate::one_of([
                "SystemAssigned",
                "UserAssigned",
                "SystemAssigned, UserAssigned",
            ])),
        ))
}

fn immutability_policy() -> Block {
    one(Schema::new()
        .attribute(
            "allow_protected_append_writes",
            Attribute::bool().required(),
        )
        .attribute(
            "period_since_creation_in_days",
            Attribute::number().required(),
        )
        .attribute(
            "state",
            required()
                .validate(validate::one_of(["Disabled", "Locked", "Unlocked"]))
                .replace_if(is_unlocked),
        ))
}

fn network_rules() -> Block {
    let texts = || Attribute::set(Type::String).optional().computed();
    let link = Schema::new()
        .plain()
        .attribute("endpoint_resource_id", required().validate(filled()))
        .attribute("endpoint_tenant_id", text().computed().validate(filled()));
    one(Schema::new()
        .attribute(
            "bypass",
            texts().validate(validate::each(validate::one_of([
                "AzureServices",
                "Logging",
                "Metrics",
                "None",
            ]))),
        )
        .attribute(
            "default_action",
            required().validate(validate::one_of(["Allow", "Deny"])),
        )
        .attribute(
            "ip_rules",
            texts().validate(validate::each(validate::custom(public_address))),
        )
        .attribute("virtual_network_subnet_ids", texts())
        .block("private_link_access", Block::list(link)))
}

/// Rules take public addresses of IPv4 alone, and ranges of four and more.
fn public_address(
    checked: &validate::Checked<'_>,
    diagnostics: &mut terrace_provider_sdk::Diagnostics,
) {
    let Some(text) = checked.value.as_str() else {
        return;
    };
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, bits.parse::<u8>().ok()),
        None => (text, Some(0)),
    };
    let address = address.parse::<std::net::Ipv4Addr>().ok();
    let right =
        address.is_some_and(|address| !address.is_private()) && bits.is_some_and(|bits| bits <= 30);
    if !right {
        diagnostics.error_at(
            checked.path.clone(),
            "Invalid address",
            format!("{text:?} is no public IPv4 address, alone or with a prefix of at most 30 bits, such as 23.45.1.0/30. A single address goes without a prefix."),
        );
    }
}

fn share_properties() -> Block {
    let texts = |check| {
        Attribute::set(Type::String)
            .optional()
            .validate(validate::each(check))
    };
    let smb = Schema::new()
        .attribute(
            "authentication_types",
            texts(validate::one_of(["Kerberos", "NTLMv2"])),
        )
        .attribute(
            "channel_encryption_type",
            texts(validate::one_of([
                "AES-128-CCM",
                "AES-128-GCM",
                "AES-256-GCM",
            ])),
        )
        .attribute(
            "kerberos_ticket_encryption_type",
            texts(validate::one_of(["AES-256", "RC4-HMAC"])),
        )
        .attribute("multichannel_enabled", flag(false))
        .attribute(
            "versions",
            texts(validate::one_of(["SMB2.1", "SMB3.0", "SMB3.1.1"])),
        );
    one(Schema::new()
        .block("cors_rule", cors())
        .block(
            "retention_policy",
            one(Schema::new().attribute("days", days(Some(7)))),
        )
        .block("smb", one(smb)))
}
