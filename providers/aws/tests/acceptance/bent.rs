//! moto behind a server that puts right what it answers wrongly. Each correction says what is wrong with moto's answer; the
//! provider is never made to fit it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A request as corrections see it.
pub(crate) struct Asked {
    /// Method, path and query.
    pub(crate) line: String,
    head: String,
    pub(crate) body: Vec<u8>,
}

/// An answer of moto.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

/// Requests whose content moto does not keep whole, by their path and query.
type Memory = Mutex<BTreeMap<String, Arc<Asked>>>;

/// Puts an answer right, or leaves it as it is.
type Correction = fn(&Memory, &Arc<Asked>, &mut Answer);

/// What is put right.
const CORRECTIONS: [Correction; 4] = [elements, payment, forgotten, functions];

fn functions(_memory: &Memory, asked: &Arc<Asked>, answer: &mut Answer) {
    crate::forgotten::functions(asked, answer);
}

/// Elements that moto names after the call; S3 calls them otherwise, as the SDK insists.
const ELEMENTS: [(&str, &str); 2] = [
    ("GetBucketVersioningResponse", "VersioningConfiguration"),
    (
        "GetBucketAccelerateConfigurationResponse",
        "AccelerateConfiguration",
    ),
];

fn elements(_memory: &Memory, _asked: &Arc<Asked>, answer: &mut Answer) {
    let text = String::from_utf8_lossy(&answer.body);
    let wrong = |(wrong, _): &&(&str, &str)| text.contains(&format!("<{wrong}"));
    if let Some((wrong, right)) = ELEMENTS.iter().find(wrong) {
        answer.body = text.replace(wrong, right).into_bytes();
    }
}

/// moto does not know who pays for requests, and lists the bucket instead. It is the bucket's owner.
fn payment(_memory: &Memory, asked: &Arc<Asked>, answer: &mut Answer) {
    let wanted = asked.line.starts_with("GET ") && asked.line.contains("?requestPayment");
    if wanted && answer.status == 200 {
        let payer =
            "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>";
        answer.body = payer.into();
    }
}

/// moto forgets of lifecycle rules how large objects are and how many newer versions there must be, and the size from which
/// objects move; and of notifications, whether there are any to EventBridge. What was written is what S3 tells.
fn forgotten(memory: &Memory, asked: &Arc<Asked>, answer: &mut Answer) {
    const SIZE: &str = "x-amz-transition-default-minimum-object-size";
    let mut parts = asked.line.split(' ');
    let (method, path) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let parts = ["?lifecycle", "?notification"];
    if answer.status != 200 || !parts.iter().any(|part| path.ends_with(part)) {
        return;
    }
    let mut memory = memory.lock().unwrap();
    if method == "PUT" {
        memory.insert(path.to_owned(), asked.clone());
    } else if let Some(written) = memory.get(path).filter(|_| method == "GET") {
        answer.body.clone_from(&written.body);
        let size = field(&written.head, SIZE).unwrap_or("all_storage_classes_128K");
        answer.head = format!("{}{SIZE}: {size}\r\n", without(&answer.head, &[SIZE]));
    }
}

/// Serves until the runtime ends, and gives the address.
pub(crate) async fn serve(behind: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let behind: Arc<str> = behind.trim_start_matches("http://").into();
    let memory = Arc::new(Memory::default());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (behind, memory) = (behind.clone(), memory.clone());
            tokio::spawn(async move {
                // A client that hangs up in the midst of a call needs no answer.
                let _gone = forward(client, &behind, &memory).await;
            });
        }
    });
    address
}

async fn forward(mut client: TcpStream, behind: &str, memory: &Memory) -> std::io::Result<()> {
    while let Some(asked) = request(&mut client).await? {
        let asked = Arc::new(asked);
        // moto has no Cloud Control.
        let target = field(&asked.head, "x-amz-target").unwrap_or_default();
        if let Some(call) = target.strip_prefix("CloudApiService.") {
            let (status, body) = crate::cloudcontrol::answer(call, &asked.body);
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {status} Told\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            client.write_all(head.as_bytes()).await?;
            client.write_all(body.as_bytes()).await?;
            continue;
        }
        let mut server = TcpStream::connect(behind).await?;
        let head = without(&asked.head, &["connection", "expect"]);
        let head = format!("{}\r\n{head}connection: close\r\n\r\n", asked.line);
        server.write_all(head.as_bytes()).await?;
        server.write_all(&asked.body).await?;
        let mut told = Vec::new();
        server.read_to_end(&mut told).await?;
        let Some(mut answer) = parsed(&told) else {
            return Ok(());
        };
        for correct in CORRECTIONS {
            correct(memory, &asked, &mut answer);
        }
        // The answer to HEAD tells the length of what it leaves out.
        let head = if asked.line.starts_with("HEAD ") {
            without(&answer.head, &["connection", "transfer-encoding"])
        } else {
            let head = without(
                &answer.head,
                &["connection", "content-length", "transfer-encoding"],
            );
            format!("{head}content-length: {}\r\n", answer.body.len())
        };
        let head = format!("HTTP/1.1 {} Told\r\n{head}\r\n", answer.status);
        client.write_all(head.as_bytes()).await?;
        client.write_all(&answer.body).await?;
    }
    Ok(())
}

/// The next request of a connection; none when it is over.
async fn request(client: &mut TcpStream) -> std::io::Result<Option<Asked>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            break end;
        }
        if client.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let whole = String::from_utf8_lossy(&bytes[..end + 2]).into_owned();
    let (line, head) = whole.split_once("\r\n").unwrap_or_default();
    let (line, head) = (line.to_owned(), head.to_owned());
    let mut body = bytes.split_off(end + 4);
    if field(&head, "expect").is_some() {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let length = field(&head, "content-length").and_then(|length| length.parse().ok());
    let chunked = field(&head, "transfer-encoding").is_some();
    let complete = |body: &[u8]| match length {
        Some(length) => body.len() >= length,
        None => !chunked || body.ends_with(b"\r\n0\r\n\r\n") || body == b"0\r\n\r\n",
    };
    while !complete(&body) {
        if client.read_buf(&mut body).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(Asked { line, head, body }))
}

/// An answer; none where moto went in the midst of it.
fn parsed(told: &[u8]) -> Option<Answer> {
    let end = find(told, b"\r\n\r\n")?;
    let whole = String::from_utf8_lossy(&told[..end + 2]).into_owned();
    let (line, head) = whole.split_once("\r\n").unwrap_or_default();
    let status = line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Some(Answer {
        status: status?,
        head: head.to_owned(),
        body: told[end + 4..].to_vec(),
    })
}

/// A header, by its name in lower case.
fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The headers but these.
fn without(head: &str, names: &[&str]) -> String {
    head.lines()
        .filter(|line| {
            let key = line.split(':').next().unwrap_or_default();
            !names.iter().any(|name| key.eq_ignore_ascii_case(name))
        })
        .map(|line| format!("{line}\r\n"))
        .collect()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
