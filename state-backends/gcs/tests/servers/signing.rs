//! Signing in, and keys that objects are encrypted with.

use std::collections::BTreeMap;
use std::time::Duration;

use terrace_port::{LockInfo, StateStore as _};
use terrace_test_services::{Reply, Web};
use terrace_value::Value;

use crate::support::{BUCKET, Server, open_with};

const LEASE: Duration = Duration::from_mins(1);
const KEY: &str = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";

async fn problem(
    arguments: &BTreeMap<String, Value>,
    variables: &[(&str, &str)],
) -> Option<String> {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let opened = open_with(arguments, &variables, LEASE).await;
    opened
        .err()
        .map(|problems| problems.into_iter().next().unwrap().detail)
}

pub(crate) async fn works() {
    let web = Web::start().unwrap();
    web.on(
        "/token",
        Reply::json(r#"{"access_token": "own", "expires_in": 3600}"#),
    );
    let arguments = BTreeMap::from([("bucket".to_owned(), Value::string(BUCKET))]);

    // A user who has signed in before.
    let user = format!(
        r#"{{"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r", "token_uri": "{}"}}"#,
        web.url("/token")
    );
    assert_eq!(
        problem(&arguments, &[("GOOGLE_CREDENTIALS", &user)]).await,
        None
    );
    let asked = web.asked().pop().unwrap();
    let form = String::from_utf8(asked.body).unwrap();
    assert!(
        form.contains("grant_type=refresh_token") && form.contains("refresh_token=r"),
        "{form}"
    );

    // A file, by the environment; and acting as a service account.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("credentials.json");
    std::fs::write(&path, &user).unwrap();
    let path = path.to_str().unwrap();
    let address =
        "/v1/projects/-/serviceAccounts/states@p.iam.gserviceaccount.com:generateAccessToken";
    let answer = Reply::json(r#"{"accessToken": "theirs", "expireTime": "2099-01-01T00:00:00Z"}"#);
    web.on(address, answer.needs("authorization", "Bearer own"));
    let variables = [
        ("GOOGLE_APPLICATION_CREDENTIALS", path),
        (
            "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT",
            "states@p.iam.gserviceaccount.com",
        ),
        ("GOOGLE_IAM_CREDENTIALS_CUSTOM_ENDPOINT", &web.url("")),
    ];
    assert_eq!(problem(&arguments, &variables).await, None);
    assert_eq!(web.times(address), 1);

    // A workload with the token of another identity provider.
    let token = directory.path().join("token");
    std::fs::write(&token, "id-token\n").unwrap();
    let external = format!(
        r#"{{"type": "external_account", "audience": "a", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": "{}", "credential_source": {{"file": "{}"}}}}"#,
        web.url("/token"),
        token.display()
    );
    assert_eq!(
        problem(&arguments, &[("GOOGLE_BACKEND_CREDENTIALS", &external)]).await,
        None
    );
    let form = String::from_utf8(web.asked().pop().unwrap().body).unwrap();
    assert!(form.contains("subject_token=id-token"), "{form}");

    // The machine.
    let on_machine = "/computeMetadata/v1/instance/service-accounts/default/token";
    web.on(
        on_machine,
        Reply::json(r#"{"access_token": "own", "expires_in": 3600}"#)
            .needs("metadata-flavor", "Google"),
    );
    let authority = web.authority();
    let machine = [
        ("GCE_METADATA_HOST", authority.as_str()),
        ("HOME", "/nowhere"),
    ];
    assert_eq!(problem(&arguments, &machine).await, None);

    // What is wrong is told.
    let bad = problem(&arguments, &[("GOOGLE_CREDENTIALS", "nope")])
        .await
        .unwrap();
    assert_eq!(
        bad,
        "the string provided in credentials is neither valid json nor a valid file path"
    );
    let unknown = problem(&arguments, &[("GOOGLE_CREDENTIALS", r#"{"type": "new"}"#)])
        .await
        .unwrap();
    assert!(
        unknown.contains("\"new\" are not supported yet"),
        "{unknown}"
    );
    let with = |names: &[&str]| {
        let mut arguments = arguments.clone();
        arguments.insert("access_token".to_owned(), Value::string("t"));
        arguments.extend(
            names
                .iter()
                .map(|name| ((*name).to_owned(), Value::string("a"))),
        );
        arguments
    };
    let both = problem(&with(&["encryption_key", "kms_encryption_key"]), &[])
        .await
        .unwrap();
    assert_eq!(both, "can't set both encryption_key and kms_encryption_key");
    let bad = problem(&with(&["encryption_key"]), &[]).await.unwrap();
    assert!(bad.starts_with("Error decoding encryption key"), "{bad}");
}

pub(crate) async fn encryption_is_asked_for(server: &Server) {
    let prefix = server.new_prefix();
    let mut arguments = server.arguments(&prefix);
    let plain = open_with(&arguments, &BTreeMap::new(), LEASE)
        .await
        .unwrap();
    arguments.insert("encryption_key".to_owned(), Value::string(KEY));
    let sealed = open_with(&arguments, &BTreeMap::new(), LEASE)
        .await
        .unwrap();
    let mut locked = sealed.lock("default", LockInfo::default()).await.unwrap();
    locked.overwrite(b"{}"[..].into()).await.unwrap();
    locked.unlock().await.unwrap();
    assert_eq!(
        &*sealed.read("default").await.unwrap().unwrap().bytes,
        b"{}"
    );
    assert!(plain.read("default").await.is_err());

    let prefix = server.new_prefix();
    let mut arguments = server.arguments(&prefix);
    arguments.insert(
        "kms_encryption_key".to_owned(),
        Value::string("projects/p/k"),
    );
    let sealed = open_with(&arguments, &BTreeMap::new(), LEASE)
        .await
        .unwrap();
    let mut locked = sealed.lock("default", LockInfo::default()).await.unwrap();
    locked.overwrite(b"{}"[..].into()).await.unwrap();
    locked.unlock().await.unwrap();
    let key = server.storage.kms_key(&format!("{prefix}/default.tfstate"));
    assert_eq!(key.as_deref(), Some("projects/p/k"));
}
