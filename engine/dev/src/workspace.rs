//! The repository on disk.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::facts::Facts;
use crate::program;
use crate::source::Source;

/// The directory of the repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The cargo that started this, or the one on the path.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Where cargo puts what it builds.
pub(crate) fn target_directory() -> Result<PathBuf, Failure> {
    let metadata = metadata(&["--no-deps"])?;
    metadata["target_directory"]
        .as_str()
        .map(PathBuf::from)
        .ok_or_else(|| "cargo metadata names no target directory".into())
}

fn metadata(options: &[&str]) -> Result<serde_json::Value, Failure> {
    let mut command = cargo();
    command
        .args(["metadata", "--format-version", "1"])
        .args(options);
    Ok(serde_json::from_slice(&program::output(&mut command)?)?)
}

/// Everything that the rules look at.
pub(crate) fn facts() -> Result<Facts, Failure> {
    let mut facts = Facts::from_metadata(&metadata(&[])?)?;
    let root = root();
    let mut problems = Vec::new();
    for path in files()? {
        // What cannot be read as text, or is gone from the working tree, holds nothing to judge.
        let Ok(text) = std::fs::read_to_string(root.join(&path)) else {
            continue;
        };
        if Path::new(&path)
            .extension()
            .is_some_and(|ending| ending == "rs")
            && !is_generated(&path)
        {
            match Source::read(&path, &text, false) {
                Ok(source) => facts.sources.push(source),
                Err(problem) => problems.push(problem.to_string()),
            }
        }
        facts.texts.push((path, text));
    }
    if !problems.is_empty() {
        return Err(problems.join("\n").into());
    }
    mark_test_modules(&mut facts)?;
    Ok(facts)
}

/// Code that `cargo dev generate` writes.
pub(crate) fn is_generated(path: &str) -> bool {
    path.split('/').any(|part| part == "generated")
}

/// Files of modules that were declared for tests only are read again as such.
fn mark_test_modules(facts: &mut Facts) -> Result<(), Failure> {
    let modules: BTreeSet<String> = facts
        .sources
        .iter()
        .flat_map(|source| source.test_modules.iter().cloned())
        .collect();
    for source in &mut facts.sources {
        let stem = source.path.trim_end_matches(".rs");
        let within = modules.iter().any(|module| {
            stem == module
                || stem
                    .strip_prefix(module.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
        });
        if within && !source.is_test {
            *source = Source::read(&source.path, &source.text, true)?;
        }
    }
    Ok(())
}

/// The paths of all files that are committed or would be, sorted.
pub(crate) fn files() -> Result<Vec<String>, Failure> {
    let mut command = Command::new("git");
    command.current_dir(root()).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let listed = String::from_utf8(program::output(&mut command)?)?;
    let files: BTreeSet<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
    Ok(files.into_iter().map(str::to_owned).collect())
}

/// The commit of the working tree, with a mark when something in it is not committed.
pub(crate) fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output =
            program::output(Command::new("git").current_dir(root()).args(arguments)).ok()?;
        Some(String::from_utf8_lossy(&output).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else {
        return "unknown".to_owned();
    };
    let evidence_apart = git(&[
        "status",
        "--porcelain",
        "--untracked-files=no",
        "--",
        ":!docs/evidence",
    ]);
    if evidence_apart.is_some_and(|changes| !changes.is_empty()) {
        format!("{commit} with changes")
    } else {
        commit
    }
}
