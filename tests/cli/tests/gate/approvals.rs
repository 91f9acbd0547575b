//! Whose approval counts, for which plan, and for how long.

use std::time::Duration;

use crate::people::{Shop, wait};

#[test]
fn three_environments_one_after_the_other() {
    let shop = Shop::new();
    shop.bring_to_prd();
    let history = shop.project.terrace(&["runs"]).success();
    assert_eq!(
        history.stdout.matches("applied").count(),
        3,
        "{}",
        history.stdout
    );
    for environment in ["dev", "stg", "prd"] {
        let option = format!("-env={environment}");
        shop.project
            .terrace(&["plan", &option, "-detailed-exitcode"])
            .success()
            .says("No changes.");
        shop.project
            .terrace(&["audit", "verify", &option])
            .success()
            .says("The audit log is whole");
        let output = shop
            .project
            .terrace(&["output", &option, "-raw", "greeting"])
            .success();
        assert_eq!(output.stdout, "hello");
    }
}

#[test]
fn an_environment_waits_for_the_one_before() {
    let shop = Shop::new();
    shop.project
        .terrace(&["promote", &shop.key("ann"), "dev", "stg"])
        .fails(1)
        .says("Nothing has been applied in \"dev\" yet.");
    let run = shop.plan("stg", &[&shop.key("ann")]);
    shop.approve("stg", "ben", &run);
    shop.apply("stg", &run)
        .fails(5)
        .says("Environment \"dev\" comes before, and has not applied this configuration.");

    // Another configuration is no evidence.
    shop.apply_in_dev();
    shop.project
        .write("more.tf", "resource \"terraform_data\" \"more\" {}\n");
    shop.project
        .terrace(&["promote", &shop.key("ann"), "dev", "stg"])
        .fails(1)
        .says("\"dev\" last applied another configuration");
    shop.project
        .terrace(&["promote", &shop.key("ann"), "dev", "prd"])
        .fails(1)
        .says("does not come after");
}

#[test]
fn a_plan_without_approval_is_refused() {
    let shop = Shop::new();
    shop.apply_in_dev();
    let run = shop.promote("dev", "stg", "ann");
    let refused = shop.apply("stg", &run).fails(5).says("Gate not satisfied");
    refused
        .says("It needs 1 approval by people other than its author, and has none.")
        .says("terrace approve");
    shop.project
        .terrace(&["gate", "explain", "-env=stg", &run])
        .fails(5)
        .says("It needs 1 approval");
    // Nor does one that is made and applied in one go, whatever is said on the command line.
    shop.project
        .terrace(&["apply", "-env=stg", "-auto-approve", &shop.key("ann")])
        .fails(5);
    assert!(
        shop.project
            .terrace(&["state", "list", "-env=stg"])
            .success()
            .stdout
            .is_empty()
    );
}

#[test]
fn the_author_and_strangers_do_not_count() {
    let shop = Shop::new();
    shop.apply_in_dev();
    let run = shop.promote("dev", "stg", "ann");
    for (signer, why) in [
        ("ann", "ann is the author of the plan"),
        ("ann-laptop", "ann is the author of the plan"),
        ("stranger", "belongs to nobody that the project file lists"),
    ] {
        shop.try_approve("stg", signer, &run).fails(5).says(why);
        shop.apply("stg", &run).fails(5).says("and has none");
    }
    // Who signs without Terrace and puts the approval there gets no further.
    shop.forge_approval("stg", "ann", &run);
    shop.apply("stg", &run)
        .fails(5)
        .says("ann is the author of the plan");
    shop.forge_approval("stg", "ann-laptop", &run);
    shop.apply("stg", &run)
        .fails(5)
        .says("ann is the author of the plan");
    shop.forge_approval("stg", "stranger", &run);
    shop.apply("stg", &run)
        .fails(5)
        .says("is not listed in the rules in force");
    shop.approve("stg", "ben", &run)
        .says("The gate is satisfied");
    shop.apply("stg", &run).success();
}

#[test]
fn one_person_counts_once_and_roles_are_asked_for() {
    let shop = Shop::new();
    shop.apply_in_dev();
    let run = shop.promote("dev", "stg", "ben");
    shop.approve("stg", "ann", &run);
    shop.apply("stg", &run).success();

    let run = shop.promote("stg", "prd", "ben");
    shop.approve("prd", "ann", &run);
    shop.approve("prd", "ann-laptop", &run);
    let refused = shop
        .apply("prd", &run)
        .fails(5)
        .says("It needs 2 approvals by people other than its author, and has 1: by ann.");
    refused.says("Someone of role \"lead\" must approve it: cem.");
    shop.approve("prd", "cem", &run);
    shop.apply("prd", &run).success();
}

#[test]
fn an_unsigned_plan_is_refused() {
    let shop = Shop::new();
    shop.apply_in_dev();
    let run = shop.plan("stg", &[]);
    shop.approve("stg", "ben", &run);
    shop.apply("stg", &run)
        .fails(5)
        .says("The plan's author is unknown");
    let run = shop.plan("stg", &[&shop.key("stranger")]);
    shop.approve("stg", "ben", &run);
    shop.apply("stg", &run)
        .fails(5)
        .says("The plan's author is unknown");
}

#[test]
fn an_expired_approval_is_none() {
    let shop = Shop::new();
    shop.apply_in_dev();
    let run = shop.promote("dev", "stg", "ann");
    shop.project
        .terrace(&["approve", "-env=stg", "-expires=1s", &shop.key("ben"), &run])
        .success();
    std::thread::sleep(Duration::from_millis(2100));
    shop.apply("stg", &run)
        .fails(5)
        .says("the approval by ben has expired");
}

#[test]
fn an_approval_of_one_plan_opens_no_other() {
    let shop = Shop::new();
    shop.apply_in_dev();
    let approved = shop.promote("dev", "stg", "ann");
    shop.approve("stg", "ben", &approved);
    let other = shop.plan("stg", &[&shop.key("ann"), "-var=greeting=something else"]);
    assert_ne!(approved, other);
    shop.apply("stg", &other).fails(5).says("and has none");

    // Even where someone puts the approval, and the author's statement, beside the other plan.
    let runs = shop.runs("stg");
    let names = wait(runs.list(&format!("runs/{approved}/approvals/"))).unwrap();
    let envelope = wait(runs.get(&names[0])).unwrap().unwrap();
    wait(runs.put(&format!("runs/{other}/approvals/forged"), &envelope)).unwrap();
    shop.apply("stg", &other)
        .fails(5)
        .says("ben approved another plan");
    // Or where the other plan takes the place of the approved one.
    let plan = wait(runs.get(&format!("runs/{other}/plan")))
        .unwrap()
        .unwrap();
    wait(runs.put(&format!("runs/{approved}/plan"), &plan)).unwrap();
    shop.apply("stg", &approved).fails(5);
    assert!(
        shop.project
            .terrace(&["state", "list", "-env=stg"])
            .success()
            .stdout
            .is_empty()
    );
}

#[test]
fn a_changed_signature_is_refused() {
    let shop = Shop::new();
    shop.apply_in_dev();
    let run = shop.promote("dev", "stg", "ann");
    shop.project
        .terrace(&["approve", "-env=stg", "-expires=1s", &shop.key("ben"), &run])
        .success();
    let runs = shop.runs("stg");
    let name = wait(runs.list(&format!("runs/{run}/approvals/")))
        .unwrap()
        .remove(0);
    let mut envelope: serde_json::Value =
        serde_json::from_slice(&wait(runs.get(&name)).unwrap().unwrap()).unwrap();
    let payload = envelope["payload"].as_str().unwrap();
    // One character of the signed statement; it stays readable.
    let changed = payload.replacen('c', "d", 1);
    assert_ne!(payload, changed);
    envelope["payload"] = changed.into();
    wait(runs.put(&name, envelope.to_string().as_bytes())).unwrap();
    shop.apply("stg", &run)
        .fails(5)
        .says("Not counted: an approval:");
}

#[test]
fn ssh_keygen_alone_verifies_an_approval() {
    let shop = Shop::new();
    shop.apply_in_dev();
    let run = shop.promote("dev", "stg", "ann");
    shop.approve("stg", "ben", &run);
    let listed = shop
        .project
        .terrace(&["runs", "approvals", "-env=stg", &run, "-dir=evidence"])
        .success();
    listed.says("ben").says("ssh-keygen -Y verify");
    let verify = |options: &str| {
        let script = format!(
            "ssh-keygen -Y verify -f evidence/allowed_signers -I ben -n terrace-approval -s evidence/ben.sig {options} < evidence/ben"
        );
        shop.project.other("sh", &["-c", &script])
    };
    if shop
        .project
        .other("sh", &["-c", "command -v ssh-keygen"])
        .code()
        != Some(0)
    {
        eprintln!("SKIPPED: ssh-keygen is not installed");
        return;
    }
    verify("")
        .success()
        .says("Good \"terrace-approval\" signature for ben");
    let mut message = std::fs::read(shop.project.path().join("evidence/ben")).unwrap();
    assert!(message.starts_with(b"DSSEv1 "));
    let last = message.len() - 10;
    message[last] ^= 1;
    std::fs::write(shop.project.path().join("evidence/ben"), message).unwrap();
    assert_ne!(verify("").code(), Some(0));
}
