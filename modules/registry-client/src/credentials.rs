//! Tokens for hosts: from the environment, the CLI configuration, what `login` stored, and a helper program.
#![expect(
    clippy::disallowed_methods,
    reason = "credentials are in files and in the hands of helper programs"
)]

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::{ClientError, Helper, Host, ServiceSettings};

mod wire {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    #[derive(Default, Serialize, Deserialize)]
    pub(super) struct CredentialsFile {
        #[serde(default)]
        pub(super) credentials: BTreeMap<String, Token>,
        #[serde(flatten)]
        pub(super) rest: BTreeMap<String, serde_json::Value>,
    }

    #[derive(Default, Serialize, Deserialize)]
    pub(super) struct Token {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(super) token: Option<String>,
    }
}

/// Knows the tokens of hosts.
#[derive(Debug, Default)]
pub struct Credentials {
    environment: BTreeMap<Host, String>,
    configured: BTreeMap<Host, String>,
    file: Option<PathBuf>,
    helper: Option<Helper>,
    helper_directories: Vec<PathBuf>,
    /// What the helper said.
    answered: Mutex<BTreeMap<Host, Option<String>>>,
}

impl Credentials {
    /// From variables of the environment whose names begin with `TF_TOKEN_` (given without that), and the CLI
    /// configuration. `home` is where `login` stores tokens and where helpers may be installed; `path` is `PATH`.
    pub fn new(
        environment: &BTreeMap<String, String>,
        settings: &ServiceSettings,
        home: Option<&Path>,
        path: Option<&str>,
    ) -> Self {
        let tokens = environment.iter().filter_map(|(name, token)| {
            let name = name.replace("__", "-").replace('_', ".");
            Some((Host::parse(&name).ok()?, token.clone()))
        });
        let mut helper_directories = Vec::new();
        if let Some(home) = home {
            helper_directories.push(home.join(".terraform.d/plugins"));
        }
        helper_directories.extend(path.into_iter().flat_map(std::env::split_paths));
        Self {
            environment: tokens.collect(),
            configured: settings.tokens.clone(),
            file: home.map(|home| home.join(".terraform.d/credentials.tfrc.json")),
            helper: settings.helper.clone(),
            helper_directories,
            answered: Mutex::default(),
        }
    }

    /// The token for a host, if someone knows one.
    pub fn token(&self, host: &Host) -> Result<Option<String>, ClientError> {
        if let Some(token) = self.environment.get(host) {
            return Ok(Some(token.clone()));
        }
        if let Some(token) = self.stored(host)? {
            return Ok(Some(token));
        }
        if let Some(token) = self.configured.get(host) {
            return Ok(Some(token.clone()));
        }
        let Some(helper) = &self.helper else {
            return Ok(None);
        };
        let mut answered = self
            .answered
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = answered.get(host) {
            return Ok(known.clone());
        }
        let output = self.ask_helper(helper, "get", host, b"")?;
        let token: wire::Token = serde_json::from_slice(&output).map_err(|error| {
            failed(
                host,
                format!(
                    "the helper {:?} gave no credentials object: {error}",
                    helper.name
                ),
            )
        })?;
        answered.insert(host.clone(), token.token.clone());
        Ok(token.token)
    }

    /// Keeps a token: with the helper where there is one, else in the file that `login` writes.
    pub fn store(&self, host: &Host, token: &str) -> Result<(), ClientError> {
        if let Some(helper) = &self.helper {
            let token = wire::Token {
                token: Some(token.to_owned()),
            };
            let text = serde_json::to_vec(&token).unwrap_or_default();
            return self.ask_helper(helper, "store", host, &text).map(drop);
        }
        self.change_file(host, Some(token))
    }

    /// Whether `store` has kept a token that `forget` would take away.
    pub fn is_stored(&self, host: &Host) -> Result<bool, ClientError> {
        match &self.helper {
            Some(helper) => {
                let output = self.ask_helper(helper, "get", host, b"")?;
                let token: Result<wire::Token, _> = serde_json::from_slice(&output);
                Ok(token.is_ok_and(|token| token.token.is_some()))
            }
            None => Ok(self.stored(host)?.is_some()),
        }
    }

    /// Forgets the token that `store` kept.
    pub fn forget(&self, host: &Host) -> Result<(), ClientError> {
        if let Some(helper) = &self.helper {
            return self.ask_helper(helper, "forget", host, b"").map(drop);
        }
        self.change_file(host, None)
    }

    /// Where `store` keeps tokens, for people.
    pub fn place(&self) -> String {
        match (&self.helper, &self.file) {
            (Some(helper), _) => format!("the credentials helper {:?}", helper.name),
            (None, Some(file)) => file.display().to_string(),
            (None, None) => "nowhere: there is no home directory".to_owned(),
        }
    }

    fn stored(&self, host: &Host) -> Result<Option<String>, ClientError> {
        let file = self.read_file(host)?;
        let found = file
            .credentials
            .into_iter()
            .find(|(name, _)| Host::parse(name).is_ok_and(|name| name == *host));
        Ok(found.and_then(|(_, token)| token.token))
    }

    fn read_file(&self, host: &Host) -> Result<wire::CredentialsFile, ClientError> {
        let Some(path) = &self.file else {
            return Ok(wire::CredentialsFile::default());
        };
        match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                failed(
                    host,
                    format!("{} cannot be understood: {error}", path.display()),
                )
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(wire::CredentialsFile::default())
            }
            Err(error) => Err(failed(host, format!("{}: {error}", path.display()))),
        }
    }

    fn change_file(&self, host: &Host, token: Option<&str>) -> Result<(), ClientError> {
        let Some(path) = &self.file else {
            return Err(failed(host, "there is no home directory to keep them in"));
        };
        let mut file = self.read_file(host)?;
        file.credentials
            .retain(|name, _| Host::parse(name).is_ok_and(|name| name != *host));
        if let Some(token) = token {
            let token = wire::Token {
                token: Some(token.to_owned()),
            };
            file.credentials.insert(host.to_string(), token);
        }
        let text = serde_json::to_vec_pretty(&file).unwrap_or_default();
        write_private(path, &text).map_err(|error| {
            ClientError::local(format!("{} cannot be written", path.display()), error)
        })
    }

    fn ask_helper(
        &self,
        helper: &Helper,
        what: &str,
        host: &Host,
        input: &[u8],
    ) -> Result<Vec<u8>, ClientError> {
        let name = format!("terraform-credentials-{}", helper.name);
        let program = self
            .helper_directories
            .iter()
            .map(|directory| directory.join(&name))
            .find(|path| path.is_file())
            .ok_or_else(|| {
                failed(host, format!("the credentials helper {name} is in no plugin directory and not on the path"))
            })?;
        let run = || -> io::Result<std::process::Output> {
            let mut child = Command::new(&program)
                .args(&helper.arguments)
                .arg(what)
                .arg(host.as_str())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()?;
            if let Some(mut stdin) = child.stdin.take() {
                // A helper that does not read its input is free not to.
                stdin.write_all(input).ok();
            }
            child.wait_with_output()
        };
        let output =
            run().map_err(|error| failed(host, format!("{}: {error}", program.display())))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(failed(
            host,
            format!("the credentials helper {name} failed: {said}"),
        ))
    }
}

fn failed(host: &Host, why: impl Into<String>) -> ClientError {
    ClientError::Credentials {
        host: host.to_string(),
        why: why.into(),
    }
}

/// Writes a file that only its owner reads, whole or not at all.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)?;
    // Temporary files are made for their owner alone.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Host {
        Host::parse(text).unwrap()
    }

    fn credentials(home: &Path, settings: &ServiceSettings) -> Credentials {
        let environment = BTreeMap::from([("env__x_example".to_owned(), "from-env".to_owned())]);
        Credentials::new(&environment, settings, Some(home), None)
    }

    #[test]
    fn the_environment_comes_first_and_then_what_is_written() {
        let home = tempfile::tempdir().unwrap();
        let settings = ServiceSettings {
            tokens: BTreeMap::from([
                (host("env-x.example"), "configured".to_owned()),
                (host("b.example"), "configured".to_owned()),
            ]),
            ..ServiceSettings::default()
        };
        let credentials = credentials(home.path(), &settings);
        let token = |name: &str| credentials.token(&host(name)).unwrap();
        assert_eq!(token("env-x.example").as_deref(), Some("from-env"));
        assert_eq!(token("b.example").as_deref(), Some("configured"));
        assert_eq!(token("c.example"), None);
        credentials.store(&host("c.example"), "kept").unwrap();
        assert_eq!(token("c.example").as_deref(), Some("kept"));
        credentials.forget(&host("c.example")).unwrap();
        assert_eq!(token("c.example"), None);
    }

    #[cfg(unix)]
    #[test]
    fn stored_tokens_are_nobody_elses_to_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let credentials = credentials(home.path(), &ServiceSettings::default());
        credentials.store(&host("c.example"), "kept").unwrap();
        let path = home.path().join(".terraform.d/credentials.tfrc.json");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
        std::fs::write(&path, "{").unwrap();
        let error = credentials.token(&host("c.example")).unwrap_err();
        assert!(
            error.to_string().contains("cannot be understood"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_helper_is_asked_once_and_keeps_what_is_stored() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let plugins = home.path().join(".terraform.d/plugins");
        std::fs::create_dir_all(&plugins).unwrap();
        let program = plugins.join("terraform-credentials-test");
        let script = format!(
            "#!/bin/sh\necho \"$@\" >> {log}\ncase $2 in\nget) echo '{{\"token\":\"helped\"}}';;\nstore) cat >> {log};;\n*) echo no >&2; exit 1;;\nesac\n",
            log = home.path().join("log").display()
        );
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let settings = ServiceSettings {
            helper: Some(Helper {
                name: "test".to_owned(),
                arguments: vec!["-q".to_owned()],
            }),
            ..ServiceSettings::default()
        };
        let credentials = credentials(home.path(), &settings);
        for _ in 0..2 {
            let token = credentials.token(&host("a.example")).unwrap();
            assert_eq!(token.as_deref(), Some("helped"));
        }
        credentials.store(&host("a.example"), "new").unwrap();
        let error = credentials.forget(&host("a.example")).unwrap_err();
        assert!(error.to_string().contains("failed: no"), "{error}");
        let log = std::fs::read_to_string(home.path().join("log")).unwrap();
        assert_eq!(
            log,
            "-q get a.example\n-q store a.example\n{\"token\":\"new\"}-q forget a.example\n"
        );
    }
}
