//! Scripts: put on the machine, run, and taken away again.

use std::path::Path;

use rand::Rng as _;
use terrace_port::{Connection, Content, Platform};

use crate::Say;
use crate::copy::{self, Bytes, quoted};
use crate::session::{Ended, Failure, Session};

/// The texts of scripts; one that does not name its interpreter is for the shell.
#[expect(
    clippy::disallowed_methods,
    reason = "an adapter: scripts are files beside the configuration"
)]
pub(crate) fn read(contents: &[Content], platform: Platform) -> Result<Vec<Vec<u8>>, Failure> {
    contents
        .iter()
        .map(|content| {
            let mut bytes = match content {
                Content::Text(text) => text.clone().into_bytes(),
                Content::Path(path) => std::fs::read(path).map_err(|error| {
                    let path = Path::new(path);
                    let why = copy::about("open", path, &error);
                    Failure::fatal(format!("Failed to open script '{}': {why}", path.display()))
                })?,
            };
            if bytes.is_empty() {
                return Err(Failure::fatal(
                    "Failed to upload script: Error reading script: it is empty",
                ));
            }
            if platform == Platform::Unix && !bytes.starts_with(b"#!") {
                bytes.splice(..0, *b"#!/bin/sh\n");
            }
            Ok(bytes)
        })
        .collect()
}

/// Where a script is put.
fn place(connection: &Connection) -> String {
    let (directory, name) = match connection.platform {
        Platform::Unix => ("/tmp", "terrace_%RAND%.sh"),
        Platform::Windows => ("C:/windows/temp", "terrace_%RAND%.cmd"),
    };
    let usual = format!("{directory}/{name}");
    let number = rand::rng().random_range(100_000_000..u32::MAX);
    connection
        .script_path
        .as_deref()
        .unwrap_or(&usual)
        .replace("%RAND%", &number.to_string())
}

/// Runs one script.
pub(crate) async fn run(
    session: &Session,
    connection: &Connection,
    text: &[u8],
    say: Say<'_>,
) -> Result<(), Failure> {
    let platform = connection.platform;
    let path = place(connection);
    let shell_path = quoted(&path, platform);
    copy::file(session, platform, &path, Bytes::Held(text))
        .await
        .map_err(|failure| Failure::fatal(format!("Failed to upload script: {failure}")))?;
    let unix = platform == Platform::Unix;
    if unix {
        let ended = session
            .run(&format!("chmod 0700 {shell_path}"), false, &|_| ())
            .await?;
        if ended != Ended::Status(0) {
            return Err(Failure::fatal(format!(
                "Error chmodding script file to 0700 in remote machine: {ended}"
            )));
        }
    }
    let ended = session.run(&shell_path, unix, say).await;
    clean_up(session, platform, &path).await;
    match ended? {
        Ended::Status(0) => Ok(()),
        ended => Err(Failure::fatal(format!("error executing {path:?}: {ended}"))),
    }
}

/// Takes a script away, or at least what it holds. The machine may be gone by now.
async fn clean_up(session: &Session, platform: Platform, path: &str) {
    match platform {
        Platform::Unix => {
            let command = format!("rm -f {}", quoted(path, platform));
            session.run(&command, false, &|_| ()).await.ok();
        }
        Platform::Windows => {
            copy::file(session, platform, path, Bytes::Held(b""))
                .await
                .ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_name_their_interpreter() {
        let text = |text: &str| Content::Text(text.to_owned());
        let contents = [text("echo a\n"), text("#!/bin/bash\n")];
        let read = |platform| read(&contents, platform).unwrap();
        assert_eq!(
            read(Platform::Unix),
            [b"#!/bin/sh\necho a\n".to_vec(), b"#!/bin/bash\n".to_vec()]
        );
        assert_eq!(read(Platform::Windows)[0], b"echo a\n");
    }

    #[test]
    fn what_cannot_run_is_told_at_once() {
        let read = |content| read(&[content], Platform::Unix).unwrap_err().to_string();
        assert!(read(Content::Text(String::new())).contains("it is empty"));
        let missing = read(Content::Path("/does/not/exist".to_owned()));
        assert_eq!(
            missing,
            "Failed to open script '/does/not/exist': open /does/not/exist: no such file or directory"
        );
    }
}
