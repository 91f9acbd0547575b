//! Who signs: the SSH key that `-key` or `TERRACE_SSH_KEY` names, out of its file or out of an ssh-agent.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use terrace_diag::Diagnostic;
use terrace_gate::{ApprovalError, SshKey, fingerprint_of, public_key_of};
use terrace_port::{Files as _, Signer};
use terrace_ssh_agent::Agent;

use crate::command_error::CommandError;
use crate::outside::Disk;
use crate::session::Session;

/// How the agent's only key is named.
const AGENT: &str = "agent";
/// How often a passphrase is asked for.
const ATTEMPTS: usize = 3;

/// The key of a command: which one is named, and who signs by it once it was looked for.
#[derive(Default)]
pub(crate) struct Keys(Mutex<Known>);

#[derive(Default)]
struct Known {
    named: Option<String>,
    /// Whether it was looked for, without asking anybody or by using it.
    is_looked_for: bool,
    /// What came of that.
    signer: Option<Arc<dyn Signer>>,
}

impl Keys {
    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Signs what is recorded from now on by the key of this name, if it is one that can sign.
    pub(crate) fn sign_with(&self, named: Option<&str>) {
        let named = named.or_else(|| self.environment.get("TERRACE_SSH_KEY"));
        let mut known = self.keys.lock();
        if known.named.is_none() {
            known.named = named.map(str::to_owned);
        }
    }

    /// Who signs entries of the audit log; nobody is asked for anything here. A security device is not: each signature
    /// would need a touch, and what its owner states is signed by itself.
    pub(crate) fn recorder(&self) -> Option<Arc<dyn Signer>> {
        let signer = self.known_signer();
        signer.filter(|signer| !signer.public_key().starts_with("sk-"))
    }

    /// Who signs by the key of this command, if it is one that can sign without anybody being asked for a passphrase.
    pub(crate) fn known_signer(&self) -> Option<Arc<dyn Signer>> {
        self.sign_with(None);
        let mut known = self.keys.lock();
        if !known.is_looked_for {
            known.is_looked_for = true;
            let named = known.named.clone();
            known.signer = named.and_then(|named| self.find_signer(&named, false).ok());
        }
        known.signer.clone()
    }

    /// Who signs by the key of this name. A passphrase is asked for where there is a terminal.
    pub(crate) fn signer(&self, named: Option<&str>) -> Result<Arc<dyn Signer>, CommandError> {
        let Some(named) = named else {
            return Err(Diagnostic::error(
                "no-key",
                "No SSH key",
                "This needs an SSH key to sign with.",
            )
            .hint("name its file with -key=FILE or TERRACE_SSH_KEY, or an agent's only key with -key=agent")
            .into());
        };
        let signer = self.find_signer(named, true)?;
        let mut known = self.keys.lock();
        known.named.get_or_insert_with(|| named.to_owned());
        known.is_looked_for = true;
        known.signer = Some(Arc::clone(&signer));
        Ok(signer)
    }

    fn find_signer(&self, named: &str, asks: bool) -> Result<Arc<dyn Signer>, CommandError> {
        if named == AGENT {
            return self.only_key_of_the_agent();
        }
        if named.starts_with("SHA256:") {
            let why = "The agent has no key with the fingerprint";
            return self.by_agent(named, &format!("{why} {named}."));
        }
        let text = read(named)?;
        if !text.contains("PRIVATE KEY") && public_key_of(&text).is_ok() {
            let why = format!("{named} is a public key, and no agent has the private one.");
            return self.by_agent(&fingerprint_of(&text).map_err(unusable)?, &why);
        }
        match SshKey::open(&text, None) {
            Ok(key) => Ok(Arc::new(key)),
            Err(ApprovalError::EncryptedKey) => self.encrypted(named, &text, asks),
            Err(error @ ApprovalError::Hardware) => {
                let why = format!("{named} cannot be signed with: {error}, and no agent has it.");
                self.by_agent(&fingerprint_of(&text).map_err(unusable)?, &why)
            }
            Err(error) => Err(unusable(error)),
        }
    }

    /// A key that a passphrase protects: an agent may have opened it; else the passphrase is looked for and asked for.
    fn encrypted(
        &self,
        named: &str,
        text: &str,
        asks: bool,
    ) -> Result<Arc<dyn Signer>, CommandError> {
        let fingerprint = fingerprint_of(text).map_err(unusable)?;
        if let Some(Ok(Some(signer))) = self.agent().map(|agent| agent.signer(&fingerprint)) {
            return Ok(Arc::new(signer));
        }
        let open = |passphrase: &str| SshKey::open(text, Some(passphrase));
        if let Some(passphrase) = self.environment.get("TERRACE_SSH_PASSPHRASE") {
            let key = open(passphrase).map_err(unusable)?;
            return Ok(Arc::new(key));
        }
        let question = format!("Passphrase of {named}: ");
        for _ in 0..if asks { ATTEMPTS } else { 0 } {
            let Some(passphrase) = self.view.secret(&question) else {
                break;
            };
            match open(&passphrase) {
                Ok(key) => return Ok(Arc::new(key)),
                Err(ApprovalError::Passphrase) => {}
                Err(error) => return Err(unusable(error)),
            }
        }
        let detail = format!("{named} is protected by a passphrase, and none opened it.");
        Err(
            Diagnostic::error("invalid-key", "SSH key cannot be used", detail)
                .hint("set TERRACE_SSH_PASSPHRASE, or let an agent have the key with ssh-add")
                .into(),
        )
    }

    fn agent(&self) -> Option<Agent> {
        let socket = self.environment.get("SSH_AUTH_SOCK")?;
        (!socket.is_empty()).then(|| Agent::at(socket))
    }

    fn by_agent(
        &self,
        fingerprint: &str,
        otherwise: &str,
    ) -> Result<Arc<dyn Signer>, CommandError> {
        let agent = self.agent().ok_or_else(|| no_agent(otherwise))?;
        match agent.signer(fingerprint) {
            Ok(Some(signer)) => Ok(Arc::new(signer)),
            Ok(None) => Err(no_agent(otherwise)),
            Err(error) => Err(silent(&error)),
        }
    }

    fn only_key_of_the_agent(&self) -> Result<Arc<dyn Signer>, CommandError> {
        let agent = self
            .agent()
            .ok_or_else(|| no_agent("There is no agent: SSH_AUTH_SOCK is not set."))?;
        let keys = agent.keys().map_err(|error| silent(&error))?;
        match &keys[..] {
            [] => Err(no_agent("The agent has no keys.")),
            [key] => self.by_agent(&key.fingerprint, "The agent has no such key any more."),
            several => {
                let lines: Vec<String> = several
                    .iter()
                    .map(|key| format!("  {} {}", key.fingerprint, key.comment))
                    .collect();
                let detail = format!("The agent has several keys:\n{}", lines.join("\n"));
                Err(
                    Diagnostic::error("invalid-key", "SSH key cannot be used", detail)
                        .hint("name one by its fingerprint: -key=SHA256:...")
                        .into(),
                )
            }
        }
    }
}

fn read(path: &str) -> Result<String, CommandError> {
    let bytes = Disk.read(path).map_err(|error| {
        CommandError::one(
            "unreadable-file",
            "SSH key cannot be read",
            format!("{path} cannot be read: {error}."),
        )
    })?;
    String::from_utf8(bytes.to_vec()).map_err(|_| {
        CommandError::one(
            "invalid-key",
            "SSH key cannot be read",
            format!("{path} is not a key in OpenSSH's format."),
        )
    })
}

/// What is told of a key that cannot sign.
#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by it")]
pub(crate) fn unusable(error: ApprovalError) -> CommandError {
    CommandError::one("invalid-key", "SSH key cannot be used", error.to_string())
}

fn no_agent(detail: &str) -> CommandError {
    Diagnostic::error("invalid-key", "SSH key cannot be used", detail)
        .hint("start an agent, and let it have the key with ssh-add")
        .into()
}

fn silent(error: &io::Error) -> CommandError {
    let detail = format!("The ssh-agent cannot be asked: {error}.");
    CommandError::one("invalid-key", "SSH key cannot be used", detail)
}
