//! Many small files, read and replaced one after the other: with as few calls of the system as that takes.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// No mode of a file.
const UNKNOWN: u32 = u32::MAX;

/// A file as it was found.
pub(crate) struct Original {
    /// Its text.
    pub(crate) bytes: Vec<u8>,
    /// Of the path itself, which may be a link.
    found: Metadata,
}

/// Replaces files so that a reader sees the old content or the new, never a part: each is written beside itself under
/// another name, and renamed once it is there as a whole. May be used by several threads.
pub(crate) struct Rewriter {
    /// A mode that new files are known to get when they ask for it, whatever the process leaves out of modes.
    granted: AtomicU32,
    /// How the names of new files begin.
    prefix: String,
    next: AtomicUsize,
}

impl Rewriter {
    pub(crate) fn new() -> Self {
        Self {
            granted: AtomicU32::new(UNKNOWN),
            prefix: format!(".terrace-{}-", std::process::id()),
            next: AtomicUsize::new(0),
        }
    }

    /// Reads the file at `path`, for [`Self::replace`].
    pub(crate) fn read(path: &str) -> io::Result<Original> {
        let found = std::fs::symlink_metadata(path)?;
        let expected = usize::try_from(found.len()).unwrap_or(0);
        let mut bytes = Vec::with_capacity(expected.saturating_add(1));
        // As a part of a stream: a file on its own is asked for its length once more.
        File::open(path)?.take(u64::MAX).read_to_end(&mut bytes)?;
        Ok(Original { bytes, found })
    }

    /// Puts `bytes` in the place of what was read at `path`; the mode of the file stays what it was.
    pub(crate) fn replace(&self, path: &str, original: &Original, bytes: &[u8]) -> io::Result<()> {
        if original.found.is_symlink() {
            return super::write_file(path, bytes);
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let temporary = Path::new(path).with_file_name(format!("{}{number}.tmp", self.prefix));
        let mode = original.found.permissions().mode() & 0o7777;
        let written = self
            .write(&temporary, mode, bytes)
            .and_then(|()| std::fs::rename(&temporary, path));
        if written.is_err() {
            std::fs::remove_file(&temporary).ok();
        }
        written
    }

    fn write(&self, path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(mode);
        let mut file = options.open(path)?;
        file.write_all(bytes)?;
        if self.granted.load(Ordering::Relaxed) == mode {
            return Ok(());
        }
        let mut permissions = file.metadata()?.permissions();
        if permissions.mode() & 0o7777 == mode {
            self.granted.store(mode, Ordering::Relaxed);
            return Ok(());
        }
        permissions.set_mode(mode);
        file.set_permissions(permissions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(path: &Path, text: &str, rewriter: &Rewriter) {
        let path = path.to_str().unwrap();
        let original = Rewriter::read(path).unwrap();
        rewriter.replace(path, &original, text.as_bytes()).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn each_file_keeps_its_mode_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let rewriter = Rewriter::new();
        let modes = [0o644, 0o666, 0o600, 0o644, 0o755];
        for (number, wanted) in modes.into_iter().enumerate() {
            let path = directory.path().join(format!("{number}.tf"));
            std::fs::write(&path, "old").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(wanted)).unwrap();
            rewritten(&path, "new", &rewriter);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
            assert_eq!(mode(&path), wanted);
        }
        assert_eq!(
            std::fs::read_dir(directory.path()).unwrap().count(),
            modes.len()
        );
    }

    #[test]
    fn a_link_stays_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("a.tf"), directory.path().join("b.tf"));
        std::fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink("a.tf", &link).unwrap();
        rewritten(&link, "new", &Rewriter::new());
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
    }
}
