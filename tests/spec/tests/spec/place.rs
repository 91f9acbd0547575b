//! A directory in memory, for configurations and for functions that read files.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use terrace_functions::{Context, FileError};
use terrace_port::{FileEntry, Files};

/// The files of an example by their paths.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place(BTreeMap<String, Arc<[u8]>>);

impl Place {
    pub(crate) fn new(files: &BTreeMap<String, String>) -> Self {
        let files = files
            .iter()
            .map(|(path, content)| (path.clone(), content.as_bytes().into()));
        Self(files.collect())
    }
}

/// A path within the example's directory, without `.` and `..`.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.trim_start_matches("/project").split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn within<'a>(path: &'a str, directory: &str) -> Option<&'a str> {
    if directory.is_empty() {
        return Some(path);
    }
    path.strip_prefix(directory)?.strip_prefix('/')
}

impl Files for Place {
    fn read(&self, path: &str) -> io::Result<Arc<[u8]>> {
        self.0
            .get(&clean(path))
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&self, path: &str) -> io::Result<Vec<FileEntry>> {
        let directory = clean(path);
        let below = self.0.keys().filter_map(|file| within(file, &directory));
        let entries: BTreeSet<(String, bool)> = below
            .map(|rest| match rest.split_once('/') {
                Some((name, _)) => (name.to_owned(), true),
                None => (rest.to_owned(), false),
            })
            .collect();
        if entries.is_empty() && !directory.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let entry = |(name, is_directory)| FileEntry { name, is_directory };
        Ok(entries.into_iter().map(entry).collect())
    }

    fn exists(&self, path: &str) -> bool {
        self.0.contains_key(&clean(path))
    }

    fn absolute(&self, path: &str) -> String {
        let from = if path.starts_with('/') {
            ""
        } else {
            "/project"
        };
        format!("{from}/{}", clean(path))
            .trim_end_matches('/')
            .to_owned()
    }
}

impl Context for Place {
    fn read_file(&self, path: &str) -> Result<Arc<[u8]>, FileError> {
        self.read(path).map_err(|_| FileError::NotFound)
    }

    fn list_files(&self, base: &str) -> Result<Vec<String>, FileError> {
        let base = clean(base);
        let below = self.0.keys().filter_map(|file| within(file, &base));
        Ok(below.map(str::to_owned).collect())
    }

    fn file_exists(&self, path: &str) -> Result<bool, FileError> {
        Ok(self.exists(path))
    }

    fn absolute_path(&self, path: &str) -> String {
        self.absolute(path)
    }

    fn home_directory(&self) -> Option<String> {
        Some("/home/you".to_owned())
    }

    fn timestamp(&self) -> Option<String> {
        None
    }

    fn plan_timestamp(&self) -> Option<String> {
        Some("2026-11-21T12:00:00Z".to_owned())
    }

    fn entropy(&self) -> Option<[u8; 16]> {
        None
    }
}
