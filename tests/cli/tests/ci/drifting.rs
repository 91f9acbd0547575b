//! One issue for each stack in each environment that has drifted.

use serde_json::{Value, json};
use terrace_test_services::GitHubFault;

use crate::job::Job;

const PAGES: &str = "resource \"local_file\" \"page\" {\n  filename = \"${path.module}/page-${terraform.workspace}.txt\"\n  content  = \"hello\"\n}\n";

/// A project with a page in `dev` and one in `prd`, and the daily job.
fn applied() -> Job {
    let mut job = Job::with(
        PAGES,
        "project \"shop\" {}\nenvironment \"dev\" {}\nenvironment \"prd\" {}\n",
    );
    job.project.write(
        "terrace.tfrc",
        "provider_installation {\n  native {\n    include = [\"hashicorp/*\"]\n  }\n}\n",
    );
    let here = job.project.path().join("terrace.tfrc");
    job.project.set("TF_CLI_CONFIG_FILE", here);
    job.project.terrace(&["init"]).success();
    for environment in ["dev", "prd"] {
        let environment = format!("-env={environment}");
        job.project
            .terrace(&["apply", &environment, "-auto-approve"])
            .success();
    }
    job.event("schedule", &json!({}));
    job
}

fn told(job: &Job) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    job.github
        .issues()
        .iter()
        .map(|issue| (text(&issue["title"]), text(&issue["state"])))
        .collect()
}

#[test]
fn an_issue_is_opened_kept_up_to_date_and_closed() {
    let job = applied();
    job.project.terrace(&["ci", "drift"]).success();
    assert!(told(&job).is_empty());
    assert!(job.summary().contains("| dev | - | as applied |"));
    let page = job.project.path().join("page-prd.txt");
    std::fs::remove_file(&page).unwrap();
    for _ in 0..2 {
        job.project.terrace(&["ci", "drift"]).fails(2);
        let issue = ("Drift in prd of shop".to_owned(), "open".to_owned());
        assert_eq!(told(&job), [issue]);
    }
    let body = job.github.issues()[0]["body"].as_str().unwrap().to_owned();
    assert!(body.contains("local&#95;file.page was deleted"), "{body}");
    job.project
        .terrace(&["apply", "-env=prd", "-auto-approve"])
        .success();
    job.project.terrace(&["ci", "drift"]).success();
    let issues = job.github.issues();
    assert_eq!(issues.len(), 1);
    assert_eq!(issues[0]["state"], "closed");
    // The same issue tells of it when it happens again.
    std::fs::remove_file(&page).unwrap();
    job.project.terrace(&["ci", "drift", "-env=prd"]).fails(2);
    let issues = job.github.issues();
    assert_eq!((issues.len(), &issues[0]["state"]), (1, &json!("open")));
}

#[test]
fn lost_answers_double_no_issue_and_a_missing_right_is_named() {
    let job = applied();
    std::fs::remove_file(job.project.path().join("page-dev.txt")).unwrap();
    job.github.fail("POST", "issues", GitHubFault::LostAnswer);
    job.github.fail("GET", "issues", GitHubFault::Failed);
    job.project.terrace(&["ci", "drift"]).fails(2);
    assert_eq!(told(&job).len(), 1);
    job.github.fail("PATCH", "issues", GitHubFault::Forbidden);
    job.project
        .terrace(&["ci", "drift"])
        .fails(1)
        .says("issues: write");
}

#[test]
fn what_was_not_applied_is_found_where_that_is_asked_for() {
    let job = applied();
    job.project.write("main.tf", PAGES.replace("hello", "bye"));
    job.project.terrace(&["ci", "drift", "-env=dev"]).success();
    job.project
        .terrace(&["ci", "drift", "-env=dev", "-plan=normal"])
        .fails(2);
    let body = job.github.issues()[0]["body"].as_str().unwrap().to_owned();
    assert!(body.contains("asks for what was not applied"), "{body}");
}

#[test]
fn what_cannot_be_looked_at_changes_no_issue() {
    let job = applied();
    std::fs::remove_file(job.project.path().join("page-dev.txt")).unwrap();
    job.project.terrace(&["ci", "drift", "-env=dev"]).fails(2);
    job.project.write(
        "more.tf",
        "resource \"terraform_data\" \"x\" {\n  input = var.nowhere\n}\n",
    );
    job.project.terrace(&["ci", "drift", "-env=dev"]).fails(1);
    assert_eq!(told(&job)[0].1, "open");
    assert!(job.summary().contains("| dev | - | **failed** |"));
}
