//! `gcp_kms`, with a stand-in that keeps to the documentation of `cryptoKeys.encrypt` and `cryptoKeys.decrypt`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use terrace_value::Value;

use crate::stand_in::{Asked, StandIn};
use crate::{open, round_trip, wrong};

const KEY: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/states";

fn refused(status: u16, name: &str, message: &str) -> (u16, Json) {
    let error = json!({"code": status, "message": message, "status": name});
    (status, json!({ "error": error }))
}

/// Sealing is the text backwards behind what it is bound to: enough to see that both come back.
fn answer(asked: &Asked) -> (u16, Json) {
    if asked.token != "good" {
        return refused(
            401,
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials.",
        );
    }
    let Some((key, what)) = asked.path.trim_start_matches("/v1/").rsplit_once(':') else {
        return refused(404, "NOT_FOUND", "no method");
    };
    match key.rsplit('/').next() {
        Some("states") => {}
        Some("secret") => {
            let message = format!(
                "Permission 'cloudkms.cryptoKeyVersions.useTo{what}' denied on resource '{key}' (or it may not exist)."
            );
            return refused(403, "PERMISSION_DENIED", &message);
        }
        Some("disabled") => return refused(400, "FAILED_PRECONDITION", "The key is not enabled."),
        _ => return refused(404, "NOT_FOUND", &format!("CryptoKey {key} not found.")),
    }
    let bytes = |name: &str| {
        let text = asked.body[name].as_str().unwrap_or_default();
        STANDARD.decode(text).unwrap()
    };
    let bound = bytes("additionalAuthenticatedData");
    if what == "encrypt" {
        let mut sealed = bound;
        sealed.push(0);
        sealed.extend(bytes("plaintext").iter().rev());
        let name = format!("{key}/cryptoKeyVersions/1");
        return (
            200,
            json!({"name": name, "ciphertext": STANDARD.encode(sealed)}),
        );
    }
    let sealed = bytes("ciphertext");
    let opened = sealed
        .strip_prefix(bound.as_slice())
        .and_then(|rest| rest.strip_prefix(&[0]));
    match opened {
        Some(opened) => {
            let plain: Vec<u8> = opened.iter().rev().copied().collect();
            (200, json!({"plaintext": STANDARD.encode(plain)}))
        }
        None => refused(
            400,
            "INVALID_ARGUMENT",
            "Decryption failed: the ciphertext is invalid.",
        ),
    }
}

fn arguments(key: &str, token: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("kms_encryption_key", Value::string(key)),
        ("key_length", Value::int(32)),
        ("access_token", Value::string(token)),
    ]
}

#[tokio::test]
async fn keys_that_cloud_kms_wraps() {
    let server = StandIn::start(answer);
    let endpoint = format!("{}/v1/", server.url());
    let variables = [("GOOGLE_KMS_CUSTOM_ENDPOINT", endpoint.as_str())];
    let source = open("gcp_kms", &arguments(KEY, "good"), &variables).unwrap();
    let kept = round_trip(&*source, 32).await;
    assert_eq!(kept.as_object().unwrap().len(), 1);
    assert!(kept["ciphertext"].is_string(), "{kept}");

    // What it is bound to is needed again.
    let mut bound = arguments(KEY, "good");
    let associated = STANDARD.encode("states");
    bound.push(("additional_authenticated_data", Value::string(associated)));
    let bound = open("gcp_kms", &bound, &variables).unwrap();
    round_trip(&*bound, 32).await;
    let made = source.generate().await.unwrap();
    let error = bound.recover(&made.metadata).await.unwrap_err();
    assert!(
        error.contains("did not encrypt the data's key")
            && error.contains("400 INVALID_ARGUMENT: Decryption failed"),
        "{error}"
    );

    // Failures that pass are waited for.
    *server.failing.lock().unwrap() = vec![503, 429];
    source.generate().await.unwrap();

    // Those that do not say what to do.
    let cases = [
        (
            "secret",
            "good",
            "needs the permission cloudkms.cryptoKeyVersions.useToEncrypt",
        ),
        ("disabled", "good", "Enable its version"),
        (
            "nowhere",
            "good",
            "there is no key projects/p/locations/global/keyRings/r/cryptoKeys/nowhere",
        ),
        ("states", "bad", "does not accept the credentials"),
    ];
    for (key, token, expected) in cases {
        let key = KEY.replace("states", key);
        let source = open("gcp_kms", &arguments(&key, token), &variables).unwrap();
        let error = source.generate().await.unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    assert!(source.recover(b"{}").await.is_err());
}

#[test]
fn arguments_of_gcp_kms_are_checked() {
    let with = |name: &'static str, value: Value| {
        let mut given = arguments(KEY, "good");
        given.retain(|(known, _)| *known != name);
        given.push((name, value));
        wrong("gcp_kms", &given)
    };
    let error = with("key_length", Value::int(1025));
    assert!(error.contains("from 1 to 1024"), "{error}");
    let error = with("additional_authenticated_data", Value::string("not base64"));
    assert!(error.contains("must be valid standard base64"), "{error}");
    let error = with("region", Value::string("x"));
    assert_eq!(error, "An argument named \"region\" is not expected here.");
    let error = with("kms_encryption_key", Value::string(""));
    assert!(error.contains("required field is not set"), "{error}");
}
