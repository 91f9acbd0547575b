//! A workflow plans, and its identity stands for the plan's author: with a server that stands in for GitHub Actions.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use terrace_gate::{AuditEvent, append_audit};
use terrace_test_services::{Reply, TokenKey, WorkflowIssuer, workflow_claims};

use crate::attacks::store;
use crate::people::wait;
use crate::story::{PURPOSE, World, run_in};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// 2026-11-23T09:00:00Z, in seconds since 1970 UTC.
const NINE: i64 = 1_795_424_400;
const UNKNOWN: &str = "no identity of a workflow that it names";

/// A world whose plans a workflow may make: of main of acme/shop, whose commit is Ann's.
struct Ci {
    world: World,
    issuer: WorkflowIssuer,
}

impl Ci {
    fn new() -> Self {
        let issuer = WorkflowIssuer::start().unwrap();
        let mut world = World::new();
        let project = format!(
            "project \"shop\" {{\n  github     = \"acme/shop\"\n  github_api = {0:?}\n}}\n\nidentity \"github\" {{\n  issuer   = {0:?}\n  workflow = \".github/workflows/plan.yml\"\n  branch   = \"main\"\n}}",
            issuer.name()
        );
        let rules = world.project.read("terrace.hcl");
        world.project.write(
            "terrace.hcl",
            rules.replace("project \"shop\" {}", &project),
        );
        world.project.set("GITHUB_SHA", COMMIT);
        let commit = json!({"sha": COMMIT, "author": {"login": "ann-at-hub"}});
        issuer.web().on(
            &format!("/repos/acme/shop/commits/{COMMIT}"),
            Reply::json(&commit.to_string()),
        );
        world
            .at(
                "2026-11-23T09:00:00Z",
                &["apply", "-env=dev", "-auto-approve"],
            )
            .success();
        Self { world, issuer }
    }

    /// What the issuer says of a workflow that runs so many minutes after nine.
    fn claims(&self, minutes: i64) -> Value {
        workflow_claims(&self.issuer.name(), "", COMMIT, NINE + minutes * 60)
    }

    /// A workflow plans for stg, so many minutes after nine, and the issuer says this of it.
    fn plan(&mut self, minutes: i64, claims: Value) -> (String, String) {
        self.issuer.say(claims);
        for (name, value) in self.issuer.variables() {
            self.world.project.set(name, value);
        }
        let said = self
            .world
            .at(&time(minutes), &["plan", "-env=stg", PURPOSE]);
        for (name, _) in self.issuer.variables() {
            self.world.project.unset(name);
        }
        let said = said.success();
        (run_in(&said), said.all())
    }

    fn approve(&self, minutes: i64, person: &str, run: &str) -> terrace_test_support::Ran {
        self.world
            .by(&time(minutes), person, &["approve", "-env=stg", run])
    }

    /// What is kept of a run's identity.
    fn proof(&self, run: &str) -> Vec<u8> {
        let runs = store(&self.world, "stg");
        let found = wait(runs.get(&format!("runs/{run}/identity"))).unwrap();
        found.unwrap().to_vec()
    }

    /// As somebody does who can write to the store: an identity beside a run, and an entry of the log that tells of it.
    fn plant(&self, minutes: i64, run: &str, proof: &[u8]) {
        let runs = store(&self.world, "stg");
        wait(runs.put(&format!("runs/{run}/identity"), proof)).unwrap();
        let hash = Sha256::digest(proof)
            .iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let event = AuditEvent {
            time: time(minutes),
            actor: "mallory".to_owned(),
            event: "plan".to_owned(),
            run: Some(run.to_owned()),
            details: [("identity".to_owned(), hash)].into(),
        };
        wait(append_audit(&*runs, &event)).unwrap();
    }
}

/// So many minutes after nine.
fn time(minutes: i64) -> String {
    format!("2026-11-23T{:02}:{:02}:00Z", 9 + minutes / 60, minutes % 60)
}

#[test]
fn a_workflow_plans_and_its_people_do_not_approve() {
    let mut ci = Ci::new();
    let claims = ci.claims(10);
    let (run, said) = ci.plan(10, claims);
    assert!(!said.contains("it is not signed"), "{said}");
    ci.approve(15, "ann", &run)
        .fails(5)
        .says("ann is the author of the plan");
    ci.world
        .at(&time(15), &["gate", "explain", "-env=stg", &run])
        .fails(5)
        .says("by the identity of the workflow that made it: ann.");
    ci.world
        .at(&time(15), &["view", "-env=stg", "-html=page.html", &run])
        .success();
    let page = ci.world.project.read("page.html");
    let author = "ann (workflow acme/shop/.github/workflows/plan.yml@refs/heads/main)";
    assert!(page.contains(author), "{page}");
    ci.world
        .apply(&time(16), "stg", &run)
        .fails(5)
        .says("It needs 1 approval by people other than its author, and has none.");
    ci.approve(20, "ben", &run)
        .success()
        .says("The gate is satisfied");
    // Long after the token has expired: what counts is that it lived when the plan was recorded.
    ci.world.apply(&time(120), "stg", &run).success();
    ci.world
        .at(&time(121), &["audit", "list", "-env=stg"])
        .success()
        .says("authors=ann")
        .says("identity_key=");
    ci.world
        .at(&time(122), &["runs", "verify", "-env=stg", &run])
        .success()
        .says("made by the workflow acme/shop/.github/workflows/plan.yml@refs/heads/main")
        .says("the issuer published that key when it was applied too");
}

#[test]
fn who_made_the_commit_is_an_author_whoever_started_the_workflow() {
    let mut ci = Ci::new();
    let commit = json!({"sha": COMMIT, "author": {"login": "ben-at-hub"}});
    ci.issuer.web().on(
        &format!("/repos/acme/shop/commits/{COMMIT}"),
        Reply::json(&commit.to_string()),
    );
    let claims = ci.claims(10);
    let (run, _) = ci.plan(10, claims);
    for person in ["ann", "ben"] {
        ci.approve(15, person, &run)
            .fails(5)
            .says(&format!("{person} is the author of the plan"));
    }
    ci.approve(20, "cem", &run).success();
    ci.world.apply(&time(30), "stg", &run).success();
    ci.world
        .at(&time(31), &["audit", "list", "-env=stg"])
        .success()
        .says("authors=ann,ben");
}

#[test]
fn a_workflow_that_is_another_is_told_and_passes_no_gate() {
    let mut ci = Ci::new();
    let mut claims = ci.claims(10);
    claims["repository"] = json!("acme/toys");
    let (run, said) = ci.plan(10, claims);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("Identity does not count"), "{said}");
    ci.approve(15, "ben", &run).success().says(UNKNOWN);
    ci.world
        .apply(&time(20), "stg", &run)
        .fails(5)
        .says(UNKNOWN);
    // Nor does a token for another plan, which the runner was brought to give.
    let mut claims = ci.claims(30);
    claims["aud"] = json!(format!("terrace:{}", "0".repeat(64)));
    let (run, _) = ci.plan(30, claims);
    ci.world
        .apply(&time(31), "stg", &run)
        .fails(5)
        .says(UNKNOWN);
}

#[test]
fn an_identity_in_the_store_is_neither_replayed_nor_made_up() {
    let mut ci = Ci::new();
    let claims = ci.claims(10);
    let (first, _) = ci.plan(10, claims.clone());
    let good = ci.proof(&first);
    // A plan that Ben made on his desk, and signed by nobody.
    let said = ci
        .world
        .at(&time(12), &["plan", "-env=stg", PURPOSE])
        .success();
    let second = run_in(&said);
    assert_ne!(first, second);
    ci.approve(13, "ben", &second).success();
    let refused = |ci: &Ci, minutes: i64, why: &str| {
        ci.world
            .apply(&time(minutes), "stg", &second)
            .fails(5)
            .says(why)
            .says(UNKNOWN);
    };
    refused(&ci, 14, UNKNOWN);
    ci.plant(14, &second, &good);
    refused(&ci, 15, "and not for this plan");
    // By keys of one's own, which lie beside the token; under the name of the issuer's.
    let own = TokenKey::of_stranger("key-1").unwrap();
    let digest = store_digest(&ci, &second);
    let mut claims = claims;
    claims["aud"] = json!(format!("terrace:{digest}"));
    let forged = |token: String| {
        let keys = json!({ "keys": [own.public()] }).to_string();
        json!({"format": 1, "token": token, "keys": keys}).to_string()
    };
    let key = TokenKey::of_issuer().unwrap();
    for (token, why) in [
        (own.token(&claims).unwrap(), "does not hold by the key"),
        (key.unsigned_token(&claims), "only RS256 counts"),
        (key.confused_token(&claims).unwrap(), "only RS256 counts"),
    ] {
        ci.plant(15, &second, forged(token).as_bytes());
        refused(&ci, 16, why);
    }
    // The first run's is good still, until its issuer gives up the key.
    ci.approve(20, "ben", &first).success();
    ci.issuer
        .publish(&[&TokenKey::of_stranger("key-2").unwrap()]);
    ci.world
        .apply(&time(21), "stg", &first)
        .fails(5)
        .says("does not publish exactly one key \"key-1\"");
    ci.issuer.publish(&[&TokenKey::of_issuer().unwrap()]);
    ci.world.apply(&time(22), "stg", &first).success();
}

/// The whole digest of a run's plan.
fn store_digest(ci: &Ci, run: &str) -> String {
    let runs = store(&ci.world, "stg");
    let (_, _, digest) = wait(terrace_gate::load_run_plan(&*runs, run))
        .unwrap()
        .unwrap();
    digest.to_string()
}
