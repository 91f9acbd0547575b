//! Wire forms: rules, statements, envelopes, runs and audit entries, all canonical JSON.

mod anchor;
mod audit;
mod bundle;
mod drift;
mod forge;
mod identity;
mod outputs;
mod owed;
mod policies;
mod reviewed;
mod rules;
mod runs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use terrace_plan::PlanDigest;

pub(crate) use anchor::{decode_anchor, encode_anchor};
pub(crate) use audit::{AuditWire, HeadWire};
pub(crate) use bundle::{BundleParts, decode_bundle, encode_bundle};
pub(crate) use drift::{decode_drift, encode_drift};
pub(crate) use forge::encode_reviews;
pub(crate) use identity::{
    ClaimsWire, CommitAuthorWire, IssuerWire, KeySetWire, KeyWire, TokenHeaderWire,
    decode_commit_author, decode_proof, encode_commit_author, encode_key_members, encode_proof,
};
pub(crate) use outputs::{decode_outputs, decode_sealed, encode_outputs, encode_sealed};
pub(crate) use owed::{decode_owed, encode_owed};
pub(crate) use policies::{decode_results, encode_results};
pub(crate) use reviewed::{decode_reviewed, encode_reviewed};
pub(crate) use rules::{decode_rules, encode_rules};
pub(crate) use runs::{decode_run, encode_run};

use crate::Statement;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
