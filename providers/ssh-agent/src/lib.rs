//! Keys that an ssh-agent keeps, behind the port [`Signer`]: keys of files that it has opened, and keys in security devices
//! (`sk-ssh-ed25519@openssh.com` and `sk-ecdsa-sha2-nistp256@openssh.com`), which it asks to sign, and which ask for a touch.
//!
//! Two messages of the agent's protocol are all that is needed: which keys there are, and a signature by one.

mod wire;

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ssh_key::{HashAlg, PublicKey, SshSig};
use terrace_port::Signer;

use wire::{Reader, string};

const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// With this flag a key of RSA signs by SHA-512, and not by SHA-1.
const RSA_SHA2_512: u32 = 4;

/// How long the agent may take to list its keys.
const LISTING: Duration = Duration::from_secs(30);
/// How long it may take to sign: a person may have to find the device and touch it.
const SIGNING: Duration = Duration::from_mins(2);
/// No message of an agent is larger.
const LARGEST: u32 = 256 * 1024;
/// How many characters OpenSSH writes to a line of a signature.
const COLUMNS: usize = 70;

/// A key that the agent keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentKey {
    /// The public half in one line of OpenSSH's format.
    pub public_key: String,
    /// Its fingerprint: `SHA256:…`.
    pub fingerprint: String,
    /// What it is called: mostly the name of its file.
    pub comment: String,
}

/// An agent at a socket, as `SSH_AUTH_SOCK` names one.
#[derive(Clone, Debug)]
pub struct Agent {
    socket: PathBuf,
}

impl Agent {
    /// The agent at this socket. Nothing is asked yet.
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
        }
    }

    /// Its keys, in its order. Certificates, and keys of kinds that nobody here knows, are passed over.
    ///
    /// # Errors
    /// Where there is no agent, or where it does not answer as one.
    pub fn keys(&self) -> io::Result<Vec<AgentKey>> {
        let answer = self.ask(&[REQUEST_IDENTITIES], IDENTITIES_ANSWER, LISTING)?;
        let mut reader = Reader(&answer);
        let count = reader.number().ok_or_else(senseless)?;
        let mut keys = Vec::new();
        for _ in 0..count {
            let key = reader.string().ok_or_else(senseless)?;
            let comment = reader.string().ok_or_else(senseless)?;
            let Ok(public) = PublicKey::from_bytes(key) else {
                continue;
            };
            let Ok(line) = public.to_openssh() else {
                continue;
            };
            keys.push(AgentKey {
                public_key: line,
                fingerprint: public.fingerprint(HashAlg::Sha256).to_string(),
                comment: String::from_utf8_lossy(comment).into_owned(),
            });
        }
        Ok(keys)
    }

    /// Whoever signs by the key with this fingerprint; `None` where the agent has no such key.
    ///
    /// # Errors
    /// As [`Self::keys`].
    pub fn signer(&self, fingerprint: &str) -> io::Result<Option<AgentSigner>> {
        let keys = self.keys()?;
        let found = keys.into_iter().find(|key| key.fingerprint == fingerprint);
        Ok(found.map(|key| AgentSigner {
            agent: self.clone(),
            public_key: key.public_key,
        }))
    }

    /// A signature by a key over bytes, both as SSH encodes them.
    fn sign(&self, key: &[u8], bytes: &[u8], flags: u32) -> io::Result<Vec<u8>> {
        let request = [
            &[SIGN_REQUEST][..],
            &string(key),
            &string(bytes),
            &flags.to_be_bytes(),
        ];
        let answer = self.ask(&request.concat(), SIGN_RESPONSE, SIGNING)?;
        let signature = Reader(&answer).string().ok_or_else(senseless)?;
        Ok(signature.to_vec())
    }

    /// What it answers to a request, without the number of the answer's kind, which must be this one.
    fn ask(&self, request: &[u8], expected: u8, patience: Duration) -> io::Result<Vec<u8>> {
        let mut stream = connect(&self.socket)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(LISTING))?;
        stream.write_all(&string(request))?;
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length);
        if length == 0 || length > LARGEST {
            return Err(senseless());
        }
        let mut answer = vec![0; length as usize];
        stream.read_exact(&mut answer)?;
        match answer.split_first() {
            Some((kind, rest)) if *kind == expected => Ok(rest.to_vec()),
            Some((&FAILURE, _)) => Err(io::Error::other("the agent refuses")),
            _ => Err(senseless()),
        }
    }
}

fn connect(socket: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(socket).map_err(|error| {
        let why = format!("no agent answers at {}: {error}", socket.display());
        io::Error::new(error.kind(), why)
    })
}

fn senseless() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the agent's answer makes no sense",
    )
}

/// A key in an agent, which signs.
#[derive(Clone)]
pub struct AgentSigner {
    agent: Agent,
    public_key: String,
}

impl fmt::Debug for AgentSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentSigner({})", self.public_key)
    }
}

impl Signer for AgentSigner {
    fn sign(&self, namespace: &str, message: &[u8]) -> Result<String, String> {
        let public =
            PublicKey::from_openssh(&self.public_key).map_err(|error| error.to_string())?;
        let key = public.to_bytes().map_err(|error| error.to_string())?;
        let bytes = SshSig::signed_data(namespace, HashAlg::Sha512, message)
            .map_err(|error| error.to_string())?;
        let flags = if public.algorithm().is_rsa() {
            RSA_SHA2_512
        } else {
            0
        };
        let signature = self.agent.sign(&key, &bytes, flags);
        let signature = signature.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                "nobody touched the security device, or the agent waits for something else"
                    .to_owned()
            }
            _ => error.to_string(),
        })?;
        Ok(armored(&key, namespace, &signature))
    }

    fn public_key(&self) -> String {
        self.public_key.clone()
    }
}

/// OpenSSH's file of a signature (`PROTOCOL.sshsig`): the bytes of `signature` are what the agent gave, whatever its kind.
fn armored(key: &[u8], namespace: &str, signature: &[u8]) -> String {
    let bytes = [
        &b"SSHSIG"[..],
        &1_u32.to_be_bytes(),
        &string(key),
        &string(namespace.as_bytes()),
        &string(b""),
        &string(b"sha512"),
        &string(signature),
    ]
    .concat();
    let text = STANDARD.encode(bytes);
    let mut armored = String::from("-----BEGIN SSH SIGNATURE-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, others) = rest.split_at(rest.len().min(COLUMNS));
        armored.extend([line, "\n"]);
        rest = others;
    }
    armored.push_str("-----END SSH SIGNATURE-----\n");
    armored
}
