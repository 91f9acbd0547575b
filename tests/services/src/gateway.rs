//! A proxy that answers in the name of real hosts: clients that are told of it, and that trust its authority, reach servers of
//! this machine under addresses that cannot be changed.

use std::fs;
use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::certificates::Authority;
use crate::install::Unavailable;

/// The proxy. It ends when it is dropped.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    directory: tempfile::TempDir,
}

/// A host, and what speaks for it.
struct Route {
    host: String,
    config: Arc<ServerConfig>,
    port: u16,
}

impl Gateway {
    /// Starts one: who connects to a host is led to the server with this port, which speaks HTTP.
    pub fn start(hosts: &[(&str, u16)]) -> Result<Self, Unavailable> {
        let authority = Authority::new("gateway")?;
        let directory = tempfile::tempdir()?;
        fs::write(
            directory.path().join("authority.pem"),
            authority.certificate(),
        )?;
        let mut routes = Vec::new();
        for (host, port) in hosts {
            let failed = |error: &dyn std::fmt::Display| Unavailable(error.to_string());
            let certified = authority.server(&[host])?;
            let certificate = CertificateDer::from_pem_slice(certified.certificate.as_bytes())
                .map_err(|error| failed(&error))?;
            let key = PrivateKeyDer::from_pem_slice(certified.key.as_bytes())
                .map_err(|error| failed(&error))?;
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let config = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|error| failed(&error))?
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key)
                .map_err(|error| failed(&error))?;
            routes.push(Route {
                host: (*host).to_owned(),
                config: Arc::new(config),
                port: *port,
            });
        }
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (routes, over) = (Arc::new(routes), Arc::new(AtomicBool::new(false)));
        let ended = Arc::clone(&over);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let routes = Arc::clone(&routes);
                // A client that goes away is no concern of the proxy's.
                std::thread::spawn(move || serve(stream, &routes).ok());
            }
        });
        Ok(Self {
            address,
            over,
            directory,
        })
    }

    /// Its address, for `HTTPS_PROXY`.
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The file with the certificate that clients must trust, for `SSL_CERT_FILE`.
    pub fn authority(&self) -> PathBuf {
        self.directory.path().join("authority.pem")
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // So that the listener looks up.
        TcpStream::connect(self.address).ok();
    }
}

/// The lines of a head, with the empty one that ends it.
fn head(reader: &mut impl io::BufRead) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let is_last = line.trim_end().is_empty();
        lines.push(line);
        if is_last {
            return Ok(lines);
        }
    }
}

/// One request, after which the connection ends.
fn serve(mut stream: TcpStream, routes: &[Route]) -> io::Result<()> {
    let asked = head(&mut BufReader::new(&stream))?;
    let host = asked[0]
        .strip_prefix("CONNECT ")
        .and_then(|rest| rest.split(':').next())
        .unwrap_or_default();
    let Some(route) = routes.iter().find(|route| route.host == host) else {
        return stream.write_all(b"HTTP/1.1 502 No such host\r\n\r\n");
    };
    stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    let connection =
        rustls::ServerConnection::new(route.config.clone()).map_err(io::Error::other)?;
    let mut client = rustls::StreamOwned::new(connection, stream);
    let mut reader = BufReader::new(&mut client);
    let mut lines = head(&mut reader)?;
    let length = lines.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok()).flatten()
    });
    lines.retain(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    lines.insert(1, "Connection: close\r\n".to_owned());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let mut server = TcpStream::connect(("127.0.0.1", route.port))?;
    server.write_all(lines.concat().as_bytes())?;
    server.write_all(&body)?;
    io::copy(&mut server, &mut client)?;
    client.conn.send_close_notify();
    client.flush()
}
