//! A server, and stores in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use terrace_backend_conformance::{Now, texts};
use terrace_backend_remote::{Problem, RemoteStore};
use terrace_test_services::{Azurite, Unavailable};
use terrace_value::Value;

/// A server with a container.
pub(crate) struct Server {
    pub(crate) azurite: Azurite,
    next: AtomicUsize,
}

pub(crate) const CONTAINER: &str = "states";

impl Server {
    pub(crate) async fn start() -> Result<Self, Unavailable> {
        Ok(Self::of(Azurite::start()?).await)
    }

    async fn of(azurite: Azurite) -> Self {
        let server = Self {
            azurite,
            next: AtomicUsize::new(0),
        };
        let endpoint = server.azurite.endpoint();
        let request = terrace_backend_azurerm::create_container(
            Arc::new(Now),
            &endpoint,
            server.azurite.account(),
            server.azurite.key(),
            CONTAINER,
        );
        request.await.unwrap();
        server
    }

    pub(crate) fn new_key(&self) -> String {
        format!("{}.tfstate", self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn arguments(&self, key: &str) -> BTreeMap<String, Value> {
        let endpoint = self.azurite.endpoint();
        texts([
            ("storage_account_name", self.azurite.account()),
            ("container_name", CONTAINER),
            ("key", key),
            ("access_key", self.azurite.key()),
            ("blob_endpoint", &endpoint),
        ])
    }

    pub(crate) async fn open(&self, key: &str, lease: Duration) -> RemoteStore {
        open_with(&self.arguments(key), &[], lease).await.unwrap()
    }
}

/// Opens with arguments and variables of the environment.
pub(crate) async fn open_with(
    arguments: &BTreeMap<String, Value>,
    variables: &[(&str, &str)],
    lease: Duration,
) -> Result<RemoteStore, Vec<Problem>> {
    let kind = ("azurerm", terrace_backend_azurerm::arguments());
    let open = terrace_backend_azurerm::open_with;
    terrace_backend_conformance::open_with(kind, arguments, variables, lease, open).await
}
