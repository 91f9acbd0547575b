//! Owed reviews on the wire.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::OwedReview;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OwedWire {
    format: u32,
    run: String,
    plan: String,
    environment: String,
    author: String,
    reason: String,
    applied: i64,
    due: i64,
    approvals: u32,
    roles: BTreeMap<String, u32>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    other_authors: BTreeSet<String>,
}

pub(crate) fn encode_owed(owed: &OwedReview) -> Vec<u8> {
    let wire = OwedWire {
        format: 1,
        run: owed.run.clone(),
        plan: owed.plan.to_string(),
        environment: owed.environment.clone(),
        author: owed.author.clone(),
        reason: owed.reason.clone(),
        applied: owed.applied,
        due: owed.due,
        approvals: owed.approvals,
        roles: owed.roles.clone(),
        other_authors: owed.other_authors.clone(),
    };
    serde_json::to_vec(&wire).expect("an owed review has string keys only")
}

pub(crate) fn decode_owed(bytes: &[u8]) -> Result<OwedReview, String> {
    let wire: OwedWire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if wire.format != 1 {
        return Err(format!("it has format {}", wire.format));
    }
    Ok(OwedReview {
        run: wire.run,
        plan: terrace_plan::PlanDigest::parse(&wire.plan)
            .ok_or("the plan's digest is not sixty-four hexadecimal digits")?,
        environment: wire.environment,
        author: wire.author,
        reason: wire.reason,
        applied: wire.applied,
        due: wire.due,
        approvals: wire.approvals,
        roles: wire.roles,
        other_authors: wire.other_authors,
    })
}
