//! Sources of Lambda's events. moto has none that are not AWS's own: their mappings are here. Of the others it forgets from when on
//! they are read, and changes of what brokers are told.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value as Json, json};

use super::{Answer, Asked};

/// Mappings by their ids: whole ones of sources that are not of AWS, and what moto forgets of others.
pub(super) type Mappings = Mutex<BTreeMap<String, Json>>;

const PLACE: &str = "/2015-03-31/event-source-mappings";
const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:event-source-mapping:";

/// Ids of own mappings begin so.
const OWN: &str = "00000000-0000-4000-8000-";

/// The answer to a call about a mapping of a source that is not of AWS; none where it is about something else.
pub(super) fn answered(asked: &Asked, mappings: &Mappings) -> Option<Answer> {
    let (method, path) = asked.method_and_path();
    let path = path.replace("%3A", ":");
    if let Some(id) = path.strip_prefix(&format!("/2017-03-31/tags/{ARN}{OWN}")) {
        let id = format!("{OWN}{}", id.split('?').next().unwrap_or_default());
        return tags(asked, mappings, &id);
    }
    let rest = path.strip_prefix(PLACE)?;
    let id = rest.split('?').next()?.trim_matches('/').to_owned();
    let sent = asked.json();
    let mut mappings = mappings.lock().unwrap_or_else(PoisonError::into_inner);
    if method == "POST" && id.is_empty() {
        if sent["SelfManagedEventSource"].is_null() {
            return None;
        }
        let id = format!("{OWN}{:012}", mappings.len());
        let mut made = json!({
            "UUID": id, "EventSourceMappingArn": format!("{ARN}{id}"), "State": "Enabled", "LastModified": 1_700_000_000,
        });
        put(&mut made, &sent);
        mappings.insert(id, made.clone());
        return Some(Answer::of_json(202, &made));
    }
    if !id.starts_with(OWN) {
        return None;
    }
    let Some(mapping) = mappings.get_mut(&id) else {
        let mut refusal = Answer::of_json(
            404,
            &json!({"Type": "User", "Message": "The resource you requested does not exist."}),
        );
        let code = "ResourceNotFoundException".to_owned();
        refusal.headers.push(("x-amzn-errortype".into(), code));
        return Some(refusal);
    };
    if method == "PUT" {
        put(mapping, &sent);
    }
    let mut told = mapping.clone();
    if method == "DELETE" {
        told["State"] = json!("Deleting");
        mappings.remove(&id);
    }
    Some(Answer::of_json(200, &told))
}

/// Puts what was sent over what a mapping is.
fn put(mapping: &mut Json, sent: &Json) {
    for (name, value) in sent.as_object().into_iter().flatten() {
        match (name.as_str(), value.as_str()) {
            ("FunctionName", Some(name)) => {
                let arn = format!("arn:aws:lambda:us-east-1:123456789012:function:{name}");
                let whole = name.starts_with("arn:");
                mapping["FunctionArn"] = json!(if whole { name } else { &arn });
            }
            ("Enabled", _) => {
                let state = if value == false {
                    "Disabled"
                } else {
                    "Enabled"
                };
                mapping["State"] = json!(state);
            }
            _ => mapping[name] = value.clone(),
        }
    }
}

fn tags(asked: &Asked, mappings: &Mappings, id: &str) -> Option<Answer> {
    let mut mappings = mappings.lock().unwrap_or_else(PoisonError::into_inner);
    let mapping = mappings.get_mut(id)?;
    let (method, path) = asked.method_and_path();
    if mapping["Tags"].is_null() {
        mapping["Tags"] = json!({});
    }
    let tags = mapping["Tags"].as_object_mut()?;
    match method {
        "POST" => tags.extend(asked.json()["Tags"].as_object()?.clone()),
        "DELETE" => tags.retain(|name, _| !path.contains(&format!("tagKeys={name}"))),
        _ => {}
    }
    Some(Answer::of_json(200, &json!({"Tags": tags})))
}

/// Remembers what moto forgets of other sources, and tells it.
pub(super) fn correct(asked: &Asked, answer: &mut Answer, mappings: &Mappings) {
    const KEPT: [&str; 2] = [
        "StartingPositionTimestamp",
        "AmazonManagedKafkaEventSourceConfig",
    ];
    let (method, path) = asked.method_and_path();
    if answer.status >= 300 || !path.starts_with(PLACE) {
        return;
    }
    let told = answer.json();
    let id = told["UUID"].as_str().unwrap_or_default().to_owned();
    let mut mappings = mappings.lock().unwrap_or_else(PoisonError::into_inner);
    if id.is_empty() || id.starts_with(OWN) {
        return;
    }
    let known = mappings.entry(id).or_insert_with(|| json!({}));
    for name in KEPT {
        if method != "GET"
            && let Some(sent) = asked.json().get(name)
        {
            known[name] = sent.clone();
        }
    }
    answer.change_json(|told| put(told, known));
}
