//! Signing in, and keys that objects are encrypted with.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::pkcs8::DecodePrivateKey as _;
use sha2::{Digest as _, Sha256};
use terrace_port::{LockInfo, StateStore as _};
use terrace_test_services::{Certified, Reply, Web};
use terrace_value::Value;

use crate::support::{BUCKET, Server, open_with, problem};

const LEASE: Duration = Duration::from_mins(1);
const KEY: &str = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";

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

/// A service account signs a statement of who it is, and gets a token for it; from a server that checks the signature.
pub(crate) async fn service_accounts_sign_statements() {
    let web = Web::start().unwrap();
    web.on(
        "/token",
        Reply::json(r#"{"access_token": "own", "expires_in": 3600}"#),
    );
    let arguments = BTreeMap::from([("bucket".to_owned(), Value::string(BUCKET))]);
    let account = |key: &str| {
        let account = serde_json::json!({
            "type": "service_account",
            "client_email": "states@p.iam.gserviceaccount.com",
            "private_key": key,
            "private_key_id": "key-1",
            "token_uri": web.url("/token"),
        });
        account.to_string()
    };
    let own_key = Certified::with_rsa("states").unwrap().key;
    let credentials = account(&own_key);
    assert_eq!(
        problem(&arguments, &[("GOOGLE_CREDENTIALS", &credentials)]).await,
        None
    );
    let form = web.asked().pop().unwrap().body;
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&form).into_owned().collect();
    assert_eq!(
        form["grant_type"],
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    );
    let (signed, signature) = form["assertion"].rsplit_once('.').unwrap();
    let part = |text: &str| -> serde_json::Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    let (header, claims) = signed.split_once('.').unwrap();
    let (header, claims) = (part(header), part(claims));
    assert_eq!(
        header,
        serde_json::json!({"alg": "RS256", "typ": "JWT", "kid": "key-1"})
    );
    assert_eq!(claims["iss"], "states@p.iam.gserviceaccount.com");
    assert_eq!(claims["aud"], web.url("/token").as_str());
    assert_eq!(
        claims["scope"],
        "https://www.googleapis.com/auth/devstorage.read_write"
    );
    let lasts = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(lasts, 3600);
    let key = rsa::RsaPrivateKey::from_pkcs8_pem(&own_key).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let digest = Sha256::digest(signed.as_bytes());
    let padding = rsa::Pkcs1v15Sign::new::<Sha256>();
    key.to_public_key()
        .verify(padding, &digest, &signature)
        .unwrap();

    // What the server refuses is told, and so is a key that is none.
    let refusal = r#"{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}"#;
    web.on("/token", Reply::json(refusal).with_status(400));
    let refused = problem(&arguments, &[("GOOGLE_CREDENTIALS", &credentials)]).await;
    assert!(
        refused.as_ref().unwrap().contains("Invalid JWT Signature."),
        "{refused:?}"
    );
    let unreadable = account("no key");
    let refused = problem(&arguments, &[("GOOGLE_CREDENTIALS", &unreadable)]).await;
    let refused = refused.unwrap();
    assert!(refused.contains("private key cannot be read"), "{refused}");
}

pub(crate) async fn encryption_is_asked_for(server: &Server) {
    let prefix = server.new_prefix();
    let mut arguments = server.arguments(&prefix);
    let plain = open_with(&arguments, &[], LEASE).await.unwrap();
    arguments.insert("encryption_key".to_owned(), Value::string(KEY));
    let sealed = open_with(&arguments, &[], LEASE).await.unwrap();
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
    let sealed = open_with(&arguments, &[], LEASE).await.unwrap();
    let mut locked = sealed.lock("default", LockInfo::default()).await.unwrap();
    locked.overwrite(b"{}"[..].into()).await.unwrap();
    locked.unlock().await.unwrap();
    let key = server.storage.kms_key(&format!("{prefix}/default.tfstate"));
    assert_eq!(key.as_deref(), Some("projects/p/k"));
}
