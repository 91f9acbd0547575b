//! Signing in.

use std::collections::BTreeMap;
use std::time::Duration;

use terrace_port::StateStore as _;
use terrace_test_services::{Reply, Web};
use terrace_value::Value;

use crate::support::{Server, open_with};

const LEASE: Duration = Duration::from_mins(1);

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

pub(crate) async fn works(server: &Server) {
    let mut arguments = server.arguments("signing");
    let opened = open_with(&arguments, &BTreeMap::new(), LEASE)
        .await
        .unwrap();
    assert_eq!(opened.workspaces().await.unwrap(), ["default"]);

    // Signatures are checked.
    arguments.insert("access_key".to_owned(), Value::string("d3Jvbmc="));
    let opened = open_with(&arguments, &BTreeMap::new(), LEASE)
        .await
        .unwrap();
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
    let asked = web
        .asked()
        .into_iter()
        .rfind(|asked| asked.path.contains("/oauth2/"))
        .unwrap();
    let form = String::from_utf8(asked.body).unwrap();
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
