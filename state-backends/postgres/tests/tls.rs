//! Connections that are encrypted: what each `sslmode` accepts of a server, and certificates of clients.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed"
)]

use std::path::Path;

use terrace_backend_conformance::texts;
use terrace_backend_postgres::{arguments, open};
use terrace_backend_remote::{Arguments, Surroundings, chain};
use terrace_test_services::{Authority, Postgres};
use terrace_test_support::available;

/// Reads from a database; what is told where that fails.
async fn read(connection: &str) -> Result<(), String> {
    let environment = |_: &str| None;
    let values = texts([("conn_str", connection)]);
    let arguments = Arguments::new(arguments(), &values, &environment).unwrap();
    let surroundings = Surroundings {
        environment: &environment,
        directory: Path::new("."),
        clock: std::sync::Arc::new(terrace_backend_conformance::Now),
        user_agent: "Terrace/test",
        watcher: None,
    };
    let opened = open(&arguments, &surroundings).await;
    let store = opened.map_err(|problems| problems[0].detail.clone())?;
    match store.read("default").await {
        Ok(_) => Ok(()),
        Err(error) => Err(chain(&error)),
    }
}

async fn refused(connection: &str) -> String {
    let refused = read(connection).await;
    refused.expect_err(connection).to_lowercase()
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_trusted_as_the_mode_says() {
    let (authority, other) = (
        Authority::new("databases").unwrap(),
        Authority::new("somebody").unwrap(),
    );
    let certified = authority.server(&["127.0.0.1"]).unwrap();
    let Some(server) = available("TLS of pg", Postgres::start_secure(&certified, &authority))
    else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let right = file("right.pem", authority.certificate());
    let wrong = file("wrong.pem", other.certificate());
    let at = |host: &str, more: &str| {
        format!("postgres://terrace@{host}:{}/tfstate?{more}", server.port())
    };
    let full = |host: &str, mode: &str, root: &str| {
        at(host, &format!("sslmode={mode}&sslrootcert={root}"))
    };

    // Without a mode, and by "require", the connection is encrypted and nobody is asked who the server is.
    for connection in [
        at("127.0.0.1", "sslmode=disable"),
        at("127.0.0.1", ""),
        at("127.0.0.1", "sslmode=require"),
    ] {
        assert_eq!(read(&connection).await, Ok(()), "{connection}");
    }
    // Whoever names an authority wants it asked, though not for the name.
    for mode in ["require", "verify-ca", "verify-full"] {
        assert_eq!(
            read(&full("127.0.0.1", mode, &right)).await,
            Ok(()),
            "{mode}"
        );
        let told = refused(&full("127.0.0.1", mode, &wrong)).await;
        assert!(told.contains("certificate"), "{told}");
    }
    for mode in ["require", "verify-ca"] {
        assert_eq!(
            read(&full("localhost", mode, &right)).await,
            Ok(()),
            "{mode}"
        );
    }
    let told = refused(&full("localhost", "verify-full", &right)).await;
    assert!(told.contains("not valid for name"), "{told}");
    // Without a file it is the authorities of this machine who are asked.
    let told = refused(&at("127.0.0.1", "sslmode=verify-ca")).await;
    assert!(told.contains("certificate"), "{told}");
    let told = refused(&full("127.0.0.1", "verify-full", "/nowhere.pem")).await;
    assert!(told.contains("/nowhere.pem"), "{told}");
    let told = refused(&at("127.0.0.1", "sslmode=always")).await;
    assert!(told.contains("unsupported sslmode"), "{told}");

    // The server asks who the client is.
    let client = authority.client("terrace").unwrap();
    let (certificate, key) = client.write(directory.path(), "client").unwrap();
    let stranger = other.client("terrace").unwrap();
    let (their_certificate, their_key) = stranger.write(directory.path(), "stranger").unwrap();
    let certified = |certificate: &Path, key: &Path| {
        format!(
            "host=127.0.0.1 port={} user=terrace dbname=certified sslmode=verify-full sslrootcert={right} sslcert={} sslkey={}",
            server.port(),
            certificate.display(),
            key.display()
        )
    };
    assert_eq!(read(&certified(&certificate, &key)).await, Ok(()));
    refused(&certified(&their_certificate, &their_key)).await;
    let without = certified(&certificate, &key);
    let (without, _) = without.split_once(" sslcert").unwrap();
    let told = refused(without).await;
    assert!(told.contains("certificate"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_not_enough() {
    let Some(server) = available("pg without TLS", Postgres::start()) else {
        return;
    };
    let connection = server.connection_string("tfstate");
    assert_eq!(read(&connection).await, Ok(()));
    for mode in ["require", "verify-ca", "verify-full"] {
        let told = refused(&connection.replace("disable", mode)).await;
        assert!(told.contains("tls"), "{told}");
    }
}
