//! What was shown of proposed changes, on the wire.

use serde::{Deserialize, Serialize};
use terrace_plan::PlanDigest;

use crate::Reviewed;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReviewedWire {
    format: u32,
    change: u64,
    commit: Option<String>,
    plan: Option<String>,
}

pub(crate) fn encode_reviewed(reviewed: &Reviewed) -> Vec<u8> {
    let wire = ReviewedWire {
        format: 1,
        change: reviewed.change,
        commit: reviewed.commit.clone(),
        plan: reviewed.plan.map(|plan| plan.to_string()),
    };
    serde_json::to_vec(&wire).expect("it has string keys only")
}

pub(crate) fn decode_reviewed(bytes: &[u8]) -> Result<Reviewed, String> {
    let wire: ReviewedWire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if wire.format != 1 {
        return Err(format!("it has format {}", wire.format));
    }
    let plan = match wire.plan {
        Some(text) => {
            Some(PlanDigest::parse(&text).ok_or_else(|| format!("{text:?} is no digest"))?)
        }
        None => None,
    };
    Ok(Reviewed {
        change: wire.change,
        commit: wire.commit,
        plan,
    })
}
