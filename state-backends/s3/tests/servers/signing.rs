//! Signing in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use terrace_port::StateStore as _;
use terrace_value::Value;

use crate::support::{Lock, Servers, open_with, texts};

const LEASE: Duration = Duration::from_mins(1);

async fn problem(
    arguments: &BTreeMap<String, Value>,
    variables: &[(&str, &str)],
) -> Option<(String, String)> {
    match open_with(arguments, variables, LEASE).await {
        Ok(_) => None,
        Err(problems) => {
            let first = problems.into_iter().next().unwrap();
            Some((first.summary, first.detail))
        }
    }
}

/// With moto, which believes every signature.
pub(crate) async fn works(servers: &Arc<Servers>) {
    let store = servers.new_store(Lock::Object);
    let mut arguments = servers.arguments(&store);
    arguments.remove("skip_credentials_validation");
    assert_eq!(problem(&arguments, &[]).await, None);

    // Accounts that are allowed, and that are not. moto has one.
    let listed = |name: &str, id: &str| {
        let mut arguments = arguments.clone();
        arguments.insert(name.to_owned(), texts(&[id]));
        arguments
    };
    let refused = (
        "Invalid account ID".to_owned(),
        "AWS account ID not allowed: 123456789012".to_owned(),
    );
    assert_eq!(
        problem(&listed("allowed_account_ids", "123456789012"), &[]).await,
        None
    );
    assert_eq!(
        problem(&listed("allowed_account_ids", "111122223333"), &[]).await,
        Some(refused.clone())
    );
    assert_eq!(
        problem(&listed("forbidden_account_ids", "123456789012"), &[]).await,
        Some(refused)
    );

    // The environment's keys, and those of a profile, and none.
    arguments.remove("access_key");
    arguments.remove("secret_key");
    let keys = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];
    assert_eq!(problem(&arguments, &keys).await, None);
    let directory = tempfile();
    let file = directory.path().join("credentials");
    std::fs::write(
        &file,
        "[work]\naws_access_key_id = a\naws_secret_access_key = b\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let nowhere = directory.path().join("nowhere");
    arguments.insert("shared_credentials_files".to_owned(), texts(&[file]));
    arguments.insert(
        "shared_config_files".to_owned(),
        texts(&[nowhere.to_str().unwrap()]),
    );
    arguments.insert("skip_metadata_api_check".to_owned(), Value::bool(true));
    let nobody = problem(&arguments, &[]).await.unwrap();
    assert_eq!(nobody.0, "No valid credential sources found");
    arguments.insert("profile".to_owned(), Value::string("work"));
    assert_eq!(problem(&arguments, &[]).await, None);
    arguments.insert("profile".to_owned(), Value::string("nobody"));
    let nobody = problem(&arguments, &keys).await.unwrap();
    assert!(nobody.1.contains("\"nobody\""), "{nobody:?}");

    roles_are_assumed(arguments, &directory).await;

    // The bucket is looked for when it is needed.
    let mut elsewhere = servers.arguments(&store);
    elsewhere.insert("bucket".to_owned(), Value::string("nowhere"));
    let opened = open_with(&elsewhere, &[], LEASE).await.unwrap();
    let error = opened.workspaces().await.unwrap_err().to_string();
    assert!(error.contains("S3 bucket does not exist"), "{error}");
}

/// Roles, by keys and by the token of an identity provider.
async fn roles_are_assumed(mut arguments: BTreeMap<String, Value>, directory: &tempfile::TempDir) {
    arguments.insert("profile".to_owned(), Value::string("work"));
    let role = |more: &[(&str, Value)]| {
        let mut role = BTreeMap::from([(
            "role_arn".to_owned(),
            Value::string("arn:aws:iam::123456789012:role/states"),
        )]);
        role.extend(
            more.iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        Value::object(role)
    };
    let mut with_role = arguments.clone();
    with_role.insert(
        "assume_role".to_owned(),
        role(&[
            ("duration", Value::string("1h")),
            ("session_name", Value::string("tests")),
            (
                "tags",
                Value::object([("team".to_owned(), Value::string("states"))]),
            ),
            ("transitive_tag_keys", texts(&["team"])),
        ]),
    );
    assert_eq!(problem(&with_role, &[]).await, None);
    let token = directory.path().join("token");
    std::fs::write(&token, "header.payload.signature\n").unwrap();
    let mut by_token = arguments.clone();
    by_token.insert("assume_role_with_web_identity".to_owned(), role(&[]));
    let missing = problem(&by_token, &[]).await.unwrap();
    assert_eq!(
        missing.1,
        "Exactly one of web_identity_token, web_identity_token_file must be set."
    );
    assert_eq!(
        problem(
            &by_token,
            &[("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap())]
        )
        .await,
        None
    );
}

/// With a server that checks signatures.
pub(crate) async fn are_checked(servers: &Arc<Servers>) {
    let store = servers.new_store(Lock::Object);
    let mut arguments = servers.arguments(&store);
    let opened = open_with(&arguments, &[], LEASE).await.unwrap();
    assert_eq!(opened.workspaces().await.unwrap(), ["default"]);
    arguments.insert("secret_key".to_owned(), Value::string("wrong"));
    let opened = open_with(&arguments, &[], LEASE).await.unwrap();
    let error = opened.workspaces().await.unwrap_err().to_string();
    assert!(error.contains("secret is wrong"), "{error}");
}

fn tempfile() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}
