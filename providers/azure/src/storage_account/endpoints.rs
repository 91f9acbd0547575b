//! Where an account's services are, and the keys to them.

use std::collections::BTreeMap;

use azure_mgmt_storage::package_2023_05::models::{
    Endpoints, RoutingPreference, StorageAccountKey,
};
use serde_json::Value as Json;
use terrace_provider_sdk::Object;

/// Services with the networks over which they are published.
const SERVICES: [(&str, &[&str]); 6] = [
    ("blob", &["", "internet_", "microsoft_"]),
    ("dfs", &["", "internet_", "microsoft_"]),
    ("file", &["", "internet_", "microsoft_"]),
    ("queue", &["", "microsoft_"]),
    ("table", &["", "microsoft_"]),
    ("web", &["", "internet_", "microsoft_"]),
];

/// The attributes that give access.
pub(super) const SECRETS: [&str; 6] = [
    "primary_access_key",
    "primary_blob_connection_string",
    "primary_connection_string",
    "secondary_access_key",
    "secondary_blob_connection_string",
    "secondary_connection_string",
];

/// All attributes that say where a service is.
pub(super) fn names() -> Vec<String> {
    let mut names = Vec::new();
    for place in ["primary", "secondary"] {
        for (service, networks) in SERVICES {
            for network in networks {
                names.push(format!("{place}_{service}_{network}endpoint"));
                names.push(format!("{place}_{service}_{network}host"));
            }
        }
    }
    names
}

/// Says where the services are; what is not published is an empty text.
pub(super) fn set(
    state: &mut Object,
    primary: Option<&Endpoints>,
    secondary: Option<&Endpoints>,
    routing: Option<&RoutingPreference>,
) {
    let published = BTreeMap::from([
        ("", true),
        (
            "internet_",
            routing.and_then(|routing| routing.publish_internet_endpoints) == Some(true),
        ),
        (
            "microsoft_",
            routing.and_then(|routing| routing.publish_microsoft_endpoints) == Some(true),
        ),
    ]);
    for (place, endpoints) in [("primary", primary), ("secondary", secondary)] {
        let document = serde_json::to_value(endpoints).unwrap_or_default();
        for (service, networks) in SERVICES {
            for network in networks {
                let within = match *network {
                    "internet_" => &document["internetEndpoints"],
                    "microsoft_" => &document["microsoftEndpoints"],
                    _ => &document,
                };
                let address = within[service].as_str().filter(|_| published[network]);
                let host = address
                    .and_then(|address| url::Url::parse(address).ok())
                    .and_then(|url| Some(url.host_str()?.to_owned()));
                state.set(
                    &format!("{place}_{service}_{network}endpoint"),
                    address.unwrap_or_default(),
                );
                state.set(
                    &format!("{place}_{service}_{network}host"),
                    host.unwrap_or_default(),
                );
            }
        }
    }
}

/// Says the keys, and the texts that programs connect with; empty where nobody may know them.
pub(super) fn set_keys(
    state: &mut Object,
    account: &str,
    suffix: &str,
    keys: &[StorageAccountKey],
) {
    for (number, place) in ["primary", "secondary"].into_iter().enumerate() {
        let key = keys.get(number).and_then(|key| key.value.clone());
        let key = key.unwrap_or_default();
        let blob = state
            .text(&format!("{place}_blob_endpoint"))
            .unwrap_or_default()
            .to_owned();
        let when = |there: bool, text: String| if there { text } else { String::new() };
        let whole = when(
            !key.is_empty(),
            format!(
                "DefaultEndpointsProtocol=https;AccountName={account};AccountKey={key};EndpointSuffix={suffix}"
            ),
        );
        let blobs = when(
            !key.is_empty() && !blob.is_empty(),
            format!(
                "DefaultEndpointsProtocol=https;BlobEndpoint={blob};AccountName={account};AccountKey={key}"
            ),
        );
        state.set(&format!("{place}_access_key"), key);
        state.set(&format!("{place}_connection_string"), whole);
        state.set(&format!("{place}_blob_connection_string"), blobs);
    }
}

/// The keys in an answer. Their times are left out: the account's own are no part of the state.
pub(super) fn keys_in(answer: &Json) -> Vec<StorageAccountKey> {
    let keys = answer["keys"].as_array().into_iter().flatten();
    keys.map(|key| StorageAccountKey {
        key_name: key["keyName"].as_str().map(str::to_owned),
        value: key["value"].as_str().map(str::to_owned),
        ..StorageAccountKey::default()
    })
    .collect()
}
