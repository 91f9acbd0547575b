//! Change types, risks, times and statements, judged on plans and evidence in memory.

use std::collections::{BTreeMap, BTreeSet};

use terrace_addr::{AbsProviderConfig, AbsResourceInstance};
use terrace_gate::{
    AuditEvent, ChangeKind, ChangeRule, Demand, DriftCheck, Freeze, Gate, Obstacle, OwedReview,
    Pattern, Review, Risk, Rules, Run, RunCounts, RunStatus, Shape, ShapeAction, Statement,
    TimeOfDay, Upstream, Weekday, Window, append_audit, approve, configuration_digest, gather,
    open_reviews, record_applied, record_drift, record_owed, save_approval, save_authorship,
    save_review, save_revocation, sign_approval, sign_authorship, sign_review, sign_revocation,
};
use terrace_plan::{Action, ActionReason, ChangeRequest, Plan, ResourceChange};
use terrace_value::Value;

use crate::support::{Memory, key, plan, rules, wait};

/// Thursday 2026-11-26, nine o'clock UTC.
const NOW: i64 = 1_795_683_600;

fn change(address: &str, action: Action) -> ResourceChange {
    let address: AbsResourceInstance = address.parse().unwrap();
    ResourceChange {
        provider: "provider[\"registry.terraform.io/hashicorp/test\"]"
            .parse::<AbsProviderConfig>()
            .unwrap(),
        previous_address: None,
        deposed: None,
        action,
        action_reason: ActionReason::None,
        before: Value::null(terrace_value::Type::Dynamic),
        after: Value::null(terrace_value::Type::Dynamic),
        replace_paths: Vec::new(),
        private: [].into(),
        identity: None,
        importing: None,
        generated_config: None,
        schema_version: 0,
        create_before_destroy: false,
        dependencies: [].into(),
        reasons: Vec::new(),
        address,
    }
}

fn plan_of(kind: &str, changes: &[(&str, Action)]) -> Plan {
    let mut plan = plan(Some("prd"), "locals {}");
    plan.inputs.request = ChangeRequest {
        kind: kind.to_owned(),
        reason: Some("why".to_owned()),
        statements: BTreeMap::from([("purpose".to_owned(), "to sell".to_owned())]),
        commit: None,
        rules: None,
    };
    plan.changes = changes
        .iter()
        .map(|(address, action)| change(address, *action))
        .collect();
    plan
}

/// Two approvals, one of a lead; parameters change by themselves; an emergency needs a lead; deletions ask for Cem.
fn all_rules() -> Rules {
    let mut rules = rules("prd", 2, &["lead"]);
    rules.roles.insert("cem".into(), ["cem".to_owned()].into());
    let allow = Shape {
        types: vec![Pattern::new("test_parameter".into())],
        actions: [ShapeAction::Create, ShapeAction::Update].into(),
        limit: Some(2),
        ..Shape::default()
    };
    rules.changes.insert(
        ChangeKind::Standard,
        ChangeRule {
            allow: vec![allow],
            ..ChangeRule::default()
        },
    );
    rules.changes.insert(
        ChangeKind::Emergency,
        ChangeRule {
            gate: Gate {
                approvals: 1,
                passes: [Obstacle::Window, Obstacle::Freeze, Obstacle::Soak].into(),
                ..Gate::default()
            },
            review: Some(Review {
                within: 3600,
                approvals: 2,
                roles: BTreeMap::new(),
            }),
            ..ChangeRule::default()
        },
    );
    rules.risks.push(Risk {
        name: "high".into(),
        when: vec![Shape {
            actions: [ShapeAction::Delete, ShapeAction::Replace].into(),
            ..Shape::default()
        }],
        gate: Gate {
            roles: [("cem".to_owned(), 1)].into(),
            ..Gate::default()
        },
    });
    rules
}

fn misfits(kind: &str, changes: &[(&str, Action)]) -> Vec<String> {
    Demand::of(&all_rules(), &plan_of(kind, changes)).misfits
}

#[test]
fn a_template_is_judged_on_every_line() {
    let fits = [
        ("test_parameter.a", Action::Update),
        ("module.m.test_parameter.b", Action::Create),
        ("test_table.c", Action::NoOp),
        ("data.test_table.d", Action::Read),
    ];
    assert_eq!(misfits("standard", &fits), Vec::<String>::new());
    let demand = Demand::of(&all_rules(), &plan_of("standard", &fits));
    assert_eq!(
        (demand.kind, demand.approvals, demand.asks),
        (ChangeKind::Standard, 0, true)
    );
    assert!(demand.roles.is_empty());
    for (changes, expected) in [
        (
            &[("test_table.a", Action::Update)][..],
            "test_table.a (update): type test_table is not allowed, only test_parameter",
        ),
        (
            &[("test_parameter.a", Action::Delete)],
            "test_parameter.a (delete): delete is not allowed, only create, update",
        ),
        (
            &[("test_parameter.a", Action::CreateThenDelete)],
            "test_parameter.a (replace): replace is not allowed, only create, update",
        ),
        (
            &[("test_parameter.a", Action::Forget)],
            "test_parameter.a (forget): forget is not allowed, only create, update",
        ),
        (
            &[
                ("test_parameter.a", Action::Create),
                ("test_parameter.b", Action::Create),
                ("test_parameter.c", Action::Create),
            ],
            "it has 3 changes, and 2 at most are allowed",
        ),
    ] {
        assert_eq!(misfits("standard", changes), [expected]);
        let demand = Demand::of(&all_rules(), &plan_of("standard", changes));
        assert_eq!((demand.kind, demand.approvals), (ChangeKind::Normal, 2));
    }
    assert_eq!(
        misfits("quick", &fits),
        ["there is no change type \"quick\""]
    );
    let mut without = all_rules();
    without.changes.clear();
    let demand = Demand::of(&without, &plan_of("emergency", &fits));
    assert_eq!((demand.kind, demand.approvals), (ChangeKind::Normal, 2));
}

#[test]
fn a_risk_asks_for_more_whatever_the_change_type() {
    let deletes = [("test_table.a", Action::Delete)];
    for kind in ["", "emergency"] {
        let demand = Demand::of(&all_rules(), &plan_of(kind, &deletes));
        assert_eq!(demand.roles["cem"], 1, "{kind}");
        assert_eq!(
            demand.risks,
            [("high".to_owned(), vec!["test_table.a (delete)".to_owned()])]
        );
    }
    let mut many = all_rules();
    many.risks[0].when[0].limit = Some(2);
    assert!(Demand::of(&many, &plan_of("", &deletes)).risks.is_empty());
    many.risks[0].when[0].limit = None;
    many.risks[0].when[0].environments = ["stg".to_owned()].into();
    assert!(Demand::of(&many, &plan_of("", &deletes)).risks.is_empty());
}

/// A plan with what has been signed about it.
struct Case {
    store: Memory,
    plan: Plan,
    rules: Rules,
}

impl Case {
    fn new(kind: &str, rules: Rules) -> Self {
        let case = Self {
            store: Memory::default(),
            plan: plan_of(kind, &[("test_table.a", Action::Update)]),
            rules,
        };
        let envelope = sign_authorship(&key(1), &case.statement("normal", NOW)).unwrap();
        let id = case.plan.digest().short();
        wait(save_authorship(&case.store, &id, &envelope)).unwrap();
        case
    }

    fn statement(&self, change: &str, at: i64) -> Statement {
        Statement {
            plan: self.plan.digest(),
            environment: "prd".into(),
            change: change.into(),
            signed_at: at,
            expires_at: None,
            comment: String::new(),
        }
    }

    fn approve(&self, number: u8, change: &str, at: i64) {
        let envelope = sign_approval(&key(number), &self.statement(change, at)).unwrap();
        let id = self.plan.digest().short();
        wait(save_approval(&self.store, &id, &envelope)).unwrap();
    }

    fn revoke(&self, number: u8, at: i64) {
        let envelope = sign_revocation(&key(number), &self.statement("normal", at)).unwrap();
        let id = self.plan.digest().short();
        wait(save_revocation(&self.store, &id, &envelope)).unwrap();
    }

    fn judged(&self, now: i64) -> Vec<String> {
        self.judged_after(&[], now)
    }

    fn judged_after(&self, upstream: &[Upstream<'_>], now: i64) -> Vec<String> {
        let digest = self.plan.digest();
        let rules = Some(&self.rules);
        let evidence = wait(gather(
            &self.store,
            &self.plan,
            digest,
            rules,
            upstream,
            now,
        ));
        match approve(self.plan.clone(), evidence.unwrap()) {
            Ok(_) => Vec::new(),
            Err(refusal) => refusal.reasons.iter().map(ToString::to_string).collect(),
        }
    }
}

fn one_approval() -> Rules {
    rules("prd", 1, &[])
}

#[test]
fn an_approval_that_is_taken_back_counts_no_more_until_it_is_given_again() {
    let case = Case::new("", one_approval());
    case.approve(3, "normal", NOW - 100);
    assert!(case.judged(NOW).is_empty());
    // By somebody else, it takes nothing back.
    case.revoke(4, NOW - 50);
    assert!(case.judged(NOW).is_empty());
    case.revoke(3, NOW - 40);
    let told = case.judged(NOW);
    assert_eq!(told[1], "Not counted: ben has taken the approval back.");
    case.approve(3, "normal", NOW - 30);
    assert!(case.judged(NOW).is_empty());
}

#[test]
fn an_approval_ages_and_none_is_of_the_future() {
    let mut rules = one_approval();
    rules.gate.as_mut().unwrap().expires = Some(3600);
    let case = Case::new("", rules);
    case.approve(3, "normal", NOW - 3600);
    assert_eq!(
        case.judged(NOW)[1],
        "Not counted: the approval by ben is older than 1h."
    );
    case.approve(3, "normal", NOW + 3600);
    assert!(case.judged(NOW).contains(
        &"Not counted: the approval by ben is of a time that has not come yet.".to_owned()
    ));
    case.approve(3, "normal", NOW - 3599);
    assert!(case.judged(NOW).is_empty());
}

#[test]
fn windows_and_freezes_hold_for_all_but_what_passes() {
    let mut rules = all_rules();
    let window = Window {
        days: [Weekday::Thursday].into(),
        from: TimeOfDay::parse("08:00").unwrap(),
        until: TimeOfDay::parse("16:00").unwrap(),
        zone: "Europe/Berlin".into(),
    };
    rules.gate.as_mut().unwrap().windows = vec![window];
    rules.freezes = vec![Freeze {
        from: "2026-11-27".into(),
        until: "2026-11-27".into(),
        zone: "UTC".into(),
        reason: "sales".into(),
        ..Freeze::default()
    }];
    let normal = Case::new("", rules.clone());
    normal.approve(3, "normal", NOW - 5);
    normal.approve(4, "normal", NOW - 5);
    assert!(normal.judged(NOW).is_empty());
    let friday = NOW + 86_400;
    assert_eq!(
        normal.judged(friday),
        [
            "It may be applied only within thu 08:00-16:00 Europe/Berlin; that is next at Thu 2026-12-03 08:00 Europe/Berlin.",
            "Nothing is changed until Sat 2026-11-28 00:00 UTC: sales.",
        ]
    );
    let emergency = Case::new("emergency", rules);
    emergency.approve(4, "emergency", NOW - 5);
    assert!(emergency.judged(friday).is_empty());
}

#[test]
fn what_a_run_must_state_is_asked_for() {
    let mut rules = one_approval();
    rules.required_statements = ["purpose".to_owned(), "rollback".to_owned()].into();
    let case = Case::new("", rules);
    case.approve(3, "normal", NOW);
    assert_eq!(
        case.judged(NOW),
        ["A run must state its rollback, and this one does not."]
    );
}

#[test]
fn a_clock_that_shows_a_time_that_is_over_opens_nothing() {
    let case = Case::new("", one_approval());
    case.approve(3, "normal", NOW - 100);
    let event = AuditEvent {
        time: "2026-11-26T09:00:00Z".into(),
        event: "plan".into(),
        ..AuditEvent::default()
    };
    wait(append_audit(&case.store, &event)).unwrap();
    // Clocks of two machines are never quite the same.
    assert!(case.judged(NOW - 30).is_empty());
    assert_eq!(
        case.judged(NOW - 3600),
        [
            "The clock shows 2026-11-26T08:00:00Z, and the audit log holds an entry of 2026-11-26T09:00:00Z: time that is over does not come back."
        ]
    );
}

fn applied_run(plan: &Plan, finished: &str) -> Run {
    Run {
        id: "0123456789ab".into(),
        plan: plan.digest(),
        configuration: configuration_digest(&plan.inputs.configuration),
        environment: Some("stg".into()),
        workspace: "default".into(),
        mode: "normal".into(),
        status: RunStatus::Applied,
        actor: "ann".into(),
        commit: None,
        version: "0.1.0".into(),
        created: finished.into(),
        finished: Some(finished.into()),
        counts: RunCounts::default(),
        message: None,
        change: String::new(),
        reason: None,
        statements: BTreeMap::new(),
    }
}

#[test]
fn a_soak_is_shown_by_a_drift_check_after_it() {
    let mut rules = one_approval();
    rules.after = vec!["stg".into()];
    rules.gate.as_mut().unwrap().soak = Some(3600);
    let case = Case::new("", rules);
    case.approve(3, "normal", NOW);
    let before = Memory::default();
    let judged = |now: i64| {
        let upstream = [Upstream {
            environment: "stg",
            store: &before,
        }];
        case.judged_after(&upstream, now)
    };
    assert_eq!(
        judged(NOW),
        ["Environment \"stg\" comes before, and has not applied this configuration."]
    );
    let run = applied_run(&case.plan, "2026-11-26T08:30:00Z");
    wait(record_applied(&before, &run, None)).unwrap();
    let until = "must run this configuration without drift until 2026-11-26T09:30:00Z.";
    assert!(judged(NOW)[0].ends_with(until), "{:?}", judged(NOW));
    let check = |checked: i64, drifted: &[&str]| {
        let check = DriftCheck {
            environment: "stg".into(),
            run: Some(run.id.clone()),
            checked,
            drifted: drifted.iter().map(|line| (*line).to_owned()).collect(),
            ..DriftCheck::default()
        };
        wait(record_drift(&before, check)).unwrap();
    };
    // A check before the soak is over shows nothing of what came then.
    check(NOW, &[]);
    assert!(judged(NOW + 1800)[0].contains("no drift check since then"));
    check(NOW + 1900, &[]);
    assert!(judged(NOW + 2000).is_empty());
    // Drift stops it, and begins it anew once it is gone.
    check(NOW + 2100, &["test_table.a (changed)"]);
    assert!(
        judged(NOW + 2200)[0].contains("is not what was applied there: test_table.a (changed)")
    );
    check(NOW + 2300, &[]);
    assert!(judged(NOW + 2400)[0].ends_with("until 2026-11-26T10:35:00Z."));
    check(NOW + 5700, &[]);
    assert!(judged(NOW + 5800).is_empty());
    // A check of what was applied before says nothing.
    let later = Run {
        id: "another".into(),
        ..applied_run(&case.plan, "2026-11-26T08:30:00Z")
    };
    wait(record_applied(&before, &later, None)).unwrap();
    assert!(judged(NOW + 9000)[0].contains("no drift check since then"));
}

#[test]
fn an_overdue_review_stops_all_but_emergencies() {
    let rules = all_rules();
    let case = Case::new("", rules.clone());
    case.approve(3, "normal", NOW);
    case.approve(4, "normal", NOW);
    let owed = OwedReview {
        run: "aaaabbbbcccc".into(),
        plan: case.plan.digest(),
        environment: "prd".into(),
        author: "ann".into(),
        other_authors: BTreeSet::new(),
        reason: "down".into(),
        applied: NOW - 7200,
        due: NOW - 3600,
        approvals: 2,
        roles: BTreeMap::new(),
    };
    for (due, stops) in [(NOW + 1, false), (NOW - 3600, true)] {
        let owed = OwedReview {
            due,
            ..owed.clone()
        };
        wait(record_owed(&case.store, &owed)).unwrap();
        assert_eq!(!case.judged(NOW).is_empty(), stops);
    }
    assert_eq!(
        case.judged(NOW),
        [
            "The review of emergency aaaabbbbcccc is overdue since 2026-11-26T08:00:00Z: it needs 2 by people other than its author, and has none."
        ]
    );
    let review = |number: u8, at: i64| {
        let envelope = sign_review(&key(number), &case.statement("emergency", at)).unwrap();
        wait(save_review(&case.store, &owed.run, &envelope)).unwrap();
    };
    // The author's does not count, nor one signed before there was anything to review, nor a stranger's.
    review(1, NOW);
    review(3, NOW - 9000);
    review(9, NOW);
    assert!(!case.judged(NOW).is_empty());
    review(3, NOW);
    let open = wait(open_reviews(&case.store, &rules, NOW)).unwrap();
    assert_eq!(
        (open[0].reviewers.as_slice(), open[0].overdue),
        (&["ben".to_owned()][..], true)
    );
    review(4, NOW);
    assert!(case.judged(NOW).is_empty());
}
