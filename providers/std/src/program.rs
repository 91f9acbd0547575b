//! Programs that data sources run.
#![expect(
    clippy::disallowed_methods,
    reason = "running programs is these data sources' work"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use terrace_port::Surroundings;

/// How a program ended.
pub(crate) struct Ended {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// The exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
}

impl Ended {
    /// How it ended, as people read it.
    pub(crate) fn state(&self) -> String {
        self.code.map_or_else(
            || "signal: killed".to_owned(),
            |code| format!("exit status {code}"),
        )
    }
}

/// Why a program of this name cannot be found; `None` where it can be.
pub(crate) fn lookup_error(program: &str) -> Option<String> {
    if program.contains('/') {
        return match std::fs::metadata(program) {
            Ok(found) if !found.is_dir() && is_executable(Path::new(program)) => None,
            Ok(_) => Some(format!("exec: {program:?}: permission denied")),
            Err(_) => Some(format!(
                "exec: {program:?}: stat {program}: no such file or directory"
            )),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(program))
        .any(|candidate| candidate.is_file() && is_executable(&candidate));
    (!found).then(|| format!("exec: {program:?}: executable file not found in $PATH"))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_path: &Path) -> bool {
    true
}

/// The text in which a lookup error is told.
pub(crate) fn lookup_detail(kind: &str, program: &str, error: &str) -> String {
    let label = format!("{}{}", kind[..1].to_uppercase(), &kind[1..]);
    format!(
        "The data source received an unexpected error while attempting to find the {kind}.\n\nThe {kind} must be accessible according to the platform where Terrace is running.\n\nIf the expected {kind} should be automatically found on the platform where Terrace is running, ensure that the {kind} is in an expected directory. On Unix-based platforms, these directories are typically searched based on the '$PATH' environment variable. On Windows-based platforms, these directories are typically searched based on the '%PATH%' environment variable.\n\nIf the expected {kind} is relative to the Terrace configuration, it is recommended that the {kind} name includes the interpolated value of 'path.module' before the {kind} name to ensure that it is compatible with varying module usage. For example: \"${{path.module}}/my-{kind}\"\n\nThe {kind} must also be executable according to the platform where Terrace is running. On Unix-based platforms, the file on the filesystem must have the executable bit set. On Windows-based platforms, no action is typically necessary.\n\nPlatform: {}\n{label}: {program}\nError: {error}",
        std::env::consts::OS
    )
}

/// Runs a program to its end.
pub(crate) fn run(
    program: &str,
    arguments: &[&str],
    directory: Option<&str>,
    stdin: Option<&[u8]>,
    surroundings: &Surroundings,
) -> std::io::Result<Ended> {
    let mut command = Command::new(program);
    for name in &surroundings.removed {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .envs(&surroundings.set)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .stdin(if stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        });
    if let Some(directory) = directory.filter(|directory| !directory.is_empty()) {
        command.current_dir(PathBuf::from(directory));
    }
    let mut child = command.spawn()?;
    let input = child.stdin.take().zip(stdin.map(<[u8]>::to_vec));
    let feeder = input.map(|(mut pipe, bytes)| {
        // A program that does not read all of it is none the worse for that.
        std::thread::spawn(move || drop(pipe.write_all(&bytes)))
    });
    let output = child.wait_with_output()?;
    if let Some(feeder) = feeder {
        drop(feeder.join());
    }
    Ok(Ended {
        stdout: output.stdout,
        stderr: output.stderr,
        code: output.status.code(),
    })
}
