//! What a program writes, as the system sees it: by `strace`, which is installed or nothing is measured.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Failure;

/// Calls by which bytes are written to files and connections.
const CALLS: &str =
    "trace=write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,copy_file_range,sendfile";

/// Where bytes went.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sink {
    /// A file, by its path below the watched directory.
    File(String),
    /// The watched server.
    Server,
}

/// Bytes written, by where they went.
pub(super) type Written = BTreeMap<Sink, u64>;

/// What is watched.
pub(super) struct Watched<'a> {
    /// Files below it.
    pub(super) directory: &'a Path,
    /// Connections to this port.
    pub(super) port: Option<&'a str>,
}

/// Whether it can be measured here.
pub(super) fn is_possible() -> bool {
    let found = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    found.is_ok_and(|status| status.success())
}

/// Runs a command with what it starts, to its end.
pub(super) fn run(command: &Command, watched: &Watched<'_>) -> Result<Written, Failure> {
    let logs = tempfile::Builder::new()
        .prefix("terrace-bench-")
        .tempdir()?;
    let mut strace = Command::new("strace");
    strace
        .args(["-ff", "-qq", "-yy", "-s", "0", "-e", CALLS, "-o"])
        .arg(logs.path().join("log"))
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::null());
    if let Some(directory) = command.get_current_dir() {
        strace.current_dir(directory);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    let output = strace.output()?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(told.chars().take(2000).collect::<String>().into());
    }
    let mut written = Written::new();
    for log in fs::read_dir(logs.path())? {
        for line in fs::read_to_string(log?.path())?.lines() {
            if let Some((sink, bytes)) = one(line, watched) {
                *written.entry(sink).or_default() += bytes;
            }
        }
    }
    Ok(written)
}

/// Where the bytes of a call went, and how many.
fn one(line: &str, watched: &Watched<'_>) -> Option<(Sink, u64)> {
    let bytes: u64 = line.rsplit_once(" = ")?.1.split(' ').next()?.parse().ok()?;
    let arguments = line.split_once('(')?.1;
    // The file that is written to: the third argument of a copy between files, the first of everything else.
    let place = if line.starts_with("copy_file_range") {
        arguments.split(", ").nth(2)?
    } else {
        arguments
    };
    let (_, place) = place.split_once('<')?;
    if let Some(connection) = place
        .strip_prefix("TCP")
        .and_then(|rest| rest.split_once("]>"))
    {
        let (_, peer) = connection.0.rsplit_once("->")?;
        let (_, port) = peer.rsplit_once(':')?;
        return (Some(port) == watched.port).then_some((Sink::Server, bytes));
    }
    let (path, _) = place.split_once('>')?;
    let inside = Path::new(path).strip_prefix(watched.directory).ok()?;
    Some((Sink::File(inside.to_string_lossy().into_owned()), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_tell_where_their_bytes_went() {
        let watched = Watched {
            directory: Path::new("/store"),
            port: Some("5432"),
        };
        let file = |name: &str, bytes| Some((Sink::File(name.to_owned()), bytes));
        let server = |bytes| Some((Sink::Server, bytes));
        for (line, expected) in [
            (
                r#"write(9</store/a/state>, ""..., 512) = 512"#,
                file("a/state", 512),
            ),
            (
                r#"pwrite64(9</store/s.redb>, ""..., 4096, 8192) = 4096"#,
                file("s.redb", 4096),
            ),
            (r#"write(1</dev/null>, ""..., 512) = 512"#, None),
            (
                r#"write(9</store/a>, ""..., 512) = -1 ENOSPC (No space left on device)"#,
                None,
            ),
            (
                r#"write(9</store/a (deleted)>, ""..., 5) = 5"#,
                file("a (deleted)", 5),
            ),
            (
                r#"sendto(9<TCP:[127.0.0.1:41000->127.0.0.1:5432]>, ""..., 77, MSG_NOSIGNAL, NULL, 0) = 77"#,
                server(77),
            ),
            (
                r#"writev(9<TCP:[127.0.0.1:41000->127.0.0.1:5432]>, [{iov_base=""..., iov_len=7}], 1) = 7"#,
                server(7),
            ),
            (
                r#"sendto(9<TCP:[127.0.0.1:41000->127.0.0.1:99]>, ""..., 77, 0, NULL, 0) = 77"#,
                None,
            ),
            (r#"write(9<UNIX-STREAM:[1->2]>, ""..., 8) = 8"#, None),
            (
                r#"copy_file_range(3</store/state>, NULL, 4</store/backup>, NULL, 100, 0) = 100"#,
                file("backup", 100),
            ),
            ("+++ exited with 0 +++", None),
        ] {
            assert_eq!(one(line, &watched), expected, "{line}");
        }
    }
}
