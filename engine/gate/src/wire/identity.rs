//! Tokens of workflows, the keys that they are signed by, and what is kept of them with a run.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A token's header. Members that nothing is done with are passed over; what a reader must know of is in `crit`.
#[derive(Deserialize)]
pub(crate) struct TokenHeaderWire {
    pub(crate) alg: String,
    pub(crate) kid: Option<String>,
    pub(crate) crit: Option<Json>,
}

/// What a token of GitHub's issuer says. A member that stands there twice is refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ClaimsWire {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) exp: i64,
    pub(crate) nbf: i64,
    pub(crate) iat: i64,
    pub(crate) repository: String,
    pub(crate) workflow_ref: String,
    #[serde(rename = "ref")]
    pub(crate) reference: String,
    pub(crate) sha: String,
    pub(crate) actor: String,
    pub(crate) event_name: String,
    pub(crate) environment: Option<String>,
}

/// By whom a token says that it is, before anything of it is verified.
#[derive(Deserialize)]
pub(crate) struct IssuerWire {
    pub(crate) iss: String,
}

#[derive(Deserialize)]
pub(crate) struct KeySetWire {
    pub(crate) keys: Vec<KeyWire>,
}

/// One key of a set, of whichever type.
#[derive(Deserialize)]
pub(crate) struct KeyWire {
    pub(crate) kty: String,
    pub(crate) kid: Option<String>,
    #[serde(rename = "use")]
    pub(crate) purpose: Option<String>,
    pub(crate) alg: Option<String>,
    pub(crate) n: Option<String>,
    pub(crate) e: Option<String>,
}

/// What is kept with a run: the token, and the keys that its issuer published then.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProofWire {
    pub(crate) format: u32,
    pub(crate) token: String,
    pub(crate) keys: String,
}

/// Who the forge says has made a commit.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommitAuthorWire {
    pub(crate) format: u32,
    pub(crate) repository: String,
    pub(crate) commit: String,
    pub(crate) login: String,
}

/// The members by which RFC 7638 names a key, in its order.
#[derive(Serialize)]
struct ThumbprintWire<'a> {
    e: &'a str,
    kty: &'a str,
    n: &'a str,
}

/// What a key's name by RFC 7638 is the hash of.
pub(crate) fn encode_key_members(exponent: &str, modulus: &str) -> Vec<u8> {
    let wire = ThumbprintWire {
        e: exponent,
        kty: "RSA",
        n: modulus,
    };
    serde_json::to_vec(&wire).expect("a key has string keys only")
}

pub(crate) fn encode_proof(token: &str, keys: &str) -> Vec<u8> {
    let wire = ProofWire {
        format: 1,
        token: token.to_owned(),
        keys: keys.to_owned(),
    };
    serde_json::to_vec(&wire).expect("a proof has string keys only")
}

pub(crate) fn decode_proof(bytes: &[u8]) -> Result<ProofWire, String> {
    let wire: ProofWire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if wire.format != 1 {
        return Err(format!("it has format {}", wire.format));
    }
    Ok(wire)
}

pub(crate) fn encode_commit_author(wire: &CommitAuthorWire) -> Vec<u8> {
    serde_json::to_vec(wire).expect("a commit's author has string keys only")
}

pub(crate) fn decode_commit_author(bytes: &[u8]) -> Result<CommitAuthorWire, String> {
    let wire: CommitAuthorWire =
        serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if wire.format != 1 {
        return Err(format!("it has format {}", wire.format));
    }
    Ok(wire)
}
