//! `cargo dev public`: modules that people have published, held to what the reference says of them.
//!
//! The verdicts are in `tests/conformance/public.lock`: for each repository its commit, and for each folder whether the
//! reference finds it valid and what it makes of each file, and for each test file what becomes of its runs. Nothing of the
//! projects' texts is in it.

mod lock;
mod reference;
mod shadow;
mod tested;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use lock::{FileVerdict, Folder, FolderVerdict, Lock, Repository};
use shadow::Shadow;

use crate::{Failure, program, workspace};

const LOCK: &str = "tests/conformance/public.lock";

/// What is said where something needs what is not there, by either engine: what is left is the verdict.
///
/// The last two are of Terrace alone, which looks at modules in the same repository without being initialised, and at
/// what the caller of a module has to pass to it before providers are there.
const NOT_THERE: [&str; 8] = [
    "Module not installed",
    "Missing required provider",
    "Required plugins are not installed",
    "Inconsistent dependency lock file",
    "Provider not installed",
    "Module source has changed",
    "Unreadable module directory",
    "Provider configuration not present",
];

/// What the reference says only where all modules are installed, while Terrace reads those of the same repository as they
/// are.
const AFTER_MODULES: &str = "Unsupported Terraform Core version";

/// Repeats the verdicts on the checkouts `DIR/OWNER/NAME`; with `--record` asks an installed terraform for them first.
pub(crate) fn run(arguments: &[String]) -> Result<bool, Failure> {
    let record = arguments.iter().any(|argument| argument == "--record");
    let Some(directory) = arguments.iter().find(|argument| !argument.starts_with('-')) else {
        return Err("which directory holds the checkouts, each as OWNER/NAME?".into());
    };
    let directory = Path::new(directory);
    if !program::succeeds(workspace::cargo().args(["build", "--quiet", "--package", "terrace"]))? {
        return Err("terrace does not build".into());
    }
    let terrace = workspace::target_directory()?.join("debug/terrace");
    let path = workspace::root().join(LOCK);
    if record {
        let lock = reference::record(directory)?;
        std::fs::write(&path, lock.to_string())?;
    }
    let lock: Lock = std::fs::read_to_string(&path)?.parse()?;
    let mut differences = Vec::new();
    for repository in &lock.repositories {
        let found = compare(repository, directory, &terrace)?;
        println!(
            "{}: {} files, {} folders, {} runs of tests, {} differences",
            repository.name,
            repository.n_files(),
            repository.folders.len(),
            repository.n_runs(),
            found.len()
        );
        differences.extend(found);
    }
    for difference in &differences {
        println!("{difference}");
    }
    let files: usize = lock.repositories.iter().map(Repository::n_files).sum();
    let runs: usize = lock.repositories.iter().map(Repository::n_runs).sum();
    println!(
        "public modules: {} of {} files and runs of tests alike",
        (files + runs).saturating_sub(differences.len()),
        files + runs
    );
    Ok(differences.is_empty())
}

/// Where Terrace says something else than the lock.
fn compare(
    repository: &Repository,
    directory: &Path,
    terrace: &Path,
) -> Result<Vec<String>, Failure> {
    let root = directory.join(&repository.name);
    if !root.is_dir() {
        return Ok(vec![format!("{}: there is no checkout", repository.name)]);
    }
    if let Some(commit) = commit(&root)
        && commit != repository.commit
    {
        return Ok(vec![format!(
            "{}: the checkout is at {commit}, the verdicts are of {}",
            repository.name, repository.commit
        )]);
    }
    let mut differences = Vec::new();
    for (path, folder) in &repository.folders {
        for (name, verdict) in &folder.files {
            let file = root.join(path).join(name);
            let given = FileVerdict::of(&std::fs::read(&file)?, |bytes| {
                terrace_syntax::format_bytes(bytes).ok()
            });
            if given != *verdict {
                differences.push(format!(
                    "{}/{path}/{name}: expected {verdict}, given {given}",
                    repository.name
                ));
            }
        }
    }
    let folders: Vec<(&String, &Folder)> = repository.folders.iter().collect();
    let shadow = Shadow::of(&root)?;
    let given = in_parallel(&folders, |(path, folder)| {
        let folder_seen = shadow.root().join(path);
        judged(terrace, &folder_seen, folder.verdict.needs_nothing())
    });
    for ((path, folder), given) in folders.iter().zip(given) {
        let given = given?;
        let given = if calls_neighbours(&shadow.root().join(path)) {
            given.without_more_than(&folder.verdict, AFTER_MODULES)
        } else {
            given
        };
        if given != folder.verdict {
            differences.push(format!(
                "{}/{path}: expected {}, given {given}",
                repository.name, folder.verdict
            ));
        }
    }
    differences.extend(tested::differences(repository, shadow.root(), terrace)?);
    Ok(differences)
}

/// The commit that a checkout is at, where git can tell.
fn commit(root: &Path) -> Option<String> {
    let root = root.to_str()?;
    program::first_line("git", &["-C", root, "rev-parse", "HEAD"])
}

/// What an engine says of a folder: after `init` where that needs no download, else of what can be read of it without.
fn judged(engine: &Path, folder: &Path, initialised: bool) -> Result<FolderVerdict, Failure> {
    let data = tempfile::tempdir()?;
    let command = |arguments: &[&str]| {
        let mut command = Command::new(engine);
        command
            .args(arguments)
            .current_dir(folder)
            .env("TF_DATA_DIR", data.path())
            .env("TF_CLI_CONFIG_FILE", data.path().join("none.rc"))
            .env("CHECKPOINT_DISABLE", "1");
        command
    };
    std::fs::write(data.path().join("none.rc"), "")?;
    if initialised {
        program::outcome(&mut command(&["init", "-backend=false", "-input=false"]))?;
    }
    let mut validate = command(&["validate", "-json", "-no-tests"]);
    let (_, said) = program::outcome(&mut validate)?;
    let start = said.find('{').unwrap_or(0);
    let end = said.rfind('}').map_or(said.len(), |end| end + 1);
    let answer: serde_json::Value = serde_json::from_str(&said[start..end])
        .map_err(|error| format!("{}: {error}\n{said}", folder.display()))?;
    let summaries: BTreeSet<String> = answer["diagnostics"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|diagnostic| diagnostic["severity"] == "error")
        .filter_map(|diagnostic| diagnostic["summary"].as_str())
        .map(|summary| summary.replace("Terrace", "Terraform"))
        .collect();
    let lacks = |summary: &String| NOT_THERE.contains(&&**summary);
    let needs = summaries.iter().any(lacks);
    let errors: BTreeSet<String> = summaries
        .into_iter()
        .filter(|summary| !lacks(summary))
        .collect();
    Ok(FolderVerdict::of(errors, needs || !initialised))
}

/// Whether the files of a folder call modules by a path.
fn calls_neighbours(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries
        .flatten()
        .filter(|entry| has_ending(&entry.file_name().to_string_lossy(), "tf"))
        .filter_map(|entry| std::fs::read_to_string(entry.path()).ok())
        .any(|text| {
            text.lines().any(|line| {
                let mut words = line.split_whitespace();
                words.next() == Some("source")
                    && words.next() == Some("=")
                    && words.next().is_some_and(|path| path.starts_with("\"."))
            })
        })
}

/// The folders below `root` that hold files of the language, with these files.
fn folders(root: &Path) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(below) = waiting.pop() {
        for entry in std::fs::read_dir(root.join(&below))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type()?;
            if kind.is_dir() && name != ".git" && name != ".terraform" {
                waiting.push(below.join(&name));
            } else if kind.is_file() && has_ending(&name, "tf") {
                let folder = below.to_string_lossy();
                let folder = if folder.is_empty() {
                    ".".into()
                } else {
                    folder
                };
                found.entry(folder.into_owned()).or_default().push(name);
            }
        }
    }
    for files in found.values_mut() {
        files.sort_unstable();
    }
    Ok(found)
}

fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|found| found == ending)
}

/// Does `work` for each item, several at the same time; the results are in the order of the items.
fn in_parallel<I: Sync, T: Send>(items: &[I], work: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let next = AtomicUsize::new(0);
    let results: Mutex<BTreeMap<usize, T>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(place) else {
                        return;
                    };
                    let result = work(item);
                    if let Ok(mut results) = results.lock() {
                        results.insert(place, result);
                    }
                }
            });
        }
    });
    results
        .into_inner()
        .unwrap_or_default()
        .into_values()
        .collect()
}
