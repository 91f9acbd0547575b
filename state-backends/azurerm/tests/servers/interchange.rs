//! Turns with the reference, which knows no other address of an account than its real one.

use std::time::Duration;

use terrace_backend_conformance::{is_there, takes_turns};
use terrace_test_services::Gateway;

use crate::support::{CONTAINER, Server};

pub(crate) async fn with_the_reference(server: &Server) {
    if !is_there() {
        println!("SKIPPED interchange: there is no terraform here");
        return;
    }
    let (account, access_key) = (server.azurite.account(), server.azurite.key());
    let host = format!("{account}.blob.core.windows.net");
    let gateway = Gateway::start(&[(&host, server.azurite.port())]).unwrap();
    let key = server.new_key();
    let block = format!(
        "  backend \"azurerm\" {{\n    storage_account_name = \"{account}\"\n    container_name = \"{CONTAINER}\"\n    \
         key = \"{key}\"\n    access_key = \"{access_key}\"\n  }}"
    );
    let (proxy, authority) = (gateway.address(), gateway.authority());
    let environment = [
        ("HTTPS_PROXY", &*proxy),
        ("SSL_CERT_FILE", authority.to_str().unwrap()),
    ];
    let ours = server.open(&key, Duration::from_mins(1)).await;
    takes_turns(&ours, &block, &environment).await;
}
