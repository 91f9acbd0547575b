//! The list of versions of a state.

use serde::{Deserialize, Serialize};

use crate::history::{Counts, Version};

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct IndexForm {
    v: u32,
    versions: Vec<VersionForm>,
}

#[derive(Serialize, Deserialize)]
struct VersionForm {
    number: u64,
    lineage: String,
    serial: u64,
    time: i64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    who: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    operation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    /// Objects added, changed and removed, and outputs.
    counts: [usize; 4],
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    whole: bool,
}

pub(crate) fn write(versions: &[Version]) -> Vec<u8> {
    let form = IndexForm {
        v: VERSION,
        versions: versions
            .iter()
            .map(|version| VersionForm {
                number: version.number,
                lineage: version.lineage.clone(),
                serial: version.serial,
                time: version.time,
                who: version.who.clone(),
                operation: version.operation.clone(),
                run: version.run.clone(),
                counts: [
                    version.counts.added,
                    version.counts.changed,
                    version.counts.removed,
                    version.counts.outputs,
                ],
                whole: version.whole,
            })
            .collect(),
    };
    serde_json::to_vec(&form).expect("the form holds only what JSON can hold")
}

pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Version>, String> {
    let form: IndexForm = serde_json::from_slice(bytes)
        .map_err(|error| format!("The list of versions cannot be read: {error}."))?;
    if form.v != VERSION {
        return Err(format!(
            "The list of versions has version {}, and this Terrace knows version {VERSION}.",
            form.v
        ));
    }
    Ok(form
        .versions
        .into_iter()
        .map(|form| {
            let [added, changed, removed, outputs] = form.counts;
            Version {
                number: form.number,
                lineage: form.lineage,
                serial: form.serial,
                time: form.time,
                who: form.who,
                operation: form.operation,
                run: form.run,
                counts: Counts {
                    added,
                    changed,
                    removed,
                    outputs,
                },
                whole: form.whole,
            }
        })
        .collect())
}
