//! Signing in.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use rsa::pkcs8::DecodePrivateKey as _;
use sha2::{Digest as _, Sha256};
use terrace_backend_remote::chain;
use terrace_port::{LockInfo, StateStore as _};
use terrace_test_services::{Certified, Reply, Web};
use terrace_value::Value;

use crate::support::{Server, open_with};

const LEASE: Duration = Duration::from_mins(1);

async fn problem(
    arguments: &BTreeMap<String, Value>,
    variables: &[(&str, &str)],
) -> Option<String> {
    let opened = open_with(arguments, variables, LEASE).await;
    opened
        .err()
        .map(|problems| problems.into_iter().next().unwrap().detail)
}

pub(crate) async fn works(server: &Server) {
    let mut arguments = server.arguments("signing");
    let opened = open_with(&arguments, &[], LEASE).await.unwrap();
    assert_eq!(opened.workspaces().await.unwrap(), ["default"]);

    // Signatures are checked.
    arguments.insert("access_key".to_owned(), Value::string("d3Jvbmc="));
    let opened = open_with(&arguments, &[], LEASE).await.unwrap();
    let error = opened.workspaces().await.unwrap_err().to_string();
    assert!(error.contains("check the credentials"), "{error}");

    // The environment's key.
    arguments.remove("access_key");
    assert_eq!(
        problem(&arguments, &[("ARM_ACCESS_KEY", server.azurite.key())]).await,
        None
    );
    let missing = problem(&arguments, &[]).await.unwrap();
    assert!(missing.contains("resource_group_name"), "{missing}");

    keys_are_looked_up(server, arguments).await;
}

/// The form by which a token was asked for last.
fn last_form(web: &Web) -> String {
    let asked = web.asked();
    let asked = asked.iter().rfind(|asked| asked.path.contains("/oauth2/"));
    String::from_utf8(asked.unwrap().body.clone()).unwrap()
}

/// A signature of an account, as its owner makes one: for blobs, with these permissions.
fn signature(server: &Server, permissions: &str, expires: &str) -> String {
    const VERSION: &str = "2020-12-06";
    let fields = [
        server.azurite.account(),
        permissions,
        "b",
        "sco",
        "",
        expires,
        "",
        "https,http",
        VERSION,
        "",
        "",
    ];
    let key = STANDARD.decode(server.azurite.key()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(fields.join("\n").as_bytes());
    let signed = STANDARD.encode(mac.finalize().into_bytes());
    url::form_urlencoded::Serializer::new(String::from("?"))
        .extend_pairs([
            ("sv", VERSION),
            ("ss", "b"),
            ("srt", "sco"),
            ("sp", permissions),
            ("se", expires),
            ("spr", "https,http"),
            ("sig", &signed),
        ])
        .finish()
}

/// A shared access signature takes the key's place; one that is wrong, has expired or allows too little is refused.
pub(crate) async fn signatures_give_access(server: &Server) {
    const LATER: &str = "2099-01-01T00:00:00Z";
    let mut arguments = server.arguments(&server.new_key());
    arguments.remove("access_key");
    let mut with = |signature: String| {
        arguments.insert("sas_token".to_owned(), Value::string(signature));
        arguments.clone()
    };
    let all = with(signature(server, "rwdlacti", LATER));
    let store = open_with(&all, &[], LEASE).await.unwrap();
    let mut locked = store.lock("default", LockInfo::default()).await.unwrap();
    locked.overwrite(b"{}"[..].into()).await.unwrap();
    locked.unlock().await.unwrap();
    let stored = store.read("default").await.unwrap().unwrap();
    assert_eq!(&*stored.bytes, b"{}");
    assert_eq!(store.workspaces().await.unwrap(), ["default"]);

    let reading = with(signature(server, "rl", LATER));
    let store = open_with(&reading, &[], LEASE).await.unwrap();
    assert!(store.read("default").await.unwrap().is_some());
    let refused = store.lock("default", LockInfo::default()).await.err();
    let told = refused.map(|error| chain(&error)).unwrap_or_default();
    assert!(told.contains("may not do it"), "{told}");
    let expired = signature(server, "rwdlacti", "2020-01-01T00:00:00Z");
    let wrong = signature(server, "rwdlacti", LATER).replace("sig=", "sig=AAAA");
    for signature in [expired, wrong] {
        let store = open_with(&with(signature), &[], LEASE).await.unwrap();
        let error = store.read("default").await.unwrap_err().to_string();
        assert!(error.contains("check the credentials"), "{error}");
    }
}

/// PKCS #12 with what a PEM file holds, with today's ciphers and with those of former days, where there is OpenSSL to make it.
fn stores(pem: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut stores = Vec::new();
    for (name, more) in [("today", &[][..]), ("before", &["-legacy"][..])] {
        let store = pem.with_file_name(format!("{name}.pfx"));
        let made = std::process::Command::new("openssl")
            .args(["pkcs12", "-export", "-passout", "pass:sesame", "-in"])
            .arg(pem)
            .arg("-out")
            .arg(&store)
            .args(more)
            .output();
        if made.is_ok_and(|output| output.status.success()) {
            stores.push(store);
        } else {
            println!("SKIPPED PKCS #12 of {name}: no OpenSSL makes it here");
        }
    }
    stores
}

/// A certificate signs a statement of who it is, in the form that Microsoft Entra ID asks for.
pub(crate) async fn certificates_sign_statements(server: &Server) {
    let web = Web::start().unwrap();
    web.on(
        "/tenant/oauth2/v2.0/token",
        Reply::json(r#"{"access_token": "the-token", "expires_in": 3600}"#),
    );
    let principal = Certified::with_rsa("states").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("principal.pem");
    let pem = principal.certificate.clone() + &principal.key;
    std::fs::write(&path, &pem).unwrap();
    let mut arguments = server.arguments(&server.new_key());
    arguments.remove("access_key");
    arguments.insert("use_azuread_auth".to_owned(), Value::bool(true));
    let authority = web.url("");
    let in_base64 = STANDARD.encode(&pem);
    for given in [
        ("ARM_CLIENT_CERTIFICATE_PATH", path.to_str().unwrap()),
        ("ARM_CLIENT_CERTIFICATE", &in_base64),
    ] {
        let variables = [
            ("AZURE_AUTHORITY_HOST", authority.as_str()),
            ("ARM_TENANT_ID", "tenant"),
            ("ARM_CLIENT_ID", "client"),
            given,
        ];
        assert_eq!(problem(&arguments, &variables).await, None);
    }
    let with = |password: &'static str| {
        [
            ("AZURE_AUTHORITY_HOST", authority.as_str()),
            ("ARM_TENANT_ID", "tenant"),
            ("ARM_CLIENT_ID", "client"),
            ("ARM_CLIENT_CERTIFICATE_PASSWORD", password),
        ]
    };
    for store in stores(&path) {
        let file = store.to_str().unwrap();
        let given = [
            &with("sesame")[..],
            &[("ARM_CLIENT_CERTIFICATE_PATH", file)],
        ]
        .concat();
        assert_eq!(problem(&arguments, &given).await, None, "{file}");
        let wrong = [&with("wrong")[..], &[("ARM_CLIENT_CERTIFICATE_PATH", file)]].concat();
        let told = problem(&arguments, &wrong).await.unwrap();
        assert!(told.contains("client_certificate_password"), "{told}");
    }
    let form = web.asked().pop().unwrap().body;
    is_signed_by(&principal, &form, &authority);
}

/// The form asks for a token by a statement that the principal has signed.
fn is_signed_by(principal: &Certified, form: &[u8], authority: &str) {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(form).into_owned().collect();
    assert_eq!(form["scope"], "https://storage.azure.com/.default");
    assert_eq!(
        form["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    let (signed, signature) = form["client_assertion"].rsplit_once('.').unwrap();
    let part = |text: &str| -> serde_json::Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    let (header, claims) = signed.split_once('.').unwrap();
    let (header, claims) = (part(header), part(claims));
    let inside: String = principal
        .certificate
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let thumbprint = sha1::Sha1::digest(STANDARD.decode(inside).unwrap());
    assert_eq!(header["x5t"], URL_SAFE_NO_PAD.encode(thumbprint));
    assert_eq!(
        (&claims["iss"], &claims["sub"]),
        (&"client".into(), &"client".into())
    );
    assert_eq!(
        claims["aud"],
        format!("{authority}/tenant/oauth2/v2.0/token")
    );
    let key = rsa::RsaPrivateKey::from_pkcs8_pem(&principal.key).unwrap();
    let digest = Sha256::digest(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    key.to_public_key()
        .verify(rsa::Pkcs1v15Sign::new::<Sha256>(), &digest, &signature)
        .unwrap();
}

/// Tokens of Azure DevOps, and of a pod of Kubernetes.
async fn pipelines_and_pods(
    web: &Web,
    arguments: &BTreeMap<String, Value>,
    variables: &[(&str, &str)],
) {
    let manager = web.url("");
    // Azure DevOps names the service connection, by a request of another kind.
    web.on(
        "/devops",
        Reply::json(r#"{"oidcToken": "devops-token"}"#).needs("authorization", "Bearer pipeline"),
    );
    let url = web.url("/devops");
    let pipeline = [
        ("ARM_USE_OIDC", "true"),
        ("SYSTEM_ACCESSTOKEN", "pipeline"),
        ("ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID", "connection"),
        ("SYSTEM_OIDCREQUESTURI", &url),
    ];
    let pipeline = [variables, &pipeline].concat();
    assert_eq!(problem(arguments, &pipeline).await, None);
    assert!(last_form(web).contains("client_assertion=devops-token"));
    let asked = web.asked();
    let asked = asked.iter().find(|asked| asked.path.starts_with("/devops"));
    assert_eq!(
        asked.unwrap().path,
        "/devops?api-version=7.1&serviceConnectionId=connection"
    );

    // A pod of Kubernetes finds its token in a file that the environment names.
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    std::fs::write(&token, "pod-token\n").unwrap();
    let pod = [
        ("AZURE_AUTHORITY_HOST", manager.as_str()),
        ("ARM_ENDPOINT", manager.as_str()),
        ("ARM_SUBSCRIPTION_ID", "s"),
        ("ARM_USE_AKS_WORKLOAD_IDENTITY", "true"),
        ("AZURE_TENANT_ID", "tenant"),
        ("AZURE_CLIENT_ID", "pod"),
        ("AZURE_FEDERATED_TOKEN_FILE", token.to_str().unwrap()),
    ];
    assert_eq!(problem(arguments, &pod).await, None);
    let form = last_form(web);
    assert!(
        form.contains("client_assertion=pod-token") && form.contains("client_id=pod"),
        "{form}"
    );
}

/// The key that the resource manager gives to who has signed in.
async fn keys_are_looked_up(server: &Server, mut arguments: BTreeMap<String, Value>) {
    let web = Web::start().unwrap();
    web.on(
        "/tenant/oauth2/v2.0/token",
        Reply::json(r#"{"access_token": "the-token", "expires_in": 3600}"#),
    );
    let keys = format!(
        r#"{{"keys": [{{"keyName": "key1", "value": "{}"}}]}}"#,
        server.azurite.key()
    );
    let account = server.azurite.account();
    let path = format!(
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/{account}/listKeys"
    );
    web.on(
        &path,
        Reply::json(&keys).needs("authorization", "Bearer the-token"),
    );
    let manager = web.url("");
    let variables = [
        ("AZURE_AUTHORITY_HOST", manager.as_str()),
        ("ARM_ENDPOINT", manager.as_str()),
        ("ARM_SUBSCRIPTION_ID", "s"),
        ("ARM_TENANT_ID", "tenant"),
        ("ARM_CLIENT_ID", "client"),
    ];
    arguments.insert("resource_group_name".to_owned(), Value::string("g"));
    let with = |more: &[(&'static str, &'static str)]| {
        let mut variables = variables.to_vec();
        variables.extend(more);
        variables
    };
    assert_eq!(
        problem(&arguments, &with(&[("ARM_CLIENT_SECRET", "secret")])).await,
        None
    );
    let asked = web
        .asked()
        .into_iter()
        .find(|asked| asked.path.contains("/oauth2/"))
        .unwrap();
    let form = String::from_utf8(asked.body).unwrap();
    assert!(
        form.contains("client_secret=secret") && form.contains("client_id=client"),
        "{form}"
    );

    // A token of an identity provider takes the secret's place, and is asked for where that is how to get it.
    web.on(
        "/id",
        Reply::json(r#"{"value": "id-token"}"#).needs("authorization", "Bearer request"),
    );
    let url = web.url("/id?job=1");
    let mut asking = with(&[
        ("ARM_USE_OIDC", "true"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request"),
    ]);
    asking.push(("ACTIONS_ID_TOKEN_REQUEST_URL", &url));
    assert_eq!(problem(&arguments, &asking).await, None);
    let form = last_form(&web);
    assert!(form.contains("client_assertion=id-token"), "{form}");
    let asked = web
        .asked()
        .into_iter()
        .find(|asked| asked.path.starts_with("/id"))
        .unwrap();
    assert_eq!(
        asked.path,
        "/id?job=1&audience=api%3A%2F%2FAzureADTokenExchange"
    );

    pipelines_and_pods(&web, &arguments, &variables).await;

    // The machine's own identity.
    web.on(
        "/msi",
        Reply::json(r#"{"access_token": "the-token", "expires_on": "9999999999"}"#)
            .needs("metadata", "true"),
    );
    let endpoint = web.url("/msi");
    let mut managed = with(&[("ARM_USE_MSI", "true")]);
    managed.push(("ARM_MSI_ENDPOINT", &endpoint));
    assert_eq!(problem(&arguments, &managed).await, None);
    assert_eq!(web.times("/msi"), 1);

    // Nobody.
    let nobody = problem(&arguments, &with(&[("ARM_USE_CLI", "false")]))
        .await
        .unwrap();
    assert!(
        nobody.contains("no way of signing in is configured"),
        "{nobody}"
    );
}
