//! Signed statements: who made a plan, and who approves it.
//!
//! A statement is a DSSE envelope whose signature is in OpenSSH's own format over the pre-authentication encoding, so
//! that `ssh-keygen -Y verify` alone can check it.

use std::fmt;

use rsa::signature::{SignatureEncoding as _, Signer as _};
use ssh_key::private::KeypairData;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, Signature, SshSig};
use terrace_plan::PlanDigest;

use crate::wire;

/// Namespace of approvals' signatures.
pub const APPROVAL_NAMESPACE: &str = "terrace-approval";
/// Namespace of authors' signatures.
pub const AUTHOR_NAMESPACE: &str = "terrace-author";
/// Namespace of the signatures of those who take their approval back.
pub const REVOCATION_NAMESPACE: &str = "terrace-revocation";
/// Namespace of the signatures of reviews after the fact.
pub const REVIEW_NAMESPACE: &str = "terrace-review";

/// The bytes of an envelope: JSON.
pub type EnvelopeBytes = Vec<u8>;

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The plan.
    pub plan: PlanDigest,
    /// The environment it is for.
    pub environment: String,
    /// The kind of change.
    pub change: String,
    /// When it was signed, in seconds since 1970 UTC.
    pub signed_at: i64,
    /// From when it is none, in seconds since 1970 UTC.
    pub expires_at: Option<i64>,
    /// What the signer wants to say.
    pub comment: String,
}

/// An approval whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// What was signed.
    pub statement: Statement,
    /// Fingerprint of the key that signed it.
    pub fingerprint: String,
}

/// A plan's author, whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorship {
    /// What was signed.
    pub statement: Statement,
    /// Fingerprint of the key that signed it.
    pub fingerprint: String,
}

/// An approval that is taken back, whose signature holds: none that the same person signed until then counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// What was signed.
    pub statement: Statement,
    /// Fingerprint of the key that signed it.
    pub fingerprint: String,
}

/// A review after the fact, whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewSigned {
    /// What was signed.
    pub statement: Statement,
    /// Fingerprint of the key that signed it.
    pub fingerprint: String,
}

/// An approval taken apart, so that `ssh-keygen -Y verify` alone can check it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalParts {
    /// The very bytes that are signed.
    pub message: Vec<u8>,
    /// The signature in OpenSSH's format.
    pub signature: String,
    /// The signer's public key in OpenSSH's format.
    pub public_key: String,
}

/// Why a statement cannot be made or does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApprovalError {
    /// The private key cannot be read.
    Key(String),
    /// The key is protected by a passphrase.
    EncryptedKey,
    /// The envelope cannot be read.
    Envelope(String),
    /// The signature does not hold.
    Signature(String),
}

impl fmt::Display for ApprovalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(why) => write!(f, "the SSH key cannot be read: {why}"),
            Self::EncryptedKey => f.write_str(
                "the SSH key is protected by a passphrase, which this version cannot ask for",
            ),
            Self::Envelope(why) => write!(f, "the signed statement cannot be read: {why}"),
            Self::Signature(why) => write!(f, "the signature does not hold: {why}"),
        }
    }
}

impl std::error::Error for ApprovalError {}

/// Signs an approval with a private key in OpenSSH's format.
pub fn sign_approval(key: &str, statement: &Statement) -> Result<EnvelopeBytes, ApprovalError> {
    sign(key, APPROVAL_NAMESPACE, statement)
}

/// Signs authorship with a private key in OpenSSH's format.
pub fn sign_authorship(key: &str, statement: &Statement) -> Result<EnvelopeBytes, ApprovalError> {
    sign(key, AUTHOR_NAMESPACE, statement)
}

/// Signs that approvals are taken back.
pub fn sign_revocation(key: &str, statement: &Statement) -> Result<EnvelopeBytes, ApprovalError> {
    sign(key, REVOCATION_NAMESPACE, statement)
}

/// Signs a review after the fact.
pub fn sign_review(key: &str, statement: &Statement) -> Result<EnvelopeBytes, ApprovalError> {
    sign(key, REVIEW_NAMESPACE, statement)
}

/// The fingerprint (`SHA256:…`) of a private or a public key in OpenSSH's format.
pub fn fingerprint_of(key: &str) -> Result<String, ApprovalError> {
    if let Ok(public) = PublicKey::from_openssh(key.trim()) {
        return Ok(public.fingerprint(HashAlg::Sha256).to_string());
    }
    let private =
        PrivateKey::from_openssh(key).map_err(|error| ApprovalError::Key(error.to_string()))?;
    Ok(private
        .public_key()
        .fingerprint(HashAlg::Sha256)
        .to_string())
}

impl Approval {
    /// Reads an envelope and verifies its signature. Whether the signer counts is for [`crate::approve`] to say.
    pub fn open(envelope: &[u8]) -> Result<Self, ApprovalError> {
        let (statement, fingerprint) = open(envelope, APPROVAL_NAMESPACE)?;
        Ok(Self {
            statement,
            fingerprint,
        })
    }

    /// Takes an envelope apart, whether its signature holds or not.
    pub fn parts(envelope: &[u8]) -> Result<ApprovalParts, ApprovalError> {
        let envelope = wire::decode_envelope(envelope).map_err(ApprovalError::Envelope)?;
        let signature = SshSig::from_pem(&envelope.signature)
            .map_err(|error| ApprovalError::Envelope(error.to_string()))?;
        let key = PublicKey::from(signature.public_key().clone());
        Ok(ApprovalParts {
            message: pre_authentication_encoding(APPROVAL_NAMESPACE, &envelope.payload),
            signature: envelope.signature,
            public_key: key
                .to_openssh()
                .map_err(|error| ApprovalError::Key(error.to_string()))?,
        })
    }
}

impl Authorship {
    /// Reads an envelope and verifies its signature.
    pub fn open(envelope: &[u8]) -> Result<Self, ApprovalError> {
        let (statement, fingerprint) = open(envelope, AUTHOR_NAMESPACE)?;
        Ok(Self {
            statement,
            fingerprint,
        })
    }
}

impl Revocation {
    /// Reads an envelope and verifies its signature.
    pub fn open(envelope: &[u8]) -> Result<Self, ApprovalError> {
        let (statement, fingerprint) = open(envelope, REVOCATION_NAMESPACE)?;
        Ok(Self {
            statement,
            fingerprint,
        })
    }
}

impl ReviewSigned {
    /// Reads an envelope and verifies its signature.
    pub fn open(envelope: &[u8]) -> Result<Self, ApprovalError> {
        let (statement, fingerprint) = open(envelope, REVIEW_NAMESPACE)?;
        Ok(Self {
            statement,
            fingerprint,
        })
    }
}

/// A signature over bytes in OpenSSH's format, by a private key in that format.
pub(crate) fn sign_bytes(
    key: &str,
    namespace: &str,
    message: &[u8],
) -> Result<String, ApprovalError> {
    let key =
        PrivateKey::from_openssh(key).map_err(|error| ApprovalError::Key(error.to_string()))?;
    if key.is_encrypted() {
        return Err(ApprovalError::EncryptedKey);
    }
    signature_of(&key, namespace, message)
        .and_then(|signature| signature.to_pem(LineEnding::LF))
        .map_err(|error| ApprovalError::Key(error.to_string()))
}

/// The fingerprint of the key by which a signature over bytes holds.
pub(crate) fn verify_bytes(
    signature: &str,
    namespace: &str,
    message: &[u8],
) -> Result<String, ApprovalError> {
    let signature =
        SshSig::from_pem(signature).map_err(|error| ApprovalError::Envelope(error.to_string()))?;
    let key = PublicKey::from(signature.public_key().clone());
    key.verify(namespace, message, &signature)
        .map_err(|error| ApprovalError::Signature(error.to_string()))?;
    Ok(key.fingerprint(HashAlg::Sha256).to_string())
}

fn sign(key: &str, namespace: &str, statement: &Statement) -> Result<EnvelopeBytes, ApprovalError> {
    let key =
        PrivateKey::from_openssh(key).map_err(|error| ApprovalError::Key(error.to_string()))?;
    if key.is_encrypted() {
        return Err(ApprovalError::EncryptedKey);
    }
    let payload = wire::encode_statement(statement);
    let message = pre_authentication_encoding(namespace, &payload);
    let signature = signature_of(&key, namespace, &message)
        .and_then(|signature| signature.to_pem(LineEnding::LF))
        .map_err(|error| ApprovalError::Key(error.to_string()))?;
    let fingerprint = key.public_key().fingerprint(HashAlg::Sha256).to_string();
    Ok(wire::encode_envelope(
        &payload_type(namespace),
        &payload,
        &fingerprint,
        &signature,
    ))
}

/// Signs with any key but one of RSA through `ssh-key`, which as of 0.6.7 puts one prime of an RSA key in place of both.
fn signature_of(key: &PrivateKey, namespace: &str, message: &[u8]) -> ssh_key::Result<SshSig> {
    let KeypairData::Rsa(pair) = key.key_data() else {
        return key.sign(namespace, HashAlg::Sha512, message);
    };
    let (public, private) = (&pair.public, &pair.private);
    let primes = vec![
        rsa::BigUint::try_from(&private.p)?,
        rsa::BigUint::try_from(&private.q)?,
    ];
    let private = rsa::RsaPrivateKey::from_components(
        rsa::BigUint::try_from(&public.n)?,
        rsa::BigUint::try_from(&public.e)?,
        rsa::BigUint::try_from(&private.d)?,
        primes,
    )?;
    let signed = SshSig::signed_data(namespace, HashAlg::Sha512, message)?;
    let signature =
        rsa::pkcs1v15::SigningKey::<rsa::sha2::Sha512>::new(private).try_sign(&signed)?;
    let algorithm = Algorithm::Rsa {
        hash: Some(HashAlg::Sha512),
    };
    let signature = Signature::new(algorithm, signature.to_vec())?;
    let public = key.public_key().key_data().clone();
    SshSig::new(public, namespace, HashAlg::Sha512, signature)
}

fn open(envelope: &[u8], namespace: &str) -> Result<(Statement, String), ApprovalError> {
    let envelope = wire::decode_envelope(envelope).map_err(ApprovalError::Envelope)?;
    if envelope.payload_type != payload_type(namespace) {
        return Err(ApprovalError::Envelope(format!(
            "it is a {:?}",
            envelope.payload_type
        )));
    }
    let signature = SshSig::from_pem(&envelope.signature)
        .map_err(|error| ApprovalError::Envelope(error.to_string()))?;
    let key = PublicKey::from(signature.public_key().clone());
    let message = pre_authentication_encoding(namespace, &envelope.payload);
    key.verify(namespace, &message, &signature)
        .map_err(|error| ApprovalError::Signature(error.to_string()))?;
    let statement = wire::decode_statement(&envelope.payload).map_err(ApprovalError::Envelope)?;
    Ok((statement, key.fingerprint(HashAlg::Sha256).to_string()))
}

fn payload_type(namespace: &str) -> String {
    format!("application/vnd.{namespace}+json")
}

/// DSSE's encoding of what is signed: `DSSEv1`, and type and payload, each with its length.
pub(crate) fn pre_authentication_encoding(namespace: &str, payload: &[u8]) -> Vec<u8> {
    let kind = payload_type(namespace);
    let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}
