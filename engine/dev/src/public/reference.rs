//! The verdicts of an installed terraform.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use super::lock::{FileVerdict, Folder, FolderVerdict, Lock, Repository};
use super::{commit, folders, in_parallel, judged, tested};
use crate::{Failure, program};

/// Asks terraform about all checkouts in `directory`.
pub(super) fn record(directory: &Path) -> Result<Lock, Failure> {
    if program::first_line("terraform", &["version"]).is_none() {
        return Err("verdicts are recorded with terraform, which is not on this machine".into());
    }
    let mut lock = Lock::default();
    for owner in sorted(directory)? {
        for name in sorted(&directory.join(&owner))? {
            let name = format!("{owner}/{name}");
            let root = directory.join(&name);
            let commit =
                commit(&root).ok_or_else(|| format!("{}: at which commit?", root.display()))?;
            println!("{name} {commit}");
            let folders = verdicts(&root)?;
            let tests = tested::verdicts(&root, folders.keys())?;
            lock.repositories.push(Repository {
                name,
                commit,
                folders,
                tests,
            });
        }
    }
    Ok(lock)
}

/// Names of the directories in a directory.
fn sorted(directory: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn verdicts(root: &Path) -> Result<BTreeMap<String, Folder>, Failure> {
    let found = folders(root)?;
    let formatted = formatted(root, &found)?;
    let list: Vec<&String> = found.keys().collect();
    let judged = in_parallel(&list, |path| verdict(&root.join(path)));
    let mut out = BTreeMap::new();
    for ((path, files), verdict) in found.iter().zip(judged) {
        let files = files.iter().map(|name| {
            let verdict = formatted[&(path.clone(), name.clone())].clone();
            (name.clone(), verdict)
        });
        let folder = Folder {
            files: files.collect(),
            verdict: verdict?,
        };
        out.insert(path.clone(), folder);
    }
    Ok(out)
}

/// After `init`, if that leaves nothing to be desired; else what can be said without.
fn verdict(folder: &Path) -> Result<FolderVerdict, Failure> {
    let terraform = Path::new("terraform");
    if can_be_initialised(folder, &mut BTreeSet::new()) {
        let initialised = judged(terraform, folder, true)?;
        if initialised.needs_nothing() {
            return Ok(initialised);
        }
    }
    judged(terraform, folder, false)
}

/// Whether nothing has to be fetched: only modules of the same repository, and no providers but what is built in.
/// Rather too often yes than no; whether it is so, `init` tells.
fn can_be_initialised(folder: &Path, seen: &mut BTreeSet<std::path::PathBuf>) -> bool {
    let Ok(folder) = folder.canonicalize() else {
        return false;
    };
    if !seen.insert(folder.clone()) {
        return true;
    }
    let Ok(entries) = std::fs::read_dir(&folder) else {
        return false;
    };
    let mut texts = entries
        .flatten()
        .filter(|entry| super::has_ending(&entry.file_name().to_string_lossy(), "tf"))
        .filter_map(|entry| std::fs::read_to_string(entry.path()).ok())
        .peekable();
    texts.peek().is_some()
        && texts.all(|text| {
            text.lines().map(str::trim).all(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                match words[..] {
                    ["resource" | "data" | "ephemeral" | "provider", kind, ..] => {
                        kind.starts_with("\"terraform_") || !kind.starts_with('"')
                    }
                    ["source", "=", source, ..] => {
                        let source = source.trim_matches('"');
                        source.starts_with('.') && can_be_initialised(&folder.join(source), seen)
                    }
                    _ => true,
                }
            })
        })
}

/// What `terraform fmt` makes of each file.
fn formatted(
    root: &Path,
    found: &BTreeMap<String, Vec<String>>,
) -> Result<BTreeMap<(String, String), FileVerdict>, Failure> {
    let copy = tempfile::tempdir()?;
    // Each file in a folder of its own: names that begin with a dot are skipped where folders are walked.
    let files: Vec<(String, String)> = found
        .iter()
        .flat_map(|(path, names)| names.iter().map(|name| (path.clone(), name.clone())))
        .collect();
    for (place, (path, name)) in files.iter().enumerate() {
        std::fs::copy(
            root.join(path).join(name),
            copy.path().join(format!("{place}.tf")),
        )?;
    }
    let mut command = Command::new("terraform");
    command
        .args(["fmt", "-no-color", "-list=false"])
        .current_dir(copy.path());
    let (_, said) = program::outcome(&mut command)?;
    let refused: BTreeSet<usize> = said
        .lines()
        .filter_map(|line| {
            let (name, _) = line
                .trim_start_matches(['│', ' '])
                .strip_prefix("on ")?
                .split_once(".tf line ")?;
            name.parse().ok()
        })
        .collect();
    let mut verdicts = BTreeMap::new();
    for (place, (path, name)) in files.into_iter().enumerate() {
        let before = std::fs::read(root.join(&path).join(&name))?;
        let after = std::fs::read(copy.path().join(format!("{place}.tf")))?;
        let verdict = FileVerdict::of(&before, |_| (!refused.contains(&place)).then_some(after));
        verdicts.insert((path, name), verdict);
    }
    Ok(verdicts)
}
