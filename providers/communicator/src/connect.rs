//! How a session comes to be: the way to the machine, its key, the login, and trying again.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::client::{self, ChannelOpenHandle, Handle, Handler, Msg};
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKeyOrCertificate};
use russh::{Channel, Preferred};
use terrace_port::{Connection, Login, Proxy};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::Say;
use crate::auth::{Agent, Credentials};
use crate::keys::HostKey;
use crate::proxy::{address, dial, through};
use crate::session::{Failure, Session};

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// The other side of a connection, as far as it concerns us.
pub(crate) struct Peer {
    expected: Option<HostKey>,
    /// Why the machine's key was not accepted.
    refusal: Arc<Mutex<Option<String>>>,
    /// The agent that commands there may use.
    agent: Option<String>,
}

impl Handler for Peer {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        presented: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let Some(expected) = &self.expected else {
            return Ok(true);
        };
        let checked = expected.check(presented);
        let accepted = checked.is_ok();
        if let (Err(why), Ok(mut refusal)) = (checked, self.refusal.lock()) {
            *refusal = Some(why);
        }
        Ok(accepted)
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<(), Self::Error> {
        #[cfg(unix)]
        if let Some(path) = &self.agent
            && let Ok(mut agent) = tokio::net::UnixStream::connect(path).await
        {
            reply.accept().await;
            tokio::spawn(async move {
                let mut stream = channel.into_stream();
                // Either side may go when it likes.
                tokio::io::copy_bidirectional(&mut stream, &mut agent)
                    .await
                    .ok();
            });
            return Ok(());
        }
        // Dropped without an answer, a channel is refused.
        drop((channel, reply));
        Ok(())
    }
}

/// A machine on the way, with what is needed to come in.
struct Stop {
    login: Login,
    credentials: Credentials,
    host_key: Option<HostKey>,
}

impl Stop {
    fn of(login: &Login, whose: &str) -> Result<Self, Failure> {
        let host_key = match &login.host_key {
            Some(text) => Some(HostKey::of(text, &login.host)?),
            None => None,
        };
        Ok(Self {
            login: login.clone(),
            credentials: Credentials::of(login, whose)?,
            host_key,
        })
    }
}

/// Everything that is known before the first attempt.
pub(crate) struct Plan {
    target: Stop,
    bastion: Option<Stop>,
    proxy: Option<Proxy>,
    agent: Option<Agent>,
    timeout: Duration,
    greeting: String,
}

impl Plan {
    /// Reads keys and finds the agent; what is wrong with them cannot be mended by waiting.
    pub(crate) async fn of(
        connection: &Connection,
        agent_socket: Option<&str>,
    ) -> Result<Self, Failure> {
        let target = Stop::of(&connection.target, "")?;
        let bastion = match &connection.bastion {
            Some(login) => Some(Stop::of(login, "bastion ")?),
            None => None,
        };
        let agent = match connection.agent {
            Some(false) => None,
            wanted => {
                Agent::find(
                    agent_socket,
                    wanted == Some(true),
                    connection.agent_identity.as_deref(),
                )
                .await?
            }
        };
        Ok(Self {
            greeting: greeting(connection, agent.is_some()),
            target,
            bastion,
            proxy: connection.proxy.clone(),
            agent,
            timeout: connection.timeout,
        })
    }

    /// Connects; tries again with growing pauses until the time is over.
    pub(crate) async fn connect(&self, say: Say<'_>) -> Result<Session, Failure> {
        let deadline = Instant::now() + self.timeout;
        let mut pause = Duration::from_secs(1);
        let mut last: Option<Failure> = None;
        loop {
            say(&self.greeting);
            match tokio::time::timeout_at(deadline, self.attempt()).await {
                Ok(Ok(session)) => {
                    say("Connected!");
                    return Ok(session);
                }
                Ok(Err(failure)) if failure.fatal => return Err(failure),
                Ok(Err(failure)) => last = Some(failure),
                Err(_) => break,
            }
            if Instant::now() + pause >= deadline {
                tokio::time::sleep_until(deadline).await;
                break;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        let last = last.map_or_else(
            || {
                let login = &self.target.login;
                format!("no answer from {}", address(&login.host, login.port))
            },
            |failure| failure.to_string(),
        );
        Err(Failure::fatal(format!("timeout - last error: {last}")))
    }

    async fn attempt(&self) -> Result<Session, Failure> {
        let first = self.bastion.as_ref().unwrap_or(&self.target);
        let (host, port) = (&*first.login.host, first.login.port);
        let stream = match &self.proxy {
            Some(proxy) => through(proxy, host, port).await,
            None => dial(host, port).await,
        };
        let on_bastion = |failure: Failure| failure.behind("Error connecting to bastion: ");
        let Some(bastion) = &self.bastion else {
            let handle = self.enter(&self.target, Box::new(stream?)).await?;
            return Ok(Session::new(handle, self.agent.is_some(), None));
        };
        let stream = stream.map_err(on_bastion)?;
        let outer = self
            .enter(bastion, Box::new(stream))
            .await
            .map_err(on_bastion)?;
        let (host, port) = (&*self.target.login.host, self.target.login.port);
        let channel = outer
            .channel_open_direct_tcpip(host, u32::from(port), "127.0.0.1", 0)
            .await
            .map_err(|error| {
                let target = address(host, port);
                Failure::passing(format!("The bastion does not reach {target}: {error}"))
            })?;
        let handle = self
            .enter(&self.target, Box::new(channel.into_stream()))
            .await?;
        Ok(Session::new(handle, self.agent.is_some(), Some(outer)))
    }

    /// The handshake with a machine, and the login.
    async fn enter(&self, stop: &Stop, stream: Box<dyn Stream>) -> Result<Handle<Peer>, Failure> {
        let refusal = Arc::new(Mutex::new(None));
        let peer = Peer {
            expected: stop.host_key.clone(),
            refusal: refusal.clone(),
            agent: self.agent.as_ref().map(|agent| agent.socket.clone()),
        };
        let config = Arc::new(config(stop.host_key.is_some()));
        let connected = client::connect_stream(config, stream, peer).await;
        let place = format!(
            "{}@{}",
            stop.login.user,
            address(&stop.login.host, stop.login.port)
        );
        let mut handle = connected.map_err(|error| {
            let refused = refusal.lock().ok().and_then(|mut why| why.take());
            match refused {
                Some(why) => Failure::fatal(format!(
                    "SSH authentication failed ({place}): ssh: handshake failed: knownhosts: {why}"
                )),
                None => Failure::passing(format!(
                    "SSH authentication failed ({place}): ssh: handshake failed: {error}"
                )),
            }
        })?;
        stop.credentials
            .enter(&mut handle, &stop.login.user, self.agent.as_ref())
            .await
            .map_err(|failure| failure.behind(&format!("SSH authentication failed ({place}): ")))?;
        Ok(handle)
    }
}

fn config(checks_key: bool) -> client::Config {
    let rsa = |hash| Algorithm::Rsa { hash: Some(hash) };
    let ecdsa = |curve| Algorithm::Ecdsa { curve };
    let mut preferred = Preferred::default();
    if checks_key {
        // Whoever names a key may have named that of an authority.
        preferred.host_key_certificates = vec![
            Algorithm::Ed25519,
            ecdsa(EcdsaCurve::NistP256),
            ecdsa(EcdsaCurve::NistP384),
            ecdsa(EcdsaCurve::NistP521),
            rsa(HashAlg::Sha512),
            rsa(HashAlg::Sha256),
        ]
        .into();
    }
    client::Config {
        preferred,
        keepalive_interval: Some(Duration::from_secs(10)),
        keepalive_max: 6,
        inactivity_timeout: None,
        nodelay: true,
        ..client::Config::default()
    }
}

/// What is said of each attempt, in the reference's words.
fn greeting(connection: &Connection, agent: bool) -> String {
    let mut text = "Connecting to remote host via SSH...".to_owned();
    let login = |text: &mut String, login: &Login| {
        let _ = write!(
            text,
            "\n  Host: {}\n  User: {}\n  Password: {}\n  Private key: {}\n  Certificate: {}\n  SSH Agent: {agent}\n  Checking Host Key: {}",
            login.host,
            login.user,
            login.password.is_some(),
            login.private_key.is_some(),
            login.certificate.is_some(),
            login.host_key.is_some(),
        );
    };
    login(&mut text, &connection.target);
    let _ = write!(text, "\n  Target Platform: {}", connection.platform);
    if let Some(bastion) = &connection.bastion {
        text.push_str("\nUsing configured bastion host...");
        login(&mut text, bastion);
    }
    if let Some(proxy) = &connection.proxy {
        let _ = write!(
            text,
            "\nUsing configured proxy host...\n  ProxyHost: {}\n  ProxyPort: {}\n  ProxyUserName: {}\n  ProxyUserPassword: {}",
            proxy.host,
            proxy.port,
            proxy.user.as_deref().unwrap_or_default(),
            proxy.password.is_some(),
        );
    }
    text
}
