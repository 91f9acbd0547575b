//! Texts that are rewritten, many small ones one after the other: with as few calls of the system as that takes.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt as _;

/// How many bytes the system takes in one piece: a process that is killed has written them or has not.
const ONE_PIECE: usize = 4096;

/// Puts the text `bytes` in the place of `original`, which was read at `path`, so that whoever is killed on the way leaves
/// the old content or the new, never a part. A small text is written where it is, in one call; another as
/// [`super::write_file`] does. The mode of the file stays what it was, and a link a link.
pub(crate) fn rewrite(path: &str, original: &[u8], bytes: &[u8]) -> io::Result<()> {
    if original.len().max(bytes.len()) <= ONE_PIECE {
        overwrite(path, original, bytes)
    } else {
        super::write_file(path, bytes)
    }
}

/// Writes a small text over another. Where the new one is shorter, lines without anything stand for what is missing until
/// the file is cut: with or without them the text means the same.
fn overwrite(path: &str, original: &[u8], bytes: &[u8]) -> io::Result<()> {
    let mut padded = [b'\n'; ONE_PIECE];
    padded[..bytes.len()].copy_from_slice(bytes);
    let piece = &padded[..bytes.len().max(original.len())];
    let file = OpenOptions::new().write(true).open(path)?;
    let written = file.write_at(piece, 0)?;
    if written < piece.len() {
        // A full disk, for one: what was there is put back, which takes no more room than it had.
        file.write_all_at(original, 0)?;
        file.set_len(original.len() as u64)?;
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
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::*;

    fn rewritten(path: &Path, text: &str) {
        let path = path.to_str().unwrap();
        let original = std::fs::read(path).unwrap();
        rewrite(path, &original, text.as_bytes()).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn each_file_keeps_its_mode_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let modes = [0o644, 0o666, 0o600, 0o644, 0o755];
        for (number, wanted) in modes.into_iter().enumerate() {
            let path = directory.path().join(format!("{number}.tf"));
            std::fs::write(&path, "old").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(wanted)).unwrap();
            rewritten(&path, "new");
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
                rewritten(&path, &text);
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
        rewritten(&link, "new");
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
    }
}
