//! The policies of a project file: what they deny is neither approved nor applied, and nobody takes them out of the way.

use terrace_gate::{PolicyStage, load_run_policies, save_run_policies};

use crate::people::{Shop, wait};

const WORDS: &str = r#"package shop.words

deny contains result if {
	some change in input.resource_changes
	contains(change.change.after.input, "forbidden")
	result := {
		"msg": sprintf("%s says %s", [change.address, change.change.after.input]),
		"address": change.address,
	}
}

warn contains message if {
	some change in input.resource_changes
	contains(change.change.after.input, "odd")
	message := sprintf("%s in %s by a %s change", [change.address, input.terrace.environment, input.terrace.change])
}
"#;

/// A rule that prints what it finds, and says it in another member than the message.
const PRINTS: &str = r#"
deny contains result if {
	some change in input.resource_changes
	text := sprintf("it says %s", [change.change.after.input])
	print(text)
	result := {"msg": "A word is forbidden.", "details": [{"why": text}]}
}
"#;

const GUARDRAILS: &str = "\npolicy \"guardrails\" {\n  rego = [\"policies/*.rego\"]\n}\n";

/// What tells how the rule that denies is called.
const RULE: &str = "(rule shop.words.deny of policies/words.rego)";

fn shop(policy: &str) -> Shop {
    let shop = Shop::new();
    shop.project.write("policies/words.rego", WORDS);
    let file = shop.project.read("terrace.hcl");
    shop.project.write("terrace.hcl", format!("{file}{policy}"));
    shop
}

#[test]
fn what_a_mandatory_policy_denies_is_not_applied() {
    let shop = shop(GUARDRAILS);
    let plan = ["plan", "-env=dev", "-var=greeting=forbidden"];
    shop.project
        .terrace(&plan)
        .success()
        .says("denied     guardrails: terraform_data.shop says forbidden  (shop.words.deny of policies/words.rego)")
        .says("1 denied, 0 warned; 1 of 2 rules found nothing.")
        .says("can be neither approved nor applied");
    let run = shop.plan("dev", &["-var=greeting=forbidden"]);
    shop.apply("dev", &run)
        .fails(5)
        .says("The mandatory policy \"guardrails\" denies it: terraform_data.shop says forbidden")
        .says(RULE);
    // Without a question, which nobody is here to answer.
    shop.project
        .terrace(&["apply", "-env=dev", "-var=greeting=forbidden"])
        .fails(5)
        .says(RULE);
    let told = shop
        .project
        .terrace(&["plan", "-json", "-env=dev", "-var=greeting=forbidden"])
        .success();
    let lines = told.json_lines();
    let said = lines
        .iter()
        .find(|line| line["type"] == "policy_results")
        .unwrap();
    assert_eq!(said["policies"]["refused"], true);
    let finding = &said["policies"]["policies"][0]["findings"][0];
    assert_eq!(finding["effect"], "denied");
    assert_eq!(finding["rule"], "shop.words.deny");
    assert_eq!(finding["address"], "terraform_data.shop");
    assert_eq!(finding["files"][0], "policies/words.rego");
    let listed = shop
        .project
        .terrace(&["state", "list", "-env=dev"])
        .success();
    assert_eq!(listed.stdout, "");

    // Where a gate stands, nobody can approve it either.
    shop.apply_in_dev();
    let run = shop.plan("stg", &[&shop.key("ann"), "-var=greeting=forbidden"]);
    shop.try_approve("stg", "ben", &run)
        .fails(5)
        .says("Mandatory policies deny this plan, and no approval changes that")
        .says("terraform_data.shop says forbidden");
    shop.forge_approval("stg", "ben", &run);
    shop.apply("stg", &run).fails(5).says(RULE);
    let explained = shop
        .project
        .terrace(&["gate", "explain", "-env=stg", &run])
        .fails(5)
        .says("denied     guardrails:")
        .says("its author changes what the policy denies");
    assert!(!explained.all().contains("has none"), "{}", explained.all());
    let explained = shop
        .project
        .terrace(&["gate", "explain", "-json", "-env=stg", &run])
        .fails(5)
        .json();
    assert_eq!(explained["policies"]["refused"], true);
    let report = shop
        .project
        .terrace(&["runs", "report", "-env=stg", "-json"])
        .success()
        .json();
    assert_eq!(report[0]["policies"][0]["denied"], 1);
}

#[test]
fn warnings_pass_and_are_part_of_the_run() {
    let shop = shop(GUARDRAILS);
    shop.apply_in_dev();
    let run = shop.promote("dev", "stg", "ann");
    let odd = shop.plan("stg", &[&shop.key("ann"), "-var=greeting=odd"]);
    assert_ne!(run, odd);
    let warning = "guardrails: terraform_data.shop in stg by a normal change";
    shop.try_approve("stg", "ben", &odd).success().says(warning);
    shop.apply("stg", &odd).success().says(warning);
    shop.project
        .terrace(&["runs", "show", "-env=stg", &odd])
        .success()
        .says(warning)
        .says("(apply).");
    shop.project
        .terrace(&["view", "-env=stg", "-html=page.html", &odd])
        .success();
    let page = shop.project.read("page.html");
    assert!(page.contains("guardrails: shop.words.warn"), "{page}");
    assert!(page.contains("ann (key SHA256:"), "{page}");
    let shown = shop
        .project
        .terrace(&["runs", "show", "-json", "-env=stg", &odd])
        .success()
        .json();
    assert_eq!(shown["policies"]["stage"], "apply");
    assert_eq!(shown["policies"]["actor"], "ann");
    assert_eq!(
        shown["policies"]["policies"][0]["findings"][0]["effect"],
        "warned"
    );
    shop.project
        .terrace(&["runs", "verify", "-env=stg", &odd])
        .success()
        .says("the policies that it was judged by say of its plan what is recorded");
    shop.project
        .terrace(&["audit", "verify", "-env=stg"])
        .success();
}

#[test]
fn an_advisory_policy_tells_and_lets_pass() {
    let shop = shop("\npolicy \"hints\" {\n  rego  = [\"policies\"]\n  level = \"advisory\"\n}\n");
    shop.project
        .terrace(&[
            "apply",
            "-env=dev",
            "-auto-approve",
            "-var=greeting=forbidden",
        ])
        .success()
        .says("warned     hints: terraform_data.shop says forbidden")
        .says("0 denied, 1 warned");
}

#[test]
fn a_run_that_changes_policies_is_judged_by_the_old_ones() {
    let shop = shop(GUARDRAILS);
    shop.apply_in_dev();
    let file = shop.project.read("terrace.hcl");
    let edits = [
        (
            file.replace(GUARDRAILS, ""),
            WORDS.to_owned(),
            "the policy \"guardrails\" is gone",
        ),
        (
            file.clone(),
            WORDS.replace("forbidden", "something else"),
            "the policy \"guardrails\" has another text in policies/words.rego",
        ),
        (
            file.replace("  rego =", "  level = \"advisory\"\n  rego ="),
            WORDS.to_owned(),
            "the policy \"guardrails\" is advisory instead of mandatory",
        ),
        (
            file.replace("  rego =", "  environments = [\"prd\"]\n  rego ="),
            WORDS.to_owned(),
            "the policy \"guardrails\" is gone",
        ),
    ];
    for (file, words, told) in edits {
        shop.project.write("terrace.hcl", file);
        shop.project.write("policies/words.rego", words);
        let planned = shop
            .project
            .terrace(&["plan", "-env=dev", "-var=greeting=forbidden"])
            .success()
            .says("Rules have changed")
            .says(told)
            .says("denied     guardrails:");
        assert!(planned.stdout.contains("1 denied"));
        let run = shop.plan("dev", &["-var=greeting=forbidden"]);
        shop.apply("dev", &run).fails(5).says(RULE);
        shop.project
            .terrace(&["gate", "explain", "-env=dev", &run])
            .fails(5)
            .says("It is judged by the rules of the last applied run.")
            .says(told);
    }
    // Nor does leaving out the environment, or the project file, take them away.
    let store = shop.project.path().join(".terrace/store/.");
    let direct = format!(
        "terraform {{\n  backend \"embedded\" {{\n    path = {:?}\n  }}\n}}\n{}",
        store.display().to_string(),
        crate::people::CONFIGURATION
    );
    let mut outsider = terrace_test_support::Project::with(&direct);
    outsider.set("TF_WORKSPACE", "dev");
    outsider
        .terrace(&["apply", "-auto-approve", "-var=greeting=forbidden"])
        .fails(5)
        .says(RULE);

    // What the old policies let through brings the new ones into force.
    let without = file.replace(GUARDRAILS, "");
    shop.project.write("terrace.hcl", without);
    shop.apply_in_dev();
    shop.project
        .terrace(&[
            "apply",
            "-env=dev",
            "-auto-approve",
            "-var=greeting=forbidden",
        ])
        .success()
        .omits("Rules have changed");
}

#[test]
fn new_rules_of_a_gated_environment_come_into_force_by_a_run() {
    let shop = shop("");
    shop.bring_to_prd();
    let file = shop.project.read("terrace.hcl");
    shop.project
        .write("terrace.hcl", format!("{file}{GUARDRAILS}"));
    let run = shop.plan("stg", &[&shop.key("ann")]);
    shop.project
        .terrace(&["gate", "explain", "-env=stg", &run])
        .fails(5)
        .says("the policy \"guardrails\" is new");
    shop.approve("stg", "ben", &run);
    shop.apply("stg", &run).success();
    let run = shop.plan("stg", &[&shop.key("ann"), "-var=greeting=forbidden"]);
    shop.apply("stg", &run).fails(5).says(RULE);
}

#[test]
fn edited_results_prove_nothing_and_are_found() {
    let shop = shop(GUARDRAILS);
    shop.apply_in_dev();
    let run = shop.plan("dev", &["-var=greeting=forbidden"]);
    let verify = || shop.project.terrace(&["runs", "verify", "-env=dev", &run]);
    verify().success();
    let store = shop.runs("dev");
    let (stage, mut results) = wait(load_run_policies(&*store, &run)).unwrap().unwrap();
    assert_eq!(stage, PolicyStage::Plan);
    results.policies[0].findings.clear();
    wait(save_run_policies(&*store, &run, stage, &results)).unwrap();
    verify()
        .fails(1)
        .says("what is stored of policies (plan) was changed");
    shop.apply("dev", &run).fails(5).says(RULE);
    wait(store.delete(&format!("runs/{run}/policies/plan"))).unwrap();
    verify()
        .fails(1)
        .says("what policies said of it is not there any more");
    shop.apply("dev", &run).fails(5).says(RULE);
}

#[test]
fn an_emergency_overrides_what_excepts_it_and_that_is_recorded() {
    let emergency = "\nchange \"emergency\" {\n  gate {\n    approvals = 1\n    roles     = [\"lead\"]\n  }\n}\n\npolicy \"guardrails\" {\n  rego   = [\"policies/*.rego\"]\n  except = [\"emergency\"]\n}\n";
    let shop = shop(emergency);
    shop.apply_in_dev();
    let run = shop.plan("dev", &[&shop.key("ann"), "-var=greeting=forbidden"]);
    shop.apply("dev", &run).fails(5).says(RULE);
    let options = [
        &shop.key("ann"),
        "-var=greeting=forbidden",
        "-change=emergency",
        "-reason=the shop is down",
    ];
    let run = shop.plan("dev", &options);
    // Somebody answers for it, although this environment has no gate.
    shop.apply("dev", &run)
        .fails(5)
        .says("Someone of role \"lead\" must approve it");
    shop.try_approve("dev", "cem", &run)
        .success()
        .says("overridden guardrails: terraform_data.shop says forbidden");
    shop.apply("dev", &run)
        .success()
        .says("1 overridden by the emergency change");
    let report = shop
        .project
        .terrace(&["runs", "report", "-env=dev", "-json"])
        .success()
        .json();
    let overrides = report[0]["overrides"].as_array().unwrap();
    let recorded = overrides
        .iter()
        .find(|entry| entry["event"] == "policy-override")
        .unwrap();
    assert_eq!(recorded["run"], run.as_str());
    assert_eq!(
        recorded["reason"],
        "guardrails: terraform_data.shop says forbidden"
    );
    shop.project
        .terrace(&["audit", "verify", "-env=dev"])
        .success();
}

#[test]
fn a_state_that_is_written_by_hand_where_policies_judge_is_told_and_recorded() {
    let shop = shop(GUARDRAILS);
    shop.project.write(
        "policies/imports.rego",
        "package shop.imports\n\ndeny contains \"nothing is imported\" if {\n\tsome change in input.resource_changes\n\tchange.change.importing.id\n}\n",
    );
    shop.apply_in_dev();
    let pulled = shop.project.terrace(&["state", "pull", "-env=dev"]);
    shop.project
        .write("pushed.tfstate", &pulled.success().stdout);
    let (one, other) = ("terraform_data.shop", "terraform_data.other");
    let writes: [(&str, &[&str]); 4] = [
        ("state-mv", &["state", "mv", "-env=dev", one, other]),
        ("taint", &["taint", "-env=dev", other]),
        ("state-rm", &["state", "rm", "-env=dev", other]),
        (
            "state-push",
            &["state", "push", "-env=dev", "-force", "pushed.tfstate"],
        ),
    ];
    for (operation, arguments) in &writes {
        let said = shop.project.terrace(arguments).success().all();
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("Policies are not asked"), "{said}");
        assert!(said.contains("(guardrails)"), "{said}");
        assert!(said.contains(operation), "{operation}: {said}");
    }
    let report = || {
        let report = shop
            .project
            .terrace(&["runs", "report", "-env=dev", "-json"]);
        let report = report.success().json();
        report[0]["overrides"].as_array().unwrap().clone()
    };
    let of = |event: &str| {
        report()
            .iter()
            .filter(|entry| entry["event"] == event)
            .map(|entry| entry["reason"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let reasons = of("policy-override");
    for (operation, _) in &writes {
        let reason = format!("{operation} writes the state without a plan");
        assert!(reasons.contains(&reason), "{reasons:?}");
        assert!(of("state-write").contains(&(*operation).to_owned()));
    }

    // An import is a plan, and is judged.
    let configuration = shop.project.read("main.tf");
    shop.project.write(
        "main.tf",
        format!("{configuration}\nresource \"terraform_data\" \"other\" {{}}\n"),
    );
    shop.project
        .terrace(&["import", "-env=dev", other, "an-id"])
        .fails(5)
        .says("nothing is imported");
    shop.project
        .terrace(&["audit", "verify", "-env=dev"])
        .success();
}

#[test]
fn policies_that_cannot_be_used_are_told_with_their_place() {
    let shop = shop(GUARDRAILS);
    shop.project.write(
        "policies/words.rego",
        WORDS.replace("deny contains result if {", "deny contains result if {{"),
    );
    shop.project
        .terrace(&["plan", "-env=dev"])
        .fails(1)
        .says("Policy cannot be read")
        .says("policies/words.rego");
    std::fs::remove_file(shop.project.path().join("policies/words.rego")).unwrap();
    shop.project
        .terrace(&["plan", "-env=dev"])
        .fails(1)
        .says("No such policy files")
        .says("terrace.hcl")
        .says("policies/*.rego");
}

#[test]
fn policies_are_checked_and_quote_no_secrets() {
    let shop = shop(GUARDRAILS);
    let configuration = crate::people::CONFIGURATION
        .replace("type    = string", "type      = string\n  sensitive = true")
        .replace(
            "value = terraform_data.shop.output",
            "value     = terraform_data.shop.output\n  sensitive = true",
        );
    shop.project.write("main.tf", configuration);
    let secret = "forbidden-4711";
    let option = format!("-var=greeting={secret}");
    let planned = shop
        .project
        .terrace(&["plan", "-env=dev", "-out=saved.tfplan", &option])
        .success()
        .says("denied     guardrails: terraform_data.shop says (sensitive value)");
    assert!(!planned.all().contains(secret), "{}", planned.all());
    let run = shop.plan("dev", &[&option]);
    let refused = shop.apply("dev", &run).fails(5).says(RULE);
    assert!(!refused.all().contains(secret), "{}", refused.all());
    shop.project
        .terrace(&["view", "-env=dev", "-html=page.html", &run])
        .success();
    let page = shop.project.read("page.html");
    let told = "denies it: terraform_data.shop says (sensitive value)";
    assert!(page.contains(told), "{page}");
    assert!(!page.contains(secret), "{page}");
    let log = shop
        .project
        .terrace(&["audit", "export", "-env=dev"])
        .success();
    assert!(!log.all().contains(secret), "{}", log.all());

    // The project's own policies are what a plan is checked by where none are named.
    // Nor does that tell secrets, whatever it reads and however it says so.
    let json = shop
        .project
        .terrace(&["show", "-json", "saved.tfplan"])
        .success();
    shop.project.write("saved.json", &json.stdout);
    shop.project
        .write("other/words.rego", format!("{WORDS}\n{PRINTS}"));
    for plan in ["saved.tfplan", "saved.json"] {
        for (more, said) in [
            (&[][..], "terraform_data.shop says (sensitive value)"),
            (&["-policy=other"], "it says (sensitive value)"),
            (&["-policy=other", "-json"], "it says (sensitive value)"),
        ] {
            let arguments = [&["policy", "check", "-env=dev"], more, &[plan]].concat();
            let checked = shop.project.terrace(&arguments).fails(1).says(said);
            assert!(
                !checked.all().contains(secret),
                "{arguments:?}: {}",
                checked.all()
            );
        }
    }
}

#[test]
fn rules_that_something_else_has_written_are_found() {
    let shop = shop(GUARDRAILS);
    shop.apply_in_dev();
    let store = shop.runs("dev");
    let verify = || shop.project.terrace(&["audit", "verify", "-env=dev"]);
    verify().success();
    let good = wait(store.get("gate/rules")).unwrap().unwrap();
    let text = String::from_utf8(good.to_vec()).unwrap();
    let weaker = text.replace("\"mandatory\"", "\"advisory\"");
    assert_ne!(weaker, text);
    wait(store.put("gate/rules", weaker.as_bytes())).unwrap();
    verify()
        .fails(1)
        .says("the rules in force are not those that came into force by entry");
    wait(store.delete("gate/rules")).unwrap();
    verify().fails(1);
    wait(store.put("gate/rules", &good)).unwrap();
    verify().success();
    // Other rules, by the way that is meant for it.
    let file = shop.project.read("terrace.hcl");
    shop.project
        .write("terrace.hcl", file.replace(GUARDRAILS, ""));
    shop.apply_in_dev();
    verify().success();
    shop.project
        .terrace(&["audit", "list", "-env=dev"])
        .success()
        .says("rules-change");
}
