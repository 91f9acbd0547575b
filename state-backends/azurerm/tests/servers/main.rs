//! The suite that every backend passes, signing in, and turns with the reference, against a server that checks signatures.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed"
)]

mod interchange;
mod signing;
mod support;

use std::sync::Arc;

use support::Server;
use terrace_backend_conformance::{LEASE, Remote, blocking, suite};
use terrace_test_support::{available, in_full_size};

#[tokio::test(flavor = "multi_thread")]
async fn states_in_azurite() {
    let Some(server) = available("Azure Blob Storage", blocking(Server::start())) else {
        return;
    };
    let server = Arc::new(server);
    signing::works(&server).await;
    signing::signatures_give_access(&server).await;
    signing::certificates_sign_statements(&server).await;
    if in_full_size("turns with the reference in Azure Blob Storage") {
        interchange::with_the_reference(&server).await;
    }
    let begun = std::time::Instant::now();
    let checks = suite(&|| {
        let (server, key) = (Arc::clone(&server), server.new_key());
        Box::new(Remote::new(move || {
            let (server, key) = (Arc::clone(&server), key.clone());
            async move { server.open(&key, LEASE).await }
        }))
    })
    .await;
    println!("{} checks in {:?}", checks.len(), begun.elapsed());
    assert!(checks.len() >= 29, "{checks:?}");
}
