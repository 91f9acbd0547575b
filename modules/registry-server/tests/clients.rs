//! Two hundred clients at once, with publications in between: each version that anybody sees is whole.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test, which makes modules of files"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use serde_json::Value;
use terrace_gate::SshKey;
use terrace_module_package::{Attestation, Folder, ModuleArchive, Provenance, join_upload};
use terrace_port::{Clock, Entropy};
use terrace_registry_server::{Caller, Registry, RegistryParts, Role, TokenRecord, serve};

const KEY: &str = include_str!("../../../engine/gate/tests/gate/keys/ecdsa");
const BASE: &str = "/v1/modules/acme/network/aws";
/// How many clients ask at once.
const CLIENTS: usize = 200;
/// How many versions are published meanwhile, by two publishers that both try each.
const VERSIONS: usize = 12;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(5);

struct Standing;

impl Clock for Standing {
    fn now(&self) -> (i64, u32) {
        (1_700_000_000, 0)
    }
}

struct Sevens;

impl Entropy for Sevens {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// One request on a connection of its own: status, headers in lower case, body.
fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: &str,
    body: &[u8],
) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let authorization = match token {
        "" => String::new(),
        token => format!("Authorization: Bearer {token}\r\n"),
    };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: registry\r\nConnection: close\r\n{authorization}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer
        .windows(4)
        .position(|part| part == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(answer[..end].to_vec())
        .unwrap()
        .to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, answer[end + 4..].to_vec())
}

fn upload(scratch: &Path, version: &str, content: &str) -> Vec<u8> {
    let directory = tempfile::tempdir_in(scratch).unwrap();
    std::fs::write(directory.path().join("main.tf"), content).unwrap();
    let archive = ModuleArchive::pack(directory.path()).unwrap();
    let module = "acme/network/aws".parse().unwrap();
    let provenance = Provenance::of(&archive, module, version.parse().unwrap());
    let attestation = Attestation::sign(&SshKey::open(KEY, None).unwrap(), &provenance).unwrap();
    join_upload(&attestation, &archive).unwrap()
}

/// Looks at every version that is listed, as a client that installs it does, and says how many there are.
fn look(address: SocketAddr, token: &str) -> usize {
    let (status, _, body) = ask(address, "GET", &format!("{BASE}/versions"), token, b"");
    if status == 404 {
        return 0;
    }
    assert_eq!(status, 200);
    let document: Value = serde_json::from_slice(&body).unwrap();
    let versions = document["modules"][0]["versions"].as_array().unwrap();
    let Some(newest) = versions.first() else {
        return 0;
    };
    let version = newest["version"].as_str().unwrap();
    let (status, _, body) = ask(
        address,
        "GET",
        &format!("{BASE}/{version}/download"),
        token,
        b"",
    );
    assert_eq!(status, 200, "{version}");
    let document: Value = serde_json::from_slice(&body).unwrap();
    let location = document["location"]
        .as_str()
        .unwrap()
        .trim_start_matches("./")
        .to_owned();
    // The ticket opens it: a client gives its token to the registry's own addresses alone.
    let (status, _, body) = ask(
        address,
        "GET",
        &format!("{BASE}/{version}/{location}"),
        "",
        b"",
    );
    assert_eq!(status, 200, "{version}");
    let archive = ModuleArchive::open(body).unwrap();
    assert_eq!(newest["digest"], archive.digest(), "{version}");
    assert_eq!(newest["hash"], archive.hash(), "{version}");
    let statement = newest["statement"].as_str().unwrap();
    let path = format!("{BASE}/{version}/statement-{statement}.json");
    let (status, _, body) = ask(address, "GET", &path, token, b"");
    assert_eq!(status, 200, "{version}");
    Attestation::open(&body)
        .unwrap()
        .is_about(&archive)
        .unwrap();
    versions.len()
}

#[test]
fn two_hundred_clients_see_whole_versions_while_others_are_published() {
    let root = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let (address, token, server) = runtime.block_on(async {
        let registry = Registry::open(RegistryParts {
            content: Arc::new(Folder::new(root.path().join("content"))),
            private: Arc::new(Folder::new(root.path().join("private"))),
            clock: Arc::new(Standing),
            entropy: Arc::new(Sevens),
            public: false,
            signers: None,
        })
        .await
        .unwrap();
        let record = TokenRecord {
            caller: Caller {
                name: "ci".to_owned(),
                role: Role::Publish,
                namespaces: Vec::new(),
            },
            issued_at: 0,
            issued_by: "a test".to_owned(),
        };
        let issued = registry.tokens().issue(&record, &Sevens).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let end = async move {
            ended.await.ok();
        };
        let server = tokio::spawn(serve(listener, Arc::new(registry), end));
        (address, issued.secret().to_owned(), server)
    });
    let (published, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let looks = AtomicUsize::new(2 * CLIENTS);
    let start = Barrier::new(CLIENTS + 2);
    let seen = std::thread::scope(|scope| {
        let publishers: Vec<_> = (0..2)
            .map(|publisher| {
                let (start, published, token) = (&start, &published, &token);
                let scratch = root.path();
                scope.spawn(move || {
                    start.wait();
                    for version in 0..VERSIONS {
                        let version = format!("1.{version}.0");
                        let body =
                            upload(scratch, &version, &format!("# {version} of {publisher}\n"));
                        let path = format!("{BASE}/{version}");
                        let (status, _, body) = ask(address, "PUT", &path, token, &body);
                        match status {
                            201 => {
                                published.fetch_add(1, Ordering::SeqCst);
                            }
                            409 => {}
                            other => panic!("{other}: {}", String::from_utf8_lossy(&body)),
                        }
                    }
                })
            })
            .collect();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (start, done, token, looks) = (&start, &done, &token, &looks);
                scope.spawn(move || {
                    start.wait();
                    let mut most = look(address, token);
                    while !done.load(Ordering::SeqCst) {
                        let seen = look(address, token);
                        assert!(seen >= most, "a version went away: {seen} after {most}");
                        most = seen;
                        looks.fetch_add(1, Ordering::SeqCst);
                    }
                    look(address, token)
                })
            })
            .collect();
        for publisher in publishers {
            publisher.join().unwrap();
        }
        done.store(true, Ordering::SeqCst);
        let seen = clients.into_iter().map(|client| client.join().unwrap());
        seen.collect::<Vec<usize>>()
    });
    assert_eq!(published.load(Ordering::SeqCst), VERSIONS);
    assert_eq!(seen, vec![VERSIONS; CLIENTS]);
    println!(
        "clients, folder: {CLIENTS} clients looked {} times at the newest version while 2 publishers tried {VERSIONS} versions each: each version published once, none seen in part, none gone again",
        looks.load(Ordering::SeqCst)
    );
    let (status, head, _) = ask(address, "GET", &format!("{BASE}/versions"), "", b"");
    assert_eq!(status, 401);
    assert!(head.contains("www-authenticate: bearer"), "{head}");
    end.send(()).unwrap();
    runtime.block_on(server).unwrap().unwrap();
}
