//! Copying files and directories, in the words of `scp`.

use std::path::{Path, PathBuf};

use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use terrace_port::{Content, Platform};
use tokio::io::AsyncReadExt as _;

use crate::proxy::plain;
use crate::session::{Failure, Session};

/// How much of a file is sent at once.
const CHUNK: usize = 32 * 1024;

/// Something to copy.
pub(crate) enum Source {
    /// A file with this content.
    Text(Vec<u8>),
    /// A file.
    File(PathBuf),
    /// A directory; whether only what is in it.
    Directory(PathBuf, bool),
}

/// An error of the system about a path, in the reference's words.
pub(crate) fn about(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    let text = match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => plain(error),
    };
    Failure::fatal(format!("{what} {}: {text}", path.display()))
}

impl Source {
    pub(crate) fn of(content: &Content) -> Result<Self, Failure> {
        let path = match content {
            Content::Text(text) => return Ok(Self::Text(text.clone().into_bytes())),
            Content::Path(path) => path,
        };
        let found =
            std::fs::metadata(path).map_err(|error| about("stat", Path::new(path), &error))?;
        Ok(if found.is_dir() {
            Self::Directory(PathBuf::from(path), path.ends_with('/'))
        } else {
            Self::File(PathBuf::from(path))
        })
    }
}

/// A path in quotes, for the shell of a platform.
pub(crate) fn quoted(path: &str, platform: Platform) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,".contains(c);
    if !path.is_empty() && path.chars().all(plain) {
        return path.to_owned();
    }
    match platform {
        Platform::Unix => format!("'{}'", path.replace('\'', r"'\''")),
        Platform::Windows => format!("\"{path}\""),
    }
}

/// The directory and the name that a path ends in; a name is never `.` or `..`.
fn split(path: &str) -> (&str, Option<&str>) {
    let trimmed = path.trim_end_matches('/');
    let (directory, name) = match trimmed.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some((directory, name)) => (directory, name),
        None => (".", trimmed),
    };
    match name {
        "" | "." | ".." => (path, None),
        name => (directory, Some(name)),
    }
}

/// Copies `source` to `destination`.
pub(crate) async fn copy(
    session: &Session,
    platform: Platform,
    source: &Source,
    destination: &str,
) -> Result<(), Failure> {
    let fail = |failure: Failure| Failure::fatal(format!("Upload failed: {failure}"));
    let sent = match source {
        Source::Text(bytes) => file(session, platform, destination, Bytes::Held(bytes)).await,
        Source::File(path) => file(session, platform, destination, Bytes::Of(path)).await,
        Source::Directory(path, contents) => {
            directory(session, platform, path, *contents, destination).await
        }
    };
    sent.map_err(fail)
}

/// Copies one file. A path that ends with a slash names a directory, and the file is named after it.
pub(crate) async fn file(
    session: &Session,
    platform: Platform,
    destination: &str,
    bytes: Bytes<'_>,
) -> Result<(), Failure> {
    let Some(name) = split(destination).1 else {
        return Err(Failure::fatal(format!(
            "{destination:?} names no file: write the file's name as the end of the destination"
        )));
    };
    // Without `-d` a missing directory would become a file.
    let (option, target) = if destination.ends_with('/') {
        ("", destination.trim_end_matches('/'))
    } else {
        ("-d ", split(destination).0)
    };
    let command = format!("scp {option}-t {}", quoted(target, platform));
    let mut sink = Sink::open(session, &command).await?;
    sink.file(name, bytes).await?;
    sink.end().await
}

async fn directory(
    session: &Session,
    platform: Platform,
    path: &Path,
    contents: bool,
    destination: &str,
) -> Result<(), Failure> {
    let (parent, name) = split(destination);
    // The contents go into the directory that the destination names, which is entered by its name, so that it is
    // made where it is missing. The directory itself goes below the destination, or becomes it where it is missing.
    let (target, enter) = match (contents, name) {
        (true, Some(name)) => (parent, Some(name.to_owned())),
        (true, None) => (destination, None),
        (false, _) => {
            let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
            let own = full.file_name().unwrap_or_default();
            (destination, Some(own.to_string_lossy().into_owned()))
        }
    };
    let command = format!("scp -r -t {}", quoted(target, platform));
    let mut sink = Sink::open(session, &command).await?;
    if let Some(name) = &enter {
        sink.say(&format!("D0755 0 {name}\n")).await?;
    }
    sink.tree(path).await?;
    if enter.is_some() {
        sink.say("E\n").await?;
    }
    sink.end().await
}

/// The content of a file to send.
pub(crate) enum Bytes<'a> {
    /// These bytes.
    Held(&'a [u8]),
    /// Those of a file of this machine.
    Of(&'a Path),
}

/// The receiving `scp` at the other end.
struct Sink {
    channel: Channel<Msg>,
    answers: Vec<u8>,
    complaint: Vec<u8>,
    status: Option<u32>,
}

impl Sink {
    async fn open(session: &Session, command: &str) -> Result<Self, Failure> {
        let channel = session.open().await?;
        channel.exec(true, command).await?;
        let mut sink = Self {
            channel,
            answers: Vec::new(),
            complaint: Vec::new(),
            status: None,
        };
        sink.acknowledged().await?;
        Ok(sink)
    }

    /// Takes in what the other end sends; false when that was all.
    async fn hear(&mut self) -> bool {
        match self.channel.wait().await {
            Some(ChannelMsg::Data { data }) => self.answers.extend_from_slice(&data),
            Some(ChannelMsg::ExtendedData { data, .. }) => {
                self.complaint.extend_from_slice(&data);
            }
            Some(ChannelMsg::ExitStatus { exit_status }) => self.status = Some(exit_status),
            Some(ChannelMsg::Failure) | None => return false,
            Some(_) => {}
        }
        true
    }

    fn ended(&self) -> Failure {
        let complaint = String::from_utf8_lossy(&self.complaint);
        Failure::fatal(match (self.status, complaint.trim()) {
            (Some(127), _) => "SCP failed to start. This usually means that SCP is not properly installed on the remote system.".to_owned(),
            (Some(status), "") => format!("Process exited with status {status}"),
            (Some(status), complaint) => {
                format!("Process exited with status {status}: {complaint}")
            }
            (None, "") => "the connection was closed".to_owned(),
            (None, complaint) => complaint.to_owned(),
        })
    }

    /// Waits for the answer to what was sent last.
    async fn acknowledged(&mut self) -> Result<(), Failure> {
        while self.answers.is_empty() {
            if !self.hear().await {
                return Err(self.ended());
            }
        }
        let answer = self.answers.remove(0);
        if answer == 0 {
            return Ok(());
        }
        while !self.answers.contains(&b'\n') && self.hear().await {}
        let said = String::from_utf8_lossy(&self.answers);
        let line = said.lines().next().unwrap_or_default();
        Err(Failure::fatal(match answer {
            1 | 2 => line.to_owned(),
            // Something else than scp speaks: a shell's greeting, mostly.
            _ => format!(
                "the machine answers scp with a text: {}{line}. Its shell must print nothing when no terminal is there.",
                char::from(answer)
            ),
        }))
    }

    async fn say(&mut self, line: &str) -> Result<(), Failure> {
        self.channel.data_bytes(line.as_bytes().to_vec()).await?;
        self.acknowledged().await
    }

    async fn file(&mut self, name: &str, bytes: Bytes<'_>) -> Result<(), Failure> {
        match bytes {
            Bytes::Held(bytes) => {
                self.say(&format!("C0644 {} {name}\n", bytes.len())).await?;
                for chunk in bytes.chunks(CHUNK) {
                    self.channel.data_bytes(chunk.to_vec()).await?;
                }
            }
            Bytes::Of(path) => {
                let fail = |error: std::io::Error| about("open", path, &error);
                let mut file = tokio::fs::File::open(path).await.map_err(fail)?;
                let size = file.metadata().await.map_err(fail)?.len();
                self.say(&format!("C0644 {size} {name}\n")).await?;
                let (mut left, mut chunk) = (size, vec![0; CHUNK]);
                while left > 0 {
                    let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
                    let count = file.read(&mut chunk[..most]).await.map_err(fail)?;
                    if count == 0 {
                        return Err(Failure::fatal(format!(
                            "{} became shorter while it was being copied",
                            path.display()
                        )));
                    }
                    self.channel.data_bytes(chunk[..count].to_vec()).await?;
                    left -= count as u64;
                }
            }
        }
        self.say("\0").await
    }

    /// Sends what is in a directory. Links are followed.
    async fn tree(&mut self, path: &Path) -> Result<(), Failure> {
        let fail = |error: std::io::Error| about("open", path, &error);
        let entries = std::fs::read_dir(path).map_err(fail)?;
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry.map_err(fail)?.file_name());
        }
        names.sort();
        for name in names {
            let (inner, name) = (path.join(&name), name.to_string_lossy());
            let found = std::fs::metadata(&inner).map_err(|error| about("stat", &inner, &error))?;
            if found.is_dir() {
                self.say(&format!("D0755 0 {name}\n")).await?;
                Box::pin(self.tree(&inner)).await?;
                self.say("E\n").await?;
            } else {
                self.file(&name, Bytes::Of(&inner)).await?;
            }
        }
        Ok(())
    }

    /// Waits for the other end to end well.
    async fn end(mut self) -> Result<(), Failure> {
        self.channel.eof().await?;
        while self.hear().await {}
        match self.status {
            Some(0) => Ok(()),
            _ => Err(self.ended()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_end_in_names() {
        for (path, expected) in [
            ("/a/b", ("/a", Some("b"))),
            ("/a/b/", ("/a", Some("b"))),
            ("/b", ("/", Some("b"))),
            ("b", (".", Some("b"))),
            ("~/b", ("~", Some("b"))),
            ("/", ("/", None)),
            (".", (".", None)),
            ("a/..", ("a/..", None)),
        ] {
            assert_eq!(split(path), expected, "{path}");
        }
    }

    #[test]
    fn shells_read_paths_as_they_are() {
        assert_eq!(quoted("/tmp/x-1.sh", Platform::Unix), "/tmp/x-1.sh");
        assert_eq!(quoted("a b'c", Platform::Unix), r"'a b'\''c'");
        assert_eq!(quoted("C:/a b", Platform::Windows), "\"C:/a b\"");
        assert_eq!(quoted("", Platform::Unix), "''");
    }
}
