//! Attacks on a gate, and what comes of them.

use serde_json::json;
use terrace_backend_embedded::EmbeddedStore;
use terrace_gate::save_approval;
use terrace_port::{RunStore, StateStore as _};
use terrace_test_services::{Reply, Web};

use crate::people::{Shop, make_key, wait};
use crate::story::World;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn an_edited_plan_file_is_not_applied() {
    let shop = Shop::new();
    shop.apply_in_dev();
    shop.project
        .terrace(&["plan", "-env=stg", &shop.key("ann"), "-out=saved.tfplan"])
        .success();
    let path = shop.project.path().join("saved.tfplan");
    let good = std::fs::read(&path).unwrap();
    for place in [good.len() / 3, good.len() / 2, good.len() - 20] {
        let mut bad = good.clone();
        bad[place] ^= 1;
        std::fs::write(&path, bad).unwrap();
        let refused = shop.project.terrace(&["apply", "-env=stg", "saved.tfplan"]);
        assert!(matches!(refused.code(), Some(1 | 5)), "{}", refused.all());
    }
    let listed = shop
        .project
        .terrace(&["state", "list", "-env=stg"])
        .success();
    assert!(listed.stdout.is_empty());
}

#[test]
fn an_edited_bundle_is_not_proven() {
    let shop = Shop::new();
    shop.apply_in_dev();
    let run = shop.promote("dev", "stg", "ann");
    shop.approve("stg", "ben", &run);
    shop.apply("stg", &run).success();
    let verify = || shop.project.terrace(&["runs", "verify", "-env=stg", &run]);
    verify().success().says("is what it says");
    let runs = shop.runs("stg");
    let record = format!("runs/{run}/run");
    let good = wait(runs.get(&record)).unwrap().unwrap();
    let text = String::from_utf8(good.to_vec()).unwrap();
    // Another count, another configuration, another plan: each contradicts the plan.
    let mut edits = vec![text.replace("\"add\":1", "\"add\":0")];
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (name, other) in [
        ("configuration", "0"),
        ("environment", "dev"),
        ("kind", "standard"),
    ] {
        let mut value = value.clone();
        value[name] = json!(other);
        edits.push(value.to_string());
    }
    for edited in edits {
        assert_ne!(edited, text);
        wait(runs.put(&record, edited.as_bytes())).unwrap();
        verify().fails(1).says("is not what it says");
    }
    wait(runs.put(&record, &good)).unwrap();
    // The approval of another key, or none that holds.
    let names = wait(runs.list(&format!("runs/{run}/approvals/"))).unwrap();
    let approval = wait(runs.get(&names[0])).unwrap().unwrap();
    wait(runs.delete(&names[0])).unwrap();
    verify().fails(1).says("0 hold");
    wait(runs.put(&names[0], &approval)).unwrap();
    verify().success();
}

#[test]
fn a_signer_who_is_added_in_the_same_change_does_not_count() {
    let shop = Shop::new();
    shop.bring_to_prd();
    let key = make_key(&shop.project.outer().join("keys/mallory"), "mallory");
    let rules = shop.project.read("terrace.hcl");
    shop.project.write(
        "terrace.hcl",
        format!("{rules}\nperson \"mallory\" {{\n  ssh = [{key:?}]\n}}\n"),
    );
    let run = shop.plan("stg", &[&shop.key("ann"), "-var=greeting=sneaky"]);
    shop.approve("stg", "mallory", &run);
    shop.apply("stg", &run)
        .fails(5)
        .says("is not listed in the rules in force");
    // Nor as the author whom the approval of somebody else would let through.
    let run = shop.plan("stg", &[&shop.key("mallory"), "-var=greeting=sneakier"]);
    shop.approve("stg", "ben", &run);
    shop.apply("stg", &run)
        .fails(5)
        .says("The plan's author is unknown");
}

#[test]
fn a_change_type_is_part_of_what_is_approved() {
    let world = World::new();
    world.bring_to_prd();
    // Approved as a normal change by one: no emergency comes of that.
    let normal = ["-purpose=x", "-var=greeting=x"];
    let (run, _) = world.plan("2026-11-26T09:00:00Z", "prd", &normal);
    world.approve("2026-11-26T09:01:00Z", "prd", "cem", &run);
    let emergency = [
        "-purpose=x",
        "-var=greeting=x",
        "-change=emergency",
        "-reason=quick",
    ];
    let (other, _) = world.plan("2026-11-26T09:02:00Z", "prd", &emergency);
    assert_ne!(run, other);
    let runs = store(&world, "prd");
    for name in wait(runs.list(&format!("runs/{run}/approvals/"))).unwrap() {
        let envelope = wait(runs.get(&name)).unwrap().unwrap();
        wait(save_approval(&*runs, &other, &envelope)).unwrap();
    }
    world
        .apply("2026-11-26T09:03:00Z", "prd", &other)
        .fails(5)
        .says("cem approved another plan");
    // Where the type is not defined, it lowers nothing.
    let rules = world.project.read("terrace.hcl");
    let without = rules.split("change \"emergency\"").next().unwrap();
    world.project.write(
        "terrace.hcl",
        format!("{without}\nrun {{\n  require = [\"purpose\"]\n}}\n"),
    );
    world
        .at("2026-11-26T09:04:00Z", &["apply", "-env=prd", &run])
        .fails(5)
        .says("It needs 2 approvals");
}

pub(crate) fn store(world: &World, environment: &str) -> std::sync::Arc<dyn RunStore> {
    EmbeddedStore::new(world.project.path().join(".terrace/store/.")).runs(environment)
}

#[test]
fn a_review_that_is_owed_cannot_be_made_to_disappear() {
    let world = World::new();
    world.bring_to_prd();
    let emergency = [
        "-purpose=x",
        "-var=greeting=x",
        "-change=emergency",
        "-reason=quick",
    ];
    let (run, _) = world.plan("2026-11-26T20:00:00Z", "prd", &emergency);
    world.approve("2026-11-26T20:01:00Z", "prd", "cem", &run);
    world.apply("2026-11-26T20:02:00Z", "prd", &run).success();
    world
        .at("2026-11-26T20:03:00Z", &["audit", "verify", "-env=prd"])
        .success();
    let runs = store(&world, "prd");
    wait(runs.delete(&format!("reviews-owed/{run}"))).unwrap();
    world
        .at("2026-11-26T20:04:00Z", &["audit", "verify", "-env=prd"])
        .fails(1)
        .says("a review is owed for run");
}

#[test]
fn entries_that_are_cut_off_with_their_head_are_missed() {
    let shop = Shop::new();
    shop.apply_in_dev();
    let run = shop.promote("dev", "stg", "ann");
    shop.approve("stg", "ben", &run);
    let runs = shop.runs("stg");
    let kept = wait(runs.list("audit/entries/")).unwrap();
    let head = wait(runs.get("audit/head")).unwrap().unwrap();
    shop.apply("stg", &run).success();
    let verify = || shop.project.terrace(&["audit", "verify", "-env=stg"]);
    verify().success().says("are signed");
    // Back to before the apply: the log alone is whole again.
    let later = wait(runs.list("audit/entries/")).unwrap();
    for name in later.iter().filter(|name| !kept.contains(name)) {
        wait(runs.delete(name)).unwrap();
    }
    wait(runs.put("audit/head", &head)).unwrap();
    let told = verify().fails(1);
    told.says("is not the one that was kept with the last apply's state")
        .says("no entry tells of that");
    // Even without what was kept, the run and the state tell.
    wait(runs.delete("gate/audit-anchor")).unwrap();
    verify().fails(1).says("no entry tells of that");
}

#[test]
fn entries_are_neither_reordered_nor_signed_by_others() {
    let shop = Shop::new();
    shop.apply_in_dev();
    let run = shop.promote("dev", "stg", "ann");
    shop.approve("stg", "ben", &run);
    shop.apply("stg", &run).success();
    let runs = shop.runs("stg");
    let names = wait(runs.list("audit/entries/")).unwrap();
    let entries: Vec<_> = names
        .iter()
        .map(|name| wait(runs.get(name)).unwrap().unwrap())
        .collect();
    let verify = || shop.project.terrace(&["audit", "verify", "-env=stg"]);
    verify().success();
    wait(runs.put(&names[0], &entries[1])).unwrap();
    wait(runs.put(&names[1], &entries[0])).unwrap();
    verify().fails(1).says("another entry stands in the place");
    wait(runs.put(&names[1], &entries[1])).unwrap();
    wait(runs.delete(&names[0])).unwrap();
    verify().fails(1).says("is missing");
    wait(runs.put(&names[0], &entries[0])).unwrap();
    verify().success();
    // Ben's approval is signed by Ben, who does not sign this.
    let place = entries
        .iter()
        .position(|entry| String::from_utf8_lossy(entry).contains("\"event\":\"approve\""))
        .unwrap();
    let text = String::from_utf8(entries[place].to_vec()).unwrap();
    assert!(text.contains("\"signature\""));
    let forged = text.replace("\"person\":\"ben\"", "\"person\":\"cem\"");
    assert_ne!(forged, text);
    wait(runs.put(&names[place], forged.as_bytes())).unwrap();
    verify().fails(1).says("the signature does not hold");
}

/// A repository at a server that stands in for GitHub, with one pull request.
fn reviewed(web: &Web, reviews: &serde_json::Value) {
    web.on(
        "/repos/acme/shop/pulls/7",
        Reply::json(&json!({"user": {"login": "ann-at-hub"}}).to_string()),
    );
    web.on(
        "/repos/acme/shop/pulls/7/reviews",
        Reply::json(&reviews.to_string()),
    );
}

fn review(login: &str, state: &str, commit: &str) -> serde_json::Value {
    json!({
        "user": {"login": login}, "state": state, "commit_id": commit,
        "submitted_at": "2026-11-23T09:00:00Z",
    })
}

#[test]
fn reviews_at_github_count_and_forged_ones_do_not() {
    let web = Web::start().unwrap();
    let mut world = World::new();
    world.project.set("GITHUB_SHA", COMMIT);
    let rules = world.project.read("terrace.hcl");
    world.project.write(
        "terrace.hcl",
        rules.replace(
            "project \"shop\" {}",
            &format!(
                "project \"shop\" {{\n  github     = \"acme/shop\"\n  github_api = {:?}\n}}",
                web.url("")
            ),
        ),
    );
    world
        .at(
            "2026-11-23T09:00:00Z",
            &["apply", "-env=dev", "-auto-approve"],
        )
        .success();
    let run = world.promote("2026-11-23T09:10:00Z", "dev", "stg");
    let apply = || world.apply("2026-11-23T09:30:00Z", "stg", &run);
    world
        .at(
            "2026-11-23T09:15:00Z",
            &["approve", "-env=stg", "-pull-request=7", &run],
        )
        .success()
        .says("Still missing");
    let other = COMMIT.replace('0', "f");
    for (reviews, why) in [
        (
            json!([review("ben-at-hub", "APPROVED", &other)]),
            "ben reviewed commit",
        ),
        (
            json!([review("mallory", "APPROVED", COMMIT)]),
            "\"mallory\" at GitHub is not listed",
        ),
        (
            json!([review("ann-at-hub", "APPROVED", COMMIT)]),
            "ann is the author of the change",
        ),
        (
            json!([
                review("ben-at-hub", "APPROVED", COMMIT),
                review("ben-at-hub", "DISMISSED", COMMIT)
            ]),
            "and has none",
        ),
        (
            json!([
                review("ben-at-hub", "APPROVED", COMMIT),
                review("ben-at-hub", "CHANGES_REQUESTED", COMMIT)
            ]),
            "and has none",
        ),
        (
            json!([review("ben-at-hub", "COMMENTED", COMMIT)]),
            "and has none",
        ),
        (json!({"message": "nothing"}), "is no list"),
    ] {
        reviewed(&web, &reviews);
        apply().fails(5).says(why);
    }
    // What lies in the store beside the run says nothing without the server.
    let runs = store(&world, "stg");
    let name = format!("runs/{run}/forge/pull-request-7");
    let made_up = json!({"format": 1, "repository": "acme/shop", "approvals": [{"login": "ben-at-hub", "commit": COMMIT, "at": 1, "environment": null}]});
    wait(runs.put(&name, made_up.to_string().as_bytes())).unwrap();
    apply().fails(5);
    // Ben's own word on the very commit does, whatever he said before; a comment takes nothing back.
    reviewed(
        &web,
        &json!([
            review("ben-at-hub", "CHANGES_REQUESTED", &other),
            review("ben-at-hub", "APPROVED", COMMIT),
            review("ben-at-hub", "COMMENTED", COMMIT),
        ]),
    );
    apply().success();
    world
        .at("2026-11-23T09:40:00Z", &["audit", "list", "-env=stg"])
        .success()
        .says("approvers=ben");
}

#[test]
fn an_environments_approval_at_github_is_for_that_environment_and_commit() {
    let web = Web::start().unwrap();
    let mut world = World::new();
    world.project.set("GITHUB_SHA", COMMIT);
    let rules = world.project.read("terrace.hcl");
    let project = format!(
        "project \"shop\" {{\n  github     = \"acme/shop\"\n  github_api = {:?}\n}}",
        web.url("")
    );
    world.project.write(
        "terrace.hcl",
        rules.replace("project \"shop\" {}", &project),
    );
    world
        .at(
            "2026-11-23T09:00:00Z",
            &["apply", "-env=dev", "-auto-approve"],
        )
        .success();
    let run = world.promote("2026-11-23T09:10:00Z", "dev", "stg");
    let answer = |commit: &str, environment: &str, state: &str| {
        let run = json!({"head_sha": commit, "actor": {"login": "ann-at-hub"}});
        web.on(
            "/repos/acme/shop/actions/runs/99",
            Reply::json(&run.to_string()),
        );
        let approvals = json!([{"user": {"login": "Ben-At-Hub"}, "state": state, "environments": [{"name": environment}]}]);
        web.on(
            "/repos/acme/shop/actions/runs/99/approvals",
            Reply::json(&approvals.to_string()),
        );
    };
    answer(COMMIT, "prd", "approved");
    world
        .at(
            "2026-11-23T09:15:00Z",
            &["approve", "-env=stg", "-workflow-run=99", &run],
        )
        .success();
    let apply = || world.apply("2026-11-23T09:30:00Z", "stg", &run);
    apply()
        .fails(5)
        .says("ben approved a deployment to environment \"prd\"");
    answer(&COMMIT.replace('0', "f"), "stg", "approved");
    apply().fails(5).says("ben reviewed commit");
    answer(COMMIT, "stg", "rejected");
    apply().fails(5).says("and has none");
    answer(COMMIT, "stg", "approved");
    apply().success();
}

/// Waits in the middle of an apply whose greeting is `slow`, until a file says that it may go on.
const WAITS: &str = r#"
resource "terraform_data" "waits" {
  triggers_replace = var.greeting

  provisioner "local-exec" {
    command = "test ${var.greeting} != slow || { touch running; while ! test -e go; do sleep 0.1; done; }"
  }
}
"#;

#[test]
fn a_stale_lock_holder_that_applies_late_changes_nothing() {
    let shop = Shop::new();
    let configuration = shop.project.read("main.tf");
    shop.project
        .write("main.tf", format!("{configuration}{WAITS}"));
    shop.apply_in_dev();
    let approved = |greeting: &str| {
        let greeting = format!("-var=greeting={greeting}");
        let run = shop.plan("stg", &[&shop.key("ann"), &greeting]);
        shop.approve("stg", "ben", &run);
        run
    };
    let first = approved("hello");
    shop.apply("stg", &first).success();

    // Let through by the gate, it stands still while it holds the lock.
    let stale = approved("slow");
    let mut holder = shop.project.start(&["apply", "-env=stg", &stale]);
    let running = shop.project.path().join("running");
    holder.until("the middle of the apply", |_| running.exists());
    let refused = shop
        .project
        .terrace(&["plan", "-env=stg", "-lock=true"])
        .fails(1)
        .says("Error acquiring the state lock")
        .all();
    let (_, rest) = refused.split_once(" ID: ").unwrap();
    let id = rest.split_whitespace().next().unwrap();
    let unlocked = shop
        .project
        .terrace(&["force-unlock", "-force", "-env=stg", id]);
    unlocked.success();
    // Its journal tells what it was about; somebody settles that, and the next change is planned and approved anew.
    shop.project.terrace(&["recover", "-env=stg"]).success();
    let next = approved("quick");
    shop.apply("stg", &next).success();
    let state = || {
        let pulled = shop.project.terrace(&["state", "pull", "-env=stg"]);
        pulled.success().stdout
    };
    let before = state();
    assert!(before.contains("quick"), "{before}");

    // It wakes up, and is too late.
    shop.project.write("go", "");
    holder.wait().fails(1);
    assert_eq!(state(), before);
    let greeting = shop
        .project
        .terrace(&["output", "-env=stg", "-raw", "greeting"])
        .success();
    assert_eq!(greeting.stdout, "quick");
    shop.project
        .terrace(&[
            "plan",
            "-env=stg",
            "-detailed-exitcode",
            "-var=greeting=quick",
        ])
        .success();
    // Everything of it is in the log, and the log is whole.
    shop.project
        .terrace(&["audit", "verify", "-env=stg"])
        .success();
    shop.project
        .terrace(&["audit", "list", "-env=stg"])
        .success()
        .says(&stale);
}
