//! Storage accounts: what the service adds to them, and what it refuses.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Refusal;

/// Replications without zones; from them to the others, and back, an account cannot go.
const WITHOUT_ZONES: [&str; 3] = ["LRS", "GRS", "RAGRS"];
const SERVICES: [&str; 6] = ["blob", "dfs", "file", "queue", "table", "web"];

fn refused(status: u16, code: &str, message: impl Into<String>) -> Refusal {
    Refusal::new(status, code, message)
}

fn text<'v>(value: &'v Value, place: &str) -> &'v str {
    value
        .pointer(place)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn flag(value: &Value, place: &str) -> bool {
    value
        .pointer(place)
        .and_then(Value::as_bool)
        .unwrap_or(false)
}

fn replication(body: &Value) -> &str {
    text(body, "/sku/name")
        .split_once('_')
        .map_or("", |(_, replication)| replication)
}

/// An account that was asked for, with what the service adds.
pub(super) fn made(name: &str, body: &Value) -> Result<Value, Refusal> {
    let right = (3..=24).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !right {
        let told = format!(
            "{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only."
        );
        return Err(refused(400, "AccountNameInvalid", told));
    }
    if text(body, "/properties/largeFileSharesState") == "Disabled" {
        return Err(refused(
            400,
            "InvalidRequestPropertyValue",
            "The value 'Disabled' is not allowed for property largeFileSharesState.",
        ));
    }
    if text(
        body,
        "/properties/immutableStorageWithVersioning/immutabilityPolicy/state",
    ) == "Locked"
    {
        return Err(refused(
            400,
            "InvalidStorageAccountImmutabilityPolicy",
            "Storage account immutability policy state can be set to \"Unlocked, Disabled\".",
        ));
    }
    let mut account = json!({
        "location": text(body, "/location").replace(' ', "").to_lowercase(),
        "kind": body["kind"],
        "sku": {"name": body["sku"]["name"], "tier": tier(body)},
        "tags": body.get("tags").cloned().unwrap_or_else(|| json!({})),
        "properties": {
            "creationTime": "2026-01-02T03:04:05.1234567Z",
            "primaryLocation": text(body, "/location"),
            "statusOfPrimary": "available",
            "provisioningState": "Creating",
            "keyCreationTime": {"key1": "2026-01-02T03:04:05.1234567Z", "key2": "2026-01-02T03:04:05.1234567Z"},
            "privateEndpointConnections": [],
            "networkAcls": {"bypass": "AzureServices", "defaultAction": "Allow", "ipRules": [], "virtualNetworkRules": [], "resourceAccessRules": []},
            "encryption": {"keySource": "Microsoft.Storage", "services": {}},
        },
    });
    if let Some(zone) = body.get("extendedLocation") {
        account["extendedLocation"] = zone.clone();
    }
    let properties = body.get("properties").cloned().unwrap_or_else(|| json!({}));
    take(&mut account, &properties, body.get("identity"))?;
    dress(name, &mut account);
    Ok(account)
}

fn tier(body: &Value) -> &'static str {
    if text(body, "/sku/name").starts_with("Premium") {
        "Premium"
    } else {
        "Standard"
    }
}

/// Takes what a request says of properties and identity over.
fn take(account: &mut Value, properties: &Value, identity: Option<&Value>) -> Result<(), Refusal> {
    if let Some(identity) = identity {
        account["identity"] = identified(&account["identity"], identity);
    }
    let kind = text(account, "/kind").to_owned();
    if properties.get("accessTier").is_some()
        && matches!(kind.as_str(), "Storage" | "BlockBlobStorage")
    {
        return Err(refused(
            400,
            "InvalidRequestPropertyValue",
            format!("The property 'accessTier' is not allowed for accounts of kind '{kind}'."),
        ));
    }
    let before = text(
        account,
        "/properties/azureFilesIdentityBasedAuthentication/directoryServiceOptions",
    )
    .to_owned();
    let after = text(
        properties,
        "/azureFilesIdentityBasedAuthentication/directoryServiceOptions",
    );
    let is_on = |option: &str| !matches!(option, "" | "None");
    if is_on(&before) && is_on(after) && before != after {
        return Err(refused(
            400,
            "InvalidRequestPropertyValue",
            "The directory service must be set to None before another is chosen.",
        ));
    }
    for (name, value) in properties.as_object().into_iter().flatten() {
        match name.as_str() {
            "encryption" => encrypt(account, value)?,
            "customDomain" if text(value, "/name").is_empty() => {
                if let Some(all) = account["properties"].as_object_mut() {
                    all.remove("customDomain");
                }
            }
            // Whether it is checked by another name is not told.
            "customDomain" => account["properties"][name] = json!({"name": value["name"]}),
            "azureFilesIdentityBasedAuthentication"
                if !is_on(text(value, "/directoryServiceOptions")) =>
            {
                account["properties"][name] = json!({"directoryServiceOptions": "None"});
            }
            _ => account["properties"][name] = value.clone(),
        }
    }
    Ok(())
}

fn encrypt(account: &mut Value, wanted: &Value) -> Result<(), Refusal> {
    if text(wanted, "/keySource") == "Microsoft.Keyvault" {
        let identity = text(wanted, "/identity/userAssignedIdentity");
        if account["identity"]["userAssignedIdentities"]
            .get(identity)
            .is_none()
        {
            return Err(refused(
                400,
                "UserAssignedIdentityNotAssigned",
                format!("The identity '{identity}' is not assigned to the account."),
            ));
        }
        if wanted.get("keyvaultproperties").is_none() {
            return Err(refused(
                400,
                "InvalidRequestPropertyValue",
                "keyvaultproperties is required.",
            ));
        }
    }
    let before = account["properties"]["encryption"].clone();
    let mut after = wanted.clone();
    // What is said once stays.
    if after.get("requireInfrastructureEncryption").is_none()
        && let Some(twice) = before.get("requireInfrastructureEncryption")
    {
        after["requireInfrastructureEncryption"] = twice.clone();
    }
    let wanted = after["services"].take();
    let mut services = json!({
        "blob": {"enabled": true, "keyType": "Account", "lastEnabledTime": "2026-01-02T03:04:05.1234567Z"},
        "file": {"enabled": true, "keyType": "Account", "lastEnabledTime": "2026-01-02T03:04:05.1234567Z"},
    });
    // Those that are encrypted by the service's key are not told of.
    for name in ["queue", "table"] {
        if text(&wanted, &format!("/{name}/keyType")) == "Account" {
            services[name] = json!({"enabled": true, "keyType": "Account"});
        }
    }
    after["services"] = services;
    account["properties"]["encryption"] = after;
    Ok(())
}

fn identified(before: &Value, wanted: &Value) -> Value {
    let kind = text(wanted, "/type");
    let mut identity = json!({"type": kind});
    if kind.contains("SystemAssigned") {
        identity["principalId"] = json!("11111111-0000-4000-8000-000000000001");
        identity["tenantId"] = json!(super::AzureStandIn::TENANT);
    }
    if kind.contains("UserAssigned") && kind != "SystemAssigned" {
        let mut all: Map<String, Value> = before["userAssignedIdentities"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        for (id, value) in wanted["userAssignedIdentities"]
            .as_object()
            .into_iter()
            .flatten()
        {
            if value.is_null() {
                all.remove(id);
            } else {
                all.insert(id.clone(), json!({"principalId": "22222222-0000-4000-8000-000000000002", "clientId": "33333333-0000-4000-8000-000000000003"}));
            }
        }
        identity["userAssignedIdentities"] = all.into();
    }
    identity
}

/// What follows from the rest: where the services are, and where the copies.
fn dress(name: &str, account: &mut Value) {
    let replication = replication(account).to_owned();
    let published = |place: &str| flag(account, &format!("/properties/routingPreference/{place}"));
    let (internet, microsoft) = (
        published("publishInternetEndpoints"),
        published("publishMicrosoftEndpoints"),
    );
    let only: &[&str] = match text(account, "/kind") {
        "FileStorage" => &["file"],
        "BlobStorage" => &["blob", "dfs"],
        "BlockBlobStorage" => &["blob", "dfs", "web"],
        _ => &SERVICES,
    };
    let addresses = |place: &str, infix: &str, services: &[&str]| -> Map<String, Value> {
        services
            .iter()
            .map(|service| {
                (
                    (*service).to_owned(),
                    json!(format!(
                        "https://{name}{place}{infix}.{service}.core.windows.net/"
                    )),
                )
            })
            .collect()
    };
    let all = |place: &str| -> Value {
        let mut found = addresses(place, "", only);
        if microsoft {
            found.insert(
                "microsoftEndpoints".into(),
                addresses(place, "-microsoftrouting", only).into(),
            );
        }
        if internet {
            let reached: Vec<&str> = only
                .iter()
                .copied()
                .filter(|service| !matches!(*service, "queue" | "table"))
                .collect();
            found.insert(
                "internetEndpoints".into(),
                addresses(place, "-internetrouting", &reached).into(),
            );
        }
        found.into()
    };
    let properties = &mut account["properties"];
    properties["primaryEndpoints"] = all("");
    let copied = replication.contains("GRS") || replication.contains("GZRS");
    if copied {
        properties["secondaryLocation"] = json!("northeurope");
        properties["statusOfSecondary"] = json!("available");
    }
    if replication.starts_with("RA") {
        properties["secondaryEndpoints"] = all("-secondary");
    }
    if let Some(members) = properties.as_object_mut() {
        if !copied {
            members.remove("secondaryLocation");
            members.remove("statusOfSecondary");
        }
        if !replication.starts_with("RA") {
            members.remove("secondaryEndpoints");
        }
    }
}

/// An account after a change.
pub(super) fn changed(name: &str, before: &Value, wanted: &Value) -> Result<Value, Refusal> {
    let mut account = before.clone();
    if let Some(sku) = wanted.get("sku") {
        let zones = |body: &Value| !WITHOUT_ZONES.contains(&replication(body));
        if tier(before) != tier(wanted) || zones(before) != zones(wanted) {
            return Err(refused(
                409,
                "AccountPropertyCannotBeUpdated",
                "The property 'sku' cannot be changed in this way.",
            ));
        }
        account["sku"] = json!({"name": sku["name"], "tier": tier(wanted)});
    }
    if let Some(kind) = wanted.get("kind").filter(|kind| **kind != before["kind"]) {
        if kind != "StorageV2" || !matches!(text(before, "/kind"), "Storage" | "BlobStorage") {
            return Err(refused(
                409,
                "AccountPropertyCannotBeUpdated",
                "The property 'kind' cannot be changed in this way.",
            ));
        }
        account["kind"] = kind.clone();
    }
    if let Some(tags) = wanted.get("tags") {
        account["tags"] = tags.clone();
    }
    let nothing = json!({});
    let properties = wanted.get("properties").unwrap_or(&nothing);
    if text(properties, "/largeFileSharesState") == "Disabled" {
        return Err(refused(
            400,
            "InvalidRequestPropertyValue",
            "The value 'Disabled' is not allowed for property largeFileSharesState.",
        ));
    }
    let state = "/immutableStorageWithVersioning/immutabilityPolicy/state";
    let (was, will) = (
        text(before, &format!("/properties{state}")),
        text(properties, state),
    );
    if was == "Locked" && !will.is_empty() && will != "Locked" {
        return Err(refused(
            409,
            "InvalidStorageAccountImmutabilityPolicy",
            "The immutability policy state cannot be changed once Locked.",
        ));
    }
    if let Some(dns) = properties.get("dnsEndpointType")
        && *dns != before["properties"]["dnsEndpointType"]
    {
        return Err(refused(
            409,
            "AccountPropertyCannotBeUpdated",
            "The property 'dnsEndpointType' cannot be changed.",
        ));
    }
    take(&mut account, properties, wanted.get("identity"))?;
    dress(name, &mut account);
    Ok(account)
}

/// The services that a new account has, by their places below it.
pub(super) fn services(account: &Value) -> BTreeMap<&'static str, Value> {
    let kind = text(account, "/kind");
    let mut all = BTreeMap::new();
    if kind != "FileStorage" {
        all.insert(
            "blobServices/default",
            json!({"properties": {"cors": {"corsRules": []}, "deleteRetentionPolicy": {"allowPermanentDelete": false, "enabled": false}}}),
        );
    }
    let shares = kind == "FileStorage"
        || tier(account) == "Standard" && matches!(kind, "Storage" | "StorageV2");
    if shares {
        all.insert(
            "fileServices/default",
            json!({"properties": {
                "cors": {"corsRules": []},
                "protocolSettings": {"smb": {}},
                "shareDeleteRetentionPolicy": {"enabled": true, "days": 7},
            }}),
        );
    }
    all
}

/// The service for blobs after a request.
pub(super) fn blob_service(
    account: &Value,
    before: &Value,
    wanted: &Value,
) -> Result<Value, Refusal> {
    let on = |value: &Value, place: &str| flag(value, &format!("/properties/{place}"));
    if on(before, "restorePolicy/enabled")
        && on(wanted, "deleteRetentionPolicy/allowPermanentDelete")
    {
        return Err(refused(
            409,
            "ConflictFeature",
            "Conflicting feature 'restorePolicy' is enabled. Please disable it and retry.",
        ));
    }
    if on(wanted, "isVersioningEnabled") && on(account, "isHnsEnabled") {
        return Err(refused(
            409,
            "FeatureNotSupportedForAccount",
            "Versioning is not supported for the account.",
        ));
    }
    let mut after = before.clone();
    for (name, value) in wanted["properties"].as_object().into_iter().flatten() {
        after["properties"][name] = value.clone();
    }
    for needed in [
        "isVersioningEnabled",
        "changeFeed/enabled",
        "deleteRetentionPolicy/enabled",
    ] {
        if on(&after, "restorePolicy/enabled") && !on(&after, needed) {
            return Err(refused(
                409,
                "FeatureNotEnabled",
                format!("The restore policy takes {needed}."),
            ));
        }
    }
    if !on(&after, "restorePolicy/enabled")
        && let Some(members) = after["properties"].as_object_mut()
    {
        members.remove("restorePolicy");
    }
    Ok(after)
}

/// The service for shares after a request.
pub(super) fn file_service(
    account: &Value,
    before: &Value,
    wanted: &Value,
) -> Result<Value, Refusal> {
    if wanted
        .pointer("/properties/protocolSettings/smb/multichannel")
        .is_some()
        && tier(account) != "Premium"
    {
        return Err(refused(
            400,
            "InvalidXmlDocument",
            "XML specified is not syntactically valid.",
        ));
    }
    let mut after = before.clone();
    for (name, value) in wanted["properties"].as_object().into_iter().flatten() {
        after["properties"][name] = value.clone();
    }
    // Settings that are empty are not told.
    if let Some(Value::Object(smb)) = after.pointer_mut("/properties/protocolSettings/smb") {
        smb.retain(|_, value| value.as_str() != Some(""));
    }
    Ok(after)
}

/// A container that was asked for, with what the service adds.
pub(super) fn container(before: Option<&Value>, wanted: &Value) -> Value {
    let mut container = before.cloned().unwrap_or_else(|| {
        json!({"properties": {
            "deleted": false,
            "remainingRetentionDays": 0,
            "defaultEncryptionScope": "$account-encryption-key",
            "denyEncryptionScopeOverride": false,
            "publicAccess": "None",
            "leaseStatus": "Unlocked",
            "leaseState": "Available",
            "lastModifiedTime": "2026-01-02T03:04:05.0000000Z",
            "hasImmutabilityPolicy": false,
            "hasLegalHold": false,
        }})
    });
    for (name, value) in wanted["properties"].as_object().into_iter().flatten() {
        container["properties"][name] = value.clone();
    }
    container
}
