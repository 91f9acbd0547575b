//! Plugins end with the engine, even if it was killed and could not end them.
//!
//! A plugin serves until it is told to end; one whose engine was killed would stay for ever. So a process of its own, the
//! guard, holds the reading end of a pipe and is told there which plugins run. The system closes the pipe whatever becomes of
//! the engine, and then the guard kills what is left. It is this program again, started before the first plugin.

use std::io::{self, BufRead, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a plugin that was told to end may take to do so.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// Watches over the plugins of this process.
pub struct Guard {
    program: PathBuf,
    running: Mutex<Option<(Child, ChildStdin)>>,
}

/// What the guard calls itself, so that who ends the engine by its name does not end the guard.
const NAME: &std::ffi::CStr = c"plugin-guard";

impl Guard {
    /// The argument with which `program` is started as a guard: it must call [`Guard::keep`] then.
    pub const ARGUMENT: &'static str = "plugin-guard";

    /// A guard that is `program` started again, once there is something to watch over.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            running: Mutex::new(None),
        }
    }

    /// The guard's own work: reads which plugins run, and kills those that are left when there is nothing more to read.
    /// Those that were told to end have a moment to do so.
    pub fn keep(input: impl BufRead) {
        Self::keep_for(PATIENCE, input);
    }

    fn keep_for(patience: Duration, input: impl BufRead) {
        // Without the name all else works.
        #[cfg(target_os = "linux")]
        nix::sys::prctl::set_name(NAME).ok();
        let mut watched: Vec<(i32, PathBuf)> = Vec::new();
        let mut ending = Vec::new();
        for line in input.split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            let (sign, rest) = line.split_at_checked(1).unwrap_or_default();
            let (group, directory) = rest.split_once(' ').unwrap_or((rest, ""));
            let Ok(group) = group.parse() else { continue };
            match sign {
                "+" => watched.push((group, directory.into())),
                "~" => {
                    let found = watched.iter().position(|(other, _)| *other == group);
                    if let Some((group, directory)) = found.map(|index| watched.remove(index)) {
                        ending.push(thread::spawn(move || see_off(group, &directory, patience)));
                    }
                }
                _ => watched.retain(|(other, _)| *other != group),
            }
        }
        for (group, directory) in watched {
            end(group, &directory);
        }
        for one in ending {
            // One that failed has nothing more to do.
            one.join().ok();
        }
    }

    /// Watches over a plugin from now on: its process group, and the directory of its socket.
    pub(crate) fn watch(&self, group: u32, directory: &Path) -> io::Result<()> {
        self.tell(&format!("+{group} {}\n", directory.display()))
    }

    /// The plugin has ended.
    pub(crate) fn forget(&self, group: u32) {
        // A guard that is gone has nothing to forget.
        self.tell(&format!("-{group}\n")).ok();
    }

    /// The plugin was told to end, and nobody else waits for it: the guard does, and kills it if it does not.
    pub(crate) fn see_off(&self, group: u32) -> io::Result<()> {
        self.tell(&format!("~{group}\n"))
    }

    fn tell(&self, line: &str) -> io::Result<()> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, pipe) = match &mut *running {
            Some(running) => running,
            None => running.insert(start(&self.program)?),
        };
        pipe.write_all(line.as_bytes())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let running = self
            .running
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        // It ends by itself after what is left, which nobody has to wait for.
        drop(running.take());
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the guard is a process, as plugins are"
)]
fn start(program: &Path) -> io::Result<(Child, ChildStdin)> {
    let mut command = Command::new(program);
    command
        .arg(Guard::ARGUMENT)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Neither Ctrl-C nor the end of a whole process group reaches it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::arg0(
        std::os::unix::process::CommandExt::process_group(&mut command, 0),
        Guard::ARGUMENT,
    );
    let mut child = command.spawn()?;
    let pipe = child
        .stdin
        .take()
        .ok_or_else(|| io::Error::other("the guard has no pipe"))?;
    Ok((child, pipe))
}

/// Waits for a plugin to end, and ends it if it does not.
fn see_off(group: i32, directory: &Path, patience: Duration) {
    let begun = Instant::now();
    while is_there(group) && begun.elapsed() < patience {
        thread::sleep(Duration::from_millis(10));
    }
    end(group, directory);
}

#[cfg(unix)]
fn is_there(group: i32) -> bool {
    nix::sys::signal::killpg(nix::unistd::Pid::from_raw(group), None).is_ok()
}

#[cfg(not(unix))]
fn is_there(_group: i32) -> bool {
    false
}

fn end(group: i32, directory: &Path) {
    #[cfg(unix)]
    {
        use nix::sys::signal::{Signal, killpg};
        // One that has ended needs no killing.
        killpg(nix::unistd::Pid::from_raw(group), Signal::SIGKILL).ok();
    }
    let is_ours = directory
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with("terrace-"));
    if is_ours {
        std::fs::remove_dir_all(directory).ok();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::CommandExt as _;

    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a test")]
    fn sleeper() -> Child {
        Command::new("sleep")
            .arg("600")
            .process_group(0)
            .spawn()
            .expect("there is a program that sleeps")
    }

    #[test]
    fn what_is_left_at_the_end_is_killed_and_nothing_else() {
        let (mut left, mut ended) = (sleeper(), sleeper());
        let directory = tempfile::Builder::new()
            .prefix("terrace-")
            .tempdir()
            .unwrap();
        let other = tempfile::tempdir().unwrap();
        let told = format!(
            "+{} {}\n+{} {}\nnonsense\n-{}\n",
            left.id(),
            directory.path().display(),
            ended.id(),
            other.path().display(),
            ended.id()
        );
        Guard::keep(told.as_bytes());
        assert!(!left.wait().unwrap().success());
        assert!(ended.try_wait().unwrap().is_none(), "it still runs");
        assert!(!directory.path().exists() && other.path().exists());
        ended.kill().unwrap();
        ended.wait().unwrap();
    }

    #[test]
    fn what_was_told_to_end_has_a_moment_to_do_so() {
        let directory = tempfile::Builder::new()
            .prefix("terrace-")
            .tempdir()
            .unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test")]
        let mut polite = Command::new("sleep")
            .arg("0.2")
            .process_group(0)
            .spawn()
            .expect("there is a program that sleeps");
        let (group, path) = (polite.id(), directory.path().display());
        let told = format!("+{group} {path}\n~{group}\n");
        let waiting = thread::spawn(move || polite.wait());
        let (begun, patience) = (Instant::now(), Duration::from_mins(2));
        Guard::keep_for(patience, told.as_bytes());
        assert!(begun.elapsed() < patience, "it is gone before");
        let status = waiting.join().unwrap().unwrap();
        assert!(status.success(), "it ended by itself: {status}");
        assert!(!directory.path().exists());

        let mut stubborn = sleeper();
        let group = stubborn.id();
        Guard::keep(format!("+{group} \n~{group}\n").as_bytes());
        assert!(!stubborn.wait().unwrap().success(), "it is killed");
    }
}
