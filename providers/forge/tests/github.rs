//! Reviews as a server that stands in for GitHub tells them.
#![expect(
    clippy::unwrap_used,
    reason = "what a test sets up must succeed, or the test fails"
)]

use std::sync::Arc;

use serde_json::{Value, json};
use terrace_forge::GitHub;
use terrace_port::Forge as _;
use terrace_registry_client::{Http, HttpSettings};
use terrace_test_services::{Reply, Web};

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

fn github() -> GitHub {
    let settings = HttpSettings {
        retries: 0,
        ..HttpSettings::default()
    };
    GitHub::new(Arc::new(Http::new(settings)))
}

fn reviews(count: usize, state: &str) -> String {
    let review = |number| {
        json!({
            "user": {"login": format!("person-{number}")}, "state": state,
            "commit_id": "c0ffee", "submitted_at": "2026-11-23T09:00:00Z",
        })
    };
    (0..count).map(review).collect::<Value>().to_string()
}

#[test]
fn all_pages_of_a_pull_requests_reviews_are_read() {
    let web = Web::start().unwrap();
    web.on(
        "/repos/acme/shop/pulls/7",
        Reply::json(&json!({"user": {"login": "ann"}}).to_string()),
    );
    let path = "/repos/acme/shop/pulls/7/reviews?per_page=100";
    web.on(
        &format!("{path}&page=1"),
        Reply::json(&reviews(100, "approved")),
    );
    web.on(
        &format!("{path}&page=2"),
        Reply::json(&reviews(1, "APPROVED")),
    );
    let found = wait(github().pull_request(&web.url("/"), "acme/shop", 7)).unwrap();
    assert_eq!((found.author.as_str(), found.reviews.len()), ("ann", 101));
    assert!(
        found
            .reviews
            .iter()
            .all(|review| review.state == "APPROVED")
    );
    assert_eq!(found.reviews[100].commit, "c0ffee");
}

#[test]
fn a_token_goes_to_its_own_server_alone() {
    let (own, other) = (Web::start().unwrap(), Web::start().unwrap());
    for web in [&own, &other] {
        web.on(
            "/repos/acme/shop/actions/runs/9",
            Reply::json(&json!({"head_sha": "c0ffee", "actor": {"login": "ann"}}).to_string()),
        );
        web.on(
            "/repos/acme/shop/actions/runs/9/approvals",
            Reply::json("[]"),
        );
    }
    let github = github().with_token(&own.url(""), "secret".to_owned());
    for web in [&own, &other] {
        let run = wait(github.workflow_run(&web.url(""), "acme/shop", 9)).unwrap();
        assert_eq!((run.commit.as_str(), run.actor.as_str()), ("c0ffee", "ann"));
    }
    let authorized = |web: &Web| {
        web.asked().iter().all(|asked| {
            asked.headers.get("authorization").map(String::as_str) == Some("Bearer secret")
        })
    };
    assert!(authorized(&own));
    assert!(
        other
            .asked()
            .iter()
            .all(|asked| !asked.headers.contains_key("authorization"))
    );
}

#[test]
fn what_cannot_be_read_is_told() {
    let web = Web::start().unwrap();
    let told = wait(github().pull_request(&web.url(""), "acme/shop", 7)).unwrap_err();
    assert!(told.contains("/repos/acme/shop/pulls/7"), "{told}");
    web.on("/repos/acme/shop/pulls/7", Reply::json("{}"));
    web.on("/repos/acme/shop/pulls/7/reviews", Reply::json("{}"));
    let told = wait(github().pull_request(&web.url(""), "acme/shop", 7)).unwrap_err();
    assert!(told.ends_with("is no list"), "{told}");
}
