//! Private keys, certificates, host keys.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{
    Certificate, HashAlg, PrivateKey, PublicKey, PublicKeyOrCertificate, decode_secret_key,
};

use crate::session::Failure;

/// Reads a private key in the form of OpenSSH or PEM. `whose` tells in messages which one is meant.
pub(crate) fn private_key(text: &str, whose: &str) -> Result<Arc<PrivateKey>, Failure> {
    if !text.contains("-----BEGIN ") {
        return Err(Failure::fatal(format!(
            "Failed to read {whose}ssh private key: no key found. It must be the text of a key, in the form of OpenSSH or PEM; the function \"file\" reads that from a file."
        )));
    }
    let encrypted = || {
        Failure::fatal(format!(
            "Failed to parse {whose}ssh private key: this private key is passphrase protected. Decrypt it before use (`ssh-keygen -p`), or let an SSH agent hold it and leave out the argument."
        ))
    };
    if text.contains("ENCRYPTED") {
        return Err(encrypted());
    }
    let text: String = text.lines().flat_map(|line| [line.trim(), "\n"]).collect();
    match decode_secret_key(&text, None) {
        Ok(key) if key.is_encrypted() => Err(encrypted()),
        Ok(key) => Ok(Arc::new(key)),
        Err(russh::keys::Error::KeyIsEncrypted) => Err(encrypted()),
        Err(error) => Err(Failure::fatal(format!(
            "Failed to parse {whose}ssh private key: {error}"
        ))),
    }
}

/// Reads a certificate for `key`.
pub(crate) fn certificate(text: &str, key: &PrivateKey) -> Result<Certificate, Failure> {
    let certificate = Certificate::from_openssh(text.trim()).map_err(|error| {
        Failure::fatal(format!(
            "failed to parse certificate {:?}: {error}",
            text.trim()
        ))
    })?;
    if certificate.public_key() != key.public_key().key_data() {
        return Err(Failure::fatal(
            "The certificate belongs to another key than private_key.",
        ));
    }
    Ok(certificate)
}

/// What a machine's key must be.
#[derive(Clone, Debug)]
pub(crate) struct HostKey {
    key: PublicKey,
    host: String,
}

impl HostKey {
    /// Reads the public key of a machine or of an authority, in OpenSSH's one-line form.
    pub(crate) fn of(text: &str, host: &str) -> Result<Self, Failure> {
        let key = PublicKey::from_openssh(text.trim()).map_err(|error| {
            Failure::fatal(format!(
                "The host key of {host} cannot be read: {error}. It must be a line such as \"ssh-ed25519 AAAA...\"."
            ))
        })?;
        Ok(Self {
            key,
            host: host.to_owned(),
        })
    }

    /// Whether a machine that presents `presented` is the right one; why not.
    pub(crate) fn check(&self, presented: &PublicKeyOrCertificate) -> Result<(), String> {
        let expected = self.key.fingerprint(HashAlg::Sha256);
        match presented {
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                if key.key_data() == self.key.key_data() {
                    return Ok(());
                }
                let (found, kind) = (key.fingerprint(HashAlg::Sha256), key.algorithm());
                Err(format!(
                    "key mismatch: {} presents the {kind} key {found}, and {expected} is expected",
                    self.host
                ))
            }
            PublicKeyOrCertificate::Certificate(certificate) => self.check_certificate(certificate),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a certificate's validity is judged by the machine's own clock, as by every SSH client"
    )]
    fn check_certificate(&self, certificate: &Certificate) -> Result<(), String> {
        let host = &self.host;
        let is_own = |key: &KeyData| key == self.key.key_data();
        if is_own(certificate.public_key()) {
            return Ok(());
        }
        let expected = self.key.fingerprint(HashAlg::Sha256);
        if certificate.cert_type() != CertType::Host || !is_own(certificate.signature_key()) {
            return Err(format!(
                "key mismatch: {host} presents a certificate that {expected} has not signed for hosts"
            ));
        }
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        certificate
            .validate_at(now, [&expected])
            .map_err(|error| format!("the certificate of {host} is not valid: {error}"))?;
        let principals = certificate.valid_principals();
        if principals.is_empty() || principals.iter().any(|name| name == host) {
            return Ok(());
        }
        Err(format!(
            "the certificate is for {}, and not for {host}",
            principals.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\nQyNTUxOQAAACCzPq7zfqLffKoBDe/eo04kH2XxtSmk9D7RQyf1xUqrYgAAAJgAIAxdACAM\nXQAAAAtzc2gtZWQyNTUxOQAAACCzPq7zfqLffKoBDe/eo04kH2XxtSmk9D7RQyf1xUqrYg\nAAAEC2BsIi0QwW2uFscKTUUXNHLsYX4FxlaSDSblbAj7WR7bM+rvN+ot98qgEN796jTiQf\nZfG1KaT0PtFDJ/XFSqtiAAAAEHVzZXJAZXhhbXBsZS5jb20BAgMEBQ==\n-----END OPENSSH PRIVATE KEY-----\n";

    #[test]
    fn keys_are_read_even_when_indented() {
        let key = private_key(KEY, "").unwrap();
        let indented: String = KEY.lines().flat_map(|line| ["    ", line, "\n"]).collect();
        assert_eq!(
            private_key(&indented, "").unwrap().public_key(),
            key.public_key()
        );
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for (text, says) in [
            ("garbage", "no key found"),
            (
                "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n",
                "Failed to parse",
            ),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
                "passphrase protected",
            ),
        ] {
            let failure = private_key(text, "").unwrap_err().to_string();
            assert!(failure.contains(says), "{failure}");
        }
    }

    #[test]
    fn only_the_expected_host_key_passes() {
        let key = private_key(KEY, "").unwrap();
        let line = key.public_key().to_openssh().unwrap();
        let expected = HostKey::of(&line, "h").unwrap();
        assert_eq!(expected.check(&key.public_key().clone().into()), Ok(()));
        let other = PublicKey::from_openssh(
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti",
        )
        .unwrap();
        assert_eq!(expected.check(&other.into()), Ok(()));
        let wrong = HostKey::of(
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ",
            "h",
        )
        .unwrap();
        let why = wrong.check(&key.public_key().clone().into()).unwrap_err();
        assert!(why.contains("key mismatch"), "{why}");
        assert!(HostKey::of("garbage", "h").is_err());
    }
}
