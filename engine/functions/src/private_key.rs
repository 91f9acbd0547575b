//! RSA private keys in their PEM forms.

use rsa::RsaPrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;

/// Reads a key as PKCS #1, PKCS #8 or OpenSSH, or says why it is none.
pub(crate) fn parse(pem: &str) -> Result<RsaPrivateKey, String> {
    let invalid = |why: &str| format!("invalid private key: {why}");
    let Some(label) = label(pem) else {
        return Err(invalid("ssh: no key found"));
    };
    if label == "ENCRYPTED PRIVATE KEY" || pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(invalid("ssh: this private key is passphrase protected"));
    }
    let pem = pem.trim();
    match label {
        "RSA PRIVATE KEY" => RsaPrivateKey::from_pkcs1_pem(pem).map_err(|error| {
            invalid(&format!(
                "invalid ASN1 data in the given private key: {error}"
            ))
        }),
        "PRIVATE KEY" => RsaPrivateKey::from_pkcs8_pem(pem).map_err(|error| {
            invalid(&format!(
                "invalid ASN1 data in the given private key: {error}"
            ))
        }),
        "OPENSSH PRIVATE KEY" => openssh(pem).map_err(|why| invalid(&why)),
        other => Err(invalid(&format!("ssh: unsupported key type \"{other}\""))),
    }
}

fn label(pem: &str) -> Option<&str> {
    let begin = pem.find("-----BEGIN ")?;
    let rest = &pem[begin + "-----BEGIN ".len()..];
    rest.split_once("-----").map(|(label, _)| label)
}

fn openssh(pem: &str) -> Result<RsaPrivateKey, String> {
    let key = ssh_key::PrivateKey::from_openssh(pem).map_err(|error| error.to_string())?;
    if key.is_encrypted() {
        return Err("ssh: this private key is passphrase protected".to_owned());
    }
    let pair = key.key_data().rsa().ok_or("not an RSA key")?;
    RsaPrivateKey::try_from(pair).map_err(|error| error.to_string())
}
