//! Machines that provisioners reach over the network.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

/// How a machine is reached: what a `connection` block of type `ssh` says, with all defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The machine.
    pub target: Login,
    /// The machine from which it is reached.
    pub bastion: Option<Login>,
    /// The proxy that is spoken to first.
    pub proxy: Option<Proxy>,
    /// For how long it is tried.
    pub timeout: Duration,
    /// Where scripts are put; `%RAND%` in it stands for a number. `None` for the platform's usual place.
    pub script_path: Option<String>,
    /// What it runs.
    pub platform: Platform,
    /// Whether the keys of an SSH agent are offered; `None` where there is an agent.
    pub agent: Option<bool>,
    /// Which of the agent's keys comes first: a public key, the path of its file, or the comment that the agent knows.
    pub agent_identity: Option<String>,
}

/// A machine, and who one is there. Prints itself without secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The user.
    pub user: String,
    /// Their password.
    pub password: Option<String>,
    /// The text of their private key.
    pub private_key: Option<String>,
    /// The certificate of the private key.
    pub certificate: Option<String>,
    /// The machine's public key, or that of the authority that signs such keys. Unchecked where there is none.
    pub host_key: Option<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A proxy. Prints itself without secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// `http`, `https` or `socks5`.
    pub scheme: String,
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The user.
    pub user: Option<String>,
    /// Their password.
    pub password: Option<String>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("scheme", &self.scheme)
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// What a machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// A system with a POSIX shell.
    Unix,
    /// Windows.
    Windows,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unix => "unix",
            Self::Windows => "windows",
        })
    }
}

/// Something to hand over.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// A text.
    Text(String),
    /// What a file or directory of this machine holds.
    Path(String),
}

/// What to do on a machine.
#[derive(Clone, PartialEq, Eq)]
pub enum RemoteTask {
    /// Runs scripts one after the other, up to the first that fails.
    Run(Vec<Content>),
    /// Copies a file or a directory.
    Copy {
        /// What. A directory whose path ends with a slash stands for what is in it.
        content: Content,
        /// Where to.
        destination: String,
    },
}

/// Why a task could not be carried out, for a person; holds no secrets of the connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RemoteError(pub String);

/// Reaches machines.
#[async_trait]
pub trait Remote: Send + Sync {
    /// Connects, carries out a task, and disconnects. What the connection and the scripts have to say is handed to
    /// `on_output` as it comes: each call is one message or one line of output. Dropping the future ends what runs.
    async fn carry_out(
        &self,
        connection: &Connection,
        task: &RemoteTask,
        on_output: &(dyn for<'a> Fn(&'a str) + Send + Sync),
    ) -> Result<(), RemoteError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print_themselves() {
        let login = Login {
            host: "h".to_owned(),
            port: 22,
            user: "u".to_owned(),
            password: Some("xyzzy".to_owned()),
            private_key: Some("xyzzy".to_owned()),
            certificate: None,
            host_key: None,
        };
        let proxy = Proxy {
            scheme: "http".to_owned(),
            host: "p".to_owned(),
            port: 80,
            user: None,
            password: Some("xyzzy".to_owned()),
        };
        assert!(!format!("{login:?}{proxy:?}").contains("xyzzy"));
    }
}
