//! Policies: how they are read, what they say of plans, and what that means for an approval.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use terrace_diag::{SourceFile, SourceMap};
use terrace_gate::{
    Approval, Asker, AuditEvent, ChangeKind, ChangeRule, Gate, Policy, PolicyEffect, PolicyLevel,
    PolicyStage, Project, Refusal, RefusalReason, Rules, Run, RunCounts, RunStatus, Statement,
    append_audit, approve, configuration_digest, gather, judge_policies, load_run_policies,
    parse_project, save_approval, save_authorship, save_run, save_run_plan, save_run_policies,
    sign_approval, sign_authorship, verify_run,
};
use terrace_plan::{Plan, write_plan_file};
use terrace_policy::{DataFile, PolicyFile};
use terrace_port::{FileEntry, Files, RunStore as _};

use crate::support::{Memory, key, plan, rules, wait};

const NOW: i64 = 1_795_683_600;

/// Files in memory, below `/project`.
struct Tree(BTreeMap<String, String>);

impl Tree {
    fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter();
        Self(
            files
                .map(|(path, text)| (format!("/project/{path}"), (*text).to_owned()))
                .collect(),
        )
    }
}

impl Files for Tree {
    fn read(&self, path: &str) -> io::Result<Arc<[u8]>> {
        let text = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(text.as_bytes().into())
    }

    fn list(&self, path: &str) -> io::Result<Vec<FileEntry>> {
        let below = format!("{}/", path.trim_end_matches('/'));
        let mut entries: Vec<FileEntry> = self
            .0
            .keys()
            .filter_map(|name| name.strip_prefix(&below))
            .map(|rest| match rest.split_once('/') {
                Some((name, _)) => FileEntry {
                    name: name.to_owned(),
                    is_directory: true,
                },
                None => FileEntry {
                    name: rest.to_owned(),
                    is_directory: false,
                },
            })
            .collect();
        entries.sort();
        entries.dedup();
        if entries.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(entries)
    }

    fn exists(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    fn absolute(&self, path: &str) -> String {
        path.to_owned()
    }
}

const DENY: &str = "package acme.words\n\ndeny contains message if {\n\tinput.terrace.environment == \"prd\"\n\tmessage := sprintf(\"%s by %s\", [data.words.no, input.terrace.actor])\n}\n";
const WARN: &str = "package acme.hints\n\nwarn contains \"look twice\"\n";

fn load(text: &str, files: &[(&str, &str)]) -> (Project, Vec<String>) {
    let text = format!("project \"p\" {{}}\n{text}");
    let mut sources = SourceMap::new();
    let id = sources.add(SourceFile::new("terrace.hcl", text.as_str()));
    let (mut project, mut diagnostics) = parse_project(id, text.as_bytes());
    if !diagnostics.has_errors() {
        diagnostics.append(project.load_policies(&Tree::of(files), "/project", &mut sources));
    }
    let told = diagnostics.sorted().into_iter().map(|found| {
        let place = found.subject.map_or_else(String::new, |span| {
            let file = sources.get(span.source).unwrap();
            format!("{}:{}: ", file.name(), file.position(span.start).line)
        });
        format!("{place}{}: {}", found.summary, found.detail)
    });
    (project, told.collect())
}

#[test]
fn the_texts_of_policies_are_rules() {
    let files = [
        ("policies/words.rego", DENY),
        ("policies/deep/er/hints.rego", WARN),
        (
            "policies/words_test.rego",
            "package acme.words_test\n\ntest_it if true\n",
        ),
        ("policies/.hidden.rego", "no rego"),
        ("policies/data.json", "{\"words\": {\"no\": \"never\"}}"),
        ("more.yaml", "other: 1\n"),
    ];
    let text = r#"
environment "dev" {}

environment "prd" {}

policy "words" {
  rego         = ["policies/*.rego"]
  data         = ["policies/data.json", "*.yaml"]
  namespaces   = ["acme.words"]
  environments = ["prd"]
  strict       = true
}

policy "hints" {
  rego  = ["policies/**/hints.rego"]
  level = "advisory"
}

policy "all" {
  rego = ["policies"]
  data = ["policies"]
}

policy "starter" {
  rego = ["starter:tags", "starter:regions"]
}
"#;
    let (project, told) = load(text, &files);
    assert_eq!(told, Vec::<String>::new());
    let rules = |name: &str| project.rules(project.environment(name).unwrap());
    let (dev, prd) = (rules("dev"), rules("prd"));
    let names = |rules: &Rules| -> Vec<String> {
        let policies = rules.policies.iter();
        policies.map(|policy| policy.name.clone()).collect()
    };
    assert_eq!(names(&dev), ["hints", "all", "starter"]);
    assert_eq!(names(&prd), ["words", "hints", "all", "starter"]);
    let paths = |policy: &Policy| -> Vec<String> {
        let rules = policy.rules.iter().map(|file| file.path.clone());
        rules
            .chain(policy.data.iter().map(|file| file.path.clone()))
            .collect()
    };
    let words = &prd.policies[0];
    assert_eq!(
        paths(words),
        ["policies/words.rego", "more.yaml", "policies/data.json"]
    );
    assert_eq!(
        (words.level, words.is_strict, words.rules[0].text.as_str()),
        (PolicyLevel::Mandatory, true, DENY)
    );
    assert_eq!(paths(&prd.policies[1]), ["policies/deep/er/hints.rego"]);
    assert_eq!(prd.policies[1].level, PolicyLevel::Advisory);
    assert_eq!(
        paths(&prd.policies[2]),
        [
            "policies/deep/er/hints.rego",
            "policies/words.rego",
            "policies/data.json"
        ]
    );
    assert_eq!(
        paths(&prd.policies[3]),
        [
            "starter:changes.rego",
            "starter:regions.rego",
            "starter:tags.rego",
            "starter:settings.json"
        ]
    );
    // What is in force is the texts: they survive the store, and each of them counts.
    let bytes = prd.to_bytes();
    assert_eq!(Rules::from_bytes(&bytes).unwrap(), prd);
    let mut other = prd.clone();
    other.policies[0].rules[0].text.push('\n');
    assert_ne!(other.digest().0, prd.digest().0);
    let old = String::from_utf8(dev.to_bytes()).unwrap();
    let (before, _) = old.split_once(",\"policies\":").unwrap();
    let old = format!("{}}}", before.replacen("\"format\":3", "\"format\":2", 1));
    let read = Rules::from_bytes(old.as_bytes()).unwrap();
    assert_eq!((read.environment.as_str(), read.policies.len()), ("dev", 0));
}

#[test]
fn every_way_in_which_a_policy_is_wrong_is_told() {
    let files = [
        ("policies/words.rego", DENY),
        ("policies/helpers.rego", "package acme.helpers\n\nx := 1\n"),
        (
            "policies/bad/bad.rego",
            "package acme.bad\n\ndeny contains \"x\" if {\n",
        ),
        ("policies/data.json", "{\"words\": 1}"),
        ("policies/list.json", "[1]"),
        ("notes.txt", ""),
    ];
    let known = "deletion_protection, encryption, least_privilege, public_access, regions, tags";
    let starter = format!(
        "terrace.hcl:3: No such policy files: The policy \"p\" names what cannot be found: the starter pack has no rules \"colour\". It has: {known}."
    );
    let table = [
        (
            "",
            "terrace.hcl:2: Invalid argument: The argument \"rego\" is required: the files of rules, such as policies/*.rego.",
        ),
        (
            "rego = []",
            "terrace.hcl:3: Invalid argument: A policy without rules judges nothing. Name files, such as policies/*.rego.",
        ),
        (
            "rego = [\"rules/*.rego\"]",
            "terrace.hcl:3: No such policy files: The policy \"p\" names what cannot be found: no file beside the project file matches \"rules/*.rego\". Rules are in files that end in .rego.",
        ),
        (
            "rego = [\"policies/none.rego\"]",
            "terrace.hcl:3: No such policy files: The policy \"p\" names what cannot be found: there is no file \"policies/none.rego\" beside the project file.",
        ),
        (
            "rego = [\"notes.txt\"]",
            "terrace.hcl:3: No such policy files: The policy \"p\" names what cannot be found: \"notes.txt\" is none. Rules are in files that end in .rego.",
        ),
        ("rego = [\"starter:colour\"]", &starter),
        (
            "rego = [\"policies/bad\"]",
            "policies/bad/bad.rego:4: Policy cannot be read: Expecting expression.",
        ),
        (
            "rego = [\"policies/helpers.rego\"]",
            "terrace.hcl:3: Policy judges nothing: The policy \"p\" has no rule named deny, violation or warn, alone or with _ and more words behind it: it judges nothing.",
        ),
        (
            "rego = [\"policies/words.rego\"]\n  namespaces = [\"main\"]",
            "terrace.hcl:4: No such package of policies: The policy \"p\" has no rules that judge in package main. Packages with such rules: acme.words.",
        ),
        (
            "rego = [\"policies/words.rego\"]\n  level = \"strong\"",
            "terrace.hcl:4: Invalid argument: \"strong\" is not the level of a policy. Levels are \"mandatory\", which refuses, and \"advisory\", which warns.",
        ),
        (
            "rego = [\"policies/words.rego\"]\n  strict = \"very\"",
            "terrace.hcl:4: Invalid argument: The argument \"strict\" is true or false.",
        ),
        (
            "rego = [\"policies/words.rego\"]\n  except = [\"normal\"]",
            "terrace.hcl:4: Invalid argument: \"normal\" is not a change type that a policy may except. There are: standard, emergency.",
        ),
        (
            "rego = [\"policies/words.rego\"]\n  except = [\"emergency\"]",
            "terrace.hcl:2: Invalid project file: The policy \"p\" excepts the change type \"emergency\", which is not defined: nobody could say who lets such a change through.",
        ),
        (
            "rego = [\"policies/words.rego\"]\n  environments = [\"prd\"]",
            "terrace.hcl:2: Invalid project file: The policy \"p\" names environment \"prd\", which is not defined.",
        ),
        (
            "rego = [\"policies/words.rego\"]\n  data = [\"data.csv\"]",
            "terrace.hcl:4: No such policy files: The policy \"p\" names what cannot be found: there is no file \"data.csv\" beside the project file.",
        ),
    ];
    for (text, expected) in table {
        let (_, told) = load(&format!("policy \"p\" {{\n  {text}\n}}\n"), &files);
        assert_eq!(told, [expected], "{text}");
    }
    let (_, told) = load(
        "policy \"p\" {\n  rego = [\"policies/words.rego\"]\n  data = [\"policies/list.json\"]\n}\n",
        &files,
    );
    assert!(
        told.len() == 1
            && told[0].starts_with("Data of policies cannot be read: policies/list.json"),
        "{told:?}"
    );
    let twice = "policy \"p\" {\n  rego = [\"policies/words.rego\"]\n}\n";
    let (_, told) = load(&format!("{twice}{twice}"), &files);
    assert_eq!(
        told,
        ["terrace.hcl:5: Duplicate policy block: The policy \"p\" is defined twice."]
    );
}

fn words() -> Policy {
    Policy {
        name: "words".into(),
        rules: vec![PolicyFile {
            path: "words.rego".into(),
            text: DENY.into(),
        }],
        data: vec![DataFile {
            path: "data.json".into(),
            text: "{\"words\": {\"no\": \"never\\u001b[31m\"}}".into(),
        }],
        ..Policy::default()
    }
}

/// Rules of an environment without a gate.
fn open(environment: &str, policies: Vec<Policy>) -> Rules {
    Rules {
        gate: None,
        policies,
        ..rules(environment, 0, &[])
    }
}

fn judged(rules: &Rules, plan: Plan, store: &Memory) -> Result<Vec<String>, Box<Refusal>> {
    let digest = plan.digest();
    let evidence = wait(gather(store, &plan, digest, Some(rules), &[], NOW)).unwrap();
    let evidence = evidence.asked_by(Some("shop".into()), "somebody@here".into());
    approve(plan, evidence).map(|approved| {
        let results = approved.policies();
        let found = results.policies.iter().flat_map(|policy| &policy.findings);
        found
            .map(|found| format!("{}: {}", found.effect.name(), found.message))
            .collect()
    })
}

fn reasons(refused: Result<Vec<String>, Box<Refusal>>) -> Vec<String> {
    let reasons = refused.unwrap_err().reasons;
    reasons.iter().map(ToString::to_string).collect()
}

#[test]
fn a_mandatory_policy_refuses_and_an_advisory_one_tells() {
    let store = Memory::default();
    let in_prd = || plan(Some("prd"), "locals {}");
    // What would steer a terminal is taken out of what a policy says.
    assert_eq!(
        reasons(judged(&open("prd", vec![words()]), in_prd(), &store)),
        [
            "The mandatory policy \"words\" denies it: never [31m by somebody@here (rule acme.words.deny of words.rego)."
        ]
    );
    let advisory = Policy {
        level: PolicyLevel::Advisory,
        ..words()
    };
    assert_eq!(
        judged(&open("prd", vec![advisory]), in_prd(), &store).unwrap(),
        ["advised: never [31m by somebody@here"]
    );
    let in_dev = plan(Some("dev"), "locals {}");
    assert_eq!(
        judged(&open("dev", vec![words()]), in_dev, &store).unwrap(),
        Vec::<String>::new()
    );
    // A plan that claims to be of another environment does not change what policies are told.
    let claims = plan(Some("dev"), "locals {}");
    let told = reasons(judged(&open("prd", vec![words()]), claims, &store));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("The plan was made for environment \"dev\""));
}

#[test]
fn a_policy_that_cannot_be_evaluated_refuses() {
    let store = Memory::default();
    let clash = Policy {
        rules: vec![PolicyFile {
            path: "clash.rego".into(),
            text: "package a\n\nx := 1\n\nx := 2 if input.terrace.environment == \"prd\"\n\ndeny contains \"n\" if x == 3\n".into(),
        }],
        ..words()
    };
    let rules = open("prd", vec![clash]);
    let refused = judged(&rules, plan(Some("prd"), ""), &store).unwrap_err();
    assert!(
        matches!(
            &refused.reasons[..],
            [RefusalReason::Policy { rule: None, .. }]
        ),
        "{:?}",
        refused.reasons
    );
}

#[test]
fn an_emergency_overrides_what_excepts_it_and_is_let_through_by_somebody() {
    let store = Memory::default();
    let policy = Policy {
        except: [ChangeKind::Emergency].into(),
        ..words()
    };
    let mut rules = open("prd", vec![policy]);
    rules.changes.insert(
        ChangeKind::Emergency,
        ChangeRule {
            gate: Gate {
                approvals: 1,
                ..Gate::default()
            },
            ..ChangeRule::default()
        },
    );
    let emergency = || {
        let mut plan = plan(Some("prd"), "locals {}");
        plan.inputs.request.kind = "emergency".into();
        plan.inputs.request.reason = Some("it burns".into());
        plan
    };
    // Not for nothing: although the environment has no gate, somebody answers for it.
    let told = reasons(judged(&rules, emergency(), &store));
    assert!(
        told.len() == 1 && told[0].starts_with("The plan's author is unknown"),
        "{told:?}"
    );
    let statement = Statement {
        plan: emergency().digest(),
        environment: "prd".into(),
        change: "emergency".into(),
        signed_at: NOW,
        expires_at: None,
        comment: String::new(),
    };
    let id = emergency().digest().short();
    let author = sign_authorship(&key(1), &statement).unwrap();
    wait(save_authorship(&store, &id, &author)).unwrap();
    let approval = sign_approval(&key(3), &statement).unwrap();
    assert!(Approval::open(&approval).is_ok());
    wait(save_approval(&store, &id, &approval)).unwrap();
    // The policies are told who has signed, not who asks.
    assert_eq!(
        judged(&rules, emergency(), &store).unwrap(),
        ["overridden: never [31m by ann"]
    );
    // A normal change is denied still.
    let told = reasons(judged(&rules, plan(Some("prd"), "locals {}"), &store));
    assert!(told[0].contains("denies it"), "{told:?}");
}

#[test]
fn what_has_changed_in_the_rules_is_told() {
    let mut old = rules("prd", 1, &["lead"]);
    old.policies = vec![words()];
    assert_eq!(old.differences(&old), Vec::<String>::new());
    let mut new = rules("prd", 0, &[]);
    new.people.remove("cem");
    new.roles.clear();
    let mut changed = words();
    changed.level = PolicyLevel::Advisory;
    changed.rules[0].text.push('\n');
    changed.data.clear();
    let other = Policy {
        name: "other".into(),
        ..words()
    };
    new.policies = vec![changed, other];
    assert_eq!(
        old.differences(&new),
        [
            "its gate asks for something else",
            "the person \"cem\" is gone",
            "the role \"lead\" is gone",
            "the policy \"other\" is new",
            "the policy \"words\" is advisory instead of mandatory",
            "the policy \"words\" lacks data.json",
            "the policy \"words\" has another text in words.rego",
        ]
    );
    assert_eq!(
        new.differences(&old)[3],
        "the policy \"other\" is gone",
        "{:?}",
        new.differences(&old)
    );
}

#[test]
fn results_that_were_edited_are_found() {
    let store = Memory::default();
    let rules = open("prd", vec![words()]);
    let plan = plan(Some("prd"), "locals {}");
    let asker = Asker {
        stack: None,
        actor: "ann".into(),
        now: NOW,
    };
    let results = judge_policies(&rules, &plan, &asker);
    assert!(results.refuses() && results.count(PolicyEffect::Denied) == 1);
    let (file, digest) = write_plan_file(&plan);
    let id = digest.short();
    let run = Run {
        id: id.clone(),
        plan: digest,
        configuration: configuration_digest(&plan.inputs.configuration),
        environment: Some("prd".into()),
        workspace: "default".into(),
        mode: "normal".into(),
        status: RunStatus::Planned,
        actor: "ann".into(),
        commit: None,
        version: "0".into(),
        created: "2026-11-26T09:00:00Z".into(),
        finished: None,
        counts: RunCounts::default(),
        message: None,
        change: String::new(),
        reason: None,
        statements: BTreeMap::new(),
    };
    wait(save_run(&store, &run)).unwrap();
    wait(save_run_plan(&store, &id, &file)).unwrap();
    let hash = wait(save_run_policies(&store, &id, PolicyStage::Plan, &results)).unwrap();
    let event = AuditEvent {
        time: "2026-11-26T09:00:00Z".into(),
        actor: "ann".into(),
        event: "policy".into(),
        run: Some(id.clone()),
        details: [
            ("stage".to_owned(), "plan".to_owned()),
            ("results".to_owned(), hash),
        ]
        .into(),
    };
    wait(append_audit(&store, &event)).unwrap();
    assert_eq!(
        wait(load_run_policies(&store, &id)).unwrap(),
        Some((PolicyStage::Plan, results.clone()))
    );
    let bad = || -> Vec<String> {
        let found = wait(verify_run(&store, &run)).unwrap();
        let bad = found.into_iter().filter(|found| !found.holds);
        bad.map(|found| found.what).collect()
    };
    assert_eq!(bad(), Vec::<String>::new());
    let mut harmless = results;
    harmless.policies[0].findings.clear();
    wait(save_run_policies(&store, &id, PolicyStage::Plan, &harmless)).unwrap();
    assert!(bad()[0].contains("was changed"), "{:?}", bad());
    let name = format!("runs/{id}/policies/plan");
    wait(store.delete(&name)).unwrap();
    assert!(bad()[0].contains("is not there any more"), "{:?}", bad());
    wait(save_run_policies(
        &store,
        &id,
        PolicyStage::Apply,
        &harmless,
    ))
    .unwrap();
    assert!(
        bad().iter().any(|why| why.contains("says nothing of what")),
        "{:?}",
        bad()
    );
}
