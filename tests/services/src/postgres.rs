//! A PostgreSQL server of the system's packages, on a free port.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::certificates::{Authority, Certified};
use crate::install::{Unavailable, download, tools_directory};
use crate::ports::free_port;

/// The server. Stopped when it is dropped.
#[derive(Debug)]
pub struct Postgres {
    directory: tempfile::TempDir,
    port: u16,
    binaries: PathBuf,
}

/// Where the server's programs are: the system's, or Debian's, installed where this may be done.
fn binaries() -> Result<PathBuf, Unavailable> {
    // Who comes while another one installs it would find half of it.
    let tools = tools_directory();
    std::fs::create_dir_all(&tools)?;
    let lock = File::create(tools.join("postgresql.lock"))?;
    lock.lock()?;
    if let Some(found) = installed() {
        return Ok(found);
    }
    if is_root() {
        download(
            Command::new("apt-get")
                .args(["install", "--yes", "--quiet", "--no-install-recommends"])
                .args(["-o", "DPkg::Lock::Timeout=120", "postgresql"])
                .env("DEBIAN_FRONTEND", "noninteractive")
                .stdin(Stdio::null()),
        )?;
    }
    installed()
        .ok_or_else(|| Unavailable("PostgreSQL is not installed (the package postgresql)".into()))
}

fn installed() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|path| path.join("initdb").exists())
        .collect();
    found.sort();
    found.pop()
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout == b"0\n")
}

fn run(command: &mut Command) -> Result<(), Unavailable> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(Unavailable(format!(
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )))
}

impl Postgres {
    /// Starts one with an empty database `tfstate` of the user `terrace`, who needs no password.
    pub fn start() -> Result<Self, Unavailable> {
        Self::launch(None)
    }

    /// Starts one that speaks TLS to who asks for it, by this certificate. Its database `certified` is for clients alone for
    /// whom the authority vouches.
    pub fn start_secure(server: &Certified, clients: &Authority) -> Result<Self, Unavailable> {
        let server = Self::launch(Some((server, clients)))?;
        server.create("certified")?;
        Ok(server)
    }

    fn launch(secure: Option<(&Certified, &Authority)>) -> Result<Self, Unavailable> {
        let binaries = binaries()?;
        let directory = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp")?;
        let port = free_port()?;
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(directory.path()))?;
        }
        let server = Self {
            directory,
            port,
            binaries,
        };
        let data = server.data();
        run(server.program("initdb").arg("-D").arg(&data).args([
            "-U",
            "terrace",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
            "--locale=C",
        ]))?;
        let mut options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off -c max_connections=60",
            server.directory.path().display()
        );
        if let Some((certified, clients)) = secure {
            options += &server.secure(certified, clients)?;
        }
        // The server keeps the outputs of who starts it.
        let started = server
            .program("pg_ctl")
            .arg("-D")
            .arg(&data)
            .arg("-l")
            .arg(server.directory.path().join("log"))
            .args(["-w", "-o", &options, "start"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if !started.success() {
            let log = std::fs::read_to_string(server.directory.path().join("log"));
            return Err(Unavailable(log.unwrap_or_default()));
        }
        server.create("tfstate")?;
        Ok(server)
    }

    /// Puts certificates where the server finds them; the options that name them.
    fn secure(&self, certified: &Certified, clients: &Authority) -> Result<String, Unavailable> {
        let (certificate, key) = certified.write(self.directory.path(), "server")?;
        let authority = self.directory.path().join("clients.pem");
        std::fs::write(&authority, clients.certificate())?;
        let rules = self.data().join("pg_hba.conf");
        std::fs::write(
            &rules,
            "hostssl certified all all trust clientcert=verify-ca\nhost certified all all reject\nhost all all all trust\n",
        )?;
        if is_root() {
            run(Command::new("chown").arg("postgres").args([
                &certificate,
                &key,
                &authority,
                &rules,
            ]))?;
        }
        Ok(format!(
            " -c ssl=on -c ssl_cert_file={} -c ssl_key_file={} -c ssl_ca_file={}",
            certificate.display(),
            key.display(),
            authority.display()
        ))
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes an empty database.
    pub fn create(&self, database: &str) -> Result<(), Unavailable> {
        self.query("postgres", &format!("CREATE DATABASE {database}"))
            .map(drop)
    }

    /// What a statement gives, a row a line.
    pub fn query(&self, database: &str, statement: &str) -> Result<String, Unavailable> {
        let output = Command::new(self.binaries.join("psql"))
            .args([
                "-h",
                "127.0.0.1",
                "-U",
                "terrace",
                "-At",
                "-v",
                "ON_ERROR_STOP=1",
            ])
            .args([
                "-p",
                &self.port.to_string(),
                "-d",
                database,
                "-c",
                statement,
            ])
            .stdin(Stdio::null())
            .output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Err(Unavailable(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// How to connect to a database.
    pub fn connection_string(&self, database: &str) -> String {
        Self::connection_string_at(self.address(), database)
    }

    /// How to connect to a database by another address, such as a proxy's.
    pub fn connection_string_at(address: SocketAddr, database: &str) -> String {
        format!("postgres://terrace@{address}/{database}?sslmode=disable")
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// One of the server's programs, as a user that is not root.
    fn program(&self, name: &str) -> Command {
        let path: &Path = &self.binaries.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                .arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir("/");
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.data();
        let stop = &mut self.program("pg_ctl");
        run(stop
            .arg("-D")
            .arg(data)
            .args(["-m", "immediate", "-w", "stop"]))
        .ok();
    }
}
