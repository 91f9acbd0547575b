//! A cloud takes the identity of the workflow.

use terrace_test_services::{WorkflowIssuer, workflow_claims};

use crate::job::Job;

const ROLE: &str = "arn:aws:iam::123456789012:role/terrace-plan-dev";

#[test]
fn the_next_steps_know_the_role_and_where_the_token_is() {
    let issuer = WorkflowIssuer::start().unwrap();
    issuer.say(workflow_claims(&issuer.name(), "", "1", 1_700_000_000));
    let mut job = Job::new();
    let variables = job.project.outer().join("variables");
    let place = job.project.outer().to_owned();
    job.project.set("GITHUB_ENV", &variables);
    job.project.set("RUNNER_TEMP", &place);
    let login = format!("-role={ROLE}");
    // Without the right to have a token, nothing is written.
    job.project
        .terrace(&["ci", "login", "aws", &login])
        .fails(1)
        .says("id-token: write");
    assert!(!variables.exists());
    for (name, value) in issuer.variables() {
        job.project.set(name, value);
    }
    job.project
        .terrace(&["ci", "login", "aws", &login])
        .success();
    let asked = issuer.web().asked();
    assert!(asked[0].path.contains("audience=sts.amazonaws.com"));
    let written = std::fs::read_to_string(&variables).unwrap();
    let value = |name: &str| {
        let line = written
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}=")));
        line.unwrap().to_owned()
    };
    assert_eq!(value("AWS_ROLE_ARN"), ROLE);
    assert_eq!(value("AWS_ROLE_SESSION_NAME"), "terrace-99");
    let file = value("AWS_WEB_IDENTITY_TOKEN_FILE");
    let token = std::fs::read_to_string(&file).unwrap();
    assert_eq!(token.split('.').count(), 3);
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // Commands of the next steps renew it where it lies.
    for line in written.lines() {
        let (name, value) = line.split_once('=').unwrap();
        job.project.set(name, value);
    }
    std::fs::write(&file, "old").unwrap();
    job.project.terrace(&["ci", "plan", "-env=dev"]).success();
    assert_ne!(std::fs::read_to_string(&file).unwrap(), "old");
}

#[test]
fn what_is_no_role_is_refused() {
    let job = Job::new();
    job.project
        .terrace(&["ci", "login", "aws", "-role=terrace"])
        .fails(1)
        .says("is no ARN of a role");
}
