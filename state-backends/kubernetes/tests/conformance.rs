//! The suite that every backend passes, states that are larger than a Secret, and turns with the reference: on a stand-in for
//! the API every day, on the real API server in full size.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use terrace_backend_conformance::{
    LEASE, Remote, Theirs, is_there, open_with, suite, takes_turns, texts,
};
use terrace_backend_remote::RemoteStore;
use terrace_port::{LockInfo, StateStore as _, StateVersion, StoreError};
use terrace_test_services::{Kubernetes, KubernetesStandIn};
use terrace_test_support::{available, in_full_size};
use terrace_value::Value;

const LONG: Duration = Duration::from_mins(1);

enum Server {
    StandIn(KubernetesStandIn),
    Real(Kubernetes),
}

/// A server, and namespaces of its own for each store.
struct Cluster {
    server: Server,
    next: AtomicUsize,
}

/// A namespace.
#[derive(Clone)]
struct Place {
    cluster: Arc<Cluster>,
    namespace: String,
}

impl Cluster {
    fn new(server: Server) -> Arc<Self> {
        let next = AtomicUsize::new(0);
        Arc::new(Self { server, next })
    }

    fn place(self: &Arc<Self>) -> Place {
        let namespace = format!("n{}", self.next.fetch_add(1, Ordering::Relaxed));
        if let Server::Real(kubernetes) = &self.server {
            kubernetes.create_namespace(&namespace).unwrap();
        }
        Place {
            cluster: Arc::clone(self),
            namespace,
        }
    }
}

impl Place {
    fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = vec![
            ("secret_suffix", "dev".to_owned()),
            ("namespace", self.namespace.clone()),
        ];
        match &self.cluster.server {
            Server::StandIn(server) => settings.extend([
                ("host", server.host()),
                ("token", server.token().to_owned()),
            ]),
            Server::Real(server) => settings.extend([
                ("host", server.host()),
                ("token", server.token().to_owned()),
                ("cluster_ca_certificate", server.authority().to_owned()),
            ]),
        }
        settings
    }

    fn arguments(&self) -> BTreeMap<String, Value> {
        let settings = self.settings();
        texts(settings.iter().map(|(name, value)| (*name, value.as_str())))
    }

    async fn open(&self, lease: Duration) -> RemoteStore {
        let schema = terrace_backend_kubernetes::arguments();
        let open = terrace_backend_kubernetes::open_with;
        open_with(("kubernetes", schema), &self.arguments(), &[], lease, open)
            .await
            .unwrap()
    }

    /// Puts an object, where there is none.
    fn plant(&self, api: &str, kind: &str, object: &Json) {
        let collection = format!("{api}/namespaces/{}/{kind}", self.namespace);
        let name = object["metadata"]["name"].as_str().unwrap();
        match &self.cluster.server {
            Server::StandIn(server) => {
                server.plant(&format!("{collection}/{name}"), object.clone());
            }
            Server::Real(server) => {
                let answer = server.request("POST", &collection, &object.to_string());
                assert_eq!(answer.as_ref().unwrap().0, 201, "{answer:?}");
            }
        }
    }

    fn plant_lock(&self, id: &str) {
        let information = format!("{{\"ID\":\"{id}\"}}");
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": "lock-tfstate-default-dev",
                "annotations": {"app.terraform.io/lock-info": information},
            },
            "spec": {"holderIdentity": id},
        });
        self.plant("/apis/coordination.k8s.io/v1", "leases", &lease);
    }

    fn delete(&self, secret: &str) {
        let path = format!("/api/v1/namespaces/{}/secrets/{secret}", self.namespace);
        match &self.cluster.server {
            Server::StandIn(server) => server.remove(&path),
            Server::Real(server) => assert_eq!(server.request("DELETE", &path, "").unwrap().0, 200),
        }
    }

    /// All Secrets, by their names.
    fn secrets(&self) -> BTreeMap<String, Json> {
        let path = format!("/api/v1/namespaces/{}/secrets", self.namespace);
        let objects: Vec<Json> = match &self.cluster.server {
            Server::StandIn(server) => {
                let all = server.objects().into_iter();
                let here = all.filter(|(name, _)| name.starts_with(&format!("{path}/")));
                here.map(|(_, object)| object).collect()
            }
            Server::Real(server) => {
                let (status, list) = server.request("GET", &path, "").unwrap();
                assert_eq!(status, 200);
                list["items"].as_array().unwrap().clone()
            }
        };
        let named = |object: Json| {
            (
                object["metadata"]["name"].as_str().unwrap().to_owned(),
                object,
            )
        };
        objects.into_iter().map(named).collect()
    }

    /// The names of parts: those that other tools see, and those that they do not.
    fn parts(&self) -> [Vec<String>; 2] {
        let secrets = self.secrets();
        let label = |object: &Json| object["metadata"]["labels"]["terrace-part-of"].is_string();
        let own = secrets.iter().filter(|(_, object)| label(object));
        let shown = secrets.keys().filter(|name| name.contains("-part-"));
        [
            shown.cloned().collect(),
            own.map(|(name, _)| name.clone()).collect(),
        ]
    }
}

async fn conforms(cluster: &Arc<Cluster>) {
    let begun = std::time::Instant::now();
    let checks = suite(&|| {
        let place = cluster.place();
        let to_plant = place.clone();
        let remote = Remote::new(move || {
            let place = place.clone();
            async move { place.open(LEASE).await }
        });
        // Names of objects have no underscore.
        let remote = remote.with_odd_name("a.x-1");
        Box::new(remote.planting(move |id| {
            let place = to_plant.clone();
            async move {
                place.plant_lock(&id);
                true
            }
        }))
    })
    .await;
    println!("{} checks in {:?}", checks.len(), begun.elapsed());
    assert!(checks.len() >= 29, "{checks:?}");
}

fn info(id: &str) -> LockInfo {
    LockInfo {
        id: id.into(),
        ..LockInfo::default()
    }
}

fn version(serial: u64) -> StateVersion {
    StateVersion {
        lineage: "l".into(),
        serial,
    }
}

/// A text that no compression makes small.
fn noise(seed: u64, length: usize) -> String {
    let (mut text, mut number) = (String::with_capacity(length + 16), seed);
    while text.len() < length {
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        write!(text, "{number:016x}").unwrap();
    }
    text
}

fn state(serial: u64, length: usize) -> Arc<[u8]> {
    let text = noise(serial, length);
    format!("{{\"version\":4,\"serial\":{serial},\"lineage\":\"l\",\"x\":\"{text}\"}}\n")
        .into_bytes()
        .into()
}

async fn read(place: &Place) -> Arc<[u8]> {
    let store = place.open(LONG).await;
    store.read("default").await.unwrap().unwrap().bytes
}

/// A state that is larger than a Secret is there whole or not at all, whoever dies while writing it.
async fn large_states_are_switched(cluster: &Arc<Cluster>) {
    let place = cluster.place();
    let store = place.open(LONG).await;
    let mut locked = store.lock("default", info("a")).await.unwrap();
    let first = state(1, 5_000_000);
    locked.write(Arc::clone(&first), version(1)).await.unwrap();
    assert!(*read(&place).await == *first);
    let [shown, own] = place.parts();
    assert_eq!(
        shown,
        ["tfstate-default-dev-part-1", "tfstate-default-dev-part-2"]
    );
    assert_eq!(own.len(), 2, "{own:?}");
    assert_eq!(store.workspaces().await.unwrap(), ["default"]);

    // A writer that died before it switched leaves the state that was, and what it left is removed by the next.
    let mut orphan = place.secrets()[&own[0]].clone();
    orphan["metadata"] = json!({
        "name": own[0].replace(|c: char| c.is_ascii_digit(), "0") + "-dead",
        "labels": orphan["metadata"]["labels"],
        "annotations": {"terrace.dev/write": "dead"},
    });
    place.plant("/api/v1", "secrets", &orphan);
    assert!(*read(&place).await == *first);
    let second = state(2, 3_000_000);
    locked.write(Arc::clone(&second), version(2)).await.unwrap();
    let [shown, own] = place.parts();
    assert_eq!((shown.len(), own.len()), (1, 1), "{shown:?} {own:?}");

    // One that died after that leaves the new state, though other tools do not see it.
    place.delete(&shown[0]);
    assert!(*read(&place).await == *second);
    let [_, own] = place.parts();
    place.delete(&own[0]);
    let damaged = place.open(LONG).await.read("default").await;
    assert!(
        matches!(&damaged, Err(StoreError::Corrupt(why)) if why.contains("a part of it is gone")),
        "{damaged:?}"
    );

    // A state that fits leaves no parts, and a workspace that is deleted leaves nothing.
    let third = state(3, 1000);
    let mut locked = {
        locked.unlock().await.unwrap();
        let seen = state(3, 3_000_000);
        let mut locked = place.open(LONG).await.lock("w", info("b")).await.unwrap();
        locked.write(seen, version(3)).await.unwrap();
        locked
    };
    locked.overwrite(Arc::clone(&third)).await.unwrap();
    let [shown, own] = place.parts();
    assert_eq!(shown, [""; 0]);
    assert_eq!(own, [""; 0]);
    locked.overwrite(state(4, 3_000_000)).await.unwrap();
    locked.unlock().await.unwrap();
    let store = place.open(LONG).await;
    assert_eq!(store.workspaces().await.unwrap(), ["default", "w"]);
    store.delete_workspace("w").await.unwrap();
    let left: Vec<String> = place.secrets().into_keys().collect();
    assert!(!left.iter().any(|name| name.contains("-w-")), "{left:?}");
    let [_, own] = place.parts();
    assert_eq!(own, [""; 0]);
    // Plans of runs are larger than a Secret too.
    let plan = noise(7, 3_000_000).into_bytes();
    let runs = store.runs("default");
    runs.put("runs/r/plan", &plan).await.unwrap();
    assert_eq!(*runs.get("runs/r/plan").await.unwrap().unwrap(), *plan);
    runs.delete("runs/r/plan").await.unwrap();
    assert_eq!(place.parts()[1], [""; 0]);
}

/// Whoever reads while a large state is replaced sees one or the other.
async fn readers_see_one_state_or_the_other(cluster: &Arc<Cluster>) {
    let place = cluster.place();
    let store = place.open(LONG).await;
    let mut locked = store.lock("default", info("a")).await.unwrap();
    let states: Vec<Arc<[u8]>> = (0..6).map(|serial| state(serial, 2_600_000)).collect();
    locked
        .write(Arc::clone(&states[0]), version(0))
        .await
        .unwrap();
    let (known, reading) = (states.clone(), place.clone());
    let over = Arc::new(AtomicUsize::new(0));
    let until = Arc::clone(&over);
    let reader = tokio::spawn(async move {
        let mut reads = 0;
        while until.load(Ordering::Relaxed) == 0 || reads == 0 {
            let seen = read(&reading).await;
            assert!(known.iter().any(|state| **state == *seen), "a mixed state");
            reads += 1;
        }
    });
    for (serial, state) in (0..).zip(&states).skip(1) {
        locked
            .write(Arc::clone(state), version(serial))
            .await
            .unwrap();
    }
    over.store(1, Ordering::Relaxed);
    reader.await.unwrap();
}

/// The block of a configuration of the reference, and the file with access to the cluster that it names.
fn backend_block(place: &Place) -> (String, tempfile::NamedTempFile) {
    let Server::Real(server) = &place.cluster.server else {
        panic!("the reference asks for more than a stand-in")
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    let named = |kind: &str, what: Json| json!([{"name": "here", kind: what}]);
    let authority = STANDARD.encode(server.authority());
    let cluster = json!({"server": server.host(), "certificate-authority-data": authority});
    let access = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": named("cluster", cluster),
        "users": named("user", json!({"token": server.token()})),
        "contexts": named("context", json!({"cluster": "here", "user": "here"})),
    });
    serde_json::to_writer(file.as_file(), &access).unwrap();
    let block = format!(
        "  backend \"kubernetes\" {{\n    secret_suffix = \"dev\"\n    namespace = \"{}\"\n    config_path = \"{}\"\n  }}",
        place.namespace,
        file.path().display()
    );
    (block, file)
}

/// The reference's states that are larger than a Secret are ours too, and ours are the reference's.
async fn large_states_interchange(cluster: &Arc<Cluster>) {
    let place = cluster.place();
    let (block, _access) = backend_block(&place);
    let theirs = Theirs::new(&block, &[]);
    let store = place.open(LONG).await;
    for (seed, length) in [(1, 5_000_000), (2, 3_000_000), (3, 100)] {
        let text = noise(seed, length);
        theirs.applies(&text);
        let seen = String::from_utf8(read(&place).await.to_vec()).unwrap();
        assert!(
            seen.contains(&text),
            "their state of {length} characters is not ours"
        );
        // We write another, which they read; the text behind it is theirs still.
        let mut locked = store.lock("default", info("ours")).await.unwrap();
        let mut state: Json = serde_json::from_str(&seen).unwrap();
        let serial = state["serial"].as_u64().unwrap() + 1;
        state["serial"] = serial.into();
        let ours = noise(seed + 100, 8_000_000 - length);
        state["outputs"]["ours"] = json!({"value": ours, "type": "string"});
        let version = StateVersion {
            lineage: state["lineage"].as_str().unwrap().to_owned(),
            serial,
        };
        let bytes = serde_json::to_vec(&state).unwrap();
        locked.write(bytes.into(), version).await.unwrap();
        locked.unlock().await.unwrap();
        assert!(theirs.succeeds(&["output"]).contains(&ours));
    }
    theirs.applies("small");
    assert_eq!(place.parts()[0], [""; 0]);
    let seen = String::from_utf8(read(&place).await.to_vec()).unwrap();
    assert!(seen.contains("small"));
}

#[tokio::test(flavor = "multi_thread")]
async fn states_in_the_stand_in() {
    let cluster = Cluster::new(Server::StandIn(KubernetesStandIn::start().unwrap()));
    conforms(&cluster).await;
    large_states_are_switched(&cluster).await;
    readers_see_one_state_or_the_other(&cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn states_in_a_real_api_server() {
    if !in_full_size("a real API server, which takes ten minutes to build") {
        return;
    }
    let Some(server) = available("Kubernetes", Kubernetes::start()) else {
        return;
    };
    let cluster = Cluster::new(Server::Real(server));
    conforms(&cluster).await;
    large_states_are_switched(&cluster).await;
    readers_see_one_state_or_the_other(&cluster).await;
    if !is_there() {
        println!("SKIPPED interchange: there is no terraform here");
        return;
    }
    let place = cluster.place();
    let (block, _access) = backend_block(&place);
    takes_turns(&place.open(LONG).await, &block, &[]).await;
    large_states_interchange(&cluster).await;
}
