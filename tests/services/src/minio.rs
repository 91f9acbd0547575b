//! `MinIO`, a server that speaks the protocol of S3 and checks signatures.

use std::fs::File;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::golang::built;
use crate::install::Unavailable;
use crate::ports::free_port;

const MODULE: &str = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c";
/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_mins(3);

/// A running `MinIO` on a port of its own, whose data is gone afterwards. Dropping it ends it.
#[derive(Debug)]
pub struct Minio {
    child: Child,
    port: u16,
    _data: tempfile::TempDir,
}

impl Minio {
    /// Builds it if need be, which takes minutes, starts it and waits until it answers.
    pub fn start() -> Result<Self, Unavailable> {
        let program = built("minio", MODULE)?;
        let data = tempfile::tempdir()?;
        let port = free_port()?;
        let log = tempfile::tempfile()?;
        let child = Command::new(program)
            .args([
                "server",
                "--quiet",
                "--address",
                &format!("127.0.0.1:{port}"),
            ])
            .arg(data.path())
            .env("MINIO_ROOT_USER", "terrace")
            .env("MINIO_ROOT_PASSWORD", "terrace-secret")
            .env("MINIO_BROWSER", "off")
            .env("MINIO_UPDATE", "off")
            .stdin(Stdio::null())
            .stdout(Stdio::from(File::try_clone(&log)?))
            .stderr(Stdio::from(log))
            .spawn()?;
        let mut minio = Self {
            child,
            port,
            _data: data,
        };
        let start = Instant::now();
        while !is_ready(port) {
            if let Some(status) = minio.child.try_wait()? {
                return Err(Unavailable(format!("MinIO ended at once: {status}")));
            }
            if start.elapsed() > PATIENCE {
                return Err(Unavailable("MinIO did not answer".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(minio)
    }

    /// Its address.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The id of the access key of its owner.
    pub fn access_key(&self) -> &'static str {
        "terrace"
    }

    /// The secret of that key.
    pub fn secret_key(&self) -> &'static str {
        "terrace-secret"
    }
}

fn is_ready(port: u16) -> bool {
    use std::io::{Read as _, Write as _};
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let request =
        "GET /minio/health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    let mut answer = String::new();
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}

impl Drop for Minio {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}
