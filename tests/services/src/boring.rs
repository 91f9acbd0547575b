//! boring-registry, a registry of modules and providers that others wrote, over moto's S3.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::Moto;
use crate::golang::built;
use crate::install::{Unavailable, run};
use crate::ports::free_port;
use crate::registry::{Signer, archive, quoted};

const MODULE: &str = "github.com/boring-registry/boring-registry@v0.19.0";
const BUCKET: &str = "registry";
const TOKEN: &str = "sesame";
/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_mins(3);

/// A running boring-registry with a token, on a port of its own. Dropping it ends it.
#[derive(Debug)]
pub struct BoringRegistry {
    program: PathBuf,
    child: Child,
    port: u16,
    moto: Moto,
    signer: Signer,
    directory: tempfile::TempDir,
}

impl BoringRegistry {
    /// Builds it if need be, starts it and waits until it answers.
    pub fn start() -> Result<Self, Unavailable> {
        let program = built("boring-registry", MODULE)?;
        let moto = Moto::start()?;
        put(&moto, &format!("/{BUCKET}"), b"")?;
        let port = free_port()?;
        let log = tempfile::tempfile()?;
        let child = command(&program, &moto, "server")
            .args(["--auth-static-token", TOKEN])
            .args(["--listen-address", &format!("127.0.0.1:{port}")])
            .args(["--listen-telemetry-address", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::from(File::try_clone(&log)?))
            .stderr(Stdio::from(log))
            .spawn()?;
        let mut registry = Self {
            program,
            child,
            port,
            moto,
            signer: Signer::new("boring")?,
            directory: tempfile::tempdir()?,
        };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = registry.child.try_wait()? {
                return Err(Unavailable(format!(
                    "boring-registry ended at once: {status}"
                )));
            }
            if start.elapsed() > PATIENCE {
                return Err(Unavailable("boring-registry did not answer".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(registry)
    }

    /// A CLI configuration that leads a host to it, with the token.
    pub fn cli_config(&self, host: &str) -> String {
        let url = format!("http://127.0.0.1:{}/v1", self.port);
        format!(
            "host \"{host}\" {{\n  services = {{\n    \"modules.v1\" = \"{url}/modules/\"\n    \"providers.v1\" = \"{url}/providers/\"\n  }}\n}}\ncredentials \"{host}\" {{\n  token = \"{TOKEN}\"\n}}\n"
        )
    }

    /// Publishes a module of one file.
    pub fn publish_module(
        &self,
        [namespace, name, provider]: [&str; 3],
        version: &str,
        text: &str,
    ) -> Result<(), Unavailable> {
        let directory = self.directory.path().join(format!("module-{name}"));
        fs::create_dir_all(&directory)?;
        fs::write(directory.join("main.tf"), text)?;
        let metadata = format!(
            "metadata {{\n  namespace = \"{namespace}\"\n  name = \"{name}\"\n  provider = \"{provider}\"\n  version = \"{version}\"\n}}\n"
        );
        fs::write(directory.join("boring-registry.hcl"), metadata)?;
        run(command(&self.program, &self.moto, "upload")
            .arg("module")
            .arg(&directory))
    }

    /// Publishes a signed provider; gives the id of the key that signed it.
    pub fn publish_provider(
        &self,
        namespace: &str,
        name: &str,
        version: &str,
        platforms: &[&str],
    ) -> Result<String, Unavailable> {
        let keys = format!(
            "{{\"gpg_public_keys\":[{{\"key_id\":\"{}\",\"ascii_armor\":{}}}]}}",
            self.signer.key_id(),
            quoted(&self.signer.armor()?)
        );
        let path = format!("/{BUCKET}/providers/{namespace}/signing-keys.json");
        put(&self.moto, &path, keys.as_bytes())?;
        let directory = self.directory.path().join(format!("provider-{name}"));
        fs::create_dir_all(&directory)?;
        let mut sums = String::new();
        for platform in platforms {
            let file = format!("terraform-provider-{name}_{version}_{platform}.zip");
            let program = format!("terraform-provider-{name}_v{version}");
            let bytes = archive(&[(&program, &format!("#!{platform}"))])?;
            // Writing to a string cannot fail.
            let _written = writeln!(sums, "{:x}  {file}", Sha256::digest(&bytes));
            fs::write(directory.join(file), bytes)?;
        }
        let file = directory.join(format!("terraform-provider-{name}_{version}_SHA256SUMS"));
        fs::write(&file, &sums)?;
        let mut signature = file.clone().into_os_string();
        signature.push(".sig");
        fs::write(signature, self.signer.sign(sums.as_bytes())?)?;
        run(command(&self.program, &self.moto, "upload")
            .args(["provider", "--namespace", namespace])
            .arg("--filename-sha256sums")
            .arg(&file))?;
        Ok(self.signer.key_id())
    }
}

impl Drop for BoringRegistry {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn command(program: &Path, moto: &Moto, what: &str) -> Command {
    let mut command = Command::new(program);
    command
        .arg(what)
        .args(["--storage-s3-bucket", BUCKET])
        .args(["--storage-s3-endpoint", &moto.endpoint()])
        .args(["--storage-s3-pathstyle", "--storage-s3-region", "us-east-1"])
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env_remove("AWS_PROFILE");
    command
}

/// Puts an object, or makes a bucket.
fn put(moto: &Moto, path: &str, body: &[u8]) -> Result<(), Unavailable> {
    let authority = moto.endpoint().replace("http://", "");
    let mut stream = TcpStream::connect(&authority)?;
    write!(
        stream,
        "PUT {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    io::Read::by_ref(&mut stream).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    match answer.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(Unavailable(format!("moto does not take {path}: {answer}"))),
    }
}
