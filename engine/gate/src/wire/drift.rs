//! Drift checks on the wire.

use serde::{Deserialize, Serialize};

use crate::DriftCheck;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DriftWire {
    format: u32,
    environment: String,
    run: Option<String>,
    checked: i64,
    disturbed: Option<i64>,
    drifted: Vec<String>,
    actor: String,
}

pub(crate) fn encode_drift(check: &DriftCheck) -> Vec<u8> {
    let wire = DriftWire {
        format: 1,
        environment: check.environment.clone(),
        run: check.run.clone(),
        checked: check.checked,
        disturbed: check.disturbed,
        drifted: check.drifted.clone(),
        actor: check.actor.clone(),
    };
    serde_json::to_vec(&wire).expect("a drift check has string keys only")
}

pub(crate) fn decode_drift(bytes: &[u8]) -> Result<DriftCheck, String> {
    let wire: DriftWire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if wire.format != 1 {
        return Err(format!("it has format {}", wire.format));
    }
    Ok(DriftCheck {
        environment: wire.environment,
        run: wire.run,
        checked: wire.checked,
        disturbed: wire.disturbed,
        drifted: wire.drifted,
        actor: wire.actor,
    })
}
