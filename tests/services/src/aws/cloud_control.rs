//! Cloud Control, which moto does not have. Requests are under way first and done when one has asked twice; a property `Fail`
//! makes them fail.
#![expect(clippy::unwrap_used, reason = "what tests ask of it is JSON")]

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value as Json, json};

use super::{Answer, Asked};

/// What is there.
pub(super) type Clouds = Mutex<Cloud>;

/// The answer to a call of it; none where it is one of another service.
pub(super) fn answered(asked: &Asked, clouds: &Clouds) -> Option<Answer> {
    let call = asked
        .header("x-amz-target")?
        .strip_prefix("CloudApiService.")?;
    let (status, body) = answer(call, &asked.body, clouds);
    Some(Answer {
        status,
        headers: vec![("content-type".into(), "application/x-amz-json-1.0".into())],
        body: body.to_string().into_bytes(),
    })
}

/// What Cloud Control knows.
#[derive(Debug, Default)]
pub(super) struct Cloud {
    /// Properties by type and identifier.
    things: BTreeMap<(String, String), Json>,
    /// Requests by token: the last event, and how often one has asked.
    requests: BTreeMap<String, (Json, u32)>,
}

/// The status and the body of an answer to a call.
fn answer(call: &str, body: &[u8], clouds: &Clouds) -> (u16, Json) {
    let asked: Json = serde_json::from_slice(body).unwrap_or(Json::Null);
    let mut cloud = clouds.lock().unwrap_or_else(PoisonError::into_inner);
    match call {
        "CreateResource" => (200, cloud.start(&asked, "CREATE")),
        "UpdateResource" => (200, cloud.start(&asked, "UPDATE")),
        "DeleteResource" => (200, cloud.start(&asked, "DELETE")),
        "GetResourceRequestStatus" => (200, cloud.status(&asked)),
        "GetResource" => cloud.read(&asked),
        _ => (
            400,
            json!({"__type": "UnsupportedActionException", "message": call}),
        ),
    }
}

fn text(json: &Json, name: &str) -> String {
    json[name].as_str().unwrap_or_default().to_owned()
}

impl Cloud {
    fn start(&mut self, asked: &Json, operation: &str) -> Json {
        let token = text(asked, "ClientToken");
        let under_way = |last: &Json| {
            json!({"ProgressEvent": {
                "TypeName": asked["TypeName"], "Identifier": last["Identifier"], "RequestToken": token,
                "Operation": operation, "OperationStatus": "IN_PROGRESS", "EventTime": 1_700_000_000,
            }})
        };
        // The same token is the same request.
        if let Some((last, _)) = self.requests.get(&token) {
            return under_way(last);
        }
        let mut last = json!({
            "TypeName": asked["TypeName"], "RequestToken": token, "Operation": operation, "EventTime": 1_700_000_000,
        });
        match self.carry_out(asked, operation) {
            Ok(identifier) => {
                last["OperationStatus"] = json!("SUCCESS");
                last["Identifier"] = json!(identifier);
            }
            Err((code, message)) => {
                last["OperationStatus"] = json!("FAILED");
                last["ErrorCode"] = json!(code);
                last["StatusMessage"] = json!(message);
            }
        }
        let event = under_way(&last);
        self.requests.insert(token.clone(), (last, 0));
        event
    }

    fn carry_out(
        &mut self,
        asked: &Json,
        operation: &str,
    ) -> Result<String, (&'static str, String)> {
        let type_name = text(asked, "TypeName");
        if operation == "CREATE" {
            let state: Json = serde_json::from_str(&text(asked, "DesiredState")).unwrap();
            if let Some(reason) = state["Fail"].as_str() {
                return Err(("InvalidRequest", reason.to_owned()));
            }
            let identifier = text(&state, "Name");
            let key = (type_name, identifier.clone());
            if self.things.contains_key(&key) {
                return Err(("AlreadyExists", identifier));
            }
            self.things.insert(key, state);
            return Ok(identifier);
        }
        let key = (type_name, text(asked, "Identifier"));
        let missing = || ("NotFound", format!("there is no {}", key.1));
        if operation == "DELETE" {
            return self
                .things
                .remove(&key)
                .map(|_| key.1.clone())
                .ok_or_else(missing);
        }
        let thing = self.things.get_mut(&key).ok_or_else(missing)?;
        let operations: Vec<Json> = serde_json::from_str(&text(asked, "PatchDocument")).unwrap();
        for operation in &operations {
            patched(thing, operation);
        }
        Ok(key.1)
    }

    fn status(&mut self, asked: &Json) -> Json {
        let token = text(asked, "RequestToken");
        let (last, times) = self.requests.get_mut(&token).expect("the request was made");
        *times += 1;
        let mut event = last.clone();
        if *times < 2 {
            event["OperationStatus"] = json!("IN_PROGRESS");
            for name in ["ErrorCode", "StatusMessage"] {
                event.as_object_mut().unwrap().remove(name);
            }
        }
        json!({"ProgressEvent": event})
    }

    fn read(&self, asked: &Json) -> (u16, Json) {
        let key = (text(asked, "TypeName"), text(asked, "Identifier"));
        match self.things.get(&key) {
            Some(thing) => {
                let description = json!({"Identifier": key.1, "Properties": thing.to_string()});
                (
                    200,
                    json!({"TypeName": key.0, "ResourceDescription": description}),
                )
            }
            None => (
                400,
                json!({"__type": "ResourceNotFoundException", "message": key.1}),
            ),
        }
    }
}

/// Carries out one operation of a JSON patch.
fn patched(thing: &mut Json, operation: &Json) {
    let path = text(operation, "path");
    let (parent, name) = path.rsplit_once('/').expect("a path begins with a slash");
    let name = name.replace("~1", "/").replace("~0", "~");
    let parent = thing.pointer_mut(parent).expect("the path leads somewhere");
    let parts = parent
        .as_object_mut()
        .expect("only parts of objects have names");
    match operation["op"].as_str() {
        Some("remove") => {
            parts.remove(&name).expect("what goes was there");
        }
        Some("add") => {
            parts.insert(name, operation["value"].clone());
        }
        Some("replace") => {
            assert!(parts.insert(name, operation["value"].clone()).is_some());
        }
        other => panic!("there is no operation {other:?}"),
    }
}
