//! The suite that every backend passes, and signing in, against a stand-in that keeps to the documentation of the real
//! service. There is no server of Google's that tests could start.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed"
)]

mod signing;
mod support;

use std::sync::Arc;
use std::time::Duration;

use support::Server;
use terrace_backend_conformance::{LEASE, Remote, is_there, suite, takes_turns};

#[tokio::test(flavor = "multi_thread")]
async fn states_in_the_stand_in() {
    let server = Arc::new(Server::start());
    signing::works().await;
    signing::service_accounts_sign_statements().await;
    signing::encryption_is_asked_for(&server).await;
    if is_there() {
        let prefix = server.new_prefix();
        let ours = server.open(&prefix, Duration::from_mins(1)).await;
        takes_turns(&ours, &server.block(&prefix), &[]).await;
    } else {
        println!("SKIPPED interchange: there is no terraform here");
    }
    let begun = std::time::Instant::now();
    let checks = suite(&|| {
        let (server, prefix) = (Arc::clone(&server), server.new_prefix());
        Box::new(Remote::new(move || {
            let (server, prefix) = (Arc::clone(&server), prefix.clone());
            async move { server.open(&prefix, LEASE).await }
        }))
    })
    .await;
    println!("{} checks in {:?}", checks.len(), begun.elapsed());
    assert!(checks.len() >= 29, "{checks:?}");
}
