//! Keys of tokens: PEM, JWK and JWK sets; what they sign and verify.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED, ECDSA_P521_SHA512_FIXED_SIGNING,
    ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair, UnparsedPublicKey,
    VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::Hmac;
use serde_json::Value;
use sha2::{Sha256, Sha384, Sha512};
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use super::digests::code;

/// The kinds of keys that differ in how a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    Rsa,
    Elliptic,
    Edwards,
    Secret,
}

/// A key that verifies.
#[derive(Clone, Debug)]
pub(super) struct PublicKey {
    kind: KeyKind,
    /// RSA: PKCS #1; elliptic: the point; Edwards: the key; secret: the secret.
    bytes: Vec<u8>,
    /// Its name in a set.
    pub(super) id: Option<String>,
}

impl PublicKey {
    /// A secret.
    pub(super) fn secret(bytes: &[u8]) -> Self {
        Self {
            kind: KeyKind::Secret,
            bytes: bytes.to_vec(),
            id: None,
        }
    }

    /// Whether a signature by an algorithm such as `RS256` is this key's; it is not for algorithms of other kinds of keys.
    pub(super) fn verifies(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        let verifier: &'static dyn VerificationAlgorithm = match (self.kind, algorithm) {
            (KeyKind::Rsa, "RS256") => &RSA_PKCS1_2048_8192_SHA256,
            (KeyKind::Rsa, "RS384") => &RSA_PKCS1_2048_8192_SHA384,
            (KeyKind::Rsa, "RS512") => &RSA_PKCS1_2048_8192_SHA512,
            (KeyKind::Rsa, "PS256") => &RSA_PSS_2048_8192_SHA256,
            (KeyKind::Rsa, "PS384") => &RSA_PSS_2048_8192_SHA384,
            (KeyKind::Rsa, "PS512") => &RSA_PSS_2048_8192_SHA512,
            (KeyKind::Elliptic, "ES256") => &ECDSA_P256_SHA256_FIXED,
            (KeyKind::Elliptic, "ES384") => &ECDSA_P384_SHA384_FIXED,
            (KeyKind::Elliptic, "ES512") => &ECDSA_P521_SHA512_FIXED,
            (KeyKind::Edwards, "EdDSA") => &ED25519,
            (KeyKind::Secret, _) => {
                return secret_code(algorithm, &self.bytes, message)
                    .is_some_and(|expected| is_same(&expected, signature));
            }
            _ => return false,
        };
        UnparsedPublicKey::new(verifier, &self.bytes)
            .verify(message, signature)
            .is_ok()
    }
}

/// Compares without telling by time where two differ.
fn is_same(left: &[u8], right: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(left, right).is_ok()
}

fn secret_code(algorithm: &str, key: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    Some(match algorithm {
        "HS256" => code::<Hmac<Sha256>>(key, message),
        "HS384" => code::<Hmac<Sha384>>(key, message),
        "HS512" => code::<Hmac<Sha512>>(key, message),
        _ => return None,
    })
}

/// Reads a certificate or public key in PEM, a JWK, or a set of them.
pub(super) fn public_keys(text: &str) -> Result<Vec<PublicKey>, String> {
    if text.contains("-----BEGIN") {
        return Ok(vec![from_pem(text)?]);
    }
    let wrong = || "failed to parse a JWK key (set)".to_owned();
    let document: Value = serde_json::from_str(text).map_err(|_| wrong())?;
    match document.get("keys").and_then(Value::as_array) {
        Some(keys) => keys
            .iter()
            .map(|key| from_jwk(key).ok_or_else(wrong))
            .collect(),
        None => Ok(vec![from_jwk(&document).ok_or_else(wrong)?]),
    }
}

/// The label and the bytes of the first block, and what is behind it.
pub(super) fn pem_block(text: &str) -> Option<(&str, Vec<u8>, &str)> {
    let (_, behind) = text.split_once("-----BEGIN ")?;
    let (label, behind) = behind.split_once("-----")?;
    let end = format!("-----END {label}-----");
    let (body, rest) = behind.split_once(&end)?;
    let body: String = body.split_whitespace().collect();
    Some((label, STANDARD.decode(body).ok()?, rest))
}

fn from_pem(text: &str) -> Result<PublicKey, String> {
    let (label, der, rest) =
        pem_block(text).ok_or("failed to extract a Key from the PEM certificate")?;
    if !rest.trim().is_empty() {
        return Err("extra data after a PEM certificate block".to_owned());
    }
    let wrong = |_| "failed to parse a PEM certificate".to_owned();
    let info = match label {
        "CERTIFICATE" => {
            x509_cert::Certificate::from_der(&der)
                .map_err(wrong)?
                .tbs_certificate
                .subject_public_key_info
        }
        "PUBLIC KEY" => SubjectPublicKeyInfoOwned::from_der(&der).map_err(wrong)?,
        _ => return Err("failed to extract a Key from the PEM certificate".to_owned()),
    };
    let kind = match info.algorithm.oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" => KeyKind::Rsa,
        "1.2.840.10045.2.1" => KeyKind::Elliptic,
        "1.3.101.112" => KeyKind::Edwards,
        other => return Err(format!("keys of the kind {other} are not supported")),
    };
    Ok(PublicKey {
        kind,
        bytes: info.subject_public_key.raw_bytes().to_vec(),
        id: None,
    })
}

/// The bytes of a member in base64.
fn bytes_of(key: &Value, name: &str) -> Option<Vec<u8>> {
    let text = key.get(name)?.as_str()?;
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

/// Numbers in order, as DER writes them.
fn der_numbers(numbers: &[Vec<u8>]) -> Option<Vec<u8>> {
    let numbers = numbers
        .iter()
        .map(|bytes| x509_cert::der::asn1::Uint::new(bytes))
        .collect::<Result<Vec<_>, _>>()
        .ok()?;
    numbers.to_der().ok()
}

fn from_jwk(key: &Value) -> Option<PublicKey> {
    let (kind, bytes) = match key.get("kty")?.as_str()? {
        "RSA" => (
            KeyKind::Rsa,
            der_numbers(&[bytes_of(key, "n")?, bytes_of(key, "e")?])?,
        ),
        "EC" => (KeyKind::Elliptic, point_of(key)?),
        "OKP" => (KeyKind::Edwards, bytes_of(key, "x")?),
        "oct" => (KeyKind::Secret, bytes_of(key, "k")?),
        _ => return None,
    };
    let id = key.get("kid").and_then(Value::as_str).map(str::to_owned);
    Some(PublicKey { kind, bytes, id })
}

/// How many bytes a coordinate of a key's curve has.
fn coordinate_length(key: &Value) -> Option<usize> {
    match key.get("crv")?.as_str()? {
        "P-256" => Some(32),
        "P-384" => Some(48),
        "P-521" => Some(66),
        _ => None,
    }
}

fn padded(bytes: &[u8], length: usize) -> Vec<u8> {
    let mut padded = vec![0; length.saturating_sub(bytes.len())];
    padded.extend(bytes);
    padded
}

fn point_of(key: &Value) -> Option<Vec<u8>> {
    let length = coordinate_length(key)?;
    let mut point = vec![4];
    point.extend(padded(&bytes_of(key, "x")?, length));
    point.extend(padded(&bytes_of(key, "y")?, length));
    Some(point)
}

/// Signs a message by an algorithm and a private JWK.
pub(super) fn sign(algorithm: &str, key: &Value, message: &[u8]) -> Result<Vec<u8>, String> {
    let kind = key
        .get("kty")
        .and_then(Value::as_str)
        .ok_or("failed to parse JWK: no kty")?;
    let wrong = || format!("the key of the kind {kind} cannot sign by {algorithm}");
    let signature = match (kind, algorithm) {
        ("oct", _) => {
            let secret = bytes_of(key, "k").ok_or_else(wrong)?;
            secret_code(algorithm, &secret, message)
        }
        ("RSA", "RS256") => rsa_signature(key, &RSA_PKCS1_SHA256, message),
        ("RSA", "RS384") => rsa_signature(key, &RSA_PKCS1_SHA384, message),
        ("RSA", "RS512") => rsa_signature(key, &RSA_PKCS1_SHA512, message),
        ("RSA", "PS256") => rsa_signature(key, &RSA_PSS_SHA256, message),
        ("RSA", "PS384") => rsa_signature(key, &RSA_PSS_SHA384, message),
        ("RSA", "PS512") => rsa_signature(key, &RSA_PSS_SHA512, message),
        ("EC", "ES256") => elliptic_signature(key, &ECDSA_P256_SHA256_FIXED_SIGNING, message),
        ("EC", "ES384") => elliptic_signature(key, &ECDSA_P384_SHA384_FIXED_SIGNING, message),
        ("EC", "ES512") => elliptic_signature(key, &ECDSA_P521_SHA512_FIXED_SIGNING, message),
        ("OKP", "EdDSA") => bytes_of(key, "d")
            .and_then(|seed| Ed25519KeyPair::from_seed_unchecked(&seed).ok())
            .map(|pair| pair.sign(message).as_ref().to_vec()),
        _ => None,
    };
    signature.ok_or_else(wrong)
}

fn rsa_signature(
    key: &Value,
    encoding: &'static dyn RsaEncoding,
    message: &[u8],
) -> Option<Vec<u8>> {
    let mut numbers = vec![vec![0]];
    for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
        numbers.push(bytes_of(key, name)?);
    }
    let pair = RsaKeyPair::from_der(&der_numbers(&numbers)?).ok()?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), message, &mut signature)
        .ok()?;
    Some(signature)
}

fn elliptic_signature(
    key: &Value,
    algorithm: &'static EcdsaSigningAlgorithm,
    message: &[u8],
) -> Option<Vec<u8>> {
    let private = padded(&bytes_of(key, "d")?, coordinate_length(key)?);
    let pair =
        EcdsaKeyPair::from_private_key_and_public_key(algorithm, &private, &point_of(key)?).ok()?;
    let signature = pair.sign(&SystemRandom::new(), message).ok()?;
    Some(signature.as_ref().to_vec())
}
