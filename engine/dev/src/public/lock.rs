//! The lock file: one line a repository, one a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::Failure;

const HEAD: &str = "\
# What Terraform 1.11 says of the files of public modules. `cargo dev public DIR` repeats it on checkouts in DIR/OWNER/NAME.
# A repository and its commit; below it each folder, what `validate` says of it, and its files.
# Folders: valid; download (nothing wrong so far, and providers or modules would have to be fetched to say more);
# wrong or wrong-download, with the summaries of the errors at the end of the line.
# Files: NAME is formatted already; NAME=HASH is formatted to bytes with that hash; NAME! is refused.
# Lines that begin with `test`: a folder, a test file in it, and what becomes of each run: pass, fail, error or skip.
";

/// The verdicts on all repositories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lock {
    pub(super) repositories: Vec<Repository>,
}

/// The verdicts on one repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repository {
    /// `OWNER/NAME`
    pub(super) name: String,
    pub(super) commit: String,
    /// By path; `.` is the root.
    pub(super) folders: BTreeMap<String, Folder>,
    /// What becomes of runs, by folder and test file.
    pub(super) tests: BTreeMap<(String, String), Runs>,
}

/// Runs by name, with what becomes of them: `pass`, `fail`, `error` or `skip`.
pub(super) type Runs = BTreeMap<String, String>;

impl Repository {
    pub(super) fn n_runs(&self) -> usize {
        self.tests.values().map(BTreeMap::len).sum()
    }

    pub(super) fn n_files(&self) -> usize {
        self.folders.values().map(|folder| folder.files.len()).sum()
    }
}

/// The verdicts on one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) verdict: FolderVerdict,
    pub(super) files: BTreeMap<String, FileVerdict>,
}

/// What `validate` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FolderVerdict {
    /// Summaries of errors.
    errors: BTreeSet<String>,
    /// Whether more could be said after a download.
    download: bool,
}

impl FolderVerdict {
    pub(super) const fn of(errors: BTreeSet<String>, download: bool) -> Self {
        Self { errors, download }
    }

    /// Without an error that `expected` does not have, because it was given before all was there that it needs.
    pub(super) fn without_more_than(mut self, expected: &Self, error: &str) -> Self {
        if expected.download && !expected.errors.contains(error) {
            self.errors.remove(error);
        }
        self
    }

    /// Whether all was there to judge it.
    pub(super) const fn needs_nothing(&self) -> bool {
        !self.download
    }
}

impl fmt::Display for FolderVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.errors.is_empty(), self.download) {
            (true, false) => "valid",
            (true, true) => "download",
            (false, false) => "wrong",
            (false, true) => "wrong-download",
        })?;
        for error in &self.errors {
            write!(f, " | {error}")?;
        }
        Ok(())
    }
}

/// What `fmt` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FileVerdict {
    /// It is in the usual form.
    Formatted,
    /// It becomes bytes of which this is the beginning of the hash.
    Becomes(String),
    /// It has syntax errors.
    Refused,
}

impl FileVerdict {
    /// What a formatter makes of `bytes`; `None` where it refuses them.
    pub(super) fn of(bytes: &[u8], format: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> Self {
        match format(bytes) {
            None => Self::Refused,
            Some(formatted) if formatted == bytes => Self::Formatted,
            Some(formatted) => {
                let hash = Sha256::digest(&formatted);
                let text = hash[..6].iter().fold(String::new(), |mut text, byte| {
                    let _infallible = write!(text, "{byte:02x}");
                    text
                });
                Self::Becomes(text)
            }
        }
    }
}

impl fmt::Display for FileVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Formatted => Ok(()),
            Self::Becomes(hash) => write!(f, "={hash}"),
            Self::Refused => f.write_str("!"),
        }
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        for repository in &self.repositories {
            writeln!(f, "\nrepository {} {}", repository.name, repository.commit)?;
            for (path, folder) in &repository.folders {
                let verdict = folder.verdict.to_string();
                let (word, errors) = verdict.split_once(' ').unwrap_or((&verdict, ""));
                write!(f, "{path} {word}")?;
                for (name, verdict) in &folder.files {
                    write!(f, " {name}{verdict}")?;
                }
                if !errors.is_empty() {
                    write!(f, " {errors}")?;
                }
                writeln!(f)?;
            }
            for ((path, file), runs) in &repository.tests {
                write!(f, "test {path} {file}")?;
                for (run, status) in runs {
                    write!(f, " {run}={status}")?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

impl FromStr for Lock {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let mut lock = Self::default();
        for line in text.lines() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = || format!("not a line of {}: {line:?}", super::LOCK);
            if let Some(rest) = line.strip_prefix("repository ") {
                let (name, commit) = rest.split_once(' ').ok_or_else(bad)?;
                lock.repositories.push(Repository {
                    name: name.to_owned(),
                    commit: commit.to_owned(),
                    folders: BTreeMap::new(),
                    tests: BTreeMap::new(),
                });
                continue;
            }
            let repository = lock.repositories.last_mut().ok_or_else(bad)?;
            if let Some(rest) = line.strip_prefix("test ") {
                let (place, runs) = test(rest).ok_or_else(bad)?;
                repository.tests.insert(place, runs);
                continue;
            }
            let (path, folder) = folder(line).ok_or_else(bad)?;
            repository.folders.insert(path, folder);
        }
        Ok(lock)
    }
}

fn test(line: &str) -> Option<((String, String), Runs)> {
    let mut words = line.split(' ');
    let place = (words.next()?.to_owned(), words.next()?.to_owned());
    let runs: Option<Runs> = words
        .map(|word| {
            let (run, status) = word.split_once('=')?;
            Some((run.to_owned(), status.to_owned()))
        })
        .collect();
    Some((place, runs?))
}

fn folder(line: &str) -> Option<(String, Folder)> {
    let (line, errors) = match line.split_once(" | ") {
        Some((line, errors)) => (line, errors.split(" | ").map(str::to_owned).collect()),
        None => (line, BTreeSet::new()),
    };
    let mut words = line.split(' ');
    let path = words.next()?.to_owned();
    let download = match words.next()? {
        "valid" | "wrong" => false,
        "download" | "wrong-download" => true,
        _ => return None,
    };
    let files = words.map(|word| {
        if let Some(name) = word.strip_suffix('!') {
            return (name.to_owned(), FileVerdict::Refused);
        }
        match word.split_once('=') {
            Some((name, hash)) => (name.to_owned(), FileVerdict::Becomes(hash.to_owned())),
            None => (word.to_owned(), FileVerdict::Formatted),
        }
    });
    let folder = Folder {
        verdict: FolderVerdict { errors, download },
        files: files.collect(),
    };
    Some((path, folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_here_names_commits_and_has_verdicts_on_tests() {
        let text = include_str!("../../../../tests/conformance/public.lock");
        let lock: Lock = text.parse().unwrap();
        assert_eq!(lock.to_string(), text);
        assert!(lock.repositories.is_sorted_by(|a, b| a.name < b.name));
        let is_commit =
            |text: &str| text.len() == 40 && text.chars().all(|c| c.is_ascii_hexdigit());
        assert!(lock.repositories.iter().all(|one| is_commit(&one.commit)));
        let verdicts = ["pass", "fail", "error", "skip"];
        let tested = lock.repositories.iter().filter(|one| one.n_runs() > 0);
        assert!(
            tested
                .clone()
                .flat_map(|one| one.tests.values().flat_map(BTreeMap::values))
                .all(|verdict| verdicts.contains(&&**verdict))
        );
        assert!(tested.count() >= 3);
    }

    #[test]
    fn what_is_said_too_early_is_no_difference() {
        let verdict = |errors: &[&str], download| {
            let errors = errors.iter().map(|error| (*error).to_owned());
            FolderVerdict::of(errors.collect(), download)
        };
        let early = |expected: &FolderVerdict| {
            verdict(&["Early", "Other"], true).without_more_than(expected, "Early")
        };
        assert_eq!(early(&verdict(&[], true)), verdict(&["Other"], true));
        let both = verdict(&["Early", "Other"], true);
        assert_eq!(early(&both), both);
        assert_eq!(early(&verdict(&[], false)), both);
    }

    #[test]
    fn a_lock_is_read_as_it_was_written() {
        let errors = |list: &[&str]| list.iter().map(|error| (*error).to_owned()).collect();
        let file = |name: &str, verdict| (name.to_owned(), verdict);
        let folder = |verdict, files: Vec<_>| Folder {
            verdict,
            files: files.into_iter().collect(),
        };
        let lock = Lock {
            repositories: vec![Repository {
                name: "a/b".to_owned(),
                commit: "c0ffee".to_owned(),
                folders: BTreeMap::from([
                    (
                        ".".to_owned(),
                        folder(
                            FolderVerdict::of(errors(&["One error", "Two"]), true),
                            vec![file("bad.tf", FileVerdict::Refused)],
                        ),
                    ),
                    (
                        "x/y".to_owned(),
                        folder(
                            FolderVerdict::of(errors(&[]), false),
                            vec![
                                file("main.tf", FileVerdict::Formatted),
                                file(
                                    "odd.tf",
                                    FileVerdict::of(b"a=1", |_| Some(b"a = 1".to_vec())),
                                ),
                            ],
                        ),
                    ),
                ]),
                tests: BTreeMap::from([(
                    (".".to_owned(), "tests/a.tftest.hcl".to_owned()),
                    Runs::from([("one".to_owned(), "pass".to_owned())]),
                )]),
            }],
        };
        let text = lock.to_string();
        assert!(
            text.contains("\n. wrong-download bad.tf! | One error | Two\n"),
            "{text}"
        );
        assert!(
            text.ends_with("\ntest . tests/a.tftest.hcl one=pass\n"),
            "{text}"
        );
        assert!(text.contains("\nx/y valid main.tf odd.tf="), "{text}");
        assert_eq!(text.parse::<Lock>().unwrap(), lock);
    }
}
