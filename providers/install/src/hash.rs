//! Checksums of packages, in the two schemes of lock files.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

/// A checksum with its scheme: `h1:…` of a package's files, `zh:…` of its archive, or one of another scheme.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageHash(pub String);

impl PackageHash {
    /// The mark of a provider that is compiled into the engine, in place of a package's checksum.
    pub const NATIVE: &'static str = "native:terrace";

    /// Whether it says something of a package, so that one can be checked against it.
    pub fn is_checksum(&self) -> bool {
        self.0.starts_with("h1:") || self.0.starts_with("zh:")
    }
}

impl fmt::Display for PackageHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The `h1:` checksum of the files in a directory: the digest of the list of their digests, sorted by name.
pub fn hash_directory(directory: &Path) -> io::Result<PackageHash> {
    let directory = directory.canonicalize()?;
    let mut files = Vec::new();
    collect(&directory, "", &mut files)?;
    files.sort();
    let mut list = Sha256::new();
    for (name, path) in files {
        add(&mut list, &name, &mut File::open(path)?)?;
    }
    Ok(h1(list))
}

/// The `h1:` checksum of the files in an archive, which is that of the directory that they unpack to.
pub fn hash_archive(archive: &Path) -> io::Result<PackageHash> {
    let mut zip = zip::ZipArchive::new(File::open(archive)?).map_err(io::Error::other)?;
    let mut files = Vec::new();
    for index in 0..zip.len() {
        let entry = zip.by_index(index).map_err(io::Error::other)?;
        if !entry.is_dir() {
            let name = entry.name().map_err(io::Error::other)?;
            files.push((name.replace('\\', "/"), index));
        }
    }
    files.sort();
    let mut list = Sha256::new();
    for (name, index) in files {
        let mut entry = zip.by_index(index).map_err(io::Error::other)?;
        add(&mut list, &name, &mut entry)?;
    }
    Ok(h1(list))
}

fn add(list: &mut Sha256, name: &str, content: &mut dyn io::Read) -> io::Result<()> {
    let mut digest = Sha256::new();
    io::copy(content, &mut digest)?;
    list.update(format!("{}  {name}\n", hex(&digest.finalize())));
    Ok(())
}

fn h1(list: Sha256) -> PackageHash {
    let digest = base64::engine::general_purpose::STANDARD.encode(list.finalize());
    PackageHash(format!("h1:{digest}"))
}

fn collect(directory: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| {
            io::Error::other(format!(
                "the name of {} is not UTF-8",
                entry.path().display()
            ))
        })?;
        let name = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push((name, entry.path()));
        }
    }
    Ok(())
}

/// The `zh:` checksum of an archive.
pub fn hash_zip(archive: &Path) -> io::Result<PackageHash> {
    let mut digest = Sha256::new();
    io::copy(&mut File::open(archive)?, &mut digest)?;
    Ok(PackageHash(format!("zh:{}", hex(&digest.finalize()))))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_reference_s() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(
            directory.path().join("terraform-provider-null_v2.2.0_x5"),
            "#!/bin/sh\n",
        )
        .unwrap();
        // As Terraform 1.11 wrote it into a lock file for a package of this one file.
        let expected = "h1:Vb0LvJJGI2VTwfh+VXg+++gYcJwzRILN8/SUSJdptA8=";
        assert_eq!(hash_directory(directory.path()).unwrap().0, expected);
        std::fs::create_dir(directory.path().join("sub")).unwrap();
        std::fs::write(directory.path().join("sub/file"), "").unwrap();
        assert_ne!(hash_directory(directory.path()).unwrap().0, expected);

        let archive = directory.path().join("a.zip");
        std::fs::write(&archive, "abc").unwrap();
        assert_eq!(
            hash_zip(&archive).unwrap().0,
            "zh:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
