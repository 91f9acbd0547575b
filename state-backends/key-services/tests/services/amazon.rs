//! `aws_kms`, with moto.

use terrace_encryption::KeySource;
use terrace_test_services::{Moto, Reply, Web};
use terrace_test_support::available;
use terrace_value::{Type, Value};

use crate::{open, round_trip, wrong};

const KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AWS_REGION", "us-east-1"),
];

fn arguments(endpoint: &str, key: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("kms_key_id", Value::string(key)),
        ("key_spec", Value::string("AES_256")),
        ("skip_credentials_validation", Value::bool(true)),
        ("skip_requesting_account_id", Value::bool(true)),
        ("max_retries", Value::int(0)),
        ("endpoints.kms", Value::string(endpoint)),
    ]
}

/// Makes a key.
async fn new_key(moto: &Moto) -> String {
    let answer = reqwest::Client::new()
        .post(moto.endpoint())
        .header("x-amz-target", "TrentService.CreateKey")
        .header("content-type", "application/x-amz-json-1.1")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=0",
        )
        .body("{}")
        .send()
        .await
        .unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    answer["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

async fn refusal(source: &dyn KeySource) -> String {
    source.generate().await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn data_keys_of_kms() {
    let started = tokio::task::block_in_place(Moto::start);
    let Some(moto) = available("AWS KMS", started) else {
        return;
    };
    let key = new_key(&moto).await;
    let given = arguments(&moto.endpoint(), &key);
    let source = open("aws_kms", &given, &KEYS).unwrap();
    let kept = round_trip(&*source, 32).await;
    assert_eq!(kept.as_object().unwrap().len(), 1);
    assert!(kept["ciphertext_blob"].is_string(), "{kept}");

    // Half as long a key.
    let mut short = given.clone();
    short[1].1 = Value::string("AES_128");
    round_trip(&*open("aws_kms", &short, &KEYS).unwrap(), 16).await;

    // A context is needed again, and none other.
    let mut bound = given.clone();
    let context = Value::map(Type::String, [("team".to_owned(), Value::string("states"))]);
    bound.push(("encryption_context", context));
    let bound = open("aws_kms", &bound, &KEYS).unwrap();
    round_trip(&*bound, 32).await;
    let made = bound.generate().await.unwrap();
    let error = source.recover(&made.metadata).await.unwrap_err();
    assert!(
        error.contains("did not make the data key") && error.contains("\"encryption_context\""),
        "{error}"
    );

    // No such key, and what was never a data key.
    let missing = arguments(&moto.endpoint(), "11111111-2222-3333-4444-555555555555");
    let error = refusal(&*open("aws_kms", &missing, &KEYS).unwrap()).await;
    assert!(
        error.contains(
            "there is no KMS key 11111111-2222-3333-4444-555555555555 in the region us-east-1"
        ),
        "{error}"
    );
    let damaged =
        br#"{"ciphertext_blob":"bm90aGluZyBvZiB0aGUgc29ydCwgd2hpY2ggaXMgbG9uZyBlbm91Z2g="}"#;
    assert!(source.recover(damaged).await.is_err());
    let error = source.recover(b"{}").await.unwrap_err();
    assert!(error.contains("has no \"ciphertext_blob\""), "{error}");
}

/// What KMS refuses names the permission that is missing, or what to do. moto allows everything.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_kms_say_what_to_do() {
    let web = Web::start().unwrap();
    let source = open("aws_kms", &arguments(&web.url(""), "alias/states"), &KEYS).unwrap();
    let cases = [
        (
            "AccessDeniedException",
            "needs the permission kms:GenerateDataKey",
        ),
        ("DisabledException", "Enable it"),
        (
            "ExpiredTokenException",
            "AWS does not accept the credentials",
        ),
    ];
    for (code, expected) in cases {
        let body = format!("{{\"__type\": \"{code}\", \"message\": \"because\"}}");
        let reply = Reply::json(&body).with_status(400);
        web.on(
            "/",
            reply.header("Content-Type", "application/x-amz-json-1.1"),
        );
        let error = refusal(&*source).await;
        assert!(
            error.contains(expected) && error.contains(&format!("({code}: because)")),
            "{error}"
        );
    }
    let error = source.recover(br#"{"ciphertext_blob":"AAAA"}"#).await;
    assert!(error.is_err());
    let nobody = open(
        "aws_kms",
        &arguments(&web.url(""), "alias/states"),
        &[
            ("AWS_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ],
    );
    // Keys of whoever runs the tests are keys too.
    if std::env::var_os("AWS_ACCESS_KEY_ID").is_none() {
        assert!(refusal(&*nobody.unwrap()).await.contains("credential"));
    }
}

#[test]
fn arguments_of_aws_kms_are_checked() {
    let given = |more: &[(&'static str, Value)]| {
        let mut given = arguments("http://127.0.0.1:1", "k");
        given.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        given.extend(more.iter().cloned());
        given
    };
    let error = wrong("aws_kms", &given(&[]));
    assert!(error.contains("AWS_DEFAULT_REGION"), "{error}");
    let spec = ("key_spec", Value::string("RSA_2048"));
    let error = wrong("aws_kms", &given(&[spec]));
    assert!(error.contains("invalid key_spec RSA_2048"), "{error}");
    let role = Value::object([("role".to_owned(), Value::string("x"))]);
    let error = wrong("aws_kms", &given(&[("assume_role", role)]));
    assert_eq!(error, "\"assume_role\" has no attribute \"role\".");
    let error = wrong("aws_kms", &given(&[("max_retries", Value::string("many"))]));
    assert!(error.contains("\"max_retries\" does not fit"), "{error}");
}
