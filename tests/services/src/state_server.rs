//! A small HTTP server that keeps one state and its lock, as servers do that the reference's backend `http` is made for.

use std::collections::BTreeMap;
use std::io::{self, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;

use crate::certificates::{Authority, Certified};

/// The server. `GET`, `POST` and `DELETE` of `/state`, `LOCK` and `UNLOCK` of `/lock`. It refuses writes under another lock than the one that is
/// held, and ends when it is dropped.
#[derive(Debug)]
pub struct StateServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    secure: bool,
}

#[derive(Debug, Default)]
struct Shared {
    kept: Mutex<Kept>,
    over: AtomicBool,
}

#[derive(Debug, Default)]
struct Kept {
    state: Option<Vec<u8>>,
    lock: Option<Vec<u8>>,
    history: Vec<Vec<u8>>,
    requests: Vec<String>,
    failures: Vec<(u16, bool)>,
    login: Option<String>,
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl StateServer {
    /// Starts one on a free port.
    pub fn start() -> io::Result<Self> {
        Self::listen(None)
    }

    /// Starts one with TLS, by this certificate, that serves only clients for whom the authority vouches.
    pub fn start_secure(server: &Certified, clients: &Authority) -> io::Result<Self> {
        let config = mutual(server, clients).map_err(io::Error::other)?;
        Self::listen(Some(Arc::new(config)))
    }

    fn listen(config: Option<Arc<rustls::ServerConfig>>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        let secure = config.is_some();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.over.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (shared, config) = (Arc::clone(&serving), config.clone());
                std::thread::spawn(move || drop(serve_either(&shared, stream, config)));
            }
        });
        Ok(Self {
            address,
            shared,
            secure,
        })
    }

    fn address(&self, path: &str) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}/{path}", self.address)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        kept(&self.shared)
    }

    /// Where the state is.
    pub fn state_address(&self) -> String {
        self.address("state")
    }

    /// Where the lock is.
    pub fn lock_address(&self) -> String {
        self.address("lock")
    }

    /// The state now.
    pub fn state(&self) -> Option<Vec<u8>> {
        self.kept().state.clone()
    }

    /// The lock's information, where it is held.
    pub fn lock(&self) -> Option<Vec<u8>> {
        self.kept().lock.clone()
    }

    /// Locks, as another client.
    pub fn set_lock(&self, information: Option<&str>) {
        self.kept().lock = information.map(|text| text.as_bytes().to_vec());
    }

    /// Every state that was written, in order.
    pub fn history(&self) -> Vec<Vec<u8>> {
        self.kept().history.clone()
    }

    /// Method, path and query of every request.
    pub fn requests(&self) -> Vec<String> {
        self.kept().requests.clone()
    }

    /// The next requests are answered so; `true` where each is carried out before, so that only its answer is lost.
    pub fn fail(&self, failures: &[(u16, bool)]) {
        let mut failures = failures.to_vec();
        failures.reverse();
        self.kept().failures = failures;
    }

    /// From now on, only who sends this `Authorization` is served.
    pub fn ask_for(&self, authorization: &str) {
        self.kept().login = Some(authorization.to_owned());
    }
}

impl Drop for StateServer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // The thread that listens looks up.
        drop(TcpStream::connect(self.address));
    }
}

fn kept(shared: &Shared) -> MutexGuard<'_, Kept> {
    shared.kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(reader: &mut impl io::BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Ok(Some(Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body,
    }))
}

/// What a server needs that speaks TLS and knows its clients.
fn mutual(
    server: &Certified,
    clients: &Authority,
) -> Result<rustls::ServerConfig, Box<dyn std::error::Error + Send + Sync>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(
        clients.certificate().as_bytes(),
    )?)?;
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build()?;
    let certificate = CertificateDer::from_pem_slice(server.certificate.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(server.key.as_bytes())?;
    Ok(rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate], key)?)
}

fn serve_either(
    shared: &Shared,
    stream: TcpStream,
    config: Option<Arc<rustls::ServerConfig>>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let Some(config) = config else {
        return serve(shared, stream);
    };
    let connection = rustls::ServerConnection::new(config).map_err(io::Error::other)?;
    serve(shared, rustls::StreamOwned::new(connection, stream))
}

fn serve(shared: &Shared, stream: impl io::Read + io::Write) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader)? {
        let (status, body) = answer(&mut kept(shared), &request);
        let head = format!(
            "HTTP/1.1 {status} Said\r\nContent-Length: {}\r\nContent-Type: application/json\r\n\r\n",
            body.len()
        );
        let stream = reader.get_mut();
        stream.write_all(head.as_bytes())?;
        stream.write_all(&body)?;
        stream.flush()?;
    }
    Ok(())
}

fn answer(kept: &mut Kept, request: &Request) -> (u16, Vec<u8>) {
    kept.requests.push(format!(
        "{} {}?{}",
        request.method, request.path, request.query
    ));
    if let Some(login) = &kept.login {
        match request.headers.get("authorization") {
            None => return (401, Vec::new()),
            Some(given) if given != login => return (403, Vec::new()),
            Some(_) => {}
        }
    }
    match kept.failures.pop() {
        Some((status, true)) => {
            carry_out(kept, request);
            (status, b"failed afterwards".to_vec())
        }
        Some((status, false)) => (status, b"failed before".to_vec()),
        None => carry_out(kept, request),
    }
}

/// The id in a lock's information.
fn id(information: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(information);
    let (_, rest) = text.split_once("\"ID\":")?;
    let rest = rest.trim_start().strip_prefix('"')?;
    Some(rest.split('"').next()?.to_owned())
}

fn carry_out(kept: &mut Kept, request: &Request) -> (u16, Vec<u8>) {
    let holder = kept.lock.clone().unwrap_or_default();
    match (&*request.method, &*request.path) {
        ("LOCK", "/lock") => {
            if kept.lock.is_some() {
                return (423, holder);
            }
            kept.lock = Some(request.body.clone());
            (200, Vec::new())
        }
        ("UNLOCK", "/lock") => {
            if kept.lock.is_some() && id(&holder) != id(&request.body) {
                return (409, holder);
            }
            kept.lock = None;
            (200, Vec::new())
        }
        ("GET", "/state") => match &kept.state {
            Some(state) => (200, state.clone()),
            None => (404, Vec::new()),
        },
        ("POST" | "DELETE", "/state") => {
            let under = request
                .query
                .split('&')
                .find_map(|pair| pair.strip_prefix("ID=").map(str::to_owned));
            if under != kept.lock.as_deref().and_then(id) {
                return (409, holder);
            }
            if request.method == "DELETE" {
                kept.state = None;
            } else {
                kept.history.push(request.body.clone());
                kept.state = Some(request.body.clone());
            }
            (200, Vec::new())
        }
        _ => (405, Vec::new()),
    }
}
