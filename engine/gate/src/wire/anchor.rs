//! The log's head as it is kept with the state.

use serde::{Deserialize, Serialize};

use crate::{AuditHead, Tail};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnchorWire {
    format: u32,
    sequence: u64,
    hash: String,
    lineage: String,
    serial: u64,
}

pub(crate) fn encode_anchor(head: &AuditHead, tail: &Tail) -> Vec<u8> {
    let wire = AnchorWire {
        format: 1,
        sequence: head.sequence,
        hash: head.hash.clone(),
        lineage: tail.lineage.clone(),
        serial: tail.serial,
    };
    serde_json::to_vec(&wire).expect("an anchor has string keys only")
}

pub(crate) fn decode_anchor(bytes: &[u8]) -> Result<(AuditHead, Tail), String> {
    let wire: AnchorWire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if wire.format != 1 {
        return Err(format!("it has format {}", wire.format));
    }
    Ok((
        AuditHead {
            sequence: wire.sequence,
            hash: wire.hash,
        },
        Tail {
            lineage: wire.lineage,
            serial: wire.serial,
        },
    ))
}
