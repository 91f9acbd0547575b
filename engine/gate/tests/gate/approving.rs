//! What lets a plan through, and what does not: gathered from a store, judged, told in words.

use terrace_gate::{
    Authorship, RefusalReason, Rules, Run, RunCounts, RunStatus, Statement, Upstream, approve,
    configuration_digest, gather, guard_manual_write, record_applied, save_approval,
    save_authorship, sign_approval, sign_authorship,
};
use terrace_plan::{Plan, PlanDigest};

use crate::support::{Memory, key, plan, rules, wait};

const NOW: i64 = 1_700_000_000;

/// A statement about the plan of a case, which may then be bent.
fn statement(digest: PlanDigest) -> Statement {
    Statement {
        plan: digest,
        environment: "prd".into(),
        change: "normal".into(),
        signed_at: NOW - 60,
        expires_at: Some(NOW + 60),
        comment: String::new(),
    }
}

/// A plan for prd beside a store, and what has been signed about it.
struct Case {
    store: Memory,
    plan: Plan,
    digest: PlanDigest,
    rules: Rules,
}

impl Case {
    fn new(approvals: u32, roles: &[&str]) -> Self {
        Self::of(
            plan(Some("prd"), "locals {}"),
            rules("prd", approvals, roles),
        )
    }

    fn of(plan: Plan, rules: Rules) -> Self {
        let digest = plan.digest();
        Self {
            store: Memory::default(),
            plan,
            digest,
            rules,
        }
    }

    fn authored(self, number: u8) -> Self {
        let envelope = sign_authorship(&key(number), &statement(self.digest)).unwrap();
        wait(save_authorship(
            &self.store,
            &self.digest.short(),
            &envelope,
        ))
        .unwrap();
        self
    }

    fn approved(self, number: u8) -> Self {
        self.approved_with(number, |_| {})
    }

    fn approved_with(self, number: u8, bend: impl FnOnce(&mut Statement)) -> Self {
        let mut statement = statement(self.digest);
        bend(&mut statement);
        let envelope = sign_approval(&key(number), &statement).unwrap();
        wait(save_approval(&self.store, &self.digest.short(), &envelope)).unwrap();
        self
    }

    /// Who let it through, or everything that is missing, in words.
    fn judged(self) -> Result<Vec<String>, Vec<String>> {
        self.judged_after(&[])
    }

    fn judged_after(self, upstream: &[Upstream<'_>]) -> Result<Vec<String>, Vec<String>> {
        let rules = Some(&self.rules);
        let evidence = wait(gather(
            &self.store,
            &self.plan,
            self.digest,
            rules,
            upstream,
            NOW,
        ));
        match approve(self.plan, evidence.unwrap()) {
            Ok(approved) => {
                assert_eq!(approved.digest(), approved.plan().digest());
                Ok(approved.approvers().to_vec())
            }
            Err(refusal) => Err(refusal.reasons.iter().map(ToString::to_string).collect()),
        }
    }
}

fn other_plan() -> PlanDigest {
    plan(Some("prd"), "locals { a = 1 }").digest()
}

const NO_AUTHOR: &str =
    "The plan's author is unknown: it carries no signature by a key that the project file lists.";
const ONE_MISSING: &str = "It needs 1 approval by people other than its author, and has none.";

#[test]
fn two_approvals_of_others_open_the_gate() {
    let granted = Case::new(2, &["lead"])
        .authored(1)
        .approved(3)
        .approved(4)
        .judged();
    assert_eq!(granted, Ok(vec!["ben".to_owned(), "cem".to_owned()]));
}

#[test]
fn each_way_of_not_having_enough_is_told() {
    let table: [(&str, Case, &[&str]); 13] = [
        ("no evidence at all", Case::new(1, &[]), &[NO_AUTHOR]),
        (
            "an unsigned plan, though approved",
            Case::new(1, &[]).approved(3),
            &[NO_AUTHOR],
        ),
        (
            "a plan signed by a key that nobody listed has",
            Case::new(1, &[]).authored(9).approved(3),
            &[NO_AUTHOR],
        ),
        ("no approval", Case::new(1, &[]).authored(1), &[ONE_MISSING]),
        (
            "the author's, by the same key",
            Case::new(1, &[]).authored(1).approved(1),
            &[ONE_MISSING, "Not counted: ann is the author of the plan."],
        ),
        (
            "the author's, by the author's other key",
            Case::new(1, &[]).authored(1).approved(2),
            &[ONE_MISSING, "Not counted: ann is the author of the plan."],
        ),
        (
            "the author's first key, when the second signed the plan",
            Case::new(1, &[]).authored(2).approved(1),
            &[ONE_MISSING, "Not counted: ann is the author of the plan."],
        ),
        (
            "of another plan",
            Case::new(1, &[])
                .authored(1)
                .approved_with(3, |signed| signed.plan = other_plan()),
            &[
                ONE_MISSING,
                "Not counted: ben approved another plan, {other}.",
            ],
        ),
        (
            "for another environment",
            Case::new(1, &[])
                .authored(1)
                .approved_with(3, |signed| signed.environment = "stg".into()),
            &[
                ONE_MISSING,
                "Not counted: ben approved for environment \"stg\".",
            ],
        ),
        (
            "of another kind of change",
            Case::new(1, &[])
                .authored(1)
                .approved_with(3, |signed| signed.change = "emergency".into()),
            &[
                ONE_MISSING,
                "Not counted: ben approved a change of kind \"emergency\".",
            ],
        ),
        (
            "expired this very second",
            Case::new(1, &[])
                .authored(1)
                .approved_with(3, |signed| signed.expires_at = Some(NOW)),
            &[ONE_MISSING, "Not counted: the approval by ben has expired."],
        ),
        (
            "one person twice",
            Case::new(2, &[])
                .authored(1)
                .approved(3)
                .approved_with(3, |signed| signed.comment = "again".into()),
            &["It needs 2 approvals by people other than its author, and has 1: by ben."],
        ),
        (
            "nobody of the role",
            Case::new(1, &["lead"]).authored(3).approved(1),
            &["Someone of role \"lead\" must approve it: cem."],
        ),
    ];
    for (what, case, expected) in table {
        let expected: Vec<String> = expected
            .iter()
            .map(|line| line.replace("{other}", &other_plan().short()))
            .collect();
        assert_eq!(case.judged(), Err(expected), "{what}");
    }
}

#[test]
fn a_key_that_nobody_listed_has_does_not_count() {
    let refused = Case::new(1, &[])
        .authored(1)
        .approved(9)
        .judged()
        .unwrap_err();
    assert_eq!(refused[0], ONE_MISSING);
    assert!(
        refused[1].contains("is not listed in the rules in force"),
        "{refused:?}"
    );
}

#[test]
fn an_author_statement_about_another_plan_or_environment_is_none() {
    for bend in [
        (|signed| signed.plan = other_plan()) as fn(&mut Statement),
        |signed| signed.environment = "stg".into(),
    ] {
        let case = Case::new(1, &[]).approved(3);
        let mut signed = statement(case.digest);
        bend(&mut signed);
        let envelope = sign_authorship(&key(1), &signed).unwrap();
        assert!(Authorship::open(&envelope).is_ok());
        wait(save_authorship(
            &case.store,
            &case.digest.short(),
            &envelope,
        ))
        .unwrap();
        assert_eq!(case.judged(), Err(vec![NO_AUTHOR.to_owned()]));
    }
}

#[test]
fn a_surplus_statement_that_does_not_count_takes_nothing_away() {
    let case = Case::new(1, &[])
        .authored(1)
        .approved(3)
        .approved(9)
        .approved(2);
    let id = case.digest.short();
    wait(save_approval(&case.store, &id, b"not an envelope")).unwrap();
    assert_eq!(case.judged(), Ok(vec!["ben".to_owned()]));
}

#[test]
fn a_tampered_approval_is_told_as_not_counted() {
    let case = Case::new(1, &[]).authored(1);
    let envelope = sign_approval(&key(3), &statement(case.digest)).unwrap();
    let mut json: serde_json::Value = serde_json::from_slice(&envelope).unwrap();
    json["payload"] = "e30=".into();
    let bytes = serde_json::to_vec(&json).unwrap();
    wait(save_approval(&case.store, &case.digest.short(), &bytes)).unwrap();
    let refused = case.judged().unwrap_err();
    assert_eq!(refused[0], ONE_MISSING);
    assert!(
        refused[1].starts_with("Not counted: an approval: the signature does not hold"),
        "{refused:?}"
    );
}

#[test]
fn a_plan_for_another_environment_or_none_does_not_pass_a_gated_store() {
    for (environment, expected) in [
        (
            None,
            "The plan was made without choosing the environment that this state belongs to.",
        ),
        (Some("stg"), "The plan was made for environment \"stg\"."),
    ] {
        let case = Case::of(plan(environment, ""), rules("prd", 1, &[]))
            .authored(1)
            .approved(3);
        assert_eq!(case.judged(), Err(vec![expected.to_owned()]));
    }
}

#[test]
fn recorded_rules_come_before_those_of_the_project_file() {
    let case = Case::new(0, &[]);
    let recorded = rules("prd", 1, &[]);
    let run = run_of(&case.plan, RunStatus::Applied);
    wait(record_applied(&case.store, &run, Some(&recorded))).unwrap();
    // Neither milder rules nor none at all walk around the recorded ones.
    let case = case.authored(1);
    let evidence = wait(gather(&case.store, &case.plan, case.digest, None, &[], NOW)).unwrap();
    assert!(!evidence.is_bootstrap());
    assert_eq!(evidence.rules(), Some(&recorded));
    assert!(approve(case.plan.clone(), evidence).is_err());
    // Nor do they come into force by a plan that does not hold them.
    let refused = case.judged().unwrap_err();
    assert_eq!(refused[0], RefusalReason::OtherRules.to_string());
    assert_eq!(refused[1..], [ONE_MISSING]);
}

#[test]
fn the_first_run_is_judged_by_the_project_file_and_says_so() {
    let case = Case::new(1, &[]);
    let evidence = wait(gather(
        &case.store,
        &case.plan,
        case.digest,
        Some(&case.rules),
        &[],
        NOW,
    ));
    assert!(evidence.unwrap().is_bootstrap());
}

#[test]
fn evidence_of_another_plan_opens_nothing() {
    let gated = Case::new(1, &[]).authored(1).approved(3);
    let open = Case::of(plan(None, ""), Rules::default());
    for (case, rules) in [(&gated, Some(&gated.rules)), (&open, None)] {
        let evidence = wait(gather(
            &case.store,
            &case.plan,
            case.digest,
            rules,
            &[],
            NOW,
        ))
        .unwrap();
        let mut other = case.plan.clone();
        other.inputs.timestamp = "2026-01-02T03:04:06Z".into();
        let refusal = approve(other, evidence).unwrap_err();
        assert_eq!(
            refusal.reasons[0].to_string(),
            "The evidence was gathered for another plan."
        );
    }
}

fn run_of(plan: &Plan, status: RunStatus) -> Run {
    let digest = plan.digest();
    Run {
        id: digest.short(),
        plan: digest,
        configuration: configuration_digest(&plan.inputs.configuration),
        environment: plan.inputs.environment.clone(),
        workspace: "default".into(),
        mode: "normal".into(),
        status,
        actor: "ann@desk".into(),
        commit: None,
        version: "0.1.0".into(),
        created: "2026-01-02T03:04:05Z".into(),
        finished: None,
        counts: RunCounts::default(),
        message: None,
        change: String::new(),
        reason: None,
        statements: std::collections::BTreeMap::new(),
    }
}

#[test]
fn an_environment_that_comes_before_must_have_applied_the_same_configuration() {
    let case = || {
        let mut rules = rules("prd", 0, &[]);
        rules.after = vec!["stg".into()];
        rules.gate = None;
        Case::of(plan(Some("prd"), "locals {}"), rules)
    };
    let missing = Err(vec![
        "Environment \"stg\" comes before, and has not applied this configuration.".to_owned(),
    ]);
    let stg = Memory::default();
    let upstream = || {
        [Upstream {
            environment: "stg",
            store: &stg,
        }]
    };
    assert_eq!(case().judged(), missing, "it could not be opened");
    assert_eq!(
        case().judged_after(&upstream()),
        missing,
        "nothing was applied there"
    );
    let other = run_of(&plan(Some("stg"), "locals { a = 1 }"), RunStatus::Applied);
    wait(record_applied(&stg, &other, None)).unwrap();
    assert_eq!(
        case().judged_after(&upstream()),
        missing,
        "another configuration"
    );
    let same = run_of(&plan(Some("stg"), "locals {}"), RunStatus::Applied);
    wait(record_applied(&stg, &same, None)).unwrap();
    assert_eq!(case().judged_after(&upstream()), Ok(Vec::new()));
}

#[test]
fn a_gated_state_is_not_written_by_hand() {
    let store = Memory::default();
    let gated = rules("prd", 1, &[]);
    assert!(wait(guard_manual_write(&store, None)).unwrap().is_ok());
    let refusal = wait(guard_manual_write(&store, Some(&gated)))
        .unwrap()
        .unwrap_err();
    assert_eq!(
        refusal.reasons[0].to_string(),
        "Its state is changed only by applying a plan that its gate has let through."
    );
    let run = run_of(&plan(Some("prd"), ""), RunStatus::Applied);
    wait(record_applied(&store, &run, Some(&gated))).unwrap();
    assert!(wait(guard_manual_write(&store, None)).unwrap().is_err());
    let open = Rules {
        environment: "dev".into(),
        ..Rules::default()
    };
    assert!(
        wait(guard_manual_write(&store, Some(&open)))
            .unwrap()
            .is_err()
    );
}

#[test]
fn damaged_rules_close_the_gate() {
    let case = Case::new(0, &[]);
    case.store
        .0
        .lock()
        .unwrap()
        .insert("gate/rules".into(), b"{"[..].into());
    let error = wait(gather(&case.store, &case.plan, case.digest, None, &[], NOW)).unwrap_err();
    assert!(error.to_string().contains("the gate's rules"), "{error}");
    assert!(wait(guard_manual_write(&case.store, None)).is_err());
}

#[test]
fn rules_survive_their_bytes_and_other_formats_are_refused() {
    let mut whole = rules("prd", 2, &["lead"]);
    whole.after = vec!["dev".into(), "stg".into()];
    whole.people.get_mut("ann").unwrap().github = Some("ann-at-hub".into());
    let open = Rules {
        environment: "dev".into(),
        ..Rules::default()
    };
    for rules in [whole, open] {
        let bytes = rules.to_bytes();
        assert_eq!(Rules::from_bytes(&bytes), Ok(rules.clone()));
        assert_eq!(Rules::from_bytes(&bytes).unwrap().digest(), rules.digest());
        let later = String::from_utf8(bytes)
            .unwrap()
            .replace("\"format\":3", "\"format\":4");
        assert_eq!(
            Rules::from_bytes(later.as_bytes()),
            Err("the gate's rules have format 4, which this version cannot read".to_owned())
        );
    }
    assert_ne!(
        rules("prd", 1, &[]).digest().to_string(),
        rules("prd", 2, &[]).digest().to_string()
    );
}
