//! Finding test files.

use terrace_diag::{Diagnostic, Diagnostics};
use terrace_port::Files;

/// Endings of the names of test files.
const ENDINGS: [&str; 4] = [
    ".tofutest.hcl",
    ".tofutest.json",
    ".tftest.hcl",
    ".tftest.json",
];

/// The test files that there are.
#[derive(Debug, Default)]
pub struct Found {
    /// Their paths, sorted.
    pub paths: Vec<String>,
    /// What there is to say.
    pub diagnostics: Diagnostics,
}

/// Finds the test files of the working directory and of `directory`, which need not be there if it is `tests`.
pub fn discover(files: &dyn Files, directory: &str) -> Found {
    let mut found = Found::default();
    let directory = directory.trim_end_matches('/');
    for (folder, prefix) in [(".", String::new()), (directory, format!("{directory}/"))] {
        if folder == directory && matches!(directory, "." | "") {
            continue;
        }
        match files.list(folder) {
            Ok(entries) => {
                let names = entries
                    .into_iter()
                    .filter(|entry| !entry.is_directory && !entry.name.starts_with('.'))
                    .map(|entry| entry.name)
                    .filter(|name| ENDINGS.iter().any(|ending| name.ends_with(ending)));
                found
                    .paths
                    .extend(names.map(|name| format!("{prefix}{name}")));
            }
            Err(_) if folder == directory && directory != "tests" => {
                found.diagnostics.push(Diagnostic::warning(
                    "test-directory",
                    "Test directory does not exist",
                    format!("Requested test directory {directory} does not exist."),
                ));
            }
            Err(_) => {}
        }
    }
    found.paths.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use terrace_port::FileEntry;

    struct Listed(BTreeMap<&'static str, Vec<&'static str>>);

    impl Files for Listed {
        fn read(&self, _: &str) -> std::io::Result<Arc<[u8]>> {
            Err(std::io::ErrorKind::NotFound.into())
        }
        fn list(&self, path: &str) -> std::io::Result<Vec<FileEntry>> {
            let names = self.0.get(path).ok_or(std::io::ErrorKind::NotFound)?;
            Ok(names
                .iter()
                .map(|name| FileEntry {
                    name: (*name).to_owned(),
                    is_directory: false,
                })
                .collect())
        }
        fn exists(&self, _: &str) -> bool {
            false
        }
        fn absolute(&self, path: &str) -> String {
            path.to_owned()
        }
    }

    #[test]
    fn files_of_both_directories_are_found_in_order() {
        let files = Listed(BTreeMap::from([
            (".", vec!["z.tftest.hcl", "main.tf", ".a.tftest.hcl"]),
            (
                "tests",
                vec!["a.tftest.json", "b.tftest.hcl", "mock.tfmock.hcl"],
            ),
        ]));
        let found = discover(&files, "tests");
        assert_eq!(
            found.paths,
            ["tests/a.tftest.json", "tests/b.tftest.hcl", "z.tftest.hcl"]
        );
        assert!(found.diagnostics.is_empty());
    }

    #[test]
    fn only_a_directory_that_was_asked_for_must_be_there() {
        let files = Listed(BTreeMap::from([(".", vec![])]));
        assert!(discover(&files, "tests").diagnostics.is_empty());
        assert_eq!(discover(&files, "more").diagnostics.len(), 1);
    }
}
