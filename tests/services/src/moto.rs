//! moto, a server that answers as AWS does.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::install::{Unavailable, download, once, venv};
use crate::ports::free_port;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_mins(3);

/// A running moto server on a port of its own. Dropping it ends it.
#[derive(Debug)]
pub struct Moto {
    child: Child,
    port: u16,
}

impl Moto {
    /// Installs moto if need be, starts it and waits until it answers.
    pub fn start() -> Result<Self, Unavailable> {
        let directory = once("moto-5.2.5", |directory| {
            venv(directory)?;
            download(Command::new(directory.join("bin/pip")).args([
                "install",
                "--quiet",
                "moto[server]==5.2.5",
            ]))
        })?;
        let log = tempfile::tempfile()?;
        let port = free_port()?;
        let child = Command::new(directory.join("bin/python3"))
            .arg(directory.join("bin/moto_server"))
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::from(File::try_clone(&log)?))
            .stderr(Stdio::from(log))
            .spawn()?;
        let mut moto = Self { child, port };
        let start = Instant::now();
        loop {
            if moto
                .get("/moto-api/config")
                .is_ok_and(|status| (200..300).contains(&status))
            {
                moto.without_containers()?;
                return Ok(moto);
            }
            if let Some(status) = moto.child.try_wait()? {
                return Err(Unavailable(format!("moto ended at once: {status}")));
            }
            if start.elapsed() > PATIENCE {
                return Err(Unavailable(format!(
                    "moto did not answer within {} s",
                    PATIENCE.as_secs()
                )));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Functions are not run in containers, which there may be none of.
    fn without_containers(&self) -> Result<(), Unavailable> {
        let body = "{\"lambda\": {\"use_docker\": false}}";
        match self.send("POST", "/moto-api/config", body)? {
            200..300 => Ok(()),
            status => Err(Unavailable(format!(
                "moto answered {status} to its settings"
            ))),
        }
    }

    /// Its address, such as `http://127.0.0.1:5000`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Forgets everything that was made in it.
    pub fn reset(&self) -> Result<(), Unavailable> {
        match self.request("POST", "/moto-api/reset")? {
            200..300 => Ok(()),
            status => Err(Unavailable(format!("moto answered {status} to a reset"))),
        }
    }

    /// Makes an empty bucket.
    pub fn create_bucket(&self, bucket: &str) -> Result<(), Unavailable> {
        match self.request("PUT", &format!("/{bucket}"))? {
            200 => Ok(()),
            status => Err(Unavailable(format!("moto answered {status} to a bucket"))),
        }
    }

    /// Lets everybody read what lies in a bucket.
    pub fn make_public(&self, bucket: &str) -> Result<(), Unavailable> {
        let policy = format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{bucket}/*"}}]}}"#
        );
        match self.send("PUT", &format!("/{bucket}?policy"), &policy)? {
            200..300 => Ok(()),
            status => Err(Unavailable(format!("moto answered {status} to a policy"))),
        }
    }

    /// What everybody can read under an address of a bucket, if something lies there.
    pub fn object(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        match self.exchange("GET", &format!("/{bucket}/{key}"), "")? {
            (200, body) => Ok(Some(body)),
            (404, _) => Ok(None),
            (status, _) => Err(Unavailable(format!("moto answered {status} to {key}"))),
        }
    }

    /// How many things there are of which kind, by service and kind: `kms Key`.
    pub fn inventory(&self) -> Result<BTreeMap<String, usize>, Unavailable> {
        let (status, body) = self.exchange("GET", "/moto-api/data.json", "")?;
        let services: BTreeMap<String, BTreeMap<String, Vec<serde_json::Value>>> =
            serde_json::from_slice(&body)
                .map_err(|error| Unavailable(format!("moto answered {status}: {error}")))?;
        let counted = services.into_iter().flat_map(|(service, kinds)| {
            let kinds = kinds.into_iter().filter(|(_, things)| !things.is_empty());
            kinds.map(move |(kind, things)| (format!("{service} {kind}"), things.len()))
        });
        Ok(counted.collect())
    }

    /// Puts an image of nothing into a repository of ECR.
    pub fn push_image(&self, region: &str, repository: &str, tag: &str) -> Result<(), Unavailable> {
        let manifest = r#"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\",\"config\":{\"mediaType\":\"application/vnd.docker.container.image.v1+json\",\"size\":2,\"digest\":\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"},\"layers\":[]}"#;
        let body = format!(
            r#"{{"repositoryName":"{repository}","imageTag":"{tag}","imageManifest":"{manifest}"}}"#
        );
        let headers = format!(
            "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: AmazonEC2ContainerRegistry_V20150921.PutImage\r\nAuthorization: AWS4-HMAC-SHA256 Credential=test/20260101/{region}/ecr/aws4_request, SignedHeaders=host, Signature=0\r\n"
        );
        match self.exchange_with("POST", "/", &headers, &body)? {
            (200, _) => Ok(()),
            (status, body) => Err(Unavailable(format!(
                "moto answered {status} to an image: {}",
                String::from_utf8_lossy(&body)
            ))),
        }
    }

    fn get(&self, path: &str) -> Result<u16, Unavailable> {
        self.request("GET", path)
    }

    /// The status of the answer to a request without a body.
    fn request(&self, method: &str, path: &str) -> Result<u16, Unavailable> {
        self.send(method, path, "")
    }

    /// The status of the answer to a request.
    fn send(&self, method: &str, path: &str, body: &str) -> Result<u16, Unavailable> {
        Ok(self.exchange(method, path, body)?.0)
    }

    /// The status and the body of the answer to a request.
    fn exchange(
        &self,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<(u16, Vec<u8>), Unavailable> {
        self.exchange_with(method, path, "", body)
    }

    /// The same with headers, each with its end of line.
    fn exchange_with(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Result<(u16, Vec<u8>), Unavailable> {
        exchange_at(("127.0.0.1", self.port), method, path, headers, body)
    }
}

/// The status and the body of the answer of a server to a request, whose headers each have their end of line.
pub(crate) fn exchange_at(
    server: impl ToSocketAddrs,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Result<(u16, Vec<u8>), Unavailable> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n");
    let body = end.map(|end| answer.split_off(end + 4)).unwrap_or_default();
    let head = String::from_utf8_lossy(&answer);
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| Unavailable(format!("no HTTP answer: {head}")))?;
    Ok((status, body))
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}
