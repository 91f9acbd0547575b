//! Going into another directory for a while.

use std::path::{Path, PathBuf};

use terrace_port::Files as _;

use crate::command_error::CommandError;
use crate::outside::Disk;

/// Another directory is the working directory for as long as this lives.
pub(crate) struct Visit {
    home: PathBuf,
}

impl Visit {
    /// Goes there.
    pub(crate) fn to(directory: &Path) -> Result<Self, CommandError> {
        let home = PathBuf::from(Disk.absolute("."));
        std::env::set_current_dir(directory).map_err(|error| {
            let detail = format!("{}: {error}.", directory.display());
            CommandError::one("unknown-directory", "Directory cannot be entered", detail)
        })?;
        Ok(Self { home })
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        // It was the working directory before.
        std::env::set_current_dir(&self.home).ok();
    }
}
