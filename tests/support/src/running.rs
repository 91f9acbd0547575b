//! A command that is still running.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tempfile::NamedTempFile;

use crate::Ran;

/// How long a command may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_mins(5);

/// A command that was started and is not awaited yet. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    line: String,
    child: Option<Child>,
    /// Whether it is known to have ended: its number may be another process's by now.
    ended: bool,
    stdout: NamedTempFile,
    stderr: NamedTempFile,
    directory: PathBuf,
}

impl Running {
    pub(crate) fn start(line: String, command: &mut Command, directory: PathBuf) -> Self {
        let stdout = NamedTempFile::new().expect("a temporary file can be made");
        let stderr = NamedTempFile::new().expect("a temporary file can be made");
        let end = |file: &NamedTempFile| {
            let opened = std::fs::File::options().append(true).open(file.path());
            Stdio::from(opened.expect("a file can be opened twice"))
        };
        let child = command
            .stdin(Stdio::null())
            .stdout(end(&stdout))
            .stderr(end(&stderr))
            .spawn()
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        Self {
            line,
            child: Some(child),
            ended: false,
            stdout,
            stderr,
            directory,
        }
    }

    /// Sends a signal, which comes to nobody where it is known to have ended.
    fn signal(&self, signal: Signal) {
        if self.ended {
            return;
        }
        kill(self.id(), signal).expect("the process can be signalled");
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal(Signal::SIGTERM);
    }

    /// Sends SIGKILL.
    pub fn kill(&self) {
        self.signal(Signal::SIGKILL);
    }

    /// Sends SIGKILL to it and to all that it has started, at once. Only for one that leads a group.
    pub fn kill_group(&self) {
        if self.ended {
            return;
        }
        killpg(self.id(), Signal::SIGKILL).expect("the group can be signalled");
    }

    fn id(&self) -> Pid {
        let child = self.child.as_ref().expect("it has not been awaited");
        Pid::from_raw(i32::try_from(child.id()).expect("a process id is small"))
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        let child = self.child.as_mut().expect("it has not been awaited");
        self.ended = child
            .try_wait()
            .expect("the process can be asked")
            .is_some();
        self.ended
    }

    /// What it has printed so far.
    pub fn printed(&self) -> String {
        let mut text = content(&self.stdout);
        text.push_str(&content(&self.stderr));
        text
    }

    /// Waits until `happened` says so. Fails the test when the command ends before, or takes too long.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut happened: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        loop {
            // Asked before: what happened just before its end has happened.
            let has_ended = self.has_ended();
            if happened(self) {
                return;
            }
            assert!(
                !has_ended,
                "{} ended before {what}:\n{}",
                self.line,
                self.printed()
            );
            assert!(
                begun.elapsed() < PATIENCE,
                "{}: {what} did not come:\n{}",
                self.line,
                self.printed()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(mut self) -> Ran {
        let begun = Instant::now();
        while !self.has_ended() {
            assert!(
                begun.elapsed() < PATIENCE,
                "{} does not end:\n{}",
                self.line,
                self.printed()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut child = self.child.take().expect("it has not been awaited");
        let status = child.wait().expect("the process can be awaited");
        let output = Output {
            status,
            stdout: content(&self.stdout).into_bytes(),
            stderr: content(&self.stderr).into_bytes(),
        };
        Ran::new(
            std::mem::take(&mut self.line),
            &output,
            std::mem::take(&mut self.directory),
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended already.
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// What has been written to a file so far.
fn content(file: &NamedTempFile) -> String {
    let bytes = std::fs::read(file.path()).expect("a file can be read");
    String::from_utf8_lossy(&bytes).into_owned()
}
