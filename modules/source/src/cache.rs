//! Packages by their content, shared by all working directories.
//!
//! Everything is made aside and renamed into place, so that nobody ever sees a part. Whoever fetches a package holds a
//! lock on it, so that others wait and find it. Losing the cache is harmless; a package that is damaged is noticed when
//! it is taken out, and fetched again.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::tree;

/// A directory of packages.
#[derive(Debug)]
pub(crate) struct Cache {
    root: PathBuf,
    /// Goes with the cache, where there is no place that stays.
    _temporary: Option<TempDir>,
}

impl Cache {
    /// The cache at `root`; one for this run alone where that cannot be used.
    pub(crate) fn open(root: Option<&Path>) -> io::Result<Self> {
        if let Some(root) = root
            && let Ok(root) = Self::prepare(root)
        {
            return Ok(Self {
                root,
                _temporary: None,
            });
        }
        let temporary = tempfile::tempdir()?;
        Ok(Self {
            root: Self::prepare(temporary.path())?,
            _temporary: Some(temporary),
        })
    }

    fn prepare(root: &Path) -> io::Result<PathBuf> {
        for name in ["objects", "index", "downloads", "locks", "work"] {
            std::fs::create_dir_all(root.join(name))?;
        }
        // Whether files can be made here shows only when one is.
        tempfile::tempfile_in(root.join("work"))?;
        root.canonicalize()
    }

    /// Waits until nobody else works on what `key` names; until the file is dropped, others wait.
    pub(crate) fn lock(&self, key: &str) -> io::Result<File> {
        let file = File::create(self.root.join("locks").join(digest(key)))?;
        file.lock()?;
        Ok(file)
    }

    /// A directory to make a package in.
    pub(crate) fn work(&self) -> io::Result<TempDir> {
        tempfile::tempdir_in(self.root.join("work"))
    }

    /// Where the archive of `key` is downloaded to; what a broken attempt left is continued from here.
    pub(crate) fn download(&self, key: &str) -> PathBuf {
        self.root.join("downloads").join(digest(key))
    }

    /// The checksum of what `key`, which never means anything else, stood for.
    pub(crate) fn find(&self, key: &str) -> Option<String> {
        self.find_text(key).filter(|text| text.starts_with("h1:"))
    }

    /// Remembers the checksum of what `key` stands for.
    pub(crate) fn remember(&self, key: &str, hash: &str) -> io::Result<()> {
        self.remember_text(key, hash)
    }

    /// What was remembered of `key`.
    pub(crate) fn find_text(&self, key: &str) -> Option<String> {
        std::fs::read_to_string(self.root.join("index").join(digest(key))).ok()
    }

    /// Remembers something of `key`.
    pub(crate) fn remember_text(&self, key: &str, text: &str) -> io::Result<()> {
        let file = tempfile::NamedTempFile::new_in(self.root.join("work"))?;
        std::fs::write(file.path(), text)?;
        file.persist(self.root.join("index").join(digest(key)))?;
        Ok(())
    }

    /// Takes a finished package in.
    pub(crate) fn adopt(&self, package: &Path, hash: &str) -> io::Result<()> {
        let place = self.object(hash);
        if place.is_dir() {
            return Ok(());
        }
        let work = self.work()?;
        let made = work.path().join("package");
        tree::copy(package, &made)?;
        match std::fs::rename(&made, &place) {
            // Someone else was faster.
            Err(_) if place.is_dir() => Ok(()),
            other => other,
        }
    }

    /// Copies a package to `to`, which must not be there. `false` where the cache has no sound copy of it.
    pub(crate) fn take(&self, hash: &str, to: &Path) -> io::Result<bool> {
        let place = self.object(hash);
        if !place.is_dir() {
            return Ok(false);
        }
        tree::copy(&place, to)?;
        if tree::hash_package(to)? == hash {
            return Ok(true);
        }
        tree::remove(to)?;
        // Out of the way at once, so that nobody else meets it.
        let work = self.work()?;
        std::fs::rename(&place, work.path().join("damaged")).ok();
        Ok(false)
    }

    fn object(&self, hash: &str) -> PathBuf {
        self.root.join("objects").join(digest(hash))
    }
}

fn digest(text: &str) -> String {
    tree::hex(&Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(text: &str) -> (TempDir, String) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("main.tf"), text).unwrap();
        let hash = tree::hash_package(directory.path()).unwrap();
        (directory, hash)
    }

    #[test]
    fn a_package_comes_out_as_it_went_in() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::open(Some(root.path())).unwrap();
        let (directory, hash) = package("x");
        let to = root.path().join("to");
        assert!(!cache.take(&hash, &to).unwrap());
        cache.adopt(directory.path(), &hash).unwrap();
        cache.adopt(directory.path(), &hash).unwrap();
        assert!(cache.take(&hash, &to).unwrap());
        assert_eq!(tree::hash_package(&to).unwrap(), hash);
        assert_eq!(cache.find("key"), None);
        cache.remember("key", &hash).unwrap();
        assert_eq!(cache.find("key"), Some(hash));
    }

    #[test]
    fn a_damaged_package_is_not_given_out() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::open(Some(root.path())).unwrap();
        let (directory, hash) = package("x");
        cache.adopt(directory.path(), &hash).unwrap();
        std::fs::write(cache.object(&hash).join("main.tf"), "damaged").unwrap();
        let to = root.path().join("to");
        assert!(!cache.take(&hash, &to).unwrap());
        assert!(!to.exists());
        cache.adopt(directory.path(), &hash).unwrap();
        assert!(cache.take(&hash, &to).unwrap());
    }
}
