//! Stored forms: the record of a lock.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use terrace_port::{LockInfo, LockLease};

use crate::LockRecord;

#[derive(Serialize, Deserialize)]
struct RecordForm {
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
    #[serde(rename = "Lease", default, skip_serializing_if = "Option::is_none")]
    lease: Option<LeaseForm>,
}

#[derive(Serialize, Deserialize)]
struct LeaseForm {
    #[serde(rename = "Epoch", default)]
    epoch: u64,
    #[serde(rename = "Seconds")]
    seconds: f64,
    #[serde(rename = "Renewed", default)]
    renewed: String,
    #[serde(rename = "Expires", default)]
    expires: String,
    #[serde(rename = "Run", default, skip_serializing_if = "String::is_empty")]
    run: String,
}

pub(crate) fn write_record(record: &LockRecord) -> String {
    let info = &record.info;
    let form = RecordForm {
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
        lease: record.lease.as_ref().map(|lease| LeaseForm {
            epoch: lease.epoch,
            seconds: lease.lasts.as_secs_f64(),
            renewed: lease.renewed.clone(),
            expires: lease.expires.clone(),
            run: lease.run.clone(),
        }),
    };
    serde_json::to_string(&form).expect("strings and numbers are valid JSON")
}

pub(crate) fn read_record(bytes: &[u8]) -> LockRecord {
    let Ok(form) = serde_json::from_slice::<RecordForm>(bytes) else {
        let mut record = LockRecord::unknown("");
        let text = String::from_utf8_lossy(bytes);
        if !text.trim().is_empty() {
            record.info.info = text.chars().take(500).collect();
        }
        return record;
    };
    LockRecord {
        info: LockInfo {
            id: form.id,
            operation: form.operation,
            info: form.info,
            who: form.who,
            version: form.version,
            created: form.created,
            path: form.path,
            lease: None,
        },
        lease: form.lease.map(|lease| LockLease {
            epoch: lease.epoch,
            lasts: Duration::try_from_secs_f64(lease.seconds).unwrap_or(Duration::MAX),
            renewed: lease.renewed,
            expires: lease.expires,
            run: lease.run,
        }),
    }
}
