//! Tokens and keys as a server that stands in for GitHub Actions tells them.
#![expect(
    clippy::unwrap_used,
    reason = "what a test sets up must succeed, or the test fails"
)]

use std::sync::Arc;

use serde_json::json;
use terrace_forge::{Actions, GitHub};
use terrace_port::{Forge as _, Issuer as _};
use terrace_registry_client::{Http, HttpSettings};
use terrace_test_services::{Reply, Web, WorkflowIssuer, workflow_claims};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

fn http() -> Arc<Http> {
    let settings = HttpSettings {
        retries: 0,
        ..HttpSettings::default()
    };
    Arc::new(Http::new(settings))
}

#[test]
fn a_runner_is_asked_for_a_token_for_one_audience() {
    let issuer = WorkflowIssuer::start().unwrap();
    issuer.say(workflow_claims(&issuer.name(), "", COMMIT, 1_700_000_000));
    let outside = Actions::new(http());
    assert_eq!(wait(outside.token("terrace:0123")), Ok(None));
    let [(_, url), (_, secret)] = issuer.variables();
    let within = Actions::new(http()).with_request(url.clone(), secret.clone());
    let token = wait(within.token("terrace:0123")).unwrap().unwrap();
    assert_eq!(token.split('.').count(), 3);
    let asked = issuer.web().asked();
    assert_eq!(
        asked[0].path,
        "/runner/token?api-version=2.0&audience=terrace%3A0123"
    );
    // A runner that refuses says so; its secret is not repeated.
    let refused = Actions::new(http()).with_request(url, "another".to_owned());
    let told = wait(refused.token("terrace:0123")).unwrap_err();
    assert!(
        told.contains("/runner/token") && !told.contains("another"),
        "{told}"
    );
}

#[test]
fn an_answer_without_a_token_is_none() {
    let web = Web::start().unwrap();
    web.on("/token", Reply::json("{\"value\": 5}"));
    let actions = Actions::new(http()).with_request(web.url("/token"), "secret".to_owned());
    let told = wait(actions.token("terrace:0123")).unwrap_err();
    assert!(told.ends_with("answers without a token"), "{told}");
    assert_eq!(web.asked()[0].path, "/token?audience=terrace%3A0123");
}

#[test]
fn an_issuers_keys_are_where_its_own_document_says() {
    let issuer = WorkflowIssuer::start().unwrap();
    let actions = Actions::new(http());
    let keys = wait(actions.keys(&issuer.name())).unwrap();
    assert!(keys.contains("\"kid\":\"key-1\""), "{keys}");
    // The secret of the runner is for the runner alone.
    let [(_, url), (_, secret)] = issuer.variables();
    let within = Actions::new(http()).with_request(url, secret);
    wait(within.keys(&issuer.name())).unwrap();
    let asked = issuer.web().asked();
    assert!(
        asked
            .iter()
            .all(|asked| !asked.headers.contains_key("authorization"))
    );
}

#[test]
fn documents_of_others_and_unprotected_keys_are_refused() {
    let web = Web::start().unwrap();
    let actions = Actions::new(http());
    let document = "/.well-known/openid-configuration";
    for (issuer, keys, why) in [
        (
            "https://issuer.example".to_owned(),
            web.url("/keys"),
            "is of the issuer \"https://issuer.example\"",
        ),
        (
            web.url(""),
            "http://issuer.example/keys".to_owned(),
            "the way there is not protected",
        ),
        (
            web.url(""),
            format!("{}@issuer.example/keys", web.url("")),
            "the way there is not protected",
        ),
        (web.url(""), String::new(), "the way there is not protected"),
        (web.url(""), web.url("/keys"), "/keys"),
    ] {
        let told = json!({"issuer": issuer, "jwks_uri": keys});
        web.on(document, Reply::json(&told.to_string()));
        let told = wait(actions.keys(&web.url(""))).unwrap_err();
        assert!(told.contains(why), "{why:?} is not in {told:?}");
    }
    web.on(document, Reply::json("nothing"));
    let told = wait(actions.keys(&web.url(""))).unwrap_err();
    assert!(told.contains("is no JSON"), "{told}");
}

#[test]
fn a_commits_author_is_a_login() {
    let web = Web::start().unwrap();
    let path = format!("/repos/acme/shop/commits/{COMMIT}");
    let github = GitHub::new(http());
    let ask = || wait(github.commit_author(&web.url(""), "acme/shop", COMMIT));
    assert!(ask().unwrap_err().contains(&path));
    for (author, expected) in [
        (
            json!({"login": "ann-at-hub"}),
            Some("ann-at-hub".to_owned()),
        ),
        (json!(null), None),
    ] {
        let commit = json!({"sha": COMMIT, "author": author});
        web.on(&path, Reply::json(&commit.to_string()));
        assert_eq!(ask(), Ok(expected));
    }
    // A commit that merely goes by that name is another.
    let other = json!({"sha": COMMIT.replace('0', "f"), "author": {"login": "ann-at-hub"}});
    web.on(&path, Reply::json(&other.to_string()));
    assert!(ask().unwrap_err().ends_with("is another commit"));
}

#[test]
fn redirections_to_unprotected_places_are_not_believed() {
    let (web, other) = (Web::start().unwrap(), Web::start().unwrap());
    let document = "/.well-known/openid-configuration";
    let told = json!({"issuer": web.url(""), "jwks_uri": web.url("/keys")});
    web.on(document, Reply::json(&told.to_string()));
    let commit = format!("/repos/acme/shop/commits/{COMMIT}");
    let made = json!({"sha": COMMIT, "author": {"login": "ann-at-hub"}});
    let actions = Actions::new(http());
    let github = GitHub::new(http());
    for (from, good) in [(&other, false), (&web, true)] {
        from.on("/moved/keys", Reply::json("{\"keys\": []}"));
        from.on("/moved/commit", Reply::json(&made.to_string()));
        let moved = |path| Reply::status(302).header("Location", &from.url(path));
        web.on("/keys", moved("/moved/keys"));
        web.on(&commit, moved("/moved/commit"));
        let keys = wait(actions.keys(&web.url("")));
        let author = wait(github.commit_author(&web.url(""), "acme/shop", COMMIT));
        assert_eq!((keys.is_ok(), author.is_ok()), (good, good));
        for told in [keys.err(), author.err()].into_iter().flatten() {
            assert!(told.ends_with("the way there is not protected"), "{told}");
        }
    }
}
