//! Signing in to a server that speaks the protocols of AWS, at the moment when it is needed.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed"
)]

use std::net::TcpListener;
use std::sync::Arc;

use aws_credential_types::provider::ProvideCredentials as _;
use terrace_aws_access::{Access, Account, Caller, Identity, Network, Role, Session, StaticKeys};
use terrace_port::Clock;
use terrace_test_services::Moto;
use terrace_test_support::available;

struct Noon;

impl Clock for Noon {
    fn now(&self) -> (i64, u32) {
        (1_700_000_000, 0)
    }
}

fn caller() -> Caller {
    Caller {
        clock: Arc::new(Noon),
        user_agent: "Terrace/0.1.0".to_owned(),
        log: None,
    }
}

fn access(endpoint: &str) -> Access {
    Access {
        region: Some("us-east-1".to_owned()),
        endpoint: Some(endpoint.to_owned()),
        identity: Identity {
            given: Some(StaticKeys {
                access: "a".to_owned(),
                secret: "b".to_owned(),
                token: None,
            }),
            ..Identity::default()
        },
        network: Network {
            attempts: 1,
            ..Network::default()
        },
        ..Access::default()
    }
}

fn role(name: &str) -> Role {
    Role {
        arn: format!("arn:aws:iam::123456789012:role/{name}"),
        session_name: Some("tests".to_owned()),
        ..Role::default()
    }
}

#[tokio::test]
async fn nobody_is_asked_before_it_is_needed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let mut access = access(&endpoint);
    access.identity.roles.push(role("first"));
    access
        .endpoints
        .insert("s3".to_owned(), "http://elsewhere".to_owned());
    let session = Session::open(access, &caller()).await.unwrap();
    assert_eq!(
        session.config_for("sqs").endpoint_url(),
        Some(endpoint.as_str())
    );
    assert_eq!(
        session.config_for("s3").endpoint_url(),
        Some("http://elsewhere")
    );
    let elsewhere = session.config_in("sqs", "eu-west-1");
    assert_eq!(elsewhere.region().unwrap().as_ref(), "eu-west-1");
    assert!(listener.accept().is_err(), "nobody connected");
    drop(listener);
    let refused = session.sign_in().await.unwrap_err();
    assert_eq!(refused.summary, "Cannot assume IAM Role");
    let credentials = session.credentials().unwrap().provide_credentials().await;
    let error = terrace_backend_remote::chain(&credentials.unwrap_err());
    assert!(error.contains("Cannot assume IAM Role"), "{error}");
}

#[tokio::test]
async fn a_profile_names_the_region() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config");
    std::fs::write(&file, "[profile work]\nregion = eu-central-1\n").unwrap();
    let mut access = access("http://127.0.0.1:9");
    access.region = None;
    access.identity.config_files = vec![file];
    access.identity.profile = Some("work".to_owned());
    let session = Session::open(access.clone(), &caller()).await.unwrap();
    assert_eq!(session.region(), "eu-central-1");
    access.identity.profile = Some("nobody".to_owned());
    let missing = Session::open(access, &caller()).await.unwrap_err();
    assert_eq!(missing.argument.as_deref(), Some("region"));
}

#[tokio::test]
async fn the_first_request_signs_in() {
    let Some(moto) = available("AWS sessions", Moto::start()) else {
        return;
    };
    let session = Session::open(access(&moto.endpoint()), &caller())
        .await
        .unwrap();
    let sts = aws_sdk_sts::Client::new(&session.config_for("sts"));
    let answer = sts.get_caller_identity().send().await.unwrap();
    assert_eq!(answer.account(), Some("123456789012"));
    assert_eq!(session.identity().await.unwrap().account, "123456789012");

    // Each role is assumed with the credentials of the one before it.
    let mut through = access(&moto.endpoint());
    through.identity.roles = vec![role("first"), role("second")];
    let session = Session::open(through, &caller()).await.unwrap();
    assert_eq!(
        session.identity().await.unwrap().arn,
        "arn:aws:sts::123456789012:assumed-role/second/tests"
    );

    // An account that must not be worked with is refused before any request of a client is answered.
    let mut elsewhere = access(&moto.endpoint());
    elsewhere.account = Account {
        allowed: vec!["111122223333".to_owned()],
        ..Account::default()
    };
    let session = Session::open(elsewhere, &caller()).await.unwrap();
    let sts = aws_sdk_sts::Client::new(&session.config_for("sts"));
    let error = sts.get_caller_identity().send().await.unwrap_err();
    let error = terrace_backend_remote::chain(&error);
    assert!(
        error.contains("AWS account ID not allowed: 123456789012"),
        "{error}"
    );
}
