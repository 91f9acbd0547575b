//! crane's registry of OCI artifacts, the one of go-containerregistry.

use std::fs::File;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::golang::installed;
use crate::install::Unavailable;
use crate::ports::free_port;

const PACKAGE: &str = "github.com/google/go-containerregistry/cmd/crane@v0.22.1";
/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_mins(3);

/// A running registry on a port of its own, whose content is gone afterwards. Dropping it ends it.
#[derive(Debug)]
pub struct OciRegistry {
    child: Child,
    port: u16,
    _directory: tempfile::TempDir,
}

impl OciRegistry {
    /// Builds it if need be, starts it and waits until it answers.
    pub fn start() -> Result<Self, Unavailable> {
        let program = installed("crane", PACKAGE)?;
        let directory = tempfile::tempdir()?;
        let port = free_port()?;
        let log = tempfile::tempfile()?;
        let child = Command::new(program)
            .args(["registry", "serve"])
            .args(["--address", &format!("127.0.0.1:{port}")])
            .arg("--disk")
            .arg(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::from(File::try_clone(&log)?))
            .stderr(Stdio::from(log))
            .spawn()?;
        let mut registry = Self {
            child,
            port,
            _directory: directory,
        };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = registry.child.try_wait()? {
                return Err(Unavailable(format!("crane ended at once: {status}")));
            }
            if start.elapsed() > PATIENCE {
                return Err(Unavailable("crane did not answer".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(registry)
    }

    /// Its host and port; it speaks plain HTTP.
    pub fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for OciRegistry {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}
