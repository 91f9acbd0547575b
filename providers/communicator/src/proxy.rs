//! Proxies: HTTP's CONNECT, and SOCKS 5.

use base64::Engine as _;
use terrace_port::Proxy;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::session::Failure;

/// The longest answer that a proxy may give.
const LONGEST: usize = 16 * 1024;

/// A connection to `host` through a proxy.
pub(crate) async fn through(proxy: &Proxy, host: &str, port: u16) -> Result<TcpStream, Failure> {
    match &*proxy.scheme {
        "http" | "socks5" | "socks5h" => {}
        "https" => {
            return Err(Failure::fatal(
                "proxy: the scheme https is not supported yet. Use \"http\" or \"socks5\".",
            ));
        }
        other => {
            return Err(Failure::fatal(format!(
                "proxy: unknown scheme: {other}. Use \"http\" or \"socks5\"."
            )));
        }
    }
    let mut stream = dial(&proxy.host, proxy.port).await?;
    if proxy.scheme == "http" {
        http(&mut stream, proxy, host, port).await?;
    } else {
        socks(&mut stream, proxy, host, port).await?;
    }
    Ok(stream)
}

/// A connection to `host`.
pub(crate) async fn dial(host: &str, port: u16) -> Result<TcpStream, Failure> {
    let shown = address(host, port);
    let stream = TcpStream::connect((host, port))
        .await
        .map_err(|error| Failure::passing(format!("dial tcp {shown}: {}", plain(&error))))?;
    // Slower without, and nothing else.
    stream.set_nodelay(true).ok();
    Ok(stream)
}

/// An error of the system without its number.
pub(crate) fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "connect: connection refused".to_owned(),
        std::io::ErrorKind::ConnectionReset => "connection reset by peer".to_owned(),
        _ => {
            let text = error.to_string();
            match text.find(" (os error") {
                Some(at) => text[..at].to_owned(),
                None => text,
            }
        }
    }
}

/// Host and port as one text.
pub(crate) fn address(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

fn broken(error: &std::io::Error) -> Failure {
    Failure::passing(format!("proxy: {}", plain(error)))
}

async fn http(stream: &mut TcpStream, proxy: &Proxy, host: &str, port: u16) -> Result<(), Failure> {
    let target = address(host, port);
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(user) = &proxy.user {
        let pair = format!("{user}:{}", proxy.password.as_deref().unwrap_or_default());
        let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
        request.push_str("Proxy-Authorization: Basic ");
        request.push_str(&encoded);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .map_err(|error| broken(&error))?;
    let mut answer = Vec::new();
    // Byte by byte: what follows the head belongs to the machine behind the proxy.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() == LONGEST {
            return Err(Failure::passing("proxy: the answer does not end"));
        }
        let byte = stream.read_u8().await.map_err(|error| broken(&error))?;
        answer.push(byte);
    }
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.lines().next().unwrap_or_default();
    let mut words = status.split(' ');
    let is_http = words.next().is_some_and(|word| word.starts_with("HTTP/1."));
    match (is_http, words.next()) {
        (true, Some("200")) => Ok(()),
        (true, _) => Err(Failure::passing(format!(
            "proxy: it refuses the connection to {target}: {status}"
        ))),
        _ => Err(Failure::passing("proxy: it does not speak HTTP")),
    }
}

async fn socks(
    stream: &mut TcpStream,
    proxy: &Proxy,
    host: &str,
    port: u16,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| broken(&error);
    let methods: &[u8] = if proxy.user.is_some() {
        &[5, 2, 0, 2]
    } else {
        &[5, 1, 0]
    };
    stream.write_all(methods).await.map_err(failed)?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await.map_err(failed)?;
    match chosen {
        [5, 0] => {}
        [5, 2] => {
            let mut login = vec![1];
            login.extend(short(proxy.user.as_deref().unwrap_or_default())?);
            login.extend(short(proxy.password.as_deref().unwrap_or_default())?);
            stream.write_all(&login).await.map_err(failed)?;
            let mut answer = [0; 2];
            stream.read_exact(&mut answer).await.map_err(failed)?;
            if answer[1] != 0 {
                return Err(Failure::passing(
                    "proxy: it refuses proxy_user_name and proxy_user_password",
                ));
            }
        }
        [5, _] => {
            return Err(Failure::passing(
                "proxy: it wants another login than a user's name and password",
            ));
        }
        _ => return Err(Failure::passing("proxy: it does not speak SOCKS 5")),
    }
    let mut request = vec![5, 1, 0];
    match host.parse() {
        Ok(std::net::IpAddr::V4(ip)) => {
            request.push(1);
            request.extend(ip.octets());
        }
        Ok(std::net::IpAddr::V6(ip)) => {
            request.push(4);
            request.extend(ip.octets());
        }
        Err(_) => {
            request.push(3);
            request.extend(short(host)?);
        }
    }
    request.extend(port.to_be_bytes());
    stream.write_all(&request).await.map_err(failed)?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.map_err(failed)?;
    if head[1] != 0 {
        const REASONS: [&str; 9] = [
            "",
            "general failure",
            "not allowed",
            "network unreachable",
            "host unreachable",
            "connection refused",
            "time to live expired",
            "command not supported",
            "address type not supported",
        ];
        let reason = REASONS
            .get(usize::from(head[1]))
            .unwrap_or(&"unknown reason");
        return Err(Failure::passing(format!(
            "proxy: it cannot connect to {}: {reason}",
            address(host, port)
        )));
    }
    let bound = match head[3] {
        1 => 4,
        4 => 16,
        _ => usize::from(stream.read_u8().await.map_err(failed)?),
    };
    let mut rest = vec![0; bound + 2];
    stream.read_exact(&mut rest).await.map_err(failed)?;
    Ok(())
}

/// A text behind its length.
fn short(text: &str) -> Result<Vec<u8>, Failure> {
    let length = u8::try_from(text.len())
        .map_err(|_| Failure::fatal("proxy: names of more than 255 bytes are not possible"))?;
    let mut bytes = vec![length];
    bytes.extend(text.as_bytes());
    Ok(bytes)
}
