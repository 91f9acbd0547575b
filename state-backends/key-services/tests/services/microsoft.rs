//! `azure_vault`, with a stand-in that keeps to the documentation of the operations `encrypt` and `decrypt` of Key Vault.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value as Json, json};
use terrace_test_services::{Reply, Web};
use terrace_value::Value;

use crate::stand_in::{Asked, StandIn};
use crate::{open, round_trip, wrong};

fn refused(status: u16, code: &str, message: &str) -> (u16, Json) {
    (status, json!({"error": {"code": code, "message": message}}))
}

/// The current version of the key; the one before can still be used.
const CURRENT: &str = "v2";

/// Sealing is the text backwards behind the version.
fn answer(asked: &Asked) -> (u16, Json) {
    if asked.token != "vault-token" {
        return refused(
            401,
            "Unauthorized",
            "AKV10000: Request is missing a Bearer or PoP token.",
        );
    }
    if asked.query != "api-version=7.4" {
        return refused(400, "BadParameter", "api-version must be specified");
    }
    let parts: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
    let (name, version, what) = match parts.as_slice() {
        ["keys", name, what] => (*name, CURRENT, *what),
        ["keys", name, version, what] => (*name, *version, *what),
        _ => return refused(404, "NotFound", "no such resource"),
    };
    match name {
        "states" => {}
        "secret" => {
            let message = "Caller is not authorized to perform action on resource.";
            return refused(403, "Forbidden", message);
        }
        "disabled" => {
            let inner = json!({"code": "KeyDisabled"});
            let error = json!({"code": "Forbidden", "message": "Operation encrypt is not allowed on a disabled key.", "innererror": inner});
            return (403, json!({ "error": error }));
        }
        _ => {
            return refused(
                404,
                "KeyNotFound",
                &format!("A key with (name/id) {name} was not found in this key vault."),
            );
        }
    }
    let bytes = |name: &str| {
        let text = asked.body[name].as_str().unwrap_or_default();
        URL_SAFE_NO_PAD.decode(text).unwrap()
    };
    let symmetric = asked.body["alg"] == "A256GCM";
    if !symmetric && asked.body["alg"] != "RSA-OAEP-256" {
        return refused(
            400,
            "BadParameter",
            "The algorithm is not supported by the key.",
        );
    }
    let value = bytes("value");
    let turned = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<u8>>();
    if what == "encrypt" {
        let sealed = [version.as_bytes(), &turned(&value)].concat();
        let mut answer = json!({
            "kid": format!("https://vault.test/keys/{name}/{version}"),
            "value": URL_SAFE_NO_PAD.encode(sealed),
        });
        if symmetric {
            answer["iv"] = URL_SAFE_NO_PAD.encode(b"iv").into();
            answer["tag"] = URL_SAFE_NO_PAD.encode(b"tag").into();
        }
        return (200, answer);
    }
    let is_bound = !symmetric || (bytes("iv") == b"iv" && bytes("tag") == b"tag");
    match value.strip_prefix(version.as_bytes()) {
        Some(sealed) if is_bound => (
            200,
            json!({"kid": "k", "value": URL_SAFE_NO_PAD.encode(turned(sealed))}),
        ),
        _ => refused(400, "BadParameter", "The parameter is incorrect."),
    }
}

fn arguments(vault: &str, key: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("vault_uri", Value::string(vault)),
        ("vault_key_name", Value::string(key)),
        ("key_length", Value::int(32)),
        ("tenant_id", Value::string("tenant")),
        ("client_id", Value::string("client")),
    ]
}

#[tokio::test]
async fn keys_that_a_vault_wraps() {
    let server = StandIn::start(answer);
    let authority = Web::start().unwrap();
    authority.on(
        "/tenant/oauth2/v2.0/token",
        Reply::json(r#"{"access_token": "vault-token", "expires_in": 3600}"#),
    );
    let url = authority.url("");
    let variables = [
        ("AZURE_AUTHORITY_HOST", url.as_str()),
        ("ARM_CLIENT_SECRET", "sesame"),
    ];
    let vault = format!("{}/", server.url());
    let source = open("azure_vault", &arguments(&vault, "states"), &variables).unwrap();
    let kept = round_trip(&*source, 32).await;
    let names: Vec<&String> = kept.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "additional_authenticated_data",
            "algo",
            "authentication_tag",
            "ciphertext",
            "iv",
            "key_version"
        ]
    );
    assert_eq!(
        (&kept["algo"], &kept["key_version"], &kept["iv"]),
        (&json!("RSA-OAEP-256"), &json!("v2"), &Json::Null)
    );
    // One sign-in for all, for vaults.
    assert_eq!(authority.times("/tenant/oauth2/v2.0/token"), 1);
    let form = String::from_utf8(authority.asked()[0].body.clone()).unwrap();
    assert!(
        form.contains("scope=https%3A%2F%2Fvault.azure.net%2F.default"),
        "{form}"
    );

    // Data of before the key was renewed names the version.
    let sealed = [b"v1".as_slice(), b"yek"].concat();
    let old = json!({"ciphertext": STANDARD.encode(&sealed), "key_version": "v1", "algo": "RSA-OAEP-256", "iv": null});
    let key = source.recover(old.to_string().as_bytes()).await.unwrap();
    assert_eq!(key.bytes(), b"key");
    let other = old.to_string().replace("\"v1\"", "\"v2\"");
    let error = source.recover(other.as_bytes()).await.unwrap_err();
    assert!(error.contains("did not encrypt the data's key"), "{error}");

    // A symmetric key of a hardware module, whose tag and vector are kept.
    let mut symmetric = arguments(&vault, "states");
    symmetric.push(("symmetric", Value::bool(true)));
    symmetric.push(("symmetric_key_size", Value::int(256)));
    let symmetric = open("azure_vault", &symmetric, &variables).unwrap();
    let kept = round_trip(&*symmetric, 32).await;
    assert_eq!(
        (&kept["iv"], &kept["authentication_tag"]),
        (
            &json!(STANDARD.encode("iv")),
            &json!(STANDARD.encode("tag"))
        )
    );

    *server.failing.lock().unwrap() = vec![500, 429];
    source.generate().await.unwrap();
    let cases = [
        ("secret", "needs the permission keys/encrypt"),
        ("disabled", "Enable it"),
        ("nowhere", "there is no key nowhere in http://localhost"),
    ];
    for (key, expected) in cases {
        let source = open("azure_vault", &arguments(&vault, key), &variables).unwrap();
        let error = source.generate().await.unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let nobody = [("ARM_USE_CLI", "false")];
    let source = open("azure_vault", &arguments(&vault, "states"), &nobody).unwrap();
    let error = source.generate().await.unwrap_err();
    assert!(error.contains("Cannot sign in to Azure"), "{error}");
}

#[test]
fn arguments_of_azure_vault_are_checked() {
    let with = |name: &'static str, value: Value| {
        let mut given = arguments("https://states.vault.azure.net", "states");
        given.retain(|(known, _)| *known != name);
        given.push((name, value));
        wrong("azure_vault", &given)
    };
    for vault in [
        "no URL",
        "https://1st.vault.azure.net",
        "https://a--b.vault.azure.net",
    ] {
        let error = with("vault_uri", Value::string(vault));
        assert!(error.starts_with("vault_uri: "), "{error}");
    }
    let error = with("vault_key_name", Value::string("a/b"));
    assert!(error.contains("no name of a key"), "{error}");
    let error = with("symmetric", Value::bool(true));
    assert!(
        error.contains("symmetric_key_size must be given"),
        "{error}"
    );
    let error = with("key_length", Value::int(0));
    assert!(error.contains("key_length"), "{error}");
}
