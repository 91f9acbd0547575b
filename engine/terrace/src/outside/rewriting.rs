//! Many small files, read and replaced one after the other: with as few calls of the system as that takes.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// No mode of a file.
const UNKNOWN: u32 = u32::MAX;

/// How many bytes the system takes in one piece: a process that is killed has written them or has not.
const ONE_PIECE: usize = 4096;

/// A file as it was found.
pub(crate) struct Original {
    /// Its text.
    pub(crate) bytes: Vec<u8>,
    /// Of the path itself, which may be a link.
    found: Metadata,
}

/// Replaces files of text so that whoever is killed on the way leaves the old content or the new, never a part. A small
/// file is written where it is, in one call; another is written beside itself under another name, and renamed once it
/// is there as a whole. May be used by several threads.
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
        if original.bytes.len().max(bytes.len()) <= ONE_PIECE {
            return overwrite(path, original, bytes);
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

/// Writes a small text over another. Where the new one is shorter, lines without anything stand for what is missing until
/// the file is cut: with or without them the text means the same.
fn overwrite(path: &str, original: &Original, bytes: &[u8]) -> io::Result<()> {
    let mut padded = [b'\n'; ONE_PIECE];
    padded[..bytes.len()].copy_from_slice(bytes);
    let piece = &padded[..bytes.len().max(original.bytes.len())];
    let file = OpenOptions::new().write(true).open(path)?;
    let written = file.write_at(piece, 0)?;
    if written < piece.len() {
        // A full disk, for one: what was there is put back, which takes no more room than it had.
        file.write_all_at(&original.bytes, 0)?;
        file.set_len(original.bytes.len() as u64)?;
        return Err(io::Error::new(
            io::ErrorKind::WriteZero,
            "there is no room for all of it",
        ));
    }
    if bytes.len() < piece.len() {
        file.set_len(bytes.len() as u64)?;
    }
    Ok(())
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
    fn texts_of_all_lengths_are_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.tf");
        let lengths = [
            0,
            1,
            10,
            ONE_PIECE - 1,
            ONE_PIECE,
            ONE_PIECE + 1,
            3 * ONE_PIECE,
        ];
        for before in lengths {
            for after in lengths {
                std::fs::write(&path, "o".repeat(before)).unwrap();
                let text = "n".repeat(after);
                rewritten(&path, &text, &Rewriter::new());
                assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
            }
        }
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
