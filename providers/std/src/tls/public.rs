//! What keys look like in the state.

use std::fmt::Write as _;

use md5::Md5;
use sha1::Sha1;
use sha2::Digest;
use ssh_key::{HashAlg, LineEnding};
use terrace_provider_sdk::{Diagnostic, Object};

use crate::definition::Failure;
use crate::local::hex;

use super::key::Key;
use super::{cannot, pem};

/// Sets the forms of a private key.
pub(super) fn describe_private(key: &Key, object: &mut Object) -> Result<(), Failure> {
    object.set("private_key_pem", key.to_pem()?);
    object.set("private_key_pem_pkcs8", key.to_pkcs8_pem()?);
    let openssh = match key.to_openssh() {
        Some(key) => key
            .to_openssh(LineEnding::LF)
            .map_err(|error| cannot("marshal private key into OpenSSH format", error))?
            .to_string(),
        None => String::new(),
    };
    object.set("private_key_openssh", openssh);
    let Some(fingerprint) = fingerprints(key)?.map(|found| found.sha256) else {
        object.set("public_key_fingerprint_sha256", "");
        return Ok(());
    };
    object.set("public_key_fingerprint_sha256", fingerprint);
    Ok(())
}

struct Fingerprints {
    line: String,
    md5: String,
    sha256: String,
}

fn fingerprints(key: &Key) -> Result<Option<Fingerprints>, Failure> {
    let Some(private) = key.to_openssh() else {
        return Ok(None);
    };
    let failed = |error: ssh_key::Error| cannot("marshal public key", error);
    let public = private.public_key();
    let digest = Md5::digest(public.to_bytes().map_err(failed)?);
    let mut md5 = String::new();
    for (place, byte) in digest.iter().enumerate() {
        let colon = if place == 0 { "" } else { ":" };
        write!(md5, "{colon}{byte:02x}").expect("writing to a string does not fail");
    }
    let line = public.to_openssh().map_err(failed)?;
    Ok(Some(Fingerprints {
        line: format!("{}\n", line.trim_end()),
        md5,
        sha256: public.fingerprint(HashAlg::Sha256).to_string(),
    }))
}

/// Sets the forms of a public key.
pub(super) fn describe_without_id(key: &Key, object: &mut Object) -> Result<(), Failure> {
    object.set(
        "public_key_pem",
        pem::encode("PUBLIC KEY", &key.public_der()?),
    );
    let (line, md5, sha256) = fingerprints(key)?
        .map(|found| (found.line, found.md5, found.sha256))
        .unwrap_or_default();
    object.set("public_key_openssh", line);
    object.set("public_key_fingerprint_md5", md5);
    object.set("public_key_fingerprint_sha256", sha256);
    Ok(())
}

/// Sets the forms of a public key, and the id that comes of it.
pub(super) fn describe(key: &Key, object: &mut Object) -> Result<(), Failure> {
    object.set("id", id_of(&key.public_der()?));
    describe_without_id(key, object)
}

/// The id of bytes: the digest of what is left of them without white space at their ends.
pub(super) fn id_of(bytes: &[u8]) -> String {
    hex(&Sha1::digest(trimmed(bytes)))
}

/// Bytes without the white space of text at their ends, as far as they are text there.
fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

/// `tls_public_key`: the public part of a private key.
pub(super) fn read(mut object: Object) -> Result<Object, Failure> {
    let key = match (
        object.text("private_key_pem"),
        object.text("private_key_openssh"),
    ) {
        (Some(pem), _) => Key::from_pem(pem),
        (None, Some(openssh)) => Key::from_openssh(openssh),
        (None, None) => Err("no key was given".into()),
    };
    let key = key.map_err(|why| Diagnostic::error("Unable to parse private key", why))?;
    object.set("algorithm", key.algorithm());
    describe(&key, &mut object)?;
    Ok(object)
}
