//! A file at which whoever reads it waits.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

/// A named pipe in place of a file: its reader waits until the gate goes, with which the file goes.
#[derive(Debug)]
pub struct Gate {
    path: PathBuf,
    /// As long as it is open, the reader waits for what is written to it.
    held: Option<File>,
}

impl Gate {
    /// Puts one at a path, and makes the directories that lead to it.
    #[track_caller]
    pub fn at(path: &Path) -> Self {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).expect("a directory can be made");
        }
        nix::unistd::mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR).expect("a pipe can be made");
        Self {
            path: path.to_owned(),
            held: None,
        }
    }

    /// Whether somebody waits at it.
    pub fn is_met(&mut self) -> bool {
        // This fails where there is no reader.
        let opened = File::options()
            .write(true)
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open(&self.path);
        if self.held.is_none() {
            self.held = opened.ok();
        }
        self.held.is_some()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // It may be gone with its directory.
        std::fs::remove_file(&self.path).ok();
    }
}
