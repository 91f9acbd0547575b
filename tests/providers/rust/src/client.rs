//! What the provider is configured to: a directory with objects and events.

use std::io::Write as _;
use std::path::PathBuf;

use terrace_provider_sdk::{Diagnostic, Outcome};

pub(crate) struct Client {
    pub(crate) directory: Option<PathBuf>,
    pub(crate) label: Option<String>,
}

impl Client {
    /// Appends a line to the file of events, where there is a directory.
    pub(crate) fn event(&self, line: &str) -> Outcome<()> {
        let Some(directory) = &self.directory else {
            return Ok(());
        };
        let written = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(directory.join("events"))
            .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
        written.map_err(|error| failed(&error))
    }

    /// The file of an object.
    pub(crate) fn object(&self, name: &str) -> Outcome<PathBuf> {
        let directory = self.directory.as_ref().ok_or_else(|| {
            Diagnostic::error(
                "No directory",
                "The provider must be configured with a directory.",
            )
        })?;
        Ok(directory.join("objects").join(name))
    }
}

/// A problem with a file.
pub(crate) fn failed(error: &std::io::Error) -> terrace_provider_sdk::Diagnostics {
    Diagnostic::error("Cannot use the directory", error.to_string()).into()
}
