//! A stand-in for the part of the Kubernetes API that keeps states: Secrets and Leases with versions, labels and optimistic
//! locking, and the limit of a Secret's size. An update that changes nothing keeps the version, as the real server has it. It
//! validates nothing else, and is no API server.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

/// The stand-in. It ends when it is dropped.
#[derive(Debug)]
pub struct KubernetesStandIn {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    kept: Mutex<Kept>,
    over: AtomicBool,
}

#[derive(Debug, Default)]
struct Kept {
    objects: BTreeMap<String, Value>,
    version: u64,
}

/// The token that it takes; no other.
const TOKEN: &str = "stand-in-token";

impl KubernetesStandIn {
    /// Starts one on a free port.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.over.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let shared = Arc::clone(&serving);
                std::thread::spawn(move || drop(serve(&shared, stream)));
            }
        });
        Ok(Self { address, shared })
    }

    /// Where it is.
    pub fn host(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The token that it takes, beside none at all.
    pub fn token(&self) -> &'static str {
        TOKEN
    }

    /// All objects, by their paths.
    pub fn objects(&self) -> BTreeMap<String, Value> {
        kept(&self.shared).objects.clone()
    }

    /// Removes an object.
    pub fn remove(&self, path: &str) {
        kept(&self.shared).objects.remove(path);
    }

    /// Puts an object in the place of what is there.
    pub fn plant(&self, path: &str, mut object: Value) {
        let mut kept = kept(&self.shared);
        stamp(&mut kept, &mut object);
        kept.objects.insert(path.to_owned(), object);
    }
}

impl Drop for KubernetesStandIn {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // The thread that listens looks up.
        drop(TcpStream::connect(self.address));
    }
}

fn kept(shared: &Shared) -> MutexGuard<'_, Kept> {
    shared.kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn stamp(kept: &mut Kept, object: &mut Value) {
    kept.version += 1;
    object["metadata"]["resourceVersion"] = json!(kept.version.to_string());
    object["metadata"]["uid"] = json!(format!("uid-{}", kept.version));
}

fn serve(shared: &Shared, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_whitespace();
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default().to_owned();
        let (mut length, mut login) = (0, String::new());
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            match name.to_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "authorization" => value.trim().clone_into(&mut login),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        // The reference's client sends no token without TLS.
        let (status, answer) = if login.is_empty() || login == format!("Bearer {TOKEN}") {
            answer(&mut kept(shared), &method, &target, body)
        } else {
            (401, failure(401, "Unauthorized", "Unauthorized"))
        };
        let answer = answer.to_string();
        let head = format!(
            "HTTP/1.1 {status} Said\r\nContent-Length: {}\r\nContent-Type: application/json\r\n\r\n",
            answer.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(answer.as_bytes())?;
    }
}

fn failure(code: u16, reason: &str, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code})
}

/// A refusal of data that a Secret does not take.
fn too_large(object: &Value) -> Option<(u16, Value)> {
    let data = object["data"].as_object()?;
    let encoded: usize = data
        .values()
        .filter_map(Value::as_str)
        .map(|text| text.trim_end_matches('=').len())
        .sum();
    (encoded / 4 * 3 > 1_048_576).then(|| {
        (
            422,
            failure(
                422,
                "Invalid",
                "data: Too long: may not be more than 1048576 bytes",
            ),
        )
    })
}

fn decoded(text: &str) -> String {
    text.replace("%3D", "=")
        .replace("%2C", ",")
        .replace("%2F", "/")
}

fn answer(kept: &mut Kept, method: &str, target: &str, mut body: Value) -> (u16, Value) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let not_found = || {
        let name = path.rsplit('/').next().unwrap_or_default();
        (
            404,
            failure(404, "NotFound", &format!("{name:?} not found")),
        )
    };
    let collection = path.ends_with("/secrets") || path.ends_with("/leases");
    let there = kept.objects.get(path).cloned();
    let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
    match (method, there) {
        ("GET", _) if collection => {
            let wanted = query
                .split('&')
                .find_map(|pair| pair.strip_prefix("labelSelector="))
                .map(decoded)
                .unwrap_or_default();
            let matches = |object: &Value| {
                wanted
                    .split(',')
                    .filter(|pair| !pair.is_empty())
                    .all(|pair| {
                        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                        object["metadata"]["labels"][name] == value.trim_start_matches('=')
                    })
            };
            let items: Vec<&Value> = kept
                .objects
                .iter()
                .filter(|(name, _)| name.starts_with(&format!("{path}/")))
                .map(|(_, object)| object)
                .filter(|object| matches(object))
                .collect();
            let kind = if path.ends_with("/secrets") {
                ("SecretList", "v1")
            } else {
                ("LeaseList", "coordination.k8s.io/v1")
            };
            (
                200,
                json!({"kind": kind.0, "apiVersion": kind.1, "metadata": {}, "items": items}),
            )
        }
        ("GET", Some(object)) => (200, object),
        ("POST", _) if collection => {
            if let Some(refused) = too_large(&body) {
                return refused;
            }
            let name = body["metadata"]["name"].as_str().unwrap_or_default();
            let path = format!("{path}/{name}");
            if kept.objects.contains_key(&path) {
                let told = format!("{name:?} already exists");
                return (409, failure(409, "AlreadyExists", &told));
            }
            stamp(kept, &mut body);
            kept.objects.insert(path, body.clone());
            (201, body)
        }
        ("PUT", Some(object)) => {
            if !version(&body).is_null() && version(&body) != version(&object) {
                return (
                    409,
                    failure(409, "Conflict", "the object has been modified"),
                );
            }
            if let Some(refused) = too_large(&body) {
                return refused;
            }
            for name in ["resourceVersion", "uid"] {
                body["metadata"][name] = object["metadata"][name].clone();
            }
            if body == object {
                return (200, object);
            }
            stamp(kept, &mut body);
            kept.objects.insert(path.to_owned(), body.clone());
            (200, body)
        }
        ("DELETE", Some(object)) => {
            let expected = &body["preconditions"]["resourceVersion"];
            if !expected.is_null() && *expected != version(&object) {
                return (
                    409,
                    failure(409, "Conflict", "the object has been modified"),
                );
            }
            kept.objects.remove(path);
            (
                200,
                json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}),
            )
        }
        ("GET" | "PUT" | "DELETE", None) => not_found(),
        _ => (
            405,
            failure(405, "MethodNotAllowed", "not part of the stand-in"),
        ),
    }
}
