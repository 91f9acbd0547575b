//! `cargo dev keys`: throw-away SSH keys, for the example and for trying things out.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rand::RngCore as _;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use crate::Failure;

/// Makes a key for each name and prints `NAME FINGERPRINT`.
pub(crate) fn run(arguments: &[String]) -> Result<bool, Failure> {
    let Some((directory, names)) = arguments
        .split_first()
        .filter(|(_, names)| !names.is_empty())
    else {
        return Err("usage: cargo dev keys DIRECTORY NAME..".into());
    };
    for name in names {
        let (_, fingerprint) = make(Path::new(directory), name)?;
        println!("{name} {fingerprint}");
    }
    Ok(true)
}

/// Makes the Ed25519 key `name` in `directory`, without a passphrase; its file and its fingerprint.
pub(crate) fn make(directory: &Path, name: &str) -> Result<(PathBuf, String), Failure> {
    let mut seed = [0; 32];
    rand::rng().fill_bytes(&mut seed);
    let key = PrivateKey::new(KeypairData::from(Ed25519Keypair::from_seed(&seed)), name)?;
    fs::create_dir_all(directory)?;
    let path = directory.join(name);
    write_private(&path, key.to_openssh(LineEnding::LF)?.as_bytes())?;
    fs::write(
        directory.join(format!("{name}.pub")),
        format!("{}\n", key.public_key().to_openssh()?),
    )?;
    Ok((path, key.fingerprint(HashAlg::Sha256).to_string()))
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .open(path)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(file.write_all(bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_can_be_read_back_and_differ() {
        let directory = tempfile::tempdir().unwrap();
        let (path, fingerprint) = make(directory.path(), "ada").unwrap();
        let (_, other) = make(directory.path(), "bob").unwrap();
        let read = PrivateKey::read_openssh_file(&path).unwrap();
        assert_eq!(read.fingerprint(HashAlg::Sha256).to_string(), fingerprint);
        assert!(
            fingerprint.starts_with("SHA256:") && fingerprint.len() == 50,
            "{fingerprint}"
        );
        assert_ne!(fingerprint, other);
        assert!(
            make(directory.path(), "ada").is_err(),
            "a key is never replaced"
        );
    }
}
