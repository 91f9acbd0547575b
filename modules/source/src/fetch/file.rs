//! Packages on this machine.

use std::path::Path;

use super::address::Address;
use super::{FetchError, Fetched, Fetcher};
use crate::source::RemoteSource;
use crate::{archive, tree};

impl Fetcher {
    pub(super) fn fetch_file(
        &self,
        source: &RemoteSource,
        into: &Path,
    ) -> Result<Fetched, FetchError> {
        let path = Path::new(source.local_path().unwrap_or_default());
        if !path.is_absolute() {
            return FetchError::refused(
                "relative paths require a module with a pwd: write a local source as \"./path\"",
            );
        }
        let found = std::fs::metadata(path).map_err(FetchError::local(format!(
            "source path error: {}",
            path.display()
        )))?;
        if found.is_dir() {
            tree::copy(path, into).map_err(FetchError::local(format!(
                "{} cannot be copied",
                path.display()
            )))?;
            return Ok(Fetched::default());
        }
        let address = Address::of(source, &[])?;
        let Some(format) = address.format()? else {
            return FetchError::refused("source path must be a directory, or an archive");
        };
        self.check(&address, path)?;
        archive::unpack(path, format, into)?;
        Ok(Fetched::default())
    }
}
