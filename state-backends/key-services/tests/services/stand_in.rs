//! A service of keys in the test's own process. What it is asked for and answers is left to the test of the service that it
//! stands for.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value as Json;

/// A request.
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) token: String,
    pub(crate) body: Json,
}

type Answer = dyn Fn(&Asked) -> (u16, Json) + Send + Sync;

/// The server. It ends when it is dropped.
pub(crate) struct StandIn {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    /// Statuses that the next requests are answered with, whatever they ask for.
    pub(crate) failing: Arc<Mutex<Vec<u16>>>,
}

impl StandIn {
    pub(crate) fn start(answer: impl Fn(&Asked) -> (u16, Json) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let failing: Arc<Mutex<Vec<u16>>> = Arc::default();
        let (ended, fails, answer) = (Arc::clone(&over), Arc::clone(&failing), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let (fails, answer) = (Arc::clone(&fails), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, &fails, &*answer));
            }
        });
        Self {
            address,
            over,
            failing,
        }
    }

    /// Its address by a name, since the names of vaults begin with a letter.
    pub(crate) fn url(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // So that the listener looks up.
        TcpStream::connect(self.address).ok();
    }
}

fn serve(mut stream: TcpStream, failing: &Mutex<Vec<u16>>, answer: &Answer) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let target = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let bearer = headers.get("authorization").cloned().unwrap_or_default();
    let asked = Asked {
        path: path.to_owned(),
        query: query.to_owned(),
        token: bearer.trim_start_matches("Bearer ").to_owned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let failure = failing.lock().unwrap().pop();
    let (status, answer) = match failure {
        Some(status) => (status, Json::Null),
        None => answer(&asked),
    };
    let answer = answer.to_string();
    write!(
        stream,
        "HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{answer}",
        answer.len()
    )
    .ok()
}
