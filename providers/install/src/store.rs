//! The store of packages that all working directories share: each package once, under the checksum of its files.
//!
//! Packages come in whole: they are unpacked aside, hashed and renamed into place, so that any number of processes may
//! use the store at once. What is found damaged is put out of the way.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::hash::{PackageHash, hash_directory, hex};
use crate::package::unpack_aside;
use crate::signature::Trust;

/// The store in a directory.
#[derive(Debug)]
pub(crate) struct Store {
    root: PathBuf,
    /// Keeps a store that is for this process alone.
    _own: Option<TempDir>,
}

impl Store {
    /// Opens the store at `root`, or one that goes with the value.
    pub(crate) fn open(root: Option<&Path>) -> io::Result<Self> {
        let (root, own) = match root {
            Some(root) => (root.to_owned(), None),
            None => {
                let own = tempfile::tempdir()?;
                (own.path().to_owned(), Some(own))
            }
        };
        for name in [
            "packages",
            "archives",
            "signers",
            "downloads",
            "locks",
            "work",
        ] {
            fs::create_dir_all(root.join(name))?;
        }
        Ok(Self {
            // Links lead to where it is from everywhere.
            root: root.canonicalize()?,
            _own: own,
        })
    }

    /// Where it is.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Waits until nobody else works on `key`, and keeps others from it while the value lives.
    pub(crate) fn lock(&self, key: &str) -> io::Result<File> {
        let lock = File::create(self.root.join("locks").join(digest(key)))?;
        lock.lock()?;
        Ok(lock)
    }

    /// Where `key` is downloaded to; what a broken attempt left is continued from here.
    pub(crate) fn download(&self, key: &str) -> PathBuf {
        self.root.join("downloads").join(digest(key))
    }

    /// The package that has one of these checksums, if it is here and sound.
    pub(crate) fn find(
        &self,
        hashes: &BTreeSet<PackageHash>,
    ) -> io::Result<Option<(PathBuf, PackageHash)>> {
        for hash in hashes {
            let hash = match hash.0.split_once(':') {
                Some(("h1", _)) => hash.clone(),
                Some(("zh", sha256)) => match fs::read_to_string(self.archive(sha256)) {
                    Ok(text) => PackageHash(text),
                    Err(_) => continue,
                },
                _ => continue,
            };
            let place = self.package(&hash);
            if !place.is_dir() {
                continue;
            }
            if hash_directory(&place)? == hash {
                return Ok(Some((place, hash)));
            }
            // Out of the way at once, so that nobody else meets it.
            let work = self.work()?;
            fs::rename(&place, work.path().join("damaged")).ok();
        }
        Ok(None)
    }

    /// Unpacks an archive with this `zh:` checksum, and takes in what it holds.
    pub(crate) fn adopt(
        &self,
        archive: &Path,
        archive_hash: &PackageHash,
    ) -> io::Result<(PathBuf, PackageHash)> {
        let work = self.work()?;
        let fresh = work.path().join("package");
        unpack_aside(archive, &fresh)?;
        let hash = hash_directory(&fresh)?;
        let place = self.package(&hash);
        if !place.is_dir()
            && let Err(error) = fs::rename(&fresh, &place)
            && !place.is_dir()
        {
            return Err(error);
        }
        if let Some(("zh", sha256)) = archive_hash.0.split_once(':') {
            self.put(&self.archive(sha256), &hash.0)?;
        }
        Ok((place, hash))
    }

    /// Keeps who signed a package, for working directories that take it from here later.
    pub(crate) fn note_signer(&self, hash: &PackageHash, trust: &Trust) {
        if let Some(record) = trust.record() {
            // What cannot be kept is not told later.
            self.put(&self.signer(hash), &record).ok();
        }
    }

    /// What is known of who signed a package.
    pub(crate) fn trust(&self, hash: &PackageHash) -> Trust {
        fs::read_to_string(self.signer(hash))
            .map_or(Trust::Unauthenticated, |record| Trust::of_record(&record))
    }

    /// Writes a small file as a whole.
    fn put(&self, path: &Path, text: &str) -> io::Result<()> {
        let file = tempfile::NamedTempFile::new_in(self.root.join("work"))?;
        fs::write(file.path(), text)?;
        file.persist(path)?;
        Ok(())
    }

    fn signer(&self, hash: &PackageHash) -> PathBuf {
        self.root.join("signers").join(digest(&hash.0))
    }

    fn work(&self) -> io::Result<TempDir> {
        tempfile::tempdir_in(self.root.join("work"))
    }

    fn package(&self, hash: &PackageHash) -> PathBuf {
        self.root.join("packages").join(digest(&hash.0))
    }

    fn archive(&self, sha256: &str) -> PathBuf {
        self.root.join("archives").join(digest(sha256))
    }
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::hash::hash_zip;

    fn archive(directory: &Path, text: &str) -> (PathBuf, PackageHash) {
        let path = directory.join("a.zip");
        let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file("terraform-provider-x", options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
        zip.finish().unwrap();
        let hash = hash_zip(&path).unwrap();
        (path, hash)
    }

    #[test]
    fn a_package_is_found_by_either_checksum() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(Some(&directory.path().join("store"))).unwrap();
        let (path, packed) = archive(directory.path(), "x");
        assert!(store.find(&[packed.clone()].into()).unwrap().is_none());
        let (place, hash) = store.adopt(&path, &packed).unwrap();
        assert_eq!(store.adopt(&path, &packed).unwrap().0, place);
        for known in [packed, hash.clone()] {
            let found = store.find(&[known].into()).unwrap();
            assert_eq!(found, Some((place.clone(), hash.clone())));
        }
    }

    #[test]
    fn who_signed_a_package_is_known_later() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(Some(&directory.path().join("store"))).unwrap();
        let hash = |text: &str| PackageHash(format!("h1:{text}"));
        let key_id = "34365D9472D7468F".to_owned();
        let signers = [
            Trust::HashiCorp,
            Trust::Partner {
                key_id: key_id.clone(),
            },
            Trust::SelfSigned { key_id },
        ];
        for (index, trust) in signers.into_iter().enumerate() {
            let hash = hash(&index.to_string());
            store.note_signer(&hash, &trust);
            assert_eq!(store.trust(&hash), trust);
        }
        store.note_signer(&hash("x"), &Trust::VerifiedChecksum);
        assert_eq!(store.trust(&hash("x")), Trust::Unauthenticated);
    }

    #[test]
    fn a_damaged_package_is_not_given_out() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(Some(&directory.path().join("store"))).unwrap();
        let (path, packed) = archive(directory.path(), "x");
        let (place, hash) = store.adopt(&path, &packed).unwrap();
        fs::write(place.join("terraform-provider-x"), "damaged").unwrap();
        assert!(store.find(&[hash.clone()].into()).unwrap().is_none());
        assert!(!place.exists());
        store.adopt(&path, &packed).unwrap();
        assert!(store.find(&[hash].into()).unwrap().is_some());
    }

    #[test]
    fn many_take_in_the_same_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("store");
        let (path, packed) = archive(directory.path(), "x");
        let places: BTreeSet<PathBuf> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let store = Store::open(Some(&root)).unwrap();
                        store.adopt(&path, &packed).unwrap().0
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert_eq!(places.len(), 1);
        let left = fs::read_dir(root.join("work")).unwrap().count();
        assert_eq!(left, 0, "nothing is left half done");
    }
}
