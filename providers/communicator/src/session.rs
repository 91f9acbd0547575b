//! A session with a machine, and how commands run in it.

use std::fmt;

use russh::client::{Handle, Msg};
use russh::{Channel, ChannelMsg, Disconnect, Pty, Sig};

use crate::Say;
use crate::connect::Peer;

/// Why something did not work.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    message: String,
    /// Whether trying again is of no use.
    pub(crate) fatal: bool,
}

impl Failure {
    /// Trying again is of no use.
    pub(crate) fn fatal(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            fatal: true,
        }
    }

    /// The same failure, with where it happened before it.
    pub(crate) fn behind(mut self, place: &str) -> Self {
        self.message.insert_str(0, place);
        self
    }

    /// May be otherwise in a moment.
    pub(crate) fn passing(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            fatal: false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<russh::Error> for Failure {
    fn from(error: russh::Error) -> Self {
        Self::passing(format!("the SSH connection failed: {error}"))
    }
}

/// An open session. Dropping it ends what runs in it.
pub(crate) struct Session {
    handle: Handle<Peer>,
    /// Whether commands may use the user's SSH agent.
    forward_agent: bool,
    /// The way there; it lasts as long as the session does.
    _bastion: Option<Handle<Peer>>,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With this exit status.
    Status(u32),
    /// By a signal.
    Signal(String),
    /// Nobody knows: the connection was lost.
    Lost,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "Process exited with status {status}"),
            // As the reference numbers what a signal ended.
            Self::Signal(name) => match signal_number(name) {
                Some(number) => write!(
                    f,
                    "Process exited with status {} from signal {name}",
                    128 + number
                ),
                None => write!(f, "Process exited from signal {name}"),
            },
            Self::Lost => f.write_str(
                "remote command exited without exit status or exit signal: the connection was closed",
            ),
        }
    }
}

fn signal_number(name: &str) -> Option<u32> {
    const SIGNALS: [(&str, u32); 12] = [
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("ILL", 4),
        ("ABRT", 6),
        ("FPE", 8),
        ("KILL", 9),
        ("USR1", 10),
        ("SEGV", 11),
        ("PIPE", 13),
        ("ALRM", 14),
        ("TERM", 15),
    ];
    let found = SIGNALS.iter().find(|(known, _)| *known == name);
    found.map(|(_, number)| *number)
}

fn signal_name(signal: &Sig) -> String {
    match signal {
        Sig::Custom(name) => name.clone(),
        known => format!("{known:?}"),
    }
}

impl Session {
    pub(crate) fn new(
        handle: Handle<Peer>,
        forward_agent: bool,
        bastion: Option<Handle<Peer>>,
    ) -> Self {
        Self {
            handle,
            forward_agent,
            _bastion: bastion,
        }
    }

    /// Opens a channel in which commands may use the user's agent.
    pub(crate) async fn open(&self) -> Result<Channel<Msg>, Failure> {
        let channel = self.handle.channel_open_session().await?;
        if self.forward_agent {
            // A machine that does not forward agents still runs commands.
            channel.agent_forward(false).await.ok();
        }
        Ok(channel)
    }

    /// Runs a command to its end; each line that it prints is said.
    pub(crate) async fn run(
        &self,
        command: &str,
        terminal: bool,
        say: Say<'_>,
    ) -> Result<Ended, Failure> {
        let mut channel = self.open().await?;
        if terminal {
            let modes = [(Pty::ECHO, 0)];
            channel
                .request_pty(false, "xterm", 80, 40, 0, 0, &modes)
                .await?;
        }
        channel.exec(true, command).await?;
        let (mut out, mut err) = (Lines::default(), Lines::default());
        let mut ended = Ended::Lost;
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } => out.push(&data, say),
                ChannelMsg::ExtendedData { data, .. } => err.push(&data, say),
                ChannelMsg::ExitStatus { exit_status } => ended = Ended::Status(exit_status),
                ChannelMsg::ExitSignal {
                    signal_name: signal,
                    ..
                } => {
                    ended = Ended::Signal(signal_name(&signal));
                }
                ChannelMsg::Failure => {
                    return Err(Failure::fatal("the machine refuses to run commands"));
                }
                _ => {}
            }
        }
        out.finish(say);
        err.finish(say);
        Ok(ended)
    }

    /// Says goodbye.
    pub(crate) async fn close(self) {
        // Whoever is gone needs no goodbye.
        self.handle
            .disconnect(Disconnect::ByApplication, "", "")
            .await
            .ok();
    }
}

/// Output on its way to becoming lines.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    fn push(&mut self, bytes: &[u8], say: Say<'_>) {
        // Only what is new can end a line.
        let mut from = self.rest.len();
        self.rest.extend_from_slice(bytes);
        let mut start = 0;
        while let Some(at) = self.rest[from..].iter().position(|byte| *byte == b'\n') {
            line(&self.rest[start..from + at], say);
            start = from + at + 1;
            from = start;
        }
        self.rest.drain(..start);
    }

    fn finish(self, say: Say<'_>) {
        if !self.rest.is_empty() {
            line(&self.rest, say);
        }
    }
}

fn line(bytes: &[u8], say: Say<'_>) {
    say(String::from_utf8_lossy(bytes).trim_end_matches('\r'));
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn output_is_said_line_by_line() {
        let said = Mutex::new(Vec::new());
        let say = |line: &str| said.lock().unwrap().push(line.to_owned());
        let mut lines = Lines::default();
        for part in ["a", "b\r\n\nc\nd", "", "e"] {
            lines.push(part.as_bytes(), &say);
        }
        lines.finish(&say);
        assert_eq!(*said.lock().unwrap(), ["ab", "", "c", "de"]);
    }

    #[test]
    fn ends_are_told_as_the_reference_does() {
        assert_eq!(Ended::Status(3).to_string(), "Process exited with status 3");
        assert_eq!(
            Ended::Signal("KILL".to_owned()).to_string(),
            "Process exited with status 137 from signal KILL"
        );
    }
}
