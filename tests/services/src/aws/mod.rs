//! AWS on this machine: moto behind a server that understands what moto does not, and puts right what it answers wrongly.
//!
//! Each correction says what is wrong with moto; nothing that is tested is made to fit it.

mod cbor;
mod cloud_control;
mod corrections;
mod edge;
mod functions;
mod mappings;
mod replicas;
mod tables;
mod targets;

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value as Json;

use crate::install::Unavailable;
use crate::moto::{Moto, exchange_at};
use corrections::Memory;

/// The server and moto behind it. Both end when it is dropped.
#[derive(Debug)]
pub struct Aws {
    moto: Moto,
    memory: Arc<Memory>,
    address: SocketAddr,
    over: Arc<AtomicBool>,
}

/// A request.
#[derive(Clone)]
struct Asked {
    /// Method, path, query and version.
    line: String,
    /// Headers, by names in lower case.
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An answer of moto.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The same request with another body.
    fn with_body(&self, body: Vec<u8>) -> Self {
        let mut asked = self.clone();
        let length = body.len().to_string();
        for (name, value) in &mut asked.headers {
            if name == "content-length" {
                value.clone_from(&length);
            }
        }
        asked.body = body;
        asked
    }

    /// What it says, if that is JSON.
    fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The same request of another call and another body, for another region.
    fn elsewhere(&self, region: &str, target: &str, body: &Json) -> Self {
        let mut asked = self.with_body(body.to_string().into_bytes());
        let own = format!("/{}/", self.region());
        for (name, value) in &mut asked.headers {
            match name.as_str() {
                "authorization" => *value = value.replacen(&own, &format!("/{region}/"), 1),
                "x-amz-target" => target.clone_into(value),
                _ => {}
            }
        }
        asked
    }

    /// The region that it is signed for.
    fn region(&self) -> &str {
        let scope = self
            .header("authorization")
            .and_then(|signed| signed.split("Credential=").nth(1));
        scope
            .and_then(|scope| scope.split('/').nth(2))
            .unwrap_or("us-east-1")
    }

    fn method_and_path(&self) -> (&str, &str) {
        let mut words = self.line.split(' ');
        (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        )
    }
}

impl Answer {
    fn of_json(status: u16, body: &Json) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), "application/x-amz-json-1.1".into())],
            body: body.to_string().into_bytes(),
        }
    }

    /// What it says, if that is JSON.
    fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Changes what it says in JSON.
    fn change_json(&mut self, change: impl FnOnce(&mut Json)) {
        let mut told = self.json();
        change(&mut told);
        self.body = told.to_string().into_bytes();
    }
}

fn header_line(name: &str, value: &str) -> String {
    format!("{name}: {value}\r\n")
}

fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let found = headers.iter().find(|(known, _)| known == name)?;
    Some(&found.1)
}

impl Aws {
    /// Starts moto, and the server before it.
    pub fn start() -> Result<Self, Unavailable> {
        let moto = Moto::start()?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let over = Arc::new(AtomicBool::new(false));
        let behind: Arc<str> = moto.endpoint().trim_start_matches("http://").into();
        let memory = Arc::new(Memory::default());
        let (ended, remembered) = (over.clone(), memory.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (behind, memory) = (behind.clone(), remembered.clone());
                std::thread::spawn(move || {
                    // A client that hangs up in the midst of a call needs no answer.
                    let _gone = serve(client, &behind, &memory);
                });
            }
        });
        Ok(Self {
            moto,
            memory,
            address,
            over,
        })
    }

    /// Where every service is.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a service of us-east-1 answers to a call: one by its target (`AWSEvents.CreateEventBus`), or by a method and a path
    /// (`POST /2018-10-31/layers/a/versions`). A refusal is an error.
    pub fn ask(&self, service: &str, call: &str, body: &str) -> Result<Vec<u8>, Unavailable> {
        let signed = header_line(
            "authorization",
            &format!(
                "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
            ),
        );
        let (method, path, headers) = if let Some((method, path)) = call.split_once(' ') {
            (method, path, signed)
        } else {
            let spoken = header_line("content-type", "application/x-amz-json-1.1");
            let target = header_line("x-amz-target", call);
            ("POST", "/", signed + &spoken + &target)
        };
        match exchange_at(self.address, method, path, &headers, body)? {
            (200..300, answer) => Ok(answer),
            (status, answer) => Err(Unavailable(format!(
                "AWS answered {status} to {call}: {}",
                String::from_utf8_lossy(&answer)
            ))),
        }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Forgets everything that was made in it.
    pub fn reset(&self) -> Result<(), Unavailable> {
        self.moto.reset()?;
        self.memory.clear();
        Ok(())
    }

    /// What is behind it, for what AWS itself would not do.
    pub const fn moto(&self) -> &Moto {
        &self.moto
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the server, which sees that it is over.
        let _woken = TcpStream::connect(self.address);
    }
}

fn serve(mut client: TcpStream, behind: &str, memory: &Memory) -> io::Result<()> {
    while let Some(mut asked) = request(&mut client)? {
        let cbor = corrections::from_cbor(&mut asked);
        corrections::without_conditions(&mut asked, memory);
        let answered = cloud_control::answered(&asked, &memory.clouds)
            .or_else(|| edge::answered(&asked, &memory.edge))
            .or_else(|| functions::answered(&asked, &memory.functions))
            .or_else(|| mappings::answered(&asked, &memory.mappings))
            .or_else(|| tables::answered(&asked))
            .or_else(|| corrections::of_its_owner(&asked, memory))
            .or_else(|| targets::answered(&asked, memory));
        let last = asked.header("connection") == Some("close");
        if let Some(answer) = answered {
            client.write_all(&written(&asked, &answer))?;
            if last {
                return Ok(());
            }
            continue;
        }
        replicas::carry_out(&asked, memory, |asked| asked_of(behind, asked))?;
        let simpler = corrections::simpler(&asked);
        let Some(mut answer) = asked_of(behind, simpler.as_ref().unwrap_or(&asked))? else {
            return Ok(());
        };
        if cbor {
            corrections::to_cbor(&mut answer);
        }
        corrections::correct(&asked, &mut answer, memory);
        client.write_all(&written(&asked, &answer))?;
        if last {
            return Ok(());
        }
    }
    Ok(())
}

/// What moto answers; none where it went in the midst of it.
fn asked_of(behind: &str, asked: &Asked) -> io::Result<Option<Answer>> {
    let mut server = TcpStream::connect(behind)?;
    let mut head = format!("{}\r\n", asked.line);
    for (name, value) in &asked.headers {
        if !["connection", "expect"].contains(&name.as_str()) {
            head += &header_line(name, value);
        }
    }
    head.push_str("connection: close\r\n\r\n");
    server.write_all(head.as_bytes())?;
    server.write_all(&asked.body)?;
    let mut told = Vec::new();
    server.read_to_end(&mut told)?;
    let Some(end) = find(&told, b"\r\n\r\n") else {
        return Ok(None);
    };
    let (line, headers) = parsed(&told[..end]);
    let status = line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Ok(status.map(|status| Answer {
        status,
        headers,
        body: told.split_off(end + 4),
    }))
}

fn written(asked: &Asked, answer: &Answer) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} Told\r\n", answer.status);
    // The answer to HEAD tells the length of what it leaves out.
    let keeps_length = asked.line.starts_with("HEAD ");
    for (name, value) in &answer.headers {
        let dropped = match name.as_str() {
            "connection" | "transfer-encoding" => true,
            "content-length" => !keeps_length,
            _ => false,
        };
        if !dropped {
            head += &header_line(name, value);
        }
    }
    if !keeps_length {
        head += &header_line("content-length", &answer.body.len().to_string());
    }
    head.push_str("\r\n");
    let mut whole = head.into_bytes();
    whole.extend(&answer.body);
    whole
}

/// The next request of a connection; none when it is over.
fn request(client: &mut TcpStream) -> io::Result<Option<Asked>> {
    let mut bytes = Vec::new();
    let more = |bytes: &mut Vec<u8>, client: &mut TcpStream| -> io::Result<bool> {
        let mut piece = [0; 16 * 1024];
        let count = client.read(&mut piece)?;
        bytes.extend(&piece[..count]);
        Ok(count > 0)
    };
    let end = loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            break end;
        }
        if !more(&mut bytes, client)? {
            return Ok(None);
        }
    };
    let mut body = bytes.split_off(end + 4);
    let (line, headers) = parsed(&bytes[..end]);
    if header(&headers, "expect").is_some() {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let length: Option<usize> =
        header(&headers, "content-length").and_then(|text| text.parse().ok());
    let chunked = header(&headers, "transfer-encoding").is_some();
    let complete = |body: &[u8]| match length {
        Some(length) => body.len() >= length,
        None => !chunked || body.ends_with(b"\r\n0\r\n\r\n") || body == b"0\r\n\r\n",
    };
    while !complete(&body) {
        if !more(&mut body, client)? {
            return Ok(None);
        }
    }
    Ok(Some(Asked {
        line,
        headers,
        body,
    }))
}

fn parsed(head: &[u8]) -> (String, Vec<(String, String)>) {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default().to_owned();
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    (line, headers)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
