//! Packages whose checksum was computed once need not be read again as long as nothing touches them.
//!
//! What is remembered lies with the user's own files, not beside the packages: who can put other files in the place of
//! a package cannot make them pass for it. The system's record of when a file last changed cannot be set back.

use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;
use std::{fs, io};

use crate::hash::{PackageHash, hash_directory};

/// A file that changed less long ago than this may change again without its times telling so.
#[cfg(unix)]
const SETTLED: i64 = 2;

/// The `h1:` checksum of a directory's files; from `memo`, a directory of what is remembered, where nothing has touched
/// them since.
pub(crate) fn hash_directory_once(
    directory: &Path,
    memo: Option<&Path>,
) -> io::Result<PackageHash> {
    #[cfg(unix)]
    if let Some(memo) = memo {
        return remembered(directory, memo);
    }
    hash_directory(directory)
}

#[cfg(unix)]
#[expect(
    clippy::disallowed_methods,
    reason = "what is remembered is files, and this is their adapter"
)]
fn remembered(directory: &Path, memo: &Path) -> io::Result<PackageHash> {
    use sha2::Digest as _;
    let directory = directory.canonicalize()?;
    let state = State::of(&directory)?;
    let name = sha2::Sha256::digest(directory.as_os_str().as_encoded_bytes());
    let path = memo.join(crate::hash::hex(&name));
    let known = fs::read_to_string(&path).unwrap_or_default();
    if let Some(hash) = known.strip_prefix(&state.text) {
        return Ok(PackageHash(hash.to_owned()));
    }
    let hash = hash_directory(&directory)?;
    if state.is_settled()? {
        // What cannot be remembered is computed again.
        write(&path, &format!("{}{hash}", state.text)).ok();
    }
    Ok(hash)
}

/// Everything that the system says of a directory's files.
#[cfg(unix)]
struct State {
    text: String,
    /// When a file last changed, in seconds.
    newest: i64,
}

#[cfg(unix)]
impl State {
    fn of(directory: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        collect(directory, &mut files)?;
        files.sort();
        let mut state = Self {
            text: String::new(),
            newest: 0,
        };
        for path in files {
            state.add(&path)?;
        }
        Ok(state)
    }

    fn add(&mut self, path: &Path) -> io::Result<()> {
        use std::fmt::Write as _;
        use std::os::unix::fs::MetadataExt as _;
        let found = fs::metadata(path)?;
        writeln!(
            self.text,
            "{} {} {} {} {} {}.{} {}.{}",
            path.display(),
            found.dev(),
            found.ino(),
            found.mode(),
            found.size(),
            found.mtime(),
            found.mtime_nsec(),
            found.ctime(),
            found.ctime_nsec(),
        )
        .map_err(io::Error::other)?;
        self.newest = self.newest.max(found.ctime()).max(found.mtime());
        Ok(())
    }

    /// Whether the last change is long enough ago for another one to show.
    #[expect(
        clippy::disallowed_methods,
        reason = "the times of files are compared with the time that made them"
    )]
    fn is_settled(&self) -> io::Result<bool> {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_err(io::Error::other)?;
        Ok(i64::try_from(now.as_secs()).is_ok_and(|now| self.newest + SETTLED < now))
    }
}

#[cfg(unix)]
fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(unix)]
fn write(path: &Path, text: &str) -> io::Result<()> {
    use io::Write as _;
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn what_is_touched_is_read_again() {
        let (package, memo) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = package.path().join("terraform-provider-x");
        fs::write(&file, "one").unwrap();
        let first = hash_directory_once(package.path(), Some(memo.path())).unwrap();
        assert_eq!(first, hash_directory(package.path()).unwrap());
        assert_eq!(
            fs::read_dir(memo.path()).unwrap().count(),
            0,
            "it is too new to be remembered"
        );

        // A file that has lain there for long: what is remembered of it counts, even if it were wrong.
        let state = State::of(&package.path().canonicalize().unwrap()).unwrap();
        assert!(!state.is_settled().unwrap());
        let settled = State {
            newest: state.newest - 10,
            ..state
        };
        assert!(settled.is_settled().unwrap());
        let name = {
            use sha2::Digest as _;
            let path = package.path().canonicalize().unwrap();
            crate::hash::hex(&sha2::Sha256::digest(path.as_os_str().as_encoded_bytes()))
        };
        write(
            &memo.path().join(name),
            &format!("{}h1:known", settled.text),
        )
        .unwrap();
        let known = hash_directory_once(package.path(), Some(memo.path())).unwrap();
        assert_eq!(known.0, "h1:known");

        // Another content of the same size, and the old time of change set again.
        let before = fs::metadata(&file).unwrap().modified().unwrap();
        std::thread::sleep(Duration::from_millis(20));
        fs::write(&file, "two").unwrap();
        let opened = fs::File::options().write(true).open(&file).unwrap();
        opened.set_modified(before).unwrap();
        assert_eq!(
            fs::metadata(&file).unwrap().modified().unwrap(),
            before.max(SystemTime::UNIX_EPOCH)
        );
        let after = hash_directory_once(package.path(), Some(memo.path())).unwrap();
        assert_eq!(after, hash_directory(package.path()).unwrap());
        assert_ne!(after, first);
    }
}
