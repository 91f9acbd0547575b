//! Which jobs a workflow needs.

use serde_json::{Value, json};

use crate::job::Job;

const STACKS: &str = r#"
project "shop" {
  stacks = ["stacks/*"]
}

environment "dev" {}
environment "prd" {}
"#;

fn job_with_stacks() -> Job {
    let job = Job::with("", STACKS);
    std::fs::remove_file(job.project.path().join("main.tf")).unwrap();
    for name in ["app", "network"] {
        let text = format!("resource \"terraform_data\" \"{name}\" {{}}\n");
        job.project.write(format!("stacks/{name}/main.tf"), text);
    }
    job
}

fn outputs(job: &mut Job, arguments: &[&str]) -> (Value, String) {
    let file = job.project.outer().join("outputs");
    std::fs::remove_file(&file).ok();
    job.project.set("GITHUB_OUTPUT", &file);
    let said = job.project.terrace(arguments).success().stdout;
    let printed: Value = serde_json::from_str(said.trim()).unwrap();
    (printed, std::fs::read_to_string(file).unwrap())
}

#[test]
fn each_stack_that_is_touched_has_a_job_in_each_environment() {
    let mut job = job_with_stacks();
    job.github.change_files(&[("stacks/app/main.tf", "")]);
    let (printed, written) = outputs(&mut job, &["ci", "matrix"]);
    let expected = json!({"include": [
        {"environment": "dev", "stack": "app", "variable": "DEV"},
        {"environment": "prd", "stack": "app", "variable": "PRD"},
    ]});
    assert_eq!(printed, expected);
    let lines: Vec<&str> = written.lines().collect();
    assert_eq!(lines[0], format!("matrix={expected}"));
    assert_eq!(lines[1], "environments=[\"dev\",\"prd\"]");
    assert_eq!(lines[2], "count=2");
}

#[test]
fn a_change_that_touches_nothing_needs_no_job() {
    let mut job = job_with_stacks();
    job.github.change_files(&[("README.md", "")]);
    let (printed, written) = outputs(&mut job, &["ci", "matrix"]);
    assert_eq!(printed, json!({"include": []}));
    assert!(written.contains("count=0"), "{written}");
}

#[test]
fn what_is_printed_is_a_matrix_and_nothing_else() {
    let mut job = job_with_stacks();
    job.event("schedule", &json!({}));
    let (printed, _) = outputs(&mut job, &["ci", "matrix", "-by=environment"]);
    let jobs = printed["include"].as_array().unwrap();
    assert_eq!(jobs.len(), 2);
    assert_eq!(jobs[0]["stack"], "");
}

#[test]
fn a_fork_gets_no_jobs() {
    let mut job = job_with_stacks();
    job.pull_request("mallory/shop");
    job.project
        .terrace(&["ci", "matrix"])
        .fails(5)
        .says("Pull request 7 comes from a fork");
}

#[test]
fn jobs_of_a_matrix_plan_what_does_not_wait_for_others() {
    let rules = format!(
        "{STACKS}\nstack \"app\" {{\n  input \"net\" {{\n    stack = \"network\"\n  }}\n}}\n"
    );
    let job = job_with_stacks();
    job.github.change_files(&[("stacks/app/main.tf", "")]);
    job.project.write("terrace.hcl", rules);
    job.project.write(
        "stacks/app/main.tf",
        "variable \"net\" {}\nresource \"terraform_data\" \"app\" { input = var.net }\n",
    );
    job.project
        .terrace(&["ci", "plan", "-env=dev", "-stack=app"])
        .success();
    let body = &job.sticky()[0].1;
    assert!(body.contains("| dev | app | waits for network |"), "{body}");
}
