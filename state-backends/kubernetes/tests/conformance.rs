//! The suite that every backend passes, on a stand-in for the API.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use terrace_backend_conformance::{Answer, Backend, suite};
use terrace_backend_kubernetes::{arguments, open_with};
use terrace_backend_remote::{Arguments, RemoteOptions, RemoteStore, Surroundings};
use terrace_port::{Clock, LockInfo, StateStore, StateVersion};
use terrace_test_services::KubernetesStandIn;
use terrace_value::Value;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> (i64, u32) {
        (1_700_000_000, 0)
    }
}

const LEASE: Duration = Duration::from_secs(1);

async fn opened(values: &[(&str, Value)], variables: &[(&str, &str)]) -> RemoteStore {
    let values: BTreeMap<String, Value> = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    let variables: BTreeMap<String, String> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let environment = move |name: &str| variables.get(name).cloned();
    let arguments = Arguments::new(arguments(), &values, &environment).unwrap();
    let surroundings = Surroundings {
        environment: &environment,
        directory: Path::new("."),
        clock: Arc::new(Fixed),
        user_agent: "Terrace/test",
    };
    let options = RemoteOptions {
        lease: LEASE,
        heartbeat: LEASE / 4,
        ..RemoteOptions::new("kubernetes", Arc::new(Fixed))
    };
    open_with(&arguments, &surroundings, options).await.unwrap()
}

struct Cluster(KubernetesStandIn);

impl Cluster {
    async fn store(&self) -> RemoteStore {
        let values = [
            ("secret_suffix", Value::string("dev")),
            ("host", Value::string(self.0.host())),
        ];
        opened(&values, &[("KUBE_TOKEN", self.0.token())]).await
    }

    fn blocking(&self) -> RemoteStore {
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(self.store()))
    }
}

impl Backend for Cluster {
    fn open(&self) -> Arc<dyn StateStore> {
        Arc::new(self.blocking())
    }

    /// An object is there or not.
    fn interrupt_write(&self, _: &str) {}

    fn journal_bytes(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn set_journal_bytes(&self, _: &str, _: &[u8]) {}

    fn lease(&self) -> Option<Duration> {
        Some(LEASE)
    }

    fn abandon(&self, id: &str) -> Answer<'_, ()> {
        let (store, id) = (self.blocking(), id.to_owned());
        Box::pin(async move {
            let died = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                let info = LockInfo {
                    id,
                    ..LockInfo::default()
                };
                std::mem::forget(runtime.block_on(store.lock("default", info)).unwrap());
                runtime.shutdown_background();
            });
            died.join().unwrap();
        })
    }

    fn lock_as_the_reference<'a>(&'a self, id: &'a str) -> Answer<'a, Option<String>> {
        let text = format!(
            "{{\"metadata\":{{\"name\":\"lock-tfstate-default-dev\",\"annotations\":{{\"app.terraform.io/lock-info\":\"{{\\\"ID\\\":\\\"{id}\\\"}}\"}}}},\"spec\":{{\"holderIdentity\":\"{id}\"}}}}"
        );
        self.0.plant(
            "/apis/coordination.k8s.io/v1/namespaces/default/leases/lock-tfstate-default-dev",
            serde_json::from_str(&text).unwrap(),
        );
        Box::pin(std::future::ready(Some(id.to_owned())))
    }

    fn sleep(&self, duration: Duration) -> Answer<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kubernetes_backend_conforms() {
    let checks = suite(&|| Box::new(Cluster(KubernetesStandIn::start().unwrap()))).await;
    assert!(checks.len() >= 29, "{checks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_state_lies_in_several_secrets() {
    let cluster = Cluster(KubernetesStandIn::start().unwrap());
    let store = cluster.store().await;
    let info = LockInfo {
        id: "a".into(),
        ..LockInfo::default()
    };
    let mut locked = store.lock("default", info).await.unwrap();
    // What no compression makes small.
    let mut text = String::from("{\"version\":4,\"serial\":1,\"lineage\":\"l\",\"x\":\"");
    let mut number = 1_u64;
    while text.len() < 6_000_000 {
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        write!(text, "{number:016x}").unwrap();
    }
    text.push_str("\"}\n");
    let version = |serial| StateVersion {
        lineage: "l".into(),
        serial,
    };
    let large: Arc<[u8]> = text.into_bytes().into();
    locked.write(Arc::clone(&large), version(1)).await.unwrap();
    assert_eq!(store.read("default").await.unwrap().unwrap().bytes, large);
    let parts = |cluster: &Cluster| {
        let objects = cluster.0.objects();
        objects
            .keys()
            .filter(|name| name.contains("-part-"))
            .count()
    };
    assert!(parts(&cluster) >= 2, "{}", parts(&cluster));
    let small: Arc<[u8]> = b"{\"version\":4,\"serial\":2,\"lineage\":\"l\"}\n"
        .as_slice()
        .into();
    locked.write(Arc::clone(&small), version(2)).await.unwrap();
    assert_eq!(store.read("default").await.unwrap().unwrap().bytes, small);
    assert_eq!(parts(&cluster), 0);
    assert_eq!(store.workspaces().await.unwrap(), ["default"]);
}
