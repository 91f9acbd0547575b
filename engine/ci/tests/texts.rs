//! Texts about plans and applies fit where they are shown, and hold nothing that others can steer.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;

use terrace_ci::{
    CHECK_OUTPUT, COMMENT, Check, Conclusion, Counts, GateReport, JOB_SUMMARY, MissingPiece,
    Outcome, PlanReport, PolicyReport, Verdict, Whereabouts, marker, read_reports, write_report,
};

fn plan(environment: &str, text: &str) -> PlanReport {
    PlanReport {
        environment: Some(environment.to_owned()),
        stack: Some("app".to_owned()),
        outcome: Outcome::Changes,
        counts: Counts {
            add: 2,
            destroy: 1,
            ..Counts::default()
        },
        run: Some("3f9c01ab77de".to_owned()),
        text: text.to_owned(),
        policies: Vec::new(),
        gate: None,
        objects: Vec::new(),
        problems: Vec::new(),
    }
}

fn waiting(mut report: PlanReport) -> PlanReport {
    report.gate = Some(GateReport {
        kind: "normal".to_owned(),
        asks: vec!["1 approval by people other than the author".to_owned()],
        approved_by: vec!["ben".to_owned()],
        missing: vec![MissingPiece {
            reason: "It needs 2 approvals.".to_owned(),
            remedy: Some("people other than its author run `terrace approve`".to_owned()),
        }],
    });
    report
}

fn whereabouts() -> Whereabouts {
    Whereabouts {
        project: "shop".to_owned(),
        commit: Some("0123456789abcdef".to_owned()),
        run_url: Some("https://github.com/acme/shop/actions/runs/7".to_owned()),
        artefact: "terrace-plans".to_owned(),
    }
}

/// Every block that begins ends.
fn is_whole(text: &str) -> bool {
    let mut open = 0;
    let mut outside = String::new();
    for line in text.lines() {
        let fence = line.len() - line.trim_start_matches('`').len();
        if open == 0 && fence >= 3 {
            open = fence;
        } else if open > 0 && fence >= open && fence == line.len() {
            open = 0;
        } else if open == 0 {
            outside.push_str(line);
        }
    }
    open == 0 && outside.matches("<details").count() == outside.matches("</details>").count()
}

#[test]
fn a_comment_shows_table_approvals_and_folded_diffs() {
    let reports = [
        plan("dev", "  + resource \"a\" \"b\" {\n    }\n"),
        waiting(plan("prd", "  - resource \"a\" \"c\" {\n    }\n")),
    ];
    let text = whereabouts().comment(&reports, COMMENT);
    assert!(text.starts_with(&marker("plan", "shop")), "{text}");
    for part in [
        "| dev | app | changes | 2 | 0 | 1 | - | - |",
        "| prd | app | changes | 2 | 0 | 1 | - | 1 missing |",
        "missing: It needs 2 approvals.",
        "approved by ben",
        "```diff\n+   resource",
        "<summary><b>prd / app</b>",
        "https://github.com/acme/shop/actions/runs/7",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(is_whole(&text));
}

#[test]
fn whatever_the_plans_are_comments_fit_and_blocks_end() {
    let long = "  + resource with a rather long line of text, ünd umlauts\n".repeat(2_500);
    let one = "x".repeat(120_000);
    for count in [1, 2, 7, 250] {
        for text in [long.as_str(), one.as_str(), "````\n  + x\n", ""] {
            let reports: Vec<PlanReport> = (0..count)
                .map(|n| waiting(plan(&format!("environment-{n}"), text)))
                .collect();
            let comment = whereabouts().comment(&reports, COMMENT);
            assert!(comment.len() <= COMMENT, "{count}: {}", comment.len());
            assert!(is_whole(&comment), "{count}");
            if text.len() > 100_000 {
                assert!(comment.contains("artefact"), "{count}");
            }
            let summary = whereabouts().summary(&reports, JOB_SUMMARY);
            assert!(summary.len() <= JOB_SUMMARY);
            for check in Check::of(&reports, &BTreeMap::new(), &whereabouts()) {
                assert!(check.summary.len() <= CHECK_OUTPUT && check.text.len() <= CHECK_OUTPUT);
            }
        }
    }
}

#[test]
fn a_small_plan_beside_a_huge_one_is_shown_in_full() {
    let small = "  + resource \"small\" \"one\" {\n    }\n";
    let huge = "  + line\n".repeat(50_000);
    let text = whereabouts().comment(&[plan("dev", &huge), plan("prd", small)], COMMENT);
    assert!(text.contains("resource \"small\" \"one\""), "{text}");
    assert!(text.contains("more lines."));
    assert!(text.len() > COMMENT / 2);
}

#[test]
fn policies_cannot_steer_the_comment() {
    let mut report = plan("dev", "");
    report.policies = vec![PolicyReport {
        policy: "guard: deny".to_owned(),
        verdict: Verdict::Denied,
        message:
            "@everyone </details><script> | [x](http://evil) `code`\n<!-- terrace:plan:shop -->"
                .to_owned(),
    }];
    let text = whereabouts().comment(&[report], COMMENT);
    assert!(!text.contains("@everyone") && !text.contains("<script>"));
    assert!(!text.contains("](http://evil)"));
    assert_eq!(text.matches("<!-- terrace:plan:shop -->").count(), 1);
}

#[test]
fn checks_tell_the_state_of_the_gate() {
    let mut failed = plan("stg", "Error: no");
    failed.outcome = Outcome::Failed;
    let reports = [plan("dev", ""), waiting(plan("prd", "")), failed];
    let checks = Check::of(&reports, &BTreeMap::new(), &whereabouts());
    let told: Vec<(&str, Conclusion)> = checks
        .iter()
        .map(|check| (check.name.as_str(), check.conclusion))
        .collect();
    assert_eq!(
        told,
        [
            ("terrace / dev", Conclusion::Success),
            ("terrace / prd", Conclusion::Neutral),
            ("terrace / stg", Conclusion::Failure),
        ]
    );
}

#[test]
fn reports_are_read_as_they_were_written() {
    let mut other = waiting(plan("prd", "text"));
    other.outcome = Outcome::Waiting(vec!["network".to_owned()]);
    other.policies = vec![PolicyReport {
        policy: "a".to_owned(),
        verdict: Verdict::Passed,
        message: String::new(),
    }];
    let reports = vec![plan("dev", "x"), other];
    assert_eq!(read_reports(&write_report(&reports)).unwrap(), reports);
    assert!(read_reports(b"{\"version\": 2, \"plans\": []}").is_err());
}
