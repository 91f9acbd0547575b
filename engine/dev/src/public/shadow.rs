//! A checkout as the reference sees it: without the files that it does not read.

use std::path::{Path, PathBuf};

use super::has_ending;
use crate::Failure;

/// A checkout, or a copy of it without the `.tofu` files that Terrace would read in the place of `.tf` files.
pub(super) struct Shadow {
    root: PathBuf,
    /// Keeps the copy for as long as it is looked at.
    _copy: Option<tempfile::TempDir>,
}

impl Shadow {
    /// The shadow of the checkout at `root`.
    pub(super) fn of(root: &Path) -> Result<Self, Failure> {
        let files = files(root)?;
        if !files.iter().any(|file| is_left_out(file)) {
            return Ok(Self {
                root: root.to_owned(),
                _copy: None,
            });
        }
        let copy = tempfile::tempdir()?;
        for file in files.iter().filter(|file| !is_left_out(file)) {
            let there = copy.path().join(file);
            if let Some(directory) = there.parent() {
                std::fs::create_dir_all(directory)?;
            }
            std::fs::copy(root.join(file), there)?;
        }
        Ok(Self {
            root: copy.path().to_owned(),
            _copy: Some(copy),
        })
    }

    /// Where it lies.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }
}

fn is_left_out(file: &Path) -> bool {
    let name = file.to_string_lossy();
    has_ending(&name, "tofu") || name.ends_with(".tofu.json")
}

/// All files below `root`, by their path from there; what links lead to stands in their place.
fn files(root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(below) = waiting.pop() {
        for entry in std::fs::read_dir(root.join(&below))? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                if entry.file_name() != ".git" {
                    waiting.push(path);
                }
            } else if entry.path().is_file() {
                found.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout(names: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for name in names {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        root
    }

    #[test]
    fn a_checkout_is_seen_without_what_only_terrace_reads() {
        let root = checkout(&["main.tf", "inner/main.tf", "inner/main.tofu", "a.tofu.json"]);
        let shadow = Shadow::of(root.path()).unwrap();
        let mut seen = files(shadow.root()).unwrap();
        seen.sort();
        assert_eq!(
            seen,
            [PathBuf::from("inner/main.tf"), PathBuf::from("main.tf")]
        );
    }

    #[test]
    fn a_checkout_that_the_reference_reads_entirely_is_not_copied() {
        let root = checkout(&["main.tf"]);
        assert_eq!(Shadow::of(root.path()).unwrap().root(), root.path());
    }
}
