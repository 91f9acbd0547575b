//! Workflows as authors: whose identity stands for one, and every way in which it does not.

use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use terrace_diag::SourceId;
use terrace_gate::{
    AuditEvent, Evidence, Finding, Rules, Run, RunCounts, RunStatus, Statement, WorkflowIdentity,
    append_audit, approve, configuration_digest, gather, identity_audience, obtain_identity,
    parse_project, read_identity, save_approval, save_authorship, save_identity, save_run,
    save_run_plan, sign_approval, sign_authorship, verify_run,
};
use terrace_plan::{Plan, PlanDigest, write_plan_file};
use terrace_port::{Forge, Issuer, PullRequest, RunStore as _, WorkflowRun};
use terrace_test_services::{TokenKey, workflow_claims};

use crate::support::{Memory, key, plan, rules, wait};

const NOW: i64 = 1_700_000_000;
/// The same time in words.
const CREATED: &str = "2023-11-14T22:13:20Z";
const ISSUER: &str = "https://issuer.example";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Issuer and forge: what they say when they are asked.
struct Outside {
    token: Option<String>,
    keys: Result<String, String>,
    author: Result<Option<String>, String>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Issuer for Outside {
    async fn token(&self, audience: &str) -> Result<Option<String>, String> {
        self.asked.lock().unwrap().push(audience.to_owned());
        Ok(self.token.clone())
    }

    async fn keys(&self, issuer: &str) -> Result<String, String> {
        self.asked.lock().unwrap().push(issuer.to_owned());
        self.keys.clone()
    }
}

#[async_trait]
impl Forge for Outside {
    async fn pull_request(&self, _: &str, _: &str, _: u64) -> Result<PullRequest, String> {
        Err("nobody asks for reviews here".to_owned())
    }

    async fn workflow_run(&self, _: &str, _: &str, _: u64) -> Result<WorkflowRun, String> {
        Err("nobody asks for reviews here".to_owned())
    }

    async fn commit_author(
        &self,
        _: &str,
        repository: &str,
        commit: &str,
    ) -> Result<Option<String>, String> {
        self.asked
            .lock()
            .unwrap()
            .push(format!("{repository} {commit}"));
        self.author.clone()
    }
}

fn set(keys: &[&TokenKey]) -> String {
    let keys: Vec<Value> = keys.iter().map(|key| key.public()).collect();
    json!({ "keys": keys }).to_string()
}

fn workflow() -> WorkflowIdentity {
    WorkflowIdentity {
        issuer: ISSUER.into(),
        repository: "acme/shop".into(),
        api: "https://api.example".into(),
        workflow: ".github/workflows/plan.yml".into(),
        reference: Some("refs/heads/main".into()),
        environment: None,
    }
}

/// A plan for prd that a workflow made, which Ann started, of a commit by Ann.
struct Case {
    store: Memory,
    plan: Plan,
    digest: PlanDigest,
    rules: Rules,
    key: TokenKey,
    outside: Outside,
}

impl Case {
    fn new() -> Self {
        Self::of("locals {}")
    }

    fn of(configuration: &str) -> Self {
        let mut plan = plan(Some("prd"), configuration);
        plan.inputs.request.commit = Some(COMMIT.to_owned());
        let mut rules = rules("prd", 1, &[]);
        for (name, person) in &mut rules.people {
            person.github = Some(format!("{name}-at-hub"));
        }
        rules.identities = vec![workflow()];
        let key = TokenKey::of_issuer().unwrap();
        Self {
            store: Memory::default(),
            digest: plan.digest(),
            plan,
            rules,
            outside: Outside {
                token: None,
                keys: Ok(set(&[&key])),
                author: Ok(Some("ann-at-hub".to_owned())),
                asked: Mutex::default(),
            },
            key,
        }
    }

    fn claims(&self) -> Value {
        workflow_claims(ISSUER, &identity_audience(self.digest), COMMIT, NOW)
    }

    fn token(&self) -> String {
        self.key.token(&self.claims()).unwrap()
    }

    /// Keeps a token with the run, as if it had been obtained when the plan was made.
    fn kept(self, token: &str) -> Self {
        let keys = self.outside.keys.clone().unwrap_or_default();
        self.kept_with(token, &keys, CREATED, CREATED)
    }

    fn kept_with(self, token: &str, keys: &str, created: &str, logged: &str) -> Self {
        let id = self.digest.short();
        let proof = json!({"format": 1, "token": token, "keys": keys}).to_string();
        wait(
            self.store
                .put(&format!("runs/{id}/identity"), proof.as_bytes()),
        )
        .unwrap();
        wait(save_run(&self.store, &run_of(&self.plan, created))).unwrap();
        self.log("plan", logged, &[("identity", &hex(proof.as_bytes()))]);
        self
    }

    fn log(&self, event: &str, time: &str, details: &[(&str, &str)]) {
        let details = details
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let event = AuditEvent {
            time: time.to_owned(),
            actor: "runner".to_owned(),
            event: event.to_owned(),
            run: Some(self.digest.short()),
            details: details.collect(),
        };
        wait(append_audit(&self.store, &event)).unwrap();
    }

    fn statement(&self) -> Statement {
        Statement {
            plan: self.digest,
            environment: "prd".into(),
            change: "normal".into(),
            signed_at: NOW,
            expires_at: None,
            comment: String::new(),
        }
    }

    fn approved(self, number: u8) -> Self {
        let envelope = sign_approval(&key(number), &self.statement()).unwrap();
        wait(save_approval(&self.store, &self.digest.short(), &envelope)).unwrap();
        self
    }

    fn signed(self, number: u8) -> Self {
        let envelope = sign_authorship(&key(number), &self.statement()).unwrap();
        wait(save_authorship(
            &self.store,
            &self.digest.short(),
            &envelope,
        ))
        .unwrap();
        self
    }

    fn evidence(&self) -> Evidence {
        let rules = Some(&self.rules);
        let found = wait(gather(
            &self.store,
            &self.plan,
            self.digest,
            rules,
            &[],
            NOW + 3600,
        ));
        let (identity, problems) = wait(read_identity(
            &self.store,
            (&self.outside, &self.outside),
            &self.rules,
            &self.plan,
            self.digest,
        ))
        .unwrap();
        found.unwrap().with_identity(identity, problems)
    }

    /// Its authors and who let it through, or everything that is missing, in words.
    fn judged(&self) -> Result<(Vec<String>, Vec<String>), Vec<String>> {
        match approve(self.plan.clone(), self.evidence()) {
            Ok(approved) => Ok((approved.authors().to_vec(), approved.approvers().to_vec())),
            Err(refusal) => Err(refusal.reasons.iter().map(ToString::to_string).collect()),
        }
    }

    /// Refused, and for this; and nobody is taken for the author.
    #[track_caller]
    fn is_refused(&self, why: &str) {
        let told = self.judged().unwrap_err();
        assert!(
            told.iter().any(|line| line.contains(why)),
            "{why:?} is not in {told:?}"
        );
        assert!(
            told.iter()
                .any(|line| line.contains("no identity of a workflow that it names")),
            "{told:?}"
        );
    }

    fn verified(&self) -> Vec<Finding> {
        let id = self.digest.short();
        let (file, _) = write_plan_file(&self.plan);
        wait(save_run_plan(&self.store, &id, &file)).unwrap();
        wait(verify_run(&self.store, &run_of(&self.plan, CREATED))).unwrap()
    }
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn run_of(plan: &Plan, created: &str) -> Run {
    let digest = plan.digest();
    Run {
        id: digest.short(),
        plan: digest,
        configuration: configuration_digest(&plan.inputs.configuration),
        environment: plan.inputs.environment.clone(),
        workspace: "default".into(),
        mode: "normal".into(),
        status: RunStatus::Planned,
        actor: "runner".into(),
        commit: plan.inputs.request.commit.clone(),
        version: "0.1.0".into(),
        created: created.into(),
        finished: None,
        counts: RunCounts::of(plan),
        message: None,
        change: String::new(),
        reason: None,
        statements: std::collections::BTreeMap::new(),
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_workflow_stands_for_who_started_it_and_who_made_the_commit() {
    let mut case = Case::new();
    let token = case.token();
    case = case.kept(&token).approved(3);
    assert_eq!(case.judged(), Ok((names(&["ann"]), names(&["ben"]))));
    // The issuer that the rules name is asked for its keys, and the forge for the very commit.
    let asked = case.outside.asked.lock().unwrap().clone();
    assert_eq!(asked, [ISSUER.to_owned(), format!("acme/shop {COMMIT}")]);
}

#[test]
fn nobody_approves_a_commit_of_their_own_that_somebody_else_let_a_workflow_plan() {
    let mut case = Case::new();
    case.outside.author = Ok(Some("Ben-At-Hub".to_owned()));
    let token = case.token();
    case = case.kept(&token).approved(3);
    let told = case.judged().unwrap_err();
    assert!(
        told.contains(&"Not counted: ben is the author of the plan.".to_owned()),
        "{told:?}"
    );
    // Nor does who started it.
    let case = case.approved(1);
    assert!(case.judged().is_err());
    let case = case.approved(4);
    assert_eq!(case.judged(), Ok((names(&["ann", "ben"]), names(&["cem"]))));
}

#[test]
fn who_signs_a_plan_that_a_workflow_made_is_an_author_besides() {
    let case = Case::new();
    let token = case.token();
    let case = case.kept(&token).signed(3).approved(3);
    assert!(case.judged().is_err());
    let case = case.approved(4);
    assert_eq!(case.judged(), Ok((names(&["ann", "ben"]), names(&["cem"]))));
    // A signature alone is enough, as without workflows.
    let case = Case::new().signed(1).approved(3);
    assert_eq!(case.judged(), Ok((names(&["ann"]), names(&["ben"]))));
}

/// What a workflow is not: its name, the claim that says so, and what is told.
fn others() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let other = COMMIT.replace('0', "f");
    vec![
        (
            "another plan",
            "aud",
            json!(identity_audience(plan(Some("prd"), "").digest())),
            "and not for this plan",
        ),
        (
            "an audience for anybody",
            "aud",
            json!("https://github.com/acme"),
            "and not for this plan",
        ),
        (
            "several audiences",
            "aud",
            json!([identity_audience(Case::new().digest)]),
            "what the token says cannot be read",
        ),
        (
            "another repository",
            "repository",
            json!("acme/toys"),
            "is of repository \"acme/toys\", and not of acme/shop",
        ),
        (
            "another workflow",
            "workflow_ref",
            json!("acme/shop/.github/workflows/other.yml@refs/heads/main"),
            "and not .github/workflows/plan.yml",
        ),
        (
            "a workflow of another repository",
            "workflow_ref",
            json!("mallory/shop/.github/workflows/plan.yml@refs/heads/main"),
            "and not .github/workflows/plan.yml",
        ),
        (
            "the workflow as a branch has it",
            "workflow_ref",
            json!("acme/shop/.github/workflows/plan.yml@refs/heads/mine"),
            "is that of \"refs/heads/mine\", and not of refs/heads/main",
        ),
        (
            "a run for another branch",
            "ref",
            json!("refs/heads/mine"),
            "ran for \"refs/heads/mine\", and not for refs/heads/main",
        ),
        (
            "another commit",
            "sha",
            json!(other),
            "the workflow ran for commit",
        ),
        (
            "a stranger's proposal",
            "event_name",
            json!("pull_request_target"),
            "a stranger's proposal",
        ),
        (
            "another issuer",
            "iss",
            json!("https://issuer.example.evil"),
            "and the rules in force name https://issuer.example",
        ),
        (
            "expired",
            "exp",
            json!(NOW - 61),
            "the token has expired at 2023-11-14T22:12:19Z",
        ),
        ("not yet", "iat", json!(NOW + 61), "the token holds from"),
        (
            "never",
            "exp",
            json!(NOW - 3600),
            "it ends before it begins",
        ),
        (
            "without an end",
            "exp",
            Value::Null,
            "what the token says cannot be read",
        ),
    ]
}

#[test]
fn a_workflow_that_is_another_stands_for_nobody() {
    for (name, claim, value, why) in others() {
        let case = Case::new();
        let mut claims = case.claims();
        claims[claim] = value;
        if name == "expired" {
            claims["iat"] = json!(NOW - 400);
        }
        let token = case.key.token(&claims).unwrap();
        let case = case.kept(&token).approved(3);
        case.is_refused(why);
        // Nor is it kept to begin with.
        let mut outside = case.outside;
        outside.token = Some(token);
        let obtained = wait(obtain_identity(
            &outside,
            &case.rules,
            &case.plan,
            case.digest,
            NOW,
        ));
        assert!(obtained.unwrap_err().contains(why), "{name}");
    }
}

#[test]
fn only_the_issuers_signature_holds() {
    let stranger = TokenKey::of_stranger("key-1").unwrap();
    let unknown = TokenKey::of_stranger("key-9").unwrap();
    let case = Case::new();
    let claims = case.claims();
    let good = case.token();
    let mut parts: Vec<&str> = good.split('.').collect();
    let other = Case::of("locals { a = 1 }").token();
    let of_other = other.split('.').nth(1).unwrap();
    parts[1] = of_other;
    let swapped = parts.join(".");
    let header = |header: Value| case.key.token_with(&header, &claims).unwrap();
    let critical = json!({"alg": "RS256", "kid": "key-1", "crit": ["exp"]});
    let table = [
        (stranger.token(&claims).unwrap(), "does not hold by the key"),
        (
            unknown.token(&claims).unwrap(),
            "does not publish exactly one key \"key-9\"",
        ),
        (
            case.key.unsigned_token(&claims),
            "is signed by \"none\", and only RS256 counts",
        ),
        (
            case.key.confused_token(&claims).unwrap(),
            "is signed by \"HS256\", and only RS256 counts",
        ),
        (
            header(json!({"alg": "rs256", "kid": "key-1"})),
            "only RS256 counts",
        ),
        (header(json!({"alg": "RS256"})), "names no key"),
        (header(critical), "extensions that are not known"),
        (swapped, "does not hold by the key"),
        (
            format!("{}.", &good[..good.rfind('.').unwrap()]),
            "does not hold by the key",
        ),
        (format!("{good}="), "the token's signature cannot be read"),
        (format!("{good}.{good}"), "three parts"),
        (String::new(), "three parts"),
        ("a.b.c".to_owned(), "cannot be read"),
    ];
    for (token, why) in table {
        let case = Case::new().kept(&token).approved(3);
        case.is_refused(why);
    }
}

#[test]
fn keys_that_are_none_for_this_do_not_count() {
    let good = TokenKey::of_issuer().unwrap().public();
    let with = |name: &str, value: Value| {
        let mut key = good.clone();
        key[name] = value;
        json!({ "keys": [key] }).to_string()
    };
    for (keys, why) in [
        (with("kty", json!("oct")), "is not one for RS256"),
        (with("use", json!("enc")), "is not one for RS256"),
        (with("alg", json!("RS512")), "is not one for RS256"),
        (with("n", json!("AQAB")), "fewer than 2048 do not count"),
        (with("n", Value::Null), "has no modulus"),
        (with("e", json!("!")), "exponent cannot be read"),
        (
            json!({ "keys": [good, good] }).to_string(),
            "exactly one key",
        ),
        (json!({ "keys": [] }).to_string(), "exactly one key"),
        ("no keys".to_owned(), "keys cannot be read"),
    ] {
        let mut case = Case::new();
        case.outside.keys = Ok(keys);
        let token = case.token();
        case.kept(&token).is_refused(why);
    }
}

#[test]
fn what_lies_in_the_store_says_nothing_without_the_issuer() {
    // A token by a key of one's own, with that key beside it, as whoever can write there would put them.
    let own = TokenKey::of_stranger("key-1").unwrap();
    let case = Case::new();
    let token = own.token(&case.claims()).unwrap();
    let case = case
        .kept_with(&token, &set(&[&own]), CREATED, CREATED)
        .approved(3);
    case.is_refused("does not hold by the key");
    // And nothing where nobody can be asked.
    let mut case = Case::new();
    let token = case.token();
    case = case.kept(&token).approved(3);
    case.outside.keys = Err("nobody answers".to_owned());
    case.is_refused("cannot be read: nobody answers");
    case.outside.keys = Ok(set(&[&case.key]));
    case.outside.author = Err("nobody answers".to_owned());
    case.is_refused("the commit's author cannot be read: nobody answers");
    case.outside.author = Ok(None);
    case.is_refused("has no login at GitHub");
    case.outside.author = Ok(Some("ann-at-hub".to_owned()));
    assert!(case.judged().is_ok());
}

#[test]
fn people_that_nobody_listed_are_no_authors() {
    let mut case = Case::new();
    case.outside.author = Ok(Some("mallory".to_owned()));
    let mut claims = case.claims();
    claims["actor"] = json!("merger[bot]");
    let token = case.key.token(&claims).unwrap();
    case = case.kept(&token).approved(3);
    case.is_refused("neither the login \"mallory\" of the commit's author nor \"merger[bot]\"");
    // One of the two is enough, and then the author.
    case.outside.author = Ok(Some("cem-at-hub".to_owned()));
    assert_eq!(case.judged(), Ok((names(&["cem"]), names(&["ben"]))));
}

#[test]
fn a_token_is_replayed_in_vain() {
    let first = Case::new();
    let token = first.token();
    let second = Case::of("locals { a = 1 }").kept(&token).approved(3);
    second.is_refused("and not for this plan");
}

#[test]
fn a_token_must_have_lived_when_its_run_was_recorded() {
    let case = || {
        let case = Case::new();
        let token = case.token();
        let keys = set(&[&case.key]);
        (case, token, keys)
    };
    // Within its five minutes, and a minute that clocks may be apart.
    let (fresh, token, keys) = case();
    let fresh = fresh.kept_with(
        &token,
        &keys,
        "2023-11-14T22:12:20Z",
        "2023-11-14T22:19:19Z",
    );
    assert!(fresh.approved(3).judged().is_ok());
    let (late, token, keys) = case();
    let late = late.kept_with(&token, &keys, CREATED, "2023-11-14T22:19:20Z");
    late.is_refused("the audit log tells of it at 2023-11-14T22:19:20Z");
    let (early, token, keys) = case();
    let early = early.kept_with(&token, &keys, "2023-11-14T22:12:19Z", CREATED);
    early.is_refused("the run was made at 2023-11-14T22:12:19Z");
}

#[test]
fn an_identity_that_the_audit_log_does_not_tell_of_is_none() {
    let case = Case::new();
    let id = case.digest.short();
    let proof = json!({"format": 1, "token": case.token(), "keys": set(&[&case.key])}).to_string();
    wait(
        case.store
            .put(&format!("runs/{id}/identity"), proof.as_bytes()),
    )
    .unwrap();
    case.is_refused("the run's record is not there");
    wait(save_run(&case.store, &run_of(&case.plan, CREATED))).unwrap();
    case.is_refused("the audit log says nothing of it");
    case.log("plan", CREATED, &[("identity", "another")]);
    case.log("approve", CREATED, &[("identity", &hex(proof.as_bytes()))]);
    case.is_refused("the audit log says nothing of it");
    case.log("plan", CREATED, &[("identity", &hex(proof.as_bytes()))]);
    assert!(case.approved(3).judged().is_ok());
}

#[test]
fn rules_without_identities_let_no_workflow_stand_for_anybody() {
    let mut case = Case::new();
    let token = case.token();
    case.rules.identities.clear();
    let case = case.kept(&token).approved(3);
    let told = case.judged().unwrap_err();
    assert!(
        told[0].contains("name no workflow that may stand for a plan's author"),
        "{told:?}"
    );
    // Nobody but an issuer that the rules name is asked for anything.
    assert!(case.outside.asked.lock().unwrap().is_empty());
}

#[test]
fn an_environment_at_github_binds_as_a_branch_does() {
    let mut case = Case::new();
    case.rules.identities[0].reference = None;
    case.rules.identities[0].environment = Some("prd".into());
    let token = case.token();
    let case = case.kept(&token).approved(3);
    case.is_refused("is in no environment at GitHub");
    for (environment, holds) in [("stg", false), ("prd", true)] {
        let mut case = Case::new();
        // One of several is enough.
        let mut by_environment = workflow();
        by_environment.reference = None;
        by_environment.environment = Some("prd".into());
        case.rules.identities[0].workflow = "another.yml".into();
        case.rules.identities.push(by_environment);
        let mut claims = case.claims();
        claims["environment"] = json!(environment);
        claims["ref"] = json!("refs/pull/7/merge");
        claims["workflow_ref"] = json!("acme/shop/.github/workflows/plan.yml@refs/pull/7/merge");
        let token = case.key.token(&claims).unwrap();
        let case = case.kept(&token).approved(3);
        if holds {
            assert!(case.judged().is_ok());
        } else {
            case.is_refused("in environment \"stg\" at GitHub, and not in \"prd\"");
        }
    }
}

#[test]
fn a_workflow_obtains_an_identity_and_others_have_none() {
    let mut case = Case::new();
    let obtain = |case: &Case| {
        wait(obtain_identity(
            &case.outside,
            &case.rules,
            &case.plan,
            case.digest,
            NOW,
        ))
    };
    assert_eq!(obtain(&case), Ok(None));
    let token = case.token();
    case.outside.token = Some(token);
    let proof = obtain(&case).unwrap().unwrap();
    assert_eq!(proof.actor, "ann-at-hub");
    assert_eq!(proof.digest, hex(&proof.bytes));
    let asked = case.outside.asked.lock().unwrap().clone();
    assert_eq!(asked[1], format!("terrace:{}", case.digest));
    wait(save_identity(&case.store, &case.digest.short(), &proof)).unwrap();
    wait(save_run(&case.store, &run_of(&case.plan, CREATED))).unwrap();
    case.log("plan", CREATED, &[("identity", &proof.digest)]);
    let identified = case.approved(3).judged();
    assert_eq!(identified, Ok((names(&["ann"]), names(&["ben"]))));
}

#[test]
fn keys_that_the_issuer_has_given_up_are_looked_at_offline_alone() {
    let case = Case::new();
    let token = case.token();
    let mut case = case.kept(&token).approved(3);
    wait(terrace_gate::save_run_rules(
        &case.store,
        &case.digest.short(),
        &case.rules,
    ))
    .unwrap();
    let found = |case: &Case| {
        let about = |finding: &Finding| finding.what.contains("workflow");
        case.verified().into_iter().find(about).unwrap()
    };
    // Nobody has asked the forge yet.
    let told = found(&case);
    assert!(
        told.holds
            && told
                .what
                .contains("has not been asked for the commit's author yet"),
        "{told:?}"
    );
    assert!(case.judged().is_ok());
    let told = found(&case);
    assert!(told.holds, "{told:?}");
    assert!(
        told.what.contains("here nobody was") && told.what.contains("that was stored with it"),
        "{told:?}"
    );
    // The issuer's next keys do not know the token; the run's own still do, and say so.
    case.outside.keys = Ok(set(&[&TokenKey::of_stranger("key-2").unwrap()]));
    case.is_refused("does not publish exactly one key \"key-1\"");
    assert!(found(&case).holds);
    // What was applied must have been applied by it, or without it.
    case.log("apply-start", CREATED, &[]);
    let told = found(&case);
    assert!(
        told.holds && told.what.contains("was not relied on"),
        "{told:?}"
    );
    case.log("apply-start", CREATED, &[("identity", "another")]);
    let told = found(&case);
    assert!(
        !told.holds && told.what.contains("not the one by which"),
        "{told:?}"
    );
}

#[test]
fn a_project_file_names_workflows() {
    let parse = |blocks: &str| {
        let text = format!(
            "environment \"prd\" {{}}\nenvironment \"stg\" {{}}\n{blocks}\nproject \"shop\" {{\n  github = \"acme/shop\"\n}}\n"
        );
        let (project, diagnostics) = parse_project(SourceId(0), text.as_bytes());
        let told: Vec<String> = diagnostics
            .sorted()
            .into_iter()
            .map(|found| found.detail)
            .collect();
        (project, told)
    };
    let (project, told) = parse(
        r#"
identity "github" {
  workflow     = ".github/workflows/plan.yml"
  branch       = "main"
  environments = ["prd"]
}
"#,
    );
    assert_eq!(told, Vec::<String>::new());
    let of = |name: &str| project.rules(project.environment(name).unwrap());
    assert_eq!(
        of("prd").identities,
        [WorkflowIdentity {
            issuer: "https://token.actions.githubusercontent.com".into(),
            api: "https://api.github.com".into(),
            ..workflow()
        }]
    );
    assert!(of("stg").identities.is_empty());
    // They are among what the rules' digest is of, and rules without any have the bytes that they had.
    let prd = of("prd");
    assert_eq!(Rules::from_bytes(&prd.to_bytes()), Ok(prd.clone()));
    let without = Rules {
        identities: Vec::new(),
        ..prd.clone()
    };
    assert!(!String::from_utf8_lossy(&without.to_bytes()).contains("identities"));
    assert_eq!(
        without.differences(&prd),
        ["other workflows may stand for a plan's author"]
    );
    for (block, why) in [
        (
            "identity \"gitlab\" {\n  workflow = \"w.yml\"\n  branch = \"main\"\n}",
            "no identities of the kind \"gitlab\"",
        ),
        (
            "identity \"github\" {\n  branch = \"main\"\n}",
            "\"workflow\" is required",
        ),
        (
            "identity \"github\" {\n  workflow = \"w.yml\"\n}",
            "must be bound to a \"branch\"",
        ),
        (
            "identity \"github\" {\n  workflow = \"w.yml\"\n  branch = \"main\"\n  ref = \"refs/tags/v1\"\n}",
            "of one reference",
        ),
        (
            "identity \"github\" {\n  workflow = \"w.yml\"\n  ref = \"main\"\n}",
            "not a reference in full",
        ),
        (
            "identity \"github\" {\n  issuer = \"http://issuer.example\"\n  workflow = \"w.yml\"\n  branch = \"main\"\n}",
            "nothing but https://",
        ),
        (
            "identity \"github\" {\n  repository = \"shop\"\n  workflow = \"w.yml\"\n  branch = \"main\"\n}",
            "not a repository of GitHub",
        ),
        (
            "identity \"github\" {\n  workflow = \"w.yml\"\n  branch = \"main\"\n  environments = [\"dev\"]\n}",
            "names environment \"dev\"",
        ),
    ] {
        let (_, told) = parse(block);
        assert!(
            told.iter().any(|line| line.contains(why)),
            "{why:?} is not in {told:?}"
        );
    }
}
