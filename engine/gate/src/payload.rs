//! Envelopes around payloads whose form others define, such as statements of in-toto: DSSE, with a signature in OpenSSH's
//! format as approvals have it, so that `ssh-keygen -Y verify` alone can check it.

use ssh_key::{PublicKey, SshSig};
use terrace_port::Signer;

use crate::approval::{ApprovalError, EnvelopeBytes, encoding_of_type, fingerprint_of, verify};
use crate::wire;

/// What an envelope holds whose signature holds. Whether its signer counts is for the caller to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The payload.
    pub payload: Vec<u8>,
    /// The fingerprint of the key that signed it: `SHA256:…`.
    pub fingerprint: String,
    /// The public key itself, in one line of OpenSSH's format.
    pub public_key: String,
}

/// Signs a payload of a type, in a namespace of OpenSSH's signatures that keeps it apart from everything else that the
/// same key signs.
///
/// # Errors
/// [`ApprovalError::Refused`] with what the signer says, where it cannot or will not.
pub fn sign_payload(
    signer: &dyn Signer,
    namespace: &str,
    payload_type: &str,
    payload: &[u8],
) -> Result<EnvelopeBytes, ApprovalError> {
    let message = encoding_of_type(payload_type, payload);
    let signature = signer
        .sign(namespace, &message)
        .map_err(ApprovalError::Refused)?;
    let fingerprint = fingerprint_of(&signer.public_key())?;
    Ok(wire::encode_envelope(
        payload_type,
        payload,
        &fingerprint,
        &signature,
    ))
}

/// Reads an envelope and verifies its signature.
///
/// # Errors
/// [`ApprovalError::Envelope`] where it is none, or one around another type; [`ApprovalError::Signature`] where the
/// signature does not hold, or holds in another namespace.
pub fn open_payload(
    envelope: &[u8],
    namespace: &str,
    payload_type: &str,
) -> Result<Opened, ApprovalError> {
    let envelope = wire::decode_envelope(envelope).map_err(ApprovalError::Envelope)?;
    if envelope.payload_type != payload_type {
        return Err(ApprovalError::Envelope(format!(
            "it is a {:?}",
            envelope.payload_type
        )));
    }
    let signature = SshSig::from_pem(&envelope.signature)
        .map_err(|error| ApprovalError::Envelope(error.to_string()))?;
    let message = encoding_of_type(payload_type, &envelope.payload);
    let fingerprint = verify(&signature, namespace, &message)?;
    let public_key = PublicKey::from(signature.public_key().clone())
        .to_openssh()
        .map_err(|error| ApprovalError::Key(error.to_string()))?;
    Ok(Opened {
        payload: envelope.payload,
        fingerprint,
        public_key,
    })
}
