//! The way to servers: straight, or through a proxy that the provider's configuration or the environment names.

use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_platform_verifier::Verifier;
use terrace_provider_sdk::{Diagnostic, Object};
use url::{Host, Url};

use crate::definition::Failure;

/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest answer that a proxy may give.
const LONGEST: usize = 16 * 1024;

pub(super) type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// A connection, whichever way it goes.
pub(super) trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

/// How servers are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Route {
    /// Nobody stands between.
    #[default]
    Straight,
    /// As the environment's variables say.
    Environment,
    /// Through a proxy.
    Through(Proxy),
}

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proxy {
    url: Url,
    /// A user's name and password.
    login: Option<(String, String)>,
}

impl Route {
    /// What a provider's configuration asks for.
    pub(super) fn of(config: &Object) -> Result<Self, Failure> {
        let Some(proxy) = config.items("proxy").iter().find_map(Object::of) else {
            return Ok(Self::Straight);
        };
        let invalid = |detail: &str| {
            Err(Diagnostic::error(
                "Invalid proxy configuration",
                format!("{detail} The block is proxy of the provider tls."),
            ))
        };
        if proxy.is_set("url") && proxy.flag("from_env") == Some(true) {
            return invalid("The proxy's url and from_env = true exclude each other.");
        }
        if proxy.is_set("username") && !proxy.is_set("url") {
            return invalid("A proxy's username needs its url.");
        }
        if proxy.is_set("password") && !proxy.is_set("username") {
            return invalid("A proxy's password needs its username.");
        }
        let Some(url) = proxy.text("url") else {
            let from_environment = !proxy.is_set("url") && proxy.flag("from_env") != Some(false);
            return Ok(if from_environment {
                Self::Environment
            } else {
                Self::Straight
            });
        };
        let parsed = Proxy::parse(url).map_err(|why| {
            Diagnostic::error(
                "Invalid proxy configuration",
                format!("The proxy's url {url:?} is not valid: {why}."),
            )
        })?;
        let password = proxy.text("password").unwrap_or_default();
        Ok(Self::Through(match proxy.text("username") {
            Some(name) => Proxy {
                login: Some((name.to_owned(), password.to_owned())),
                ..parsed
            },
            None => parsed,
        }))
    }

    /// Connects to a server.
    pub(super) fn connect(&self, host: &str, port: u16) -> Result<Box<dyn Stream>, AnyError> {
        match self {
            Self::Straight => Ok(Box::new(dial(host, port)?)),
            Self::Through(proxy) => proxy.connect(host, port),
            Self::Environment => match proxy_of_environment(host, port)? {
                Some(proxy) => proxy.connect(host, port),
                None => Ok(Box::new(dial(host, port)?)),
            },
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the configuration asks for what the environment says, as it does of plugins"
)]
fn variable(name: &str) -> Option<String> {
    let set = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    set(name).or_else(|| set(&name.to_lowercase()))
}

fn proxy_of_environment(host: &str, port: u16) -> Result<Option<Proxy>, AnyError> {
    let Some(text) = variable("HTTPS_PROXY") else {
        return Ok(None);
    };
    if is_excepted(host, port, &variable("NO_PROXY").unwrap_or_default()) {
        return Ok(None);
    }
    let text = if text.contains("://") {
        text
    } else {
        format!("http://{text}")
    };
    let parsed = Proxy::parse(&text);
    Ok(Some(parsed.map_err(|why| {
        format!("the proxy that HTTPS_PROXY names cannot be used: {why}")
    })?))
}

/// Whether `NO_PROXY` names a host: itself, a domain that it is in, or all; hosts of this machine always.
fn is_excepted(host: &str, port: u16, exceptions: &str) -> bool {
    let is_local = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    is_local
        || exceptions.split(',').map(str::trim).any(|exception| {
            let (name, wanted) = match exception.rsplit_once(':') {
                Some((name, digits)) if !name.contains(':') => (name, digits.parse().ok()),
                _ => (exception, None),
            };
            if wanted.is_some_and(|wanted: u16| wanted != port) {
                return false;
            }
            let domain = name.trim_start_matches('*').trim_start_matches('.');
            let is_within = host
                .strip_suffix(domain)
                .is_some_and(|rest| rest.ends_with('.'));
            name == "*" || !domain.is_empty() && (host == domain || is_within)
        })
}

fn dial(host: &str, port: u16) -> Result<TcpStream, AnyError> {
    let address = (host, port)
        .to_socket_addrs()?
        .next()
        .ok_or("the host has no address")?;
    let socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(socket)
}

impl Proxy {
    fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        if !matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") {
            return Err(format!(
                "its scheme is {:?}, and not http, https or socks5",
                url.scheme()
            ));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err("it names no host".to_owned());
        }
        let login = (!url.username().is_empty()).then(|| {
            let password = url.password().unwrap_or_default();
            (url.username().to_owned(), password.to_owned())
        });
        Ok(Self { url, login })
    }

    fn host(&self) -> String {
        match self.url.host() {
            Some(Host::Ipv6(ip)) => ip.to_string(),
            _ => self.url.host_str().unwrap_or_default().to_owned(),
        }
    }

    fn connect(&self, host: &str, port: u16) -> Result<Box<dyn Stream>, AnyError> {
        let usual = match self.url.scheme() {
            "http" => 80,
            "https" => 443,
            _ => 1080,
        };
        let mut socket = dial(&self.host(), self.url.port().unwrap_or(usual))
            .map_err(|error| format!("the proxy cannot be reached: {error}"))?;
        match self.url.scheme() {
            "http" => {
                self.ask_http(&mut socket, host, port)?;
                Ok(Box::new(socket))
            }
            "https" => {
                let mut secured = secured(socket, self.host())?;
                self.ask_http(&mut secured, host, port)?;
                Ok(Box::new(secured))
            }
            _ => {
                self.ask_socks(&mut socket, host, port)?;
                Ok(Box::new(socket))
            }
        }
    }

    fn ask_http(&self, stream: &mut impl Stream, host: &str, port: u16) -> Result<(), AnyError> {
        let target = if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        };
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some((name, password)) = &self.login {
            let pair =
                base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
            request.push_str("Proxy-Authorization: Basic ");
            request.push_str(&pair);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes())?;
        stream.flush()?;
        let mut answer = Vec::new();
        // Byte by byte: what follows the head belongs to the server behind the proxy.
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() == LONGEST {
                return Err("the proxy's answer does not end".into());
            }
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            answer.extend(byte);
        }
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.lines().next().unwrap_or_default();
        match status.split(' ').nth(1) {
            Some("200") => Ok(()),
            _ => Err(format!("the proxy refuses a connection to {target}: {status}").into()),
        }
    }

    fn ask_socks(&self, stream: &mut impl Stream, host: &str, port: u16) -> Result<(), AnyError> {
        let methods: &[u8] = match self.login {
            Some(_) => &[5, 2, 0, 2],
            None => &[5, 1, 0],
        };
        stream.write_all(methods)?;
        let chosen: [u8; 2] = take(stream)?;
        match (chosen, &self.login) {
            ([5, 0], _) => {}
            ([5, 2], Some((name, password))) => {
                let mut login = vec![1];
                login.extend(short(name)?);
                login.extend(short(password)?);
                stream.write_all(&login)?;
                let [_, refused] = take(stream)?;
                if refused != 0 {
                    return Err("the proxy refuses the username and password".into());
                }
            }
            ([5, _], _) => return Err("the proxy wants another login".into()),
            _ => return Err("the proxy does not speak SOCKS 5".into()),
        }
        let mut request = vec![5, 1, 0];
        match host.parse() {
            Ok(IpAddr::V4(ip)) => {
                request.push(1);
                request.extend(ip.octets());
            }
            Ok(IpAddr::V6(ip)) => {
                request.push(4);
                request.extend(ip.octets());
            }
            Err(_) => {
                request.push(3);
                request.extend(short(host)?);
            }
        }
        request.extend(port.to_be_bytes());
        stream.write_all(&request)?;
        let [_, refused, _, kind] = take(stream)?;
        if refused != 0 {
            let why = format!("the proxy cannot connect to {host}: it answers {refused}");
            return Err(why.into());
        }
        let bound = match kind {
            1 => 4,
            4 => 16,
            _ => usize::from(take::<1>(stream)?[0]),
        };
        stream.read_exact(&mut vec![0; bound + 2])?;
        Ok(())
    }
}

fn secured(
    socket: TcpStream,
    host: String,
) -> Result<StreamOwned<ClientConnection, TcpStream>, AnyError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Arc::new(Verifier::new(provider.clone())?);
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from(host)?)?;
    Ok(StreamOwned::new(connection, socket))
}

fn take<const N: usize>(stream: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A text behind its length.
fn short(text: &str) -> Result<Vec<u8>, AnyError> {
    let length = u8::try_from(text.len())
        .map_err(|_| "no proxy of this kind takes names of more than 255 bytes")?;
    let mut bytes = vec![length];
    bytes.extend(text.as_bytes());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use terrace_provider_sdk::{Data as _, Value};

    use super::*;

    fn config(proxy: &[(&str, Value)]) -> Object {
        let mut block = Object::default();
        for name in ["url", "username", "password", "from_env"] {
            let found = proxy.iter().find(|(other, _)| *other == name);
            block.set(name, found.map_or(Value::NULL, |(_, value)| value.clone()));
        }
        let mut config = Object::default();
        config.set("proxy", Value::tuple(vec![block.into_value()]));
        config
    }

    #[test]
    fn a_configuration_says_how_servers_are_reached() {
        let text = |text: &str| Value::from(text);
        assert_eq!(Route::of(&Object::default()).unwrap(), Route::Straight);
        assert_eq!(Route::of(&config(&[])).unwrap(), Route::Environment);
        let off = config(&[("from_env", Value::from(false))]);
        assert_eq!(Route::of(&off).unwrap(), Route::Straight);
        let given = config(&[
            ("url", text("http://proxy.example:3128")),
            ("username", text("me")),
            ("password", text("sesame")),
        ]);
        let Route::Through(proxy) = Route::of(&given).unwrap() else {
            panic!("a proxy is named");
        };
        assert_eq!(proxy.host(), "proxy.example");
        assert_eq!(proxy.login, Some(("me".to_owned(), "sesame".to_owned())));
        for bad in [
            config(&[("url", text("ftp://x"))]),
            config(&[("url", text("http://x")), ("from_env", Value::from(true))]),
            config(&[("username", text("me"))]),
            config(&[("url", text("http://x")), ("password", text("x"))]),
        ] {
            assert!(Route::of(&bad).is_err());
        }
    }

    #[test]
    fn exceptions_name_hosts_domains_and_ports() {
        let excepted = |host, list| is_excepted(host, 443, list);
        assert!(excepted("localhost", "") && excepted("127.0.0.1", ""));
        assert!(!excepted("a.example", ""));
        assert!(excepted("a.example", "*"));
        for list in [
            "example",
            ".example",
            "*.example",
            "x, a.example",
            "a.example:443",
        ] {
            assert!(excepted("a.example", list), "{list}");
        }
        for list in ["a.example:80", "ample", "b.example"] {
            assert!(!excepted("a.example", list), "{list}");
        }
    }

    /// A proxy that answers to one connection by these steps: so many bytes, then an answer. Gives what it was asked.
    fn standing_in(steps: Vec<(usize, Vec<u8>)>) -> (u16, thread::JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            for (length, answer) in steps {
                let mut bytes = vec![0; length];
                stream.read_exact(&mut bytes).unwrap();
                asked.extend(bytes);
                stream.write_all(&answer).unwrap();
            }
            asked
        });
        (port, asked)
    }

    #[test]
    fn a_proxy_of_http_is_asked_to_connect() {
        let expected = "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\nProxy-Authorization: Basic bWU6c2VzYW1l\r\n\r\n";
        let answer = b"HTTP/1.1 200 Connection established\r\n\r\nbeyond".to_vec();
        let (port, asked) = standing_in(vec![(expected.len(), answer)]);
        let proxy = Proxy::parse(&format!("http://me:sesame@127.0.0.1:{port}")).unwrap();
        let mut stream = proxy.connect("a.example", 443).unwrap();
        let mut beyond = String::new();
        stream.read_to_string(&mut beyond).unwrap();
        assert_eq!(beyond, "beyond");
        assert_eq!(String::from_utf8(asked.join().unwrap()).unwrap(), expected);

        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n".to_vec();
        let (port, _asked) = standing_in(vec![(expected.len(), refusal)]);
        let proxy = Proxy::parse(&format!("http://me:sesame@127.0.0.1:{port}")).unwrap();
        let error = proxy.connect("a.example", 443).err().unwrap().to_string();
        assert!(
            error.contains("407 Proxy Authentication Required"),
            "{error}"
        );
    }

    #[test]
    fn a_proxy_of_socks_is_asked_by_name() {
        let steps = vec![
            (3, vec![5, 0]),
            (5 + 9 + 2, vec![5, 0, 0, 1, 127, 0, 0, 1, 0, 80]),
        ];
        let (port, asked) = standing_in(steps);
        let proxy = Proxy::parse(&format!("socks5://127.0.0.1:{port}")).unwrap();
        drop(proxy.connect("a.example", 443).unwrap());
        let mut expected = vec![5, 1, 0, 5, 1, 0, 3, 9];
        expected.extend(b"a.example");
        expected.extend(443_u16.to_be_bytes());
        assert_eq!(asked.join().unwrap(), expected);
    }
}
