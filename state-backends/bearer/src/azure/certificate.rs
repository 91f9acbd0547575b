//! Certificates of service principals with their keys: PKCS #12, or PEM.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use rsa::RsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey as _;

use crate::{Why, rsa_key};

/// A certificate in DER, and its key.
pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    pub(crate) key: RsaPrivateKey,
}

impl Certificate {
    /// Reads a file of either form.
    pub(crate) fn read(file: &[u8], password: Option<&str>) -> Result<Self, Why> {
        match std::str::from_utf8(file) {
            Ok(text) if text.contains("-----BEGIN") => Self::of_pem(text),
            _ => Self::of_store(file, password.unwrap_or_default()),
        }
    }

    fn of_pem(text: &str) -> Result<Self, Why> {
        let der = section(text, "CERTIFICATE").ok_or("there is no certificate in the file")?;
        let key = rsa_key(&block(text, "PRIVATE KEY"))
            .or_else(|| rsa_key(&block(text, "RSA PRIVATE KEY")))
            .ok_or("there is no RSA key without a password in the file")?;
        Ok(Self { der, key })
    }

    fn of_store(file: &[u8], password: &str) -> Result<Self, Why> {
        let store = KeyStore::from_pkcs12(file, password, Pkcs12ImportPolicy::Relaxed);
        let store = store.map_err(|error| {
            format!(
                "the certificate is neither PEM nor PKCS #12 with the password in \"client_certificate_password\": {error}"
            )
        })?;
        let (_, chain) = store
            .private_key_chain()
            .ok_or("there is no private key in the file")?;
        let certificate = chain
            .certs()
            .first()
            .ok_or("there is no certificate of the private key in the file")?;
        let key = RsaPrivateKey::from_pkcs8_der(chain.key().as_der())
            .map_err(|error| format!("the file's private key is no RSA key: {error}"))?;
        Ok(Self {
            der: certificate.as_der().to_vec(),
            key,
        })
    }
}

/// A section of a PEM file with its marks; empty where there is none.
fn block(text: &str, name: &str) -> String {
    let (begin, end) = (
        format!("-----BEGIN {name}-----"),
        format!("-----END {name}-----"),
    );
    let inside = text
        .split_once(&begin)
        .and_then(|(_, rest)| rest.split_once(&end));
    inside.map_or_else(String::new, |(inside, _)| format!("{begin}{inside}{end}\n"))
}

/// The bytes of a section of a PEM file.
fn section(text: &str, name: &str) -> Option<Vec<u8>> {
    let block = block(text, name);
    let base64: String = block
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .map(str::trim)
        .collect();
    STANDARD
        .decode(base64)
        .ok()
        .filter(|bytes| !bytes.is_empty())
}
