//! All pages.
#![allow(
    clippy::disallowed_methods,
    reason = "the pages are files of this repository"
)]

use std::io;
use std::path::{Path, PathBuf};

use crate::Page;

/// The directory that holds them.
pub fn pages_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pages")
}

/// All pages, by name.
pub fn pages() -> io::Result<Vec<Page>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(pages_directory())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
    paths.sort();
    let read = |path: PathBuf| {
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(Page::parse(&name, &std::fs::read_to_string(&path)?))
    };
    paths.into_iter().map(read).collect()
}
