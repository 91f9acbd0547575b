//! The binaries that are measured, and the machine that they run on.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::engine::Engine;

/// The repository that this program was built from.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What is measured.
pub(crate) struct Binaries {
    /// The engine.
    pub(crate) terrace: PathBuf,
    /// The plugin, where it could be built.
    pub(crate) plugin: Option<PathBuf>,
}

impl Binaries {
    /// Builds them beside this program, or takes those that are there.
    pub(crate) fn prepare(build: bool) -> Result<Self, Failure> {
        if build {
            cargo(&["build", "--release", "--package", "terrace"])?;
            cargo(&[
                "build",
                "--release",
                "--package",
                "terrace-provider-testkit",
                "--features",
                "process",
            ])?;
        }
        let here = std::env::current_exe()?;
        let directory = here.parent().unwrap_or(Path::new("."));
        let terrace = directory.join("terrace");
        if !terrace.is_file() {
            return Err(format!("There is no {}; build it first.", terrace.display()).into());
        }
        Ok(Self {
            terrace,
            plugin: plugin(directory)?,
        })
    }
}

/// The plugin under the name by which engines look for it, in a directory of its own.
fn plugin(directory: &Path) -> Result<Option<PathBuf>, Failure> {
    let built = directory.join("fake-provider");
    if !built.is_file() {
        return Ok(None);
    }
    let place = directory.join("bench-plugin");
    std::fs::create_dir_all(&place)?;
    let named = place.join("terraform-provider-test");
    std::fs::copy(&built, &named)?;
    Ok(Some(named))
}

fn cargo(arguments: &[&str]) -> Result<(), Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(arguments)
        .current_dir(repository())
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("cargo {} failed.", arguments.join(" ")).into())
    }
}

/// What all numbers depend on.
pub(crate) fn facts_of_machine() -> Vec<String> {
    vec![
        format!("Commit {}", commit()),
        format!("Machine: {}", hardware()),
    ]
}

/// What the numbers depend on, one line each.
pub(crate) fn facts(terrace: &Engine, terraform: Option<&Engine>) -> Vec<String> {
    let version = |engine: &Engine| engine.version().unwrap_or_else(|| "unknown".to_owned());
    let mut facts = facts_of_machine();
    facts.push(version(terrace));
    facts.push(terraform.map_or_else(|| "Terraform did not run beside it".to_owned(), version));
    facts
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(repository())
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(id) = git(&["rev-parse", "HEAD"]) else {
        return "unknown".to_owned();
    };
    // Only what is compiled makes numbers other than the commit's.
    let changed = git(&[
        "status",
        "--porcelain",
        "--untracked-files=no",
        "--",
        "engine",
        "providers",
        "state-backends",
        "modules",
    ]);
    match changed {
        Some(changes) if !changes.is_empty() => {
            format!("{id}, with changes that are not committed")
        }
        _ => id,
    }
}

fn hardware() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = proc_field("/proc/cpuinfo", "model name").unwrap_or_default();
    let memory = proc_field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.trim_end_matches(" kB").trim().parse::<u64>().ok())
        .map_or_else(String::new, |kibibytes| {
            format!(", {} GiB of memory", kibibytes.div_ceil(1024 * 1024))
        });
    let load = std::fs::read_to_string("/proc/loadavg")
        .ok()
        .and_then(|text| text.split_whitespace().next().map(str::to_owned))
        .map_or_else(String::new, |load| format!(", load {load} at the start"));
    let named = if model.is_empty() {
        String::new()
    } else {
        format!(" ({model})")
    };
    format!(
        "{cores} cores{named}{memory}{load}, {}",
        std::env::consts::OS
    )
}

fn proc_field(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.split_once(':'))
        .map(|(_, value)| value.trim().to_owned())
}
