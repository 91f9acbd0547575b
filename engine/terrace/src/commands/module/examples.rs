//! The examples of a module: each must be planned without being applied.
//!
//! They are planned in a copy, so that nothing is left behind in the working directory.

use std::io;
use std::path::{Path, PathBuf};

use terrace_port::Files as _;

use super::base::temporary_directory;
use super::check::Verdict;
use super::counted;
use super::testing::{not_started, own};
use crate::command_error::CommandError;
use crate::outside::{Disk, run_aside};

/// Directories that are no part of a module.
const LEFT_OUT: [&str; 3] = [".git", ".terraform", "node_modules"];

/// Plans all examples. A module without any fails.
pub(super) async fn run() -> Result<Verdict, CommandError> {
    let examples: Vec<String> = Disk
        .list("examples")
        .unwrap_or_default()
        .into_iter()
        .filter(|entry| entry.is_directory)
        .map(|entry| format!("examples/{}", entry.name))
        .filter(|directory| is_configuration(directory))
        .collect();
    if examples.is_empty() {
        return Ok(Verdict::Failed(
            "There is no example. Put a configuration that calls the module into examples/NAME; `terrace module new` shows how one looks.".to_owned(),
        ));
    }
    let copy = temporary_directory()?;
    copy_tree(Path::new("."), copy.path()).map_err(|error| {
        CommandError::one(
            "unwritable-file",
            "The module cannot be copied",
            format!(
                "The examples are planned in a copy of the module, which cannot be made: {error}."
            ),
        )
    })?;
    let mut failures = Vec::new();
    for example in &examples {
        if let Some(failure) = plan(&copy.path().join(example)).await? {
            failures.push(format!("{example}:\n{failure}"));
        }
    }
    Ok(if failures.is_empty() {
        Verdict::Passed(counted(examples.len(), "example"))
    } else {
        Verdict::Failed(failures.join("\n\n"))
    })
}

fn is_configuration(directory: &str) -> bool {
    Disk.list(directory)
        .unwrap_or_default()
        .iter()
        .any(|entry| !entry.is_directory && super::is_configuration(&entry.name))
}

/// Initialises and plans a directory: what went wrong, if anything.
async fn plan(directory: &Path) -> Result<Option<String>, CommandError> {
    let steps: [&[&str]; 2] = [
        &["init", "-backend=false", "-input=false", "-no-color"],
        &["plan", "-input=false", "-lock=false", "-no-color"],
    ];
    for arguments in steps {
        let ran = run_aside(&own(arguments)?, directory, &[])
            .await
            .map_err(|error| not_started(&error))?;
        if !ran.succeeded() {
            return Ok(Some(ran.text().trim().to_owned()));
        }
    }
    Ok(None)
}

/// Copies a directory with all below it, links as links.
pub(super) fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if LEFT_OUT.iter().any(|left_out| name == **left_out) {
            continue;
        }
        let (path, target): (PathBuf, PathBuf) = (entry.path(), to.join(&name));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_tree(&path, &target)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(&path)?, &target)?;
        } else if kind.is_file() {
            std::fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
