//! OpenSSH's server, for whoever runs the tests.

use std::fs::{self, File};
use std::io::Read as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::install::{Unavailable, download, once, run};
use crate::ports::free_port;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_mins(3);

/// A running sshd on a port of its own, which lets in who runs the tests. Dropping it ends it.
///
/// It lets in the keys `id` (Ed25519) and `rsa`, and every key with a certificate of `user_ca`, such as `signed`. Its
/// own key has a certificate of `host_ca` for `127.0.0.1`. Nothing else can log in, and nothing of the machine changes.
#[derive(Debug)]
pub struct Sshd {
    child: Child,
    directory: TempDir,
    port: u16,
    user: String,
}

impl Sshd {
    /// Installs OpenSSH's server if need be, starts it and waits until it answers.
    pub fn start() -> Result<Self, Unavailable> {
        let program = program()?;
        let directory = TempDir::new()?;
        let place = directory.path();
        let user = said(Command::new("id").arg("-un"))?;
        make_keys(place, &user)?;
        let port = free_port()?;
        fs::write(place.join("config"), config(place, port))?;
        let child = start(&program, place)?;
        let mut sshd = Self {
            child,
            directory,
            port,
            user,
        };
        sshd.wait()?;
        Ok(sshd)
    }

    /// Its port on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Who can log in.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// A file of it: a key by its name, its public half with `.pub` and its certificate with `-cert.pub`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The text of such a file.
    pub fn text(&self, name: &str) -> Result<String, Unavailable> {
        Ok(fs::read_to_string(self.file(name))?)
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        self.text("log").unwrap_or_default()
    }

    fn wait(&mut self) -> Result<(), Unavailable> {
        let start = Instant::now();
        while !answers(self.port) {
            if let Some(status) = self.child.try_wait()? {
                let log = self.log();
                return Err(Unavailable(format!("sshd ended at once: {status}\n{log}")));
            }
            if start.elapsed() > PATIENCE {
                return Err(Unavailable("sshd does not answer".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn answers(port: u16) -> bool {
    let hear = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut greeting = [0; 4];
        stream.read_exact(&mut greeting)?;
        Ok::<_, std::io::Error>(greeting == *b"SSH-")
    };
    hear().unwrap_or(false)
}

/// The server's executable: the system's, or else Debian's, unpacked among the tools.
fn program() -> Result<PathBuf, Unavailable> {
    let system = Path::new("/usr/sbin/sshd");
    if system.exists() {
        return Ok(system.to_owned());
    }
    let directory = once("openssh-server", |directory| {
        for package in ["openssh-server", "libwrap0"] {
            download(
                Command::new("apt-get")
                    .args(["download", "--quiet", package])
                    .current_dir(directory),
            )?;
        }
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                run(Command::new("dpkg-deb").arg("-x").arg(&path).arg(directory))?;
            }
        }
        Ok(())
    })?;
    Ok(directory.join("usr/sbin/sshd"))
}

fn make_keys(place: &Path, user: &str) -> Result<(), Unavailable> {
    let keygen = |arguments: &[&str]| {
        run(Command::new("ssh-keygen")
            .current_dir(place)
            .arg("-q")
            .args(arguments)
            .stdin(Stdio::null()))
    };
    for name in ["host", "id", "signed", "stranger", "user_ca", "host_ca"] {
        keygen(&["-t", "ed25519", "-N", "", "-C", name, "-f", name])?;
    }
    keygen(&[
        "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", "rsa",
    ])?;
    keygen(&["-t", "ed25519", "-N", "secret", "-f", "encrypted"])?;
    keygen(&["-s", "user_ca", "-I", "test", "-n", user, "signed.pub"])?;
    keygen(&[
        "-s",
        "host_ca",
        "-I",
        "test",
        "-h",
        "-n",
        "127.0.0.1",
        "host.pub",
    ])?;
    let mut authorized = String::new();
    for name in ["id.pub", "rsa.pub"] {
        authorized += &fs::read_to_string(place.join(name))?;
    }
    Ok(fs::write(place.join("authorized"), authorized)?)
}

fn config(place: &Path, port: u16) -> String {
    let file = |name: &str| place.join(name).display().to_string();
    [
        format!("Port {port}"),
        "ListenAddress 127.0.0.1".to_owned(),
        format!("HostKey {}", file("host")),
        format!("HostCertificate {}", file("host-cert.pub")),
        format!("AuthorizedKeysFile {}", file("authorized")),
        format!("TrustedUserCAKeys {}", file("user_ca.pub")),
        "PidFile none".to_owned(),
        "UsePAM no".to_owned(),
        "StrictModes no".to_owned(),
        "PermitRootLogin yes".to_owned(),
        "MaxStartups 100".to_owned(),
        "AllowAgentForwarding yes".to_owned(),
        String::new(),
    ]
    .join("\n")
}

fn start(program: &Path, place: &Path) -> Result<Child, Unavailable> {
    let log = File::create(place.join("log"))?;
    let server = format!(
        "{} -D -e -f {}",
        program.display(),
        place.join("config").display()
    );
    let is_root = said(Command::new("id").arg("-u"))? == "0";
    let mut command = if is_root {
        // Run by root, it insists on a directory and on a user, which are there for it alone.
        let mut users = fs::read_to_string("/etc/passwd")?;
        if !users.lines().any(|line| line.starts_with("sshd:")) {
            users += "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n";
        }
        let passwd = place.join("passwd");
        fs::write(&passwd, users)?;
        let script = format!(
            "mount --bind {} /etc/passwd && mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec {server}",
            passwd.display()
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", &script]);
        command
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec {server}")]);
        command
    };
    let root = program.ancestors().nth(3).unwrap_or(Path::new("/"));
    if root != Path::new("/") {
        let platform = said(Command::new("uname").arg("-m"))?;
        let libraries = ["lib", "usr/lib"].map(|part| {
            root.join(format!("{part}/{platform}-linux-gnu"))
                .display()
                .to_string()
        });
        command.env("LD_LIBRARY_PATH", libraries.join(":"));
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::from(File::try_clone(&log)?))
        .stderr(Stdio::from(log))
        .spawn()
        .map_err(|error| Unavailable(format!("{command:?}: {error}")))
}

/// What a program prints.
fn said(command: &mut Command) -> Result<String, Unavailable> {
    let output = command
        .output()
        .map_err(|error| Unavailable(format!("{command:?}: {error}")))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
