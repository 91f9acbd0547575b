//! What GitHub is told is told once, whatever goes wrong, and within its limits.

use terrace_test_services::GitHubFault;

use crate::job::{Job, NUMBER};

#[test]
fn the_comment_is_created_then_updated_and_never_doubled() {
    let job = Job::new();
    for n in 0..130 {
        job.github.add_comment(NUMBER, &format!("comment {n}"));
    }
    job.project.terrace(&["ci", "plan"]).success();
    let first = job.sticky();
    assert_eq!(first.len(), 1);
    let text = job
        .project
        .read("main.tf")
        .replace("\"banner\"", "\"sign\"");
    job.project.write("main.tf", text);
    job.project.terrace(&["ci", "plan"]).success();
    let second = job.sticky();
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].0, first[0].0);
    assert!(second[0].1.contains("\"sign\"") && !second[0].1.contains("\"banner\""));
    assert_eq!(job.github.comments(NUMBER).len(), 131);
    // Checks are updated as well.
    assert_eq!(job.github.checks().len(), 2);
}

#[test]
fn limits_and_lost_answers_double_nothing() {
    let job = Job::new();
    let faults = [
        ("POST", "comments", GitHubFault::SecondaryLimit(1)),
        ("POST", "comments", GitHubFault::LostAnswer),
        ("POST", "check-runs", GitHubFault::LostAnswer),
        ("POST", "check-runs", GitHubFault::TooMany),
        ("GET", "files", GitHubFault::Failed),
        ("GET", "comments", GitHubFault::SecondaryLimit(0)),
    ];
    for (method, part, fault) in faults {
        job.github.fail(method, part, fault);
    }
    job.project.terrace(&["ci", "plan"]).success();
    assert_eq!(job.github.faults_left(), 0);
    assert_eq!(job.sticky().len(), 1);
    assert_eq!(job.github.checks().len(), 2);
}

#[test]
fn two_comments_of_two_jobs_at_once_become_one() {
    let job = Job::new();
    for _ in 0..2 {
        job.github
            .add_comment(NUMBER, "<!-- terrace:plan:shop -->\nold");
    }
    // Somebody quotes it, which is no comment of ours.
    job.github
        .add_comment(NUMBER, "> <!-- terrace:plan:shop -->\n> old");
    job.project.terrace(&["ci", "plan"]).success();
    assert_eq!(job.sticky().len(), 1);
    assert_eq!(job.github.comments(NUMBER).len(), 2);
}

#[test]
fn a_right_that_is_missing_is_named_and_the_rest_is_done() {
    let job = Job::new();
    job.github.fail("POST", "comments", GitHubFault::Forbidden);
    job.project
        .terrace(&["ci", "plan"])
        .fails(1)
        .says("Resource not accessible by integration")
        .says("pull-requests: write");
    assert!(job.sticky().is_empty());
    assert_eq!(job.github.checks().len(), 2);
}

#[test]
fn a_plan_that_is_too_long_is_cut_and_says_where_the_rest_is() {
    let lines: String = (0..1500)
        .map(|n| format!("    line-{n} = \"some text of some length, ünd umlauts\"\n"))
        .collect();
    let block = format!("resource \"terraform_data\" \"long\" {{\n  input = {{\n{lines}  }}\n}}\n");
    let rules = "project \"shop\" {}\nenvironment \"dev\" {}\n";
    let job = Job::with(&block, rules);
    job.project.terrace(&["ci", "plan"]).success();
    let body = &job.sticky()[0].1;
    assert!(body.len() <= 65_536 && body.len() > 40_000);
    assert!(body.contains("more lines.") && body.contains("terrace-plans"));
    assert!(body.trim_end().ends_with("</details>"), "{body}");
    let text = job.project.read("terrace-ci/public/dev/plan.txt");
    assert!(text.contains("line-1499"));
}

#[test]
fn more_annotations_than_a_request_takes_come_in_several() {
    let blocks: String = (0..70)
        .map(|n| format!("resource \"terraform_data\" \"n{n}\" {{}}\n"))
        .collect();
    let rules = "project \"shop\" {}\nenvironment \"dev\" {}\n";
    let job = Job::with(&blocks, rules);
    job.github.change_files(&[("main.tf", "")]);
    job.project.terrace(&["ci", "plan"]).success();
    let checks = job.github.checks();
    assert_eq!(checks.len(), 1);
    assert_eq!(checks[0]["annotations"].as_array().unwrap().len(), 70);
}
