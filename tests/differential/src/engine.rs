//! The two programs, and how they are run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Failure;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_mins(3);

/// A program that reads the language.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    /// What it is called in reports, and in the names of files that belong to it.
    pub(crate) name: &'static str,
    program: PathBuf,
    /// What it says of its version.
    pub(crate) version: String,
}

/// What a command that has ended said.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    /// Its exit code; `None` where it crashed or took too long.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// An error that a program reported.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    pub(crate) summary: String,
    pub(crate) detail: String,
    /// The file that it is about.
    pub(crate) file: Option<String>,
}

impl Engine {
    /// The program, if it can be run.
    pub(crate) fn find(name: &'static str, program: &Path) -> Option<Self> {
        let output = Command::new(program)
            .args(["version", "-json"])
            .env_clear()
            .envs(environment())
            .stderr(Stdio::null())
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        let version: Value = serde_json::from_slice(&output.stdout).ok()?;
        let version = ["terrace_version", "terraform_version"]
            .iter()
            .find_map(|key| version[*key].as_str())
            .unwrap_or("unknown")
            .to_owned();
        Some(Self {
            name,
            program: program.to_owned(),
            version,
        })
    }

    /// Runs a command to its end.
    pub(crate) fn run<A: AsRef<OsStr>>(
        &self,
        directory: &Path,
        arguments: &[A],
    ) -> Result<Ran, Failure> {
        let stdout = tempfile::NamedTempFile::new()?;
        let stderr = tempfile::NamedTempFile::new()?;
        let mut child = Command::new(&self.program)
            .args(arguments)
            .current_dir(directory)
            .env_clear()
            .envs(environment())
            .env("HOME", directory.join("sub"))
            .stdin(Stdio::null())
            .stdout(stdout.reopen()?)
            .stderr(stderr.reopen()?)
            .spawn()?;
        let begun = Instant::now();
        let code = loop {
            if let Some(status) = child.try_wait()? {
                break status.code();
            }
            if begun.elapsed() > PATIENCE {
                child.kill()?;
                child.wait()?;
                break None;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let read = |file: &tempfile::NamedTempFile| {
            std::fs::read(file.path()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        Ok(Ran {
            code,
            stdout: read(&stdout)?,
            stderr: read(&stderr)?,
        })
    }
}

fn environment() -> Vec<(&'static str, std::ffi::OsString)> {
    vec![
        ("PATH", std::env::var_os("PATH").unwrap_or_default()),
        ("USER", "tester".into()),
        ("CHECKPOINT_DISABLE", "1".into()),
    ]
}

impl Ran {
    /// The errors among the JSON lines that it printed.
    pub(crate) fn errors(&self) -> Vec<Told> {
        self.stdout
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| line["diagnostic"]["severity"] == "error")
            .map(|line| Told::of(&line["diagnostic"]))
            .collect()
    }
}

impl Told {
    fn of(diagnostic: &Value) -> Self {
        let text = |value: &Value| named(value.as_str().unwrap_or_default());
        Self {
            summary: text(&diagnostic["summary"]),
            detail: text(&diagnostic["detail"]),
            file: diagnostic["range"]["filename"].as_str().map(str::to_owned),
        }
    }
}

/// The text with one name for both programs.
pub(crate) fn named(text: &str) -> String {
    text.replace("Terraform", "Terrace")
        .replace("terraform plan", "terrace plan")
        .replace("terraform apply", "terrace apply")
        .replace("terraform state", "terrace state")
        .trim_end()
        .to_owned()
}
