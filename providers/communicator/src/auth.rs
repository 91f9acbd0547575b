//! Logging in.

use std::sync::Arc;

use russh::MethodKind;
use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{Algorithm, Certificate, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use terrace_port::Login;

use crate::connect::Peer;
use crate::keys;
use crate::session::Failure;

/// How often a machine may ask questions before it is left alone.
const ROUNDS: usize = 8;

/// The user's SSH agent.
pub(crate) struct Agent {
    /// Where it listens.
    pub(crate) socket: String,
    /// Its keys, in the order in which they are offered.
    identities: Vec<AgentIdentity>,
}

#[cfg(unix)]
async fn call(socket: &str) -> Result<AgentClient<tokio::net::UnixStream>, russh::keys::Error> {
    AgentClient::connect_uds(socket).await
}

#[cfg(windows)]
async fn call(
    socket: &str,
) -> Result<AgentClient<tokio::net::windows::named_pipe::NamedPipeClient>, russh::keys::Error> {
    AgentClient::connect_named_pipe(socket).await
}

impl Agent {
    /// Asks the agent for its keys. Where it was `demanded`, there must be one.
    pub(crate) async fn find(
        socket: Option<&str>,
        demanded: bool,
        first: Option<&str>,
    ) -> Result<Option<Self>, Failure> {
        let Some(socket) = socket else {
            return if demanded {
                Err(Failure::fatal(
                    "SSH agent requested but SSH_AUTH_SOCK not-specified",
                ))
            } else {
                Ok(None)
            };
        };
        let asked = async { call(socket).await?.request_identities().await };
        let mut identities = asked.await.map_err(|error| {
            Failure::fatal(format!(
                "Error connecting to SSH_AUTH_SOCK: {error}. Set agent = false where no agent is to be used."
            ))
        })?;
        if let Some(first) = first {
            let wanted = public_key(first);
            identities.sort_by_key(|identity| !is_wanted(identity, first, wanted.as_ref()));
        }
        Ok(Some(Self {
            socket: socket.to_owned(),
            identities,
        }))
    }
}

/// The public key that `agent_identity` means: the text of one, or a file that holds it.
#[expect(
    clippy::disallowed_methods,
    reason = "the adapter reads the keys that its agent is asked for"
)]
fn public_key(identity: &str) -> Option<PublicKey> {
    let read = |path: String| std::fs::read_to_string(path).ok();
    let texts = [
        Some(identity.to_owned()),
        read(identity.to_owned()),
        read(format!("{identity}.pub")),
    ];
    texts
        .into_iter()
        .flatten()
        .find_map(|text| PublicKey::from_openssh(text.trim()).ok())
}

fn is_wanted(identity: &AgentIdentity, name: &str, wanted: Option<&PublicKey>) -> bool {
    let comment = match identity {
        AgentIdentity::PublicKey { comment, .. } | AgentIdentity::Certificate { comment, .. } => {
            comment
        }
    };
    let key = identity.public_key();
    comment == name || wanted.is_some_and(|wanted| wanted.key_data() == key.key_data())
}

/// What a user has to show.
pub(crate) struct Credentials {
    key: Option<Arc<PrivateKey>>,
    certificate: Option<Certificate>,
    password: Option<String>,
}

/// What a machine makes of an attempt.
enum Answer {
    Welcome,
    /// More is needed.
    Further,
    No,
}

impl From<AuthResult> for Answer {
    fn from(result: AuthResult) -> Self {
        match result {
            AuthResult::Success => Self::Welcome,
            AuthResult::Failure {
                partial_success: true,
                ..
            } => Self::Further,
            AuthResult::Failure { .. } => Self::No,
        }
    }
}

impl Credentials {
    pub(crate) fn of(login: &Login, whose: &str) -> Result<Self, Failure> {
        let key = match &login.private_key {
            Some(text) => Some(keys::private_key(text, whose)?),
            None => None,
        };
        let certificate = match (&login.certificate, &key) {
            (Some(text), Some(key)) => Some(keys::certificate(text, key)?),
            (Some(_), None) => {
                return Err(Failure::fatal(format!(
                    "The {whose}certificate needs its private key: set private_key."
                )));
            }
            (None, _) => None,
        };
        Ok(Self {
            key,
            certificate,
            password: login.password.clone(),
        })
    }

    /// Shows one thing after the other until the machine lets us in.
    pub(crate) async fn enter(
        &self,
        handle: &mut Handle<Peer>,
        user: &str,
        agent: Option<&Agent>,
    ) -> Result<(), Failure> {
        let mut attempted = vec!["none"];
        let first = handle.authenticate_none(user).await?;
        if first.success() {
            return Ok(());
        }
        let allowed = |kind: MethodKind| match &first {
            AuthResult::Failure {
                remaining_methods, ..
            } => remaining_methods.contains(&kind),
            AuthResult::Success => false,
        };
        let (keys, passwords, questions) = (
            allowed(MethodKind::PublicKey),
            allowed(MethodKind::Password),
            allowed(MethodKind::KeyboardInteractive),
        );
        // A machine may want two things of three, in an order of its own: what comes too early is shown again.
        for _ in 0..3 {
            let mut further = false;
            if self.key.is_some() || agent.is_some() {
                note(&mut attempted, "publickey");
                match self.show_keys(handle, user, agent).await? {
                    Answer::Welcome => return Ok(()),
                    Answer::Further => further = true,
                    Answer::No => {}
                }
            }
            if self.password.is_some() {
                if passwords || further || !(keys || questions) {
                    note(&mut attempted, "password");
                    match self.say_password(handle, user).await? {
                        Answer::Welcome => return Ok(()),
                        Answer::Further => further = true,
                        Answer::No => {}
                    }
                }
                if questions || further {
                    note(&mut attempted, "keyboard-interactive");
                    match self.answer_questions(handle, user).await? {
                        Answer::Welcome => return Ok(()),
                        Answer::Further => further = true,
                        Answer::No => {}
                    }
                }
            }
            if !further || handle.is_closed() {
                break;
            }
        }
        Err(Failure::passing(format!(
            "ssh: handshake failed: ssh: unable to authenticate, attempted methods [{}], no supported methods remain",
            attempted.join(" ")
        )))
    }

    async fn show_keys(
        &self,
        handle: &mut Handle<Peer>,
        user: &str,
        agent: Option<&Agent>,
    ) -> Result<Answer, Failure> {
        if let Some(key) = &self.key {
            if let Some(certificate) = &self.certificate {
                let (key, certificate) = (key.clone(), certificate.clone());
                let shown = handle.authenticate_openssh_cert(user, key, certificate);
                match shown.await?.into() {
                    Answer::No => {}
                    answer => return Ok(answer),
                }
            }
            for hash in hashes(handle, &key.algorithm()).await? {
                let key = PrivateKeyWithHashAlg::new(key.clone(), hash);
                match handle.authenticate_publickey(user, key).await?.into() {
                    Answer::No => {}
                    answer => return Ok(answer),
                }
            }
        }
        let Some(agent) = agent else {
            return Ok(Answer::No);
        };
        let unwilling = |error: &dyn std::fmt::Display| {
            Failure::passing(format!("the SSH agent fails: {error}"))
        };
        let mut signer = call(&agent.socket)
            .await
            .map_err(|error| unwilling(&error))?;
        for identity in &agent.identities {
            let hash = hashes(handle, &identity.public_key().algorithm())
                .await?
                .first()
                .copied()
                .flatten();
            let shown = match identity {
                AgentIdentity::PublicKey { key, .. } => {
                    handle
                        .authenticate_publickey_with(user, key.clone(), hash, &mut signer)
                        .await
                }
                AgentIdentity::Certificate { certificate, .. } => {
                    handle
                        .authenticate_certificate_with(user, certificate.clone(), hash, &mut signer)
                        .await
                }
            };
            match shown {
                Ok(result) => match result.into() {
                    Answer::No => {}
                    answer => return Ok(answer),
                },
                // An agent may refuse one key and sign with another.
                Err(_) if !handle.is_closed() => {}
                Err(error) => return Err(unwilling(&error)),
            }
        }
        Ok(Answer::No)
    }

    async fn say_password(&self, handle: &mut Handle<Peer>, user: &str) -> Result<Answer, Failure> {
        let password = self.password.clone().unwrap_or_default();
        Ok(handle.authenticate_password(user, password).await?.into())
    }

    /// Every question of a machine is answered with the password.
    async fn answer_questions(
        &self,
        handle: &mut Handle<Peer>,
        user: &str,
    ) -> Result<Answer, Failure> {
        let password = self.password.clone().unwrap_or_default();
        let mut said = handle
            .authenticate_keyboard_interactive_start(user, None)
            .await?;
        for _ in 0..ROUNDS {
            match said {
                KeyboardInteractiveAuthResponse::Success => return Ok(Answer::Welcome),
                KeyboardInteractiveAuthResponse::Failure {
                    partial_success, ..
                } => {
                    return Ok(if partial_success {
                        Answer::Further
                    } else {
                        Answer::No
                    });
                }
                KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                    let answers = prompts.iter().map(|_| password.clone()).collect();
                    said = handle
                        .authenticate_keyboard_interactive_respond(answers)
                        .await?;
                }
            }
        }
        Ok(Answer::No)
    }
}

fn note(attempted: &mut Vec<&'static str>, method: &'static str) {
    if !attempted.contains(&method) {
        attempted.push(method);
    }
}

/// The hashes with which a key may sign for this machine, best first. Only RSA keys have a choice.
async fn hashes(
    handle: &Handle<Peer>,
    algorithm: &Algorithm,
) -> Result<Vec<Option<HashAlg>>, Failure> {
    if !matches!(algorithm, Algorithm::Rsa { .. }) {
        return Ok(vec![None]);
    }
    Ok(match handle.best_supported_rsa_hash().await? {
        Some(best) => vec![best],
        // It does not tell: machines of old know SHA-1 only.
        None => vec![Some(HashAlg::Sha256), None],
    })
}
