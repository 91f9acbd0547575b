//! What was merged is applied as it was reviewed, or it is said what moved.

use serde_json::json;
use terrace_test_services::GitHubFault;

use crate::job::{CONFIGURATION, Job, NUMBER};
use crate::people::{COMMIT, gated};

#[test]
fn the_very_plan_that_was_reviewed_is_applied() {
    let job = Job::reviewed();
    let reviewed = job.run_of("dev");
    job.project
        .terrace(&["ci", "apply", "-env=dev"])
        .success()
        .says(&format!("Run {reviewed} is the plan that was reviewed"))
        .says("2 added");
    assert_eq!(job.banner("dev"), "open");
    let comments = job.sticky();
    assert_eq!(comments.len(), 1);
    let row =
        format!("| dev | applied | 2 to add, 0 to change, 0 to destroy | <code>{reviewed}</code>");
    assert!(comments[0].1.contains(&row), "{}", comments[0].1);
    assert!(comments[0].1.contains("### Terrace plan"));
    assert_eq!(job.states("dev"), [["in_progress", "success"]]);
    assert!(
        job.summary().contains("| dev | - | applied |"),
        "{}",
        job.summary()
    );
    // Again, there is nothing to do, and nothing is doubled.
    job.project.terrace(&["ci", "apply", "-env=dev"]).success();
    assert_eq!(job.states("dev").len(), 1);
    assert_eq!(job.sticky()[0].1.matches("| dev | no changes |").count(), 1);
}

#[test]
fn what_has_moved_is_named_and_not_applied() {
    let job = Job::reviewed();
    // Something else came to the branch before.
    let text = CONFIGURATION.replace("\"open\"", "\"ajar\"");
    job.project.write("main.tf", text);
    let said = job
        .project
        .terrace(&["ci", "apply", "-env=dev"])
        .fails(5)
        .says("Plan is not the reviewed one")
        .says("terraform_data.banner will be created, with other values of input");
    assert!(
        !said
            .all()
            .contains("terraform_data.shop will be created, with")
    );
    assert_eq!(job.banner("dev"), "");
    assert_eq!(job.states("dev"), [["in_progress", "failure"]]);
    let body = &job.sticky()[0].1;
    assert!(
        body.contains("not applied&#58; other than reviewed"),
        "{body}"
    );
    // Somebody has looked at it, and starts the workflow with that run.
    let run = format!("-run={}", after(&said.all(), "-run="));
    job.project
        .terrace(&["ci", "apply", "-env=dev", &run])
        .success();
    assert_eq!(job.banner("dev"), "ajar");
}

#[test]
fn another_plan_that_does_the_same_is_the_reviewed_one() {
    let job = Job::reviewed();
    let reviewed = job.run_of("dev");
    job.project.write(
        "main.tf",
        format!("# A remark of another change.\n{CONFIGURATION}"),
    );
    job.project
        .terrace(&["ci", "apply", "-env=dev"])
        .success()
        .omits(&format!("Run {reviewed} is the plan"));
    assert_eq!(job.banner("dev"), "open");
}

#[test]
fn what_others_have_done_meanwhile_is_not_done_twice() {
    let job = Job::reviewed();
    // Another merge has brought a part of it.
    job.project
        .terrace(&[
            "apply",
            "-env=dev",
            "-auto-approve",
            "-target=terraform_data.banner",
        ])
        .success();
    job.project
        .terrace(&["ci", "apply", "-env=dev"])
        .success()
        .says("terraform_data.banner will be created, and now nothing happens to it")
        .says("1 added");
}

#[test]
fn a_gate_that_is_shut_says_who_opens_it_and_the_same_job_goes_on() {
    let job = Job::reviewed();
    job.project.terrace(&["ci", "apply", "-env=dev"]).success();
    let said = job
        .project
        .terrace(&["ci", "apply", "-env=prd"])
        .fails(5)
        .says("Gate is not open yet")
        .says("It needs 1 approval by people other than its author, and has none.")
        .says("run this job again")
        .omits("Not counted");
    assert_eq!(job.banner("prd"), "");
    assert_eq!(job.states("prd"), [["in_progress", "pending"]]);
    assert!(job.sticky()[0].1.contains("| prd | waits for its gate |"));
    let run = after(&said.all(), "terrace approve -env=prd -key=FILE ");
    job.approve("prd", "ben", &run);
    job.project
        .terrace(&["ci", "apply", "-env=prd"])
        .success()
        .says(&format!("Run {run} was planned at"));
    assert_eq!(job.banner("prd"), "open");
    let body = &job.sticky()[0].1;
    assert!(
        body.contains("| dev | applied |") && body.contains("| prd | applied |"),
        "{body}"
    );
    assert_eq!(job.states("prd")[0].last().unwrap(), "success");
}

#[test]
fn an_approval_that_was_given_in_the_pull_request_holds() {
    let mut job = gated(CONFIGURATION);
    job.project.terrace(&["ci", "plan"]).success();
    let reviewed = job.run_of("prd");
    job.approve("prd", "ben", &reviewed);
    job.merge();
    // dev comes first; its gate says so of the very run that was approved.
    let early = job.project.terrace(&["ci", "apply", "-env=prd"]).fails(5);
    assert!(
        early.all().contains(&format!("run {reviewed} waits for")),
        "{}",
        early.all()
    );
    job.project.terrace(&["ci", "apply", "-env=dev"]).success();
    job.project
        .terrace(&["ci", "apply", "-env=prd"])
        .success()
        .says(&format!("Run {reviewed} is the plan that was reviewed"));
    assert_eq!(job.banner("prd"), "open");
}

/// The id of a run after some words.
fn after(text: &str, words: &str) -> String {
    let at = text.find(words).unwrap() + words.len();
    text[at..at + 12].to_owned()
}

#[test]
fn nothing_is_applied_before_what_comes_before_it() {
    let job = Job::reviewed();
    job.project
        .terrace(&["ci", "apply", "-env=prd"])
        .fails(5)
        .says("Gate is not open yet")
        .says("terrace apply -env=dev");
}

#[test]
fn githubs_approval_of_the_deployment_opens_the_gate() {
    let job = Job::reviewed();
    job.project.terrace(&["ci", "apply", "-env=dev"]).success();
    job.github.wrote("ann-at-hub", COMMIT);
    // The author's own counts for nothing.
    job.github.let_run(99, COMMIT, ("ann-at-hub", "prd"));
    job.project
        .terrace(&["ci", "apply", "-env=prd"])
        .fails(5)
        .says("Gate is not open yet");
    job.github.let_run(99, COMMIT, ("ben-at-hub", "prd"));
    job.project.terrace(&["ci", "apply", "-env=prd"]).success();
    assert_eq!(job.banner("prd"), "open");
}

#[test]
fn githubs_approval_does_not_stand_for_having_seen_the_plan() {
    let job = Job::reviewed();
    job.github.let_run(99, COMMIT, ("ben-at-hub", "prd"));
    job.project
        .write("main.tf", CONFIGURATION.replace("\"open\"", "\"ajar\""));
    job.project
        .terrace(&["ci", "apply", "-env=dev", "-unreviewed"])
        .success();
    let said = job
        .project
        .terrace(&["ci", "apply", "-env=prd"])
        .fails(5)
        .says("Plan is not the reviewed one");
    assert_eq!(job.banner("prd"), "");
    // A signature under this very plan does.
    job.approve("prd", "ben", &after(&said.all(), "-run="));
    job.project.terrace(&["ci", "apply", "-env=prd"]).success();
    assert_eq!(job.banner("prd"), "ajar");
}

#[test]
fn what_is_not_merged_is_not_applied() {
    let mut job = gated(CONFIGURATION);
    job.project
        .terrace(&["ci", "apply", "-env=dev"])
        .fails(5)
        .says("Pull request 7 is not merged");
    job.push("feature", COMMIT);
    job.project
        .terrace(&["ci", "apply", "-env=dev"])
        .fails(5)
        .says("only \"main\" is applied");
    job.pull_request("mallory/shop");
    job.project
        .terrace(&["ci", "apply", "-env=dev"])
        .fails(5)
        .says("comes from a fork");
    assert!(job.github.web().asked().is_empty());
    assert!(!job.project.path().join(".terrace").exists());
}

#[test]
fn a_run_of_what_is_not_merged_is_not_applied_by_its_name() {
    let mut job = gated(&CONFIGURATION.replace("\"open\"", "\"theirs\""));
    job.project.terrace(&["ci", "plan"]).success();
    let theirs = format!("-run={}", job.run_of("dev"));
    job.project.write("main.tf", CONFIGURATION);
    job.push("main", COMMIT);
    job.project
        .terrace(&["ci", "apply", "-env=dev", "-all", &theirs])
        .fails(1)
        .says("Run is not of what was merged");
    assert_eq!(job.banner("dev"), "");
}

#[test]
fn what_nobody_has_reviewed_waits_for_somebody() {
    let mut job = gated(CONFIGURATION);
    job.push("main", COMMIT);
    job.project
        .terrace(&["ci", "apply", "-env=dev", "-all"])
        .fails(5)
        .says("No pull request is known")
        .says("Nobody has reviewed it");
    assert_eq!(job.banner("dev"), "");
    job.project
        .terrace(&["ci", "apply", "-env=dev", "-all", "-unreviewed"])
        .success();
    assert_eq!(job.banner("dev"), "open");
}

#[test]
fn each_job_is_for_one_environment() {
    let job = Job::reviewed();
    job.project
        .terrace(&["ci", "apply"])
        .fails(1)
        .says("Each job applies one environment")
        .says("dev, prd");
}

#[test]
fn limits_and_lost_answers_make_no_second_deployment() {
    let job = Job::reviewed();
    let faults = [
        ("GET", "pulls", GitHubFault::Failed),
        ("POST", "deployments", GitHubFault::LostAnswer),
        ("POST", "statuses", GitHubFault::LostAnswer),
        ("PATCH", "comments", GitHubFault::SecondaryLimit(1)),
    ];
    for (method, part, fault) in faults {
        job.github.fail(method, part, fault);
    }
    job.project.terrace(&["ci", "apply", "-env=dev"]).success();
    assert_eq!(job.github.faults_left(), 0);
    assert_eq!(job.states("dev"), [["in_progress", "success"]]);
    assert_eq!(job.sticky().len(), 1);
}

#[test]
fn a_right_that_is_missing_is_named_before_anything_is_applied() {
    let job = Job::reviewed();
    job.github
        .fail("POST", "deployments", GitHubFault::Forbidden);
    job.project
        .terrace(&["ci", "apply", "-env=dev"])
        .fails(1)
        .says("Nothing was applied")
        .says("deployments: write");
    assert_eq!(job.banner("dev"), "");
}

#[test]
fn a_second_apply_waits_for_the_first() {
    let slow = format!(
        "{CONFIGURATION}\nresource \"terraform_data\" \"slow\" {{\n  provisioner \"local-exec\" {{\n    command = \"touch begun; while [ ! -e go ]; do sleep 0.05; done\"\n  }}\n}}\n"
    );
    let job = Job::reviewed_of(gated(&slow));
    let mut first = job.project.start(&["ci", "apply", "-env=dev"]);
    let begun = job.project.path().join("begun");
    first.until("the first has begun", |_| begun.exists());
    let mut second = job.project.start(&["ci", "apply", "-env=dev"]);
    second.until("the second has come to it", |second| {
        second.printed().contains("::group::dev")
    });
    job.project.write("go", "");
    first.wait().success().says("3 added");
    second.wait().success();
    // Both were told, each in its turn, and nothing was done twice.
    assert_eq!(job.sticky().len(), 1);
    let counts: Vec<String> = job
        .project
        .terrace(&["audit", "list", "-env=dev"])
        .success()
        .all()
        .lines()
        .filter(|line| line.contains("apply-start"))
        .map(str::to_owned)
        .collect();
    assert_eq!(counts.len(), 1, "{counts:?}");
}

#[test]
fn a_stack_that_is_not_applied_keeps_back_what_comes_after_it() {
    let rules = "project \"shop\" {\n  stacks = [\"stacks/*\"]\n}\nstack \"app\" {\n  after = [\"network\"]\n}\nenvironment \"dev\" {}\n";
    let mut job = Job::with("", rules);
    std::fs::remove_file(job.project.path().join("main.tf")).unwrap();
    for name in ["app", "network"] {
        let text = format!("resource \"terraform_data\" \"{name}\" {{ input = \"one\" }}\n");
        job.project.write(format!("stacks/{name}/main.tf"), text);
    }
    let files = [("stacks/app/main.tf", ""), ("stacks/network/main.tf", "")];
    job.github.change_files(&files);
    job.project.terrace(&["ci", "plan"]).success();
    job.merge();
    let moved = "resource \"terraform_data\" \"network\" { input = \"two\" }\n";
    job.project.write("stacks/network/main.tf", moved);
    job.project
        .terrace(&["ci", "apply", "-env=dev"])
        .fails(5)
        .says("Plan is not the reviewed one");
    let body = &job.sticky()[0].1;
    assert!(body.contains("| dev | network | not applied"), "{body}");
    assert!(
        body.contains("| dev | app | waits for other stacks |"),
        "{body}"
    );
}

#[test]
fn a_failure_is_told_with_its_deployment() {
    let broken = CONFIGURATION.replace(
        "input = \"open\"",
        "input = \"open\"\n  provisioner \"local-exec\" {\n    command = \"exit 3\"\n  }",
    );
    let job = Job::reviewed_of(gated(&broken));
    job.project.terrace(&["ci", "apply", "-env=dev"]).fails(1);
    assert_eq!(job.states("dev"), [["in_progress", "failure"]]);
    assert!(job.sticky()[0].1.contains("| dev | failed |"));
    assert!(job.summary().contains("#### dev: failed") || job.summary().contains("failed"));
}

#[test]
fn a_new_plan_after_the_merge_keeps_what_was_applied() {
    let mut job = Job::reviewed();
    job.project.terrace(&["ci", "apply", "-env=dev"]).success();
    job.pull_request("acme/shop");
    job.project.terrace(&["ci", "plan"]).success();
    let body = &job.sticky()[0].1;
    assert!(
        body.contains("| dev | applied |") && body.contains("| dev | no changes |"),
        "{body}"
    );
    assert_eq!(job.github.comments(NUMBER).len(), 1);
}

#[test]
fn a_person_starts_the_workflow_on_the_branch() {
    let mut job = Job::reviewed();
    let document =
        json!({"ref": "refs/heads/main", "inputs": {}, "repository": {"default_branch": "main"}});
    job.event("workflow_dispatch", &document);
    job.project.set("GITHUB_SHA", COMMIT);
    job.project.terrace(&["ci", "apply", "-env=dev"]).success();
    assert_eq!(job.banner("dev"), "open");
}
