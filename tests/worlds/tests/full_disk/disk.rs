//! A small disk that a test fills.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A `tmpfs` over a directory. It goes when it is dropped.
pub(crate) struct Disk {
    directory: PathBuf,
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

impl Disk {
    /// Mounts one of this size, which only some users may.
    pub(crate) fn over(directory: &Path, size: &str) -> Result<Self, String> {
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(directory))?;
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    fn ballast(&self) -> PathBuf {
        self.directory.join("ballast")
    }

    /// Leaves so much room and no more.
    pub(crate) fn fill_but(&self, bytes: u64) {
        let mut ballast = File::options()
            .create(true)
            .append(true)
            .open(self.ballast())
            .unwrap();
        let page = [1; 4096];
        while ballast.write_all(&page).is_ok() {}
        let length = ballast.metadata().unwrap().len();
        ballast.set_len(length.saturating_sub(bytes)).unwrap();
    }

    /// Gives all room back.
    pub(crate) fn free(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that is ending may still have a file open.
        run(Command::new("umount").arg("-l").arg(&self.directory)).ok();
    }
}
