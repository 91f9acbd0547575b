//! Signed structures: the part that is signed, how, and the signature.

use x509_cert::der::asn1::{BitString, Null, ObjectIdentifier};
use x509_cert::der::{Any, Encode};
use x509_cert::ext::Extension;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use crate::definition::Failure;

use super::cannot;
use super::key::Key;

/// The names of signature algorithms as people know them.
pub(super) const SIGNATURES: [(&str, &str); 14] = [
    ("1.2.840.113549.1.1.4", "MD5-RSA"),
    ("1.2.840.113549.1.1.5", "SHA1-RSA"),
    ("1.2.840.113549.1.1.11", "SHA256-RSA"),
    ("1.2.840.113549.1.1.12", "SHA384-RSA"),
    ("1.2.840.113549.1.1.13", "SHA512-RSA"),
    ("1.2.840.113549.1.1.10", "SHA256-RSAPSS"),
    ("1.2.840.10040.4.3", "DSA-SHA1"),
    ("2.16.840.1.101.3.4.3.2", "DSA-SHA256"),
    ("1.2.840.10045.4.1", "ECDSA-SHA1"),
    ("1.2.840.10045.4.3.2", "ECDSA-SHA256"),
    ("1.2.840.10045.4.3.3", "ECDSA-SHA384"),
    ("1.2.840.10045.4.3.4", "ECDSA-SHA512"),
    ("1.3.101.112", "Ed25519"),
    ("1.2.840.113549.1.1.2", "MD2-RSA"),
];

/// An object identifier that this crate writes down itself.
pub(super) const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

/// DER of something of our own making.
pub(super) fn encoded(value: &impl Encode) -> Result<Vec<u8>, Failure> {
    value
        .to_der()
        .map_err(|error| cannot("encode to DER", error))
}

/// An extension of a certificate.
pub(super) fn extension(
    id: &str,
    critical: bool,
    value: &impl Encode,
) -> Result<Extension, Failure> {
    let content = x509_cert::der::asn1::OctetString::new(encoded(value)?)
        .map_err(|error| cannot("encode to DER", error))?;
    Ok(Extension {
        extn_id: oid(id),
        critical,
        extn_value: content,
    })
}

/// How a key signs.
pub(super) fn algorithm(key: &Key) -> AlgorithmIdentifierOwned {
    let (id, parameters) = match key {
        Key::Rsa(_) => ("1.2.840.113549.1.1.11", Some(Any::from(Null))),
        Key::Ec(key) => (key.curve.signature_algorithm(), None),
        Key::Ed25519(_) => ("1.3.101.112", None),
    };
    AlgorithmIdentifierOwned {
        oid: oid(id),
        parameters,
    }
}

/// A signature over `bytes`.
pub(super) fn signature(key: &Key, bytes: &[u8]) -> Result<BitString, Failure> {
    BitString::from_bytes(&key.sign(bytes)?).map_err(|error| cannot("encode to DER", error))
}

/// A public key as certificates hold it.
pub(super) fn public_key(key: &Key) -> Result<SubjectPublicKeyInfoOwned, Failure> {
    use x509_cert::der::Decode as _;
    SubjectPublicKeyInfoOwned::from_der(&key.public_der()?)
        .map_err(|error| cannot("encode public key", error))
}
