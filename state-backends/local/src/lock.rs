//! The lock that today's tools take: a POSIX record lock on the whole state file.
//!
//! On Linux the lock belongs to the open file (`F_OFD_SETLK`) and still excludes, and is excluded by, the per-process
//! locks of other tools; so closing another handle of the file does not lose it. Elsewhere the system's lock of a whole
//! file is used, which conflicts with record locks on BSD and macOS.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::files;

/// A lock on an open file; released with the file.
#[derive(Debug)]
pub struct FileLock;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use std::fs::File;
    use std::io;

    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc;

    fn whole_file() -> libc::flock {
        let narrow = |constant: i32| libc::c_short::try_from(constant).unwrap_or_default();
        libc::flock {
            l_type: narrow(libc::F_WRLCK),
            l_whence: narrow(libc::SEEK_SET),
            l_start: 0,
            l_len: 0,
            l_pid: 0,
        }
    }

    pub(super) fn try_lock(file: &File) -> io::Result<bool> {
        match fcntl(file, FcntlArg::F_OFD_SETLK(&whole_file())) {
            Ok(_) => Ok(true),
            Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn is_locked(file: &File) -> io::Result<bool> {
        let mut lock = whole_file();
        fcntl(file, FcntlArg::F_OFD_GETLK(&mut lock))?;
        Ok(i32::from(lock.l_type) != libc::F_UNLCK)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    use std::fs::{File, TryLockError};
    use std::io;

    pub(super) fn try_lock(file: &File) -> io::Result<bool> {
        match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    pub(super) fn is_locked(file: &File) -> io::Result<bool> {
        let free = try_lock(file)?;
        if free {
            file.unlock()?;
        }
        Ok(!free)
    }
}

impl FileLock {
    /// Locks the file for writing; `false` when another open file or process holds a lock.
    pub fn try_lock(file: &File) -> io::Result<bool> {
        system::try_lock(file)
    }

    /// Whether another open file or process holds a lock.
    pub fn is_locked(file: &File) -> io::Result<bool> {
        system::is_locked(file)
    }

    /// Opens (making it, if need be) and locks the file that is at `path`; `None` when someone else holds its lock.
    /// Also tells whether the file was made.
    pub fn acquire(path: &Path) -> io::Result<Option<(File, bool)>> {
        std::fs::create_dir_all(files::parent(path))?;
        loop {
            let created = !path.exists();
            let file = File::options()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .open(path)?;
            if !Self::try_lock(&file)? {
                return Ok(None);
            }
            // Between opening and locking, the holder may have put another file in this one's place.
            if Self::is_at(&file, path)? {
                return Ok(Some((file, created)));
            }
        }
    }

    /// Whether the open file is the one at `path`.
    #[cfg(unix)]
    pub fn is_at(file: &File, path: &Path) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt as _;
        let held = file.metadata()?;
        match std::fs::metadata(path) {
            Ok(there) => Ok((held.dev(), held.ino()) == (there.dev(), there.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the open file is the one at `path`.
    #[cfg(not(unix))]
    pub fn is_at(_: &File, path: &Path) -> io::Result<bool> {
        Ok(path.exists())
    }
}
