//! What moto's Lambda takes and forgets: it is remembered here, and told as Lambda tells it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value as Json, json};

use super::{Answer, Asked};

/// Settings by the name of their function.
pub(super) type Settings = Mutex<BTreeMap<String, Map<String, Json>>>;

/// Settings that moto keeps only as they were at first, or not at all.
const KEPT: [&str; 11] = [
    "CapacityProviderConfig",
    "DeadLetterConfig",
    "DurableConfig",
    "EphemeralStorage",
    "FileSystemConfigs",
    "ImageConfig",
    "KMSKeyArn",
    "LoggingConfig",
    "SnapStart",
    "TenancyConfig",
    "TracingConfig",
];

/// Remembers the settings of functions that are made and changed, and tells them; and that nothing runs for long.
pub(super) fn correct(asked: &Asked, answer: &mut Answer, settings: &Settings) {
    let (method, path) = asked.method_and_path();
    let path = path
        .split('?')
        .next()
        .unwrap_or_default()
        .trim_end_matches('/');
    // moto knows no durable executions, and so none of any function.
    if method == "GET" && path.ends_with("/durable-executions") {
        answer.status = 200;
        answer.body = br#"{"DurableExecutions": []}"#.to_vec();
        return;
    }
    let Some(rest) = path.strip_prefix("/2015-03-31/functions") else {
        return;
    };
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    if answer.status >= 300 {
        return;
    }
    let sent: Json = serde_json::from_slice(&asked.body).unwrap_or_default();
    match (method, parts.as_slice()) {
        ("POST", []) => {
            let name = sent["FunctionName"].as_str().unwrap_or_default().to_owned();
            remember(settings, &name, &sent);
        }
        ("PUT", [name, "configuration" | "code"]) => remember(settings, name, &sent),
        ("DELETE", [name]) => {
            lock(settings).remove(*name);
        }
        ("GET", [name]) => {
            let Ok(mut told) = serde_json::from_slice::<Json>(&answer.body) else {
                return;
            };
            without_empty_image_config(&mut told["Configuration"]);
            tell(settings, name, &mut told["Configuration"]);
            answer.body = told.to_string().into_bytes();
        }
        _ => {}
    }
}

fn lock(settings: &Settings) -> MutexGuard<'_, BTreeMap<String, Map<String, Json>>> {
    settings.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remember(settings: &Settings, name: &str, sent: &Json) {
    let mut settings = lock(settings);
    let known = settings.entry(name.to_owned()).or_default();
    for key in KEPT.into_iter().chain(["Architectures"]) {
        if let Some(value) = sent.get(key) {
            known.insert(key.to_owned(), value.clone());
        }
    }
}

fn tell(settings: &Settings, name: &str, told: &mut Json) {
    let settings = lock(settings);
    for (key, value) in settings.get(name).into_iter().flatten() {
        let (key, value) = match key.as_str() {
            "DeadLetterConfig" if value["TargetArn"] == "" => continue,
            "ImageConfig" => ("ImageConfigResponse", json!({"ImageConfig": value})),
            "LoggingConfig" => ("LoggingConfig", logging(name, value)),
            "SnapStart" => {
                let on = value["ApplyOn"] != "None";
                let status = if on { "On" } else { "Off" };
                (
                    "SnapStart",
                    json!({"ApplyOn": value["ApplyOn"], "OptimizationStatus": status}),
                )
            }
            key => (key, value.clone()),
        };
        told[key] = value;
    }
}

/// moto tells of every function of an image how it is started, also where nobody said so.
fn without_empty_image_config(told: &mut Json) {
    let parts = told["ImageConfigResponse"]["ImageConfig"].as_object();
    let says_nothing = |part: &Json| match part {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        _ => false,
    };
    if parts.is_some_and(|parts| parts.values().all(says_nothing))
        && let Some(told) = told.as_object_mut()
    {
        told.remove("ImageConfigResponse");
    }
}

/// Lambda tells the group that it made up, and the levels of logs that are written as JSON.
fn logging(name: &str, sent: &Json) -> Json {
    let mut told = json!({"LogFormat": "Text", "LogGroup": format!("/aws/lambda/{name}")});
    if sent["LogFormat"] == "JSON" {
        told["ApplicationLogLevel"] = json!("INFO");
        told["SystemLogLevel"] = json!("INFO");
    }
    for (key, value) in sent.as_object().into_iter().flatten() {
        told[key] = value.clone();
    }
    told
}
