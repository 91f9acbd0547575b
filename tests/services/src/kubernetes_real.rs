//! The API server of Kubernetes with its etcd, the real ones, on free ports.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::Value;

use crate::certificates::Authority;
use crate::golang::module_file;
use crate::install::{Unavailable, download, go, once};
use crate::ports::free_port;

/// The version of Kubernetes, and that of its modules.
const VERSION: &str = "1.36.3";
const MODULES: &str = "0.36.3";
const TOKEN: &str = "admin-token";
/// How long the servers may take to answer.
const PATIENCE: Duration = Duration::from_mins(5);

const API_SERVER: &str = "package main

import (
\t\"os\"

\t\"k8s.io/component-base/cli\"
\t\"k8s.io/kubernetes/cmd/kube-apiserver/app\"
)

func main() {
\tos.Exit(cli.Run(app.NewAPIServerCommand()))
}
";

const ETCD: &str = "package main

import (
\t\"os\"

\t\"go.etcd.io/etcd/server/v3/etcdmain\"
)

func main() {
\tetcdmain.Main(os.Args)
}
";

/// A running API server. Dropping it ends it.
#[derive(Debug)]
pub struct Kubernetes {
    server: Process,
    _etcd: Process,
    port: u16,
    authority: String,
    directory: tempfile::TempDir,
}

#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// Where the programs are, which are built where they are not: that takes ten minutes.
fn programs() -> Result<PathBuf, Unavailable> {
    once(&format!("kubernetes-{VERSION}"), |directory| {
        let tree = directory.join("tree");
        let kubernetes = format!("k8s.io/kubernetes@v{VERSION}");
        // Kubernetes' own modules are named without a version in it; so named they lie beside it in its repository.
        let known = fs::read_to_string(module_file(&kubernetes)?)?;
        let mut file = format!(
            "module terrace.test/kubernetes\n\ngo 1.26\n\nrequire k8s.io/kubernetes v{VERSION}\n\nreplace (\n"
        );
        for line in known.lines() {
            let mut words = line
                .trim()
                .trim_start_matches("require ")
                .split_whitespace();
            if let (Some(module), Some("v0.0.0")) = (words.next(), words.next()) {
                file.extend(["\t", module, " => ", module, " v", MODULES, "\n"]);
            }
        }
        file += ")\n";
        fs::create_dir_all(&tree)?;
        fs::write(tree.join("go.mod"), file)?;
        let cache = directory.join("cache");
        for (name, text) in [("etcd", ETCD), ("kube-apiserver", API_SERVER)] {
            fs::create_dir_all(tree.join(name))?;
            fs::write(tree.join(name).join("main.go"), text)?;
        }
        for name in ["etcd", "kube-apiserver"] {
            let named = format!("-s -w -X k8s.io/component-base/version.gitVersion=v{VERSION}");
            download(
                Command::new(go()?)
                    .current_dir(&tree)
                    .env("GOCACHE", &cache)
                    .env("CGO_ENABLED", "0")
                    .args([
                        "build",
                        "-buildvcs=false",
                        "-mod=mod",
                        "-ldflags",
                        &named,
                        "-o",
                    ])
                    .arg(directory.join(name))
                    .arg(format!("./{name}")),
            )?;
        }
        fs::remove_dir_all(cache)?;
        Ok(fs::remove_dir_all(tree)?)
    })
}

fn spawned(mut command: Command, log: &Path) -> Result<Process, Unavailable> {
    let log = File::create(log)?;
    Ok(Process(
        command
            .stdin(Stdio::null())
            .stdout(Stdio::from(log.try_clone()?))
            .stderr(Stdio::from(log))
            .spawn()?,
    ))
}

impl Kubernetes {
    /// Builds it if need be, starts it and waits until it is ready.
    pub fn start() -> Result<Self, Unavailable> {
        let programs = programs()?;
        let directory = tempfile::tempdir()?;
        let path = |name: &str| directory.path().join(name);
        let (clients, peers) = (free_port()?, free_port()?);
        let mut etcd = Command::new(programs.join("etcd"));
        let peers = format!("http://127.0.0.1:{peers}");
        let clients = format!("http://127.0.0.1:{clients}");
        etcd.arg("--data-dir").arg(path("etcd")).args([
            "--unsafe-no-fsync",
            "--listen-client-urls",
            &clients,
            "--advertise-client-urls",
            &clients,
            "--listen-peer-urls",
            &peers,
            "--initial-advertise-peer-urls",
            &peers,
            "--initial-cluster",
            &format!("default={peers}"),
        ]);
        let etcd = spawned(etcd, &path("etcd.log"))?;
        let port = free_port()?;
        let authority = Authority::new("kubernetes")?;
        let (certificate, key) = authority
            .server(&["127.0.0.1"])?
            .write(directory.path(), "server")?;
        let signing = rcgen::KeyPair::generate()
            .map_err(|error| Unavailable(format!("no key can be made: {error}")))?;
        fs::write(path("accounts.key"), signing.serialize_pem())?;
        fs::write(path("accounts.pub"), signing.public_key_pem())?;
        fs::write(
            path("tokens"),
            format!("{TOKEN},admin,admin,\"system:masters\"\n"),
        )?;
        let mut server = Command::new(programs.join("kube-apiserver"));
        let named = |name: &str, file: &Path| format!("--{name}={}", file.display());
        server
            .args([
                format!("--etcd-servers={clients}"),
                format!("--secure-port={port}"),
                named("tls-cert-file", &certificate),
                named("tls-private-key-file", &key),
                named("token-auth-file", &path("tokens")),
                named("service-account-key-file", &path("accounts.pub")),
                named("service-account-signing-key-file", &path("accounts.key")),
                named("cert-dir", &path("certificates")),
            ])
            .args([
                "--bind-address=127.0.0.1",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-cluster-ip-range=10.0.0.0/24",
                "--authorization-mode=RBAC",
                "--endpoint-reconciler-type=none",
            ]);
        let server = spawned(server, &path("server.log"))?;
        let mut kubernetes = Self {
            server,
            _etcd: etcd,
            port,
            authority: authority.certificate().to_owned(),
            directory,
        };
        kubernetes.wait()?;
        Ok(kubernetes)
    }

    fn wait(&mut self) -> Result<(), Unavailable> {
        let begun = Instant::now();
        loop {
            let ready = self.send("GET", "/readyz", "");
            let there = self.send("GET", "/api/v1/namespaces/default", "");
            if matches!((&ready, &there), (Ok((200, _)), Ok((200, _)))) {
                return Ok(());
            }
            let ended = self.server.0.try_wait()?;
            if ended.is_some() || begun.elapsed() > PATIENCE {
                let log = fs::read(self.directory.path().join("server.log")).unwrap_or_default();
                let log = String::from_utf8_lossy(&log);
                let from = log.len().saturating_sub(2000);
                let last = log.get(from..).unwrap_or_default();
                return Err(Unavailable(format!(
                    "the API server is not ready ({ready:?}, {ended:?}): {last}"
                )));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Its address.
    pub fn host(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The token of who may do everything.
    pub fn token(&self) -> &'static str {
        TOKEN
    }

    /// The certificate of who vouches for it, in PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Makes a namespace.
    pub fn create_namespace(&self, name: &str) -> Result<(), Unavailable> {
        let body = format!(
            "{{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{{\"name\":\"{name}\"}}}}"
        );
        match self.request("POST", "/api/v1/namespaces", &body)? {
            (201, _) => Ok(()),
            (status, answer) => Err(Unavailable(format!("{status}: {answer}"))),
        }
    }

    /// The answer to a request with a body in JSON, or without one.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<(u16, Value), Unavailable> {
        let (status, body) = self.send(method, path, body)?;
        Ok((status, serde_json::from_str(&body).unwrap_or_default()))
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Result<(u16, String), Unavailable> {
        let failed = |error: &dyn std::fmt::Display| Unavailable(error.to_string());
        let mut roots = rustls::RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(self.authority.as_bytes())
            .map_err(|error| failed(&error))?;
        roots.add(authority).map_err(|error| failed(&error))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").map_err(|error| failed(&error))?;
        let connection = rustls::ClientConnection::new(Arc::new(config), name)
            .map_err(|error| failed(&error))?;
        let socket = TcpStream::connect(("127.0.0.1", self.port))?;
        socket.set_read_timeout(Some(Duration::from_mins(1)))?;
        let mut stream = rustls::StreamOwned::new(connection, socket);
        // By this version the answer ends with the connection.
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        stream.flush()?;
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                return Err(error.into());
            }
            _ => {}
        }
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| Unavailable(format!("no answer of HTTP: {head:?}")))?;
        Ok((status, body.to_owned()))
    }
}
