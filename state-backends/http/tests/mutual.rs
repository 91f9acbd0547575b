//! Servers with certificates, and servers that ask for those of clients.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;

use terrace_backend_http::{arguments, open};
use terrace_backend_remote::{Arguments, Surroundings, chain};
use terrace_port::LockInfo;
use terrace_test_services::{Authority, StateServer};
use terrace_value::Value;

/// Writes and reads a state; what is told where that fails.
async fn works(values: &BTreeMap<String, Value>) -> Result<(), String> {
    let environment = |_: &str| None;
    let directory = tempfile::tempdir().unwrap();
    let arguments = Arguments::new(arguments(), values, &environment).unwrap();
    let surroundings = Surroundings {
        environment: &environment,
        directory: directory.path(),
        clock: std::sync::Arc::new(terrace_backend_conformance::Now),
        user_agent: "Terrace/test",
        watcher: None,
    };
    let opened = open(&arguments, &surroundings).await;
    let store = opened.map_err(|problems| problems[0].detail.clone())?;
    let info = LockInfo {
        id: "a".to_owned(),
        ..LockInfo::default()
    };
    let locked = store.lock("default", info).await;
    let mut locked = locked.map_err(|error| chain(&error))?;
    locked.overwrite(b"{}"[..].into()).await.unwrap();
    locked.unlock().await.unwrap();
    assert_eq!(&*store.read("default").await.unwrap().unwrap().bytes, b"{}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_show_certificates() {
    let (authority, other) = (
        Authority::new("states").unwrap(),
        Authority::new("somebody").unwrap(),
    );
    let certified = authority.server(&["127.0.0.1"]).unwrap();
    let server = StateServer::start_secure(&certified, &authority).unwrap();
    let client = authority.client("terrace").unwrap();
    let stranger = other.client("terrace").unwrap();
    let with = |more: &[(&str, &str)]| {
        let mut values = BTreeMap::from([
            ("address".to_owned(), Value::string(server.state_address())),
            (
                "lock_address".to_owned(),
                Value::string(server.lock_address()),
            ),
            (
                "unlock_address".to_owned(),
                Value::string(server.lock_address()),
            ),
            ("retry_max".to_owned(), Value::int(0)),
            ("retry_wait_min".to_owned(), Value::int(0)),
        ]);
        for (name, value) in more {
            values.insert((*name).to_owned(), Value::string(*value));
        }
        values
    };
    let trusting = ("client_ca_certificate_pem", authority.certificate());
    let own = |certified: &terrace_test_services::Certified| {
        (certified.certificate.clone(), certified.key.clone())
    };
    let (certificate, key) = own(&client);
    let mutual = with(&[
        trusting,
        ("client_certificate_pem", &certificate),
        ("client_private_key_pem", &key),
    ]);
    assert_eq!(works(&mutual).await, Ok(()));

    // Without a certificate, or with one that another authority gave, the server does not answer.
    assert!(works(&with(&[trusting])).await.is_err());
    let (theirs, their_key) = own(&stranger);
    let strange = with(&[
        trusting,
        ("client_certificate_pem", &theirs),
        ("client_private_key_pem", &their_key),
    ]);
    assert!(works(&strange).await.is_err());

    // A server for whom nobody vouches whom we trust, unless nobody is asked.
    let distrusting = [
        ("client_ca_certificate_pem", other.certificate()),
        ("client_certificate_pem", &certificate),
        ("client_private_key_pem", &key),
    ];
    let told = works(&with(&distrusting)).await.unwrap_err();
    assert!(told.contains("certificate"), "{told}");
    let mut unasked = with(&distrusting[1..]);
    assert!(works(&unasked).await.is_err());
    unasked.insert("skip_cert_verification".to_owned(), Value::bool(true));
    assert_eq!(works(&unasked).await, Ok(()));
}
