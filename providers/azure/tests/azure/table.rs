//! The acceptance table: each type is created, plans clean, is updated in each argument that can be, is replaced for each that forces it, is
//! imported and destroyed. No settable argument may be missing in the table.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use terrace_schema::Block;
use terrace_value::Value;

use crate::driver::{Driver, assert_same};

pub(crate) const GROUP: &str = "azurerm_resource_group";
pub(crate) const ACCOUNT: &str = "azurerm_storage_account";
pub(crate) const CONTAINER: &str = "azurerm_storage_container";

/// From one configuration to another.
struct Case {
    what: &'static str,
    from: Json,
    to: Json,
    /// The argument for which the object is replaced.
    replaces: Option<&'static str>,
}

fn update(what: &'static str, from: Json, to: Json) -> Case {
    Case {
        what,
        from,
        to,
        replaces: None,
    }
}

fn replace(attribute: &'static str, from: Json, to: Json) -> Case {
    Case {
        what: attribute,
        from,
        to,
        replaces: Some(attribute),
    }
}

/// A configuration with what another says of it; null takes away.
pub(crate) fn merged(base: &Json, more: &Json) -> Json {
    let mut whole = base.clone();
    for (name, value) in more.as_object().unwrap() {
        if value.is_null() {
            whole.as_object_mut().unwrap().remove(name);
        } else {
            whole[name] = value.clone();
        }
    }
    whole
}

/// Paths of arguments that a configuration may set.
fn settable(block: &Block, at: &str, found: &mut BTreeSet<String>) {
    for (name, attribute) in &block.attributes {
        if attribute.required || attribute.optional {
            found.insert(format!("{at}{name}"));
        }
    }
    for (name, nested) in &block.blocks {
        settable(&nested.block, &format!("{at}{name}."), found);
    }
}

/// Paths of what differs between two configurations.
fn differing(from: &Json, to: &Json, at: &str, found: &mut BTreeSet<String>) {
    let none = serde_json::Map::new();
    let (from, to) = (
        from.as_object().unwrap_or(&none),
        to.as_object().unwrap_or(&none),
    );
    let names: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    for name in names {
        let (from, to) = (
            from.get(name).unwrap_or(&Json::Null),
            to.get(name).unwrap_or(&Json::Null),
        );
        if from == to {
            continue;
        }
        let path = format!("{at}{name}");
        found.insert(path.clone());
        let first = |value: &Json| value.get(0).cloned().unwrap_or(Json::Null);
        differing(&first(from), &first(to), &format!("{path}."), found);
    }
}

/// What stands before the objects of a type: the groups and accounts that they belong to.
pub(crate) fn furnished() -> Driver {
    let driver = Driver::new();
    for name in ["group", "other"] {
        driver
            .create(GROUP, &json!({"name": name, "location": "westeurope"}))
            .unwrap();
    }
    driver
}

/// Carries one case out. Gives the arguments that it changes.
fn carry_out(
    type_name: &str,
    base: &Json,
    case: &Case,
    prepare: &dyn Fn(&Driver),
) -> BTreeSet<String> {
    let driver = furnished();
    prepare(&driver);
    let what = format!("{type_name}, {}", case.what);
    let (from, to) = (merged(base, &case.from), merged(base, &case.to));
    assert_eq!(driver.validate(type_name, &from), "", "{what}");
    assert_eq!(driver.validate(type_name, &to), "", "{what}");
    let before = driver
        .create(type_name, &from)
        .unwrap_or_else(|told| panic!("{what}: {told}"));
    driver.assert_clean(type_name, &before, &from, &format!("{what}, before"));
    let planned = driver.plan(type_name, &before, &to).unwrap();
    assert_ne!(planned.object, before, "{what}: nothing would change");
    let after = if let Some(attribute) = case.replaces {
        assert!(
            planned
                .replace
                .iter()
                .any(|found| found.starts_with(attribute)),
            "{what}: {:?}",
            planned.replace
        );
        driver.delete(type_name, &before).unwrap();
        driver
            .create(type_name, &to)
            .unwrap_or_else(|told| panic!("{what}: {told}"))
    } else {
        assert_eq!(planned.replace, Vec::<String>::new(), "{what}");
        let (state, told) = driver.carry_out(type_name, &before, &planned);
        assert_eq!(told, "", "{what}");
        assert_eq!(state.get("id"), before.get("id"), "{what}");
        state
    };
    driver.assert_clean(type_name, &after, &to, &format!("{what}, after"));
    let id = after.get("id").and_then(Value::as_str).unwrap().to_owned();
    assert!(driver.azure.object(&id).is_some(), "{what}");
    driver.delete(type_name, &after).unwrap();
    assert!(
        driver.azure.object(&id).is_none(),
        "{what}: it is still there"
    );
    assert!(driver.read(type_name, &after).unwrap().is_null(), "{what}");
    let mut found = BTreeSet::new();
    differing(&from, &to, "", &mut found);
    found
}

/// Carries all cases of a type out; every argument is in one, except for those that are named.
fn carry_out_all(
    type_name: &str,
    base: &Json,
    cases: &[Case],
    without: &[&str],
    prepare: &dyn Fn(&Driver),
) {
    let mut covered = BTreeSet::new();
    for case in cases {
        covered.extend(carry_out(type_name, base, case, prepare));
    }
    let mut wanted = BTreeSet::new();
    settable(&Driver::new().block(type_name), "", &mut wanted);
    let missing: Vec<&String> = wanted
        .iter()
        .filter(|name| !covered.contains(*name) && !without.contains(&name.as_str()))
        .collect();
    assert_eq!(
        missing,
        Vec::<&String>::new(),
        "arguments of {type_name} that no case changes"
    );
    let needless: Vec<&&str> = without
        .iter()
        .filter(|name| covered.contains(**name))
        .collect();
    assert_eq!(needless, Vec::<&&str>::new());
}

/// Imports an object that was made, and holds it against its state.
fn import(driver: &Driver, type_name: &str, json: &Json) {
    let made = driver.create(type_name, json).unwrap();
    let id = made.get("id").and_then(Value::as_str).unwrap();
    let imported = driver.import(type_name, id).unwrap();
    assert_same(&imported, &made, type_name);
    driver.assert_clean(type_name, &imported, json, "what was imported");
    let wrong = driver.import(type_name, "something").unwrap_err();
    assert!(wrong.contains("It looks like /subscriptions/"), "{wrong}");
    let absent = driver.import(
        type_name,
        &id.replace(json["name"].as_str().unwrap(), "absent"),
    );
    assert!(absent.unwrap().is_null());
}

const ACTIONS: [&str; 3] = ["timeouts.create", "timeouts.delete", "timeouts.read"];

#[test]
fn resource_groups() {
    let base = json!({"name": "mine", "location": "West Europe"});
    let cases = [
        update(
            "tags",
            json!({"tags": {"a": "1"}}),
            json!({"tags": {"a": "2", "b": "3"}}),
        ),
        update("tags that go", json!({"tags": {"a": "1"}}), json!({})),
        update(
            "managed_by",
            json!({"managed_by": "/one"}),
            json!({"managed_by": "/two"}),
        ),
        update(
            "timeouts",
            json!({"timeouts": {"update": "5m", "create": "10m"}, "tags": {"a": "1"}}),
            json!({"timeouts": {"update": "6m", "read": "2m", "delete": "10m"}, "tags": {"a": "2"}}),
        ),
        replace("location", json!({}), json!({"location": "northeurope"})),
        replace("name", json!({}), json!({"name": "yours"})),
    ];
    let without = [&ACTIONS[..], &["id", "timeouts.update"]].concat();
    carry_out_all(GROUP, &base, &cases, &without, &|_| {});
    let driver = Driver::new();
    import(
        &driver,
        GROUP,
        &merged(&base, &json!({"tags": {"a": "1"}, "managed_by": "/one"})),
    );
}

fn identity(ids: &[&str]) -> Json {
    let ids: Vec<String> = ids.iter().map(|id| identity_id(id)).collect();
    json!([{"type": "UserAssigned", "identity_ids": ids}])
}

fn identity_id(name: &str) -> String {
    format!(
        "{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}",
        Driver::group_id("group")
    )
}

pub(crate) fn account_base() -> Json {
    json!({
        "name": "accountone",
        "resource_group_name": "group",
        "location": "West Europe",
        "account_tier": "Standard",
        "account_replication_type": "LRS",
    })
}

fn account_flags() -> Vec<Case> {
    vec![
        update(
            "allow_nested_items_to_be_public",
            json!({}),
            json!({"allow_nested_items_to_be_public": true}),
        ),
        update(
            "cross_tenant_replication_enabled",
            json!({"cross_tenant_replication_enabled": true}),
            json!({}),
        ),
        update(
            "default_to_oauth_authentication",
            json!({}),
            json!({"default_to_oauth_authentication": true}),
        ),
        update(
            "https_traffic_only_enabled",
            json!({}),
            json!({"https_traffic_only_enabled": false}),
        ),
        update(
            "large_file_share_enabled",
            json!({}),
            json!({"large_file_share_enabled": true}),
        ),
        update(
            "local_user_enabled",
            json!({"local_user_enabled": false}),
            json!({}),
        ),
        update(
            "public_network_access_enabled",
            json!({}),
            json!({"public_network_access_enabled": false}),
        ),
        update(
            "sftp_enabled",
            json!({"is_hns_enabled": true}),
            json!({"is_hns_enabled": true, "sftp_enabled": true}),
        ),
        update(
            "shared_access_key_enabled",
            json!({}),
            json!({"shared_access_key_enabled": false}),
        ),
        update("access_tier", json!({}), json!({"access_tier": "Cool"})),
        update(
            "allowed_copy_scope",
            json!({"allowed_copy_scope": "AAD"}),
            json!({"allowed_copy_scope": "PrivateLink"}),
        ),
        update(
            "account_kind",
            json!({"account_kind": "Storage"}),
            json!({"account_kind": "StorageV2"}),
        ),
        update(
            "account_replication_type",
            json!({}),
            json!({"account_replication_type": "RAGRS"}),
        ),
        update(
            "zones",
            json!({"account_replication_type": "ZRS"}),
            json!({"account_replication_type": "GZRS"}),
        ),
        update(
            "tags",
            json!({"tags": {"a": "1"}}),
            json!({"tags": {"b": "2"}}),
        ),
        update("tags that go", json!({"tags": {"a": "1"}}), json!({})),
    ]
}

fn account_replacements() -> Vec<Case> {
    let policy = json!([{"allow_protected_append_writes": false, "period_since_creation_in_days": 3, "state": "Unlocked"}]);
    let versioned = json!([{"versioning_enabled": true}]);
    vec![
        replace(
            "account_kind",
            json!({}),
            json!({"account_kind": "BlobStorage"}),
        ),
        replace(
            "account_replication_type",
            json!({}),
            json!({"account_replication_type": "ZRS"}),
        ),
        replace(
            "account_tier",
            json!({"account_kind": "StorageV2"}),
            json!({"account_kind": "StorageV2", "account_tier": "Premium"}),
        ),
        replace(
            "dns_endpoint_type",
            json!({}),
            json!({"dns_endpoint_type": "AzureDnsZone"}),
        ),
        replace(
            "edge_zone",
            json!({}),
            json!({"edge_zone": "microsoftlosangeles1"}),
        ),
        replace(
            "immutability_policy",
            json!({"blob_properties": versioned}),
            json!({"blob_properties": versioned, "immutability_policy": policy}),
        ),
        replace(
            "infrastructure_encryption_enabled",
            json!({}),
            json!({"infrastructure_encryption_enabled": true}),
        ),
        replace("is_hns_enabled", json!({"is_hns_enabled": true}), json!({})),
        replace(
            "large_file_share_enabled",
            json!({"large_file_share_enabled": true}),
            json!({"large_file_share_enabled": false}),
        ),
        replace("location", json!({}), json!({"location": "northeurope"})),
        replace("name", json!({}), json!({"name": "accounttwo"})),
        replace(
            "nfsv3_enabled",
            json!({"is_hns_enabled": true}),
            json!({"is_hns_enabled": true, "nfsv3_enabled": true}),
        ),
        replace(
            "queue_encryption_key_type",
            json!({}),
            json!({"queue_encryption_key_type": "Account"}),
        ),
        replace(
            "resource_group_name",
            json!({}),
            json!({"resource_group_name": "other"}),
        ),
        replace(
            "table_encryption_key_type",
            json!({"table_encryption_key_type": "Account"}),
            json!({}),
        ),
    ]
}

fn account_directories() -> Vec<Case> {
    let directory = |n: u8| {
        json!([{
            "domain_guid": format!("aaaaaaaa-0000-4000-8000-00000000000{n}"), "domain_name": format!("d{n}"), "domain_sid": format!("S-{n}"),
            "forest_name": format!("f{n}"), "netbios_domain_name": format!("n{n}"), "storage_sid": format!("T-{n}"),
        }])
    };
    let by_directory = |n: u8, permission: &str| json!([{"directory_type": "AD", "active_directory": directory(n), "default_share_level_permission": permission}]);
    vec![
        update(
            "azure_files_authentication that comes",
            json!({}),
            json!({"azure_files_authentication": [{"directory_type": "AADKERB"}]}),
        ),
        update(
            "azure_files_authentication that goes",
            json!({"azure_files_authentication": [{"directory_type": "AADDS"}]}),
            json!({}),
        ),
        update(
            "another directory",
            json!({"azure_files_authentication": [{"directory_type": "AADDS"}]}),
            json!({"azure_files_authentication": by_directory(1, "None")}),
        ),
        update(
            "what the directory is",
            json!({"azure_files_authentication": by_directory(1, "None")}),
            json!({"azure_files_authentication": by_directory(2, "StorageFileDataSmbShareReader")}),
        ),
        update(
            "custom_domain that comes",
            json!({}),
            json!({"custom_domain": [{"name": "a.example"}]}),
        ),
        update(
            "custom_domain",
            json!({"custom_domain": [{"name": "a.example"}]}),
            json!({"custom_domain": [{"name": "b.example", "use_subdomain": true}]}),
        ),
        update(
            "custom_domain that goes",
            json!({"custom_domain": [{"name": "a.example"}]}),
            json!({}),
        ),
    ]
}

fn account_identities() -> Vec<Case> {
    let key = |name: &str| json!([{"key_vault_key_id": format!("https://v.vault.azure.net/keys/{name}"), "user_assigned_identity_id": identity_id("one")}]);
    let other_key = json!([{"key_vault_key_id": "https://v.vault.azure.net/keys/k/0123456789abcdef", "user_assigned_identity_id": identity_id("two")}]);
    vec![
        update(
            "identity that comes",
            json!({}),
            json!({"identity": [{"type": "SystemAssigned"}]}),
        ),
        update(
            "identity",
            json!({"identity": identity(&["one"])}),
            json!({"identity": identity(&["one", "two"])}),
        ),
        update(
            "identities that go",
            json!({"identity": identity(&["one", "two"])}),
            json!({"identity": identity(&["two"])}),
        ),
        update(
            "another kind of identity",
            json!({"identity": identity(&["one"])}),
            json!({"identity": [{"type": "SystemAssigned, UserAssigned", "identity_ids": [identity_id("one")]}]}),
        ),
        update(
            "identity that goes",
            json!({"identity": [{"type": "SystemAssigned"}]}),
            json!({}),
        ),
        update(
            "customer_managed_key that comes",
            json!({"identity": identity(&["one"])}),
            json!({"identity": identity(&["one"]), "customer_managed_key": key("k")}),
        ),
        update(
            "customer_managed_key",
            json!({"identity": identity(&["one", "two"]), "customer_managed_key": key("k")}),
            json!({"identity": identity(&["one", "two"]), "customer_managed_key": other_key}),
        ),
        update(
            "customer_managed_key that goes",
            json!({"identity": identity(&["one"]), "customer_managed_key": key("k")}),
            json!({"identity": identity(&["one"])}),
        ),
    ]
}

fn account_blocks() -> Vec<Case> {
    let policy = |days: i64, writes: bool, state: &str| json!([{"allow_protected_append_writes": writes, "period_since_creation_in_days": days, "state": state}]);
    let immutable = |policy: Json| json!({"blob_properties": [{"versioning_enabled": true}], "immutability_policy": policy});
    let link = |name: &str| json!({"endpoint_resource_id": Driver::account_id(name)});
    vec![
        update(
            "immutability_policy",
            immutable(policy(3, false, "Unlocked")),
            immutable(policy(4, true, "Disabled")),
        ),
        update(
            "immutability_policy that is locked",
            immutable(policy(3, false, "Unlocked")),
            immutable(policy(3, false, "Locked")),
        ),
        update(
            "network_rules that come",
            json!({}),
            json!({"network_rules": [{"default_action": "Deny", "ip_rules": ["23.45.1.0/30"], "bypass": ["Metrics", "Logging"]}]}),
        ),
        update(
            "network_rules",
            json!({"network_rules": [{
                "default_action": "Deny", "ip_rules": ["23.45.1.0/30", "8.8.8.8"], "bypass": ["Metrics"], "virtual_network_subnet_ids": ["/s1"],
                "private_link_access": [link("one")],
            }]}),
            json!({"network_rules": [{
                "default_action": "Allow", "ip_rules": [], "bypass": ["AzureServices"], "virtual_network_subnet_ids": ["/s2"],
                "private_link_access": [merged(&link("two"), &json!({"endpoint_tenant_id": "99999999-1111-4222-8333-444444444444"})), link("three")],
            }]}),
        ),
        update(
            "routing",
            json!({}),
            json!({"routing": [{"choice": "InternetRouting", "publish_internet_endpoints": true, "publish_microsoft_endpoints": true}]}),
        ),
        update(
            "sas_policy that comes",
            json!({}),
            json!({"sas_policy": [{"expiration_period": "01.00:00:00"}]}),
        ),
        update(
            "sas_policy",
            json!({"sas_policy": [{"expiration_period": "01.00:00:00"}]}),
            json!({"sas_policy": [{"expiration_period": "02.00:00:00", "expiration_action": "Block"}]}),
        ),
        update(
            "timeouts",
            json!({"timeouts": {"create": "10m"}, "tags": {"a": "1"}}),
            json!({"timeouts": {"read": "2m", "update": "1h"}, "tags": {"a": "2"}}),
        ),
    ]
}

fn cors(origin: &str, age: i64) -> Json {
    json!([{
        "allowed_origins": [origin], "allowed_methods": if age > 5 { json!(["GET"]) } else { json!(["GET", "PUT"]) },
        "allowed_headers": [format!("x-{age}")], "exposed_headers": [format!("y-{age}")], "max_age_in_seconds": age,
    }])
}

fn account_services() -> Vec<Case> {
    let all = json!([{
        "change_feed_enabled": true, "change_feed_retention_in_days": 20, "default_service_version": "2020-06-12", "last_access_time_enabled": true,
        "versioning_enabled": true, "container_delete_retention_policy": [{"days": 8}], "cors_rule": cors("https://a.example", 5),
        "delete_retention_policy": [{"days": 9}], "restore_policy": [{"days": 6}],
    }]);
    let other = json!([{
        "change_feed_enabled": true, "change_feed_retention_in_days": 30, "default_service_version": "2021-06-08", "last_access_time_enabled": false,
        "versioning_enabled": true, "container_delete_retention_policy": [{"days": 18}], "cors_rule": cors("https://b.example", 6),
        "delete_retention_policy": [{"days": 19}], "restore_policy": [{"days": 7}],
    }]);
    let without = json!([{
        "versioning_enabled": false, "delete_retention_policy": [{"days": 9, "permanent_delete_enabled": true}], "container_delete_retention_policy": [{}],
    }]);
    let smb = |types: Json, multichannel: bool| {
        json!([{
            "authentication_types": types, "channel_encryption_type": if multichannel { json!(["AES-256-GCM"]) } else { json!(["AES-128-GCM", "AES-256-GCM"]) },
            "kerberos_ticket_encryption_type": if multichannel { json!(["AES-256"]) } else { json!(["RC4-HMAC"]) }, "multichannel_enabled": multichannel,
            "versions": if multichannel { json!(["SMB3.1.1"]) } else { json!(["SMB3.0", "SMB3.1.1"]) },
        }])
    };
    let premium = |shares: Json| json!({"account_tier": "Premium", "account_kind": "FileStorage", "share_properties": shares});
    vec![
        update(
            "blob_properties that come",
            json!({}),
            json!({"blob_properties": all}),
        ),
        update(
            "blob_properties",
            json!({"blob_properties": all}),
            json!({"blob_properties": other}),
        ),
        update(
            "what restoring rests on",
            json!({"blob_properties": all}),
            json!({"blob_properties": without}),
        ),
        update(
            "blob_properties of the oldest kind",
            json!({"account_kind": "Storage"}),
            json!({"account_kind": "Storage", "blob_properties": [{"delete_retention_policy": [{"days": 9}]}]}),
        ),
        update(
            "share_properties that come",
            json!({}),
            json!({"share_properties": [{"retention_policy": [{"days": 9}]}]}),
        ),
        update(
            "share_properties",
            json!({"share_properties": [{"retention_policy": [{"days": 9}], "cors_rule": cors("https://a.example", 5), "smb": smb(json!(["Kerberos"]), false)}]}),
            json!({"share_properties": [{"retention_policy": [{"days": 10}], "cors_rule": cors("https://b.example", 6), "smb": smb(json!(["NTLMv2"]), false)}]}),
        ),
        update(
            "several channels",
            premium(json!([{"smb": smb(json!(["Kerberos"]), false)}])),
            premium(json!([{"smb": smb(json!(["Kerberos", "NTLMv2"]), true)}])),
        ),
    ]
}

/// Arguments that no case changes, with the reason.
const NOT_CHANGED: [&str; 6] = [
    "id",
    // There is one value alone that is allowed; that it is set back is seen below.
    "min_tls_version",
    // What the version of the interface does not know is refused; that is seen below.
    "provisioned_billing_model_version",
    "timeouts.delete",
    "timeouts.create",
    "timeouts.read",
];

#[test]
fn storage_accounts() {
    let base = account_base();
    let mut cases = account_flags();
    cases.extend(account_replacements());
    cases.extend(account_directories());
    cases.extend(account_identities());
    cases.extend(account_blocks());
    cases.extend(account_services());
    let without = [&NOT_CHANGED[..], &["timeouts.update"]].concat();
    carry_out_all(ACCOUNT, &base, &cases, &without, &|_| {});
}

#[test]
fn storage_accounts_are_imported() {
    let driver = furnished();
    import(&driver, ACCOUNT, &account_base());
    let driver = furnished();
    let rich = merged(
        &account_base(),
        &json!({
            "account_replication_type": "RAGRS",
            "identity": identity(&["one"]),
            "network_rules": [{"default_action": "Deny", "ip_rules": ["8.8.8.8"]}],
            "routing": [{"publish_microsoft_endpoints": true}],
            "blob_properties": [{"versioning_enabled": true}],
            "tags": {"a": "1"},
        }),
    );
    import(&driver, ACCOUNT, &rich);
}

#[test]
fn an_account_says_where_it_is_and_how_to_get_in() {
    let driver = furnished();
    let json = merged(
        &account_base(),
        &json!({"account_replication_type": "RAGRS", "routing": [{"publish_internet_endpoints": true}]}),
    );
    let account = driver.create(ACCOUNT, &json).unwrap();
    let text = |name: &str| account.get(name).and_then(Value::as_str).unwrap();
    assert_eq!(text("id"), Driver::account_id("accountone"));
    assert_eq!(text("location"), "westeurope");
    assert_eq!(
        text("primary_blob_endpoint"),
        "https://accountone.blob.core.windows.net/"
    );
    assert_eq!(
        text("primary_blob_host"),
        "accountone.blob.core.windows.net"
    );
    assert_eq!(
        text("secondary_dfs_host"),
        "accountone-secondary.dfs.core.windows.net"
    );
    assert_eq!(
        text("primary_web_internet_host"),
        "accountone-internetrouting.web.core.windows.net"
    );
    assert_eq!(text("primary_web_microsoft_host"), "");
    assert_eq!(text("secondary_location"), "northeurope");
    let key = text("primary_access_key");
    assert_eq!(key, "a2V51-of-accountone");
    assert_eq!(
        text("primary_connection_string"),
        format!(
            "DefaultEndpointsProtocol=https;AccountName=accountone;AccountKey={key};EndpointSuffix=core.windows.net"
        )
    );
    assert_eq!(
        text("secondary_blob_connection_string"),
        "DefaultEndpointsProtocol=https;BlobEndpoint=https://accountone-secondary.blob.core.windows.net/;AccountName=accountone;AccountKey=a2V52-of-accountone"
    );
}

#[test]
fn what_others_changed_is_set_back() {
    let driver = furnished();
    let json = merged(&account_base(), &json!({"tags": {"a": "1"}}));
    let account = driver.create(ACCOUNT, &json).unwrap();
    driver
        .azure
        .meddle(&Driver::account_id("accountone"), |body| {
            body["properties"]["minimumTlsVersion"] = json!("TLS1_0");
            body["properties"]["networkAcls"]["defaultAction"] = json!("Deny");
            body["tags"] = json!({"a": "1", "b": "2"});
        });
    let drifted = driver.read(ACCOUNT, &account).unwrap();
    assert_eq!(
        drifted.get("min_tls_version"),
        Some(&Value::string("TLS1_0"))
    );
    let planned = driver.plan(ACCOUNT, &drifted, &json).unwrap();
    assert_eq!(planned.replace, Vec::<String>::new());
    let (after, told) = driver.carry_out(ACCOUNT, &drifted, &planned);
    assert_eq!(told, "");
    driver.assert_clean(ACCOUNT, &after, &json, "after what others did");
    let object = driver
        .azure
        .object(&Driver::account_id("accountone"))
        .unwrap();
    assert_eq!(object["properties"]["minimumTlsVersion"], "TLS1_2");
    assert_eq!(object["tags"], json!({"a": "1"}));
    // Rules that nobody configures are nobody's to change, as azurerm has it.
    assert_eq!(object["properties"]["networkAcls"]["defaultAction"], "Deny");
}

pub(crate) fn container_base() -> Json {
    json!({"name": "container-one", "storage_account_id": Driver::account_id("accountone")})
}

/// The accounts that containers are in.
fn with_accounts(driver: &Driver) {
    for name in ["accountone", "accounttwo"] {
        driver
            .create(ACCOUNT, &merged(&account_base(), &json!({"name": name})))
            .unwrap();
    }
}

#[test]
fn storage_containers() {
    let scoped = |name: &str, over: bool| json!({"default_encryption_scope": name, "encryption_scope_override_enabled": over});
    let cases = [
        update(
            "container_access_type",
            json!({}),
            json!({"container_access_type": "blob"}),
        ),
        update(
            "container_access_type that goes",
            json!({"container_access_type": "container"}),
            json!({}),
        ),
        update(
            "metadata",
            json!({"metadata": {"a": "1"}}),
            json!({"metadata": {"b": "2"}}),
        ),
        update(
            "timeouts",
            json!({"timeouts": {"create": "10m", "delete": "10m"}, "metadata": {"a": "1"}}),
            json!({"timeouts": {"read": "2m", "update": "1h"}, "metadata": {"a": "2"}}),
        ),
        replace(
            "default_encryption_scope",
            json!({}),
            json!({"default_encryption_scope": "myscope"}),
        ),
        replace(
            "encryption_scope_override_enabled",
            scoped("myscope", true),
            scoped("myscope", false),
        ),
        replace("name", json!({}), json!({"name": "container-two"})),
        replace(
            "storage_account_id",
            json!({}),
            json!({"storage_account_id": Driver::account_id("accounttwo")}),
        ),
    ];
    let without = [&ACTIONS[..], &["id", "timeouts.update"]].concat();
    carry_out_all(
        CONTAINER,
        &container_base(),
        &cases,
        &without,
        &with_accounts,
    );
    let driver = furnished();
    with_accounts(&driver);
    import(
        &driver,
        CONTAINER,
        &merged(&container_base(), &json!({"container_access_type": "blob"})),
    );
}

#[test]
fn a_container_says_where_it_is() {
    let driver = furnished();
    with_accounts(&driver);
    let container = driver.create(CONTAINER, &container_base()).unwrap();
    assert_eq!(
        container.get("id"),
        Some(&Value::string(format!(
            "{}/blobServices/default/containers/container-one",
            Driver::account_id("accountone")
        )))
    );
    assert_eq!(
        container.get("url"),
        Some(&Value::string(
            "https://accountone.blob.core.windows.net/container-one"
        ))
    );
    assert_eq!(
        container.get("default_encryption_scope"),
        Some(&Value::string("$account-encryption-key"))
    );
}

#[test]
fn states_of_old_containers_are_brought_up_to_date() {
    let driver = Driver::new();
    let id = format!(
        "{}/blobServices/default/containers/c",
        Driver::account_id("accountone")
    );
    let old = json!({
        "id": "https://accountone.blob.core.windows.net/c", "name": "c", "storage_account_name": "accountone", "resource_manager_id": id,
        "container_access_type": "private", "metadata": {},
    });
    let state = driver.upgrade(CONTAINER, 1, &old).unwrap();
    assert_eq!(state.get("id"), Some(&Value::string(id)));
    assert_eq!(
        state.get("storage_account_id"),
        Some(&Value::string(Driver::account_id("accountone")))
    );
    let told = driver
        .upgrade(
            CONTAINER,
            0,
            &merged(&old, &json!({"resource_manager_id": null})),
        )
        .unwrap_err();
    assert!(told.contains("import it by its id"), "{told}");
}
