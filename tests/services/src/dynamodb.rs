//! DynamoDB Local, Amazon's own small `DynamoDB`.

use std::fs::{self, File};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::install::{Unavailable, download, once};
use crate::ports::free_port;

const POM: &str = "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tests</groupId>
  <artifactId>tests</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>com.amazonaws</groupId>
      <artifactId>DynamoDBLocal</artifactId>
      <version>2.5.4</version>
    </dependency>
  </dependencies>
</project>
";
/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_mins(3);

/// A running DynamoDB Local on a port of its own, which keeps everything in memory. Dropping it ends it.
#[derive(Debug)]
pub struct DynamoDb {
    child: Child,
    port: u16,
}

impl DynamoDb {
    /// Installs it from Maven Central if need be, starts it and waits until it answers.
    pub fn start() -> Result<Self, Unavailable> {
        let directory = once("dynamodb-local-2.5.4", |directory| {
            fs::write(directory.join("pom.xml"), POM)?;
            download(
                Command::new("mvn")
                    .current_dir(directory)
                    .args(["--quiet", "--batch-mode", "dependency:copy-dependencies"])
                    .arg("-DoutputDirectory=lib"),
            )
        })?;
        let libraries = directory.join("lib");
        let port = free_port()?;
        let log = tempfile::tempfile()?;
        let child = Command::new("java")
            .arg(format!("-Djava.library.path={}", libraries.display()))
            .arg("-cp")
            .arg(libraries.join("*"))
            .arg("com.amazonaws.services.dynamodbv2.local.main.ServerRunner")
            .args(["-inMemory", "-port", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::from(File::try_clone(&log)?))
            .stderr(Stdio::from(log))
            .spawn()?;
        let mut server = Self { child, port };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = server.child.try_wait()? {
                return Err(Unavailable(format!(
                    "DynamoDB Local ended at once: {status}"
                )));
            }
            if start.elapsed() > PATIENCE {
                return Err(Unavailable("DynamoDB Local did not answer".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    /// Its address.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for DynamoDb {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}
