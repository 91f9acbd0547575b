//! Stored forms: the lock information beside a state, and the two fields of a state that decide on writes.

use serde::{Deserialize, Serialize};
use terrace_port::{LockInfo, StateVersion};

#[derive(Serialize, Deserialize)]
struct LockForm {
    #[serde(rename = "ID", default)]
    id: String,
    #[serde(rename = "Operation", default)]
    operation: String,
    #[serde(rename = "Info", default)]
    info: String,
    #[serde(rename = "Who", default)]
    who: String,
    #[serde(rename = "Version", default)]
    version: String,
    #[serde(rename = "Created", default)]
    created: String,
    #[serde(rename = "Path", default)]
    path: String,
}

#[derive(Deserialize)]
struct LineForm {
    #[serde(default)]
    serial: u64,
    #[serde(default)]
    lineage: String,
}

/// Lock information as today's tools store it.
pub fn write_lock(info: &LockInfo) -> Vec<u8> {
    let form = LockForm {
        id: info.id.clone(),
        operation: info.operation.clone(),
        info: info.info.clone(),
        who: info.who.clone(),
        version: info.version.clone(),
        // Other tools refuse to read what is no time.
        created: if info.created.is_empty() {
            "0001-01-01T00:00:00Z".into()
        } else {
            info.created.clone()
        },
        path: info.path.clone(),
    };
    serde_json::to_vec(&form).expect("strings are valid JSON")
}

/// Reads lock information; `None` when it cannot be read: lock information is for people, never worth failing over.
pub fn read_lock(bytes: &[u8]) -> Option<LockInfo> {
    let form: LockForm = serde_json::from_slice(bytes).ok()?;
    Some(LockInfo {
        id: form.id,
        operation: form.operation,
        info: form.info,
        who: form.who,
        version: form.version,
        created: form.created,
        path: form.path,
        lease: None,
    })
}

/// Lineage and serial of a state file.
pub fn read_version(bytes: &[u8]) -> Result<StateVersion, String> {
    let form: LineForm = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    Ok(StateVersion {
        lineage: form.lineage,
        serial: form.serial,
    })
}
