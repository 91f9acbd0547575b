//! Checksums in addresses: `checksum=sha256:…`, `checksum=file:ADDRESS`.

use std::fs::File;
use std::io;
use std::path::Path;

use super::FetchError;
use crate::tree::hex;

/// What an archive must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// A digest in hexadecimal, and its algorithm.
    Digest(&'static str, String),
    /// The digest stands in a file at this address.
    File(String),
}

impl Checksum {
    /// Reads the parameter's text: `algorithm:digest`, `file:address` or a digest, whose length tells the algorithm.
    pub(crate) fn parse(text: &str) -> Result<Self, FetchError> {
        if let Some(address) = text.strip_prefix("file:") {
            return Ok(Self::File(address.to_owned()));
        }
        let (name, digest) = match text.split_once(':') {
            Some((name, digest)) => (Some(name), digest),
            None => (None, text),
        };
        let algorithm = match (name, digest.len()) {
            (Some("md5") | None, 32) => "md5",
            (Some("sha1") | None, 40) => "sha1",
            (Some("sha256") | None, 64) => "sha256",
            (Some("sha512") | None, 128) => "sha512",
            _ => {
                return FetchError::refused(format!(
                    "checksum={text} is no checksum: write md5, sha1, sha256 or sha512, a colon and the digest in hexadecimal"
                ));
            }
        };
        if !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return FetchError::refused(format!("checksum={text} is not in hexadecimal"));
        }
        Ok(Self::Digest(algorithm, digest.to_lowercase()))
    }

    /// Finds the digest of a file called `name` in a list such as `sha256sum` writes.
    pub(crate) fn in_list(list: &str, name: &str) -> Result<Self, FetchError> {
        for line in list.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let found = match words.as_slice() {
                [digest] => Some(*digest),
                [digest, file] if same_file(file, name) => Some(*digest),
                // As BSD's tools write: `SHA256 (name) = digest`.
                [_, file, "=", digest] if same_file(file.trim_matches(['(', ')']), name) => {
                    Some(*digest)
                }
                _ => None,
            };
            if let Some(digest) = found {
                return Self::parse(digest);
            }
        }
        FetchError::refused(format!("the list of checksums names no {name:?}"))
    }

    /// Refuses a file with another digest.
    pub(crate) fn check(&self, path: &Path) -> Result<(), FetchError> {
        let Self::Digest(algorithm, expected) = self else {
            return Ok(());
        };
        let read = || -> io::Result<String> {
            let mut file = File::open(path)?;
            Ok(match *algorithm {
                "md5" => digest(&mut file, md5::Md5::default())?,
                "sha1" => digest(&mut file, sha1::Sha1::default())?,
                "sha256" => digest(&mut file, sha2::Sha256::default())?,
                _ => digest(&mut file, sha2::Sha512::default())?,
            })
        };
        let found = read().map_err(FetchError::local("the download cannot be read"))?;
        if found == *expected {
            return Ok(());
        }
        FetchError::refused(format!(
            "Checksums did not match. Expected {algorithm} {expected}, and what was downloaded has {found}"
        ))
    }
}

fn same_file(listed: &str, name: &str) -> bool {
    let listed = listed.trim_start_matches('*');
    listed == name || listed.trim_start_matches("./") == name
}

fn digest<D: sha2::Digest + io::Write>(file: &mut File, mut digest: D) -> io::Result<String> {
    io::copy(file, &mut digest)?;
    Ok(hex(&digest.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn files_are_held_to_their_digest() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for text in [
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
            EMPTY,
            &format!("sha256:{}", EMPTY.to_uppercase()),
        ] {
            Checksum::parse(text).unwrap().check(file.path()).unwrap();
        }
        let other = Checksum::parse(&EMPTY.replace("e3", "aa")).unwrap();
        let error = other.check(file.path()).unwrap_err().to_string();
        assert!(error.contains("Checksums did not match"), "{error}");
        for text in ["", "crc:1", "md5:12", "sha256:zz", "zz"] {
            assert!(Checksum::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn digests_are_found_in_lists() {
        let list = format!("{}  other.zip\n{EMPTY} *x.zip\n", EMPTY.replace("e3", "aa"));
        let expected = Checksum::Digest("sha256", EMPTY.to_owned());
        assert_eq!(Checksum::in_list(&list, "x.zip").unwrap(), expected);
        let bsd = format!("SHA256 (x.zip) = {EMPTY}\n");
        assert_eq!(Checksum::in_list(&bsd, "x.zip").unwrap(), expected);
        assert!(Checksum::in_list(&list, "y.zip").is_err());
    }
}
