//! A server of one page for the browser of whoever started it: on the loopback alone, `GET` alone, under an address that
//! nobody guesses.
//!
//! The address holds a secret, since other users of the machine reach the loopback too. A page of somewhere else that has
//! its own name lead here is told apart by the `Host` header.

use std::fmt::Write as _;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use terrace_page::Rendered;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// The longest head of a request.
const LONGEST_HEAD: usize = 16 * 1024;
/// How long a browser may take to say what it wants.
const PATIENCE_TO_READ: Duration = Duration::from_secs(10);
/// How long it may take to take what it asked for.
const PATIENCE_TO_WRITE: Duration = Duration::from_mins(2);
/// How many are served at once; others wait.
const MOST_AT_ONCE: usize = 32;

/// A server that has its port.
pub(super) struct Server {
    listener: TcpListener,
    port: u16,
    path: String,
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Page {
        body: bool,
    },
    /// What is answered in place of the page: status, and what is wrong.
    Not(&'static str, &'static str),
}

impl Server {
    /// Listens on a port of the loopback, 0 for any that is free.
    pub(super) async fn bind(port: u16, secret: &[u8]) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = listener.local_addr()?.port();
        let mut path = "/".to_owned();
        for byte in secret {
            write!(path, "{byte:02x}").expect("strings take all");
        }
        path.push('/');
        Ok(Self {
            listener,
            port,
            path,
        })
    }

    /// Where the page is.
    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.path)
    }

    /// Serves for as long as it is polled. One that is slow keeps nobody else waiting.
    pub(super) async fn serve(&self, make: impl AsyncFn() -> Result<Rendered, String>) {
        let mut open = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if open.len() < MOST_AT_ONCE => match accepted {
                    Ok((stream, _)) => open.push(self.answer(stream, &make)),
                    // Without a free descriptor nobody is served; those that are will end.
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                },
                Some(()) = open.next(), if !open.is_empty() => {}
            }
        }
    }

    async fn answer(
        &self,
        mut stream: TcpStream,
        make: &impl AsyncFn() -> Result<Rendered, String>,
    ) {
        let Ok(Ok(head)) = timeout(PATIENCE_TO_READ, read_head(&mut stream)).await else {
            return;
        };
        let answer = match self.understand(&head) {
            Asked::Not(status, why) => plain(status, why),
            Asked::Page { body } => match make().await {
                Ok(page) => whole(&page, body),
                Err(why) => plain("500 Internal Server Error", &why),
            },
        };
        // Whoever asked may have gone; there is nobody to tell.
        let sent = async {
            stream.write_all(&answer).await?;
            stream.shutdown().await
        };
        drop(timeout(PATIENCE_TO_WRITE, sent).await);
    }

    fn understand(&self, head: &[u8]) -> Asked {
        let Ok(text) = std::str::from_utf8(head) else {
            return Asked::Not("400 Bad Request", "This is no request.");
        };
        let mut lines = text.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (method, path, version) = (words.next(), words.next(), words.next());
        let is_http = version.is_some_and(|version| version.starts_with("HTTP/1."));
        let (Some(method), Some(path), true, None) = (method, path, is_http, words.next()) else {
            return Asked::Not("400 Bad Request", "This is no request.");
        };
        let headers = |wanted: &'static str| {
            text.split("\r\n").skip(1).filter_map(move |line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case(wanted).then(|| value.trim())
            })
        };
        let own = [
            format!("127.0.0.1:{}", self.port),
            format!("localhost:{}", self.port),
        ];
        let mut hosts = headers("host");
        let is_own = hosts
            .next()
            .is_some_and(|host| own.iter().any(|own| own == host));
        if !is_own || hosts.next().is_some() {
            return Asked::Not("403 Forbidden", "This host is not served here.");
        }
        let is_foreign = |origin: &str| !own.iter().any(|own| origin == format!("http://{own}"));
        if headers("origin").any(is_foreign) {
            return Asked::Not("403 Forbidden", "Other pages get nothing here.");
        }
        if method != "GET" && method != "HEAD" {
            return Asked::Not("405 Method Not Allowed", "This page can only be read.");
        }
        if !same(path.as_bytes(), self.path.as_bytes()) {
            return Asked::Not(
                "404 Not Found",
                "There is nothing here. The whole address is where `terrace view` was started.",
            );
        }
        Asked::Page {
            body: method == "GET",
        }
    }
}

/// Compares in a time that does not tell where two differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .fold(0, |differs, (a, b)| differs | (a ^ b))
            == 0
}

/// A request up to the empty line; what follows is not read.
async fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut part = [0; 2048];
    loop {
        let count = stream.read(&mut part).await?;
        if count == 0 || head.len() + count > LONGEST_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let from = head.len().saturating_sub(3);
        head.extend_from_slice(&part[..count]);
        let end = head[from..].windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            head.truncate(from + end);
            return Ok(head);
        }
    }
}

/// What stands in every answer: nothing is kept, framed, guessed or handed to others.
const HEADERS: &str = "Connection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\nCross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Resource-Policy: same-origin\r\n";

fn plain(status: &str, text: &str) -> Vec<u8> {
    let allow = if status.starts_with("405") {
        "Allow: GET, HEAD\r\n"
    } else {
        ""
    };
    format!(
        "HTTP/1.1 {status}\r\n{HEADERS}{allow}Content-Security-Policy: default-src 'none'\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n{text}\n",
        text.len() + 1
    )
    .into_bytes()
}

fn whole(page: &Rendered, body: bool) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\n{HEADERS}Content-Security-Policy: {}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
        page.policy,
        page.html.len()
    )
    .into_bytes();
    if body {
        answer.extend_from_slice(&page.html);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn server() -> Server {
        Server::bind(0, &[7; 16])
            .await
            .expect("the loopback has a free port")
    }

    fn asked(server: &Server, lines: &[&str]) -> Asked {
        let host = format!("Host: 127.0.0.1:{}", server.port);
        let lines: Vec<&str> = lines
            .iter()
            .map(|line| if *line == "HOST" { host.as_str() } else { line })
            .collect();
        server.understand(lines.join("\r\n").as_bytes())
    }

    fn status(asked: &Asked) -> &str {
        match asked {
            Asked::Page { .. } => "200",
            Asked::Not(status, _) => &status[..3],
        }
    }

    #[tokio::test]
    async fn only_its_own_address_by_its_own_host_is_answered() {
        let server = server().await;
        let get = format!("GET {} HTTP/1.1", server.path);
        let own = format!("Origin: http://localhost:{}", server.port);
        for (lines, expected) in [
            (vec![get.as_str(), "HOST"], "200"),
            (vec![get.as_str(), "HOST", &own], "200"),
            (vec![get.as_str()], "403"),
            (vec![get.as_str(), "HOST", "HOST"], "403"),
            (vec![get.as_str(), "Host: evil.example"], "403"),
            (vec![get.as_str(), "Host: 127.0.0.1"], "403"),
            (
                vec![get.as_str(), "HOST", "Origin: http://evil.example"],
                "403",
            ),
            (vec![get.as_str(), "HOST", "Origin: null"], "403"),
            (vec!["GET / HTTP/1.1", "HOST"], "404"),
            (vec!["GET /../etc/passwd HTTP/1.1", "HOST"], "404"),
            (vec!["POST / HTTP/1.1", "HOST"], "405"),
            (vec!["OPTIONS / HTTP/1.1", "HOST"], "405"),
            (vec!["GET / HTTP/2", "HOST"], "400"),
            (vec!["GET /"], "400"),
            (vec![""], "400"),
        ] {
            let asked = asked(&server, &lines);
            assert_eq!(status(&asked), expected, "{lines:?}");
        }
    }

    #[tokio::test]
    async fn a_silent_client_keeps_nobody_waiting() {
        let server = server().await;
        let page = Rendered {
            html: b"<!doctype html>".to_vec(),
            policy: "default-src 'none'".to_owned(),
        };
        let ask = async {
            let mut silent = Vec::new();
            for _ in 0..8 {
                let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).await?;
                stream.write_all(b"GET / HT").await?;
                silent.push(stream);
            }
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).await?;
            let request = format!(
                "GET {} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n",
                server.path, server.port
            );
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            drop(silent);
            io::Result::Ok(answer)
        };
        let make = async || Ok(page.clone());
        let answer = tokio::select! {
            () = server.serve(make) => unreachable!("it serves for ever"),
            answer = ask => answer.expect("it answers"),
        };
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n<!doctype html>"), "{answer}");
        assert!(answer.contains("\r\nContent-Security-Policy: default-src 'none'\r\n"));
        assert!(!answer.to_ascii_lowercase().contains("access-control"));
    }
}
