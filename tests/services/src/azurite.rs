//! Azurite, a server that answers as Azure's storage does and checks signatures.

use std::fs::File;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::install::{Unavailable, download, once};
use crate::ports::free_port;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_mins(3);
const ACCOUNT: &str = "terracestate";
const KEY: &str = "dGVycmFjZS1zdG9yYWdlLWtleS1vZi10aGUtdGVzdHM=";

/// A running Azurite on a port of its own, which keeps everything in memory. Dropping it ends it.
#[derive(Debug)]
pub struct Azurite {
    child: Child,
    port: u16,
    secure: bool,
}

impl Azurite {
    /// Installs it from npm if need be, starts it and waits until it answers.
    pub fn start() -> Result<Self, Unavailable> {
        Self::launch(&[])
    }

    /// Starts it with TLS, by the certificate and the key in these files.
    pub fn start_secure(certificate: &str, key: &str) -> Result<Self, Unavailable> {
        Self::launch(&["--cert", certificate, "--key", key])
    }

    fn launch(more: &[&str]) -> Result<Self, Unavailable> {
        let directory = once("azurite-3.35.0", |directory| {
            download(
                Command::new("npm")
                    .args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"])
                    .arg(directory)
                    .arg("azurite@3.35.0"),
            )
        })?;
        let port = free_port()?;
        let log = tempfile::tempfile()?;
        let child = Command::new("node")
            .arg(directory.join("node_modules/.bin/azurite-blob"))
            .args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()])
            .args([
                "--inMemoryPersistence",
                "--skipApiVersionCheck",
                "--disableTelemetry",
            ])
            .args(more)
            .env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{KEY}"))
            .stdin(Stdio::null())
            .stdout(Stdio::from(File::try_clone(&log)?))
            .stderr(Stdio::from(log))
            .spawn()?;
        let mut server = Self {
            child,
            port,
            secure: !more.is_empty(),
        };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = server.child.try_wait()? {
                return Err(Unavailable(format!("Azurite ended at once: {status}")));
            }
            if start.elapsed() > PATIENCE {
                return Err(Unavailable("Azurite did not answer".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of its account's blobs.
    pub fn endpoint(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}/{ACCOUNT}", self.port)
    }

    /// The name of its account.
    pub fn account(&self) -> &'static str {
        ACCOUNT
    }

    /// The key of its account.
    pub fn key(&self) -> &'static str {
        KEY
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}
