//! Time and memory of one process.
//!
//! A process learns the greatest memory of its children only as one number for all of them, so each command runs below
//! a process of its own: this program again, which starts the command, waits, and says what it took.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// The first argument that makes this program the one in between.
pub(crate) const SUBCOMMAND: &str = "measure-one";

/// How often it looks whether the command has ended.
const PAUSE: Duration = Duration::from_millis(1);

/// How much of an error text is shown.
const SHOWN: usize = 600;

/// What a command took.
#[derive(Clone, Debug)]
pub(crate) enum Measured {
    /// It ended well.
    Done {
        /// From start to end.
        time: Duration,
        /// The most that it, or one process that it waited for, held at a time, in bytes.
        memory: u64,
    },
    /// It took longer than it may.
    GivenUp {
        /// How long it was given.
        after: Duration,
    },
    /// It ended badly.
    Failed {
        /// What it said.
        message: String,
    },
}

impl Measured {
    /// Whether it ended well.
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }
}

/// Runs a program with its arguments; `place` says where and in which environment.
pub(crate) fn run(
    arguments: &[OsString],
    patience: Duration,
    place: impl FnOnce(&mut Command) -> io::Result<()>,
) -> Measured {
    match attempt(arguments, patience, place) {
        Ok(measured) => measured,
        Err(error) => Measured::Failed {
            message: error.to_string(),
        },
    }
}

fn attempt(
    arguments: &[OsString],
    patience: Duration,
    place: impl FnOnce(&mut Command) -> io::Result<()>,
) -> io::Result<Measured> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg(SUBCOMMAND)
        .arg(patience.as_secs().to_string())
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    place(&mut command)?;
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut words = text.split_whitespace();
    let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
    Ok(match (number(), number()) {
        (Some(microseconds), Some(memory)) => Measured::Done {
            time: Duration::from_micros(microseconds),
            memory,
        },
        _ if output.status.code() == Some(i32::from(GIVEN_UP)) => {
            Measured::GivenUp { after: patience }
        }
        _ => Measured::Failed {
            message: String::from_utf8_lossy(&output.stderr)
                .trim()
                .chars()
                .take(SHOWN)
                .collect(),
        },
    })
}

const GIVEN_UP: u8 = 124;

/// The process in between: `arguments` are the seconds that the command may take, and the command.
pub(crate) fn in_between(arguments: &[String]) -> ExitCode {
    match watch(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn watch(arguments: &[String]) -> io::Result<ExitCode> {
    let [patience, program, rest @ ..] = arguments else {
        return Err(io::Error::other("nothing to measure"));
    };
    let patience = Duration::from_secs(patience.parse().map_err(io::Error::other)?);
    let started = Instant::now();
    let mut child = Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let errors = child.stderr.take();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(mut errors) = errors {
            // What cannot be read is not shown; the exit status tells enough.
            errors.read_to_string(&mut text).ok();
        }
        text
    });
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            return Ok(ExitCode::from(GIVEN_UP));
        }
        std::thread::sleep(PAUSE);
    };
    let time = started.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    if !status.success() {
        eprintln!("{}", reader.join().unwrap_or_default());
        return Ok(ExitCode::FAILURE);
    }
    println!("{} {}", time.as_micros(), bytes(usage.max_rss()));
    Ok(ExitCode::SUCCESS)
}

/// The system counts in kibibytes, except on macOS.
fn bytes(max_rss: i64) -> u64 {
    let count = u64::try_from(max_rss).unwrap_or(0);
    if cfg!(target_os = "macos") {
        count
    } else {
        count * 1024
    }
}
