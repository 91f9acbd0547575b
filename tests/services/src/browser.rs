//! Chromium, and the npm packages that drive it and judge pages.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::install::{Unavailable, download, once, run, works};

/// Programs that are Chromium under its several names.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
];

/// A Chromium that scripts can drive.
#[derive(Debug)]
pub struct Browser {
    executable: PathBuf,
    packages: PathBuf,
}

impl Browser {
    /// Installs what is missing: Chromium from Debian where no browser is on the machine, `playwright-core` and `axe-core`
    /// from npm.
    pub fn get() -> Result<Self, Unavailable> {
        if !works("node", &["--version"]) {
            return Err(Unavailable("node is not on this machine".to_owned()));
        }
        let packages = once("browser-driver-1.65.1", |directory| {
            download(
                Command::new("npm")
                    .args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"])
                    .arg(directory)
                    .args(["playwright-core@1.65.1", "axe-core@4.14.1"]),
            )
        })?;
        Ok(Self {
            executable: chromium()?,
            packages: packages.join("node_modules"),
        })
    }

    /// Runs a script of node that `require`s the packages with a job: a file of JSON, which is its argument. What it found: the
    /// JSON that is the last line that it printed.
    ///
    /// The browser's executable is in `CHROMIUM`.
    pub fn play(&self, script: &Path, job: &Value) -> Result<Value, Unavailable> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(job.to_string().as_bytes())?;
        let mut command = Command::new("node");
        command
            .arg(script)
            .arg(file.path())
            .env("NODE_PATH", &self.packages)
            .env("CHROMIUM", &self.executable);
        let output = command.output()?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let found = printed.lines().last().map(serde_json::from_str);
        if let (true, Some(Ok(found))) = (output.status.success(), found) {
            return Ok(found);
        }
        Err(Unavailable(format!(
            "{command:?}: {}\n{printed}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )))
    }
}

/// The browser that is on the path, by its whole path, which its driver asks for.
fn found() -> Option<PathBuf> {
    let name = NAMES.into_iter().find(|name| works(name, &["--version"]))?;
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

fn chromium() -> Result<PathBuf, Unavailable> {
    if let Some(path) = found() {
        return Ok(path);
    }
    // Only one at a time may install; a mark of an earlier machine says nothing of this one.
    let install = |_: &Path| {
        let packages = [
            "install",
            "-y",
            "-q",
            "--no-install-recommends",
            "chromium",
            "fonts-inter",
        ];
        if apt(&packages).is_ok() {
            return Ok(());
        }
        apt(&["update", "-q"])?;
        apt(&packages)
    };
    once("chromium", install)?;
    if found().is_none() {
        install(Path::new(""))?;
    }
    found().ok_or_else(|| Unavailable("the chromium that was installed does not start".to_owned()))
}

fn apt(arguments: &[&str]) -> Result<(), Unavailable> {
    let mut command = if is_root() {
        Command::new("apt-get")
    } else {
        let mut command = Command::new("sudo");
        command.args(["-n", "apt-get"]);
        command
    };
    run(command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive"))
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
