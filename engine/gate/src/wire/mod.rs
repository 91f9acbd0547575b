//! Wire forms: rules, statements, envelopes, runs and audit entries, all canonical JSON.

mod audit;
mod runs;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use terrace_plan::PlanDigest;

pub(crate) use audit::{AuditWire, HeadWire};
pub(crate) use runs::{decode_run, encode_run};

use crate::{Gate, Person, Rules, Statement};

#[derive(Serialize, Deserialize)]
struct RulesWire {
    format: u32,
    environment: String,
    after: Vec<String>,
    gate: Option<GateWire>,
    people: BTreeMap<String, PersonWire>,
    roles: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Serialize, Deserialize)]
struct GateWire {
    approvals: u32,
    roles: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct PersonWire {
    ssh: BTreeSet<String>,
    github: Option<String>,
}

pub(crate) fn encode_rules(rules: &Rules) -> Vec<u8> {
    let person = |person: &Person| PersonWire {
        ssh: person.keys.clone(),
        github: person.github.clone(),
    };
    let wire = RulesWire {
        format: 1,
        environment: rules.environment.clone(),
        after: rules.after.clone(),
        gate: rules.gate.as_ref().map(|gate| GateWire {
            approvals: gate.approvals,
            roles: gate.roles.clone(),
        }),
        people: rules
            .people
            .iter()
            .map(|(name, found)| (name.clone(), person(found)))
            .collect(),
        roles: rules.roles.clone(),
    };
    serde_json::to_vec(&wire).expect("rules have string keys only")
}

pub(crate) fn decode_rules(bytes: &[u8]) -> Result<Rules, String> {
    let wire: RulesWire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if wire.format != 1 {
        return Err(format!(
            "the gate's rules have format {}, which this version cannot read",
            wire.format
        ));
    }
    let person = |wire: PersonWire| Person {
        keys: wire.ssh,
        github: wire.github,
    };
    Ok(Rules {
        environment: wire.environment,
        after: wire.after,
        gate: wire.gate.map(|gate| Gate {
            approvals: gate.approvals,
            roles: gate.roles,
        }),
        people: wire
            .people
            .into_iter()
            .map(|(name, found)| (name, person(found)))
            .collect(),
        roles: wire.roles,
    })
}

#[derive(Serialize, Deserialize)]
struct StatementWire {
    plan: String,
    environment: String,
    change: String,
    signed_at: i64,
    expires_at: Option<i64>,
    comment: String,
}

pub(crate) fn encode_statement(statement: &Statement) -> Vec<u8> {
    let wire = StatementWire {
        plan: statement.plan.to_string(),
        environment: statement.environment.clone(),
        change: statement.change.clone(),
        signed_at: statement.signed_at,
        expires_at: statement.expires_at,
        comment: statement.comment.clone(),
    };
    serde_json::to_vec(&wire).expect("a statement has string keys only")
}

pub(crate) fn decode_statement(bytes: &[u8]) -> Result<Statement, String> {
    let wire: StatementWire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    Ok(Statement {
        plan: PlanDigest::parse(&wire.plan)
            .ok_or("the plan's digest is not sixty-four hexadecimal digits")?,
        environment: wire.environment,
        change: wire.change,
        signed_at: wire.signed_at,
        expires_at: wire.expires_at,
        comment: wire.comment,
    })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnvelopeWire {
    payload: String,
    payload_type: String,
    signatures: Vec<SignatureWire>,
}

#[derive(Serialize, Deserialize)]
struct SignatureWire {
    keyid: String,
    sig: String,
}

/// An envelope, unpacked and not yet verified.
pub(crate) struct Envelope {
    pub(crate) payload_type: String,
    pub(crate) payload: Vec<u8>,
    /// OpenSSH's armored signature.
    pub(crate) signature: String,
}

pub(crate) fn encode_envelope(
    payload_type: &str,
    payload: &[u8],
    keyid: &str,
    signature: &str,
) -> Vec<u8> {
    let wire = EnvelopeWire {
        payload: STANDARD.encode(payload),
        payload_type: payload_type.to_owned(),
        signatures: vec![SignatureWire {
            keyid: keyid.to_owned(),
            sig: STANDARD.encode(signature),
        }],
    };
    serde_json::to_vec(&wire).expect("an envelope has string keys only")
}

pub(crate) fn decode_envelope(bytes: &[u8]) -> Result<Envelope, String> {
    let wire: EnvelopeWire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let [signature] = &wire.signatures[..] else {
        return Err("it does not hold exactly one signature".to_owned());
    };
    let text = |encoded: &str| STANDARD.decode(encoded).map_err(|error| error.to_string());
    Ok(Envelope {
        payload_type: wire.payload_type,
        payload: text(&wire.payload)?,
        signature: String::from_utf8(text(&signature.sig)?).map_err(|error| error.to_string())?,
    })
}
