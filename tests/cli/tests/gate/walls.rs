//! A gated state cannot be written by leaving out `-env` or the project file, nor by changing the rules.

use terrace_test_support::Project;

use crate::people::{CONFIGURATION, Shop};

/// Everything that would write a state, with what it needs.
const WRITES: [&[&str]; 9] = [
    &["apply", "-auto-approve", "-var=greeting=sneaky"],
    &["destroy", "-auto-approve"],
    &["refresh"],
    &["state", "rm", "terraform_data.shop"],
    &["state", "mv", "terraform_data.shop", "terraform_data.other"],
    &["state", "push", "-force", "pushed.tfstate"],
    &[
        "state",
        "replace-provider",
        "-auto-approve",
        "terraform.io/builtin/terraform",
        "hashicorp/null",
    ],
    &["taint", "terraform_data.shop"],
    &["apply", "-auto-approve", "saved.tfplan"],
];

/// Tries every write from a project of which nothing is known but where the state is.
fn nothing_writes(outsider: &Project) {
    let before = outsider.terrace(&["state", "pull"]).success().stdout;
    assert!(before.contains("terraform_data"), "{before}");
    outsider.write("pushed.tfstate", before.replace("hello", "pushed"));
    outsider
        .terrace(&["plan", "-out=saved.tfplan", "-var=greeting=saved"])
        .success();
    for write in WRITES {
        if write[0] == "refresh" {
            // A refresh that finds nothing writes nothing.
            outsider.terrace(write).whatever();
        } else {
            outsider.terrace(write).fails(5).says("Gate not satisfied");
        }
        assert_eq!(
            outsider.terrace(&["state", "pull"]).success().stdout,
            before,
            "{write:?}"
        );
    }
}

#[test]
fn a_plain_configuration_cannot_write_a_gated_state_in_the_embedded_store() {
    let shop = Shop::new();
    shop.bring_to_prd();
    let store = shop.project.path().join(".terrace/store/.");
    let mut outsider = Project::with(&format!(
        "terraform {{\n  backend \"embedded\" {{\n    path = {:?}\n  }}\n}}\n{CONFIGURATION}",
        store.display().to_string()
    ));
    outsider.set("TF_WORKSPACE", "stg");
    nothing_writes(&outsider);
    outsider.set("TF_WORKSPACE", "default");
    outsider
        .terrace(&["workspace", "delete", "-force", "stg"])
        .fails(5);
    outsider.set("TF_WORKSPACE", "stg");
    assert!(!outsider.instances().is_empty());
}

#[test]
fn a_plain_configuration_cannot_write_a_gated_state_file() {
    let shop = Shop::new();
    shop.bring_to_prd();
    let path = shop.project.path().join("prd.tfstate");
    let direct = Project::with(&format!(
        "terraform {{\n  backend \"local\" {{\n    path = {:?}\n  }}\n}}\n{CONFIGURATION}",
        path.display().to_string()
    ));
    nothing_writes(&direct);
    // By another name of the same file.
    let linked = Project::with(CONFIGURATION);
    std::os::unix::fs::symlink(&path, linked.path().join("terraform.tfstate")).unwrap();
    nothing_writes(&linked);
}

#[test]
fn leaving_out_the_environment_or_the_project_file_opens_nothing() {
    let shop = Shop::new();
    shop.bring_to_prd();
    let backend = "terraform {\n  backend \"local\" {\n    path = \"prd.tfstate\"\n  }\n}\n";
    shop.project
        .write("main.tf", format!("{backend}{CONFIGURATION}"));
    nothing_writes(&shop.project);
    std::fs::remove_file(shop.project.path().join("terrace.hcl")).unwrap();
    nothing_writes(&shop.project);
}

#[test]
fn the_gate_guards_itself() {
    let shop = Shop::new();
    shop.bring_to_prd();
    let file = shop.project.read("terrace.hcl");
    let open = file
        .replace("approvals = 1", "approvals = 0")
        .replace("approvals = 2", "approvals = 0")
        .replace("    roles     = [\"lead\"]\n", "");
    shop.project.write("terrace.hcl", open);
    for environment in ["-env=stg", "-env=prd"] {
        let refused = shop.project.terrace(&[
            "apply",
            environment,
            "-auto-approve",
            "-var=greeting=sneaky",
            &shop.key("ann"),
        ]);
        refused.fails(5).says("people other than its author");
        shop.project
            .terrace(&["state", "rm", environment, "terraform_data.shop"])
            .fails(5)
            .says("only by applying a plan");
    }
    // Nor does calling the environment by another name.
    shop.project.write(
        "terrace.hcl",
        file.replace("environment \"prd\"", "environment \"production\""),
    );
    shop.project
        .terrace(&[
            "apply",
            "-env=production",
            "-auto-approve",
            &shop.key("ann"),
            "-var=greeting=x",
        ])
        .fails(5);
}

#[test]
fn rules_that_a_plan_does_not_hold_do_not_come_into_force_with_it() {
    let shop = Shop::new();
    shop.bring_to_prd();
    let (ann, file) = (shop.key("ann"), shop.project.read("terrace.hcl"));
    let open = file.replace("approvals = 1", "approvals = 0");
    let run = shop.plan("stg", &[&ann, "-var=greeting=x"]);
    shop.approve("stg", "ben", &run);
    let others = "neither those in force nor those that the plan was made with";
    shop.project.write("terrace.hcl", &open);
    shop.apply("stg", &run).fails(5).says(others);
    shop.project
        .terrace(&["gate", "explain", "-env=stg", &run])
        .fails(5)
        .says(others);
    shop.project.write("terrace.hcl", &file);
    shop.apply("stg", &run).success();

    // A plan that holds them: who approves it is shown what changes, or told that it cannot be.
    shop.project.write("terrace.hcl", &open);
    let run = shop.plan("stg", &[&ann, "-var=greeting=y"]);
    shop.try_approve("stg", "ben", &run)
        .success()
        .says("its gate asks for something else");
    shop.project.write("terrace.hcl", &file);
    shop.try_approve("stg", "cem", &run)
        .success()
        .says("The run was made with other rules");
    shop.project.write("terrace.hcl", &open);
    shop.apply("stg", &run).success();
    let run = shop.plan("stg", &[&ann, "-var=greeting=z"]);
    shop.apply("stg", &run).success();
}

#[test]
fn a_plan_for_one_environment_is_not_applied_in_another() {
    let shop = Shop::new();
    shop.apply_in_dev();
    shop.project
        .terrace(&["plan", "-env=dev", "-out=dev.tfplan", "-var=greeting=other"])
        .success();
    shop.project
        .terrace(&["apply", "-env=stg", "dev.tfplan"])
        .fails(5)
        .says("The plan was made for environment \"dev\".");
}

#[test]
fn a_first_apply_that_fails_leaves_the_gate_standing() {
    let shop = Shop::new();
    let failing = format!(
        "{CONFIGURATION}\nresource \"terraform_data\" \"fails\" {{\n  input = terraform_data.shop.id\n  provisioner \"local-exec\" {{\n    command = \"test ! -e fail\"\n  }}\n}}\n"
    );
    shop.project.write("main.tf", failing);
    shop.apply_in_dev();
    let run = shop.promote("dev", "stg", "ann");
    shop.approve("stg", "ben", &run);
    shop.project.write("fail", "");
    shop.apply("stg", &run).fails(1);
    let listed = shop
        .project
        .terrace(&["state", "list", "-env=stg"])
        .success();
    assert!(
        listed.stdout.contains("terraform_data.shop"),
        "{}",
        listed.stdout
    );

    let store = shop.project.path().join(".terrace/store/.");
    let mut outsider = Project::with(&format!(
        "terraform {{\n  backend \"embedded\" {{\n    path = {:?}\n  }}\n}}\n{CONFIGURATION}",
        store.display().to_string()
    ));
    outsider.set("TF_WORKSPACE", "stg");
    nothing_writes(&outsider);
}
