//! Tests that public modules bring along.
//!
//! Only folders are carried out whose providers are at hand: to the reference those that the caller's CLI configuration
//! has (a mirror of the utility providers), to Terrace those that it brings along.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::lock::{Repository, Runs};
use crate::{Failure, program};

/// How Terrace finds providers: in itself, and nowhere else.
const NATIVE: &str = "provider_installation {\n  native {}\n}\n";

/// What becomes of the runs of test files, by folder and file.
type Verdicts = BTreeMap<(String, String), Runs>;

/// What the reference says of the tests in these folders below `root`, as far as it can initialise them.
pub(super) fn verdicts<'a>(
    root: &Path,
    folders: impl Iterator<Item = &'a String>,
) -> Result<Verdicts, Failure> {
    let mut verdicts = Verdicts::new();
    for path in folders {
        if has_tests(&root.join(path)) {
            let found = carried_out(Path::new("terraform"), root, path, None)?;
            verdicts.extend(named(path, found));
        }
    }
    Ok(verdicts)
}

/// Where Terrace says something else of the tests below `root` than the lock.
pub(super) fn differences(
    repository: &Repository,
    root: &Path,
    terrace: &Path,
) -> Result<Vec<String>, Failure> {
    let paths: BTreeSet<&String> = repository.tests.keys().map(|(path, _)| path).collect();
    let mut given = Verdicts::new();
    for path in paths {
        let found = carried_out(terrace, root, path, Some(NATIVE))?;
        given.extend(named(path, found));
    }
    let mut differences = Vec::new();
    for (place, runs) in &repository.tests {
        let (path, file) = place;
        for (run, expected) in runs {
            let found = given.get(place).and_then(|runs| runs.get(run));
            if found != Some(expected) {
                let found = found.map_or("nothing", String::as_str);
                differences.push(format!(
                    "{}/{path}/{file}, run {run}: expected {expected}, given {found}",
                    repository.name
                ));
            }
        }
    }
    Ok(differences)
}

fn named(
    path: &str,
    found: BTreeMap<String, Runs>,
) -> impl Iterator<Item = ((String, String), Runs)> {
    found
        .into_iter()
        .map(move |(file, runs)| ((path.to_owned(), file), runs))
}

fn has_tests(folder: &Path) -> bool {
    [folder.to_owned(), folder.join("tests")]
        .iter()
        .filter_map(|directory| std::fs::read_dir(directory).ok())
        .flat_map(Iterator::flatten)
        .any(|entry| entry.file_name().to_string_lossy().ends_with(".tftest.hcl"))
}

/// What an engine makes of the tests of a folder, in a copy of the whole checkout; nothing where it cannot be initialised.
fn carried_out(
    engine: &Path,
    root: &Path,
    path: &str,
    configuration: Option<&str>,
) -> Result<BTreeMap<String, Runs>, Failure> {
    let directory = tempfile::tempdir()?;
    let copy = directory.path().join("checkout");
    copied(root, &copy)?;
    let folder = copy.join(path);
    let settings = directory.path().join("cli.tfrc");
    if let Some(text) = configuration {
        std::fs::write(&settings, text)?;
    }
    let command = |arguments: &[&str]| {
        let mut command = Command::new(engine);
        command
            .args(arguments)
            .current_dir(&folder)
            .env("CHECKPOINT_DISABLE", "1");
        if configuration.is_some() {
            command.env("TF_CLI_CONFIG_FILE", &settings);
        }
        command
    };
    let mut init = command(&["init", "-backend=false", "-input=false"]);
    if program::outcome(&mut init)?.0 != 0 {
        return Ok(BTreeMap::new());
    }
    let (_, said) = program::outcome(&mut command(&["test", "-json"]))?;
    Ok(read(&said))
}

/// What the lines of the stream say of runs that have ended.
fn read(said: &str) -> BTreeMap<String, Runs> {
    let mut found: BTreeMap<String, Runs> = BTreeMap::new();
    for line in said.lines() {
        let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else {
            continue;
        };
        let run = &line["test_run"];
        let text = |name: &str| run[name].as_str().map(str::to_owned);
        if let (Some(file), Some(run), Some(status)) = (text("path"), text("run"), text("status")) {
            found.entry(file).or_default().insert(run, status);
        }
    }
    found
}

/// Copies a checkout, its history aside.
fn copied(from: &Path, to: &Path) -> Result<(), Failure> {
    let mut waiting = vec![PathBuf::new()];
    while let Some(below) = waiting.pop() {
        std::fs::create_dir_all(to.join(&below))?;
        for entry in std::fs::read_dir(from.join(&below))? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            if entry.file_name() == ".git" || entry.file_name() == ".terraform" {
                continue;
            }
            if entry.path().is_dir() {
                waiting.push(path);
            } else if entry.path().is_file() {
                std::fs::copy(entry.path(), to.join(&path))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_have_ended_are_read_from_the_stream() {
        let said = "note\n{\"type\":\"test_run\",\"test_run\":{\"path\":\"a\",\"run\":\"r\",\"progress\":\"starting\"}}\n{\"type\":\"test_run\",\"test_run\":{\"path\":\"a\",\"run\":\"r\",\"status\":\"pass\"}}\n";
        let runs = Runs::from([("r".to_owned(), "pass".to_owned())]);
        assert_eq!(read(said), BTreeMap::from([("a".to_owned(), runs)]));
    }
}
