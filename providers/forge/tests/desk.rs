//! Deployments, issues and merged changes at a server that stands in for GitHub's API.
#![expect(
    clippy::unwrap_used,
    reason = "what a test sets up must succeed, or the test fails"
)]

use std::sync::Arc;

use terrace_forge::GitHubDesk;
use terrace_port::{DeploymentState, Desk as _, KeptIssue};
use terrace_registry_client::{Http, HttpSettings};
use terrace_test_services::{GitHubFault, GitHubStandIn};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

fn desk(github: &GitHubStandIn) -> GitHubDesk {
    let variables = github.variables();
    let settings = HttpSettings {
        retries: 0,
        ..HttpSettings::default()
    };
    let http = Arc::new(Http::new(settings));
    GitHubDesk::new(
        http,
        &variables[0].1,
        &variables[1].1,
        variables[2].1.clone(),
    )
}

#[test]
fn of_several_changes_the_one_counts_whose_merge_made_the_commit() {
    let github = GitHubStandIn::start().unwrap();
    let desk = desk(&github);
    assert_eq!(wait(desk.merged_change(COMMIT)), Ok(None));
    github.merge(7, "head-of-7", COMMIT);
    let found = wait(desk.merged_change(COMMIT)).unwrap().unwrap();
    assert_eq!((found.number, found.head.as_str()), (7, "head-of-7"));
    // Another that holds the commit too, and was merged later elsewhere.
    github.merge_elsewhere(9, COMMIT);
    let found = wait(desk.merged_change(COMMIT)).unwrap().unwrap();
    assert_eq!(found.number, 7);
}

#[test]
fn a_deployment_is_made_once_and_its_states_follow_each_other() {
    let github = GitHubStandIn::start().unwrap();
    let desk = desk(&github);
    let state = |name: &str| DeploymentState {
        state: name.to_owned(),
        description: "ü".repeat(200),
        details: None,
    };
    github.fail("POST", "deployments", GitHubFault::LostAnswer);
    let first = wait(desk.keep_deployment(COMMIT, "prd")).unwrap();
    assert_eq!(wait(desk.keep_deployment(COMMIT, "prd")), Ok(first));
    assert_ne!(wait(desk.keep_deployment(COMMIT, "dev")), Ok(first));
    for name in ["in_progress", "in_progress", "success"] {
        wait(desk.keep_state(first, &state(name))).unwrap();
    }
    let prd = github.deployments().remove(0);
    assert_eq!(prd.2, ["in_progress", "success"]);
}

#[test]
fn an_issue_is_one_whether_open_or_closed() {
    let github = GitHubStandIn::start().unwrap();
    let desk = desk(&github);
    let issue = |is_open: bool| KeptIssue {
        marker: "<!-- mark -->".to_owned(),
        label: "terrace-drift".to_owned(),
        title: "Drift".to_owned(),
        body: "<!-- mark -->\ntext".to_owned(),
        is_open,
    };
    assert_eq!(wait(desk.keep_issue(&issue(false))), Ok(None));
    let number = wait(desk.keep_issue(&issue(true))).unwrap().unwrap();
    for is_open in [true, false, false, true] {
        assert_eq!(wait(desk.keep_issue(&issue(is_open))), Ok(Some(number)));
        let expected = if is_open { "open" } else { "closed" };
        assert_eq!(github.issues()[0]["state"], expected);
    }
    assert_eq!(github.issues().len(), 1);
}
