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

/// What is told by calls of their own.
const SIGNING: &str = "CodeSigningConfigArn";
const SOURCE_KEY: &str = "SourceKMSKeyArn";

/// moto cannot change which signatures a function asks for.
pub(super) fn answered(asked: &Asked, settings: &Settings) -> Option<Answer> {
    let (method, path) = asked.method_and_path();
    let (name, part) = later(path)?;
    if part != "code-signing-config" || method == "GET" {
        return None;
    }
    let mut settings = lock(settings);
    let known = settings.entry(name).or_default();
    if method == "DELETE" {
        known.remove(SIGNING);
        return Some(Answer::of_json(204, &json!({})));
    }
    let sent = asked.json();
    known.insert(SIGNING.to_owned(), sent[SIGNING].clone());
    Some(Answer::of_json(200, &sent))
}

/// The function and the part of a call that Lambda has had only later.
fn later(path: &str) -> Option<(String, &str)> {
    let path = path.split('?').next()?;
    let rest = path
        .strip_prefix("/2021-10-31/functions/")
        .or_else(|| path.strip_prefix("/2020-06-30/functions/"))?;
    let (name, part) = rest.trim_end_matches('/').split_once('/')?;
    Some((plain(name), part))
}

/// The name of a function that a call names by its name or its ARN.
fn plain(name: &str) -> String {
    let name = name.replace("%3A", ":");
    let parts: Vec<&str> = name.split(':').collect();
    let place = if name.starts_with("arn:") { 6 } else { 0 };
    (*parts.get(place).unwrap_or(&"")).to_owned()
}

/// moto forgets how answers are given at an address, and knows only addresses of functions themselves, and none of their aliases.
fn address(asked: &Asked, answer: &mut Answer, settings: &Settings, name: &str) {
    let (method, path) = asked.method_and_path();
    let qualifier = path
        .split_once("Qualifier=")
        .and_then(|(_, rest)| rest.split('&').next());
    let key = format!("Url/{}", qualifier.unwrap_or_default());
    let mut settings = lock(settings);
    let known = settings.entry(name.to_owned()).or_default();
    match (method, known.get(&key)) {
        ("DELETE", _) => {
            known.remove(&key);
        }
        ("GET", None) => {
            *answer = Answer::of_json(
                404,
                &json!({"Type": "User", "Message": "There is no such address"}),
            );
            let code = "ResourceNotFoundException".to_owned();
            answer.headers.push(("x-amzn-errortype".into(), code));
        }
        ("GET", Some(mode)) => {
            let mode = mode.clone();
            answer.change_json(|told| {
                told["InvokeMode"] = mode;
                if let (Some(qualifier), Some(arn)) = (qualifier, told["FunctionArn"].as_str()) {
                    told["FunctionArn"] = json!(format!("{arn}:{qualifier}"));
                }
            });
        }
        (_, before) => {
            let sent = asked.json()["InvokeMode"].clone();
            let before = before.cloned().unwrap_or_else(|| json!("BUFFERED"));
            let mode = if sent.is_null() { before } else { sent };
            known.insert(key, mode);
        }
    }
}

/// moto forgets by which token, and by which kind of address, a function may be called.
fn statements(known: &Map<String, Json>, told: &mut Json) {
    let text = told["Policy"].as_str().unwrap_or_default();
    let mut policy: Json = serde_json::from_str(text).unwrap_or_default();
    for statement in policy["Statement"].as_array_mut().into_iter().flatten() {
        let Some(sent) = known.get(&format!("Statement/{}", statement["Sid"])) else {
            continue;
        };
        let texts = [
            ("EventSourceToken", "lambda:EventSourceToken"),
            ("FunctionUrlAuthType", "lambda:FunctionUrlAuthType"),
        ];
        for (name, condition) in texts {
            if let Some(value) = sent.get(name) {
                statement["Condition"]["StringEquals"][condition] = value.clone();
            }
        }
        if sent["InvokedViaFunctionUrl"] == true {
            statement["Condition"]["Bool"]["lambda:InvokedViaFunctionUrl"] = json!("true");
        }
    }
    told["Policy"] = json!(policy.to_string());
}

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
    if answer.status >= 300 {
        return;
    }
    let sent = asked.json();
    if let Some((name, part)) = later(path) {
        match part {
            "url" => address(asked, answer, settings, &name),
            _ if method == "GET" => {
                let kept = lock(settings).get(&name).cloned().unwrap_or_default();
                let arn = kept.get(SIGNING).cloned().unwrap_or_default();
                answer.change_json(|told| told[SIGNING] = arn);
            }
            _ => {}
        }
        return;
    }
    let Some(rest) = path.strip_prefix("/2015-03-31/functions") else {
        return;
    };
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    match (method, parts.as_slice()) {
        ("POST", [name, "policy"]) => {
            let mut settings = lock(settings);
            let known = settings.entry(plain(name)).or_default();
            known.insert(format!("Statement/{}", sent["StatementId"]), sent);
        }
        ("GET", [name, "policy"]) => {
            let known = lock(settings).get(&plain(name)).cloned();
            answer.change_json(|told| statements(&known.unwrap_or_default(), told));
        }
        ("POST", []) => {
            let name = sent["FunctionName"].as_str().unwrap_or_default().to_owned();
            remember(settings, &name, &sent);
        }
        ("PUT", [name, "configuration" | "code"]) => remember(settings, name, &sent),
        ("DELETE", [name]) => {
            lock(settings).remove(*name);
        }
        ("GET", [name]) => {
            answer.change_json(|told| {
                without_empty_image_config(&mut told["Configuration"]);
                tell(settings, name, &mut told["Configuration"]);
                let kept = lock(settings).get(*name).cloned().unwrap_or_default();
                if let Some(key) = kept.get(SOURCE_KEY) {
                    told["Code"][SOURCE_KEY] = key.clone();
                }
            });
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
    for key in KEPT
        .into_iter()
        .chain(["Architectures", SIGNING, SOURCE_KEY])
    {
        if let Some(value) = sent.get(key).or_else(|| sent["Code"].get(key)) {
            known.insert(key.to_owned(), value.clone());
        }
    }
}

fn tell(settings: &Settings, name: &str, told: &mut Json) {
    let settings = lock(settings);
    for (key, value) in settings.get(name).into_iter().flatten() {
        let (key, value) = match key.as_str() {
            SIGNING | SOURCE_KEY => continue,
            key if key.contains('/') => continue,
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
