//! What is planned, and what is refused.

use serde_json::{Value, json};

use crate::job::{HEAD, Job, NUMBER};

#[test]
fn a_pull_request_has_its_plans_told() {
    let job = Job::new();
    job.project.terrace(&["ci", "plan"]).success();
    let comments = job.sticky();
    assert_eq!(comments.len(), 1);
    let body = &comments[0].1;
    for part in [
        "| dev | changes | 2 | 0 | 0 |",
        "| prd | changes | 2 | 0 | 0 |",
        "+   resource \"terraform_data\" \"shop\" {",
        "<details><summary><b>dev</b>",
        "acme/shop/actions/runs/99",
    ] {
        assert!(body.contains(part), "{part}\n{body}");
    }
    assert!(job.summary().contains("| prd | changes | 2 | 0 | 0 |"));
    let checks = job.github.checks();
    let names: Vec<&Value> = checks.iter().map(|check| &check["name"]).collect();
    assert_eq!(names, ["terrace / dev", "terrace / prd"]);
    for check in &checks {
        assert_eq!(check["head_sha"], HEAD);
        assert_eq!(check["conclusion"], "success");
        // Of the two objects, only the banner's block was changed.
        let annotations = check["annotations"].as_array().unwrap();
        assert_eq!(annotations.len(), 1, "{annotations:?}");
        assert_eq!(annotations[0]["path"], "main.tf");
        assert_eq!(annotations[0]["start_line"], 11);
    }
    for name in ["dev", "prd"] {
        let read = |path: &str| job.project.read(format!("terrace-ci/{path}"));
        assert!(read(&format!("public/{name}/page.html")).contains("terraform_data.shop"));
        assert!(read(&format!("public/{name}/plan.txt")).contains("Plan: 2 to add"));
        let json: Value =
            serde_json::from_str(&read(&format!("private/{name}/plan.json"))).unwrap();
        assert_eq!(json["format_version"], "1.2");
    }
}

#[test]
fn only_what_is_touched_is_planned() {
    let job = Job::new();
    let patch = "@@ -1 +1 @@\n-a\n+b\n";
    job.github
        .change_files(&[("environments/prd.tfvars", patch)]);
    job.project.terrace(&["ci", "plan"]).success();
    let body = &job.sticky()[0].1;
    assert!(
        body.contains("| prd | changes") && !body.contains("| dev |"),
        "{body}"
    );
    assert_eq!(job.github.checks().len(), 1);
}

#[test]
fn documentation_touches_nothing_and_begins_no_comment() {
    let job = Job::new();
    job.github.change_files(&[("README.md", "")]);
    job.project.terrace(&["ci", "plan"]).success();
    assert!(job.sticky().is_empty());
    // A comment that is there does not go on telling of what is not planned any more.
    job.github
        .add_comment(NUMBER, "<!-- terrace:plan:shop -->\nold");
    job.project.terrace(&["ci", "plan"]).success();
    let comments = job.sticky();
    assert!(comments.len() == 1 && !comments[0].1.contains("old"));
}

#[test]
fn strangers_are_refused_before_anything_happens() {
    let mut job = Job::new();
    job.pull_request("mallory/shop");
    for command in ["plan", "report"] {
        job.project
            .terrace(&["ci", command])
            .fails(5)
            .says("Pull request 7 comes from a fork");
    }
    job.event("pull_request_target", &json!({}));
    job.project
        .terrace(&["ci", "plan"])
        .fails(5)
        .says("pull_request_target");
    assert!(job.github.web().asked().is_empty());
    assert!(!job.project.path().join("terrace-ci").exists());
    assert!(!job.project.path().join(".terrace").exists());
}

#[test]
fn what_cannot_be_planned_is_told_where_it_stands() {
    let job = Job::new();
    let bad = "resource \"terraform_data\" \"bad\" {\n  input = var.nowhere\n}\n";
    job.project.write("more.tf", bad);
    job.project.terrace(&["ci", "plan"]).fails(1);
    let body = &job.sticky()[0].1;
    assert!(
        body.contains("**failed**") && body.contains("nowhere"),
        "{body}"
    );
    let checks = job.github.checks();
    assert_eq!(checks[0]["conclusion"], "failure");
    assert_eq!(checks[0]["annotations"][0]["path"], "more.tf");
    assert_eq!(checks[0]["annotations"][0]["annotation_level"], "failure");
}

#[test]
fn other_systems_get_markdown_in_a_file() {
    let mut job = Job::new();
    for name in ["ACTIONS", "EVENT_NAME", "EVENT_PATH", "TOKEN", "REPOSITORY"] {
        job.project.unset(format!("GITHUB_{name}"));
    }
    job.project
        .terrace(&["ci", "plan", "-all", "-env=dev", "-markdown=note.md"])
        .success()
        .omits("::group::");
    let note = job.project.read("note.md");
    assert!(note.contains("| dev | changes | 2 |"), "{note}");
    assert!(job.github.web().asked().is_empty());
}

#[test]
fn several_jobs_plan_and_one_tells() {
    let job = Job::new();
    for environment in ["prd", "dev"] {
        let chosen = format!("-env={environment}");
        job.project
            .terrace(&["ci", "plan", &chosen, "-post=false"])
            .success();
    }
    assert!(job.github.comments(NUMBER).is_empty() && job.github.checks().is_empty());
    job.project
        .terrace(&["ci", "report", "-dir=terrace-ci/public"])
        .success();
    let comments = job.sticky();
    assert_eq!(comments.len(), 1);
    let at = |text: &str| comments[0].1.find(text).unwrap();
    assert!(at("| dev |") < at("| prd |"));
    assert_eq!(job.github.checks().len(), 2);
}

#[test]
fn nothing_that_a_plan_prints_is_a_command_for_the_runner() {
    let job = Job::with(
        "resource \"terraform_data\" \"x\" {\n  input = \"a\\n::set-output name=x::y\\nb\"\n}\n",
        "project \"shop\" {}\n",
    );
    let said = job.project.terrace(&["ci", "plan"]).success().all();
    let stop = said.find("::stop-commands::").unwrap();
    let command = said.find("::set-output").unwrap();
    let end = said.rfind("::endgroup::").unwrap();
    assert!(stop < command && command < end, "{said}");
}
