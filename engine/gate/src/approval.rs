//! Signed statements: who made a plan, and who approves it.
//!
//! A statement is a DSSE envelope whose signature is in OpenSSH's own format over the pre-authentication encoding, so
//! that `ssh-keygen -Y verify` alone can check it.

use std::fmt;

use ssh_key::{Algorithm, HashAlg, PublicKey, SshSig};
use terrace_plan::PlanDigest;
use terrace_port::Signer;

use crate::key::SshKey;
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
    /// The key is protected by a passphrase, and none was given.
    EncryptedKey,
    /// The passphrase is not the key's.
    Passphrase,
    /// The file only says which key of a security device it is: an agent signs with it.
    Hardware,
    /// Who holds the key does not sign.
    Refused(String),
    /// The envelope cannot be read.
    Envelope(String),
    /// The signature does not hold.
    Signature(String),
}

impl fmt::Display for ApprovalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(why) => write!(f, "the SSH key cannot be read: {why}"),
            Self::EncryptedKey => f.write_str("the SSH key is protected by a passphrase"),
            Self::Passphrase => f.write_str("the passphrase is not the one of the SSH key"),
            Self::Hardware => f.write_str(
                "the SSH key is in a security device, which an ssh-agent signs with, and no file",
            ),
            Self::Refused(why) => write!(f, "the SSH key does not sign: {why}"),
            Self::Envelope(why) => write!(f, "the signed statement cannot be read: {why}"),
            Self::Signature(why) => write!(f, "the signature does not hold: {why}"),
        }
    }
}

impl std::error::Error for ApprovalError {}

/// Signs a statement, in the namespace of what it is.
///
/// # Errors
/// [`ApprovalError::Refused`] with what the signer says, where it cannot or will not.
pub fn sign_statement(
    signer: &dyn Signer,
    namespace: &str,
    statement: &Statement,
) -> Result<EnvelopeBytes, ApprovalError> {
    let payload = wire::encode_statement(statement);
    let message = pre_authentication_encoding(namespace, &payload);
    let signature = signer
        .sign(namespace, &message)
        .map_err(ApprovalError::Refused)?;
    Ok(wire::encode_envelope(
        &payload_type(namespace),
        &payload,
        &fingerprint_of(&signer.public_key())?,
        &signature,
    ))
}

/// Signs an approval with a private key in OpenSSH's format, which no passphrase protects.
pub fn sign_approval(key: &str, statement: &Statement) -> Result<EnvelopeBytes, ApprovalError> {
    sign_statement(&SshKey::open(key, None)?, APPROVAL_NAMESPACE, statement)
}

/// Signs authorship with such a key.
pub fn sign_authorship(key: &str, statement: &Statement) -> Result<EnvelopeBytes, ApprovalError> {
    sign_statement(&SshKey::open(key, None)?, AUTHOR_NAMESPACE, statement)
}

/// Signs that approvals are taken back.
pub fn sign_revocation(key: &str, statement: &Statement) -> Result<EnvelopeBytes, ApprovalError> {
    sign_statement(&SshKey::open(key, None)?, REVOCATION_NAMESPACE, statement)
}

/// Signs a review after the fact.
pub fn sign_review(key: &str, statement: &Statement) -> Result<EnvelopeBytes, ApprovalError> {
    sign_statement(&SshKey::open(key, None)?, REVIEW_NAMESPACE, statement)
}

/// The fingerprint (`SHA256:…`) of a private or a public key in OpenSSH's format, whether or not a passphrase protects it.
pub fn fingerprint_of(key: &str) -> Result<String, ApprovalError> {
    let public = crate::key::public_half(key)?;
    Ok(public.fingerprint(HashAlg::Sha256).to_string())
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

/// The fingerprint of the key by which a signature over bytes holds.
pub(crate) fn verify_bytes(
    signature: &str,
    namespace: &str,
    message: &[u8],
) -> Result<String, ApprovalError> {
    let signature =
        SshSig::from_pem(signature).map_err(|error| ApprovalError::Envelope(error.to_string()))?;
    verify(&signature, namespace, message)
}

/// The bit by which a security device says that somebody touched it.
const USER_PRESENT: u8 = 0x01;
/// How many bytes of such a device's signature are its flags and its counter.
const DEVICE_TRAILER: usize = 5;

/// The fingerprint of the key by which a signature holds. One of a security device must say that a person was there, as
/// OpenSSH's server asks for; that is among what is signed.
pub(crate) fn verify(
    signature: &SshSig,
    namespace: &str,
    message: &[u8],
) -> Result<String, ApprovalError> {
    let key = PublicKey::from(signature.public_key().clone());
    key.verify(namespace, message, signature)
        .map_err(|error| ApprovalError::Signature(error.to_string()))?;
    if matches!(
        key.algorithm(),
        Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256
    ) {
        let bytes = signature.signature_bytes();
        let flags = bytes.len().checked_sub(DEVICE_TRAILER);
        let flags = flags.and_then(|at| bytes.get(at)).copied().unwrap_or(0);
        if flags & USER_PRESENT == 0 {
            let why = "nobody touched the security device that made it";
            return Err(ApprovalError::Signature(why.to_owned()));
        }
    }
    Ok(key.fingerprint(HashAlg::Sha256).to_string())
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
    let message = pre_authentication_encoding(namespace, &envelope.payload);
    let fingerprint = verify(&signature, namespace, &message)?;
    let statement = wire::decode_statement(&envelope.payload).map_err(ApprovalError::Envelope)?;
    Ok((statement, fingerprint))
}

fn payload_type(namespace: &str) -> String {
    format!("application/vnd.{namespace}+json")
}

/// DSSE's encoding of what is signed in a namespace of Terrace's own statements.
pub(crate) fn pre_authentication_encoding(namespace: &str, payload: &[u8]) -> Vec<u8> {
    encoding_of_type(&payload_type(namespace), payload)
}

/// DSSE's encoding of what is signed: `DSSEv1`, and type and payload, each with its length.
pub(crate) fn encoding_of_type(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}
