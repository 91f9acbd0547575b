//! A small web server in the test's own process: it answers what it was told to, and remembers what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The server. It ends when it is dropped.
#[derive(Debug)]
pub struct Web {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// The certificate of who vouches for the server, where it speaks TLS.
    authority_certificate: Option<String>,
}

#[derive(Debug, Default)]
struct Shared {
    replies: Mutex<BTreeMap<String, VecDeque<Reply>>>,
    makers: Mutex<BTreeMap<String, Maker>>,
    otherwise: Mutex<Option<Maker>>,
    asked: Mutex<Vec<Asked>>,
    over: AtomicBool,
}

/// Makes an answer out of what was asked.
#[derive(Clone)]
struct Maker(Arc<dyn Fn(&Asked) -> Reply + Send + Sync>);

impl std::fmt::Debug for Maker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Maker").finish_non_exhaustive()
    }
}

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The headers, by names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    broken_after: Option<usize>,
    needs: Option<(String, String)>,
}

impl Reply {
    /// An answer of success with this body.
    pub fn of(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
            broken_after: None,
            needs: None,
        }
    }

    /// JSON.
    pub fn json(body: &str) -> Self {
        Self::of(body).header("Content-Type", "application/json")
    }

    /// An answer with this status and no body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::of("")
        }
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The connection ends after so many bytes of the body.
    #[must_use]
    pub fn broken_after(mut self, bytes: usize) -> Self {
        self.broken_after = Some(bytes);
        self
    }

    /// Only for requests with this header; others get the status 401.
    #[must_use]
    pub fn needs(mut self, name: &str, value: &str) -> Self {
        self.needs = Some((name.to_owned(), value.to_owned()));
        self
    }
}

impl Web {
    /// Starts on a free port of this machine.
    pub fn start() -> io::Result<Self> {
        Self::listen(None)
    }

    /// Starts with TLS, by a certificate of an authority of its own.
    pub fn start_secure() -> io::Result<Self> {
        let (authority, config) = certificates().map_err(io::Error::other)?;
        let mut web = Self::listen(Some(Arc::new(config)))?;
        web.authority_certificate = Some(authority);
        Ok(web)
    }

    fn listen(config: Option<Arc<rustls::ServerConfig>>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let for_threads = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if for_threads.over.load(Ordering::Relaxed) {
                    return;
                }
                let (shared, config) = (for_threads.clone(), config.clone());
                std::thread::spawn(move || {
                    // A client that goes away is no concern of the server's.
                    match config {
                        None => serve(stream, &shared).ok(),
                        Some(config) => serve_secure(stream, config, &shared).ok(),
                    }
                });
            }
        });
        Ok(Self {
            address,
            shared,
            authority_certificate: None,
        })
    }

    /// The certificate that clients must trust, in PEM; empty where the server speaks no TLS.
    pub fn certificate(&self) -> &str {
        self.authority_certificate.as_deref().unwrap_or_default()
    }

    /// The address of a path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.authority_certificate.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}{path}", self.authority())
    }

    /// Host and port.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Answers a path from now on, with its query or whatever its query.
    pub fn on(&self, path: &str, reply: Reply) {
        lock(&self.shared.replies).insert(path.to_owned(), VecDeque::from([reply]));
    }

    /// Answers a path from now on, whatever its query, by what is made of the request.
    pub fn on_asked(&self, path: &str, make: impl Fn(&Asked) -> Reply + Send + Sync + 'static) {
        lock(&self.shared.makers).insert(path.to_owned(), Maker(Arc::new(make)));
    }

    /// Answers every path for which there is no other answer, by what is made of the request.
    pub fn otherwise(&self, make: impl Fn(&Asked) -> Reply + Send + Sync + 'static) {
        *lock(&self.shared.otherwise) = Some(Maker(Arc::new(make)));
    }

    /// Answers a path by these in turn, and by the last of them from then on.
    pub fn in_turn(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.shared.replies).insert(path.to_owned(), replies.into_iter().collect());
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.shared.asked).clone()
    }

    /// How often a path was asked for, whatever its query.
    pub fn times(&self, path: &str) -> usize {
        let asked = lock(&self.shared.asked);
        asked
            .iter()
            .filter(|asked| asked.path.split('?').next() == Some(path))
            .count()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // So that the listener looks up.
        TcpStream::connect(self.address).ok();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The authority's certificate in PEM, and what a server needs that it vouches for.
fn certificates() -> Result<(String, rustls::ServerConfig), Box<dyn std::error::Error + Send + Sync>>
{
    let key = rcgen::KeyPair::generate()?;
    let mut parameters = rcgen::CertificateParams::new(Vec::new())?;
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = parameters.self_signed(&key)?.pem();
    let issuer = rcgen::Issuer::new(parameters, key);
    let key = rcgen::KeyPair::generate()?;
    let own =
        rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()])?.signed_by(&key, &issuer)?;
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], key)?;
    Ok((authority, config))
}

fn serve_secure(
    stream: TcpStream,
    config: Arc<rustls::ServerConfig>,
    shared: &Shared,
) -> io::Result<()> {
    let connection = rustls::ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = rustls::StreamOwned::new(connection, stream);
    serve(&mut stream, shared)?;
    stream.conn.send_close_notify();
    stream.flush()
}

fn serve(mut stream: impl io::Read + io::Write, shared: &Shared) -> io::Result<()> {
    let asked = read(&mut stream)?;
    lock(&shared.asked).push(asked.clone());
    let reply = choose(&asked, shared);
    let (status, range, body) = ranged(&asked, &reply);
    write!(
        stream,
        "HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    )?;
    if let Some(range) = range {
        write!(stream, "Content-Range: {range}\r\n")?;
    }
    for (name, value) in &reply.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    let sent = reply.broken_after.unwrap_or(body.len()).min(body.len());
    stream.write_all(&body[..sent])?;
    stream.flush()
}

fn read(stream: &mut impl io::Read) -> io::Result<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    let method = words.next().unwrap_or("").to_owned();
    let path = words.next().unwrap_or("").to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = Vec::new();
    if let Some(length) = headers
        .get("content-length")
        .and_then(|text| text.parse().ok())
    {
        reader.take(length).read_to_end(&mut body)?;
    }
    Ok(Asked {
        method,
        path,
        headers,
        body,
    })
}

fn choose(asked: &Asked, shared: &Shared) -> Reply {
    let bare = asked.path.split('?').next().unwrap_or("").to_owned();
    let maker = lock(&shared.makers).get(&bare).cloned();
    if let Some(Maker(make)) = maker {
        return make(asked);
    }
    let mut replies = lock(&shared.replies);
    let key = if replies.contains_key(&asked.path) {
        &asked.path
    } else {
        &bare
    };
    let Some(waiting) = replies.get_mut(key) else {
        drop(replies);
        let otherwise = lock(&shared.otherwise).clone();
        return otherwise.map_or_else(|| Reply::status(404), |Maker(make)| make(asked));
    };
    let reply = if waiting.len() > 1 {
        waiting.pop_front()
    } else {
        waiting.front().cloned()
    };
    let reply = reply.unwrap_or_else(|| Reply::status(404));
    match &reply.needs {
        Some((name, value)) if asked.headers.get(&name.to_ascii_lowercase()) != Some(value) => {
            Reply {
                body: Vec::new(),
                status: 401,
                ..reply
            }
        }
        _ => reply,
    }
}

/// The part of a reply that a request asks for, where the reply has a tag to hold it to.
fn ranged(asked: &Asked, reply: &Reply) -> (u16, Option<String>, Vec<u8>) {
    let tag = reply
        .headers
        .iter()
        .find(|(name, _)| name == "ETag")
        .map(|(_, value)| value);
    let start = asked.headers.get("range").and_then(|range| {
        range
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse()
            .ok()
    });
    match start {
        Some(start)
            if tag.is_some()
                && tag == asked.headers.get("if-range")
                && start < reply.body.len() =>
        {
            let last = reply.body.len() - 1;
            let range = format!("bytes {start}-{last}/{}", reply.body.len());
            (206, Some(range), reply.body[start..].to_vec())
        }
        _ => (reply.status, None, reply.body.clone()),
    }
}
