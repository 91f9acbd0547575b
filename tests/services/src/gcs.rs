//! A stand-in for Google Cloud Storage, in the test's own process: what its documentation says of objects, generations,
//! preconditions, listing by pages and keys of customers, and nothing else. It knows one bucket and one token.
//!
//! It is no server of Google's. What the real one does that its documentation leaves open is not to be learned from it.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many names a page of a list has: few, so that every list has pages.
const PAGE: usize = 3;

/// The stand-in. It ends when it is dropped.
#[derive(Debug)]
pub struct CloudStorage {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bucket: String,
    token: String,
    objects: Mutex<Objects>,
    over: AtomicBool,
}

#[derive(Debug, Default)]
struct Objects {
    by_name: BTreeMap<String, Stored>,
    /// Grows with every write, as generations do.
    last_generation: u64,
}

#[derive(Clone, Debug)]
struct Stored {
    bytes: Vec<u8>,
    generation: u64,
    /// The digest of the customer's key.
    key: Option<String>,
    kms_key: Option<String>,
}

#[derive(Debug, Default)]
struct Request {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl CloudStorage {
    /// Starts with a bucket, on a free port of this machine.
    pub fn start(bucket: &str, token: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            bucket: bucket.to_owned(),
            token: token.to_owned(),
            objects: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let for_threads = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if for_threads.over.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&for_threads);
                std::thread::spawn(move || {
                    // A client that goes away is no concern of the server's.
                    serve(&stream, &shared).ok();
                });
            }
        });
        Ok(Self { address, shared })
    }

    /// Its address, with scheme and port.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The content of an object.
    pub fn object(&self, name: &str) -> Option<Vec<u8>> {
        let objects = self
            .shared
            .objects
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        objects.by_name.get(name).map(|stored| stored.bytes.clone())
    }

    /// The key of Cloud KMS that an object is encrypted with.
    pub fn kms_key(&self, name: &str) -> Option<String> {
        let objects = self
            .shared
            .objects
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        objects.by_name.get(name)?.kms_key.clone()
    }

    /// Puts an object; its generation.
    pub fn put(&self, name: &str, bytes: &[u8]) -> u64 {
        let mut objects = self
            .shared
            .objects
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        objects.store(name, bytes.to_vec(), None, None)
    }
}

impl Drop for CloudStorage {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // So that the listener looks up.
        TcpStream::connect(self.address).ok();
    }
}

impl Objects {
    fn store(
        &mut self,
        name: &str,
        bytes: Vec<u8>,
        key: Option<String>,
        kms_key: Option<String>,
    ) -> u64 {
        self.last_generation += 1;
        let generation = 1_700_000_000_000_000 + self.last_generation;
        let stored = Stored {
            bytes,
            generation,
            key,
            kms_key,
        };
        self.by_name.insert(name.to_owned(), stored);
        generation
    }

    /// Whether the precondition on the generation holds.
    fn allows(&self, name: &str, request: &Request) -> bool {
        let now = self.by_name.get(name).map_or(0, |stored| stored.generation);
        let matches = |wanted: &String| wanted.parse() == Ok(now);
        request.query.get("ifGenerationMatch").is_none_or(matches)
            && request
                .query
                .get("ifGenerationNotMatch")
                .is_none_or(|other| !matches(other))
    }
}

impl Response {
    fn json(body: String) -> Self {
        Self {
            status: 200,
            headers: vec![("Content-Type", "application/json; charset=UTF-8".to_owned())],
            body: body.into_bytes(),
        }
    }

    fn error(status: u16, reason: &str, message: &str) -> Self {
        let body = format!(
            "{{\"error\":{{\"code\":{status},\"message\":\"{message}\",\"errors\":[{{\"message\":\"{message}\",\"domain\":\"global\",\"reason\":\"{reason}\"}}]}}}}"
        );
        Self {
            status,
            ..Self::json(body)
        }
    }

    fn precondition() -> Self {
        Self::error(
            412,
            "conditionNotMet",
            "At least one of the pre-conditions you specified did not hold.",
        )
    }
}

fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let request = read(&mut reader)?;
    let response = answer(&request, shared);
    let mut stream = stream;
    let head = format!(
        "HTTP/1.1 {} x\r\nConnection: close\r\nContent-Length: {}\r\n",
        response.status,
        response.body.len()
    );
    stream.write_all(head.as_bytes())?;
    for (name, value) in &response.headers {
        stream.write_all(format!("{name}: {value}\r\n").as_bytes())?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(&response.body)?;
    stream.flush()
}

fn read(reader: &mut impl io::BufRead) -> io::Result<Request> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name, true), decoded(value, true))
        });
    let mut request = Request {
        method,
        path: path.to_owned(),
        query: pairs.collect(),
        ..Request::default()
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        request
            .headers
            .insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    if request
        .headers
        .get("transfer-encoding")
        .is_some_and(|value| value.contains("chunked"))
    {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size)?;
            let size = u64::from_str_radix(size.trim(), 16).unwrap_or_default();
            reader.by_ref().take(size).read_to_end(&mut request.body)?;
            reader.read_line(&mut String::new())?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = request
        .headers
        .get("content-length")
        .and_then(|text| text.parse().ok())
    {
        reader
            .by_ref()
            .take(length)
            .read_to_end(&mut request.body)?;
    }
    Ok(request)
}

/// Percent-decodes; in queries a plus is a space.
fn decoded(text: &str, plus: bool) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' if plus => b' ',
            b'%' => {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                u8::from_str_radix(&String::from_utf8_lossy(&digits), 16).unwrap_or(b'?')
            }
            byte => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn answer(request: &Request, shared: &Shared) -> Response {
    if request.headers.get("authorization") != Some(&format!("Bearer {}", shared.token)) {
        return Response::error(401, "authError", "Invalid Credentials");
    }
    let path = request
        .path
        .strip_prefix("/upload")
        .unwrap_or(&request.path);
    let Some(rest) = path.strip_prefix("/storage/v1/b/") else {
        // The XML API, of which clients read.
        let plain = path.strip_prefix('/').and_then(|path| path.split_once('/'));
        return match plain {
            Some((bucket, name))
                if decoded(bucket, false) == shared.bucket && request.method == "GET" =>
            {
                get(&decoded(name, false), request, shared, true)
            }
            _ => Response::error(404, "notFound", "Not Found"),
        };
    };
    let (bucket, rest) = rest.split_once('/').unwrap_or((rest, ""));
    if decoded(bucket, false) != shared.bucket {
        return Response::error(404, "notFound", "The specified bucket does not exist.");
    }
    let name = rest.strip_prefix("o/").map(|name| decoded(name, false));
    match (request.method.as_str(), name) {
        ("POST", None) if request.path.starts_with("/upload/") => upload(request, shared),
        ("GET", None) => list(request, shared),
        ("GET", Some(name)) => get(
            &name,
            request,
            shared,
            request.query.get("alt").is_some_and(|alt| alt == "media"),
        ),
        ("DELETE", Some(name)) => delete(&name, request, shared),
        _ => Response::error(400, "invalid", "Not known to the stand-in"),
    }
}

fn resource(name: &str, stored: &Stored) -> String {
    format!(
        "{{\"kind\":\"storage#object\",\"name\":\"{}\",\"generation\":\"{}\",\"metageneration\":\"1\",\"size\":\"{}\"}}",
        name.replace('\\', "\\\\").replace('"', "\\\""),
        stored.generation,
        stored.bytes.len()
    )
}

fn get(name: &str, request: &Request, shared: &Shared, media: bool) -> Response {
    let objects = shared
        .objects
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let Some(stored) = objects.by_name.get(name) else {
        return Response::error(
            404,
            "notFound",
            &format!("No such object: {}/{name}", shared.bucket),
        );
    };
    if !media {
        return Response::json(resource(name, stored));
    }
    if stored.key.as_ref() != request.headers.get("x-goog-encryption-key-sha256") {
        return Response::error(
            400,
            "resourceIsEncryptedWithCustomerEncryptionKey",
            "The target object is encrypted by a customer-supplied encryption key.",
        );
    }
    Response {
        status: 200,
        headers: vec![
            ("Content-Type", "application/octet-stream".to_owned()),
            ("X-Goog-Generation", stored.generation.to_string()),
            ("X-Goog-Metageneration", "1".to_owned()),
        ],
        body: stored.bytes.clone(),
    }
}

fn upload(request: &Request, shared: &Shared) -> Response {
    let mut name = request.query.get("name").cloned();
    let mut bytes = request.body.clone();
    if request
        .query
        .get("uploadType")
        .is_some_and(|kind| kind == "multipart")
    {
        let Some((metadata, content)) = parts(request) else {
            return Response::error(400, "parseError", "Malformed multipart body");
        };
        name = name.or_else(|| {
            let (_, rest) = metadata.split_once("\"name\":\"")?;
            Some(rest.split_once('"')?.0.to_owned())
        });
        bytes = content;
    }
    let Some(name) = name else {
        return Response::error(400, "required", "Required parameter: name");
    };
    let mut objects = shared
        .objects
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if !objects.allows(&name, request) {
        return Response::precondition();
    }
    let key = request.headers.get("x-goog-encryption-key-sha256").cloned();
    objects.store(&name, bytes, key, request.query.get("kmsKeyName").cloned());
    Response::json(resource(&name, &objects.by_name[&name]))
}

/// The two parts of a multipart upload: metadata and content.
fn parts(request: &Request) -> Option<(String, Vec<u8>)> {
    let (_, boundary) = request
        .headers
        .get("content-type")?
        .split_once("boundary=")?;
    let mark = format!("--{}", boundary.trim_matches('"'));
    let mut found = Vec::new();
    let mut rest = request.body.as_slice();
    while let Some(at) = position(rest, mark.as_bytes()) {
        found.push(&rest[..at]);
        rest = &rest[at + mark.len()..];
    }
    let content = |part: &[u8]| {
        let at = position(part, b"\r\n\r\n")? + 4;
        Some(
            part[at..]
                .strip_suffix(b"\r\n")
                .unwrap_or(&part[at..])
                .to_vec(),
        )
    };
    let metadata = content(found.get(1)?)?;
    Some((String::from_utf8(metadata).ok()?, content(found.get(2)?)?))
}

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

fn delete(name: &str, request: &Request, shared: &Shared) -> Response {
    let mut objects = shared
        .objects
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if !objects.by_name.contains_key(name) {
        return Response::error(
            404,
            "notFound",
            &format!("No such object: {}/{name}", shared.bucket),
        );
    }
    if !objects.allows(name, request) {
        return Response::precondition();
    }
    objects.by_name.remove(name);
    Response {
        status: 204,
        headers: Vec::new(),
        body: Vec::new(),
    }
}

fn list(request: &Request, shared: &Shared) -> Response {
    let objects = shared
        .objects
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let text = |name: &str| request.query.get(name).map_or("", String::as_str);
    let (prefix, delimiter, after) = (text("prefix"), text("delimiter"), text("pageToken"));
    let mut items = Vec::new();
    let mut prefixes: Vec<String> = Vec::new();
    let mut next = None;
    for (name, stored) in objects.by_name.range(prefix.to_owned()..) {
        let Some(rest) = name.strip_prefix(prefix) else {
            break;
        };
        if !after.is_empty() && name.as_str() <= after {
            continue;
        }
        if !delimiter.is_empty()
            && let Some((inside, _)) = rest.split_once(delimiter)
        {
            let directory = format!("\"{prefix}{inside}{delimiter}\"");
            if prefixes.last() != Some(&directory) {
                prefixes.push(directory);
            }
            continue;
        }
        if items.len() == PAGE {
            next = Some(items_end(&items));
            break;
        }
        items.push((name.clone(), resource(name, stored)));
    }
    let resources: Vec<&str> = items
        .iter()
        .map(|(_, resource)| resource.as_str())
        .collect();
    let next = next
        .map(|token| format!(",\"nextPageToken\":\"{token}\""))
        .unwrap_or_default();
    Response::json(format!(
        "{{\"kind\":\"storage#objects\",\"items\":[{}],\"prefixes\":[{}]{next}}}",
        resources.join(","),
        prefixes.join(",")
    ))
}

/// Where the next page begins: behind the last name of this one.
fn items_end(items: &[(String, String)]) -> String {
    items
        .last()
        .map(|(name, _)| name.clone())
        .unwrap_or_default()
}
