//! Directories of packages: their checksums, copies of them, and what must not be in them.

use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

/// What is in a package's directory, sorted by name.
enum Entry {
    Directory(PathBuf),
    File(PathBuf),
    /// A link, and what it says.
    Link(PathBuf, PathBuf),
}

/// The checksum of a package's files, names included: `h1:` and the digest of the sorted list of their digests. What
/// version control keeps in `.git` is no part of a package.
pub fn hash_package(root: &Path) -> io::Result<String> {
    let mut lines = Vec::new();
    for entry in entries(root)? {
        match entry {
            Entry::Directory(_) => {}
            Entry::File(path) => {
                let mut digest = Sha256::new();
                io::copy(&mut File::open(root.join(&path))?, &mut digest)?;
                lines.push(format!(
                    "{}  {}\n",
                    hex(&digest.finalize()),
                    name_of(&path)?
                ));
            }
            Entry::Link(path, target) => {
                let digest = Sha256::digest(format!("link:{}", name_of(&target)?));
                lines.push(format!("{}  {}\n", hex(&digest), name_of(&path)?));
            }
        }
    }
    lines.sort_by(|a, b| a[66..].cmp(&b[66..]));
    let digest = Sha256::digest(lines.concat());
    let text = base64::engine::general_purpose::STANDARD.encode(digest);
    Ok(format!("h1:{text}"))
}

/// Copies a package's files.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in entries(from)? {
        match entry {
            Entry::Directory(path) => std::fs::create_dir_all(to.join(path))?,
            Entry::File(path) => {
                std::fs::copy(from.join(&path), to.join(&path))?;
            }
            Entry::Link(path, target) => link(&target, &to.join(path))?,
        }
    }
    Ok(())
}

/// The first link in a package that leads out of it.
pub(crate) fn link_outside(root: &Path) -> io::Result<Option<PathBuf>> {
    let outside = entries(root)?.into_iter().find_map(|entry| match entry {
        Entry::Link(path, target) if leads_out(&path, &target) => Some(path),
        _ => None,
    });
    Ok(outside)
}

/// Whether a link's target is not surely inside: a step up behind a name may be one up from wherever another link leads.
fn leads_out(path: &Path, target: &Path) -> bool {
    let mut depth = path.components().count() - 1;
    let mut named = false;
    for step in target.components() {
        match step {
            Component::CurDir => {}
            Component::ParentDir if depth > 0 && !named => depth -= 1,
            Component::Normal(_) => named = true,
            _ => return true,
        }
    }
    false
}

#[cfg(unix)]
pub(crate) fn link(target: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(windows)]
pub(crate) fn link(target: &Path, at: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(target, at)
}

/// Removes a file, a link or a directory with all that is in it; what is not there is removed.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if found.is_dir() {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    }
}

fn entries(root: &Path) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(below) = waiting.pop() {
        let mut names: Vec<_> = std::fs::read_dir(root.join(&below))?.collect::<Result<_, _>>()?;
        names.sort_by_key(std::fs::DirEntry::file_name);
        for entry in names {
            if entry.file_name() == ".git" {
                continue;
            }
            let path = below.join(entry.file_name());
            let kind = entry.file_type()?;
            if kind.is_symlink() {
                let target = std::fs::read_link(entry.path())?;
                found.push(Entry::Link(path, target));
            } else if kind.is_dir() {
                found.push(Entry::Directory(path.clone()));
                waiting.push(path);
            } else if kind.is_file() {
                found.push(Entry::File(path));
            }
        }
    }
    Ok(found)
}

fn name_of(path: &Path) -> io::Result<String> {
    let name = path
        .to_str()
        .ok_or_else(|| io::Error::other(format!("the name of {} is not UTF-8", path.display())))?;
    Ok(name.replace('\\', "/"))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_of_files_and_names() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("a/b.tf", "x");
        write("c.tf", "y");
        let first = hash_package(root.path()).unwrap();
        write(".git/config", "z");
        assert_eq!(hash_package(root.path()).unwrap(), first);
        let copied = tempfile::tempdir().unwrap();
        copy(root.path(), copied.path()).unwrap();
        assert_eq!(hash_package(copied.path()).unwrap(), first);
        assert!(!copied.path().join(".git").exists());
        write("c.tf", "other");
        assert_ne!(hash_package(root.path()).unwrap(), first);
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_out_are_found() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("a")).unwrap();
        link(Path::new("../b"), &root.path().join("a/inside")).unwrap();
        assert_eq!(link_outside(root.path()).unwrap(), None);
        let first = hash_package(root.path()).unwrap();
        link(Path::new("../../b"), &root.path().join("a/up")).unwrap();
        assert_eq!(link_outside(root.path()).unwrap(), Some("a/up".into()));
        assert_ne!(hash_package(root.path()).unwrap(), first);
        std::fs::remove_file(root.path().join("a/up")).unwrap();
        link(Path::new("/etc"), &root.path().join("abs")).unwrap();
        assert_eq!(link_outside(root.path()).unwrap(), Some("abs".into()));
    }
}
