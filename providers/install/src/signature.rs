//! Who signed a release: `OpenPGP` signatures over its list of checksums.

use std::fmt;

use pgp::composed::{Deserializable as _, DetachedSignature, SignedPublicKey};
use pgp::types::KeyDetails as _;
use terrace_registry_client::SigningKey;

/// The key that `HashiCorp` signs its own providers with.
const HASHICORP: &str = include_str!("keys/hashicorp.asc");
/// The key that `HashiCorp` signs its partners' keys with.
const HASHICORP_PARTNERS: &str = include_str!("keys/hashicorp-partners.asc");

/// What is known of where a package comes from. As text it is what stands in brackets behind an installed package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Nothing.
    Unauthenticated,
    /// It is what its source says that it is.
    VerifiedChecksum,
    /// `HashiCorp` signed it.
    HashiCorp,
    /// A publisher whose key `HashiCorp` signed has signed it.
    Partner {
        /// The publisher's key.
        key_id: String,
    },
    /// Whoever published it has signed it.
    SelfSigned {
        /// The publisher's key.
        key_id: String,
    },
}

impl Trust {
    /// Whether someone signed the package.
    pub fn is_signed(&self) -> bool {
        !matches!(self, Self::Unauthenticated | Self::VerifiedChecksum)
    }

    /// Who signed the package, as the store keeps it; `None` where nobody did.
    pub(crate) fn record(&self) -> Option<String> {
        match self {
            Self::Unauthenticated | Self::VerifiedChecksum => None,
            Self::HashiCorp => Some("hashicorp".to_owned()),
            Self::Partner { key_id } => Some(format!("partner {key_id}")),
            Self::SelfSigned { key_id } => Some(format!("self {key_id}")),
        }
    }

    /// What a record says.
    pub(crate) fn of_record(record: &str) -> Self {
        let key = |id: &str| id.chars().filter(char::is_ascii_alphanumeric).collect();
        match record.trim_end().split_once(' ') {
            None if record.trim_end() == "hashicorp" => Self::HashiCorp,
            Some(("partner", id)) => Self::Partner { key_id: key(id) },
            Some(("self", id)) => Self::SelfSigned { key_id: key(id) },
            _ => Self::Unauthenticated,
        }
    }

    /// Whether someone other than `HashiCorp` signed the package.
    pub fn is_third_party(&self) -> bool {
        matches!(self, Self::Partner { .. } | Self::SelfSigned { .. })
    }
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthenticated => f.write_str("unauthenticated"),
            Self::VerifiedChecksum => f.write_str("verified checksum"),
            Self::HashiCorp => f.write_str("signed by HashiCorp"),
            Self::Partner { key_id } => {
                write!(f, "signed by a HashiCorp partner, key ID {key_id}")
            }
            Self::SelfSigned { key_id } => write!(f, "self-signed, key ID {key_id}"),
        }
    }
}

/// Why a signature says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureError {
    #[error("the registry names no key that the release could be signed with")]
    NoKeys,
    #[error("error decoding signing key: {0}")]
    Key(String),
    #[error("the release's signature is no OpenPGP signature: {0}")]
    Unreadable(String),
    #[error(
        "authentication signature from unknown issuer: the release is signed by key {issuers}, and the registry names {known}"
    )]
    UnknownIssuer { issuers: String, known: String },
    #[error(
        "error checking signature: the signature of key {0} does not belong to the release's list of checksums, which was changed after it was signed"
    )]
    Mismatch(String),
    #[error("error verifying trust signature: {0}")]
    Trust(String),
}

/// Checks that one of `keys` signed `document`, and tells whose it is.
pub(crate) fn verify(
    document: &[u8],
    signature: &[u8],
    keys: &[SigningKey],
) -> Result<Trust, SignatureError> {
    if keys.is_empty() {
        return Err(SignatureError::NoKeys);
    }
    let signatures = read_signatures(signature)?;
    let mut known = Vec::new();
    for signing_key in keys {
        let key = read_key(&signing_key.armor).map_err(SignatureError::Key)?;
        let id = key_id(&key);
        match check(&signatures, &key, document) {
            Checked::Signed => return trust(document, &signatures, signing_key, id),
            Checked::Wrong => return Err(SignatureError::Mismatch(id)),
            Checked::OtherIssuer => known.push(id),
        }
    }
    Err(SignatureError::UnknownIssuer {
        issuers: issuers(&signatures),
        known: known.join(", "),
    })
}

fn trust(
    document: &[u8],
    signatures: &[DetachedSignature],
    key: &SigningKey,
    key_id: String,
) -> Result<Trust, SignatureError> {
    let hashicorp = read_key(HASHICORP).map_err(SignatureError::Key)?;
    if matches!(check(signatures, &hashicorp, document), Checked::Signed) {
        return Ok(Trust::HashiCorp);
    }
    if key.trust_signature.is_empty() {
        return Ok(Trust::SelfSigned { key_id });
    }
    let partners = read_key(HASHICORP_PARTNERS).map_err(SignatureError::Key)?;
    let vouched = read_signatures(key.trust_signature.as_bytes())
        .map_err(|error| SignatureError::Trust(error.to_string()))?;
    let body = body_of(&key.armor).map_err(SignatureError::Trust)?;
    match check(&vouched, &partners, &body) {
        Checked::Signed => Ok(Trust::Partner { key_id }),
        _ => Err(SignatureError::Trust(
            "it is not by the key that vouches for partners, or for another key than the one that signed the release".to_owned(),
        )),
    }
}

enum Checked {
    Signed,
    Wrong,
    OtherIssuer,
}

/// Whether one of the signatures is by this key or one of its subkeys, and over this document.
fn check(signatures: &[DetachedSignature], key: &SignedPublicKey, document: &[u8]) -> Checked {
    let mut found = Checked::OtherIssuer;
    for signature in signatures {
        let ids = signature.signature.issuer_key_id();
        let prints = signature.signature.issuer_fingerprint();
        let is_by = |id: pgp::types::KeyId, print: pgp::types::Fingerprint| {
            ids.iter().any(|issuer| **issuer == id) || prints.iter().any(|issuer| **issuer == print)
        };
        let primary = &key.primary_key;
        if is_by(primary.legacy_key_id(), primary.fingerprint()) {
            if signature.verify(primary, document).is_ok() {
                return Checked::Signed;
            }
            found = Checked::Wrong;
        }
        for subkey in &key.public_subkeys {
            // A subkey counts where its binding holds: its owner has signed it.
            if is_by(subkey.key.legacy_key_id(), subkey.key.fingerprint()) {
                let bound = subkey.verify_bindings(primary).is_ok();
                if bound && signature.verify(&subkey.key, document).is_ok() {
                    return Checked::Signed;
                }
                found = Checked::Wrong;
            }
        }
    }
    found
}

fn read_key(armor: &str) -> Result<SignedPublicKey, String> {
    let (key, _) =
        SignedPublicKey::from_armor_single(armor.as_bytes()).map_err(|error| error.to_string())?;
    Ok(key)
}

/// The binary form of what is in armour.
fn body_of(armor: &str) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let mut body = Vec::new();
    pgp::armor::Dearmor::new(armor.as_bytes())
        .read_to_end(&mut body)
        .map_err(|error| error.to_string())?;
    Ok(body)
}

/// Signatures, in binary form or in armour.
fn read_signatures(bytes: &[u8]) -> Result<Vec<DetachedSignature>, SignatureError> {
    let unreadable = |error: pgp::errors::Error| SignatureError::Unreadable(error.to_string());
    let armored = bytes.trim_ascii_start().starts_with(b"-----BEGIN");
    let found: Result<Vec<DetachedSignature>, _> = if armored {
        let (found, _) = DetachedSignature::from_armor_many(bytes).map_err(unreadable)?;
        found.collect()
    } else {
        DetachedSignature::from_bytes_many(bytes)
            .map_err(unreadable)?
            .collect()
    };
    match found.map_err(unreadable)? {
        none if none.is_empty() => Err(SignatureError::Unreadable("it is empty".to_owned())),
        found => Ok(found),
    }
}

fn key_id(key: &SignedPublicKey) -> String {
    key.primary_key.legacy_key_id().to_string().to_uppercase()
}

fn issuers(signatures: &[DetachedSignature]) -> String {
    let ids: Vec<String> = signatures
        .iter()
        .flat_map(|signature| signature.signature.issuer_key_id())
        .map(|id| id.to_string().to_uppercase())
        .collect();
    if ids.is_empty() {
        "that it does not name".to_owned()
    } else {
        ids.join(", ")
    }
}
